# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MetalLB and the ingress controller's Service, as the cluster shows them: reads, pure functions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from ..finding import CollectionError
from . import pods as pod_status
from . import selectors
from .client import FORBIDDEN, Cluster, KubeError

Object = dict[str, Any]
Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
DEFAULT_NAMESPACE = "metallb-system"
PREFIXES = ("metallb.io", "metallb.universe.tf")
BUGGY_ENDS = (0, 255)
# Where kubeadm keeps kube-proxy's configuration: namespace, name.
KUBE_PROXY = ("kube-system", "kube-proxy")
# k3s labels the Pods of its own load balancer with the Service that they serve.
SERVICELB_NAME = "svccontroller.k3s.cattle.io/svcname"
SERVICELB_NAMESPACE = "svccontroller.k3s.cattle.io/svcnamespace"

# Which programs serve the Ingresses of a class, by the class's spec.controller.
CONTROLLERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "k8s.io/ingress-nginx": ("ingress-nginx", "traefik"),
        "nginx.org/ingress-controller": ("nginx-ingress",),
        "traefik.io/ingress-controller": ("traefik",),
        "haproxy.org/ingress-controller": ("haproxy", "kubernetes-ingress"),
        "haproxy-ingress.github.io/controller": ("haproxy-ingress",),
        "projectcontour.io/ingress-controller": ("envoy", "contour"),
        "ingress-controllers.konghq.com/kong": ("kong",),
    }
)
NAME_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")


@dataclass(frozen=True)
class NetworkState:
    """What was read. pools, l2, bgp: None where the cluster does not know the kind.

    controllers, speakers: MetalLB's Pods. services, pods, events: of all namespaces (events
    about Services alone). slices: EndpointSlices of LoadBalancer Services' namespaces.
    kube_proxy: its configuration as kubeadm keeps it, empty where it is elsewhere.
    """

    pools: tuple[Object, ...] | None
    l2: tuple[Object, ...] | None
    bgp: tuple[Object, ...] | None
    services: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    nodes: tuple[Object, ...] = ()
    namespaces: tuple[Object, ...] = ()
    classes: tuple[Object, ...] = ()
    slices: tuple[Object, ...] = ()
    events: tuple[Object, ...] = ()
    kube_proxy: str = ""

    @property
    def controllers(self) -> list[Object]:
        """MetalLB's controller Pods."""
        return [pod for pod in self.pods if is_metallb(pod, "controller")]

    @property
    def speakers(self) -> list[Object]:
        """MetalLB's speaker Pods."""
        return [pod for pod in self.pods if is_metallb(pod, "speaker")]

    @property
    def namespace(self) -> str:
        """Where MetalLB runs, or would by its own manifests."""
        ours = [*self.controllers, *self.speakers]
        return str(ours[0]["metadata"]["namespace"]) if ours else DEFAULT_NAMESPACE


def observe(cluster: Cluster) -> NetworkState:
    """Read what decides over load balancer addresses. Raises KubeError."""
    pools = cluster.list_if_served("IPAddressPool")
    l2, bgp = cluster.list_if_served("L2Advertisement"), cluster.list_if_served("BGPAdvertisement")
    return NetworkState(
        pools=None if pools is None else tuple(pools),
        l2=None if l2 is None else tuple(l2),
        bgp=None if bgp is None else tuple(bgp),
        services=tuple(cluster.list("Service")),
        pods=tuple(cluster.list("Pod")),
        nodes=tuple(cluster.list("Node")),
        namespaces=tuple(cluster.list("Namespace")),
        classes=tuple(cluster.list("IngressClass")),
        slices=tuple(cluster.list("EndpointSlice")),
        events=tuple(cluster.list("Event", fields="involvedObject.kind=Service")),
        kube_proxy=_kube_proxy(cluster),
    )


