# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""binlog_point on real servers of both ends: notes that stay, and points that recover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import NEWEST, Server, release

pytestmark = pytest.mark.servers
ROWS = 50
ANSWER = ("changed", "point", "transaction", "previous")


@pytest.fixture(scope="module")
def server(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 1)


def point(server: Server, *, check: bool = False, **options: Any) -> dict[str, Any]:
    return succeed("binlog_point", {**server.login, **options}, check=check)


def refused(server: Server, **options: Any) -> dict[str, Any]:
    return fail("binlog_point", {**server.login, **options})


def executed(server: Server) -> str:
    return str(server.sql("SELECT @@GLOBAL.gtid_executed AS found")[0]["found"]).replace("\n", "")


def log_status(server: Server) -> dict[str, Any]:
    return server.sql(server.says("show_binary_log_status"))[0]


def test_notes_are_kept_once_and_moved_on_request(server: Server) -> None:
    before = executed(server)
    note = {"action": "note", "name": "before the cleanup"}
    predicted = point(server, check=True, **note)
    assert executed(server) == before, "check mode wrote"

    noted = point(server, **note)
    assert noted["changed"]
    assert predicted["changed"]
    assert noted["point"]["gtid_executed"] == predicted["point"]["gtid_executed"] == before
    assert [step["reason"] for step in noted["plan"]] == [
        step["reason"] for step in predicted["plan"]
    ]

    for check in (True, False):
        again = point(server, check=check, **note)
        assert (again["changed"], again["plan"]) == (False, [])
        assert again["point"] == noted["point"]

    after = executed(server)
    for check in (True, False):
        moved = point(server, check=check, replace=True, **note)
        assert moved["changed"]
        assert moved["point"]["gtid_executed"] == after
    shown = point(server, action="show", name="before the cleanup")
    assert shown["point"] == moved["point"]
    point(server, action="note", name="a later one")
    listed = point(server, action="list")["points"]
    assert listed[0] == shown["point"]
    assert [one["name"] for one in listed] == ["before the cleanup", "a later one"]


def test_the_current_point_is_where_the_log_ends(server: Server) -> None:
    status = log_status(server)
    shown = point(server)
    assert not shown["changed"]
    assert shown["point"]["file"] == status["file"]
    assert shown["point"]["position"] == status["position"]
    assert shown["point"]["gtid_executed"] == executed(server)


def test_reading_writes_nothing(server: Server) -> None:
    before = executed(server)
    point(server)
    point(server, action="list")
    point(server, action="find", file="binlog.000001", position=4)
    refused(server, action="show", name="never noted")
    assert executed(server) == before


def test_an_unknown_name_is_answered_with_the_known_ones(server: Server) -> None:
    point(server, action="note", name="known")
    result = refused(server, action="show", name="unknown", language="ko")
    assert codes(result) == ["binlog.point_unknown"]
    assert "'known'" in result["findings"][0]["proof"][0]
    assert "기록되어 있지 않습니다" in result["msg"]


def test_a_read_only_server_takes_no_note(server: Server) -> None:
    server.sql("SET GLOBAL super_read_only = ON")
    result = refused(server, action="note", name="on a replica")
    server.sql("SET GLOBAL read_only = OFF")
    assert codes(result) == ["binlog.read_only"]


def shop(server: Server) -> list[str]:
    """Write a history with a mistake in it; return gtid_executed before and after each step."""
    statements = [
        "CREATE DATABASE shop",
        "CREATE TABLE shop.carts (id INT PRIMARY KEY, what JSON, at DATETIME(6), note LONGTEXT)",
        *(
            f"INSERT INTO shop.carts VALUES ({n}, JSON_OBJECT('n', {n}), NOW(6), REPEAT('x', {n}))"
            for n in range(1, ROWS + 1)
        ),
        "FLUSH BINARY LOGS",
        "UPDATE shop.carts SET note = 'paid' WHERE id <= 30",
        "DELETE FROM shop.carts WHERE id > 10",
        "DROP TABLE shop.carts",
        "CREATE TABLE shop.after_it (id INT PRIMARY KEY)",
    ]
    history = [executed(server)]
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement)
            history.append(str(connection.value("SELECT @@GLOBAL.gtid_executed")))
    return history


@dataclass(frozen=True)
class Told:
    """A server with a history that no test adds to. steps: gtid_executed after each."""

    server: Server
    steps: list[str]


