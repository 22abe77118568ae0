# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A seeded replica has all that its source holds, byte for byte, or what it cannot have is named before."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import (
    definitions,
    seed_copy,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, SYSTEM, USER, empty, grant
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server
from tests.integration.test_replication_seed import purge, seeding, supervised, twice

pytestmark = pytest.mark.servers

ODD_NAMES = (
    *(
        "한국",
        "Größe",
        'dq"uote',
        "back\\slash",
        "tab\there",
        "new\nline",
        "a.b",
        "a/b",
        "50%",
        "%s",
    ),
    *("@at", "'single'", "back`tick", "-- dash", "#hash", "{0}", "MixedCase"),
    "ü" * 64,
    "`'" * 20,
)
LATIN = (
    "CREATE TABLE `tä` (id INT PRIMARY KEY, w VARCHAR(20))",
    "CREATE PROCEDURE größe() COMMENT 'cömment\\n''\\\\ä' SELECT 'café' AS w",
    "CREATE FUNCTION fn(pä ENUM('ä','b')) RETURNS VARCHAR(20) CHARSET utf8mb4 DETERMINISTIC"
    " COMMENT 'ü' RETURN 'Müller'",
    "CREATE FUNCTION fe() RETURNS ENUM('ö','p') CHARSET latin1 DETERMINISTIC RETURN 'ö'",
    "CREATE VIEW `vä` AS SELECT 'Straße' AS wö, w FROM `tä`",
    "CREATE VIEW `wä` AS SELECT wö FROM `vä`",
    "CREATE TRIGGER trö BEFORE INSERT ON `tä` FOR EACH ROW SET NEW.w = 'naïve'",
    "CREATE DEFINER=`üs`@localhost EVENT evö ON SCHEDULE EVERY 1 DAY COMMENT 'cö' DO SELECT 'é'",
)
# Each a client's character set, how Python calls it, and a word in it.
CHARSETS = (
    *(("euckr", "euc_kr", "한국"), ("cp1251", "cp1251", "Привет"), ("koi8r", "koi8_r", "мир")),
    *(("ujis", "euc_jp", "日本"), ("sjis", "shift_jis", "日本"), ("hebrew", "iso8859_8", "ש")),
    *(("utf8mb4", "utf-8", "😀"), ("binary", "utf-8", "é"), ("latin1", "latin-1", "é")),
)


@pytest.fixture(scope="module")
def source(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 1)


@pytest.fixture(scope="module")
def shared_replica(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 11)


@pytest.fixture
def pair(source: Server, shared_replica: Server) -> Any:
    """A source with an account to follow it by, whose logs do not hold it all, and an empty server."""
    grant(source)
    yield source, shared_replica
    succeed("mysql_replication", {**shared_replica.login, "state": "promoted"})
    for each in (source, shared_replica):
        each.sql(*(f"XA ROLLBACK {xid}" for xid in xids(each)), "SELECT 1")
        found = {row["database"] for row in each.sql("SHOW DATABASES")} - SYSTEM
        each.sql(*(f"DROP DATABASE {quoted(name)}" for name in found), "SELECT 1")
        empty(each)
        names = each.sql(
            "SELECT user AS u, host AS h FROM mysql.user WHERE user NOT LIKE 'mysql.%'"
        )
        drops = [f"DROP USER `{row['u']}`@`{row['h']}`" for row in names if row["u"] != "root"]
        each.sql("SET SESSION sql_log_bin = 0", *drops, "SELECT 1")


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def xids(server: Server) -> list[str]:
    return [row["data"] for row in server.sql("XA RECOVER CONVERT XID")]


def copied(source: Server, replica: Server, **options: Any) -> dict[str, Any]:
    """Seed by dump, as check mode predicts, and see with the server's own words that nothing differs."""
    purge(source)
    done = twice(seeding(replica, source, seed="dump", **options))
    assert done["seed"]["method"] == "dump"
    assert differing(source, replica) == []
    return done


def differing(source: Server, replica: Server) -> list[str]:
    with source.connect() as theirs, replica.connect() as mine:
        found = definitions.differences(definitions.read(theirs), definitions.read(mine))
    return [str(each) for each in found]


