# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads a whole dump before anything is touched: its fingerprint, and all that a load refuses."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .dump import Dump, DumpFile, open_dump, resolve
from .dump_judge import Judge, Judged, place_of
from .dump_settings import Assignment
from .dump_statements import Source, Splitter, Statement
from .dump_words import name_of
from .load_error import DumpError, LoadError, shown, wrong_dump

BEGUN = re.compile(rb"\n-- (?:MySQL|MariaDB) dump |\n-- Dump created by MySQL pump")
ENDED = re.compile(rb"\n-- Dump (?:completed|end time)")
MADE_OF = re.compile(rb"\n-- Host: [^\n]*?\sDatabase: ([^\r\n]+)")
LONGEST_MARK = 512
PLAIN_MODE = "NO_BACKSLASH_ESCAPES"


class _Read:
    """A stream that notes what passes: its digest and size, and the marks of mysqldump."""

    def __init__(self, path: str) -> None:
        self._stream = open_dump(path)
        self._tail = b"\n"
        self.digest = hashlib.sha256()
        self.size = self.begun = self.ended = 0
        self.made_of: list[str] = []

    def read(self, size: int = -1) -> bytes:
        """Return what the file has next."""
        block = self._stream.read(size)
        self.digest.update(block)
        self.size += len(block)
        text = self._tail + block
        # A mark at the end may not be whole yet: it is looked at with the next block.
        end = max(0, len(text) - LONGEST_MARK) if block else len(text)
        self._count(text, end)
        self._tail = text[end:]
        return block

    def _count(self, text: bytes, end: int) -> None:
        self.begun += sum(1 for found in BEGUN.finditer(text) if found.start() < end)
        self.ended += sum(1 for found in ENDED.finditer(text) if found.start() < end)
        self.made_of += [
            name_of(found[1].strip()) for found in MADE_OF.finditer(text) if found.start() < end
        ]

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


@dataclass
class _Session:
    """What a session would be told so far of how strings read. kept: user variables that keep it."""

    backslash: bool
    charset: str = "utf8mb4"
    kept: dict[str, bool | str] = field(default_factory=dict)

    def heed(self, assigned: Sequence[Assignment]) -> None:
        """Follow the assignments of a SET."""
        for each in assigned:
            words = b"".join(word.text for word in each.value).lower()
            if each.name == "sql_mode" and not each.wide:
                self._mode(words)
            elif each.name in ("names", "character_set_client") and not each.wide:
                value = name_of(each.value[0].text) if each.value else ""
                known = self.kept.get(words.decode("latin1")) if words.startswith(b"@") else value
                self.charset = str(known or self.charset).lower()
            elif each.name.startswith("@"):
                self._keep(each.name, words)

    def _mode(self, words: bytes) -> None:
        if words.startswith(b"@") and not words.startswith(b"@@"):
            self.backslash = bool(self.kept.get(words.decode("latin1"), self.backslash))
        elif not words.startswith(b"@@"):
            self.backslash = PLAIN_MODE.lower().encode() not in words

    def _keep(self, name: str, words: bytes) -> None:
        if words.endswith(b"sql_mode"):
            self.kept[name] = self.backslash
        elif words.endswith(b"character_set_client"):
            self.kept[name] = self.charset


