from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.catalogue import finding
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import (
    CollectionError,
    Finding,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import pods, waiting
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.waiting import Observation

from tests.unit.kube import objects

Object = dict[str, Any]


def seen(obj: Object | None, condition: str, **more: Any) -> Observation:
    kind, name = (obj["kind"], obj["metadata"]["name"]) if obj else ("Pod", "gone")
    return Observation(waiting.wanted(kind, "mysql", name, condition), obj, **more)


ROLLED = objects.deployment(replicas=2, updatedReplicas=2, availableReplicas=2, replicas_=2)
ROLLED["status"]["replicas"] = 2


@pytest.mark.parametrize(
    ("status", "met"),
    [
        ({}, True),
        ({"availableReplicas": 1}, False),
        ({"updatedReplicas": 1}, False),
        ({"replicas": 3}, False),
        ({"observedGeneration": 1}, False),
    ],
)
def test_a_deployment_is_ready_when_its_newest_spec_is_rolled_out(
    status: Object, met: bool
) -> None:
    deployment = {**ROLLED, "status": {**ROLLED["status"], **status}}
    assert waiting.is_met(seen(deployment, "ready")) is met


def test_a_deployment_has_started_when_every_wanted_pod_has() -> None:
    unready = objects.pod(containers=[objects.container(ready=False)])
    deployment = objects.deployment(replicas=1, updatedReplicas=1)
    assert waiting.is_met(seen(deployment, "started", pods=(unready,)))
    assert not waiting.is_met(seen(deployment, "ready", pods=(unready,)))
    assert not waiting.is_met(seen(deployment, "started"))
    # An old Pod that has not gone yet still holds the volume.
    assert not waiting.is_met(seen(deployment, "started", pods=(unready, objects.pod("old"))))


@pytest.mark.parametrize(
    ("claim", "more", "bound", "first"),
    [
        (objects.claim(phase="Bound"), {}, True, True),
        (objects.claim(), {"storage_class": objects.storage_class()}, False, True),
        (objects.claim(), {}, False, False),
        (
            objects.claim(),
            {"storage_class": objects.storage_class(volumeBindingMode="Immediate")},
            False,
            False,
        ),
        (
            objects.claim(),
            {
                "storage_class": objects.storage_class(),
                "events": (objects.event(objects.claim(), "ProvisioningFailed", "no space"),),
            },
            False,
            False,
        ),
        (objects.claim(phase="Lost"), {"storage_class": objects.storage_class()}, False, False),
    ],
)
def test_a_claim_that_waits_for_its_first_pod_is_told_from_a_stuck_one(
    claim: Object, more: Object, bound: bool, first: bool
) -> None:
    assert waiting.is_met(seen(claim, "bound", **more)) is bound
    assert waiting.is_met(seen(claim, "bound_or_first_consumer", **more)) is first


def test_a_service_has_its_address() -> None:
    assert waiting.is_met(seen(objects.service(holds="192.168.0.251"), "ip"))
    assert not waiting.is_met(seen(objects.service(), "ip"))
    assert waiting.progress(seen(objects.service(), "ip")) == "no address yet"


def test_a_job_is_complete_only_when_it_says_so() -> None:
    job: Object = {"kind": "Job", "metadata": objects.meta("load"), "spec": {}, "status": {}}
    assert not waiting.is_met(seen(job, "complete"))
    job["status"] = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
    assert waiting.is_met(seen(job, "complete"))


def test_what_is_being_deleted_or_absent_is_never_there() -> None:
    assert not waiting.is_met(seen(objects.pod(deletionTimestamp="2026-01-01"), "ready"))
    assert not waiting.is_met(seen(None, "ready"))
    assert waiting.progress(seen(None, "ready")) == "absent"


def test_a_condition_that_a_kind_cannot_have_is_refused() -> None:
    with pytest.raises(CollectionError, match="'ready' is not one of bound, .* PersistentVolume"):
        waiting.wanted("PersistentVolumeClaim", "mysql", "mysql-1", "ready")
    assert waiting.wanted("Service", "mysql", "a").condition == "ip"


def test_events_of_a_deployment_are_those_of_its_pods_and_replica_sets() -> None:
    deployment, pod = objects.deployment("mysql-1"), objects.pod("mysql-1-abc")
    replica_set = {"kind": "ReplicaSet", "metadata": objects.meta("mysql-1-77")}
    other = {"kind": "ReplicaSet", "metadata": objects.meta("mysql-2-77")}
    events = [
        objects.event(replica_set, "FailedCreate", "exceeded quota"),
        objects.event(pod, "Failed", "no image"),
        objects.event(other, "FailedCreate", "another's"),
    ]
    found = waiting.events_of(events, [deployment, pod])
    assert [event["message"] for event in found] == ["exceeded quota", "no image"]


class Logs:
    """Knows the log of each run, and notes which was asked for."""

    def __init__(self, current: str, previous: str) -> None:
        self.texts = {False: current, True: previous}

    def log(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        return self.texts[previous]


ENDED = objects.container(
    ready=False,
    restartCount=1,
    state={"terminated": {"exitCode": 1, "reason": "Error"}},
    lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
)


@pytest.mark.parametrize(
    ("status", "current", "previous", "wanted"),
    [
        (objects.crashed(), "starting", "it crashed", "it crashed"),
        (objects.crashed(), "it crashed", "", "it crashed"),
        (ENDED, "it crashed again", "it crashed", "it crashed again"),
        (ENDED, "", "it crashed", "it crashed"),
        (ENDED, "", "", ""),
    ],
)
def test_the_log_of_the_run_that_crashed_is_read(
    status: Object, current: str, previous: str, wanted: str
) -> None:
    pod = objects.pod(containers=[status])
    (entry,) = pods.containers(pod)
    cluster: Any = Logs(current, previous)
    assert waiting.crash_log(cluster, pod, entry) == wanted


class Looks:
    """Gives one observation after another, the last one for ever."""

    def __init__(self, *observations: Observation) -> None:
        self.left = list(observations)

    def __call__(self) -> list[Observation]:
        return [self.left.pop(0) if len(self.left) > 1 else self.left[0]]


def cause(waiting_for: Any) -> list[Finding]:
    return [finding("kube.absent", subject=str(one.wanted), proof=["read"]) for one in waiting_for]


def wait(looks: Looks, **more: Any) -> waiting.Outcome:
    given: dict[str, Any] = {"timeout": 60, "patience": 60, "hopeless": {"kube.absent"}, **more}
    return waiting.wait(looks, cause, **given)


def test_a_wait_ends_when_all_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL", 0)
    outcome = wait(Looks(seen(None, "ready"), seen(objects.pod(), "ready")))
    assert waiting.waited_for(outcome.observations)[0]["met"] is True


def test_a_wait_ends_early_by_a_cause_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL", 0)
    with pytest.raises(CollectionError, match="Pod mysql/gone is not ready") as caught:
        wait(Looks(seen(None, "ready")), timeout=3600, patience=0)
    assert [found.code for found in caught.value.findings] == ["kube.absent"]
    assert caught.value.details["waited_for"][0]["state"] == "absent"


def test_a_cause_that_may_heal_is_waited_out_and_named_at_the_end() -> None:
    with pytest.raises(CollectionError, match="the time is over") as caught:
        wait(Looks(seen(None, "ready")), timeout=0, patience=0, hopeless=set())
    assert [found.code for found in caught.value.findings] == ["kube.absent"]
