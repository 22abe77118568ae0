# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables, how many rows of them an event holds, and the bytes of these rows, never what they mean.

Column types and their metadata: MySQL Internals, "Table_map_event".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from .events import (
    DELETE_ROWS,
    DELETE_ROWS_V1,
    PARTIAL_UPDATE_ROWS,
    UPDATE_ROWS,
    UPDATE_ROWS_V1,
    WRITE_ROWS,
    WRITE_ROWS_V1,
    Cursor,
    MalformedError,
)
from .names import TableName

INSERT, UPDATE, DELETE = "INSERT", "UPDATE", "DELETE"

KINDS = MappingProxyType(
    {
        WRITE_ROWS_V1: INSERT,
        WRITE_ROWS: INSERT,
        UPDATE_ROWS_V1: UPDATE,
        UPDATE_ROWS: UPDATE,
        PARTIAL_UPDATE_ROWS: UPDATE,
        DELETE_ROWS_V1: DELETE,
        DELETE_ROWS: DELETE,
    }
)

_V1 = frozenset({WRITE_ROWS_V1, UPDATE_ROWS_V1, DELETE_ROWS_V1})

_BIT, _TIMESTAMP2, _DATETIME2, _TIME2 = 16, 17, 18, 19
_DECIMAL, _ENUM, _SET, _STRING, _JSON = 246, 247, 248, 254, 245

# Types of one size, in bytes: TINY, SHORT, LONG, NULL, TIMESTAMP, LONGLONG, INT24, DATE, TIME,
# DATETIME, YEAR, NEWDATE.
_FIXED = MappingProxyType(
    {1: 1, 2: 2, 3: 4, 6: 0, 7: 4, 8: 8, 9: 3, 10: 3, 11: 3, 12: 8, 13: 1, 14: 3}
)
# FLOAT, DOUBLE: the metadata is the size.
_SIZED = frozenset({4, 5})
# VECTOR, JSON, BLOBs, GEOMETRY: the metadata is the size of the length before the value.
_LENGTH_BEFORE = frozenset({242, _JSON, 249, 250, 251, 252, 255})
# VARCHAR, VAR_STRING: the metadata is the largest length.
_VARYING = frozenset({15, 253})
# Size without fraction; the metadata is the number of digits of the fraction.
_FRACTIONAL = MappingProxyType({_TIMESTAMP2: 4, _DATETIME2: 5, _TIME2: 3})

_META_OF_ONE = frozenset({*_SIZED, *_LENGTH_BEFORE, *_FRACTIONAL})
_META_OF_TWO = frozenset({*_VARYING, _BIT, _DECIMAL, _ENUM, _SET, _STRING})

_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


@dataclass(frozen=True)
class Column:
    """How large a value is: ``size`` bytes, or as many as the ``length`` bytes before it say."""

    size: int
    length: int
    json: bool = False


