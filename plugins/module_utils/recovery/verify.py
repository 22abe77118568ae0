# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a scratch instance is what was planned: its transactions, its rows, its checksums.

How many rows a table must have is known without it: those of the base, and what the binary logs
that were applied did to it (``predict``). A table of which that cannot be known is told as not
compared, and why; a recovery of which no table at all could be compared is not verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..binlog.archive import Base
from ..binlog.definitions import Xid
from ..binlog.events import MalformedError
from ..binlog.names import TableName, readings
from ..binlog.rows import KINDS, UPDATE
from ..binlog.store import ArchiveSource
from ..binlog.transactions import CHANGES, Grouper
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql import checksum
from ..mysql.connection import Connection, MysqlError
from ..mysql.replication import SYSTEM_SCHEMAS
from .pieces import Piece
from .predict import NOT_COUNTED, Facts, Journal, Prediction
from .target import Members

NAME = "scratch"
# An update leaves a table as many rows as it had; those are a part of the log that need not be read.
COUNTED = CHANGES - {kind for kind, does in KINDS.items() if does == UPDATE}
# Engines that keep no rows, or none beyond a restart, or those of other tables and servers.
FORGETTING = frozenset({"BLACKHOLE", "MEMORY"})
_UNCOUNTED = FORGETTING | {"FEDERATED", "MRG_MYISAM"}
_SHOWN = 10


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

    sums: Mapping[TableName, checksum.Sum]
    unreadable: Mapping[TableName, str]
    prepared: tuple[Xid, ...]


def changes(source: ArchiveSource, pieces: Sequence[Piece], base: Base) -> Journal:
    """Return what the pieces do, on top of a base. Raises BinlogError where one cannot be read."""
    journal = Journal()
    covered = base.gtid_executed
    for piece in pieces:
        before = Members(covered)
        last = piece.spans[-1][1]
        grouper = Grouper(source.decompress, count_rows=True, deeds=True)
        try:
            with closing(source.events_of(piece.log, COUNTED)) as events:
                for transaction in grouper.transactions(events):
                    if transaction.end > last:
                        break
                    if transaction not in before and _inside(piece, transaction.start):
                        journal.take(transaction)
        except MalformedError as error:
            raise BinlogError("binlog.damaged", piece.log.name, [str(error)]) from error
        covered |= piece.log.gtids
    return journal


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
        programs=bool(connection.value(programs)),
        forgetting={
            name: f"tables of the engine {engine} keep no rows of their own"
            for name, engine in engines.items()
            if engine in _UNCOUNTED
        },
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


def read(connection: Connection) -> Reading:
    """Return rows and checksum of every table of the instance, and what is prepared there.

    Raises CollectionError where a table that has its own rows cannot be read.
    """
    engines = _engines(connection)
    sums: dict[TableName, checksum.Sum] = {}
    unreadable: dict[TableName, str] = {}
    for table in checksum.tables_of(connection, None):
        name = TableName(table.schema, table.name)
        try:
            sums[name] = checksum.sum_of(connection, table, "crc")
        except (MysqlError, CollectionError) as error:
            if engines.get(name) not in _UNCOUNTED:
                raise
            unreadable[name] = str(error)
    rows = connection.query("XA RECOVER CONVERT XID")
    return Reading(sums, unreadable, tuple(_xid(row) for row in rows))


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
    rows = prediction.rows if prediction else {}
    gone = (prediction.gone if prediction else frozenset()) & reading.sums.keys()
    tables: list[dict[str, Any]] = []
    wrong = [f"{name.text}: it was dropped, and is there" for name in sorted(gone)]
    for name in sorted({*reading.sums, *rows, *given}):
        told, difference = _compared(name, reading.sums.get(name), rows.get(name), given.get(name))
        tables.append({**told, "rows_base": _rows_of(base, name)})
        wrong += difference
    wrong += _prepared_missing(reading, prediction)
    if wrong:
        raise BinlogError("recovery.rows_differ", NAME, wrong[:_SHOWN])
    left = [name for name in reading.sums if name not in rows and name not in given]
    why = prediction.unknown if prediction else dict.fromkeys(left, NOT_COUNTED)
    reasons = {**{name: why.get(name, NOT_COUNTED) for name in left}, **reading.unreadable}
    told_not = [{"table": name.text, "reason": reasons[name]} for name in sorted(reasons)]
    return Comparison(tables, told_not, _prepared(reading, prediction))


def _rows_of(base: Base, name: TableName) -> int | None:
    return next((rows for text, rows in base.tables if name in readings(text)), None)


def _meant(each: Expected, reading: Reading) -> TableName:
    """Return the table that the user names. Raises CollectionError where that is none, or several."""
    names = readings(each.table)
    there = [name for name in names if name in reading.sums]
    if len(there) > 1 or not names:
        several = " or ".join(name.text for name in there)
        raise CollectionError(
            f"expected: {each.table!r} is given, {several or 'no table'};"
            " allowed is schema.table, or `schema`.`table`"
        )
    return (there or list(names))[0]


def _compared(
    name: TableName, found: checksum.Sum | None, predicted: int | None, given: Expected | None
) -> tuple[dict[str, Any], list[str]]:
    """Return one table as it is told, and what is wrong with it."""
    wanted = given.rows if given else predicted
    checksum_wanted = given.checksum.lower() if given and given.checksum else None
    by: list[str] = []
    if predicted is not None:
        by.append("rows predicted")
    if given:
        by.append("checksum given" if checksum_wanted else "rows given")
    wrong: list[str] = []
    is_now = f"{found.rows} rows, checksum {found.checksum}" if found else "not there"
    for rows in dict.fromkeys((predicted, given.rows if given else None)):
        if rows is not None and (found is None or found.rows != rows):
            wrong.append(f"{name.text}: expected {rows} rows, found: {is_now}")
    if checksum_wanted and found and found.checksum != checksum_wanted:
        wrong.append(f"{name.text}: expected checksum {checksum_wanted}, found: {is_now}")
    told = {
        "table": name.text,
        "rows_expected": wanted,
        "rows": found.rows if found else None,
        "checksum": found.checksum if found else None,
        "compared_by": by,
        "equal": True if by else None,
    }
    return told, wrong


def _prepared_missing(reading: Reading, prediction: Prediction | None) -> list[str]:
    """Return the XA transactions that the binary logs leave prepared, and that are not."""
    waiting: Iterable[Xid] = (each.xid for each in prediction.prepared) if prediction else ()
    return [
        f"XA {xid.text}: expected prepared, not among XA RECOVER"
        for xid in waiting
        if xid not in reading.prepared
    ]


def _prepared(reading: Reading, prediction: Prediction | None) -> list[dict[str, Any]]:
    """Return each XA transaction that is prepared, and what it would do, where that is known."""
    known = {each.xid: each for each in prediction.prepared} if prediction else {}
    return [
        {
            "xid": xid.text,
            "gtid": known[xid].gtid if xid in known else None,
            "tables": sorted(name.text for name in known[xid].rows.added) if xid in known else [],
        }
        for xid in reading.prepared
    ]
