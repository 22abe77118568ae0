# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of MySQL alone, on bare servers: broken, named, mended by what the finding says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import fixes
from tests.faults.pair import assert_healthy, follow, look, named, reset, source_of
from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, USER, grant
from tests.integration.road import Road
from tests.integration.runner import fail, run_module, succeed
from tests.integration.servers import Server, free_port, in_tree

pytestmark = pytest.mark.servers
long = pytest.mark.long


@pytest.fixture(scope="module")
def primary(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 1)


@pytest.fixture(scope="module")
def shared_replica(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 11)


@pytest.fixture
def replica(primary: Server, shared_replica: Server) -> Iterator[Server]:
    """A replica that follows the primary, read-only; both are empty again afterwards."""
    grant(primary)
    follow(shared_replica, primary, read_only=True)
    yield shared_replica
    reset(shared_replica)
    reset(primary)


def mend(replica: Server, primary: Server, finding: dict[str, Any], **options: Any) -> None:
    """Run mysql_replication with the options that the finding's next step names."""
    follow(replica, primary, **{**options, **fixes.options(finding)})


def connect_anew(replica: Server, primary: Server, **options: Any) -> None:
    """Let the replica connect once more, whether or not it is let in."""
    for state in ("stopped", "following"):
        arguments = source_of(replica, primary, state=state, timeout=3, **options)
        run_module("mysql_replication", arguments)


def restart_with_uuid(server: Server, uuid: str) -> None:
    server.stop()
    (server.folder / "data" / "auto.cnf").write_text(f"[auto]\nserver-uuid={uuid}\n")
    server.start()


def remove_auto_cnf(server: Server, finding: dict[str, Any]) -> None:
    assert "remove auto.cnf from its data directory and start it again" in finding["fix"]
    server.stop()
    (server.folder / "data" / "auto.cnf").unlink()
    server.start()


def uuid_of(server: Server) -> str:
    return str(server.sql("SELECT @@GLOBAL.server_uuid AS u")[0]["u"])


def test_nothing_is_wrong_with_a_healthy_pair(primary: Server, replica: Server) -> None:
    assert_healthy(primary, replica, tables=True)
    korean = look(primary, replica, language="ko")
    assert korean["report"][0].startswith("원인이 없습니다")


def test_a_replica_has_its_sources_server_id(primary: Server, replica: Server) -> None:
    replica.sql("SET GLOBAL server_id = 1")
    run_module("mysql_replication", {**replica.login, "state": "stopped"})
    run_module("mysql_replication", source_of(replica, primary, timeout=3))
    result = look(primary, replica)
    finding = fixes.the(result, "replication.server_id_duplicate")
    assert "@@server_id = 1 on replica-1 and on its source" in "\n".join(finding["proof"])
    assert "--server-id of its own" in finding["fix"]
    replica.stop()
    replica.start("--server-id=11")
    follow(replica, primary)
    assert_healthy(primary, replica)


@long
def test_a_replica_has_no_server_id(primary: Server, replica: Server) -> None:
    replica.stop()
    replica.start("--server-id=0")
    finding = fixes.the(look(primary, replica), "replication.server_id_zero")
    assert "@@server_id = 0" in "\n".join(finding["proof"])
    replica.stop()
    replica.start()
    follow(replica, primary)
    assert_healthy(primary, replica)


