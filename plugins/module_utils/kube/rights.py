# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user must be allowed to do for the roles to run, as data."""

from __future__ import annotations

from collections.abc import Iterable

from . import kinds
from .room import Right

WRITTEN = (
    "ConfigMap",
    "Deployment",
    "Ingress",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "Secret",
    "Service",
    "ServiceAccount",
)
WRITE_VERBS = ("create", "get", "list", "patch")
READ_EVERYWHERE = (
    "BGPAdvertisement",
    "EndpointSlice",
    "Event",
    "IPAddressPool",
    "Ingress",
    "IngressClass",
    "L2Advertisement",
    "Namespace",
    "Node",
    "PersistentVolume",
    "Pod",
    "Service",
    "StorageClass",
)


def needed(namespace: str) -> list[Right]:
    """Return the rights that the four phases use, in the namespace and in the whole cluster."""
    inside = [Right(verb, kind, namespace) for kind in WRITTEN for verb in WRITE_VERBS]
    pods = [
        Right("list", "Pod", namespace),
        Right("patch", "Pod", namespace),
        Right("get", "Pod", namespace, "log"),
        Right("create", "Pod", namespace, "portforward"),
        Right("create", "Namespace"),
    ]
    lease = [Right(verb, "Lease", namespace) for verb in ("create", "get", "patch")]
    return [*inside, *pods, *lease, *(Right("list", kind) for kind in READ_EVERYWHERE)]


def to_certify(namespace: str, issuer: str) -> list[Right]:
    """Return the rights that a Certificate of cert-manager takes. issuer: the kind of its issuer."""
    own = [Right(verb, "Certificate", namespace) for verb in WRITE_VERBS]
    asked = Right("get", issuer, namespace if kinds.of(issuer).namespaced else "")
    return [*own, Right("list", "CertificateRequest", namespace), asked]


def to_make(of: Iterable[str]) -> list[Right]:
    """Return the rights that making objects of these kinds takes, in whichever namespace."""
    return [Right(verb, kind) for kind in dict.fromkeys(of) for verb in ("create", "patch")]
