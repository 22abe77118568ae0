#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: binlog_point
short_description: Note, list, show and find points of a MySQL binary log
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - A point is a place between two transactions, to which a recovery can lead.
    It is told as the set of GTIDs before it, and as file and position.
  - Notes the current point of the primary under a name, in a table that replicates.
  - Finds the point just before a transaction, which is named by GTID, by file and position,
    by time, or by what it did, and describes that transaction.
options:
  action:
    description:
      - V(note) keeps the current point under O(name). Done on the primary.
      - V(list) returns the points that are noted.
      - V(show) returns the point noted as O(name), or the current one without a name.
      - V(find) reads binary logs, the server's or those of O(archive), and returns the point just
        before a transaction, as O(gtid), O(file) with O(position), O(time), O(offset) or O(before)
        names it.
      - V(browse) returns the last O(count) transactions.
    type: str
    choices:
      - note
      - list
      - show
      - find
      - browse
    default: show
  name:
    description: Name of a point, of 1 to 190 printable characters, letter case included.
    type: str
  replace:
    description:
      - Whether a name that is noted already comes to name the current point.
      - Otherwise it keeps what it names, nothing changes, and that point is returned.
    type: bool
    default: false
  archive:
    description:
      - With O(action=find) and O(action=browse), the folder of a backup archive on the machine where
        the module runs. Its binary logs are read, those that are sealed and those that grow, and no
        server is asked.
      - Exactly one of O(archive), O(login_host), O(login_unix_socket) and O(pod) is needed.
    type: path
  key_file:
    description: File of the key of an encrypted O(archive).
    type: path
  count:
    description: With O(action=browse), how many transactions.
    type: int
    default: 20
  offset:
    description:
      - With O(action=find), the number of the transaction in the binary logs, V(1) for the first one
        that is there. Negative numbers count from the end, V(-1) is the last one.
    type: int
  gtid:
    description: With O(action=find), the transaction of this GTID, as C(uuid:n) or C(uuid:tag:n).
    type: str
  file:
    description:
      - With O(action=find), a binary log of the server.
      - The transaction is the one that holds O(position), or the first after it.
    type: str
  position:
    description: Position in O(file), in bytes from its beginning.
    type: int
  time:
    description:
      - With O(action=find), a moment in ISO 8601 with its offset from UTC, to the microsecond,
        for example C(2026-11-22T14:05:00.123456+09:00).
      - The transaction is the first that was committed after it, so a recovery to the point
        returned holds all that was committed at or before that moment, and nothing later.
      - Commit times decide, never the time of an event's header, which is what a session had set.
        All binary logs are read for it, but those of an archive of which it is noted that they lie
        on one side of the moment.
      - Where no point is that, the module fails and shows the range of transactions that their
        times do not order. O(file) with O(position) chooses a point in it.
    type: str
  clock:
    description:
      - Which commit time O(time) goes by.
      - V(original) is that of the server that committed a transaction first, V(immediate) that of
        the server that wrote the binary log. They differ in binary logs of a replica, of a server
        that was one, and of one that was fed by C(mysqlbinlog).
      - V(both) asks that both lead to the same point; the module fails and shows both points if
        they do not.
    type: str
    choices:
      - both
      - original
      - immediate
    default: both
  before:
    description: With O(action=find), the transaction that did this. At least one of
      O(before.statement), O(before.table) and O(before.rows_deleted_over) is needed.
    type: dict
    suboptions:
      statement:
        description:
          - What it did. Rows that C(REPLACE) or C(LOAD DATA) write count as C(INSERT) or C(DELETE).
          - An index that is created or dropped counts as C(ALTER).
          - Rows of an XA transaction are changed by the one that prepares it. Temporary tables count as none.
        type: str
        choices:
          - INSERT
          - UPDATE
          - DELETE
          - DROP
          - TRUNCATE
          - ALTER
          - CREATE
          - RENAME
      table:
        description:
          - To which table, as C(schema.table). A database that is dropped counts for each of its tables.
          - Where a name has a dot, write C(`schema`.`table`); without backquotes it means every table that it can be
            read as.
        type: str
      rows_over:
        description: It must have changed more rows than this in that way.
        type: int
        default: 0
      rows_deleted_over:
        description: It must have deleted more rows than this. Short for O(before.statement=DELETE)
          with O(before.rows_over), and given without them.
        type: int
      occurrence:
        description: Which one, where there are several in the binary logs.
        type: str
        choices:
          - first
          - last
        default: last
  server_id:
    description:
      - With O(action=find), the server id that the reading session shows to the server.
      - V(0) is what C(mysqlbinlog) uses, and disturbs no replica.
    type: int
    default: 0
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Can run in check mode and say what it would change.
    support: full
  diff_mode:
    description: Shows in diff mode what changes.
    support: full
