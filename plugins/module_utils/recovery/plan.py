# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a recovery will do, what it brings back and what it loses: known before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..binlog.archive import Archive, Base, Chain, chain, choose_base, window
from ..binlog.find import answer
from ..binlog.store import Store
from ..binlog.transactions import iso_time
from ..causes.binlog import BinlogError
from ..mysql.gtid import GtidSet
from .history import History, present_history
from .pieces import Lost, Piece, cut, lost
from .skip import Skip, look
from .target import (
    Drawn,
    Resolved,
    Target,
    check_all_have_gtids,
    describe,
    draw,
    resolve,
)

# Measured with small transactions on two cores (docs/benchmarks.md): what an applier manages, and
# how many seconds of CPU a byte of binary log costs where nothing is waited for.
APPLIED_BYTES_A_SECOND = 13.5e6
APPLIED_TRANSACTIONS_A_SECOND = 9_900
CPU_SECONDS_A_BYTE = 65 / 552e6
CPU_SECONDS_A_TRANSACTION = 65 / 404_328
# Copied, its SHA-256 taken on the way; a dump loaded by one session.
COPIED_BYTES_A_SECOND = 250e6
LOADED_BYTES_A_SECOND = 7e6
# Starting and ending a server, by and by.
START_SECONDS = 5.0
# A server of its own needs its redo and undo logs and its system tablespaces.
SERVER_BYTES = 400 << 20
# A dump becomes larger by indexes and by what pages leave free.
GROWTH_OF_DUMP = 2.5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Recovery:
    """A plan. gtids: what the scratch instance has executed in the end, no more and no less.

    first_left_out: its GTID, None where nothing is left out. skip: left out on the way there.
    """

    archive: Archive
    target: Target
    resolved: Resolved
    history: History
    chain: Chain
    pieces: tuple[Piece, ...]
    lost: Lost
    skip: Skip = field(default_factory=Skip)

    @property
    def base(self) -> Base:
        """The base that it begins with."""
        return self.chain.base

    @property
    def gtids(self) -> GtidSet:
        """What is executed in the end."""
        return (self.resolved.gtids | self.base.gtid_executed) - self.skip.gtids

    @property
    def first_left_out(self) -> str | None:
        """The GTID that the applier stops before, where it comes across it."""
        found = self.resolved.hit.found
        return found.gtid.text if found else None

    @property
    def stops_at(self) -> str | None:
        """As ``first_left_out``, if its first event is in the last piece."""
        if not self.pieces or self.first_left_out is None:
            return None
        found = self.resolved.hit.found
        last = self.pieces[-1]
        inside = found is not None and found.file == f"{last.log.server_uuid}/{last.log.name}"
        return self.first_left_out if inside and not last.whole else None

    @property
    def transactions(self) -> int:
        """How many are applied on top of the base."""
        return (self.gtids - self.base.gtid_executed).count

    @property
    def bytes_applied(self) -> int:
        """Bytes of binary log that are applied."""
        return sum(piece.size for piece in self.pieces)

    @property
    def bytes_needed(self) -> int:
        """Bytes that the scratch instance needs."""
        grown = self.base.size * (1 if self.base.method == "clone" else GROWTH_OF_DUMP)
        # What is applied is there as a log, and again as rows.
        return int(grown + 2 * self.bytes_applied + SERVER_BYTES)

    def seconds(self) -> dict[str, float]:
        """Return how long each stage is expected to take, and the floor of it all."""
        restored = COPIED_BYTES_A_SECOND if self.base.method == "clone" else LOADED_BYTES_A_SECOND
        base = self.base.size / restored + START_SECONDS
        fetch = self.bytes_applied / COPIED_BYTES_A_SECOND
        applied = max(
            self.bytes_applied / APPLIED_BYTES_A_SECOND,
            self.transactions / APPLIED_TRANSACTIONS_A_SECOND,
        )
        work = max(
            self.bytes_applied * CPU_SECONDS_A_BYTE, self.transactions * CPU_SECONDS_A_TRANSACTION
        )
        floor = work / (os.cpu_count() or 1) + (self.base.size + self.bytes_applied) / 1e9
        return {
            "base": round(base, 1),
            "binlogs": round(fetch, 1),
            "apply": round(applied, 1),
            "total": round(base + fetch + applied, 1),
            "floor": round(floor, 1),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as the module does."""
        source = self.resolved.source
        found = answer(source, self.resolved.hit) if source.files else None
        base = self.base
        return {
            "target": describe(self.target),
            "base": {
                "id": base.id,
                "method": base.method,
                "server_version": base.server_version,
                "ended": base.ended.isoformat(),
                "gtid_executed": str(base.gtid_executed),
                "bytes": base.size,
                "verified_at": base.verified_at,
            },
            "binlogs": [piece.as_dict() for piece in self.pieces],
            "gtid_executed": str(self.gtids),
            "transactions": self.transactions,
            "bytes": self.bytes_applied,
            "point": found["point"] if found else None,
            "last_kept": found["previous"] if found else None,
            "first_left_out": found["transaction"] if found else None,
            "by_time": found["by_time"] if found else None,
            "lost": self.lost.as_dict(iso_time),
            "history": self.history.as_dict(),
            "skipped": list(self.skip.transactions),
            "bytes_needed": self.bytes_needed,
            "seconds": self.seconds(),
            "window": window_of(self.archive),
        }


def window_of(archive: Archive) -> dict[str, Any]:
    """Return the earliest and the latest point that can be recovered, None where none can."""
    found = window(archive)
    return {
        name: None
        if point is None
        else {
            "time": iso_time(point.time),
            "gtid_executed": str(point.gtid_executed),
            "base": point.base,
        }
        for name, point in (("earliest", found.earliest), ("latest", found.latest))
    }


def make(
    store: Store, target: Target, base_id: str | None, say: Say, skip: GtidSet | None = None
) -> Recovery:
    """Return the plan of a recovery. Reads all that it will use; writes nothing.

    skip: transactions on the way that are left out alone.
    Raises BinlogError where a part of it is missing, damaged or of another history, and where
    something builds on what is to be left out.
    """
    leave_out = skip or GtidSet()
    say("reading what the archive holds")
    archive = store.archive
    history = present_history(archive)
    if isinstance(target, Drawn):
        target = draw(archive, history, target)
    say(f"looking for {describe(target)}")
    resolved = resolve(store, archive, history, target)
    wanted = resolved.gtids - leave_out
    found = _chain(archive, resolved.base, wanted, base_id, leave_out)
    check_all_have_gtids(store, history, found.base, resolved.hit)
    if leave_out:
        say(f"looking for what builds on {leave_out}")
    skipped = look(resolved.source, leave_out, resolved.gtids)
    pieces = cut(resolved.source, found, wanted, resolved.hit)
    say("looking at what comes after it")
    after = lost(resolved.source, history.gtids, resolved.gtids, resolved.hit)
    recovery = Recovery(archive, target, resolved, history, found, pieces, after, skipped)
    _check_content(store, recovery, say)
    return recovery


def _chain(
    archive: Archive, oldest: Base, target: GtidSet, base_id: str | None, leave_out: GtidSet
) -> Chain:
    """Return the base to begin with, and its logs. Raises BinlogError on a gap."""
    if base_id is None:
        found = choose_base(archive, target)
        if found is not None:
            return found
        base = oldest
        inside = base.gtid_executed & leave_out
        if inside:
            proof = [f"base {base.id}, the oldest that leads there, holds {str(inside)[:200]}"]
            raise BinlogError("recovery.before_base", base.id, proof, wanted=str(inside)[:200])
    else:
        base = archive.base(base_id)
        if not base.usable:
            proof = [f"verification of {base.id}: {base.verified or 'never done'}"]
            raise BinlogError("recovery.base_unproved", base.id, proof)
        if base.gtid_executed not in target:
            extra = str(base.gtid_executed - target)[:200]
            proof = [f"base {base.id} holds {extra}"]
            raise BinlogError("recovery.before_base", base.id, proof, wanted=extra)
    found = chain(archive, base, target)
    if found.missing:
        proof = [
            f"base {base.id} and {len(found.files)} binary logs lead to {str(found.reached)[:200]}",
            f"no binary log of the archive brings {str(found.missing)[:200]}",
        ]
        raise BinlogError(
            "recovery.gap",
            base.id,
            proof,
            missing=str(found.missing)[:200],
            count=found.missing.count,
        )
    return found


def _check_content(store: Store, recovery: Recovery, say: Say) -> None:
    """Raise BinlogError where the base or a log is not what was written."""
    say(f"verifying base {recovery.base.id}")
    wrong = store.check_base(recovery.base)
    if wrong:
        raise BinlogError("recovery.base_damaged", recovery.base.id, wrong[:5])
    say(f"verifying {len(recovery.pieces)} binary logs")
    for piece in recovery.pieces:
        complaint = store.check_binlog(piece.log)
        if complaint:
            raise BinlogError("recovery.binlog_damaged", piece.log.name, [complaint])
