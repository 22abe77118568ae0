# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cuts a stream of SQL into statements, as the mysql client does, in the memory of one of them.

Strings, quoted names, comments and DELIMITER are understood; what is in a versioned comment is
code, as it is for the server. Texts must be in a character set where the bytes of ``'``, ``"``,
``\\`` and a backtick mean nothing else (UTF-8, latin1, euckr, ascii, binary), or in one of LEADING.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from .dump import BLOCK, source_name
from .load_error import DumpError

NAME = rb"(?:`(?:[^`]|``)+`|[0-9A-Za-z_$\x80-\xff]+)"
TEXT = rb"'(?:[^'\\]++|\\[0'\"bnrtZ\\]|'')*+'"
NUMBER = rb"-?[0-9]++(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+"

INSERT = re.compile(
    rb"INSERT\s+INTO\s+(?:(" + NAME + rb")\s*\.\s*)?(" + NAME + rb")\s*"
    rb"(\(\s*" + NAME + rb"(?:\s*,\s*" + NAME + rb")*\s*\))?\s*VALUES?\s*",
    re.IGNORECASE,
)
END = re.compile(rb"\s*;")

BLANK = re.compile(rb"(?:\s++|#[^\n]*+\n|--(?=\s)[^\n]*+\n|/\*(?![!+]).*?\*/)*+", re.S)
OPEN_COMMENT = re.compile(rb"#|--(?=\s|\Z)|/\*(?![!+])")
COMMAND = re.compile(
    rb"(delimiter|source|use|system)(?=[ \t])[ \t]*([^\r\n]*)|(\\[A-FH-Za-fh-z.!#?])[ \t]*([^\r\n]*)"
    rb"|(charset|clear|connect|edit|ego|exit|go|nopager|notee|nowarning|pager|print|prompt|quit"
    rb"|rehash|status|tee|warnings)(?=[ \t\r\n;]|\Z)",
    re.IGNORECASE,
)
SHORT = {b"\\.": b"source", b"\\u": b"use", b"\\d": b"delimiter"}
QUOTES = (b"'", b'"', b"`")
LEADING = {
    **dict.fromkeys(("big5", "gbk", "gb18030"), rb"\x81-\xfe"),
    **dict.fromkeys(("sjis", "cp932"), rb"\x81-\x9f\xe0-\xfc"),
}
"""First bytes of characters whose second byte may be that of a quote or a backslash, by character set."""
LONGEST_TOKEN = 16
LOOKAHEAD = 1 << 16


class Rows:
    """What rows of one table look like where LOAD DATA reads them as INSERT does.

    numbers: for each column whether a bare number is the same to both. It is for numeric columns;
    elsewhere INSERT would turn 007 into '7' and LOAD DATA keep it.
    """

    def __init__(self, numbers: Sequence[bool]) -> None:
        kinds = [rb"(?:" + TEXT + rb"|NULL" + (rb"|" + NUMBER) * bare + rb")" for bare in numbers]
        row = rb"\(" + rb",".join(kinds) + rb"\)"
        # What was read may end between a comma and the blank after it.
        self.many = re.compile(rb"\s*+(?:" + row + rb",\s*+)*+")
        self.one = re.compile(row)


RowsOf = Callable[[str, str, bytes], "Rows | None"]
"""Rows of a table, by its schema ('' if not named), name and column list; None: no such rows."""


def no_rows(_schema: str, _table: str, _columns: bytes) -> None:
    """Say of every table that its INSERTs are sent as they are."""


@dataclass(frozen=True)
class Insert:
    """What an INSERT of literals is made of: rows that LOAD DATA reads as they stand.

    schema: empty if the name is not qualified. columns: the list in parentheses, or empty.
    header: all before the first row. cuts: offsets of the statement's text where a row begins,
    about one for each block read, and at last the end of the last row.
    """

    schema: str
    table: str
    columns: bytes
    header: bytes
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Statement:
    """One statement without its delimiter. line: where it begins, from 1.

    compound: whether the delimiter is not ``;`` and there is one within.
    """

    text: bytes
    line: int
    insert: Insert | None = field(default=None)
    compound: bool = False


@dataclass(frozen=True)
class Source:
    """A ``source`` line: the file's name as it is written there."""

    name: str
    line: int


def unquoted(name: bytes) -> str:
    """Return an identifier without its backticks."""
    if name.startswith(b"`"):
        name = name[1:-1].replace(b"``", b"`")
    return name.decode("utf-8", "surrogateescape")


