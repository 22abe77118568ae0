# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How modules return an instance and its channels: plain dicts, the same keys on every version."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .gtid import GtidSet
from .replication import Channel, State
from .replication_filters import KINDS
from .replication_plan import OPTION_OF

# Settings whose options are not called after the source.
_OWN_NAMES = {
    "get_public_key": "get_source_public_key",
    "privilege_checks_user": "privilege_checks_user",
    "require_row_format": "require_row_format",
    "require_table_primary_key_check": "require_table_primary_key_check",
}


def setting_name(key: str) -> str:
    """Return the option's name of a setting: ``host`` is ``source_host``."""
    return _OWN_NAMES.get(key, f"source_{key}")


def instance(state: State) -> dict[str, Any]:
    """Return what is true of the instance as a whole."""
    return {
        "server_id": state.server.server_id,
        "server_uuid": state.server.server_uuid,
        "version": state.server.version_string,
        "gtid_mode": state.gtid_mode,
        "gtid_executed": state.gtid_executed,
        "gtid_purged": state.gtid_purged,
        "log_bin": state.log_bin,
        "read_only": state.read_only,
        "super_read_only": state.super_read_only,
        "read_only_persisted": state.persisted == ("read_only", "super_read_only"),
        "schemas": list(state.schemas),
        "log_file": state.log_file,
        "log_pos": state.log_pos,
    }


def channel(state: State, each: Channel, source: State | None = None) -> dict[str, Any]:
    """Return a channel: settings, threads, positions, sets and lag.

    What only the source knows (missing, errant) is None where it was not read.
    """
    settings = {setting_name(key): each.settings.get(key) for key in OPTION_OF}
    return {
        "channel": each.name,
        **settings,
        "following": each.following,
        "receiver": each.receiver,
        "receiver_doing": each.receiver_doing,
        "receiver_errno": each.receiver_errno,
        "receiver_error": each.receiver_error,
        "applier": each.applier,
        "applier_errors": [asdict(error) for error in each.applier_errors],
        "source_server_id": each.source_server_id,
        "source_uuid": each.source_uuid,
        "received_log_file": each.source_log_file,
        "received_log_pos": each.source_log_pos,
        "applied_log_file": each.applied_log_file,
        "applied_log_pos": each.applied_log_pos,
        "heartbeats": each.heartbeats,
        "heard_seconds_ago": each.heard_seconds_ago,
        "filters": {kind: list(each.filters.get(kind, ())) for kind in KINDS},
        "until_condition": each.until_condition,
        "until_log_file": each.until_log_file,
        "until_log_pos": each.until_log_pos,
        "lag_seconds": each.lag_seconds,
        "lag_bytes": _lag_bytes(each, source),
        **_sets(state, each, source),
    }


def channels(state: State, source: State | None = None) -> list[dict[str, Any]]:
    """Return every channel of an instance, by name."""
    return [channel(state, each, source) for each in state.channels]


def _lag_bytes(each: Channel, source: State | None) -> int | None:
    """Return the bytes of the source's binary log not applied; None unless both are in one file."""
    if source is None or source.log_pos is None or each.applied_log_pos is None:
        return None
    if source.log_file != each.applied_log_file:
        return None
    # The replica was read first, so the source cannot be behind it.
    return max(0, source.log_pos - each.applied_log_pos)


def _sets(state: State, each: Channel, source: State | None) -> dict[str, Any]:
    executed = GtidSet.parse(state.gtid_executed)
    retrieved = GtidSet.parse(each.retrieved)
    unapplied = retrieved - executed
    missing: GtidSet | None = None
    errant: GtidSet | None = None
    if source is not None:
        of_source = GtidSet.parse(source.gtid_executed)
        missing, errant = of_source - executed, executed - of_source
    # Without GTIDs on both sides nothing can be counted: 0 would look like no lag.
    counted = state.gtid_mode == "ON" and (source is None or source.gtid_mode == "ON")
    behind = (unapplied if missing is None else missing).count
    return {
        "gtid_executed": state.gtid_executed,
        "gtid_retrieved": each.retrieved,
        "gtid_unapplied": str(unapplied),
        "gtid_missing": None if missing is None else str(missing),
        "gtid_errant": None if errant is None else str(errant),
        "lag_transactions": behind if counted else None,
    }
