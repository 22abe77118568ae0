# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's LAN: a bridge in a namespace of its own, its machines, and a road from the host.

Nothing of the LAN's addresses exists in the host's own network namespace.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network

from .definition import Definition, HostLink, Node
from .errors import LabError
from .namespaces import Namespaces
from .state import Lab
from .system import command

BRIDGE = "lan"
CLIENT = "client"
SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    # Answers may come in by another interface than the question went out by.
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
}


def machine(lab: Lab, name: str) -> Namespaces:
    """Return a machine with a network alone: the bridge or the client."""
    return Namespaces(name, lab.pins)


def hardware_address(address: str) -> str:
    """Return a MAC address made from an IPv4 one: a machine made anew is the same to its neighbours."""
    octets = IPv4Address(address).packed
    return ":".join(["02", "00", *(f"{octet:02x}" for octet in octets)])


def bridge_lines(definition: Definition) -> list[str]:
    """Return what makes the bridge, as lines for `ip -batch`."""
    return [
        "link set lo up",
        f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"address add {definition.on_lan(definition.gateway)} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]


def host_lines(definition: Definition, address: str, others: tuple[Node, ...] = ()) -> list[str]:
    """Return what a machine on the LAN needs, as lines for `ip -batch`; others: nodes with pods."""
    return [
        "link set lo up",
        f"address add {definition.on_lan(address)} dev eth0",
        "link set eth0 up",
        *(f"route add {node.pods} via {node.address} dev eth0" for node in others),
        # Last: it shows that all before it was done.
        f"route add default via {definition.gateway} dev eth0",
    ]


def masquerade_rules(definition: Definition, node: Node) -> str:
    """Return nftables rules: pods leave their cluster with their node's address."""
    return (
        "table ip lab {\n"
        "  chain postrouting {\n"
        "    type nat hook postrouting priority srcnat; policy accept;\n"
        f'    ip saddr {node.pods} ip daddr != {definition.pods} oifname "eth0" masquerade\n'
        "  }\n"
        "}\n"
    )


def overlapping(link: HostLink, routes: list[dict[str, object]]) -> list[str]:
    """Return the host's routes that the link's network would hide or be hidden by."""
    found = []
    for route in routes:
        target = str(route.get("dst", "default"))
        if target == "default" or route.get("dev") == link.interface or ":" in target:
            continue
        if IPv4Network(target, strict=False).overlaps(link.network):
            found.append(f"{target} dev {route.get('dev', '?')}")
    return found


def ensure_bridge(lab: Lab) -> bool:
    """Make the LAN; return whether it had to be made."""
    bridge = machine(lab, BRIDGE)
    if bridge.exist() and _has_link(bridge, BRIDGE):
        return False
    bridge.create()
    _set_sysctls(bridge)
    _batch(bridge, bridge_lines(lab.definition))
    return True


def ensure_client(lab: Lab) -> bool:
    """Make the client host on the LAN; return whether it had to be made."""
    client = machine(lab, CLIENT)
    if client.exist() and _is_complete(client):
        return False
    client.create()
    _plug_in(lab, client, lab.definition.client)
    _batch(client, host_lines(lab.definition, lab.definition.client))
    return True


def connect_node(lab: Lab, node: Node, namespaces: Namespaces, link: HostLink) -> None:
    """Put a new node on the LAN; the control plane also gets the road from the host."""
    others = tuple(other for other in lab.definition.nodes if other != node)
    _set_sysctls(namespaces)
    _plug_in(lab, namespaces, node.address)
    rules = masquerade_rules(lab.definition, node)
    command([*namespaces.enter("net"), "nft", "-f", "-"], given=rules)
    if node.control_plane:
        _connect_host(namespaces, link)
    _batch(namespaces, host_lines(lab.definition, node.address, others))


def is_connected(namespaces: Namespaces) -> bool:
    """Return whether connect_node was done to its end."""
    return _is_complete(namespaces)


def disconnect_host(link: HostLink) -> None:
    """Remove the road between host and API server."""
    if command(["ip", "link", "show", link.interface], check=False).returncode == 0:
        command(["ip", "link", "delete", link.interface])


def unplug(lab: Lab, name: str) -> None:
    """Remove a machine's cable, both ends."""
    bridge = machine(lab, BRIDGE)
    if bridge.exist() and _has_link(bridge, name):
        command([*bridge.enter(), "ip", "link", "delete", name])


def _connect_host(namespaces: Namespaces, link: HostLink) -> None:
    """Make the veth pair between the host and the control plane."""
    disconnect_host(link)
    routes = json.loads(command(["ip", "-json", "-4", "route", "show"]).stdout or "[]")
    taken = overlapping(link, routes)
    if taken:
        raise LabError(
            f"The lab needs {link.network} between host and API server, but this machine routes it",
            taken,
            "use another lab, whose network differs: make lab LAB=<another name>",
        )
    prefix = link.network.prefixlen
    lines = [
        f"link add {link.interface} type veth peer name host netns {namespaces.pin('net')}",
        f"address add {link.host}/{prefix} dev {link.interface}",
        f"link set {link.interface} up",
    ]
    command(["ip", "-batch", "-"], given="\n".join(lines) + "\n")
    _batch(namespaces, [f"address add {link.api_server}/{prefix} dev host", "link set host up"])


def _plug_in(lab: Lab, namespaces: Namespaces, address: str) -> None:
    """Connect a machine's eth0 with the bridge."""
    unplug(lab, namespaces.name)
    peer = f"name eth0 address {hardware_address(address)} netns {namespaces.pin('net')}"
    _batch(
        machine(lab, BRIDGE),
        [
            f"link add {namespaces.name} type veth peer {peer}",
            f"link set {namespaces.name} master {BRIDGE}",
            f"link set {namespaces.name} up",
        ],
    )


def _set_sysctls(namespaces: Namespaces) -> None:
    """Set what belongs to the network namespace alone; the host's own values stay."""
    for name, value in SYSCTLS.items():
        command([*namespaces.enter("net"), "tee", f"/proc/sys/{name}"], given=value)


def _batch(namespaces: Namespaces, lines: list[str]) -> None:
    command([*namespaces.enter("net"), "ip", "-batch", "-"], given="\n".join(lines) + "\n")


def _has_link(namespaces: Namespaces, name: str) -> bool:
    shown = command([*namespaces.enter("net"), "ip", "link", "show", name], check=False)
    return shown.returncode == 0


def _is_complete(namespaces: Namespaces) -> bool:
    shown = command([*namespaces.enter("net"), "ip", "-4", "route", "show", "default"], check=False)
    return "dev eth0" in shown.stdout
