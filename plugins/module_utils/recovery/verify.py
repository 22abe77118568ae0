# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a scratch instance is what was planned: its transactions, its rows, its checksums.

How many rows a table must have is known without it: those of the base, and what the binary logs
that were applied did to it (``predict``). A table of which that cannot be known is told as not
compared, and why; a recovery of which no table at all could be compared is not verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..binlog.archive import Base, Binlog
from ..binlog.definitions import Xid
from ..binlog.events import MalformedError
from ..binlog.names import TableName, readings
from ..binlog.rows import KINDS, UPDATE
from ..binlog.store import ArchiveSource
from ..binlog.transactions import CHANGES, Grouper, Members, Transaction
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql import table_sums
from ..mysql.connection import Connection, MysqlError
from ..mysql.replication import SYSTEM_SCHEMAS
from .pieces import Piece
from .predict import NOT_COUNTED, Facts, Journal, Prediction

NAME = "scratch"
# An update leaves a table as many rows as it had; those are a part of the log that need not be read.
COUNTED = CHANGES - {kind for kind, does in KINDS.items() if does == UPDATE}
# Engines that keep no rows, or none beyond a restart, or those of other tables and servers.
FORGETTING = frozenset({"BLACKHOLE", "MEMORY"})
_UNCOUNTED = FORGETTING | {"FEDERATED", "MRG_MYISAM"}
_SHOWN = 10
# How what a table must be is known.
PREDICTED, OF_BASE = "rows predicted", "checksum of the base"
ROWS_GIVEN, CHECKSUM_GIVEN = "rows given", "checksum given"


@dataclass(frozen=True)
class Expected:
    """One table as it must be, as the user names it. checksum: None where only rows are known."""

    table: str
    rows: int
    checksum: str | None = None


@dataclass(frozen=True)
class Reading:
    """What the instance holds. sums: of each table that can be read. unreadable: why others cannot.

    prepared: XA transactions that nobody decided.
    """

    sums: Mapping[TableName, table_sums.Sum]
    unreadable: Mapping[TableName, str]
    prepared: tuple[Xid, ...]


def changes(source: ArchiveSource, pieces: Sequence[Piece], base: Base) -> Journal:
    """Return what the pieces do, on top of a base. Raises BinlogError where one cannot be read."""
    journal = Journal()
    covered = base.gtid_executed
    for piece in pieces:
        before = Members(covered)
        last = piece.spans[-1][1]
        for transaction in _transactions(source, piece.log):
            if transaction.end > last:
                break
            if transaction not in before and _inside(piece, transaction.start):
                journal.take(transaction)
        covered |= piece.log.gtids
    if journal.undecided:
        _prepared_before(source, base, journal)
    return journal


def _prepared_before(source: ArchiveSource, base: Base, journal: Journal) -> None:
    """Look for XA transactions that a base has prepared, as far as the archive goes back."""
    inside = Members(base.gtid_executed)
    earlier = Journal()
    # What is looked for a target begins with the oldest base; this lies before it.
    for log in source.store.archive.binlogs:
        if log.gtids & base.gtid_executed:
            for transaction in _transactions(source, log):
                if transaction in inside:
                    earlier.take(transaction)
    journal.begin_with(earlier)


def _transactions(source: ArchiveSource, log: Binlog) -> Iterator[Transaction]:
    grouper = Grouper(source.decompress, count_rows=True, deeds=True)
    try:
        with closing(source.events_of(log, COUNTED)) as events:
            yield from grouper.transactions(events)
    except MalformedError as error:
        raise BinlogError("binlog.damaged", log.name, [str(error)]) from error


def _inside(piece: Piece, start: int) -> bool:
    return any(first <= start < end for first, end in piece.spans)


def facts(connection: Connection) -> Facts:
    """Return what the instance tells of its tables beyond their rows."""
    engines = _engines(connection)
    programs = (
        "SELECT (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema <> 'sys')"
        " + (SELECT COUNT(*) FROM information_schema.routines"
        " WHERE routine_type = 'FUNCTION' AND routine_schema <> 'sys')"
        " + (SELECT COUNT(*) FROM information_schema.views WHERE table_schema <> 'sys')"
    )
    return Facts(
        tables=frozenset(engines),
        folds=bool(int(connection.value("SELECT @@GLOBAL.lower_case_table_names"))),
        parents=_parents(connection),
        bound=_bound(connection),
        programs=bool(connection.value(programs)),
        forgetting={
            name: f"tables of the engine {engine} keep no rows of their own"
            for name, engine in engines.items()
            if engine in _UNCOUNTED
        },
        merges=frozenset(name for name, engine in engines.items() if engine == "MRG_MYISAM"),
        merged=frozenset(name for name, engine in engines.items() if engine == "MYISAM"),
    )


