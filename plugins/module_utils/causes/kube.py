# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a Pod, Deployment or Job is not what was waited for: pure, over what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..finding import Finding
from ..kube import certificates as issued
from ..kube import pods as pod_status
from ..kube.pods import Container
from ..kube.portforward import PodUnavailableError
from ..kube.waiting import Observation
from . import certificates
from .catalogue import finding
from .logs import explain_log, tail
from .storage import explain_claim_wait

Object = dict[str, Any]

IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
    }
)
# Causes that no time heals: a wait that sees one of them stay does not go on to its end.
HOPELESS = frozenset(
    {
        "kube.absent",
        "kube.container_config",
        "kube.crash_loop",
        "kube.data_dictionary",
        "kube.datadir_half_made",
        "kube.image_pull",
        "kube.job_failed",
        "kube.out_of_memory",
        "kube.pod_refused",
        "kube.quota_exceeded",
        "kube.unknown_option",
        "kube.unschedulable",
        "python.hash_differs",
        "python.index_unreachable",
        "python.package_absent",
        "storage.claim_class_missing",
        "storage.claim_lost",
        "storage.claim_no_class",
        "storage.class_differs",
        "storage.disk_full",
        "storage.permission_denied",
        "storage.read_only",
        *certificates.HOPELESS,
    }
)
CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})


def explain(seen: Sequence[Observation], language: str = "en") -> list[Finding]:
    """Return why these objects do not have the condition that is waited for. Pure."""
    found = [each for one in seen for each in explain_one(one, language)]
    nodes = {name: node for one in seen for name, node in one.nodes.items() if node is not None}
    stranded = {_pod_subject(pod): pod for one in seen for pod in one.stranded}
    named = {pod_status.node_of(pod) for one in seen for pod in one.pods}
    # Something that these Pods stand on may lie on another node that is away, a database for example.
    rest = [node for name, node in nodes.items() if name not in named]
    return [*found, *nodes_not_ready(rest, stranded.values(), language)]


def nodes_not_ready(
    nodes: Iterable[Object], pods: Iterable[Object] = (), language: str = "en"
) -> list[Finding]:
    """Return the nodes that are not ready, each with what of these Pods lies on it. Pure."""
    found = []
    for node in nodes:
        if not pod_status.is_node_ready(node):
            name = str(node["metadata"]["name"])
            there = [_pod_subject(pod) for pod in pods if pod_status.node_of(pod) == name]
            proof = [_condition(name, node), *(f"{pod} lies there" for pod in there)]
            found.append(
                finding("kube.node_not_ready", subject=name, proof=proof, language=language)
            )
    return found


def _condition(name: str, node: Object | None) -> str:
    if node is None:
        return f"Node {name}: not found"
    ready = pod_status.condition_entry(node, "Ready") or {}
    return pod_status.condition_line(f"Node {name}", "Ready", ready)


def explain_one(seen: Observation, language: str = "en") -> list[Finding]:
    """Return the causes of one object: its own, else those of its Pods. Pure."""
    subject = str(seen.wanted)
    if seen.wanted.kind in issued.KINDS:
        return certificates.explain(seen, language)
    if seen.obj is None:
        proof = [f"GET {subject}: not found"]
        return [finding("kube.absent", subject=subject, proof=proof, language=language)]
    if seen.wanted.kind == "PersistentVolumeClaim":
        return explain_claim_wait(seen, language)
    found = [*_refused(seen, language), *_job(seen, language)]
    for pod in seen.pods:
        away = node_gone(pod, seen.nodes, language)
        # What a Pod on such a node said last is older than that, or follows from it.
        found.extend(away or explain_pod(pod, seen.events, seen.logs, language))
    return found


