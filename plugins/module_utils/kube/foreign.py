# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MySQL Deployments that somebody else made: which there are, on which claims, with whose password."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import pods as pod_status
from .client import Cluster
from .topology import INSTANCE_LABEL, MANAGER, MANAGER_LABEL, SERVER_LABEL

Object = dict[str, Any]

DATA_FOLDER = "/var/lib/mysql"
PASSWORD = "MYSQL_ROOT_PASSWORD"
IMAGES = ("mysql", "mysql-server")


@dataclass(frozen=True)
class Place:
    """Where root's password lies: a key of a Secret, or a value in a Deployment's environment."""

    kind: str
    name: str
    key: str

    def as_dict(self) -> dict[str, str]:
        """Return it as a module returns it."""
        return {"kind": self.kind, "name": self.name, "key": self.key}


@dataclass(frozen=True)
class Engine:
    """One mysqld. deployment: empty where it is gone and its claim says that it was there.

    claim, volume, volume_uid, pod: empty where it has none. container: the name of mysqld's.
    instance: whose it was made or named to be, empty for nobody's. taken: whether its Deployment
    is one of ours. labelled: whether its claim says whose it is. labels: of its Pods.
    hindrances: why its Deployment cannot be taken over. others: further containers of its Pod.
    """

    deployment: str
    claim: str = ""
    volume: str = ""
    volume_uid: str = ""
    image: str = ""
    container: str = ""
    pod: str = ""
    instance: str = ""
    taken: bool = False
    labelled: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    password: Place | None = None
    hindrances: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a namespace holds. services: their selectors, by name.

    rewritten: somebody else's objects that have a name of ours, as ``Kind name``.
    """

    exists: bool
    engines: tuple[Engine, ...] = ()
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rewritten: tuple[str, ...] = ()

    def selects(self, service: str, engine: Engine) -> bool:
        """Whether a Service leads to an engine's Pods."""
        selector = self.services.get(service) or {}
        return bool(selector) and selector.items() <= engine.labels.items()


def observe(cluster: Cluster, namespace: str, name: str) -> Found:
    """Read what there is; reads only. name: of our cluster. Raises KubeError."""
    if cluster.get("Namespace", namespace) is None:
        return Found(False)
    uids = {
        str(volume["metadata"]["name"]): str(volume["metadata"].get("uid", ""))
        for volume in cluster.list("PersistentVolume")
    }
    found = build(
        name,
        cluster.list("Deployment", namespace),
        cluster.list("PersistentVolumeClaim", namespace),
        cluster.list("Pod", namespace),
        cluster.list("Service", namespace),
        uids,
    )
    return replace(found, rewritten=tuple(_rewritten(cluster, namespace, name)))


def _rewritten(cluster: Cluster, namespace: str, name: str) -> Iterator[str]:
    for kind, called in (("ConfigMap", f"{name}-config"), ("PodDisruptionBudget", name)):
        there = cluster.get(kind, called, namespace)
        labels = (there or {}).get("metadata", {}).get("labels") or {}
        if there is not None and labels.get(MANAGER_LABEL) != MANAGER:
            yield f"{kind} {called}"


def build(
    name: str,
    deployments: Sequence[Object],
    claims: Sequence[Object],
    pods: Sequence[Object],
    services: Sequence[Object],
    uids: Mapping[str, str],
) -> Found:
    """Return what the objects show; pure."""
    by_name = {str(claim["metadata"]["name"]): claim for claim in claims}
    engines = [
        _with_claim(_with_pod(engine, pods), by_name.get(engine.claim), uids)
        for engine in (_engine(each, name) for each in deployments)
        if engine is not None
    ]
    used = {engine.claim for engine in engines}
    for claim_name, claim in by_name.items():
        labels = claim["metadata"].get("labels") or {}
        ours = labels.get(INSTANCE_LABEL) == name and SERVER_LABEL in labels
        if ours and claim_name not in used:
            engines.append(_with_claim(Engine("", claim_name), claim, uids))
    engines.sort(key=lambda engine: (engine.deployment, engine.claim))
    selectors = {
        str(one["metadata"]["name"]): dict(one.get("spec", {}).get("selector") or {})
        for one in services
    }
    return Found(True, tuple(engines), selectors)


def read(cluster: Cluster, namespace: str, place: Place) -> str | None:
    """Return the password that lies at a place, None where it is not there. Raises KubeError."""
    obj = cluster.get(place.kind, place.name, namespace) or {}
    if place.kind == "Secret":
        data = (obj.get("data") or {}).get(place.key)
        return None if data is None else base64.b64decode(data).decode()
    containers = obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or []
    values = [
        str(entry["value"])
        for container in containers
        for entry in container.get("env") or []
        if entry["name"] == place.key and "value" in entry
    ]
    return values[0] if values else None


