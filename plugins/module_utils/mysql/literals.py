# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows as texts that another server's INSERT reads: each value a literal that its own server wrote.

The server's QUOTE() and HEX() write them, one text a row; nothing is parsed on the way, and every
version reads them. A row that is larger than a server's max_allowed_packet yields NULL as a whole,
never a row in which a value is NULL: carry.py brings that one over in pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .connection import Connection
from .dialect import quote_identifier

# Values are what the source has, also zero dates and ids of 0; one time zone for both.
SESSION = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "SET SESSION time_zone = '+00:00'",
)

EXACT = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"})
FLOATS = frozenset({"float", "double"})
# Their numbers: two members may read alike, and what was not allowed reads as an empty one.
NUMBERED = frozenset({"bit", "enum", "set"})
_TIMES = frozenset({"date", "datetime", "timestamp", "time"})
# Converted to utf8mb4 and back without loss; other character sets go by their bytes.
_PLAIN_CHARSETS = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii", "latin1"})
# WEIGHT_STRING() tells fewer apart there than = does (tried with every collation of 8.0.15 and 9.7).
_UNWEIGHED = frozenset({"big5_chinese_ci", "gb18030_chinese_ci"})


@dataclass(frozen=True)
class Column:
    """A column as its values need it. padded: whether spaces at the end do not count.

    prefix: how many characters of it a primary key has, 0 for all. longest: bytes that a value may
    have, 0 where that is small.
    """

    name: str
    data_type: str
    charset: str
    generated: bool
    collation: str = ""
    padded: bool = False
    prefix: int = 0
    longest: int = 0

    @property
    def value(self) -> str:
        """The expression of the value, or of what a key has of it."""
        name = quote_identifier(self.name)
        return f"LEFT({name}, {self.prefix})" if self.prefix else name

    @property
    def literal(self) -> str:
        """The expression that writes a value of the column as a literal, NULL as ``NULL``.

        It yields NULL where the value is too large for the server to write.
        """
        value, kind = self.value, self.data_type
        if kind in EXACT:
            return f"IFNULL({value}, 'NULL')"
        if kind in FLOATS:
            # A FLOAT alone would show six digits; adding 0 would lose the sign of -0, a number too.
            return f"QUOTE({value} * 1e0)"
        if kind in _TIMES:
            return f"QUOTE(CONVERT({value} USING utf8mb4))"
        if kind in NUMBERED:
            return f"IFNULL(CAST({value} AS UNSIGNED), 'NULL')"
        if kind == "json":
            # What is too large reads as an empty text, which is no JSON.
            return _or_null(value, f"NULLIF(QUOTE(CONVERT({value} USING utf8mb4)), '''''')")
        if self.charset in _PLAIN_CHARSETS:
            return _or_null(value, f"QUOTE(CONVERT({value} USING utf8mb4))")
        return _or_null(value, f"CONCAT('{self.introducer}x''', HEX({value}), '''')")

    @property
    def introducer(self) -> str:
        """What stands before a literal of bytes."""
        charset = "utf8mb4" if self.data_type == "json" else self.charset
        return f"_{charset} " if charset else ""

    @property
    def sized(self) -> bool:
        """Whether the value is a text or bytes; others are small."""
        small = EXACT | FLOATS | _TIMES | NUMBERED
        return self.data_type not in small

    @property
    def raw(self) -> str:
        """The expression that sends a sized value's bytes, which no limit of the source cuts."""
        return f"CAST({self.value} AS BINARY)"

    @property
    def order(self) -> str:
        """The expression of a text that is equal where the server takes two values for equal."""
        if self.data_type in FLOATS:
            return f"({self.value} + 0e0)"
        if not self.charset or not self.sized:
            return self.literal
        value = f"TRIM(TRAILING ' ' FROM {self.value})" if self.padded else self.value
        if self.collation in _UNWEIGHED:
            return f"HEX({value})"
        return f"HEX(WEIGHT_STRING({value}))"


def _or_null(value: str, written: str) -> str:
    return f"IF({value} IS NULL, 'NULL', {written})"


def columns_of(source: Connection, schema: str, table: str) -> list[Column]:
    """Return the columns of a table in their order. Raises MysqlError."""
    rows = source.query(
        "SELECT c.column_name AS name, c.data_type AS kind, c.character_set_name AS charset,"
        " c.collation_name AS collation, c.character_octet_length AS longest,"
        " c.generation_expression AS made_of, l.pad_attribute AS pad"
        " FROM information_schema.columns c LEFT JOIN information_schema.collations l"
        " ON l.collation_name = c.collation_name"
        " WHERE c.table_schema = %s AND c.table_name = %s ORDER BY c.ordinal_position",
        (schema, table),
    )
    return [
        Column(
            str(row["name"]),
            str(row["kind"]).lower(),
            str(row["charset"] or ""),
            bool(row["made_of"]),
            str(row["collation"] or ""),
            row["pad"] == "PAD SPACE",
            longest=_longest(str(row["kind"]).lower(), row["longest"]),
        )
        for row in rows
    ]


def _longest(kind: str, told: object) -> int:
    if kind in EXACT | FLOATS | _TIMES | NUMBERED:
        return 0
    # JSON, geometries and vectors name no length.
    return int(str(told)) if told is not None else 1 << 32


def key_columns_of(source: Connection, schema: str, table: str) -> tuple[Column, ...]:
    """Return the columns of a table's primary key, in the key's order. Raises MysqlError."""
    by_name = {column.name: column for column in columns_of(source, schema, table)}
    rows = source.query(
        "SELECT column_name AS name, sub_part AS part FROM information_schema.statistics"
        " WHERE table_schema = %s AND table_name = %s AND index_name = 'PRIMARY'"
        " ORDER BY seq_in_index",
        (schema, table),
    )
    return tuple(replace(by_name[str(row["name"])], prefix=int(row["part"] or 0)) for row in rows)


def tuple_expression(columns: Sequence[Column]) -> str:
    """Return the expression that writes these columns of a row as ``(literal,literal,...)``.

    It yields NULL where a value or the whole is too large for the server to write.
    """
    literals = ", ',', ".join(column.literal for column in columns)
    return f"CONCAT('(', {literals}, ')')" if columns else "'()'"


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
