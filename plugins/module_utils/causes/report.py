# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The preflight as one report: every check is made, and all that they find is told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..finding import CollectionError, Finding, errors, worst_first
from ..kube import certificates, metallb, rights, room, storage, waiting
from ..kube.client import FORBIDDEN, Cluster, KubeError
from ..kube.room import Right
from ..polling import look_until
from . import certificates as certificate_causes
from . import metallb as network_causes
from . import preflight, volumes
from . import storage as storage_causes
from .settling import settled

Object = dict[str, Any]

CLAIM = "PersistentVolumeClaim"
TRANSIENT = network_causes.TRANSIENT | volumes.TRANSIENT
# What is no cause any more where the run itself installs that part.
MENDED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "metallb": frozenset({"metallb.not_installed"}),
        "pool": frozenset(
            {"metallb.no_pool", "metallb.no_l2advertisement", "metallb.pool_not_advertised"}
        ),
        "ingress": frozenset({"ingress.class_unknown", "ingress.controller_missing"}),
        # Its class counts as one that is there.
        "provisioner": frozenset(),
    }
)


@dataclass(frozen=True)
class Issuer:
    """Who issues the certificates, as cert-manager refers to it."""

    name: str
    kind: str
    group: str


@dataclass(frozen=True)
class Asked:
    """What the report is about. network, storage: None where that part is not asked for.

    names: (kind, name) that the run will use. claims: those of them that are volumes.
    installs: the parts that the run installs first, each with the kinds of its objects. classes: the
    StorageClasses among these. issuer: of the certificates, None without cert-manager.
    """

    run: preflight.Wanted
    names: tuple[tuple[str, str], ...] = ()
    network: network_causes.Wanted | None = None
    storage: storage_causes.Wanted | None = None
    claims: tuple[str, ...] = ()
    installs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[Object, ...] = ()
    issuer: Issuer | None = None
    language: str = "en"


@dataclass
class Report:
    """What the checks have found so far, and the return values of the module."""

    findings: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    not_proved: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def check(cluster: Cluster, asked: Asked, timeout: float) -> dict[str, Any]:
    """Make all checks until nothing is found that heals by itself; return the module's result.

    timeout: seconds that such causes may take. Raises CollectionError with every finding of every
    check, and the same keys that are returned otherwise.
    """
    report = look_until(
        lambda: look(cluster, asked), lambda seen: settled(seen.findings, TRANSIENT), timeout
    )
    failed = errors(report.findings)
    returned = {
        **report.values,
        "checked": report.checked,
        "not_proved": report.not_proved,
    }
    if failed:
        count = f"{len(failed)} cause" + ("s" if len(failed) > 1 else "")
        message = f"The run would not succeed on {cluster.name}: {count}; nothing was changed"
        raise CollectionError(message, report.findings, returned)
    findings = [one.as_dict() for one in worst_first(report.findings)]
    return {"changed": False, **returned, "findings": findings}


def look(cluster: Cluster, asked: Asked) -> Report:
    """Make each check once. Raises KubeError where the API server does not answer."""
    report = Report()
    kinds = [kind for of in asked.installs.values() for kind in of]
    needed = [*rights.needed(asked.run.namespace), *rights.to_make(kinds)]
    if asked.issuer is not None:
        needed += rights.to_certify(asked.run.namespace, asked.issuer.kind)
    state = room.observe(cluster, asked.run.namespace, needed, asked.names)
    report.values.update(version=state.version, namespace_exists=state.namespace_exists)
    report.findings.extend(preflight.explain(state, asked.run, asked.language))
    report.checked.extend(preflight.checked(state, asked.run, len(needed), report.findings))
    report.not_proved.extend(preflight.not_proved(state, asked.run))
    if asked.network is not None:
        _allowed(report, state.refused, "network", lambda: _network(cluster, asked, report))
    if asked.storage is not None:
        _allowed(report, state.refused, "storage", lambda: _storage(cluster, asked, state, report))
    if asked.issuer is not None:
        _allowed(report, state.refused, "certificates", lambda: _issuer(cluster, asked, report))
    mended = {code for part in asked.installs for code in MENDED[part]}
    report.findings = [one for one in report.findings if one.code not in mended]
    return report


def _allowed(
    report: Report, refused: Mapping[Right, str], what: str, part: Callable[[], None]
) -> None:
    """Make a part of the report; a right that it lacks is told already, among the rights."""
    try:
        part()
    except KubeError as error:
        if error.status != FORBIDDEN or not refused:
            raise
        report.not_proved.append(f"{what}: this user may not {error.operation}")


def _network(cluster: Cluster, asked: Asked, report: Report) -> None:
    wanted = asked.network
    if wanted is None:
        return
    verdict = network_causes.explain(metallb.observe(cluster), wanted)
    report.findings.extend(verdict.findings)
    report.checked.extend(verdict.checked)
    report.values.update(pool=verdict.pool, holder=verdict.holder)
    if not verdict.holder:
        report.not_proved.append(f"that {wanted.ip} answers on the LAN")


def _storage(cluster: Cluster, asked: Asked, seen: room.RoomState, report: Report) -> None:
    wanted = asked.storage
    if wanted is None:
        return
    namespace = asked.run.namespace if seen.namespace_exists else ""
    present = [str(one["metadata"]["name"]) for one in seen.taken if one["kind"] == CLAIM]
    names = [name for name in asked.claims if name in present]
    state = storage.observe(cluster, namespace, names)
    state = replace(state, classes=(*state.classes, *asked.classes))
    choice = storage_causes.choose(state, wanted, asked.language)
    report.findings.extend(choice.findings)
    report.findings.extend(
        storage_causes.explain(state, wanted, choice.storage_class, asked.language)
    )
    chosen = choice.storage_class
    name = str(chosen["metadata"]["name"]) if chosen else ""
    report.values.update(storage_class=name)
    if chosen in asked.classes:
        report.not_proved.append(f"that the StorageClass {name}, which is missing, provisions")
    elif chosen:
        binding = chosen.get("volumeBindingMode", "Immediate")
        report.checked.append(
            f"the StorageClass {name} ({chosen.get('provisioner')}, {binding}) is there"
        )
    if names:
        report.checked.append(f"{len(names)} claims that are there already")


def _issuer(cluster: Cluster, asked: Asked, report: Report) -> None:
    """See that the issuer of the certificates can issue; one of another group is known by name alone."""
    issuer, namespace = asked.issuer, asked.run.namespace
    if issuer is None:
        return
    if issuer.group != certificates.GROUP:
        report.not_proved.append(f"that {issuer.kind} {issuer.name} of {issuer.group} can issue")
        return
    seen = waiting.observe(cluster, waiting.wanted(issuer.kind, namespace, issuer.name), ())
    if waiting.is_met(seen):
        report.checked.append(f"the {seen.wanted} can issue certificates")
    else:
        report.findings.extend(certificate_causes.explain(seen, asked.language))
