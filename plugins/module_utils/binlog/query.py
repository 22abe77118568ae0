# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Statements that are logged as text, read with what the log says of their session, pure.

Layouts: MySQL Internals, "Query_event" and "Execute_load_query_event", and libbinlogevents'
statement_events.h for the variables before the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from .events import EXECUTE_LOAD_QUERY, Cursor, MalformedError

# Variables of one size, in bytes, by their number; of others, see _read_variables.
_SIZES = MappingProxyType(
    {0: 4, 1: 8, 3: 4, 4: 6, 7: 2, 8: 2, 9: 8, 10: 4, 13: 3, 16: 1, 17: 8, 18: 2} | {19: 1, 20: 1}
)
_SQL_MODE, _CHARSET, _TEXTS, _INVOKER, _UPDATED = 1, 4, frozenset({2, 5, 6}), 11, 12
_LISTED_AT_MOST = 253
_ANSI_QUOTES, _NO_BACKSLASH = 0x4, 0x100000
# How Python calls what character_set_client names, by the number of its collation; UTF-8 for others.
_CODECS = MappingProxyType(
    {1: "big5", 2: "iso8859_2", 4: "cp850", 7: "koi8_r", 8: "cp1252", 9: "iso8859_2", 11: "ascii"}
    | {12: "euc_jp", 13: "shift_jis", 16: "iso8859_8", 18: "tis_620", 19: "cp949", 22: "koi8_u"}
    | {24: "gb2312", 25: "iso8859_7", 26: "cp1250", 28: "gbk", 30: "iso8859_9", 36: "cp866"}
    | {38: "mac_latin2", 39: "mac_roman", 40: "cp852", 41: "iso8859_13", 51: "cp1251"}
    | {57: "cp1256", 59: "cp1257", 95: "cp932", 97: "euc_jp", 248: "gb18030"}
    # Further collations of latin1, euckr, sjis, gbk and big5 that a session may have.
    | dict.fromkeys((5, 15, 31, 47, 48, 49, 94), "cp1252")
    | {84: "big5", 85: "cp949", 87: "gbk", 88: "shift_jis", 96: "cp932"}
)
# Names of servers and of their bytes 0x80 to 0x9f, which cp1252 leaves open in five places.
_LOOSE = MappingProxyType({"cp1252": "latin_1"})


@dataclass(frozen=True)
class Query:
    """A statement. schema: the default one of its session.

    updated: the schemas that it writes to, triggers, functions and foreign keys included; None where
    the log names none or too many. listed: whether the log says anything of them: what a server
    writes by itself has no such word. error: what the statement ended with, 0 for success.
    exact: whether its bytes could be read as text.
    """

    schema: str
    text: str
    updated: tuple[str, ...] | None = None
    listed: bool = False
    error: int = 0
    exact: bool = True
    ansi_quotes: bool = False
    backslash: bool = True


def read_query(event_type: int, body: bytes) -> Query:
    """Return a statement of a Query or an Execute_load_query event. Raises MalformedError."""
    cursor = Cursor(body)
    cursor.take(8)  # thread, seconds
    schema_size = cursor.number(1)
    error = cursor.number(2)
    size = cursor.number(2)
    if event_type == EXECUTE_LOAD_QUERY:
        cursor.take(13)  # the file, and where the text names it
    found = _read_variables(cursor.take(size))
    schema = cursor.take(schema_size).decode(errors="backslashreplace")
    cursor.take(1)
    text, exact = _decoded(cursor.take(cursor.left), found.charset)
    return Query(
        schema,
        text,
        found.updated,
        found.listed,
        error,
        exact,
        bool(found.sql_mode & _ANSI_QUOTES),
        not found.sql_mode & _NO_BACKSLASH,
    )


@dataclass
class _Variables:
    sql_mode: int = 0
    charset: int = 0
    updated: tuple[str, ...] | None = None
    listed: bool = False


def _read_variables(data: bytes) -> _Variables:
    """Read as far as is known: each variable's size is its own, so an unknown one ends it."""
    cursor, found = Cursor(data), _Variables()
    while cursor.left:
        kind = cursor.number(1)
        if kind == _UPDATED:
            found.listed = True
            count = cursor.number(1)
            if count <= _LISTED_AT_MOST:
                found.updated = tuple(_terminated(cursor) for _name in range(count))
        elif kind == _INVOKER:
            cursor.take(cursor.number(1))
            cursor.take(cursor.number(1))
        elif kind in _TEXTS:
            cursor.take(cursor.number(1) + (kind == 2))
        elif kind == _SQL_MODE:
            found.sql_mode = cursor.number(8)
        elif kind == _CHARSET:
            found.charset = cursor.number(2)
            cursor.take(4)
        elif kind in _SIZES:
            cursor.take(_SIZES[kind])
        else:
            break
    return found


def _terminated(cursor: Cursor) -> str:
    end = cursor.data.find(0, cursor.at)
    if end < 0:
        raise MalformedError("the name of a schema that a statement writes to has no end")
    name = cursor.take(end - cursor.at).decode(errors="backslashreplace")
    cursor.take(1)
    return name


def _decoded(data: bytes, charset: int) -> tuple[str, bool]:
    """Return bytes as text, and whether that is what they are; else their escapes."""
    if data.isascii():
        return data.decode("ascii"), True
    codec = _CODECS.get(charset, "utf-8")
    for name in (codec, _LOOSE.get(codec, codec)):
        try:
            return data.decode(name), True
        except UnicodeDecodeError:
            continue
    return data.decode(errors="backslashreplace"), False
