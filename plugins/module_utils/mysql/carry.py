# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows carried from one server to another, whatever their size.

A row that both servers' max_allowed_packet has room for comes as one text (literals.py). A larger one
comes as the bytes of its values, which no limit of the source cuts, and enters the target from
variables of the session that are put together in pieces. A value itself may be as large as the
target's max_allowed_packet: no function of a server makes a larger one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..finding import CollectionError
from .connection import Connection
from .dialect import quote_identifier
from .literals import (
    Column,
    insert_head,
    qualified,
    rows_statement,
    tuple_expression,
)

BATCH = 1 << 20
"""Bytes of one INSERT, at most, where the server's max_allowed_packet allows as much."""
SLACK = 1024
"""Bytes of a packet that are left for what stands around the values."""
# The text of a JSON document is at most about so many times as long as it is stored.
_JSON_GROWTH = 8

# What sends a row in values: a literal, or the bytes of a text; None for NULL.
Values: TypeAlias = "tuple[str | bytes | None, ...]"


@dataclass(frozen=True)
class Source:
    """Rows of a table. where: which of them, as a condition."""

    schema: str
    table: str
    columns: tuple[Column, ...]
    where: str = "TRUE"


def packet(connection: Connection) -> int:
    """Return the session's max_allowed_packet, in bytes. Raises MysqlError."""
    return int(connection.value("SELECT @@SESSION.max_allowed_packet"))


def size(text: str) -> int:
    """Return how many bytes a text has on the wire."""
    return len(text) if text.isascii() else len(text.encode())


def too_large(source: Connection, rows: Source, most: int) -> list[str]:
    """Return which values cannot be carried to a server whose max_allowed_packet is most.

    One line a column, empty for none. Raises MysqlError.
    """
    found: list[str] = []
    for column in rows.columns:
        if column.longest <= most and column.data_type != "json":
            continue
        length = _large_length(column)
        row = source.query(
            f"SELECT COUNT(*) AS n, MAX({length}) AS longest FROM {qualified(rows.schema, rows.table)}"
            f" WHERE ({rows.where}) AND {_suspect(column, most)}"
            f" AND ({length} = 0 OR {length} > {most})"
        )[0]
        if row["n"]:
            longest = int(row["longest"] or 0)
            words = (
                f"up to {longest} bytes"
                if longest
                else f"JSON that the source itself cannot read: {packet(source)} bytes are its limit"
            )
            name = f"{rows.schema}.{rows.table}.{column.name}"
            found.append(f"{name}: {row['n']} values, {words}")
    return found


def _large_length(column: Column) -> str:
    # The server reads a JSON document as an empty text where its own limit is too small for it.
    return f"LENGTH({quote_identifier(column.name)})"


def _suspect(column: Column, most: int) -> str:
    """Return the condition that leaves out what is certainly small, and costs little."""
    name = quote_identifier(column.name)
    if column.data_type == "json":
        least = f"LEAST({most}, @@SESSION.max_allowed_packet) DIV {_JSON_GROWTH}"
        return f"{name} IS NOT NULL AND JSON_STORAGE_SIZE({name}) > {least}"
    return f"LENGTH({name}) > {most}"


def read(source: Connection, rows: Source, most: int) -> Iterator[str | Values]:
    """Yield each row: as a tuple of literals where that has at most so many bytes, else its values.

    The session has to see one moment: large rows are asked for once more, after the others.
    Raises CollectionError where a row cannot be read whole, MysqlError.
    """
    large = 0
    asked = f"{rows_statement(rows.schema, rows.table, rows.columns)} WHERE {rows.where}"
    for (text,) in source.stream(asked):
        if text is None or size(text) > most:
            large += 1
        else:
            yield str(text)
    if not large:
        return
    written = tuple_expression(rows.columns)
    where = f"({rows.where}) AND IFNULL(LENGTH({written}) > {most}, TRUE)"
    for values in _values(source, rows, where):
        large -= 1
        yield values
    if large:
        raise CollectionError(
            f"{large} rows of {rows.schema}.{rows.table} are too large to be read from"
            f" {source.address}"
        )


