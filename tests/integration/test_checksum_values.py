# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_checksum on real servers: what is different never reads alike, and nothing is no comparison."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def pair(shared_server_factory: ServerFactory, version: str) -> tuple[Server, Server]:
    """A primary and a replica; a test leaves neither rows nor transactions of the replica's own."""
    primary, replica = shared_server_factory(version, 1), shared_server_factory(version, 11)
    primary.sql(
        "CREATE USER replicator@'%' IDENTIFIED BY 'r'",
        "GRANT REPLICATION SLAVE ON *.* TO replicator@'%'",
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
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


def unlogged(server: Server, *statements: str) -> None:
    server.sql("SET SESSION sql_log_bin = 0", "SET SESSION sql_mode = ''", *statements)


@pytest.mark.parametrize("method", ["crc", "sha2"])
@pytest.mark.parametrize(
    ("columns", "here", "there"),
    [
        # CHECKSUM TABLE does not see where a text ends.
        ("a VARCHAR(9), b VARCHAR(9)", "('ab', 'c')", "('a', 'bc')"),
        ("a TEXT NOT NULL, n INT, b BLOB NOT NULL", "('x', 1, '')", "('', 1, 'x')"),
        # Two rows that are the same are nothing to XOR.
        ("a INT", "(1), (1), (2)", "(3), (3), (2)"),
        ("f DOUBLE", "('-0')", "(0)"),
        ("e ENUM('', 'a')", "('')", "('no member')"),
        ("a VARCHAR(9)", "(NULL)", "('NULL')"),
        ("a VARCHAR(9), b VARCHAR(9)", "(NULL, '1')", "('1', NULL)"),
    ],
)
def test_no_two_different_rows_read_alike(
    pair: tuple[Server, Server], method: str, columns: str, here: str, there: str
) -> None:
    for server, rows in zip(pair, (here, there), strict=True):
        unlogged(
            server,
            "CREATE DATABASE alike",
            f"CREATE TABLE alike.t ({columns})",
            f"INSERT IGNORE INTO alike.t VALUES {rows}",
        )
    try:
        options = {"method": method, "databases": ["alike"]}
        assert codes(fail("mysql_checksum", both(pair, **options))) == ["mysql.checksum_differs"]
        # And what is the same reads alike, whatever was there before.
        for server in pair:
            unlogged(
                server, "TRUNCATE alike.t", f"INSERT IGNORE INTO alike.t VALUES {there}, {here}"
            )
        assert succeed("mysql_checksum", both(pair, **options))["equal"]
    finally:
        for server in pair:
            unlogged(server, "DROP DATABASE alike")


def test_a_schema_that_is_nowhere_and_one_without_tables(pair: tuple[Server, Server]) -> None:
    misspelt = fail("mysql_checksum", both(pair, databases=["shop", "shopp"]))
    assert "databases: shopp is on no instance; there are: " in misspelt["msg"]
    assert "an empty list" in fail("mysql_checksum", both(pair, databases=[]))["msg"]
    pair[0].sql("CREATE DATABASE bare")
    empty = fail("mysql_checksum", both(pair, databases=["bare"]))
    assert (codes(empty), empty["equal"]) == (["mysql.nothing_compared"], False)
    allowed = succeed("mysql_checksum", both(pair, databases=["bare"], allow_empty=True))
    assert (allowed["equal"], allowed["tables"]) == (None, [])
    alone = succeed("mysql_checksum", {"instances": [pair[0].instance("one")]})
    assert alone["equal"] is None
    pair[0].sql("DROP DATABASE bare")


@pytest.mark.parametrize("method", ["crc", "sha2"])
def test_what_is_larger_than_a_packet(pair: tuple[Server, Server], method: str) -> None:
    """Large texts are compared; a JSON document that no function can read is never equal."""
    for server, word in zip(pair, "xy", strict=True):
        unlogged(
            server,
            "CREATE DATABASE large",
            "CREATE TABLE large.t (id INT PRIMARY KEY, j JSON, a LONGTEXT, b LONGTEXT)",
            "INSERT INTO large.t VALUES (1, NULL, REPEAT('a', 900000), REPEAT('b', 900000))",
            "CREATE TABLE large.j (id INT PRIMARY KEY, j JSON)",
            f"INSERT INTO large.j VALUES (1, JSON_ARRAY(REPEAT('{word}', 1100000)))",
            "SET GLOBAL max_allowed_packet = 1048576",
        )
    try:
        options = both(pair, method=method, databases=["large"])
        failed = fail("mysql_checksum", options)
        assert codes(failed) == ["mysql.table_unread"] * 2
        tables = {each["table"]: each["equal"] for each in failed["tables"]}
        assert tables == {"large.j": False, "large.t": True}
        unlogged(pair[1], "UPDATE large.t SET b = CONCAT(LEFT(b, 899999), 'c')")
        tables = {
            each["table"]: each["equal"] for each in fail("mysql_checksum", options)["tables"]
        }
        assert tables["large.t"] is False
        for server in pair:
            unlogged(server, "SET GLOBAL max_allowed_packet = 67108864")
        assert codes(fail("mysql_checksum", options)) == ["mysql.checksum_differs"] * 2
    finally:
        for server in pair:
            unlogged(server, "SET GLOBAL max_allowed_packet = 67108864", "DROP DATABASE large")


def test_programs_and_views_are_compared_too(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    primary.sql(
        "CREATE DATABASE programs",
        "CREATE TABLE programs.t (id INT PRIMARY KEY, w VARCHAR(20), KEY w (w))",
        "CREATE VIEW programs.v AS SELECT 1 AS one",
        "CREATE PROCEDURE programs.p() SELECT 'café' AS w",
        "CREATE EVENT programs.e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
        "CREATE TABLE programs.visits (id INT) ENGINE = MyISAM",
    )
    options = both(pair, databases=["programs"])
    found = succeed("mysql_checksum", options)
    assert found["equal"]
    assert found["definitions"] == {"compared": 6, "differing": []}
    assert any("programs.visits on one is myisam" in one["reason"] for one in found["not_compared"])
    unlogged(
        replica,
        "DROP PROCEDURE programs.p",
        "CREATE PROCEDURE programs.p() SELECT 'cafÃ©' AS w",
        "DROP VIEW programs.v",
        "ALTER TABLE programs.t DROP KEY w",
        "CREATE FUNCTION programs.f() RETURNS INT DETERMINISTIC RETURN 1",
    )
    failed = fail("mysql_checksum", options)
    assert codes(failed) == ["mysql.definitions_differ"]
    assert [(each["definition"], each["how"]) for each in failed["definitions"]["differing"]] == [
        ("function programs.f", "extra"),
        ("procedure programs.p", "differing"),
        ("table programs.t", "differing"),
        ("view programs.v", "missing"),
    ]
    assert succeed("mysql_checksum", {**options, "definitions": False})["equal"]
    unlogged(replica, "DROP FUNCTION programs.f")
    replica.sql("SET SESSION sql_log_bin = 0", "CREATE VIEW programs.v AS SELECT 1 AS one")
    primary.sql("DROP DATABASE programs")


def test_one_table_is_the_same_on_both_versions(server_factory: ServerFactory) -> None:
    """Display widths and names of character sets are said otherwise, rows and columns are equal."""
    servers = server_factory("8.0.15", 1), server_factory("9.7", 11)
    for server in servers:
        server.sql(
            "SET SESSION sql_log_bin = 0",
            "CREATE DATABASE shop CHARACTER SET utf8mb4",
            "CREATE TABLE shop.n (a INT(11), b BIGINT(20) UNSIGNED, y YEAR(4), t TINYINT(1),"
            " z INT(6) ZEROFILL, w VARCHAR(9) CHARACTER SET utf8, d TIMESTAMP NULL, f FLOAT)",
            "INSERT INTO shop.n VALUES (1, 2, 2026, 1, 7, 'é', '2026-01-01', 0.1)",
            "CREATE VIEW shop.v AS SELECT a, w FROM shop.n WHERE w = 'é'",
            "CREATE FUNCTION shop.f(a INT(11)) RETURNS INT(11) DETERMINISTIC RETURN a",
        )
    for method in ("crc", "sha2"):
        found = succeed("mysql_checksum", both(servers, method=method))
        assert found["equal"]
        assert found["definitions"]["compared"] == 4
