# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which databases a statement changes, and whether it changes more than databases.

What a statement only reads (SELECT, LIKE, REFERENCES, a view's tables) is no target, nor is what a
program that it makes will do one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .dump_words import Words

# What no database holds, in the words of errors.
SERVER = b"the whole server"
ACCOUNTS = b"accounts of the server"
ALL = b"all databases (*.*)"

NAMED_KINDS = frozenset(
    {b"TABLE", b"TABLES", b"VIEW", b"PROCEDURE", b"FUNCTION", b"TRIGGER", b"EVENT", b"LIBRARY"}
)
SCHEMA_KINDS = frozenset({b"DATABASE", b"SCHEMA"})
ACCOUNT_KINDS = frozenset({b"USER", b"ROLE"})
SERVER_KINDS = frozenset(
    {b"SERVER", b"TABLESPACE", b"UNDO", b"LOGFILE", b"RESOURCE", b"INSTANCE", b"REFERENCE"}
)
KINDS = NAMED_KINDS | SCHEMA_KINDS | ACCOUNT_KINDS | SERVER_KINDS | {b"INDEX"}
SERVER_VERBS = frozenset(
    {b"CHANGE", b"RESET", b"PURGE", b"STOP", b"SHUTDOWN", b"RESTART", b"KILL", b"CLONE"}
    | {b"INSTALL", b"UNINSTALL"}
)
NO_NAME = frozenset({b"CHARACTER", b"CHARSET", b"COLLATE", b"DEFAULT", b"ENCRYPTION", b"READ"})

Target = bytes
"""A schema as it is written, empty for the session's own; or one of the three above."""


def targets(words: Words) -> Iterator[Target]:
    """Yield what a statement changes."""
    first = words.take()
    verb = first.upper if first else b""
    if verb in SERVER_VERBS:
        yield SERVER
    elif verb in RULES:
        yield from RULES[verb](words)


def kind_of(words: Words) -> bytes:
    """Stand after what a CREATE, ALTER or DROP is for (TABLE, EVENT, ...) and return it."""
    while word := words.take():
        if word.upper in (b"=", b"@"):
            words.take()
        elif word.upper in KINDS:
            return word.upper
    return b""


def _schema(name: tuple[bytes, bytes] | None) -> Iterator[Target]:
    if name is not None:
        yield name[0]


def _names(words: Words) -> Iterator[Target]:
    """Yield the schemas of names with commas between them, whatever follows each of them."""
    yield from _schema(words.name())
    while words.find(b","):
        yield from _schema(words.name())


def _create(words: Words) -> Iterator[Target]:
    yield from _made(words, kind_of(words), b"CREATE")


def _alter(words: Words) -> Iterator[Target]:
    yield from _made(words, kind_of(words), b"ALTER")


def _made(words: Words, kind: bytes, verb: bytes) -> Iterator[Target]:
    words.skip(b"IF", b"NOT", b"EXISTS")
    words.skip(b"IF", b"EXISTS")
    if kind in SERVER_KINDS or (kind in ACCOUNT_KINDS and verb == b"ALTER"):
        yield ACCOUNTS if kind in ACCOUNT_KINDS else SERVER
    elif kind in SCHEMA_KINDS:
        named = words.peek()
        if named and named.upper not in NO_NAME:
            yield (words.name() or (b"", b""))[1]
    elif kind == b"INDEX":
        words.find(b"ON")
        yield from _schema(words.name())
    elif kind in NAMED_KINDS:
        yield from _schema(words.name())
        if kind == b"TRIGGER" and words.find(b"ON"):
            yield from _schema(words.name())
        if verb == b"ALTER" and kind in (b"TABLE", b"EVENT"):
            yield from _moved(words)


def _moved(words: Words) -> Iterator[Target]:
    """Yield where an ALTER moves a table, an event or a partition's rows."""
    while found := words.find(b"RENAME", b"WITH"):
        if found == b"WITH":
            if words.skip(b"TABLE"):
                yield from _schema(words.name())
            continue
        after = words.peek()
        if after and after.upper in (b"COLUMN", b"INDEX", b"KEY"):
            continue
        words.skip_any(b"TO", b"AS", b"=")
        yield from _schema(words.name())


def _drop(words: Words) -> Iterator[Target]:
    kind = kind_of(words)
    words.skip(b"IF", b"EXISTS")
    if kind in SERVER_KINDS or kind in ACCOUNT_KINDS:
        yield ACCOUNTS if kind in ACCOUNT_KINDS else SERVER
    elif kind in SCHEMA_KINDS:
        yield (words.name() or (b"", b""))[1]
    elif kind == b"INDEX":
        words.find(b"ON")
        yield from _schema(words.name())
    else:
        yield from _names(words)


def _rename(words: Words) -> Iterator[Target]:
    kind = kind_of(words)
    if kind in ACCOUNT_KINDS:
        yield ACCOUNTS
        return
    yield from _schema(words.name())
    while words.find(b",", b"TO"):
        yield from _schema(words.name())


def _truncate(words: Words) -> Iterator[Target]:
    words.skip(b"TABLE")
    yield from _schema(words.name())


def _insert(words: Words) -> Iterator[Target]:
    words.skip_any(b"LOW_PRIORITY", b"DELAYED", b"HIGH_PRIORITY", b"IGNORE", b"INTO")
    yield from _schema(words.name())


def _update(words: Words) -> Iterator[Target]:
    words.skip_any(b"LOW_PRIORITY", b"IGNORE")
    yield from _listed(words, b"SET")


def _delete(words: Words) -> Iterator[Target]:
    words.skip_any(b"LOW_PRIORITY", b"QUICK", b"IGNORE", b"FROM")
    yield from _listed(words, b"WHERE")


def _listed(words: Words, end: bytes) -> Iterator[Target]:
    """Yield the schemas of all tables that are named up to a keyword, those that are only read too."""
    yield from _schema(words.name())
    before = (b",", b"JOIN", b"STRAIGHT_JOIN", b"FROM", b"USING")
    while (found := words.find(*before, end)) and found != end:
        yield from _schema(words.name())


def _with(words: Words) -> Iterator[Target]:
    found = words.find(b"UPDATE", b"DELETE", b"SELECT")
    if found != b"SELECT":
        yield from (_update if found == b"UPDATE" else _delete)(words)


def _load(words: Words) -> Iterator[Target]:
    if words.find(b"INTO", b"INDEX") == b"INTO":
        words.skip(b"TABLE")
        yield from _schema(words.name())


def _kept(words: Words) -> Iterator[Target]:
    """Yield the tables of ANALYZE, CHECK, OPTIMIZE, REPAIR and LOCK."""
    words.skip_any(b"NO_WRITE_TO_BINLOG", b"LOCAL")
    if words.skip(b"TABLE") or words.skip(b"TABLES"):
        yield from _names(words)
    elif words.skip(b"INSTANCE"):
        yield SERVER


def _call(words: Words) -> Iterator[Target]:
    yield from _schema(words.name())


def _use(words: Words) -> Iterator[Target]:
    yield (words.name() or (b"", b""))[1]


def _grant(words: Words) -> Iterator[Target]:
    if words.find(b"ON", b"TO", b"FROM") != b"ON":
        yield ACCOUNTS
        return
    words.skip_any(b"TABLE", b"FUNCTION", b"PROCEDURE")
    if words.skip(b"*"):
        yield ALL if words.skip(b".") else b""
        return
    schema, _object = words.name(pattern=True) or (b"", b"")
    # In a GRANT a name is a pattern, and mysqldump's authors and others escape what means anything there.
    yield schema.replace(b"\\_", b"_").replace(b"\\%", b"%")


def _set(words: Words) -> Iterator[Target]:
    word = words.peek()
    if word and word.upper in (b"PASSWORD", b"DEFAULT"):
        yield ACCOUNTS


def _start(words: Words) -> Iterator[Target]:
    word = words.peek()
    if word and word.upper != b"TRANSACTION":
        yield SERVER


def _import(words: Words) -> Iterator[Target]:
    if words.skip(b"TABLE"):
        yield SERVER


RULES: Mapping[bytes, Callable[[Words], Iterator[Target]]] = {
    b"ALTER": _alter,
    b"ANALYZE": _kept,
    b"CALL": _call,
    b"CHECK": _kept,
    b"CREATE": _create,
    b"DELETE": _delete,
    b"DROP": _drop,
    b"GRANT": _grant,
    b"IMPORT": _import,
    b"INSERT": _insert,
    b"LOAD": _load,
    b"LOCK": _kept,
    b"OPTIMIZE": _kept,
    b"RENAME": _rename,
    b"REPAIR": _kept,
    b"REPLACE": _insert,
    b"REVOKE": _grant,
    b"SET": _set,
    b"START": _start,
    b"TRUNCATE": _truncate,
    b"UPDATE": _update,
    b"USE": _use,
    b"WITH": _with,
}
