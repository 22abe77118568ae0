# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows of a recovered instance brought into the running server: the plan, and the hands that do it.

Ordinary transactions of so many rows each, so that replicas and the archive get them. Nothing is noted
anywhere: what was brought is equal, and a run that was ended finds less to do the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TypeVar

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql import carry
from ..mysql.connection import Connection, MysqlError
from ..mysql.dialect import quote_identifier
from ..mysql.literals import tuple_expression
from ..mysql.seed_programs import broken, copy_routines, copy_triggers, copy_views
from ..plan import Plan, Step
from . import rows_keys
from .rows_diff import Difference, Kind, Name, digest_of
from .rows_keys import CHUNK
from .rows_state import (
    CHANGE_OF,
    Open,
    Say,
    State,
    TableState,
    Wanted,
    between,
    prepare,
    still,
)

# A row is there already, or is not there any more, or names nobody, or is named.
_DUPLICATE = 1062
_MOVED = frozenset({_DUPLICATE, 1032, 1451, 1452, 1216, 1217})
T = TypeVar("T")


@dataclass(frozen=True)
class Hands:
    """What a plan is done with."""

    recovered: Open
    running: Open
    wanted: Wanted
    say: Say


def plan(state: State, wanted: Wanted, hands: Hands) -> Plan[State]:
    """Return the steps: tables that are not there, then rows, parents before their children."""
    doer = _Doer(state, hands)
    steps = [*_schemas(state, wanted, doer), *_tables(state, doer)]
    for table in reversed(state.tables):
        steps += _rows(state, table, wanted, doer, "extra")
    for table in state.tables:
        # A row that changes may let go of a value that must be there once.
        steps += _rows(state, table, wanted, doer, "differing")
        steps += _rows(state, table, wanted, doer, "missing")
    if not wanted.suffix:
        steps += _programs(state, doer)
    return Plan(state, tuple(steps))


def _schemas(state: State, wanted: Wanted, doer: _Doer) -> Iterator[Step[State]]:
    for schema in dict.fromkeys(table.source.name.schema for table in state.tables):
        into = schema + wanted.suffix
        if into not in state.schemas:
            yield Step(
                f"CREATE DATABASE {quote_identifier(into)}",
                "there is no such schema on the running server",
                partial(_with_schema, into),
                partial(doer.create_schema, schema, into),
            )


def _with_schema(schema: str, state: State) -> State:
    return replace(state, schemas=state.schemas | {schema})


def _tables(state: State, doer: _Doer) -> Iterator[Step[State]]:
    for table in state.tables:
        if table.running is None:
            yield Step(
                f"CREATE TABLE {table.into.quoted}",
                "there is no such table on the running server",
                partial(_with_table, table.into),
                partial(doer.create_table, table),
            )


def _changed(into: Name, change: Callable[[TableState], TableState], state: State) -> State:
    tables = (change(table) if table.into == into else table for table in state.tables)
    return replace(state, tables=tuple(tables))


def _with_table(into: Name, state: State) -> State:
    return _changed(into, lambda table: replace(table, running=table.source, running_rows=0), state)


def _rows(
    state: State, table: TableState, wanted: Wanted, doer: _Doer, kind: Kind
) -> Iterator[Step[State]]:
    count = state.wanted_count(table, wanted, kind)
    if not count:
        return
    words, reason = {
        "extra": ("DELETE FROM", "rows that the recovered table has not"),
        "differing": ("UPDATE", "rows that are otherwise in the recovered table"),
        "missing": ("INSERT INTO", "rows that only the recovered table has"),
    }[kind]
    yield Step(
        f"{words} {table.into.quoted}: {count} rows",
        f"{table.into}: {reason}",
        partial(_changed, table.into, partial(_without, kind)),
        partial(doer.rows, table, kind),
    )


def _without(kind: Kind, table: TableState) -> TableState:
    more = {"missing": 1, "extra": -1, "differing": 0}[kind] * table.count(kind)
    counts = {**table.counts, kind: 0}
    after = replace(
        table,
        counts=counts,
        keys={**table.keys, kind: ()},
        running_rows=(table.running_rows or 0) + more,
    )
    return after if any(counts.values()) else replace(after, running_checksum=table.checksum)


def _programs(state: State, doer: _Doer) -> Iterator[Step[State]]:
    """Triggers of tables that were gone; of a schema that was gone, routines and views too."""
    created = [table.source.name for table in state.tables if table.running is None]
    for schema in dict.fromkeys(name.schema for name in created):
        whole = schema not in state.schemas
        tables = tuple(name.table for name in created if name.schema == schema)
        what = "routines, views and triggers" if whole else f"triggers of {', '.join(tables)}"
        triggers = any(name in state.triggered for name in created if name.schema == schema)
        if triggers or (whole and schema in state.programmed):
            yield Step(
                f"CREATE {what} in {quote_identifier(schema)}",
                "they went with what they belong to",
                lambda state: state,
                partial(doer.create_programs, schema, tables, whole),
            )


