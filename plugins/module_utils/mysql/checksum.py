# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checksums of every table on several instances, at one GTID set, from consistent snapshots.

``crc``: CHECKSUM TABLE, the sum of each row's CRC-32. It reads the snapshot of the transaction that
it runs in, takes no lock, does not depend on the order of rows, is the same on 8.0.15 and 9.7 for
the same definition, and reads about two million rows a second; two different tables share one in
2**32 times. ``sha2``: every row's SHA-256 joined by XOR: no such chance, four times the time.
Both go with the count of rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from ..finding import CollectionError
from .connection import Connection, Row
from .dialect import quote_identifier
from .gtid import GtidSet
from .replication import SYSTEM_SCHEMAS, executed

Method = Literal["crc", "sha2"]

METHODS: tuple[Method, ...] = ("crc", "sha2")
SLICE_SECONDS = 1

# These are compared by their bytes, with their length, so that no two rows read alike.
_TEXT = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_FLOATS = frozenset({"float", "double"})
_PLAIN = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"}
    | {"date", "datetime", "timestamp", "time"}
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """A table's name and its columns: name, data type, whole definition."""

    schema: str
    name: str
    columns: tuple[tuple[str, str, str], ...]

    @property
    def full_name(self) -> str:
        """The name as a person writes it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """The name for statements."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    @property
    def definition(self) -> str:
        """The columns as text, to compare two instances by."""
        return ", ".join(f"{name} {kind}" for name, _type, kind in self.columns)


@dataclass(frozen=True)
class Sum:
    """What one table is on one instance."""

    rows: int
    checksum: str
    definition: str


@dataclass(frozen=True)
class Reading:
    """One instance. gtids: the set of its snapshot. still: whether it had not moved in the end."""

    name: str
    gtids: GtidSet
    sums: Mapping[str, Sum]
    still: bool


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
    """

    databases: tuple[str, ...] | None
    method: Method
    lock: bool
    timeout: float


def read(members: Sequence[Member], task: Task) -> list[Reading]:
    """Return a reading of each instance, the first one's first; all at the first one's GTID set.

    An instance that has GTIDs of its own beyond it is read as it is: its ``gtids`` say so.
    A difference is read again while an instance moved: between a commit and its GTID there is a
    moment in which a snapshot shows the one without the other.
    Raises CollectionError where an instance does not reach the set in time, or writes on the
    first one are so steady that no common set is found; MysqlError.
    """
    deadline = time.monotonic() + task.timeout
    while True:
        readings = _sums(members, _common_snapshots(members, task, deadline), task)
        equal = all(row["equal"] for row in compare(readings))
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


def tables_of(connection: Connection, databases: Sequence[str] | None) -> list[Table]:
    """Return the base tables of these schemas, or of all that are not the server's own, by name.

    Raises MysqlError.
    """
    rows = connection.query(
        "SELECT c.table_schema AS s, c.table_name AS t, c.column_name AS c, c.data_type AS d,"
        " CONCAT(c.column_type, IF(c.is_nullable = 'YES', '', ' NOT NULL'),"
        " IFNULL(CONCAT(' ', c.collation_name), '')) AS kind"
        " FROM information_schema.columns c JOIN information_schema.tables t"
        " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
        " WHERE t.table_type = 'BASE TABLE' ORDER BY s, t, c.ordinal_position"
    )
    gathered: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for row in rows:
        schema = str(row["s"])
        if schema in SYSTEM_SCHEMAS or (databases is not None and schema not in databases):
            continue
        column = (str(row["c"]), str(row["d"]).lower(), str(row["kind"]))
        gathered.setdefault((schema, str(row["t"])), []).append(column)
    return [Table(schema, name, tuple(columns)) for (schema, name), columns in gathered.items()]


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

    Definitions are not compared: one and the same reads ``int(11)`` on 8.0.15 and ``int`` later.
    Raises CollectionError naming the tables that are not equal.
    """
    sums = [
        {table.full_name: sum_of(each, table, "crc") for table in tables_of(each, databases)}
        for each in (source, copy)
    ]
    counted = [{name: (each.rows, each.checksum) for name, each in side.items()} for side in sums]
    names = sorted({*counted[0], *counted[1]})
    wrong = [name for name in names if counted[0].get(name) != counted[1].get(name)]
    if wrong:
        raise CollectionError(
            f"{copy.address} is no copy of {source.address}: these tables differ: {', '.join(wrong)}"
        )


def sha2_statement(table: Table) -> str:
    """Return the statement that counts a table's rows and joins their SHA-256 by XOR."""
    digest = row_digest((name, data_type) for name, data_type, _kind in table.columns)
    return f"SELECT COUNT(*) AS n, HEX(BIT_XOR(UNHEX({digest}))) AS x FROM {table.quoted}"


def row_digest(columns: Iterable[tuple[str, str]]) -> str:
    """Return the expression of a row's SHA-256. columns: name and data type of each.

    A row is written as its NULLs, the lengths of its texts, then its values: no two rows with
    different values are written alike.
    """
    words: list[str] = []
    lengths: list[str] = []
    nulls: list[str] = []
    for name, data_type in columns:
        column = quote_identifier(name)
        nulls.append(f"ISNULL({column})")
        if data_type in _PLAIN:
            words.append(column)
        elif data_type in _FLOATS:
            words.append(f"({column} + 0e0)")
        elif data_type == "bit":
            words.append(f"CAST({column} AS UNSIGNED)")
        elif data_type in _TEXT | _BYTES:
            words.append(f"CAST({column} AS BINARY)")
            lengths.append(f"LENGTH({column})")
        else:
            # JSON, geometries, vectors: their bytes in figures.
            words.append(f"HEX({column})")
    row = f"CONCAT_WS('#', CONCAT({', '.join(nulls)}), {', '.join([*lengths, *words])})"
    return f"SHA2({row}, 256)"


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
        "equal": first is not None and all(each == first for each in sums.values()),
        "instances": {
            who: {"rows": each.rows if each else None, "checksum": each.checksum if each else None}
            for who, each in sums.items()
        },
    }


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


def _reading(member: Member, gtids: GtidSet, task: Task) -> Reading:
    connection = member.connection
    sums = {
        table.full_name: sum_of(connection, table, task.method)
        for table in tables_of(connection, task.databases)
    }
    connection.execute("COMMIT")
    return Reading(member.name, gtids, sums, executed(connection) == gtids)


def sum_of(connection: Connection, table: Table, method: Method) -> Sum:
    """Return rows and checksum of a table as the session sees it. Raises CollectionError."""
    if method == "sha2":
        row = connection.query(sha2_statement(table))[0]
        return Sum(int(row["n"]), str(row["x"]).lower(), table.definition)
    count = int(connection.value(f"SELECT COUNT(*) FROM {table.quoted}"))
    row = connection.query(f"CHECKSUM TABLE {table.quoted}")[0]
    if row["checksum"] is None:
        raise CollectionError(f"{connection.address} cannot read table {table.full_name}")
    return Sum(count, f"{int(row['checksum']):08x}", table.definition)
