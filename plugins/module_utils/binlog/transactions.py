# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events to transactions: where each lies, when it was committed, and what it did to which table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ..mysql.gtid import GtidSet, Interval, Origin
from . import rows
from .definitions import LONGEST_READ, Deed, read_deeds, undoes
from .events import (
    BEGIN,
    EXECUTE_LOAD_QUERY,
    GTIDS,
    PREVIOUS_GTIDS,
    QUERY,
    ROWS_QUERY,
    TABLE_MAP,
    TRANSACTION_PAYLOAD,
    XA_PREPARE,
    Event,
    Gtid,
    read_gtid,
    read_previous_gtids,
    read_rows_query,
)
from .names import NOTHING, TableName
from .payload import Decompress, read_payload
from .query import read_query
from .statements import is_control, masked, read_change

MOST_STATEMENTS = 20
LONGEST_STATEMENT = 2000
# Among how many of the last deeds another one is looked for: most statements are alike.
MOST_SAME = 8
# Announcements of tables that are kept: a server renumbers its tables whenever it opens them again.
MOST_TABLES = 1000

# What tells where transactions lie; which statements they hold; which tables they change, and in
# how many rows; and with which statements they did that.
PLACES = frozenset({*GTIDS, PREVIOUS_GTIDS})
STATEMENTS = frozenset({*PLACES, QUERY})
TEXTS = frozenset({QUERY, EXECUTE_LOAD_QUERY})
CHANGES = frozenset({*PLACES, *TEXTS, TABLE_MAP, TRANSACTION_PAYLOAD, XA_PREPARE, *rows.KINDS})
DETAILS = frozenset({*CHANGES, ROWS_QUERY})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(microseconds: int) -> str:
    """Return a moment as ISO 8601 in UTC. Integers all the way: a float loses microseconds."""
    return iso_moment(_EPOCH + timedelta(microseconds=microseconds))


def iso_moment(moment: datetime) -> str:
    """Return a UTC moment as ISO 8601 with microseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Effect:
    """What a transaction does to one table. rows: by kind. kinds: of statements on the table."""

    rows: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, None] = field(default_factory=dict)

    def add_rows(self, kind: str, count: int) -> None:
        """Count rows that it inserts, updates or deletes."""
        self.rows[kind] = self.rows.get(kind, 0) + count

    def has(self, kind: str | None, rows_over: int) -> bool:
        """Whether it is of a kind (any, where it is None) and touches more rows than that."""
        if kind is None:
            return sum(self.rows.values()) > rows_over or bool(self.kinds)
        if kind in self.rows:
            return self.rows[kind] > rows_over
        return kind in self.kinds and not rows_over


@dataclass
class Transaction:
    """One transaction, as far as the events that were read tell.

    start, end: bytes in ``file``. effects: by table; by a name without a table for statements on a
    schema, by NOTHING for those on other objects. complete: false where nothing could decompress it.
    deeds: what its statements do to tables as a whole, where that was asked for. prepared: of an XA
    transaction, the event that ends it. undone: whether it takes rows back that it holds. announced:
    the tables whose rows it may change in whatever way.
    """

    gtid: Gtid
    file: str
    start: int
    end: int
    compressed: bool = False
    complete: bool = True
    effects: dict[TableName, Effect] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    undone: bool = False
    announced: set[TableName] = field(default_factory=set)
    prepared: bytes | None = None

    def effect(self, table: TableName) -> Effect:
        """Return the effect on a table, a new one where there was none."""
        return self.effects.setdefault(table, Effect())

    def place(self) -> dict[str, Any]:
        """Return who, where and when, as a module returns it."""
        return {
            "gtid": self.gtid.text,
            "file": self.file,
            "start_position": self.start,
            "end_position": self.end,
            "commit_time": iso_time(self.gtid.committed),
            "original_commit_time": iso_time(self.gtid.originally)
            if self.gtid.originally
            else None,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the transaction as a module returns it."""
        return {
            **self.place(),
            "compressed": self.compressed,
            "complete": self.complete,
            "tables": tables_told(self.effects),
            "rows": {
                _DONE[kind]: sum(effect.rows.get(kind, 0) for effect in self.effects.values())
                for kind in _DONE
            },
            "statements": list(self.statements),
        }


_DONE = {rows.INSERT: "inserted", rows.UPDATE: "updated", rows.DELETE: "deleted"}


def tables_told(effects: Mapping[TableName, Effect]) -> list[dict[str, Any]]:
    """Return what was done to each table, as a module returns it."""
    return [
        {
            "table": name.text,
            **{_DONE[kind]: effect.rows.get(kind, 0) for kind in _DONE},
            "statements": list(effect.kinds),
        }
        for name, effect in effects.items()
        if name != NOTHING
    ]


class Members:
    """Whether a transaction is in a set: asked once for each of many."""

    def __init__(self, gtids: GtidSet) -> None:
        self._found: Mapping[Origin, tuple[Interval, ...]] = dict(gtids.members)

    def __contains__(self, transaction: Transaction) -> bool:
        """Whether the set holds it."""
        number = transaction.gtid.number
        found = self._found.get(transaction.gtid.origin, ())
        return any(first <= number <= last for first, last in found)


