# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waits that end with a cause: readiness as pure functions, and one loop with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..finding import CollectionError, Finding
from . import certificates, kinds
from . import pods as pod_status
from .client import FORBIDDEN, Cluster, KubeError, Object

POLL = 0.5
OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")

# Which condition can be waited for on which kind; the first is meant where none is named.
CONDITIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Deployment": ("ready", "started"),
        "StatefulSet": ("ready", "started"),
        "DaemonSet": ("ready", "started"),
        "Pod": ("ready", "started"),
        "PersistentVolumeClaim": ("bound", "bound_or_first_consumer"),
        "Job": ("complete",),
        "Service": ("ip",),
        **dict.fromkeys(certificates.KINDS, ("ready",)),
    }
)
ALL_CONDITIONS = ("ready", "started", "bound", "bound_or_first_consumer", "complete", "ip")


@dataclass(frozen=True)
class Wanted:
    """One object and the condition that it shall have."""

    kind: str
    namespace: str
    name: str
    condition: str

    def __str__(self) -> str:
        """Return it as messages name it."""
        space = f"{self.namespace}/" if kinds.of(self.kind).namespaced else ""
        return f"{self.kind} {space}{self.name}"


@dataclass(frozen=True)
class Observation:
    """What was read about one wanted object.

    obj: None where it is absent. pods: its own and live. events: of it and of its Pods and
    ReplicaSets, newest last. storage_class: of a claim. logs: a crashing container's last lines,
    by ``pod/container``. nodes: all of the cluster, by name, where a Pod is not ready; None for
    one that is gone. stranded: what the namespace has on nodes that are not ready. served: whether the
    cluster knows the kind. requests: of a Certificate, those that it made. secret: whether its Secret is there.
    """

    wanted: Wanted
    obj: Object | None
    pods: tuple[Object, ...] = ()
    events: tuple[Object, ...] = ()
    storage_class: Object | None = None
    logs: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, Object | None] = field(default_factory=dict)
    stranded: tuple[Object, ...] = ()
    served: bool = True
    requests: tuple[Object, ...] = ()
    secret: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a wait ended well. seconds: how long it took."""

    observations: tuple[Observation, ...]
    seconds: float


def wanted(kind: str, namespace: str, name: str, condition: str | None = None) -> Wanted:
    """Return what to wait for. Raises CollectionError where a kind has no such condition."""
    allowed = CONDITIONS.get(kind)
    if allowed is None:
        raise CollectionError(f"objects: kind {kind!r} is not one of {', '.join(CONDITIONS)}")
    if condition and condition not in allowed:
        raise CollectionError(
            f"objects: condition {condition!r} is not one of {', '.join(allowed)} for {kind} {name}"
        )
    return Wanted(kind, namespace, name, condition or allowed[0])


def is_met(seen: Observation) -> bool:
    """Whether the object has the condition that was asked for. Pure."""
    obj, condition = seen.obj, seen.wanted.condition
    if obj is None or obj["metadata"].get("deletionTimestamp"):
        return False
    if condition == "started":
        return _all_started(seen, obj)
    if seen.wanted.kind in certificates.KINDS:
        issued = seen.secret or seen.wanted.kind != certificates.CERTIFICATE
        return issued and certificates.is_ready(obj)
    if condition == "ready":
        return pod_status.is_ready(obj) if obj["kind"] == "Pod" else _rolled_out(obj)
    if condition == "complete":
        return pod_status.condition(obj, "Complete") == "True"
    if condition == "ip":
        return bool(load_balancer_addresses(obj))
    if is_bound(obj):
        return True
    return condition == "bound_or_first_consumer" and waits_for_consumer(seen)


def progress(seen: Observation) -> str:
    """Return where the object stands, in one phrase. Pure."""
    if seen.obj is None:
        return "absent" if seen.served else "of a kind that the cluster does not know"
    if seen.wanted.kind in certificates.KINDS:
        lacks = seen.wanted.kind == certificates.CERTIFICATE and not seen.secret
        return certificates.state(seen.obj) + ", without its Secret" * lacks
    if seen.wanted.kind == "PersistentVolumeClaim":
        phase = str((seen.obj.get("status") or {}).get("phase") or "unknown")
        return f"{phase} until its first Pod" if waits_for_consumer(seen) else phase
    if seen.wanted.kind == "Service":
        return ", ".join(load_balancer_addresses(seen.obj)) or "no address yet"
    if seen.wanted.kind == "Job":
        status = seen.obj.get("status") or {}
        return f"{status.get('succeeded') or 0} succeeded, {status.get('failed') or 0} failed"
    return "; ".join(_pod_progress(pod, seen) for pod in seen.pods) or "no Pod yet"


def _pod_progress(pod: Object, seen: Observation) -> str:
    name, node = pod["metadata"]["name"], pod_status.node_of(pod)
    away = node in seen.nodes and not pod_status.is_node_ready(seen.nodes[node])
    return f"{name} {pod_status.state(pod)}" + f" on node {node}, which is not ready" * away


def is_bound(claim: Object) -> bool:
    """Whether a claim has its volume."""
    return (claim.get("status") or {}).get("phase") == "Bound"


def waits_for_consumer(seen: Observation) -> bool:
    """Whether a Pending claim is normal: its class binds with the first Pod, and none is there."""
    if seen.obj is None or is_bound(seen.obj) or seen.storage_class is None:
        return False
    phase = (seen.obj.get("status") or {}).get("phase")
    mode = seen.storage_class.get("volumeBindingMode")
    failed = any(event.get("reason") == "ProvisioningFailed" for event in seen.events)
    return phase == "Pending" and mode == "WaitForFirstConsumer" and not failed


def load_balancer_addresses(service: Object) -> list[str]:
    """Return the addresses that a Service of type LoadBalancer holds."""
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return [str(entry.get("ip") or entry.get("hostname")) for entry in entries]


def observe(cluster: Cluster, wanted: Wanted, events: Sequence[Object]) -> Observation:
    """Read one object, its Pods, and what the namespace's events say of them. Raises KubeError."""
    obj = cluster.get(wanted.kind, wanted.name, wanted.namespace)
    if obj is None:
        custom = wanted.kind in certificates.KINDS
        return Observation(wanted, None, served=not custom or cluster.serves(wanted.kind))
    obj = {"kind": wanted.kind, **obj}
    if wanted.kind == certificates.CERTIFICATE:
        made, secret = certificates.made(cluster, obj)
        return Observation(wanted, obj, requests=made, secret=secret)
    pods = _pods(cluster, wanted, obj)
    storage_class = None
    if wanted.kind == "PersistentVolumeClaim" and obj["spec"].get("storageClassName"):
        storage_class = cluster.get("StorageClass", obj["spec"]["storageClassName"])
    logs = {
        f"{pod['metadata']['name']}/{entry.name}": crash_log(cluster, pod, entry)
        for pod in pods
        for entry in pod_status.containers(pod)
        if entry.crashing
    }
    concerned = events_of(events, [obj, *pods])
    return Observation(wanted, obj, tuple(pods), tuple(concerned), storage_class, logs)


