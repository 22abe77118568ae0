# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables of a recovered instance beside those of the running server: observe, and explain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..causes.catalogue import finding
from ..finding import CollectionError, Finding
from ..mysql import carry
from ..mysql.connection import Connection
from ..mysql.literals import SESSION, Column
from ..mysql.table_sums import Sum, Table, sum_of, tables_of
from . import rows_keys
from .rows_diff import KINDS, Difference, Kind, Name, Shape, differences, shape_of, stream
from .rows_keys import CHUNK, ForeignKey

Say = Callable[[str], None]
Open = Callable[[], Connection]

# What is done about rows of each kind, as the option changes calls it, and the trigger it fires.
CHANGE_OF: Mapping[Kind, str] = {"missing": "insert", "differing": "update", "extra": "delete"}
SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


@dataclass(frozen=True)
class Wanted:
    """What is asked for. suffix: of the schemas beside; empty for the tables themselves.

    changes: insert, update, delete. keys_shown: of each kind of difference.
    """

    databases: tuple[str, ...]
    tables: tuple[Name, ...]
    suffix: str
    changes: frozenset[str]
    keys_shown: int
    rows_a_transaction: int

    def into(self, name: Name) -> Name:
        """Return where a table's rows are brought to."""
        return Name(name.schema + self.suffix, name.table)


