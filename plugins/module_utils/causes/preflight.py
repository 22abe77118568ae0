# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the whole run can succeed: rights, room, quotas and names. Pure, over what was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..finding import Finding
from ..kube import room
from ..kube.room import Need, RoomState
from .catalogue import finding

# What only a Pod can prove.
NOT_PROVED = (
    "that every node can pull the images",
    "that a container may write to its volume",
)


@dataclass(frozen=True)
class Wanted:
    """What the run will make. labels: by which its own objects and Pods are known again."""

    namespace: str
    needs: tuple[Need, ...]
    claims: int
    storage: Decimal
    labels: Mapping[str, str]
    minimum_version: str


def explain(state: RoomState, wanted: Wanted, language: str = "en") -> list[Finding]:
    """Return what would end the run. Pure."""
    return [
        *_version(state, wanted, language),
        *_rights(state, wanted, language),
        *_names(state, wanted, language),
        *_nodes(state, wanted, language),
        *_quotas(state, wanted, language),
    ]


def not_proved(state: RoomState) -> list[str]:
    """Return what this check cannot know."""
    blind = [f"room: this user may not list {kind}s" for kind in state.blind]
    return [*NOT_PROVED, *blind]


def _version(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    if room.version_tuple(state.version) >= room.version_tuple(wanted.minimum_version):
        return
    yield finding(
        "kube.server_old",
        subject="Kubernetes",
        proof=[f"GET /version: {state.version}"],
        language=language,
        version=state.version,
        minimum=wanted.minimum_version,
    )


def _rights(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    for right, reason in state.refused.items():
        where = right.namespace or "all namespaces"
        review = f"SelfSubjectAccessReview {right.verb} {right.resource} in {where}"
        yield finding(
            "kube.forbidden",
            subject=where,
            proof=[f"{review}: {reason}"],
            language=language,
            verb=right.verb,
            resource=right.resource,
            namespace=right.namespace or wanted.namespace,
        )


def _names(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    for obj in state.taken:
        if room.is_ours(obj, wanted.labels, wanted.namespace):
            continue
        name = f"{obj['kind']} {wanted.namespace}/{obj['metadata']['name']}"
        labels = ", ".join(f"{key}={value}" for key, value in wanted.labels.items())
        proof = [f"GET {name}: it is there, without the labels {labels}"]
        yield finding("kube.name_taken", subject=name, proof=proof, language=language)


def _nodes(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    for node in state.nodes:
        if room.is_broken(node):
            name = str(node["metadata"]["name"])
            proof = [f"Node {name}: condition Ready is not True"]
            yield finding("kube.node_not_ready", subject=name, proof=proof, language=language)
    if {"Node", "Pod"} & set(state.blind):
        return
    free = room.free_room(state, wanted.labels, wanted.namespace)
    need = room.does_not_fit(wanted.needs, free)
    if need is None:
        return
    best = {
        name: max((one[name] for one in free.values()), default=Decimal(0))
        for name in room.RESOURCES
    }
    short = next((name for name in room.RESOURCES if best[name] < need.requests[name]), "memory")
    yield finding(
        "kube.no_room",
        subject=need.name,
        proof=[
            f"Node {name}: free {', '.join(f'{key} {room.text(key, one[key])}' for key in one)}"
            for name, one in free.items()
        ]
        or ["Nodes that take Pods: none"],
        language=language,
        resource=short,
        wanted=f"{need.count} x {room.text(short, need.requests[short])}",
        free=", ".join(room.text(short, one[short]) for one in free.values()) or "0",
    )


def _quotas(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    for quota in state.quotas:
        left = room.quota_room(quota)
        for name, needed in _asked(state, wanted).items():
            if name in left and left[name] < needed:
                facts: dict[str, Any] = {
                    "resource": name,
                    "wanted": room.text(name, needed),
                    "free": room.text(name, left[name]),
                }
                proof = [f"ResourceQuota {quota['metadata']['name']}: {name} {facts['free']} left"]
                subject = f"{wanted.namespace}/{quota['metadata']['name']}"
                yield finding(
                    "kube.quota_too_small",
                    subject=subject,
                    proof=proof,
                    language=language,
                    **facts,
                )


def _asked(state: RoomState, wanted: Wanted) -> dict[str, Decimal]:
    """Return what is still to be asked of a quota: what our own Pods hold already counts as done."""
    ours = _ours(state.pods, wanted)
    held = {
        name: sum((room.requests_of(pod)[name] for pod in ours), Decimal(0))
        for name in room.RESOURCES
    }
    more = room.total(wanted.needs)
    claims = [obj for obj in state.taken if obj["kind"] == "PersistentVolumeClaim"]
    asked = {name: max(Decimal(0), more[name] - held[name]) for name in room.RESOURCES}
    missing = max(0, wanted.claims - len(claims))
    count = sum(need.count for need in wanted.needs) - len(ours)
    return {
        **asked,
        **{f"requests.{name}": value for name, value in asked.items()},
        "pods": Decimal(max(0, count)),
        "persistentvolumeclaims": Decimal(missing),
        "requests.storage": wanted.storage * missing,
    }


def _ours(pods: Sequence[dict[str, Any]], wanted: Wanted) -> list[dict[str, Any]]:
    return [pod for pod in pods if room.is_ours(pod, wanted.labels, wanted.namespace)]
