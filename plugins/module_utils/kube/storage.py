# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster offers for storage, and where its claims stand: reads, and pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ..finding import CollectionError
from . import pods as pod_status
from . import waiting
from .client import Cluster

Object = dict[str, Any]

DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
NO_PROVISIONER = "kubernetes.io/no-provisioner"
FIRST_CONSUMER = "WaitForFirstConsumer"

# Provisioners whose Pods are known by a label, in whichever namespace they run.
PROVISIONER_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "rancher.io/local-path": "app=local-path-provisioner",
        "docker.io/hostpath": "component=storage-provisioner",
        "openebs.io/local": "openebs.io/component-name=openebs-localpv-provisioner",
    }
)

SUFFIXES: Mapping[str, Decimal] = MappingProxyType(
    {
        "": Decimal(1),
        "m": Decimal("0.001"),
        "k": Decimal(10) ** 3,
        "M": Decimal(10) ** 6,
        "G": Decimal(10) ** 9,
        "T": Decimal(10) ** 12,
        "P": Decimal(10) ** 15,
        "E": Decimal(10) ** 18,
        "Ki": Decimal(2) ** 10,
        "Mi": Decimal(2) ** 20,
        "Gi": Decimal(2) ** 30,
        "Ti": Decimal(2) ** 40,
        "Pi": Decimal(2) ** 50,
        "Ei": Decimal(2) ** 60,
    }
)


@dataclass(frozen=True)
class StorageState:
    """What was read.

    claims: by name, None where there is none. pods, events: of the claims' namespace.
    provisioner_pods: of each provisioner that is known by a label.
    logs: a crashing container's last lines, by ``pod/container``.
    """

    classes: tuple[Object, ...] = ()
    volumes: tuple[Object, ...] = ()
    claims: Mapping[str, Object | None] = field(default_factory=dict)
    pods: tuple[Object, ...] = ()
    events: tuple[Object, ...] = ()
    provisioner_pods: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)


def observe(
    cluster: Cluster,
    namespace: str = "",
    claims: Sequence[str] = (),
    pod_selector: str = "",
) -> StorageState:
    """Read classes, volumes, provisioners, and the claims with their Pods. Raises KubeError.

    pod_selector: labels of the Pods whose crashed containers' logs are read too.
    """
    classes = cluster.list("StorageClass")
    provisioners = {str(entry.get("provisioner")) for entry in classes}
    general = StorageState(
        classes=tuple(classes),
        volumes=tuple(cluster.list("PersistentVolume")),
        provisioner_pods={
            name: tuple(cluster.list("Pod", labels=label))
            for name, label in PROVISIONER_LABELS.items()
            if name in provisioners
        },
    )
    if not namespace:
        return general
    found = {item["metadata"]["name"]: item for item in _claims(cluster, namespace)}
    return replace(
        general,
        claims={name: found.get(name) for name in claims},
        pods=tuple(cluster.list("Pod", namespace)),
        events=tuple(cluster.list("Event", namespace)),
        logs=_crash_logs(cluster, namespace, pod_selector) if pod_selector else {},
    )


def _crash_logs(cluster: Cluster, namespace: str, labels: str) -> dict[str, str]:
    """Return the last lines of crashed containers, by ``pod/container``."""
    return {
        f"{pod['metadata']['name']}/{entry.name}": waiting.crash_log(cluster, pod, entry)
        for pod in cluster.list("Pod", namespace, labels=labels)
        for entry in pod_status.containers(pod)
        if entry.crashing
    }


def _claims(cluster: Cluster, namespace: str) -> list[Object]:
    return cluster.list("PersistentVolumeClaim", namespace)


def is_default(storage_class: Object) -> bool:
    """Whether a class is marked as the cluster's default."""
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(name) == "true" for name in DEFAULT_ANNOTATIONS)


def default_class(classes: Sequence[Object]) -> Object | None:
    """Return the class that Kubernetes gives a claim without one: the newest default."""
    defaults = [entry for entry in classes if is_default(entry)]
    return max(defaults, key=_newest, default=None)


def class_name(obj: Object) -> str:
    """Return the storageClassName of a PVC or PV, empty if it has none."""
    return str(obj["spec"].get("storageClassName") or "")