def _kube_proxy(cluster: Cluster) -> str:
    """Return kube-proxy's configuration, empty where there is none or this user may not read it."""
    try:
        found = cluster.get("ConfigMap", KUBE_PROXY[1], KUBE_PROXY[0])
    except KubeError as error:
        if error.status != FORBIDDEN:
            raise
        return ""
    return str(((found or {}).get("data") or {}).get("config.conf") or "")


def address(text: str, option: str = "ip") -> Address:
    """Return an IP address. Raises CollectionError naming the option where it is not one."""
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError as error:
        raise CollectionError(
            f"{option}: {text!r} is not an IP address; give one such as 192.168.0.251 or fd00::251"
        ) from error


def full_name(obj: Object) -> str:
    """Return ``namespace/name``."""
    return f"{obj['metadata'].get('namespace')}/{obj['metadata']['name']}"


def name(obj: Object) -> str:
    """Return the object's name."""
    return str(obj["metadata"]["name"])


def pool_holds(pool: Object, wanted: Address) -> bool:
    """Whether one of a pool's ranges (CIDR, or ``first-last``) holds the address."""
    return any(_in_range(str(text), wanted) for text in pool["spec"].get("addresses") or [])


def pool_of(pools: Sequence[Object], wanted: Address) -> Object | None:
    """Return the pool that holds the address, None if none does."""
    return next((pool for pool in pools if pool_holds(pool, wanted)), None)


def pool_leaves_out(pool: Object, wanted: Address) -> bool:
    """Whether the pool avoids the address as one that old devices mistake (.0 and .255)."""
    avoids = bool(pool["spec"].get("avoidBuggyIPs"))
    return avoids and wanted.version == 4 and wanted.packed[-1] in BUGGY_ENDS


def pool_serves(pool: Object, service: Object, namespaces: Sequence[Object]) -> bool:
    """Whether the pool's serviceAllocation lets it serve a Service."""
    rules = pool["spec"].get("serviceAllocation")
    if not rules:
        return True
    space = service["metadata"].get("namespace")
    named, selected = rules.get("namespaces") or [], rules.get("namespaceSelectors") or []
    allowed = set(named)
    for one in namespaces:
        if selectors.matches_any(selected, selectors.labels(one)):
            allowed.add(name(one))
    if (named or selected) and space not in allowed:
        return False
    services = rules.get("serviceSelectors") or []
    return not services or selectors.matches_any(services, selectors.labels(service))


def advertises(advertisement: Object, pool: Object) -> bool:
    """Whether an advertisement covers a pool; one that names no pool covers all."""
    spec = advertisement.get("spec") or {}
    named, selected = spec.get("ipAddressPools") or [], spec.get("ipAddressPoolSelectors") or []
    if not named and not selected:
        return True
    return name(pool) in named or selectors.matches_any(selected, selectors.labels(pool))


def advertising_nodes(advertisements: Sequence[Object], nodes: Sequence[Object]) -> list[Object]:
    """Return the nodes that one of the advertisements selects; without selectors, all."""
    chosen = [(entry.get("spec") or {}).get("nodeSelectors") or [] for entry in advertisements]
    if any(not rules for rules in chosen):
        return list(nodes)
    return [
        node
        for node in nodes
        if any(selectors.matches_any(rules, selectors.labels(node)) for rules in chosen)
    ]


def is_excluded(node: Object) -> bool:
    """Whether the node is labelled to be left out of load balancing."""
    return EXCLUDED in selectors.labels(node)


def has_argument(pods: Sequence[Object], argument: str) -> bool:
    """Whether a container of one of the Pods is started with an argument."""
    return any(argument in given for pod in pods for given in _arguments(pod))


def load_balancer_class(controllers: Sequence[Object]) -> str:
    """Return the only loadBalancerClass that MetalLB serves, empty where it serves those without."""
    for pod in controllers:
        for given in _arguments(pod):
            if given.startswith(("--lb-class=", "-lb-class=")):
                return given.split("=", maxsplit=1)[1]
    return ""


def held(service: Object) -> list[Address]:
    """Return the addresses that a Service holds."""
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return [ipaddress.ip_address(entry["ip"]) for entry in entries if entry.get("ip")]


