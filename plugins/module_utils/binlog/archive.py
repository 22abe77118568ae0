# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a backup archive holds and what can be recovered from it. Pure: a listing in, answers out.

One root folder (the volume of roles/backup, or a local folder)::

    archive.json                       {"format": 1, "cluster": ..., "created": ...}
    status.json                        what the archiver did last, written while it changes, and every 5 s
    binlog/<server_uuid>/<name>        a binary log exactly as that server wrote it
    binlog/<server_uuid>/.length       the archiver's own: how much of the newest is whole and on disk
    binlog/<server_uuid>/<name>.json   sidecar, once the file is complete ("sealed")
    base/<id>/manifest.json            a base backup; a folder without it is not finished and not listed
    base/<id>/...                      its content, named by the manifest

A switchover begins another ``<server_uuid>`` folder, so files of two servers overlap: what is
missing is told by GTID sets, never by names. ``<id>`` is UTC time, 20261124T190000Z.

Sidecar: name, server_uuid, server_version, stored (the name in the folder: ``name`` with ``.zst`` or
``.gz``, then ``.enc``), compression (none, zstd, gzip), encryption (none, aes-256-ctr), previous_gtids,
gtids (those inside), transactions and anonymous (with and without a GTID), first_commit, last_commit,
first_original_commit, last_original_commit (the earliest and the latest commit time, of the server that
wrote the file and of the one that committed first; microseconds since 1970, null where there is none
or one is not known), size and sha256 of the file as the server wrote it, stored_size, stored_sha256, ended
(rotate, stop, none: the server crashed or writes it still).

