#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: container_wait
short_description: Wait until MySQL in a container of this machine answers, or say why it does not
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Logs in by TCP until that succeeds.
  - Ends before the time is over where the container has stopped or starts again and again, with the cause that
    its log names.
  - Reads only; it never reports a change.
options:
  engine:
    description: Program that knows the container.
    type: str
    choices: [docker, podman]
    required: true
  container:
    description: Name of the container.
    type: str
    required: true
  login_host:
    description: Address at which the server is asked.
    type: str
    default: 127.0.0.1
  login_port:
    description: Port at which the server is asked.
    type: int
    default: 3306
  login_user:
    description: MySQL user to log in as.
    type: str
    default: root
  login_password:
    description: Password of O(login_user).
    type: str
  variables:
    description: System variables to return.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait.
    type: int
    default: 120
extends_documentation_fragment:
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
requirements:
  - PyMySQL on the machine where the module runs
"""

EXAMPLES = r"""
- name: Wait for the server
  mysql_on.kubernetes.container_wait:
    engine: podman
    container: mysql-local
    login_password: "{{ password }}"
    variables: [log_bin]
"""

RETURN = r"""
version:
  description: Version of the server.
  returned: success
  type: str
  sample: 9.7.4
variables:
  description: The system variables that were asked for, as text.
  returned: success
  type: dict
  sample: {"log_bin": "1"}
findings:
  description: Why it does not answer, as far as its log tells.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: Stable code of the cause.
      type: str
    severity:
      description: Always V(error).
      type: str
    subject:
      description: The container.
      type: str
    summary:
      description: What is wrong, in one line.
      type: str
    proof:
      description: What was read, and from where.
      type: list
      elements: str
    fix:
      description: One next step.
      type: str
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import containers
from ..module_utils.finding import CollectionError
from ..module_utils.mysql.dialect import quote_identifier
from ..module_utils.runtime import run

POLL = 0.5


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    deadline = time.monotonic() + params["timeout"]
    while True:
        try:
            return ask(params)
        except CollectionError as error:
            state = look(module)
            if containers.is_hopeless(state) or time.monotonic() >= deadline:
                log = logged(module)
                found = containers.explain(params["container"], state, log, params["language"])
                message = f"Container {params['container']} does not answer: {error.message}"
                raise CollectionError(message, [*found, *error.findings]) from error
        # Neither Docker nor Podman tells when the server in a container answers.
        time.sleep(POLL)


def ask(params: dict[str, Any]) -> dict[str, Any]:
    way = {key: params[key] for key in ("login_host", "login_port", "login_user", "login_password")}
    with roads.connect({**way, "connect_timeout": 5}) as connection:
        values = {
            name: str(
                connection.query(f"SELECT @@global.{quote_identifier(name)} AS value")[0]["value"]
            )
            for name in params["variables"]
        }
        return {"changed": False, "version": connection.server.version_string, "variables": values}


def look(module: AnsibleModule) -> containers.State:
    given = "--format={{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}"
    command = [module.params["engine"], "inspect", "--type=container", given]
    code, out, _err = module.run_command([*command, module.params["container"]])
    return containers.state_of(out if code == 0 else "")


def logged(module: AnsibleModule) -> str:
    command = [module.params["engine"], "logs", "--tail", "80", module.params["container"]]
    _code, out, err = module.run_command(command)
    return f"{out}\n{err}"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "engine": {"type": "str", "choices": ["docker", "podman"], "required": True},
            "container": {"type": "str", "required": True},
            "login_host": {"type": "str", "default": "127.0.0.1"},
            "login_port": {"type": "int", "default": 3306},
            "login_user": {"type": "str", "default": "root"},
            "login_password": {"type": "str", "no_log": True},
            "variables": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 120},
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