def asked(service: Object) -> dict[str, str]:
    """Return the addresses that a Service asks for, by the field or annotation that says so."""
    annotations = service["metadata"].get("annotations") or {}
    ways = {f"{prefix}/loadBalancerIPs": f"{prefix}/loadBalancerIPs" for prefix in PREFIXES}
    found = {way: str(annotations[key]) for way, key in ways.items() if annotations.get(key)}
    if service["spec"].get("loadBalancerIP"):
        found["spec.loadBalancerIP"] = str(service["spec"]["loadBalancerIP"])
    return found


def asks_for(service: Object, wanted: Address) -> bool:
    """Whether one of the addresses that a Service asks for is this one."""
    for text in asked(service).values():
        for part in text.split(","):
            try:
                if ipaddress.ip_address(part.strip()) == wanted:
                    return True
            except ValueError:
                continue
    return False


def sharing_key(service: Object) -> str:
    """Return the key under which a Service shares its address, empty if it does not."""
    annotations = service["metadata"].get("annotations") or {}
    keys = [annotations.get(f"{prefix}/allow-shared-ip") for prefix in PREFIXES]
    return str(next((key for key in keys if key), ""))


def can_share(one: Object, other: Object) -> bool:
    """Whether MetalLB would let two Services have one address: key, ports and back end."""
    if not sharing_key(one) or sharing_key(one) != sharing_key(other):
        return False
    if _ports(one) & _ports(other):
        return False
    local = "Local" in (_policy(one), _policy(other))
    same = _policy(one) == _policy(other) and one["spec"].get("selector") == other["spec"].get(
        "selector"
    )
    return same or not local


def holders(state: NetworkState, wanted: Address) -> list[Object]:
    """Return the Services that hold an address."""
    return [service for service in state.services if wanted in held(service)]


def controller_pods(state: NetworkState, ingress_class: Object) -> list[Object] | None:
    """Return the live Pods that serve a class, None where its controller is not a known one."""
    programs = CONTROLLERS.get(str((ingress_class.get("spec") or {}).get("controller")))
    if programs is None:
        return None
    return [pod for pod in state.pods if pod_status.is_live(pod) and runs(pod, programs)]


def ingress_service(state: NetworkState, pods: Sequence[Object], wanted: Address) -> Object | None:
    """Return the Service that leads to the ingress controller: that which holds or asks for the
    address, else one of type LoadBalancer, else any that is not for its own use."""
    leading = [
        service
        for service in state.services
        if any(selectors.selects(service, pod) for pod in pods)
    ]
    return min(leading, key=lambda service: _rank(service, wanted), default=None)


def ready_endpoints(state: NetworkState, service: Object) -> list[Object]:
    """Return a Service's ready endpoints, as its EndpointSlices give them."""
    meta = service["metadata"]
    found = []
    for entry in state.slices:
        mine = entry["metadata"].get("namespace") == meta.get("namespace")
        if not mine or selectors.labels(entry).get("kubernetes.io/service-name") != meta["name"]:
            continue
        for endpoint in entry.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready", True):
                found.append(endpoint)
    return found


def announcing_nodes(state: NetworkState, pool: Object) -> list[str]:
    """Return the nodes from which a pool's addresses can be announced now, sorted."""
    every = [*(state.l2 or ()), *(state.bgp or ())]
    chosen = advertising_nodes([one for one in every if advertises(one, pool)], state.nodes)
    if not has_argument(state.speakers, "--ignore-exclude-lb=true"):
        chosen = [node for node in chosen if not is_excluded(node)]
    able = {str(pod["spec"].get("nodeName")) for pod in state.speakers if pod_status.is_ready(pod)}
    return sorted({name(node) for node in chosen} & able)


