# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether an address can be had, or is held and announced, and why not. Pure, over what was read.

The checks go from the ground up and end at the first error: what stands on it would only repeat it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..finding import Finding, errors
from ..kube import metallb, selectors
from ..kube import pods as pod_status
from ..kube.metallb import Address, NetworkState, full_name, name
from .catalogue import finding
from .ingress import controller_of

Object = dict[str, Any]
Require = Literal["allocatable", "held"]

# The reason of the event with which MetalLB's controller gives an address out.
ALLOCATED = "IPAllocated"

# Causes that MetalLB, a starting Pod or the LAN may still heal by themselves.
TRANSIENT = frozenset(
    {
        "ingress.controller_no_endpoints",
        "metallb.controller_not_ready",
        "metallb.ip_not_held",
        "metallb.no_answer",
        "metallb.service_pending_silently",
        "metallb.speaker_not_ready",
    }
)


@dataclass(frozen=True)
class Wanted:
    """What metallb_check is asked. service: namespace/name of the ingress controller's, or empty."""

    ip: Address
    ingress_class: str = "nginx"
    service: str = ""
    require: Require = "allocatable"
    language: str = "en"


@dataclass(frozen=True)
class Verdict:
    """What was found out. pool, holder, ingress_service: names, empty where there is none.

    checked: what was proved, one line each, in order.
    """

    findings: tuple[Finding, ...]
    pool: str = ""
    holder: str = ""
    ingress_service: str = ""
    checked: tuple[str, ...] = ()


@dataclass
class _Inquiry:
    """The state of one explain(): what is known so far."""

    state: NetworkState
    wanted: Wanted
    pool: Object | None = None
    service: Object | None = None
    holders: list[Object] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    @property
    def ip(self) -> str:
        """The address, as text."""
        return str(self.wanted.ip)

    def report(self, code: str, subject: str, proof: Sequence[str], **facts: Any) -> None:
        """Add a finding."""
        language = self.wanted.language
        self.findings.append(
            finding(code, subject=subject, proof=proof, language=language, **facts)
        )

    @property
    def failed(self) -> bool:
        """Whether an error is among the findings."""
        return bool(errors(self.findings))


def explain(state: NetworkState, wanted: Wanted) -> Verdict:
    """Return whether the address is as required, with one cause where it is not. Pure."""
    inquiry = _Inquiry(state, wanted)
    inquiry.holders = metallb.holders(state, wanted.ip)
    ingress_service, found, checked = controller_of(
        state, wanted.ip, wanted.ingress_class, wanted.service, wanted.language
    )
    inquiry.service = ingress_service
    if not found:
        inquiry.checked.extend(checked)
    steps: tuple[Callable[[_Inquiry], None], ...] = (
        _installed,
        _alone,
        _pool,
        _controller,
        _allocated,
        _held if wanted.require == "held" else _notes,
        _advertised,
        _announced,
        _proxy,
    )
    if found and wanted.require == "held":
        # Without a controller nobody can hold the address rightly: that is the cause to tell.
        steps = tuple(step for step in steps if step not in (_allocated, _held))
    for step in steps:
        if not inquiry.failed:
            step(inquiry)
    inquiry.findings.extend(found)
    if wanted.require == "held" and not inquiry.failed:
        _reached(inquiry)
    return Verdict(
        findings=tuple(inquiry.findings),
        pool=name(inquiry.pool) if inquiry.pool else "",
        holder=", ".join(full_name(one) for one in inquiry.holders),
        ingress_service=full_name(ingress_service) if ingress_service else "",
        checked=tuple(inquiry.checked),
    )


def _installed(inquiry: _Inquiry) -> None:
    state = inquiry.state
    if state.pools is not None and (state.controllers or state.speakers):
        inquiry.checked.append(f"MetalLB is installed in the namespace {state.namespace}")
        return
    crd = "not served" if state.pools is None else "served"
    proof = [
        f"API metallb.io/v1beta1 IPAddressPool: {crd}",
        f"Pods labelled app=metallb: {len(state.controllers) + len(state.speakers)}",
    ]
    inquiry.report("metallb.not_installed", "this cluster", proof)


