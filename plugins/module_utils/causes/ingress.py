# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of the ingress controller and of Ingress rules. Pure, over what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..finding import Finding
from ..kube import ingress, metallb
from ..kube.ingress import IngressState, Rule
from ..kube.metallb import Address, NetworkState, full_name, name
from .catalogue import finding

Object = dict[str, Any]

NOT_FOUND = 404


def controller_of(
    state: NetworkState, ip: Address, class_name: str, service: str, language: str = "en"
) -> tuple[Object | None, list[Finding], list[str]]:
    """Return the ingress controller's Service, why there is none, and what was checked. Pure.

    service: ``namespace/name`` where the user names it; else it is found by the class's controller,
    and where that one is not known, by the address.
    """
    found_class, found = _class(state, class_name, language)
    checked = [f"the IngressClass {class_name} exists"]
    if service:
        named = [one for one in state.services if full_name(one) == service]
        if not named:
            found.append(_service_missing(state, service, language))
        return (named[0] if named else None), found, checked
    if found_class is None:
        return None, found, checked
    pods = metallb.controller_pods(state, found_class)
    if pods is None:
        # Nothing is known of this controller's Pods: whoever holds the address is taken for it.
        holders = metallb.holders(state, ip)
        checked.append(f"the controller of the class {class_name} was not looked for: unknown kind")
        return (holders[0] if holders else None), found, checked
    if not pods:
        found.append(_controller_missing(found_class, class_name, language))
        return None, found, checked
    leading = metallb.ingress_service(state, pods, ip)
    if leading is None:
        found.append(_controller_missing(found_class, class_name, language, pods))
        return None, found, checked
    checked.append(f"the class {class_name} is served by {full_name(pods[0])}")
    return leading, found, checked


def explain(state: IngressState, language: str = "en") -> list[Finding]:
    """Return what keeps the Ingresses of a namespace from leading where they say. Pure."""
    found: list[Finding] = []
    classes = [name(one) for one in state.classes]
    for one in state.ingresses:
        found.extend(_ingress_class(one, state, classes, language))
        for rule in ingress.rules(one):
            found.extend(_host(rule, language))
            found.extend(_rewrite(rule, language))
            found.extend(_backend(rule, state, language))
    found.extend(_clashes(state, language))
    return found


def host_is_ip(subject: str, host: str, language: str = "en") -> Finding | None:
    """Return the finding of a host that is an IP address, None where it is a name or empty. Pure."""
    if not ingress.host_is_address(host):
        return None
    proof = [f"host {host}: must be a DNS name, not an IP address"]
    return finding("ingress.host_is_ip", subject=subject, proof=proof, language=language, host=host)


def not_found(rule: Rule, status: int, direct_status: int, language: str = "en") -> Finding | None:
    """Return why a path answers 404 through the controller and not without its prefix. Pure.

    status: what the path answers through the controller. direct_status: what the Service answers
    for the path without its prefix. None where the rewrite is not what is missing.
    """
    if status != NOT_FOUND or direct_status == NOT_FOUND or rule.rewrite:
        return None
    proof = [
        f"GET {rule.path} through the controller: {status}",
        f"GET / at the Service {rule.service}: {direct_status}",
        f"Ingress {rule.ingress}: no annotation {ingress.REWRITE}",
    ]
    return _rewrite_finding("ingress.rewrite_missing", rule, proof, language)


def _class(state: NetworkState, wanted: str, language: str) -> tuple[Object | None, list[Finding]]:
    for one in state.classes:
        if name(one) == wanted:
            return one, []
    classes = ", ".join(name(one) for one in state.classes) or "none"
    proof = [f"IngressClasses of the cluster: {classes}"]
    found = finding(
        "ingress.class_unknown", subject=wanted, proof=proof, language=language, classes=classes
    )
    return None, [found]


def _service_missing(state: NetworkState, service: str, language: str) -> Finding:
    existing = [
        full_name(one) for one in state.services if one["spec"].get("type") == "LoadBalancer"
    ]
    services = ", ".join(existing) or "none of type LoadBalancer"
    return finding(
        "ingress.service_missing",
        subject=service,
        proof=[f"Services of type LoadBalancer: {services}"],
        language=language,
        services=services,
    )


