# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a dump: which they are, what they are packed with, and what is no SQL at all."""

from __future__ import annotations

import gzip
import importlib
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from ..third_party import require
from .load_error import LoadError

BLOCK = 1 << 20
"""Bytes read at a time."""
PACKED_BLOCK = 1 << 14
"""Bytes of zstd opened at a time: what they become is in memory at once."""
HEAD = 1 << 12

SQL_NAMES = (".sql", ".sql.gz", ".sql.zst", ".sql.xz", ".sql.bz2")

# How a file begins, and what it is then, in the words of errors.
FOREIGN: Sequence[tuple[bytes, str]] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x04\x22\x4d\x18", "packed with lz4"),
    (b"\xfebin", "a binary log"),
    (b"\xff\xfe\x00\x00", "UTF-32 text"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"PGDMP", "a dump of PostgreSQL"),
    (b"SQLite format 3\0", "a database of SQLite"),
    (b"Salted__", "encrypted with openssl"),
    (b"-----BEGIN PGP", "encrypted with PGP"),
    (b"age-encryption.org", "encrypted with age"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (b"<", "a page of HTML or XML"),
)
TAR_AT, TAR = 257, b"ustar"


@dataclass(frozen=True)
class DumpFile:
    """One file of a dump. size: bytes of SQL, after decompression. label: how places name it."""

    path: str
    size: int
    label: str = ""


@dataclass(frozen=True)
class Dump:
    """A dump: files in the order in which they are read, with all that their ``source`` lines name.

    fingerprint: sha256 over the contents of all files and the name of the target database.
    roots: the files that are read on their own, each in a session of its own.
    made_of: databases that mysqldump's headers name. remarks: what the user is to know of it.
    """

    files: tuple[DumpFile, ...]
    fingerprint: str
    roots: tuple[str, ...] = ()
    made_of: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of SQL in all files."""
        return sum(file.size for file in self.files)

    def label(self, path: str) -> str:
        """Return how places name a file."""
        return next((file.label for file in self.files if file.path == path), "") or path


class _Unpacked:
    """Reads a stream; what its library says of broken data is a LoadError."""

    def __init__(self, path: str, stream: Any, errors: tuple[type[Exception], ...]) -> None:
        self._path = path
        self._stream = stream
        self._errors: tuple[type[Exception], ...] = (OSError, EOFError, *errors)

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes or fewer, none at the end."""
        try:
            return bytes(self._stream.read(size))
        except self._errors as error:
            raise unreadable(self._path, f"it is damaged or cut off: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> _Unpacked:
        """Return the stream itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the file."""
        self.close()


class _Zstd:
    """Frames of zstd; unlike the library's own stream it sees that the last one is cut off."""

    def __init__(self, stream: IO[bytes], make: Callable[[], Any]) -> None:
        self._stream = stream
        self._make = make
        self._frame: Any = None
        self._ready = b""

    def read(self, size: int) -> bytes:
        """Return that many bytes or fewer, none at the end. Raises EOFError."""
        while not self._ready:
            block = self._stream.read(PACKED_BLOCK)
            if not block and self._frame is not None:
                raise EOFError("its last zstd frame does not end")
            if not block:
                return b""
            self._ready = self._opened(block)
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _opened(self, block: bytes) -> bytes:
        parts: list[bytes] = []
        while block:
            frame = self._frame or self._make()
            parts.append(frame.decompress(block))
            self._frame = None if frame.eof else frame
            block = frame.unused_data if frame.eof else b""
        return b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def unreadable(path: str, why: str) -> LoadError:
    """Return the cause that a file cannot be read."""
    return LoadError("load.file_unreadable", path, [f"{path}: {why}"], reason=why)


def open_dump(path: str) -> IO[bytes]:
    """Open a file of SQL for reading, unpacked if it is gzip, zstd, xz or bzip2.

    Raises LoadError for a file that cannot be read, and for one that is no SQL by how it begins.
    """
    stream = _opened(path)
    try:
        head = stream.read(HEAD)
    finally:
        stream.close()
    what = foreign(head)
    if what:
        raise LoadError("load.not_sql", path, [f"{path} begins with {head[:8]!r}"], what=what)
    return cast(IO[bytes], _opened(path))


def _opened(path: str) -> _Unpacked:
    try:
        stream = open(path, "rb")  # noqa: SIM115 - handed to the caller
        magic = stream.read(6)
        stream.seek(0)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    if magic.startswith(b"\x1f\x8b"):
        return _Unpacked(path, gzip.GzipFile(fileobj=stream), (zlib.error,))
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        zstandard = require("zstandard")
        make = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj
        return _Unpacked(path, _Zstd(stream, make), (zstandard.ZstdError,))
    if magic.startswith(b"\xfd7zXZ\x00"):
        lzma = importlib.import_module("lzma")
        return _Unpacked(path, lzma.LZMAFile(stream), (lzma.LZMAError,))
    if magic.startswith(b"BZh"):
        return _Unpacked(path, importlib.import_module("bz2").BZ2File(stream), (ValueError,))
    return _Unpacked(path, stream, ())


def foreign(head: bytes) -> str:
    """Return what a file is that begins so, if it is no SQL; empty if it may be. Pure."""
    for magic, what in FOREIGN:
        if head.startswith(magic):
            return what
    if head[TAR_AT:].startswith(TAR):
        return "a tar archive"
    if head[1:2] == b"\0" or head[:1] == b"\0":
        return "UTF-16 text" if b"\0" in head[2:8] else "not text"
    return ""


def source_name(rest: bytes) -> str:
    """Return the file that the rest of a ``source`` line names."""
    return os.fsdecode(rest.strip().rstrip(b";").rstrip())


def resolve(including: str, name: str) -> str:
    """Return the path of a sourced file: relative names are relative to the including file."""
    return os.path.join(os.path.dirname(including), name)


def listed(given: Sequence[str]) -> list[str]:
    """Return the files that are meant: each as it is given, of a folder its files of SQL by name.

    Raises LoadError for a file that is not there, for one that is given twice, for a folder
    without any, and for folders that other programs than mysqldump wrote.
    """
    found: list[str] = []
    for name in given:
        path = os.path.expanduser(os.path.expandvars(name))
        if os.path.isdir(path):
            found += _in_folder(path)
        elif not name or not os.path.exists(path):
            raise unreadable(path or "file", "there is no such file")
        else:
            found.append(path)
    seen: dict[str, str] = {}
    for path in found:
        real = os.path.realpath(path)
        if real in seen:
            proof = [f"{seen[real]} and {path} are one file"]
            raise LoadError("load.file_twice", path, proof)
        seen[real] = path
    if not found:
        raise LoadError("load.no_files", "file", ["the list of files is empty"])
    return found


def _in_folder(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise unreadable(folder, error.strerror or str(error)) from error
    if "@.json" in names:
        what = "a folder of MySQL Shell's util.dumpInstance or util.dumpSchemas"
        raise LoadError("load.not_sql", folder, [f"{folder}/@.json"], what=what)
    files = [name for name in names if name.lower().endswith(SQL_NAMES)]
    rows = [name for name in names if f"{name.rpartition('.')[0]}.sql" in files]
    rows = [name for name in rows if name.endswith((".txt", ".csv", ".tsv"))]
    if rows:
        raise LoadError("load.rows_apart", folder, [f"rows are in {', '.join(rows[:5])}"])
    if not files:
        proof = [f"{folder} holds {', '.join(names[:8]) or 'nothing'}"]
        raise LoadError("load.no_files", folder, proof)
    return [os.path.join(folder, name) for name in files]