@pytest.fixture(scope="module")
def told(shared_server_factory: ServerFactory, version: str) -> Told:
    server = shared_server_factory(version, 1)
    return Told(server, shop(server))


def replayed(server: Server, until: dict[str, Any], onto: Server) -> None:
    """Recover by hand: what mysqlbinlog reads up to a point, into an empty server."""
    logs = [row["log_name"] for row in server.sql("SHOW BINARY LOGS")]
    wanted = logs[: logs.index(until["file"]) + 1]
    text = server.client(
        "mysqlbinlog",
        "--read-from-remote-server",
        f"--stop-position={until['position']}",
        *wanted,
    )
    onto.client("mysql", "--binary-mode", input=text)


def test_a_recovery_to_the_point_before_the_mistake_has_all_before_it_and_no_more(
    told: Told, server_factory: ServerFactory, version: str
) -> None:
    server, history = told.server, told.steps
    dropped = point(server, action="find", before={"statement": "DROP", "table": "shop.carts"})
    assert dropped["point"]["gtid_executed"] == history[-3]
    assert dropped["transaction"]["statements"][0].startswith("DROP TABLE")

    deleted = point(server, action="find", before={"statement": "DELETE", "rows_over": ROWS - 11})
    assert deleted["point"]["gtid_executed"] == history[-4]
    assert deleted["transaction"]["rows"] == {"inserted": 0, "updated": 0, "deleted": ROWS - 10}
    assert deleted["transaction"]["tables"][0]["table"] == "shop.carts"

    scratch = server_factory(version, 2)
    replayed(server, deleted["point"], scratch)
    assert executed(scratch) == deleted["point"]["gtid_executed"]
    found = scratch.sql("SELECT COUNT(*) AS rows_there, SUM(note = 'paid') AS paid FROM shop.carts")
    assert found == [{"rows_there": ROWS, "paid": 30}]


def test_each_way_of_asking_leads_to_the_same_place(told: Told) -> None:
    server, history = told.server, told.steps
    by_deed = point(server, action="find", before={"statement": "UPDATE", "table": "shop.carts"})
    update = by_deed["transaction"]
    assert by_deed["point"]["gtid_executed"] == history[-5]
    assert by_deed["previous"]["file"] != update["file"], "a file was begun between them"

    by_gtid = point(server, action="find", gtid=update["gtid"])
    inside = update["end_position"] - 1
    by_place = point(server, action="find", file=update["file"], position=inside)
    by_time = point(server, action="find", time=by_deed["previous"]["commit_time"])
    for other in (by_gtid, by_place, by_time):
        assert {key: other[key] for key in ANSWER} == {key: by_deed[key] for key in ANSWER}

    end = log_status(server)
    at_end = point(server, action="find", file=end["file"], position=end["position"])
    assert at_end["transaction"] is None
    assert at_end["point"]["gtid_executed"] == history[-1]


def test_what_is_not_there(server: Server) -> None:
    uuid = server.sql("SELECT @@server_uuid AS uuid")[0]["uuid"]
    unknown = refused(server, action="find", gtid=f"{uuid}:999999")
    assert codes(unknown) == ["binlog.gtid_unknown"]
    future = refused(server, action="find", time="2999-01-01T00:00:00Z")
    assert codes(future) == ["binlog.time_in_future"]
    file = refused(server, action="find", file="binlog.999999", position=4)
    assert codes(file) == ["binlog.file_unknown"]
    nothing = refused(server, action="find", before={"statement": "TRUNCATE"})
    assert codes(nothing) == ["binlog.nothing_matches"]
    assert "binlog.000001" in nothing["msg"]


def test_purged_logs_are_never_guessed_at(server_factory: ServerFactory, version: str) -> None:
    server = server_factory(version, 1)
    shop(server)
    uuid = server.sql("SELECT @@server_uuid AS uuid")[0]["uuid"]
    server.sql("PURGE BINARY LOGS TO 'binlog.000002'")
    assert codes(refused(server, action="find", gtid=f"{uuid}:1")) == ["binlog.purged"]
    past = refused(server, action="find", time="2020-01-01T00:00:00Z")
    assert codes(past) == ["binlog.nothing_by_then"]
    found = point(server, action="find", before={"statement": "DROP", "table": "shop.carts"})
    assert found["point"]["file"] == "binlog.000002"


