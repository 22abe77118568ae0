from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import preflight
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.preflight import Wanted
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import errors
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import rights, room
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.room import Need, RoomState

from tests.unit.kube import objects

Object = dict[str, Any]
GIB = Decimal(2**30)
OURS = {"app.kubernetes.io/instance": "mysql"}


def node(name: str, memory: str = "4Gi", ready: str = "True", **spec: Any) -> Object:
    return {
        "kind": "Node",
        "metadata": objects.meta(name, None),
        "spec": spec,
        "status": {
            "allocatable": {"cpu": "2", "memory": memory},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def using(node_name: str, memory: str, name: str = "p", **more: Any) -> Object:
    requests = {"resources": {"requests": {"memory": memory, "cpu": "100m"}}}
    spec = {"nodeName": node_name, "containers": [{"name": "c", **requests}]}
    return objects.pod(name, more.pop("namespace", "mysql"), spec=spec, **more)


def quota(**left: tuple[str, str]) -> Object:
    status = {
        "hard": {key.replace("_", "."): value[0] for key, value in left.items()},
        "used": {key.replace("_", "."): value[1] for key, value in left.items()},
    }
    return {
        "kind": "ResourceQuota",
        "metadata": objects.meta("small"),
        "spec": {},
        "status": status,
    }


STATE = RoomState("v1.36.3", True, nodes=(node("a"), node("b")))
WANTED = Wanted(
    namespace="mysql",
    needs=(Need("mysql", 3, {"cpu": Decimal("0.25"), "memory": GIB}),),
    claims=3,
    storage=4 * GIB,
    labels=OURS,
    minimum_version="1.25",
)


def codes(state: RoomState, wanted: Wanted = WANTED) -> list[str]:
    return [found.code for found in errors(preflight.explain(state, wanted))]


def test_a_cluster_with_room_has_nothing_to_say_but_what_it_cannot_know() -> None:
    assert preflight.explain(STATE, WANTED) == []
    assert preflight.not_proved(STATE, WANTED) == ["that a container may write to its volume"]


@pytest.mark.parametrize(("version", "old"), [("v1.24.17", True), ("v1.25.0+k3s1", False)])
def test_versions_compare_as_numbers(version: str, old: bool) -> None:
    assert (codes(replace(STATE, version=version)) == ["kube.server_old"]) is old


def test_a_right_that_is_denied_is_named_as_kubectl_asks_for_it() -> None:
    (right,) = [one for one in rights.needed("mysql") if one.subresource == "portforward"]
    state = replace(STATE, refused={right: "no rule allows it"})
    (found,) = preflight.explain(state, WANTED)
    assert found.code == "kube.forbidden"
    assert "kubectl auth can-i create pods/portforward -n mysql" in found.fix


def test_what_does_not_fit_on_any_node_is_named_with_what_each_has_free() -> None:
    full = replace(STATE, pods=(using("a", "3.5Gi"), using("b", "2Gi")))
    (found,) = preflight.explain(full, WANTED)
    assert found.code == "kube.no_room"
    assert "Node a: free cpu 1.9, memory 512Mi" in found.proof


def test_room_is_counted_by_node_not_in_sum() -> None:
    halves = replace(STATE, nodes=tuple(node(name, "1500Mi") for name in "abc"))
    assert codes(halves) == []
    two = replace(WANTED, needs=(Need("mysql", 2, {"cpu": Decimal(0), "memory": 2 * GIB}),))
    assert codes(halves, two) == ["kube.no_room"]


def test_our_own_pods_are_not_in_our_way_on_a_second_run() -> None:
    mine = tuple(using(node, "3Gi", name, labels=OURS) for node, name in (("a", "x"), ("b", "y")))
    assert codes(replace(STATE, pods=mine)) == []
    theirs = tuple(using(node, "3.5Gi", node, namespace="shop", labels=OURS) for node in "ab")
    assert codes(replace(STATE, pods=theirs)) == ["kube.no_room"]


@pytest.mark.parametrize(
    "unusable",
    [
        node("c", unschedulable=True),
        node("c", taints=[{"key": "control-plane", "effect": "NoSchedule"}]),
        node("c", ready="False"),
    ],
)
def test_nodes_that_take_no_pods_are_no_room(unusable: Object) -> None:
    assert codes(replace(STATE, nodes=(unusable,))) == ["kube.no_room"]


def test_a_quota_that_is_too_small_is_named_by_its_resource() -> None:
    small = quota(requests_memory=("2Gi", "0"), pods=("10", "8"), services=("1", "1"))
    found = preflight.explain(replace(STATE, quotas=(small,)), WANTED)
    assert [(one.code, one.subject) for one in found] == [
        ("kube.quota_too_small", "mysql/small"),
        ("kube.quota_too_small", "mysql/small"),
    ]
    assert "requests.memory: 3072Mi wanted, 2048Mi free" in found[0].summary
    assert "pods: 3 wanted, 2 free" in found[1].summary


def test_a_quota_that_our_own_objects_fill_is_enough_on_a_second_run() -> None:
    full = quota(pods=("3", "3"), persistentvolumeclaims=("3", "3"))
    mine = tuple(using("a", "1Gi", name, labels=OURS) for name in "xyz")
    claims = tuple(objects.claim(name) for name in ("mysql-1", "mysql-11", "mysql-12"))
    for claim in claims:
        claim["metadata"]["labels"] = OURS
    assert codes(replace(STATE, quotas=(full,), pods=mine, taken=claims)) == []
    assert codes(replace(STATE, quotas=(full,))) == ["kube.quota_too_small"] * 2


def test_a_name_that_something_else_has_is_taken() -> None:
    stranger = objects.deployment("mysql-1")
    (found,) = preflight.explain(replace(STATE, taken=(stranger,)), WANTED)
    assert (found.code, found.subject) == ("kube.name_taken", "Deployment mysql/mysql-1")
    stranger["metadata"]["labels"] = OURS
    assert codes(replace(STATE, taken=(stranger,))) == []


def test_a_large_init_container_counts_instead_of_the_sum() -> None:
    pod = using("a", "1Gi")
    init = {"name": "own", "resources": {"requests": {"memory": "3Gi"}}}
    pod["spec"]["initContainers"] = [init]
    assert room.requests_of(pod) == {"cpu": Decimal("0.1"), "memory": 3 * GIB}


def test_a_user_who_may_not_list_nodes_is_told_what_was_not_proved() -> None:
    state = RoomState("v1.36.3", False, blind=("Node",))
    assert codes(state) == []
    assert "room: this user may not list Nodes" in preflight.not_proved(state, WANTED)


@pytest.mark.parametrize(
    ("host", "refused"), [("", False), ("shop.example", False), ("192.168.0.251", True)]
)
def test_a_host_that_no_ingress_can_have_is_named(host: str, refused: bool) -> None:
    assert codes(STATE, replace(WANTED, host=host)) == ["ingress.host_is_ip"] * refused


def test_a_node_that_is_not_ready_is_named_with_what_of_ours_lies_there() -> None:
    state = replace(STATE, nodes=(node("a"), node("b", ready="Unknown")), pods=(using("b", "1Gi"),))
    (found,) = [one for one in preflight.explain(state, WANTED) if one.subject == "b"]
    assert (found.code, found.severity) == ("kube.node_not_ready", "warning")
    assert found.proof[-1] == "Pod mysql/p lies there"