@long
def test_two_replicas_share_a_server_id(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    twin = server_factory(version, 11)
    follow(twin, primary, read_only=True)
    finding = fixes.the(look(primary, replica, twin), "replication.replicas_share_server_id")
    assert "@@server_id = 11 on replica-2 and on replica-1" in "\n".join(finding["proof"])
    assert "--server-id of its own" in finding["fix"]
    twin.stop()
    twin.server_id = 12
    twin.start()
    follow(twin, primary)
    assert_healthy(primary, replica, twin)


@long
def test_two_replicas_share_a_server_uuid(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    twin = server_factory(version, 12)
    restart_with_uuid(twin, uuid_of(replica))
    run_module("mysql_replication", source_of(twin, primary, timeout=3, read_only=True))
    finding = fixes.the(look(primary, replica, twin), "replication.replica_uuid_duplicate")
    remove_auto_cnf(twin, finding)
    follow(replica, primary)
    follow(twin, primary, read_only=True)
    assert_healthy(primary, replica, twin)


@long
def test_a_replica_runs_on_a_copied_volume(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    copy = server_factory(version, 12)
    copy.stop()
    primary.stop()
    shutil.rmtree(copy.folder / "data")
    in_tree(copy.tree, "cp", "-a", f"{primary.inside}/data", f"{copy.inside}/data")
    primary.start()
    copy.start()
    result = fail(
        "mysql_replication",
        source_of(copy, primary, source_instance=primary.instance("primary"), timeout=3),
    )
    finding = fixes.the(result, "replication.server_uuid_duplicate")
    run_module("mysql_replication", source_of(copy, primary, timeout=3))
    finding = fixes.the(look(primary, copy), "replication.server_uuid_duplicate")
    remove_auto_cnf(copy, finding)
    follow(copy, primary, read_only=True)
    follow(replica, primary)
    assert_healthy(primary, replica, copy)


@long
def test_gtids_are_off(server_factory: ServerFactory, version: str) -> None:
    off = ("--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
    pair = server_factory(version, 1, *off), server_factory(version, 11, *off)
    finding = fixes.the(look(*pair), "mysql.gtid_off")
    assert "@@gtid_mode = OFF" in "\n".join(finding["proof"])
    # On every instance, one statement after the other.
    for statement in fixes.statements(finding):
        for server in pair:
            server.sql(statement)
    grant(pair[0])
    follow(pair[1], pair[0], read_only=True)
    assert_healthy(*pair)


@long
def test_a_wrong_password_of_replication(primary: Server, replica: Server) -> None:
    primary.sql(f"ALTER USER {USER}@'%' IDENTIFIED BY 'another one'")
    connect_anew(replica, primary)
    finding = fixes.the(look(primary, replica), "replication.access_denied")
    assert "1045" in "\n".join(finding["proof"])
    mend(replica, primary, finding, source_password="another one")
    assert_healthy(primary, replica)


@long
def test_an_old_volume_keeps_an_old_password(primary: Server, replica: Server) -> None:
    changed = {"login_password": "that of a Secret made anew"}
    instances = [primary.instance("primary"), {**replica.instance("replica-1"), **changed}]
    result = succeed("mysql_doctor", {"instances": instances, "patience": 0})
    finding = fixes.the(result, "mysql.access_denied")
    assert "1045" in finding["proof"][0]
    assert "the password that this data directory was initialized with" in finding["fix"]
    assert_healthy(primary, replica)


def test_an_initialization_was_interrupted(primary: Server, replica: Server) -> None:
    # As the entrypoint leaves it that is ended between making root and giving it the password.
    bare = [f"ALTER USER root@'{host}' IDENTIFIED BY ''" for host in ("127.0.0.1", "localhost")]
    replica.sql("SET GLOBAL super_read_only = OFF", "SET SESSION sql_log_bin = 0", *bare)
    try:
        finding = fixes.the(look(primary, replica), "mysql.init_interrupted")
        assert "without a password: accepted" in "\n".join(finding["proof"])
    finally:
        with replica.connect(password="") as connection:
            connection.execute("SET SESSION sql_log_bin = 0")
            for host in ("127.0.0.1", "localhost"):
                connection.execute(f"ALTER USER root@'{host}' IDENTIFIED BY '{replica.password}'")


def test_caching_sha2_without_tls_or_key(primary: Server, replica: Server) -> None:
    bare = {"get_source_public_key": False, "source_ssl": False}
    run_module("mysql_replication", source_of(replica, primary, timeout=3, **bare))
    # The source's cache is warm from before: it follows, until the source restarts.
    finding = fixes.the(look(primary, replica), "replication.key_missing")
    assert "no TLS, no public key" in "\n".join(finding["proof"])
    primary.sql("FLUSH PRIVILEGES")
    connect_anew(replica, primary, **bare)
    finding = fixes.the(look(primary, replica), "replication.secure_connection")
    mend(replica, primary, finding, source_ssl=False)
    assert_healthy(primary, replica)


@long
def test_the_source_purged_what_a_replica_needs(primary: Server, replica: Server) -> None:
    run_module("mysql_replication", {**replica.login, "state": "stopped"})
    primary.sql("CREATE DATABASE early", "DROP DATABASE early", "FLUSH BINARY LOGS")
    last = primary.sql("SHOW BINARY LOGS")[-1]["log_name"]
    primary.sql(f"PURGE BINARY LOGS TO '{last}'")
    run_module("mysql_replication", source_of(replica, primary, timeout=3))
    finding = fixes.the(look(primary, replica), "replication.purged")
    assert "GTID_SUBTRACT(source.gtid_purged" in "\n".join(finding["proof"])
    assert "from a clone or a dump of the source" in finding["fix"]
    seed(replica, primary)
    assert_healthy(primary, replica, tables=True)


def seed(replica: Server, primary: Server) -> None:
    """Fill a replica anew from a consistent dump of the primary, and let it follow from there."""
    reset(replica)
    databases = ("--all-databases", "--single-transaction", "--set-gtid-purged=ON")
    dump = primary.client("mysqldump", *databases, "--ignore-table=mysql.gtid_executed")
    # Accounts are as they were; the dump of mysql.* is 9.7's or 8.0's own and stays out.
    part = re.split(r"(?m)^-- Current Database: ", dump)
    kept = part[0] + "".join(
        f"-- Current Database: {one}" for one in part[1:] if one[1:6] != "mysql"
    )
    replica.client("mysql", input=kept)
    follow(replica, primary, read_only=True)


def test_a_replica_was_written_to(primary: Server, replica: Server) -> None:
    replica.sql("SET GLOBAL read_only = OFF", "CREATE DATABASE errant")
    result = look(primary, replica)
    assert named(result) == ["replication.errant", "mysql.replica_writable"]
    finding = fixes.the(result, "replication.errant")
    assert "commit empty transactions with those GTIDs on the source" in finding["fix"]
    gtid = finding["proof"][0].rpartition(" = ")[2]
    primary.sql(f"SET GTID_NEXT = '{gtid}'", "BEGIN", "COMMIT", "SET GTID_NEXT = AUTOMATIC")
    writable = fixes.the(result, "mysql.replica_writable")
    replica.sql(*fixes.statements(writable))
    assert_healthy(primary, replica)


def test_rows_were_written_past_the_binary_log(primary: Server, replica: Server) -> None:
    primary.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
    primary.sql("INSERT INTO shop.t VALUES (1), (2)")
    primary.sql("SET SESSION sql_log_bin = 0", "INSERT INTO shop.t VALUES (3)")
    # Both threads run and nothing is missing: only the rows tell.
    assert_healthy(primary, replica)
    finding = fixes.the(look(primary, replica, tables=True), "mysql.checksum_differs")
    assert "primary: 3 rows" in "\n".join(finding["proof"])
    assert "Seed replica-1 again from primary (clone or dump)" in finding["fix"]
    seed(replica, primary)
    assert_healthy(primary, replica, tables=True)


@long
def test_data_was_poured_before_replication(primary: Server, replica: Server) -> None:
    succeed("mysql_replication", {**replica.login, "state": "detached", "read_only": False})
    poured = ("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
    replica.sql("SET SESSION sql_log_bin = 0", *poured)
    result = follow(replica, primary, read_only=True)
    assert "shop" in fixes.the(result, "replication.data_before")["summary"]
    primary.sql(*poured)
    run_module("mysql_replication", source_of(replica, primary, timeout=5))
    finding = fixes.the(look(primary, replica, patience=5), "replication.applier_error")
    assert "error 1007" in "\n".join(finding["proof"])
    assert "seed it again" in finding["fix"]
    seed(replica, primary)
    assert_healthy(primary, replica, tables=True)


@long
def test_the_name_of_the_source_is_misspelt(primary: Server, replica: Server) -> None:
    misspelt = source_of(replica, primary, source_host="mysql-wirte.invalid", timeout=4)
    run_module("mysql_replication", misspelt)
    finding = fixes.the(look(primary, replica), "replication.unknown_host")
    assert "2005" in "\n".join(finding["proof"])
    assert "Correct source_host" in finding["fix"]
    follow(replica, primary)
    assert_healthy(primary, replica)


def test_the_port_is_closed_and_the_retries_are_used_up(primary: Server, replica: Server) -> None:
    wrong = {"source_port": free_port(), "source_retry_count": 1, "timeout": 5}
    run_module("mysql_replication", source_of(replica, primary, **wrong))
    result = look(primary, replica)
    fixes.the(result, "replication.unreachable")
    finding = fixes.the(result, "replication.retries_exhausted")
    mend(replica, primary, finding, source_retry_count=10)
    assert_healthy(primary, replica)


@long
def test_a_firewall_swallows_the_stream(primary: Server, replica: Server) -> None:
    with Road(primary.port) as road:
        follow(replica, primary, source_port=road.port)
        assert_healthy(primary, replica)
        road.swallow()
        finding = (
            fixes.the(look(primary, replica, patience=6), "replication.silent")
            if (wait_until_silent(replica))
            else pytest.fail("the source was heard all the time")
        )
        assert "heartbeat period 1 s" in "\n".join(finding["proof"])
    follow(replica, primary)
    assert_healthy(primary, replica)


def wait_until_silent(replica: Server) -> bool:
    """Wait until the source was not heard of for more than three heartbeats."""
    for _attempt in range(100):
        (channel,) = succeed("mysql_replication_info", replica.login)["channels"]
        if (channel["heard_seconds_ago"] or 0) > 3.5:
            return True
    return False


@pytest.mark.parametrize("thread", [pytest.param("IO_THREAD", marks=long), "SQL_THREAD"])
def test_a_thread_was_stopped(primary: Server, replica: Server, thread: str) -> None:
    words = {"IO_THREAD": "stop_receiver", "SQL_THREAD": "stop_applier"}[thread]
    replica.sql(replica.says(words))
    codes_of = {
        "IO_THREAD": "replication.receiver_stopped",
        "SQL_THREAD": "replication.applier_stopped",
    }
    finding = fixes.the(look(primary, replica), codes_of[thread])
    assert fixes.options(finding) == {"state": "following"}
    succeed("mysql_replication", {**replica.login, **fixes.options(finding), "timeout": 20})
    assert_healthy(primary, replica)


@long
def test_a_replica_was_never_pointed_at_its_source(primary: Server, replica: Server) -> None:
    succeed("mysql_replication", {**replica.login, "state": "detached"})
    finding = fixes.the(look(primary, replica), "replication.not_configured")
    mend(replica, primary, finding, read_only=True)
    assert_healthy(primary, replica)


@long
def test_the_primary_is_read_only(primary: Server, replica: Server) -> None:
    primary.sql("SET PERSIST super_read_only = ON")
    finding = fixes.the(look(primary, replica), "mysql.primary_read_only")
    primary.sql(*fixes.statements(finding))
    assert_healthy(primary, replica)


@long
def test_a_firewall_swallows_the_first_byte(primary: Server, replica: Server) -> None:
    with Road(primary.port) as road:
        road.swallow()
        run_module("mysql_replication", {**replica.login, "state": "stopped"})
        run_module(
            "mysql_replication", source_of(replica, primary, source_port=road.port, timeout=2)
        )
        finding = fixes.the(look(primary, replica, patience=0), "replication.connecting")
        assert "CONNECTING" in finding["proof"][0]
        assert finding["fix"].startswith("Wait, with a larger wait_timeout; a silent firewall")
    # The firewall is gone; waiting would do, for as long as a connection takes to time out.
    run_module("mysql_replication", {**replica.login, "state": "stopped"})
    follow(replica, primary)
    assert_healthy(primary, replica)


@long
def test_the_source_refuses_in_words_of_its_own(primary: Server, replica: Server) -> None:
    primary.sql(f"ALTER USER {USER}@'%' ACCOUNT LOCK")
    connect_anew(replica, primary)
    finding = fixes.the(look(primary, replica), "replication.receiver_error")
    assert "3118" in "\n".join(finding["proof"])
    assert "Look error 3118 up" in finding["fix"]
    primary.sql(f"ALTER USER {USER}@'%' ACCOUNT UNLOCK")
    follow(replica, primary)
    assert_healthy(primary, replica)


@long
def test_nobody_takes_writes_when_one_shall_hand_over(primary: Server, replica: Server) -> None:
    primary.sql("SET GLOBAL super_read_only = ON")
    # Whom the others follow would be taken for it.
    succeed("mysql_replication", {**replica.login, "state": "detached"})
    asked = {
        "instances": [primary.instance("primary"), replica.instance("replica-1")],
        "target": "replica-1",
        "source_user": USER,
        "source_password": SECRET,
        "timeout": 20,
    }
    finding = fixes.the(fail("mysql_switchover", asked), "switchover.primary_unknown")
    assert "none of them takes writes" in finding["proof"][0]
    assert "(primary: ...)" in finding["fix"]
    succeed("mysql_switchover", {**asked, "primary": "primary"})
    assert_healthy(replica, primary)


@long
def test_the_user_may_not_replicate(primary: Server, replica: Server) -> None:
    primary.sql(f"REVOKE REPLICATION SLAVE ON *.* FROM {USER}@'%'")
    connect_anew(replica, primary)
    finding = fixes.the(look(primary, replica), "replication.privilege_missing")
    (statement,) = fixes.statements(finding)
    primary.sql(statement.replace("that user", f"{USER}@'%'"))
    run_module("mysql_replication", {**replica.login, "state": "stopped"})
    follow(replica, primary)
    assert_healthy(primary, replica)


@long
def test_a_replica_follows_another_server(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    other = server_factory(version, 2)
    grant(other)
    reset(replica)
    follow(replica, other, read_only=True)
    finding = fixes.the(look(primary, replica), "replication.wrong_source")
    assert uuid_of(other) in "\n".join(finding["proof"])
    reset(replica)
    mend(replica, primary, {"fix": finding["fix"] + " state following"}, read_only=True)
    assert_healthy(primary, replica)


@long
def test_the_primary_follows_its_own_replica(primary: Server, replica: Server) -> None:
    run_module("mysql_replication", source_of(primary, replica, timeout=3))
    finding = fixes.the(look(primary, replica), "mysql.primary_follows")
    assert "state: detached" in finding["fix"]
    # mysql_replication made it read-only when it let it follow.
    succeed("mysql_replication", {**primary.login, "state": "detached", "read_only": False})
    assert_healthy(primary, replica)


@long
def test_the_source_writes_no_binary_log(
    replica: Server, server_factory: ServerFactory, version: str
) -> None:
    silent = server_factory(version, 13, "--skip-log-bin")
    grant(silent)
    reset(replica)
    run_module("mysql_replication", source_of(replica, silent, timeout=3, read_only=True))
    finding = fixes.the(look(silent, replica), "replication.source_binlog_off")
    assert "without --skip-log-bin" in finding["fix"]
    silent.stop()
    silent.arguments = ()
    silent.start()
    follow(replica, silent)
    assert_healthy(silent, replica)


@long
def test_a_server_does_not_answer(primary: Server, replica: Server) -> None:
    replica.stop()
    try:
        finding = fixes.the(look(primary, replica, patience=0), "mysql.unreachable")
        assert "See that mysqld runs there" in finding["fix"]
    finally:
        replica.start()
    follow(replica, primary)
    assert_healthy(primary, replica)


@long
def test_the_secret_is_in_no_finding(primary: Server, replica: Server) -> None:
    primary.sql(f"ALTER USER {USER}@'%' IDENTIFIED BY 'another one'")
    connect_anew(replica, primary)
    told = str(look(primary, replica))
    assert SECRET not in told
    assert replica.password not in told
