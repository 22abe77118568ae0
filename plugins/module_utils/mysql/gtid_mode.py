# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GTIDs turned on while all servers run, in the order that MySQL documents: every server takes a stage
before any takes the next one.

Statements that GTIDs cannot carry are warned of, then refused; then new transactions get GTIDs while
those without are still taken; then, once none without is under way or on its way to a replica, all must.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..finding import CollectionError
from ..plan import Plan, Step
from ..polling import look_until
from .connection import Connection
from .proof import current_goal, wait_for_goal
from .replication import POLL_SECONDS, Channel, observe_channels

MODES = ("OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")
# Strictness of enforce_gtid_consistency; each next one refuses more.
CONSISTENCY = ("OFF", "WARN", "ON")

_WHY_MODE = {
    "OFF_PERMISSIVE": "transactions with GTIDs are taken; new ones get none yet",
    "ON_PERMISSIVE": "new transactions get GTIDs; those without are still taken",
    "ON": "every transaction has a GTID, for replicas that position themselves",
}
_WHY_CONSISTENCY = {
    "WARN": "statements that GTIDs cannot carry are written to the server's log",
    "ON": "statements that GTIDs cannot carry are refused",
}


@dataclass(frozen=True)
class Mode:
    """How far one server is, in the server's own words."""

    name: str
    gtid_mode: str
    consistency: str


Modes = tuple[Mode, ...]
Effect = Callable[[Modes], Modes]


@dataclass(frozen=True)
class Member:
    """A server by name, with a session of its own; None where nothing is to be applied."""

    name: str
    connection: Connection | None = None

    @property
    def session(self) -> Connection:
        """The session. Raises CollectionError where the plan was made without one."""
        if self.connection is None:
            raise CollectionError("This plan was made without a connection: it cannot be applied")
        return self.connection


def observe(name: str, connection: Connection) -> Mode:
    """Return how far a server is. Raises MysqlError."""
    row = connection.query(
        "SELECT @@GLOBAL.gtid_mode AS mode, @@GLOBAL.enforce_gtid_consistency AS consistency"
    )[0]
    # 0, 1 and 2 where the variable was given as a number.
    consistency = str(row["consistency"])
    words = dict(zip("012", ("OFF", "ON", "WARN"), strict=True))
    return Mode(name, str(row["mode"]), words.get(consistency, consistency))


def plan(
    modes: Sequence[Mode], members: Sequence[Member], primary: str, seconds: float
) -> Plan[Modes]:
    """Return the stages that are left, each for all servers; empty where all are on.

    primary: whose transactions without GTIDs the replicas must have applied before the last stage.
    seconds: how long that is waited for.
    """
    before = tuple(modes)
    steps: list[Step[Modes]] = []
    sessions = {member.name: member for member in members}
    for stage in CONSISTENCY[1:]:
        steps += [
            _consistency(sessions[each.name], stage)
            for each in modes
            if CONSISTENCY.index(each.consistency) < CONSISTENCY.index(stage)
        ]
    for stage in MODES[1:]:
        left = [each for each in modes if MODES.index(each.gtid_mode) < MODES.index(stage)]
        if stage == "ON" and left:
            steps += [_drained(sessions[each.name], seconds) for each in modes]
            steps.append(_applied(members, primary, seconds))
        steps += [_mode(sessions[each.name], stage) for each in left]
    return Plan(before, tuple(steps))


def _set(member: Member, variable: str, value: str, why: str, effect: Effect) -> Step[Modes]:
    # Not persisted: the server is about to be started with a file that says so.
    sql = f"SET GLOBAL {variable} = {value}"

    def execute() -> None:
        member.session.execute(sql)

    return Step(f"{sql} -- on {member.name}", why, effect, execute)


def _effect(name: str, **change: str) -> Effect:
    def effect(modes: Modes) -> Modes:
        return tuple(replace(each, **change) if each.name == name else each for each in modes)

    return effect


def _consistency(member: Member, stage: str) -> Step[Modes]:
    effect = _effect(member.name, consistency=stage)
    return _set(member, "enforce_gtid_consistency", stage, _WHY_CONSISTENCY[stage], effect)


def _mode(member: Member, stage: str) -> Step[Modes]:
    effect = _effect(member.name, gtid_mode=stage)
    return _set(member, "gtid_mode", stage, _WHY_MODE[stage], effect)


def _drained(member: Member, seconds: float) -> Step[Modes]:
    """Return the step that waits until a server has no transaction without a GTID under way."""
    name = "Ongoing_anonymous_transaction_count"

    def ongoing() -> int:
        rows = member.session.query("SHOW GLOBAL STATUS WHERE variable_name = %s", (name,))
        return int(rows[0]["value"]) if rows else 0

    def execute() -> None:
        count = look_until(ongoing, lambda count: not count, seconds, POLL_SECONDS)
        if count:
            raise CollectionError(
                f"{member.name} still runs {count} transactions without GTIDs after"
                f" {seconds:g} s: end them (SHOW PROCESSLIST) and run this again"
            )

    why = "a transaction that began without a GTID ends before all must have one"
    return Step(f"-- wait: {name} = 0 on {member.name}", why, lambda modes: modes, execute)


def _applied(members: Sequence[Member], primary: str, seconds: float) -> Step[Modes]:
    """Return the step that waits until those that follow have what has no GTID."""

    def execute() -> None:
        by_name = {member.name: member.session for member in members}
        goal = current_goal(by_name[primary])
        for name, session in by_name.items():
            for channel in observe_channels(session) if name != primary else ():
                if not channel.following or channel.settings.get("auto_position"):
                    continue
                deadline = time.monotonic() + seconds
                missing = wait_for_goal(session, channel.name, goal, deadline, _stopped)
                if missing:
                    raise CollectionError(
                        f"{name} has not applied {missing} of {primary} in {seconds:g} s"
                    )

    why = "no replica may meet a transaction without a GTID after the last stage"
    sql = f"-- wait: those that follow have applied what {primary} has written"
    return Step(sql, why, lambda modes: modes, execute)


def _stopped(channel: Channel) -> bool:
    return not channel.started


def shown(modes: Sequence[Mode]) -> dict[str, str]:
    """Return the modes flat, for a diff."""
    flat: dict[str, str] = {}
    for each in modes:
        flat[f"{each.name} gtid_mode"] = each.gtid_mode
        flat[f"{each.name} enforce_gtid_consistency"] = each.consistency
    return flat
