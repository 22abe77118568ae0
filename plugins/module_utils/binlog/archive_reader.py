# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive as ``list.sh`` of roles/backup tells of it, wherever that ran. Pure: text in.

Beside what ``archive`` answers from, a listing shows what does not fit: documents whose files are
gone or of another size, and files of a history that a server has left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..finding import CollectionError
from .archive import (
    ARCHIVE_FILE,
    BASES,
    BINLOGS,
    MANIFEST,
    SIDECAR,
    STATUS_FILE,
    Archive,
    Base,
    Binlog,
    Entry,
    build,
    parse,
    read_base,
    read_binlog,
)

FILES = "files"
CLOCK = "clock"
GROWING = " growing"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Status:
    """What the archiver wrote last. Moments: seconds since 1970. behind_bytes: -1 if not known."""

    at: int = 0
    state: str = ""
    server_uuid: str = ""
    file: str = ""
    size: int = 0
    behind_bytes: int = -1
    caught_up_at: int = 0
    error: str = ""


@dataclass(frozen=True)
class Damage:
    """One file that is not as its document says; what: in words. Paths: below the root."""

    document: str
    path: str
    what: str


@dataclass(frozen=True)
class Listing:
    """An archive at one moment. now: its own clock. foreign: what belongs to another history."""

    archive: Archive
    status: Status
    now: int
    files: tuple[Entry, ...] = ()
    damaged: tuple[Damage, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that the archive takes."""
        return sum(entry.size for entry in self.files)

    def damage_of(self, base: Base) -> list[str]:
        """Return what is wrong with the files of a base."""
        path = f"{base.path}/{MANIFEST}"
        return [damage.what for damage in self.damaged if damage.document == path]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield each part of a listing: what its line ``@`` names, and what follows."""
    name, lines = "", list[str]()
    # Not by splitlines: a name may hold what Unicode takes for the end of a line.
    for line in text.split("\n"):
        if line.startswith("@ "):
            if name:
                yield name, "\n".join(lines)
            name, lines = line[2:], []
        else:
            lines.append(line)
    if name:
        yield name, "\n".join(lines)


def read_listing(text: str) -> Listing:
    """Return what a listing shows. Raises CollectionError where it is cut off or unreadable."""
    parts = dict(sections(text))
    if FILES not in parts:
        raise CollectionError("archive: the list of its files is cut off")
    files = tuple(_entries(parts.pop(FILES)))
    now = int(parse(parts.pop(CLOCK, '{"now": 0}'), CLOCK)["now"])
    cluster = str(_optional(parts, ARCHIVE_FILE).get("cluster") or "")
    status = _status(_optional(parts, STATUS_FILE))
    logs: list[Binlog] = []
    bases: list[Base] = []
    for path, content in parts.items():
        if path.startswith(f"{BASES}/"):
            bases.append(read_base(parse(content, path)))
        elif _is_current(path):
            logs.append(_binlog(path, content))
    sizes = {entry.path: entry.size for entry in files}
    damaged = [*_damaged_logs(logs, sizes), *_damaged_bases(bases, sizes)]
    # A log whose file is gone or cut off is a gap, and named as that.
    gone = {damage.document for damage in damaged}
    whole = (log for log in logs if _document(log) not in gone)
    return Listing(
        build(whole, bases, cluster),
        status,
        now,
        files,
        tuple(damaged),
        tuple(sorted(_foreign(files))),
    )


def _entries(text: str) -> Iterator[Entry]:
    for line in filter(None, text.split("\n")):
        size, modified, path = line.split(" ", 2)
        yield Entry(path, int(size), float(modified))


def _optional(parts: dict[str, str], name: str) -> Mapping[str, Any]:
    text = parts.pop(name, "")
    return parse(text, name) if text else {}


def _status(document: Mapping[str, Any]) -> Status:
    known = Status.__dataclass_fields__
    return Status(**{key: value for key, value in document.items() if key in known})


def _is_current(path: str) -> bool:
    """Whether a log lies in a server's own folder, not in one of a history that was left."""
    parts = path.split("/")
    return len(parts) == 3 and parts[0] == BINLOGS and _UUID.fullmatch(parts[1]) is not None


def _binlog(path: str, content: str) -> Binlog:
    folder = path.rpartition("/")[0]
    growing = path.endswith(GROWING)
    return read_binlog(
        parse(content, path),
        folder,
        sealed=not growing,
        path=path.removesuffix(GROWING) if growing else "",
    )


def _document(log: Binlog) -> str:
    return f"{BINLOGS}/{log.server_uuid}/{log.name}{SIDECAR}"


def _damaged_logs(logs: list[Binlog], sizes: Mapping[str, int]) -> Iterator[Damage]:
    for log in logs:
        if log.sealed:
            yield from _differs(_document(log), log.path, log.stored_size, sizes)


def _damaged_bases(bases: list[Base], sizes: Mapping[str, int]) -> Iterator[Damage]:
    for base in bases:
        for file in base.files:
            document = f"{base.path}/{MANIFEST}"
            yield from _differs(document, f"{base.path}/{file.path}", file.size, sizes)


def _differs(document: str, path: str, size: int, sizes: Mapping[str, int]) -> Iterator[Damage]:
    if path not in sizes:
        yield Damage(document, path, f"{path} is missing")
    elif sizes[path] != size:
        yield Damage(document, path, f"{path} has {sizes[path]} bytes, {size} were written")


def _foreign(files: tuple[Entry, ...]) -> set[str]:
    """Return folders of histories that their servers have left."""
    found: set[str] = set()
    for entry in files:
        parts = entry.path.split("/")
        if parts[0] == BINLOGS and len(parts) == 3 and _UUID.fullmatch(parts[1]) is None:
            found.add(f"{BINLOGS}/{parts[1]}")
    return found
