# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""image_check on a real cluster: images and packages are tried before anything is made."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils.python_pod import python_check

from tests.integration import cluster
from tests.integration.runner import CHECKOUT, codes, fail, succeed

pytestmark = list(cluster.MARKS)

INDEX = yaml.safe_load((CHECKOUT / "inventories/lab/group_vars/kubernetes.yml").read_text())[
    "cluster_python_index_url"
]
MYSQL = {"name": "mysql", "image": cluster.IMAGE}


def given(space: cluster.Space, *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kubeconfig": cluster.kubeconfig(),
        "namespace": space.name,
        "containers": list(containers),
        "patience": 3,
        **more,
    }


def python(index: str) -> dict[str, Any]:
    return python_check({"index_url": index}, ["tools"])


def jobs(space: cluster.Space, namespace: str) -> list[str]:
    return [
        one["metadata"]["name"]
        for one in space.cluster.list("Job", namespace)
        if one["metadata"]["labels"].get("app.kubernetes.io/name") == "mysql-image-check"
    ]


def test_images_and_packages_that_are_there_are_proved_and_nothing_is_left(
    space: cluster.Space,
) -> None:
    result = succeed("image_check", given(space, MYSQL, python(INDEX)))
    assert result["checked"] == [
        f"{cluster.IMAGE} starts: a Pod in {space.name} did",
        f"docker.io/library/python:3.13-slim starts and gets its packages from {INDEX}: a Pod in"
        f" {space.name} did",
    ]
    assert not result["changed"]
    assert jobs(space, space.name) == []


def test_what_is_missing_is_named_before_anything_is_made(space: cluster.Space) -> None:
    absent = {**MYSQL, "image": "registry.invalid/mysql:9.7"}
    result = fail("image_check", given(space, absent))
    assert codes(result) == ["kube.image_pull"]
    assert "registry.invalid/mysql:9.7" in result["msg"]
    assert jobs(space, space.name) == []


def test_an_index_that_does_not_answer_is_named(space: cluster.Space) -> None:
    result = fail("image_check", given(space, python("http://192.168.0.1:9/simple"), timeout=60))
    assert codes(result) == ["python.index_unreachable"]
    assert "http://192.168.0.1:9/simple" in result["msg"]
    assert jobs(space, space.name) == []


def test_a_namespace_that_is_not_there_is_not_made(space: cluster.Space) -> None:
    result = succeed("image_check", given(space, MYSQL, namespace="not-there-yet"))
    assert result["checked"] == [f"{cluster.IMAGE} starts: a Pod in default did"]
    assert space.cluster.get("Namespace", "not-there-yet") is None
    assert jobs(space, "default") == []


def test_what_a_pod_shows_is_not_tried_again(space: cluster.Space) -> None:
    space.make("Pod", "shown", spec=cluster.pod_spec(cluster.container()))
    space.wait_for("Pod", "shown", phase="Running")
    result = succeed("image_check", given(space, MYSQL))
    assert result["checked"] == [f"{cluster.IMAGE} starts: Pod {space.name}/shown shows it"]


def test_check_mode_starts_nothing(space: cluster.Space) -> None:
    unseen = {**MYSQL, "image": "registry.invalid/mysql:9.7"}
    result = succeed("image_check", given(space, unseen), check=True)
    assert result["checked"] == []
    assert result["not_proved"] == ["that registry.invalid/mysql:9.7 starts"]
