# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a statement of a dump may do: judged before anything is touched, and again before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from .connection import Version
from .dump_settings import HIDING, Assignment, assignments, without_hiding
from .dump_statements import INSERT
from .dump_targets import ACCOUNTS, ALL, SCHEMA_KINDS, SERVER, kind_of, targets
from .dump_words import Word, Words, name_of, words_of, written
from .load_error import LoadError, shown

IDLE = frozenset(
    {b"SET", b"USE", b"SELECT", b"SHOW", b"COMMIT", b"ROLLBACK", b"START", b"BEGIN", b"LOCK"}
    | {b"UNLOCK", b"FLUSH", b"DO", b"PREPARE", b"DEALLOCATE", b"EXPLAIN", b"DESC", b"DESCRIBE"}
    | {b"CHECK", b"ANALYZE", b"OPTIMIZE", b"SAVEPOINT", b"RELEASE", b"DROP", b"HELP", b"XA"}
)
"""Statements that put nothing into a database."""

PROGRAM_OUTPUT = (b"mysqldump:", b"mysql: ", b"mysqlpump:", b"mariadb-dump:", b"warning: ")
"""How lines begin that get into a dump by ``2>&1``."""
PROGRAMS = frozenset({b"PROCEDURE", b"FUNCTION", b"TRIGGER", b"EVENT"})
BEFORE_STATEMENT = frozenset(
    {b";", b"BEGIN", b"THEN", b"ELSE", b"DO", b"LOOP", b"REPEAT", b":", b")", b"SQL", b"DATA"}
    | {b"DETERMINISTIC", b"DEFINER", b"INVOKER", b"ROW"}
)
BLOCKS = frozenset({b"IF", b"CASE", b"LOOP", b"WHILE", b"REPEAT"})


@dataclass(frozen=True)
class Judged:
    """What is to be done with a statement.

    send: its text, or what is left of it; empty if it is left out. many: whether it is several.
    fills: whether it puts something into the database. drops: whether it drops the database.
    assigned: what it sets. asks: whether the session must be read afterwards. prepares: the text
    that it prepares, or the user variable that has the text.
    """

    send: bytes
    many: bool = False
    fills: bool = False
    drops: bool = False
    creates: bool = False
    asks: bool = False
    assigned: tuple[Assignment, ...] = ()
    prepares: bytes = b""

    @property
    def wide(self) -> list[str]:
        """What it sets for the whole server."""
        return [each.name for each in self.assigned if each.wide and each.name not in HIDING]


