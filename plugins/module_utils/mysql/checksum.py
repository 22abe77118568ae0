# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checksums of every table on several instances, at one GTID set, from consistent snapshots."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..finding import CollectionError
from . import definitions
from .connection import Connection, Row
from .gtid import GtidSet
from .replication import SYSTEM_SCHEMAS, executed
from .table_sums import Method, Sum, folded, sum_of, tables_of

SLICE_SECONDS = 1


@dataclass(frozen=True)
class Reading:
    """One instance. gtids: the set of its snapshot. still: whether it had not moved in the end.

    definitions: of all but rows, by kind and name; None where they were not read.
    """

    name: str
    gtids: GtidSet
    sums: Mapping[str, Sum]
    still: bool
    definitions: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Member:
    """An instance by name, with a connection that nobody else uses meanwhile."""

    name: str
    connection: Connection


@dataclass(frozen=True)
class Task:
    """What is to be read. databases: None for every schema that is not the server's own.

    lock: whether writes to the first instance wait while the snapshots are taken.
    timeout: seconds for the others to reach the first one's snapshot.
    definitions: whether those of tables, views and programs are read too; accounts: and those.
    privileges: the global ones that all servers know, None where they are of one version.
    """

    databases: tuple[str, ...] | None
    method: Method
    lock: bool
    timeout: float
    definitions: bool = False
    accounts: bool = False
    privileges: frozenset[str] | None = None


def read(members: Sequence[Member], task: Task) -> list[Reading]:
    """Return a reading of each instance, the first one's first; all at the first one's GTID set.

    An instance that has GTIDs of its own beyond it is read as it is: its ``gtids`` say so.
    A difference is read again while an instance moved: between a commit and its GTID there is a
    moment in which a snapshot shows the one without the other.
    Raises CollectionError where a schema that is asked for is on no instance, an instance does not
    reach the set in time, or writes on the first one are so steady that no common set is found;
    MysqlError.
    """
    _need_schemas(members, task.databases)
    deadline = time.monotonic() + task.timeout
    while True:
        readings = _sums(members, _common_snapshots(members, task, deadline), task)
        equal = all(row["equal"] for row in compare(readings)) and not differing(readings)
        if equal or all(reading.still for reading in readings) or time.monotonic() >= deadline:
            return readings


def _common_snapshots(members: Sequence[Member], task: Task, deadline: float) -> list[GtidSet]:
    """Open snapshots at one set, trying again while writes come in between; return their sets."""
    while True:
        snapshots = _snapshots(members, task, deadline)
        reference = snapshots[0]
        moved = [
            member.name
            for member, gtids in zip(members, snapshots, strict=True)
            if _only_later(gtids - reference, members[0].connection)
        ]
        if not moved:
            return snapshots
        if time.monotonic() >= deadline:
            raise CollectionError(
                f"{members[0].name} is written to so steadily that {', '.join(moved)} passed its"
                f" snapshot each time for {task.timeout:g} s; lock: true holds the writes meanwhile"
            )


def _need_schemas(members: Sequence[Member], databases: tuple[str, ...] | None) -> None:
    """Raise CollectionError where a schema that is asked for is on none of the instances."""
    if databases is None:
        return
    rows = [
        row
        for member in members
        for row in member.connection.query(
            "SELECT schema_name AS s, @@lower_case_table_names AS l FROM information_schema.schemata"
        )
    ]
    there = sorted({str(row["s"]) for row in rows} - set(SYSTEM_SCHEMAS))
    known = {folded(str(row["s"]), row["l"]) for row in rows if str(row["s"]) in there}
    folds = max((int(row["l"]) for row in rows), default=0)
    unknown = [name for name in databases if folded(name, folds) not in known]
    if unknown or not databases:
        raise CollectionError(
            f"databases: {', '.join(unknown) or 'an empty list'} is on no instance; there are:"
            f" {', '.join(there) or 'none'}"
        )


def sums_of(connection: Connection) -> dict[str, Sum]:
    """Return every table that is not the server's own as one snapshot has it, by full name.

    It waits for nobody: for instances that do not follow each other. Raises MysqlError.
    """
    _snapshot(connection)
    tables = tables_of(connection, None)
    sums = {table.full_name: sum_of(connection, table, "crc") for table in tables}
    connection.execute("COMMIT")
    return sums


def require_equal(source: Connection, copy: Connection, databases: Sequence[str]) -> None:
    """Compare rows and checksum of every table of these schemas as the two sessions see them now.

    Raises CollectionError naming the tables that are not equal.
    """
    sums = [
        {table.full_name: sum_of(each, table, "crc") for table in tables_of(each, databases)}
        for each in (source, copy)
    ]
    names = sorted({*sums[0], *sums[1]})
    pairs = {name: (sums[0].get(name), sums[1].get(name)) for name in names}
    wrong = [
        name
        for name, (one, other) in pairs.items()
        if not one or not other or not one.equals(other)
    ]
    if wrong:
        raise CollectionError(
            f"{copy.address} is no copy of {source.address}: these tables differ: {', '.join(wrong)}"
        )


def compare(readings: Sequence[Reading]) -> list[Row]:
    """Return each table of any instance: rows and checksum of the first, and of each by name.

    ``equal``: whether every instance has the table with the same columns, rows and checksum.
    """
    names = dict.fromkeys(name for reading in readings for name in reading.sums)
    return [_compared(name, readings) for name in sorted(names)]


