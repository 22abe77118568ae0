"""Which Pod a port-forward takes, and what is said where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import portforward
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.portforward import (
    PodUnavailableError,
    Target,
)

from tests.unit.kube import objects

Object = dict[str, Any]


class FakeCluster:
    """Objects by kind and name; Pods are listed whatever the labels, which are noted."""

    name = "cluster fake"

    def __init__(self, pods: list[Object], **owners: Object) -> None:
        self.pods = pods
        self.owners = owners
        self.labels = ""

    def get(self, kind: str, name: str, namespace: str) -> Object | None:
        if kind == "Pod":
            return next((pod for pod in self.pods if pod["metadata"]["name"] == name), None)
        return self.owners.get(kind)

    def list(self, kind: str, namespace: str, *, labels: str) -> Any:
        assert kind == "Pod"
        self.labels = labels
        return self.pods


def take(cluster: Any, target: Target) -> str:
    return str(portforward.find_pod(cluster, target, 0.0)["metadata"]["name"])


def test_a_deployments_newest_running_pod_is_taken() -> None:
    pods = [
        objects.pod("old", creationTimestamp="2026-01-01T00:00:00Z"),
        objects.pod("new", creationTimestamp="2026-01-02T00:00:00Z"),
        objects.pod("newest", phase="Pending", creationTimestamp="2026-01-03T00:00:00Z"),
        objects.pod(
            "leaving",
            creationTimestamp="2026-01-04T00:00:00Z",
            deletionTimestamp="2026-01-04T00:00:00Z",
        ),
    ]
    cluster = FakeCluster(pods, Deployment=objects.deployment("mysql-1"))
    assert take(cluster, Target("mysql", "Deployment", "mysql-1")) == "new"
    assert cluster.labels == "app=mysql-1"


def test_a_services_first_running_pod_is_taken() -> None:
    pods = [objects.pod("b"), objects.pod("a"), objects.pod("0", phase="Pending")]
    cluster = FakeCluster(pods, Service=objects.service(selector={"app": "mysql", "reads": "yes"}))
    assert take(cluster, Target("mysql", "Service", "mysql-read")) == "a"
    assert cluster.labels == "app=mysql,reads=yes"


def test_a_service_without_selector_never_leads_to_every_pod() -> None:
    cluster = FakeCluster([objects.pod("stranger")], Service=objects.service(selector={}))
    with pytest.raises(PodUnavailableError, match="its selector matches no Pod"):
        take(cluster, Target("mysql", "Service", "mysql-read"))


def test_what_is_not_there_is_said_at_once() -> None:
    with pytest.raises(
        PodUnavailableError, match="behind Deployment mysql/mysql-2: there is none of that name"
    ):
        take(FakeCluster([]), Target("mysql", "Deployment", "mysql-2"))


def test_the_state_of_a_pod_that_does_not_run_is_named() -> None:
    pods = [
        objects.pod(phase="Pending", containers=[objects.waiting("ImagePullBackOff", "not found")])
    ]
    cluster = FakeCluster(pods, Deployment=objects.deployment("mysql-1"))
    with pytest.raises(
        PodUnavailableError, match=r"mysql-1-abc is Pending \(mysql: ImagePullBackOff\)"
    ):
        take(cluster, Target("mysql", "Deployment", "mysql-1"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Handshake status 404 Not Found -+-+- {'date': 'x'} -+-+- pod does not exist",
            (404, "pod does not exist"),
        ),
        ("Handshake status 403 Forbidden -+-+- {} -+-+- ", (403, "Handshake status 403 Forbidden")),
        ("[Errno 111] Connection refused", (0, "[Errno 111] Connection refused")),
    ],
)
def test_a_refused_forward_keeps_the_servers_words(text: str, wanted: tuple[int, str]) -> None:
    assert portforward.handshake(text) == wanted
