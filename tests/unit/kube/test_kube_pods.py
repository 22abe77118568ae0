from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import pods

from tests.unit.kube import objects

UNSCHEDULED = [
    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
]


@pytest.mark.parametrize(
    ("pod", "state"),
    [
        (objects.pod(), "Ready"),
        (objects.pod(containers=[objects.container(ready=False)]), "Running, not Ready"),
        (
            objects.pod(phase="Pending", containers=[objects.waiting("ErrImagePull")]),
            "Pending (mysql: ErrImagePull)",
        ),
        (objects.pod(containers=[objects.crashed()]), "Running (mysql: CrashLoopBackOff)"),
        (
            objects.pod(phase="Pending", containers=[], conditions=UNSCHEDULED),
            "Pending (Unschedulable)",
        ),
        (objects.pod(deletionTimestamp="2026-01-01T00:00:00Z"), "Terminating"),
        (objects.pod(phase="Succeeded"), "Succeeded"),
    ],
)
def test_state_is_one_phrase(pod: dict[str, Any], state: str) -> None:
    assert pods.state(pod) == state


def test_started_is_not_ready() -> None:
    started = objects.pod(containers=[objects.container(ready=False)])
    assert pods.is_started(started)
    assert not pods.is_ready(started)
    starting = objects.pod(containers=[objects.container(started=False, ready=False)])
    assert not pods.is_started(starting)
    assert not pods.is_started(objects.pod(containers=[]))


def test_a_crash_is_known_by_how_it_ended_even_while_it_backs_off() -> None:
    (container,) = pods.containers(objects.pod(containers=[objects.crashed(exit_code=13)]))
    assert container.crashing
    assert (container.exit_code, container.restarts) == (13, 3)


def test_a_container_that_runs_again_after_a_crash_is_not_crashing() -> None:
    again = objects.container(
        restartCount=1, lastState={"terminated": {"exitCode": 1, "reason": "Error"}}
    )
    (container,) = pods.containers(objects.pod(containers=[again]))
    assert not container.crashing


def test_a_finished_init_container_is_not_a_problem() -> None:
    pod = objects.pod()
    done = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    pod["status"]["initContainerStatuses"] = [objects.container("own", state=done, ready=True)]
    assert pods.state(pod) == "Ready"
    assert not any(entry.crashing for entry in pods.containers(pod))
