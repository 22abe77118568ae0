# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a running channel can be told: few stops, filters, a place to stop at, waits, many at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import OPTIONS, has

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, grant, source_of
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def primary(shared_server_factory: ServerFactory, version: str) -> Server:
    server = shared_server_factory(version, 1)
    grant(server)
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
    )
    return server


@pytest.fixture(scope="module")
def replica(shared_server_factory: ServerFactory, primary: Server, version: str) -> Server:
    """One replica of the whole file; each test leaves it following."""
    server = shared_server_factory(version, 11)
    succeed("mysql_replication", following(server, primary))
    return server


def following(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    mine = {"source_instance": primary.instance("primary")}
    return source_of(replica, primary, **(mine | options))


def changed(arguments: dict[str, Any]) -> dict[str, Any]:
    """Check, do, do again; return what doing returned."""
    predicted = succeed("mysql_replication", arguments, check=True)
    done = succeed("mysql_replication", arguments)
    assert predicted["plan"] == done["plan"]
    assert predicted["diff"] == done["diff"]
    assert done["changed"]
    again = succeed("mysql_replication", arguments)
    assert (again["changed"], again["plan"]) == (False, [])
    return done


def verbs(result: dict[str, Any]) -> list[str]:
    """The statements of a plan, in the newest words and without what follows them."""
    newest = [
        step["statement"].replace("SLAVE", "REPLICA").replace("MASTER TO", "REPLICATION SOURCE TO")
        for step in result["plan"]
    ]
    known = (
        *("STOP REPLICA IO_THREAD", "STOP REPLICA SQL_THREAD", "STOP REPLICA"),
        *("START REPLICA IO_THREAD", "START REPLICA SQL_THREAD", "START REPLICA"),
        *("CHANGE REPLICATION SOURCE", "CHANGE REPLICATION FILTER"),
    )
    return [next(words for words in known if each.startswith(words)) for each in newest]


def executed(server: Server) -> str:
    return str(server.sql("SELECT @@GLOBAL.gtid_executed AS g")[0]["g"]).replace("\n", "")


def last(server: Server) -> str:
    """The GTID of the last transaction, where all are the server's own and none has a tag."""
    uuid, _colon, numbers = executed(server).partition(":")
    return f"{uuid}:{numbers.split('-')[-1]}"


def insert(server: Server, number: int) -> str:
    server.sql(f"INSERT INTO shop.t VALUES ({number})")
    return last(server)


def test_as_few_stops_as_the_server_allows(primary: Server, replica: Server) -> None:
    delay = changed(following(replica, primary, source_delay=1))
    applier = ["STOP REPLICA SQL_THREAD", "CHANGE REPLICATION SOURCE", "START REPLICA SQL_THREAD"]
    assert verbs(delay) == applier
    assert "the receiver runs on" in delay["plan"][0]["reason"]
    retry = changed(following(replica, primary, source_retry_count=7))
    receiver = ["STOP REPLICA IO_THREAD", "CHANGE REPLICATION SOURCE", "START REPLICA IO_THREAD"]
    assert verbs(retry) == receiver
    both = changed(following(replica, primary, source_delay=0, source_retry_count=8))
    assert verbs(both) == ["STOP REPLICA", "CHANGE REPLICATION SOURCE", "START REPLICA"]
    assert both["replication"]["following"]


def test_a_channel_that_is_moved_keeps_its_heartbeat(primary: Server, replica: Server) -> None:
    changed(following(replica, primary, source_heartbeat_period=1.5))
    # Nobody listens there: what counts is what the server keeps.
    moved = following(replica, primary, source_port=1, wait=False)
    told = succeed("mysql_replication", moved)
    assert told["replication"]["source_heartbeat_period"] == 1.5
    back = succeed("mysql_replication", following(replica, primary))
    assert back["replication"]["following"]
    assert back["replication"]["source_heartbeat_period"] == 1.5
    default = succeed("mysql_replication", following(replica, primary, source_heartbeat_period=30))
    assert default["changed"]


def test_tls_options_are_sent_and_read_back(primary: Server, replica: Server) -> None:
    # MySQL opens none of these files before it connects by TLS.
    options = {
        "source_ssl_capath": "/etc/ca",
        "source_ssl_cipher": "ECDHE-RSA-AES256-GCM-SHA384",
        "source_ssl_crl": "/etc/crl.pem",
        "source_ssl_crlpath": "/etc/crl",
        "source_tls_version": "TLSv1.2",
    }
    arguments = following(replica, primary, source_ssl=False, wait=False, **options)
    held = changed(arguments)["replication"]
    assert {key: held[key] for key in options} == options
    emptied = dict.fromkeys(options, "")
    done = changed(following(replica, primary, **emptied))
    assert verbs(done)[0] == "STOP REPLICA IO_THREAD"


def test_what_a_version_lacks_is_said(primary: Server, replica: Server, version: str) -> None:
    options = {
        "privilege_checks_user": "applier@localhost",
        "require_row_format": True,
        "require_table_primary_key_check": "ON",
        "source_tls_ciphersuites": "TLS_AES_256_GCM_SHA384",
    }
    if not has(OPTIONS, "REQUIRE_TABLE_PRIMARY_KEY_CHECK", replica.release):
        for name, value in options.items():
            failed = fail("mysql_replication", following(replica, primary, **{name: value}))
            assert f"{replica.version} has no replication option" in failed["msg"]
            assert "it came with 8.0." in failed["msg"]
        off = {"privilege_checks_user": "", "require_row_format": False}
        assert not succeed("mysql_replication", following(replica, primary, **off))["changed"]
        return
    nobody = fail("mysql_replication", following(replica, primary, **options))
    assert "has no account 'applier'@'localhost'" in nobody["msg"]
    assert succeed("mysql_replication_info", replica.login)["channels"][0]["following"]
    primary.sql(
        "CREATE USER applier@localhost IDENTIFIED BY 'unused of the applier'",
        "GRANT REPLICATION_APPLIER ON *.* TO applier@localhost",
        "GRANT ALL ON shop.* TO applier@localhost",
    )
    succeed("mysql_replication", following(replica, primary, wait_for_source=True))
    held = changed(following(replica, primary, **options))["replication"]
    assert held["privilege_checks_user"] == "'applier'@'localhost'"
    assert (held["require_row_format"], held["require_table_primary_key_check"]) == (True, "ON")
    insert(primary, 100)
    succeed("mysql_replication", following(replica, primary, wait_for_source=True))
    # Only the applier stands for this one.
    undo = {"privilege_checks_user": "", "require_table_primary_key_check": "STREAM"}
    assert verbs(changed(following(replica, primary, **undo)))[0] == "STOP REPLICA SQL_THREAD"
    changed(following(replica, primary, require_row_format=False))


def test_filters(primary: Server, replica: Server) -> None:
    filters = {
        "ignore_db": ["left out", "other"],
        "wild_ignore_table": ["shop.tmp\\_%", "shop.it's"],
        "rewrite_db": ["old->new"],
    }
    made = changed(following(replica, primary, filters=filters))
    assert verbs(made) == [
        *("STOP REPLICA SQL_THREAD", "CHANGE REPLICATION FILTER", "START REPLICA SQL_THREAD")
    ]
    held = succeed("mysql_replication_info", replica.login)["channels"][0]["filters"]
    assert {kind: rules for kind, rules in held.items() if rules} == {
        kind: sorted(rules) for kind, rules in filters.items()
    }
    primary.sql(
        "CREATE DATABASE `left out`",
        "CREATE TABLE shop.tmp_1 (id INT PRIMARY KEY)",
        "CREATE TABLE shop.tmpx (id INT PRIMARY KEY)",
    )
    succeed("mysql_replication", following(replica, primary, wait_for_source=True))
    assert replica.sql("SHOW DATABASES LIKE 'left out'") == []
    assert [next(iter(row.values())) for row in replica.sql("SHOW TABLES FROM shop")] == [
        *("t", "tmpx"),
    ]
    cleared = changed(following(replica, primary, filters=dict.fromkeys(filters, [])))
    assert cleared["diff"]["after"]["filters.rewrite_db"] == []
    refused = fail(
        "mysql_replication", following(replica, primary, filters={"do_table": ["no schema"]})
    )
    assert "filters.do_table: 'no schema' is not of the form schema.table" in refused["msg"]


def test_until(primary: Server, replica: Server, version: str) -> None:
    succeed("mysql_replication", following(replica, primary, wait_for_source=True))
    succeed("mysql_replication", {**replica.login, "state": "stopped"})
    first, second, third = (insert(primary, number) for number in (1, 2, 3))
    assert third

    def rows() -> list[int]:
        return [row["id"] for row in replica.sql("SELECT id FROM shop.t WHERE id < 100")]

    before = changed(following(replica, primary, until={"gtid_before": second}))
    assert verbs(before) == ["START REPLICA IO_THREAD", "START REPLICA SQL_THREAD"]
    assert f"SQL_BEFORE_GTIDS = '{second}'" in before["plan"][1]["statement"]
    assert rows() == [1]
    assert before["replication"]["applier"] == "stopped"
    assert before["replication"]["receiver"] == "running"
    passed = fail("mysql_replication", following(replica, primary, until={"gtid_before": first}))
    assert codes(passed) == ["replication.until_passed"]
    assert first in passed["msg"]
    changed(following(replica, primary, until={"gtid_after": second}))
    assert rows() == [1, 2]
    at = primary.sql(primary.says("show_binary_log_status"))[0]
    insert(primary, 4)
    place = {"source_log_file": at["file"], "source_log_pos": at["position"]}
    changed(following(replica, primary, until=place))
    assert rows() == [1, 2, 3]
    goes_on = changed(following(replica, primary, wait_for_source=True))
    assert verbs(goes_on) == ["START REPLICA SQL_THREAD"]
    assert rows() == [1, 2, 3, 4]
    uuid = first.partition(":")[0]
    never = fail(
        "mysql_replication",
        following(replica, primary, until={"gtid_after": f"{uuid}:99999"}, timeout=2),
    )
    assert codes(never) == ["replication.until_not_reached"]
    assert never["missing"] == f"{uuid}:99999"
    assert never["replication"]["until_condition"] == "SQL_AFTER_GTIDS"
    succeed("mysql_replication", {**replica.login, "state": "stopped"})
    succeed("mysql_replication", following(replica, primary))


def test_a_wait_that_ends_says_what_is_missing(primary: Server, replica: Server) -> None:
    succeed("mysql_replication", following(replica, primary, source_delay=3600))
    late = insert(primary, 5)
    arguments = following(replica, primary, wait_for_source=True, timeout=2)
    failed = fail("mysql_replication", arguments)
    assert codes(failed) == ["replication.behind"]
    assert failed["missing"] == late
    shown = failed["replication"]
    assert (shown["receiver"], shown["applier"]) == ("running", "running")
    assert (shown["lag_transactions"], shown["gtid_missing"]) == (1, late)
    assert "lag_seconds" in shown
    succeed("mysql_replication", following(replica, primary, source_delay=0))
    named = succeed("mysql_replication", following(replica, primary, wait_for_gtids=late))
    assert not named["changed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": {}}, "gtid_before, gtid_after, source_log_file"),
        ({"until": {"gtid_after": "nonsense"}}, "is not a GTID set"),
        ({"until": {"source_log_file": "binlog.000001"}}, "required together"),
        ({"until": {"gtid_after": "x"}, "state": "stopped"}, "is not a GTID set"),
        ({"wait_for_source": True, "state": "stopped"}, "wait_for_source: goes with"),
        ({"seed": "auto", "state": "stopped"}, "seed: goes with state: following"),
        ({"privilege_checks_user": "a b@c@d"}, "privilege_checks_user: "),
        ({"replicas": []}, "mutually exclusive"),
    ],
)
def test_bad_input_touches_nothing(
    primary: Server, replica: Server, options: dict[str, Any], words: str
) -> None:
    failed = fail("mysql_replication", following(replica, primary, **options))
    assert words in failed["msg"]
    assert succeed("mysql_replication_info", replica.login)["channels"][0]["following"]


