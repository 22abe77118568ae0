# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is merged into Services and Pods to lead clients, without a cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.routes import (
    LAST_APPLIED,
    Routes,
    label_patch,
    ready_pods,
    selector_patch,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.topology import (
    FENCED_ANNOTATION,
    READS_LABEL,
    SERVER_LABEL,
)


def test_the_note_of_what_was_applied_says_the_same_as_the_selector() -> None:
    applied = {"kind": "Service", "spec": {"selector": {SERVER_LABEL: "mysql-1", "other": "kept"}}}
    service = {"metadata": {"annotations": {LAST_APPLIED: json.dumps(applied)}}, **applied}
    patch = selector_patch(service, "mysql-11")
    assert patch["spec"]["selector"] == {SERVER_LABEL: "mysql-11"}
    noted = json.loads(patch["metadata"]["annotations"][LAST_APPLIED])
    applied["spec"]["selector"][SERVER_LABEL] = "mysql-11"  # type: ignore[index]
    assert noted == applied
    assert "metadata" not in selector_patch({"metadata": {}}, "mysql-11")


def test_a_running_pod_is_labelled() -> None:
    assert label_patch(True)["metadata"]["labels"] == {READS_LABEL: "yes"}
    assert label_patch(False)["metadata"]["labels"] == {READS_LABEL: "no"}


def test_a_service_leads_to_those_that_are_ready() -> None:
    def endpoint(pod: str, ready: bool) -> dict[str, object]:
        return {"targetRef": {"name": pod}, "conditions": {"ready": ready}}

    slices = [{"endpoints": [endpoint("one", True), endpoint("two", False)]}, {"endpoints": None}]
    assert ready_pods(slices) == {"one"}


class FakeCluster:
    """One Pod, which ends after some looks, on one node."""

    def __init__(self, looks: int, ready: str) -> None:
        self.looks = looks
        self.ready = ready
        self.patched: list[Any] = []

    def patch(self, kind: str, name: str, body: Any, namespace: str) -> None:
        self.patched.append((kind, name, body, namespace))

    def list(self, kind: str, namespace: str | None = None, **_selectors: str) -> list[Any]:
        if kind == "Node":
            conditions = [{"type": "Ready", "status": self.ready}]
            return [{"status": {"conditions": conditions}}] if self.ready else []
        self.looks -= 1
        pod = {"metadata": {"name": "mysql-1-abc"}, "spec": {"nodeName": "worker1"}}
        return [pod] if self.looks >= 0 else []


def fenced(cluster: FakeCluster, timeout: float) -> dict[str, Any]:
    routes = Routes(cluster, "shop", "mysql", "mysql-write", timeout, print)  # type: ignore[arg-type]
    return routes.fence("mysql-1")


def test_an_instance_is_ended_once_its_pod_is_gone() -> None:
    cluster = FakeCluster(looks=2, ready="True")
    assert fenced(cluster, timeout=60) == {}
    ((kind, name, body, namespace),) = cluster.patched
    assert (kind, name, namespace) == ("Deployment", "mysql-1", "shop")
    assert body["spec"] == {"replicas": 0}
    assert list(body["metadata"]["annotations"]) == [FENCED_ANNOTATION]


@pytest.mark.parametrize(("ready", "timeout"), [("Unknown", 60), ("", 60), ("True", 0)])
def test_a_pod_that_may_still_run_is_told(ready: str, timeout: float) -> None:
    """Nobody waits for a node that cannot say that the Pod ended."""
    told = fenced(FakeCluster(looks=1000, ready=ready), timeout)
    assert (told["pod"], told["node"]) == ("mysql-1-abc", "worker1")
    assert told["ready"] == (ready or "gone")
