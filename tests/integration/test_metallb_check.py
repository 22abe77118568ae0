# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""metallb_check on a real MetalLB: healthy, and broken on purpose with objects of the test's own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import metallb

from tests.integration import cluster
from tests.integration.runner import codes, fail, succeed

pytestmark = [
    *cluster.MARKS,
]

HELD = "192.168.0.251"
SELECTOR = {"app": "nobody"}
PORTS = [{"port": 80}]


@pytest.fixture
def space(space: cluster.Space) -> Iterator[cluster.Space]:
    """The namespace; the Services that a test makes go with it, so that their addresses are free."""
    yield space
    for one in space.cluster.list("Service", space.name):
        space.delete("Service", one["metadata"]["name"])


@pytest.fixture
def free_ip(space: cluster.Space) -> str:
    """An address of the lab's pool that nobody holds or asks for."""
    state = metallb.observe(space.cluster)
    pool = metallb.pool_of(state.pools or (), ipaddress.ip_address(HELD))
    assert pool is not None
    first, last = str(pool["spec"]["addresses"][0]).split("-")
    for number in range(int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last)) + 1):
        ip = ipaddress.ip_address(number)
        if not any(metallb.asks_for(one, ip) or ip in metallb.held(one) for one in state.services):
            return str(ip)
    raise AssertionError("every address of the pool is in use")


def arguments(ip: str, **more: Any) -> dict[str, Any]:
    return {"kubeconfig": cluster.kubeconfig(), "ip": ip, "timeout": 0, **more}


def service(space: cluster.Space, name: str, ip: str = "", **more: Any) -> str:
    """Make a Service of type LoadBalancer and return its full name."""
    annotations = {"metallb.io/loadBalancerIPs": ip} if ip else {}
    annotations |= more.pop("annotations", {})
    spec = {"type": "LoadBalancer", "selector": SELECTOR, "ports": PORTS, **more}
    space.make("Service", name, metadata={"annotations": annotations}, spec=spec)
    return f"{space.name}/{name}"


def proof(result: dict[str, Any], code: str) -> str:
    (found,) = [one for one in result["findings"] if one["code"] == code]
    assert found["fix"]
    return "\n".join(found["proof"])


def wait_for_ip(space: cluster.Space, name: str) -> None:
    objects = [{"kind": "Service", "name": name}]
    options = {"namespace": space.name, "objects": objects, "timeout": 60}
    succeed("kube_wait", {"kubeconfig": cluster.kubeconfig(), **options})


def test_the_labs_address_is_held_and_answers_a_host_of_its_lan() -> None:
    lan = {"require": "held", "lan_client_command": cluster.lan_client(), "timeout": 30}
    result = succeed("metallb_check", arguments(HELD, **lan))
    assert result["verdict"] == "ok"
    assert result["holder"] == result["ingress_service"]
    assert result["answers"] in range(200, 500)
    assert "lladdr" in result["checked"][-1]
    assert result["changed"] is False


def test_an_address_outside_of_every_pool() -> None:
    result = fail("metallb_check", arguments("192.168.0.10"))
    assert codes(result) == ["metallb.ip_in_no_pool"]
    assert "IPAddressPool lab: " in proof(result, "metallb.ip_in_no_pool")
    assert result["msg"].splitlines()[0] == "192.168.0.10 is not allocatable"


def test_an_address_that_another_service_has_taken(space: cluster.Space, free_ip: str) -> None:
    name = service(space, "taker", free_ip)
    wait_for_ip(space, "taker")
    result = fail("metallb_check", arguments(free_ip))
    assert codes(result) == ["metallb.ip_taken"]
    assert f"Service {name}: status.loadBalancer.ingress {free_ip}" in proof(
        result, "metallb.ip_taken"
    )