def _engine(deployment: Object, name: str) -> Engine | None:
    """Return the mysqld that a Deployment runs, None where it runs none."""
    spec = deployment["spec"]["template"]["spec"]
    containers = spec.get("containers") or []
    found = [each for each in containers if _mount(each) is not None or _is_mysql(each)]
    meta = deployment["metadata"]
    labels = meta.get("labels") or {}
    ours = labels.get(MANAGER_LABEL) == MANAGER and labels.get(INSTANCE_LABEL) == name
    if not found or (ours and SERVER_LABEL not in labels):
        return None
    container = found[0]
    claim = _claim(spec, container)
    further = [*containers, *(spec.get("initContainers") or [])]
    return Engine(
        deployment=str(meta["name"]),
        claim=claim,
        image=str(container.get("image", "")),
        container=str(container.get("name", "")),
        instance=str(labels.get(SERVER_LABEL, "")) if ours else "",
        taken=ours,
        labels=dict(deployment["spec"]["template"].get("metadata", {}).get("labels") or {}),
        password=_password(str(meta["name"]), spec, container),
        hindrances=() if ours else tuple(_hindrances(deployment, container, claim)),
        others=tuple(str(each["name"]) for each in further if each is not container),
    )


def _with_pod(engine: Engine, pods: Sequence[Object]) -> Engine:
    """Return the engine with its running Pod, by the labels of its template."""
    found = [
        str(pod["metadata"]["name"])
        for pod in pods
        if pod_status.is_running(pod)
        and engine.labels.items() <= (pod["metadata"].get("labels") or {}).items()
    ]
    return replace(engine, pod=found[-1] if found else "")


def _with_claim(engine: Engine, claim: Object | None, uids: Mapping[str, str]) -> Engine:
    if claim is None:
        return engine
    labels = claim["metadata"].get("labels") or {}
    volume = str(claim["spec"].get("volumeName") or "")
    said = str(labels.get(SERVER_LABEL, ""))
    return replace(
        engine,
        volume=volume,
        volume_uid=uids.get(volume, ""),
        instance=engine.instance or said,
        labelled=bool(said),
    )


def _mount(container: Object) -> Object | None:
    mounts = container.get("volumeMounts") or []
    return next((each for each in mounts if each["mountPath"].rstrip("/") == DATA_FOLDER), None)


def _is_mysql(container: Object) -> bool:
    path = str(container.get("image", "")).split("@", maxsplit=1)[0].rpartition("/")[2]
    return path.split(":", maxsplit=1)[0] in IMAGES


def _claim(spec: Object, container: Object) -> str:
    mount = _mount(container)
    for volume in spec.get("volumes") or []:
        if mount is not None and volume["name"] == mount["name"]:
            return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")
    return ""


def _hindrances(deployment: Object, container: Object, claim: str) -> Iterator[str]:
    replicas = deployment["spec"].get("replicas", 1)
    if replicas != 1:
        yield f"spec.replicas = {replicas}; one mysqld a volume is what can be taken over"
    if not claim:
        yield f"{DATA_FOLDER} lies on no PersistentVolumeClaim: its data goes with its Pod"
    sub_path = (_mount(container) or {}).get("subPath")
    if sub_path:
        yield f"{DATA_FOLDER} is the folder {sub_path} of its claim (subPath), not the whole"


def _password(deployment: str, spec: Object, container: Object) -> Place | None:
    for entry in container.get("env") or []:
        if entry["name"] == PASSWORD:
            reference = (entry.get("valueFrom") or {}).get("secretKeyRef")
            if reference:
                return Place("Secret", str(reference["name"]), str(reference["key"]))
            return Place("Deployment", deployment, PASSWORD)
        if entry["name"] == f"{PASSWORD}_FILE":
            return _filed(spec, container, str(entry.get("value", "")))
    for source in container.get("envFrom") or []:
        if "secretRef" in source and not source.get("prefix"):
            return Place("Secret", str(source["secretRef"]["name"]), PASSWORD)
    return None


def _filed(spec: Object, container: Object, path: str) -> Place | None:
    """Return the Secret whose mounted file a path is."""
    folder, name = posixpath.split(path)
    for mount in container.get("volumeMounts") or []:
        if mount["mountPath"].rstrip("/") != folder:
            continue
        for volume in spec.get("volumes") or []:
            secret = volume.get("secret")
            if volume["name"] == mount["name"] and secret:
                items = {item["path"]: item["key"] for item in secret.get("items") or []}
                return Place("Secret", str(secret["secretName"]), str(items.get(name, name)))
    return None
