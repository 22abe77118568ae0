"""Which NetworkPolicies close a port, by the API's own rules."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import policies

from tests.unit.kube import objects

Object = dict[str, Any]

SHARED = {"app.kubernetes.io/name": "mysql"}


def mysql(name: str, ip: str) -> Object:
    ports = [{"name": "mysql", "containerPort": 3306}]
    spec = {"containers": [{"name": "mysql", "ports": ports}]}
    made = objects.pod(name, labels={**SHARED, "server": name}, spec=spec)
    made["status"]["podIP"] = ip
    return made


SOURCE, CLIENT = mysql("mysql-1", "10.1.0.1"), mysql("mysql-11", "10.1.0.11")
SPACES = [
    {"kind": "Namespace", "metadata": objects.meta("mysql", None, labels={"team": "shop"})},
]


def policy(*ingress: Object, **spec: Any) -> Object:
    chosen = {"podSelector": {"matchLabels": SHARED}, "ingress": list(ingress), **spec}
    return {"kind": "NetworkPolicy", "metadata": objects.meta("deny"), "spec": chosen}


def closing(*given: Object) -> list[str]:
    found = policies.closing(given, SOURCE, CLIENT, 3306, SPACES)
    return [one["metadata"]["name"] for one in found]


PEER = {"podSelector": {"matchLabels": {"server": "mysql-11"}}}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"from": [PEER]},
        {"from": [PEER], "ports": [{"port": 3306}]},
        {"ports": [{"port": "mysql"}]},
        {"ports": [{"port": 3000, "endPort": 3400}]},
        {"ports": [{"protocol": "TCP"}]},
        {"from": [{"ipBlock": {"cidr": "10.1.0.0/24"}}]},
        {"from": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}]},
        {"from": [{"namespaceSelector": {}, **PEER}]},
    ],
)
def test_a_rule_that_lets_the_client_in(rule: Object) -> None:
    assert closing(policy(rule)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"from": [{"podSelector": {"matchLabels": {"server": "mysql-12"}}}]},
        {"from": [PEER], "ports": [{"port": 33060}]},
        {"from": [PEER], "ports": [{"port": "metrics"}]},
        {"from": [PEER], "ports": [{"port": 3306, "protocol": "UDP"}]},
        {"from": [{"ipBlock": {"cidr": "10.1.0.0/24", "except": ["10.1.0.8/29"]}}]},
        {"from": [{"ipBlock": {"cidr": "nonsense"}}]},
        {"from": [{"namespaceSelector": {"matchLabels": {"team": "other"}}}]},
    ],
)
def test_a_rule_that_does_not(rule: Object) -> None:
    assert closing(policy(rule)) == ["deny"]


def test_policies_add_up_and_those_for_other_pods_do_not_count() -> None:
    assert closing(policy()) == ["deny"]
    assert closing(policy(), policy({"from": [PEER]})) == []
    assert closing(policy(podSelector={"matchLabels": {"app": "web"}})) == []
    assert closing(policy(policyTypes=["Egress"])) == []
    assert closing() == []


def test_the_patch_that_opens_keeps_what_was_open() -> None:
    kept = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
    patch = policies.opened(policy(kept), CLIENT, 3306)
    assert patch["spec"]["ingress"][0] == kept
    assert closing(policy(*patch["spec"]["ingress"])) == []
