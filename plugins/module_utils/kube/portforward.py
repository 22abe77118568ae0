# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A socket to a port in a Pod, through the API server, in this process: no kubectl, no open port."""

from __future__ import annotations

import re
import socket as sockets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..finding import CollectionError
from ..third_party import require
from . import kinds
from . import pods as pod_status
from .client import Cluster, KubeError, Object
from .tunnel import Tunnel

OwnerKind = Literal["Pod", "Deployment", "Service"]

POLL = 0.25
PROTOCOL = "v4.channel.k8s.io"


@dataclass(frozen=True)
class Target:
    """A Pod, named itself or by a Deployment or Service of its namespace."""

    namespace: str
    kind: OwnerKind
    name: str
    port: int = 3306

    def __str__(self) -> str:
        """Return it as messages name it."""
        return f"{self.kind} {self.namespace}/{self.name}"


class PodUnavailableError(CollectionError):
    """No running Pod behind a target. pods: those that there are, as the API server has them."""

    def __init__(self, target: Target, state: str, pods: list[Object]) -> None:
        super().__init__(f"No running Pod behind {target}: {state}")
        self.target = target
        self.state = state
        self.pods = pods


class Forward:
    """An open port-forward. Closing its socket ends it; ``close`` does that too, also twice.

    address: how messages name the far end.
    """

    def __init__(self, tunnel: Tunnel, target: Target, pod: str) -> None:
        self._tunnel = tunnel
        self.pod = pod
        self.address = f"Pod {target.namespace}/{pod} port {target.port}"

    @property
    def socket(self) -> sockets.socket:
        """The near end: a stream socket."""
        return self._tunnel.near

    @property
    def error(self) -> str:
        """What the kubelet said about the far end, empty while all is well."""
        return self._tunnel.error.strip()

    def close(self) -> None:
        """End the forward; the thread that carries its bytes ends with it."""
        self._tunnel.close()


def running_pod(target: Target, pods: list[Object]) -> Object | None:
    """Return the Pod to take: the newest running one, for a Service the first by name."""
    running = [pod for pod in pods if pod_status.is_running(pod)]
    if target.kind == "Service":
        return min(running, key=lambda pod: str(pod["metadata"]["name"]), default=None)
    return max(running, key=_age_key, default=None)


def pods_of(cluster: Cluster, target: Target) -> list[Object] | None:
    """Return the Pods behind a target, None where the target itself is absent. Raises KubeError."""
    owner = cluster.get(target.kind, target.name, target.namespace)
    if owner is None:
        return None
    if target.kind == "Pod":
        return [owner]
    selector = owner["spec"].get("selector") or {}
    if target.kind == "Deployment":
        selector = selector.get("matchLabels") or {}
    if not selector:
        # Without a selector the API would answer with every Pod of the namespace.
        return []
    return cluster.list("Pod", target.namespace, labels=label_selector(selector))


def find_pod(cluster: Cluster, target: Target, deadline: float) -> Object:
    """Return a running Pod behind the target, waiting for it until ``time.monotonic()`` is past.

    Raises PodUnavailableError, with the Pods' state, and KubeError.
    """
    while True:
        pods = pods_of(cluster, target)
        pod = running_pod(target, pods or [])
        if pod is not None:
            return pod
        if pods is None:
            raise PodUnavailableError(target, "there is none of that name", [])
        if time.monotonic() >= deadline:
            raise PodUnavailableError(target, _states(pods), pods)
        # A Pod that is made anew has no name yet that could be watched; its owner is asked again.
        time.sleep(POLL)


def open_forward(cluster: Cluster, target: Target, timeout: float) -> Forward:
    """Open a port-forward to a running Pod behind the target.

    timeout: seconds to wait for a running Pod. Whether something listens there shows only when
    the socket is read: it ends, and ``error`` tells why. Raises PodUnavailableError, KubeError.
    """
    pod = str(find_pod(cluster, target, time.monotonic() + timeout)["metadata"]["name"])
    path = kinds.of("Pod").path(target.namespace, pod) + "/portforward"
    ws_client = require("kubernetes.stream.ws_client")
    failures = require("websocket")
    scheme = "ws" if cluster.host().startswith("http://") else "wss"
    url = f"{scheme}://{cluster.host().split('://', maxsplit=1)[1]}{path}?ports={target.port}"
    headers = {**cluster.headers(), "sec-websocket-protocol": PROTOCOL}
    try:
        opened = ws_client.create_websocket(cluster.api_client.configuration, url, headers)
    except (failures.WebSocketException, OSError) as error:
        operation = f"open a port-forward to {target.namespace}/{pod}"
        status, reason = handshake(str(error))
        raise KubeError(cluster.name, operation, status, reason) from error
    return Forward(Tunnel(opened.sock, f"{target}"), target, pod)


def label_selector(labels: Mapping[str, str]) -> str:
    """Return labels as the API's labelSelector."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _states(pods: list[Object]) -> str:
    if not pods:
        return "its selector matches no Pod"
    return "; ".join(f"{pod['metadata']['name']} is {pod_status.state(pod)}" for pod in pods)


def _age_key(pod: Object) -> tuple[str, str]:
    meta = pod["metadata"]
    return str(meta.get("creationTimestamp", "")), str(meta["name"])


def handshake(text: str) -> tuple[int, str]:
    """Return HTTP status and reason out of the websocket library's one line about both."""
    match = re.match(r"Handshake status (\d+)", text)
    parts = [part.strip() for part in text.split("-+-+-")]
    reason = parts[-1] or parts[0] or "no reason given"
    return (int(match[1]) if match else 0), reason.splitlines()[0]