@dataclass(frozen=True)
class TableState:
    """One table on both sides. source: the recovered one. into: where it is brought to.

    running: its shape there, None where it is not. rows: on both sides; None where it is not there.
    counts, keys: of differing rows by kind; keys are the first few. compared: whether rows could be.
    by_rows: whether they were, one by one.
    """

    source: Shape
    into: Name
    running: Shape | None
    rows: int
    checksum: str
    running_rows: int | None
    running_checksum: str | None
    compared: bool
    counts: Mapping[Kind, int] = field(default_factory=dict)
    keys: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    triggers: tuple[str, ...] = ()
    by_rows: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are compared and written."""
        return self.source.written

    def count(self, kind: Kind) -> int:
        """Return how many rows differ in that way."""
        return self.counts.get(kind, 0)

    @property
    def equal(self) -> bool:
        """Whether both sides have the same rows: by their checksum, or compared one by one.

        Of a column with another DEFAULT the checksum is another one for the same rows.
        """
        if self.running is None or self.rows != self.running_rows:
            return False
        if self.checksum and self.checksum == self.running_checksum:
            return True
        return self.compared and self.by_rows and not any(self.counts.values())

    @property
    def columns_alike(self) -> bool:
        """Whether both tables have the same columns, so that their checksums can be compared."""
        return self.running is None or self.source.definition == self.running.definition

    def as_dict(self) -> dict[str, Any]:
        """Return the table as a module returns it."""
        return {
            "table": str(self.source.name),
            "into": str(self.into),
            "exists": self.running is not None,
            "rows_recovered": self.rows,
            "rows_running": self.running_rows,
            "checksum_recovered": self.checksum,
            "checksum_running": self.running_checksum,
            "equal": self.equal,
            **{kind: self.count(kind) for kind in KINDS},
            "keys": {kind: list(self.keys.get(kind, ())) for kind in KINDS},
        }

    @property
    def text(self) -> str:
        """The table in a few words, for a diff."""
        if self.running is None:
            return "not there"
        words = ", ".join(f"{self.count(kind)} {kind}" for kind in KINDS)
        return f"{self.running_rows} rows; beside the {self.rows} recovered ones: {words}"


@dataclass(frozen=True)
class State:
    """Both sides. tables: parents before their children. loose: those of which none can be first.

    foreign_keys: of the recovered tables. schemas: that the running server has. triggered: recovered
    tables with triggers; programmed: recovered schemas with routines or views. lacking, held: what a
    foreign key is in the way of, by its text. too_large: values that the running server does not take,
    by table.
    """

    tables: tuple[TableState, ...]
    loose: frozenset[Name]
    foreign_keys: tuple[ForeignKey, ...]
    schemas: frozenset[str]
    address: str
    read_only: bool
    same_server: bool
    triggered: frozenset[Name] = frozenset()
    programmed: frozenset[str] = frozenset()
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    too_large: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)

    def wanted_count(self, table: TableState, wanted: Wanted, kind: Kind) -> int:
        """Return how many rows of a kind are to be changed."""
        return table.count(kind) if CHANGE_OF[kind] in wanted.changes else 0


def prepare(connection: Connection) -> Connection:
    """Return a session in which values are written and read as they are."""
    for statement in SESSION:
        connection.execute(statement)
    return connection


def still(connection: Connection) -> Connection:
    """Return a session that sees one moment."""
    prepare(connection).execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    # A stream waits while what it brought is written; the server would end it after a minute.
    connection.execute("SET SESSION net_write_timeout = 3600")
    connection.execute(SNAPSHOT)
    return connection


def observe(recovered: Open, running: Open, wanted: Wanted, say: Say) -> State:
    """Compare what is asked for on both sides. Writes nothing. Raises CollectionError, MysqlError."""
    with (
        recovered() as ours,
        recovered() as asking,
        running() as theirs,
        running() as asked,
    ):
        for session in (ours, theirs):
            still(session)
        for session in (asking, asked):
            prepare(session)
        names = _names(ours, wanted)
        keys = tuple(key for key in rows_keys.read(ours) if key.child in names)
        order, loose = rows_keys.parents_first(names, keys)
        looking = _Looking(ours, theirs, asking, asked, wanted, keys, say)
        tables = tuple(looking.table(name) for name in order)
        schemas = theirs.query("SELECT schema_name AS name FROM information_schema.schemata")
        return State(
            tables,
            loose,
            keys,
            frozenset(str(row["name"]) for row in schemas),
            theirs.address,
            bool(theirs.value("SELECT @@GLOBAL.read_only OR @@GLOBAL.super_read_only")),
            ours.server.server_uuid == theirs.server.server_uuid,
            _triggered(asking),
            _programmed(asking),
            looking.lacking,
            {table: tuple(lines) for table, lines in looking.too_large.items()},
            looking.held,
        )


def _names(connection: Connection, wanted: Wanted) -> list[Name]:
    """Return the tables that are asked for. Raises CollectionError where one is not recovered."""
    there = [Name(table.schema, table.name) for table in tables_of(connection, None)]
    unknown = [str(name) for name in wanted.tables if name not in there]
    schemas = {name.schema for name in there}
    unknown += [name for name in wanted.databases if name not in schemas]
    if unknown:
        raise CollectionError(
            f"databases, tables: {', '.join(unknown)} is not in the recovered instance, which has"
            f" {', '.join(sorted(schemas)) or 'no schema'}"
        )
    return [name for name in there if name in wanted.tables or name.schema in wanted.databases]


def _triggered(connection: Connection) -> frozenset[Name]:
    rows = connection.query(
        "SELECT DISTINCT event_object_schema AS s, event_object_table AS t"
        " FROM information_schema.triggers"
    )
    return frozenset(Name(str(row["s"]), str(row["t"])) for row in rows)


def _programmed(connection: Connection) -> frozenset[str]:
    rows = connection.query(
        "SELECT routine_schema AS s FROM information_schema.routines"
        " UNION SELECT table_schema FROM information_schema.views"
    )
    return frozenset(str(row["s"]) for row in rows)


class _Looking:
    """Compares tables, one by one, and gathers what foreign keys are in the way of.

    asking, asked: a second session of each, for questions while the first ones stream.
    """

    def __init__(
        self,
        ours: Connection,
        theirs: Connection,
        asking: Connection,
        asked: Connection,
        wanted: Wanted,
        keys: Sequence[ForeignKey],
        say: Say,
    ) -> None:
        self._ours, self._theirs, self._asking, self._asked = ours, theirs, asking, asked
        self._wanted, self._keys, self._say = wanted, keys, say
        self._running_keys = () if wanted.suffix else rows_keys.read(asked)
        self._limit = carry.packet(asked)
        self.lacking: dict[str, tuple[str, ...]] = {}
        self.too_large: dict[str, list[str]] = {}
        self.held: dict[str, int] = {}

    def table(self, name: Name) -> TableState:
        """Return how a table differs."""
        self._say(f"comparing {name}")
        source, into = shape_of(self._ours, name), self._wanted.into(name)
        if source is None:
            raise CollectionError(f"{name} went away while it was read")
        own = _sum(self._ours, source)
        running = shape_of(self._asked, into)
        if running is None:
            self._check_all(source)
            return TableState(
                source, into, None, own.rows, own.checksum, None, None, True, {"missing": own.rows}
            )
        other = _sum(self._theirs, running)
        # By the content alone: a column that came later changes the checksum too.
        fits, equal = (
            _fits(source, running),
            own.content == other.content and not own.unread and not other.unread,
        )
        counts: dict[Kind, int] = {}
        keys: dict[Kind, tuple[str, ...]] = {}
        compared = fits and (bool(source.key) or equal or not other.rows)
        if compared and not equal and not other.rows:
            counts = {"missing": own.rows}
            self._check_all(source)
        elif compared and not equal:
            counts, keys = self._rows(source, running)
        return TableState(
            *(source, into, running, own.rows, own.checksum, other.rows, other.checksum),
            *(compared, counts, keys, self._triggers(into), compared and not equal),
        )

    def _rows(
        self, source: Shape, running: Shape
    ) -> tuple[dict[Kind, int], dict[Kind, tuple[str, ...]]]:
        counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        keys: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
        waiting: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
        for one in between(self._ours, self._theirs, source, running):
            counts[one.kind] += 1
            if len(keys[one.kind]) < self._wanted.keys_shown:
                keys[one.kind].append(one.key)
            if CHANGE_OF[one.kind] in self._wanted.changes:
                waiting[one.kind].append(one.key)
                if len(waiting[one.kind]) >= CHUNK:
                    self._check(one.kind, source, running, waiting[one.kind])
                    waiting[one.kind] = []
        for kind, found in waiting.items():
            self._check(kind, source, running, found)
        return counts, {kind: tuple(found) for kind, found in keys.items()}

    def _check(self, kind: Kind, source: Shape, running: Shape, keys: Sequence[str]) -> None:
        """Ask what is in the way of changing the rows of these keys."""
        for part in rows_keys.chunks(keys, most=carry.packet(self._asking)):
            where = f"{source.key_list} IN ({', '.join(part)})"
            if kind != "extra":
                self._check_sizes(source, where)
            if self._wanted.suffix:
                continue
            if kind == "extra":
                self._check_children(running, where)
            else:
                self._check_parents(source, where)

    def _check_all(self, source: Shape) -> None:
        if "insert" not in self._wanted.changes:
            return
        self._check_sizes(source, "TRUE")
        if not self._wanted.suffix:
            self._check_parents(source, "TRUE")

    def _check_sizes(self, source: Shape, where: str) -> None:
        """Note values that the running server does not take, or that cannot be read."""
        rows = carry.Source(source.name.schema, source.name.table, source.written, where)
        found = carry.too_large(self._asking, rows, self._limit)
        if found:
            self.too_large.setdefault(str(source.name), []).extend(found)

    def _check_parents(self, source: Shape, where: str) -> None:
        """Note rows that name a parent which is neither there nor comes along."""
        for key in self._keys:
            if key.child != source.name or self._comes_along(key.parent):
                continue
            if key.text not in self.lacking:
                found = rows_keys.missing_parents(
                    self._asking, self._asked, key, source.name, where
                )
                if found:
                    self.lacking[key.text] = tuple(found)

    def _comes_along(self, parent: Name) -> bool:
        chosen = parent in self._wanted.tables or parent.schema in self._wanted.databases
        return chosen and "insert" in self._wanted.changes

    def _check_children(self, running: Shape, where: str) -> None:
        """Note rows of other tables that name a row which is to go."""
        for key in self._running_keys:
            if key.parent != running.name or self._cleared(key.child):
                continue
            count = rows_keys.children(self._asked, key, where)
            if count:
                self.held[key.text] = self.held.get(key.text, 0) + count

    def _cleared(self, child: Name) -> bool:
        """Whether the child's rows become those that were recovered, which name no such row."""
        chosen = child in self._wanted.tables or child.schema in self._wanted.databases
        return chosen and {"update", "delete"} <= self._wanted.changes

    def _triggers(self, into: Name) -> tuple[str, ...]:
        rows = self._asked.query(
            "SELECT LOWER(event_manipulation) AS e, trigger_name AS t"
            " FROM information_schema.triggers"
            " WHERE event_object_schema = %s AND event_object_table = %s ORDER BY t",
            (into.schema, into.table),
        )
        return tuple(f"{row['e']} {row['t']}" for row in rows)