def node_gone(
    pod: Object, nodes: Mapping[str, Object | None], language: str = "en", said: str = ""
) -> list[Finding]:
    """Return that the node of a Pod is away, nothing where it is not. Pure.

    nodes: what was read of nodes, by name; None for one that is none any more. said: what the API
    server said when it could not reach the node; until it calls it not ready a minute may pass.
    """
    name = pod_status.node_of(pod)
    if not name or (name not in nodes and not said):
        return []
    if not said and pod_status.is_node_ready(nodes[name]):
        return []
    proof = [f"{_pod_subject(pod)}: spec.nodeName {name}"]
    proof += [_condition(name, nodes[name])] if name in nodes else []
    proof += [f"the API server said: {said}"] if said else []
    return [
        finding(
            "kube.node_gone", subject=_pod_subject(pod), proof=proof, language=language, node=name
        )
    ]


def explain_pod(
    pod: Object,
    events: Sequence[Object],
    logs: Any,
    language: str = "en",
) -> list[Finding]:
    """Return why a Pod does not run or is not ready. Pure.

    logs: a crashing container's last lines, by ``pod/container``.
    """
    mine = [event for event in events if _uid(event) == str(pod["metadata"].get("uid"))]
    found: list[Finding] = []
    for entry in pod_status.containers(pod):
        found.extend(_container(pod, entry, mine, logs, language))
    found.extend(_unscheduled(pod, language))
    if not found:
        found.extend(_mounts(pod, mine, language))
    return found


def explain_target(error: PodUnavailableError, language: str = "en") -> list[Finding]:
    """Return why a port-forward found no running Pod. Pure."""
    target = error.target
    subject = str(target)
    if not error.pods:
        code = "kube.no_pods" if "selector" in error.state else "kube.absent"
        proof = [f"{subject}: {error.state}"]
        return [
            finding(
                code, subject=subject, proof=proof, language=language, namespace=target.namespace
            )
        ]
    found: list[Finding] = []
    for pod in error.pods:
        causes = explain_pod(pod, [], {}, language)
        found.extend(causes or [_not_running(pod, language)])
    return found


def port_refused(address: str, reason: str, language: str = "en") -> Finding:
    """Return the finding of a Pod in which nothing listens on the port."""
    proof = [f"port-forward: {reason}"]
    return finding("kube.port_refused", subject=address, proof=proof, language=language)


def _not_running(pod: Object, language: str) -> Finding:
    meta, state = pod["metadata"], pod_status.state(pod)
    return finding(
        "kube.pod_not_running",
        subject=_pod_subject(pod),
        proof=[f"Pod {meta['namespace']}/{meta['name']}: {state}"],
        language=language,
        state=state,
        namespace=meta["namespace"],
        pod=meta["name"],
    )


def _container(
    pod: Object, entry: Container, events: Sequence[Object], logs: Any, language: str
) -> Iterator[Finding]:
    """Yield the causes that one container's status names."""
    facts = _facts(pod, entry)
    subject = _pod_subject(pod)
    if entry.reason in IMAGE:
        proof = [f"container {entry.name}: {entry.reason}: {entry.message}"]
        proof += _messages(events, ("Failed", "InspectFailed"), entry.image)
        yield finding("kube.image_pull", subject=subject, proof=proof, language=language, **facts)
    elif entry.reason in CONFIG:
        proof = [f"container {entry.name}: {entry.reason}: {entry.message}"]
        yield finding(
            "kube.container_config", subject=subject, proof=proof, language=language, **facts
        )
    elif entry.crashing:
        yield from _crash(pod, entry, logs, language)
    elif entry.running and not entry.ready and not entry.init:
        proof = _messages(events, ("Unhealthy",), "")
        if proof:
            yield finding(
                "kube.probe_failing", subject=subject, proof=proof, language=language, **facts
            )


