from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import ground as causes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import ground, topology

from tests.unit.kube import objects

Object = dict[str, Any]
INSTANCES = ("mysql-1", "mysql-11")
BACKENDS = ("app-api", "app-web")
INGRESSES = ("app-home", "app-view", "app-bucket")


def wanted(step: int, tables: int | None = None) -> causes.Wanted:
    services = ("mysql-write", "mysql-read")
    return causes.Wanted(step, INSTANCES, services, BACKENDS, INGRESSES, "employees", tables)


def pod(server: str, **more: Any) -> Object:
    return objects.pod(f"{server}-abc", labels={topology.SERVER_LABEL: server}, **more)


def whole() -> dict[str, list[Object]]:
    backends = [objects.deployment(name, availableReplicas=1) for name in BACKENDS]
    return {
        "PersistentVolumeClaim": [objects.claim(name) for name in INSTANCES],
        "Deployment": [*(objects.deployment(name) for name in INSTANCES), *backends],
        "Service": [
            objects.service(name, "mysql") for name in ("mysql-write", "mysql-read", *BACKENDS)
        ],
        "Ingress": [{"metadata": objects.meta(name)} for name in INGRESSES],
    }


def told(step: int, tables: int | None = None, **changes: Any) -> list[tuple[str, str]]:
    pods = changes.pop("pods", [pod(name) for name in INSTANCES])
    seen = ground.build("mysql", {**whole(), **changes}, pods)
    return [
        (one.subject, one.fix.rpartition(" ")[2])
        for one in causes.explain(seen, wanted(step, tables))
    ]


@pytest.mark.parametrize("step", range(1, 11))
def test_a_finished_site_carries_every_step(step: int) -> None:
    assert told(step, tables=6) == []


@pytest.mark.parametrize("step", range(4, 11))
def test_on_an_empty_cluster_the_lowest_layer_alone_is_told(step: int) -> None:
    found = causes.explain(ground.Ground("mysql", False), wanted(step))
    assert [(one.code, one.subject) for one in found] == [("step.missing", "Namespace mysql")]
    assert found[0].fix.endswith("--tags step3")


def test_each_layer_names_the_step_that_makes_it() -> None:
    claims = [objects.claim("mysql-1")]
    assert told(4, PersistentVolumeClaim=claims) == [
        ("PersistentVolumeClaim mysql/mysql-11", "step3")
    ]
    assert told(5, Deployment=[objects.deployment("mysql-1")]) == [
        ("Deployment mysql/mysql-11", "step4")
    ]
    waiting = pod("mysql-11", containers=[objects.waiting("ContainerCreating")])
    assert told(6, pods=[pod("mysql-1"), waiting]) == [
        ("a started Pod of Deployment mysql/mysql-11", "step4")
    ]
    assert told(7, Service=[objects.service("mysql-read", "mysql")]) == [
        ("Service mysql/mysql-write", "step5")
    ]
    unready = pod("mysql-11", containers=[objects.container(ready=False)])
    assert told(8, pods=[pod("mysql-1"), unready]) == [
        ("the replication of mysql/mysql-11", "step6")
    ]
    assert told(8, tables=0) == [("data in employees", "step7")]
    engines = [objects.deployment(name) for name in INSTANCES]
    stopped = objects.deployment("app-web", availableReplicas=0)
    apps = [*engines, objects.deployment("app-api", availableReplicas=1), stopped]
    assert told(9, tables=1, Deployment=apps) == [("a ready Pod of mysql/app-web", "step8")]
    assert told(10, tables=1, Ingress=[]) == [
        (f"Ingress mysql/{name}", "step9") for name in INGRESSES
    ]


def test_what_a_step_does_not_stand_on_may_be_missing() -> None:
    assert told(4, Deployment=[], Service=[], Ingress=[], pods=[]) == []


def test_a_pod_that_is_being_deleted_carries_nothing() -> None:
    leaving = pod("mysql-11", deletionTimestamp="2026-01-01T00:00:00Z")
    assert [step for _what, step in told(6, pods=[pod("mysql-1"), leaving])] == ["step4"]
