# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plugins of a server: what is loaded, and the steps that load one for good."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ..finding import CollectionError
from ..plan import Plan, Step
from .connection import Connection, Version
from .dialect import quote_identifier

ACTIVE = "ACTIVE"
LIFTED = "super_read_only is lifted for this statement, read_only stays"
_LIBRARY = re.compile(r"[A-Za-z0-9_.-]+")
# The first version that has a plugin, for those that not every supported version has.
SINCE: dict[str, Version] = {"clone": (8, 0, 17)}


@dataclass(frozen=True)
class State:
    """A plugin on a server. status: as the server says, empty where it is not loaded."""

    name: str
    status: str
    super_read_only: bool


def observe(connection: Connection, name: str) -> State:
    """Read whether a plugin is loaded; writes nothing. Raises MysqlError."""
    status = connection.value(
        "SELECT plugin_status FROM information_schema.plugins WHERE plugin_name = %s", (name,)
    )
    read_only = bool(connection.value("SELECT @@GLOBAL.super_read_only"))
    return State(name, str(status or ""), read_only)


def supported(name: str, version: Version) -> bool:
    """Whether a version has the plugin."""
    return version >= SINCE.get(name, (0,))


def plan(connection: Connection, state: State, library: str) -> Plan[State]:
    """Return the steps that load the plugin; it stays over a restart.

    Loading writes a row that no binary log gets: super_read_only, which forbids that too, is lifted
    for the moment, read_only is not. Raises CollectionError for a library that is no file name.
    """
    if _LIBRARY.fullmatch(library) is None:
        raise CollectionError(f"library: {library!r} is no file name of the plugin folder")
    if state.status == ACTIVE:
        return Plan(state)
    install = f"INSTALL PLUGIN {quote_identifier(state.name)} SONAME '{library}'"
    closed = state.super_read_only
    execute = partial(loading, connection.execute, install, closed)
    reason = reason_of(f"the plugin {state.name} is not loaded", closed)
    return Plan(state, (Step(install, reason, _loaded, execute),))


def reason_of(why: str, closed: bool) -> str:
    """Return why a plugin is loaded, and what happens to an instance that is closed to writes."""
    return f"{why}; {LIFTED}" if closed else why


def loading(run: Callable[[str], object], statement: str, closed: bool) -> None:
    """Load a plugin. closed: whether super_read_only is on, which is put back whatever happens."""
    if not closed:
        run(statement)
        return
    run("SET GLOBAL super_read_only = OFF")
    try:
        run(statement)
    finally:
        run("SET GLOBAL super_read_only = ON")


def _loaded(state: State) -> State:
    return replace(state, status=ACTIVE)
