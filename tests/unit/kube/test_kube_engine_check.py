from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import (
    engine_check,
    topology,
    waiting,
)

from tests.unit.kube import objects

VERSION = "mysqld  Ver 9.7.4 for Linux on x86_64 (Source distribution)"


def seen(message: str) -> waiting.Observation:
    ended = {"terminated": {"exitCode": 0, "message": message}}
    pod = objects.pod(phase="Succeeded", containers=[objects.container("check", state=ended)])
    wanted = waiting.wanted("Job", "mysql", "mysql-engine-check-1")
    return waiting.Observation(wanted, {"kind": "Job", "metadata": objects.meta("job")}, (pod,))


def test_the_answer_is_what_the_container_left():
    answer = engine_check.parse(seen(f"{VERSION}\nexit code 1\n[ERROR] one\n[ERROR] two\n"))
    assert answer == engine_check.Answer(VERSION, 1, "[ERROR] one\n[ERROR] two")


def test_a_server_that_agrees_says_nothing():
    assert engine_check.parse(seen(f"{VERSION}\nexit code 0\n")).said == ""


@pytest.mark.parametrize("message", ["", "something else entirely", f"{VERSION}\nexit code\n"])
def test_no_answer_is_not_taken_for_one(message):
    with pytest.raises(CollectionError, match="left no answer"):
        engine_check.parse(seen(message))


def test_the_same_question_has_the_same_name_and_another_one_has_not():
    name = engine_check.name_of("mysql", "mysql:9.7", "[mysqld]\n")
    assert name == engine_check.name_of("mysql", "mysql:9.7", "[mysqld]\n")
    assert name != engine_check.name_of("mysql", "mysql:9.7", "[mysqld]\nlog_bin = x\n")
    assert name != engine_check.name_of("mysql", "mysql:8.4", "[mysqld]\n")


def test_the_job_is_nobodys_endpoint_and_goes_by_itself():
    job = engine_check.manifest("shop", "mysql", "mysql:9.7", "[mysqld]\n", "IfNotPresent")
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert not labels.keys() & {
        topology.SERVER_LABEL,
        topology.READS_LABEL,
        "app.kubernetes.io/instance",
    }
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert job["spec"]["activeDeadlineSeconds"] > 0
    assert job["spec"]["backoffLimit"] == 0