@dataclass(frozen=True)
class Judge:
    """Judges statements of a load into one database. version: the server's.

    folded: whether the server takes names of databases in any case.
    """

    database: str
    version: Version
    folded: bool = False
    charset: str = field(default="utf8mb4")

    def statement(self, text: bytes, place: str, *, compound: bool = False) -> Judged:
        """Return what is to be done. place: ``file:line``. compound: whether a ``;`` may separate.

        Raises LoadError for what a load does not run.
        """
        plain = None if compound else INSERT.match(text)
        if plain and plain[1] is None:
            # Most of a dump: rows for a table of the session's own database.
            return Judged(text, fills=True)
        if not compound:
            return self._one(words_of(text, self.version), text, place)
        parts = list(programs(words_of(text, self.version)))
        if len(parts) < 2:
            return self._one(iter(parts[0] if parts else ()), text, place)
        found = [self._one(iter(part), written(part), place) for part in parts]
        hiding = [each for one in found for each in one.assigned if each.name in HIDING]
        if hiding:
            raise self._hides(written(list(hiding[0].words)), place)
        return Judged(
            text,
            many=True,
            fills=any(one.fills for one in found),
            drops=any(one.drops for one in found),
            creates=any(one.creates for one in found),
            asks=any(one.asks for one in found),
            assigned=tuple(each for one in found for each in one.assigned),
        )

    def schema(self, name: bytes, place: str, text: bytes) -> None:
        """Raise LoadError if a schema, as it is written, is another than the load's."""
        if name in (SERVER, ACCOUNTS, ALL):
            found = name.decode()
            proof = [f"{place}: {shown(text)}"]
            raise LoadError(
                "load.beyond_database", place, proof, found=found, database=self.database
            )
        found = name_of(name, self.charset)
        same = found.lower() == self.database.lower() if self.folded else found == self.database
        if name and not same:
            proof = [f"{place}: {shown(text)}"]
            raise LoadError(
                "load.other_database", place, proof, found=found, database=self.database
            )

    def prepared(self, text: bytes, place: str) -> None:
        """Judge a text that the session prepares. Raises LoadError."""
        one = self.statement(text, place)
        if any(each.name in HIDING for each in one.assigned):
            raise self._hides(text, place)

    def _one(self, words: Iterator[Word], text: bytes, place: str) -> Judged:
        first = next(words, None)
        verb = first.upper if first else b""
        if first is None or verb == b";":
            return Judged(text)
        self._not_sql(text, first, place)
        if verb == b"SET":
            rest = list(words)
            self._read(iter([first, *rest]), text, place)
            return self._set(assignments(rest), text, place)
        if verb == b"PREPARE":
            return self._prepare(list(words), text, place)
        if verb in (b"CREATE", b"ALTER", b"DROP"):
            kept = list(words)
            kind = kind_of(Words(iter(kept)))
            self._read(iter([first, *kept]), text, place)
            database = kind in SCHEMA_KINDS
            return Judged(
                text,
                fills=verb not in IDLE and not database,
                drops=verb == b"DROP" and database,
                creates=verb == b"CREATE" and database,
            )
        self._read(chain((first,), words), text, place)
        return Judged(text, fills=verb not in IDLE, asks=verb in (b"CALL", b"EXECUTE"))

    def _read(self, words: Iterator[Word], text: bytes, place: str) -> None:
        for target in targets(Words(words)):
            self.schema(target, place, text)

    def _set(self, parts: list[Assignment], text: bytes, place: str) -> Judged:
        for part in parts:
            if part.name == "gtid_next" and (part.literal or "").lower() != "automatic":
                raise self._binary_log(text, place)
        hiding = any(part.name in HIDING for part in parts)
        send = without_hiding(parts) if hiding else text
        return Judged(send, assigned=tuple(parts), asks=bool(send))

    def _prepare(self, rest: list[Word], text: bytes, place: str) -> Judged:
        source = rest[2:] if len(rest) > 2 and rest[1].upper == b"FROM" else []
        if len(source) == 1 and source[0].kind == "text":
            inner = source[0].text[1:-1].replace(b"''", b"'").replace(b"\\'", b"'")
            self.prepared(inner, place)
        elif len(source) == 2 and source[0].upper == b"@":
            return Judged(text, prepares=source[1].text)
        return Judged(text)

    def _not_sql(self, text: bytes, first: Word, place: str) -> None:
        """Raise LoadError for the beginning of what is no dump at all."""
        if first.upper == b"BINLOG":
            raise self._binary_log(text, place)
        if text[:20].lower().startswith(PROGRAM_OUTPUT):
            line = text.splitlines()[0][:80].decode("utf-8", "replace")
            what = f"it has what a program wrote to its errors: {line}"
            raise LoadError("load.not_sql", place, [what], what=what)

    def _hides(self, text: bytes, place: str) -> LoadError:
        return LoadError("load.hides_rows", place, [f"{place}: {shown(text)}"])

    def _binary_log(self, text: bytes, place: str) -> LoadError:
        return LoadError("load.binary_log_text", place, [f"{place}: {shown(text)}"])


def programs(words: Iterator[Word]) -> Iterator[list[Word]]:
    """Yield the statements of a text between two delimiters, each with its own ``;``.

    A ``;`` inside of a stored program ends nothing: its blocks are counted.
    """
    part: list[Word] = []
    depth = 0
    previous: Word | None = None
    for word in words:
        known = word.upper
        before = previous.upper if previous else b""
        part.append(word)
        previous = word
        if known == b";" and not depth:
            if len(part) > 1:
                yield part
            part, previous = [], None
        elif _is_program(part):
            depth += _opened(known, before, previous_kind=part[-2].kind if len(part) > 1 else "")
    if part:
        yield part


def _is_program(part: list[Word]) -> bool:
    return part[0].upper in (b"CREATE", b"ALTER") and any(
        word.upper in PROGRAMS for word in part[:24]
    )


def _opened(known: bytes, before: bytes, previous_kind: str) -> int:
    """Return by how much a word of a stored program deepens its blocks."""
    if known == b"END":
        return -1
    if before == b"END":
        return 0
    if known in (b"BEGIN", b"CASE", b"WHILE"):
        return 1
    starts = before in BEFORE_STATEMENT or previous_kind == "text"
    return 1 if known in (b"IF", b"LOOP", b"REPEAT") and starts else 0


def place_of(label: str, line: int) -> str:
    """Return a place as a person looks for it."""
    return f"{label}:{line}"