def _pool(inquiry: _Inquiry) -> None:
    pools = inquiry.state.pools or ()
    if not pools:
        proof = ["IPAddressPools of the cluster: none"]
        inquiry.report("metallb.no_pool", inquiry.ip, proof, namespace=inquiry.state.namespace)
        return
    read = [f"IPAddressPool {name(one)}: {_ranges(one)}" for one in pools]
    inquiry.pool = metallb.pool_of(pools, inquiry.wanted.ip)
    if inquiry.pool is None:
        ranges = "; ".join(f"{name(one)} ({_ranges(one)})" for one in pools)
        facts = {"pools": ranges, "pool": name(pools[0]), "namespace": inquiry.state.namespace}
        inquiry.report("metallb.ip_in_no_pool", inquiry.ip, read, **facts)
        return
    pool = name(inquiry.pool)
    if metallb.pool_leaves_out(inquiry.pool, inquiry.wanted.ip):
        proof = [f"IPAddressPool {pool}: avoidBuggyIPs true"]
        inquiry.report("metallb.ip_reserved", inquiry.ip, proof, pool=pool)
        return
    inquiry.checked.append(f"{inquiry.ip} is in the pool {pool} ({_ranges(inquiry.pool)})")
    if inquiry.pool["spec"].get("autoAssign") is False:
        proof = [f"IPAddressPool {pool}: autoAssign false"]
        inquiry.report("metallb.pool_not_automatic", pool, proof, ip=inquiry.ip)


def _controller(inquiry: _Inquiry) -> None:
    pods = inquiry.state.controllers
    ready = [pod for pod in pods if pod_status.is_ready(pod)]
    if ready:
        inquiry.checked.append(f"MetalLB's controller {full_name(ready[0])} is ready")
        return
    states = "; ".join(f"{name(pod)} {pod_status.state(pod)}" for pod in pods) or "it has no Pod"
    space = inquiry.state.namespace
    inquiry.report(
        "metallb.controller_not_ready",
        "MetalLB's controller",
        [f"Pods of component controller in {space}: {states}"],
        state=states,
        namespace=space,
        pod=name(pods[0]) if pods else "-l component=controller",
    )


def _allocated(inquiry: _Inquiry) -> None:
    """Look whether somebody else has the address."""
    mine = inquiry.service
    others = [one for one in inquiry.holders if mine is None or full_name(one) != full_name(mine)]
    if any(mine is not None and full_name(one) == full_name(mine) for one in inquiry.holders):
        return
    blocking = [one for one in others if mine is None or not metallb.can_share(mine, one)]
    if not blocking:
        state = "held by nobody" if not inquiry.holders else "shared by its holders"
        inquiry.checked.append(f"{inquiry.ip} is {state}")
        return
    holder = blocking[0]
    proof = [f"Service {full_name(holder)}: status.loadBalancer.ingress {inquiry.ip}"]
    if mine is not None:
        proof.append(f"not shared with {full_name(mine)}: {metallb.why_not_shared(mine, holder)}")
        proof += complaints(inquiry.state, mine)
    inquiry.report(
        "metallb.ip_taken",
        inquiry.ip,
        proof,
        holder=full_name(holder),
        namespace=holder["metadata"]["namespace"],
        name=name(holder),
    )


def _notes(inquiry: _Inquiry) -> None:
    """Say what would keep the ingress controller's Service from getting the address."""
    service = inquiry.service
    if service is None or inquiry.wanted.ip in metallb.held(service):
        return
    _request(inquiry, service, asks=bool(metallb.asked(service)))