def _controller_missing(
    found_class: Object, class_name: str, language: str, pods: Sequence[Object] = ()
) -> Finding:
    controller = (found_class.get("spec") or {}).get("controller")
    proof = [f"IngressClass {class_name}: controller {controller}"]
    if pods:
        proof.append(f"Services that lead to its Pod {full_name(pods[0])}: none")
    else:
        proof.append("running Pods of a program that serves this controller: none")
    return finding("ingress.controller_missing", subject=class_name, proof=proof, language=language)


def _ingress_class(
    one: Object, state: IngressState, classes: Sequence[str], language: str
) -> Iterator[Finding]:
    wanted, subject = ingress.class_of(one), full_name(one)
    listed = ", ".join(classes) or "none"
    if wanted and wanted not in classes:
        proof = [f"Ingress {subject}: class {wanted}", f"IngressClasses of the cluster: {listed}"]
        yield finding(
            "ingress.class_unknown", subject=wanted, proof=proof, language=language, classes=listed
        )
    elif not wanted and not any(ingress.is_default(entry) for entry in state.classes):
        proof = [f"Ingress {subject}: spec.ingressClassName none", f"IngressClasses: {listed}"]
        yield finding(
            "ingress.no_class", subject=subject, proof=proof, language=language, classes=listed
        )


def _host(rule: Rule, language: str) -> Iterator[Finding]:
    found = host_is_ip(rule.ingress, rule.host, language)
    if found is not None:
        yield found


def _rewrite(rule: Rule, language: str) -> Iterator[Finding]:
    """Yield where a prefix is passed on, or everything below it is lost."""
    if rule.path.strip("/") == "":
        return
    read = f"Ingress {rule.ingress}: path {rule.path}, {ingress.REWRITE} {rule.rewrite or 'none'}"
    if rule.rewrite and "$" not in rule.rewrite and "(" not in rule.path:
        yield _rewrite_finding("ingress.rewrite_flattens", rule, [read], language)


def _rewrite_finding(code: str, rule: Rule, proof: Sequence[str], language: str) -> Finding:
    return finding(
        code,
        subject=rule.ingress,
        proof=proof,
        language=language,
        path=rule.path,
        service=rule.service,
        target=rule.rewrite,
        example=f"{ingress.prefix(rule.path)}(/|$)(.*)",
    )


def _backend(rule: Rule, state: IngressState, language: str) -> Iterator[Finding]:
    """Yield where a rule leads to no Service, no port, or no ready Pod."""
    if not rule.service:
        return
    facts: dict[str, Any] = {
        "path": rule.path,
        "service": rule.service,
        "namespace": rule.namespace,
        "port": rule.port,
    }
    services = {full_name(one): one for one in state.services}
    service = services.get(f"{rule.namespace}/{rule.service}")
    if service is None:
        proof = [f"Services of {rule.namespace}: {rule.service} not found"]
        yield finding(
            "ingress.backend_missing",
            subject=rule.ingress,
            proof=proof,
            language=language,
            **facts,
        )
        return
    ports = ingress.ports(service)
    if rule.port not in ports:
        listed = ", ".join(ports)
        proof = [f"Service {rule.namespace}/{rule.service}: ports {listed}"]
        yield finding(
            "ingress.backend_port",
            subject=rule.ingress,
            proof=proof,
            language=language,
            ports=listed,
            **facts,
        )
        return
    if not ingress.has_ready(state, service):
        proof = [f"EndpointSlices of {rule.namespace}/{rule.service}: no ready endpoint"]
        yield finding(
            "ingress.no_endpoints",
            subject=rule.ingress,
            proof=proof,
            language=language,
            **facts,
        )


def _clashes(state: IngressState, language: str) -> Iterator[Finding]:
    """Yield paths that two Ingresses of one host and class claim."""
    seen: dict[tuple[str, str, str], Rule] = {}
    every = [*state.ingresses, *state.elsewhere]
    for one in every:
        for rule in ingress.rules(one):
            key = (rule.class_name, rule.host, rule.path)
            other = seen.setdefault(key, rule)
            if other.ingress == rule.ingress:
                continue
            proof = [
                f"Ingress {entry.ingress}: host {entry.host or 'any'}, path {entry.path}"
                for entry in (other, rule)
            ]
            yield finding(
                "ingress.path_clash",
                subject=other.ingress,
                proof=proof,
                language=language,
                path=rule.path,
                other=rule.ingress,
            )
