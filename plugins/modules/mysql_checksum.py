#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_checksum
short_description: Compare every table on several instances at one GTID set
version_added: 0.1.0
description:
  - Reads a checksum and the number of rows of every table, on every instance, all at the same set of transactions.
  - The first instance is the reference. It is read in a consistent snapshot, the others wait until they have executed
    its set and take theirs. Nothing is locked unless O(lock=true).
  - This finds what running threads do not show, such as rows written with C(sql_log_bin=0).
  - Writes nothing.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.instances
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
options:
  databases:
    description: Schemas to compare; without it all that are not the server's own.
    type: list
    elements: str
  method:
    description:
      - V(crc) is C(CHECKSUM TABLE), the sum of each row's CRC-32, about two million rows a second.
        Two different tables with as many rows have the same one in 4,294,967,296 times.
      - V(sha2) joins each row's SHA-256 by XOR. It takes about four times as long.
      - Neither depends on the order of rows, and both are the same on 8.0.15 and 9.7.
    type: str
    choices:
      - crc
      - sha2
    default: crc
  lock:
    description:
      - Whether writes on the first instance wait while the snapshots are taken, by C(FLUSH TABLES WITH READ LOCK).
      - Needed only where it is written to without a pause.
    type: bool
    default: false
  timeout:
    description: How many seconds the instances have to come to one set of transactions. Reading may take longer.
    type: int
    default: 120
  fail_on_difference:
    description: Whether the module fails where a table differs.
    type: bool
    default: true
seealso:
  - module: mysql_on.kubernetes.mysql_replication_proof
"""

EXAMPLES = r"""
- name: Compare all tables of the primary and its replicas
  mysql_on.kubernetes.mysql_checksum:
    login_password: "{{ root_password }}"
    instances:
      - name: mysql-1
        pod:
          namespace: mysql
          deployment: mysql-1
      - name: mysql-11
        pod:
          namespace: mysql
          deployment: mysql-11

- name: Compare one schema thoroughly, and go on where it differs
  mysql_on.kubernetes.mysql_checksum:
    login_password: "{{ root_password }}"
    databases:
      - employees
    method: sha2
    fail_on_difference: false
    instances:
      - name: primary
        login_host: 192.0.2.1
      - name: replica
        login_host: 192.0.2.11
"""

RETURN = r"""
equal:
  description: Whether every table is the same on every instance.
  returned: always
  type: bool
gtid_executed:
  description: The set of transactions that was compared.
  returned: always
  type: str
  sample: 4ddd15f7-e63a-11f1-a661-02fc00000001:1-7
method:
  description: As O(method).
  returned: always
  type: str
rows:
  description: Rows of all tables on the first instance.
  returned: always
  type: int
  sample: 3919015
seconds:
  description: How long it took.
  returned: always
  type: float
tables:
  description: Every table of any instance, by name.
  returned: always
  type: list
  elements: dict
  contains:
    table:
      description: Schema and name.
      type: str
      sample: employees.salaries
    rows:
      description: Rows on the first instance, null where it has no such table.
      type: int
    checksum:
      description: Checksum on the first instance, null where it has no such table.
      type: str
    equal:
      description: Whether every instance has the same columns, rows and checksum.
      type: bool
    instances:
      description: Rows and checksum by the instance's name.
      type: dict
      sample: {"mysql-1": {"rows": 9, "checksum": "5a7f12cc"}, "mysql-11": {"rows": 9, "checksum": "5a7f12cc"}}
findings:
  description: What differs, worst first.
  returned: always
  type: list
  elements: dict
  sample: []
"""

import time
from contextlib import ExitStack
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import tables as causes
from ..module_utils.finding import CollectionError, Finding, errors
from ..module_utils.mysql import checksum
from ..module_utils.mysql.replication import observe
from ..module_utils.runtime import run


def read(params: dict[str, Any]) -> tuple[list[checksum.Reading], list[Finding]]:
    """Return the readings of all instances, and what is wrong with them."""
    names = [instance["name"] for instance in params["instances"]]
    if not names or len(set(names)) < len(names):
        raise CollectionError(
            f"instances: {', '.join(names) or 'none'} given; at least one is needed, each with a"
            " name of its own"
        )
    databases = params["databases"]
    task = checksum.Task(
        None if databases is None else tuple(databases),
        params["method"],
        params["lock"],
        params["timeout"],
    )
    with ExitStack() as stack:
        members = [
            checksum.Member(
                instance["name"], stack.enter_context(roads.connect_instance(params, instance))
            )
            for instance in params["instances"]
        ]
        states = [(member.name, observe(member.connection)) for member in members]
        causes.need_gtids(states, params["language"])
        readings = checksum.read(members, task)
    return readings, causes.explain(readings, params["language"])


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    began = time.monotonic()
    readings, found = read(params)
    tables = checksum.compare(readings)
    result = {
        "changed": False,
        "equal": not errors(found),
        "gtid_executed": str(readings[0].gtids),
        "method": params["method"],
        "rows": sum(table["rows"] or 0 for table in tables),
        "seconds": round(time.monotonic() - began, 1),
        "tables": tables,
    }
    if errors(found) and params["fail_on_difference"]:
        differing = ", ".join(table["table"] for table in tables if not table["equal"])
        message = f"Not equal on all instances: {differing or 'their transactions'}"
        raise CollectionError(message, found, result)
    return {**result, "findings": [finding.as_dict() for finding in found]}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.instances_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "databases": {"type": "list", "elements": "str"},
            "method": {"type": "str", "choices": list(checksum.METHODS), "default": "crc"},
            "lock": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 120},
            "fail_on_difference": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
