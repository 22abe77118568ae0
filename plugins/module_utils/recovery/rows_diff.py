# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How one table differs on two servers, row by row, in the memory of one row of each. Reads alone.

Both servers write each row's key as a literal and the SHA-256 of its values, in one order; the two
streams are merged. The keys are the very texts that statements name the rows by later. Two keys are
the same where the server takes them for the same, by their columns' collations: 'Bob' and 'bob'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..finding import CollectionError
from ..mysql.connection import Connection
from ..mysql.literals import (
    EXACT,
    Column,
    columns_of,
    key_columns_of,
    qualified,
    tuple_expression,
)
from ..mysql.table_sums import row_digest, tables_of

Kind = Literal["missing", "differing", "extra"]
KINDS: tuple[Kind, ...] = ("missing", "differing", "extra")


@dataclass(frozen=True)
class Name:
    """A table: schema and name."""

    schema: str
    table: str

    @property
    def quoted(self) -> str:
        """The name for statements."""
        return qualified(self.schema, self.table)

    def __str__(self) -> str:
        """Return the name as a person writes it."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class Shape:
    """What a table looks like. kinds: the definition of each column. key: of its primary key.

    prefixes: how many characters the key has of each of its columns, 0 for all; empty: of all, all.
    """

    name: Name
    columns: tuple[Column, ...]
    kinds: tuple[str, ...]
    key: tuple[str, ...]
    prefixes: tuple[int, ...] = ()

    @property
    def definition(self) -> dict[str, str]:
        """Each column's definition by its name."""
        names = (column.name for column in self.columns)
        return dict(zip(names, self.kinds, strict=True))

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that a statement can write."""
        return tuple(column for column in self.columns if not column.generated)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the primary key, in the key's order."""
        by_name = {column.name: column for column in self.columns}
        prefixes = self.prefixes or (0,) * len(self.key)
        return tuple(
            replace(by_name[name], prefix=prefix)
            for name, prefix in zip(self.key, prefixes, strict=True)
        )

    @property
    def key_list(self) -> str:
        """The columns of the key as statements compare them with tuples."""
        return f"({', '.join(column.value for column in self.key_columns)})"


@dataclass(frozen=True)
class Difference:
    """One row. key: as a tuple of literals. digest: of the row that there is to be replaced.

    there: that row's own key, which may be written otherwise.
    """

    kind: Kind
    key: str
    digest: str
    there: str = ""


@dataclass(frozen=True)
class Row:
    """A row's place in the order, its key, and the SHA-256 of its values."""

    order: tuple[int, ...] | bytes
    key: str
    digest: str


def shape_of(connection: Connection, name: Name) -> Shape | None:
    """Return a table's shape, None where it is not there. Raises MysqlError."""
    columns = columns_of(connection, name.schema, name.table)
    if not columns:
        return None
    tables = tables_of(connection, (name.schema,))
    kinds = next((table.columns for table in tables if table.name == name.table), ())
    key = key_columns_of(connection, name.schema, name.table)
    return Shape(
        name,
        tuple(columns),
        tuple(kind for _name, _type, kind in kinds),
        tuple(column.name for column in key),
        tuple(column.prefix for column in key),
    )


def digest_of(columns: Sequence[Column]) -> str:
    """Return the expression of a row's SHA-256 over these columns."""
    return row_digest((column.name, column.data_type) for column in columns)


def ordered_by_number(shape: Shape) -> bool:
    """Whether the key is of whole numbers: then both servers have the rows in that order already."""
    return all(
        column.data_type in EXACT and column.data_type != "decimal" for column in shape.key_columns
    )


def stream(connection: Connection, shape: Shape, columns: Sequence[Column]) -> Iterator[Row]:
    """Yield a table's rows in the order of their keys. columns: those that are compared.

    Raises CollectionError where a row cannot be read whole, MysqlError.
    """
    key = tuple_expression(shape.key_columns)
    by_number = ordered_by_number(shape)
    if by_number:
        order = ", ".join(column.value for column in shape.key_columns)
        place = "NULL"
    else:
        # By what collations take for equal; of the orders that there are any one does.
        connection.execute("SET SESSION max_sort_length = 65536")
        orders = ", ".join(column.order for column in shape.key_columns)
        order = place = f"CAST(CONCAT_WS('#', {orders}) AS BINARY)"
    sql = f"SELECT {key}, {digest_of(columns)}, {place} FROM {shape.name.quoted} ORDER BY {order}"
    for text, digest, at in connection.stream(sql):
        if text is None or digest is None:
            raise CollectionError(
                f"{shape.name} has a row that {connection.address} cannot read: it is larger than"
                f" its max_allowed_packet allows; {text or 'its key'}"
            )
        yield Row(_numbers(text) if by_number else bytes(at), text, digest)


def _numbers(key: str) -> tuple[int, ...]:
    return tuple(int(number) for number in key[1:-1].split(","))


def differences(ours: Iterable[Row], theirs: Iterable[Row]) -> Iterator[Difference]:
    """Merge the rows of the recovered table with those of the running one."""
    left, right = iter(ours), iter(theirs)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and _before(one, other)):
            yield Difference("missing", one.key if one else "", "")
            one = next(left, None)
        elif one is None or _before(other, one):
            yield Difference("extra", other.key, other.digest, other.key)
            other = next(right, None)
        else:
            if one.digest != other.digest:
                yield Difference("differing", one.key, other.digest, other.key)
            one, other = next(left, None), next(right, None)


def _before(first: Row, second: Row) -> bool:
    if isinstance(first.order, bytes) or isinstance(second.order, bytes):
        return bytes(first.order) < bytes(second.order)
    return first.order < second.order
