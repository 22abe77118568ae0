"""Deployments that somebody else made: what runs MySQL, on which claim, with whose password."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import foreign, topology
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.foreign import Place

PLAIN = [{"name": "MYSQL_ROOT_PASSWORD", "value": "secret"}]
REFERENCE = {"secretKeyRef": {"name": "mysql-secret", "key": "root"}}
KEYED = [{"name": "MYSQL_ROOT_PASSWORD", "valueFrom": REFERENCE}]
FILED = [{"name": "MYSQL_ROOT_PASSWORD_FILE", "value": "/secrets/root"}]


def deployment(name: str, claim: str = "data", **more: Any) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "mysql",
        "image": "mysql:8.0",
        "env": more.get("env", PLAIN),
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/mysql", **more.get("mount", {})},
            {"name": "secrets", "mountPath": "/secrets"},
        ],
    }
    if "env_from" in more:
        container["envFrom"] = more["env_from"]
    volumes: list[dict[str, Any]] = [{"name": "secrets", "secret": {"secretName": "filed"}}]
    volumes.append(
        {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
        if claim
        else {"name": "data", "emptyDir": {}}
    )
    pod = {"containers": [container, *more.get("others", [])], "volumes": volumes}
    return {
        "metadata": {"name": name, "labels": more.get("labels", {})},
        "spec": {
            "replicas": more.get("replicas", 1),
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def claim(name: str, server: str = "") -> dict[str, Any]:
    labels = {topology.INSTANCE_LABEL: "mysql", topology.SERVER_LABEL: server} if server else {}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"volumeName": f"pv-{name}"}}


def found(*deployments: dict[str, Any], claims: Any = (), services: Any = ()) -> foreign.Found:
    uids = {"pv-data": "uid-1"}
    return foreign.build("mysql", deployments, claims or [claim("data")], [], services, uids)


def test_a_deployment_of_mysql_with_its_claim_and_volume() -> None:
    web = {
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}},
    }
    (engine,) = found(deployment("mysql-primary"), web).engines
    assert (engine.deployment, engine.claim, engine.volume, engine.volume_uid) == (
        *("mysql-primary", "data", "pv-data"),
        "uid-1",
    )
    assert not engine.taken
    assert not engine.hindrances


@pytest.mark.parametrize(
    ("env", "place"),
    [
        (PLAIN, Place("Deployment", "db", "MYSQL_ROOT_PASSWORD")),
        (KEYED, Place("Secret", "mysql-secret", "root")),
        (FILED, Place("Secret", "filed", "root")),
        ([], None),
    ],
)
def test_where_root_s_password_lies(env: Any, place: Place | None) -> None:
    assert found(deployment("db", env=env)).engines[0].password == place


def test_a_whole_secret_as_environment() -> None:
    made = deployment("db", env=[], env_from=[{"secretRef": {"name": "all"}}])
    assert found(made).engines[0].password == Place("Secret", "all", "MYSQL_ROOT_PASSWORD")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"replicas": 2}, "spec.replicas = 2"),
        ({"claim": ""}, "on no PersistentVolumeClaim"),
        ({"mount": {"subPath": "db"}}, "subPath"),
    ],
)
def test_what_cannot_be_taken_over_is_said(more: dict[str, Any], word: str) -> None:
    assert word in found(deployment("db", **more)).engines[0].hindrances[0]


def test_a_claim_whose_deployment_an_interrupted_run_took_away_is_still_an_instance() -> None:
    seen = found(deployment("mysql-primary"), claims=[claim("data"), claim("old", "mysql-11")])
    assert [(each.deployment, each.instance) for each in seen.engines] == [
        ("", "mysql-11"),
        ("mysql-primary", ""),
    ]


def test_what_is_ours_is_taken_and_the_archiver_is_no_instance() -> None:
    ours = {topology.MANAGER_LABEL: foreign.MANAGER, topology.INSTANCE_LABEL: "mysql"}
    mine = deployment("mysql-1", labels={**ours, topology.SERVER_LABEL: "mysql-1"})
    archiver = deployment("mysql-archiver", "archive", labels=ours)
    (engine,) = found(mine, archiver).engines
    assert engine.taken
    assert engine.instance == "mysql-1"


def test_a_service_leads_to_the_pods_that_it_selects() -> None:
    write = {"metadata": {"name": "w"}, "spec": {"selector": {"app": "mysql-primary"}}}
    seen = found(deployment("mysql-primary"), deployment("mysql-replica-1"), services=[write])
    assert [seen.selects("w", each) for each in seen.engines] == [True, False]
    assert not seen.selects("nobody", seen.engines[0])