notes:
  - O(action=note) needs the privileges CREATE and INSERT (DELETE too for O(replace)) on the schema
    C(mysql_on_kubernetes), and REPLICATION CLIENT.
  - O(action=find) needs REPLICATION SLAVE and REPLICATION CLIENT.
    It verifies the checksum of every event that it reads.
  - On a replica that does not log what it applies (C(log_replica_updates) off), the binary logs cannot
    tell when it did. RV(point.gtid_executed) of O(action=find) holds all of it there.
  - Compressed transactions are looked into if the Python package C(zstandard) is there.
    Without it, what can be answered from outside of them is, and the rest is refused.
"""

EXAMPLES = r"""
- name: Note the point before a risky change
  mysql_on.kubernetes.binlog_point:
    action: note
    name: before-cleanup
    pod:
      namespace: mysql
      service: mysql-write
    login_password: "{{ password }}"

- name: Where is the primary now
  mysql_on.kubernetes.binlog_point:
    login_host: 127.0.0.1
    login_password: "{{ password }}"

- name: The point just before the table was dropped
  mysql_on.kubernetes.binlog_point:
    action: find
    before:
      statement: DROP
      table: employees.salaries
    login_host: 127.0.0.1
    login_password: "{{ password }}"

- name: The point before somebody deleted a thousand rows at once, from the archive of the backups
  mysql_on.kubernetes.binlog_point:
    action: find
    before:
      rows_deleted_over: 1000
    archive: /srv/backup

- name: What was done last
  mysql_on.kubernetes.binlog_point:
    action: browse
    count: 10
    login_host: 127.0.0.1
    login_password: "{{ password }}"

- name: The last state that was committed by a quarter past two in Seoul
  mysql_on.kubernetes.binlog_point:
    action: find
    time: "2026-11-22T14:15:00+09:00"
    login_host: 127.0.0.1
    login_password: "{{ password }}"
"""

RETURN = r"""
transactions:
  description: The last transactions, oldest first, each like RV(transaction).
  returned: with O(action=browse)
  type: list
  elements: dict
point:
  description: The point noted, shown or found.
  returned: with O(action=note), O(action=show) and O(action=find)
  type: dict
  contains:
    name:
      description: Its name, where it has one.
      type: str
    time:
      description:
        - When it was read, by the server's clock, ISO 8601 in UTC with microseconds.
        - With O(action=find), when the last transaction before it was committed, if there is one.
      type: str
    gtid_executed:
      description: All transactions before it, as a canonical GTID set; empty where GTIDs are off.
      type: str
    file:
      description: Binary log of the server C(server_uuid).
      type: str
    position:
      description: Position in that file, in bytes.
      type: int
    server_uuid:
      description: Whose file and position these are.
      type: str
  sample:
    name: before-cleanup
    time: "2026-11-22T05:40:11.482913Z"
    gtid_executed: 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77
    file: binlog.000003
    position: 48211
    server_uuid: 3e11fa47-71ca-11e1-9e33-c80aa9429562
points:
  description: The points noted, oldest first, each like RV(point).
  returned: with O(action=list)
  type: list
  elements: dict
