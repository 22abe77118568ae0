# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_replication_proof: a proof is taken live, and running threads are none."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.road import Road
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers
Cluster = tuple[Server, Server, Server]


@pytest.fixture(scope="module")
def cluster(shared_server_factory: ServerFactory, version: str) -> Cluster:
    servers = tuple(shared_server_factory(version, number) for number in (1, 11, 12))
    primary, one, two = servers
    primary.sql(
        "CREATE USER replicator@'%' IDENTIFIED BY 'r'",
        "GRANT REPLICATION SLAVE ON *.* TO replicator@'%'",
    )
    for replica in (one, two):
        succeed("mysql_replication", following(replica, primary))
    return primary, one, two


def following(replica: Server, primary: Server) -> dict[str, Any]:
    return {
        **replica.login,
        "source_host": primary.host,
        "source_port": primary.port,
        "source_user": "replicator",
        "source_password": "r",
        "source_heartbeat_period": 0.5,
        "source_connect_retry": 1,
    }


def proof(cluster: Cluster, **options: Any) -> dict[str, Any]:
    primary, one, two = cluster
    return {
        "primary": primary.instance("primary"),
        "replicas": [one.instance("one"), two.instance("two")],
        "timeout": 15,
        **options,
    }


def executed(server: Server) -> str:
    return str(server.sql("SELECT @@GLOBAL.gtid_executed AS g")[0]["g"])


def test_a_canary_arrives_everywhere(cluster: Cluster) -> None:
    before = executed(cluster[0])
    predicted = succeed("mysql_replication_proof", proof(cluster, canary=True), check=True)
    assert predicted["changed"]
    assert executed(cluster[0]) == before, "check mode must not write"
    shown = succeed("mysql_replication_proof", proof(cluster, canary=True))
    assert shown["changed"]
    assert shown["proved"]
    uuid = cluster[0].sql("SELECT @@GLOBAL.server_uuid AS u")[0]["u"]
    assert shown["gtid"].startswith(f"{uuid}:")
    assert [(each["name"], each["role"], each["server_id"]) for each in shown["instances"]] == [
        ("primary", "primary", 1),
        ("one", "replica", 11),
        ("two", "replica", 12),
    ]
    for server in cluster:
        rows = server.sql("SELECT COUNT(*) AS n FROM mysql_on_kubernetes.canary")
        assert rows == [{"n": 1}], "one row, however often it is proved"


def test_without_a_canary_nothing_is_written(cluster: Cluster) -> None:
    before = executed(cluster[0])
    shown = succeed("mysql_replication_proof", proof(cluster))
    assert not shown["changed"]
    assert executed(cluster[0]) == before
    assert all(each["gtid_executed"] == before for each in shown["instances"])
    assert all(each["lag_seconds"] == 0 for each in shown["instances"])


def test_a_stopped_replica_is_named_at_once(cluster: Cluster) -> None:
    primary, _one, two = cluster
    succeed("mysql_replication", {**two.login, "state": "stopped"})
    for canary in (True, False):
        failed = fail("mysql_replication_proof", proof(cluster, canary=canary, timeout=120))
        assert failed["msg"].splitlines()[0] == "Not proved to follow the primary: two"
        assert set(codes(failed)) == {
            "replication.receiver_stopped",
            "replication.applier_stopped",
        }
        assert not failed["proved"]
    succeed("mysql_replication", following(two, primary))
    succeed("mysql_replication_proof", proof(cluster))


def heard_seconds_ago(replica: Server) -> float:
    """How long the source was not heard of; both threads run all the while."""
    channel = succeed("mysql_replication_info", replica.login)["channels"][0]
    assert (channel["receiver"], channel["applier"]) == ("running", "running")
    return float(channel["heard_seconds_ago"])


def test_silence_is_no_proof(cluster: Cluster, server_factory: ServerFactory, version: str) -> None:
    """A road that swallows packets leaves both threads running; only heartbeats tell."""
    far = server_factory(version, 13)
    with Road(cluster[0].port) as road:
        succeed("mysql_replication", {**following(far, cluster[0]), "source_port": road.port})
        wanted = proof(cluster, replicas=[far.instance("far")], timeout=6)
        succeed("mysql_replication_proof", wanted)
        road.swallow()
        deadline = time.monotonic() + 30
        while heard_seconds_ago(far) < 3 and time.monotonic() < deadline:
            continue
        failed = fail("mysql_replication_proof", wanted)
        assert codes(failed) == ["replication.unheard"]
        assert "runs its threads" in failed["msg"]


