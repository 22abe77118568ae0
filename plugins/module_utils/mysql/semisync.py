# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Semi-synchronous replication: a commit is acknowledged once a replica has received it.

One side only is on at a time: an applier that commits with the source's side on would wait for
replicas of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ..plan import Plan, Step
from .connection import Connection, Version
from .dialect import semisync_library, semisync_plugin, statement, variable

Run = Callable[[str], None]
Role = Literal["source", "replica", "off"]

ROLES: tuple[Role, ...] = ("source", "replica", "off")
SIDES = ("source", "replica")
OLD_NAMES: Version = (8, 0, 15)

_PLUGINS = (
    "SELECT plugin_name AS name FROM information_schema.plugins"
    " WHERE plugin_status = 'ACTIVE' AND plugin_name LIKE 'rpl%semi%sync%'"
)
_PERSISTED = (
    "SELECT variable_name AS name, variable_value AS value"
    " FROM performance_schema.persisted_variables WHERE variable_name LIKE 'rpl%semi%sync%'"
)


@dataclass(frozen=True)
class Semisync:
    """Which sides an instance has and which are on, now and (persisted) at its next start.

    version: whose names its variables have; a server may carry the plugins of older names.
    timeout: milliseconds after which a commit is acknowledged without a replica, 0 where the
    source's side is not installed. clients: replicas that acknowledge now.
    """

    version: Version
    installed: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    persisted: tuple[str, ...] = ()
    timeout: int = 0
    clients: int = 0

    def plays(self, role: Role, timeout: int | None = None) -> bool:
        """Whether it is set up for a role, also after a restart."""
        wanted = () if role == "off" else (role,)
        if role != "off" and set(self.installed) != set(SIDES):
            return False
        waits = role == "off" or timeout in (None, self.timeout)
        return self.on == wanted and self.persisted == wanted and waits


def observe(connection: Connection) -> Semisync:
    """Return what the instance says. Raises MysqlError."""
    version = connection.server.version
    names = {str(row["name"]) for row in connection.query(_PLUGINS)}
    # Both names exist from 8.0.26 to 8.3: those of the plugin that is there count.
    if semisync_plugin("source", OLD_NAMES) in names:
        version = OLD_NAMES
    installed = tuple(side for side in SIDES if semisync_plugin(side, version) in names)
    if not installed:
        return Semisync(version)
    values = {
        str(row["variable_name"]).lower(): str(row["value"])
        for row in connection.query("SHOW GLOBAL VARIABLES LIKE 'rpl%semi%sync%'")
    }
    kept = {str(row["name"]): str(row["value"]) for row in connection.query(_PERSISTED)}
    status = {
        str(row["variable_name"]).lower(): str(row["value"])
        for row in connection.query("SHOW GLOBAL STATUS LIKE 'rpl%semi%sync%clients'")
    }
    return Semisync(
        version,
        installed,
        on=_on(values, version),
        persisted=_on(kept, version),
        timeout=int(values.get(_timeout(version), 0)),
        clients=max((int(count) for count in status.values()), default=0),
    )


def plan(
    state: Semisync,
    role: Role,
    run: Run,
    *,
    timeout: int | None = None,
    install: bool = True,
) -> Plan[Semisync]:
    """Return the steps to a role; nothing is touched.

    run: what executes a statement. timeout: milliseconds, None leaves it. install: whether
    missing plugins are installed; without that an instance that lacks them stays as it is.
    """
    steps: list[Step[Semisync]] = []
    if role != "off" and install:
        steps += _installing(state, run)
    have = set(SIDES) if steps else set(state.installed)
    for side in sorted(have, key=lambda each: each == role):
        steps += _switching(state, side, side == role, run)
    # On a replica too: it may become the source.
    if role != "off" and "source" in have and timeout not in (None, state.timeout):
        steps.append(_waiting(state.version, timeout or 0, run))
    return Plan(state, tuple(steps))


