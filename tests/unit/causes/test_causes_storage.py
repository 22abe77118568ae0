"""Which StorageClass is taken, and why a claim has no volume."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import polling
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import storage as causes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import volumes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.storage import Wanted
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import (
    CollectionError,
    Finding,
    errors,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import storage
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.storage import StorageState

from tests.unit.kube import objects

Object = dict[str, Any]
LOCAL_PATH = "rancher.io/local-path"
PROVISIONER = {LOCAL_PATH: (objects.pod("local-path-provisioner-1", "local-path-storage"),)}


def state(*classes: Object, **more: Any) -> StorageState:
    return StorageState(classes=classes, **{"provisioner_pods": PROVISIONER, **more})


def chosen(found: causes.Choice) -> str:
    return str(found.storage_class["metadata"]["name"]) if found.storage_class else ""


def codes(findings: Any) -> list[str]:
    return [found.code for found in errors(findings)]


def test_the_named_class_is_taken() -> None:
    both = state(objects.storage_class("a", default=True), objects.storage_class("b"))
    assert chosen(causes.choose(both, Wanted("b"))) == "b"


def test_the_default_is_taken_else_the_only_one() -> None:
    both = state(objects.storage_class("a"), objects.storage_class("b", default=True))
    assert chosen(causes.choose(both, Wanted())) == "b"
    assert chosen(causes.choose(state(objects.storage_class("only")), Wanted())) == "only"


def test_of_two_defaults_the_newest_is_taken_as_kubernetes_does_and_said() -> None:
    old, new = objects.storage_class("a", default=True), objects.storage_class("b", default=True)
    new["metadata"]["creationTimestamp"] = "2026-02-02"
    choice = causes.choose(state(old, new), Wanted())
    assert chosen(choice) == "b"
    (found,) = [one for one in choice.findings if one.code == "storage.two_defaults"]
    assert "kubectl annotate storageclass a " in found.fix


def test_the_courses_missing_class_is_named_with_the_one_that_is_there() -> None:
    choice = causes.choose(state(objects.storage_class("hostpath")), Wanted("standard"))
    assert choice.storage_class is None
    (found,) = choice.findings
    assert found.code == "storage.class_missing"
    assert found.summary == "The StorageClass standard does not exist"
    assert found.proof == ("StorageClasses of the cluster: hostpath",)
    assert found.fix == "Name one that exists: hostpath"


def test_several_classes_and_no_default_are_a_choice_for_the_user() -> None:
    choice = causes.choose(state(objects.storage_class("a"), objects.storage_class("b")), Wanted())
    assert codes(choice.findings) == ["storage.no_default_class"]
    assert "a, b" in choice.findings[0].fix


def test_that_its_class_was_not_there_is_past_once_it_is() -> None:
    claim = objects.claim(storageClassName="local-path")
    message = 'storageclass.storage.k8s.io "local-path" not found'
    gone = (objects.event(claim, "ProvisioningFailed", message),)
    late = objects.storage_class("local-path", volumeBindingMode=storage.FIRST_CONSUMER)
    assert codes(causes.explain_claim(claim, state(events=gone), False)) == [
        "storage.claim_class_missing"
    ]
    assert codes(causes.explain_claim(claim, state(late, events=gone), False)) == []
    other = (*gone, objects.event(claim, "ProvisioningFailed", "no space left"))
    assert codes(causes.explain_claim(claim, state(late, events=other), False)) == [
        "storage.provisioning_failed"
    ]


def test_no_class_at_all() -> None:
    assert codes(causes.choose(state(), Wanted()).findings) == ["storage.no_class"]


def test_a_provisioner_that_does_not_run_is_named() -> None:
    pods = {LOCAL_PATH: (objects.pod("p", phase="Pending", containers=[]),)}
    choice = causes.choose(state(objects.storage_class(), provisioner_pods=pods), Wanted())
    assert codes(choice.findings) == ["storage.provisioner_absent"]
    (found,) = errors(choice.findings)
    assert "Pods labelled app=local-path-provisioner: p Pending" in found.proof


def test_a_class_without_provisioner_needs_a_free_volume() -> None:
    static = objects.storage_class("manual", provisioner="kubernetes.io/no-provisioner")
    assert codes(causes.choose(state(static), Wanted()).findings) == ["storage.no_provisioner"]
    free = (objects.volume(storageClassName="manual"),)
    assert codes(causes.choose(state(static, volumes=free), Wanted()).findings) == []


def explain(
    claim: Object | None, *classes: Object, bound: bool = False, **more: Any
) -> list[Finding]:
    known = classes or (objects.storage_class(default=True),)
    given = state(*known, claims={"mysql-1": claim}, **more)
    return causes.explain(given, Wanted(bound=bound), known[0])


IMMEDIATE = objects.storage_class(volumeBindingMode="Immediate")
NO_SPACE = objects.event(objects.claim(), "ProvisioningFailed", "failed to provision: no space")
USER = objects.pod(spec={"volumes": [{"persistentVolumeClaim": {"claimName": "mysql-1"}}]})


@pytest.mark.parametrize(
    ("code", "claim", "classes", "more", "proof"),
    [
        ("storage.claim_absent", None, [], {}, "PVCs read by name: mysql-1 not found"),
        (
            "storage.claim_class_missing",
            objects.claim(storageClassName="standard"),
            [],
            {},
            "PVC mysql/mysql-1: phase Pending, storageClassName standard",
        ),
        (
            "storage.class_differs",
            objects.claim(storageClassName="standard"),
            [],
            {"volumes": (objects.volume(storageClassName="hostpath"),)},
            "PV pv-1: storageClassName hostpath",
        ),
        (
            "storage.class_differs",
            objects.claim(volumeName="pv-1"),
            [],
            {"volumes": (objects.volume(storageClassName="manual"),)},
            "PV pv-1: storageClassName manual",
        ),
        (
            "storage.class_differs",
            objects.claim(),
            [],
            {
                "volumes": (
                    objects.volume(
                        storageClassName="manual",
                        claimRef={"namespace": "mysql", "name": "mysql-1"},
                    ),
                )
            },
            "PV pv-1: storageClassName manual",
        ),
        (
            "storage.claim_no_class",
            objects.claim(storageClassName=None),
            [],
            {},
            "PVC mysql/mysql-1: phase Pending, storageClassName none",
        ),
        (
            "storage.provisioning_failed",
            objects.claim(),
            [],
            {"events": (NO_SPACE,)},
            "event ProvisioningFailed: failed to provision: no space",
        ),
        (
            "storage.claim_stuck",
            objects.claim(),
            [],
            {"pods": (USER,)},
            "PVC mysql/mysql-1: phase Pending, storageClassName local-path",
        ),
        (
            "storage.claim_pending",
            objects.claim(),
            [IMMEDIATE],
            {},
            "PVC mysql/mysql-1: phase Pending, storageClassName local-path",
        ),
        (
            "storage.claim_lost",
            objects.claim(phase="Lost", volumeName="pv-9"),
            [],
            {},
            "PVC mysql/mysql-1: phase Lost, storageClassName local-path",
        ),
    ],
)
def test_each_claim_without_volume_has_its_cause(
    code: str, claim: Object | None, classes: list[Object], more: Object, proof: str
) -> None:
    found = errors(explain(claim, *classes, **more))
    assert [one.code for one in found] == [code]
    assert proof in found[0].proof


def test_a_claim_that_waits_for_its_first_pod_is_normal_unless_it_must_be_bound() -> None:
    normal = explain(objects.claim())
    assert [(found.code, found.severity) for found in normal] == [
        ("storage.waits_for_consumer", "info")
    ]
    assert codes(explain(objects.claim(), bound=True)) == ["storage.claim_unused"]
    assert explain(objects.claim(phase="Bound")) == []


def unlike(claim: Object, wanted: Wanted) -> list[str]:
    known = objects.storage_class()
    return codes(causes.explain(state(known, claims={"mysql-1": claim}), wanted, known))


def test_a_claim_that_exists_and_differs_is_named() -> None:
    old = objects.claim(phase="Bound", storageClassName="old")
    assert unlike(old, Wanted("local-path")) == ["storage.claim_other_class"]
    # Without a class named, what is there is right.
    assert unlike(old, Wanted()) == []
    small = objects.claim(phase="Bound")
    assert unlike(small, Wanted(size="8Gi")) == ["storage.claim_too_small"]
    assert unlike(small, Wanted(size="4Gi")) == []
    reader = objects.claim(phase="Bound", accessModes=["ReadOnlyMany"])
    assert unlike(reader, Wanted()) == ["storage.claim_access_mode"]


def test_two_servers_on_one_volume_are_named() -> None:
    spec = {
        "volumes": [{"persistentVolumeClaim": {"claimName": "mysql-1"}}],
        "containers": [{"name": "mysql", "ports": [{"containerPort": 3306}]}],
    }
    two = (objects.pod("a", spec=spec), objects.pod("b", spec=spec))
    assert codes(explain(objects.claim(phase="Bound"), pods=two)) == ["storage.claim_shared"]
    assert codes(explain(objects.claim(phase="Bound"), pods=two[:1])) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4Gi", Decimal(4 * 2**30)),
        ("500M", Decimal(500_000_000)),
        ("250m", Decimal("0.25")),
        ("2", Decimal(2)),
        ("1.5Ki", Decimal(1536)),
        ("1e3", Decimal(1000)),
    ],
)
def test_quantities(text: str, number: Decimal) -> None:
    assert storage.quantity(text) == number


@pytest.mark.parametrize("text", ["4 GB", "", "Gi", "4gi", "four"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(CollectionError, match="is not a quantity such as 500Mi"):
        storage.quantity(text)


def test_a_check_fails_with_what_it_found_and_where_the_claims_stand() -> None:
    given = state(objects.storage_class("hostpath"), claims={"mysql-1": None})
    with pytest.raises(CollectionError, match="Storage is not ready: standard, mysql-1") as caught:
        volumes.check(lambda: given, Wanted("standard"), "en", 0)
    assert caught.value.details["claims"][0]["state"] == "absent"
    assert caught.value.details["storage_class"] == ""


def test_a_check_waits_for_a_claim_that_is_being_provisioned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "sleep", lambda _seconds: None)
    pending = state(IMMEDIATE, claims={"mysql-1": objects.claim()})
    bound = state(IMMEDIATE, claims={"mysql-1": objects.claim(phase="Bound")})
    looks = iter([pending, pending, bound])
    result = volumes.check(lambda: next(looks), Wanted("local-path"), "en", 3600)
    assert result["claims"][0]["state"] == "bound"
    assert result["binding_mode"] == "Immediate"
