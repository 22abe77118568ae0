# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster lacks, and the objects that would make it: reads the cluster and manifests, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .causes.catalogue import finding
from .finding import CollectionError, Finding
from .kube import ingress, kinds, manifest, metallb, parts, storage
from .kube.client import Cluster
from .kube.manifest import Source
from .kube.parts import PartsState
from .kube.topology import MANAGER, MANAGER_LABEL

Object = dict[str, Any]

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "metallb": "MetalLB",
        "pool": "an address pool of MetalLB",
        "ingress": "an ingress controller",
        "provisioner": "a volume provisioner",
    }
)
# What the manifests have to hold; a part without it would not be what is missed.
METALLB_KINDS = (
    "CustomResourceDefinition ipaddresspools.metallb.io",
    "CustomResourceDefinition l2advertisements.metallb.io",
    "Deployment",
    "DaemonSet",
)
PROVISIONER_KINDS = ("Deployment", "StorageClass")


@dataclass(frozen=True)
class Asked:
    """What is asked. metallb, provisioner: their manifests. ingress: ours, as text.

    pool: addresses (``first-last`` or a CIDR) that hold the wanted one. interfaces: on which they are
    announced, empty for all. images: what to run instead, by image. prefix: of variables in failures.
    """

    wanted: parts.Wanted
    metallb: Source
    provisioner: Source
    ingress: str
    pool: str
    interfaces: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Part:
    """A part that is missing. source: where its manifest comes from. objects: in the order of making."""

    name: str
    source: str
    objects: tuple[Object, ...]

    @property
    def waits(self) -> list[dict[str, str]]:
        """What has to be ready, as kube_wait takes it."""
        return [
            {"kind": one["kind"], "name": one["metadata"]["name"]}
            for one in manifest.workloads(self.objects)
        ]

    @property
    def namespace(self) -> str:
        """Where its Pods run, empty where it has none."""
        return next((_namespace(one) for one in manifest.workloads(self.objects)), "")

    @property
    def makes(self) -> list[str]:
        """The kinds that it makes."""
        return list(dict.fromkeys(str(one["kind"]) for one in self.objects))


def look(cluster: Cluster, asked: Asked) -> dict[str, Any]:
    """Return what is there, what is missing and what would be made, as a module returns it.

    Raises CollectionError where a manifest or the pool cannot be used, or where something of somebody
    else's has a name that is needed; nothing is touched before.
    """
    check_pool(asked)
    state = parts.observe(cluster)
    known = parts.there(state, asked.wanted)
    made: list[Part] = []
    for name in parts.missing(state, asked.wanted):
        made.append(_part(name, state, asked, made))
    taken = [one for part in made for one in _taken(cluster, part, asked.language)]
    if taken:
        raise CollectionError("What is missing cannot be installed; nothing was changed", taken)
    return {
        "changed": False,
        "present": known,
        "missing": [
            {
                "part": part.name,
                "title": TITLES[part.name],
                "source": part.source,
                "kinds": part.makes,
                "images": manifest.images_of(part.objects),
                "names": [manifest.named(one) for one in part.objects],
                "classes": [one for one in part.objects if one["kind"] == "StorageClass"],
            }
            for part in made
        ],
        "objects": {part.name: list(part.objects) for part in made},
        "waits": {part.name: {"namespace": part.namespace, "objects": part.waits} for part in made},
        "lines": lines(known, made),
    }


def lines(known: Mapping[str, str], made: Sequence[Part]) -> list[str]:
    """Return what a person reads: each part, and what is done about it. Pure."""
    there = [f"there    {TITLES[part]}: {what}" for part, what in known.items()]
    lacking = [
        f"missing  {TITLES[part.name]}: {len(part.objects)} objects from {part.source}"
        for part in made
    ]
    return [*there, *lacking]


def check_pool(asked: Asked) -> None:
    """Raise CollectionError where the pool does not hold the address. Pure."""
    given = {"spec": {"addresses": [asked.pool]}}
    if asked.pool and not metallb.pool_holds(given, asked.wanted.ip):
        raise CollectionError(
            f"{asked.prefix}install_pool: {asked.pool!r} does not hold {asked.wanted.ip}; allowed: a range such as"
            f" {asked.wanted.ip}-{asked.wanted.ip}, or a network, that holds it; empty for that address alone"
        )