def _crash(pod: Object, entry: Container, logs: Any, language: str) -> Iterator[Finding]:
    """Yield what the log of the crashed run names, else the crash itself."""
    subject, name = _pod_subject(pod), str(pod["metadata"]["name"])
    log = str(logs.get(f"{name}/{entry.name}", ""))
    facts = _facts(pod, entry)
    if entry.reason == "OOMKilled" or _oom_killed(pod, entry.name):
        proof = [f"container {entry.name}: OOMKilled, exit code {entry.exit_code}"]
        yield finding(
            "kube.out_of_memory", subject=subject, proof=proof, language=language, **facts
        )
        return
    named = list(explain_log(pod, entry.name, log, language))
    yield from named
    if named:
        return
    proof = [
        f"container {entry.name}: {entry.reason or 'ended'}, exit code {entry.exit_code},"
        f" {entry.restarts} restarts"
    ]
    proof += [f"log of {name}/{entry.name}: {line}" for line in tail(log)]
    yield finding("kube.crash_loop", subject=subject, proof=proof, language=language, **facts)


def _unscheduled(pod: Object, language: str) -> Iterator[Finding]:
    scheduled = pod_status.condition_entry(pod, "PodScheduled")
    if scheduled is None or scheduled.get("status") != "False":
        return
    proof = [f"condition PodScheduled: {scheduled.get('reason')}: {scheduled.get('message', '')}"]
    yield finding("kube.unschedulable", subject=_pod_subject(pod), proof=proof, language=language)


def _mounts(pod: Object, events: Sequence[Object], language: str) -> Iterator[Finding]:
    if (pod.get("status") or {}).get("phase") != "Pending":
        return
    proof = _messages(events, ("FailedMount", "FailedAttachVolume", "FailedMapVolume"), "")
    if proof:
        yield finding(
            "kube.mount_failed", subject=_pod_subject(pod), proof=proof, language=language
        )


def _refused(seen: Observation, language: str) -> Iterator[Finding]:
    """Yield why the controller may not make Pods: a quota, or another admission rule."""
    messages = _messages(seen.events, ("FailedCreate",), "")
    short = bool(seen.wanted.kind != "Pod" and not seen.pods)
    failure = pod_status.condition_entry(seen.obj or {}, "ReplicaFailure")
    if failure and failure.get("status") == "True":
        short = True
        messages = [f"condition ReplicaFailure: {failure.get('message', '')}", *messages]
    if not messages or not short:
        return
    quota = any("exceeded quota" in line or "failed quota" in line for line in messages)
    yield finding(
        "kube.quota_exceeded" if quota else "kube.pod_refused",
        subject=str(seen.wanted),
        proof=messages[:3],
        language=language,
        namespace=seen.wanted.namespace,
    )


def _job(seen: Observation, language: str) -> Iterator[Finding]:
    failed = pod_status.condition_entry(seen.obj or {}, "Failed")
    if seen.wanted.kind != "Job" or failed is None or failed.get("status") != "True":
        return
    reason = str(failed.get("reason") or "Failed")
    yield finding(
        "kube.job_failed",
        subject=str(seen.wanted),
        proof=[f"condition Failed: {reason}: {failed.get('message', '')}"],
        language=language,
        reason=reason,
        namespace=seen.wanted.namespace,
        name=seen.wanted.name,
    )


def _facts(pod: Object, entry: Container) -> dict[str, Any]:
    meta = pod["metadata"]
    return {
        "namespace": meta["namespace"],
        "pod": meta["name"],
        "container": entry.name,
        "image": entry.image,
        "reason": entry.reason,
        "exit_code": entry.exit_code,
        "restarts": entry.restarts,
    }


def _oom_killed(pod: Object, container: str) -> bool:
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        last = (status.get("lastState") or {}).get("terminated") or {}
        if status["name"] == container and last.get("reason") == "OOMKilled":
            return True
    return False


def _messages(events: Iterable[Object], reasons: Sequence[str], about: str) -> list[str]:
    """Return the newest message of each kind among the events, as proof lines."""
    lines: dict[str, None] = {}
    for event in reversed(list(events)):
        message = " ".join(str(event.get("message", "")).split())
        if event.get("reason") in reasons and about in message:
            lines.setdefault(f"event {event.get('reason')}: {message}")
    return list(lines)[:3]


def _uid(event: Object) -> str:
    return str((event.get("involvedObject") or {}).get("uid"))


def _pod_subject(pod: Object) -> str:
    return f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