def _held(inquiry: _Inquiry) -> None:
    """Look whether the ingress controller's Service holds the address, else why not."""
    service = inquiry.service
    if service is None:
        if not inquiry.holders:
            proof = [f"Services whose status holds {inquiry.ip}: none"]
            inquiry.report("metallb.ip_not_held", inquiry.ip, proof)
        return
    subject = full_name(service)
    if inquiry.wanted.ip in metallb.held(service):
        inquiry.checked.append(f"{inquiry.ip} is held by the Service {subject}")
        if not _both_ways(inquiry, service):
            _deprecated(inquiry, service)
        return
    _request(inquiry, service, asks=True)
    if inquiry.failed:
        return
    _pending(inquiry, service)


def _request(inquiry: _Inquiry, service: Object, *, asks: bool) -> None:
    """Look at how the Service asks for its address."""
    subject, spec, asked = full_name(service), service["spec"], metallb.asked(service)
    meta = service["metadata"]
    if spec.get("type") != "LoadBalancer":
        proof = [f"Service {subject}: spec.type {spec.get('type')}"]
        facts = {"type": spec.get("type"), "namespace": meta["namespace"], "name": meta["name"]}
        inquiry.report("metallb.not_load_balancer", subject, proof, **facts)
        return
    served = metallb.load_balancer_class(inquiry.state.controllers)
    given = str(spec.get("loadBalancerClass") or "")
    if given != served:
        proof = [
            f"Service {subject}: spec.loadBalancerClass {given or 'none'}",
            f"MetalLB's controller: --lb-class {served or 'none'}",
        ]
        inquiry.report("metallb.other_class", subject, proof, load_balancer_class=given or "none")
        return
    proof = [f"Service {subject}: {way} {value}" for way, value in asked.items()]
    if _both_ways(inquiry, service):
        return
    if inquiry.pool and not metallb.pool_serves(inquiry.pool, service, inquiry.state.namespaces):
        rules = inquiry.pool["spec"].get("serviceAllocation")
        proof = [f"IPAddressPool {name(inquiry.pool)}: serviceAllocation {rules}"]
        facts = {"pool": name(inquiry.pool)}
        inquiry.report("metallb.pool_excludes_service", subject, proof, **facts)
        return
    if asks and asked and not metallb.asks_for(service, inquiry.wanted.ip):
        facts = {
            "asked": ", ".join(asked.values()),
            "ip": inquiry.ip,
            "namespace": meta["namespace"],
            "name": meta["name"],
        }
        inquiry.report("metallb.asks_other_ip", subject, proof, **facts)
        return
    _deprecated(inquiry, service)


def _both_ways(inquiry: _Inquiry, service: Object) -> bool:
    """Report a Service that names its address twice: held or not, MetalLB's next start refuses it."""
    asked, meta = metallb.asked(service), service["metadata"]
    if "spec.loadBalancerIP" not in asked or len(asked) < 2:
        return False
    subject = full_name(service)
    proof = [f"Service {subject}: {way} {value}" for way, value in asked.items()]
    facts = {"namespace": meta["namespace"], "name": meta["name"]}
    inquiry.report("metallb.both_ways", subject, proof, **facts)
    return True


def _deprecated(inquiry: _Inquiry, service: Object) -> None:
    for way, value in metallb.asked(service).items():
        if way != "metallb.io/loadBalancerIPs":
            proof = [f"Service {full_name(service)}: {way} {value}"]
            inquiry.report("metallb.deprecated_way", full_name(service), proof, way=way)


def _pending(inquiry: _Inquiry, service: Object) -> None:
    """Say why the Service, which asks rightly, does not hold the address."""
    subject, held = full_name(service), metallb.held(service)
    events = complaints(inquiry.state, service)
    if held:
        proof = [f"Service {subject}: status.loadBalancer.ingress {', '.join(map(str, held))}"]
        meta = service["metadata"]
        facts = {
            "held": ", ".join(map(str, held)),
            "ip": inquiry.ip,
            "namespace": meta["namespace"],
            "name": meta["name"],
        }
        inquiry.report("metallb.holds_other_ip", subject, [*proof, *events], **facts)
        return
    proof = [f"Service {subject}: status.loadBalancer is empty", *events]
    if events:
        message = events[0].split(": ", maxsplit=1)[-1]
        inquiry.report("metallb.service_pending", subject, proof, message=message)
        return
    space = inquiry.state.namespace
    inquiry.report("metallb.service_pending_silently", subject, proof, namespace=space)


