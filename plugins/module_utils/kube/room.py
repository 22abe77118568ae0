# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rights, room and names: what is read before anything is made, and pure functions over it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import kinds
from . import pods as pod_status
from .client import FORBIDDEN, Cluster, KubeError
from .storage import quantity

Object = dict[str, Any]
Resources = dict[str, Decimal]

RESOURCES = ("cpu", "memory")
KEEPS_AWAY = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Right:
    """A verb on a kind. namespace: empty for all of them. subresource: ``portforward``, or empty."""

    verb: str
    kind: str
    namespace: str = ""
    subresource: str = ""

    @property
    def resource(self) -> str:
        """The resource as ``kubectl auth can-i`` takes it."""
        plural = kinds.of(self.kind).plural
        return f"{plural}/{self.subresource}" if self.subresource else plural


@dataclass(frozen=True)
class Need:
    """Pods that shall run: each of ``count`` requests this much.

    labels: by which they are known once they run; empty where the run's own labels are enough.
    """

    name: str
    count: int
    requests: Resources
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RoomState:
    """What was read. refused: rights that the API denies, with its reason, None where it was not
    asked. taken: objects of the wanted names that are there. ingresses: of all namespaces.
    blind: what may not be read."""

    version: str
    namespace_exists: bool
    refused: Mapping[Right, str] = field(default_factory=dict)
    nodes: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    quotas: tuple[Object, ...] = ()
    taken: tuple[Object, ...] = ()
    ingresses: tuple[Object, ...] = ()
    blind: tuple[str, ...] = ()


def observe(
    cluster: Cluster,
    namespace: str,
    rights: Sequence[Right],
    names: Sequence[tuple[str, str]],
) -> RoomState:
    """Read version, rights, nodes, Pods, quotas, and objects of these (kind, name). Raises KubeError.

    What this user may not list is left empty and named in ``blind``.
    """
    version = cluster.version()
    blind: list[str] = []
    exists = _exists(cluster, namespace, blind)
    refused = _refused(cluster, rights, exists)
    nodes, pods = _list(cluster, "Node", None, blind), _list(cluster, "Pod", None, blind)
    quotas = _list(cluster, "ResourceQuota", namespace, blind) if exists else []
    taken = list(_taken(cluster, namespace, names, blind)) if exists else []
    return RoomState(
        version=version,
        namespace_exists=exists,
        refused=refused,
        nodes=tuple(nodes),
        pods=tuple(pods),
        quotas=tuple(quotas),
        ingresses=tuple(_list(cluster, "Ingress", None, blind)),
        taken=tuple(taken),
        blind=tuple(blind),
    )


def _exists(cluster: Cluster, namespace: str, blind: list[str]) -> bool:
    """Whether the namespace is there; one that may not be read is somebody's who was given it."""
    try:
        return cluster.get("Namespace", namespace) is not None
    except KubeError as error:
        if error.status != FORBIDDEN:
            raise
        blind.append("Namespace")
        return True


def _refused(cluster: Cluster, rights: Sequence[Right], exists: bool) -> dict[Right, str]:
    """Return the rights that are denied, with the reason. exists: whether the namespace does."""
    every = {"verb": "*", "group": "*", "resource": "*"}
    # Who may do everything is asked once instead of for each right.
    if _denied(cluster, every) is None:
        return {}
    refused = {}
    for right in rights:
        if exists and (right.verb, right.kind) == ("create", "Namespace"):
            continue
        reason = refusal(cluster, right)
        if reason is not None:
            refused[right] = reason
    return refused


def _taken(
    cluster: Cluster,
    namespace: str,
    names: Sequence[tuple[str, str]],
    blind: list[str],
) -> Iterator[Object]:
    """Yield the objects of these (kind, name); one request a kind."""
    for kind in dict.fromkeys(kind for kind, _name in names):
        wanted = {name for of, name in names if of == kind}
        for one in _list(cluster, kind, namespace, blind):
            if one["metadata"]["name"] in wanted:
                yield {"kind": kind, **one}


def refusal(cluster: Cluster, right: Right) -> str | None:
    """Return why the API server denies a right, None where it grants it. Raises KubeError."""
    return _denied(
        cluster,
        {
            "verb": right.verb,
            "group": kinds.of(right.kind).group,
            "resource": kinds.of(right.kind).plural,
            "subresource": right.subresource,
            "namespace": right.namespace,
        },
    )


def _denied(cluster: Cluster, attributes: Mapping[str, str]) -> str | None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status = cluster.create("SelfSubjectAccessReview", review).get("status") or {}
    if status.get("allowed"):
        return None
    return str(status.get("reason") or "no rule allows it")


