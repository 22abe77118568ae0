# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong among the instances of one cluster: pure functions over what each of them says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..finding import Finding, errors
from ..kube import policies
from ..kube.ingress import is_address
from ..kube.workload import WorkloadState, claim_of
from ..mysql.replication import Channel, State
from . import proof as proof_causes
from . import replication
from .catalogue import finding
from .workload import leads

CACHING = "caching_sha2_password"
# The server's answers to a login that it refuses: wrong password; no such user from there.
DENIED, NO_SUCH_HOST = 1045, 1130
# What a replica says that does not reach its source; the doctor knows more of why.
NOT_REACHED = frozenset(
    {
        "replication.connecting",
        "replication.retries_exhausted",
        "replication.silent",
        "replication.unknown_host",
        "replication.unreachable",
    }
)


@dataclass(frozen=True)
class Reading:
    """What one instance answered, or why it did not.

    state: None where it did not. errno, error, findings: why. bare: whether it lets root in
    without a password. plugins: of the users, by ``user``, that it authenticates.
    """

    name: str
    state: State | None = None
    address: str = ""
    errno: int = 0
    error: str = ""
    findings: tuple[Finding, ...] = ()
    bare: bool = False
    plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """The instances of one cluster, and its objects where it lies in Kubernetes."""

    readings: tuple[Reading, ...]
    primary: str
    workload: WorkloadState | None = None
    user: str = "root"
    language: str = "en"

    @property
    def source(self) -> Reading | None:
        """The primary's reading, None where nobody is primary."""
        return next((one for one in self.readings if one.name == self.primary), None)

    def finding(self, code: str, subject: str, *proof: str, **facts: Any) -> Finding:
        """Return a finding about an instance."""
        return finding(code, subject=subject, proof=proof, language=self.language, **facts)


def explain(case: Case, known: Sequence[Finding] = ()) -> list[Finding]:
    """Return what is wrong with the instances and with replication between them. Pure.

    known: findings about their Pods; an instance that has one is not told again for its silence.
    """
    found: list[Finding] = []
    for one in case.readings:
        if one.state is None:
            found.extend(_silent(case, one, known))
    states = [(one.name, one.state) for one in case.readings if one.state is not None]
    found.extend(_twins(case, states))
    for one in case.readings:
        if one.state is not None:
            found.extend(_roles(case, one, one.state))
            if case.primary and one.name != case.primary:
                found.extend(_replica(case, one, one.state))
    return _one_identity(found)


def _silent(case: Case, one: Reading, known: Sequence[Finding]) -> Iterator[Finding]:
    """Yield why an instance could not be read, unless its Pod's own cause is known."""
    if any(_is_about(found, one.name) for found in errors(known)):
        return
    if one.errno in (DENIED, NO_SUCH_HOST):
        yield _refused(case, one)
    elif one.findings:
        yield from one.findings
    else:
        address = one.address or one.name
        yield case.finding("mysql.unreachable", one.name, one.error, address=address)


def _is_about(found: Finding, name: str) -> bool:
    """Whether a finding's subject is an instance, or a Pod of its Deployment."""
    subject = found.subject.rsplit("/", maxsplit=1)[-1]
    return subject == name or subject.startswith(f"{name}-")


def _refused(case: Case, one: Reading) -> Finding:
    claim, proof = "", [f"login as {case.user}: {one.error}"]
    space = case.workload.topology.namespace if case.workload else ""
    pod = case.workload.pod(one.name) if case.workload else None
    if case.workload is not None and pod is not None:
        claim = claim_of(pod)
        volume = case.workload.claims.get(claim)
        if volume is not None and case.workload.secret_made:
            made = volume["metadata"].get("creationTimestamp")
            proof.append(f"PVC {claim} made {made}, Secret made {case.workload.secret_made}")
    if one.bare or (one.errno == NO_SUCH_HOST and pod is not None):
        proof += [f"login as {case.user} without a password: accepted"] if one.bare else []
        return case.finding(
            "mysql.init_interrupted", one.name, *proof, namespace=space or "-", claim=claim or "-"
        )
    return case.finding("mysql.access_denied", one.name, *proof, user=case.user)


def _twins(case: Case, states: Sequence[tuple[str, State]]) -> Iterator[Finding]:
    """Yield identities that instances share, told from the side of the one that has to change."""
    if not case.primary:
        yield from proof_causes.twins(states, case.language)
        return
    # A replica that shares its source's identity is told as such, with its source in view.
    replicas = [(name, state) for name, state in states if name != case.primary]
    yield from proof_causes.twins(replicas, case.language)


def _roles(case: Case, one: Reading, state: State) -> Iterator[Finding]:
    """Yield where an instance is not what its role asks for."""
    if state.gtid_mode != "ON":
        seen = f"{one.name}: @@gtid_mode = {state.gtid_mode}"
        yield case.finding("mysql.gtid_off", one.name, seen, gtid_mode=state.gtid_mode)
    read_only = (
        f"{one.name}: @@read_only = {int(state.read_only)},"
        f" @@super_read_only = {int(state.super_read_only)}"
    )
    if one.name != case.primary:
        if state.channels and not state.super_read_only:
            yield case.finding("mysql.replica_writable", one.name, read_only)
        return
    if state.read_only or state.super_read_only:
        yield case.finding("mysql.primary_read_only", one.name, read_only)
    for channel in state.channels:
        source = f"{channel.settings.get('host')}:{channel.settings.get('port')}"
        proof = (
            "performance_schema.replication_connection_configuration: channel"
            f" {channel.name!r}, host {source}"
        )
        yield case.finding("mysql.primary_follows", one.name, proof, source=source)