def servicelb_pods(state: NetworkState, service: Object) -> list[Object]:
    """Return the live Pods by which k3s's own load balancer serves a Service."""
    meta = service["metadata"]
    return [
        pod
        for pod in state.pods
        if pod_status.is_live(pod)
        and selectors.labels(pod).get(SERVICELB_NAME) == meta["name"]
        and selectors.labels(pod).get(SERVICELB_NAMESPACE, meta.get("namespace"))
        == meta.get("namespace")
    ]


def lacks_strict_arp(kube_proxy: str) -> bool:
    """Whether kube-proxy's configuration says ipvs without strictARP."""
    ipvs = re.search(r"^mode:\s*[\"']?ipvs\b", kube_proxy, re.MULTILINE)
    strict = re.search(r"^\s*strictARP:\s*true\b", kube_proxy, re.MULTILINE)
    return bool(ipvs) and not strict


def why_not_shared(one: Object, other: Object) -> str:
    """Return in words why two Services cannot have one address, empty where they can."""
    mine, theirs = sharing_key(one), sharing_key(other)
    if not mine or mine != theirs:
        return f"allow-shared-ip is {mine or 'none'} here and {theirs or 'none'} there"
    twice = sorted(_ports(one) & _ports(other))
    if twice:
        return "both have the port " + ", ".join(f"{port}/{protocol}" for protocol, port in twice)
    if not can_share(one, other):
        return (
            f"externalTrafficPolicy is {_policy(one)} here and {_policy(other)} there; Local is"
            " shared by Services of one selector alone"
        )
    return ""


def _in_range(text: str, wanted: Address) -> bool:
    try:
        if "-" in text:
            first, last = (ipaddress.ip_address(part.strip()) for part in text.split("-", 1))
            same = first.version == last.version == wanted.version
            return same and int(first) <= int(wanted) <= int(last)
        return wanted in ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        # MetalLB's webhook refuses such a range; a pool that slipped past it holds nothing.
        return False


def is_metallb(pod: Object, component: str) -> bool:
    """Whether a Pod, or a workload's template, is MetalLB's controller or speaker."""
    given = selectors.labels(pod)
    plain = given.get("app") == "metallb" and given.get("component") == component
    chart = (
        given.get("app.kubernetes.io/name") == "metallb"
        and given.get("app.kubernetes.io/component") == component
    )
    return plain or chart


def _arguments(pod: Object) -> list[str]:
    found: list[str] = []
    for container in (pod.get("spec") or {}).get("containers") or []:
        found.extend(str(part) for part in container.get("command") or [])
        found.extend(str(part) for part in container.get("args") or [])
    return found


def runs(pod: Object, programs: Sequence[str]) -> bool:
    """Whether a Pod, or a workload's template, runs one of these ingress controllers."""
    given = selectors.labels(pod)
    named = {given.get(label, "") for label in NAME_LABELS}
    images = [
        str(container.get("image", ""))
        .split("@", maxsplit=1)[0]
        .rsplit("/", maxsplit=1)[-1]
        .split(":")[0]
        for container in (pod.get("spec") or {}).get("containers") or []
    ]
    # Traefik serves ingress-nginx's class only when told to.
    if programs == CONTROLLERS["k8s.io/ingress-nginx"] and "traefik" in {*named, *images}:
        return any("kubernetesingressnginx" in part.lower() for part in _arguments(pod))
    return bool(named & set(programs)) or any(image in programs for image in images)


def _rank(service: Object, wanted: Address) -> tuple[bool, bool, bool, bool, str]:
    label = selectors.labels(service).get("app.kubernetes.io/component", "")
    return (
        wanted not in held(service),
        not asks_for(service, wanted),
        service["spec"].get("type") != "LoadBalancer",
        "admission" in name(service) or "metrics" in name(service) or label == "metrics",
        full_name(service),
    )


def _ports(service: Object) -> set[tuple[str, int]]:
    ports = service["spec"].get("ports") or []
    return {(str(port.get("protocol", "TCP")), int(port["port"])) for port in ports}


def _policy(service: Object) -> str:
    return str(service["spec"].get("externalTrafficPolicy", "Cluster"))