transaction:
  description:
    - The transaction that was looked for, the first that a recovery to RV(point) leaves out.
    - None where RV(point) is the end of the binary log.
  returned: with O(action=find)
  type: dict
  contains:
    gtid:
      description: Its GTID; none where it has none.
      type: str
    file:
      description: Binary log that holds it.
      type: str
    start_position:
      description: Where it begins, in bytes.
      type: int
    end_position:
      description: Where it ends, in bytes.
      type: int
    commit_time:
      description: When this server committed it, ISO 8601 in UTC with microseconds.
      type: str
    original_commit_time:
      description: When the server committed it that it came from; none where that is not known.
      type: str
    compressed:
      description: Whether it is kept compressed.
      type: bool
    complete:
      description: Whether its content could be read; false for a compressed one that nothing here
        can decompress.
      type: bool
    tables:
      description: What it did to which table.
      type: list
      elements: dict
      contains:
        table:
          description: Schema and table, or the schema alone for a statement about a schema.
          type: str
        inserted:
          description: Rows inserted.
          type: int
        updated:
          description: Rows updated.
          type: int
        deleted:
          description: Rows deleted.
          type: int
        statements:
          description: Kinds of statements that changed the table itself.
          type: list
          elements: str
    rows:
      description: Rows inserted, updated and deleted, over all tables.
      type: dict
    statements:
      description:
        - Statements that are logged as text, at most 20 of them and 2000 characters of each.
        - Rows have none unless C(binlog_rows_query_log_events) is on.
      type: list
      elements: str
previous:
  description: The last transaction before RV(point), in the same form, without tables, rows and
    statements. None where the binary logs hold none.
  returned: with O(action=find)
  type: dict
by_time:
  description: What proves the point of O(time); none where the point was named otherwise.
  returned: with O(action=find)
  type: dict
  contains:
    clock:
      description: Which commit times decided, as O(clock).
      type: str
    latest_kept:
      description: The latest commit time of the transactions before RV(point). It is not after O(time).
      type: str
    earliest_left_out:
      description: The earliest commit time of the others, after O(time); none where there is none.
      type: str
    not_compared:
      description: Transactions that lie in none of the binary logs that were read, as a GTID set.
        When they were committed is not known. On a server they came before all that was compared.
      type: str
  sample:
    clock: both
    latest_kept: "2026-11-22T05:14:59.993120Z"
    earliest_left_out: "2026-11-22T05:15:00.004871Z"
    not_compared: ""
plan:
  description: What was done, or would be in check mode.
  returned: with O(action=note)
  type: list
  elements: dict
  contains:
    statement:
      description: The statement.
      type: str
    reason:
      description: Why.
      type: str
findings:
  description: The causes, where the module fails.
  returned: on failure
  type: list
  elements: dict
"""

from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.binlog import task
from ..module_utils.binlog.search import BOTH, CLOCKS, STATEMENT_KINDS
from ..module_utils.runtime import run


def argument_spec() -> dict[str, Any]:
    return {
        "action": {"choices": ["note", "list", "show", "find", "browse"], "default": "show"},
        "name": {"type": "str"},
        "replace": {"type": "bool", "default": False},
        "archive": {"type": "path"},
        "key_file": {"type": "path", "no_log": False},
        "count": {"type": "int", "default": 20},
        "offset": {"type": "int"},
        "gtid": {"type": "str"},
        "file": {"type": "str"},
        "position": {"type": "int"},
        "time": {"type": "str"},
        "clock": {"choices": list(CLOCKS), "default": BOTH},
        "before": {
            "type": "dict",
            "options": {
                "statement": {"type": "str", "choices": list(STATEMENT_KINDS)},
                "table": {"type": "str"},
                "rows_over": {"type": "int", "default": 0},
                "rows_deleted_over": {"type": "int"},
                "occurrence": {"choices": ["first", "last"], "default": "last"},
            },
            "required_one_of": [["statement", "table", "rows_deleted_over"]],
        },
        "server_id": {"type": "int", "default": 0},
        **roads.mysql_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    return task.perform(module.params, partial(roads.connect, module.params), module.check_mode)


def main() -> None:
    ways = (*roads.ROADS, "archive")
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_if=[("action", "note", ["name"])],
        required_together=[("file", "position")],
        mutually_exclusive=[ways, ("gtid", "file", "time", "offset", "before")],
        required_one_of=[ways],
    )
    run(module, work)


if __name__ == "__main__":
    main()
