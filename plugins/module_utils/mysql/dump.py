# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a dump: which they are, how big, and the fingerprint of all of them."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from dataclasses import dataclass
from typing import IO, cast

from ..finding import CollectionError

BLOCK = 1 << 20
"""Bytes read at a time."""

SOURCE_LINE = re.compile(rb"\n[ \t]*(?:[sS][oO][uU][rR][cC][eE][ \t]+|\\\.[ \t]*)(\S[^\r\n]*)")


@dataclass(frozen=True)
class DumpFile:
    """One file of a dump. size: bytes of SQL, after decompression."""

    path: str
    size: int


@dataclass(frozen=True)
class Dump:
    """A dump and all that its ``source`` lines name, in the order in which they are read.

    fingerprint: sha256 over the contents of all files and the name of the target database.
    """

    files: tuple[DumpFile, ...]
    fingerprint: str

    @property
    def size(self) -> int:
        """Bytes of SQL in all files."""
        return sum(file.size for file in self.files)


def open_dump(path: str) -> IO[bytes]:
    """Open a file of SQL for reading, decompressed if it is gzip. Raises CollectionError."""
    try:
        stream = open(path, "rb")  # noqa: SIM115 - handed to the caller
        magic = stream.read(2)
        stream.seek(0)
    except OSError as error:
        raise CollectionError(f"Cannot read the dump {path}: {error.strerror}") from error
    if magic == b"\x1f\x8b":
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    return stream


def source_name(rest: bytes) -> str:
    """Return the file that the rest of a ``source`` line names."""
    return rest.strip().rstrip(b";").rstrip().decode("utf-8", "surrogateescape")


def resolve(including: str, name: str) -> str:
    """Return the path of a sourced file: relative names are relative to the including file."""
    return os.path.join(os.path.dirname(including), name)


def survey(path: str, database: str) -> Dump:
    """Read all files of a dump once. Raises CollectionError for a file that cannot be read.

    A ``source`` line inside a string would be taken for a real one: that only adds a file to the
    fingerprint, and one that does not exist is left to the load to complain about.
    """
    digest = hashlib.sha256(database.encode() + b"\0")
    files: list[DumpFile] = []
    waiting = [path]
    seen: set[str] = set()
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        size, named = _read(current, digest)
        files.append(DumpFile(current, size))
        sourced = [resolve(current, name) for name in named]
        waiting = [name for name in sourced if os.path.isfile(name)] + waiting
    return Dump(tuple(files), digest.hexdigest())


def _read(path: str, digest: hashlib._Hash) -> tuple[int, list[str]]:
    """Add a file to the digest; return its size and the names in its source lines."""
    size, named, rest = 0, [], b"\n"
    own = hashlib.sha256()
    with open_dump(path) as stream:
        try:
            while block := stream.read(BLOCK):
                own.update(block)
                size += len(block)
                text = rest + block
                whole = text.rfind(b"\n")
                named += [source_name(found) for found in SOURCE_LINE.findall(text[:whole])]
                rest = text[whole:] if len(text) - whole < BLOCK else b""
        except (OSError, EOFError) as error:
            raise CollectionError(f"Cannot read the dump {path}: {error}") from error
    named += [source_name(found) for found in SOURCE_LINE.findall(rest)]
    digest.update(own.digest())
    return size, named