class Survey:
    """One reading of a dump. backslash: whether the server's own sql_mode lets a backslash escape."""

    def __init__(self, judge: Judge, *, backslash: bool = True) -> None:
        self._judge = judge
        self._backslash = backslash
        self._session = _Session(backslash)
        self._roots: Sequence[str] = ()
        self._sizes: dict[str, int] = {}
        self._labels: dict[str, str] = {}
        self._digests: list[bytes] = []
        self._unended: list[str] = []
        self._begun = self._ended = 0
        self._made_of: dict[str, None] = {}
        self._remarks: dict[str, None] = {}
        self._fills = False

    def read(self, roots: Sequence[str]) -> Dump:
        """Return the dump of these files. Raises LoadError for what cannot be loaded."""
        self._roots = roots
        for root in roots:
            self._session = _Session(self._backslash)
            self._file(root, ())
        if self._begun > self._ended:
            proof = [
                f"{self._unended[0]} begins with the header that mysqldump writes",
                "the line '-- Dump completed' that it ends with is not there",
            ]
            raise LoadError("load.truncated", self._unended[0], proof)
        if not self._fills:
            read = [f"{self._labels[path]}: {size:,} bytes" for path, size in self._sizes.items()]
            raise LoadError("load.empty_dump", self._labels[roots[0]], read[:8])
        digest = hashlib.sha256(self._judge.database.encode() + b"\0")
        for each in self._digests:
            digest.update(each)
        files = tuple(
            DumpFile(path, size, self._labels[path]) for path, size in self._sizes.items()
        )
        return Dump(
            files, digest.hexdigest(), tuple(roots), tuple(self._made_of), tuple(self._remarks)
        )

    def _label(self, path: str) -> str:
        name = os.path.basename(path)
        taken = any(label == name and other != path for other, label in self._labels.items())
        return self._labels.setdefault(path, path if taken else name)

    def _file(self, path: str, including: tuple[str, ...]) -> None:
        label = self._label(path)
        if path in including:
            raise LoadError("load.source_loop", path, [" -> ".join([*including, path])])
        at, again = len(self._digests), path in self._sizes
        self._sizes.setdefault(path, 0)
        stream = _Read(path)
        splitter = Splitter(stream)  # type: ignore[arg-type]
        splitter.heed(self._session.backslash, self._session.charset)
        try:
            count = self._items(splitter, label, (*including, path))
        except DumpError as error:
            wrong_dump(error, place_of(label, error.line))
        finally:
            stream.close()
        if not again:
            self._digests.insert(at, stream.digest.digest())
            self._note(path, stream)
        if not count:
            self._empty(label, stream.size, sourced=bool(including))

    def _items(self, splitter: Splitter, label: str, including: tuple[str, ...]) -> int:
        count = 0
        for item in splitter:
            count += 1
            place = place_of(label, item.line)
            if isinstance(item, Source):
                self._file(self._sourced(item, place, including), including)
            else:
                self._statement(item, place, first=including[0] == self._roots[0])
            splitter.heed(self._session.backslash, self._session.charset)
        return count

    def _statement(self, item: Statement, place: str, *, first: bool) -> None:
        judged = self._judge.statement(item.text, place, compound=item.compound)
        self._fills = self._fills or judged.fills
        if judged.drops and not first:
            raise LoadError("load.drops_loaded", place, [f"{place}: {shown(item.text)}"])
        self._session.heed(judged.assigned)
        self._remark(judged, place)

    def _remark(self, judged: Judged, place: str) -> None:
        for name in judged.wide:
            remark = (
                f"{place} sets {name} for the whole server: it stays so, and replicas do not get it"
            )
            self._remarks[remark] = None

    def _sourced(self, item: Source, place: str, including: tuple[str, ...]) -> str:
        path = resolve(including[-1], item.name)
        if not os.path.isfile(path):
            proof = [f"source {item.name}", f"{path} is not a file"]
            raise LoadError("load.file_missing", place, proof, file=item.name)
        given = {os.path.realpath(root) for root in self._roots}
        if path not in including and os.path.realpath(path) in given:
            proof = [f"{place} sources {path}, which is given as well"]
            raise LoadError("load.file_twice", path, proof)
        return path

    def _note(self, path: str, stream: _Read) -> None:
        self._sizes[path] = stream.size
        if stream.begun > stream.ended:
            self._unended.append(self._labels[path])
        self._begun += stream.begun
        self._ended += stream.ended
        self._made_of.update(dict.fromkeys(stream.made_of))

    def _empty(self, label: str, size: int, *, sourced: bool) -> None:
        if not sourced:
            proof = [f"{label} has {size:,} bytes and no statement"]
            raise LoadError("load.empty_dump", label, proof)
        self._remarks[f"{label} holds no statement"] = None
