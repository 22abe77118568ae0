# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Pods show of a run's images, and the Job that tries the rest."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import image_check

IMAGE = "docker.io/library/python:3.13-slim"


def variable(index: str) -> list[dict[str, str]]:
    return [{"name": "PIP_INDEX_URL", "value": index}] if index else []


def pod(image: str, index: str, exit_code: int = 0, image_id: str = "sha256:1") -> dict[str, Any]:
    init = {"name": "packages", "image": image, "env": variable(index)}
    state = {"terminated": {"exitCode": exit_code}}
    return {
        "metadata": {"namespace": "mysql", "name": "app"},
        "spec": {"initContainers": [init], "containers": []},
        "status": {
            "phase": "Running",
            "initContainerStatuses": [{"name": "packages", "imageID": image_id, "state": state}],
        },
    }


@pytest.mark.parametrize(
    ("seen", "index", "shows"),
    [
        (pod("python:3.13-slim", "https://a/simple"), "", True),
        (pod(IMAGE, "https://a/simple"), "https://a/simple", True),
        # Another index, one that failed, an image that never came, another image.
        (pod(IMAGE, "https://a/simple"), "https://b/simple", False),
        (pod(IMAGE, "https://a/simple", exit_code=1), "https://a/simple", False),
        (pod(IMAGE, "", image_id=""), "", False),
        (pod("docker.io/library/python:3.12-slim", ""), "", False),
    ],
)
def test_a_pod_shows_an_image_and_an_index(seen: dict[str, Any], index: str, shows: bool) -> None:
    wanted = {"name": "python", "image": IMAGE, "env": variable(index)}
    assert image_check.shown(wanted, [seen]) == ("mysql/app" if shows else "")


def test_the_job_is_taken_by_the_strictest_pod_security_level() -> None:
    job = image_check.manifest("mysql", "mysql", [{"name": "python", "image": IMAGE}])
    spec = job["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
