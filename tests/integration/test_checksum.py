# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_checksum on real servers: it finds what replication never shows, and nothing else."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers

MANY_TYPES = """CREATE TABLE shop.goods (id INT PRIMARY KEY, name VARCHAR(40) COLLATE utf8mb4_bin,
 note TEXT CHARACTER SET latin1, raw VARBINARY(20), price DECIMAL(9,2), weight FLOAT, size DOUBLE,
 flags BIT(9), kind ENUM('a','b'), extra JSON, made TIMESTAMP(6) NULL, place POINT, year YEAR)"""
ROW = """INSERT INTO shop.goods VALUES (1, '사과', 'é', x'00ff', 1.50, 0.1, 0.2, b'101', 'a',
 '{"a": [1, null]}', '2026-01-02 03:04:05.678901', POINT(1, 2), 2026), (2, 'a#', '#b', NULL, NULL,
 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, '', NULL, '', 0, -0.0, 1e300, 0, 'b', '1',
 NULL, NULL, 1999)"""


@pytest.fixture(scope="module")
def pair(shared_server_factory: ServerFactory, version: str) -> tuple[Server, Server]:
    primary, replica = shared_server_factory(version, 1), shared_server_factory(version, 11)
    primary.sql(
        "CREATE USER replicator@'%' IDENTIFIED BY 'r'",
        "GRANT REPLICATION SLAVE ON *.* TO replicator@'%'",
        "CREATE DATABASE shop",
        MANY_TYPES,
        ROW,
        "CREATE TABLE shop.nothing (id INT)",
        "CREATE TABLE shop.heap (a VARCHAR(9), b VARCHAR(9))",
        "INSERT INTO shop.heap VALUES ('same', 'row'), ('same', 'row'), (NULL, 'x')",
    )
    following = {
        "source_host": primary.host,
        "source_port": primary.port,
        "source_user": "replicator",
        "source_password": "r",
    }
    succeed("mysql_replication", {**replica.login, **following, "read_only": False})
    return primary, replica


def both(pair: tuple[Server, Server], **options: Any) -> dict[str, Any]:
    primary, replica = pair
    return {"instances": [primary.instance("one"), replica.instance("two")], **options}


@pytest.mark.parametrize("method", ["crc", "sha2"])
def test_equal_tables_of_every_type(pair: tuple[Server, Server], method: str) -> None:
    found = succeed("mysql_checksum", both(pair, method=method))
    assert found["equal"]
    assert [(each["table"], each["rows"]) for each in found["tables"]] == [
        ("shop.goods", 3),
        ("shop.heap", 3),
        ("shop.nothing", 0),
    ]
    assert found["gtid_executed"] == pair[0].sql("SELECT @@GLOBAL.gtid_executed AS g")[0]["g"]


@pytest.mark.parametrize("method", ["crc", "sha2"])
@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("UPDATE shop.goods SET price = 1.51 WHERE id = 1", "shop.goods"),
        ("UPDATE shop.heap SET b = NULL, a = 'x' WHERE a IS NULL", "shop.heap"),
        ("INSERT INTO shop.nothing VALUES (NULL)", "shop.nothing"),
    ],
)
def test_what_the_binary_log_never_carried(
    pair: tuple[Server, Server], method: str, change: str, table: str
) -> None:
    replica = pair[1]
    replica.sql("SET SESSION sql_log_bin = 0", change)
    try:
        failed = fail("mysql_checksum", both(pair, method=method))
        assert table in failed["msg"].splitlines()[0]
        assert codes(failed) == ["mysql.checksum_differs"]
        kept = succeed("mysql_checksum", both(pair, method=method, fail_on_difference=False))
        assert [each["table"] for each in kept["tables"] if not each["equal"]] == [table]
        assert not kept["equal"]
    finally:
        replica.sql(
            "SET SESSION sql_log_bin = 0",
            "UPDATE shop.goods SET price = 1.50 WHERE id = 1",
            "UPDATE shop.heap SET b = 'x', a = NULL WHERE b IS NULL",
            "TRUNCATE TABLE shop.nothing",
        )
    assert succeed("mysql_checksum", both(pair, method=method))["equal"]


def test_a_missing_table_and_a_changed_column(pair: tuple[Server, Server]) -> None:
    replica = pair[1]
    replica.sql(
        "SET SESSION sql_log_bin = 0",
        "RENAME TABLE shop.nothing TO shop.elsewhere",
        "ALTER TABLE shop.heap MODIFY b VARCHAR(10)",
    )
    failed = fail("mysql_checksum", both(pair))
    replica.sql(
        "SET SESSION sql_log_bin = 0",
        "RENAME TABLE shop.elsewhere TO shop.nothing",
        "ALTER TABLE shop.heap MODIFY b VARCHAR(9)",
    )
    assert sorted(codes(failed)) == [
        "mysql.checksum_differs",
        "mysql.table_extra",
        "mysql.table_missing",
    ]
    assert "varchar(10)" in failed["msg"]
    assert succeed("mysql_checksum", both(pair))["equal"]


@pytest.mark.parametrize("lock", [False, True])
def test_equal_while_it_is_written_to(pair: tuple[Server, Server], lock: bool) -> None:
    primary = pair[0]
    primary.sql("CREATE TABLE IF NOT EXISTS shop.moving (id INT AUTO_INCREMENT PRIMARY KEY)")
    stop = threading.Event()

    def write() -> None:
        with primary.connect() as connection:
            while not stop.wait(0.02):
                connection.execute("INSERT INTO shop.moving VALUES ()")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert succeed("mysql_checksum", both(pair, lock=lock))["equal"]
    finally:
        stop.set()
        writer.join()
    primary.sql("INSERT INTO shop.moving VALUES ()")


def test_a_snapshot_is_what_checksum_table_reads(pair: tuple[Server, Server]) -> None:
    """The premise of method crc, on each version: it does not see what is committed later."""
    primary = pair[0]
    with primary.connect() as connection:
        connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        before = connection.query("CHECKSUM TABLE shop.goods")
        primary.sql("UPDATE shop.goods SET name = 'later' WHERE id = 2")
        assert connection.query("CHECKSUM TABLE shop.goods") == before
        connection.execute("COMMIT")
        assert connection.query("CHECKSUM TABLE shop.goods") != before


def test_errant_transactions_are_named(pair: tuple[Server, Server]) -> None:
    pair[1].sql("CREATE TABLE shop.errant (id INT PRIMARY KEY)")
    failed = fail("mysql_checksum", both(pair))
    assert "replication.errant" in codes(failed)
    assert "shop.errant" in failed["msg"]
    pair[1].sql("DROP TABLE shop.errant")


def test_an_instance_that_does_not_arrive(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    succeed("mysql_replication", {**replica.login, "state": "stopped"})
    primary.sql("INSERT INTO shop.heap VALUES ('z', 'z')")
    failed = fail("mysql_checksum", both(pair, timeout=2))
    assert "two has not executed 1 transactions" in failed["msg"]
    succeed("mysql_replication", {**replica.login, "state": "following", "read_only": False})


def test_bad_input(pair: tuple[Server, Server]) -> None:
    twice = [pair[0].instance("one"), pair[1].instance("one")]
    assert "a name of its own" in fail("mysql_checksum", {"instances": twice})["msg"]
    assert "instances: none given" in fail("mysql_checksum", {"instances": []})["msg"]
    wrong = {"instances": [{**pair[0].instance("one"), "login_password": "wrong"}]}
    failed = fail("mysql_checksum", wrong)
    assert failed["msg"].startswith("one: ")
    assert failed["errno"] == 1045
