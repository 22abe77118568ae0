# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is merged into Services and Pods to lead clients, without a cluster."""

from __future__ import annotations

import json

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.routes import (
    LAST_APPLIED,
    label_patch,
    ready_pods,
    selector_patch,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.topology import (
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
