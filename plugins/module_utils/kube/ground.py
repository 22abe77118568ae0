# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a step of the course stands on, as the cluster shows it: reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import pods as pod_status
from .client import Cluster
from .topology import SERVER_LABEL, is_fenced

Object = dict[str, Any]
KINDS = ("PersistentVolumeClaim", "Deployment", "Service", "Ingress")


@dataclass(frozen=True)
class Ground:
    """What is there. found: names of each kind of KINDS. started, ready: instances whose Pod is so.

    available: Deployments all of whose Pods are. fenced: instances that a failover ended.
    """

    namespace: str
    exists: bool
    found: Mapping[str, frozenset[str]] = field(default_factory=dict)
    started: frozenset[str] = frozenset()
    ready: frozenset[str] = frozenset()
    available: frozenset[str] = frozenset()
    fenced: frozenset[str] = frozenset()

    def lacks(self, kind: str, names: Sequence[str]) -> list[str]:
        """Return those of the names that are not there."""
        return [name for name in names if name not in self.found.get(kind, frozenset())]


def observe(cluster: Cluster, namespace: str) -> Ground:
    """Read what there is in a namespace. Raises KubeError."""
    if cluster.get("Namespace", namespace) is None:
        return Ground(namespace, False)
    objects = {kind: cluster.list(kind, namespace) for kind in KINDS}
    pods = cluster.list("Pod", namespace, labels=SERVER_LABEL)
    return build(namespace, objects, pods)


def build(
    namespace: str, objects: Mapping[str, Sequence[Object]], pods: Sequence[Object]
) -> Ground:
    """Return what the objects show; pure."""
    live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return Ground(
        namespace,
        True,
        found={kind: _names(found) | _owners(kind, found) for kind, found in objects.items()},
        started=frozenset(_server(pod) for pod in live if pod_status.is_started(pod)),
        ready=frozenset(_server(pod) for pod in live if pod_status.is_ready(pod)),
        available=_names([one for one in objects.get("Deployment", ()) if _is_available(one)]),
        fenced=_names([one for one in objects.get("Deployment", ()) if is_fenced(one)]),
    )


def _names(objects: Sequence[Object]) -> frozenset[str]:
    return frozenset(str(one["metadata"]["name"]) for one in objects)


def _owners(kind: str, objects: Sequence[Object]) -> frozenset[str]:
    """Return the instances that claims belong to: those of others are not called after them."""
    if kind != "PersistentVolumeClaim":
        return frozenset()
    labels = [one["metadata"].get("labels") or {} for one in objects]
    return frozenset(str(each[SERVER_LABEL]) for each in labels if SERVER_LABEL in each)


def _server(pod: Object) -> str:
    return str(pod["metadata"]["labels"][SERVER_LABEL])


def _is_available(deployment: Object) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    return int((deployment.get("status") or {}).get("availableReplicas") or 0) >= int(wanted)
