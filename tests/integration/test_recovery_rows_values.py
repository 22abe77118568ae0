# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows brought back whatever their size is, and by keys as the server compares them; on real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration import replicas
from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, end_processes_of, executed
from tests.integration.runner import codes, fail, succeed
from tests.integration.test_recovery_rows import MODULE, Case, by_table, counts

pytestmark = [pytest.mark.servers, pytest.mark.long]

SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.f (id INT PRIMARY KEY, b LONGBLOB, n INT)",
    "CREATE TABLE shop.u (name VARCHAR(20) PRIMARY KEY, n INT, `per %s ``?` INT)",
    "CREATE TABLE shop.pad (a VARCHAR(10) COLLATE utf8mb4_general_ci, b DECIMAL(5,2), d DATE, f DOUBLE,"
    " n INT, PRIMARY KEY (a, b, d, f))",
    "CREATE TABLE shop.part (t TEXT, n INT, PRIMARY KEY (t(5)))",
    "CREATE TABLE shop.raw (k VARBINARY(8) PRIMARY KEY, n INT)",
    "CREATE TABLE shop.old (w VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_german1_ci PRIMARY KEY, n INT)",
    "CREATE TABLE shop.kind (k ENUM('b', 'a') PRIMARY KEY, n INT)",
    "CREATE TABLE shop.uni (id INT PRIMARY KEY, mail VARCHAR(20) UNIQUE)",
    "CREATE TABLE shop.defaults (id INT PRIMARY KEY, n INT DEFAULT 1)",
)
ROWS = (
    "INSERT INTO shop.f VALUES (1, 'small', 1), (2, REPEAT('b', 40000000), 7), (3, x'', NULL)",
    "INSERT INTO shop.u VALUES ('Bob', 1, 1), ('Ann', 2, 2), ('Cid', 3, NULL), ('Zoë', 4, 4)",
    "INSERT INTO shop.pad VALUES ('x', 1.5, '2026-01-01', -0.5, 1), ('y  ', 2, '2026-01-02', 0.1, 2),"
    " ('é', 0, '2026-01-03', 1e300, 3)",
    "INSERT INTO shop.part VALUES ('abcdeONE', 1), ('zzzzzTWO', 2)",
    "INSERT INTO shop.raw VALUES ('a', 1), ('A', 2), (x'00', 3), ('a ', 4)",
    "INSERT INTO shop.old VALUES ('café', 1), ('Straße', 2)",
    "INSERT INTO shop.kind VALUES ('a', 1), ('b', 2)",
    "INSERT INTO shop.uni VALUES (1, 'a@x'), (2, 'b@x')",
    "INSERT INTO shop.defaults VALUES (1, NULL), (2, 2)",
)
MISTAKE = (
    "DELETE FROM shop.f",
    "DELETE FROM shop.u WHERE name IN ('Ann', 'Cid')",
    "UPDATE shop.u SET name = 'bob' WHERE name = 'Bob'",
    "UPDATE shop.u SET name = 'ZOE' WHERE name = 'Zoë'",
    "DELETE FROM shop.pad WHERE a = 'y'",
    "UPDATE shop.pad SET a = 'X  ' WHERE a = 'x'",
    "UPDATE shop.pad SET a = 'E' WHERE a = 'é'",
    "DELETE FROM shop.part WHERE n = 2",
    "UPDATE shop.part SET t = 'ABCDEother' WHERE n = 1",
    "DELETE FROM shop.raw WHERE k IN ('A', 'a ')",
    "DELETE FROM shop.old WHERE n = 1",
    "UPDATE shop.old SET w = 'STRAßE' WHERE n = 2",
    "DELETE FROM shop.kind WHERE k = 'a'",
    "DELETE FROM shop.uni",
    "INSERT INTO shop.uni VALUES (7, 'A@X')",
    "ALTER TABLE shop.defaults ALTER n SET DEFAULT 5",
)
TABLES = [f"shop.{name}" for name in ("u", "pad", "part", "raw", "old", "kind", "defaults")]


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1)
    replicas.grant(server)
    archive = HandArchive(server)
    try:
        server.sql(*SCHEMA)
        archive.base()
        server.sql(*ROWS)
        good = str(executed(server))
        server.sql("FLUSH BINARY LOGS", *MISTAKE)
        archive.fetch()
        scratch = archive.scratch()
        apply = {
            "action": "apply", "archive": str(archive.root), "scratch": scratch,
            "target": {"gtid_executed": good}, "count_rows": False,
        }  # fmt: skip
        succeed("mysql_recovery", apply)
        yield Case(server, archive, scratch)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def test_keys_are_the_same_where_the_server_takes_them_for_the_same(case: Case) -> None:
    tables = by_table(succeed(MODULE, case.arguments("diff", tables=TABLES)))
    assert {name: counts(table) for name, table in tables.items()} == {
        "shop.u": (2, 2, 0),
        "shop.pad": (1, 2, 0),
        "shop.part": (1, 1, 0),
        "shop.raw": (2, 0, 0),
        "shop.old": (1, 1, 0),
        "shop.kind": (1, 0, 0),
        # Another DEFAULT is another checksum of the same rows.
        "shop.defaults": (0, 0, 0),
    }
    assert tables["shop.defaults"]["equal"]
    done = by_table(succeed(MODULE, case.arguments("apply", tables=TABLES)))
    assert [table["missing"] for table in done.values()] == [0] * len(TABLES)
    # What somebody wrote otherwise stays until it is asked for.
    names = "SELECT name FROM shop.u ORDER BY name"
    assert [row["name"] for row in case.rows(names)] == ["Ann", "bob", "Cid", "ZOE"]
    again = succeed(MODULE, case.arguments("apply", tables=TABLES, changes=["update"]))
    assert all(table["equal"] for table in again["tables"])
    assert [row["name"] for row in case.rows(names)] == ["Ann", "Bob", "Cid", "Zoë"]
    assert case.rows("SELECT t FROM shop.part WHERE n = 1") == [{"t": "abcdeONE"}]
    whole = {"changes": ["insert", "update", "delete"], "tables": TABLES}
    assert not succeed(MODULE, case.arguments("apply", **whole))["changed"]


