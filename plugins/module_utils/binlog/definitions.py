# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What statements that are logged as text do to how many rows their tables have, pure.

Whatever is not known for certain is told as ``Unsure``, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from .events import Cursor
from .names import NOTHING, TableName
from .query import Query
from .statements import Token, after_noise, is_control, names_at, tokens_of

# A statement that is longer may name any table: reading it word by word would take too long.
LONGEST_READ = 1 << 20
_XA = re.compile(r"XA\s+(COMMIT|ROLLBACK)\s+X'([0-9A-Fa-f]*)',\s*X'([0-9A-Fa-f]*)',\s*(\d+)")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]+|\d+e\d+", re.IGNORECASE)
_WRITES = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "LOAD", "SELECT", "DO"})
# They leave the rows of every table as they are; so do those of _MAKES on an object of _OTHERS.
_HARMLESS = frozenset(
    {"GRANT", "REVOKE", "SET", "FLUSH", "ANALYZE", "OPTIMIZE", "CHECK"}
) | frozenset({"INSTALL", "UNINSTALL", "USE"})
_MAKES = frozenset({"CREATE", "ALTER", "DROP", "RENAME"})
_OTHERS = frozenset(
    {"USER", "ROLE", "PROCEDURE", "EVENT", "SERVER", "TABLESPACE", "UNDO", "LOGFILE", "INSTANCE"}
    | {"RESOURCE", "SPATIAL", "LIBRARY", "INDEX", "UNIQUE", "FULLTEXT", "DATABASE", "SCHEMA"}
)
# What writes, or lets write, to tables that a statement does not name.
_PROGRAMS = frozenset({"TRIGGER", "FUNCTION", "VIEW"})


@dataclass(frozen=True)
class Made:
    """A table that has no rows at first. if_absent: nothing happens where it is there already."""

    name: TableName
    if_absent: bool


@dataclass(frozen=True)
class Gone:
    """A table, or a whole schema, that is there no more."""

    name: TableName


@dataclass(frozen=True)
class Emptied:
    """A table without its rows."""

    name: TableName


@dataclass(frozen=True)
class Moved:
    """A table under another name."""

    old: TableName
    new: TableName


@dataclass(frozen=True)
class Altered:
    """A table whose rows may be written otherwise behind this, and are as many."""

    name: TableName


@dataclass(frozen=True)
class Temporary:
    """A name that is a session's own table from here on, perhaps."""

    name: TableName


@dataclass(frozen=True)
class Unsure:
    """A table whose rows are not known behind this; all tables, where it is NOTHING."""

    name: TableName
    why: str


@dataclass(frozen=True)
class Written:
    """Rows changed by a statement as text.

    words: all names in it, in small letters; None where it was not read. schemas: those that it
    writes to by whatever way, None where the log does not tell.
    """

    words: frozenset[str] | None
    schemas: tuple[str, ...] | None
    listed: bool


@dataclass(frozen=True)
class Program:
    """A trigger, a function or a view was made, changed or dropped."""


class Xid(NamedTuple):
    """Whom an XA transaction is called, as XA RECOVER tells it: both parts in hex."""

    gtrid: str
    bqual: str
    format: int

    @property
    def text(self) -> str:
        """As XA COMMIT and XA ROLLBACK take it."""
        return f"X'{self.gtrid}',X'{self.bqual}',{self.format}"


@dataclass(frozen=True)
class Decided:
    """A prepared XA transaction was committed, or rolled back."""

    xid: Xid
    commit: bool


Deed: TypeAlias = (
    "Made | Gone | Emptied | Moved | Altered | Temporary | Unsure | Written | Program | Decided"
)


def read_prepare(body: bytes) -> tuple[Xid, bool]:
    """Return the transaction that an XA_PREPARE event ends, and whether it commits it at once."""
    cursor = Cursor(body)
    one_phase = cursor.number(1) != 0
    form, sizes = cursor.number(4), (cursor.number(4), cursor.number(4))
    gtrid, bqual = (cursor.take(size).hex() for size in sizes)
    return Xid(gtrid, bqual, form), one_phase


def undoes(sql: str) -> bool:
    """Whether a statement takes back rows that stand before it in its transaction."""
    return sql[:8].upper() == "ROLLBACK"


def read_deeds(query: Query) -> tuple[Deed, ...]:
    """Return what a statement does to tables, in its order; nothing for one that does nothing."""
    decided = _XA.match(query.text)
    if decided:
        xid = Xid(decided[2].lower(), decided[3].lower(), int(decided[4]))
        return (Decided(xid, decided[1] == "COMMIT"),)
    if is_control(query.text):
        return ()
    if len(query.text) > LONGEST_READ:
        return (Written(None, query.updated, query.listed),)
    tokens = tokens_of(query.text, backslash=query.backslash)
    if tokens[0].upper in _WRITES:
        words = _words(tokens, query) if query.exact else None
        return (Written(words, query.updated, query.listed),)
    deeds = _defined(tokens, query)
    if query.error or not query.exact:
        shown = f"a statement that ended with error {query.error}" if query.error else "its bytes"
        return tuple(Unsure(name, f"{shown}: {_shown(query)}") for name in _touched(deeds))
    return deeds


def _words(tokens: Sequence[Token], query: Query) -> frozenset[str]:
    return frozenset(
        token.text.lower()
        for token in tokens
        if len(token.text) <= 64
        and (query.ansi_quotes or not token.string)
        and not _NUMBER.fullmatch(token.text)
    )


