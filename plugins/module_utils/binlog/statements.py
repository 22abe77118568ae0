# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a statement does to which table, from its text; and its text without secrets.

Only as much of SQL is read as says that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .names import TableName

_PATTERN = r"""
    (?P<skip>\s+|\#[^\n]*|--(?=\s|$)[^\n]*|/\*!\d*|/\*(?!!).*?\*/|\*/)
    |(?P<quoted>`(?:[^`]|``)*`)
    |(?P<string>%s)
    |(?P<word>[\w$]+)
    |(?P<mark>.)
    """
_FLAGS = re.VERBOSE | re.DOTALL
_TOKEN = re.compile(_PATTERN % r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*\"""", _FLAGS)
# With sql_mode NO_BACKSLASH_ESCAPES.
_PLAIN_TOKEN = re.compile(_PATTERN % r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""", _FLAGS)
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
    {"IF", "NOT", "EXISTS", "OR", "REPLACE", "IGNORE", "LOW_PRIORITY", "DELAYED"}
    | {"HIGH_PRIORITY", "QUICK", "INTO"}
)
_LISTS = frozenset({"DROP TABLE", "DROP TABLES", "DROP VIEW", "RENAME TABLE", "RENAME TABLES"})
_SCHEMAS = frozenset({"DATABASE", "SCHEMA"})
_OBJECTS = frozenset({"TABLE", "TABLES", "VIEW"})
_INSERTS = frozenset({"INSERT", "REPLACE"})
_DEFINITIONS = frozenset({"DROP", "TRUNCATE", "ALTER", "CREATE", "RENAME"})
_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA", "START"})
_JOINS = frozenset({",", "JOIN", "STRAIGHT_JOIN"})


@dataclass(frozen=True)
class Change:
    """A kind of statement, and the tables that it is about; none where it is about no table."""

    kind: str
    tables: tuple[TableName, ...] = ()


@dataclass(frozen=True)
class Token:
    """text: a name without its quotes. upper: a bare word in capitals, or a mark; else empty.

    string: whether it stands in single or double quotes.
    """

    text: str
    upper: str
    string: bool = False


def tokens_of(sql: str, *, backslash: bool = True) -> list[Token]:
    """Return the words of a statement. backslash: whether one escapes in its strings."""
    found: list[Token] = []
    for match in (_TOKEN if backslash else _PLAIN_TOKEN).finditer(sql):
        text = match[0]
        if match.lastgroup == "quoted":
            found.append(Token(text[1:-1].replace("``", "`"), ""))
        elif match.lastgroup == "string":
            found.append(Token(text[1:-1].replace('""', '"'), "", string=True))
        elif match.lastgroup != "skip":
            found.append(Token(text, text.upper()))
    return found


def is_control(sql: str) -> bool:
    """Whether a statement only begins or ends a transaction, or a part of one."""
    tokens = tokens_of(sql[:200])
    return not tokens or tokens[0].upper in _CONTROL


def read_change(sql: str, schema: str, *, backslash: bool = True) -> Change | None:
    """Return what a statement changes, None for one that changes no table, schema or other object.

    A temporary table is its session's alone. schema: the default one, for names that tell none.
    """
    tokens: Sequence[Token] = tokens_of(sql, backslash=backslash)
    verb = tokens[0].upper if tokens else ""
    if verb == "WITH":
        tokens = _behind_with(tokens)
        verb = tokens[0].upper if tokens else ""
    if verb in _INSERTS or verb == "LOAD":
        return Change("INSERT", _inserted(tokens, verb, schema))
    if verb == "UPDATE":
        named = [name for name, _alias in _references(after_noise(tokens, 1), schema)]
        return Change("UPDATE", tuple(dict.fromkeys(named)))
    if verb == "DELETE":
        return Change("DELETE", _deleted_from(after_noise(tokens, 1), schema))
    return _defined(tokens, verb, schema) if verb in _DEFINITIONS else None


def _defined(tokens: Sequence[Token], verb: str, schema: str) -> Change | None:
    rest = after_noise(tokens, 1)
    what = rest[0].upper if rest else ""
    if what == "TEMPORARY":
        return None
    if verb == "TRUNCATE":
        rest = rest[1:] if what == "TABLE" else rest
        return Change("TRUNCATE", names_at(rest, schema, several=False))
    if what in _SCHEMAS:
        names = after_noise(rest, 1)
        return Change(verb, (TableName(names[0].text, ""),) if names else ())
    if what in _OBJECTS:
        several = f"{verb} {what}" in _LISTS
        return Change(verb, names_at(after_noise(rest, 1), schema, several=several))
    return _about_index(verb, rest, schema)