def single(source: Connection, rows: Source, key: str) -> Iterator[tuple[str, Values]]:
    """Yield each row's values by its key. key: the expression of that.

    Raises CollectionError where a row cannot be read whole, MysqlError.
    """
    for text, *values in source.stream(f"SELECT {key}, {_asked(rows)}"):
        yield str(text), checked(source, rows, values)


def _values(source: Connection, rows: Source, where: str) -> Iterator[Values]:
    for values in source.stream(f"SELECT {_asked(replace(rows, where=where))}"):
        yield checked(source, rows, values)


def _asked(rows: Source) -> str:
    values = ", ".join(each.raw if each.sized else each.literal for each in rows.columns)
    return f"{values} FROM {qualified(rows.schema, rows.table)} WHERE {rows.where}"


def checked(source: Connection, rows: Source, values: Sequence[str | bytes | None]) -> Values:
    """Return a row's values. Raises CollectionError where one of them did not come whole."""
    for column, value in zip(rows.columns, values, strict=True):
        empty = column.data_type == "json" and value is not None and not value
        if empty or (value is None and not column.sized):
            raise CollectionError(
                f"{rows.schema}.{rows.table}.{column.name} has a value that {source.address} cannot"
                f" read: its max_allowed_packet is {packet(source)} bytes"
            )
    return tuple(values)


class Writer:
    """Writes rows through one session, none of its statements larger than the server takes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.limit = packet(connection)

    def most(self, schema: str, table: str, columns: Sequence[Column]) -> int:
        """Return how many bytes the text of a row may have to be inserted as it is."""
        return max(0, self.limit - size(insert_head(schema, table, columns)) - SLACK)

    def insert(
        self, schema: str, table: str, columns: Sequence[Column], rows: Iterable[str | Values]
    ) -> Iterator[int]:
        """Insert the rows; yield after each statement how many it brought. Raises MysqlError."""
        head = insert_head(schema, table, columns)
        most = min(BATCH, self.most(schema, table, columns))
        batch: list[str] = []
        length = 0
        for row in rows:
            if isinstance(row, str):
                longer = size(row) + 1
                if batch and length + longer > most:
                    yield self._send(head, batch)
                    length = 0
                batch.append(row)
                length += longer
                continue
            # The variables are used before the next row sets them.
            yield self._send(head, [f"({', '.join(self.expressions(columns, row))})"])
        if batch:
            yield self._send(head, batch)

    def _send(self, head: str, batch: list[str]) -> int:
        self._connection.execute(head + ",".join(batch))
        count = len(batch)
        batch.clear()
        return count

    def expressions(self, columns: Sequence[Column], values: Values) -> list[str]:
        """Return what stands for each value in a statement; large ones are in variables by then.

        Raises CollectionError where a value is larger than the server takes, MysqlError.
        """
        # Half of the packet is for values in place; each other one has a variable's name there.
        left = self.limit // 2
        found: list[str] = []
        for number, (column, value) in enumerate(zip(columns, values, strict=True)):
            text = _written(column, value)
            if isinstance(value, bytes) and size(text) > left:
                text = self._variable(f"@mysql_on_kubernetes_{number}", column, value)
            left -= min(left, size(text))
            found.append(text)
        return found

    def _variable(self, name: str, column: Column, value: bytes) -> str:
        """Put a value together in a variable of the session, and return what reads it."""
        if len(value) > self.limit:
            raise CollectionError(
                f"a value of {quote_identifier(column.name)} has {len(value)} bytes;"
                f" {self._connection.address} takes {self.limit} (max_allowed_packet)"
            )
        piece = max(1, (self.limit - SLACK) // 2)
        self._connection.execute(f"SET {name} = x''")
        for at in range(0, len(value), piece):
            part = value[at : at + piece].hex()
            self._connection.execute(f"SET {name} = CONCAT({name}, x'{part}')")
        there = self._connection.value(f"SELECT LENGTH({name})")
        if there is None or int(there) != len(value):
            raise CollectionError(
                f"{self._connection.address} put {there} bytes together of {len(value)}"
            )
        charset = "utf8mb4" if column.data_type == "json" else column.charset
        return f"CONVERT({name} USING {charset})" if charset else name


def _written(column: Column, value: str | bytes | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"{column.introducer}x'{value.hex()}'"
    return value
