# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries the steps of a switchover out: the only part of it that writes and waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..finding import CollectionError
from ..plan import Step
from . import semisync
from .connection import Connection, MysqlError
from .dialect import statement
from .gtid import GtidSet
from .replication import (
    POLL_SECONDS,
    Channel,
    State,
    executed,
    named,
    observe,
    observe_channel,
    wait_following,
)
from .switchover import CHANNEL, Member

# A wait is done in slices of this many seconds, to see in between whether there is still hope.
SLICE_SECONDS = 1
# Seconds for an answer beyond what the server itself was told to wait.
GRACE_SECONDS = 10
LOCK_WAIT_TIMEOUT = 1205
NO_SUCH_THREAD = 1094
# Nobody listens, or the name is unknown.
UNREACHABLE = frozenset({2002, 2003, 2005})
# What connecting again does not mend. Not among them: meeting itself (13117, 1593), as the old
# primary does while a Service still leads to it.
LASTING = frozenset({1045, 1227, 1236, 2061, 13114, 13120, 13121})
# A heartbeat is missing after two periods and what a busy machine may add, in seconds.
MISSED_PERIODS = 2.0
MISSED_GRACE = 1.0

_CLIENTS = """SELECT processlist_id AS id FROM performance_schema.threads
 WHERE type = 'FOREGROUND' AND processlist_id IS NOT NULL AND processlist_id <> CONNECTION_ID()
 AND processlist_user NOT IN (SUBSTRING_INDEX(USER(), '@', 1), 'event_scheduler', 'system user')
 AND processlist_command NOT LIKE 'Binlog Dump%%'"""


class Clients(Protocol):
    """Leads clients to instances."""

    def see_primary(self, expected: str) -> object:
        """See that clients that write are still led to an instance, else raise a CollectionError."""

    def lead_writes(self, name: str, before: str) -> None:
        """Lead clients that write from one instance to another, and wait until they get there."""

    def lead_reads(self, name: str, on: bool) -> None:
        """Lead clients that read to an instance, or no longer."""

    def fence(self, name: str) -> Mapping[str, str]:
        """End an instance for good. Returns what is known of what may still run; empty for nothing."""


class BehindError(CollectionError):
    """The new primary has not applied all in time. missing: what it lacks."""

    def __init__(self, name: str, missing: GtidSet, seconds: float) -> None:
        super().__init__(f"{name} lacks {missing.count} transactions after {seconds:g} s")
        self.name = name
        self.missing = missing


class SourceLostError(CollectionError):
    """The old primary went away while something was still to come from it.

    missing: what the new one has not received, None where that is not known.
    """

    def __init__(self, source: str, missing: GtidSet | None, reason: str) -> None:
        super().__init__(f"{source} went away in the middle of the switchover: {reason}")
        self.source = source
        self.missing = missing


class HeldError(CollectionError):
    """A member could not be closed: statements that run there did not end in time."""

    def __init__(self, name: str, seconds: float, reason: str) -> None:
        super().__init__(f"{name} still has statements that write after {seconds:g} s: {reason}")
        self.name = name