def _sum(connection: Connection, shape: Shape) -> Sum:
    columns = tuple(
        (column.name, column.data_type, kind)
        for column, kind in zip(shape.columns, shape.kinds, strict=True)
    )
    return sum_of(connection, Table(shape.name.schema, shape.name.table, columns), "crc")


def _fits(source: Shape, running: Shape) -> bool:
    """Whether the running table takes the recovered rows: it may have more columns, no others."""
    has = running.definition
    return source.key == running.key and all(
        has.get(name) == kind for name, kind in source.definition.items()
    )


def between(
    ours: Connection, theirs: Connection, source: Shape, running: Shape
) -> Iterator[Difference]:
    """Yield the rows in which two tables differ, in the order of their keys."""
    columns = source.written
    return differences(stream(ours, source, columns), stream(theirs, running, columns))


def explain(state: State, wanted: Wanted, language: str) -> list[Finding]:
    """Return what is in the way of bringing the rows over. Pure."""

    def found(code: str, subject: str, proof: Sequence[str], **facts: Any) -> Finding:
        return finding(code, subject=subject, proof=proof, language=language, **facts)

    findings: list[Finding] = []
    if state.same_server:
        proof = ["both answer with the same server_uuid"]
        findings.append(found("recovery.rows_same_server", state.address, proof))
    if state.read_only:
        proof = ["read_only or super_read_only is ON there"]
        findings.append(found("recovery.rows_read_only", state.address, proof))
    for table in state.tables:
        findings += _explain_table(state, table, wanted, found)
    for text, lines in state.too_large.items():
        findings.append(found("recovery.rows_too_large", text, lines[:5]))
    for text, keys in state.lacking.items():
        proof = [f"not there: {', '.join(keys)}"]
        findings.append(found("recovery.rows_parent_missing", text, proof))
    for text, count in state.held.items():
        proof = [f"{count} rows of it name rows that would be deleted"]
        findings.append(found("recovery.rows_referenced", text, proof))
    return findings


