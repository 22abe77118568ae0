# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module binlog_point does, by its option action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..causes.binlog import told
from ..finding import CollectionError
from ..mysql.connection import Connection
from ..plan import apply, diff
from . import find, payload, points, search

Connect = Callable[[], Connection]

OF_FIND = ("gtid", "file", "time", "before")
TAKES = {"note": ("name", "replace"), "list": (), "show": ("name",), "find": OF_FIND}
FAILED = {
    "note": "The point was not noted",
    "list": "The points were not read",
    "show": "The point was not read",
    "find": "The point was not found",
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
    with told(FAILED[action], params["language"]), connect() as connection:
        if wanted is not None:
            return _find(params, connection, connect, wanted)
        if action == "note":
            return _note(params, connection, check_mode)
        state = points.observe(connection)
        if action == "list":
            noted = [points.shown(name, point) for name, point in state.noted.items()]
            return {"changed": False, "points": noted}
        return {"changed": False, "point": _shown(params["name"], state, connection.address)}


def _check_options(params: Mapping[str, Any], action: str) -> None:
    """Raise CollectionError naming an option that the action does not take, or lacks."""
    for option in ("name", "replace", *OF_FIND):
        if params.get(option) and option not in TAKES[action]:
            allowed = ", ".join(TAKES[action]) or "none of its own"
            raise CollectionError(
                f"{option}: given with action={action}, which takes these options: {allowed}"
            )
    if not 0 <= int(params["server_id"]) < 2**32:
        raise CollectionError(
            f"server_id: {params['server_id']} is given; allowed is 0 to {2**32 - 1}"
        )
    if action == "find" and not any(params.get(option) for option in OF_FIND):
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


def _find(
    params: Mapping[str, Any], connection: Connection, connect: Connect, wanted: search.Wanted
) -> dict[str, Any]:
    points.current(connection)
    server_id = int(params["server_id"])
    server = find.read_server(connection, connect, server_id, payload.decompressor())
    return find.find(connection, server, wanted)


def _as_text(state: points.State) -> dict[str, Any]:
    return {name: point.as_dict() for name, point in state.noted.items()}


def _shown(name: str | None, state: points.State, address: str) -> dict[str, Any]:
    if name is None:
        return state.current.as_dict()
    return points.shown(name, points.named(state, name, address))
