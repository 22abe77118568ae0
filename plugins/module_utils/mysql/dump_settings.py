# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A SET of several assignments: what hides rows from replicas is taken out, the rest stays a SET."""

from __future__ import annotations

from dataclasses import dataclass

from .dump_words import Word, name_of, written

SCOPES = frozenset({b"GLOBAL", b"SESSION", b"LOCAL", b"PERSIST", b"PERSIST_ONLY"})
HIDING = frozenset({"sql_log_bin", "gtid_purged"})
"""With these, rows that the primary takes never reach its replicas."""


@dataclass(frozen=True)
class Assignment:
    """One part of a SET. name: of the variable in lower case (``names`` for SET NAMES), a user's with its @.

    scope: GLOBAL, SESSION, ... or empty. value: the words after the sign. words: all of it.
    """

    name: str
    scope: bytes
    value: tuple[Word, ...]
    words: tuple[Word, ...]

    @property
    def wide(self) -> bool:
        """Whether it sets something for the whole server."""
        return self.scope in (b"GLOBAL", b"PERSIST", b"PERSIST_ONLY")

    @property
    def literal(self) -> str | None:
        """The value if it is one word or one string."""
        if len(self.value) == 1 and self.value[0].kind != "sign":
            return name_of(self.value[0].text)
        return None


def assignments(words: list[Word]) -> list[Assignment]:
    """Return the parts of a SET. words: those after SET."""
    parts: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += {b"(": 1, b")": -1}.get(word.upper, 0)
        if word.upper == b"," and not depth:
            parts.append([])
        else:
            parts[-1].append(word)
    return [_assignment(part) for part in parts if part]


def _assignment(words: list[Word]) -> Assignment:
    rest = list(words)
    scope = b""
    if rest[0].upper == b"@" and len(rest) > 1:
        name = "@" + name_of(rest[1].text).lower()
        return Assignment(name, b"", _value(rest[2:]), tuple(words))
    at = rest[0].upper == b"@@"
    if at:
        del rest[0]
    if rest and rest[0].upper in SCOPES and len(rest) > 1 and rest[1].upper not in (b"=", b":="):
        scope = rest.pop(0).upper
        if rest[0].upper in (b".", b"@@") and len(rest) > 1:
            del rest[0]
    if not rest:
        return Assignment("", scope, (), tuple(words))
    name = name_of(rest[0].text).lower()
    if name in ("character", "charset"):
        name = "names"
        rest = rest[1:] if rest[0].upper == b"CHARACTER" else rest
    return Assignment(name, scope, _value(rest[1:]), tuple(words))


def _value(rest: list[Word]) -> tuple[Word, ...]:
    signs = (b"=", b":=")
    return tuple(rest[1:] if rest and rest[0].upper in signs else rest)


def without_hiding(parts: list[Assignment]) -> bytes:
    """Return the SET without what hides rows; empty if nothing is left of it.

    A scope holds for the assignments after it that name none, so it stays where its own goes.
    """
    kept: list[bytes] = []
    carried = b""
    for part in parts:
        first = part.words[0].upper
        keyword = first if first in SCOPES else b""
        if part.name in HIDING:
            carried = keyword or carried
            continue
        plain = not keyword and first not in (b"@", b"@@") and part.name != "names"
        prefix = carried + b" " if carried and plain else b""
        if plain or keyword:
            carried = b""
        kept.append(prefix + written(list(part.words)))
    return b"SET " + b", ".join(kept) if kept else b""
