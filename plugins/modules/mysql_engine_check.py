#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_engine_check
short_description: Ask an image's own mysqld whether it takes a my.cnf, and whether it opens the data that is there
version_added: 0.1.0
description:
  - Runs the image in a short Job of the namespace, with the file where an instance has it, and lets C(mysqld)
    validate it. An option that the version lacks, or a value that it refuses, is an error with the line of the file.
  - An image that cannot be pulled is named within seconds.
  - With O(instances) it reads the version of each, and refuses a downgrade, and an upgrade that skips an LTS series.
  - The Job is deleted in the end, and goes by itself where the module was killed. No instance is touched.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Can run in check mode and changes nothing.
    support: partial
    details: Only a Pod can answer, so in check mode nothing is asked and RV(checked) is false.
  diff_mode:
    description: There is nothing to show; the module changes nothing.
    support: none
options:
  namespace:
    description: Namespace that the Job runs in.
    type: str
    required: true
  cluster:
    description: Name of the MySQL cluster; prefix of the Job.
    type: str
    default: mysql
  image:
    description: The image to ask.
    type: str
    required: true
  image_pull_policy:
    description: When the image is pulled.
    type: str
    choices:
      - Always
      - IfNotPresent
      - Never
    default: IfNotPresent
  my_cnf:
    description: Content of the file, as the instances get it.
    type: str
    required: true
  login_user:
    description: MySQL user to connect as, where an instance names none.
    type: str
    default: root
  login_password:
    description: Password of O(login_user), where an instance names none.
    type: str
  connect_timeout:
    description: Seconds to wait for a connection, where an instance names none.
    type: int
    default: 10
  instances:
    description: Instances whose data the image is to open. One that does not answer is a warning.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How findings name it.
        type: str
        required: true
      login_user:
        description: As the module's own O(login_user), which is used if this is not given.
        type: str
      login_password:
        description: As the module's own O(login_password), which is used if this is not given.
        type: str
      connect_timeout:
        description: As the module's own O(connect_timeout), which is used if this is not given.
        type: int
      login_host:
        description: Host name or address.
        type: str
      login_port:
        description: TCP port.
        type: int
        default: 3306
      login_unix_socket:
        description: Path of the server's socket.
        type: path
      pod:
        description: An instance inside a Kubernetes cluster.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Pod.
            type: str
            required: true
          name:
            description: Name of the Pod.
            type: str
          deployment:
            description: Name of a Deployment; its newest running Pod is taken.
            type: str
          service:
            description: Name of a Service; the first running Pod that its selector names is taken.
            type: str
          port:
            description: Port of MySQL in the Pod.
            type: int
            default: 3306
      kubeconfig:
        description: As the module's own O(kubeconfig), which is used if this is not given.
        type: path
      context:
        description: As the module's own O(context), which is used if this is not given.
        type: str
  timeout:
    description: Seconds for the Job, pulling the image included.
    type: int
    default: 300
  patience:
    description: Seconds that a cause which no time heals may stay before the module ends by it.
    type: int
    default: 10
seealso:
  - module: mysql_on.kubernetes.kube_wait
"""

EXAMPLES = r"""
- name: See whether the image takes these options before an instance gets them
  mysql_on.kubernetes.mysql_engine_check:
    namespace: mysql
    image: docker.io/library/mysql:9.7
    my_cnf: |
      [mysqld]
      max_connections = 300
"""

RETURN = r"""
checked:
  description: Whether the image was asked; false in check mode.
  returned: success
  type: bool
version:
  description: Version of the image's mysqld; empty in check mode.
  returned: success
  type: str
  sample: 9.7.4
running:
  description: Version of each of O(instances), empty for one that does not answer.
  returned: success
  type: dict
  sample: {"mysql-1": "9.7.4", "mysql-11": "9.7.4"}
findings:
  description: Causes found, worst first; only warnings on success.
  returned: always
  type: list
  elements: dict
  sample:
    - code: engine.option_unknown
      severity: error
      subject: expire_logs_days
      summary: MySQL 9.7.4 has no option expire_logs_days (line 22 of my.cnf)
      proof: ["my.cnf line 22: expire_logs_days = 7"]
      fix: Take expire_logs_days out of db_config (cluster_mysql_config)
"""

import re
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import engine as causes
from ..module_utils.causes import kube as kube_causes
from ..module_utils.finding import CollectionError, errors, worst_first
from ..module_utils.kube import client, engine_check
from ..module_utils.mysql.connection import parse_version
from ..module_utils.runtime import run

VERSION = re.compile(r"\bVer (\d+\.\d+\.\d+)")


def ask(params: dict[str, Any]) -> causes.Engine:
    """Return what the image's own mysqld says."""
    job = engine_check.manifest(
        params["namespace"],
        params["cluster"],
        params["image"],
        params["my_cnf"],
        params["image_pull_policy"],
    )
    answer = engine_check.ask(
        client.connect(params["kubeconfig"], params["context"]),
        job,
        explain=partial(kube_causes.explain, language=params["language"]),
        hopeless=kube_causes.HOPELESS,
        timeout=params["timeout"],
        patience=params["patience"],
    )
    match = VERSION.search(answer.version_line)
    if match is None:
        raise CollectionError(
            f"image: {params['image']} holds no mysqld that tells its version; it said:"
            f" {answer.version_line or answer.said or 'nothing'}"
        )
    return causes.Engine(params["image"], parse_version(match[1]), answer.said, answer.exit_code)


def running(params: dict[str, Any], instance: dict[str, Any]) -> causes.Running:
    try:
        with roads.connect_instance(params, instance) as connection:
            return causes.Running(instance["name"], connection.server.version)
    except CollectionError as error:
        return causes.Running(instance["name"], None, error.message)


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    language = params["language"]
    if module.check_mode:
        return {"changed": False, "checked": False, "version": "", "running": {}, "findings": []}
    engine = ask(params)
    found = causes.explain_options(engine, params["my_cnf"], language)
    seen = [running(params, instance) for instance in params["instances"]]
    found += causes.explain_versions(engine, seen, language)
    if errors(found):
        raise CollectionError(
            f"{params['image']} (MySQL {engine.version_text}) cannot be used: nothing was changed",
            found,
            {"changed": False},
        )
    return {
        "changed": False,
        "checked": True,
        "version": engine.version_text,
        "running": {one.name: causes.text_of(one.version) if one.version else "" for one in seen},
        "findings": [finding.as_dict() for finding in worst_first(found)],
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.login_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "namespace": {"type": "str", "required": True},
            "cluster": {"type": "str", "default": "mysql"},
            "image": {"type": "str", "required": True},
            "image_pull_policy": {
                "type": "str",
                "choices": ["Always", "IfNotPresent", "Never"],
                "default": "IfNotPresent",
            },
            "my_cnf": {"type": "str", "required": True},
            "instances": {**roads.instances_option(required=False), "default": []},
            "timeout": {"type": "int", "default": 300},
            "patience": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
