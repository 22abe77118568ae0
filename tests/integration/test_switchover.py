# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_switchover between real servers of both ends, with somebody who writes all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import modern_row

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, grant, source_of
from tests.integration.runner import codes, fail, run_module, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers
DEADLINE = 30.0
Servers = dict[str, Server]


def until(what: Callable[[], Any], words: str) -> Any:
    """Return what it says once that is true."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {DEADLINE:.0f} s: {words}")


@pytest.fixture
def servers(server_factory: ServerFactory, version: str) -> Servers:
    """A cluster of either version."""
    return cluster_of(server_factory, version)


def cluster_of(server_factory: ServerFactory, version: str) -> Servers:
    """A primary and two replicas that follow it, with a table and an account of a client."""
    # Durable, unlike the servers of other tests: what is killed here and comes back has what it had.
    durable = ("--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1")
    made = {f"mysql-{number}": server_factory(version, number, *durable) for number in (1, 11, 12)}
    primary = made["mysql-1"]
    grant(primary)
    primary.sql(
        "CREATE USER client@'%' IDENTIFIED BY 'client'",
        "GRANT ALL ON shop.* TO client@'%'",
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id INT PRIMARY KEY, server_id INT NOT NULL)",
    )
    for name in ("mysql-11", "mysql-12"):
        follow(made[name], primary)
    return made


def follow(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    mine = {
        "source_heartbeat_period": 0.5,
        "source_connect_retry": 1,
        # 10 tries, as 8.4 and later have it, are over in the middle of a test on a busy machine.
        "source_retry_count": 1000,
        "source_instance": primary.instance("primary"),
    }
    return succeed("mysql_replication", source_of(replica, primary, **(mine | options)))


def asked(servers: Servers, **options: Any) -> dict[str, Any]:
    """The arguments of mysql_switchover."""
    return {
        "instances": [server.instance(name) for name, server in servers.items()],
        "connect_timeout": 3,
        "source_password": SECRET,
        "timeout": 20,
        **options,
    }


def roles(result: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["role"] for each in result["instances"]}


class Writer:
    """Writes one row after the other as a client does, and counts those that were acknowledged.

    It goes to whichever instance takes writes, as a Service would lead it.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = list(servers.values())
        self._first = max((max(rows(each), default=0) for each in running(servers)), default=0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self.acknowledged: list[int] = []

    def _write(self) -> None:
        number = self._first
        while not self._over.is_set():
            for server in self._servers:
                try:
                    login = {"user": "client", "password": "client", "connect_timeout": 2}
                    with server.connect(**login) as session:
                        session.limit(5)
                        while not self._over.is_set():
                            number += 1
                            row = "INSERT INTO shop.orders VALUES (%s, @@server_id)"
                            session.execute(row, (number,))
                            self.acknowledged.append(number)
                except MysqlError:
                    # Read-only, gone, or sent away: the next one.
                    continue

    def __enter__(self) -> Writer:
        self._thread.start()
        until(lambda: len(self.acknowledged) > 20, "rows are written")
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join(DEADLINE)

    def goes_on(self) -> None:
        """Return once it has written some more."""
        now = len(self.acknowledged)
        until(lambda: len(self.acknowledged) > now + 20, "rows are written again")


def running(servers: Servers) -> list[Server]:
    return [server for server in servers.values() if server.process is not None]


def rows(server: Server) -> set[int]:
    return {row["id"] for row in server.sql("SELECT id FROM shop.orders")}


def equal(servers: Servers, primary: str) -> None:
    """Assert that all instances hold the same rows at one GTID."""
    instances = [server.instance(name) for name, server in servers.items()]
    instances.sort(key=lambda each: each["name"] != primary)
    checked = succeed("mysql_checksum", {"instances": instances, "databases": ["shop"]})
    assert checked["equal"]


def test_a_planned_switchover_loses_nothing_and_changes_nothing_the_second_time(
    servers: Servers,
) -> None:
    wanted = asked(servers, target="mysql-11")
    with Writer(servers) as writer:
        predicted = succeed("mysql_switchover", wanted, check=True)
        writer.goes_on()
        done = succeed("mysql_switchover", wanted)
        writer.goes_on()
    assert predicted["changed"]
    assert done["changed"]
    assert predicted["plan"] == done["plan"]
    assert predicted["diff"] == done["diff"]
    assert roles(predicted) == roles(done)
    assert roles(done) == {"mysql-1": "replica", "mysql-11": "primary", "mysql-12": "replica"}
    assert done["lost"] == {"gtids": "", "transactions": 0, "complete": True}
    written = rows(servers["mysql-11"])
    assert set(writer.acknowledged) <= written
    assert {
        row["server_id"] for row in servers["mysql-11"].sql("SELECT server_id FROM shop.orders")
    } == {1, 11}
    equal(servers, "mysql-11")
    again = succeed("mysql_switchover", wanted)
    assert (again["changed"], again["plan"]) == (False, [])
    assert again["diff"] == {"before": {}, "after": {}}

    # And back, by whoever is fit: nobody is named.
    with Writer(servers) as writer:
        back = succeed("mysql_switchover", asked(servers, target="mysql-1"))
        writer.goes_on()
    assert roles(back) == {"mysql-1": "primary", "mysql-11": "replica", "mysql-12": "replica"}
    assert set(writer.acknowledged) <= rows(servers["mysql-1"])
    equal(servers, "mysql-1")


def stop_receiver(server: Server) -> None:
    server.sql(server.says("stop_receiver"))


def test_the_most_advanced_takes_over_when_the_primary_is_killed(servers: Servers) -> None:
    """mysql-11 is listed first and stops receiving: what it lacks, mysql-12 has."""
    wanted = asked(servers, mode="lost", primary="mysql-1", target=None)
    with Writer(servers) as writer:
        refused = fail("mysql_switchover", wanted)
        assert codes(refused)[0] == "switchover.primary_alive"
        stop_receiver(servers["mysql-11"])
        writer.goes_on()
        servers["mysql-1"].kill()
        acknowledged = len(writer.acknowledged)
        behind = fail("mysql_switchover", wanted | {"target": "mysql-11"})
        assert "switchover.survivor_ahead" in codes(behind)
        predicted = succeed("mysql_switchover", wanted, check=True)
        done = succeed("mysql_switchover", wanted)
        writer.goes_on()
    assert len(writer.acknowledged) > acknowledged
    assert (predicted["primary"], done["primary"]) == ("mysql-12", "mysql-12")
    assert predicted["plan"] == done["plan"]
    assert predicted["diff"] == done["diff"]
    assert roles(done) == {"mysql-1": "unreachable", "mysql-11": "replica", "mysql-12": "primary"}
    assert codes(done) == ["switchover.loss_unknown", "switchover.not_fenced"]
    assert done["lost"]["complete"] is False
    survivors = {name: servers[name] for name in ("mysql-11", "mysql-12")}
    equal(survivors, "mysql-12")

    # It comes back as it was: open. What it never sent is listed, and it is not let in.
    servers["mysql-1"].start()
    lost = set(writer.acknowledged) - rows(servers["mysql-12"])
    errant = set(rows(servers["mysql-1"])) - rows(servers["mysql-12"])
    assert lost <= errant
    back = asked(servers, primary="mysql-12", target="mysql-12")
    if errant:
        refused = fail("mysql_switchover", back)
        assert codes(refused) == ["replication.errant"]
        assert refused["findings"][0]["subject"] == "mysql-1"
        assert not servers["mysql-1"].sql(
            "SELECT 1 FROM performance_schema.replication_connection_status"
        )
    else:
        joined = succeed("mysql_switchover", back)
        assert roles(joined)["mysql-1"] == "replica"


@pytest.mark.long
def test_what_an_old_primary_never_sent_is_listed_and_not_let_in(servers: Servers) -> None:
    """Acknowledged while nobody received: the loss of asynchronous replication, to the number."""
    primary = servers["mysql-1"]
    for name in ("mysql-11", "mysql-12"):
        stop_receiver(servers[name])
    for number in (1, 2, 3):
        primary.sql(f"INSERT INTO shop.orders VALUES ({number}, 1)")
    uuid = primary.sql("SELECT @@server_uuid AS uuid")[0]["uuid"]
    primary.kill()
    done = succeed("mysql_switchover", asked(servers, mode="lost", primary="mysql-1"))
    assert done["primary"] == "mysql-11"
    assert not done["lost"]["complete"]
    primary.start()
    new = asked(servers, primary="mysql-11", target="mysql-11")
    refused = fail("mysql_switchover", new)
    (finding,) = refused["findings"]
    assert finding["code"] == "replication.errant"
    assert "seed mysql-1 again" in finding["fix"]
    assert uuid in finding["proof"][0]
    assert not refused["changed"]
    # Told to take over all the same, the loss is counted and nobody else is held up by it.
    forced = succeed(
        "mysql_switchover",
        asked(servers, mode="lost", primary="mysql-1", target="mysql-11", force=True),
    )
    assert forced["lost"]["transactions"] == 3
    assert forced["lost"]["complete"]
    assert forced["left_out"] == ["mysql-1"]
    assert codes(forced) == ["switchover.lost"]
    assert rows(servers["mysql-11"]) == set()


@pytest.mark.long
def test_who_may_not_become_primary_is_told_why_and_nothing_is_touched(servers: Servers) -> None:
    primary, replica = servers["mysql-1"], servers["mysql-11"]

    def refused(**options: Any) -> list[str]:
        result = fail("mysql_switchover", asked(servers, **{"primary": "mysql-1", **options}))
        assert not result["changed"]
        return codes(result)

    target = {"target": "mysql-11"}
    login = {**replica.login, "timeout": 20}
    succeed("mysql_replication", {**login, "source_delay": 3600})
    assert refused(**target) == ["switchover.target_delayed"]
    succeed("mysql_replication", {**login, "source_delay": 0})

    # It applies nothing for some seconds, with something to apply.
    holder = replica.connect()
    holder.execute("FLUSH TABLES WITH READ LOCK")
    primary.sql("INSERT INTO shop.orders VALUES (1, 1)")
    status = replica.says("show_replica_status")
    behind = "seconds_behind_source"
    until(lambda: (modern_row(replica.sql(status)[0])[behind] or 0) > 1, "it lags")
    assert refused(**target, timeout=1) == ["switchover.target_lags"]
    holder.close()
    until(lambda: rows(replica) == {1}, "it has caught up")

    succeed("mysql_replication", {**login, "state": "detached"})
    assert refused(**target) == ["switchover.target_elsewhere"]
    replica.kill()
    assert refused(**target)[0] == "switchover.target_unreachable"
    replica.start()
    follow(replica, primary)

    for name in ("mysql-11", "mysql-12"):
        succeed("mysql_replication", {**servers[name].login, "source_delay": 3600, "timeout": 20})
    assert refused(mode="lost", force=True) == ["switchover.no_candidate"]
    primary.kill()
    for more in (target, {}):
        assert "switchover.primary_unreachable" in refused(**more)
    assert refused(mode="lost") == ["switchover.no_candidate"]


@pytest.mark.long
def test_a_switchover_that_cannot_catch_up_gives_the_writes_back(servers: Servers) -> None:
    slow = servers["mysql-11"]
    holder = slow.connect()
    holder.execute("FLUSH TABLES WITH READ LOCK")
    with Writer(servers) as writer:
        failed = fail("mysql_switchover", asked(servers, target="mysql-11", timeout=3))
        assert codes(failed) == ["switchover.target_behind"]
        assert "mysql-1 takes writes again" in failed["msg"]
        writer.goes_on()
    holder.close()
    assert servers["mysql-1"].sql("SELECT @@GLOBAL.read_only AS closed") == [{"closed": 0}]


@pytest.mark.long
def test_a_statement_that_does_not_end_is_named_and_nothing_moves(servers: Servers) -> None:
    primary = servers["mysql-1"]
    holder = primary.connect()
    holder.execute("LOCK TABLES shop.orders WRITE")
    failed = fail("mysql_switchover", asked(servers, target="mysql-11", timeout=2))
    assert codes(failed) == ["switchover.writers_hold"]
    holder.close()
    done = succeed("mysql_switchover", asked(servers, target="mysql-11"))
    assert done["changed"]


class Background:
    """A module at work while the test does something to its servers."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.result: dict[str, Any] = {}
        self._thread = threading.Thread(target=lambda: self._run(arguments), daemon=True)
        self._thread.start()

    def _run(self, arguments: dict[str, Any]) -> None:
        self.result = run_module("mysql_switchover", arguments)

    def ended(self) -> dict[str, Any]:
        self._thread.join(DEADLINE)
        return self.result


@pytest.mark.long
def test_the_primary_goes_in_the_middle_and_somebody_has_all(servers: Servers) -> None:
    """Its last transaction reached mysql-12 alone: that one takes over, and nothing is lost."""
    primary, target = servers["mysql-1"], servers["mysql-11"]
    holder = primary.connect()
    holder.execute("LOCK TABLES shop.orders WRITE")
    wanted = asked(servers, target="mysql-11", primary="mysql-1")
    work = Background(wanted)
    waiting = "SELECT 1 FROM performance_schema.threads WHERE processlist_state LIKE 'Waiting for global%'"
    until(lambda: primary.sql(waiting), "the primary is being closed")
    stop_receiver(target)
    holder.execute("INSERT INTO shop.orders VALUES (1, 1)")
    holder.close()
    closed = "SELECT @@GLOBAL.super_read_only AS closed"
    until(lambda: primary.sql(closed)[0]["closed"], "the primary is closed")
    until(lambda: rows(servers["mysql-12"]), "the row is on mysql-12")
    primary.kill()
    result = work.ended()
    assert codes(result) == ["switchover.primary_lost_midway"], result["msg"]
    assert "lacks 1 of its" in result["findings"][0]["summary"]
    over = succeed("mysql_switchover", wanted | {"mode": "lost", "target": None})
    assert over["primary"] == "mysql-12"
    assert rows(servers["mysql-12"]) == rows(target) == {1}

    primary.start()
    assert primary.sql(closed) == [{"closed": 1}], "it may not be written to as it comes back"
    joined = succeed("mysql_switchover", asked(servers, target="mysql-12"))
    assert roles(joined) == {"mysql-1": "replica", "mysql-11": "replica", "mysql-12": "primary"}
    equal(servers, "mysql-12")


@pytest.mark.long
def test_the_primary_goes_when_it_is_needed_no_more(servers: Servers) -> None:
    """All of it was received: it is applied, the new primary takes over, the old one is left out."""
    primary, target = servers["mysql-1"], servers["mysql-11"]
    holder = target.connect()
    holder.execute("FLUSH TABLES WITH READ LOCK")
    primary.sql("INSERT INTO shop.orders VALUES (1, 1)")
    work = Background(asked(servers, target="mysql-11", primary="mysql-1"))
    closed = "SELECT @@GLOBAL.super_read_only AS closed"
    until(lambda: primary.sql(closed)[0]["closed"], "the primary is closed")
    received = "SELECT received_transaction_set AS gtids FROM performance_schema.replication_connection_status"
    executed = primary.sql("SELECT @@GLOBAL.gtid_executed AS gtids")[0]["gtids"]
    until(lambda: target.sql(received)[0]["gtids"][-1:] == executed[-1:], "all is received")
    primary.kill()
    holder.close()
    result = work.ended()
    assert codes(result) == ["switchover.left_out"], result["msg"]
    assert result["lost"] == {"gtids": "", "transactions": 0, "complete": True}
    assert roles(result) == {"mysql-1": "unreachable", "mysql-11": "primary", "mysql-12": "replica"}
    assert rows(target) == rows(servers["mysql-12"]) == {1}


def semisync(servers: Servers, primary: str, **options: Any) -> dict[str, Any]:
    """The arguments of mysql_semisync; commits wait longer than a test does."""
    instances = [server.instance(name) for name, server in servers.items()]
    return {"instances": instances, "primary": primary, "timeout_ms": 60000, **options}


@pytest.fixture
def modern(server_factory: ServerFactory) -> Servers:
    """Servers that have the plugins; the tree of 8.0.15 has not."""
    return cluster_of(server_factory, "9.7")


@pytest.mark.long
def test_semi_synchronous_sides_move_with_the_primary(modern: Servers) -> None:
    predicted = succeed("mysql_semisync", semisync(modern, "mysql-1"), check=True)
    made = succeed("mysql_semisync", semisync(modern, "mysql-1"))
    assert predicted["plan"] == made["plan"]
    assert predicted["diff"] == made["diff"]
    again = succeed("mysql_semisync", semisync(modern, "mysql-1"))
    assert (again["changed"], again["instances"][0]["clients"]) == (False, 2)
    moved = succeed("mysql_switchover", asked(modern, target="mysql-11"))
    assert moved["changed"]
    kept = succeed("mysql_semisync", semisync(modern, "mysql-11"))
    assert (kept["changed"], kept["instances"][1]["clients"]) == (False, 2)
    off = succeed("mysql_semisync", semisync(modern, "mysql-11", state="off"))
    assert off["changed"]
    assert not any(each["source_enabled"] or each["replica_enabled"] for each in off["instances"])


@pytest.mark.parametrize(
    "semi_synchronous",
    [
        pytest.param(False, id="async", marks=pytest.mark.long),
        pytest.param(True, id="semisync", marks=pytest.mark.long),
    ],
)
def test_what_a_killed_primary_had_acknowledged(modern: Servers, semi_synchronous: bool) -> None:
    """Nobody receives any more when it dies: acknowledged and lost, or not acknowledged."""
    primary = modern["mysql-1"]
    if semi_synchronous:
        succeed("mysql_semisync", semisync(modern, "mysql-1"))
    with Writer(modern) as writer:
        for name in ("mysql-11", "mysql-12"):
            stop_receiver(modern[name])
        if semi_synchronous:
            waits = "SELECT 1 FROM performance_schema.threads WHERE processlist_state LIKE '%semi-sync ACK%'"
            until(lambda: primary.sql(waits), "a commit waits for a replica")
        else:
            writer.goes_on()
        primary.kill()
        before = set(writer.acknowledged)
        done = succeed("mysql_switchover", asked(modern, mode="lost", primary="mysql-1"))
        writer.goes_on()
    new = modern[done["primary"]]
    lost = before - rows(new)
    print(f"acknowledged {len(before)}, lost {len(lost)}")
    assert not lost if semi_synchronous else len(lost) >= 20
    assert set(writer.acknowledged) - before <= rows(new)


@pytest.mark.long
def test_a_server_without_the_library_says_so(server_factory: ServerFactory) -> None:
    old = {"mysql-1": server_factory("8.0.15", 1)}
    refused = fail("mysql_semisync", semisync(old, "mysql-1"))
    assert codes(refused) == ["replication.semisync_missing"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "mysql-9"}, "target: 'mysql-9' is none of the instances: mysql-1, mysql-11"),
        ({"primary": "nobody"}, "primary: 'nobody' is none of the instances"),
        ({"mode": "sideways"}, "planned, lost"),
    ],
)
def test_bad_input_touches_nothing(options: dict[str, Any], words: str) -> None:
    nowhere = {"login_host": "127.0.0.1", "login_port": 1}
    instances = [{"name": name, **nowhere} for name in ("mysql-1", "mysql-11")]
    assert words in fail("mysql_switchover", {"instances": instances, **options})["msg"]
