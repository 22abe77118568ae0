# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which NetworkPolicies keep one Pod from a port of another: pure, by the API's own rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from . import selectors

Object = dict[str, Any]


def closing(
    policies: Sequence[Object],
    source: Object,
    client: Object,
    port: int,
    namespaces: Sequence[Object] = (),
) -> list[Object]:
    """Return the policies that close a port of a Pod (source) to another one (client).

    Empty where no policy selects the source, or one of those that do lets the client in: policies
    add up. A policy that the cluster's network does not enforce is returned all the same.
    """
    chosen = [one for one in policies if _selects(one, source)]
    if any(_lets_in(one, source, client, port, namespaces) for one in chosen):
        return []
    return chosen


def opened(policy: Object, client: Object, port: int) -> Object:
    """Return the patch (a merge of the spec) by which a policy lets one more Pod in."""
    rule = {
        "from": [{"podSelector": {"matchLabels": _identity(client)}}],
        "ports": [{"protocol": "TCP", "port": port}],
    }
    return {"spec": {"ingress": [*(policy["spec"].get("ingress") or []), rule]}}


def _identity(pod: Object) -> dict[str, str]:
    """Return the labels that all instances of a cluster share, else all that the Pod has."""
    given = selectors.labels(pod)
    shared = {key: given[key] for key in given if key.startswith("app.kubernetes.io/")}
    return shared or {key: given[key] for key in given if key != "pod-template-hash"}


def _selects(policy: Object, pod: Object) -> bool:
    spec = policy["spec"]
    same = policy["metadata"].get("namespace") == pod["metadata"].get("namespace")
    types = spec.get("policyTypes") or ["Ingress"]
    chosen = selectors.matches(spec.get("podSelector") or {}, selectors.labels(pod))
    return same and "Ingress" in types and chosen


def _lets_in(
    policy: Object, source: Object, client: Object, port: int, namespaces: Sequence[Object]
) -> bool:
    for rule in policy["spec"].get("ingress") or []:
        ports, peers = rule.get("ports") or [], rule.get("from") or []
        by_port = not ports or any(_is_port(entry, source, port) for entry in ports)
        by_peer = not peers or any(_is_peer(one, policy, client, namespaces) for one in peers)
        if by_port and by_peer:
            return True
    return False


def _is_port(entry: Mapping[str, Any], source: Object, port: int) -> bool:
    if entry.get("protocol", "TCP") != "TCP":
        return False
    given = entry.get("port")
    if given is None:
        return True
    if isinstance(given, str) and not given.isdigit():
        return given in _names_of(source, port)
    return int(given) <= port <= int(entry.get("endPort") or given)


def _names_of(pod: Object, port: int) -> set[str]:
    return {
        str(entry.get("name"))
        for container in (pod.get("spec") or {}).get("containers") or []
        for entry in container.get("ports") or []
        if entry.get("containerPort") == port
    }


def _is_peer(
    peer: Mapping[str, Any], policy: Object, client: Object, namespaces: Sequence[Object]
) -> bool:
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], str((client.get("status") or {}).get("podIP") or ""))
    space = client["metadata"].get("namespace")
    by_space = peer.get("namespaceSelector")
    if by_space is None:
        in_space = space == policy["metadata"].get("namespace")
    else:
        named = [one for one in namespaces if one["metadata"]["name"] == space]
        labels = (
            selectors.labels(named[0]) if named else {"kubernetes.io/metadata.name": str(space)}
        )
        in_space = selectors.matches(by_space, labels)
    by_pod = peer.get("podSelector")
    return in_space and (by_pod is None or selectors.matches(by_pod, selectors.labels(client)))


def _in_block(block: Mapping[str, Any], ip: str) -> bool:
    try:
        wanted = ipaddress.ip_address(ip)
        inside = wanted in ipaddress.ip_network(str(block["cidr"]), strict=False)
        left_out = any(
            wanted in ipaddress.ip_network(str(text), strict=False)
            for text in block.get("except") or []
        )
    except ValueError:
        return False
    return inside and not left_out