def test_a_value_that_no_function_returns_comes_back(case: Case) -> None:
    large = (
        "SELECT LENGTH(b) AS size, SHA2(b, 256) = SHA2(REPEAT('b', 40000000), 256) AS same, n"
        " FROM shop.f WHERE id = 2"
    )
    options = {"tables": ["shop.f"]}
    # Into an empty table, by its key, and as an update.
    for change in (None, "DELETE FROM shop.f WHERE id = 2", "UPDATE shop.f SET b = 'x'"):
        if change:
            case.server.sql(change)
        changes = ["insert", "update"]
        done = succeed(MODULE, case.arguments("apply", changes=changes, **options))
        assert by_table(done)["shop.f"]["equal"]
        assert case.rows(large) == [{"size": 40000000, "same": 1, "n": 7}]
    beside = succeed(MODULE, case.arguments("apply", into="beside", **options))
    assert by_table(beside)["shop.f"]["equal"]


def test_a_value_that_the_server_does_not_take_is_named_before_anything_is_written(
    case: Case,
) -> None:
    case.server.sql("DELETE FROM shop.f", "SET GLOBAL max_allowed_packet = 16777216")
    before = executed(case.server)
    try:
        refused = fail(MODULE, case.arguments("apply", tables=["shop.f"]))
        assert codes(refused) == ["recovery.rows_too_large"]
        assert "shop.f.b: 1 values, up to 40000000 bytes" in refused["msg"]
        assert executed(case.server) == before
        shown = succeed(MODULE, case.arguments("diff", tables=["shop.f"]))
        assert codes(shown) == ["recovery.rows_too_large"]
    finally:
        case.server.sql("SET GLOBAL max_allowed_packet = 67108864")
    assert succeed(MODULE, case.arguments("apply", tables=["shop.f"]))["changed"]


def test_a_unique_value_that_another_row_has_by_now_is_named(case: Case) -> None:
    refused = fail(MODULE, case.arguments("apply", tables=["shop.uni"]))
    assert codes(refused) == ["recovery.rows_unique"]
    assert "'a@x'" in refused["msg"]
    assert case.rows("SELECT id FROM shop.uni") == [{"id": 7}]
    # As the next step says.
    case.server.sql("UPDATE shop.uni SET mail = 'c@x'")
    done = by_table(succeed(MODULE, case.arguments("apply", tables=["shop.uni"])))
    assert counts(done["shop.uni"]) == (0, 0, 1)