def _advertised(inquiry: _Inquiry) -> None:
    """Look whether the LAN is told of the pool, and by which nodes."""
    state, pool = inquiry.state, inquiry.pool
    every = [*(state.l2 or ()), *(state.bgp or ())]
    if pool is None:
        return
    if not every:
        proof = ["L2Advertisements of the cluster: none", "BGPAdvertisements of the cluster: none"]
        facts = {"namespace": state.namespace}
        inquiry.report("metallb.no_l2advertisement", inquiry.ip, proof, **facts)
        return
    names = ", ".join(f"{one['kind']} {name(one)}" for one in every)
    covering = [one for one in every if metallb.advertises(one, pool)]
    if not covering:
        proof = [f"{one['kind']} {name(one)}: {_pools_of(one)}" for one in every]
        facts = {"pool": name(pool), "advertisements": names, "namespace": state.namespace}
        inquiry.report("metallb.pool_not_advertised", inquiry.ip, proof, **facts)
        return
    chosen = metallb.advertising_nodes(covering, state.nodes)
    if not chosen:
        proof = [
            f"{one['kind']} {name(one)}: nodeSelectors {one['spec'].get('nodeSelectors')}"
            for one in covering
        ]
        facts = {"advertisements": names}
        inquiry.report("metallb.advertisement_selects_no_node", inquiry.ip, proof, **facts)
        return
    listed = ", ".join(f"{one['kind']} {name(one)}" for one in covering)
    inquiry.checked.append(f"the pool {name(pool)} is advertised by {listed}")


def _announced(inquiry: _Inquiry) -> None:
    """Look whether a node may and can announce: not excluded, and its speaker ready."""
    state = inquiry.state
    every = [*(state.l2 or ()), *(state.bgp or ())]
    covering = [one for one in every if inquiry.pool and metallb.advertises(one, inquiry.pool)]
    chosen = metallb.advertising_nodes(covering, state.nodes)
    allowed = [node for node in chosen if not metallb.is_excluded(node)]
    if metallb.has_argument(state.speakers, "--ignore-exclude-lb=true"):
        allowed = chosen
    if not allowed:
        proof = [f"Node {name(node)}: label {metallb.EXCLUDED}" for node in chosen]
        facts = {"label": metallb.EXCLUDED, "node": name(chosen[0])}
        inquiry.report("metallb.node_excluded", inquiry.ip, proof, **facts)
        return
    ready = metallb.announcing_nodes(state, inquiry.pool) if inquiry.pool else []
    if not ready:
        proof = [
            f"speaker {name(pod)} on {pod['spec'].get('nodeName')}: {pod_status.state(pod)}"
            for pod in state.speakers
        ]
        inquiry.report(
            "metallb.speaker_not_ready",
            inquiry.ip,
            proof or [f"speaker Pods in {state.namespace}: none"],
            namespace=state.namespace,
        )
        return
    inquiry.checked.append(f"a ready speaker may announce it on: {', '.join(sorted(ready))}")


