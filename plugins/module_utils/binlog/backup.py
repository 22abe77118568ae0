# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A backup as a whole: the archive, the server that it is of, and what lies between the two.

The server is read first: what it had then and the archive has not, was really not archived.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..mysql.connection import Connection
from ..mysql.gtid import GtidSet
from .archive import Base, Point, Window, gaps, window
from .archive_reader import Listing
from .events import FORMAT_DESCRIPTION
from .stream import Start, dump
from .transactions import iso_time

MILLION = 1_000_000
_EXPIRE = "binlog_expire_logs_seconds"


@dataclass(frozen=True)
class Source:
    """The server whose binary logs are archived.

    logs: names, in order. now: its clock, seconds since 1970. expire: seconds after which it purges
    a log, 0 for never.
    """

    address: str
    uuid: str
    executed: GtidSet
    purged: GtidSet
    logs: tuple[str, ...]
    now: int
    expire: int


@dataclass(frozen=True)
class State:
    """Everything that a finding may stand on.

    source: None where no server was named. expires: when the server purges what the archive lacks,
    seconds since 1970, None where nothing is at stake. nodes: of the archiver and of the primary.
    namespace, archiver: where it is, and the words by which kubectl gets to who writes it.
    """

    subject: str
    listing: Listing
    source: Source | None = None
    expires: int | None = None
    nodes: tuple[str, str] = ("", "")
    namespace: str = ""
    archiver: str = ""

    @property
    def usable(self) -> tuple[Base, ...]:
        """The bases that a server was started from and whose files are still of their size."""
        bases = self.listing.archive.bases
        return tuple(one for one in bases if one.usable and not self.listing.damage_of(one))

    @property
    def window(self) -> Window:
        """The points that can be recovered."""
        return window(self.listing.archive)

    @property
    def gaps(self) -> GtidSet:
        """What no file holds though later ones build on it, and what the server purged unarchived."""
        found = gaps(self.listing.archive)
        if self.source is not None:
            found |= self.unarchived & self.source.purged
        return found

    @property
    def unarchived(self) -> GtidSet:
        """What the server has and the archive has neither in a log nor in a base, nor before both."""
        if self.source is None:
            return GtidSet()
        archive = self.listing.archive
        had = GtidSet.of(
            interval
            for one in (
                *(log.after for log in archive.binlogs),
                *(base.gtid_executed for base in archive.bases if base.usable),
            )
            for interval in one.intervals()
        )
        return self.source.executed - had

    @property
    def behind_seconds(self) -> int | None:
        """How long ago the archive had all, 0 where it has it; None where that is not known."""
        if self.source is None:
            return None
        if not self.unarchived:
            return 0
        since = self.listing.status.caught_up_at
        return max(self.listing.now - since, 1) if since else None


def observe_source(connection: Connection) -> Source:
    """Read what an archive is compared with; writes nothing. Raises MysqlError."""
    logs = tuple(str(row["log_name"]) for row in connection.query("SHOW BINARY LOGS"))
    return Source(
        address=connection.address,
        uuid=connection.server.server_uuid,
        executed=GtidSet.parse(str(connection.value("SELECT @@GLOBAL.gtid_executed"))),
        purged=GtidSet.parse(str(connection.value("SELECT @@GLOBAL.gtid_purged"))),
        logs=logs,
        now=int(connection.value("SELECT UNIX_TIMESTAMP()")),
        expire=int(connection.variable(_EXPIRE) or 0),
    )


def next_needed(source: Source, listing: Listing) -> str | None:
    """Return the log that the archiver reads next, None where the server has none of its logs."""
    newest = [log.name for log in listing.archive.binlogs if log.server_uuid == source.uuid]
    if newest and newest[-1] in source.logs:
        return newest[-1]
    return source.logs[0] if source.logs and not newest else None


def expires_at(source: Source, listing: Listing, connect: Callable[[], Connection]) -> int | None:
    """Return when the server may purge the log that the archiver reads next.

    That is counted from its last event: from when the log after it was begun. The current one is
    not purged. Raises CollectionError.
    """
    needed = next_needed(source, listing)
    if not source.expire or needed is None or needed == source.logs[-1]:
        return None
    following = source.logs[source.logs.index(needed) + 1]
    with closing(dump(connect(), Start(following), frozenset({FORMAT_DESCRIPTION}))) as events:
        for event in events:
            if event.type == FORMAT_DESCRIPTION:
                return event.timestamp + source.expire
    return None


def as_dict(state: State) -> dict[str, Any]:
    """Return the facts as the module returns them."""
    listing, found = state.listing, state.window
    servers: dict[str, list[Any]] = {}
    for log in listing.archive.binlogs:
        servers.setdefault(log.server_uuid, []).append(log)
    unarchived = state.unarchived
    return {
        "cluster": listing.archive.cluster,
        "size_bytes": listing.size,
        "archiver": {
            "state": listing.status.state,
            "seconds_since_status": listing.now - listing.status.at,
            "server_uuid": listing.status.server_uuid,
            "file": listing.status.file,
            "error": listing.status.error,
        },
        "bases": [_base(state, base) for base in listing.archive.bases],
        "binlogs": [
            {
                "server_uuid": uuid,
                "files": len(logs),
                "first": logs[0].name,
                "last": logs[-1].name,
                "transactions": sum(log.transactions for log in logs),
                "bytes": sum(log.stored_size for log in logs),
            }
            for uuid, logs in servers.items()
        ],
        "gaps": str(state.gaps),
        "window": {"earliest": _point(found.earliest), "latest": _point(found.latest)},
        "rpo": {
            "known": state.source is not None,
            "transactions": unarchived.count,
            "gtids": str(unarchived),
            "seconds": state.behind_seconds,
        },
        "expires": None if state.expires is None else iso_time(state.expires * MILLION),
    }


def _base(state: State, base: Base) -> dict[str, Any]:
    return {
        "id": base.id,
        "method": base.method,
        "server_version": base.server_version,
        "gtid_executed": str(base.gtid_executed),
        "started": base.started.isoformat(),
        "ended": base.ended.isoformat(),
        "bytes": base.size,
        "stored_bytes": sum(file.size for file in base.files),
        "compression": base.compression,
        "encryption": base.encryption,
        "tables": len(base.tables),
        "verified": base.usable and not state.listing.damage_of(base),
        "verified_at": base.verified_at,
        "verified_how": base.proof,
        "compared_with": base.compared_with,
        "compared_at": base.compared_at,
        "not_compared": [{"what": what, "reason": reason} for what, reason in base.not_compared],
    }


def _point(point: Point | None) -> dict[str, Any]:
    if point is None:
        return {}
    return {
        "base": point.base,
        "time": iso_time(point.time),
        "gtid_executed": str(point.gtid_executed),
    }