def setup(
    connection: Connection, state: Semisync, role: Role, run: Run, timeout: int
) -> Plan[Semisync]:
    """Return the steps to a role on an instance as it is now, plugins included.

    A replica that runs notes which side it is on when its receiver connects, and super_read_only
    forbids installing a plugin. Raises MysqlError; reads only.
    """
    made = plan(state, role, run, timeout=timeout)
    version = connection.server.version
    steps = list(made.steps)
    closed = bool(connection.value("SELECT @@GLOBAL.super_read_only"))
    if closed and any(step.statement.startswith("INSTALL") for step in steps):
        count = sum(step.statement.startswith("INSTALL") for step in steps)
        why = "a plugin is installed by a write; read_only stays on meanwhile"
        steps.insert(count, _setting("SET GLOBAL super_read_only = ON", why, run))
        steps.insert(0, _setting("SET GLOBAL super_read_only = OFF", why, run))
    moved = ("replica" in state.on) != ("replica" in made.after().on)
    threads = "SELECT COUNT(*) FROM performance_schema.replication_connection_status"
    if moved and connection.value(f"{threads} WHERE service_state <> 'OFF'"):
        why = "the receiver notes its side when it connects"
        for words in ("stop_receiver", "start_receiver"):
            steps.append(_setting(statement(words, version), why, run))
    return Plan(state, tuple(steps))


def shown(state: Semisync) -> dict[str, object]:
    """Return the state flat, for diffs and results."""
    return {
        "installed": list(state.installed),
        "source_enabled": "source" in state.on,
        "replica_enabled": "replica" in state.on,
        "persisted": list(state.persisted),
        "timeout_ms": state.timeout,
    }


def enabled(side: str, version: Version) -> str:
    """Return the name of the variable that turns a side on."""
    return variable(f"rpl_semi_sync_{side}_enabled", version)


def _timeout(version: Version) -> str:
    return variable("rpl_semi_sync_source_timeout", version)


def _on(values: Mapping[str, str], version: Version) -> tuple[str, ...]:
    return tuple(side for side in SIDES if values.get(enabled(side, version)) in ("ON", "1"))


def _installing(state: Semisync, run: Run) -> list[Step[Semisync]]:
    steps = []
    for side in SIDES:
        if side in state.installed:
            continue
        name, library = semisync_plugin(side, state.version), semisync_library(side, state.version)
        sql = f"INSTALL PLUGIN {name} SONAME '{library}'"

        def effect(after: Semisync, side: str = side) -> Semisync:
            return replace(
                after, installed=tuple(s for s in SIDES if s in (*after.installed, side))
            )

        reason = f"the {side}'s side of semi-synchronous replication is missing"
        steps.append(_step(sql, reason, effect, run))
    return steps


def _switching(state: Semisync, side: str, on: bool, run: Run) -> list[Step[Semisync]]:
    if (side in state.on) == (side in state.persisted) == on:
        return []
    sql = f"SET PERSIST {enabled(side, state.version)} = {'ON' if on else 'OFF'}"
    why = "it is this instance's side" if on else "it is not this instance's side"

    def effect(after: Semisync) -> Semisync:
        return replace(
            after, on=_with(after.on, side, on), persisted=_with(after.persisted, side, on)
        )

    return [_step(sql, why, effect, run)]


def _setting(sql: str, why: str, run: Run) -> Step[Semisync]:
    """Return a step that leaves no trace in the state."""
    return _step(sql, why, lambda after: after, run)


def _waiting(version: Version, timeout: int, run: Run) -> Step[Semisync]:
    sql = f"SET PERSIST {_timeout(version)} = {timeout}"
    why = "how long a commit waits for a replica, in milliseconds"
    return _step(sql, why, lambda after: replace(after, timeout=timeout), run)


def _with(sides: tuple[str, ...], side: str, on: bool) -> tuple[str, ...]:
    others = {each for each in sides if each != side}
    return tuple(each for each in SIDES if each in others | ({side} if on else set()))


def _step(
    sql: str,
    reason: str,
    effect: Callable[[Semisync], Semisync],
    run: Run,
) -> Step[Semisync]:
    return Step(statement=sql, reason=reason, effect=effect, execute=lambda: run(sql))