def test_a_service_that_asks_for_the_ingress_controllers_address(space: cluster.Space) -> None:
    name = service(space, "late", HELD)
    more = {"require": "held", "ingress_service": name, "timeout": 0}
    result = fail("metallb_check", arguments(HELD, **more))
    assert codes(result) == ["metallb.ip_taken"]
    assert result["holder"] == "traefik/traefik"


def test_metallbs_own_message_is_the_proof_of_a_pending_service(
    space: cluster.Space, free_ip: str
) -> None:
    name = service(space, "pool-nope", free_ip, annotations={"metallb.io/address-pool": "nope"})
    more = {"require": "held", "ingress_service": name, "timeout": 30}
    result = fail("metallb_check", arguments(free_ip, **more))
    assert codes(result) == ["metallb.service_pending"]
    assert "event AllocationFailed: " in proof(result, "metallb.service_pending")
    assert free_ip in result["findings"][0]["summary"]


@pytest.mark.parametrize(
    ("name", "spec", "code"),
    [
        ("inner", {"type": "ClusterIP"}, "metallb.not_load_balancer"),
        ("both", {"loadBalancerIP": HELD}, "metallb.both_ways"),
        ("foreign", {"loadBalancerClass": "example.com/lb"}, "metallb.other_class"),
    ],
)
def test_a_service_that_asks_wrongly(
    space: cluster.Space, free_ip: str, name: str, spec: dict[str, Any], code: str
) -> None:
    full = service(space, name, free_ip, **spec)
    more = {"require": "held", "ingress_service": full}
    result = fail("metallb_check", arguments(free_ip, **more))
    assert codes(result) == [code]
    assert f"Service {full}: " in proof(result, code)


def test_a_pool_that_nobody_advertises(space: cluster.Space) -> None:
    name = f"{space.name}-quiet"
    ip = "192.168.0.199"
    addresses = {"addresses": [f"{ip}/32"], "autoAssign": False}
    space.make_global("IPAddressPool", name, cluster.METALLB, spec=addresses)
    asking = service(space, "quiet", ip)
    wait_for_ip(space, "quiet")
    result = fail("metallb_check", arguments(ip, require="held", ingress_service=asking))
    assert codes(result)[0] == "metallb.pool_not_advertised"
    assert result["pool"] == name
    assert result["holder"] == asking


def test_a_pool_that_serves_other_namespaces_alone(space: cluster.Space) -> None:
    name = f"{space.name}-closed"
    ip = "192.168.0.198"
    rules = {"priority": 50, "namespaces": ["somebody-elses"]}
    spec = {"addresses": [f"{ip}/32"], "autoAssign": False, "serviceAllocation": rules}
    space.make_global("IPAddressPool", name, cluster.METALLB, spec=spec)
    asking = service(space, "closed", ip)
    result = fail("metallb_check", arguments(ip, require="held", ingress_service=asking))
    assert codes(result)[0] == "metallb.pool_excludes_service"
    assert "somebody-elses" in proof(result, "metallb.pool_excludes_service")


def test_a_holder_without_ready_pods_is_named(space: cluster.Space, free_ip: str) -> None:
    asking = service(space, "empty", free_ip)
    wait_for_ip(space, "empty")
    result = fail("metallb_check", arguments(free_ip, require="held", ingress_service=asking))
    assert codes(result) == ["ingress.controller_no_endpoints"]
    assert "Pods with app=nobody: none" in proof(result, "ingress.controller_no_endpoints")


def test_an_unknown_class_and_a_bad_address() -> None:
    result = fail("metallb_check", arguments(HELD, ingress_class="ngnix"))
    assert "ingress.class_unknown" in codes(result)
    assert "IngressClasses of the cluster: nginx" in proof(result, "ingress.class_unknown")
    result = fail("metallb_check", arguments("192.168.0"))
    assert result["msg"].startswith("ip: '192.168.0' is not an IP address")


def test_the_same_in_korean() -> None:
    result = fail("metallb_check", arguments("192.168.0.10", language="ko"))
    assert "IPAddressPool에도 없습니다" in result["msg"]
