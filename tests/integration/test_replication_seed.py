# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replicas that cannot follow with what they have: seeded by dump, by clone, or emptied; or refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import (
    CLONE_PLUGIN,
    SECRET,
    USER,
    empty,
    grant,
    slowly_cloned,
    source_of,
)
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import NEWEST, Server

pytestmark = pytest.mark.servers

# What a copy must not lose: every kind of column, and every kind of program.
RICH = (
    "CREATE DATABASE shop CHARACTER SET latin1",
    "USE shop",
    "CREATE TABLE kinds (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(20,5),"
    " b BIT(9), bin VARBINARY(20), bl BLOB, t TEXT CHARACTER SET utf8mb4, l VARCHAR(20), j JSON,"
    " k VARCHAR(20) CHARACTER SET euckr, g POINT, dt DATETIME(6), ts TIMESTAMP NULL, y YEAR,"
    " e ENUM('a','b'), s SET('x','y'), twice INT GENERATED ALWAYS AS (id * 2) STORED,"
    " vi VARCHAR(30) GENERATED ALWAYS AS (CONCAT('#', l)) VIRTUAL)",
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "INSERT INTO kinds (id, f, d, n, b, bin, bl, t, l, j, k, g, dt, ts, y, e, s) VALUES"
    " (0, 16777217.3, 0.1, -1.5, 257, x'00ff27', '', '한\\'글\\\\ \\n\\t%s', 'é', '{\"a\": [1.0, null]}',"
    " '가나', POINT(1.5, -2), '2026-01-02 03:04:05.123456', '2026-01-02 03:04:05', 2026, 'b', 'x,y'),"
    " (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0000-00-00', NULL,"
    " NULL, NULL, '')",
    "CREATE TABLE parent (id INT PRIMARY KEY)",
    "CREATE TABLE a_child (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES parent (id))",
    "INSERT INTO parent VALUES (1), (2)",
    "INSERT INTO a_child VALUES (2)",
    "CREATE TABLE log (at INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(50))",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE note(IN what VARCHAR(50)) INSERT INTO log (what) VALUES (what)",
    "CREATE VIEW b_view AS SELECT id, twice(id) AS two FROM parent",
    "CREATE VIEW a_view AS SELECT two FROM b_view",
    "CREATE TRIGGER noted AFTER INSERT ON parent FOR EACH ROW CALL note(CONCAT('parent ', NEW.id))",
    "CREATE EVENT tick ON SCHEDULE EVERY 1 HOUR STARTS '2037-01-01' DO CALL note('tick')",
    "CREATE USER app@'%' IDENTIFIED BY 'a secret of the app'",
    "CREATE ROLE reader",
    "GRANT SELECT ON shop.* TO reader",
    "GRANT reader TO app@'%'",
    "GRANT INSERT ON shop.parent TO app@'%'",
    "SET DEFAULT ROLE reader TO app@'%'",
)


@pytest.fixture(scope="module")
def primary(shared_server_factory: ServerFactory, version: str) -> Server:
    """A source whose data is older than its binary logs."""
    server = shared_server_factory(version, 1)
    grant(server)
    server.sql(
        *RICH,
        "SELECT 1",
    )
    purge(server)
    return server


@pytest.fixture(scope="module")
def shared_replica(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 11)


@pytest.fixture
def replica(shared_replica: Server) -> Iterator[Server]:
    """A replica as new."""
    yield shared_replica
    succeed("mysql_replication", {**shared_replica.login, "state": "promoted"})
    empty(shared_replica)


def purge(server: Server) -> None:
    server.sql("FLUSH BINARY LOGS")
    last = server.sql("SHOW BINARY LOGS")[-1]["log_name"]
    server.sql(f"PURGE BINARY LOGS TO '{last}'")