class _Doer:
    """The only one who writes."""

    def __init__(self, state: State, hands: Hands) -> None:
        self._state, self._hands = state, hands

    @contextmanager
    def _writer(self, *, checked: bool = True) -> Iterator[Connection]:
        with self._hands.running() as connection:
            prepare(connection)
            if not checked:
                connection.execute("SET SESSION foreign_key_checks = 0")
            yield connection

    def create_schema(self, schema: str, into: str) -> None:
        with self._hands.recovered() as ours, self._writer() as writer:
            row = ours.query(
                "SELECT default_character_set_name AS s, default_collation_name AS c"
                " FROM information_schema.schemata WHERE schema_name = %s",
                (schema,),
            )[0]
            writer.execute(
                f"CREATE DATABASE {quote_identifier(into)} CHARACTER SET {row['s']}"
                f" COLLATE {row['c']}"
            )

    def create_table(self, table: TableState) -> None:
        """Make a table as it was. A copy beside has foreign keys to other copies alone."""
        name = table.source.name
        # Its parents are there, or come in a circle.
        with self._hands.recovered() as ours, self._writer(checked=False) as writer:
            shown = ours.query(f"SHOW CREATE TABLE {name.quoted}")[0]
            writer.execute(f"USE {quote_identifier(table.into.schema)}")
            writer.execute(str(shown["create table"]))
            for key in self._state.foreign_keys if self._hands.wanted.suffix else ():
                if key.child == name and not self._comes_beside(key):
                    writer.execute(
                        f"ALTER TABLE {table.into.quoted}"
                        f" DROP FOREIGN KEY {quote_identifier(key.name)}"
                    )

    def _comes_beside(self, key: rows_keys.ForeignKey) -> bool:
        copied = {table.source.name for table in self._state.tables}
        return key.parent in copied and key.parent.schema == key.child.schema

    def create_programs(self, schema: str, tables: tuple[str, ...], whole: bool) -> None:
        with self._hands.recovered() as ours, self._writer() as writer:
            without = broken(ours, [schema]) if whole else {}
            if whole:
                copy_routines(ours, writer, [schema], without)
                copy_views(ours, writer, [schema], without)
            copy_triggers(ours, writer, [schema], tables, without)
        if without:
            why = "; ".join(f"{name}: {reason}" for name, reason in without.items())
            raise CollectionError(
                f"{schema} was brought but for what the recovered server cannot show or use: {why}"
            )

    def rows(self, table: TableState, kind: Kind) -> None:
        """Bring the rows of a kind over, in transactions of so many rows each."""
        loose = table.source.name in self._state.loose
        with self._hands.running() as looking:
            empty = not looking.query(f"SELECT 1 FROM {table.into.quoted} LIMIT 1")
        with self._writer(checked=not loose) as writer:
            if kind == "missing" and empty:
                self._whole(table, writer)
            else:
                self._single(table, kind, writer)
        if loose:
            self._check_loose(table)

    def _whole(self, table: TableState, writer: Connection) -> None:
        """Fill an empty table. One that has no key is filled at once: it could not be gone on with."""
        most = self._hands.wanted.rows_a_transaction
        columns, name = table.columns, table.source.name
        inserting = carry.Writer(writer)
        with self._hands.recovered() as ours:
            still(ours)
            asked = carry.Source(name.schema, name.table, columns)
            into = (table.into.schema, table.into.table, columns)
            rows = carry.read(ours, asked, inserting.most(*into))
            done = 0
            for group in _grouped(rows, most) if table.source.key else (rows,):
                with _transaction(writer, table):
                    for count in inserting.insert(*into, group):
                        done += count
                        self._hands.say(f"{table.into}: inserted {done:,} of {table.rows:,} rows")

    def _single(self, table: TableState, kind: Kind, writer: Connection) -> None:
        """Change the rows that differ in one way, and no others."""
        running = table.running or replace(table.source, name=table.into)
        done, total = 0, table.count(kind)
        with (
            self._hands.recovered() as ours,
            self._hands.running() as theirs,
            self._hands.recovered() as fetching,
        ):
            still(ours)
            still(theirs)
            prepare(fetching)
            found = (
                one for one in between(ours, theirs, table.source, running) if one.kind == kind
            )
            for group in _grouped(found, self._hands.wanted.rows_a_transaction):
                with _transaction(writer, table):
                    for part in _grouped(group, CHUNK):
                        done += self._part(table, kind, list(part), writer, fetching)
                self._hands.say(f"{table.into}: {CHANGE_OF[kind]} {done:,} of {total:,} rows")

    def _part(
        self,
        table: TableState,
        kind: Kind,
        part: list[Difference],
        writer: Connection,
        fetching: Connection,
    ) -> int:
        if kind == "missing":
            return self._insert(table, [one.key for one in part], writer, fetching)
        by_key = {one.there: one for one in part}
        keys = rows_keys.chunks(list(by_key), most=carry.packet(writer))
        for texts in keys:
            where = f"{table.source.key_list} IN ({', '.join(texts)})"
            _check_still(table, [by_key[text] for text in texts], where, writer)
            if kind == "extra":
                writer.execute(f"DELETE FROM {table.into.quoted} WHERE {where}")
            else:
                _update(table, [by_key[text] for text in texts], writer, fetching)
        return len(part)

    def _insert(
        self, table: TableState, keys: list[str], writer: Connection, fetching: Connection
    ) -> int:
        name, columns = table.source.name, table.columns
        inserting = carry.Writer(writer)
        into = (table.into.schema, table.into.table, columns)
        done = 0
        for texts in rows_keys.chunks(keys, most=carry.packet(fetching)):
            where = f"{table.source.key_list} IN ({', '.join(texts)})"
            asked = carry.Source(name.schema, name.table, columns, where)
            rows = list(carry.read(fetching, asked, inserting.most(*into)))
            done += sum(inserting.insert(*into, rows))
        return done

    def _check_loose(self, table: TableState) -> None:
        """Raise BinlogError where a row names nobody: the server did not look, since none could be first."""
        with self._hands.running() as connection:
            for key in rows_keys.read(connection):
                count = rows_keys.orphans(connection, key) if key.child == table.into else 0
                if count:
                    proof = [f"{key.text}: {count} rows name nobody"]
                    raise BinlogError("recovery.rows_moved", str(table.into), proof)