def _touched(deeds: Sequence[Deed]) -> list[TableName]:
    """Return the tables of deeds; no more is known of them than that."""
    names: list[TableName] = []
    for deed in deeds:
        if isinstance(deed, Moved):
            names += [deed.old, deed.new]
        elif isinstance(deed, (Made, Gone, Emptied, Altered, Unsure)):
            names.append(deed.name)
    return list(dict.fromkeys(names))


def _shown(query: Query) -> str:
    return query.text[:80]


def _defined(tokens: Sequence[Token], query: Query) -> tuple[Deed, ...]:
    verb, rest = tokens[0].upper, after_noise(tokens, 1)
    words = [token.upper for token in rest]
    what = words[0] if words else ""
    if verb in _HARMLESS:
        return ()
    if what == "TEMPORARY":
        return _temporary(verb, tokens, rest, query)
    if verb == "TRUNCATE":
        return tuple(Emptied(name) for name in _names(rest[what == "TABLE" :], query))
    if verb in _MAKES and what in ("TABLE", "TABLES"):
        return _tables(verb, tokens, after_noise(rest, 1), query)
    if verb == "DROP" and what in ("DATABASE", "SCHEMA"):
        return Gone(TableName(after_noise(rest, 1)[0].text, "")), Program()
    if verb in _MAKES and what in _OTHERS:
        return ()
    # CREATE DEFINER = ... stands before these.
    if verb in _MAKES and _PROGRAMS & {*words[:20]}:
        return (Program(),)
    if verb in _MAKES and what == "DEFINER":
        return ()
    if verb == "REPAIR":
        names = _names(after_noise(rest, 1), query, several=True)
        return tuple(Unsure(name, f"{verb} TABLE") for name in names)
    return (Unsure(NOTHING, f"a statement that is not known: {_shown(query)}"),)


def _names(
    tokens: Sequence[Token], query: Query, *, several: bool = False
) -> tuple[TableName, ...]:
    return names_at(tokens, query.schema, several=several)


def _temporary(
    verb: str, tokens: Sequence[Token], rest: Sequence[Token], query: Query
) -> tuple[Deed, ...]:
    if verb != "CREATE":
        return ()
    made = tuple(Temporary(name) for name in _names(after_noise(rest, 2), query))
    if "SELECT" in (token.upper for token in tokens):
        return (*made, Written(_words(tokens, query), query.updated, query.listed))
    return made


def _tables(
    verb: str, tokens: Sequence[Token], named: Sequence[Token], query: Query
) -> tuple[Deed, ...]:
    names = _names(named, query, several=verb in ("DROP", "RENAME"))
    if verb == "DROP":
        return tuple(Gone(name) for name in names)
    if verb == "RENAME":
        pairs = zip(names[::2], names[1::2], strict=True)
        return tuple(Moved(old, new) for old, new in pairs)
    if not names:
        return (Unsure(NOTHING, _shown(query)),)
    words = [token.upper for token in tokens]
    if verb == "CREATE":
        return _created(names[0], words)
    return _altered(names[0], named, query)


def _created(name: TableName, words: Sequence[str]) -> tuple[Deed, ...]:
    made = Made(name, if_absent=words[2:5] == ["IF", "NOT", "EXISTS"])
    # What is selected is logged as rows, and the statement without SELECT, where rows are logged.
    filled = {"SELECT", "WITH"} & {*words} or words.count("TABLE") > 1
    rows = any(words[at : at + 2] == ["VALUES", "ROW"] for at in range(len(words)))
    if filled or rows:
        return made, Unsure(name, "CREATE TABLE ... SELECT logged as a statement")
    return (made,)


def _altered(name: TableName, named: Sequence[Token], query: Query) -> tuple[Deed, ...]:
    words = [token.upper for token in named]
    pairs = {*zip(words, words[1:], strict=False)}
    deeds: list[Deed] = [Altered(name)]
    for verb in ("DROP", "TRUNCATE", "EXCHANGE", "DISCARD", "IMPORT"):
        if (verb, "PARTITION") in pairs or (verb, "TABLESPACE") in pairs:
            deeds.append(Unsure(name, f"ALTER TABLE ... {verb} PARTITION or TABLESPACE"))
    if ("EXCHANGE", "PARTITION") in pairs and ("WITH", "TABLE") in pairs:
        other = names_at(named[_behind(words, "WITH", "TABLE") :], query.schema, several=False)
        deeds += [Unsure(each, "ALTER TABLE ... EXCHANGE PARTITION") for each in other]
    if "ENGINE" in words:
        deeds.append(Unsure(name, "ALTER TABLE ... ENGINE"))
    if {("DROP", "FOREIGN"), ("DROP", "CONSTRAINT")} & pairs:
        deeds.append(Unsure(name, "a foreign key was dropped"))
    renamed = _renamed(named, words, query)
    return (*deeds, *(Moved(name, new) for new in renamed))


def _behind(words: Sequence[str], first: str, second: str) -> int:
    return next(at for at in range(2, len(words)) if [*words[at - 2 : at]] == [first, second])


def _renamed(named: Sequence[Token], words: Sequence[str], query: Query) -> tuple[TableName, ...]:
    """Return the new name that ALTER TABLE gives its table, if it does."""
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else "COLUMN"
        if word == "RENAME" and following not in ("COLUMN", "INDEX", "KEY"):
            begin = at + 1 + (following in ("TO", "AS", "="))
            return names_at(named[begin:], query.schema, several=False)
    return ()
