# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""cert-manager's objects: issuers, Certificates and what becomes of them."""

from __future__ import annotations

from . import pods as pod_status
from .client import Cluster, Object

CERTIFICATE = "Certificate"
ISSUERS = ("Issuer", "ClusterIssuer")
KINDS = (CERTIFICATE, *ISSUERS)
# Of issuers in another group nothing is known beyond their name.
GROUP = "cert-manager.io"


def is_ready(obj: Object) -> bool:
    """Whether an object is Ready, and said so of its newest spec. Pure."""
    entry = pod_status.condition_entry(obj, "Ready") or {}
    newest = int(obj["metadata"].get("generation") or 0)
    # What cert-manager observed of an older spec says nothing of this one.
    seen = int(entry.get("observedGeneration") or newest)
    return entry.get("status") == "True" and seen >= newest


def state(obj: Object) -> str:
    """Return where an object stands, in one phrase. Pure."""
    entry = pod_status.condition_entry(obj, "Ready")
    if entry is None:
        return "without a condition Ready"
    if entry.get("status") == "True":
        return "Ready" if is_ready(obj) else "Ready as it was before"
    return ": ".join(pod_status.condition_words(entry))


def conditions(obj: Object) -> list[str]:
    """Return an object's conditions as proof lines. Pure."""
    meta = obj["metadata"]
    space = f"{meta['namespace']}/" if meta.get("namespace") else ""
    name = f"{obj['kind']} {space}{meta['name']}"
    lines = [
        pod_status.condition_line(name, entry["type"], entry)
        for entry in (obj.get("status") or {}).get("conditions") or []
    ]
    return lines or [f"{name}: no condition yet"]


def has_failed(request: Object) -> bool:
    """Whether a CertificateRequest was refused: cert-manager makes no further one for an hour. Pure."""
    ready = pod_status.condition_entry(request, "Ready") or {}
    return ready.get("reason") in ("Failed", "Denied")


def made(cluster: Cluster, certificate: Object) -> tuple[tuple[Object, ...], bool]:
    """Return the requests that a Certificate made, newest last, and whether its Secret is there.

    Raises KubeError.
    """
    meta = certificate["metadata"]
    requests = [
        one
        for one in cluster.list("CertificateRequest", meta["namespace"])
        if any(
            owner.get("uid") == meta.get("uid")
            for owner in one["metadata"].get("ownerReferences") or []
        )
    ]
    requests.sort(key=lambda one: str(one["metadata"].get("creationTimestamp")))
    secret = cluster.get("Secret", certificate["spec"]["secretName"], meta["namespace"])
    return tuple(requests), secret is not None