def _part(name: str, state: PartsState, asked: Asked, before: Sequence[Part]) -> Part:
    """Return a part that is missing; before: those that are made before it.

    Raises CollectionError where its manifest cannot be used.
    """
    if name == "pool":
        spaces = [part.namespace for part in before if part.name == "metallb"]
        source, objects = _pool(spaces[0] if spaces else parts.metallb_namespace(state), asked)
    else:
        makers = {"metallb": _metallb, "ingress": _ingress, "provisioner": _provisioner}
        source, objects = makers[name](state, asked)
    labels = {MANAGER_LABEL: MANAGER, parts.LABEL: name}
    return Part(name, source, tuple(manifest.edited(objects, labels, asked.images)))


def _metallb(_state: PartsState, asked: Asked) -> tuple[str, list[Object]]:
    return asked.metallb.location, manifest.read(asked.metallb)


def _pool(namespace: str, asked: Asked) -> tuple[str, list[Object]]:
    ip = asked.wanted.ip
    addresses = asked.pool or f"{ip}-{ip}"
    return f"{asked.prefix}install_pool", pool_objects(namespace, addresses, asked.interfaces)


def pool_objects(namespace: str, addresses: str, interfaces: Sequence[str]) -> list[Object]:
    """Return a pool and its announcement. Pure.

    Nothing is given out unasked: a Service of somebody's that waits for any address must not take ours.
    """
    spec: Object = {"ipAddressPools": [parts.POOL_NAME]}
    if interfaces:
        spec["interfaces"] = list(interfaces)
    metadata = {"name": parts.POOL_NAME, "namespace": namespace}
    api = "metallb.io/v1beta1"
    return [
        {
            "apiVersion": api,
            "kind": "IPAddressPool",
            "metadata": dict(metadata),
            "spec": {"addresses": [addresses], "autoAssign": False},
        },
        {
            "apiVersion": api,
            "kind": "L2Advertisement",
            "metadata": dict(metadata),
            "spec": spec,
        },
    ]


def _ingress(state: PartsState, asked: Asked) -> tuple[str, list[Object]]:
    objects = manifest.parsed(asked.ingress.encode(), "ingress_manifest", "allowed: YAML")
    classes = state.network.classes
    names = {str(one["metadata"]["name"]) for one in classes}
    # A class that is there already, and that nobody serves, stays as it is.
    objects = [
        one
        for one in objects
        if one["kind"] != "IngressClass" or one["metadata"]["name"] not in names
    ]
    default = not any(ingress.is_default(one) for one in classes)
    return "the role's template", manifest.with_default(objects, storage=False, ingress=default)


def _provisioner(state: PartsState, asked: Asked) -> tuple[str, list[Object]]:
    objects = manifest.read(asked.provisioner)
    made = [str(one["metadata"]["name"]) for one in objects if one["kind"] == "StorageClass"]
    named = asked.wanted.storage_class
    if named and named not in made:
        raise CollectionError(
            f"{asked.prefix}storage_class: {named!r} is not there, and {asked.provisioner.location} makes"
            f" {', '.join(made)}; allowed: {', '.join(made)}, a class that is there, or empty to choose"
        )
    default = not any(storage.is_default(one) for one in state.classes)
    source = asked.provisioner.location
    return source, manifest.with_default(objects, storage=default, ingress=False)


def _taken(cluster: Cluster, part: Part, language: str) -> Iterator[Finding]:
    """Yield what is there under a name that a part needs, and is not ours. Raises KubeError."""
    fresh: set[str] = set()
    for one in part.objects:
        kind, name, space = str(one["kind"]), str(one["metadata"]["name"]), _namespace(one)
        if space in fresh:
            continue
        found = cluster.get(kind, name, space or None)
        if found is None:
            if kind == "Namespace":
                fresh.add(name)
            continue
        if parts.is_of(found, part.name):
            continue
        where = f" -n {space}" if space else ""
        yield finding(
            "install.object_taken",
            subject=f"{kind} {space}/{name}" if space else f"{kind} {name}",
            proof=[f"GET {kind} {name}: it is there, without the label {parts.LABEL}={part.name}"],
            language=language,
            part=TITLES[part.name],
            resource=kinds.of(kind).plural,
            name=name,
            where=where,
        )


def _namespace(obj: Object) -> str:
    """Return an object's namespace, empty where its kind has none."""
    if not kinds.of(str(obj["kind"])).namespaced:
        return ""
    return str(obj["metadata"].get("namespace") or "default")
