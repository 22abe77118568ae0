# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Manifests of other projects, read at run time: fetched, checked, and edited as objects, not as text."""

from __future__ import annotations

import copy
import hashlib
import http.client
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils import urls

from ..finding import CollectionError
from ..third_party import require
from . import kinds
from .ingress import DEFAULT_ANNOTATION
from .storage import DEFAULT_ANNOTATIONS

Object = dict[str, Any]

REMOTE = ("http://", "https://")
READ_SECONDS = 30
# A host, a status or a file: OSError. A URL that is none: ValueError. Ansible has classes of its own beside them.
UNREADABLE = (OSError, ValueError, http.client.HTTPException, urls.ConnectionError)
WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")
# That a part is there is told by its last objects, so that a run that was ended begins with it again.
LAST = ("DaemonSet", "StatefulSet", "Deployment", "StorageClass")


@dataclass(frozen=True)
class Source:
    """Where a manifest comes from, and what it has to hold.

    variable, checksum_variable: what a user sets, as failures call them. location: a URL or the path of
    a file. checksum: its sha256, empty where a file is not compared. what: as people call it. wanted:
    kinds, or kinds with names (``Kind name``), that must be in it.
    """

    variable: str
    checksum_variable: str
    location: str
    checksum: str
    what: str
    wanted: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """What may be given, as failures say it."""
        return f"allowed: an http(s) URL, or the path of a file, with the manifest of {self.what}"


def read(source: Source) -> list[Object]:
    """Return a manifest's objects. Raises CollectionError naming the variable, what was given, what is allowed."""
    remote = source.location.startswith(REMOTE)
    if remote and not source.checksum:
        raise CollectionError(
            f"{source.checksum_variable}: nothing is given for {source.location}; allowed: the sha256 of what it"
            " answers with (only a file may go without)"
        )
    try:
        content = _fetched(source.location) if remote else _file(source.location)
    except UNREADABLE as error:
        raise CollectionError(
            f"{source.variable}: {source.location!r} cannot be read: {error}; {source.allowed}"
        ) from error
    return objects(source, content)


def _fetched(location: str) -> bytes:
    answer = urls.open_url(location, timeout=READ_SECONDS, follow_redirects="safe")
    return bytes(answer.read())


def _file(location: str) -> bytes:
    return Path(location).expanduser().read_bytes()


def objects(source: Source, content: bytes) -> list[Object]:
    """Return the objects of a manifest's content. Pure. Raises CollectionError as ``read`` does."""
    digest = hashlib.sha256(content).hexdigest()
    if source.checksum and source.checksum.lower().removeprefix("sha256:") != digest:
        raise CollectionError(
            f"{source.checksum_variable}: {source.checksum!r} is not the sha256 of {source.location} ({digest});"
            f" allowed: the checksum of the manifest that you mean, or another {source.variable}"
        )
    found = parsed(content, f"{source.variable}: {source.location!r}", source.allowed)
    names = {named(one) for one in found} | {str(one["kind"]) for one in found}
    lacking = [one for one in source.wanted if one not in names]
    if lacking:
        raise CollectionError(
            f"{source.variable}: {source.location!r} has no {', '.join(lacking)}; {source.allowed}"
        )
    return found


def parsed(content: bytes, what: str, allowed: str) -> list[Object]:
    """Return the objects of YAML documents. Pure. Raises CollectionError where something is no known object."""
    yaml = require("yaml")
    try:
        documents = [one for one in yaml.safe_load_all(content) if one is not None]
    except yaml.YAMLError as error:
        raise CollectionError(
            f"{what} is no YAML: {' '.join(str(error).split())}; {allowed}"
        ) from error
    for number, one in enumerate(documents, 1):
        if not _is_object(one):
            raise CollectionError(
                f"{what}: document {number} is no Kubernetes object (apiVersion, kind, metadata.name); {allowed}"
            )
        if one["kind"] not in kinds.KINDS:
            raise CollectionError(
                f"{what}: {named(one)} is of a kind that is not installed; allowed kinds:"
                f" {', '.join(sorted(kinds.KINDS))}"
            )
    if not documents:
        raise CollectionError(f"{what} is empty; {allowed}")
    return documents


def _is_object(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    texts = isinstance(document.get("apiVersion"), str) and isinstance(document.get("kind"), str)
    metadata = document.get("metadata")
    return texts and isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def named(obj: Object) -> str:
    """Return ``Kind name``."""
    return f"{obj['kind']} {obj['metadata']['name']}"


def edited(
    given: Sequence[Object], labels: Mapping[str, str], images: Mapping[str, str]
) -> list[Object]:
    """Return the objects in the order in which they are made, with labels of ours and other images. Pure.

    images: what to take instead, by an image as it stands in the manifest.
    """
    made = [copy.deepcopy(one) for one in given]
    for one in made:
        metadata = one["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        _with_images(one, images)
    return sorted(made, key=lambda one: LAST.index(one["kind"]) if one["kind"] in LAST else -1)


def with_default(given: Sequence[Object], *, storage: bool, ingress: bool) -> list[Object]:
    """Return the objects, their classes marked as the cluster's default or as not. Pure."""
    made = [copy.deepcopy(one) for one in given]
    keys = {"StorageClass": DEFAULT_ANNOTATIONS, "IngressClass": (DEFAULT_ANNOTATION,)}
    wanted = {"StorageClass": storage, "IngressClass": ingress}
    for one in made:
        if one["kind"] not in keys:
            continue
        annotations = dict(one["metadata"].get("annotations") or {})
        for key in keys[one["kind"]]:
            annotations.pop(key, None)
        if wanted[one["kind"]]:
            annotations[keys[one["kind"]][0]] = "true"
        one["metadata"]["annotations"] = annotations
    return made


def images_of(given: Sequence[Object]) -> list[str]:
    """Return the images that the objects run, those of a helper's Pod in a ConfigMap too. Pure."""
    found = [container["image"] for one in given for container in _containers(one)]
    for one in given:
        found.extend(each["image"] for _key, pod in _pods_inside(one) for each in _containers(pod))
    return list(dict.fromkeys(str(image) for image in found))


def workloads(given: Sequence[Object]) -> list[Object]:
    """Return the objects that run Pods. Pure."""
    return [one for one in given if one["kind"] in WORKLOADS]


def _with_images(obj: Object, images: Mapping[str, str]) -> None:
    for container in _containers(obj):
        container["image"] = images.get(container["image"], container["image"])
    for key, pod in _pods_inside(obj):
        if any(container["image"] in images for container in _containers(pod)):
            _with_images(pod, images)
            obj["data"][key] = str(require("yaml").safe_dump(pod, sort_keys=False))


def _containers(obj: Object) -> list[Object]:
    """Return the containers of a Pod, or of a workload's template, that name an image."""
    spec = obj.get("spec") or {}
    if obj["kind"] in WORKLOADS:
        spec = spec.get("template", {}).get("spec") or {}
    elif obj["kind"] != "Pod":
        return []
    every = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return [container for container in every if container.get("image")]


def _pods_inside(obj: Object) -> Iterator[tuple[str, Object]]:
    """Yield the Pods that a ConfigMap holds as YAML, with their keys: what a provisioner starts itself."""
    if obj["kind"] != "ConfigMap":
        return
    yaml = require("yaml")
    for key, text in (obj.get("data") or {}).items():
        if not key.endswith((".yaml", ".yml")):
            continue
        try:
            inside = yaml.safe_load(text)
        except yaml.YAMLError:
            # Somebody's file that only looks like one is left as it is.
            continue
        if _is_object(inside) and inside["kind"] == "Pod":
            yield key, inside
