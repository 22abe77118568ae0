#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_semisync
short_description: Turn semi-synchronous replication of MySQL instances on or off
version_added: 0.1.0
description:
  - With it a commit is acknowledged to the client once a replica has received it, so that nothing that was
    acknowledged is lost with the primary, as long as no commit waited longer than O(timeout_ms).
  - Installs both sides' plugins on every instance, under the names that its version has, and turns the primary's side
    on there and the replicas' side on everywhere else. Both are kept over a restart (C(SET PERSIST)).
  - An instance of 8.0.26 to 8.3 that has one side under its older name (C(rpl_semi_sync_master),
    C(rpl_semi_sync_slave)) gets the other one so too. Nothing is uninstalled.
  - A switchover (M(mysql_on.kubernetes.mysql_switchover)) exchanges the sides, and installs the one that is missing.
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
    description: Shows per instance which plugins are installed and which side is on.
    support: full
options:
  primary:
    description: Name of the instance that is primary.
    type: str
    required: true
  state:
    description:
      - V(on) sets every instance up.
      - V(off) turns both sides off; the plugins stay installed.
    type: str
    choices:
      - 'on'
      - 'off'
    default: 'on'
  timeout_ms:
    description:
      - How many milliseconds a commit waits for a replica; after that the primary goes on asynchronously.
      - It becomes semi-synchronous again by itself once a replica has caught up.
    type: int
    default: 10000
seealso:
  - module: mysql_on.kubernetes.mysql_switchover
"""

EXAMPLES = r"""
- name: Acknowledge commits once a replica has them
  mysql_on.kubernetes.mysql_semisync:
    login_password: "{{ root_password }}"
    primary: mysql-1
    instances:
      - name: mysql-1
        pod: {namespace: mysql, deployment: mysql-1}
      - name: mysql-11
        pod: {namespace: mysql, deployment: mysql-11}
"""

RETURN = r"""
plan:
  description: The statements that were sent, or would be in check mode, in order.
  returned: always
  type: list
  elements: dict
  contains:
    statement:
      description: The instance, and what is sent to it.
      type: str
    reason:
      description: Why.
      type: str
instances:
  description: The instances afterwards, in the order given; as predicted in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    installed:
      description: The sides whose plugins are active, V(source) and V(replica).
      type: list
      elements: str
    source_enabled:
      description: Whether the source's side is on.
      type: bool
    replica_enabled:
      description: Whether the replica's side is on.
      type: bool
    persisted:
      description: The sides that are on at the next start.
      type: list
      elements: str
    timeout_ms:
      description: How many milliseconds a commit waits, 0 without the source's side.
      type: int
    clients:
      description: Replicas that acknowledge to it now.
      type: int
findings:
  description: Causes found, worst first.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from contextlib import ExitStack
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import catalogue
from ..module_utils.finding import CollectionError
from ..module_utils.mysql import semisync
from ..module_utils.mysql.connection import Connection, MysqlError
from ..module_utils.plan import Plan, apply, diff
from ..module_utils.runtime import run


def sender(connection: Connection) -> semisync.Run:
    """Return what sends a statement, without how many rows it touched."""

    def send(sql: str) -> None:
        connection.execute(sql)

    return send


def do(params: dict[str, Any], name: str, plan: Plan[semisync.Semisync]) -> None:
    """Apply the plan of one instance; raise with the cause where its server lacks the plugin."""
    try:
        apply(plan)
    except MysqlError as error:
        if error.errno != semisync.NO_LIBRARY:
            raise
        found = catalogue.finding(
            "replication.semisync_missing",
            subject=name,
            proof=[error.reason],
            language=params["language"],
        )
        message = f"{name} has no semi-synchronous replication"
        raise CollectionError(message, [found], {"changed": True}) from error


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    names = [instance["name"] for instance in params["instances"]]
    if params["primary"] not in names:
        raise CollectionError(
            f"primary: {params['primary']!r} is none of the instances: {', '.join(names)}"
        )
    steps: list[dict[str, str]] = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    instances = []
    with ExitStack() as stack:
        # The primary first: a receiver asks when it connects whether its source can do it.
        for instance in sorted(
            params["instances"], key=lambda each: each["name"] != params["primary"]
        ):
            name = instance["name"]
            connection = stack.enter_context(roads.connect_instance(params, instance))
            role: semisync.Role = "source" if name == params["primary"] else "replica"
            state = semisync.observe(connection)
            plan = semisync.setup(
                connection,
                state,
                "off" if params["state"] == "off" else role,
                sender(connection),
                params["timeout_ms"],
            )
            seen = plan.after()
            if plan.changed and not module.check_mode:
                do(params, name, plan)
                seen = semisync.observe(connection)
            steps += [
                {**step, "statement": f"{name}: {step['statement']}"} for step in plan.as_list()
            ]
            before |= {f"{name} {key}": value for key, value in semisync.shown(state).items()}
            after |= {f"{name} {key}": value for key, value in semisync.shown(seen).items()}
            instances.append({"name": name, **semisync.shown(seen), "clients": seen.clients})
    instances.sort(key=lambda each: names.index(each["name"]))
    return {
        "changed": bool(steps),
        "plan": steps,
        "instances": instances,
        "findings": [],
        "diff": diff(before, after),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.instances_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "primary": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["on", "off"], "default": "on"},
            "timeout_ms": {"type": "int", "default": 10000},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
