# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every way that following breaks, broken on purpose: each has its own cause, proof and next step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, USER, empty, grant, source_of
from tests.integration.runner import codes, fail, run_module, succeed
from tests.integration.servers import Server, free_port

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def primary(shared_server_factory: ServerFactory, version: str) -> Server:
    server = shared_server_factory(version, 1)
    grant(server, USER)
    return server


@pytest.fixture(scope="module")
def replica(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 11)


@pytest.fixture(autouse=True)
def _forget(request: pytest.FixtureRequest) -> Any:
    """Leave the shared replica as a new one: no channel, no data, no GTIDs."""
    yield
    if "replica" in request.fixturenames:
        replica = request.getfixturevalue("replica")
        succeed("mysql_replication", {**replica.login, "state": "detached", "read_only": False})
        empty(replica)


def following(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    return source_of(replica, primary, **({"timeout": 20} | options))


def cause(arguments: dict[str, Any], code: str) -> dict[str, Any]:
    """Run it and expect that cause first, with its proof and its next step."""
    failed = fail("mysql_replication", arguments)
    assert codes(failed)[0] == code, failed["msg"]
    first = failed["findings"][0]
    assert first["proof"]
    assert first["fix"]
    assert f"[{code}]" in failed["msg"]
    return failed


def untouched(replica: Server) -> None:
    assert succeed("mysql_replication_info", replica.login)["channels"] == []


def test_equal_server_ids(primary: Server, server_factory: ServerFactory, version: str) -> None:
    twin = server_factory(version, 1)
    arguments = following(twin, primary)
    with_source = {**arguments, "source_instance": primary.instance("primary")}
    failed = cause(with_source, "replication.server_id_duplicate")
    assert not failed["changed"]
    untouched(twin)
    # Without a look at the source, it is the receiver that tells.
    failed = cause(arguments, "replication.server_id_duplicate")
    assert "equal MySQL server ids" in failed["msg"]


def test_equal_server_uuids(primary: Server, server_factory: ServerFactory, version: str) -> None:
    copy = server_factory(version, 11)
    uuid = primary.sql("SELECT @@GLOBAL.server_uuid AS u")[0]["u"]
    copy.stop()
    (copy.folder / "data" / "auto.cnf").write_text(f"[auto]\nserver-uuid={uuid}\n")
    copy.start()
    arguments = following(copy, primary)
    cause(arguments, "replication.server_uuid_duplicate")
    succeed("mysql_replication", {**copy.login, "state": "detached"})
    with_source = {**arguments, "source_instance": primary.instance("primary")}
    cause(with_source, "replication.server_uuid_duplicate")
    untouched(copy)


def test_wrong_password(primary: Server, replica: Server) -> None:
    cause(following(replica, primary, source_password="wrong"), "replication.access_denied")
    # The next step that it names is the one that helps.
    mended = following(replica, primary, update_password="always")
    assert succeed("mysql_replication", mended)["replication"]["following"]


def test_user_may_not_replicate(primary: Server, replica: Server) -> None:
    primary.sql(f"CREATE USER powerless@'%' IDENTIFIED BY '{SECRET}'")
    arguments = following(replica, primary, source_user="powerless")
    cause(arguments, "replication.privilege_missing")
    primary.sql("DROP USER powerless@'%'")


def test_caching_sha2_without_a_key(primary: Server, replica: Server) -> None:
    primary.sql("FLUSH PRIVILEGES")
    arguments = following(replica, primary, get_source_public_key=False, source_ssl=False)
    cause(arguments, "replication.secure_connection")
    mended = {**arguments, "get_source_public_key": True}
    assert succeed("mysql_replication", mended)["replication"]["following"]


def test_misspelt_host_and_closed_port(primary: Server, replica: Server) -> None:
    short = {"timeout": 4, "source_connect_retry": 1}
    misspelt = following(replica, primary, source_host="mysql-wirte.invalid", **short)
    failed = cause(misspelt, "replication.unknown_host")
    assert "mysql-wirte.invalid" in failed["msg"]
    korean = succeed("mysql_replication_info", {**replica.login, "language": "ko"})
    assert codes(korean) == ["replication.unknown_host"]
    assert korean["findings"][0]["summary"] != failed["findings"][0]["summary"]
    closed = following(replica, primary, **short) | {"source_port": free_port()}
    cause(closed, "replication.unreachable")
    mended = following(replica, primary, source_connect_retry=1)
    assert succeed("mysql_replication", mended)["replication"]["following"]


def test_retries_used_up(primary: Server, replica: Server) -> None:
    options = {"source_port": free_port(), "source_retry_count": 1, "source_connect_retry": 1}
    arguments = following(replica, primary) | options
    failed = cause(arguments, "replication.retries_exhausted")
    assert "replication.unreachable" in codes(failed)


def test_purged_logs(primary: Server, replica: Server, version: str) -> None:
    primary.sql("CREATE DATABASE early", "DROP DATABASE early", "FLUSH BINARY LOGS")
    last = primary.sql("SHOW BINARY LOGS")[-1]["log_name"]
    primary.sql(f"PURGE BINARY LOGS TO '{last}'")
    arguments = following(replica, primary)
    cause(arguments, "replication.purged")
    succeed("mysql_replication", {**replica.login, "state": "detached"})
    with_source = {**arguments, "source_instance": primary.instance("primary")}
    failed = cause(with_source, "replication.purged")
    assert "GTID_SUBTRACT(source.gtid_purged" in failed["msg"]
    untouched(replica)
    primary.sql(primary.says("reset_binary_logs"))


def test_errant_transactions(primary: Server, replica: Server) -> None:
    replica.sql("CREATE DATABASE errant")
    arguments = following(replica, primary)
    with_source = {**arguments, "source_instance": primary.instance("primary")}
    failed = cause(with_source, "replication.errant")
    assert "1 transactions" in failed["msg"]
    untouched(replica)
    # Without the source in view it joins; info, given the source, still says so.
    succeed("mysql_replication", arguments)
    seen = {**replica.login, "source_instance": primary.instance("primary")}
    info = succeed("mysql_replication_info", seen)
    assert codes(info) == ["replication.errant"]
    assert info["channels"][0]["gtid_errant"].count(":") == 1


def test_applier_error(primary: Server, replica: Server) -> None:
    succeed("mysql_replication", following(replica, primary, read_only=False))
    replica.sql("SET SESSION sql_log_bin = 0", "CREATE DATABASE taken")
    primary.sql("CREATE DATABASE taken")
    failed = cause(following(replica, primary, read_only=False), "replication.applier_error")
    assert "1007" in failed["msg"]
    info = succeed("mysql_replication_info", replica.login)["channels"][0]
    assert info["applier_errors"][0]["errno"] == 1007
    primary.sql("DROP DATABASE taken")


def test_data_before_replication_is_said(primary: Server, replica: Server) -> None:
    replica.sql("SET SESSION sql_log_bin = 0", "CREATE DATABASE poured")
    result = succeed("mysql_replication", following(replica, primary))
    assert codes(result) == ["replication.data_before"]
    assert "poured" in result["findings"][0]["summary"]
    replica.sql("SET GLOBAL read_only = 0", "SET SESSION sql_log_bin = 0", "DROP DATABASE poured")


def test_gtids_off(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    plain = server_factory(version, 12, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
    cause(following(plain, primary), "replication.gtid_off")
    untouched(plain)
    grant(plain, USER)
    arguments = following(replica, plain)
    cause(arguments, "replication.source_gtid_off")
    with_source = {**arguments, "source_instance": plain.instance("plain")}
    cause(with_source, "replication.source_gtid_off")


def test_source_without_binary_log(
    replica: Server, server_factory: ServerFactory, version: str
) -> None:
    silent = server_factory(version, 13, "--skip-log-bin")
    grant(silent, USER)
    arguments = following(replica, silent)
    with_source = {**arguments, "source_instance": silent.instance("silent")}
    cause(with_source, "replication.source_binlog_off")
    cause(arguments, "replication.source_binlog_off")


def test_two_replicas_with_one_uuid(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    succeed("mysql_replication", following(replica, primary))
    copy = server_factory(version, 12)
    uuid = replica.sql("SELECT @@GLOBAL.server_uuid AS u")[0]["u"]
    copy.stop()
    (copy.folder / "data" / "auto.cnf").write_text(f"[auto]\nserver-uuid={uuid}\n")
    copy.start()
    run_module("mysql_replication", following(copy, primary, timeout=3))
    proof = {
        "primary": primary.instance("primary"),
        "replicas": [replica.instance("one"), copy.instance("two")],
        "timeout": 5,
    }
    failed = fail("mysql_replication_proof", proof)
    assert "replication.replica_uuid_duplicate" in codes(failed)


def test_promotion_waits_for_what_was_received(primary: Server, replica: Server) -> None:
    succeed("mysql_replication", following(replica, primary, source_delay=3600))
    primary.sql("CREATE DATABASE waiting", "DROP DATABASE waiting")
    seen = {**replica.login, "source_instance": primary.instance("primary")}
    executed = primary.sql("SELECT @@GLOBAL.gtid_executed AS g")[0]["g"]
    received = replica.connect()
    for _attempt in range(200):
        channel = succeed("mysql_replication_info", seen)["channels"][0]
        subset = received.value("SELECT GTID_SUBSET(%s, %s)", (executed, channel["gtid_retrieved"]))
        if subset:
            break
    received.close()
    failed = fail("mysql_replication", {**replica.login, "state": "promoted"})
    assert codes(failed) == ["replication.unapplied"]
    succeed("mysql_replication", {**replica.login, "state": "detached"})