@dataclass(frozen=True)
class Table:
    """A table as the rows that follow need it."""

    number: int
    schema: str
    name: str
    columns: tuple[Column, ...]

    @cached_property
    def full_name(self) -> TableName:
        """Schema and name."""
        return TableName(self.schema, self.name)

    @cached_property
    def whole(self) -> bytes:
        """The bits of an image that holds every column."""
        count = len(self.columns)
        return ((1 << count) - 1).to_bytes((count + 7) // 8, "little")


def read_table(body: bytes) -> Table:
    """Return the table that a Table_map event announces. Raises MalformedError."""
    cursor = Cursor(body)
    number = cursor.number(6)
    cursor.take(2)  # flags
    schema, name = _name(cursor), _name(cursor)
    types = cursor.take(cursor.packed())
    meta = Cursor(cursor.take(cursor.packed()))
    columns = tuple(_column(kind, _meta(kind, meta)) for kind in types)
    return Table(number, schema, name, columns)


def _name(cursor: Cursor) -> str:
    text = cursor.take(cursor.number(1)).decode(errors="backslashreplace")
    cursor.take(1)
    return text


def _meta(kind: int, meta: Cursor) -> bytes:
    if kind in _META_OF_ONE:
        return meta.take(1)
    return meta.take(2) if kind in _META_OF_TWO else b""


def _column(kind: int, meta: bytes) -> Column:
    if kind in _FIXED:
        return Column(_FIXED[kind], 0)
    if kind in _SIZED:
        return Column(meta[0], 0)
    if kind in _LENGTH_BEFORE:
        return Column(0, meta[0], json=kind == _JSON)
    if kind in _VARYING:
        return Column(0, 1 if int.from_bytes(meta, "little") < 256 else 2)
    if kind in _FRACTIONAL:
        return Column(_FRACTIONAL[kind] + (meta[0] + 1) // 2, 0)
    if kind == _BIT:
        return Column(meta[1] + (meta[0] > 0), 0)
    if kind == _DECIMAL:
        return Column(_decimal_size(meta[0], meta[1]), 0)
    if kind in (_STRING, _ENUM, _SET):
        return _string(meta)
    raise MalformedError(f"column type {kind} is not known")


def _decimal_size(precision: int, scale: int) -> int:
    whole = precision - scale
    return whole // 9 * 4 + _DIGITS[whole % 9] + scale // 9 * 4 + _DIGITS[scale % 9]


def _string(meta: bytes) -> Column:
    """CHAR, ENUM and SET share a type; two bits of a long CHAR's length hide in the first byte."""
    kind, size = meta
    if kind in (_ENUM, _SET):
        return Column(size, 0)
    longest = size | ((kind & 0x30) ^ 0x30) << 4
    return Column(0, 1 if longest < 256 else 2)


def table_number(body: bytes) -> int:
    """Return the number of the table whose rows an event holds."""
    return int.from_bytes(body[:6], "little")


def count_rows(event_type: int, body: bytes, table: Table) -> int:
    """Return how many rows an event inserts, updates or deletes. Raises MalformedError."""
    cursor, present = _opened(event_type, body, table)
    images = [_of(table, bits) for bits in present]
    partial = event_type == PARTIAL_UPDATE_ROWS
    rows = 0
    while cursor.left:
        for index, columns in enumerate(images):
            if partial and index == 1:
                _skip_partial(cursor, table)
            _skip_row(cursor, columns)
        rows += 1
    return rows


@dataclass(frozen=True)
class Image:
    """A row before or after a change. values: the bytes of each column, None for NULL.

    columns: which columns of the table they are, by number.
    """

    columns: tuple[int, ...]
    values: tuple[bytes | None, ...]


def read_images(
    event_type: int, body: bytes, table: Table
) -> Iterator[tuple[Image | None, Image | None]]:
    """Yield each row before and after it was changed; None where there is none.

    Columns that a log may give by their differences alone (JSON) are left out then.
    Raises MalformedError.
    """
    cursor, present = _opened(event_type, body, table)
    numbers = [_numbers(bits, len(table.columns)) for bits in present]
    images = [_of(table, bits) for bits in present]
    kind, partial = KINDS[event_type], event_type == PARTIAL_UPDATE_ROWS
    while cursor.left:
        found: list[Image | None] = []
        for index, columns in enumerate(images):
            if partial and index == 1:
                _skip_partial(cursor, table)
            image = Image(numbers[index], _values(cursor, columns))
            found.append(_without_json(image, table) if partial and index == 1 else image)
        if kind == INSERT:
            yield None, found[0]
        elif kind == DELETE:
            yield found[0], None
        else:
            yield found[0], found[1]


def _without_json(image: Image, table: Table) -> Image:
    kept = [at for at, column in enumerate(image.columns) if not table.columns[column].json]
    return Image(tuple(image.columns[at] for at in kept), tuple(image.values[at] for at in kept))


def _opened(event_type: int, body: bytes, table: Table) -> tuple[Cursor, list[bytes]]:
    """Return a cursor at the first row, and the bits of which columns each image of a row holds."""
    # Table, flags, and from the second version on more, behind its length.
    more = 0 if event_type in _V1 else int.from_bytes(body[8:10], "little")
    cursor = Cursor(body, 8 + more)
    width = cursor.packed()
    if width != len(table.columns):
        raise MalformedError(f"rows of {width} columns follow a table of {len(table.columns)}")
    size = (width + 7) // 8
    count = 2 if KINDS[event_type] == UPDATE else 1
    return cursor, [cursor.take(size) for _image in range(count)]


def _of(table: Table, present: bytes) -> Sequence[Column]:
    """Return the columns that a row's image holds (binlog_row_image may leave some out)."""
    if present == table.whole:
        return table.columns
    return [table.columns[at] for at in _numbers(present, len(table.columns))]


def _numbers(bits: bytes, count: int) -> tuple[int, ...]:
    return tuple(index for index in range(count) if bits[index >> 3] >> (index & 7) & 1)


def _skip_partial(cursor: Cursor, table: Table) -> None:
    """Skip which JSON columns are given as differences; these have a length too."""
    if cursor.packed() & 1:
        cursor.take((sum(column.json for column in table.columns) + 7) // 8)


def _skip_row(cursor: Cursor, columns: Sequence[Column]) -> None:
    nulls = int.from_bytes(cursor.take((len(columns) + 7) // 8), "little")
    data, at = cursor.data, cursor.at
    for index, column in enumerate(columns):
        if nulls >> index & 1:
            continue
        at += column.size
        if column.length:
            at += column.length + int.from_bytes(data[at : at + column.length], "little")
    if at > len(data):
        raise MalformedError(f"a row ends {at - len(data)} bytes behind its event")
    cursor.at = at


def _values(cursor: Cursor, columns: Sequence[Column]) -> tuple[bytes | None, ...]:
    """Return the bytes of each column of a row, its length included."""
    nulls = int.from_bytes(cursor.take((len(columns) + 7) // 8), "little")
    found: list[bytes | None] = []
    for index, column in enumerate(columns):
        if nulls >> index & 1:
            found.append(None)
            continue
        size = column.size
        if column.length:
            at = cursor.at
            size = column.length + int.from_bytes(cursor.data[at : at + column.length], "little")
        found.append(cursor.take(size))
    return tuple(found)