def _engines(connection: Connection) -> dict[TableName, str]:
    rows = connection.query(
        "SELECT table_schema AS s, table_name AS t, engine AS e FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE'"
    )
    names = ((TableName(str(row["s"]), str(row["t"])), str(row["e"]).upper()) for row in rows)
    return {name: engine for name, engine in names if name.schema not in SYSTEM_SCHEMAS}


def _parents(connection: Connection) -> dict[TableName, frozenset[TableName]]:
    """Return by table those whose deleted rows take rows of it along, by InnoDB's own doing."""
    rows = connection.query(
        "SELECT constraint_schema AS s, table_name AS t, unique_constraint_schema AS ps,"
        " referenced_table_name AS pt FROM information_schema.referential_constraints"
        " WHERE delete_rule = 'CASCADE'"
    )
    found: dict[TableName, frozenset[TableName]] = {}
    for row in rows:
        name = TableName(str(row["s"]), str(row["t"]))
        parent = TableName(str(row["ps"]), str(row["pt"]))
        found[name] = found.get(name, frozenset()) | {parent}
    return found


def _bound(connection: Connection) -> frozenset[TableName]:
    """Return the tables whose rows InnoDB changes with those of others, in whatever way."""
    rows = connection.query(
        "SELECT constraint_schema AS s, table_name AS t"
        " FROM information_schema.referential_constraints"
        " WHERE delete_rule NOT IN ('NO ACTION', 'RESTRICT')"
        " OR update_rule NOT IN ('NO ACTION', 'RESTRICT')"
    )
    return frozenset(TableName(str(row["s"]), str(row["t"])) for row in rows)


def read(connection: Connection) -> Reading:
    """Return rows and checksum of every table of the instance, and what is prepared there.

    Raises CollectionError where a table that has its own rows cannot be read.
    """
    engines = _engines(connection)
    sums: dict[TableName, table_sums.Sum] = {}
    unreadable: dict[TableName, str] = {}
    for table in table_sums.tables_of(connection, None):
        name = TableName(table.schema, table.name)
        try:
            sums[name] = _sum_of(connection, table)
        except (MysqlError, CollectionError) as error:
            if engines.get(name) not in _UNCOUNTED:
                raise
            unreadable[name] = str(error)
    rows = connection.query("XA RECOVER CONVERT XID")
    return Reading(sums, unreadable, tuple(_xid(row) for row in rows))


def _sum_of(connection: Connection, table: table_sums.Table) -> table_sums.Sum:
    """Return rows and checksum of a table. Raises CollectionError where not all of it can be read."""
    found = table_sums.sum_of(connection, table, "crc")
    if found.unread:
        raise CollectionError(f"{connection.address}: {table.full_name}: {found.unread}")
    return found


def _xid(row: Mapping[str, Any]) -> Xid:
    data, size = str(row["data"])[2:].lower(), 2 * int(row["gtrid_length"])
    return Xid(data[:size], data[size:], int(row["formatid"]))


def noted(reading: Reading, connection: Connection) -> dict[str, str]:
    """Return rows and checksum of each table that keeps its rows, as they are noted once verified."""
    engines = _engines(connection)
    return {
        name.text: f"{found.rows} rows, {found.checksum}"
        for name, found in reading.sums.items()
        if engines.get(name) not in FORGETTING
    }


@dataclass(frozen=True)
class Comparison:
    """tables: each with what it was, must be, and is. not_compared: those of which that is not known.

    prepared: XA transactions that wait for a decision.
    """

    tables: list[dict[str, Any]]
    not_compared: list[dict[str, str]]
    prepared: list[dict[str, Any]]

    @property
    def compared(self) -> bool:
        """Whether anything was: a table, or that there is none."""
        return not self.not_compared or any(table["compared_by"] for table in self.tables)


