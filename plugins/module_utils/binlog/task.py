# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module binlog_point does, by its option action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from ..causes.binlog import told
from ..finding import CollectionError
from ..mysql.connection import Connection
from ..mysql.gtid import GtidSet
from ..plan import apply, diff
from . import find, payload, points, search
from .source import Source
from .store import ArchiveSource, Store

Connect = Callable[[], Connection]

OF_FIND = ("gtid", "file", "time", "offset", "before")
TAKES = {
    "note": ("name", "replace"),
    "list": (),
    "show": ("name",),
    "find": (*OF_FIND, "archive", "key_file"),
    "browse": ("archive", "key_file"),
}
OWN = ("name", "replace", *OF_FIND, "archive", "key_file")
MOST_BROWSED = 10_000
FAILED = {
    "note": "The point was not noted",
    "list": "The points were not read",
    "show": "The point was not read",
    "find": "The point was not found",
    "browse": "The transactions were not read",
}


def perform(params: Mapping[str, Any], connect: Connect, check_mode: bool) -> dict[str, Any]:
    """Do what the options ask and return the module's result.

    connect: opens a session of the server; finding opens several.
    Raises CollectionError, its cause told in the option language.
    """
    action = str(params["action"])
    _check_options(params, action)
    if action == "note":
        points.check_name(str(params["name"]))
    wanted = search.read_wanted(params) if action == "find" else None
    with told(FAILED[action], params["language"]):
        if params.get("archive"):
            return _answer(params, archived(params), wanted)
        return _of_server(params, connect, wanted, check_mode)


def archived(params: Mapping[str, Any]) -> Source:
    """Return the binary logs of the archive that the options name, by what lies before each."""
    key = params.get("key_file")
    store = Store(Path(str(params["archive"])), Path(str(key)) if key else None)
    archive = store.archive
    files = sorted(archive.binlogs, key=lambda log: (log.previous.count, log.order))
    told_of = reduce(or_, (log.after for log in files), GtidSet())
    based = reduce(or_, (base.gtid_executed for base in archive.bases), GtidSet())
    return ArchiveSource(store, tuple(files), based - told_of)


def _of_server(
    params: Mapping[str, Any], connect: Connect, wanted: search.Wanted | None, check_mode: bool
) -> dict[str, Any]:
    action = str(params["action"])
    with connect() as connection:
        if action in ("find", "browse"):
            points.current(connection)
            server = find.read_server(
                connection, connect, int(params["server_id"]), payload.decompressor()
            )
            return _answer(params, server, wanted)
        if action == "note":
            return _note(params, connection, check_mode)
        state = points.observe(connection)
        if action == "list":
            noted = [points.shown(name, point) for name, point in state.noted.items()]
            return {"changed": False, "points": noted}
        return {"changed": False, "point": _shown(params["name"], state, connection.address)}


def _check_options(params: Mapping[str, Any], action: str) -> None:
    """Raise CollectionError naming an option that the action does not take, or lacks."""
    for option in OWN:
        if params.get(option) not in (None, False, "") and option not in TAKES[action]:
            allowed = ", ".join(TAKES[action]) or "none of its own"
            raise CollectionError(
                f"{option}: given with action={action}, which takes these options: {allowed}"
            )
    if not 0 <= int(params["server_id"]) < 2**32:
        raise CollectionError(
            f"server_id: {params['server_id']} is given; allowed is 0 to {2**32 - 1}"
        )
    if action == "browse" and not 1 <= int(params["count"]) <= MOST_BROWSED:
        raise CollectionError(f"count: {params['count']} is given; allowed is 1 to {MOST_BROWSED}")
    if action == "find" and not any(params.get(option) not in (None, "") for option in OF_FIND):
        raise CollectionError(f"action=find needs one of these options: {', '.join(OF_FIND)}")


def _note(params: Mapping[str, Any], connection: Connection, check_mode: bool) -> dict[str, Any]:
    name = str(params["name"])
    state = points.observe(connection)
    plan = points.plan_note(connection, state, name, again=bool(params["replace"]))
    if not check_mode:
        apply(plan)
    after = plan.after()
    return {
        "changed": plan.changed,
        "plan": plan.as_list(),
        "diff": diff(_as_text(state), _as_text(after)),
        "point": points.shown(name, after.noted[name]),
    }


def _answer(
    params: Mapping[str, Any], source: Source, wanted: search.Wanted | None
) -> dict[str, Any]:
    if wanted is not None:
        return find.find(source, wanted)
    return {"changed": False, "transactions": find.browse(source, int(params["count"]))}


def _as_text(state: points.State) -> dict[str, Any]:
    return {name: point.as_dict() for name, point in state.noted.items()}


def _shown(name: str | None, state: points.State, address: str) -> dict[str, Any]:
    if name is None:
        return state.current.as_dict()
    return points.shown(name, points.named(state, name, address))
