# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many rows each table must have: those of a base, and what the binary logs did after it. Pure.

What cannot be known of a table makes it unknown, with the reason; it is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod
from typing import TypeAlias

from ..binlog.archive import Base
from ..binlog.definitions import (
    Altered,
    Decided,
    Deed,
    Emptied,
    Gone,
    Made,
    Moved,
    Program,
    Temporary,
    Unsure,
    Written,
    Xid,
    read_prepare,
)
from ..binlog.names import NOTHING, TableName, readings
from ..binlog.rows import DELETE, INSERT
from ..binlog.transactions import Transaction
from ..mysql.replication import SYSTEM_SCHEMAS

AS_TEXT = "rows were changed by statements that are logged as text (binlog_format)"
CASCADE = "rows are deleted by ON DELETE CASCADE, which no binary log tells of"
UNDONE = "a transaction took some of its rows back"
UNREAD = "compressed transactions were not read: the Python library zstandard is not installed"
BEFORE_BASE = "the XA transaction {xid} was prepared before the base; what it changed is not known"
NOT_MADE = "neither the base nor a statement of the binary logs that is known makes it"
RENAMED = "it was renamed from a table that is not known"
MOST_WRITTEN = 10_000
"""Statements of different words between two deeds; beyond that, they may name any table."""
MERGED = (
    "a MERGE table may have changed its rows, which the binary log notes under that table's name"
)
NOT_COUNTED = "its rows were not to be counted (count_rows)"


@dataclass
class Rows:
    """Rows that were inserted and deleted, by table, between two deeds."""

    added: dict[TableName, int] = field(default_factory=dict)
    deleted: set[TableName] = field(default_factory=set)

    def take(self, transaction: Transaction) -> None:
        """Add the rows of a transaction."""
        for name, effect in transaction.effects.items():
            more = effect.rows.get(INSERT, 0) - effect.rows.get(DELETE, 0)
            if effect.rows:
                self.added[name] = self.added.get(name, 0) + more
            if DELETE in effect.rows:
                self.deleted.add(name)


@dataclass(frozen=True)
class Prepared:
    """Rows of an XA transaction that are nobody's until it is decided. gtid: of its XA PREPARE."""

    xid: Xid
    rows: Rows
    gtid: str


Entry: TypeAlias = "Rows | Prepared | Deed"


@dataclass
class Journal:
    """What binary logs did, in their order; rows that follow one another are one entry."""

    entries: list[Entry] = field(default_factory=list)
    # Tables whose rows were changed in whatever way, if only by an UPDATE.
    announced: set[TableName] = field(default_factory=set)
    # Changes of rows as text since the last other deed: once is enough, most statements are alike.
    _written: set[Written] = field(default_factory=set)

    def take(self, transaction: Transaction) -> None:
        """Add a transaction."""
        self.announced |= transaction.announced
        if not transaction.complete:
            self.entries.append(Unsure(NOTHING, UNREAD))
        # A statement that makes a table comes before the rows that were selected for it.
        for deed in transaction.deeds:
            self._add(deed)
        if transaction.undone:
            names = (name for name, effect in transaction.effects.items() if effect.rows)
            self.entries += (Unsure(name, UNDONE) for name in names)
            return
        if transaction.prepared is not None:
            xid, one_phase = read_prepare(transaction.prepared)
            if not one_phase:
                prepared = Prepared(xid, Rows(), transaction.gtid.text or "")
                prepared.rows.take(transaction)
                self.entries.append(prepared)
                return
        if any(effect.rows for effect in transaction.effects.values()):
            last = self._last()
            if not isinstance(last, Rows):
                last = Rows()
                self.entries.append(last)
            last.take(transaction)

    @property
    def undecided(self) -> set[Xid]:
        """XA transactions that are committed here and were prepared before."""
        known: set[Xid] = set()
        found: set[Xid] = set()
        for entry in self.entries:
            if isinstance(entry, Prepared):
                known.add(entry.xid)
            elif isinstance(entry, Decided) and entry.commit and entry.xid not in known:
                found.add(entry.xid)
        return found

    def begin_with(self, earlier: Journal) -> None:
        """Take over what an earlier one left prepared and this one decides."""
        waiting: dict[Xid, Prepared] = {}
        for entry in earlier.entries:
            if isinstance(entry, Prepared):
                waiting[entry.xid] = entry
            elif isinstance(entry, Decided):
                waiting.pop(entry.xid, None)
        found = [waiting[xid] for xid in self.undecided if xid in waiting]
        self.entries[:0] = found
        self.announced |= {name for each in found for name in each.rows.added}

    def _add(self, deed: Deed) -> None:
        if not isinstance(deed, Written):
            self._written.clear()
        elif deed in self._written:
            return
        else:
            if len(self._written) >= MOST_WRITTEN:
                deed = Written(None, None, listed=False)
            self._written.add(deed)
        self.entries.append(deed)

    def _last(self) -> Entry | None:
        return self.entries[-1] if self.entries else None


