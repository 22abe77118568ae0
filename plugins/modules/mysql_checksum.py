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
  - A table that cannot be read whole is an error, never equal. RV(not_compared) says what was not looked at.
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
    description:
      - Schemas to compare; without it all that are not the server's own.
      - A schema that no instance has is an error.
    type: list
    elements: str
  method:
    description:
      - V(crc) is C(CHECKSUM TABLE), the sum of each row's CRC-32, about two million rows a second.
        A sum over the lengths of texts goes with it, since it does not see where one ends and the next one begins.
        Two different tables with as many rows have the same ones in 4,294,967,296 times.
      - V(sha2) joins each row's SHA-256 by XOR, and without a primary key by a sum too.
        It takes about four times as long.
      - Neither depends on the order of rows, and both are the same on 8.0.15 and 9.7.
      - V(crc) depends on the DEFAULT of columns with a NULL in them, V(sha2) does not.
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
  definitions:
    description:
      - Whether definitions are compared too, of schemas, tables with their indexes, views, procedures, functions,
        triggers and events. An event that rests on a replica is no difference.
    type: bool
    default: true
  accounts:
    description:
      - Whether accounts and roles are compared too, with what they may do. Needs O(definitions=true).
      - Instances that were initialized one by one have a root account each, with a hash of its own.
    type: bool
    default: false
  allow_empty:
    description: Whether it is no failure that no instance has any table there. RV(equal) is null then.
    type: bool
    default: false
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
  description:
    - Whether every table is the same on every instance.
    - Null where there was nothing to compare, of one instance alone or with O(allow_empty=true) without tables.
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
definitions:
  description: What was compared beside rows.
  returned: always
  type: dict
  contains:
    compared:
      description: How many definitions the first instance has; 0 with O(definitions=false).
      type: int
    differing:
      description: Which differ, each with C(instance), C(definition) and C(how) (missing, extra, differing there).
      type: list
      elements: dict
not_compared:
  description: What this says nothing about, and why.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Of what kind it is.
      type: str
      sample: table
    reason:
      description: What is not seen of it.
      type: str
      sample: "shop.visits is myisam: it is no part of a snapshot, and was read as it was then"
findings:
  description: What differs, worst first.
  returned: always
  type: list
  elements: dict
  sample: []
"""

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import tables as causes
from ..module_utils.finding import CollectionError, Finding, errors
from ..module_utils.mysql import checksum, table_sums
from ..module_utils.mysql.account import every_privilege
from ..module_utils.mysql.replication import observe
from ..module_utils.runtime import run


def wanted(params: dict[str, Any]) -> checksum.Task:
    databases = params["databases"]
    return checksum.Task(
        None if databases is None else tuple(databases),
        params["method"],
        params["lock"],
        params["timeout"],
        params["definitions"],
        params["accounts"],
    )


def read(params: dict[str, Any]) -> tuple[list[checksum.Reading], list[Finding]]:
    """Return the readings of all instances, and what is wrong with them."""
    names = [instance["name"] for instance in params["instances"]]
    if not names or len(set(names)) < len(names):
        raise CollectionError(
            f"instances: {', '.join(names) or 'none'} given; at least one is needed, each with a"
            " name of its own"
        )
    task = wanted(params)
    with ExitStack() as stack:
        members = [
            checksum.Member(
                instance["name"], stack.enter_context(roads.connect_instance(params, instance))
            )
            for instance in params["instances"]
        ]
        if len({member.connection.server.version for member in members}) > 1:
            known = [every_privilege(member.connection) for member in members]
            task = replace(task, privileges=frozenset.intersection(*known))
        states = [(member.name, observe(member.connection)) for member in members]
        causes.need_gtids(states, params["language"])
        readings = checksum.read(members, task)
    found = causes.explain(readings, params["language"])
    if not params["allow_empty"]:
        where = ", ".join(task.databases or ()) or names[0]
        found += causes.need_tables(readings, where, params["language"])
    return readings, found


def definitions_of(readings: list[checksum.Reading]) -> dict[str, Any]:
    """Return how many definitions were compared, and which differ on which instance."""
    differing = checksum.differing(readings)
    return {
        "compared": len(readings[0].definitions or ()),
        "differing": [
            {"instance": name, "definition": each.name, "how": each.how}
            for name, found in differing.items()
            for each in found
        ],
    }


def summary(tables: list[dict[str, Any]], readings: list[checksum.Reading]) -> str:
    """Return the first line of a failure."""
    names = [table["table"] for table in tables if not table["equal"]]
    for differences in checksum.differing(readings).values():
        names += [each.name for each in differences if each.name.split(" ")[-1] not in names]
    if not tables and not names:
        return "No table was compared"
    return f"Not equal on all instances: {', '.join(dict.fromkeys(names)) or 'their transactions'}"


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    began = time.monotonic()
    readings, found = read(params)
    tables = checksum.compare(readings)
    nothing = len(readings) < 2 or not tables
    result = {
        "changed": False,
        "equal": None if nothing and not errors(found) else not errors(found),
        "gtid_executed": str(readings[0].gtids),
        "method": params["method"],
        "rows": sum(table["rows"] or 0 for table in tables),
        "seconds": round(time.monotonic() - began, 1),
        "tables": tables,
        "definitions": definitions_of(readings),
        "not_compared": checksum.not_compared(readings, wanted(params)),
    }
    if errors(found) and params["fail_on_difference"]:
        raise CollectionError(summary(tables, readings), found, result)
    return {**result, "findings": [finding.as_dict() for finding in found]}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.instances_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "databases": {"type": "list", "elements": "str"},
            "method": {"type": "str", "choices": list(table_sums.METHODS), "default": "crc"},
            "lock": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 120},
            "definitions": {"type": "bool", "default": True},
            "accounts": {"type": "bool", "default": False},
            "allow_empty": {"type": "bool", "default": False},
            "fail_on_difference": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
