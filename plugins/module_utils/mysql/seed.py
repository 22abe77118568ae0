# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a replica needs its source's data before it can follow, and how it can come by it. Pure.

What is said here is decided from two states and a few facts beside them; seed_plan.py makes the
steps, seed_copy.py and seed_clone.py carry them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .connection import Connection, Version
from .dialect import STATEMENTS, has
from .gtid import GtidSet
from .replication import State

Method = Literal["clone", "dump", "reload"]
Asked = Literal["none", "auto", "clone", "dump", "reload"]

ASKED: tuple[Asked, ...] = ("none", "auto", "clone", "dump", "reload")
# A schema that is there while a copy is under way: what an interrupted one left is nobody's data.
MARKER = "mysql_on_kubernetes_seeding"
# From here on a clone needs the same series; before, the same release.
CLONE_ACROSS_RELEASES: Version = (8, 0, 37)


@dataclass(frozen=True)
class Facts:
    """What seeding needs to know of a server beside its state.

    clone: status of the clone plugin in information_schema.plugins, empty where not installed.
    may_clone: whether the account that a clone logs in with may (BACKUP_ADMIN), None where that
    was not asked.
    """

    clone: str = ""
    may_clone: bool | None = None


@dataclass(frozen=True)
class Need:
    """Why a replica cannot follow with the data it has.

    reasons: one line each, empty for no need. errant: its own GTIDs. schemas: its own schemas that
    seeding drops. half: whether an interrupted copy left them.
    """

    reasons: tuple[str, ...] = ()
    errant: GtidSet = GtidSet()
    schemas: tuple[str, ...] = ()
    half: bool = False

    @property
    def needed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.reasons)

    @property
    def overwrites(self) -> bool:
        """Whether seeding takes something away that only this instance may have."""
        return bool(self.errant) or (bool(self.schemas) and not self.half)


def observe_facts(connection: Connection, user: str | None = None) -> Facts:
    """Return the facts of one server; user: the account that a clone would log in with.

    Raises MysqlError.
    """
    plugin = connection.value(
        "SELECT plugin_status FROM information_schema.plugins WHERE plugin_name = 'clone'"
    )
    return Facts(str(plugin or ""), None if user is None else _may_clone(connection, user))


def _may_clone(connection: Connection, user: str) -> bool:
    """Whether an account of that name holds BACKUP_ADMIN, on whichever host."""
    rows = connection.query(
        "SELECT grantee FROM information_schema.user_privileges"
        " WHERE privilege_type = 'BACKUP_ADMIN'"
    )
    return any(str(row["grantee"]).startswith(f"'{user}'@") for row in rows)


def need(state: State, source: State, channel: str, asked: Asked) -> Need:
    """Return why the replica needs the source's data, and what that would take away."""
    mine, theirs = GtidSet.parse(state.gtid_executed), GtidSet.parse(source.gtid_executed)
    held = state.channel(channel)
    half = MARKER in state.schemas
    schemas = tuple(name for name in state.schemas if name != MARKER)
    errant = mine - theirs
    reasons: list[str] = []
    if half:
        reasons.append("an interrupted copy was left behind")
    if errant:
        reasons.append(f"it has {errant.count} transactions that the source does not have")
    if held is None and schemas and not mine and not half:
        reasons.append(f"it holds data of its own: {', '.join(schemas)}")
    lost = _lost(state, source, channel)
    if lost:
        reasons.append(f"the source has purged {lost.count} transactions that it lacks")
    if held is not None and held.applier_errors:
        reasons.append(f"its applier stopped at error {held.applier_errors[0].errno}")
    reasons += _without_joining(state, source, channel, asked, reasons)
    return Need(tuple(reasons), errant, schemas if reasons else (), half)


def _lost(state: State, source: State, channel: str) -> GtidSet:
    held = state.channel(channel)
    received = GtidSet.parse(held.retrieved) if held else GtidSet()
    known = GtidSet.parse(state.gtid_executed) | received
    return GtidSet.parse(source.gtid_purged) - known


def _without_joining(
    state: State, source: State, channel: str, asked: Asked, found: Sequence[str]
) -> list[str]:
    """Return why an instance that never joined is seeded though its binary logs would do."""
    if state.channel(channel) is not None or found or state.gtid_executed:
        return []
    if source.gtid_mode != "ON":
        # File and position begin somewhere: what came before has to be there already.
        return ["without GTIDs it begins at a position of the source"] if source.schemas else []
    if asked in ("clone", "dump") and source.gtid_executed:
        return [f"it has not joined yet, and seed: {asked} is asked for"]
    return []


def clone_hindrances(
    versions: tuple[Version, Version], may_clone: bool | None, user: str
) -> list[str]:
    """Return why the first version's server cannot clone the second's; empty: it can."""
    found: list[str] = []
    replica, source = versions
    for who, version in (("the replica", replica), ("the source", source)):
        if not has(STATEMENTS, "clone_instance", version):
            found.append(f"{who} has version {text(version)}; clone came with 8.0.17")
    across = min(versions) >= CLONE_ACROSS_RELEASES and replica[:2] == source[:2]
    if not found and replica != source and not across:
        rule = "the same series" if min(versions) >= CLONE_ACROSS_RELEASES else "the same release"
        found.append(f"versions {text(replica)} and {text(source)}: clone needs {rule}")
    if may_clone is False:
        found.append(f"{user} has no BACKUP_ADMIN on the source")
    return found


def dump_hindrances(versions: tuple[Version, Version]) -> list[str]:
    """Return why the first version's server cannot take the second's data as statements."""
    replica, source = versions
    if replica[:2] < source[:2]:
        return [f"the source is newer ({text(source)}) than the replica ({text(replica)})"]
    return []


def text(version: Version) -> str:
    """Return a version as a person writes it."""
    return ".".join(str(part) for part in version)


def named(subject: str, name: str, overwrite: Sequence[str]) -> bool:
    """Whether the user named an instance, by its name or by what findings call it."""
    return bool({subject, name} & set(overwrite))


def single_name(params: Mapping[str, Any]) -> str:
    """Return the name of the one instance that the connection options lead to."""
    pod = params.get("pod")
    if pod:
        return str(pod.get("deployment") or pod.get("name") or pod.get("service"))
    if params.get("login_unix_socket"):
        return str(params["login_unix_socket"])
    return f"{params.get('login_host')}:{params.get('login_port')}"
