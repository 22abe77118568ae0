#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_database
short_description: Make databases that are missing
version_added: 0.1.0
description:
  - Makes each of the named databases that is not there, in utf8mb4. What is there is left as it is.
  - Run it on the primary. The databases reach the replicas through replication.
  - It never drops one.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Predicts the statements; nothing is written.
    support: full
  diff_mode:
    description: Shows which databases would be made.
    support: full
options:
  names:
    description: Names of the databases.
    type: list
    elements: str
    required: true
seealso:
  - module: mysql_on.kubernetes.mysql_account
"""

EXAMPLES = r"""
- name: Make a database for each service
  mysql_on.kubernetes.mysql_database:
    pod:
      namespace: mysql
      service: mysql-write
    login_password: "{{ root_password }}"
    names:
      - shop
      - stock
"""

RETURN = r"""
plan:
  description: The statements that were sent, or would be in check mode.
  returned: always
  type: list
  elements: dict
  sample:
    - statement: CREATE DATABASE `shop` DEFAULT CHARACTER SET utf8mb4
      reason: database is absent
databases:
  description: Which of O(names) are there afterwards. In check mode as predicted.
  returned: success
  type: list
  elements: str
  sample: [shop, stock]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.mysql import database
from ..module_utils.plan import apply, diff
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    names = list(dict.fromkeys(module.params["names"]))
    with roads.connect(module.params) as connection:
        before = database.observe(connection)
        plan = database.plan(before, names, connection)
        after = plan.after()
        if not module.check_mode:
            apply(plan)
            after = database.observe(connection)
    return {
        "changed": plan.changed,
        "plan": plan.as_list(),
        "databases": [name for name in names if name in after],
        "diff": diff(
            {name: name in before for name in names}, {name: name in after for name in names}
        ),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.mysql_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "names": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
        **roads.mysql_rules(),
    )
    run(module, work)


if __name__ == "__main__":
    main()
