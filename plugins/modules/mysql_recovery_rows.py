#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_recovery_rows
short_description: Bring single tables of a recovered instance back into the running primary, as rows
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - Compares tables of an instance that M(mysql_on.kubernetes.mysql_recovery) recovered and verified with those of the
    running primary, row by row, and shows what differs. Nothing is written until O(action=apply) asks for it.
  - Rows are written on the primary by ordinary transactions, so replicas and the archive get them. No Service moves,
    nobody is disconnected.
  - A row that somebody changed since it was compared is not touched; the module fails then and names it.
  - Two rows are the same row where the server takes their primary keys for the same, by the collations of its columns.
    One whose key is written otherwise differs; with O(changes) V(update) its key is written as it was too.
  - Values of any size come back that the running server takes. Those that are larger than its C(max_allowed_packet) are
    refused before anything is written.
  - Foreign keys are heeded, parents come before their children. Rows that would name a parent that is not there, rows
    that others name, and tables with triggers that would act, are refused before anything is written.
  - Afterwards every row is compared once more. Nothing is noted anywhere; a run that was ended goes on when it is run
    again, since what was brought over is equal.
options:
  action:
    description:
      - V(diff) shows how the tables differ, and what would be in the way, and writes nothing.
      - V(apply) brings the rows over.
    type: str
    choices:
      - diff
      - apply
    default: diff
  scratch_folder:
    description: Folder of the recovery, O(mysql_on.kubernetes.mysql_recovery#module:scratch.folder). Its instance has
      to run, and to be verified.
    type: path
    required: true
  databases:
    description: Schemas whose tables are brought over, all that were recovered.
    type: list
    elements: str
  tables:
    description: Single tables, as C(schema.table).
    type: list
    elements: str
  into:
    description:
      - V(over) brings rows into the tables themselves. A table that is gone is made again with its triggers; a schema
        that is gone with its views and routines too, and without its events.
      - V(beside) makes copies in a schema of its own, whose name is the schema's with O(suffix). They have foreign keys
        to one another alone, and no triggers.
    type: str
    choices:
      - over
      - beside
    default: over
  suffix:
    description: What is added to the name of the schema, with O(into=beside).
    type: str
    default: _recovered
  changes:
    description:
      - What may be done to tables with O(into=over). V(insert) brings back rows that the primary lacks, V(update)
        writes rows that it has otherwise, V(delete) removes rows that the recovered table has not.
      - Rows that were made or changed after the mistake differ too. With V(insert) alone none of them is touched.
    type: list
    elements: str
    choices:
      - insert
      - update
      - delete
    default:
      - insert
  keys_shown:
    description: How many keys of each kind of difference are shown for each table.
    type: int
    default: 5
  rows_a_transaction:
    description: How many rows one transaction brings over. Up to so many come all or not at all.
    type: int
    default: 10000
  progress_file:
    description: File that gets a line every few seconds. Set by the action plugin of this module.
    type: path
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.recovery_pod
attributes:
  check_mode:
    description: Compares, and says what would be done; writes nothing.
    support: full
notes:
  - With O(in_pod) the primary is reached from that Pod, by O(login_host) or the Service of O(pod).
  - Needs an account that may write the tables; making triggers, views and routines again as other definers needs
    C(SET_ANY_DEFINER), or C(SUPER) on 8.0.
  - A table without a primary key can be brought over where it is gone or empty, or beside.
seealso:
  - module: mysql_on.kubernetes.mysql_recovery
"""

EXAMPLES = r"""
- name: Which rows did that DELETE take
  mysql_on.kubernetes.mysql_recovery_rows:
    scratch_folder: /srv/recovered
    tables: [shop.carts]
    login_host: 127.0.0.1
    login_password: "{{ root_password }}"

- name: Bring them back, and leave everything alone that came later
  mysql_on.kubernetes.mysql_recovery_rows:
    action: apply
    scratch_folder: /srv/recovered
    tables: [shop.carts, shop.cart_items]
    login_host: 127.0.0.1
    login_password: "{{ root_password }}"

- name: The whole schema as it was, beside, for a look
  mysql_on.kubernetes.mysql_recovery_rows:
    action: apply
    scratch_folder: /srv/recovered
    databases: [shop]
    into: beside
    login_host: 127.0.0.1
    login_password: "{{ root_password }}"
"""

RETURN = r"""
tables:
  description: Each table, parents before their children. After O(action=apply) as it is then.
  returned: success
  type: list
  elements: dict
  contains:
    table:
      description: The recovered table.
      type: str
    into:
      description: Where its rows are brought to.
      type: str
    exists:
      description: Whether that is there.
      type: bool
    rows_recovered:
      description: How many rows were recovered.
      type: int
    rows_running:
      description: How many rows are there; null where there is no such table.
      type: int
    checksum_recovered:
      description: Checksum of the recovered table, by C(CHECKSUM TABLE), as eight hexadecimal digits.
      type: str
    checksum_running:
      description: Checksum of the running table; null where there is none.
      type: str
    equal:
      description:
        - Whether rows and checksum are the same, or all rows where they were compared one by one.
        - A column with another DEFAULT has another checksum of the same rows.
      type: bool
    missing:
      description: How many rows only the recovered table has.
      type: int
    differing:
      description: How many rows both have, with other values.
      type: int
    extra:
      description: How many rows only the running table has.
      type: int
    keys:
      description: The first keys of each kind, as tuples of literals.
      type: dict
plan:
  description: What was done, or would be in check mode, each as C(statement) and C(reason).
  returned: with O(action=apply)
  type: list
  elements: dict
findings:
  description: The causes of a failure; with O(action=diff) what would be in the way of O(action=apply).
  returned: with O(action=diff), and on failure
  type: list
  elements: dict
"""

from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import recovery_pod, roads
from ..module_utils.progress import ProgressFile
from ..module_utils.recovery import remote, rows_task
from ..module_utils.runtime import run


def argument_spec() -> dict[str, Any]:
    return {
        "action": {"choices": list(rows_task.ACTIONS), "default": "diff"},
        "scratch_folder": {"type": "path", "required": True},
        "databases": {"type": "list", "elements": "str"},
        "tables": {"type": "list", "elements": "str"},
        "into": {"choices": list(rows_task.INTO), "default": "over"},
        "suffix": {"type": "str", "default": "_recovered"},
        "changes": {
            "type": "list",
            "elements": "str",
            "choices": list(rows_task.CHANGES),
            "default": ["insert"],
        },
        # Keys of rows, no secrets.
        "keys_shown": {"type": "int", "default": 5, "no_log": False},
        "rows_a_transaction": {"type": "int", "default": 10000},
        "progress_file": {"type": "path"},
        **roads.mysql_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        **recovery_pod.argument_spec(),
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    progress = ProgressFile(params["progress_file"])
    if params["in_pod"]:
        # The password is in it, and nobody sees what a process is told so.
        request = remote.rows_request(params, module.check_mode)
        return recovery_pod.ask(params, remote.LISTENING, progress.line, request)
    running = partial(roads.connect, params)
    return rows_task.perform(rows_task.Task(params, running, progress.line, module.check_mode))


def main() -> None:
    rules = roads.mysql_rules()
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        mutually_exclusive=rules["mutually_exclusive"],
        required_one_of=[*rules["required_one_of"], ["databases", "tables"]],
    )
    run(module, work)


if __name__ == "__main__":
    main()
