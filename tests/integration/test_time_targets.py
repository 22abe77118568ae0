# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A time as a target: what was committed by then and never more, whatever clock a session or a server has."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive import read_binlog
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import scan
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, end_processes_of
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import FOLDERS, Server, in_tree, tree

pytestmark = pytest.mark.servers
# Between what is committed by a moment and what is not: far more than two statements are apart.
PAUSE = 0.3
LIB = Path(__file__).parents[2] / "roles" / "backup" / "files" / "lib.sh"
LONG_AGO = "SET SESSION timestamp = 1577836800"


def now(server: Server) -> str:
    """The server's moment, as an option takes it."""
    found = server.sql("SELECT CONCAT(REPLACE(UTC_TIMESTAMP(6), ' ', 'T'), 'Z') AS t")[0]["t"]
    return str(found)


def noted(server: Server) -> str:
    """A moment with room on both sides."""
    time.sleep(PAUSE)
    moment = now(server)
    time.sleep(PAUSE)
    return moment


def executed(server: Server) -> str:
    return str(server.sql("SELECT @@GLOBAL.gtid_executed AS g")[0]["g"]).replace("\n", "")


def find(server: Server, moment: str, **more: Any) -> dict[str, Any]:
    return succeed("binlog_point", {**server.login, "action": "find", "time": moment, **more})


@pytest.fixture
def server(server_factory: ServerFactory, version: str) -> Server:
    return server_factory(version, 1)


@pytest.fixture
def archive(server: Server) -> Iterator[HandArchive]:
    made = HandArchive(server)
    yield made
    end_processes_of(str(made.home))
    made.remove()


def begun_long_ago(server: Server) -> tuple[str, str]:
    """A log that is begun under SET timestamp after a DELETE; the moment before it, and its GTIDs."""
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "INSERT INTO shop.t VALUES (1), (2)",
    )
    moment, kept = noted(server), executed(server)
    server.sql("DELETE FROM shop.t")
    server.sql(
        LONG_AGO,
        "FLUSH BINARY LOGS",
        "SET SESSION timestamp = DEFAULT",
        "INSERT INTO shop.t VALUES (9)",
    )
    return moment, kept


def test_a_log_that_was_begun_under_another_timestamp(server: Server, archive: HandArchive) -> None:
    archive.base()
    moment, kept = begun_long_ago(server)
    found = find(server, moment)
    assert found["point"]["gtid_executed"] == kept
    assert found["transaction"]["rows"]["deleted"] == 2
    archive.fetch()
    scratch = archive.scratch()
    recovered = succeed(
        "mysql_recovery",
        {
            "action": "apply",
            "archive": str(archive.root),
            "target": {"time": moment},
            "scratch": scratch,
        },
    )
    assert recovered["gtid_executed"] == kept
    rows = {table["table"]: table["rows"] for table in recovered["tables"]}
    assert rows["shop.t"] == 2


def refused(server: Server, moment: str, **more: Any) -> dict[str, Any]:
    return fail("binlog_point", {**server.login, "action": "find", "time": moment, **more})


def point_of(server: Server, moment: str, **more: Any) -> str:
    return str(find(server, moment, **more)["point"]["gtid_executed"])


def table(server: Server) -> None:
    server.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")


def insert(server: Server, number: int, *before: str) -> str:
    """Write a row in a transaction of its own; return what is executed after it."""
    server.sql(*before, f"INSERT INTO shop.t VALUES ({number})")
    return executed(server)


def follow(replica: Server, source: Server) -> None:
    old = replica.version.startswith("8.0")
    change = "CHANGE MASTER TO MASTER" if old else "CHANGE REPLICATION SOURCE TO SOURCE"
    prefix = "MASTER" if old else "SOURCE"
    replica.sql(
        f"{change}_HOST = '127.0.0.1', {prefix}_PORT = {source.port}, {prefix}_USER = 'root',"
        f" {prefix}_PASSWORD = '{source.password}', {prefix}_AUTO_POSITION = 1,"
        f" GET_{prefix}_PUBLIC_KEY = 1, {prefix}_CONNECT_RETRY = 1",
        "START SLAVE" if old else "START REPLICA",
    )
    waited = f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed(source)}', 60) AS missed"
    assert replica.sql(waited)[0]["missed"] == 0


