# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan carried out in a scratch folder, stage by stage; ended anywhere, it goes on from there."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ..binlog.store import Store
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import Connection, Version, parse_version
from ..mysql.dialect import statement
from ..mysql.gtid import GtidSet
from ..progress import duration, ticking
from . import base as bases
from . import relay
from .plan import Recovery
from .room import MEGA, room
from .scratch import APPLIED, APPLYING, BEGUN, INIT, RESTORED, Record, Scratch
from .server_options import Settings, applying
from .skip import depends

Say = Callable[[str], None]


@dataclass
class Count:
    """How far a stage is, read by whoever tells of it."""

    done: int = 0

    def add(self, size: int) -> None:
        """Note so many more."""
        self.done += size


@dataclass(frozen=True)
class Work:
    """One recovery into one folder. say: told where it is."""

    store: Store
    recovery: Recovery
    scratch: Scratch
    settings: Settings
    say: Say

    @property
    def identity(self) -> dict[str, str]:
        """What makes this recovery another one than any with other values."""
        return {
            "archive": str(self.store.root),
            "base": self.recovery.base.id,
            "gtid_executed": str(self.recovery.gtids),
        }

    @property
    def goal(self) -> relay.Goal:
        """Where the applier has to come to."""
        return relay.Goal(self.recovery.gtids, self.recovery.stops_at)

    def current(self) -> Record | None:
        """Return how far this recovery is. Raises BinlogError where another one has the folder."""
        record = self.scratch.record()
        if record is not None and record.identity != self.identity:
            held = record.identity
            proof = [f"it holds {held['gtid_executed'][:200]}", f"from base {held['base']}"]
            raise BinlogError("recovery.scratch_taken", str(self.scratch.folder), proof)
        return record

    def steps(self, record: Record | None) -> list[dict[str, str]]:
        """Return what is still to do, as statement and reason."""
        base = self.recovery.base
        skipped = self.recovery.skip.gtids
        steps = []
        if record is None or not record.reached(RESTORED):
            how = "copy" if base.method == "clone" else "load"
            reason = "the newest base before the target, verified"
            steps.append((f"{how} base {base.id} into {self.scratch.data}", reason))
        if record is None or not record.reached(APPLIED):
            count = len(self.recovery.pieces)
            steps.append(
                (f"lay out {count} binary logs as relay logs", "they are applied in parallel")
            )
            if skipped:
                reason = "nothing that is applied after it builds on its rows"
                steps.append((f"leave out {skipped}", reason))
            stop = self.recovery.first_left_out
            until = f" UNTIL SQL_BEFORE_GTIDS = '{stop}'" if stop else ""
            reason = f"{self.recovery.transactions} transactions lead from the base to the target"
            steps.append((f"START REPLICA SQL_THREAD{until}", reason))
        return [{"statement": text, "reason": reason} for text, reason in steps]

    def apply(self) -> Record:
        """Do what is still to do and return what is noted of it. The server runs afterwards.

        Raises BinlogError.
        """
        version = self._fitting_version()
        with self.room():
            record = self.current()
            if record is None:
                text = ".".join(str(part) for part in version)
                record = Record(self.identity, BEGUN, {}, text)
                self.scratch.write(record)
            if not record.reached(RESTORED):
                record = self._restore(record)
            if not record.reached(APPLIED):
                record = self._apply(record, version)
        return record

    def _fitting_version(self) -> Version:
        version = bases.program_version(self.scratch.executor)
        bases.check_version(self.recovery.base, version)
        return version

    def room(self) -> AbstractContextManager[None]:
        """Turn whatever comes of a full volume in this block into its cause."""
        return room(self.scratch, self.recovery.bytes_needed)

    def _restore(self, record: Record) -> Record:
        base, count, began = self.recovery.base, Count(), time.monotonic()
        total = max(base.size, 1)

        def told() -> str:
            return (
                f"base {base.id}: {count.done // MEGA} of {total // MEGA} MB"
                f" ({min(100, 100 * count.done // total)} %)"
            )

        with ticking(told, self.say):
            bases.restore(self.store, base, self.scratch, self.settings.arguments, count.add)
        return self._noted(record, RESTORED, "base", began)

    def _apply(self, record: Record, version: Version) -> Record:
        starting = time.monotonic()
        self._start_without_channel(version)
        began = time.monotonic()
        self._lay_out()
        record = self._noted(record, APPLYING, "binlogs", began)
        # Its start is a part of it.
        began = time.monotonic() - (began - starting)
        server = self.scratch.server()
        with server.connect() as connection:
            if self.recovery.pieces:
                self._follow(connection, version)
            relay.check(connection, self.goal)
            relay.forget(connection)
            # What is noted as applied is on disk: a server that is killed now has it still.
            connection.execute("FLUSH ENGINE LOGS")
            # Nobody writes until it is somebody's.
            connection.execute("SET GLOBAL super_read_only = ON")
        return self._noted(record, APPLIED, "apply", began)

    def _follow(self, connection: Connection, version: Version) -> None:
        """Let the applier run to the goal. What builds on a transaction left out is named."""
        progress = Applied(self.recovery)
        relay.begin(connection, self.goal)
        try:
            with ticking(progress.line, self.say):
                relay.follow(connection, self.goal, progress.told)
        except BinlogError as error:
            skipped = self.recovery.skip.gtids
            if not skipped or error.code not in relay.UNAPPLIED:
                raise
            first = error if self.settings.workers < 2 else self._first_conflict(version)
            raise depends(relay.failed_gtid(first.proof), skipped, first.proof) from error

    def _first_conflict(self, version: Version) -> BinlogError:
        """Apply once more by one worker: of several that fail, the first in the log is meant."""
        self.say("looking for the first transaction that cannot be applied")
        alone = replace(self, settings=replace(self.settings, workers=1))
        alone._start_without_channel(version)
        alone._lay_out()
        with self.scratch.server().connect() as connection:
            relay.begin(connection, self.goal)
            try:
                relay.follow(connection, self.goal, lambda _now: None)
            except BinlogError as error:
                return error
        raise CollectionError(f"{self.scratch.folder}: what failed before was applied now; go on")

    def _lay_out(self) -> None:
        """Write the relay logs."""
        count, total = Count(), max(self.recovery.bytes_applied, 1)
        with ticking(lambda: f"binary logs: {count.done // MEGA} of {total // MEGA} MB", self.say):
            relay.lay_out(self.store, self.recovery.pieces, self.scratch.data, count.add)
        self.scratch.executor.give("data")

    def _start_without_channel(self, version: Version) -> None:
        """Start the server anew, and take away any channel with its relay logs.

        There is one where the base was a replica, and where this was begun before. What was executed already is
        skipped by its GTID.
        """
        server = self.scratch.server()
        server.stop()
        self.start(version)
        with server.connect() as connection:
            if relay.has_channel(connection):
                connection.execute(statement("stop_applier", version))
                relay.forget(connection)

    def start(self, version: Version | None = None) -> None:
        """Start the server of the folder."""
        start(self.scratch, self.settings, version)

    def _noted(self, record: Record, stage: str, name: str, began: float) -> Record:
        seconds = {**record.seconds, name: round(time.monotonic() - began, 1)}
        noted = replace(record, stage=stage, seconds=seconds)
        self.scratch.write(noted)
        return noted


