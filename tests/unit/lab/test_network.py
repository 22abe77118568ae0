# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's LAN: it is complete, and the host's own network has no part in it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest

from roles.lab.files.lab import network
from roles.lab.files.lab.cli import definition
from roles.lab.files.lab.definition import HostLink

LAB = definition()
LAN = IPv4Network(LAB.lan)


def test_every_address_of_the_lan_is_given_once_and_lies_on_it() -> None:
    given = [LAB.gateway, LAB.client, *(node.address for node in LAB.nodes)]
    first, last = (IPv4Address(end) for end in LAB.pool.split("-"))
    assert len(set(given)) == len(given)
    assert all(IPv4Address(address) in LAN for address in given)
    assert not any(first <= IPv4Address(address) <= last for address in given)
    assert first <= IPv4Address(LAB.ingress) <= last


def test_networks_of_pods_services_lan_and_host_are_apart() -> None:
    nets = [LAN, IPv4Network(LAB.pods), IPv4Network(LAB.services), HostLink(0).network]
    assert not any(a.overlaps(b) for a in nets for b in nets if a is not b)
    pods = [IPv4Network(node.pods) for node in LAB.nodes]
    assert all(each.subnet_of(IPv4Network(LAB.pods)) for each in pods)
    assert not any(a.overlaps(b) for a in pods for b in pods if a is not b)
    assert IPv4Address(LAB.dns) in IPv4Network(LAB.services)


def test_a_node_reaches_the_pods_of_every_other_node() -> None:
    node, *others = LAB.nodes
    lines = network.host_lines(LAB, node.address, tuple(others))
    for other in others:
        assert f"route add {other.pods} via {other.address} dev eth0" in lines
    assert not any(f"route add {node.pods}" in line for line in lines)
    assert lines[-1] == f"route add default via {LAB.gateway} dev eth0"


def test_pods_keep_their_address_inside_the_cluster_and_take_their_nodes_outside() -> None:
    node = LAB.workers[0]
    rules = network.masquerade_rules(LAB, node)
    assert f'ip saddr {node.pods} ip daddr != {LAB.pods} oifname "eth0" masquerade' in rules


def test_a_machine_made_anew_has_the_same_hardware_address() -> None:
    first = network.hardware_address("192.168.0.10")
    assert first == network.hardware_address("192.168.0.10")
    assert first != network.hardware_address("192.168.0.11")
    # Locally administered, and no group address.
    assert int(first.split(":")[0], 16) & 3 == 2


def test_two_labs_have_roads_of_their_own() -> None:
    one, two = HostLink(0), HostLink(1)
    assert not one.network.overlaps(two.network)
    assert one.interface != two.interface
    assert one.host != one.api_server
    assert {one.host, one.api_server} == set(one.network.hosts())
    assert all(len(HostLink(index).interface) <= 15 for index in (0, 254))


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ({"dst": "default", "dev": "eth0"}, False),
        ({"dst": "192.0.2.0/24", "dev": "eth0"}, False),
        ({"dst": "10.0.0.0/8", "dev": "wg0"}, True),
        ({"dst": "10.213.0.2", "dev": "wg0"}, True),
        ({"dst": "10.213.0.0/30", "dev": "labhost0"}, False),
    ],
)
def test_a_host_that_routes_the_roads_network_elsewhere_is_told(
    route: dict[str, object], told: bool
) -> None:
    assert bool(network.overlapping(HostLink(0), [route])) is told


def test_the_host_gets_no_address_of_the_lan() -> None:
    assert not any(ip_address(HostLink(index).host) in LAN for index in range(255))