def test_what_sessions_set_as_their_time_decides_nothing(server: Server) -> None:
    """Neither of the transactions, nor of the logs that are begun between them; nor who may not change it."""
    table(server)
    server.sql("CREATE USER clerk IDENTIFIED BY 'clerk'", "GRANT INSERT ON shop.* TO clerk")
    kept = insert(server, 1, "SET SESSION timestamp = 2145916800")
    first = noted(server)
    with server.connect(user="clerk", password="clerk") as connection:
        connection.execute(LONG_AGO)
        connection.execute("INSERT INTO shop.t VALUES (2)")
    later = executed(server)
    server.sql("SET SESSION timestamp = 2145916800", "FLUSH BINARY LOGS")
    second = noted(server)
    insert(server, 3, LONG_AGO)
    assert point_of(server, first) == kept
    found = find(server, second)
    assert found["point"]["gtid_executed"] == later
    assert found["by_time"]["clock"] == "both"
    assert found["by_time"]["latest_kept"] <= second < found["by_time"]["earliest_left_out"]
    assert found["by_time"]["not_compared"] == ""


def test_moments_at_the_edges_of_the_logs(server: Server) -> None:
    before = noted(server)
    table(server)
    kept = insert(server, 1)
    server.sql("FLUSH BINARY LOGS")
    between = noted(server)
    server.sql("FLUSH BINARY LOGS")
    insert(server, 2)
    assert codes(refused(server, before)) == ["binlog.nothing_by_then"]
    assert codes(refused(server, "1970-01-01T00:00:00Z")) == ["binlog.nothing_by_then"]
    assert codes(refused(server, "2999-01-01T00:00:00+14:00")) == ["binlog.time_in_future"]
    found = find(server, between)
    assert found["point"]["gtid_executed"] == kept
    exact = find(server, found["transaction"]["commit_time"])
    assert exact["point"]["gtid_executed"] == executed(server)
    assert exact["transaction"] is None
    # Of every spelling of one moment the same.
    for text in (
        between.replace("Z", "+00:00"),
        between.replace("T", " "),
        between.replace("-", "").replace(":", ""),
    ):
        assert point_of(server, text) == kept, text


def test_a_history_that_mysqlbinlog_brought(server: Server, server_factory: ServerFactory) -> None:
    """Its transactions are of long before by one clock, of the replay by the other."""
    table(server)
    insert(server, 1)
    other = server_factory(server.version, 2)
    other.sql("CREATE DATABASE own")
    own = executed(other)
    before = noted(other)
    replay(server, other)
    replayed = executed(other)
    after = noted(other)
    other.sql("CREATE DATABASE own_2")
    assert point_of(other, before, clock="immediate") == own
    assert point_of(other, before, clock="original") == replayed
    result = refused(other, before, language="ko")
    assert codes(result) == ["binlog.clocks_differ"]
    assert "clock" in result["msg"]
    assert point_of(other, after) == replayed
    # By the clock of the server that it came from, its first half is behind what is later.
    middle = noted(server)
    other.sql("CREATE DATABASE own_3")
    server.sql("CREATE DATABASE later")
    replay(server, other, exclude=replayed)
    assert point_of(other, middle, clock="immediate") == executed_before(other, "own_3")


def executed_before(server: Server, schema: str) -> str:
    found = succeed(
        "binlog_point",
        {
            **server.login,
            "action": "find",
            "before": {"statement": "CREATE", "table": f"{schema}.any"},
        },
    )
    return str(found["point"]["gtid_executed"])


def replay(source: Server, onto: Server, exclude: str = "") -> None:
    """mysqlbinlog | mysql, with a rotation on the way."""
    names = [str(row["log_name"]) for row in source.sql("SHOW BINARY LOGS")]
    without = [f"--exclude-gtids={exclude}"] if exclude else []
    text = source.client("mysqlbinlog", "--read-from-remote-server", *without, *names)
    opened = text.rindex("SET @@SESSION.GTID_NEXT= ", 0, text.rindex("GTID_NEXT= 'AUTOMATIC'"))
    rotate = "SET @@SESSION.GTID_NEXT= 'AUTOMATIC'/*!*/;\nFLUSH BINARY LOGS/*!*/;\n"
    text = f"{text[:opened]}{rotate}{text[opened:]}"
    onto.client("mysql", "--binary-mode", input=text)


def test_a_replica_of_a_replica_that_caught_up(
    server: Server, server_factory: ServerFactory, version: str
) -> None:
    table(server)
    kept = insert(server, 1)
    moment = noted(server)
    insert(server, 2)
    middle, last = server_factory(version, 2), server_factory(version, 3)
    follow(middle, server)
    follow(last, middle)
    all_of_it, after = executed(last), noted(last)
    insert(server, 3)
    follow_on(last, executed(server))
    assert codes(refused(last, moment)) == ["binlog.clocks_differ"]
    assert point_of(last, moment, clock="original") == kept
    assert codes(refused(last, moment, clock="immediate")) == ["binlog.nothing_by_then"]
    assert point_of(last, after) == all_of_it
    assert point_of(server, moment) == kept