def start(scratch: Scratch, settings: Settings, version: Version | None = None) -> None:
    """Start the server of a scratch folder. Raises CollectionError, BinlogError."""
    record = scratch.record()
    if version is None and record is None:
        raise CollectionError(f"{scratch.folder} holds no recovery")
    found = version or parse_version(record.version if record else "")
    executor = scratch.executor
    scratch.write_init()
    options = applying(executor.inside, executor.user, found, settings)
    scratch.server().start([*options, f"--init-file={executor.path(INIT)}"])
    (scratch.folder / INIT).unlink()


class Applied:
    """Tells how far the applier is, how fast, and how long yet."""

    def __init__(self, recovery: Recovery) -> None:
        self._wanted = recovery.gtids - recovery.base.gtid_executed
        self._total = self._wanted.count
        self._done = 0
        self._first: tuple[float, int] | None = None

    def told(self, executed: GtidSet) -> None:
        """Take what is executed now."""
        self._done = self._total - (self._wanted - executed).count
        if self._first is None:
            self._first = time.monotonic(), self._done

    def line(self) -> str:
        """Return where it is."""
        text = f"applied {self._done:,} of {self._total:,} transactions"
        if self._first is None or self._done == self._first[1]:
            return text
        rate = (self._done - self._first[1]) / max(time.monotonic() - self._first[0], 0.01)
        return f"{text}, {rate:,.0f}/s, {duration((self._total - self._done) / rate)} left"
