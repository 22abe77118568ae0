# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a MySQL cluster's own Kubernetes objects: pure functions to findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..finding import Finding
from ..kube import ingress, topology
from ..kube import pods as pod_status
from ..kube.workload import VolumeUse, WorkloadState, claim_of
from . import kube as kube_causes
from .catalogue import finding

Object = dict[str, Any]

# Below these shares of a volume binary logs soon have, or have, no room.
NEARLY_FULL = 0.10
FULL = 0.01
MIB = 1024 * 1024


@dataclass(frozen=True)
class Names:
    """What the cluster and its Services are called."""

    cluster: str
    write_service: str
    read_service: str


def explain(state: WorkloadState, names: Names, language: str = "en") -> list[Finding]:
    """Return what keeps the instances from running and the Services from leading to them. Pure."""
    live = state.topology
    if not live.instances:
        what = "no such namespace" if not live.namespace_exists else "no such Deployment"
        labels = f"app.kubernetes.io/name=mysql,app.kubernetes.io/instance={names.cluster}"
        return [
            finding(
                "mysql.not_deployed",
                subject=live.namespace,
                proof=[f"Deployments of {live.namespace} labelled {labels}: {what}"],
                language=language,
                cluster=names.cluster,
            )
        ]
    found: list[Finding] = []
    for name in live.names():
        found.extend(_instance(state, name, language))
    found.extend(_services(state, names, language))
    for use in state.uses:
        found.extend(_room(state, use, language))
    return found


def _instance(state: WorkloadState, name: str, language: str) -> Iterator[Finding]:
    seen = state.deployments[name]
    space = state.topology.namespace
    if seen.obj is not None and seen.obj["spec"].get("replicas") == 0:
        yield finding(
            "mysql.scaled_to_zero",
            subject=name,
            proof=[f"Deployment {space}/{name}: spec.replicas 0"],
            language=language,
            namespace=space,
            name=name,
        )
        return
    yield from kube_causes.explain_one(seen, language)


def _services(state: WorkloadState, names: Names, language: str) -> Iterator[Finding]:
    live = state.topology
    for name in (names.write_service, names.read_service):
        if name == names.read_service and len(live.instances) < 2:
            continue
        subject = f"{live.namespace}/{name}"
        service = state.service(name)
        if service is None:
            listed = ", ".join(one["metadata"]["name"] for one in state.services) or "none"
            proof = [f"Services of {live.namespace}: {listed}"]
            yield finding("mysql.service_absent", subject=subject, proof=proof, language=language)
        elif name == names.write_service and not live.primary:
            selector = service["spec"].get("selector") or {}
            chosen = selector.get(topology.SERVER_LABEL, "none")
            proof = [
                f"Service {subject}: selector {topology.SERVER_LABEL}={chosen}",
                f"instances: {', '.join(live.names())}",
            ]
            yield finding("mysql.no_primary", subject=name, proof=proof, language=language)
        elif not leads(state, service):
            yield _no_endpoints(state, service, language)


def leads(state: WorkloadState, service: Object) -> bool:
    """Whether a Service leads to a ready Pod."""
    return any(
        (endpoint.get("conditions") or {}).get("ready", True)
        for entry in ingress.slices_of(state.slices, service)
        for endpoint in entry.get("endpoints") or []
    )


def _no_endpoints(state: WorkloadState, service: Object, language: str) -> Finding:
    space, name = state.topology.namespace, service["metadata"]["name"]
    selector = service["spec"].get("selector") or {}
    pods = [pod for seen in state.deployments.values() for pod in seen.pods]
    states = "; ".join(f"{pod['metadata']['name']} {pod_status.state(pod)}" for pod in pods)
    return finding(
        "mysql.service_no_endpoints",
        subject=f"{space}/{name}",
        proof=[
            f"EndpointSlices of {space}/{name}: no ready endpoint",
            f"selector {', '.join(f'{key}={value}' for key, value in selector.items())}",
            f"Pods: {states or 'none'}",
        ],
        language=language,
        namespace=space,
    )


def _room(state: WorkloadState, use: VolumeUse, language: str) -> Iterator[Finding]:
    users = [
        name
        for name, seen in state.deployments.items()
        if any(claim_of(pod) == use.claim for pod in seen.pods)
    ]
    share = use.available / use.capacity if use.capacity else 1.0
    if not users or share >= NEARLY_FULL:
        return
    free, size = (f"{count // MIB} MiB" for count in (use.available, use.capacity))
    yield finding(
        "storage.volume_full" if share < FULL else "storage.nearly_full",
        subject=users[0],
        proof=[f"kubelet's summary, PVC {use.claim}: {free} of {size} available"],
        language=language,
        free=free,
        size=size,
    )
