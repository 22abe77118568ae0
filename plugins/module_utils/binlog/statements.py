# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a statement does to which table, from its text; and its text without secrets.

Only as much of SQL is read as says that. A table is named ``schema.table``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|\#[^\n]*|--(?=\s|$)[^\n]*|/\*!\d*|/\*(?!!).*?\*/|\*/)
    |(?P<quoted>`(?:[^`]|``)*`)
    |(?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<word>[\w$]+)
    |(?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SECRET = re.compile(
    r"""(\bAS|\bBY|=|\bPASSWORD)\s*("(?:[^"\\]|\\.|"")*"|'(?:[^'\\]|\\.|'')*'|0x[0-9a-f]+)""",
    re.IGNORECASE,
)
_ACCOUNTS = re.compile(
    r"\s*(CREATE\s+USER|ALTER\s+USER|SET\s+PASSWORD|GRANT|CREATE\s+SERVER|ALTER\s+SERVER)\b",
    re.IGNORECASE,
)
MASK = "'***'"

# What stands between the verb and the first table.
_NOISE = frozenset(
    {"TEMPORARY", "IF", "NOT", "EXISTS", "OR", "REPLACE", "IGNORE", "LOW_PRIORITY", "DELAYED"}
    | {"HIGH_PRIORITY", "QUICK", "INTO", "FROM"}
)
_LISTS = frozenset({"DROP TABLE", "DROP TABLES", "DROP VIEW", "RENAME TABLE", "RENAME TABLES"})
_SCHEMAS = frozenset({"DATABASE", "SCHEMA"})
_OBJECTS = frozenset({"TABLE", "TABLES", "VIEW"})
_ROWS = MappingProxyType(
    {"INSERT": "INSERT", "REPLACE": "INSERT", "UPDATE": "UPDATE", "DELETE": "DELETE"}
)
_DEFINITIONS = frozenset({"DROP", "TRUNCATE", "ALTER", "CREATE", "RENAME"})
_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA", "START"})


@dataclass(frozen=True)
class Change:
    """A kind of statement, and the tables that it is about.

    A table is ``schema.table``; a whole schema is ``schema.*``. None where it is about no table.
    """

    kind: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Token:
    """text: a name without its quotes. upper: a bare word in capitals, or a mark; else empty."""

    text: str
    upper: str


def _tokens(sql: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(sql):
        text = match[0]
        if match.lastgroup == "quoted":
            found.append(_Token(text[1:-1].replace("``", "`"), ""))
        elif match.lastgroup == "string":
            found.append(_Token(text[1:-1].replace('""', '"'), ""))
        elif match.lastgroup != "skip":
            found.append(_Token(text, text.upper()))
    return found


def is_control(sql: str) -> bool:
    """Whether a statement only begins or ends a transaction, or a part of one."""
    tokens = _tokens(sql[:200])
    return not tokens or tokens[0].upper in _CONTROL


def read_change(sql: str, schema: str) -> Change | None:
    """Return what a statement changes, None for one that changes no table, schema or other object.

    schema: the default one, for names that tell none.
    """
    tokens = _tokens(sql)
    verb = tokens[0].upper if tokens else ""
    if verb in _ROWS:
        return Change(_ROWS[verb], _names(_after_noise(tokens, 1), schema, several=False))
    if verb not in _DEFINITIONS:
        return None
    rest = _after_noise(tokens, 1)
    what = rest[0].upper if rest else ""
    if verb == "TRUNCATE":
        rest = rest[1:] if what == "TABLE" else rest
        return Change("TRUNCATE", _names(rest, schema, several=False))
    if what in _SCHEMAS:
        names = _after_noise(rest, 1)
        return Change(verb, (f"{names[0].text}.*",) if names else ())
    if what in _OBJECTS:
        several = f"{verb} {what}" in _LISTS
        return Change(verb, _names(_after_noise(rest, 1), schema, several=several))
    return _about_index(verb, rest, schema)


def _about_index(verb: str, rest: Sequence[_Token], schema: str) -> Change:
    """An index is a part of its table: making or dropping it alters the table."""
    words = [token.upper for token in rest]
    if "INDEX" in words[:2] and "ON" in words:
        return Change("ALTER", _names(rest[words.index("ON") + 1 :], schema, several=False))
    return Change(verb)


def _after_noise(tokens: Sequence[_Token], at: int) -> Sequence[_Token]:
    while at < len(tokens) and tokens[at].upper in _NOISE:
        at += 1
    return tokens[at:]


def _names(tokens: Sequence[_Token], schema: str, *, several: bool) -> tuple[str, ...]:
    """Return the tables that tokens begin with: one, or a list with commas (and TO, in RENAME)."""
    names: list[str] = []
    at = 0
    while at < len(tokens):
        name, at = _name(tokens, at, schema)
        names.append(name)
        if not several or at >= len(tokens) or tokens[at].upper not in (",", "TO"):
            break
        at += 1
    return tuple(names)


def _name(tokens: Sequence[_Token], at: int, schema: str) -> tuple[str, int]:
    first = tokens[at].text
    if at + 2 < len(tokens) and tokens[at + 1].upper == ".":
        return f"{first}.{tokens[at + 2].text}", at + 3
    return f"{schema}.{first}", at + 1


def covers(changed: str, table: str) -> bool:
    """Whether what a statement changed, a table or a whole schema, is or holds a table."""
    if changed.endswith(".*"):
        return table.partition(".")[0] == changed.removesuffix(".*")
    return changed == table


def masked(sql: str) -> str:
    """Return a statement as it may be shown: those about accounts without passwords and hashes."""
    if _ACCOUNTS.match(sql) is None:
        return sql
    return _SECRET.sub(lambda match: f"{match[1]} {MASK}", sql)
