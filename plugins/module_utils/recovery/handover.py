# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A verified recovery becomes a data directory that a cluster's primary starts on.

Its volume's root becomes the data directory. What is in it by then that is nobody's data (relay logs,
the server's identity, the folder of the recovery) goes; the recovery's own account is dropped by the
new primary. One binary log is written that holds no transaction and says what lies before it: else
the server's first log would say that nothing does, and an archive could not tell which of its
transactions the new history builds on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..binlog.events import previous_gtids_event
from ..binlog.files import beginning, checksum_size, writer_of
from ..binlog.store import ArchiveSource, Store
from ..binlog.transactions import iso_time
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.gtid import GtidSet
from . import pieces, relay, verify
from .run import start
from .scratch import HANDED_OVER, VERIFIED, Record, Scratch
from .server_options import Settings

Say = Callable[[str], None]
# Where roles/recovery mounts root's password of today.
PASSWORD_FILE = "/auth/root-password"
# As roles/db names binary logs; only for a primary that cannot be asked.
LOG_NAME = "mysql-bin"
# What makes a folder a data directory, from 8.0 on.
DICTIONARY = "mysql.ibd"
# A server that starts without it gives itself a UUID; what a server persisted is not for another.
IDENTITY = ("auto.cnf", "mysqld-auto.cnf")
_SHOWN = 10
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Wanted:
    """log_name: as the primary names its binary logs. password_file: root's password of today."""

    log_name: str
    password_file: Path


def unfinished(scratch: Scratch, record: Record | None) -> BinlogError:
    """Return the cause of a recovery that was not verified."""
    stage = record.stage if record else "not begun"
    return BinlogError("recovery.unfinished", str(scratch.folder), [f"stage: {stage}"])


def recheck(scratch: Scratch, settings: Settings, say: Say) -> dict[str, Any]:
    """Compare the instance with what was noted when it was verified. Raises BinlogError."""
    record = scratch.record()
    if record is None or not record.reached(VERIFIED):
        raise unfinished(scratch, record)
    result = {
        "changed": False,
        "verified": True,
        "base": record.identity["base"],
        "gtid_executed": record.identity["gtid_executed"],
    }
    if not record.reached(HANDED_OVER):
        server = scratch.server()
        if not server.running:
            start(scratch, settings)
        say("comparing transactions and checksums with what was verified")
        with server.connect() as connection:
            gtids = GtidSet.parse(record.identity["gtid_executed"])
            relay.check(connection, relay.Goal(gtids, None))
            now = verify.noted(verify.read(connection), connection)
            check_unchanged(now, record, scratch)
    return result


def left_out(store: Store, scratch: Scratch, executed: GtidSet) -> dict[str, Any]:
    """Return what was executed elsewhere and not recovered, as the archive tells of it. Reads only.

    Raises BinlogError where the recovery was not verified.
    """
    record = scratch.record()
    if record is None or not record.reached(VERIFIED):
        raise unfinished(scratch, record)
    recovered = GtidSet.parse(record.identity["gtid_executed"])
    gone = executed - recovered
    told = pieces.left_out(ArchiveSource(store, store.archive.binlogs), gone)
    lost = {
        **told.as_dict(iso_time),
        "transactions": gone.count,
        "gtids": str(gone),
        "not_archived": str(gone - told.gtids),
    }
    return {"changed": False, "gtid_executed": str(recovered), "lost": lost}


def check_unchanged(now: Mapping[str, str], record: Record, scratch: Scratch) -> None:
    """Raise BinlogError where tables are not what was noted when they were verified."""
    names = sorted({*now, *record.sums})
    proof = [
        f"{name}: verified {record.sums.get(name, 'not there')}; now {now.get(name, 'not there')}"
        for name in names
        if now.get(name) != record.sums.get(name)
    ]
    if proof:
        raise BinlogError("recovery.changed_since", str(scratch.folder), proof[:_SHOWN])


def hand_over(
    store: Store, scratch: Scratch, settings: Settings, wanted: Wanted, check: bool, say: Say
) -> dict[str, Any]:
    """Make the volume's root the data directory; ended anywhere, it goes on from there."""
    root = scratch.folder.parent
    record = scratch.record()
    result = {"changed": record is not None, "data": str(root)}
    if record is None:
        if not (root / DICTIONARY).exists():
            raise unfinished(scratch, record)
        if not check:
            scratch.remove()
        return result
    recheck(scratch, settings, say)
    if check:
        return result
    if not record.reached(HANDED_OVER):
        _set_password(scratch, wanted.password_file)
        scratch.server().stop()
        record = replace(record, stage=HANDED_OVER)
        scratch.write(record)
    say("laying the data out as the primary's own")
    if scratch.data.is_dir():
        _tidy(scratch.data)
        _write_log(store, scratch, wanted.log_name, record)
        scratch.executor.give("data")
        _move(scratch.data, root)
    scratch.remove()
    return result


def _set_password(scratch: Scratch, file: Path) -> None:
    """Let root in as today: the password may be another one than at the point."""
    try:
        password = file.read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise CollectionError(f"{file} cannot be read: {error.strerror}") from error
    with scratch.server().connect() as connection:
        for variable in ("super_read_only", "read_only"):
            connection.execute(f"SET GLOBAL {variable} = OFF")
        rows = connection.query("SELECT host FROM mysql.user WHERE user = 'root'")
        hosts = {"localhost", *(str(row["host"]) for row in rows)}
        # What runs beside the server, and what is forwarded to its Pod, comes from here.
        if not hosts & {"%", LOOPBACK}:
            hosts.add(LOOPBACK)
        for host in sorted(hosts):
            known = (host, password)
            connection.execute("CREATE USER IF NOT EXISTS 'root'@%s IDENTIFIED BY %s", known)
            connection.execute("ALTER USER 'root'@%s IDENTIFIED BY %s ACCOUNT UNLOCK", known)
            connection.execute("GRANT ALL ON *.* TO 'root'@%s WITH GRANT OPTION", (host,))


def _tidy(data: Path) -> None:
    relay.remove(data)
    for name in IDENTITY:
        (data / name).unlink(missing_ok=True)


def _write_log(store: Store, scratch: Scratch, name: str, record: Record) -> None:
    """Write an empty binary log that says what lies before it, in the form of this server's version."""
    archive = store.archive
    version = archive.base(record.identity["base"]).server_version
    same = [log for log in archive.binlogs if log.server_version == version]
    if not same:
        raise CollectionError(f"The archive holds no binary log of a server of version {version}")
    model = same[-1]
    with store.opened(model) as content:
        head = beginning(content)
        origin, sums = writer_of(content), bool(checksum_size(content))
    gtids = GtidSet.parse(record.identity["gtid_executed"])
    previous = previous_gtids_event(gtids, origin, len(head), checksum=sums)
    (scratch.data / f"{name}.000001").write_bytes(head + previous)
    (scratch.data / f"{name}.index").write_text(f"./{name}.000001\n")


def _move(data: Path, root: Path) -> None:
    """Move what is in a folder one up; each by itself, so that it can be gone on with."""
    held = data.stat()
    for path in sorted(data.iterdir()):
        path.rename(root / path.name)
    os.chown(root, held.st_uid, held.st_gid)
    data.rmdir()
