"""The instances after they were broken and mended: each is who it is, and the replica follows."""

from __future__ import annotations

import pytest

from extensions.molecule.shared import lab


@pytest.fixture(scope="module")
def hosts():
    return lab.instances()


def test_every_instance_runs_with_its_own_server_id(hosts):
    found = {name: lab.query(host, "SELECT @@server_id") for name, host in hosts.items()}
    assert found == {"mysql-1": "1", "mysql-11": "11"}


def test_the_replica_follows_and_refuses_writes(hosts):
    state = lab.query(
        hosts["mysql-11"],
        "SELECT c.service_state, a.service_state, @@super_read_only"
        " FROM performance_schema.replication_connection_status c"
        " JOIN performance_schema.replication_applier_status a USING (channel_name)",
    )
    assert state.split() == ["ON", "ON", "1"]


def test_a_row_arrives_and_no_transaction_is_the_replica_s_own(hosts):
    lab.query(
        hosts["mysql-1"],
        "CREATE DATABASE IF NOT EXISTS arrival; CREATE TABLE IF NOT EXISTS arrival.t (id INT);"
        " INSERT INTO arrival.t VALUES (1)",
    )
    executed = lab.query(hosts["mysql-1"], "SELECT @@global.gtid_executed").replace("\\n", "")
    waited = f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed}', 30)"
    assert lab.query(hosts["mysql-11"], waited) == "0"
    own = f"SELECT GTID_SUBTRACT(@@global.gtid_executed, '{executed}')"
    assert lab.query(hosts["mysql-11"], own) == ""


def test_both_services_lead_where_they_should(hosts):
    probe = lab.CLIENT.replace("client.cnf", "probe.cnf")

    def asked(service: str) -> str:
        return str(
            hosts["mysql-1"].check_output(f"{probe} -h {service} -e 'SELECT @@server_id'")
        ).strip()

    assert (asked("mysql-write"), asked("mysql-read")) == ("1", "11")


def test_the_password_is_a_file_that_root_alone_reads(hosts):
    file = hosts["mysql-1"].file("/etc/mysql/conf.d/mysql-on-kubernetes.cnf")
    assert file.contains("gtid_mode = ON")
    arguments = hosts["mysql-1"].file("/proc/1/cmdline").content_string
    assert "--server-id=1" in arguments
    assert "password" not in arguments
