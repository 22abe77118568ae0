"""What becomes of each instance of a cluster that somebody else built."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import adoption
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.adoption import (
    Adoptee,
    Instance,
    Rows,
    Wanted,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.foreign import Engine, Found
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Server
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    Channel,
    State,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.table_sums import Sum

NAMES = ("mysql-1", "mysql-11", "mysql-12")
IMAGE = "docker.io/library/mysql:9.7"


def wanted(**more: Any) -> Wanted:
    return Wanted(
        **{"namespace": "course", "cluster": "mysql", "names": NAMES, "image": IMAGE} | more
    )


def engine(deployment: str, **more: Any) -> Engine:
    given = {"claim": f"{deployment}-pvc", "image": "mysql:9.7", "labels": {"app": deployment}}
    return Engine(deployment, **given | more)


COURSE = (engine("mysql-primary"), engine("mysql-replica-1"), engine("mysql-replica-2"))
WRITE = {"mysql-write": {"app": "mysql-primary"}}


def state(number: int = 1, uuid: str = "u1", channel: Channel | None = None, **more: Any) -> State:
    given: dict[str, Any] = {
        "gtid_mode": "OFF",
        "enforce_gtid_consistency": "OFF",
        "log_bin": True,
        "gtid_executed": "",
        "gtid_purged": "",
        "read_only": False,
        "super_read_only": False,
        "channels": (channel,) if channel else (),
    }
    return State(Server((9, 7, 4), "9.7.4", number, uuid), **given | more)


def running(by_gtid: bool = False) -> Channel:
    threads: dict[str, Any] = {"receiver": "running", "applier": "running"}
    settings = {"host": "mysql-write", "port": 3306, "auto_position": by_gtid}
    return Channel("", settings, source_log_file="b.1", source_uuid="u1", **threads)


BROKEN = Channel("", {"host": "mysql-write", "port": 3306, "auto_position": False})


def instances(*replicas: Instance) -> tuple[Instance, ...]:
    return (Instance("mysql-1", COURSE[0], state()), *replicas)


def test_the_instances_are_named_in_order_the_primary_first() -> None:
    assigned = adoption.assign(Found(True, COURSE, WRITE), wanted())
    assert [(name, each.deployment) for name, each in assigned] == [
        ("mysql-1", "mysql-primary"),
        ("mysql-11", "mysql-replica-1"),
        ("mysql-12", "mysql-replica-2"),
    ]


def test_a_named_primary_wins_over_the_service() -> None:
    assigned = adoption.assign(Found(True, COURSE, WRITE), wanted(primary="mysql-replica-2"))
    assert [each.deployment for _name, each in assigned] == [
        *("mysql-replica-2", "mysql-primary", "mysql-replica-1")
    ]


def test_what_an_earlier_run_decided_holds() -> None:
    gone = Engine("", claim="mysql-primary-pvc", instance="mysql-1")
    other = engine("mysql-replica-2", instance="mysql-11")
    found = Found(True, (gone, engine("mysql-replica-1"), other), WRITE)
    assigned = dict(adoption.assign(found, wanted()))
    assert {name: each.claim for name, each in assigned.items()} == {
        "mysql-1": "mysql-primary-pvc",
        "mysql-11": "mysql-replica-2-pvc",
        "mysql-12": "mysql-replica-1-pvc",
    }


def test_after_a_switchover_the_primary_is_who_the_service_names() -> None:
    ours = tuple(engine(name, instance=name, taken=True) for name in NAMES)
    services = {"mysql-write": {adoption.SERVER_LABEL: "mysql-11"}}
    assert adoption.assign(Found(True, ours, services), wanted())[0][0] == "mysql-11"


@pytest.mark.parametrize(
    ("found", "more", "code"),
    [
        (Found(True), {}, "adopt.nothing"),
        (Found(True, COURSE[:2], WRITE), {}, "adopt.instance_count"),
        (Found(True, COURSE), {}, "adopt.primary_unknown"),
        (Found(True, COURSE, WRITE), {"primary": "web"}, "adopt.primary_unknown"),
        (
            Found(True, (*COURSE[:2], engine("x", hindrances=("spec.replicas = 2",))), WRITE),
            {},
            "adopt.deployment_form",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(found: Found, more: dict[str, Any], code: str) -> None:
    with pytest.raises(CollectionError) as refused:
        adoption.assign(found, wanted(**more))
    assert [each.code for each in refused.value.findings] == [code]


def sums(**rows: int) -> dict[str, Sum]:
    return {name.replace("__", "."): Sum(count, f"{count:08x}", "") for name, count in rows.items()}


def test_rows_that_only_a_replica_has_would_be_lost() -> None:
    rows = adoption.compare(sums(e__a=5, e__b=2), sums(e__b=3, e__c=1))
    assert rows == Rows(("e.c",), ("e.a",), {"e.b": (3, 2)})
    assert rows.lost


def test_an_empty_replica_and_half_a_copy_lose_nothing() -> None:
    assert not adoption.compare(sums(e__a=5), {}).lost
    assert not adoption.compare(sums(e__a=5), sums(e__a=0)).lost
    half = sums(e__a=3, mysql_on_kubernetes_seeding__x=0)
    assert not adoption.compare(sums(e__a=5), half).lost


SAME, OTHER = Rows(), Rows(only_there=("e.c",))


@pytest.mark.parametrize(
    ("channel", "rows", "taken", "treatment", "detach"),
    [
        (None, Rows(lacking=("e.a",)), False, "seed", False),
        (BROKEN, SAME, False, "seed", True),
        (running(), SAME, False, "follow", False),
        (running(), OTHER, False, "seed", True),
        (running(by_gtid=True), None, True, "follow", False),
    ],
)
def test_what_becomes_of_a_replica(
    channel: Channel | None, rows: Rows | None, taken: bool, treatment: str, detach: bool
) -> None:
    mode = "ON" if taken else "OFF"
    replica = Instance(
        "mysql-11", engine("r", taken=taken), state(11, "u2", channel, gtid_mode=mode), rows
    )
    primary = instances()[0]
    assert adoption.treatment(replica, primary) == treatment
    assert adoption.detached(replica, primary) == detach


def test_an_applier_that_somebody_stopped_does_not_get_an_adopted_replica_seeded() -> None:
    settings = {"host": "mysql-write", "port": 3306, "auto_position": True}
    stopped = Channel("", settings, receiver="running", applier="stopped")
    ours = Instance("mysql-11", engine("r", taken=True), state(11, "u2", stopped, gtid_mode="ON"))
    assert adoption.treatment(ours, instances()[0]) == "follow"


def test_a_copied_uuid_is_changed_on_the_later_one_alone() -> None:
    every = instances(
        Instance("mysql-11", COURSE[1], state(1, "u1")), Instance("mysql-12", COURSE[2], None)
    )
    assert [adoption.copied_uuid(each, every) for each in every] == [False, True, False]


def test_the_faults_are_named_and_what_only_a_replica_has_is_refused_until_it_is_named() -> None:
    every = instances(
        Instance("mysql-11", COURSE[1], state(1, "u1", BROKEN), OTHER),
        Instance("mysql-12", COURSE[2], state(1, "u3"), Rows(lacking=("e.a",))),
    )
    read = Adoptee(Found(True, COURSE, WRITE), every, None)
    codes = {each.code for each in adoption.faults(read, wanted())}
    assert {
        "replication.replicas_share_server_id",
        "replication.replica_uuid_duplicate",
        "replication.gtid_off",
        "replication.receiver_stopped",
        "replication.not_configured",
        "adopt.data_first",
    } <= codes
    assert [each.code for each in adoption.refusals(read, wanted())] == ["adopt.only_there"]
    for name in ("mysql-11", "mysql-replica-1"):
        named = wanted(overwrite=(name,))
        assert adoption.refusals(read, named) == []
        assert adoption.overwritten(read, named) == ["mysql-11", "mysql-12"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"image": "mysql:8.4"}, "adopt.image_differs"),
        ({"fixed": {"lower_case_table_names": "1"}}, "adopt.option_fixed"),
    ],
)
def test_what_the_data_would_not_bear_is_refused(more: dict[str, Any], code: str) -> None:
    one = Instance("mysql-1", COURSE[0], state(), options={"lower_case_table_names": "0"})
    read = Adoptee(Found(True, COURSE, WRITE), (one,), None)
    assert [each.code for each in adoption.refusals(read, wanted(**more))] == [code]
    assert adoption.refusals(read, wanted()) == []


def test_services_of_others_are_named() -> None:
    services = {**WRITE, "mysql": {"app": "mysql-primary"}, "web": {"app": "web"}}
    read = Adoptee(Found(True, COURSE, services), instances(), None)
    assert adoption.stranded(read, wanted()) == ["mysql"]
    assert adoption.reselected(read, wanted()) == ["mysql-write"]