def _replica(case: Case, one: Reading, state: State) -> Iterator[Finding]:
    """Yield why a replica does not follow the primary, with all that is known of both."""
    source = case.source.state if case.source else None
    names = [channel.name for channel in state.channels] or [""]
    for name in names:
        each = replication.Case(one.name, state, name, source, case.language)
        told = replication.explain(each)
        channel = state.channel(name)
        if channel is None:
            yield from told
            continue
        if source is not None and channel.reached_another(source.server.server_uuid):
            told.append(proof_causes.wrong_source(each, channel, source.server))
        told += _key(case, one, channel, told)
        yield from _reached(case, one, channel, told)


def _key(case: Case, one: Reading, channel: Channel, told: Sequence[Finding]) -> Iterator[Finding]:
    """Yield a channel that only works while the source's password cache is warm."""
    plugins = case.source.plugins if case.source else {}
    user = str(channel.settings.get("user"))
    keys = ("ssl", "get_public_key", "public_key_path")
    safe = any(channel.settings.get(key) for key in keys)
    already = any(found.code == "replication.secure_connection" for found in told)
    if plugins.get(user) != CACHING or safe or already:
        return
    proof = (
        f"mysql.user of {case.primary}: {user!r} has the plugin {CACHING}",
        f"channel {channel.name!r} of {one.name}: no TLS, no public key",
    )
    yield case.finding("replication.key_missing", one.name, *proof, user=user)


def _reached(case: Case, one: Reading, channel: Channel, told: Sequence[Finding]) -> list[Finding]:
    """Return the findings, those of a source that is not reached replaced by the cause of that."""
    lost = [found for found in told if found.code in NOT_REACHED]
    rest = [found for found in told if found.code not in NOT_REACHED]
    if not lost:
        return list(told)
    if case.source is not None and case.source.state is None:
        # The source itself does not answer: that is told, and this follows from it.
        return rest
    if case.workload is None:
        return list(told)
    cause = _road(case, one, channel, lost)
    return [*rest, *(lost if cause is None else cause)]


def _road(
    case: Case, one: Reading, channel: Channel, lost: Sequence[Finding]
) -> list[Finding] | None:
    """Return what lies between a replica and its source, None where nothing is known of it."""
    workload, host = case.workload, str(channel.settings.get("host"))
    port = int(channel.settings.get("port") or 0)
    seen = [line for found in lost for line in found.proof]
    if workload is None:
        return None
    service = workload.service(host.split(".", maxsplit=1)[0])
    if service is None and not is_address(host):
        listed = ", ".join(str(each["metadata"]["name"]) for each in workload.services) or "none"
        space = workload.topology.namespace
        seen.append(f"Services of {space}: {listed}")
        return [case.finding("replication.unknown_host", one.name, *seen, host=host)]
    if service is not None and not leads(workload, service):
        return []
    blocking = _policies(case, one, port)
    if blocking:
        return [_policy(case, one, port, blocking[0], seen)]
    if case.source is None or not any("error 200" in line for line in seen):
        return None
    seen.append(f"{case.primary} answers the doctor, and Service {host} has ready endpoints")
    return [case.finding("replication.port_blocked", one.name, *seen, source=host, port=port)]


def _policies(case: Case, one: Reading, port: int) -> list[dict[str, Any]]:
    workload = case.workload
    if workload is None:
        return []
    source, client = workload.pod(case.primary), workload.pod(one.name)
    if source is None or client is None:
        return []
    return policies.closing(workload.policies, source, client, port, workload.namespaces)


def _policy(
    case: Case, one: Reading, port: int, policy: dict[str, Any], seen: Sequence[str]
) -> Finding:
    meta = policy["metadata"]
    client = case.workload.pod(one.name) if case.workload else None
    patch = policies.opened(policy, client or {"metadata": {}}, port)
    proof = (
        *seen,
        f"NetworkPolicy {meta['namespace']}/{meta['name']} selects the Pod of {case.primary} and"
        f" lets {one.name} in at no TCP port {port}",
    )
    return case.finding(
        "replication.policy_closes_port",
        one.name,
        *proof,
        policy=meta["name"],
        namespace=meta["namespace"],
        source=case.primary,
        port=port,
        patch=json.dumps(patch, separators=(",", ":")),
    )


def _one_identity(found: list[Finding]) -> list[Finding]:
    """Return the findings; an equal server-id is not told again for an equal server_uuid."""
    copies = {
        one.subject
        for one in found
        if one.code in ("replication.server_uuid_duplicate", "replication.replica_uuid_duplicate")
    }
    same = ("replication.server_id_duplicate", "replication.replicas_share_server_id")
    return [one for one in found if not (one.code in same and one.subject in copies)]
