# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the whole run can succeed: rights, room, quotas and names. Pure, over what was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..finding import Finding
from ..kube import ingress, room
from ..kube.room import Need, RoomState
from ..mysql.dialect import OLDEST
from .catalogue import finding
from .ingress import host_is_ip
from .kube import nodes_not_ready

Labels = Mapping[str, str]

# What only a Pod can prove.
NOT_PROVED = ("that a container may write to its volume",)


@dataclass(frozen=True)
class Wanted:
    """What the run will make. labels: by which its own objects and Pods are known again.

    owners: (kind, name) of objects whose labels are others. database_image: the image of MySQL;
    images: all of them. ingress_class, host, paths: what the run's Ingresses will claim.
    """

    namespace: str
    needs: tuple[Need, ...]
    claims: int
    storage: Decimal
    labels: Labels
    minimum_version: str
    owners: Mapping[tuple[str, str], Labels] = field(default_factory=dict)
    database_image: str = ""
    images: tuple[str, ...] = ()
    ingress_class: str = ""
    host: str = ""
    paths: tuple[str, ...] = ()

    @property
    def own(self) -> list[Labels]:
        """Labels of which any makes a Pod one of ours."""
        return [self.labels, *(need.labels for need in self.needs if need.labels)]


def explain(state: RoomState, wanted: Wanted, language: str = "en") -> list[Finding]:
    """Return what would end the run. Pure."""
    return [
        *_version(state, wanted, language),
        *_image(wanted, language),
        *_rights(state, wanted, language),
        *_names(state, wanted, language),
        *_host(wanted, language),
        *_paths(state, wanted, language),
        *_nodes(state, wanted, language),
        *_quotas(state, wanted, language),
    ]


def not_proved(state: RoomState, wanted: Wanted) -> list[str]:
    """Return what this check cannot know."""
    found = [*NOT_PROVED]
    for image in wanted.images:
        lacking = room.nodes_without(state, image)
        if lacking:
            found.append(f"that {image} can be pulled on {', '.join(lacking)}")
        elif not state.nodes:
            found.append(f"that {image} can be pulled")
    image = wanted.database_image
    if image and not room.image_version(image):
        found.append(f"which version of MySQL is in {image}: its tag names none")
    blind = [f"room: this user may not list {kind}s" for kind in state.blind]
    return [*found, *blind]


def checked(state: RoomState, wanted: Wanted, rights: int, found: Sequence[Finding]) -> list[str]:
    """Return what was proved, one line each: what was looked at and is in none of the findings."""
    codes = {one.code for one in found}
    usable = [str(node["metadata"]["name"]) for node in state.nodes if room.is_usable(node)]
    held = [one for one in wanted.images if usable and not room.nodes_without(state, one)]
    version = ".".join(map(str, room.image_version(wanted.database_image)))
    pods = sum(need.count for need in wanted.needs)
    lines = {
        "kube.server_old": f"the API server is {state.version}, {wanted.minimum_version} or later",
        "kube.forbidden": f"{rights} rights for the namespace {wanted.namespace}",
        "kube.no_room": f"room for {pods} Pods on {', '.join(usable)}" if usable else "",
        "kube.quota_too_small": ", ".join(
            f"the ResourceQuota {one['metadata']['name']} leaves enough" for one in state.quotas
        ),
        "kube.name_taken": f"{len(wanted.owners)} names are free or ours" if wanted.owners else "",
        "ingress.path_clash": f"{len(wanted.paths)} paths are free or ours" if wanted.paths else "",
        "mysql.version_old": f"MySQL {version} is a version that is known" if version else "",
    }
    proved = [line for code, line in lines.items() if line and code not in codes]
    return [*proved, *(f"{image} is on every node that takes Pods" for image in held)]


def _image(wanted: Wanted, language: str) -> Iterator[Finding]:
    version = room.image_version(wanted.database_image)
    # A tag may say less than a whole version: 8.0 is the newest of that series.
    if not version or version >= OLDEST[: len(version)]:
        return
    yield finding(
        "mysql.version_old",
        subject=wanted.database_image,
        proof=[f"its tag names {'.'.join(map(str, version))}"],
        language=language,
        oldest=".".join(map(str, OLDEST)),
    )


def _host(wanted: Wanted, language: str) -> list[Finding]:
    """Return that the Ingresses could not be made, where they would have an address as their host."""
    found = host_is_ip(f"of {wanted.namespace}", wanted.host, language)
    return [found] if found else []


def _paths(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    """Yield the paths that an Ingress of another namespace has already."""
    for one in state.ingresses:
        if one["metadata"]["namespace"] == wanted.namespace:
            continue
        for rule in ingress.rules(one):
            same = (rule.class_name, rule.host) == (wanted.ingress_class, wanted.host)
            if same and rule.path in wanted.paths:
                yield finding(
                    "ingress.path_clash",
                    subject=wanted.namespace,
                    proof=[
                        f"Ingress {rule.ingress}: host {rule.host or 'any'}, path {rule.path},"
                        f" class {rule.class_name}"
                    ],
                    language=language,
                    path=rule.path,
                    other=rule.ingress,
                )


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
        owner = wanted.owners.get((obj["kind"], obj["metadata"]["name"])) or wanted.labels
        if room.is_ours(obj, owner, wanted.namespace):
            continue
        name = f"{obj['kind']} {wanted.namespace}/{obj['metadata']['name']}"
        labels = ", ".join(f"{key}={value}" for key, value in owner.items())
        proof = [f"GET {name}: it is there, without the labels {labels}"]
        yield finding("kube.name_taken", subject=name, proof=proof, language=language)


def _nodes(state: RoomState, wanted: Wanted, language: str) -> Iterator[Finding]:
    ours = [pod for pod in state.pods if pod["metadata"].get("namespace") == wanted.namespace]
    yield from nodes_not_ready(state.nodes, ours, language)
    if {"Node", "Pod"} & set(state.blind):
        return
    free = room.free_room(state, wanted.own, wanted.namespace)
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
    return [
        pod
        for pod in pods
        if any(room.is_ours(pod, labels, wanted.namespace) for labels in wanted.own)
    ]