def test_a_seeded_server_counts_its_seed(server_factory: ServerFactory, version: str) -> None:
    server = server_factory(version, 1)
    seed = "11111111-71ca-11e1-9e33-c80aa9429562:1-500"
    server.sql(f"SET GLOBAL gtid_purged = '{seed}'", "CREATE DATABASE shop")
    before = executed(server)
    server.sql("DROP DATABASE shop")
    found = point(server, action="find", before={"statement": "DROP"})
    assert found["point"]["gtid_executed"] == before
    assert seed in before
    assert codes(refused(server, action="find", gtid=seed.replace("1-500", "7"))) == [
        "binlog.purged"
    ]


def test_without_a_binary_log_there_is_no_point(
    server_factory: ServerFactory, version: str
) -> None:
    server = server_factory(
        version, 1, "--skip-log-bin", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"
    )
    for action in ({"action": "show"}, {"action": "note", "name": "a"}):
        assert codes(refused(server, **action)) == ["binlog.off"]
    assert codes(refused(server, action="find", file="f", position=4)) == ["binlog.off"]


def test_without_gtids_and_without_checksums(server_factory: ServerFactory, version: str) -> None:
    server = server_factory(version, 1, "--gtid-mode=OFF", "--binlog-checksum=NONE")
    shop(server)
    found = point(server, action="find", before={"statement": "DROP", "table": "shop.carts"})
    assert found["transaction"]["gtid"] is None
    assert found["point"]["gtid_executed"] == ""
    again = point(
        server, action="find", file=found["point"]["file"], position=found["point"]["position"]
    )
    assert again["transaction"] == found["transaction"]
    assert point(server, action="note", name="a")["point"]["gtid_executed"] == ""


@pytest.mark.skipif(release(NEWEST) < (8, 3, 0), reason="tags came with 8.3")
def test_tags_and_compressed_transactions(server_factory: ServerFactory) -> None:
    server = server_factory(NEWEST, 1)
    shop(server)
    uuid = server.sql("SELECT @@server_uuid AS uuid")[0]["uuid"]
    server.sql(
        "SET gtid_next = 'AUTOMATIC:billing'", "INSERT INTO shop.after_it VALUES (1), (2), (3)"
    )
    server.sql(
        "SET SESSION binlog_transaction_compression = ON",
        "INSERT INTO shop.after_it SELECT id + 10 FROM shop.after_it",
    )
    tagged = point(server, action="find", gtid=f"{uuid}:billing:1")
    assert tagged["transaction"]["rows"]["inserted"] == 3

    end = executed(server)
    current = point(server)["point"]
    assert current["gtid_executed"] == end
    compressed = point(server, action="find", time=tagged["transaction"]["commit_time"])
    assert compressed["transaction"]["compressed"]
    assert compressed["transaction"]["end_position"] == current["position"]
    # What it holds is known where a library can open it, and said to be unknown elsewhere.
    inserted = compressed["transaction"]["rows"]["inserted"]
    assert inserted == (3 if compressed["transaction"]["complete"] else 0)


def test_a_replica_that_follows_is_not_disturbed(
    server_factory: ServerFactory, version: str
) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    options = {
        "SOURCE_HOST": "'127.0.0.1'",
        "SOURCE_PORT": source.port,
        "SOURCE_USER": "'root'",
        "SOURCE_PASSWORD": f"'{source.password}'",
        "SOURCE_AUTO_POSITION": 1,
        "GET_SOURCE_PUBLIC_KEY": 1,
        "SOURCE_CONNECT_RETRY": 1,
    }
    told = ", ".join(f"{replica.calls(name)} = {value}" for name, value in options.items())
    replica.sql(f"{replica.says('change_source')} {told}", replica.says("start_replica"))
    point(source, action="note", name="through replication")
    assert _follows(source, replica)
    threads = _dump_threads(source)
    assert len(threads) == 1

    point(source, action="find", before={"table": "mysql_on_kubernetes.binlog_points"})
    found = point(
        source, action="find", gtid=executed(source).split(":", maxsplit=1)[0] + ":1", server_id=11
    )
    assert found["transaction"]["start_position"]
    assert _dump_threads(source) == threads, "the replica had to connect again"

    noted = point(replica, action="show", name="through replication")["point"]
    assert noted == point(source, action="show", name="through replication")["point"]


def _follows(source: Server, replica: Server) -> bool:
    rows = replica.sql(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed(source)}', 30) AS missed")
    return bool(rows[0]["missed"] == 0)


def _dump_threads(source: Server) -> list[int]:
    rows = source.sql("SHOW PROCESSLIST")
    return [row["id"] for row in rows if str(row["command"]) == "Binlog Dump GTID"]