def seeding(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    mine = {
        "source_instance": primary.instance("primary"),
        "seed": "auto",
        "wait_for_source": True,
    }
    return source_of(replica, primary, **(mine | options))


def twice(arguments: dict[str, Any]) -> dict[str, Any]:
    """Check, do, do again; return what doing returned."""
    predicted = succeed("mysql_replication", arguments, check=True)
    done = succeed("mysql_replication", arguments)
    assert predicted["plan"] == done["plan"]
    assert predicted["diff"] == done["diff"]
    assert predicted["instance"] | place(done) == done["instance"]
    again = succeed("mysql_replication", arguments)
    assert (again["changed"], again["plan"], again["seed"]["method"]) == (False, [], "none")
    assert SECRET not in str(done)
    return done


def place(result: dict[str, Any]) -> dict[str, Any]:
    """Where a server's own binary log ends: nobody can predict it."""
    return {key: result["instance"][key] for key in ("log_file", "log_pos")}


def equal(primary: Server, replica: Server) -> None:
    sums = {
        "instances": [primary.instance("primary"), replica.instance("replica")],
        "method": "sha2",
    }
    result = succeed("mysql_checksum", sums)
    assert result["equal"]
    assert {table["table"] for table in result["tables"]} >= {"shop.kinds", "shop.a_child"}


def test_a_dump_brings_everything(primary: Server, replica: Server) -> None:
    done = twice(seeding(replica, primary, seed="dump"))
    assert done["seed"]["method"] == "dump"
    assert (done["seed"]["tables"], done["seed"]["rows"]) == (4, 5)
    assert done["replication"]["following"]
    equal(primary, replica)
    assert replica.sql("SELECT two FROM shop.a_view ORDER BY 1") == [{"two": 2}, {"two": 4}]
    status = replica.sql("SELECT status FROM information_schema.events")[0]["status"]
    # 8.0 has the two words in one.
    assert status in ("SLAVESIDE_DISABLED", "REPLICA_SIDE_DISABLED"), "it would write twice"
    with replica.connect(user="app", password="a secret of the app") as app:
        assert app.value("SELECT COUNT(*) FROM shop.parent") == 2
    executed = "SELECT @@GLOBAL.gtid_executed AS g"
    assert replica.sql(executed) == primary.sql(executed), "seeding is no transaction of its own"
    # What comes later arrives, triggers and all.
    primary.sql("INSERT INTO shop.parent VALUES (3)")
    succeed("mysql_replication", seeding(replica, primary))
    equal(primary, replica)
    primary.sql("DELETE FROM shop.parent WHERE id = 3", "DELETE FROM shop.log")


def test_a_root_that_may_not_give_proxy_copies_all_the_same(
    primary: Server, server_factory: ServerFactory, version: str
) -> None:
    """Only root@localhost may; where names are not resolved, nobody is root@localhost by TCP."""
    replica = server_factory(version, 12, "--skip-name-resolve")
    held = "SELECT COUNT(*) AS n FROM mysql.proxies_priv WHERE user = 'root' AND host = 'localhost'"
    assert replica.sql(held) == [{"n": 1}]
    assert replica.sql("SELECT CURRENT_USER() AS u") == [{"u": "root@127.0.0.1"}]
    done = twice(seeding(replica, primary, seed="dump"))
    assert done["seed"]["method"] == "dump"
    equal(primary, replica)


def test_data_of_its_own_is_refused_until_named(primary: Server, replica: Server) -> None:
    replica.sql("CREATE DATABASE poured", "CREATE TABLE poured.t (id INT PRIMARY KEY)")
    arguments = seeding(replica, primary)
    failed = fail("mysql_replication", arguments)
    assert codes(failed) == ["replication.seed_refused"]
    proof = " ".join(failed["findings"][0]["proof"])
    uuid = replica.sql("SELECT @@GLOBAL.server_uuid AS u")[0]["u"]
    assert f"{uuid}:1-2" in proof
    assert "poured" in proof
    assert not failed["changed"]
    assert replica.sql("SHOW TABLES FROM poured"), "nothing was touched"
    name = f"{replica.host}:{replica.port}"
    assert name in failed["findings"][0]["fix"]
    wanted = {**arguments, "seed": "dump", "seed_overwrite": [name]}
    done = twice(wanted)
    assert done["seed"]["dropped"] == ["poured"]
    assert "DROP DATABASE `poured`" in [step["statement"] for step in done["plan"]]
    assert replica.sql("SHOW DATABASES LIKE 'poured'") == []
    equal(primary, replica)


@pytest.mark.long
def test_an_interrupted_copy_is_nobodys_data(primary: Server, replica: Server) -> None:
    replica.sql(
        "SET SESSION sql_log_bin = 0",
        "CREATE DATABASE mysql_on_kubernetes_seeding",
        "CREATE DATABASE shop",
    )
    done = succeed("mysql_replication", seeding(replica, primary, seed="dump"))
    assert done["seed"]["dropped"] == ["shop"]
    equal(primary, replica)
    left = replica.sql("SHOW DATABASES LIKE 'mysql_on_kubernetes_seeding'")
    assert left == []


@pytest.mark.long
def test_what_another_run_is_seeding_is_left_alone(primary: Server, replica: Server) -> None:
    with replica.connect() as other:
        assert other.value("SELECT GET_LOCK('mysql_on_kubernetes_seeding', 0)") == 1
        failed = fail("mysql_replication", seeding(replica, primary, seed="dump"))
    assert codes(failed) == ["replication.seed_in_progress"]
    assert not failed["changed"]
    assert replica.sql("SHOW DATABASES LIKE 'shop'") == []
    succeed("mysql_replication", seeding(replica, primary, seed="dump"))
    equal(primary, replica)


@pytest.mark.long
def test_a_replica_that_fell_behind_purged_logs(primary: Server, replica: Server) -> None:
    wanted = seeding(replica, primary, seed="dump")
    succeed("mysql_replication", wanted)
    succeed("mysql_replication", {**replica.login, "state": "stopped"})
    primary.sql("CREATE DATABASE late", "DROP DATABASE late")
    purge(primary)
    failed = fail("mysql_replication", wanted)
    assert codes(failed) == ["replication.seed_refused"]
    assert "purged" in failed["msg"]
    done = twice({**wanted, "seed_overwrite": [f"{replica.host}:{replica.port}"]})
    assert done["seed"]["method"] == "dump"
    equal(primary, replica)


@pytest.mark.long
def test_reload_empties_what_is_named(
    server_factory: ServerFactory, replica: Server, version: str
) -> None:
    """The course's own remedy: empty, connect, pour again."""
    primary = server_factory(version, 1)
    grant(primary)
    primary.sql()
    purge(primary)
    pourer = ("CREATE DATABASE course", "CREATE TABLE course.t (id INT PRIMARY KEY)")
    for server in (primary, replica):
        server.sql(*pourer, "INSERT INTO course.t VALUES (1)")
    name = f"{replica.host}:{replica.port}"
    arguments = seeding(replica, primary, seed="reload", seed_overwrite=[name])
    # The source's binary logs do not hold what it was born with: emptying one side does not help.
    failed = fail("mysql_replication", arguments)
    assert codes(failed) == ["replication.seed_impossible"]
    assert replica.sql("SHOW DATABASES LIKE 'course'")
    both = {**arguments, "seed_overwrite": [name, "primary"]}
    predicted = succeed("mysql_replication", both, check=True)
    assert primary.sql("SHOW DATABASES LIKE 'course'"), "a prediction drops nothing"
    done = succeed("mysql_replication", both)
    assert predicted["plan"] == done["plan"]
    statements = [step["statement"] for step in done["plan"]]
    assert "DROP DATABASE IF EXISTS `course` -- on primary" in statements
    assert "DROP DATABASE `course`" in statements
    primary.sql(*pourer, "INSERT INTO course.t VALUES (7)")
    again = succeed("mysql_replication", both)
    assert not again["changed"], "what was poured again is not dropped again"
    assert replica.sql("SELECT id FROM course.t") == [{"id": 7}]


@pytest.mark.long
def test_without_gtids_the_copy_tells_the_place(
    server_factory: ServerFactory, version: str
) -> None:
    off = ("--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
    source, replica = server_factory(version, 1, *off), server_factory(version, 11, *off)
    grant(source)
    source.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "INSERT INTO shop.t VALUES (1)",
    )
    done = twice(seeding(replica, source, seed="dump", source_auto_position=False))
    assert done["replication"]["source_auto_position"] is False
    source.sql("INSERT INTO shop.t VALUES (2)")
    succeed("mysql_replication", seeding(replica, source, source_auto_position=False))
    assert replica.sql("SELECT COUNT(*) AS n FROM shop.t") == [{"n": 2}]
    info = succeed(
        "mysql_replication_info", {**replica.login, "source_instance": source.instance("source")}
    )["channels"][0]
    assert (info["lag_transactions"], info["lag_bytes"]) == (None, 0)


@contextmanager
def supervised(server: Server) -> Iterator[None]:
    """Start mysqld again when it stops, as a kubelet does."""
    process = server.process
    assert process is not None

    def again() -> None:
        process.wait()
        server.start()

    watcher = threading.Thread(target=again)
    watcher.start()
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
        watcher.join()


def test_clone(server_factory: ServerFactory) -> None:
    source, replica = server_factory(NEWEST, 1), server_factory(NEWEST, 11)
    source.sql(
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO {USER}@'%'",
        *RICH,
        "SELECT 1",
    )
    purge(source)
    # Nobody starts mysqld again: the data is there, and a person has to.
    arguments = seeding(replica, source, seed_timeout=3)
    failed = fail("mysql_replication", arguments)
    assert codes(failed) == ["replication.seed_restart"]
    assert replica.process is not None
    replica.process.wait(30)
    replica.start()
    done = succeed("mysql_replication", arguments)
    assert done["seed"]["method"] == "none"
    equal(source, replica)
    # Somebody does. Its own data goes because it is named.
    succeed("mysql_replication", {**replica.login, "state": "promoted"})
    replica.sql("CREATE DATABASE own")
    named = {**arguments, "seed_timeout": 60, "seed_overwrite": [f"{replica.host}:{replica.port}"]}
    predicted = succeed("mysql_replication", named, check=True)
    with supervised(replica):
        done = succeed("mysql_replication", named)
    assert done["seed"]["method"] == "clone"
    assert predicted["plan"] == done["plan"]
    assert done["replication"]["following"]
    assert replica.sql("SHOW DATABASES LIKE 'own'") == []
    equal(source, replica)
    status = replica.sql("SELECT status FROM information_schema.events")[0]["status"]
    assert status in ("SLAVESIDE_DISABLED", "REPLICA_SIDE_DISABLED")
    assert not succeed("mysql_replication", named)["changed"]


@pytest.mark.long
def test_a_source_that_serves_one_clone_at_a_time_seeds_many(server_factory: ServerFactory) -> None:
    """Replicas of one task take turns; a clone that somebody else began is waited for."""
    source = server_factory(NEWEST, 1)
    busy, *replicas = [server_factory(NEWEST, number) for number in (11, 12, 13)]
    source.sql(CLONE_PLUGIN, *RICH, "SELECT 1")
    grant(source)
    source.sql(f"GRANT BACKUP_ADMIN ON *.* TO {USER}@'%'")
    purge(source)
    members = [one.instance(f"mysql-{one.server_id}") for one in replicas]
    arguments = {**seeding(replicas[0], source, seed="clone"), "replicas": members}
    for option in replicas[0].login:
        del arguments[option]
    with ExitStack() as stack:
        for replica in replicas:
            stack.enter_context(supervised(replica))
        stack.enter_context(slowly_cloned(source, busy))
        done = succeed("mysql_replication", arguments)
    assert [one["seed"]["method"] for one in done["replicas"]] == ["clone"] * 2
    for replica in replicas:
        equal(source, replica)


def test_what_clone_cannot_do_is_said(primary: Server, replica: Server, version: str) -> None:
    failed = fail("mysql_replication", seeding(replica, primary, seed="clone"))
    assert codes(failed) == ["replication.seed_impossible"]
    words = "clone came with 8.0.17" if not replica.has("clone_instance") else "BACKUP_ADMIN"
    assert words in failed["msg"]
    # auto takes the way that is left.
    predicted = succeed("mysql_replication", seeding(replica, primary), check=True)
    assert predicted["seed"]["method"] == "dump"
    lacking = fail("mysql_replication", seeding(replica, primary, source_instance=None))
    assert "source_instance: needed for seed" in lacking["msg"]


@pytest.mark.long
def test_an_older_source_seeds_a_newer_replica(server_factory: ServerFactory) -> None:
    old, new = server_factory("8.0.15", 1), server_factory("9.7", 11)
    grant(old)
    old.sql(
        *RICH,
        "SELECT 1",
    )
    purge(old)
    done = succeed("mysql_replication", seeding(new, old))
    assert done["seed"]["method"] == "dump"
    assert done["replication"]["following"]
    # The older one says int(11), so definitions are not asked about.
    kinds = "SELECT id, f + 0e0 AS f, d, n, bin, t, l, j, k, dt, ts, twice, vi FROM shop.kinds"
    assert new.sql(kinds) == old.sql(kinds)