def version_tuple(text: str) -> tuple[int, ...]:
    """Return ``v1.36.3`` as (1, 36, 3)."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def requests_of(pod: Object) -> Resources:
    """Return what a Pod requests: its containers' sum, or its largest init container's if more."""
    spec = pod.get("spec") or {}
    total = _sum([_given(one) for one in spec.get("containers") or []])
    for one in spec.get("initContainers") or []:
        given = _given(one)
        total = {name: max(total[name], given[name]) for name in RESOURCES}
    return total


def is_usable(node: Object) -> bool:
    """Whether the scheduler may put an ordinary Pod on a node."""
    spec = node.get("spec") or {}
    tainted = any(taint.get("effect") in KEEPS_AWAY for taint in spec.get("taints") or [])
    return not spec.get("unschedulable") and not tainted and pod_status.is_node_ready(node)


def free_room(
    state: RoomState, labels: Sequence[Mapping[str, str]], namespace: str
) -> dict[str, Resources]:
    """Return what each usable node has free; Pods of our own, by any labels, count as free."""
    free: dict[str, Resources] = {}
    for node in state.nodes:
        if is_usable(node):
            given = (node.get("status") or {}).get("allocatable") or {}
            free[node["metadata"]["name"]] = {
                name: quantity(str(given.get(name, "0"))) for name in RESOURCES
            }
    for pod in state.pods:
        node_name = (pod.get("spec") or {}).get("nodeName")
        mine = any(is_ours(pod, one, namespace) for one in labels)
        if node_name in free and pod_status.is_live(pod) and not mine:
            used = requests_of(pod)
            free[node_name] = {name: free[node_name][name] - used[name] for name in RESOURCES}
    return free


def is_ours(obj: Object, labels: Mapping[str, str], namespace: str) -> bool:
    """Whether an object of the namespace carries the labels of what we make."""
    meta = obj["metadata"]
    given = meta.get("labels") or {}
    same = meta.get("namespace") == namespace
    return bool(labels) and same and all(given.get(key) == val for key, val in labels.items())


def nodes_without(state: RoomState, image: str) -> list[str]:
    """Return the usable nodes that do not say that they hold an image, by name."""
    wanted = full_image(image)
    lacking = []
    for node in state.nodes:
        held = (node.get("status") or {}).get("images") or []
        names = {full_image(name) for entry in held for name in entry.get("names") or []}
        if is_usable(node) and wanted not in names:
            lacking.append(str(node["metadata"]["name"]))
    return lacking


def full_image(name: str) -> str:
    """Return an image's name as container runtimes complete it: ``mysql`` is a library's."""
    first, slash, _rest = name.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def image_version(image: str) -> tuple[int, ...]:
    """Return the version that an image's tag names (``mysql:8.0.15-oracle``), empty without one."""
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    match = re.match(r"\d+(?:\.\d+)+", tag)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def does_not_fit(needs: Sequence[Need], free: Mapping[str, Resources]) -> Need | None:
    """Return the first need that no node has room for, the largest placed first; None if all fit."""
    left = {name: dict(room) for name, room in free.items()}
    largest_first = sorted(needs, key=lambda one: one.requests["memory"], reverse=True)
    for need in [pod for each in largest_first for pod in [each] * each.count]:
        fitting = [
            room
            for room in left.values()
            if all(room[name] >= need.requests[name] for name in RESOURCES)
        ]
        if not fitting:
            return need
        best = max(fitting, key=lambda room: room["memory"])
        for name in RESOURCES:
            best[name] -= need.requests[name]
    return None


def quota_room(quota: Object) -> dict[str, Decimal]:
    """Return what a ResourceQuota leaves, by the resource's name in it."""
    status = quota.get("status") or {}
    hard, used = status.get("hard") or quota["spec"].get("hard") or {}, status.get("used") or {}
    return {
        name: quantity(str(limit)) - quantity(str(used.get(name, "0")))
        for name, limit in hard.items()
    }


def total(needs: Sequence[Need]) -> Resources:
    """Return what all Pods of all needs request together."""
    return _sum([{name: need.requests[name] * need.count for name in RESOURCES} for need in needs])


def text(name: str, value: Decimal) -> str:
    """Return an amount as people write it: cores, or MiB."""
    if name == "memory" or name.endswith((".memory", "storage")):
        return f"{max(Decimal(0), value) / 2**20:.0f}Mi"
    return f"{max(Decimal(0), value):.2f}".rstrip("0").rstrip(".")


def _list(cluster: Cluster, kind: str, namespace: str | None, blind: list[str]) -> list[Object]:
    try:
        return cluster.list(kind, namespace)
    except KubeError as error:
        if error.status != FORBIDDEN:
            raise
        blind.append(kind)
        return []


def _given(container: Object) -> Resources:
    requests = (container.get("resources") or {}).get("requests") or {}
    return {name: quantity(str(requests.get(name, "0"))) for name in RESOURCES}


def _sum(parts: Sequence[Resources]) -> Resources:
    return {name: sum((part[name] for part in parts), Decimal(0)) for name in RESOURCES}