def _about_index(verb: str, rest: Sequence[Token], schema: str) -> Change:
    """An index is a part of its table: making or dropping it alters the table."""
    words = [token.upper for token in rest]
    if "INDEX" in words[:2] and "ON" in words:
        return Change("ALTER", names_at(rest[words.index("ON") + 1 :], schema, several=False))
    return Change(verb)


def _inserted(tokens: Sequence[Token], verb: str, schema: str) -> tuple[TableName, ...]:
    at = 1
    if verb == "LOAD":
        words = [token.upper for token in tokens]
        at = next(
            (at for at in range(len(words)) if words[at - 1 : at + 1] == ["INTO", "TABLE"]), 0
        )
        at += 1
    return names_at(after_noise(tokens, at), schema, several=False)


def _behind_with(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return the statement behind its common table expressions."""
    for at, (depth, token) in enumerate(_depths(tokens)):
        if not depth and token.upper in ("UPDATE", "DELETE"):
            return tokens[at:]
    return ()


def _depths(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """Yield each word with how many parentheses it stands in."""
    depth = 0
    for token in tokens:
        depth -= token.upper == ")"
        yield depth, token
        depth += token.upper == "("


def _references(tokens: Sequence[Token], schema: str) -> list[tuple[TableName, str]]:
    """Return the tables of a join, each with what the statement calls it, up to SET or WHERE."""
    found: list[tuple[TableName, str]] = []
    wanted, at = True, 0
    while at < len(tokens) and tokens[at].upper not in ("SET", "WHERE", "ORDER", "LIMIT"):
        token = tokens[at]
        if wanted and token.upper != "(":
            name, at = _name(tokens, at, schema)
            alias = at + 1 if at < len(tokens) and tokens[at].upper == "AS" else at
            found.append((name, tokens[alias].text if alias < len(tokens) else ""))
            wanted = False
            continue
        inside = tokens[at + 1].upper if at + 1 < len(tokens) else ""
        if token.upper == "(" and (not wanted or inside in ("SELECT", "WITH", "VALUES")):
            at, wanted = _behind_parenthesis(tokens, at), False
            continue
        wanted = token.upper in _JOINS or (wanted and token.upper == "(")
        at += 1
    return found


def _behind_parenthesis(tokens: Sequence[Token], at: int) -> int:
    for behind, (depth, token) in enumerate(_depths(tokens[at:]), at):
        if not depth and token.upper == ")":
            return behind + 1
    return len(tokens)


def _deleted_from(tokens: Sequence[Token], schema: str) -> tuple[TableName, ...]:
    """Return the tables of a DELETE: of one, or some of a join, by name or by what it calls them."""
    named: list[tuple[TableName, bool]] = []
    at = 1 if tokens and tokens[0].upper == "FROM" else 0
    while at < len(tokens):
        short = at + 1 >= len(tokens) or tokens[at + 1].upper != "."
        star = at + 2 < len(tokens) and tokens[at + 2].upper == "*"
        short = short or star
        name, behind = _name(tokens, at, schema)
        named.append((TableName(schema, tokens[at].text), True) if short else (name, False))
        at = at + 1 if short else behind
        if [token.upper for token in tokens[at : at + 2]] == [".", "*"]:
            at += 2
        if at >= len(tokens) or tokens[at].upper != ",":
            break
        at += 1
    if at >= len(tokens) or tokens[at].upper not in ("FROM", "USING"):
        return tuple(name for name, _short in named)
    called = {alias: name for name, alias in _references(tokens[at + 1 :], schema)}
    return tuple(called.get(name.table, name) if short else name for name, short in named)


def after_noise(tokens: Sequence[Token], at: int) -> Sequence[Token]:
    """Return the words from a place on, without what stands before a name."""
    while at < len(tokens) and tokens[at].upper in _NOISE:
        at += 1
    return tokens[at:]


def names_at(tokens: Sequence[Token], schema: str, *, several: bool) -> tuple[TableName, ...]:
    """Return the tables that tokens begin with: one, or a list with commas (and TO, in RENAME)."""
    names: list[TableName] = []
    at = 0
    while at < len(tokens):
        name, at = _name(tokens, at, schema)
        names.append(name)
        if not several or at >= len(tokens) or tokens[at].upper not in (",", "TO"):
            break
        at += 1
    return tuple(names)


def _name(tokens: Sequence[Token], at: int, schema: str) -> tuple[TableName, int]:
    first = tokens[at].text
    if at + 2 < len(tokens) and tokens[at + 1].upper == ".":
        return TableName(first, tokens[at + 2].text), at + 3
    return TableName(schema, first), at + 1


def masked(sql: str) -> str:
    """Return a statement as it may be shown: those about accounts without passwords and hashes."""
    if _ACCOUNTS.match(sql) is None:
        return sql
    return _SECRET.sub(lambda match: f"{match[1]} {MASK}", sql)
