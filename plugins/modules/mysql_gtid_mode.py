#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_gtid_mode
short_description: Turn GTIDs on while all servers of a replication run
version_added: 0.1.0
description:
  - Brings C(enforce_gtid_consistency) and C(gtid_mode) of all servers to ON, in the order that MySQL documents.
    Every server takes a stage before any takes the next one, so that replicas that follow go on following.
  - Before the last stage it waits until no server has a transaction without a GTID under way, and until every replica
    that follows by file and position has applied what the primary wrote.
  - Transactions from before stay without GTIDs. A replica that lacks some of them has to be seeded.
  - Nothing is persisted. Say the same in the servers' configuration, or the next start is as it was before.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.instances
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Predicts the statements; nothing is written.
    support: full
  diff_mode:
    description: Shows both variables of each server.
    support: full
options:
  primary:
    description: Name of the instance whose transactions the others have to have before the last stage.
    type: str
    required: true
  timeout:
    description: Seconds for transactions without GTIDs to end on each server, and to be applied by each replica.
    type: int
    default: 60
seealso:
  - module: mysql_on.kubernetes.mysql_replication
"""

EXAMPLES = r"""
- name: Turn GTIDs on
  mysql_on.kubernetes.mysql_gtid_mode:
    login_password: "{{ root_password }}"
    primary: primary
    instances:
      - name: primary
        pod: {namespace: course, deployment: mysql-primary}
      - name: replica
        pod: {namespace: course, deployment: mysql-replica-1}
"""

RETURN = r"""
plan:
  description: The statements and waits, or what they would be in check mode.
  returned: always
  type: list
  elements: dict
  sample:
    - statement: SET GLOBAL gtid_mode = ON_PERMISSIVE -- on primary
      reason: new transactions get GTIDs; those without are still taken
instances:
  description: How far each server is; in check mode as predicted.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the instance.
      type: str
    gtid_mode:
      description: Its C(gtid_mode).
      type: str
    enforce_gtid_consistency:
      description: Its C(enforce_gtid_consistency).
      type: str
"""

from contextlib import ExitStack
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.finding import CollectionError
from ..module_utils.mysql import gtid_mode
from ..module_utils.plan import apply, diff
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    names = [instance["name"] for instance in params["instances"]]
    if params["primary"] not in names:
        raise CollectionError(
            f"primary: {params['primary']!r} is none of the instances: {', '.join(names)}"
        )
    with ExitStack() as stack:
        members = [
            gtid_mode.Member(
                instance["name"], stack.enter_context(roads.connect_instance(params, instance))
            )
            for instance in params["instances"]
        ]
        before = [gtid_mode.observe(each.name, each.session) for each in members]
        plan = gtid_mode.plan(before, members, params["primary"], params["timeout"])
        after = list(plan.after())
        if not module.check_mode:
            apply(plan)
            after = [gtid_mode.observe(each.name, each.session) for each in members]
    return {
        "changed": plan.changed,
        "plan": plan.as_list(),
        "instances": [
            {
                "name": each.name,
                "gtid_mode": each.gtid_mode,
                "enforce_gtid_consistency": each.consistency,
            }
            for each in after
        ],
        "diff": diff(dict(gtid_mode.shown(before)), dict(gtid_mode.shown(after))),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.instances_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "primary": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
