# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster needs beside Kubernetes - MetalLB, a pool, an ingress controller, a provisioner - and which it lacks.

A part is missing only where nothing of its kind is there: one that is broken is somebody's, and is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import metallb, selectors
from .client import Cluster
from .manifest import WORKLOADS
from .metallb import Address, NetworkState, full_name
from .storage import NO_PROVISIONER, find

Object = dict[str, Any]

# The value is the part's name; with it we know again what we installed.
LABEL = "mysql-on.kubernetes/part"
POOL_NAME = "mysql-on-kubernetes"
PARTS = ("metallb", "pool", "ingress", "provisioner")
# The classes that our ingress controller serves.
SERVED = "k8s.io/ingress-nginx"


@dataclass(frozen=True)
class Wanted:
    """What the run needs. storage: whether a provisioner is; storage_class: the one named, or empty."""

    ip: Address
    ingress_class: str
    storage: bool
    storage_class: str = ""


@dataclass(frozen=True)
class PartsState:
    """What was read. classes: StorageClasses. workloads: of all namespaces."""

    network: NetworkState
    classes: tuple[Object, ...] = ()
    workloads: tuple[Object, ...] = ()


def observe(cluster: Cluster) -> PartsState:
    """Read what tells whether the parts are there. Raises KubeError."""
    return PartsState(
        network=metallb.observe(cluster),
        classes=tuple(cluster.list("StorageClass")),
        workloads=tuple(one for kind in WORKLOADS for one in cluster.list(kind)),
    )


def is_of(obj: Object, part: str) -> bool:
    """Whether we installed an object, as one of a part."""
    return selectors.labels(obj).get(LABEL) == part


def there(state: PartsState, wanted: Wanted) -> dict[str, str]:
    """Return what each part that is there is known by, and why one that is not cannot be made. Pure."""
    found = {
        "metallb": _metallb(state),
        "pool": _pool(state, wanted),
        "ingress": _ingress(state, wanted),
        "provisioner": _provisioner(state, wanted),
    }
    return {part: known for part, known in found.items() if known}


def missing(state: PartsState, wanted: Wanted) -> list[str]:
    """Return the parts that the cluster lacks, in the order in which they are installed. Pure."""
    known = there(state, wanted)
    return [part for part in PARTS if part not in known]


def metallb_namespace(state: PartsState) -> str:
    """Return where MetalLB is, empty where it is not. Pure."""
    found = _metallb_workload(state)
    return str(found["metadata"].get("namespace")) if found else ""


def _metallb(state: PartsState) -> str:
    found = _metallb_workload(state)
    return _named(found) if found else ""


def _metallb_workload(state: PartsState) -> Object | None:
    for one in state.workloads:
        template = _template(one)
        speaker = metallb.is_metallb(template, "speaker")
        controller = metallb.is_metallb(template, "controller")
        # Ours without its controller, which is made last, is one whose making was ended.
        if controller or (speaker and not is_of(one, "metallb")):
            return one
    return None


def _pool(state: PartsState, wanted: Wanted) -> str:
    pools = state.network.pools or ()
    ours = [one for one in pools if is_of(one, "pool") and metallb.pool_holds(one, wanted.ip)]
    every = [*(state.network.l2 or ()), *(state.network.bgp or ())]
    if ours and not any(metallb.advertises(one, ours[0]) for one in every):
        return ""
    # With a pool of somebody's MetalLB its owner has decided about addresses.
    return ", ".join(f"IPAddressPool {full_name(one)}" for one in pools)


def _ingress(state: PartsState, wanted: Wanted) -> str:
    programs = metallb.CONTROLLERS[SERVED]
    for one in state.workloads:
        if metallb.runs(_template(one), programs):
            return _named(one)
    found = find(state.network.classes, wanted.ingress_class)
    controller = str(((found or {}).get("spec") or {}).get("controller") or "")
    if found is not None and controller != SERVED:
        return f"IngressClass {wanted.ingress_class} of the controller {controller or 'none'}"
    return ""


def _provisioner(state: PartsState, wanted: Wanted) -> str:
    if not wanted.storage:
        return "volumes of your own"
    if wanted.storage_class:
        found = find(state.classes, wanted.storage_class)
        return f"StorageClass {wanted.storage_class}" if found else ""
    usable = [one for one in state.classes if one.get("provisioner") != NO_PROVISIONER]
    return ", ".join(f"StorageClass {one['metadata']['name']}" for one in usable)


def _template(workload: Object) -> Object:
    """Return a workload's template as the Pod that it would be."""
    template = workload["spec"].get("template") or {}
    return {"metadata": template.get("metadata") or {}, "spec": template.get("spec") or {}}


def _named(workload: Object) -> str:
    return f"{workload['kind']} {full_name(workload)}"
