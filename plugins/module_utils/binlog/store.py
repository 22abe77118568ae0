# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive in a folder: what it holds, and its binary logs to read and to find in.

``archive`` says how it is laid out and what follows from that; here are the only calls that touch
its files. Nothing is ever written into it.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import mmap
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from pathlib import Path
from typing import IO, Any, cast

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.gtid import GtidSet
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
    build,
    decode,
    microseconds,
    parse,
    read_base,
    read_binlog,
)
from .events import GTIDS, Event, MalformedError, read_gtid
from .files import Leap, file_events, file_head, leap_for
from .payload import Decompress, decompressor
from .search import IMMEDIATE, ORIGINAL, Moment
from .source import Commits, Log
from .stream import Start
from .transactions import Executed, iso_time

BLOCK = 1 << 20
# As a server names its logs; what a program writes beside them has another name.
_LOG = re.compile(r"[^.].*\.\d{6,}")
# A folder of another name holds a history that its server has left, or is not finished.
_SERVER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BASE = re.compile(r"\w[\w-]*")

Note = Callable[[int], None]


def _no_note(_size: int) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True)
class Store:
    """An archive in a folder. key: the file of the passphrase that it is encrypted with, if it is."""

    root: Path
    key: Path | None = None

    @cached_property
    def archive(self) -> Archive:
        """All that the archive holds. Raises CollectionError where the folder is none."""
        document = self._document(ARCHIVE_FILE)
        logs = [
            log for folder in _folders(self.root / BINLOGS, _SERVER) for log in self._logs(folder)
        ]
        bases = [
            read_base(self._document(f"{BASES}/{folder.name}/{MANIFEST}"))
            for folder in _folders(self.root / BASES, _BASE)
            if (folder / MANIFEST).is_file()
        ]
        followed = ""
        if (self.root / STATUS_FILE).is_file():
            followed = str(self._document(STATUS_FILE).get("server_uuid") or "")
        return build(logs, bases, str(document.get("cluster") or ""), followed)

    def known_until(self) -> int:
        """Return the moment up to which all is here, in microseconds since 1970; 0: not known.

        It is when the archiver last had all that the primary had. Without an archiver's word it is
        the last commit that is here, or the beginning of a base of which the logs tell all: when a
        file was written, or copied, proves nothing.
        """
        logs, bases = self.archive.binlogs, self.archive.bases
        told_of = reduce(or_, (log.after for log in logs), GtidSet())
        begun = (microseconds(base.started) for base in bases if base.gtid_executed in told_of)
        committed = max((*(log.last_commit or 0 for log in logs), *begun), default=0)
        if (self.root / STATUS_FILE).is_file():
            seconds = int(self._document(STATUS_FILE).get("caught_up_at") or 0)
            return max(seconds * 1_000_000, committed)
        return committed

    def _document(self, path: str) -> Any:
        try:
            text = decode((self.root / path).read_bytes())
        except OSError as error:
            raise CollectionError(
                f"archive: {self.root / path} cannot be read: {error.strerror}"
            ) from error
        return parse(text, path)

    def _logs(self, folder: Path) -> Iterator[Binlog]:
        """Yield the logs of one server: sealed ones by their sidecars, others by what they hold."""
        below = f"{BINLOGS}/{folder.name}"
        sealed: set[str] = set()
        for sidecar in sorted(folder.glob(f"*{SIDECAR}")):
            if not _LOG.fullmatch(sidecar.name.removesuffix(SIDECAR)):
                continue
            document = self._document(f"{below}/{sidecar.name}")
            log = read_binlog(document, below, sealed=True)
            sealed.add(log.name)
            # One whose file is gone is a gap, and named as that.
            if (self.root / log.path).is_file():
                yield log
        for file in sorted(folder.iterdir()):
            if file.name not in sealed and _LOG.fullmatch(file.name):
                log_of = self._growing(below, file)
                if log_of is not None:
                    yield log_of

    def _growing(self, below: str, file: Path) -> Binlog | None:
        """Return what is known of a log that is written still; None where nothing is in it yet."""
        try:
            with mapped(file) as data:
                return scan(data, below, file.name)
        except MalformedError:
            if file.stat().st_size < 256:
                return None
            raise

    @contextmanager
    def opened(self, log: Binlog) -> Iterator[memoryview]:
        """Map a log as the server wrote it; one that is stored otherwise goes by a nameless file.

        Raises CollectionError where it cannot be read.
        """
        path = self.root / log.path
        if log.compression == "none" and log.encryption == "none":
            with mapped(path) as data:
                yield data
            return
        with tempfile.TemporaryFile() as plain:
            with ExitStack() as stack:
                stream = stack.enter_context(self.plain(path, log.compression, log.encryption))
                shutil.copyfileobj(stream, plain, BLOCK)
            plain.flush()
            with _mapped(plain.fileno()) as data:
                yield data

    @contextmanager
    def plain(self, path: Path, compression: str, encryption: str) -> Iterator[IO[bytes]]:
        """Open a stored file decrypted and decompressed. Raises CollectionError."""
        if encryption == "none":
            with _open(path) as stored:
                yield decompressed(stored, compression)
            return
        if self.key is None:
            raise CollectionError(f"key_file: {path} is encrypted; the file of its key is needed")
        command = ["openssl", "enc", "-d", f"-{encryption}", "-pbkdf2", "-salt"]
        command += ["-pass", f"file:{self.key}", "-in", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            yield decompressed(cast(IO[bytes], program.stdout), compression)
            _out, complaint = program.communicate()
            if program.returncode:
                raise CollectionError(f"{path} cannot be decrypted: {complaint.decode().strip()}")

    def check_binlog(self, log: Binlog, note: Note = _no_note) -> str:
        """Return what is wrong with a stored log, empty where nothing is."""
        if not log.sealed or not log.stored_sha256:
            return ""
        return _check(self.root / log.path, log.stored_size, log.stored_sha256, note)

    def check_base(self, base: Base, note: Note = _no_note) -> list[str]:
        """Return what is wrong with the files of a base, empty where nothing is."""
        folder = self.root / base.path
        checked = (_check(folder / file.path, file.size, file.sha256, note) for file in base.files)
        return [wrong for wrong in checked if wrong]


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """Map a file for reading. Raises CollectionError."""
    with _open(path) as stream, _mapped(stream.fileno()) as data:
        yield data


@contextmanager
def _mapped(number: int) -> Iterator[memoryview]:
    if not os.fstat(number).st_size:
        yield memoryview(b"")
        return
    whole = mmap.mmap(number, 0, access=mmap.ACCESS_READ)
    try:
        yield memoryview(whole)
    finally:
        # Whoever still has a part of it (the traceback of an error does) keeps it open.
        with suppress(BufferError):
            whole.close()


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise CollectionError(f"{path} cannot be read: {error.strerror}") from error


def decompressed(stream: IO[bytes], compression: str) -> IO[bytes]:
    """Return the stream without its compression. Raises CollectionError."""
    if compression == "none":
        return stream
    if compression == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError as error:
        raise CollectionError(
            "The Python package zstandard is needed to read this archive"
        ) from error
    return cast(IO[bytes], zstandard.ZstdDecompressor().stream_reader(stream))


@dataclass
class _Span:
    """The earliest and the latest of moments; None where there is none, or one is not known."""

    first: int | None = None
    last: int | None = None
    known: bool = True

    def add(self, moment: int) -> None:
        """Count a moment; 0 is one that is not known."""
        self.known = self.known and moment > 0
        if not self.known:
            self.first = self.last = None
        elif self.first is None or self.last is None:
            self.first = self.last = moment
        else:
            self.first, self.last = min(self.first, moment), max(self.last, moment)


def scan(data: memoryview, below: str, name: str) -> Binlog:
    """Return what a log holds, up to its last whole transaction. Raises MalformedError."""
    _begun, version, previous = file_head(data, name)
    executed = Executed(GtidSet())
    count = 0
    # Not the first and the last in the file: a clock may have run backwards between them.
    commits, originals = _Span(), _Span()
    for event in file_events(data, name, GTIDS, leap=Leap.CONTENT):
        gtid = event.gtid or read_gtid(event.type, event.body)
        executed.add(gtid)
        count += 1
        commits.add(gtid.committed)
        originals.add(gtid.originally)
    document = {
        "name": name,
        "server_uuid": below.rpartition("/")[2],
        "server_version": version,
        "previous_gtids": previous,
        "gtids": executed.gtid_set(),
        "transactions": count,
        "first_commit": commits.first,
        "last_commit": commits.last,
        "first_original_commit": originals.first,
        "last_original_commit": originals.last,
        "size": len(data),
    }
    return read_binlog(document, below, sealed=False, path=f"{below}/{name}")


def _folders(parent: Path, named: re.Pattern[str]) -> list[Path]:
    if not parent.is_dir():
        return []
    found = (entry for entry in parent.iterdir() if entry.is_dir())
    return sorted(entry for entry in found if named.fullmatch(entry.name))


def _check(path: Path, size: int, digest: str, note: Note) -> str:
    """Return how a file differs from what was noted of it when it was written."""
    if not path.is_file():
        return f"{path} is missing"
    found = path.stat().st_size
    if found != size:
        return f"{path} has {found} bytes, {size} were written"
    wanted, now = digest, hashlib.sha256()
    with _open(path) as stream:
        while block := stream.read(BLOCK):
            now.update(block)
            note(len(block))
    return (
        "" if now.hexdigest() == wanted else f"{path} has not the sha256 that it was written with"
    )


@dataclass(frozen=True)
class ArchiveSource:
    """Logs of an archive as ``find`` reads them: one after the other, in this order.

    seed: what the databases had before the first log, and no log tells of.
    """

    store: Store
    files: tuple[Binlog, ...]
    seed: GtidSet = field(default_factory=GtidSet)

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.store.root)

    @property
    def logs(self) -> tuple[Log, ...]:
        """The logs, by the folder and the name that they have there."""
        return tuple(Log(name_of(log), log.size) for log in self.files)

    @property
    def purged(self) -> GtidSet:
        """What lies before the first log, and what no log tells of."""
        return self.seed | self.files[0].previous if self.files else self.seed

    @cached_property
    def decompress(self) -> Decompress | None:
        """What opens compressed transactions, where it is installed."""
        return decompressor()

    def place(self, log: str) -> tuple[str, str]:
        """Return a log's file name and the server_uuid of who wrote it."""
        uuid, _slash, name = log.partition("/")
        return name, uuid

    def index(self, log: str) -> int:
        """Return where among the logs one is."""
        return [name_of(file) for file in self.files].index(log)

    def events(self, start: Start, wanted: frozenset[int]) -> Generator[Event]:
        """Yield events from a position on, log after log."""
        at = start.position
        for log in self.files[self.index(start.file) :]:
            yield from self.events_of(log, wanted, at)
            at = Start(start.file).position

    def events_of(
        self, log: Binlog, wanted: frozenset[int], at: int = Start("").position
    ) -> Generator[Event]:
        """Yield the events of one log, from a position on."""
        leap = leap_for(wanted)
        # Who looks for statements has no use for each transaction of rows between them.
        leap = Leap.RUNS if leap is Leap.ROWS else leap
        with ExitStack() as stack:
            data = stack.enter_context(self.store.opened(log))
            yield from stack.enter_context(
                closing(file_events(data, name_of(log), wanted, start=at, leap=leap))
            )

    def head(self, index: int) -> GtidSet:
        """Return which transactions lie before a log."""
        return self.files[index].previous

    def commits(self, index: int) -> Commits | None:
        """Return what the sidecar of a sealed log tells of its commit times, by both clocks."""
        log = self.files[index]
        if not log.sealed:
            return None
        if not log.transactions:
            return Commits({}, log.gtids)
        if None in (log.first_commit, log.last_commit, log.first_original, log.last_original):
            return None
        spans = {
            IMMEDIATE: (log.first_commit or 0, log.last_commit or 0),
            ORIGINAL: (log.first_original or 0, log.last_original or 0),
        }
        return Commits(spans, log.gtids)

    def executed(self) -> GtidSet:
        """Return all that the logs tell of, and what lies before them."""
        return reduce(or_, (log.after for log in self.files), self.seed)

    def check_moment(self, moment: Moment) -> None:
        """Raise BinlogError where the archive ends before a moment: more may have been committed."""
        newest = self.store.known_until()
        if moment.microseconds > newest:
            proof = [f"the archive had all until {iso_time(newest)}"]
            raise BinlogError("binlog.beyond_archive", self.address, proof, wanted=moment.text)


def name_of(log: Binlog) -> str:
    """Return a name that no other log of the archive has."""
    return f"{log.server_uuid}/{log.name}"