def test_programs_keep_their_bytes(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    source.sql("CREATE DATABASE shop CHARACTER SET utf8mb4", "CREATE USER `üs`@localhost")
    with source.connect() as connection:
        connection.execute("USE shop")
        connection.execute("SET NAMES latin1")
        for statement in LATIN:
            connection.execute(statement.encode("latin-1"))
    copied(source, replica)
    assert replica.sql("CALL shop.größe()") == [{"w": "café"}]
    assert replica.sql("SELECT shop.fn('b') AS w") == [{"w": "Müller"}]
    assert replica.sql("SELECT wö FROM shop.wä") == []
    replica.sql(
        "SET GLOBAL super_read_only = OFF",
        "SET SESSION sql_log_bin = 0",
        "INSERT INTO shop.tä (id) VALUES (1)",
    )
    assert replica.sql("SELECT * FROM shop.vä") == [{"wö": "Straße", "w": "naïve"}]
    comments = "SELECT routine_comment AS c FROM information_schema.routines ORDER BY 1"
    assert replica.sql(comments) == source.sql(comments)


def test_programs_of_clients_of_every_character_set(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    source.sql("CREATE DATABASE shop CHARACTER SET utf8mb4")
    with source.connect() as connection:
        connection.execute("USE shop")
        for charset, codec, word in CHARSETS:
            connection.execute(f"SET NAMES {charset}")
            # One that has no name for the emoji in UTF-8 of three bytes keeps to a plain one.
            name = "plain" if word == "😀" else word
            for statement in (
                f"CREATE PROCEDURE `p_{name}_{charset}`() COMMENT '{word}' SELECT '{word}', \"{word}\"",
                f"CREATE VIEW `v_{name}_{charset}` AS SELECT '{word}' AS w",
                f"CREATE TABLE `t_{name}_{charset}` (id INT PRIMARY KEY)",
                f"CREATE TRIGGER `tr_{name}_{charset}` BEFORE INSERT ON `t_{name}_{charset}`"
                f" FOR EACH ROW SET @x = '{word}'",
                f"CREATE EVENT `e_{name}_{charset}` ON SCHEDULE EVERY 1 DAY COMMENT '{word}'"
                f" DO SELECT '{word}'",
            ):
                connection.execute(statement.encode(codec))
        connection.execute("SET NAMES utf8mb4")
        connection.execute("SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'")
        connection.execute(
            "CREATE PROCEDURE ansi() COMMENT 'a\\b''c' SELECT 'a\\' || \"id\" FROM t_plain_utf8mb4"
        )
        connection.execute("SET SESSION sql_mode = DEFAULT")
        connection.execute("ALTER DATABASE shop COLLATE latin1_bin")
        connection.execute("CREATE PROCEDURE afterwards(a VARCHAR(9)) SELECT a")
    done = copied(source, replica)
    assert any("programs" in each or "procedures" in each for each in done["seed"]["compared"])


def test_odd_names(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    for number, name in enumerate(ODD_NAMES):
        it = quoted(name)
        source.sql(
            f"CREATE DATABASE {it}",
            f"USE {it}",
            f"CREATE TABLE {it} ({it} INT PRIMARY KEY, w VARCHAR(9))",
            f"INSERT INTO {it} VALUES ({number}, 'é')",
            f"CREATE VIEW {it[:-1]}v` AS SELECT * FROM {it}" if len(name) < 64 else "DO 1",
            f"CREATE PROCEDURE {it}() SELECT {number} AS n",
            f"CREATE TRIGGER {it} BEFORE INSERT ON {it} FOR EACH ROW SET NEW.w = 'x'",
            f"CREATE EVENT {it} ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        )
    done = copied(source, replica)
    assert done["seed"]["rows"] == len(ODD_NAMES)
    assert replica.sql("CALL `한국`.`한국`()") == [{"n": 0}]


def test_a_broken_view_is_named_first_and_the_rest_is_possible(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    source.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY, a INT)",
        "INSERT INTO shop.t VALUES (1, 1)",
        "CREATE VIEW shop.v AS SELECT id, a FROM shop.t",
        "CREATE VIEW shop.w (x) AS SELECT a FROM shop.v",
        "CREATE VIEW shop.good AS SELECT id FROM shop.t",
        "CREATE USER gone@localhost",
        "GRANT SELECT ON shop.* TO gone@localhost",
        # Nobody can read it, and it can be made again all the same.
        "CREATE DEFINER = gone@localhost VIEW shop.orphan AS SELECT id FROM shop.t",
        "DROP USER gone@localhost",
        "ALTER TABLE shop.t DROP COLUMN a",
    )
    purge(source)
    wanted = seeding(replica, source, seed="dump")
    for check in (True, False):
        failed = fail("mysql_replication", wanted, check=check)
        assert codes(failed) == ["replication.seed_broken"]
        proof = failed["findings"][0]["proof"]
        assert [line.split(":")[0] for line in proof] == ["view shop.v", "view shop.w"]
        assert not failed["changed"]
    assert replica.sql("SHOW DATABASES LIKE 'shop'") == []
    assert 'seed_without: ["view shop.v", "view shop.w"]' in failed["findings"][0]["fix"]
    done = twice({**wanted, "seed_without": ["view shop.v", "view shop.w"]})
    assert done["seed"]["not_carried"] == ["left out as asked for: view shop.v, view shop.w"]
    assert codes(done) == ["replication.seed_left"]
    assert differing(source, replica) == ["view shop.v: missing", "view shop.w: missing"]
    assert replica.sql("SELECT id FROM shop.good") == [{"id": 1}]


def prepare_xa(server: Server, *statements: str) -> None:
    server.sql("XA START 'x1'", *statements, "XA END 'x1'", "XA PREPARE 'x1'")


def test_a_prepared_transaction_is_in_no_snapshot(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    source.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)")
    prepare_xa(source, "INSERT INTO shop.t VALUES (10, 1), (11, 1)")
    purge(source)
    wanted = seeding(replica, source, seed="dump")
    for check in (True, False):
        failed = fail("mysql_replication", wanted, check=check)
        assert codes(failed) == ["replication.seed_prepared"]
        assert failed["findings"][0]["proof"] == ["x'7831',x'',1"]
        assert not failed["changed"]
    assert replica.sql("SHOW DATABASES LIKE 'shop'") == []
    source.sql(f"XA COMMIT {failed['findings'][0]['proof'][0]}")
    twice(wanted)
    source.sql("INSERT INTO shop.t VALUES (21, 1)")
    succeed("mysql_replication", wanted)
    assert replica.sql("SELECT COUNT(*) AS n FROM shop.t") == [{"n": 3}]


def test_one_that_is_prepared_for_a_moment_is_waited_for(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    source.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)")
    prepare_xa(source, "INSERT INTO shop.t VALUES (10, 1)")
    purge(source)

    def end() -> None:
        time.sleep(1.5)
        source.sql("XA COMMIT 'x1'")

    ending = threading.Thread(target=end)
    ending.start()
    succeed("mysql_replication", seeding(replica, source, seed="dump"))
    ending.join()
    assert replica.sql("SELECT COUNT(*) AS n FROM shop.t") == [{"n": 1}]


ENGINES = (
    "CREATE DATABASE legacy",
    "USE legacy",
    "CREATE TABLE visits (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20)) ENGINE=MyISAM",
    "INSERT INTO visits (who) VALUES ('a'), ('b'), ('c'), ('d'), ('e')",
    "CREATE TABLE later LIKE visits",
    "INSERT INTO later (who) VALUES ('z')",
    "CREATE TABLE both_of (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20))"
    " ENGINE=MERGE UNION=(visits, later) INSERT_METHOD=NO",
    "CREATE TABLE mem (id INT PRIMARY KEY) ENGINE=MEMORY",
    "INSERT INTO mem VALUES (1), (2)",
    "CREATE TABLE sheet (id INT NOT NULL, w TEXT NOT NULL) ENGINE=CSV",
    "INSERT INTO sheet VALUES (1, 'a,\"b\"')",
    "CREATE TABLE old (id INT NOT NULL, w VARCHAR(9)) ENGINE=ARCHIVE",
    "INSERT INTO old VALUES (1, 'x'), (2, NULL)",
    "CREATE TABLE hole (id INT) ENGINE=BLACKHOLE",
    "INSERT INTO hole VALUES (1)",
)
COUNTS = {"visits": 5, "later": 1, "both_of": 6, "mem": 2, "sheet": 1, "old": 2, "hole": 0}


def counts(server: Server) -> dict[str, int]:
    return {name: server.sql(f"SELECT COUNT(*) AS n FROM legacy.{name}")[0]["n"] for name in COUNTS}


def test_rows_of_every_engine_are_copied(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    source.sql(*ENGINES, "SELECT 1")
    copied(source, replica)
    assert counts(replica) == counts(source) == COUNTS


def test_tables_without_transactions_stand_still_while_they_are_copied(
    pair: tuple[Server, Server],
) -> None:
    source, replica = pair
    source.sql(*ENGINES, "SELECT 1")
    with (
        source.connect() as reader,
        source.connect() as holder,
        source.connect() as writer,
        seed_copy.snapshot(reader, holder),
    ):
        writer.execute("SET SESSION lock_wait_timeout = 1")
        with pytest.raises(MysqlError, match="1205"):
            writer.execute("INSERT INTO legacy.visits (who) VALUES ('f')")
    source.sql("INSERT INTO legacy.visits (who) VALUES ('f')")
    assert replica.sql("SHOW DATABASES LIKE 'legacy'") == []


def test_clone_does_not_lose_rows_of_other_engines(server_factory: ServerFactory) -> None:
    source, replica = server_factory("9.7", 1), server_factory("9.7", 11)
    source.sql(
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO {USER}@'%'",
        *ENGINES,
        "SELECT 1",
    )
    purge(source)
    failed = fail("mysql_replication", seeding(replica, source, seed="clone"))
    assert codes(failed) == ["replication.seed_impossible"]
    proof = " ".join(failed["findings"][0]["proof"])
    for name in ("visits is MyISAM", "mem is MEMORY", "sheet is CSV", "old is ARCHIVE"):
        assert f"table legacy.{name}" in proof
    assert not failed["changed"]
    done = twice(seeding(replica, source))
    assert done["seed"]["method"] == "dump"
    assert counts(replica) == COUNTS


def test_clone_carries_prepared_transactions_and_definers_of_events(
    server_factory: ServerFactory,
) -> None:
    source, replica = server_factory("9.7", 1), server_factory("9.7", 11)
    source.sql(
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO {USER}@'%'",
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "CREATE USER e@localhost",
        "SET SESSION sql_mode = 'ANSI', time_zone = '+05:00'",
        "SET NAMES latin1",
        "CREATE DEFINER = e@localhost EVENT shop.tick ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01'"
        " DO SELECT 1",
    )
    prepare_xa(source, "INSERT INTO shop.t VALUES (10)")
    purge(source)
    wanted = seeding(replica, source, seed="clone", seed_timeout=60)
    with supervised(replica):
        done = succeed("mysql_replication", wanted)
    assert done["seed"]["method"] == "clone"
    assert (done["seed"]["compared"], bool(done["seed"]["not_compared"])) == ([], True)
    source.sql("XA COMMIT 'x1'", "INSERT INTO shop.t VALUES (20)")
    succeed("mysql_replication", wanted)
    assert replica.sql("SELECT COUNT(*) AS n FROM shop.t") == [{"n": 2}]
    assert differing(source, replica) == []
    status = replica.sql("SELECT status FROM information_schema.events")
    assert status == [{"status": "REPLICA_SIDE_DISABLED"}]


def test_the_proof_sees_definitions(pair: tuple[Server, Server]) -> None:
    source, replica = pair
    held = (
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "CREATE VIEW shop.v AS SELECT 'café' AS w",
    )
    source.sql(*held)
    replica.sql(
        "SET SESSION sql_log_bin = 0", *held[:2], "CREATE VIEW shop.v AS SELECT 'cafÃ©' AS w"
    )
    with (
        source.connect() as theirs,
        replica.connect() as mine,
        pytest.raises(CollectionError, match="view shop.v: differing"),
    ):
        seed_copy._require_alike(theirs, mine, seed_copy.Wanted("root"), [])
