#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_recovery
short_description: Recover MySQL to the exact transaction before a mistake, beside the running server
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - Plans a recovery from a backup archive (a base and the binary logs after it) and carries it out on a scratch
    instance. The running server is not touched, and nothing is written into the archive.
  - The plan names the first transaction that is left out, with its GTID, file and position, time to the microsecond,
    tables and rows, and what is lost after it. A gap, a damaged part or another history is refused before anything
    is written, and what is missing is named by GTID.
  - The binary logs are applied as relay logs, by several workers. They stop before the first transaction that is left
    out, and the last relay log ends with its first event, so that nothing can run past it.
    Afterwards C(gtid_executed) equals the plan, or the module fails.
  - A run that was ended anywhere goes on when it is run again with the same options.
options:
  action:
    description:
      - V(window) returns the earliest and the latest point that can be recovered, and the bases.
      - V(plan) returns the plan and writes nothing.
      - V(apply) makes the plan and carries it out in O(scratch.folder), then does what V(verify) does.
        The instance runs afterwards and is read-only.
      - V(verify) compares the instance with the plan, its transactions, rows and checksums.
      - V(recheck) compares the instance with what was noted when it was verified, and reads nothing but it.
      - V(left_out) returns what of O(executed) the verified instance has not, with the tables that it changed.
      - V(hand_over) ends a verified instance and makes the folder above O(scratch.folder) a data directory that a
        primary starts on. M(mysql_on.kubernetes.mysql_recovery_switch) asks for it.
      - V(release) takes the recovery's own account away and shuts the instance down, once it was verified.
        RV(data) is a data directory for any mysqld of its version then.
      - V(abandon) ends the instance and deletes O(scratch.folder). Nothing else is touched.
    type: str
    choices:
      - window
      - plan
      - apply
      - verify
      - recheck
      - left_out
      - hand_over
      - release
      - abandon
    default: plan
  archive:
    description: Folder of the backup archive on the machine where the module runs.
    type: path
    required: true
  key_file:
    description: File of the key of an encrypted archive.
    type: path
  target:
    description:
      - Where to. Exactly one way of saying it is needed with O(action=plan), O(action=apply) and O(action=verify).
      - The first transaction that is left out is the one that is named, unless it says otherwise.
    type: dict
    suboptions:
      latest:
        description: All that the archive holds of the present history.
        type: bool
        default: false
      before_gtid:
        description: Just before the transaction of this GTID.
        type: str
      after_gtid:
        description: Just after the transaction of this GTID.
        type: str
      file:
        description:
          - Just before the transaction that holds O(target.position) of this binary log, or the first after it.
          - Where several servers wrote a file of this name, as C(server_uuid/name).
        type: str
      position:
        description: Position in O(target.file), in bytes.
        type: int
      time:
        description:
          - All that was committed at or before this moment, in ISO 8601 with its offset from UTC, to the microsecond,
            and nothing that was committed later. Commit times decide, never the time of an event's header.
          - Where no point of the binary logs is that, the module fails and shows the range of transactions that
            their times do not order. O(target.file) with O(target.position) chooses a point in it.
        type: str
      clock:
        description:
          - Which commit time O(target.time) goes by.
          - V(original) is that of the server that committed a transaction first, V(immediate) that of the server
            that wrote the binary log. They differ in binary logs of a server that was a replica, and of one that
            was fed by C(mysqlbinlog).
          - V(both) asks that both lead to the same point; the module fails and shows both points if they do not.
        type: str
        choices:
          - both
          - original
          - immediate
        default: both
      name:
        description: A point that was noted by M(mysql_on.kubernetes.binlog_point). The server that O(login_host),
          O(login_unix_socket) or O(pod) names is asked for it.
        type: str
      gtid_executed:
        description: Exactly this set of transactions, as a point holds it.
        type: str
      offset:
        description: Just before the transaction of this number in the archive, V(1) for the first; V(-1) is the last.
        type: int
      random:
        description:
          - A point between the newest verified base and the latest point, drawn by this text. The same text draws
            the same point of the same archive.
        type: str
      before:
        description: Just before the transaction that did this.
        type: dict
        suboptions:
          statement:
            description: What it did, as in M(mysql_on.kubernetes.binlog_point).
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
            description: To which table, as C(schema.table). Where a name has a dot, write C(`schema`.`table`); without
              backquotes it means every table that it can be read as.
            type: str
          rows_over:
            description: It must have changed more rows than this in that way.
            type: int
            default: 0
          rows_deleted_over:
            description: It must have deleted more rows than this.
            type: int
          occurrence:
            description: Which one, where there are several.
            type: str
            choices:
              - first
              - last
            default: last
  skip:
    description:
      - Transactions on the way to the target that are left out alone, as GTIDs (C(uuid:n)). What came after them is
        kept.
      - Refused where a later transaction changes a row as one of them left it, or changes their table itself, since
        the row would come back with it; that is read from the binary logs before anything is written. Any other
        conflict (a key that is there twice, a row or a table that is missing) shows on the scratch instance.
        Both name the first transaction that builds on them.
      - What an application read, and then decided by, is in no binary log.
    type: list
    elements: str
  base:
    description: Id of the base to begin with; without it the newest verified one that leads to the target.
    type: str
  scratch:
    description:
      - The scratch instance. Needed with every O(action) but V(window) and V(plan).
      - mysqld and mysql must be there, of the version of the base.
    type: dict
    suboptions:
      folder:
        description: Folder of its own, empty or not there yet.
        type: path
        required: true
      run_in:
        description: Words that stand before each command, such as C(chroot), C(/srv/tree). Not used with O(in_pod).
        type: list
        elements: str
        default: []
      seen_as:
        description: What O(scratch.folder) is called where the commands run, if it is called otherwise there.
        type: str
      user:
        description: System user that mysqld runs as.
        type: str
        default: mysql
      server_id:
        description: Its server-id, one that no instance ever had; V(0) for a large number drawn by lot.
        type: int
        default: 0
      port:
        description: TCP port that it listens on; V(0) for its socket alone.
        type: int
        default: 0
      workers:
        description: How many workers apply transactions.
        type: int
        default: 2
      arguments:
        description: Further arguments of mysqld, such as settings of the source that its tables depend on.
        type: list
        elements: str
        default: []
  expected:
    description:
      - What is known of tables at the target, as RV(mysql_on.kubernetes.mysql_checksum#module:tables) has it.
        A difference fails O(action=apply) and O(action=verify).
    type: list
    elements: dict
    suboptions:
      table:
        description: The table, as C(schema.table), or C(`schema`.`table`).
        type: str
        required: true
      rows:
        description: How many rows it has.
        type: int
        required: true
      checksum:
        description: Its checksum, of the method V(crc).
        type: str
  count_rows:
    description:
      - Whether the rows of each table are compared with what the base had and the binary logs did to it, and tables
        that nothing changed with the checksum that the base had. That reads the binary logs once more.
      - A table of which that cannot be known is told in RV(not_compared). Where it is so of all of them, the module
        fails unless O(expected) says what is known; with V(false) the set of transactions is the only proof, and
        RV(verified) is false.
    type: bool
    default: true
  hand_over:
    description: How the data is handed over with O(action=hand_over).
    type: dict
    suboptions:
      log_name:
        description: As the primary names its binary logs.
        type: str
        default: mysql-bin
      password_file:
        description: File with root's password of today.
        type: path
  executed:
    description: What was executed elsewhere, as a GTID set, with O(action=left_out).
    type: str
  progress_file:
    description: File that gets a line every few seconds. Set by the action plugin of this module.
    type: path
  login_host:
    description: Host of a server that knows the point O(target.name).
    type: str
  login_port:
    description: Its TCP port.
    type: int
    default: 3306
  login_unix_socket:
    description: Socket of a server that knows the point O(target.name).
    type: path
  pod:
    description: A server in a Kubernetes cluster that knows the point O(target.name).
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
  login_user:
    description: MySQL user to connect as.
    type: str
    default: root
  login_password:
    description: Password of O(login_user).
    type: str
  connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.recovery_pod
attributes:
  check_mode:
    description: Makes the plan and says what would be done; writes nothing but a lock file into O(scratch.folder).
    support: full
requirements:
  - PyMySQL >= 1.1
  - zstandard, for archives and transactions that are compressed
notes:
  - The scratch instance runs without a binary log, without the event scheduler and with relaxed durability.
  - Rows that InnoDB deletes by ON DELETE CASCADE are in no binary log, and statements that are logged as text do not
    tell how many rows they change. Such tables are not compared by O(count_rows), nor are those of which a partition
    was exchanged, dropped or emptied.
  - An XA transaction counts once it is committed. What is prepared at the target is prepared on the instance too, and
    told in RV(prepared); whoever goes on with the data decides it by XA COMMIT or XA ROLLBACK.
seealso:
  - module: mysql_on.kubernetes.binlog_point
  - module: mysql_on.kubernetes.mysql_checksum
"""

EXAMPLES = r"""
- name: What would come back, and what would be lost
  mysql_on.kubernetes.mysql_recovery:
    archive: /srv/backup
    target:
      before:
        statement: DROP
        table: employees.salaries

- name: Recover to just before it, beside the running server
  mysql_on.kubernetes.mysql_recovery:
    action: apply
    archive: /srv/backup
    target:
      before:
        statement: DROP
        table: employees.salaries
    scratch:
      folder: /srv/recovered

- name: Leave out the one bad UPDATE, and keep all that came after it
  mysql_on.kubernetes.mysql_recovery:
    action: apply
    archive: /srv/backup
    target:
      latest: true
    skip:
      - 3e11fa47-71ca-11e1-9e33-c80aa9429562:4711
    scratch:
      folder: /srv/recovered

- name: End the scratch instance and keep its data directory
  mysql_on.kubernetes.mysql_recovery:
    action: release
    archive: /srv/backup
    scratch:
      folder: /srv/recovered
"""

RETURN = r"""
plan:
  description: The plan.
  returned: with O(action=plan) and O(action=apply)
  type: dict
  contains:
    target:
      description: The target in words.
      type: str
    base:
      description: The base that it begins with, its C(id), C(method), C(server_version), C(ended), C(gtid_executed),
        C(bytes) and C(verified_at).
      type: dict
    binlogs:
      description: What is applied of which binary log, in this order.
      type: list
      elements: dict
    gtid_executed:
      description: What the instance has executed in the end, no more and no less.
      type: str
    transactions:
      description: How many are applied on top of the base.
      type: int
    bytes:
      description: Bytes of binary log that are applied.
      type: int
    point:
      description: The point, as M(mysql_on.kubernetes.binlog_point) returns it.
      type: dict
    last_kept:
      description: The last transaction that comes back, C(gtid), C(file), positions and times.
      type: dict
    first_left_out:
      description: The first transaction that does not, with tables, rows and statements; null where nothing is
        left out.
      type: dict
    by_time:
      description: What proves the point of O(target.time), as RV(mysql_on.kubernetes.binlog_point#module:by_time) has
        it; null with other targets.
      type: dict
    history:
      description: The history that the plan follows, by C(server_uuid) of whose newest binary log it ends with;
        C(chosen_by) says what made it the present one, V(only) where no other parts from it, V(archiver) where it is
        that of the server that is archived now, V(last_commit) where nothing but the clocks of two servers could
        decide; C(left_behind) are the transactions in the archive that do not belong to it.
      type: dict
    skipped:
      description: The transactions of O(skip), with tables, rows and statements.
      type: list
      elements: dict
    lost:
      description: What the present history holds after the point, C(transactions), C(gtids), C(first_commit_time),
        C(last_commit_time) and C(tables) with rows by kind.
      type: dict
    bytes_needed:
      description: Room that the scratch instance needs, in bytes.
      type: int
    seconds:
      description: Estimated seconds of each stage and in total; C(floor) is what the processors need at least.
      type: dict
    window:
      description: The earliest and the latest point of the archive.
      type: dict
window:
  description: The earliest and the latest point that can be recovered, null where none can.
  returned: with O(action=window)
  type: dict
bases:
  description: The bases of the archive.
  returned: with O(action=window)
  type: list
  elements: dict
binlogs:
  description: How many binary logs the archive holds.
  returned: with O(action=window)
  type: int
steps:
  description: What was still to do, each as C(statement) and C(reason).
  returned: with O(action=apply)
  type: list
  elements: dict
stage:
  description: The stage that was finished last.
  returned: with O(action=apply)
  type: str
seconds:
  description: Seconds that each stage took.
  returned: with O(action=apply)
  type: dict
lost:
  description: What of O(executed) the instance has not, as RV(plan.lost), and C(not_archived), the GTIDs of it that the
    archive tells nothing of.
  returned: with O(action=left_out)
  type: dict
verified:
  description: Whether at least one table was compared, or there is none; false with O(count_rows=false) and nothing
    in O(expected), where the set of transactions alone was. The module fails where the instance is not what was
    planned.
  returned: with O(action=verify), O(action=recheck), and O(action=apply) unless it was verified before
  type: bool
gtid_executed:
  description: What the instance has executed.
  returned: as RV(verified), and with O(action=left_out)
  type: str
tables:
  description: Every table, its C(rows_base), C(rows_expected) (null where that cannot be known), C(rows) and
    C(checksum); C(compared_by), by what it was compared (C(rows predicted), C(checksum of the base), C(rows given),
    C(checksum given)); C(equal), null where by nothing.
  returned: as RV(verified), not with O(action=recheck)
  type: list
  elements: dict
not_compared:
  description: The tables that were compared by nothing, each as C(table) and C(reason).
  returned: as RV(tables)
  type: list
  elements: dict
prepared:
  description: XA transactions that wait for a decision on the instance, each as C(xid) (as XA COMMIT takes it), C(gtid)
    of its XA PREPARE and C(tables) that it changes, as far as the binary logs that were read tell.
  returned: as RV(tables)
  type: list
  elements: dict
socket:
  description: Where the instance listens.
  returned: as RV(verified)
  type: str
data:
  description: The data directory.
  returned: with O(action=release) and O(action=hand_over)
  type: str
findings:
  description: The causes, where the module fails.
  returned: on failure
  type: list
  elements: dict
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import recovery_pod, roads
from ..module_utils.binlog.search import BOTH, CLOCKS, STATEMENT_KINDS
from ..module_utils.mysql.connection import Connection
from ..module_utils.progress import ProgressFile
from ..module_utils.recovery import remote, task
from ..module_utils.runtime import run


def target_spec() -> dict[str, Any]:
    return {
        "type": "dict",
        "options": {
            "latest": {"type": "bool", "default": False},
            "before_gtid": {"type": "str"},
            "after_gtid": {"type": "str"},
            "file": {"type": "str"},
            "position": {"type": "int"},
            "time": {"type": "str"},
            "clock": {"choices": list(CLOCKS), "default": BOTH},
            "name": {"type": "str"},
            "gtid_executed": {"type": "str"},
            "offset": {"type": "int"},
            "random": {"type": "str"},
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
        },
    }


def scratch_spec() -> dict[str, Any]:
    return {
        "type": "dict",
        "options": {
            "folder": {"type": "path", "required": True},
            "run_in": {"type": "list", "elements": "str", "default": []},
            "seen_as": {"type": "str"},
            "user": {"type": "str", "default": "mysql"},
            "server_id": {"type": "int", "default": 0},
            "port": {"type": "int", "default": 0},
            "workers": {"type": "int", "default": 2},
            "arguments": {"type": "list", "elements": "str", "default": []},
        },
    }


def argument_spec() -> dict[str, Any]:
    return {
        "action": {"choices": list(task.ACTIONS), "default": "plan"},
        "archive": {"type": "path", "required": True},
        "key_file": {"type": "path", "no_log": False},
        "target": target_spec(),
        "skip": {"type": "list", "elements": "str"},
        "base": {"type": "str"},
        "scratch": scratch_spec(),
        "expected": {
            "type": "list",
            "elements": "dict",
            "options": {
                "table": {"type": "str", "required": True},
                "rows": {"type": "int", "required": True},
                "checksum": {"type": "str"},
            },
        },
        "count_rows": {"type": "bool", "default": True},
        "hand_over": {
            "type": "dict",
            "options": {
                "log_name": {"type": "str", "default": "mysql-bin"},
                "password_file": {"type": "path", "no_log": False},
            },
        },
        "executed": {"type": "str"},
        "progress_file": {"type": "path"},
        **roads.mysql_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        **recovery_pod.argument_spec(),
    }


def in_pod(
    params: dict[str, Any],
    connect: Callable[[], Connection] | None,
    say: Callable[[str], None],
    check_mode: bool,
) -> dict[str, Any]:
    gtids = task.named_set(params["target"] or {}, connect)
    sent = params if gtids is None else {**params, "target": {"gtid_executed": gtids}}
    return recovery_pod.ask(params, remote.command(sent, check_mode), say)


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    asked = any(params.get(road) for road in roads.ROADS)
    connect = partial(roads.connect, params) if asked else None
    progress = ProgressFile(params["progress_file"])
    if params["in_pod"]:
        return in_pod(params, connect, progress.line, module.check_mode)
    return task.perform(task.Task(params, connect, progress.line, module.check_mode))


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        mutually_exclusive=roads.mysql_rules()["mutually_exclusive"],
        required_if=[
            ("action", "plan", ["target"]),
            ("action", "apply", ["target", "scratch"]),
            ("action", "verify", ["target", "scratch"]),
            ("action", "recheck", ["scratch"]),
            ("action", "left_out", ["scratch", "executed"]),
            ("action", "hand_over", ["scratch"]),
            ("action", "release", ["scratch"]),
            ("action", "abandon", ["scratch"]),
        ],
    )
    run(module, work)


if __name__ == "__main__":
    main()