class Splitter:
    """Iterates over the statements and source lines of one stream.

    rows_of: asked at each INSERT, after all before it was handed out. Call ``heed`` after each
    statement that may change how strings read.
    Raises DumpError for a string or comment that never ends, and for commands of the client.
    """

    def __init__(self, stream: IO[bytes], rows_of: RowsOf = no_rows) -> None:
        self._rows_of = rows_of
        self._session = (True, "utf8mb4")
        self._stream = stream
        self._delimiter = b";"
        self._prepare_patterns()
        self._text = b""
        self._at = 0
        self._line = 1
        self._ended = False
        if self._has(3) and self._text.startswith(b"\xef\xbb\xbf"):
            self._at = 3

    def __iter__(self) -> Iterator[Statement | Source]:
        """Return the statements in the order of the stream."""
        while self._skip_blank():
            item = self._command()
            if item is None:
                item = self._insert() or self._statement()
            if isinstance(item, Source) or (item and item.text):
                yield item

    @property
    def line(self) -> int:
        """The line that is read, from 1."""
        return self._line

    def heed(self, backslash_escapes: bool, charset: str = "utf8mb4") -> None:
        """Read what follows as the session does.

        backslash_escapes: whether a backslash in a string is special (no NO_BACKSLASH_ESCAPES in
        its sql_mode). charset: its character_set_client.
        """
        if self._session != (backslash_escapes, charset):
            self._session = (backslash_escapes, charset)
            self._prepare_patterns()

    def _prepare_patterns(self) -> None:
        backslash, charset = self._session
        leading = LEADING.get(charset, b"")
        texts = {quote: _quoted(quote, backslash and quote != b"`", leading) for quote in QUOTES}
        self._quoted = {quote: re.compile(text, re.S) for quote, text in texts.items()}
        self._next = _next_token(self._delimiter)
        self._plain = _plain_text(self._delimiter, list(texts.values()))

    def _more(self) -> bool:
        """Read on, at least as much again as is waiting. False at the end of the stream."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        block = self._stream.read(max(BLOCK, len(kept)))
        self._ended = not block
        self._text, self._at = kept + block, 0
        return bool(block)

    def _has(self, size: int) -> bool:
        """Have that many bytes ahead if the stream has them; whether there are any at all."""
        while len(self._text) - self._at < size and self._more():
            pass
        return len(self._text) > self._at

    def _take(self, end: int) -> bytes:
        """Return the text up to an offset and stand there."""
        taken = self._text[self._at : end]
        self._line += taken.count(b"\n")
        self._at = end
        return taken

    def _skip_blank(self) -> bool:
        """Stand at the next statement. False where there is none."""
        while True:
            self._has(LONGEST_TOKEN)
            blank = BLANK.match(self._text, self._at)
            self._take(blank.end() if blank else self._at)
            ahead = len(self._text) - self._at
            if ahead < LONGEST_TOKEN and self._more():
                continue
            if not ahead:
                return False
            if not OPEN_COMMENT.match(self._text, self._at):
                return True
            if not self._more():
                return self._open_comment()

    def _open_comment(self) -> bool:
        """Skip a comment that reaches the end of the stream: only a block has to be closed."""
        if self._text.startswith(b"/*", self._at):
            raise DumpError("load.unterminated", self._line, "a comment /* that never ends")
        self._take(len(self._text))
        return False

    def _command(self) -> Statement | Source | None:
        """Take a line that is for the client, not the server; an empty statement for DELIMITER."""
        found = COMMAND.match(self._text, self._at)
        while found and found.end() == len(self._text) and self._more():
            found = COMMAND.match(self._text, self._at)
        if found is None:
            return None
        short = found[3] or b""
        word = SHORT.get(short) or (found[1] or short or found[5]).lower()
        rest = (found[2] or found[4] or b"").strip()
        line = self._line
        if word == b"source":
            self._take(found.end())
            return Source(source_name(rest), line)
        if word == b"use":
            return None if b";" in rest and not short else self._use(rest, found.end())
        if word == b"delimiter":
            return self._set_delimiter(rest, found.end())
        what = f"the command {word.decode()} of the mysql client, which a load does not run"
        raise DumpError("load.client_command", line, what)

    def _use(self, name: bytes, end: int) -> Statement:
        line = self._line
        self._take(end)
        return Statement(b"USE " + name.rstrip(b"; \t"), line)

    def _set_delimiter(self, rest: bytes, end: int) -> Statement:
        words = rest.split()
        if not words or len(words[0]) > LONGEST_TOKEN or b"\\" in words[0]:
            raise DumpError("load.client_command", self._line, "DELIMITER without a usable word")
        self._delimiter = words[0]
        self._prepare_patterns()
        self._take(end)
        return Statement(b"", self._line)

    def _insert(self) -> Statement | None:
        """Take an INSERT whose rows are literals alone; None where it is anything else."""
        if self._delimiter != b";" or self._text[self._at : self._at + 6].upper() != b"INSERT":
            return None
        self._has(LOOKAHEAD)
        head = INSERT.match(self._text, self._at)
        if head is None:
            return None
        schema, columns = unquoted(head[1] or b""), head[3] or b""
        rows = self._rows_of(schema, unquoted(head[2]), columns)
        cuts = self._cuts(rows, head.end() - self._at) if rows else None
        if cuts is None:
            return None
        line = self._line
        text = self._take(self._at + cuts[-1])
        end = END.match(self._text, self._at)
        self._take(end.end() if end else self._at)
        return Statement(
            text, line, Insert(schema, unquoted(head[2]), columns, head[0], tuple(cuts))
        )

    def _cuts(self, rows: Rows, start: int) -> list[int] | None:
        """Return where rows begin, relative to the statement, and the end of the last one."""
        cuts = [start]
        while True:
            many = rows.many.match(self._text, self._at + cuts[-1])
            here = many.end() - self._at if many else cuts[-1]
            moved = here > cuts[-1]
            if moved:
                cuts.append(here)
            last = rows.one.match(self._text, self._at + here)
            if last and END.match(self._text, last.end()):
                return [*cuts, last.end() - self._at]
            ahead = len(self._text) - self._at - here
            if (not moved and ahead > BLOCK) or not self._more():
                return None

    def _statement(self) -> Statement:
        """Take any other statement: up to the delimiter outside of strings and comments."""
        line = self._line
        at = self._at
        while True:
            plain = self._plain.match(self._text, at)
            at = plain.end() if plain else at
            found = self._next.search(self._text, at)
            if found is None:
                at = max(at, len(self._text) - LONGEST_TOKEN) - self._at
                if not self._more():
                    return self._cut(len(self._text), line)
                at += self._at
                continue
            token = found[0]
            if token == self._delimiter or token[:1] == b"\\":
                statement = self._cut(found.start(), line)
                self._take(found.end())
                return statement
            at = self._skip(found.start(), token)

    def _cut(self, end: int, line: int) -> Statement:
        text = self._take(end).rstrip()
        return Statement(text, line, compound=self._delimiter != b";" and b";" in text)

    def _skip(self, at: int, token: bytes) -> int:
        """Return the offset after a string or comment, reading on until it ends."""
        offset = at - self._at
        while True:
            end = self._end_of(self._at + offset, token)
            if end is not None:
                return end
            if self._more():
                continue
            if token in (b"#", b"--"):
                return len(self._text)
            line = self._line + self._text.count(b"\n", self._at, self._at + offset)
            opened = token.decode()
            raise DumpError("load.unterminated", line, f"{opened} is opened and never closed")

    def _end_of(self, at: int, token: bytes) -> int | None:
        """Return the offset after the token that begins at ``at``; None if more text is needed."""
        if token in QUOTES:
            found = self._quoted[token].match(self._text, at)
            return found.end() if found else None
        after = self._text[at + 2 : at + 3]
        if token == b"--" and after and not after.isspace():
            return at + 1
        if token == b"/*" and after == b"!":
            return at + 3
        closing = b"*/" if token == b"/*" else b"\n"
        end = self._text.find(closing, at + len(token))
        return None if end < 0 else end + len(closing)


def _next_token(delimiter: bytes) -> re.Pattern[bytes]:
    """Return what finds the next place where a statement may end or something is quoted."""
    return re.compile(re.escape(delimiter) + rb"|['\"`#]|--|/\*|\\[gG]")


def _quoted(quote: bytes, backslash: bool, leading: bytes) -> bytes:
    """Return the pattern of a quoted text or name. leading: first bytes of wide characters."""
    escape = rb"\\" * backslash
    plain = rb"[^" + quote + escape + leading + rb"]"
    others = [rb"\\."] * backslash + [rb"[" + leading + rb"]."] * bool(leading)
    rest = (rb"(?:(?:" + rb"|".join(others) + rb")" + plain + rb"*+)*+") if others else b""
    return quote + plain + rb"*+" + rest + quote


def _plain_text(delimiter: bytes, quoted: Sequence[bytes]) -> re.Pattern[bytes]:
    """Return what runs over text that ends no statement, whole strings and names included.

    It stops short of all that could be the beginning of something else: ten times as fast as to
    look at each quote alone.
    """
    signs = [rb"-(?=[^-])", rb"/(?=[^*])"]
    signs = [sign for sign in signs if sign[:1] != delimiter[:1]]
    plain = rb"[^'\"`#\\/" + re.escape(delimiter[:1]) + rb"-]"
    inner = rb"|".join([*quoted, *signs])
    return re.compile(plain + rb"*+(?:(?:" + inner + rb")" + plain + rb"*+)*+", re.S)
