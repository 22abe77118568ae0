# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Foreign keys among tables that are brought over: in which order, and whom a row would miss. Reads alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..mysql.carry import packet, size
from ..mysql.connection import Connection
from ..mysql.dialect import quote_identifier
from ..mysql.literals import columns_of, tuple_expression
from .rows_diff import Name

CHUNK = 1000
"""Keys in one statement, at most."""
SHOWN = 3


@dataclass(frozen=True)
class ForeignKey:
    """child's columns name a row of parent. delete_rule: as the server calls it."""

    name: str
    child: Name
    columns: tuple[str, ...]
    parent: Name
    parent_columns: tuple[str, ...]
    delete_rule: str

    @property
    def text(self) -> str:
        """The key as a person reads it."""
        columns = ", ".join(self.columns)
        return (
            f"{self.child} ({columns}) references {self.parent} ({', '.join(self.parent_columns)})"
        )

    def beside(self, schemas: Mapping[str, str]) -> ForeignKey:
        """Return the key between the copies of its tables."""
        child = replace(self.child, schema=schemas[self.child.schema])
        return replace(self, child=child, parent=replace(self.parent, schema=child.schema))


def read(connection: Connection) -> tuple[ForeignKey, ...]:
    """Return every foreign key of a server, by child and name. Raises MysqlError."""
    rows = connection.query(
        "SELECT u.constraint_schema AS s, u.constraint_name AS k, u.table_name AS t,"
        " u.column_name AS c, u.referenced_table_schema AS ps, u.referenced_table_name AS pt,"
        " u.referenced_column_name AS pc, r.delete_rule AS d"
        " FROM information_schema.key_column_usage u"
        " JOIN information_schema.referential_constraints r"
        " ON r.constraint_schema = u.constraint_schema AND r.constraint_name = u.constraint_name"
        " WHERE u.referenced_table_name IS NOT NULL ORDER BY s, t, k, u.ordinal_position"
    )
    gathered: dict[tuple[str, str], ForeignKey] = {}
    for row in rows:
        where = (str(row["s"]), str(row["k"]))
        known = gathered.get(where) or ForeignKey(
            where[1],
            Name(where[0], str(row["t"])),
            (),
            Name(str(row["ps"]), str(row["pt"])),
            (),
            str(row["d"]),
        )
        gathered[where] = replace(
            known,
            columns=(*known.columns, str(row["c"])),
            parent_columns=(*known.parent_columns, str(row["pc"])),
        )
    return tuple(gathered.values())


def parents_first(
    tables: Sequence[Name], keys: Collection[ForeignKey]
) -> tuple[tuple[Name, ...], frozenset[Name]]:
    """Return the tables so that each comes after its parents, and those of which none can be first.

    A table that refers to itself is one of the latter.
    """
    parents = {
        table: {key.parent for key in keys if key.child == table and key.parent in tables}
        for table in tables
    }
    ordered: list[Name] = []
    loose = {table for table in tables if table in parents[table]}
    waiting = list(tables)
    while waiting:
        ready = [table for table in waiting if parents[table] - {table} <= set(ordered)]
        if not ready:
            # A circle: whoever comes first has rows whose parents come later.
            ready = [waiting[0]]
            loose |= set(waiting)
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return tuple(ordered), frozenset(loose)


def missing_parents(
    source: Connection, primary: Connection, key: ForeignKey, of: Name, where: str
) -> list[str]:
    """Return what rows of the recovered table refer to and the running server lacks, a few of them.

    of: the recovered table. where: which of its rows, as a condition.
    """
    child = _expression(source, of, key.columns)
    found = source.query(
        f"SELECT DISTINCT {child} AS k FROM {of.quoted} WHERE {where} AND {_not_null(key.columns)}"
    )
    wanted = [str(row["k"]) for row in found]
    lacking: list[str] = []
    expression = _expression(primary, key.parent, key.parent_columns)
    if not expression:
        # The parent itself is not there.
        return wanted[:SHOWN]
    columns = ", ".join(quote_identifier(column) for column in key.parent_columns)
    within = f"FROM {key.parent.quoted} WHERE ({columns})"
    for chunk in chunks(wanted, most=packet(primary)):
        rows = primary.query(f"SELECT {expression} AS k {within} IN ({', '.join(chunk)})")
        there = {str(row["k"]) for row in rows}
        # A collation may take two texts for one: what is not found by its bytes is asked for again.
        asked = (value for value in chunk if value not in there)
        lacking += [value for value in asked if not primary.query(f"SELECT 1 {within} = {value}")]
        if len(lacking) >= SHOWN:
            break
    return lacking[:SHOWN]


def children(primary: Connection, key: ForeignKey, where: str) -> int:
    """Return how many rows of the child refer to rows of the running parent. where: which of those."""
    pairs = zip(key.columns, key.parent_columns, strict=True)
    joined = " AND ".join(
        f"c.{quote_identifier(column)} = p.{quote_identifier(parent)}" for column, parent in pairs
    )
    return int(
        primary.value(
            f"SELECT COUNT(*) FROM {key.child.quoted} c JOIN"
            f" (SELECT * FROM {key.parent.quoted} WHERE {where}) p ON {joined}"
        )
    )


def orphans(primary: Connection, key: ForeignKey) -> int:
    """Return how many rows of the child refer to nobody."""
    pairs = list(zip(key.columns, key.parent_columns, strict=True))
    joined = " AND ".join(
        f"c.{quote_identifier(column)} = p.{quote_identifier(parent)}" for column, parent in pairs
    )
    set_all = " AND ".join(f"c.{quote_identifier(column)} IS NOT NULL" for column, _parent in pairs)
    return int(
        primary.value(
            f"SELECT COUNT(*) FROM {key.child.quoted} c LEFT JOIN {key.parent.quoted} p ON {joined}"
            f" WHERE {set_all} AND p.{quote_identifier(pairs[0][1])} IS NULL"
        )
    )


def chunks(values: Sequence[str], *, most: int) -> Iterator[list[str]]:
    """Yield the values, as many at a time as a statement takes. most: bytes of a packet."""
    part: list[str] = []
    length = 0
    for value in values:
        longer = size(value) + 2
        if part and (len(part) >= CHUNK or length + longer > most // 2):
            yield part
            part, length = [], 0
        part.append(value)
        length += longer
    if part:
        yield part


def _expression(connection: Connection, table: Name, names: Sequence[str]) -> str:
    """Return the expression of some columns as a tuple of literals, empty where they are not there."""
    by_name = {column.name: column for column in columns_of(connection, table.schema, table.table)}
    if not set(names) <= by_name.keys():
        return ""
    return tuple_expression([by_name[name] for name in names])


def _not_null(names: Sequence[str]) -> str:
    return " AND ".join(f"{quote_identifier(name)} IS NOT NULL" for name in names)
