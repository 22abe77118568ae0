# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Proof, taken live, that a replica follows: a canary, or the primary's set and a fresh heartbeat."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..polling import look_until
from . import definitions
from .connection import Connection
from .dialect import quote_identifier, statement
from .gtid import GtidSet
from .replication import POLL_SECONDS, Channel, executed, observe_channel

TABLE = "canary"
# A proof waits in slices of this many seconds, to see in between whether there is still hope.
SLICE_SECONDS = 1
# A heartbeat is fresh for two periods and what a busy machine may add, in seconds.
FRESH_PERIODS = 2.0
FRESH_GRACE = 1.0

Hopeless = Callable[[Channel], bool]


@dataclass(frozen=True)
class Goal:
    """What each replica has to reach.

    gtids: the primary's gtid_executed; empty where it has no GTIDs, then log_file and log_pos
    (bytes) tell. token: what the canary's row holds, empty for a proof without one. gtid: the
    canary's own GTID, or the few among which it is where others wrote at the same time.
    """

    gtids: GtidSet
    log_file: str = ""
    log_pos: int = 0
    token: str = ""
    gtid: str = ""


@dataclass(frozen=True)
class Shown:
    """What one replica showed. missing: empty where it reached the goal.

    row_seen: whether the canary's row is there, None without a canary. heard: whether the source
    was heard of freshly (the canary itself counts).
    """

    missing: str
    missing_count: int
    row_seen: bool | None
    heard: bool
    token: str = ""


def write_canary(primary: Connection, schema: str) -> Goal:
    """Write one row on the primary, replacing the last one, and return what replicas must reach.

    Makes the schema and its table where they are missing. Raises MysqlError.
    """
    token = str(uuid.uuid4())
    table = f"{quote_identifier(schema)}.{quote_identifier(TABLE)}"
    primary.execute(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(schema)}")
    primary.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (id TINYINT UNSIGNED NOT NULL PRIMARY KEY,"
        " token CHAR(36) NOT NULL, written_at TIMESTAMP(6) NOT NULL)"
    )
    before = executed(primary)
    primary.execute(
        f"REPLACE INTO {table} (id, token, written_at) VALUES (1, %s, NOW(6))", (token,)
    )
    goal = current_goal(primary)
    return Goal(goal.gtids, goal.log_file, goal.log_pos, token, str(goal.gtids - before))


def current_goal(primary: Connection) -> Goal:
    """Return what the primary has executed by now, by GTID or by file and position."""
    if str(primary.value("SELECT @@GLOBAL.gtid_mode")) == "ON":
        return Goal(executed(primary))
    shown = primary.query(statement("show_binary_log_status", primary.server.version))
    if not shown:
        return Goal(GtidSet())
    return Goal(GtidSet(), str(shown[0]["file"]), int(shown[0]["position"]))


def take(
    replica: Connection,
    channel: str,
    goal: Goal,
    schema: str,
    deadline: float,
    hopeless: Hopeless,
) -> Shown:
    """Wait until the replica shows the proof, until the deadline (monotonic), or while there is hope.

    Raises MysqlError.
    """
    missing = wait_for_goal(replica, channel, goal, deadline, hopeless)
    count = GtidSet.parse(missing).count if goal.gtids and missing else 0
    if goal.token:
        seen = not missing and _row_seen(replica, schema, goal.token)
        return Shown(missing, count, seen, seen, goal.token)
    heard = not missing and _wait_until_heard(replica, channel, deadline, hopeless)
    return Shown(missing, count, None, heard)


def wait_for_goal(
    replica: Connection, channel: str, goal: Goal, deadline: float, hopeless: Hopeless
) -> str:
    """Return what is still missing in the end, as text; empty for nothing.

    It ends at the deadline (monotonic), or where there is no hope. Raises MysqlError.
    """
    while True:
        left = deadline - time.monotonic()
        if _reached(replica, channel, goal, max(0.0, min(left, SLICE_SECONDS))):
            return ""
        found = observe_channel(replica, channel)
        if left <= 0 or found is None or hopeless(found):
            break
    if goal.gtids:
        return str(goal.gtids - executed(replica))
    return f"{goal.log_file}:{goal.log_pos}"


def _reached(replica: Connection, channel: str, goal: Goal, seconds: float) -> bool:
    """Whether the replica has applied the goal, waiting for it in the server."""
    if goal.gtids:
        # A timeout of 0 would be none at all.
        wait = "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)"
        return bool(replica.value(wait, (str(goal.gtids), max(seconds, 0.01))) == 0)
    if not goal.log_file:
        return True
    name = statement("position_wait", replica.server.version)
    asked = (goal.log_file, goal.log_pos, max(1, round(seconds)), channel)
    waited = replica.value(f"SELECT {name}(%s, %s, %s, %s)", asked)
    return waited is not None and int(waited) >= 0


def _row_seen(replica: Connection, schema: str, token: str) -> bool:
    table = f"{quote_identifier(schema)}.{quote_identifier(TABLE)}"
    return bool(replica.value(f"SELECT COUNT(*) FROM {table} WHERE token = %s", (token,)))


def _wait_until_heard(
    replica: Connection, channel: str, deadline: float, hopeless: Hopeless
) -> bool:
    """Whether a heartbeat or a transaction came within two heartbeat periods."""

    def heard(found: Channel | None) -> bool:
        return found is not None and found.following and fresh(found)

    return heard(
        look_until(
            lambda: observe_channel(replica, channel),
            lambda found: found is None or heard(found) or hopeless(found),
            deadline - time.monotonic(),
            POLL_SECONDS,
        )
    )


def differing(
    primary: Connection,
    replicas: Sequence[Connection],
    channel: str,
    deadline: float,
    hopeless: Hopeless,
) -> tuple[int, list[list[definitions.Difference]]]:
    """Return how many definitions the primary has, and in which each replica differs; without accounts.

    They are read again while the primary moves, until the deadline (monotonic): no snapshot has them.
    Raises MysqlError.
    """
    everybody = [primary, *replicas]
    while True:
        goal = current_goal(primary)
        for replica in replicas:
            wait_for_goal(replica, channel, goal, deadline, hopeless)
        with ThreadPoolExecutor(len(everybody)) as pool:
            first, *others = pool.map(
                lambda each: definitions.read(each, accounts=False), everybody
            )
        found = [definitions.differences(first, other) for other in others]
        if not any(found) or current_goal(primary) == goal or time.monotonic() >= deadline:
            return len(first), found


def fresh(channel: Channel) -> bool:
    """Whether the source was heard of lately; where heartbeats are off, that cannot be asked."""
    period = float(channel.settings.get("heartbeat_period") or 0)
    age = channel.heard_seconds_ago
    if not period:
        return True
    return age is not None and age <= FRESH_PERIODS * period + FRESH_GRACE
