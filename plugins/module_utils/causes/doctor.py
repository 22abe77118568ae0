# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a whole cluster: pure functions over all that was read of it.

One cause is told once, at its root: an instance whose Pod crashes is not also said to be unreachable,
and a replica is not blamed for a source that does not run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..finding import Finding, errors, worst_first
from ..kube.drills import Drills
from ..kube.ingress import IngressState
from ..kube.metallb import NetworkState
from ..kube.storage import StorageState
from ..kube.workload import WorkloadState
from . import backup as backup_causes
from . import ingress as ingress_causes
from . import instances as instance_causes
from . import metallb as metallb_causes
from . import storage as storage_causes
from . import workload as workload_causes
from .instances import Reading
from .kube import nodes_not_ready
from .metallb import Wanted as WantedAddress

Object = dict[str, Any]

# What a Pod that starts, a busy source or a new connection may still heal by itself.
TRANSIENT = frozenset(
    {
        *metallb_causes.TRANSIENT,
        "kube.no_pods",
        "kube.probe_failing",
        "kube.unschedulable",
        "mysql.service_no_endpoints",
        "mysql.unreachable",
        "replication.connecting",
        "replication.port_blocked",
        "replication.silent",
        "replication.unreachable",
        "storage.claim_pending",
        "storage.claim_stuck",
        "storage.provisioner_absent",
    }
)
LABELS: Mapping[str, tuple[str, str, str]] = {
    "en": (
        "proof:",
        "next: ",
        "No cause found: {checked} things were looked at, all as they should be",
    ),
    "ko": ("증거:", "다음:", "원인이 없습니다: {checked}가지를 확인했고 모두 정상입니다"),
}


@dataclass(frozen=True)
class Seen:
    """All that was read; None where a part was not looked at.

    readings: of each instance, the primary's last. primary: its name, empty where there is none.
    paths: findings about paths that were asked for over the LAN. tables: what checksums told.
    drills: what restore drills left; now: when that was read, seconds since 1970.
    """

    nodes: tuple[Object, ...] = ()
    network: NetworkState | None = None
    storage: StorageState | None = None
    ingress: IngressState | None = None
    workload: WorkloadState | None = None
    readings: tuple[Reading, ...] = ()
    primary: str = ""
    paths: tuple[Finding, ...] = ()
    tables: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    drills: Drills | None = None
    now: float = 0.0


@dataclass(frozen=True)
class Wanted:
    """What the doctor is asked. address: None where no load balancer's address is looked at."""

    cluster: str = "mysql"
    write_service: str = "mysql-write"
    read_service: str = "mysql-read"
    user: str = "root"
    storage_class: str = ""
    address: WantedAddress | None = None
    language: str = "en"


@dataclass(frozen=True)
class Diagnosis:
    """findings: worst first. checked: what was found to be in order, one line each."""

    findings: tuple[Finding, ...]
    checked: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> str:
        """The worst severity, or ``ok``: information is no complaint."""
        return storage_causes.worst(self.findings)

    @property
    def settled(self) -> bool:
        """Whether nothing that may heal by itself is among the findings."""
        return not any(one.code in TRANSIENT for one in self.findings if one.severity != "info")


def explain(seen: Seen, wanted: Wanted) -> Diagnosis:
    """Return what is wrong and what is in order. Pure."""
    found = nodes_not_ready(seen.nodes, _pods(seen), wanted.language)
    checked: list[str] = list(seen.checked)
    if seen.network is not None and wanted.address is not None:
        verdict = metallb_causes.explain(seen.network, wanted.address)
        found.extend(verdict.findings)
        checked.extend(verdict.checked)
    found.extend(_storage(seen, wanted))
    found.extend(_cluster(seen, wanted, checked))
    if seen.ingress is not None:
        own = ingress_causes.explain(seen.ingress, wanted.language)
        found.extend(_beneath(own, found))
        checked.append(f"{len(seen.ingress.ingresses)} Ingresses")
    found.extend(seen.paths)
    found.extend(seen.tables)
    if seen.drills is not None and seen.drills.records:
        days, language = backup_causes.DRILL_MAX_AGE, wanted.language
        found.extend(backup_causes.explain_drills(seen.drills, seen.now, days, language))
        checked.append(f"{len(seen.drills.records)} restore drills")
    return Diagnosis(tuple(worst_first(_each_once(found))), tuple(checked))


def report(diagnosis: Diagnosis, language: str = "en") -> list[str]:
    """Return the diagnosis as text: a block for each cause above information, or one good line."""
    proof, following, healthy = LABELS[language]
    told = [one for one in diagnosis.findings if one.severity != "info"]
    if not told:
        return [healthy.format(checked=len(diagnosis.checked))]
    lines: list[str] = []
    for one in told:
        lines.append(f"{one.severity.upper()}  {one.summary} [{one.code}]")
        lines += [f"  {proof} {line}" for line in one.proof]
        lines.append(f"  {following} {one.fix}")
    return lines


def _pods(seen: Seen) -> list[Object]:
    """Return the Pods of the instances."""
    if seen.workload is None:
        return []
    return [pod for one in seen.workload.deployments.values() for pod in one.pods]


def _storage(seen: Seen, wanted: Wanted) -> list[Finding]:
    """Return what is wrong with the volumes; a class is asked for only where claims exist."""
    if seen.storage is None:
        return []
    asked = storage_causes.Wanted(wanted.storage_class)
    choice = storage_causes.choose(seen.storage, asked, wanted.language)
    return [
        *choice.findings,
        *storage_causes.explain(seen.storage, asked, choice.storage_class, wanted.language),
    ]


def _cluster(seen: Seen, wanted: Wanted, checked: list[str]) -> list[Finding]:
    """Return what is wrong with the instances, their Services and their replication."""
    found: list[Finding] = []
    if seen.workload is not None:
        names = workload_causes.Names(wanted.cluster, wanted.write_service, wanted.read_service)
        found += workload_causes.explain(seen.workload, names, wanted.language)
        if not seen.workload.topology.instances:
            return found
        checked.append(f"{len(seen.workload.topology.instances)} Deployments and their Pods")
    case = instance_causes.Case(
        seen.readings, seen.primary, seen.workload, wanted.user, wanted.language
    )
    told = instance_causes.explain(case, found)
    checked += [f"{one.name} answers" for one in seen.readings if one.state is not None]
    return _without_consequences([*found, *told])


def _without_consequences(found: list[Finding]) -> list[Finding]:
    """Return the findings without those that another one's cause explains."""
    roots = [
        one
        for one in errors(found)
        if one.code not in ("mysql.service_no_endpoints", "kube.probe_failing")
    ]
    if not roots:
        return found
    # A Pod that is not ready, and a Service without ready Pods, follow from what is told of them.
    follow = ("mysql.service_no_endpoints", "kube.probe_failing")
    return [one for one in found if one.code not in follow]


def _beneath(own: Sequence[Finding], before: Sequence[Finding]) -> list[Finding]:
    """Return what Ingresses tell: their class is not told twice."""
    told = {one.code for one in before}
    return [one for one in own if not (one.code == "ingress.class_unknown" and one.code in told)]


def _each_once(found: Sequence[Finding]) -> list[Finding]:
    return list({(one.code, one.subject, one.summary): one for one in reversed(found)}.values())[
        ::-1
    ]
