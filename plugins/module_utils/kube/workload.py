# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one MySQL cluster consists of in Kubernetes: reads, and pure functions over what was read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import topology, waiting
from .client import FORBIDDEN, Cluster, KubeError
from .topology import Topology
from .waiting import Observation

Object = dict[str, Any]


@dataclass(frozen=True)
class VolumeUse:
    """How full a claim's volume is, as the kubelet measures it, in bytes."""

    claim: str
    capacity: int
    available: int


@dataclass(frozen=True)
class WorkloadState:
    """What was read of one namespace.

    deployments: of the instances, by name, with their Pods, events and crash logs. secret_made:
    when the Secret of the passwords was made, empty where there is none; its content is not kept.
    claims: by name. uses: of the claims that a running Pod mounts, where the kubelets tell.
    """

    topology: Topology
    deployments: Mapping[str, Observation] = field(default_factory=dict)
    services: tuple[Object, ...] = ()
    slices: tuple[Object, ...] = ()
    policies: tuple[Object, ...] = ()
    namespaces: tuple[Object, ...] = ()
    claims: Mapping[str, Object] = field(default_factory=dict)
    secret_made: str = ""
    uses: tuple[VolumeUse, ...] = ()

    def pod(self, instance: str) -> Object | None:
        """Return an instance's Pod, None where it has none."""
        seen = self.deployments.get(instance)
        return seen.pods[-1] if seen is not None and seen.pods else None

    def service(self, name: str) -> Object | None:
        """Return a Service by name, None where there is none."""
        return next((one for one in self.services if one["metadata"]["name"] == name), None)


def observe(cluster: Cluster, namespace: str, name: str, write_service: str) -> WorkloadState:
    """Read one MySQL cluster's objects. Raises KubeError."""
    live = topology.observe(cluster, namespace, name, write_service)
    if not live.namespace_exists:
        return WorkloadState(live)
    wanted = [waiting.wanted("Deployment", namespace, each) for each in live.names()]
    seen = waiting.observe_all(cluster, wanted)
    claims = cluster.list("PersistentVolumeClaim", namespace)
    secret = cluster.get("Secret", f"{name}-auth", namespace) or {"metadata": {}}
    return WorkloadState(
        topology=live,
        deployments={one.wanted.name: one for one in seen},
        services=tuple(cluster.list("Service", namespace)),
        slices=tuple(cluster.list("EndpointSlice", namespace)),
        policies=tuple(cluster.list("NetworkPolicy", namespace)),
        namespaces=tuple(_if_allowed(cluster, "Namespace")),
        claims={str(one["metadata"]["name"]): one for one in claims},
        secret_made=str(secret["metadata"].get("creationTimestamp") or ""),
        uses=tuple(_uses(cluster, live)),
    )


def claim_of(pod: Object) -> str:
    """Return the name of the claim that a Pod mounts first, empty where it mounts none."""
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim:
            return str(claim)
    return ""


def volume_uses(summary: Mapping[str, Any], namespace: str) -> list[VolumeUse]:
    """Return how full the claims of a namespace are by a kubelet's summary of its Pods. Pure."""
    found: dict[str, VolumeUse] = {}
    for pod in summary.get("pods") or []:
        for volume in pod.get("volume") or []:
            claim = volume.get("pvcRef") or {}
            known = "capacityBytes" in volume and "availableBytes" in volume
            if claim.get("namespace") == namespace and known:
                found[str(claim["name"])] = VolumeUse(
                    str(claim["name"]), int(volume["capacityBytes"]), int(volume["availableBytes"])
                )
    return list(found.values())


def _uses(cluster: Cluster, live: Topology) -> list[VolumeUse]:
    """Read how full the instances' volumes are; nothing where this user may not ask the kubelets."""
    found: list[VolumeUse] = []
    for node in sorted({one.node for one in live.instances if one.node}):
        path = f"/api/v1/nodes/{node}/proxy/stats/summary"
        try:
            summary = json.loads(cluster.raw(path, f"read the kubelet's summary of {node}"))
        except KubeError:
            # Without the right, or with a kubelet that does not answer, nothing is known of it.
            continue
        found += volume_uses(summary, live.namespace)
    return found


def _if_allowed(cluster: Cluster, kind: str) -> Sequence[Object]:
    try:
        return cluster.list(kind)
    except KubeError as error:
        if error.status != FORBIDDEN:
            raise
        return ()
