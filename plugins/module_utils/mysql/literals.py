# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows as texts that another server's INSERT reads: each value a literal that its own server wrote.

The server's QUOTE() and HEX() write them, one text a row; nothing is parsed on the way, and every
version reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .connection import Connection
from .dialect import quote_identifier

BATCH = 1 << 20
"""Characters of one INSERT, about; the server's max_allowed_packet is 64 MiB by default."""

# Values are what the source has, also zero dates and ids of 0; one time zone for both.
SESSION = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "SET SESSION time_zone = '+00:00'",
)

EXACT = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"})
_TIMES = frozenset({"date", "datetime", "timestamp", "time"})
_FLOATS = frozenset({"float", "double"})
# Converted to utf8mb4 and back without loss; other character sets go by their bytes.
_PLAIN_CHARSETS = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii", "latin1"})


@dataclass(frozen=True)
class Column:
    """A column as its values need it."""

    name: str
    data_type: str
    charset: str
    generated: bool

    @property
    def literal(self) -> str:
        """The expression that writes a value of the column as a literal, NULL as NULL."""
        name, kind = quote_identifier(self.name), self.data_type
        if kind in EXACT:
            return f"IFNULL({name}, 'NULL')"
        if kind in _FLOATS:
            # A FLOAT alone would show six digits.
            return f"IFNULL({name} + 0e0, 'NULL')"
        if kind in _TIMES or kind == "json" or self.charset in _PLAIN_CHARSETS:
            return f"QUOTE(CONVERT({name} USING utf8mb4))"
        if kind == "bit":
            return f"IFNULL(CAST({name} AS UNSIGNED), 'NULL')"
        introducer = f"_{self.charset} " if self.charset else ""
        return f"IFNULL(CONCAT('{introducer}x''', HEX({name}), ''''), 'NULL')"


def columns_of(source: Connection, schema: str, table: str) -> list[Column]:
    """Return the columns of a table in their order. Raises MysqlError."""
    rows = source.query(
        "SELECT column_name AS name, data_type AS kind, character_set_name AS charset,"
        " generation_expression AS made_of FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, table),
    )
    return [
        Column(
            str(row["name"]),
            str(row["kind"]).lower(),
            str(row["charset"] or ""),
            bool(row["made_of"]),
        )
        for row in rows
    ]


def tuple_expression(columns: Sequence[Column]) -> str:
    """Return the expression that writes these columns of a row as ``(literal,literal,...)``."""
    literals = ", ',', ".join(column.literal for column in columns)
    return f"CONCAT('(', {literals}, ')')"


def qualified(schema: str, table: str) -> str:
    """Return a table's name for statements."""
    return f"{quote_identifier(schema)}.{quote_identifier(table)}"


def rows_statement(schema: str, table: str, columns: Sequence[Column]) -> str:
    """Return the statement that yields each row as ``(literal,literal,...)``."""
    return f"SELECT {tuple_expression(columns)} FROM {qualified(schema, table)}"


def insert_head(schema: str, table: str, columns: Sequence[Column]) -> str:
    """Return what stands before the tuples of an INSERT."""
    names = ", ".join(quote_identifier(column.name) for column in columns)
    return f"INSERT INTO {qualified(schema, table)} ({names}) VALUES "


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the texts, about BATCH characters at a time."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text) + 1
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
