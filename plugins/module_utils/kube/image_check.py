# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Job whose containers start once from the images of a run: they can be pulled, and do what they shall.

What Pods of the namespace show already is not tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import pods as pod_status
from .client import Cluster
from .engine_check import DEADLINE_SECONDS, TTL_SECONDS
from .room import full_image
from .topology import MANAGER, MANAGER_LABEL, NAME_LABEL

Object = dict[str, Any]
USER = 10001
INDEX = "PIP_INDEX_URL"
# Where the run's own namespace is not there yet.
ELSEWHERE = "default"


def place(cluster: Cluster, namespace: str) -> str:
    """Return the namespace in which the images are tried. Raises KubeError."""
    return namespace if cluster.get("Namespace", namespace) is not None else ELSEWHERE


def shown(wanted: Mapping[str, Any], pods: Sequence[Object]) -> str:
    """Return which Pod shows that a container can start, empty where none does. Pure.

    A container that gets packages from an index is shown by one that got some from the same.
    """
    index = _variable(wanted, INDEX)
    for pod in pods:
        for spec, status in _started(pod):
            same = full_image(str(spec.get("image"))) == full_image(str(wanted["image"]))
            got = not index or (_variable(spec, INDEX) == index and _ended_well(status))
            if same and got:
                return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    return ""


def got(wanted: Mapping[str, Any]) -> str:
    """Return what a container gets besides, in words. Pure."""
    index = _variable(wanted, INDEX)
    return f" and gets its packages from {index}" if index else ""


def _started(pod: Object) -> Iterator[tuple[Object, Object]]:
    """Yield the containers of a Pod whose image was there, each with its status."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    for of, states in (
        ("initContainers", "initContainerStatuses"),
        ("containers", "containerStatuses"),
    ):
        known = {one["name"]: one for one in status.get(states) or []}
        for one in spec.get(of) or []:
            if (known.get(one["name"]) or {}).get("imageID"):
                yield one, known[one["name"]]


def _ended_well(status: Object) -> bool:
    ended = (status.get("state") or {}).get("terminated") or {}
    return ended.get("exitCode") == 0


def _variable(container: Mapping[str, Any], name: str) -> str:
    values = {one["name"]: one.get("value") for one in container.get("env") or []}
    return str(values.get(name) or "")


def manifest(
    namespace: str, cluster_name: str, containers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the Job. Its Pod is one that the strictest Pod Security level takes."""
    digest = hashlib.sha256(json.dumps(list(containers), sort_keys=True).encode()).hexdigest()[:10]
    labels = {
        NAME_LABEL: "mysql-image-check",
        "app.kubernetes.io/part-of": cluster_name,
        MANAGER_LABEL: MANAGER,
    }
    common = {
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{**common, **one} for one in containers],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{cluster_name}-image-check-{digest}",
            "namespace": namespace,
            "labels": labels,
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def live(pods: Sequence[Object]) -> list[Object]:
    """Return the Pods that are not on their way out. Pure."""
    return [pod for pod in pods if pod_status.is_live(pod)]
