#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: path_check
short_description: Check from a host of the LAN that paths answer through the ingress controller
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - Asks for each path by HTTP until it answers as wanted, or the time is over.
  - A path that does not is named with its cause, among them the missing rewrite behind a 404,
    an app without its database, and another app's answer.
  - Writes nothing.
extends_documentation_fragment:
  - mysql_on.kubernetes.target
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
options:
  paths:
    description: The paths, and what each must answer.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Path with its leading slash.
        type: str
        required: true
      status:
        description: HTTP status of the answer.
        type: int
        default: 200
      contains:
        description: Words that the body must hold, so that another app on the same address does not pass.
        type: str
        default: ""
  wait:
    description: Seconds to wait until all paths answer as wanted, from 0 to 600.
    type: int
    default: 60
seealso:
  - module: mysql_on.kubernetes.load_test
  - module: mysql_on.kubernetes.metallb_check
"""

EXAMPLES = r"""
- name: Check the paths from this machine
  mysql_on.kubernetes.path_check:
    url: http://192.168.0.251
    paths:
      - path: /
      - path: /bucket
        contains: Employees API

- name: Check them from another host, under the name of this site
  mysql_on.kubernetes.path_check:
    url: http://192.168.0.251
    host_header: employees.example.com
    client_command: [ssh, student@192.168.0.20]
    paths:
      - path: /vew
"""

RETURN = r"""
address:
  description: The address that was asked.
  returned: once requests were sent
  type: str
  sample: 192.168.0.251
paths:
  description: The last answer of each path.
  returned: once requests were sent
  type: list
  elements: dict
  contains:
    path:
      description: The path.
      type: str
    ok:
      description: Whether it answered as wanted.
      type: bool
    status:
      description: HTTP status, 0 where there was no answer.
      type: int
    content_type:
      description: Type of the body.
      type: str
    milliseconds:
      description: Time of the last request in milliseconds.
      type: float
    error:
      description: One word for why there was no answer (V(timeout), V(refused), V(unreachable) and others).
      type: str
findings:
  description: Why paths do not answer as wanted; empty where they do.
  returned: always
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.loadtest import options, paths
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    return paths.work(module.params)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **options.target_argument_spec(),
            **roads.findings_argument_spec(),
            **paths.argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
