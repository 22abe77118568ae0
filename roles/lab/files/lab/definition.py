# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the lab is: versions, nodes and addresses. Everything else follows from this."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

LAYOUT = 1
"""Raised when nodes of an older lab can't be used by this program any more."""
ADDONS = ("metallb", "local_path", "traefik", "pool", "ingress", "ingress_class", "bare")


@dataclass(frozen=True)
class Node:
    """One machine of the cluster: a set of namespaces on this one."""

    name: str
    address: str
    pods: str
    control_plane: bool = False


@dataclass(frozen=True)
class Definition:
    """A lab's versions, nodes and networks. Two labs of one definition are interchangeable.

    bare: without MetalLB, ingress controller and provisioner: a cluster that lacks them.
    """

    kubernetes: str
    containerd: str
    etcd: str
    coredns: str
    metallb: str
    local_path: str
    traefik: str
    pause: str
    lan: str = "192.168.0.0/24"
    gateway: str = "192.168.0.1"
    client: str = "192.168.0.50"
    pool: str = "192.168.0.240-192.168.0.251"
    ingress: str = "192.168.0.251"
    ingress_class: str = "nginx"
    pods: str = "10.244.0.0/16"
    services: str = "10.96.0.0/16"
    dns: str = "10.96.0.10"
    nodes: tuple[Node, ...] = (
        Node("cp1", "192.168.0.10", "10.244.0.0/24", control_plane=True),
        Node("worker1", "192.168.0.11", "10.244.1.0/24"),
        Node("worker2", "192.168.0.12", "10.244.2.0/24"),
    )
    layout: int = LAYOUT
    bare: bool = False

    @classmethod
    def of(cls, versions: Mapping[str, str], pause: str, *, bare: bool = False) -> Definition:
        """Return the definition with these versions of its components, by name, and of the pause image."""
        return cls(
            kubernetes=versions["kubernetes"],
            containerd=versions["containerd"],
            etcd=versions["etcd"],
            coredns=versions["coredns"],
            metallb=versions["metallb"],
            local_path=versions["local-path-provisioner"],
            traefik=versions["traefik"],
            pause=pause,
            bare=bare,
        )

    @property
    def control_plane(self) -> Node:
        """The node that runs the API server."""
        return next(node for node in self.nodes if node.control_plane)

    @property
    def workers(self) -> tuple[Node, ...]:
        """The nodes that run what users deploy."""
        return tuple(node for node in self.nodes if not node.control_plane)

    def node(self, name: str) -> Node:
        """Return the node of that name. Raises KeyError."""
        return {node.name: node for node in self.nodes}[name]

    def on_lan(self, address: str) -> str:
        """Return the address with the LAN's prefix length, as `ip address add` wants it."""
        return str(IPv4Interface(f"{address}/{IPv4Network(self.lan).prefixlen}"))

    def key(self) -> str:
        """Return the hash that tells whether an existing lab is of this definition.

        Addons don't count: a running lab takes a new version of them.
        """
        kept = {name: value for name, value in asdict(self).items() if name not in ADDONS}
        text = json.dumps(kept, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class HostLink:
    """The veth pair that joins the host to the API server; a /30 of its own per lab."""

    index: int

    @property
    def network(self) -> IPv4Network:
        """The pair's network."""
        return IPv4Network(f"10.213.{self.index}.0/30")

    @property
    def host(self) -> IPv4Address:
        """The host's end."""
        return self.network[1]

    @property
    def api_server(self) -> IPv4Address:
        """The control plane's end: where a kubeconfig on the host points to."""
        return self.network[2]

    @property
    def interface(self) -> str:
        """The host end's name; at most 15 characters."""
        return f"labhost{self.index}"
