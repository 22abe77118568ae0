# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why an instance does not follow: pure functions from what was observed to findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..finding import Finding
from ..mysql.gtid import GtidSet
from ..mysql.replication import Channel, State
from ..mysql.seed import Need
from .catalogue import finding

# Beside what the receiver reports: retrying does not mend these (2003 and 2005 it may).
LASTING = frozenset({1045, 1227, 1236, 1593, 2061, 13114, 13117, 13120, 13121})
SHOWN_GTIDS = 200
SILENT_PERIODS = 3.0

# The source's answer is known by its words where one number stands for several causes: 13114 (1236
# before 8.0.14) for whatever the sender refuses, 13117 (1593) for whatever the handshake finds.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"equal MySQL server ids", "replication.server_id_duplicate"),
    (r"equal MySQL server UUIDs", "replication.server_uuid_duplicate"),
    (r"same server_(?:uuid|id).* as this", "replication.replica_uuid_duplicate"),
    (r"purged binary logs|Could not find first log file|purged required", "replication.purged"),
    (r"Binary log is not open", "replication.source_binlog_off"),
    (r"GTID_MODE|gtid_mode", "replication.source_gtid_off"),
    (r"REPLICATION SLAVE privilege", "replication.privilege_missing"),
    (r"COM_REGISTER_(?:SLAVE|REPLICA) failed: Access denied", "replication.privilege_missing"),
    (r"more GTIDs than the (?:source|master) has", "replication.errant"),
)

_ERRNOS: Mapping[int, str] = {
    1045: "replication.access_denied",
    1227: "replication.privilege_missing",
    2061: "replication.secure_connection",
    2003: "replication.unreachable",
    2002: "replication.unreachable",
    2013: "replication.unreachable",
    2005: "replication.unknown_host",
}


@dataclass(frozen=True)
class Case:
    """What is explained: a replica, its channel's name, its source if that could be read too.

    source: read after the replica was, or what arrives in between would look errant.
    """

    subject: str
    state: State
    channel: str = ""
    source: State | None = None
    language: str = "en"

    def finding(self, code: str, *proof: str, **facts: Any) -> Finding:
        """Return a finding about the replica."""
        return finding(code, subject=self.subject, proof=proof, language=self.language, **facts)


def explain(case: Case) -> list[Finding]:
    """Return why the replica does not follow, or not all of what it should; empty: it does."""
    channel = case.state.channel(case.channel)
    found = list(_identity(case))
    if channel is None:
        proof = "performance_schema.replication_connection_configuration has no such channel"
        return [*found, case.finding("replication.not_configured", proof, channel=case.channel)]
    found += _receiver(case, channel)
    found += _applier(case, channel)
    found += _sets(case)
    found += _silence(case, channel)
    found += older(case)
    return _each_once(found)


def before_joining(case: Case, auto_position: bool) -> list[Finding]:
    """Return what forbids (errors) or casts doubt on (warnings) letting the instance follow."""
    found = [*_identity(case), *older(case)]
    if auto_position:
        found += _gtid_modes(case)
        found += _sets(case)
    if case.source is not None and not case.source.log_bin:
        found.append(case.finding("replication.source_binlog_off", "source: @@log_bin = 0"))
    if case.state.schemas and case.state.channel(case.channel) is None:
        names = ", ".join(case.state.schemas)
        proof = f"information_schema.schemata of {case.subject}: {names}"
        found.append(case.finding("replication.data_before", proof, schemas=names))
    return found


def before_promotion(case: Case) -> list[Finding]:
    """Return what forbids promoting: transactions received and not applied."""
    channel = case.state.channel(case.channel)
    if channel is None:
        return []
    left = GtidSet.parse(channel.retrieved) - GtidSet.parse(case.state.gtid_executed)
    if not left:
        return []
    proof = f"received and not in gtid_executed: {shortened(left)}"
    return [case.finding("replication.unapplied", proof, count=left.count)]


def before_until(case: Case, passed: GtidSet) -> list[Finding]:
    """Return what forbids stopping before some GTIDs: that they are executed already."""
    if not passed:
        return []
    proof = f"in gtid_executed of {case.subject}: {shortened(passed)}"
    return [case.finding("replication.until_passed", proof, count=passed.count)]