Manifest: id, method (clone, dump), server_version, server_uuid, gtid_executed, started, ended (UTC,
ISO 8601), bytes (of the content before compression), stored (``data`` for a folder, ``data.tar.zst.enc``,
``dump.sql.zst``), compression, encryption, files ({path below the base's folder, size, sha256}),
lower_case_table_names, innodb_page_size (what a server must be started with),
tables ({name, schema, table, rows, checksum (that of CHECKSUM TABLE)}; before, {name, rows}),
verified ({at, how, result, compared_with, compared_at, not_compared}; result is ``ok`` or what went
wrong; compared_with is the UUID of the donor that the base was equal to at the GTID set compared_at,
not_compared a list of {what, reason}). A manifest without compared_with is of a base that was started
and read, and not compared with its donor.

Encryption: ``openssl enc -aes-256-ctr -pbkdf2 -salt -pass file:KEY``; compression comes first.
The files of a chain are applied in its order; transactions that the base has already, and those
that two servers logged, are skipped by their GTIDs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any, Literal

from ..finding import CollectionError
from ..mysql.gtid import GtidSet
from .names import TableName

FORMAT = 1
ARCHIVE_FILE = "archive.json"
STATUS_FILE = "status.json"
MANIFEST = "manifest.json"
BINLOGS = "binlog"
BASES = "base"
SIDECAR = ".json"
ID_FORMAT = "%Y%m%dT%H%M%SZ"
OK = "ok"
SETTINGS = ("lower_case_table_names", "innodb_page_size")

Method = Literal["clone", "dump"]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One file of a listing. path: below the root, with slashes. modified: seconds since 1970."""

    path: str
    size: int
    modified: float


@dataclass(frozen=True)
class Binlog:
    """One binary log in the archive.

    path: of the stored file, below the root. sealed: it has its sidecar. size: as the server
    wrote it. transactions: those without a GTID too. first_commit, last_commit: the earliest and the
    latest, by the clock of the server that wrote it, microseconds since 1970, None where it holds
    nothing; first_original, last_original: by the clocks of those who committed first, None also
    where one is not known.
    """

    server_uuid: str
    name: str
    path: str
    sealed: bool
    previous: GtidSet
    gtids: GtidSet
    transactions: int
    first_commit: int | None
    last_commit: int | None
    size: int
    stored_size: int
    sha256: str = ""
    stored_sha256: str = ""
    compression: str = "none"
    encryption: str = "none"
    ended: str = "none"
    server_version: str = ""
    first_original: int | None = None
    last_original: int | None = None

    @property
    def after(self) -> GtidSet:
        """What is executed once this file is."""
        return self.previous | self.gtids

    @property
    def order(self) -> tuple[str, int, str]:
        """Where it comes among its server's files: by number, beyond 999999 too."""
        number = self.name.rpartition(".")[2]
        return self.server_uuid, int(number) if number.isdigit() else 0, self.name


@dataclass(frozen=True)
class File:
    """One file of a base. path: below the base's folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Base:
    """One base backup. stored: see the module. verified: ok, a failure, or empty if never tried.

    tables, checksums: rows, and CHECKSUM TABLE in hex, by the table's name.
    settings: names and values of what a server must be started with. compared_with: UUID of the donor
    that it was equal to at the GTID set compared_at, empty where it was never compared. not_compared:
    what was left out of that, each with the reason.
    """

    id: str
    method: Method
    server_version: str
    server_uuid: str
    gtid_executed: GtidSet
    started: datetime
    ended: datetime
    size: int
    stored: str
    compression: str = "none"
    encryption: str = "none"
    files: tuple[File, ...] = ()
    tables: tuple[tuple[str, int], ...] = ()
    checksums: tuple[tuple[str, str], ...] = ()
    verified: str = ""
    verified_at: str = ""
    verified_how: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    compared_with: str = ""
    compared_at: str = ""
    not_compared: tuple[tuple[str, str], ...] = ()

    @property
    def usable(self) -> bool:
        """Whether a server was started from it and had what it should."""
        return self.verified == OK

    @property
    def proof(self) -> str:
        """What was done to verify it, and what was not."""
        if not self.verified_how or self.compared_with:
            return self.verified_how
        return f"{self.verified_how}; started and read, not compared with its donor"

    @property
    def path(self) -> str:
        """Its folder, below the root."""
        return f"{BASES}/{self.id}"


@dataclass(frozen=True)
class Archive:
    """All that an archive holds: binlogs by server and number, bases oldest first.

    followed: server_uuid of whose logs the archiver fetches now, empty where it says none.
    """

    binlogs: tuple[Binlog, ...] = ()
    bases: tuple[Base, ...] = ()
    cluster: str = ""
    followed: str = ""

    @property
    def logged(self) -> GtidSet:
        """The transactions that lie in the binary logs."""
        return _union(log.gtids for log in self.binlogs)

    def base(self, identity: str) -> Base:
        """Return the base of an id. Raises CollectionError naming those that there are."""
        for base in self.bases:
            if base.id == identity:
                return base
        known = ", ".join(base.id for base in self.bases) or "none"
        raise CollectionError(f"The archive has no base {identity!r}; there are: {known}")


@dataclass(frozen=True)
class Chain:
    """How far a base can be rolled forward.

    files: in the order in which they are applied. reached: what is executed after them.
    missing: transactions that were asked for, or that a later file builds on, and are not there.
    """

    base: Base
    files: tuple[Binlog, ...]
    reached: GtidSet
    missing: GtidSet

    @property
    def last_commit(self) -> int | None:
        """When the last transaction was committed, microseconds; None where no file adds one."""
        commits = [log.last_commit for log in self.files if log.last_commit is not None]
        return max(commits, default=None)


@dataclass(frozen=True)
class Point:
    """An end of the window. time: microseconds since 1970."""

    base: str
    gtid_executed: GtidSet
    time: int


@dataclass(frozen=True)
class Window:
    """Every point from earliest to latest can be recovered; both None where none can.

    base: the oldest one whose chain reaches latest without a gap.
    """

    earliest: Point | None
    latest: Point | None


@dataclass(frozen=True)
class Removal:
    """What may go. Paths below the root: folders of bases, files of binary logs with sidecars."""

    bases: tuple[Base, ...]
    binlogs: tuple[Binlog, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Each thing to remove."""
        logs = [
            path for log in self.binlogs for path in (log.path, sidecar_path(log.path, log.name))
        ]
        return (*(base.path for base in self.bases), *logs)


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970, without a float on the way."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def sidecar_path(path: str, name: str) -> str:
    """Return where the sidecar of a stored file lies."""
    return f"{path.rpartition('/')[0]}/{name}{SIDECAR}"


def decode(document: bytes) -> str:
    """Return a document's text. Where base.sh had no locale, names stood in Latin-1."""
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError:
        return document.decode("latin-1")


def parse(text: str, path: str) -> Document:
    """Return a document of the archive. Raises CollectionError naming the file."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CollectionError(f"archive: {path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CollectionError(f"archive: {path} is not an object")
    if document.get("format", FORMAT) != FORMAT:
        raise CollectionError(
            f"archive: {path} has format {document['format']}, this collection reads {FORMAT}"
        )
    return document


def read_binlog(document: Document, folder: str, *, sealed: bool, path: str = "") -> Binlog:
    """Return the binary log that a sidecar, or a scan of a file that still grows, describes.

    folder: that it lies in, below the root. path: of the stored file, where it is not that of
    the document. Raises CollectionError naming a missing key.
    """
    try:
        return Binlog(
            server_uuid=str(document["server_uuid"]),
            name=str(document["name"]),
            path=path or f"{folder}/{document['stored']}",
            sealed=sealed,
            previous=GtidSet.parse(str(document["previous_gtids"])),
            gtids=GtidSet.parse(str(document["gtids"])),
            transactions=int(document["transactions"]) + int(document.get("anonymous") or 0),
            first_commit=_moment(document["first_commit"]),
            last_commit=_moment(document["last_commit"]),
            size=int(document["size"]),
            stored_size=int(document.get("stored_size") or document["size"]),
            sha256=str(document.get("sha256") or ""),
            stored_sha256=str(document.get("stored_sha256") or ""),
            compression=str(document.get("compression") or "none"),
            encryption=str(document.get("encryption") or "none"),
            ended=str(document.get("ended") or "none"),
            server_version=str(document.get("server_version") or ""),
            first_original=_moment(document.get("first_original_commit")),
            last_original=_moment(document.get("last_original_commit")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _incomplete(f"{folder}/{document.get('name', '?')}{SIDECAR}", error) from error


def read_base(document: Document) -> Base:
    """Return the base that a manifest describes. Raises CollectionError naming a missing key."""
    verified = document.get("verified") or {}
    try:
        method: Method = "clone" if document["method"] == "clone" else "dump"
        return Base(
            id=str(document["id"]),
            method=method,
            server_version=str(document["server_version"]),
            server_uuid=str(document["server_uuid"]),
            gtid_executed=GtidSet.parse(str(document["gtid_executed"])),
            started=datetime.fromisoformat(str(document["started"])).astimezone(UTC),
            ended=datetime.fromisoformat(str(document["ended"])).astimezone(UTC),
            size=int(document["bytes"]),
            stored=str(document["stored"]),
            compression=str(document.get("compression") or "none"),
            encryption=str(document.get("encryption") or "none"),
            files=tuple(
                File(str(file["path"]), int(file["size"]), str(file["sha256"]))
                for file in document.get("files") or ()
            ),
            tables=tuple(
                (_table_name(table), int(table["rows"])) for table in document.get("tables") or ()
            ),
            checksums=tuple(
                (_table_name(table), f"{int(table['checksum']):08x}")
                for table in document.get("tables") or ()
                if table.get("checksum") is not None
            ),
            verified=str(verified.get("result") or ""),
            verified_at=str(verified.get("at") or ""),
            verified_how=str(verified.get("how") or ""),
            settings=tuple((name, str(document[name])) for name in SETTINGS if name in document),
            compared_with=str(verified.get("compared_with") or ""),
            compared_at=str(verified.get("compared_at") or ""),
            not_compared=tuple(
                (str(one["what"]), str(one["reason"])) for one in verified.get("not_compared") or ()
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        where = f"{BASES}/{document.get('id', '?')}/{MANIFEST}"
        raise _incomplete(where, error) from error


def build(
    binlogs: Iterable[Binlog], bases: Iterable[Base], cluster: str = "", followed: str = ""
) -> Archive:
    """Return an archive with its parts in order."""
    return Archive(
        tuple(sorted(binlogs, key=lambda log: log.order)),
        tuple(sorted(bases, key=lambda base: base.id)),
        cluster,
        followed,
    )


def gaps(archive: Archive) -> GtidSet:
    """Return the transactions that files of the archive build on and that no file holds.

    What every file has behind itself lies before the archive began, and what the oldest base
    has is not needed from a file: neither is a gap.
    """
    if not archive.binlogs:
        return GtidSet()
    begun = reduce(and_, (log.previous for log in archive.binlogs))
    oldest = archive.bases[0].gtid_executed if archive.bases else GtidSet()
    behind = _union(log.previous for log in archive.binlogs)
    return behind - begun - oldest - archive.logged


def chain(archive: Archive, base: Base, target: GtidSet | None = None) -> Chain:
    """Return the files that roll a base forward to a set of transactions, or as far as it goes.

    A file follows when all that lies before it is there already. Without a target, missing is
    what the files that could not follow build on.
    """
    reached = base.gtid_executed
    files: list[Binlog] = []
    waiting = list(archive.binlogs)
    while target is None or target not in reached:
        follows = [log for log in waiting if log.previous in reached and log.gtids - reached]
        if not follows:
            break
        # The one that began earliest; it may bring what another waits for.
        log = min(follows, key=lambda one: (one.first_commit or 0, one.order))
        waiting.remove(log)
        files.append(log)
        reached |= log.gtids
    missing = _missing(waiting, reached) if target is None else target - reached
    return Chain(base, tuple(files), reached, missing)


def _missing(waiting: Sequence[Binlog], reached: GtidSet) -> GtidSet:
    """Return what the nearest files that could not follow lack."""
    cut_off = [log for log in waiting if log.gtids - reached]
    brought = _union(log.gtids for log in cut_off)
    return _union(log.previous for log in cut_off) - reached - brought


def choose_base(archive: Archive, target: GtidSet) -> Chain | None:
    """Return the chain of the newest usable base that leads to a set of transactions.

    A base that has more than the target cannot lead there. None where no chain is whole.
    """
    for base in reversed(archive.bases):
        if base.usable and base.gtid_executed in target:
            found = chain(archive, base, target)
            if not found.missing:
                return found
    return None


def window(archive: Archive) -> Window:
    """Return the earliest and the latest point that can be recovered without a gap between them.

    The time of a base is its end: what was committed until then is in it, for a clone; a dump
    has less, and the binary logs bring the rest.
    """
    usable = [base for base in archive.bases if base.usable]
    if not usable:
        return Window(None, None)
    newest = chain(archive, usable[-1])
    first = usable[-1]
    for base in usable:
        if newest.reached in chain(archive, base).reached:
            first = base
            break
    earliest = Point(first.id, first.gtid_executed, microseconds(first.ended))
    ended = microseconds(newest.base.ended)
    latest = Point(newest.base.id, newest.reached, max(newest.last_commit or ended, ended))
    return Window(earliest, latest)


def retention(archive: Archive, keep_count: int, keep_days: float, now: datetime) -> Removal:
    """Return what may go: whatever the oldest kept base does not need.

    Kept are the newest ``keep_count`` usable bases and all that ended in the last ``keep_days``
    days; at least one usable base stays whatever is asked. A base that is not usable counts for
    nothing, and goes once a newer usable one is there. A binary log goes when it is sealed and all
    its transactions are in every kept base.
    """
    usable = [base for base in archive.bases if base.usable]
    if not usable:
        return Removal((), ())
    since = now - timedelta(days=keep_days)
    counted = usable[-max(keep_count, 1) :]
    kept = [base for base in usable if base in counted or base.ended >= since]
    newest = usable[-1]
    gone = [
        base
        for base in archive.bases
        if base not in kept and (base.usable or (base.id < newest.id and base.ended < since))
    ]
    needed_from = reduce(and_, (base.gtid_executed for base in kept))
    last = {log.server_uuid: log for log in archive.binlogs}
    logs = [
        log
        for log in archive.binlogs
        if log.sealed
        # Where the archiver goes on after a restart.
        and log is not last[log.server_uuid]
        and log.gtids in needed_from
    ]
    return Removal(tuple(gone), tuple(logs))


def _table_name(table: Document) -> str:
    """Return a table's name. Without its two parts, one with more than one dot may mean several."""
    if "schema" in table and "table" in table:
        return TableName(str(table["schema"]), str(table["table"])).text
    return str(table["name"])


def _union(sets: Iterable[GtidSet]) -> GtidSet:
    return GtidSet.of(interval for one in sets for interval in one.intervals())


def _moment(value: Any) -> int | None:
    return None if value is None else int(value)


def _incomplete(path: str, error: Exception) -> CollectionError:
    what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
    return CollectionError(f"archive: {path} {what}")