def test_a_primary_that_is_gone_is_named(cluster: Cluster) -> None:
    cluster[0].kill()
    failed = fail("mysql_replication_proof", proof(cluster, timeout=3))
    assert failed["msg"].splitlines()[0].startswith("primary: ")
    cluster[0].start()
    succeed("mysql_replication_proof", proof(cluster, timeout=30))


def test_a_replica_of_somebody_else(
    cluster: Cluster, server_factory: ServerFactory, version: str
) -> None:
    other = server_factory(version, 2)
    arguments = proof(cluster, primary=other.instance("other"), timeout=5)
    failed = fail("mysql_replication_proof", arguments)
    assert "replication.wrong_source" in codes(failed)


def test_replicas_that_share_a_server_id(
    cluster: Cluster, server_factory: ServerFactory, version: str
) -> None:
    twin = server_factory(version, 11)
    succeed("mysql_replication", following(twin, cluster[0]))
    replicas = [cluster[1].instance("one"), twin.instance("twin")]
    failed = fail("mysql_replication_proof", proof(cluster, replicas=replicas))
    assert codes(failed) == ["replication.replicas_share_server_id"]


def test_no_replicas_prove_nothing(cluster: Cluster) -> None:
    failed = fail("mysql_replication_proof", proof(cluster, replicas=[]))
    assert failed["msg"].startswith("replicas: none are given")
    alone = proof(cluster, replicas=[], allow_no_replicas=True)
    assert succeed("mysql_replication_proof", alone)["proved"]


def test_a_filtered_canary_is_lost(cluster: Cluster) -> None:
    primary, one, _two = cluster
    succeed("mysql_replication", {**one.login, "state": "stopped"})
    rule = "CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = ({})"
    one.sql(rule.format("mysql_on_kubernetes"))
    succeed("mysql_replication", following(one, primary))
    failed = fail("mysql_replication_proof", proof(cluster, canary=True))
    assert codes(failed) == ["replication.canary_lost"]
    succeed("mysql_replication", {**one.login, "state": "stopped"})
    one.sql(rule.format(""))
    succeed("mysql_replication", following(one, primary))


def test_definitions_are_part_of_the_proof(cluster: Cluster) -> None:
    """Threads run and transactions are there, and yet the replica answers otherwise."""
    primary, one, _two = cluster
    primary.sql(
        "CREATE DATABASE defined",
        "CREATE TABLE defined.t (id INT PRIMARY KEY, w VARCHAR(9))",
        "CREATE VIEW defined.v AS SELECT 1 AS n",
        "CREATE EVENT defined.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        "CREATE EVENT defined.off ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
    )
    shown = succeed("mysql_replication_proof", proof(cluster))
    assert shown["definitions"] >= 5
    assert {each["kind"] for each in shown["not_compared"]} >= {"rows", "definition", "account"}
    one.sql("SET GLOBAL super_read_only = OFF")
    one.sql("SET SESSION sql_log_bin = 0", "ALTER VIEW defined.v AS SELECT 2 AS n")
    one.sql("SET SESSION sql_log_bin = 0", "ALTER TABLE defined.t ADD KEY w (w)")
    one.sql("SET GLOBAL super_read_only = ON")
    try:
        failed = fail("mysql_replication_proof", proof(cluster))
        assert codes(failed) == ["mysql.definitions_differ"]
        assert "view defined.v: differing" in failed["msg"]
        assert "table defined.t: differing" in failed["msg"]
        assert succeed("mysql_replication_proof", proof(cluster, definitions=False))["proved"]
    finally:
        one.sql("SET GLOBAL super_read_only = OFF")
        one.sql("SET SESSION sql_log_bin = 0", "ALTER VIEW defined.v AS SELECT 1 AS n")
        one.sql("SET SESSION sql_log_bin = 0", "ALTER TABLE defined.t DROP KEY w")
        one.sql("SET GLOBAL super_read_only = ON")
    assert succeed("mysql_replication_proof", proof(cluster))["proved"]
    primary.sql("DROP DATABASE defined")