@dataclass(frozen=True)
class Facts:
    """What the instance itself tells. tables: those it has. folds: whether it keeps names in small letters.

    parents: by table, those whose deleted rows take rows of it along. programs: whether it has
    triggers, functions or views. bound: tables with a foreign key by which InnoDB changes them.
    forgetting: why the rows of a table are not its own, by table. merges: tables that change the rows
    of others; merged: those that they may change.
    """

    tables: frozenset[TableName] = frozenset()
    folds: bool = False
    parents: Mapping[TableName, frozenset[TableName]] = field(default_factory=dict)
    programs: bool = False
    bound: frozenset[TableName] = frozenset()
    forgetting: Mapping[TableName, str] = field(default_factory=dict)
    merges: frozenset[TableName] = frozenset()
    merged: frozenset[TableName] = frozenset()


@dataclass(frozen=True)
class Prediction:
    """rows: how many each table must have. unknown: why that is not known. gone: must not be there.

    prepared: XA transactions that nobody decided yet. checksums: of tables that are as in the base.
    """

    rows: Mapping[TableName, int]
    unknown: Mapping[TableName, str]
    gone: frozenset[TableName]
    prepared: tuple[Prepared, ...]
    checksums: Mapping[TableName, str] = field(default_factory=dict)


def predict(base: Base, journal: Journal, facts: Facts) -> Prediction:
    """Return how many rows each table must have."""
    tables = _resolved(base.tables, journal, facts)
    state = _State(tables, facts, journal)
    for entry in journal.entries:
        state.do(entry)
    found = state.prediction()
    checksums = {
        name: checksum
        for text, checksum in base.checksums
        for name in readings(text)[:1]
        if len(readings(text)) == 1 and name in found.rows and state.untouched(name)
    }
    return replace(found, checksums=checksums)


def _resolved(
    base: Iterable[tuple[str, int]], journal: Journal, facts: Facts
) -> dict[TableName, int | str]:
    """Return the base's tables. Of a text with more than one dot, what is there says what it means."""
    seen = {*facts.tables, *_named(journal)}
    schemas = {name.schema for name in seen}
    found: dict[TableName, int | str] = {}
    for text, rows in base:
        names = readings(text)
        best = [name for name in names if name in seen]
        best = best or [name for name in names if name.schema in schemas] or list(names[:1])
        for name in best:
            if name.schema not in SYSTEM_SCHEMAS:
                clear = len(best) == 1
                found[name] = rows if clear else f"the base names several tables {text}"
    return found


def _named(journal: Journal) -> Iterable[TableName]:
    for entry in journal.entries:
        if isinstance(entry, Rows):
            yield from entry.added
        elif isinstance(entry, Prepared):
            yield from entry.rows.added
        elif isinstance(entry, Moved):
            yield from (entry.old, entry.new)
        elif isinstance(entry, (Made, Gone, Emptied, Unsure)):
            yield entry.name


