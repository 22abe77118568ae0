"""Why a Pod does not run, from its status, its events and the log of the run that crashed."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import (
    catalogue,
    kube,
    texts_kube,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import Finding
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import waiting
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.portforward import (
    PodUnavailableError,
    Target,
)

from tests.unit.kube import objects

Object = dict[str, Any]
PLUGINS = Path(__file__).parents[3] / "plugins"


def explain(pod: Object, *events: Object, log: str = "") -> list[Finding]:
    return kube.explain_pod(pod, events, {"mysql-1-abc/mysql": log})


def pending(*containers: Object, **more: Any) -> Object:
    return objects.pod(phase="Pending", containers=list(containers), **more)


def test_an_image_that_cannot_be_pulled_is_named_with_the_registrys_words() -> None:
    message = 'Back-off pulling image "docker.io/library/mysql:9.7": not found'
    pod = pending(objects.waiting("ImagePullBackOff", message))
    (found,) = explain(pod)
    assert found.code == "kube.image_pull"
    assert "docker.io/library/mysql:9.7" in found.summary
    assert found.proof == (f"container mysql: ImagePullBackOff: {message}",)


def test_a_missing_secret_is_named() -> None:
    pod = pending(objects.waiting("CreateContainerConfigError", 'secret "mysql-auth" not found'))
    (found,) = explain(pod)
    assert found.code == "kube.container_config"
    assert 'secret "mysql-auth" not found' in found.proof[0]


LOGS = {
    "storage.permission_denied": (
        "mysqld: File './mysql-bin.index' not found (OS errno 13 - Permission denied)\n"
        "[ERROR] [MY-010119] [Server] Aborting\n"
    ),
    "storage.disk_full": "[ERROR] [InnoDB] Write to file ./ibdata1 failed, errno: 28\n",
    "storage.read_only": "mysqld: Can't create file: Read-only file system\n",
    "kube.datadir_half_made": (
        "[ERROR] --initialize specified but the data directory has files in it. Aborting.\n"
    ),
    "kube.data_dictionary": "[ERROR] [MY-010020] [Server] Data Dictionary initialization failed.\n",
    "kube.unknown_option": "[ERROR] [MY-000067] [Server] unknown variable 'expire_logs_days=7'.\n",
    # As pip 25 writes it.
    "python.index_unreachable": (
        "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after"
        " connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object"
        " at 0x7f4e75322810>: Failed to establish a new connection: [Errno 111] Connection refused')':"
        " /simple/pymysql/\n"
        "ERROR: No matching distribution found for pymysql==1.2.4\n"
    ),
    "python.package_absent": "ERROR: No matching distribution found for pymysql==1.2.4\n",
    "python.hash_differs": (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated\n"
        "    pymysql==1.2.4 from http://127.0.0.1:8999/simple/pymysql/pymysql-1.2.4-py3-none-any.whl\n"
        "        Expected sha256 e169\n"
    ),
    "kube.crash_loop": "Segmentation fault\n",
}


@pytest.mark.parametrize("code", LOGS)
def test_a_crash_is_explained_by_the_log_of_the_run_that_crashed(code: str) -> None:
    pod = objects.pod(
        containers=[objects.crashed()], spec={"volumes": [{"hostPath": {"path": "/d"}}]}
    )
    (found,) = explain(pod, log=LOGS[code])
    assert found.code == code
    assert f"log of mysql-1-abc/mysql: {LOGS[code].splitlines()[0]}" in found.proof


def test_the_index_that_does_not_answer_is_named() -> None:
    index = {"name": "PIP_INDEX_URL", "value": "http://index.example/simple"}
    spec = {"containers": [{"name": "mysql", "env": [index]}]}
    pod = objects.pod(containers=[objects.crashed()], spec=spec)
    (found,) = explain(pod, log=LOGS["python.index_unreachable"])
    assert "http://index.example/simple does not answer" in found.summary
    (found,) = explain(pod, log=LOGS["python.hash_differs"])
    assert any("Expected sha256" in line for line in found.proof)


def test_errno_13_tells_whose_volume_it_is() -> None:
    spec = {
        "volumes": [{"persistentVolumeClaim": {"claimName": "mysql-1"}}],
        "securityContext": {"runAsUser": 999},
    }
    pod = objects.pod(containers=[objects.crashed()], spec=spec)
    (found,) = explain(pod, log=LOGS["storage.permission_denied"])
    assert "volumes: PVC mysql-1; securityContext: runAsUser 999" in found.proof


def test_the_first_crash_is_not_yet_a_loop_of_unknown_cause_but_is_told() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    pod = objects.pod(containers=[objects.container(state=ended, ready=False)])
    (found,) = explain(pod, log="boom")
    assert found.code == "kube.crash_loop"
    assert "container mysql: Error, exit code 1, 0 restarts" in found.proof
    assert "log of mysql-1-abc/mysql: boom" in found.proof


def test_a_container_that_took_too_much_memory_is_named() -> None:
    pod = objects.pod(containers=[objects.crashed(137, reason="OOMKilled")])
    assert [found.code for found in explain(pod)] == ["kube.out_of_memory"]


def test_a_pod_that_fits_nowhere_is_named_with_the_schedulers_words() -> None:
    message = "0/3 nodes are available: 3 Insufficient memory."
    conditions = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    ]
    (found,) = explain(pending(conditions=conditions))
    assert found.code == "kube.unschedulable"
    assert found.proof == (f"condition PodScheduled: Unschedulable: {message}",)


def test_a_failing_probe_is_a_warning() -> None:
    pod = objects.pod(containers=[objects.container(ready=False)])
    (found,) = explain(pod, objects.event(pod, "Unhealthy", "Readiness probe failed: no"))
    assert (found.code, found.severity) == ("kube.probe_failing", "warning")


def test_a_volume_that_cannot_be_mounted_is_named() -> None:
    pod = pending()
    event = objects.event(pod, "FailedMount", 'configmap "mysql-config" not found')
    assert [found.code for found in explain(pod, event)] == ["kube.mount_failed"]


def test_a_healthy_pod_has_no_cause_whatever_happened_before() -> None:
    pod = objects.pod()
    assert explain(pod, objects.event(pod, "Unhealthy", "Readiness probe failed")) == []


def observation(obj: Object | None, **more: Any) -> waiting.Observation:
    kind = obj["kind"] if obj else "Deployment"
    return waiting.Observation(waiting.wanted(kind, "mysql", "mysql-1"), obj, **more)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('pods "mysql-1-x" is forbidden: exceeded quota: small', "kube.quota_exceeded"),
        ("violates PodSecurity restricted", "kube.pod_refused"),
    ],
)
def test_a_deployment_whose_pods_are_refused_says_who_refuses(message: str, code: str) -> None:
    replica_set = {"kind": "ReplicaSet", "metadata": objects.meta("mysql-1-77")}
    event = objects.event(replica_set, "FailedCreate", message)
    (found,) = kube.explain([observation(objects.deployment(), events=(event,))])
    assert found.code == code
    assert found.proof == (f"event FailedCreate: {message}",)


def test_a_refusal_that_is_over_is_not_told() -> None:
    replica_set = {"kind": "ReplicaSet", "metadata": objects.meta("mysql-1-77")}
    event = objects.event(replica_set, "FailedCreate", "exceeded quota")
    seen = observation(objects.deployment(), events=(event,), pods=(objects.pod(),))
    assert kube.explain([seen]) == []


def test_a_failed_job_is_named() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    job = {"kind": "Job", "metadata": objects.meta("mysql-1"), "status": {"conditions": [failed]}}
    (found,) = kube.explain([observation({**job, "spec": {}})])
    assert found.code == "kube.job_failed"


def test_what_is_absent_is_named() -> None:
    (found,) = kube.explain([observation(None)], "ko")
    assert found.code == "kube.absent"
    assert "없습니다" in found.summary


def test_a_road_to_a_pod_that_crashes_is_explained_as_the_pod_is() -> None:
    pod = pending(objects.waiting("ErrImagePull", "no such host"))
    error = PodUnavailableError(Target("mysql", "Service", "mysql-write"), "x", [pod])
    assert [found.code for found in kube.explain_target(error)] == ["kube.image_pull"]


def test_every_text_has_both_languages_with_the_same_facts() -> None:
    for code, text in texts_kube.TEXTS.items():
        facts = [
            {
                field
                for part in (words.summary, words.fix)
                for field in (piece[1] for piece in parse(part))
                if field
            }
            for words in (text.en, text.ko)
        ]
        assert facts[0] >= facts[1], code
        assert all(part.strip() for part in (text.ko.summary, text.ko.fix)), code


def parse(text: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(text))


def test_every_cause_can_be_found_by_something() -> None:
    source = "".join(
        path.read_text() for path in PLUGINS.rglob("*.py") if not path.name.startswith("texts_")
    )
    assert [code for code in texts_kube.TEXTS if f'"{code}"' not in source] == []


def test_every_hopeless_cause_is_in_the_catalogue() -> None:
    assert set(catalogue.TEXTS) >= kube.HOPELESS


def node(name: str, status: str) -> Object:
    ready = {"type": "Ready", "status": status, "reason": "NodeStatusUnknown", "message": "silent"}
    return {"metadata": objects.meta(name, None), "status": {"conditions": [ready]}}


def test_a_pod_on_a_node_that_is_away_is_named_with_the_node_and_nothing_that_follows() -> None:
    pod = objects.pod(containers=[objects.container(ready=False)])
    event = objects.event(pod, "Unhealthy", "Readiness probe failed")
    wanted = waiting.wanted("Deployment", "mysql", "mysql-1")
    asked = waiting.Observation(
        wanted,
        objects.deployment(),
        (pod,),
        (event,),
        nodes={"worker1": node("worker1", "Unknown")},
    )
    (found,) = kube.explain([asked])
    assert found.code == "kube.node_gone"
    assert "mysql-1-abc" in found.subject
    assert found.fix.endswith("kubectl describe node worker1")
    assert "condition Ready is Unknown: NodeStatusUnknown: silent" in found.proof[1]
    assert "on node worker1, which is not ready" in waiting.progress(asked)


@pytest.mark.parametrize(
    ("nodes", "said", "gone"),
    [
        ({"worker1": node("worker1", "True")}, "", False),
        ({"worker1": None}, "", True),
        ({}, "", False),
        ({"worker1": node("worker1", "True")}, "error dialing backend: connection refused", True),
        ({}, "error dialing backend: connection refused", True),
    ],
)
def test_a_node_is_away_by_its_own_word_or_the_api_servers(
    nodes: dict[str, Object | None], said: str, gone: bool
) -> None:
    assert bool(kube.node_gone(objects.pod(), nodes, "en", said)) == gone


def test_what_lies_on_another_node_that_is_away_is_told_beside() -> None:
    """An API waits for its database, and that is not there."""
    web = objects.pod("api-1", containers=[objects.container(ready=False)])
    database = objects.pod("mysql-1-abc", spec={"nodeName": "worker2"})
    asked = waiting.Observation(
        waiting.wanted("Deployment", "mysql", "api"),
        objects.deployment("api"),
        (web,),
        nodes={"worker1": node("worker1", "True"), "worker2": node("worker2", "Unknown")},
        stranded=(database,),
    )
    (found,) = kube.explain([asked])
    assert (found.code, found.subject) == ("kube.node_not_ready", "worker2")
    assert "Pod mysql/mysql-1-abc lies there" in found.proof
