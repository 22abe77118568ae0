# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ingress rules and what stands behind them: reads, and pure functions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .client import Cluster

Object = dict[str, Any]

REWRITE = "nginx.ingress.kubernetes.io/rewrite-target"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class Rule:
    """One path of one Ingress. ingress: namespace/name. port: a number or a name, as text."""

    ingress: str
    namespace: str
    class_name: str
    host: str
    path: str
    rewrite: str
    service: str
    port: str


@dataclass(frozen=True)
class IngressState:
    """What was read. elsewhere: Ingresses of other namespaces, which may claim the same path."""

    ingresses: tuple[Object, ...]
    elsewhere: tuple[Object, ...] = ()
    classes: tuple[Object, ...] = ()
    services: tuple[Object, ...] = ()
    slices: tuple[Object, ...] = ()


def observe(cluster: Cluster, namespace: str) -> IngressState:
    """Read the Ingresses of a namespace and what they lead to. Raises KubeError."""
    every = cluster.list("Ingress")
    mine = [one for one in every if one["metadata"]["namespace"] == namespace]
    return IngressState(
        ingresses=tuple(mine),
        elsewhere=tuple(one for one in every if one["metadata"]["namespace"] != namespace),
        classes=tuple(cluster.list("IngressClass")),
        services=tuple(cluster.list("Service", namespace)),
        slices=tuple(cluster.list("EndpointSlice", namespace)),
    )


def rules(one: Object) -> list[Rule]:
    """Return the paths of an Ingress, in its order."""
    meta = one["metadata"]
    annotations = meta.get("annotations") or {}
    found = []
    for entry in one["spec"].get("rules") or []:
        for path in (entry.get("http") or {}).get("paths") or []:
            service = (path.get("backend") or {}).get("service") or {}
            port = service.get("port") or {}
            found.append(
                Rule(
                    ingress=f"{meta['namespace']}/{meta['name']}",
                    namespace=str(meta["namespace"]),
                    class_name=class_of(one),
                    host=str(entry.get("host") or ""),
                    path=str(path.get("path") or "/"),
                    rewrite=str(annotations.get(REWRITE) or ""),
                    service=str(service.get("name") or ""),
                    port=str(port.get("number") or port.get("name") or ""),
                )
            )
    return found


def class_of(one: Object) -> str:
    """Return the class that an Ingress names, by its field or by the old annotation."""
    annotations = one["metadata"].get("annotations") or {}
    return str(one["spec"].get("ingressClassName") or annotations.get(CLASS_ANNOTATION) or "")


def is_default(ingress_class: Object) -> bool:
    """Whether Ingresses without a class are of this one."""
    annotations = ingress_class["metadata"].get("annotations") or {}
    return annotations.get(DEFAULT_ANNOTATION) == "true"


def is_address(text: str) -> bool:
    """Whether a text is an IP address, as it stands."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def host_is_address(host: str) -> bool:
    """Whether a host is written as an IP address, which an Ingress cannot have."""
    return is_address(host.strip("[]"))


def prefix(path: str) -> str:
    """Return the plain words that a path begins with: ``/bucket(/|$)(.*)`` has ``/bucket``."""
    match = re.match(r"[A-Za-z0-9/_.~-]*", path)
    return (match[0] if match else "").rstrip("/")


def ports(service: Object) -> list[str]:
    """Return a Service's ports as a backend may name them: numbers and names."""
    found: list[str] = []
    for port in service["spec"].get("ports") or []:
        found.append(str(port["port"]))
        if port.get("name"):
            found.append(str(port["name"]))
    return found


def has_ready(state: IngressState, service: Object) -> bool:
    """Whether a Service leads to a ready Pod."""
    return any(
        (endpoint.get("conditions") or {}).get("ready", True)
        for entry in slices_of(state.slices, service)
        for endpoint in entry.get("endpoints") or []
    )


def slices_of(slices: Sequence[Object], service: Object) -> list[Object]:
    """Return the EndpointSlices of a Service."""
    meta = service["metadata"]
    return [
        entry
        for entry in slices
        if entry["metadata"].get("namespace") == meta.get("namespace")
        and (entry["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        == meta["name"]
    ]