def seed_refused(case: Case, need: Need, name: str) -> Finding:
    """Return why an instance is not overwritten: what would be lost, GTIDs and schemas."""
    proof = [f"why it is to be seeded: {reason}" for reason in need.reasons]
    if need.errant:
        lost = shortened(need.errant)
        proof.append(f"GTID_SUBTRACT(replica.gtid_executed, source.gtid_executed) = {lost}")
    if need.schemas:
        proof.append(f"schemas that would be dropped: {', '.join(need.schemas)}")
    return case.finding("replication.seed_refused", *proof, name=name)


def seed_impossible(case: Case, method: str, hindrances: Sequence[str]) -> Finding:
    """Return why a replica cannot be seeded so, each hindrance a proof."""
    return case.finding("replication.seed_impossible", *hindrances, method=method)


def hopeless(channel: Channel) -> bool:
    """Whether waiting longer cannot make the channel follow."""
    if channel.applier == "stopped" or channel.receiver == "stopped":
        return True
    return channel.receiver_errno in LASTING or bool(channel.applier_errors)


def shortened(gtids: GtidSet) -> str:
    """Return a set's text, cut where it would fill the screen."""
    text = str(gtids)
    return text if len(text) <= SHOWN_GTIDS else f"{text[:SHOWN_GTIDS]}... ({gtids.count} in all)"


