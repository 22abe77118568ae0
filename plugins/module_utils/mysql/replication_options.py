# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the options of mysql_replication to what is wanted of a channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..finding import CollectionError
from .replication_filters import wanted_filters
from .replication_plan import OPTION_OF, Wanted
from .replication_report import setting_name
from .replication_until import until_of

READ_ONLY: Mapping[str, bool] = {"following": True, "promoted": False}
# What a source is followed with where the user names it and nothing else.
FOLLOWED_WITH: Mapping[str, Any] = {"port": 3306, "auto_position": True, "get_public_key": True}


def wanted_of(params: Mapping[str, Any]) -> Wanted:
    """Return what the options ask for. Raises CollectionError for options that exclude each other."""
    leaves = params["state"] in ("detached", "promoted")
    given = {key: params[setting_name(key)] for key in OPTION_OF}
    settings = {key: value for key, value in given.items() if value is not None and not leaves}
    if "host" in settings:
        settings = {**FOLLOWED_WITH, **settings}
    if settings.get("auto_position") and params["source_log_file"] is not None:
        raise CollectionError(
            "source_log_file: a place to begin at is given, and source_auto_position finds it by"
            " GTID; set source_auto_position: false, or leave source_log_file and source_log_pos out"
        )
    if settings.get("privilege_checks_user"):
        settings["privilege_checks_user"] = account(settings["privilege_checks_user"])
    until = None if leaves else until_of(params["until"])
    refuse_contradictions(params, until is not None)
    read_only = params["read_only"]
    return Wanted(
        goal=params["state"],
        channel=params["channel"],
        settings=settings,
        password=None if leaves else params["source_password"],
        update_password=params["update_password"],
        log_file=params["source_log_file"],
        log_pos=params["source_log_pos"],
        read_only=READ_ONLY.get(params["state"]) if read_only is None else read_only,
        filters={} if leaves else wanted_filters(params["filters"]),
        until=until,
        wait=params["wait"],
    )


def refuse_contradictions(params: Mapping[str, Any], until: bool) -> None:
    """Raise CollectionError for options that do not go together."""
    state = params["state"]
    if until and state != "following":
        raise CollectionError(
            f"until: goes with state: following, which starts the applier; state is {state}"
        )
    waits = [name for name in ("wait_for_gtids", "wait_for_source") if params[name]]
    if waits and (until or state != "following"):
        raise CollectionError(
            f"{waits[0]}: goes with state: following and without until, which is waited for itself"
        )
    seeds = params["seed"] != "none"
    needs = "seed" if seeds else "wait_for_source" if params["wait_for_source"] else ""
    if needs and params["source_instance"] is None:
        raise CollectionError(f"source_instance: needed for {needs}, which reads the source")
    if seeds and state != "following":
        raise CollectionError(f"seed: goes with state: following; state is {state}")


def account(text: str) -> str:
    """Return an account as performance_schema writes it, ``'user'@'host'``.

    Raises CollectionError where it is not one.
    """
    match = re.fullmatch(r"'?([^'@]+)'?(?:@'?([^'@]+)'?)?", text)
    if match is None:
        raise CollectionError(
            f"privilege_checks_user: {text!r} is not an account such as applier@localhost"
        )
    return f"'{match[1]}'@'{match[2] or '%'}'"