@contextmanager
def _transaction(writer: Connection, table: TableState) -> Iterator[None]:
    """Commit what is done within, or nothing of it. Raises BinlogError where rows have moved."""
    writer.execute("START TRANSACTION")
    try:
        yield
        writer.execute("COMMIT")
    except MysqlError as error:
        if error.lost:
            raise
        writer.execute("ROLLBACK")
        if error.errno not in _MOVED:
            raise
        if error.errno == _DUPLICATE and not error.reason.rstrip("'").endswith("PRIMARY"):
            raise BinlogError("recovery.rows_unique", str(table.into), [error.reason]) from error
        raise BinlogError("recovery.rows_moved", str(table.into), [error.reason]) from error
    except BinlogError:
        writer.execute("ROLLBACK")
        raise


def _check_still(table: TableState, part: list[Difference], where: str, writer: Connection) -> None:
    """Lock the rows. Raises BinlogError where one is not as it was when it was compared."""
    columns = table.columns
    key = tuple_expression(table.source.key_columns)
    rows = writer.query(
        f"SELECT {key} AS k, {digest_of(columns)} AS d FROM {table.into.quoted}"
        f" WHERE {where} FOR UPDATE"
    )
    now = {str(row["k"]): str(row["d"]) for row in rows}
    moved = [one.there for one in part if now.get(one.there) != one.digest]
    if moved:
        proof = [f"changed meanwhile: {', '.join(moved[:5])}"]
        raise BinlogError("recovery.rows_moved", str(table.into), proof)


def _update(
    table: TableState, part: Sequence[Difference], writer: Connection, fetching: Connection
) -> None:
    """Write all values of these rows, their keys' too: one may be written otherwise there."""
    name, columns = table.source.name, table.columns
    writing = carry.Writer(writer)
    key = tuple_expression(table.source.key_columns)
    there = {one.key: one.there for one in part}
    for texts in rows_keys.chunks(list(there), most=carry.packet(fetching)):
        where = f"{table.source.key_list} IN ({', '.join(texts)})"
        asked = carry.Source(name.schema, name.table, columns, where)
        for text, values in carry.single(fetching, asked, key):
            assigned = ", ".join(
                f"{quote_identifier(column.name)} = {value}"
                for column, value in zip(columns, writing.expressions(columns, values), strict=True)
            )
            writer.execute(
                f"UPDATE {table.into.quoted} SET {assigned}"
                f" WHERE {table.source.key_list} = {there[text]}"
            )


def _grouped(items: Iterable[T], size: int) -> Iterator[Iterable[T]]:
    """Yield the items, so many at a time; each group is to be used up before the next."""
    found = iter(items)
    while first := list(islice(found, 1)):
        yield _chained(first, islice(found, size - 1))


def _chained(first: list[T], rest: Iterable[T]) -> Iterator[T]:
    yield from first
    yield from rest