def _identity(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with who the instances say they are."""
    replica = case.state.server
    if replica.server_id == 0:
        yield case.finding("replication.server_id_zero", f"{case.subject}: @@server_id = 0")
    if case.source is None:
        return
    source = case.source.server
    if source.server_uuid == replica.server_uuid:
        proof = f"@@server_uuid = {replica.server_uuid} on {case.subject} and on its source"
        yield case.finding("replication.server_uuid_duplicate", proof)
    if source.server_id == replica.server_id != 0:
        proof = f"@@server_id = {replica.server_id} on {case.subject} and on its source"
        yield case.finding("replication.server_id_duplicate", proof, server_id=replica.server_id)


def older(case: Case) -> Iterator[Finding]:
    """Yield that the replica is of an older version than its source, which was read too.

    Within 8.0, which took new features to its end, each release counts; from 8.4 on the series.
    """
    if case.source is None:
        return
    mine, theirs = case.state.server, case.source.server
    parts = 3 if theirs.version[:2] == (8, 0) else 2
    if mine.version[:parts] < theirs.version[:parts]:
        proof = f"VERSION(): {mine.version_string} on {case.subject}, {theirs.version_string} on its source"
        numbers = [".".join(map(str, each.version)) for each in (mine, theirs)]
        facts = {"version": numbers[0], "source_version": numbers[1]}
        yield case.finding("replication.older_than_source", proof, **facts)


def _gtid_modes(case: Case) -> Iterator[Finding]:
    mode = case.state.gtid_mode
    if mode != "ON":
        proof = (
            f"{case.subject}: @@gtid_mode = {mode},"
            f" @@enforce_gtid_consistency = {case.state.enforce_gtid_consistency}"
        )
        yield case.finding("replication.gtid_off", proof, gtid_mode=mode)
    if case.source is not None and case.source.gtid_mode not in ("ON", "ON_PERMISSIVE"):
        proof = f"source: @@gtid_mode = {case.source.gtid_mode}"
        yield case.finding("replication.source_gtid_off", proof)


def _sets(case: Case) -> Iterator[Finding]:
    """Yield what the GTID sets of both ends tell; nothing where the source was not read."""
    if case.source is None:
        return
    mine = GtidSet.parse(case.state.gtid_executed)
    theirs = GtidSet.parse(case.source.gtid_executed)
    channel = case.state.channel(case.channel)
    received = GtidSet.parse(channel.retrieved) if channel else GtidSet()
    errant = mine - theirs
    if errant:
        proof = f"GTID_SUBTRACT(replica.gtid_executed, source.gtid_executed) = {shortened(errant)}"
        yield case.finding("replication.errant", proof, count=errant.count)
    lost = GtidSet.parse(case.source.gtid_purged) - mine - received
    by_gtid = channel is None or bool(channel.settings.get("auto_position"))
    if lost and by_gtid:
        proof = f"GTID_SUBTRACT(source.gtid_purged, replica.gtid_executed) = {shortened(lost)}"
        yield case.finding("replication.purged", proof)


def _receiver(case: Case, channel: Channel) -> Iterator[Finding]:
    settings, errno = channel.settings, channel.receiver_errno
    seen = f"performance_schema.replication_connection_status: {channel.receiver.upper()}"
    if errno:
        yield from _receiver_error(case, channel)
    elif channel.receiver == "stopped":
        yield case.finding("replication.receiver_stopped", seen)
    elif channel.receiver == "connecting":
        address = f"{settings.get('host')}:{settings.get('port')}"
        yield case.finding("replication.connecting", seen, f"source {address}")


def _receiver_error(case: Case, channel: Channel) -> Iterator[Finding]:
    settings = channel.settings
    reported = f"receiver error {channel.receiver_errno}: {channel.receiver_error}"
    code = _code_of(channel)
    retry_count = settings.get("retry_count")
    # "retries: 10" to 8.0.2x, "attempt 10/10" since.
    tried = rf"retries: {retry_count}\b|attempt {retry_count}/{retry_count}\b"
    gave_up = re.search(tried, channel.receiver_error)
    if channel.receiver == "stopped" and code in _ERRNOS.values() and gave_up:
        kept = f"SOURCE_RETRY_COUNT = {retry_count}, every {settings.get('connect_retry')} s"
        facts = {"retry_count": retry_count}
        yield case.finding("replication.retries_exhausted", kept, reported, **facts)
    errant = GtidSet()
    if case.source is not None:
        errant = GtidSet.parse(case.state.gtid_executed) - GtidSet.parse(case.source.gtid_executed)
    yield case.finding(
        code,
        reported,
        user=settings.get("user"),
        host=settings.get("host"),
        port=settings.get("port"),
        address=f"{settings.get('host')}:{settings.get('port')}",
        errno=channel.receiver_errno,
        server_id=case.state.server.server_id,
        count=errant.count or "some",
    )


def _code_of(channel: Channel) -> str:
    for pattern, code in _WORDS:
        if re.search(pattern, channel.receiver_error, re.IGNORECASE | re.DOTALL):
            return code
    return _ERRNOS.get(channel.receiver_errno, "replication.receiver_error")


def _applier(case: Case, channel: Channel) -> Iterator[Finding]:
    seen = f"performance_schema.replication_applier_status: {channel.applier.upper()}"
    # The coordinator only repeats that a worker failed.
    workers = [error for error in channel.applier_errors if error.worker_id is not None]
    for error in workers or channel.applier_errors:
        who = "coordinator" if error.worker_id is None else f"worker {error.worker_id}"
        proof = [f"{who}, error {error.errno}: {error.message}"]
        proof += [f"transaction {error.transaction}"] if error.transaction else []
        yield case.finding("replication.applier_error", *proof, errno=error.errno)
    if channel.applier != "running" and not channel.applier_errors:
        yield case.finding("replication.applier_stopped", seen)


def _silence(case: Case, channel: Channel) -> Iterator[Finding]:
    """Yield a warning where the source has been silent for several heartbeat periods."""
    period = float(channel.settings.get("heartbeat_period") or 0)
    age = channel.heard_seconds_ago
    if channel.receiver != "running" or age is None or not period:
        return
    if age > SILENT_PERIODS * period:
        proof = f"last heartbeat or transaction {age:.1f} s ago, heartbeat period {period:g} s"
        yield case.finding("replication.silent", proof, seconds=round(age))


def _each_once(found: list[Finding]) -> list[Finding]:
    """Return one finding a cause: where two ways show it, their proofs joined."""
    merged: dict[tuple[str, str], Finding] = {}
    for each in found:
        key = (each.code, each.summary)
        held = merged.get(key, each)
        merged[key] = replace(held, proof=tuple(dict.fromkeys([*held.proof, *each.proof])))
    return list(merged.values())