def _reached(inquiry: _Inquiry) -> None:
    """Look whether the holder leads to ready Pods; without one, no speaker announces."""
    service = inquiry.service or (inquiry.holders[0] if inquiry.holders else None)
    if service is None:
        return
    ready = metallb.ready_endpoints(inquiry.state, service)
    subject, selector = full_name(service), service["spec"].get("selector") or {}
    if ready:
        inquiry.checked.append(f"the Service {subject} leads to {len(ready)} ready Pod(s)")
        _local(inquiry, service, ready)
        return
    leads = [pod for pod in inquiry.state.pods if selectors.selects(service, pod)]
    states = "; ".join(f"{name(pod)} {pod_status.state(pod)}" for pod in leads) or "none"
    proof = [f"EndpointSlices of {subject}: no ready endpoint"]
    proof.append(f"Pods with {', '.join(f'{k}={v}' for k, v in selector.items())}: {states}")
    facts = {"namespace": service["metadata"]["namespace"]}
    inquiry.report("ingress.controller_no_endpoints", subject, proof, **facts)


def _local(inquiry: _Inquiry, service: Object, ready: Sequence[Object]) -> None:
    """Look whether a node that may announce has a Pod of the Service, where only such a node does."""
    if service["spec"].get("externalTrafficPolicy") != "Local" or inquiry.pool is None:
        return
    able = metallb.announcing_nodes(inquiry.state, inquiry.pool)
    there = sorted({str(endpoint.get("nodeName")) for endpoint in ready})
    if set(able) & set(there):
        return
    subject, meta = full_name(service), service["metadata"]
    proof = [
        f"Service {subject}: externalTrafficPolicy Local",
        f"ready endpoints on: {', '.join(there)}",
        f"nodes that may announce: {', '.join(able)}",
    ]
    facts = {"ip": inquiry.ip, "namespace": meta["namespace"], "name": meta["name"]}
    inquiry.report("metallb.local_without_endpoint", subject, proof, **facts)


def _alone(inquiry: _Inquiry) -> None:
    """Look whether another load balancer serves the ingress controller's Service too."""
    service = inquiry.service
    if service is None:
        return
    pods = metallb.servicelb_pods(inquiry.state, service)
    if not pods:
        return
    pod, subject = pods[0], full_name(service)
    owners = [one["name"] for one in pod["metadata"].get("ownerReferences") or []]
    held = ", ".join(str(ip) for ip in metallb.held(service)) or "none"
    proof = [
        f"Pod {full_name(pod)}: label {metallb.SERVICELB_NAME}={service['metadata']['name']}",
        f"Service {subject}: status.loadBalancer.ingress {held}",
    ]
    facts = {
        "other": "k3s ServiceLB (klipper)",
        "namespace": pod["metadata"]["namespace"],
        "name": owners[0] if owners else f"svclb-{service['metadata']['name']}",
    }
    inquiry.report("metallb.other_load_balancer", subject, proof, **facts)


def _proxy(inquiry: _Inquiry) -> None:
    """Look whether kube-proxy leaves ARP to MetalLB."""
    if not metallb.lacks_strict_arp(inquiry.state.kube_proxy):
        return
    namespace, config = metallb.KUBE_PROXY
    proof = [f"ConfigMap {namespace}/{config}: mode ipvs, ipvs.strictARP not true"]
    inquiry.report("metallb.strict_arp", inquiry.ip, proof, namespace=namespace, name=config)


def complaints(state: NetworkState, service: Object) -> list[str]:
    """Return the newest complaint of MetalLB about a Service, as a proof line."""
    uid = service["metadata"].get("uid")
    mine = [one for one in state.events if (one.get("involvedObject") or {}).get("uid") == uid]
    mine.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    left: list[Object] = []
    for event in mine:
        if event.get("reason") == ALLOCATED:
            # What it complained of before it gave an address out is over.
            left.clear()
        elif event.get("type") == "Warning":
            left.append(event)
    return [
        f"event {event.get('reason')}: {' '.join(str(event.get('message')).split())}"
        for event in left[-1:]
    ]


def _ranges(pool: Object) -> str:
    return ", ".join(str(text) for text in pool["spec"].get("addresses") or [])


def _pools_of(advertisement: Object) -> str:
    spec = advertisement.get("spec") or {}
    return f"ipAddressPools {spec.get('ipAddressPools')}"