class NoLibraryError(CollectionError):
    """A member that needs a side of semi-synchronous replication comes without its library."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} has no semi-synchronous replication")
        self.name = name
        self.reason = reason


@dataclass
class Failure:
    """A member that does not follow the new primary, though it was told to.

    state: as seen then, None where that could not be read. reason: why not.
    """

    name: str
    reason: str
    lost: bool
    state: State | None = None


@dataclass
class Run:
    """One switchover at work. connect: opens a session of a member, by name.

    timeout: seconds. primary: who was when the run was planned.
    opened: whether the new primary may have been written to. pause: seconds for
    which writes stood still, None where they did not. remains: what is known of an old primary that
    was to be ended and may still run. without: members that play no side of semi-synchronous
    replication, since their server has none, and what it answered.
    """

    connect: Callable[[str], Connection]
    timeout: float
    say: Callable[[str], None]
    clients: Clients | None = None
    primary: str = ""
    failures: list[Failure] = field(default_factory=list)
    opened: bool = False
    pause: float | None = None
    remains: Mapping[str, str] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, Connection] = field(default_factory=dict)
    _closed: dict[str, GtidSet | None] = field(default_factory=dict)
    _closed_at: float | None = None

    def session(self, name: str) -> Connection:
        """Return a member's session, opened once. Raises CollectionError."""
        if name not in self._sessions:
            session = self.connect(name)
            # A node that is gone answers nothing at all.
            session.limit(self.timeout + GRACE_SECONDS)
            self._sessions[name] = session
        return self._sessions[name]

    def end(self) -> None:
        """Close all sessions."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def run(self, name: str, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute a statement on a member. Raises MysqlError."""
        try:
            return self.session(name).execute(sql, params)
        except MysqlError as error:
            self._forget(name, error)
            raise

    def close(self, name: str, steps: Sequence[Step[State]]) -> None:
        """Close a member to writes, waiting for statements that run. Raises HeldError, MysqlError."""
        self._see_primary()
        seconds = max(1, round(self.timeout))
        self.run(name, "SET SESSION lock_wait_timeout = %s", (seconds,))
        # Noted first: what is half done is taken back too.
        self._closed[name] = None
        for step in steps:
            try:
                step.execute()
            except CollectionError as error:
                # Not caught as MysqlError: pylint then loses what the cause is.
                if not isinstance(error, MysqlError):
                    raise
                if error.errno == LOCK_WAIT_TIMEOUT:
                    raise HeldError(name, seconds, error.reason) from error
                if error.lost:
                    raise SourceLostError(name, None, error.reason) from error
                raise
        self._closed_at = self._closed_at or time.monotonic()
        self._closed[name] = executed(self.session(name))

    def fence(self, name: str) -> None:
        """End a member that does not answer; note what may still run."""
        self._see_primary()
        if self.clients is not None:
            self.remains = self.clients.fence(name)

    def reopen(self) -> list[str]:
        """Let the members that this run closed take writes again, unless the new primary may too.

        Returns their names. A member that went away stays closed: it comes back so.
        """
        if self.opened:
            return []
        done = []
        for name in self._closed:
            with suppress(MysqlError, CollectionError):
                for variable in ("super_read_only", "read_only"):
                    self.session(name).execute(f"SET PERSIST {variable} = OFF")
                done.append(name)
        return done

    def catch_up(self, name: str, source: str | None) -> None:
        """Wait until a member has executed all of its source, or all that it received itself.

        Raises BehindError, SourceLostError.
        """
        goal = self._goal(name, source)
        deadline = time.monotonic() + self.timeout
        session = self.session(name)
        while True:
            left = deadline - time.monotonic()
            slice_ = max(0.01, min(left, SLICE_SECONDS))
            if session.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)", (str(goal), slice_)) == 0:
                return
            channel = observe_channel(session, CHANNEL)
            missing = goal - executed(session)
            unreceived = missing - GtidSet.parse(channel.retrieved if channel else "")
            self.say(
                f"{name}: {missing.count} transactions to apply, {unreceived.count} to receive"
            )
            if source and unreceived and (channel is None or channel.receiver != "running"):
                self._see_alive(source, unreceived)
            if left <= 0 or channel is None or channel.applier_errors:
                raise BehindError(name, missing, self.timeout)

    def open(self, step: Step[State]) -> None:
        """Do a step after which the new primary may have been written to."""
        self._see_primary()
        self.opened = True
        step.execute()
        self._note_pause()

    def lead_writes(self, name: str) -> None:
        """Lead clients that write to a member."""
        if self.clients is not None:
            self.clients.lead_writes(name, self.primary)
            self._note_pause()

    def close_again(self, name: str) -> None:
        """Let an instance that was opened take no writes: another one turned out to be primary."""
        if self.opened:
            self.run(name, "SET PERSIST super_read_only = ON")

    def _see_primary(self) -> None:
        """See that nobody else made another instance primary since this was planned."""
        if self.clients is not None:
            self.clients.see_primary(self.primary)

    def lead_reads(self, name: str, on: bool) -> None:
        """Lead clients that read to a member, or no longer."""
        if self.clients is not None:
            self.clients.lead_reads(name, on)

    def install(self, name: str, work: Callable[[], None], *, needed: bool) -> None:
        """Load a side of semi-synchronous replication; do without it where nothing else can be done.

        needed: whether a server without the library ends the run. Raises NoLibraryError, MysqlError.
        """
        try:
            work()
        except CollectionError as error:
            if not isinstance(error, MysqlError) or error.errno != semisync.NO_LIBRARY:
                raise
            if needed:
                raise NoLibraryError(name, error.reason) from error
            self.without[name] = error.reason

    def switch_side(self, name: str, work: Callable[[], None]) -> None:
        """Turn a side on or off, unless its plugin could not be loaded."""
        if name not in self.without:
            work()

    def attempt(self, name: str, work: Callable[[], None]) -> None:
        """Do something to a member, unless something failed there already; note where it fails.

        The others are to follow whatever happens to one of them.
        """
        if any(failure.name == name for failure in self.failures):
            return
        try:
            work()
        except CollectionError as error:
            failure = Failure(name, error.message, gone(error))
            self.failures.append(failure)
            if not failure.lost:
                with suppress(CollectionError):
                    failure.state = observe(self.session(name))

    def follow(self, name: str, target: str, begin: Callable[[], None]) -> None:
        """Begin, and begin again while the name of the source still leads somewhere else."""
        new = self.session(target)
        errant = executed(self.session(name)) - executed(new)
        if errant:
            raise CollectionError(f"{name} has transactions that {target} lacks: {errant}")
        deadline = time.monotonic() + self.timeout
        begin()
        while not self._follows(name, new.server.server_uuid, deadline):
            if time.monotonic() >= deadline:
                raise CollectionError(f"{name} does not follow {target} after {self.timeout:g} s")
            self.say(f"{name}: does not reach {target} yet, connects again")
            for words in ("stop_receiver", "start_receiver"):
                self._thread(name, words)

    def end_sessions(self, name: str) -> None:
        """End the sessions of clients on a member; where it is gone there are none."""
        try:
            session = self.session(name)
            for row in session.query(_CLIENTS.replace("%%", "%")):
                self._kill(session, int(row["id"]))
        except CollectionError as error:
            if not gone(error):
                raise

    def still_heard(self, members: Sequence[Member]) -> list[str]:
        """Return the members that hear the primary, though it does not answer us, as it is now.

        A heartbeat that came just before its end is no sign of life: waits for the next one.
        """
        heard = []
        for member in members:
            if member.channel is not None and member.channel.receiver == "running":
                heard += [member.name] if self._hears(member.name) else []
        return heard

    def _hears(self, name: str) -> bool:
        session = self.session(name)
        before: float | None = None
        while True:
            channel = observe_channel(session, CHANNEL)
            if channel is None or channel.receiver != "running":
                return False
            age = channel.heard_seconds_ago
            period = float(channel.settings.get("heartbeat_period") or 0)
            if age is None or not period or age > MISSED_PERIODS * period + MISSED_GRACE:
                return False
            if before is not None and age < before:
                return True
            before = age
            self.say(f"{name}: heard the primary {age:.1f} s ago; waiting whether it does again")
            # A heartbeat comes by itself or not at all: its age is all that there is to read.
            time.sleep(POLL_SECONDS)

    def _note_pause(self) -> None:
        """Note how long writes have stood still by now."""
        if self._closed_at is not None:
            self.pause = round(time.monotonic() - self._closed_at, 3)

    def _goal(self, name: str, source: str | None) -> GtidSet:
        if source is None:
            session = self.session(name)
            channel = observe_channel(session, CHANNEL)
            return executed(session) | GtidSet.parse(channel.retrieved if channel else "")
        noted = self._closed.get(source)
        if noted is not None:
            return noted
        try:
            return executed(self.session(source))
        except CollectionError as error:
            if not isinstance(error, MysqlError):
                raise
            raise SourceLostError(source, None, error.reason) from error

    def _see_alive(self, source: str, unreceived: GtidSet) -> None:
        """Raise SourceLostError where what is to be received cannot come any more."""
        try:
            with self.connect(source) as again:
                again.value("SELECT 1")
        except CollectionError as error:
            raise SourceLostError(source, unreceived, error.message) from error

    def _follows(self, name: str, uuid: str, deadline: float) -> bool:
        """Whether it follows the server of that uuid; false once it is sure that it will not."""
        left = max(0.0, deadline - time.monotonic())
        channels = wait_following(self.session(name), CHANNEL, left, _given_up)
        channel = named(channels, CHANNEL)
        if channel is None or channel.applier_errors:
            raise CollectionError(f"{name}: its applier stopped, or its channel is gone")
        if channel.receiver_errno in LASTING:
            raise CollectionError(f"{name}: {channel.receiver_error}")
        if channel.following:
            return channel.source_uuid == uuid
        # Whoever is told no starts the channel again: a source that refuses is not asked in a tight loop.
        time.sleep(POLL_SECONDS)
        return False

    def _thread(self, name: str, words: str) -> None:
        session = self.session(name)
        sql = statement(words, session.server.version)
        session.execute(f"{sql} FOR CHANNEL %s", (CHANNEL,))

    def _kill(self, session: Connection, thread: int) -> None:
        try:
            session.execute("KILL %s", (thread,))
        except MysqlError as error:
            if error.errno != NO_SUCH_THREAD:
                raise

    def _forget(self, name: str, error: MysqlError) -> None:
        if error.lost and name in self._sessions:
            self._sessions.pop(name).close()


def _given_up(channel: Channel) -> bool:
    """Whether a channel that does not follow yet is to be started again, or never will."""
    return bool(channel.applier_errors or channel.receiver_errno) or channel.receiver == "stopped"


def look(name: str, host: str, port: int, connect: Callable[[str], Connection]) -> Member:
    """Return a member as it is now, also where it does not answer. Reads only."""
    try:
        with connect(name) as session:
            return Member(name, host, port, observe(session), semisync.observe(session))
    except CollectionError as error:
        if not gone(error):
            raise
        return Member(name, host, port, unreachable=error.message)


def gone(error: CollectionError) -> bool:
    """Whether an error says that the instance is not there; another one is an error of ours.

    A Pod that is not there comes with the cause found; an API server that does not answer does not.
    """
    if isinstance(error, MysqlError):
        return error.lost or error.errno in UNREACHABLE
    return bool(error.findings)
