"""Each way in which an address cannot be had, is not held or not announced: one cause, its proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import lan, metallb
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.metallb import (
    Require,
    Verdict,
    Wanted,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import (
    CollectionError,
    errors,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import metallb as kube
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.metallb import NetworkState

from tests.unit.kube import objects

Object = dict[str, Any]
Change = Callable[[NetworkState], NetworkState]

IP = "192.168.0.251"
INGRESS = {"app.kubernetes.io/name": "ingress-nginx"}


def custom(kind: str, name: str, **spec: Any) -> Object:
    return {"kind": kind, "metadata": objects.meta(name, "metallb-system"), "spec": spec}


def pool(name: str = "lab", *addresses: str, **spec: Any) -> Object:
    given = list(addresses or ("192.168.0.240-192.168.0.251",))
    return custom("IPAddressPool", name, addresses=given, **spec)


def node(name: str, **labels: str) -> Object:
    return {"kind": "Node", "metadata": objects.meta(name, None, labels=labels)}


def part(component: str, name: str, node_name: str, **more: Any) -> Object:
    labels = {"app": "metallb", "component": component}
    spec = {"nodeName": node_name, "containers": more.pop("specs", [])}
    return objects.pod(name, "metallb-system", labels=labels, spec=spec, **more)


def ingress_class(name: str = "nginx", controller: str = "k8s.io/ingress-nginx") -> Object:
    return {
        "kind": "IngressClass",
        "metadata": objects.meta(name, None),
        "spec": {"controller": controller},
    }


def endpoints(service: Object, ready: bool = True) -> Object:
    of = service["metadata"]
    labels = {"kubernetes.io/service-name": of["name"]}
    return {
        "kind": "EndpointSlice",
        "metadata": objects.meta(f"{of['name']}-1", of["namespace"], labels=labels),
        "endpoints": [{"addresses": ["10.1.0.9"], "conditions": {"ready": ready}}],
    }


ASKS = {"metallb.io/loadBalancerIPs": IP}
SERVICE = objects.service(holds=IP, annotations=ASKS)
CONTROLLER = part("controller", "controller-1", "worker1")
SPEAKERS = [part("speaker", f"speaker-{n}", n) for n in ("worker1", "worker2")]
INGRESS_POD = objects.pod("ingress-1", "ingress", labels=INGRESS)
HEALTHY = NetworkState(
    pools=(pool(),),
    l2=(custom("L2Advertisement", "lab", ipAddressPools=["lab"]),),
    bgp=(),
    services=(SERVICE,),
    pods=(CONTROLLER, *SPEAKERS, INGRESS_POD),
    nodes=(node("worker1"), node("worker2")),
    classes=(ingress_class(),),
    slices=(endpoints(SERVICE),),
)


def explain(state: NetworkState, require: Require = "held", ip: str = IP, **more: Any) -> Verdict:
    return metallb.explain(state, Wanted(kube.address(ip), require=require, **more))


def codes(verdict: Verdict) -> list[str]:
    return [found.code for found in errors(verdict.findings)]


def with_service(**more: Any) -> NetworkState:
    service = objects.service(**{"annotations": ASKS, **more})
    return replace(HEALTHY, services=(service,), slices=(endpoints(service),))


def without_pods(*names: str) -> NetworkState:
    kept = tuple(pod for pod in HEALTHY.pods if pod["metadata"]["name"] not in names)
    return replace(HEALTHY, pods=kept)


def test_a_healthy_cluster_has_nothing_to_say_and_tells_what_was_proved() -> None:
    verdict = explain(HEALTHY)
    assert verdict.findings == ()
    assert (verdict.pool, verdict.holder, verdict.ingress_service) == (
        "lab",
        "ingress/ingress",
        "ingress/ingress",
    )
    assert f"{IP} is held by the Service ingress/ingress" in verdict.checked
    assert "a ready speaker may announce it on: worker1, worker2" in verdict.checked
    assert explain(HEALTHY, "allocatable").findings == ()


OTHER = objects.service("shop", "other", holds=IP)
STARTING = [objects.container(ready=False)]
NOT_READY = tuple(
    part("speaker", f"speaker-{n}", n, containers=STARTING) for n in ("worker1", "worker2")
)
EXCLUDED = {kube.EXCLUDED: ""}
SHARED = {"metallb.io/allow-shared-ip": "web"}
OLD_SHARED = {"metallb.universe.tf/allow-shared-ip": "web"}

BROKEN: dict[str, tuple[NetworkState, str]] = {
    "metallb.not_installed": (
        replace(HEALTHY, pools=None, l2=None, bgp=None, pods=(INGRESS_POD,)),
        "API metallb.io/v1beta1 IPAddressPool: not served",
    ),
    "metallb.no_pool": (replace(HEALTHY, pools=()), "IPAddressPools of the cluster: none"),
    "metallb.ip_in_no_pool": (
        replace(HEALTHY, pools=(pool("far", "10.0.0.0/24"), pool("near", "192.168.0.0/25"))),
        "IPAddressPool near: 192.168.0.0/25",
    ),
    "metallb.controller_not_ready": (
        without_pods("controller-1"),
        "Pods of component controller in metallb-system: it has no Pod",
    ),
    "metallb.ip_taken": (
        replace(with_service(), services=(objects.service(annotations=ASKS), OTHER)),
        f"Service other/shop: status.loadBalancer.ingress {IP}",
    ),
    "metallb.no_l2advertisement": (
        replace(HEALTHY, l2=()),
        "L2Advertisements of the cluster: none",
    ),
    "metallb.pool_not_advertised": (
        replace(HEALTHY, l2=(custom("L2Advertisement", "lab", ipAddressPools=["other"]),)),
        "L2Advertisement lab: ipAddressPools ['other']",
    ),
    "metallb.advertisement_selects_no_node": (
        replace(
            HEALTHY,
            l2=(custom("L2Advertisement", "lab", nodeSelectors=[{"matchLabels": {"lan": "yes"}}]),),
        ),
        "L2Advertisement lab: nodeSelectors [{'matchLabels': {'lan': 'yes'}}]",
    ),
    "metallb.node_excluded": (
        replace(HEALTHY, nodes=(node("worker1", **EXCLUDED), node("worker2", **EXCLUDED))),
        f"Node worker1: label {kube.EXCLUDED}",
    ),
    "metallb.speaker_not_ready": (
        replace(HEALTHY, pods=(CONTROLLER, *NOT_READY, INGRESS_POD)),
        "speaker speaker-worker1 on worker1: Running, not Ready",
    ),
    "metallb.not_load_balancer": (
        with_service(type="ClusterIP"),
        "Service ingress/ingress: spec.type ClusterIP",
    ),
    "metallb.other_class": (
        with_service(loadBalancerClass="example.com/other"),
        "Service ingress/ingress: spec.loadBalancerClass example.com/other",
    ),
    "metallb.both_ways": (
        with_service(loadBalancerIP=IP),
        f"Service ingress/ingress: spec.loadBalancerIP {IP}",
    ),
    "metallb.asks_other_ip": (
        with_service(annotations={"metallb.io/loadBalancerIPs": "192.168.0.250"}),
        "Service ingress/ingress: metallb.io/loadBalancerIPs 192.168.0.250",
    ),
    "metallb.holds_other_ip": (
        with_service(annotations={}, holds="192.168.0.240"),
        "Service ingress/ingress: status.loadBalancer.ingress 192.168.0.240",
    ),
    "metallb.pool_excludes_service": (
        replace(
            with_service(), pools=(pool(serviceAllocation={"namespaces": ["shop"], "priority": 1}),)
        ),
        "IPAddressPool lab: serviceAllocation {'namespaces': ['shop'], 'priority': 1}",
    ),
    "metallb.service_pending": (
        replace(
            with_service(),
            events=(
                objects.event(
                    objects.service(),
                    "AllocationFailed",
                    'Failed to allocate IP: "no available IPs"',
                ),
            ),
        ),
        'event AllocationFailed: Failed to allocate IP: "no available IPs"',
    ),
    "metallb.service_pending_silently": (
        with_service(),
        "Service ingress/ingress: status.loadBalancer is empty",
    ),
    "ingress.class_unknown": (
        replace(HEALTHY, classes=(ingress_class("traefik", "traefik.io/ingress-controller"),)),
        "IngressClasses of the cluster: traefik",
    ),
    "ingress.controller_missing": (
        without_pods("ingress-1"),
        "IngressClass nginx: controller k8s.io/ingress-nginx",
    ),
    "ingress.controller_no_endpoints": (
        replace(HEALTHY, slices=(endpoints(SERVICE, ready=False),)),
        "EndpointSlices of ingress/ingress: no ready endpoint",
    ),
}


@pytest.mark.parametrize("code", BROKEN)
def test_each_way_to_break_has_one_cause_and_its_proof(code: str) -> None:
    state, proof = BROKEN[code]
    verdict = explain(state)
    assert codes(verdict) == [code]
    (found,) = [one for one in verdict.findings if one.code == code]
    assert proof in found.proof
    assert found.fix


@pytest.mark.parametrize(
    ("allocated", "code"),
    [("00", "metallb.service_pending"), ("02", "metallb.service_pending_silently")],
)
def test_what_was_complained_of_before_an_address_was_given_is_over(
    allocated: str, code: str
) -> None:
    service = objects.service()
    said = [("AllocationFailed", "Warning", "01"), ("IPAllocated", "Normal", allocated)]
    events = tuple(
        objects.event(service, reason, "said", kind) | {"lastTimestamp": f"2026-01-01T00:{at}:00Z"}
        for reason, kind, at in said
    )
    assert codes(explain(replace(with_service(), events=events))) == [code]


def test_the_cause_is_told_in_korean_with_the_same_proof() -> None:
    english = explain(replace(HEALTHY, pools=()))
    korean = explain(replace(HEALTHY, pools=()), language="ko")
    assert korean.findings[0].proof == english.findings[0].proof
    assert "IPAddressPool이 없어" in korean.findings[0].summary


def test_an_address_that_another_service_holds_can_be_shared_by_key_and_port() -> None:
    other = objects.service("mail", "other", holds=IP, annotations=OLD_SHARED, ports=[{"port": 25}])
    mine = objects.service(annotations=SHARED)
    state = replace(HEALTHY, services=(mine, other))
    assert codes(explain(state, "allocatable")) == []
    same_port = objects.service("shop", "other", holds=IP, annotations=OLD_SHARED)
    taken = explain(replace(HEALTHY, services=(mine, same_port)), "allocatable")
    assert codes(taken) == ["metallb.ip_taken"]


@pytest.mark.parametrize(
    ("addresses", "ip", "inside"),
    [
        ("192.168.0.240-192.168.0.251", "192.168.0.251", True),
        ("192.168.0.240-192.168.0.250", "192.168.0.251", False),
        ("192.168.0.248/29", "192.168.0.251", True),
        ("192.168.0.251/32", "192.168.0.251", True),
        ("fd00::/120", "fd00::251", False),
        ("fd00::200-fd00::2ff", "fd00::251", True),
        ("fd00::/64", "192.168.0.251", False),
        ("rubbish", "192.168.0.251", False),
    ],
)
def test_ranges_are_read_as_metallb_reads_them(addresses: str, ip: str, inside: bool) -> None:
    assert kube.pool_holds(pool("p", addresses), kube.address(ip)) is inside


def test_buggy_ends_are_left_out_only_where_the_pool_says_so() -> None:
    ends = pool("lab", "192.168.0.0/24", avoidBuggyIPs=True)
    assert codes(explain(replace(HEALTHY, pools=(ends,)), "allocatable", "192.168.0.255")) == [
        "metallb.ip_reserved"
    ]
    assert not kube.pool_leaves_out(pool("lab", "192.168.0.0/24"), kube.address("192.168.0.255"))


def test_a_pool_that_gives_only_on_request_is_a_note_not_an_error() -> None:
    verdict = explain(replace(HEALTHY, pools=(pool(autoAssign=False),)))
    assert [(found.code, found.severity) for found in verdict.findings] == [
        ("metallb.pool_not_automatic", "info")
    ]


def test_the_deprecated_spelling_is_a_note() -> None:
    old = with_service(annotations={"metallb.universe.tf/loadBalancerIPs": IP}, holds=IP)
    verdict = explain(old)
    assert codes(verdict) == []
    assert [found.code for found in verdict.findings] == ["metallb.deprecated_way"]


def test_before_a_controller_is_there_the_address_alone_is_judged() -> None:
    state = replace(without_pods("ingress-1"), services=())
    verdict = explain(state, "allocatable")
    assert codes(verdict) == ["ingress.controller_missing"]
    assert f"{IP} is held by nobody" in verdict.checked


def test_traefik_serves_the_class_of_ingress_nginx_only_when_told_to() -> None:
    labels = {"app.kubernetes.io/name": "traefik"}
    service = objects.service(holds=IP, selector=labels, annotations=ASKS)
    for arguments, wanted in (
        (["--providers.kubernetesIngressNGINX=true"], []),
        (["--providers.kubernetesIngress"], ["ingress.controller_missing"]),
    ):
        spec = {"containers": [{"name": "t", "image": "traefik:v3", "args": arguments}]}
        traefik = objects.pod("traefik-1", "ingress", labels=labels, spec=spec)
        state = replace(
            HEALTHY,
            pods=(CONTROLLER, *SPEAKERS, traefik),
            services=(service,),
            slices=(endpoints(service),),
        )
        found = [code for code in codes(explain(state)) if code.startswith("ingress.")]
        assert found == wanted


def test_a_named_service_is_taken_as_it_is_named() -> None:
    assert codes(explain(HEALTHY, service="ingress/ingress")) == []
    missing = explain(HEALTHY, service="ingress/nope")
    assert "ingress.service_missing" in codes(missing)


def test_a_class_that_the_installation_serves_only_is_respected() -> None:
    specs = [{"name": "controller", "args": ["--lb-class=metallb"]}]
    controller = part("controller", "controller-1", "worker1", specs=specs)
    state = replace(with_service(), pods=(controller, *SPEAKERS, INGRESS_POD))
    assert codes(explain(state)) == ["metallb.other_class"]
    fits = with_service(loadBalancerClass="metallb", holds=IP)
    assert codes(explain(replace(fits, pods=(controller, *SPEAKERS, INGRESS_POD)))) == []


@pytest.mark.parametrize("text", ["192.168.0", "192.168.0.300", "", "ingress", "192.168.0.0/24"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CollectionError, match=r"ip: '.*' is not an IP address; give one such as"):
        kube.address(text)


class Lan:
    """A host on the LAN: what curl and ip say there, and what was run."""

    def __init__(self, curl: tuple[int, str, str], neighbour: str) -> None:
        self.curl = curl
        self.neighbour = neighbour
        self.ran: list[list[str]] = []

    def __call__(self, command: list[str]) -> tuple[int, str, str]:
        self.ran.append(command)
        return self.curl if "curl" in command else (0, self.neighbour, "")


MAC = "192.168.0.251 dev eth0 lladdr 02:00:c0:a8:00:0b REACHABLE"
SILENT = (28, "000", "curl: (28) Connection timed out")


def check(state: NetworkState, host: Lan, require: Require = "held") -> dict[str, Any]:
    wanted = Wanted(kube.address(IP), require=require)
    return lan.check(lambda: state, wanted, host, ["ssh", "client"], 0)


def test_any_http_status_is_an_answer() -> None:
    host = Lan((0, "404", ""), MAC)
    result = check(HEALTHY, host)
    assert (result["verdict"], result["answers"]) == ("ok", 404)
    assert host.ran[0][:3] == ["ssh", "client", "curl"]


def test_an_address_that_is_held_and_silent_is_named_with_what_the_lan_saw() -> None:
    with pytest.raises(CollectionError) as caught:
        check(HEALTHY, Lan(SILENT, "192.168.0.251 dev eth0 FAILED"))
    (found,) = caught.value.findings
    assert found.code == "metallb.no_answer"
    assert "ip neigh on the LAN: 192.168.0.251 dev eth0 FAILED" in found.proof


def test_a_free_address_that_answers_belongs_to_another_machine() -> None:
    free = with_service()
    with pytest.raises(CollectionError) as caught:
        check(free, Lan(SILENT, MAC), "allocatable")
    assert [found.code for found in caught.value.findings] == ["metallb.arp_foreign"]
    assert (
        check(free, Lan(SILENT, "192.168.0.251 dev eth0 FAILED"), "allocatable")["verdict"] == "ok"
    )


def test_nothing_is_sent_to_an_address_that_the_cluster_already_refuses() -> None:
    host = Lan((0, "200", ""), MAC)
    with pytest.raises(CollectionError, match=f"{IP} is not held and answering"):
        check(replace(HEALTHY, pools=()), host)
    assert host.ran == []


def test_a_command_that_cannot_run_is_named_as_the_option() -> None:
    with pytest.raises(CollectionError, match="lan_client_command: ssh client cannot run curl"):
        check(HEALTHY, Lan((127, "", "sh: not found"), MAC))


def local(service: Object) -> Object:
    return {**service, "spec": {**service["spec"], "externalTrafficPolicy": "Local"}}


def there(service: Object, node_name: str) -> Object:
    found = endpoints(service)
    found["endpoints"][0]["nodeName"] = node_name
    return found


@pytest.mark.parametrize(
    ("node_name", "expected"), [("worker1", []), ("cp1", ["metallb.local_without_endpoint"])]
)
def test_a_local_service_needs_a_pod_where_it_is_announced(
    node_name: str, expected: list[str]
) -> None:
    state = replace(HEALTHY, services=(local(SERVICE),), slices=(there(SERVICE, node_name),))
    verdict = metallb.explain(state, Wanted(kube.address(IP), require="held"))
    assert [one.code for one in errors(verdict.findings)] == expected


def test_another_load_balancer_is_named_with_the_command_that_removes_it() -> None:
    labels = {kube.SERVICELB_NAME: "ingress", kube.SERVICELB_NAMESPACE: "ingress"}
    owner = [{"kind": "DaemonSet", "name": "svclb-ingress"}]
    pod = objects.pod("svclb-1", "kube-system", labels=labels, ownerReferences=owner)
    verdict = metallb.explain(
        replace(HEALTHY, pods=(*HEALTHY.pods, pod)), Wanted(kube.address(IP), require="held")
    )
    (found,) = errors(verdict.findings)
    assert found.code == "metallb.other_load_balancer"
    assert found.fix.endswith("kubectl -n kube-system delete daemonset svclb-ingress")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("mode: ipvs\nipvs:\n  strictARP: false\n", ["metallb.strict_arp"]),
        ('mode: "ipvs"\nipvs:\n  strictARP: true\n', []),
        ("mode: nftables\nipvs:\n  strictARP: false\n", []),
        ("", []),
    ],
)
def test_ipvs_answers_arp_by_itself_unless_told(config: str, expected: list[str]) -> None:
    state = replace(HEALTHY, kube_proxy=config)
    verdict = metallb.explain(state, Wanted(kube.address(IP), require="held"))
    assert [one.code for one in verdict.findings if one.severity != "info"] == expected


def test_an_address_named_twice_is_told_even_while_it_is_held() -> None:
    twice = {**SERVICE, "spec": {**SERVICE["spec"], "loadBalancerIP": IP}}
    state = replace(HEALTHY, services=(twice,))
    verdict = metallb.explain(state, Wanted(kube.address(IP), require="held"))
    (found,) = errors(verdict.findings)
    assert found.code == "metallb.both_ways"
    assert "/spec/loadBalancerIP" in found.fix


def test_why_two_services_cannot_share() -> None:
    keyed = {"metallb.io/allow-shared-ip": "web"}
    one = objects.service("one", annotations=keyed)
    assert kube.why_not_shared(one, objects.service("two")) == (
        "allow-shared-ip is web here and none there"
    )
    assert "both have the port 80/TCP" in kube.why_not_shared(
        one, objects.service("two", annotations=keyed)
    )
    other = objects.service("two", annotations=keyed, ports=[{"port": 443}], selector={"a": "b"})
    assert kube.why_not_shared(one, other) == ""
    assert "externalTrafficPolicy is Cluster here and Local there" in kube.why_not_shared(
        one, local(other)
    )