def compare(
    reading: Reading,
    base: Base,
    prediction: Prediction | None,
    known: Sequence[Expected],
) -> Comparison:
    """Return what was compared, and how. prediction: None where rows are not to be counted.

    Raises BinlogError where a table differs, or is not there, or an XA transaction is not.
    """
    given = {_meant(each, reading): each for each in known}
    predicted = prediction or Prediction({}, {}, frozenset(), ())
    wrong = [
        f"{name.text}: it was dropped, and is there"
        for name in sorted(predicted.gone & reading.sums.keys())
    ]
    tables: list[dict[str, Any]] = []
    for name in sorted({*reading.sums, *predicted.rows, *given}):
        found, wanted = reading.sums.get(name), _wanted(name, predicted, given.get(name))
        wrong += _differences(name, found, wanted)
        tables.append(_told(name, found, wanted, _rows_of(base, name)))
    wrong += _prepared_missing(reading, predicted)
    if wrong:
        raise BinlogError("recovery.rows_differ", NAME, wrong[:_SHOWN])
    left = [name for name in reading.sums if name not in predicted.rows and name not in given]
    reasons = {name: predicted.unknown.get(name, NOT_COUNTED) for name in left}
    reasons.update(reading.unreadable)
    not_compared = [{"table": name.text, "reason": reasons[name]} for name in sorted(reasons)]
    return Comparison(tables, not_compared, _prepared(reading, predicted))


def _rows_of(base: Base, name: TableName) -> int | None:
    return next((rows for text, rows in base.tables if name in readings(text)), None)


def _meant(each: Expected, reading: Reading) -> TableName:
    """Return the table that the user names. Raises CollectionError where that is none, or several."""
    names = readings(each.table)
    there = [name for name in names if name in reading.sums]
    if len(there) > 1 or not names:
        meant = " or ".join(name.text for name in there)
        raise CollectionError(
            f"expected: {each.table!r} is given, which names {meant or 'no table'};"
            " allowed is schema.table, or `schema`.`table`"
        )
    return (there or list(names))[0]


@dataclass(frozen=True)
class _Wanted:
    """What is known of a table: rows or checksum (or None), by how that is known."""

    rows: Mapping[str, int]
    checksums: Mapping[str, str]

    @property
    def by(self) -> list[str]:
        """How, as the module returns it."""
        return [*self.rows, *self.checksums]


def _wanted(name: TableName, predicted: Prediction, given: Expected | None) -> _Wanted:
    rows: dict[str, int] = {}
    checksums: dict[str, str] = {}
    if name in predicted.rows:
        rows[PREDICTED] = predicted.rows[name]
    if name in predicted.checksums:
        checksums[OF_BASE] = predicted.checksums[name]
    if given is not None:
        rows[ROWS_GIVEN] = given.rows
        if given.checksum:
            checksums[CHECKSUM_GIVEN] = given.checksum.lower()
    return _Wanted(rows, checksums)


def _differences(name: TableName, found: table_sums.Sum | None, wanted: _Wanted) -> list[str]:
    """Return what is wrong with a table, each with how the right value is known."""
    if found is None:
        return [
            f"{name.text}: expected {rows} rows ({by}), not there"
            for by, rows in wanted.rows.items()
        ]
    now = f"found: {found.rows} rows, checksum {found.checksum}"
    return [
        f"{name.text}: expected {rows} rows ({by}), {now}"
        for by, rows in wanted.rows.items()
        if rows != found.rows
    ] + [
        f"{name.text}: expected checksum {text} ({by}), {now}"
        for by, text in wanted.checksums.items()
        if text != found.checksum
    ]


def _told(
    name: TableName, found: table_sums.Sum | None, wanted: _Wanted, before: int | None
) -> dict[str, Any]:
    """Return one table as the module does, of a comparison that found no difference."""
    return {
        "table": name.text,
        "rows_base": before,
        "rows_expected": next(iter(wanted.rows.values()), None),
        "rows": found.rows if found else None,
        "checksum": found.checksum if found else None,
        "compared_by": wanted.by,
        "equal": True if wanted.by else None,
    }


def _prepared_missing(reading: Reading, prediction: Prediction) -> list[str]:
    """Return the XA transactions that the binary logs leave prepared, and that are not."""
    return [
        f"XA {each.xid.text}: expected prepared, not among XA RECOVER"
        for each in prediction.prepared
        if each.xid not in reading.prepared
    ]


def _prepared(reading: Reading, prediction: Prediction) -> list[dict[str, Any]]:
    """Return each XA transaction that is prepared, and what it would do, where that is known."""
    known = {each.xid: each for each in prediction.prepared}
    return [
        {
            "xid": xid.text,
            "gtid": known[xid].gtid if xid in known else None,
            "tables": sorted(name.text for name in known[xid].rows.added) if xid in known else [],
        }
        for xid in reading.prepared
    ]