def names(objects: Sequence[Object]) -> list[str]:
    """Return the objects' names, sorted."""
    return sorted(str(entry["metadata"]["name"]) for entry in objects)


def consumers(claim: Object, pods: Sequence[Object]) -> list[Object]:
    """Return the Pods that use a claim and are neither finished nor being deleted."""
    name = claim["metadata"]["name"]
    return [pod for pod in pods if pod_status.is_live(pod) and name in _claims_of(pod)]


def volume_of(claim: Object, volumes: Sequence[Object]) -> Object | None:
    """Return the volume that a claim names, or that names the claim."""
    wanted = claim["spec"].get("volumeName")
    meta = claim["metadata"]
    for volume in volumes:
        reference = volume["spec"].get("claimRef") or {}
        mine = (reference.get("namespace"), reference.get("name")) == (
            meta.get("namespace"),
            meta["name"],
        )
        if volume["metadata"]["name"] == wanted or (not wanted and mine):
            return volume
    return None


def free_volumes(volumes: Sequence[Object]) -> list[Object]:
    """Return the volumes that no claim has taken."""
    return [entry for entry in volumes if (entry.get("status") or {}).get("phase") == "Available"]


def fits(claim: Object, volume: Object) -> bool:
    """Whether a volume is large enough for a claim and has its access modes."""
    wanted, modes = requested(claim), set(claim["spec"].get("accessModes") or [])
    capacity = quantity(str((volume["spec"].get("capacity") or {}).get("storage", "0")))
    return capacity >= wanted and modes <= set(volume["spec"].get("accessModes") or [])


def requested(claim: Object) -> Decimal:
    """Return the size that a claim asks for, in bytes."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return quantity(str(requests.get("storage", "0")))


def size(claim: Object) -> str:
    """Return the size that a claim has, or asks for while it has none, as it is written there."""
    capacity = ((claim.get("status") or {}).get("capacity") or {}).get("storage")
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return str(capacity or requests.get("storage", "0"))


def quantity(text: str) -> Decimal:
    """Return a Kubernetes quantity (``500Mi``, ``250m``, ``2``, ``1e3``) as a number.

    Raises CollectionError where it is not one.
    """
    match = re.fullmatch(
        r"([+-]?\d+(?:\.\d*)?|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d+))", text
    )
    if match is None or (match[2] or "") not in SUFFIXES:
        raise CollectionError(f"{text!r} is not a quantity such as 500Mi, 10Gi, 250m or 2")
    power = Decimal(10) ** int(match[3] or 0)
    return Decimal(match[1]) * SUFFIXES[match[2] or ""] * power


def claim_state(claim: Object | None, state: StorageState) -> str:
    """Return ``absent``, ``bound``, ``waits_for_consumer``, ``lost`` or ``pending``. Pure."""
    if claim is None:
        return "absent"
    phase = str((claim.get("status") or {}).get("phase") or "Pending")
    if phase in ("Bound", "Lost"):
        return phase.lower()
    storage_class = find(state.classes, class_name(claim))
    failed = any(event.get("reason") == "ProvisioningFailed" for event in events(claim, state))
    first = storage_class is not None and storage_class.get("volumeBindingMode") == FIRST_CONSUMER
    if first and not failed and not consumers(claim, state.pods):
        return "waits_for_consumer"
    return "pending"


def events(claim: Object, state: StorageState) -> list[Object]:
    """Return what the namespace's events say of a claim, without what is past: that its class is not there."""
    uid, name = claim["metadata"].get("uid"), class_name(claim)
    past = f'"{name}" not found' if find(state.classes, name) else None
    return [
        entry
        for entry in state.events
        if entry.get("involvedObject", {}).get("uid") == uid
        and not (past and past in str(entry.get("message")))
    ]


def find(classes: Sequence[Object], name: str) -> Object | None:
    """Return the class of that name, None if there is none."""
    return next((entry for entry in classes if entry["metadata"]["name"] == name), None)


def _newest(storage_class: Object) -> tuple[str, str]:
    meta = storage_class["metadata"]
    return str(meta.get("creationTimestamp", "")), str(meta["name"])


def _claims_of(pod: Object) -> list[str]:
    volumes = (pod.get("spec") or {}).get("volumes") or []
    return [str((volume.get("persistentVolumeClaim") or {}).get("claimName")) for volume in volumes]
