# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Semi-synchronous replication: a commit is acknowledged once a replica has received it.

One side only is on at a time: an applier that commits with the source's side on would wait for
replicas of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from ..plan import Plan, Step
from . import plugin
from .connection import Connection, Version
from .dialect import semisync_library, semisync_plugin, statement, variable

Run = Callable[[str], None]
Role = Literal["source", "replica", "off"]

ROLES: tuple[Role, ...] = ("source", "replica", "off")
SIDES = ("source", "replica")
OLD_NAMES: Version = (8, 0, 15)
# What INSTALL PLUGIN says on a server that comes without the library.
NO_LIBRARY = 1126

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

    version: the server's. old: the sides whose plugin has the older name, which servers of 8.0.26
    to 8.3 still take; the two sides may differ in that. timeout: milliseconds after which a commit
    is acknowledged without a replica, 0 where the source's side is not installed. clients: replicas
    that acknowledge now.
    """

    version: Version
    installed: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    persisted: tuple[str, ...] = ()
    timeout: int = 0
    clients: int = 0

    def naming(self, side: str) -> Version:
        """Return the version whose names a side has.

        One that is missing gets the names of the other side, so that a server has one naming.
        """
        older = side in self.old if side in self.installed else bool(self.old)
        return OLD_NAMES if older else self.version

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
    new = {side for side in SIDES if semisync_plugin(side, version) in names}
    old = {side for side in SIDES if semisync_plugin(side, OLD_NAMES) in names} - new
    installed = tuple(side for side in SIDES if side in new | old)
    if not installed:
        return Semisync(version)
    found = Semisync(version, installed, tuple(side for side in SIDES if side in old))
    values = {
        str(row["variable_name"]).lower(): str(row["value"])
        for row in connection.query("SHOW GLOBAL VARIABLES LIKE 'rpl%semi%sync%'")
    }
    kept = {str(row["name"]): str(row["value"]) for row in connection.query(_PERSISTED)}
    status = {
        str(row["variable_name"]).lower(): str(row["value"])
        for row in connection.query("SHOW GLOBAL STATUS LIKE 'rpl%semi%sync%clients'")
    }
    return replace(
        found,
        on=_on(values, found),
        persisted=_on(kept, found),
        timeout=int(values.get(_timeout(found), 0)),
        clients=max((int(count) for count in status.values()), default=0),
    )


def plan(
    state: Semisync,
    role: Role,
    run: Run,
    *,
    timeout: int | None = None,
    install: Collection[str] = SIDES,
    closed: bool = False,
) -> Plan[Semisync]:
    """Return the steps to a role; nothing is touched.

    run: what executes a statement. timeout: milliseconds, None leaves it. install: the sides whose
    plugins are installed where they are missing; an instance that lacks others does without.
    closed: whether super_read_only is on.
    """
    steps: list[Step[Semisync]] = []
    if role != "off":
        steps += installing(state, install, run, closed)
    have = Plan(state, tuple(steps)).after().installed
    for side in sorted(have, key=lambda each: each == role):
        steps += _switching(state, side, side == role, run)
    # On a replica too: it may become the source.
    if role != "off" and "source" in have and timeout not in (None, state.timeout):
        steps.append(_waiting(state, timeout or 0, run))
    return Plan(state, tuple(steps))


def setup(
    connection: Connection, state: Semisync, role: Role, run: Run, timeout: int
) -> Plan[Semisync]:
    """Return the steps to a role on an instance as it is now, plugins included.

    A replica that runs notes which side it is on when its receiver connects. Raises MysqlError;
    reads only.
    """
    closed = bool(connection.value("SELECT @@GLOBAL.super_read_only"))
    made = plan(state, role, run, timeout=timeout, closed=closed)
    steps = list(made.steps)
    moved = ("replica" in state.on) != ("replica" in made.after().on)
    threads = "SELECT COUNT(*) FROM performance_schema.replication_connection_status"
    if moved and connection.value(f"{threads} WHERE service_state <> 'OFF'"):
        why = "the receiver notes its side when it connects"
        for words in ("stop_receiver", "start_receiver"):
            sql = statement(words, state.version)
            steps.append(Step(sql, why, lambda after: after, partial(run, sql)))
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


def installing(
    state: Semisync, sides: Collection[str], run: Run, closed: bool
) -> list[Step[Semisync]]:
    """Return the steps that install the plugins of these sides where they are missing.

    closed: whether super_read_only is on, which forbids that: it is lifted for the moment.
    """
    steps = []
    for side in SIDES:
        if side in state.installed or side not in sides:
            continue
        names = state.naming(side)
        name, library = semisync_plugin(side, names), semisync_library(side, names)
        sql = f"INSTALL PLUGIN {name} SONAME '{library}'"

        def effect(after: Semisync, side: str = side) -> Semisync:
            old = _with(after.old, side, after.naming(side) != after.version)
            return replace(after, installed=_with(after.installed, side, True), old=old)

        reason = f"the {side}'s side of semi-synchronous replication is missing"
        work = partial(plugin.loading, run, sql, closed)
        steps.append(Step(sql, plugin.reason_of(reason, closed), effect, work))
    return steps


def _enabled(state: Semisync, side: str) -> str:
    """Return the name of the variable that turns a side on."""
    return variable(f"rpl_semi_sync_{side}_enabled", state.naming(side))


def _timeout(state: Semisync) -> str:
    return variable("rpl_semi_sync_source_timeout", state.naming("source"))


def _on(values: Mapping[str, str], state: Semisync) -> tuple[str, ...]:
    return tuple(side for side in SIDES if values.get(_enabled(state, side)) in ("ON", "1"))


def _switching(state: Semisync, side: str, on: bool, run: Run) -> list[Step[Semisync]]:
    if (side in state.on) == (side in state.persisted) == on:
        return []
    sql = f"SET PERSIST {_enabled(state, side)} = {'ON' if on else 'OFF'}"
    why = "it is this instance's side" if on else "it is not this instance's side"

    def effect(after: Semisync) -> Semisync:
        return replace(
            after, on=_with(after.on, side, on), persisted=_with(after.persisted, side, on)
        )

    return [Step(sql, why, effect, partial(run, sql))]


def _waiting(state: Semisync, timeout: int, run: Run) -> Step[Semisync]:
    sql = f"SET PERSIST {_timeout(state)} = {timeout}"
    why = "how long a commit waits for a replica, in milliseconds"
    return Step(sql, why, lambda after: replace(after, timeout=timeout), partial(run, sql))


def _with(sides: tuple[str, ...], side: str, on: bool) -> tuple[str, ...]:
    others = {each for each in sides if each != side}
    return tuple(each for each in SIDES if each in others | ({side} if on else set()))
