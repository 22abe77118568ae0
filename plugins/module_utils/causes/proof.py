# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a proof that replicas follow is not complete, and which instances are not who they should be."""

from __future__ import annotations

from collections.abc import Sequence

from ..finding import Finding, errors
from ..mysql.connection import Server
from ..mysql.proof import Shown
from ..mysql.replication import Channel, State
from .catalogue import finding
from .replication import SHOWN_GTIDS, Case, explain


def twins(states: Sequence[tuple[str, State]], language: str = "en") -> list[Finding]:
    """Return which of several instances, by name, share a server-id or a server_uuid."""
    found: list[Finding] = []
    for index, (name, state) in enumerate(states):
        for other, earlier in states[:index]:
            mine, theirs = state.server, earlier.server
            if mine.server_id == theirs.server_id:
                proof = [f"@@server_id = {mine.server_id} on {name} and on {other}"]
                facts = {"other": other, "server_id": mine.server_id}
                code = "replication.replicas_share_server_id"
                found.append(finding(code, subject=name, proof=proof, language=language, **facts))
            if mine.server_uuid == theirs.server_uuid:
                proof = [f"@@server_uuid = {mine.server_uuid} on {name} and on {other}"]
                code = "replication.replica_uuid_duplicate"
                found.append(finding(code, subject=name, proof=proof, language=language))
    return found


def explain_proof(case: Case, primary: Server, shown: Shown, timeout: float) -> list[Finding]:
    """Return why a replica's proof is not complete; empty: it is.

    timeout: how many seconds were waited for it.
    """
    found = [each for each in explain(case) if each.code != "replication.silent"]
    channel = case.state.channel(case.channel)
    if channel is None:
        return found
    if channel.reached_another(primary.server_uuid):
        found.append(wrong_source(case, channel, primary))
    if shown.missing and not errors(found):
        proof = f"not applied: {shown.missing[:SHOWN_GTIDS]}"
        facts = {"count": shown.missing_count or "some", "seconds": f"{timeout:g}"}
        found.append(case.finding("replication.behind", proof, **facts))
    if shown.row_seen is False and not shown.missing:
        found.append(case.finding("replication.canary_lost", f"no row {shown.token} in its table"))
    if not shown.heard and not errors(found):
        found.append(_unheard(case, channel, timeout))
    return found


def wrong_source(case: Case, channel: Channel, primary: Server) -> Finding:
    """Return the finding of a replica that receives from another server than the primary."""
    return case.finding(
        "replication.wrong_source",
        f"{case.subject} receives from server_uuid {channel.source_uuid}",
        f"the primary has server_uuid {primary.server_uuid}",
        held=f"{channel.settings.get('host')}:{channel.settings.get('port')}",
        expected=f"the primary (server-id {primary.server_id})",
    )


def _unheard(case: Case, channel: Channel, timeout: float) -> Finding:
    age = channel.heard_seconds_ago
    return case.finding(
        "replication.unheard",
        "no heartbeat or transaction was received yet"
        if age is None
        else f"last heartbeat or transaction {age:.1f} s ago",
        f"heartbeat period {channel.settings.get('heartbeat_period')} s",
        seconds=f"{timeout:g}" if age is None else f"{age:.0f}",
    )