def test_tags_are_counted_and_waited_for(primary: Server, replica: Server, version: str) -> None:
    if primary.release < (8, 3, 0):
        pytest.skip("tags came with 8.3")
    primary.sql("SET gtid_next = 'AUTOMATIC:tagged'", "INSERT INTO shop.t VALUES (6)")
    assert ":tagged:1" in executed(primary)
    uuid = primary.sql("SELECT @@GLOBAL.server_uuid AS u")[0]["u"]
    done = succeed(
        "mysql_replication", following(replica, primary, wait_for_gtids=f"{uuid}:tagged:1")
    )
    assert ":tagged:1" in done["replication"]["gtid_executed"]
    lacking = fail(
        "mysql_replication",
        following(replica, primary, wait_for_gtids=f"{uuid}:tagged:1-3", timeout=1),
    )
    assert lacking["missing"] == f"{uuid}:tagged:2-3"


def test_many_replicas_in_one_task(
    primary: Server, server_factory: ServerFactory, version: str
) -> None:
    good, strange = server_factory(version, 21), server_factory(version, 22)
    strange.sql("CREATE DATABASE own")
    servers = {"good": good, "strange": strange}
    members = [server.instance(name) for name, server in servers.items()]
    arguments = {**following(good, primary), "replicas": members}
    for key in ("login_host", "login_port"):
        arguments.pop(key)
    predicted = fail("mysql_replication", arguments, check=True)
    failed = fail("mysql_replication", arguments)
    # One that cannot follow stops no other.
    assert [each["failed"] for each in failed["replicas"]] == [False, True]
    assert failed["replicas"][0]["replication"]["following"]
    assert failed["replicas"][1]["findings"][0]["code"] == "replication.errant"
    assert "1 of 2 replicas failed: strange" in failed["msg"]
    assert (predicted["changed"], failed["changed"]) == (True, True)
    assert {step["instance"] for step in failed["plan"]} == {"good"}
    assert succeed("mysql_replication_info", strange.login)["channels"] == []
    named = {**arguments, "seed": "dump", "seed_overwrite": ["strange"], "wait_for_source": True}
    done = succeed("mysql_replication", named)
    assert [each["seed"]["method"] for each in done["replicas"]] == ["none", "dump"]
    assert [each["changed"] for each in done["replicas"]] == [False, True]
    assert [each["before_header"] for each in done["diff"]] == ["strange"]
    again = succeed("mysql_replication", named)
    assert not again["changed"]
    assert SECRET not in json.dumps([failed, done, again])
    twins = [good.instance("one"), good.instance("two")]
    alike = fail("mysql_replication", {**arguments, "replicas": twins})
    assert "replication.replicas_share_server_id" in codes(alike)
    away = {"name": "away", "login_host": "127.0.0.1", "login_port": 1}
    partly = fail("mysql_replication", {**arguments, "replicas": [members[0], away]})
    assert [each["failed"] for each in partly["replicas"]] == [False, True]
    assert "away" in partly["msg"]
