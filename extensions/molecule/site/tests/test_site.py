"""What a user notices of the finished site, looked at through kubectl inside its Pods."""

from __future__ import annotations

import subprocess

import pytest

from extensions.molecule.shared.lab import CLIENT, NAMESPACE, instances, query
from tests.integration.runner import CHECKOUT

REPLICAS = ("mysql-11", "mysql-12")
INSTANCES = ("mysql-1", *REPLICAS)


@pytest.fixture(scope="module")
def hosts():
    """A testinfra host for each instance, over its kubectl backend."""
    return instances()


def test_every_instance_runs_with_its_own_server_id(hosts):
    found = {server: query(host, "SELECT @@server_id") for server, host in hosts.items()}
    assert found == {"mysql-1": "1", "mysql-11": "11", "mysql-12": "12"}


@pytest.mark.parametrize("replica", REPLICAS)
def test_replica_follows_and_refuses_writes(hosts, replica):
    state = query(
        hosts[replica],
        "SELECT c.service_state, a.service_state, @@super_read_only"
        " FROM performance_schema.replication_connection_status c"
        " JOIN performance_schema.replication_applier_status a USING (channel_name)",
    )
    assert state.split() == ["ON", "ON", "1"]


@pytest.mark.parametrize("replica", REPLICAS)
def test_a_row_written_on_the_primary_arrives(hosts, replica):
    query(
        hosts["mysql-1"],
        "CREATE DATABASE IF NOT EXISTS arrival;"
        "CREATE TABLE IF NOT EXISTS arrival.rows_seen (who VARCHAR(20) PRIMARY KEY);"
        f"REPLACE INTO arrival.rows_seen VALUES ('{replica}')",
    )
    executed = query(hosts["mysql-1"], "SELECT @@global.gtid_executed").replace("\\n", "")
    assert query(hosts[replica], f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed}', 30)") == "0"
    seen = query(hosts[replica], f"SELECT COUNT(*) FROM arrival.rows_seen WHERE who = '{replica}'")
    assert seen == "1"


def test_no_replica_has_transactions_of_its_own(hosts):
    of_primary = query(hosts["mysql-1"], "SELECT @@global.gtid_executed").replace("\\n", "")
    for replica in REPLICAS:
        errant = query(
            hosts[replica], f"SELECT GTID_SUBTRACT(@@global.gtid_executed, '{of_primary}')"
        )
        assert errant == "", replica


def test_the_same_rows_are_everywhere(hosts):
    counts = {
        server: query(host, "SELECT COUNT(*) FROM employees.salaries")
        for server, host in hosts.items()
    }
    assert len(set(counts.values())) == 1
    assert int(counts["mysql-1"]) > 10_000


def test_services_lead_where_they_should(hosts):
    probe = CLIENT.replace("client.cnf", "probe.cnf")

    def asked(service: str) -> str:
        return (
            hosts["mysql-1"].check_output(f"{probe} -h {service} -e 'SELECT @@server_id'").strip()
        )

    assert asked("mysql-write") == "1"
    assert {asked("mysql-read") for _attempt in range(20)} == {"11", "12"}
    # Root logs in where it is, and from nowhere else.
    refused = hosts["mysql-11"].run(f"{CLIENT} -h mysql-write -e 'SELECT 1'")
    assert "Access denied for user 'root'" in refused.stderr


@pytest.fixture
def stopped_replica(hosts):
    """A replica whose applier stands still, as after an error; started again afterwards."""
    query(hosts["mysql-12"], "STOP REPLICA SQL_THREAD")
    yield "mysql-12"
    query(hosts["mysql-12"], "START REPLICA SQL_THREAD")


def test_data_alone_is_refused_where_a_replica_does_not_follow(hosts, stopped_replica):
    before = query(hosts["mysql-1"], "SELECT @@global.gtid_executed")
    refused = subprocess.run(
        [
            "ansible-playbook",
            "--inventory",
            "inventories/lab",
            "playbooks/site.yml",
            "--tags",
            "data",
            *("-e", f"cluster_namespace={NAMESPACE}", "-e", "cluster_data_scale=0.01"),
        ],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert stopped_replica in refused.stdout
    assert "replication.applier_stopped" in refused.stdout
    assert query(hosts["mysql-1"], "SELECT @@global.gtid_executed") == before