def follow_on(replica: Server, gtids: str) -> None:
    waited = f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{gtids}', 60) AS missed"
    assert replica.sql(waited)[0]["missed"] == 0


def test_a_clock_that_ran_backwards_is_shown_and_never_guessed(server: Server) -> None:
    """Here that of the server that committed first: the range is told, and each way out of it works."""
    table(server)
    kept = insert(server, 1)
    moment = noted(server)
    back = int(server.sql("SELECT UNIX_TIMESTAMP(NOW(6)) * 1000000 AS t")[0]["t"])
    insert(server, 2)
    everything = insert(server, 3, f"SET SESSION original_commit_timestamp = {back - 10**7}")
    insert(server, 4)
    result = refused(server, moment, clock="original")
    assert codes(result) == ["binlog.time_unordered"]
    fix = result["findings"][0]["fix"]
    places = re.findall(r"file: (\S+)(?: with|,) position: (\d+)", fix)
    assert len(places) == 2, fix
    found = [
        succeed("binlog_point", {**server.login, "action": "find", "file": file, "position": at})
        for file, at in places
    ]
    assert [one["point"]["gtid_executed"] for one in found] == [kept, everything]
    assert codes(refused(server, moment)) == ["binlog.clocks_differ"]
    assert point_of(server, moment, clock="immediate") == kept


def test_a_transaction_of_unknown_origin_in_time(server: Server) -> None:
    table(server)
    kept = insert(server, 1, "SET SESSION original_commit_timestamp = 0")
    moment = noted(server)
    insert(server, 2)
    assert codes(refused(server, moment)) == ["binlog.clocks_differ"]
    assert codes(refused(server, moment, clock="original")) == ["binlog.no_commit_times"]
    assert point_of(server, moment, clock="immediate") == kept
    found = succeed("binlog_point", {**server.login, "action": "browse"})
    assert found["transactions"][-2]["original_commit_time"] is None


def planned(archive: HandArchive, moment: str, **more: Any) -> dict[str, Any]:
    asked = {"archive": str(archive.root), "target": {"time": moment, **more}}
    return dict(succeed("mysql_recovery", asked)["plan"])


def no_plan(archive: HandArchive, moment: str, **more: Any) -> list[str]:
    asked = {"archive": str(archive.root), "target": {"time": moment, **more}}
    return codes(fail("mysql_recovery", asked))


def test_an_archive_of_two_servers_after_a_switchover(
    server: Server, archive: HandArchive, server_factory: ServerFactory, version: str
) -> None:
    """The second one logged what the first did, later; what both logged counts once."""
    base_time = noted(server)
    archive.base()
    after_base = noted(server)
    at_base = executed(server)
    table(server)
    kept = insert(server, 1)
    moment = noted(server)
    insert(server, 2)
    second = server_factory(version, 2)
    follow(second, server)
    last_of_first = executed(server)
    archive.fetch()
    switched = noted(second)
    second.sql("INSERT INTO shop.t VALUES (3)")
    archive.server = second
    archive.fetch()
    assert planned(archive, after_base)["gtid_executed"] == at_base
    assert no_plan(archive, base_time) == ["binlog.nothing_by_then"]
    for asked, wanted in ((moment, kept), (switched, last_of_first)):
        plan = planned(archive, asked)
        assert plan["gtid_executed"] == wanted
        assert plan["by_time"]["latest_kept"] <= asked < plan["by_time"]["earliest_left_out"]
        assert plan["history"]["left_behind"] == ""
        found = succeed(
            "binlog_point", {"archive": str(archive.root), "action": "find", "time": asked}
        )
        assert found["point"]["gtid_executed"] == wanted
    assert no_plan(archive, after(second)) == ["binlog.beyond_archive"]


def after(server: Server) -> str:
    return str(
        server.sql("SELECT CONCAT(REPLACE(UTC_TIMESTAMP(6) + INTERVAL 1 DAY, ' ', 'T'), 'Z') AS t")[
            0
        ]["t"]
    )


