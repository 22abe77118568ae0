"""The doctor's judgement: each cause once, at its root; nothing where nothing is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import doctor
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.doctor import Seen, Wanted
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.instances import Reading
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import topology, waiting
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.workload import (
    VolumeUse,
    WorkloadState,
    volume_uses,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Server
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    Channel,
    State,
)

from tests.unit.kube import objects

Object = dict[str, Any]

UUIDS = {
    "mysql-1": "00000000-0000-0000-0000-000000000001",
    "mysql-11": "00000000-0000-0000-0000-000000000011",
}
SETTINGS: Object = {
    "host": "mysql-write",
    "port": 3306,
    "user": "replication",
    "auto_position": True,
    "connect_retry": 5,
    "retry_count": 10,
    "heartbeat_period": 2.0,
    "get_public_key": True,
}
CHANNEL = Channel(
    name="",
    settings=SETTINGS,
    receiver="running",
    applier="running",
    source_uuid=UUIDS["mysql-1"],
    source_log_file="mysql-bin.000002",
    heard_seconds_ago=0.5,
)


def state(name: str, **more: Any) -> State:
    number = int(name.rpartition("-")[2])
    return State(
        server=Server((9, 7, 4), "9.7.4", number, UUIDS[name]),
        **{
            "gtid_mode": "ON",
            "enforce_gtid_consistency": "ON",
            "log_bin": True,
            "gtid_executed": f"{UUIDS['mysql-1']}:1-9",
            "gtid_purged": "",
            "read_only": number != 1,
            "super_read_only": number != 1,
            "channels": () if number == 1 else (CHANNEL,),
            **more,
        },
    )


def labels(name: str, reads: str) -> dict[str, str]:
    return {topology.SERVER_LABEL: name, topology.READS_LABEL: reads}


def deployment(name: str) -> Object:
    made = objects.deployment(name, readyReplicas=1)
    volumes = [{"persistentVolumeClaim": {"claimName": name}}]
    container = {"name": "mysql", "args": [f"--server-id={name.rpartition('-')[2]}"]}
    made["spec"]["template"] = {"spec": {"containers": [container], "volumes": volumes}}
    return made


def pod(name: str, **more: Any) -> Object:
    reads = "no" if name == "mysql-1" else "yes"
    spec = {"volumes": [{"persistentVolumeClaim": {"claimName": name}}]}
    return objects.pod(f"{name}-abc", labels=labels(name, reads), spec=spec, **more)


def service(name: str, **selector: str) -> Object:
    return objects.service(name, "mysql", type="ClusterIP", selector=selector)


def endpoints(name: str, ready: bool = True) -> Object:
    meta = objects.meta(f"{name}-1", labels={"kubernetes.io/service-name": name})
    return {"metadata": meta, "endpoints": [{"conditions": {"ready": ready}}]}


def workload(**pods: Object) -> WorkloadState:
    names = ("mysql-1", "mysql-11")
    live = {name: pods.get(name.replace("-", "_"), pod(name)) for name in names}
    write = service("mysql-write", **{topology.SERVER_LABEL: "mysql-1"})
    return WorkloadState(
        topology=topology.build(
            "mysql", [deployment(name) for name in names], list(live.values()), write
        ),
        deployments={
            name: waiting.Observation(
                waiting.wanted("Deployment", "mysql", name), deployment(name), (live[name],)
            )
            for name in names
        },
        services=(write, service("mysql-read", **{topology.READS_LABEL: "yes"})),
        slices=(endpoints("mysql-write"), endpoints("mysql-read")),
        claims={name: objects.claim(name, phase="Bound") for name in names},
        secret_made="2026-01-02T00:00:00Z",
    )


HEALTHY = Seen(
    workload=workload(),
    readings=(
        Reading("mysql-11", state("mysql-11")),
        Reading("mysql-1", state("mysql-1"), plugins={"replication": "caching_sha2_password"}),
    ),
    primary="mysql-1",
)


def codes(seen: Seen, **wanted: Any) -> list[str]:
    return [one.code for one in doctor.explain(seen, Wanted(**wanted)).findings]


def replica(**more: Any) -> Seen:
    """The healthy cluster with another replica."""
    return with_reading(Reading("mysql-11", state("mysql-11", **more)))


def channel(**more: Any) -> Seen:
    return replica(channels=(replace(CHANNEL, **more),))


def with_reading(reading: Reading) -> Seen:
    others = tuple(one for one in HEALTHY.readings if one.name != reading.name)
    ordered = (*others, reading) if reading.name == "mysql-1" else (reading, *others)
    return replace(HEALTHY, readings=ordered)


def test_nothing_is_wrong_with_a_healthy_cluster() -> None:
    diagnosis = doctor.explain(HEALTHY, Wanted())
    assert diagnosis.findings == ()
    assert diagnosis.verdict == "ok"
    assert diagnosis.settled
    assert doctor.report(diagnosis) == [
        "No cause found: 3 things were looked at, all as they should be"
    ]


def test_a_block_for_each_cause_in_both_languages() -> None:
    seen = replica(super_read_only=False)
    lines = doctor.report(doctor.explain(seen, Wanted()))
    assert lines[0].startswith("WARNING  The replica mysql-11 can be written to")
    assert lines[1].startswith("  proof: mysql-11: @@read_only = 1")
    assert lines[2] == "  next:  On mysql-11: SET PERSIST super_read_only = ON"
    lines = doctor.report(doctor.explain(seen, Wanted(language="ko")), "ko")
    assert lines[1].startswith("  증거:")
    assert lines[2].startswith("  다음:")


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (replica(gtid_mode="OFF"), "mysql.gtid_off"),
        (replica(channels=()), "replication.not_configured"),
        (channel(applier="stopped"), "replication.applier_stopped"),
        (channel(source_uuid=UUIDS["mysql-11"]), "replication.wrong_source"),
        (channel(settings={**SETTINGS, "get_public_key": False}), "replication.key_missing"),
        (
            with_reading(Reading("mysql-1", state("mysql-1", super_read_only=True))),
            "mysql.primary_read_only",
        ),
        (
            with_reading(Reading("mysql-1", state("mysql-1", channels=(CHANNEL,)))),
            "mysql.primary_follows",
        ),
        (
            with_reading(Reading("mysql-11", error="no answer", address="mysql-11:3306")),
            "mysql.unreachable",
        ),
    ],
)
def test_what_an_instance_says(seen: Seen, code: str) -> None:
    assert code in codes(seen)


def test_a_refused_login_is_dated_and_told_from_a_half_made_datadir() -> None:
    refused = Reading("mysql-11", errno=1045, error="Access denied (1045)")
    (found,) = doctor.explain(with_reading(refused), Wanted()).findings
    assert found.code == "mysql.access_denied"
    assert "Secret made 2026-01-02T00:00:00Z" in found.proof[1]
    assert codes(with_reading(replace(refused, bare=True))) == ["mysql.init_interrupted"]
    assert codes(with_reading(replace(refused, errno=1130))) == ["mysql.init_interrupted"]


def test_a_pod_that_crashes_is_told_alone() -> None:
    broken = pod("mysql-11", containers=[objects.crashed()])
    objects_seen = replace(workload(mysql_11=broken), slices=(endpoints("mysql-write"),))
    seen = replace(
        with_reading(Reading("mysql-11", error="no answer", address="mysql-11:3306")),
        workload=objects_seen,
    )
    assert codes(seen) == ["kube.crash_loop"]


def test_replicas_are_not_blamed_for_a_primary_that_does_not_answer() -> None:
    lost = channel(receiver="connecting", receiver_errno=2003, receiver_error="error 2003: no")
    silent = Reading("mysql-1", error="no answer", address="mysql-1:3306")
    seen = replace(lost, readings=(lost.readings[0], silent))
    assert codes(seen) == ["mysql.unreachable"]


NOT_REACHED: Object = {
    "receiver": "connecting",
    "receiver_errno": 2003,
    "receiver_error": "error connecting to source 'replication@mysql-write:3306'",
}


def with_workload(seen: Seen, **more: Any) -> Seen:
    assert seen.workload is not None
    return replace(seen, workload=replace(seen.workload, **more))


def test_what_lies_between_a_replica_and_its_source() -> None:
    lost = channel(**NOT_REACHED)
    assert codes(lost) == ["replication.port_blocked"]
    closed = {"podSelector": {}, "ingress": []}
    policy = {"kind": "NetworkPolicy", "metadata": objects.meta("deny"), "spec": closed}
    seen = with_workload(lost, policies=(policy,))
    (found,) = doctor.explain(seen, Wanted()).findings
    assert found.code == "replication.policy_closes_port"
    assert 'kubectl -n mysql patch networkpolicy deny --type=merge -p \'{"spec"' in found.fix
    # A policy that the network does not enforce is no cause while the replica follows.
    assert codes(with_workload(HEALTHY, policies=(policy,))) == []
    slices = (endpoints("mysql-write", ready=False), endpoints("mysql-read"))
    assert codes(with_workload(lost, slices=slices)) == ["mysql.service_no_endpoints"]


def test_a_misspelt_source_is_told_with_the_services_that_exist() -> None:
    seen = channel(**{**NOT_REACHED, "settings": {**SETTINGS, "host": "mysql-wirte"}})
    (found,) = doctor.explain(seen, Wanted()).findings
    assert found.code == "replication.unknown_host"
    assert "Services of mysql: mysql-write, mysql-read" in found.proof


def test_the_services() -> None:
    assert HEALTHY.workload is not None
    read = HEALTHY.workload.services[1]
    seen = with_workload(HEALTHY, services=(read,))
    assert codes(seen) == ["mysql.service_absent"]
    slices = (endpoints("mysql-write"), endpoints("mysql-read", ready=False))
    assert codes(with_workload(HEALTHY, slices=slices)) == ["mysql.service_no_endpoints"]
    astray = service("mysql-write", **{topology.SERVER_LABEL: "mysql-2"})
    live = topology.build("mysql", [deployment("mysql-1")], [], astray)
    seen = with_workload(HEALTHY, services=(astray, read), topology=live)
    assert "mysql.no_primary" in codes(replace(seen, primary=""))


def test_a_cluster_that_is_not_there_and_one_that_is_scaled_to_zero() -> None:
    empty = WorkloadState(topology.Topology("mysql", False, "", ()))
    assert codes(Seen(workload=empty)) == ["mysql.not_deployed"]
    assert HEALTHY.workload is not None
    none = deployment("mysql-11")
    none["spec"]["replicas"] = 0
    seen = HEALTHY.workload.deployments["mysql-11"]
    # Not by replace(): pylint takes a field named obj for its argument.
    without_pods = type(seen)(**{**vars(seen), "obj": none, "pods": ()})
    stopped = {**HEALTHY.workload.deployments, "mysql-11": without_pods}
    silent = with_reading(Reading("mysql-11", error="no Pod"))
    (found,) = doctor.explain(with_workload(silent, deployments=stopped), Wanted()).findings
    assert found.code == "mysql.scaled_to_zero"
    assert found.fix.endswith("kubectl -n mysql scale deployment mysql-11 --replicas=1")


@pytest.mark.parametrize(
    ("available", "expected"),
    [(0, ["storage.volume_full"]), (50, ["storage.nearly_full"]), (100, [])],
)
def test_how_full_a_volume_is(available: int, expected: list[str]) -> None:
    summary = {
        "pods": [
            {
                "volume": [
                    {
                        "pvcRef": {"namespace": "mysql", "name": "mysql-1"},
                        "capacityBytes": 1000,
                        "availableBytes": available,
                    },
                    {"name": "config", "capacityBytes": 1, "availableBytes": 0},
                ]
            }
        ]
    }
    uses = tuple(volume_uses(summary, "mysql"))
    assert uses == (VolumeUse("mysql-1", 1000, available),)
    assert codes(with_workload(HEALTHY, uses=uses)) == expected


def test_a_node_that_is_not_ready() -> None:
    broken = {
        "kind": "Node",
        "metadata": objects.meta("worker1", None),
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    }
    assert codes(replace(HEALTHY, nodes=(broken,))) == ["kube.node_not_ready"]


def test_what_may_heal_by_itself_is_looked_at_again() -> None:
    lost = doctor.explain(channel(**NOT_REACHED), Wanted())
    assert not lost.settled
    wrong = doctor.explain(replica(gtid_mode="OFF"), Wanted())
    assert wrong.settled