class Executed:
    """The transactions before a place, gathered in the order of the log; cheap to add to."""

    def __init__(self, before: GtidSet) -> None:
        self._found: dict[Origin, list[Interval]] = {}
        for origin, interval in before.intervals():
            self._found.setdefault(origin, []).append(interval)

    def add(self, gtid: Gtid) -> None:
        """Add one. Nearly always it follows the one before."""
        if gtid.uuid:
            self.add_run(gtid.origin, (gtid.number, gtid.number))

    def add_run(self, origin: Origin, run: Interval) -> None:
        """Count numbers that follow one another."""
        found = self._found.setdefault(origin, [])
        if found and found[-1][1] + 1 == run[0]:
            found[-1] = (found[-1][0], run[1])
        else:
            found.append(run)

    def gtid_set(self) -> GtidSet:
        """Return them as a set."""
        return GtidSet.of(
            (origin, interval) for origin, found in self._found.items() for interval in found
        )


class Grouper:
    """Makes transactions of events.

    executed: what lies before the transaction that was yielded last, once a file's beginning was
    read. decompress: None where compressed transactions cannot be opened.
    count_rows: whether to look into events of rows; otherwise each counts as one row.
    deeds: whether to look for what statements do to tables as a whole.
    """

    def __init__(
        self, decompress: Decompress | None, *, count_rows: bool, deeds: bool = False
    ) -> None:
        self.executed: Executed | None = None
        self._decompress = decompress
        self._count_rows = count_rows
        self._read_deeds = deeds
        self._tables: dict[int, rows.Table] = {}
        # A table is announced before each change of it, in the same bytes.
        self._announced: dict[bytes, rows.Table] = {}

    def transactions(self, events: Iterable[Event]) -> Iterator[Transaction]:
        """Yield each transaction when the next event no longer belongs to it."""
        current: Transaction | None = None
        for event in events:
            if event.type in GTIDS:
                if current is not None:
                    yield from self._closed(current)
                current = self._opened(event)
            elif event.type == PREVIOUS_GTIDS and event.end:
                if current is not None:
                    yield from self._closed(current)
                current = None
                self.executed = Executed(read_previous_gtids(event.body))
            elif current is not None and event.end and event.file == current.file:
                self._read(event, current)
        if current is not None:
            yield from self._closed(current)

    def _opened(self, event: Event) -> Transaction:
        self._tables = {}
        gtid = event.gtid or read_gtid(event.type, event.body)
        if event.passed is not None and self.executed is not None:
            self.executed.add_run(gtid.origin, event.passed)
        return Transaction(gtid, event.file, event.start, event.start + gtid.length)

    def _closed(self, transaction: Transaction) -> Iterator[Transaction]:
        """Yield a transaction; what lies before the next one holds it only after that."""
        yield transaction
        if self.executed is not None:
            self.executed.add(transaction.gtid)

    def _read(self, event: Event, into: Transaction) -> None:
        if event.type == TRANSACTION_PAYLOAD:
            into.compressed = True
            into.complete = self._decompress is not None
            if self._decompress is not None:
                for inner in read_payload(event, self._decompress):
                    self._read_content(inner, into)
        else:
            self._read_content(event, into)

    def _read_content(self, event: Event, into: Transaction) -> None:
        if event.type == TABLE_MAP:
            table = self._announced.get(event.body)
            if table is None:
                if len(self._announced) >= MOST_TABLES:
                    self._announced.clear()
                table = self._announced[event.body] = rows.read_table(event.body)
            self._tables[table.number] = table
            into.announced.add(table.full_name)
        elif event.type in rows.KINDS:
            self._read_rows(event, into)
        elif event.type in TEXTS:
            self._read_query(event, into)
        elif event.type == XA_PREPARE:
            into.prepared = event.body
        elif event.type == ROWS_QUERY:
            _keep_statement(into, read_rows_query(event.body))

    def _read_rows(self, event: Event, into: Transaction) -> None:
        table = self._tables.get(rows.table_number(event.body))
        # Rows of table 0 only end a statement: there are none in them.
        if table is None:
            return
        count = rows.count_rows(event.type, event.body, table) if self._count_rows else 1
        into.effect(table.full_name).add_rows(rows.KINDS[event.type], count)

    def _read_query(self, event: Event, into: Transaction) -> None:
        # Nearly every transaction begins so; reading it to say that takes time.
        if event.body.endswith(BEGIN):
            return
        query = read_query(event.type, event.body)
        if self._read_deeds:
            into.undone = into.undone or undoes(query.text)
            into.deeds += (
                deed for deed in read_deeds(query) if deed not in into.deeds[-MOST_SAME:]
            )
        if is_control(query.text):
            return
        _keep_statement(into, query.text)
        beginning = query.text[:LONGEST_READ]
        change = read_change(beginning, query.schema, backslash=query.backslash)
        for table in (change.tables or (NOTHING,)) if change else ():
            into.effect(table).kinds[change.kind if change else ""] = None


def _keep_statement(into: Transaction, sql: str) -> None:
    """Keep what is shown of a statement: a few, and of each its beginning, without secrets."""
    if len(into.statements) >= MOST_STATEMENTS:
        return
    shown = masked(sql)
    more = len(shown) > LONGEST_STATEMENT
    into.statements.append(shown[:LONGEST_STATEMENT] + ("..." if more else ""))