def test_histories_that_part_are_told_apart_by_the_archiver_not_by_clocks(
    server: Server, archive: HandArchive, server_factory: ServerFactory, version: str
) -> None:
    """The new primary took over without the last transaction; that one was committed after its own."""
    archive.base()
    table(server)
    second = server_factory(version, 2)
    follow(second, server)
    second.sql("STOP SLAVE" if version.startswith("8.0") else "STOP REPLICA")
    common = executed(server)
    new = insert(second, 7)
    left = GtidSet.parse(insert(server, 9)) - GtidSet.parse(common)
    archive.fetch()
    archive.server = second
    archive.fetch()
    ask = {"archive": str(archive.root), "target": {"latest": True}}
    by_clock = succeed("mysql_recovery", ask)["plan"]
    assert by_clock["history"]["chosen_by"] == "last_commit"
    (archive.root / "status.json").write_text(json.dumps({"server_uuid": archive.uuid}))
    plan = succeed("mysql_recovery", ask)["plan"]
    assert GtidSet.parse(plan["gtid_executed"]) == GtidSet.parse(new)
    assert plan["history"] == {
        "server_uuid": archive.uuid,
        "chosen_by": "archiver",
        "left_behind": str(left),
    }


def test_a_recovery_from_what_mysqlbinlog_brought(
    server: Server, archive: HandArchive, server_factory: ServerFactory, version: str
) -> None:
    other = server_factory(version, 2)
    table(other)
    insert(other, 1)
    archive.base()
    server.sql("CREATE DATABASE own", "CREATE TABLE own.t (id INT PRIMARY KEY)")
    kept, moment = executed(server), noted(server)
    replay(other, server)
    server.sql("DROP TABLE own.t")
    archive.fetch()
    assert no_plan(archive, moment) == ["binlog.clocks_differ"]
    plan = planned(archive, moment, clock="immediate")
    assert plan["gtid_executed"] == kept
    assert plan["target"].endswith("(clock: immediate)")
    by_original = planned(archive, moment, clock="original")
    assert by_original["first_left_out"]["statements"][0].startswith("DROP TABLE")


def test_a_sidecar_notes_both_clocks(
    server: Server, server_factory: ServerFactory, version: str
) -> None:
    """As the archiver's own script does it, of each kind of log."""
    table(server)
    insert(server, 1)
    second = server_factory(version, 2)
    follow(second, server)
    second.sql("SET SESSION original_commit_timestamp = 12345678", "INSERT INTO shop.t VALUES (2)")
    unknown = server_factory(version, 3, "--gtid-mode=OFF_PERMISSIVE")
    unknown.sql("CREATE DATABASE a")
    unknown.sql("SET SESSION original_commit_timestamp = 0", "CREATE DATABASE b")
    for wrote in (server, second, unknown):
        wrote.sql("FLUSH BINARY LOGS")
        log = wrote.folder / "data" / "binlog.000001"
        told = read_binlog(described(log), f"binlog/{A_SERVER}", sealed=True)
        read = scan(memoryview(log.read_bytes()), f"binlog/{A_SERVER}", log.name)
        for name in NOTED:
            assert getattr(told, name) == getattr(read, name), name
        assert (told.first_original is None) == (wrote is unknown)


A_SERVER = "00000000-0000-0000-0000-000000000001"
NOTED = ("gtids", "transactions", "first_commit", "last_commit", "first_original", "last_original")


def described(log: Path) -> dict[str, Any]:
    """What lib.sh of the role writes into the sidecar of a log."""
    folder = tree("9.7") / FOLDERS / f"{log.parents[1].name}-described"
    folder.mkdir()
    try:
        shutil.copyfile(log, folder / log.name)
        shutil.copyfile(LIB, folder / "lib.sh")
        inside = f"/{folder.relative_to(tree('9.7'))}"
        text = in_tree(
            tree("9.7"), "bash", "-c", f". {inside}/lib.sh; describe_binlog {inside}/{log.name}"
        ).stdout
    finally:
        shutil.rmtree(folder)
    return {
        "name": log.name,
        "stored": log.name,
        "server_uuid": A_SERVER,
        **json.loads(f"{{{text}}}"),
    }


def test_without_gtids_a_moment_leads_to_a_place(
    server_factory: ServerFactory, version: str
) -> None:
    server = server_factory(version, 1, "--gtid-mode=OFF")
    table(server)
    insert(server, 1)
    end = succeed("binlog_point", server.login)["point"]
    moment = noted(server)
    server.sql(LONG_AGO, "FLUSH BINARY LOGS", "DELETE FROM shop.t")
    found = find(server, moment)
    assert found["transaction"]["rows"]["deleted"] == 1
    assert found["previous"]["end_position"] == end["position"]
    assert found["previous"]["file"] == end["file"]