def _compared(name: str, readings: Sequence[Reading]) -> Row:
    sums = {reading.name: reading.sums.get(name) for reading in readings}
    first = sums[readings[0].name]
    return {
        "table": name,
        "rows": first.rows if first else None,
        "checksum": first.checksum if first else None,
        "equal": first is not None
        and all(each is not None and first.equals(each) for each in sums.values()),
        "instances": {
            who: {"rows": each.rows if each else None, "checksum": each.checksum if each else None}
            for who, each in sums.items()
        },
    }


def definitions_not_compared(task: Task) -> list[dict[str, str]]:
    """Return what reading definitions says nothing about."""
    found = [{"kind": "definition", "reason": each} for each in definitions.NOT_COMPARED]
    if not task.definitions:
        reason = "views, routines, triggers, events, indexes: not asked for (definitions: true)"
        found.insert(0, {"kind": "definition", "reason": reason})
    if not task.accounts:
        reason = "accounts, roles and what they may do: not asked for (accounts: true)"
        found.append({"kind": "account", "reason": reason})
    return found


NOT_COMPARED = (
    (
        "json",
        "whether a scalar inside a document is a text or a date, a time, or bytes that read alike",
    ),
)
"""What no method sees: kind and reason."""


def not_compared(readings: Sequence[Reading], task: Task) -> list[dict[str, str]]:
    """Return what a comparison of these readings says nothing about: kind and reason of each."""
    found = [{"kind": kind, "reason": reason} for kind, reason in NOT_COMPARED]
    found += definitions_not_compared(task)
    if task.method == "crc":
        reason = (
            "two tables that differ have one CRC-32 in 4,294,967,296 times; method sha2 tells them"
        )
        found.append({"kind": "chance", "reason": reason})
    if task.databases is not None:
        reason = f"of other schemas than {', '.join(task.databases)} nothing was read"
        found.append({"kind": "schema", "reason": reason})
    for reading in readings:
        for name, each in reading.sums.items():
            if each.engine != "innodb":
                reason = (
                    f"{name} on {reading.name} is {each.engine or 'of no engine'}: it is no part of a"
                    " snapshot, and was read as it was then"
                )
                found.append({"kind": "table", "reason": reason})
            if each.unread:
                reason = f"{name} on {reading.name} was not read: {each.unread}"
                found.append({"kind": "table", "reason": reason})
    return found


def _snapshots(members: Sequence[Member], task: Task, deadline: float) -> list[GtidSet]:
    """Open a snapshot on each instance and return their sets, the first one's first."""
    first = members[0].connection
    if task.lock:
        first.execute("FLUSH TABLES WITH READ LOCK")
    try:
        reference = _snapshot(first)
        with ThreadPoolExecutor(len(members)) as pool:
            others = pool.map(lambda member: _snapshot_at(member, reference, deadline), members[1:])
            return [reference, *others]
    finally:
        if task.lock:
            first.execute("UNLOCK TABLES")


def _snapshot_at(member: Member, reference: GtidSet, deadline: float) -> GtidSet:
    """Wait until an instance has executed the reference, then open its snapshot."""
    wait = "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)"
    while member.connection.value(wait, (str(reference), SLICE_SECONDS)) != 0:
        if time.monotonic() >= deadline:
            missing = reference - executed(member.connection)
            raise CollectionError(
                f"{member.name} has not executed {missing.count} transactions of the first"
                f" instance in time: {str(missing)[:200]}"
            )
    return _snapshot(member.connection)


def _snapshot(connection: Connection) -> GtidSet:
    """Open a consistent snapshot between two equal readings of gtid_executed; return that set."""
    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.execute("SET SESSION time_zone = '+00:00'")
    while True:
        before = executed(connection)
        connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        if executed(connection) == before:
            return before


def _only_later(extra: GtidSet, first: Connection) -> bool:
    """Whether an instance is ahead by transactions of the first instance (and not by its own)."""
    return bool(extra & executed(first))


def _sums(members: Sequence[Member], snapshots: Sequence[GtidSet], task: Task) -> list[Reading]:
    """Return the checksums of all instances, read at the same time."""
    with ThreadPoolExecutor(len(members)) as pool:
        return list(pool.map(_reading, members, snapshots, [task] * len(members)))


def differing(readings: Sequence[Reading]) -> dict[str, list[definitions.Difference]]:
    """Return the definitions in which each other instance differs from the first one, by its name."""
    first = readings[0].definitions or {}
    found = {
        reading.name: definitions.differences(first, reading.definitions)
        for reading in readings[1:]
        if reading.definitions is not None
    }
    return {name: each for name, each in found.items() if each}


def _reading(member: Member, gtids: GtidSet, task: Task) -> Reading:
    connection = member.connection
    sums = {
        table.full_name: sum_of(connection, table, task.method)
        for table in tables_of(connection, task.databases)
    }
    connection.execute("COMMIT")
    defined = None
    if task.definitions:
        # No snapshot has them: they are as they are now, and read again where that was another moment.
        defined = definitions.read(
            connection, task.databases, accounts=task.accounts, privileges=task.privileges
        )
    return Reading(member.name, gtids, sums, executed(connection) == gtids, defined)
