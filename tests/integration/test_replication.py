# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_replication between real servers of both ends: twelve steps, and what it leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.balancer import Service
from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, USER, grant, source_of
from tests.integration.runner import fail, succeed
from tests.integration.servers import Server, free_port

pytestmark = pytest.mark.servers
OTHER = "another secret"


@pytest.fixture(scope="module")
def primary(shared_server_factory: ServerFactory, version: str) -> Server:
    server = shared_server_factory(version, 1)
    grant(server)
    return server


@pytest.fixture
def replica(server_factory: ServerFactory, version: str) -> Server:
    return server_factory(version, 11)


def following(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    mine = {"source_instance": primary.instance("primary")}
    return source_of(replica, primary, **(mine | options))


def four(arguments: dict[str, Any]) -> dict[str, Any]:
    """Check twice, do, do and check again; return what doing returned."""
    predicted = succeed("mysql_replication", arguments, check=True)
    assert succeed("mysql_replication", arguments, check=True)["plan"] == predicted["plan"]
    done = succeed("mysql_replication", arguments)
    assert predicted["changed"]
    assert done["changed"]
    assert predicted["plan"] == done["plan"]
    assert predicted["diff"] == done["diff"]
    for check in (False, True):
        again = succeed("mysql_replication", arguments, check=check)
        assert (again["changed"], again["plan"]) == (False, [])
        assert again["diff"] == {"before": {}, "after": {}}
    said = json.dumps([predicted, done])
    assert SECRET not in said
    assert OTHER not in said
    return done


def statements(result: dict[str, Any]) -> list[str]:
    return [step["statement"] for step in result["plan"]]


def test_made_changed_and_dropped(primary: Server, replica: Server) -> None:
    made = four(following(replica, primary))
    assert made["replication"]["following"]
    assert made["replication"]["source_server_id"] == 1
    assert statements(made)[0].startswith(replica.says("change_source"))
    primary.sql("CREATE DATABASE arrived")
    executed = primary.sql("SELECT @@GLOBAL.gtid_executed AS gtids")[0]["gtids"]
    waited = replica.sql(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed}', 20) AS late")
    assert waited[0]["late"] == 0
    assert replica.sql("SHOW DATABASES LIKE 'arrived'")

    options = {"source_delay": 2, "source_connect_retry": 5, "source_heartbeat_period": 1.5}
    changed = four(following(replica, primary, **options))
    assert changed["diff"]["before"]["delay"] == 0
    assert changed["diff"]["after"]["delay"] == 2
    assert {key: changed["replication"][key] for key in options} == options

    dropped = four({**replica.login, "state": "detached"})
    assert dropped["replication"] == {}
    assert dropped["instance"]["super_read_only"], "detaching alone must not let it be written to"


def test_stopped_promoted_and_persisted(primary: Server, replica: Server) -> None:
    succeed("mysql_replication", following(replica, primary))
    stopped = four({**replica.login, "state": "stopped"})
    assert stopped["replication"]["receiver"] == "stopped"
    four(following(replica, primary))

    replica.stop()
    replica.start()
    assert replica.sql("SELECT @@GLOBAL.super_read_only AS ro") == [{"ro": 1}]
    again = succeed("mysql_replication", following(replica, primary))
    assert again["replication"]["following"]
    assert not again["changed"], "it follows again by itself after a restart"

    promoted = four({**replica.login, "state": "promoted"})
    assert promoted["instance"]["read_only"] is False
    replica.sql("CREATE DATABASE written")
    replica.stop()
    replica.start()
    assert replica.sql("SELECT @@GLOBAL.read_only + @@GLOBAL.super_read_only AS ro") == [{"ro": 0}]


def test_an_address_that_led_to_another_server(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    """As after a cluster's start: a Service still led to what another Pod has as its address by then."""
    other = server_factory(version, 12)
    succeed("mysql_replication", following(other, primary))
    port = free_port()
    service = Service(primary.host, port, [(other.host, other.port)])
    try:
        through = {"source_port": port, "timeout": 20}
        succeed("mysql_replication", {**following(replica, other), **through})
        arguments = {**following(replica, primary), **through}
        refused = fail("mysql_replication", arguments)
        assert [each["code"] for each in refused["findings"]] == ["replication.wrong_source"]
        service.endpoints = [(primary.host, primary.port)]
        done = four(arguments)
        assert [words.split()[0] for words in statements(done)] == ["STOP", "START"]
        assert done["diff"]["before"]["receives_from"]
        uuid = primary.sql("SELECT @@GLOBAL.server_uuid AS uuid")[0]["uuid"]
        assert done["replication"]["source_uuid"] == uuid
    finally:
        service.close()


def test_two_channels_do_not_touch_each_other(
    primary: Server, replica: Server, server_factory: ServerFactory, version: str
) -> None:
    second = server_factory(version, 2)
    second.sql(
        f"CREATE USER {USER}_2@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE ON *.* TO {USER}_2@'%'",
    )
    common = {"source_instance": None, "read_only": False}
    succeed("mysql_replication", following(replica, primary, channel="one", **common))
    other = {"channel": "two", "source_user": f"{USER}_2", **common}
    four(following(replica, second, **other))
    four({**replica.login, "channel": "two", "state": "stopped"})
    four({**replica.login, "channel": "two", "state": "detached"})
    channels = succeed("mysql_replication_info", replica.login)["channels"]
    assert [(each["channel"], each["following"]) for each in channels] == [("one", True)]


def test_file_and_position(primary: Server, replica: Server) -> None:
    at = primary.sql(primary.says("show_binary_log_status"))[0]
    place = {"source_log_file": at["file"], "source_log_pos": at["position"]}
    wanted = following(replica, primary, source_auto_position=False, source_instance=None, **place)
    four(wanted)
    primary.sql("CREATE DATABASE later")
    arguments = {
        "primary": primary.instance("primary"),
        "replicas": [replica.instance("replica")],
        "canary": True,
    }
    # What came before the position is missing, and the proof says so.
    failed = fail("mysql_replication_proof", arguments | {"timeout": 3})
    assert "replication.behind" in json.dumps(failed["findings"])
    assert replica.sql("SHOW DATABASES LIKE 'later'")
    lacking = fail(
        "mysql_replication",
        following(replica, primary, source_auto_position=False, source_host="localhost"),
    )
    assert "source_log_file, source_log_pos" in lacking["msg"]


def test_a_password_that_changed(primary: Server, replica: Server) -> None:
    primary.sql(
        f"CREATE USER changing@'%' IDENTIFIED BY '{SECRET}'",
        "GRANT REPLICATION SLAVE ON *.* TO changing@'%'",
    )
    wanted = following(replica, primary, source_user="changing")
    succeed("mysql_replication", wanted)
    primary.sql(f"ALTER USER changing@'%' IDENTIFIED BY '{OTHER}'")
    kept = succeed("mysql_replication", wanted | {"source_password": OTHER})
    assert not kept["changed"]
    sent = four(wanted | {"source_password": OTHER, "update_password": "always"})
    assert "PASSWORD = '********'" in statements(sent)[1]
    primary.sql("DROP USER changing@'%'")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"source_host": None, "source_instance": None}, "source_host: needed"),
        ({"source_log_file": "binlog.000001", "source_log_pos": 4}, "source_log_file: a place"),
        ({"source_log_file": "binlog.000001"}, "required together"),
        ({"state": "sideways"}, "following, stopped, detached, promoted"),
        ({"source_instance": {"name": "nowhere"}}, "login_host, login_unix_socket, pod"),
        ({"login_unix_socket": "/nowhere.sock"}, "mutually exclusive"),
    ],
)
def test_bad_input_touches_nothing(
    primary: Server, shared_server_factory: ServerFactory, options: dict[str, Any], words: str
) -> None:
    target = primary
    failed = fail("mysql_replication", {**following(target, primary), **options})
    assert words in failed["msg"]
    assert succeed("mysql_replication_info", target.login)["channels"] == []


def test_an_older_replica_of_a_newer_source_reads_the_same_keys(
    server_factory: ServerFactory,
) -> None:
    """9.7 follows 8.0.15 as an upgrade does; info speaks of both alike."""
    old, new = server_factory("8.0.15", 1), server_factory("9.7", 2)
    older = server_factory("8.0.15", 3)
    old.sql(
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE ON *.* TO {USER}@'%'",
    )
    keys = []
    for replica in (new, older):
        succeed("mysql_replication", following(replica, old))
        keys.append(list(succeed("mysql_replication_info", replica.login)["channels"][0]))
    assert keys[0] == keys[1]