class _State:
    """What is known of each table, entry by entry: its rows, or why they are not known."""

    def __init__(self, tables: dict[TableName, int | str], facts: Facts, journal: Journal) -> None:
        self._tables = tables
        self._facts = facts
        self._gone: set[TableName] = set()
        self._temporary: set[TableName] = set()
        self._prepared: dict[Xid, Prepared] = {}
        # Tables that are not, or may not be, as they were in the base.
        self._touched = {self._name(name) for name in journal.announced} | facts.bound
        # Tables that rows were deleted of, or may have been; and whether any table may be one.
        self._deleted: set[TableName] = set()
        self._any_deleted = False
        # Whether a statement may reach tables that it does not name: by what is there, or was. A
        # trigger goes with its table.
        entries = journal.entries
        self._programs = facts.programs or any(isinstance(each, Program) for each in entries)
        self._dropped = {each.name.table.lower() for each in entries if isinstance(each, Gone)}

    def prediction(self) -> Prediction:
        """Return what is known in the end."""
        for name, why in self._cascaded().items():
            self._unknown(name, why)
        for name, engine in self._facts.forgetting.items():
            self._unknown(name, engine)
        if self._facts.merges & self._touched:
            for name in self._facts.merged:
                self._unknown(name, MERGED)
        for name in self._facts.tables - self._tables.keys() - self._gone:
            self._unknown(name, NOT_MADE)
        rows = {name: known for name, known in self._tables.items() if isinstance(known, int)}
        unknown = {name: known for name, known in self._tables.items() if isinstance(known, str)}
        return Prediction(rows, unknown, frozenset(self._gone), tuple(self._prepared.values()))

    def untouched(self, name: TableName) -> bool:
        """Whether a table is what it was in the base, to the byte."""
        return name not in self._touched

    def _cascaded(self) -> dict[TableName, str]:
        """Return the tables whose rows went with those of others, over as many others as there are."""
        parents = self._facts.parents
        if self._any_deleted:
            return dict.fromkeys(parents, CASCADE)
        reached = {*self._deleted}
        before = -1
        while len(reached) != before:
            before = len(reached)
            reached |= {name for name, above in parents.items() if above & reached}
        return {name: CASCADE for name in parents if parents[name] & reached}

    def _name(self, name: TableName) -> TableName:
        return name.folded() if self._facts.folds else name

    def _unknown(self, name: TableName, why: str) -> None:
        """Note why a table is not known; what came first stays."""
        if name in self._tables or name in self._facts.tables:
            known = self._tables.get(name)
            self._tables[name] = known if isinstance(known, str) else why

    def _all_unknown(self, why: str, schemas: tuple[str, ...] | None = None) -> None:
        for name in (*self._tables, *self._facts.tables):
            if schemas is None or name.schema in schemas:
                self._unknown(name, why)

    @singledispatchmethod
    def do(self, entry: Entry) -> None:
        """Take one entry."""
        raise TypeError(f"{entry!r} is no entry of a journal")

    @do.register
    def _rows(self, rows: Rows) -> None:
        self._deleted |= {self._name(name) for name in rows.deleted}
        for given, more in rows.added.items():
            name = self._name(given)
            known = self._tables.get(name)
            if isinstance(known, int):
                self._tables[name] = known + more
            elif known is None and name.schema not in SYSTEM_SCHEMAS:
                self._tables[name] = NOT_MADE

    @do.register
    def _prepare(self, prepared: Prepared) -> None:
        self._prepared[prepared.xid] = prepared

    @do.register
    def _decide(self, decided: Decided) -> None:
        prepared = self._prepared.pop(decided.xid, None)
        if not decided.commit:
            return
        if prepared is not None:
            self._rows(prepared.rows)
        else:
            self._any_deleted = True
            self._all_unknown(BEFORE_BASE.format(xid=decided.xid.text))

    @do.register
    def _make(self, made: Made) -> None:
        name = self._name(made.name)
        if name in self._temporary or (made.if_absent and name in self._tables):
            return
        self._gone.discard(name)
        self._touched.add(name)
        self._tables[name] = 0

    @do.register
    def _drop(self, gone: Gone) -> None:
        dropped = self._name(gone.name)
        for name in [name for name in self._tables if dropped.covers(name)]:
            del self._tables[name]
            self._gone.add(name)

    @do.register
    def _empty(self, emptied: Emptied) -> None:
        name = self._name(emptied.name)
        if name in self._temporary:
            self._unknown(name, f"{name.text} was the name of a temporary table too")
        elif name in self._tables:
            self._touched.add(name)
            self._tables[name] = 0

    @do.register
    def _move(self, moved: Moved) -> None:
        old, new = self._name(moved.old), self._name(moved.new)
        known = self._tables.pop(old, None)
        if known is None:
            # A view, or a session's own table.
            self._unknown(new, RENAMED)
            return
        self._gone.add(old)
        self._gone.discard(new)
        self._touched |= {old, new}
        self._tables[new] = known
        if old in self._deleted:
            self._deleted.add(new)

    @do.register
    def _alter(self, altered: Altered) -> None:
        self._touched.add(self._name(altered.name))

    @do.register
    def _own(self, temporary: Temporary) -> None:
        self._temporary.add(self._name(temporary.name))

    @do.register
    def _lose(self, unsure: Unsure) -> None:
        if unsure.name == NOTHING:
            self._any_deleted = True
            self._all_unknown(unsure.why)
        else:
            self._deleted.add(self._name(unsure.name))
            self._unknown(self._name(unsure.name), unsure.why)

    @do.register
    def _pass(self, _program: Program) -> None:
        """It changes no rows by itself."""

    @do.register
    def _write(self, written: Written) -> None:
        words = written.words
        beyond = self._programs or (words is not None and bool(words & self._dropped))
        if words is None or (written.listed and beyond):
            self._any_deleted = self._any_deleted or written.schemas is None
            schemas = written.schemas
            self._all_unknown(AS_TEXT, schemas if written.listed else None)
            self._deleted |= {n for n in self._tables if schemas is None or n.schema in schemas}
            return
        for name in {*self._tables, *self._facts.tables}:
            if name.table.lower() in words:
                self._deleted.add(name)
                self._unknown(name, AS_TEXT)