def _explain_table(
    state: State, table: TableState, wanted: Wanted, found: Callable[..., Finding]
) -> Iterator[Finding]:
    into = str(table.into)
    if table.running is not None and not table.compared:
        if _fits(table.source, table.running):
            proof = [f"{table.running_rows} rows there, {table.rows} recovered, and no primary key"]
            yield found("recovery.rows_no_key", into, proof)
        else:
            yield found("recovery.rows_definition", into, _definitions(table))
        return
    if wanted.suffix and (table.count("differing") or table.count("extra")):
        yield found("recovery.rows_beside_taken", into, [table.text])
    fired = [
        trigger
        for kind in KINDS
        for trigger in table.triggers
        if state.wanted_count(table, wanted, kind) and trigger.startswith(f"{CHANGE_OF[kind]} ")
    ]
    if fired:
        yield found("recovery.rows_triggers", into, [f"trigger on {each}" for each in fired])


def _definitions(table: TableState) -> list[str]:
    has = table.running.definition if table.running else {}
    proof = [
        f"{name}: recovered {kind}, running {has.get(name, 'not there')}"
        for name, kind in table.source.definition.items()
        if has.get(name) != kind
    ]
    key = table.running.key if table.running else ()
    if table.source.key != key:
        proof.append(f"primary key: recovered {table.source.key}, running {key}")
    return proof[:5]