def observe_all(cluster: Cluster, wanted: Sequence[Wanted]) -> tuple[Observation, ...]:
    """Read every wanted object, with one list of events a namespace. Raises KubeError."""
    spaces = {one.namespace for one in wanted}
    events = {space: cluster.list("Event", space) for space in sorted(spaces)}
    seen = tuple(observe(cluster, one, events[one.namespace]) for one in wanted)
    return _with_nodes(cluster, seen)


def _with_nodes(cluster: Cluster, seen: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Add the nodes where Pods are not ready: one that is away may be why, and no Pod says so."""
    late = [pod for one in seen for pod in one.pods if not pod_status.is_ready(pod)]
    if not late or all(is_met(one) for one in seen):
        return seen
    try:
        listed = {str(node["metadata"]["name"]): node for node in cluster.list("Node")}
    except KubeError as error:
        if error.status != FORBIDDEN:
            raise
        # Who may see a namespace alone is told what its Pods say.
        return seen
    names = {pod_status.node_of(pod) for pod in late} - {""}
    nodes = {**dict.fromkeys(names), **listed}
    away = {name for name, node in nodes.items() if not pod_status.is_node_ready(node)}
    spaces = sorted({one.wanted.namespace for one in seen}) if away else []
    pods = {space: cluster.list("Pod", space) for space in spaces}
    stranded = {
        space: tuple(pod for pod in found if pod_status.node_of(pod) in away)
        for space, found in pods.items()
    }
    return tuple(
        replace(one, nodes=nodes, stranded=stranded.get(one.wanted.namespace, ())) for one in seen
    )


def crash_log(cluster: Cluster, pod: Object, entry: pod_status.Container) -> str:
    """Return the last lines of the run that crashed, empty where they are gone. Raises KubeError.

    A container that has ended is the run that crashed; one that waits is the next, and the run
    that crashed is its previous one.
    """
    meta = pod["metadata"]
    for previous in (False, True) if entry.ended else (True, False):
        text = cluster.log(meta["namespace"], meta["name"], entry.name, previous=previous)
        if text:
            return text
    return ""


def events_of(events: Sequence[Object], objects: Sequence[Object]) -> list[Object]:
    """Return the events about these objects and what they own by name, oldest first. Pure.

    A Deployment's ReplicaSets are found by their owner's name: quota refusals are told there.
    """
    uids = {str(obj["metadata"].get("uid")) for obj in objects}
    prefixes = tuple(f"{obj['metadata']['name']}-" for obj in objects if obj.get("kind") in OWNERS)
    found = []
    for event in events:
        about = event.get("involvedObject") or {}
        owned = about.get("kind") == "ReplicaSet" and str(about.get("name")).startswith(prefixes)
        if str(about.get("uid")) in uids or (owned and prefixes):
            found.append(event)
    return sorted(found, key=event_time)


def event_time(event: Object) -> str:
    """Return when an event was last seen, as the API server writes it."""
    series = event.get("series") or {}
    when = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return str(when or event["metadata"].get("creationTimestamp") or "")


def wait(
    look: Callable[[], Sequence[Observation]],
    explain: Callable[[Sequence[Observation]], list[Finding]],
    *,
    timeout: float,
    patience: float,
    hopeless: Collection[str],
    tell: Callable[[Sequence[Observation]], None] | None = None,
) -> Outcome:
    """Look until every condition is met, a cause stays, or the time is over.

    timeout: seconds in all. patience: seconds that a hopeless cause may stay before it ends the
    wait. explain: findings of what is not met; pure. hopeless: codes of causes that no time heals.
    tell: called after each look.
    Raises CollectionError with the findings and ``waited_for``.
    """
    begun = time.monotonic()
    since: dict[tuple[str, str], float] = {}
    while True:
        seen = tuple(look())
        if tell is not None:
            tell(seen)
        now = time.monotonic()
        waiting = [one for one in seen if not is_met(one)]
        if not waiting:
            return Outcome(seen, now - begun)
        found = explain(waiting)
        keys = {(finding.code, finding.subject) for finding in found if finding.code in hopeless}
        since = {key: since.get(key, now) for key in keys}
        stayed = any(now - first >= patience for first in since.values())
        if stayed or now - begun >= timeout:
            raise _ended(waiting, seen, found, now - begun, stayed)
        # Objects, Pods and events of several kinds are judged together: no single watch tells of all.
        time.sleep(POLL)


def waited_for(seen: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return what was waited for and where it stands, as a module returns it."""
    return [
        {
            "kind": one.wanted.kind,
            "namespace": one.wanted.namespace,
            "name": one.wanted.name,
            "condition": one.wanted.condition,
            "met": is_met(one),
            "state": progress(one),
        }
        for one in seen
    ]


def _ended(
    waiting: Sequence[Observation],
    seen: Sequence[Observation],
    found: list[Finding],
    seconds: float,
    stayed: bool,
) -> CollectionError:
    names = ", ".join(f"{one.wanted} is not {one.wanted.condition}" for one in waiting)
    why = "and will not be without help" if stayed else "and the time is over"
    where = "; ".join(f"{one.wanted.name}: {progress(one)}" for one in waiting)
    message = f"{names} after {seconds:.0f} s, {why} (now: {where})"
    details = {"waited_for": waited_for(seen), "waited_seconds": round(seconds, 1)}
    return CollectionError(message, found, details)


def _pods(cluster: Cluster, wanted: Wanted, obj: Object) -> list[Object]:
    if wanted.kind == "Pod":
        return [obj]
    if wanted.kind not in OWNERS:
        return []
    labels = (obj["spec"].get("selector") or {}).get("matchLabels") or {}
    if not labels:
        return []
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    found = cluster.list("Pod", wanted.namespace, labels=selector)
    if wanted.kind == "Job":
        return found
    return [pod for pod in found if pod_status.is_live(pod)]


def _wanted_replicas(obj: Object) -> int:
    if obj["kind"] == "DaemonSet":
        return int((obj.get("status") or {}).get("desiredNumberScheduled") or 0)
    replicas = obj["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def _is_observed(obj: Object) -> bool:
    """Whether the controller has read the newest spec: until then its numbers are of the old."""
    status = obj.get("status") or {}
    return int(status.get("observedGeneration") or 0) >= int(obj["metadata"].get("generation") or 0)


ROLLED_OUT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DaemonSet": ("updatedNumberScheduled", "numberReady"),
        "StatefulSet": ("updatedReplicas", "readyReplicas", "replicas"),
        "Deployment": ("updatedReplicas", "availableReplicas", "replicas"),
    }
)


def _rolled_out(obj: Object) -> bool:
    status, wanted = obj.get("status") or {}, _wanted_replicas(obj)
    names = ROLLED_OUT[obj["kind"]]
    return _is_observed(obj) and all(int(status.get(name) or 0) == wanted for name in names)


def _all_started(seen: Observation, obj: Object) -> bool:
    if obj["kind"] == "Pod":
        return pod_status.is_started(obj)
    status = obj.get("status") or {}
    updated = status.get(
        "updatedNumberScheduled" if obj["kind"] == "DaemonSet" else "updatedReplicas"
    )
    wanted = _wanted_replicas(obj)
    started = [pod for pod in seen.pods if pod_status.is_started(pod)]
    current = _is_observed(obj) and int(updated or 0) == wanted
    return current and len(started) == wanted == len(seen.pods)
