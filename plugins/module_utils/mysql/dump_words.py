# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A statement as its words: comments are gone, a versioned comment is code where the server takes it as code.

Read lazily: of an INSERT of a gigabyte only its head is ever looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .connection import Version

Kind = Literal["word", "quoted", "text", "sign"]

TOKEN = re.compile(
    rb"(?P<blank>\s+|#[^\n]*|--(?=\s|\Z)[^\n]*|/\*(?!!).*?\*/)"
    rb"|(?P<open>/\*!)(?P<version>[0-9]{5,6})?"
    rb"|(?P<close>\*/)"
    rb"|(?P<text>'(?:[^'\\]++|\\.|'')*+'|\"(?:[^\"\\]++|\\.|\"\")*+\")"
    rb"|(?P<quoted>`(?:[^`]++|``)*+`)"
    rb"|(?P<word>[0-9A-Za-z_$\x80-\xff]+)"
    rb"|(?P<sign>:=|@@|.)",
    re.S,
)

CODECS = {
    "latin1": "cp1252",
    "latin2": "iso8859_2",
    "latin5": "iso8859_9",
    "latin7": "iso8859_13",
    "greek": "iso8859_7",
    "hebrew": "iso8859_8",
    "euckr": "euc_kr",
    "ujis": "euc_jp",
    "eucjpms": "euc_jp",
    "sjis": "cp932",
    "tis620": "tis_620",
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    "macroman": "mac_roman",
    **{
        name: name
        for name in ("ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852")
    },
    **{name: name for name in ("cp866", "cp932", "gb18030", "gb2312", "gbk")},
}
"""Python's names of character sets that a session may send; those that are not here are UTF-8."""


@dataclass(frozen=True)
class Word:
    """One word, name, text or sign. joined: whether nothing stands between it and the one before."""

    kind: Kind
    text: bytes
    start: int
    end: int
    joined: bool

    @property
    def upper(self) -> bytes:
        """The word as keywords are compared; nothing for what is quoted."""
        return self.text.upper() if self.kind in ("word", "sign") else b""


def number_of(version: Version) -> int:
    """Return a version as versioned comments write it: 80015 for 8.0.15."""
    return version[0] * 10_000 + version[1] * 100 + version[2]


def words_of(text: bytes, version: Version) -> Iterator[Word]:
    """Yield the words of a text as a server of that version reads it."""
    at, inside, joined = 0, 0, False
    while at < len(text):
        found = TOKEN.match(text, at)
        kind = str(found.lastgroup) if found else "sign"
        end = found.end() if found else at + 1
        if found and kind in ("open", "version"):
            least = int(found["version"] or 0)
            if least > number_of(version):
                close = text.find(b"*/", end)
                end = len(text) if close < 0 else close + 2
            else:
                inside += 1
            joined = False
        elif kind == "close" and inside:
            inside -= 1
            joined = False
        elif kind == "blank":
            joined = False
        else:
            known: Kind = kind if kind in ("word", "quoted", "text") else "sign"  # type: ignore[assignment]
            yield Word(known, text[at:end], at, end, joined)
            joined = True
        at = end


def written(words: list[Word]) -> bytes:
    """Return words as a statement again, without the comments that stood between them."""
    return b"".join(
        word.text if word.joined or not index else b" " + word.text
        for index, word in enumerate(words)
    )


def name_of(text: bytes, charset: str = "utf8mb4") -> str:
    """Return an identifier without its quotes. charset: the one that the session sends."""
    for quote in (b"`", b'"', b"'"):
        if text.startswith(quote) and len(text) > 1:
            text = text[1:-1].replace(quote * 2, quote)
            break
    return decoded(text, charset)


def decoded(text: bytes, charset: str) -> str:
    """Return bytes of a session of that character set as text."""
    return text.decode(CODECS.get(charset, "utf-8"), "backslashreplace")


class Words:
    """The words of one statement, taken one after the other."""

    def __init__(self, words: Iterator[Word]) -> None:
        self._words = words
        self._ahead: list[Word] = []
        self.depth = 0

    def peek(self, index: int = 0) -> Word | None:
        """Return a word ahead, None after the end."""
        while len(self._ahead) <= index:
            word = next(self._words, None)
            if word is None:
                return None
            self._ahead.append(word)
        return self._ahead[index]

    def take(self) -> Word | None:
        """Return the next word and stand after it; ``depth`` is that of the parentheses there."""
        word = self.peek()
        if word is not None:
            del self._ahead[0]
            self.depth += {b"(": 1, b")": -1}.get(word.upper, 0)
        return word

    def skip(self, *keywords: bytes) -> bool:
        """Stand after these keywords if they all come next; whether they did."""
        for index, keyword in enumerate(keywords):
            word = self.peek(index)
            if word is None or word.upper != keyword:
                return False
        for _keyword in keywords:
            self.take()
        return True

    def skip_any(self, *keywords: bytes) -> None:
        """Stand after all of these keywords that come next, in any order."""
        while (word := self.peek()) and word.upper in keywords:
            self.take()

    def find(self, *keywords: bytes) -> bytes:
        """Stand after the next of these keywords outside of parentheses; empty if there is none."""
        while word := self.take():
            if not self.depth and word.upper in keywords:
                return word.upper
        return b""

    def name(self, *, pattern: bool = False) -> tuple[bytes, bytes] | None:
        """Take a name: its schema, empty where it is not qualified, and itself, both as written.

        pattern: whether ``shop.*`` is all of a schema; elsewhere it is all columns of a table.
        """
        first = self.peek()
        if first is None or first.kind == "sign":
            return None
        self.take()
        dot, second = self.peek(), self.peek(1)
        if dot and dot.upper == b"." and second:
            if second.kind == "sign" and not (pattern and second.text == b"*"):
                return b"", first.text
            self.take()
            self.take()
            return first.text, second.text
        return b"", first.text
