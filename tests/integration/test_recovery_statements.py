# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recoveries over statements of every kind: right ones are not refused, and what is not known is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection

from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, end_processes_of, executed
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers

PARTITIONED = (
    "(id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y)"
    " (PARTITION p1 VALUES LESS THAN (2020), PARTITION p2 VALUES LESS THAN MAXVALUE)"
)


@dataclass
class Case:
    """A server with a base, its archive, and the transactions at some moments."""

    server: Server
    archive: HandArchive
    points: dict[str, str]

    def recover(self, name: str, target: dict[str, Any], **more: Any) -> dict[str, Any]:
        return succeed("mysql_recovery", self.arguments(name, target, **more))

    def arguments(self, name: str, target: dict[str, Any], **more: Any) -> dict[str, Any]:
        scratch = self.archive.scratch(name)
        given = {"action": "apply", "archive": str(self.archive.root), "scratch": scratch}
        return {**given, "target": target, **more}

    def abandon(self, name: str) -> None:
        succeed("mysql_recovery", {**self.arguments(name, {"latest": True}), "action": "abandon"})


def rows_of(result: dict[str, Any]) -> dict[str, tuple[int | None, int]]:
    return {t["table"]: (t["rows_expected"], t["rows"]) for t in result["tables"]}


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {each["table"]: each["reason"] for each in result["not_compared"]}


def statement(server: Server, *statements: str) -> None:
    """Run statements as text in the log."""
    server.sql("SET SESSION binlog_format = 'STATEMENT'", *statements)


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1, "--binlog-row-metadata=FULL")
    archive = HandArchive(server)
    try:
        points = history(server, archive)
        server.stop()
        yield Case(server, archive, points)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def history(server: Server, archive: HandArchive) -> dict[str, str]:
    """Rows alone are logged, but for statements on tables; return what was executed when."""
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)",
        "INSERT INTO shop.t VALUES (1, 1), (2, 2), (3, 3)",
        f"CREATE TABLE shop.o {PARTITIONED}",
        "INSERT INTO shop.o VALUES (1, 2019), (2, 2019), (3, 2021)",
        "CREATE TABLE shop.o_old (id INT, y INT, PRIMARY KEY (id, y))",
        f"CREATE TABLE shop.q {PARTITIONED}",
        "INSERT INTO shop.q VALUES (1, 2019), (2, 2021)",
        "CREATE TABLE shop.a (id INT PRIMARY KEY)",
        "INSERT INTO shop.a VALUES (1)",
        "CREATE TABLE shop.b (id INT PRIMARY KEY)",
        "INSERT INTO shop.b VALUES (1), (2)",
        "CREATE TABLE shop.parent (id INT PRIMARY KEY)",
        "CREATE TABLE shop.child (id INT PRIMARY KEY, p INT,"
        " FOREIGN KEY (p) REFERENCES shop.parent (id) ON DELETE CASCADE)",
        "INSERT INTO shop.parent VALUES (1), (2)",
        "INSERT INTO shop.child VALUES (1, 1), (2, 1), (3, 2)",
        "CREATE TABLE shop.j (id INT PRIMARY KEY, d JSON, t TEXT)",
        'INSERT INTO shop.j VALUES (1, \'{"a": 1, "b": "xxxxxxxxxxxxxxxxxxxxxxxxxx"}\', \'x\')',
        "CREATE TABLE shop.same (id INT PRIMARY KEY, f FLOAT)",
        "INSERT INTO shop.same VALUES (1, 1.1), (2, 2e20)",
        "CREATE TABLE shop.updated (id INT PRIMARY KEY, n INT)",
        "INSERT INTO shop.updated VALUES (1, 1)",
        "CREATE TABLE shop.wider (id INT PRIMARY KEY)",
        "INSERT INTO shop.wider VALUES (1)",
        "CREATE DATABASE `my.shop`",
        "CREATE TABLE `my.shop`.t (id INT PRIMARY KEY)",
        "INSERT INTO `my.shop`.t VALUES (1)",
        "CREATE TABLE `my.shop`.gone (id INT PRIMARY KEY)",
        "CREATE DATABASE my",
        "CREATE TABLE my.`shop.t` (id INT PRIMARY KEY)",
        "CREATE DATABASE old",
        "CREATE TABLE old.t (id INT PRIMARY KEY)",
        "INSERT INTO old.t VALUES (1)",
    )
    archive.base()
    points: dict[str, str] = {}
    server.sql(*xa("kept", "INSERT INTO shop.t VALUES (10, 1), (11, 1)"))
    server.sql(*xa("undone", "INSERT INTO shop.t VALUES (12, 1), (13, 1)"))
    server.sql("INSERT INTO shop.t VALUES (20, 1)")
    points["prepared"] = str(executed(server))
    server.sql("CREATE TABLE shop.mark (id INT PRIMARY KEY)")
    server.sql("XA COMMIT 'kept'", "XA ROLLBACK 'undone'")
    server.sql(
        *xa("at once", "DELETE FROM shop.t WHERE id = 1")[:-1], "XA COMMIT 'at once' ONE PHASE"
    )
    tables(server)
    points["before the drop"] = str(executed(server))
    server.sql("DROP TABLE `my.shop`.gone", "DROP DATABASE old")
    archive.fetch()
    return points


def xa(name: str, change: str) -> tuple[str, ...]:
    return (f"XA START '{name}'", change, f"XA END '{name}'", f"XA PREPARE '{name}'")


def tables(server: Server) -> None:
    server.sql(
        "ALTER TABLE shop.o EXCHANGE PARTITION p1 WITH TABLE shop.o_old",
        "ALTER TABLE shop.q TRUNCATE PARTITION p1",
        "RENAME TABLE shop.a TO shop.x, shop.b TO shop.a, shop.x TO shop.b",
        "ALTER TABLE shop.a RENAME TO `my.shop`.moved",
        "UPDATE shop.updated SET n = 2",
        "ALTER TABLE shop.wider ADD COLUMN n INT",
        "CREATE TABLE shop.copied LIKE shop.t",
        "INSERT INTO shop.copied SELECT * FROM shop.t",
        "INSERT INTO shop.copied VALUES (2, 9), (30, 9) ON DUPLICATE KEY UPDATE n = VALUES (n)",
        "REPLACE INTO shop.copied VALUES (3, 9), (31, 9)",
        "DELETE shop.copied, shop.t FROM shop.copied JOIN shop.t USING (id) WHERE id = 2",
        "CREATE TABLE shop.passing (id INT)",
        "INSERT INTO shop.passing VALUES (1)",
        "DROP TABLE shop.passing",
        "CREATE TABLE shop.emptied (id INT)",
        "INSERT INTO shop.emptied VALUES (1), (2)",
        "TRUNCATE shop.emptied",
        "INSERT INTO shop.emptied VALUES (3)",
        "DELETE FROM shop.parent WHERE id = 1",
        "CREATE USER 'somebody'@'localhost' IDENTIFIED BY 'x'",
        "GRANT SELECT ON shop.* TO 'somebody'@'localhost'",
        "CREATE TABLE shop.`한국 café` (id INT)",
        "INSERT INTO shop.`한국 café` VALUES (1)",
        "INSERT INTO `my.shop`.t VALUES (2), (3)",
        "INSERT INTO my.`shop.t` VALUES (1)",
    )
    server.sql(
        "SET SESSION binlog_row_image = 'MINIMAL', binlog_row_value_options = 'PARTIAL_JSON'",
        "UPDATE shop.j SET d = JSON_SET(d, '$.a', 2)",
        "INSERT INTO shop.j (id) VALUES (2), (3)",
        "DELETE FROM shop.j WHERE id = 3",
    )
    # As text, and in the session's character set: nothing of these names is ASCII.
    with server.connect() as connection:
        connection.execute("CREATE TABLE shop.`전자` (id INT)")
        connection.execute("INSERT INTO shop.`전자` VALUES (1), (2)")
        connection.execute("SET NAMES euckr")
        send(connection, "TRUNCATE shop.`전자`".encode("euc_kr"))


def send(connection: Connection, statement: bytes) -> None:
    """Send a statement byte by byte as it is."""
    connection.raw._execute_command(3, statement)
    connection.raw._read_query_result()


def test_what_is_prepared_at_the_target_is_named_and_not_counted(case: Case) -> None:
    found = case.recover("prepared", {"gtid_executed": case.points["prepared"]})
    assert found["verified"]
    assert rows_of(found)["shop.t"] == (4, 4)
    prepared = {each["xid"]: each for each in found["prepared"]}
    kept = f"X'{b'kept'.hex()}',X'',1"
    assert sorted(prepared) == sorted([kept, f"X'{b'undone'.hex()}',X'',1"])
    assert prepared[kept]["tables"] == ["shop.t"]
    assert prepared[kept]["gtid"]
    case.abandon("prepared")


def test_every_statement_is_followed_or_its_table_is_told_as_not_compared(case: Case) -> None:
    found = case.recover("latest", {"latest": True})
    rows, told = rows_of(found), reasons(found)
    assert found["verified"]
    assert found["prepared"] == []
    assert rows["shop.t"] == (4, 4)
    assert rows["shop.copied"] == (6, 6)
    assert rows["shop.b"] == (1, 1)
    assert rows["`my.shop`.`moved`"] == (2, 2)
    assert rows["shop.전자"] == (0, 0)
    assert rows["`my.shop`.`t`"] == (3, 3)
    assert rows["`my`.`shop.t`"] == (1, 1)
    assert rows["shop.emptied"] == (1, 1)
    assert rows["shop.j"] == (2, 2)
    assert rows["shop.한국 café"] == (1, 1)
    assert rows["shop.parent"] == (1, 1)
    assert "shop.passing" not in rows
    assert {"shop.o", "shop.o_old", "shop.q", "shop.child"} == told.keys()
    assert "EXCHANGE PARTITION" in told["shop.o_old"]
    assert "CASCADE" in told["shop.child"]
    assert rows["shop.o"] == (None, 1)
    by = {each["table"]: each["compared_by"] for each in found["tables"]}
    assert by["shop.t"] == ["rows predicted"]
    assert by["shop.same"] == ["rows predicted", "checksum of the base"]
    assert by["shop.updated"] == by["shop.wider"] == ["rows predicted"]
    assert by["shop.o"] == []
    case.abandon("latest")


def test_a_table_of_a_schema_with_a_dot_comes_back(case: Case) -> None:
    for name in ("my.shop.gone", "`my.shop`.`gone`"):
        before = {"before": {"statement": "DROP", "table": name}}
        found = succeed(
            "binlog_point", {"archive": str(case.archive.root), "action": "find", **before}
        )
        assert found["point"]["gtid_executed"] == case.points["before the drop"]
    recovered = case.recover("dotted", before)
    assert rows_of(recovered)["`my.shop`.`gone`"] == (0, 0)
    assert rows_of(recovered)["old.t"] == (1, 1)
    case.abandon("dotted")


@pytest.fixture(scope="module")
def text(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1, "--binlog-format=STATEMENT", "--secure-file-priv=")
    archive = HandArchive(server)
    try:
        server.sql(
            "CREATE DATABASE shop",
            "CREATE DATABASE crm",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)",
            "CREATE TABLE shop.b (id INT PRIMARY KEY)",
            "CREATE TABLE shop.w (id INT PRIMARY KEY)",
            "CREATE TABLE shop.own (id INT PRIMARY KEY)",
            "CREATE TABLE shop.untouched (id INT PRIMARY KEY)",
            "CREATE TABLE crm.still (id INT PRIMARY KEY)",
            "INSERT INTO shop.t VALUES (1, 1), (2, 2)",
            "INSERT INTO shop.b VALUES (1), (2)",
            "INSERT INTO shop.w VALUES (1), (2), (3)",
            "INSERT INTO shop.own VALUES (1)",
            "INSERT INTO shop.untouched VALUES (1)",
            "CREATE TABLE crm.parent (id INT PRIMARY KEY)",
            "CREATE TABLE crm.child (id INT PRIMARY KEY, p INT,"
            " FOREIGN KEY (p) REFERENCES crm.parent (id) ON DELETE CASCADE)",
            "INSERT INTO crm.parent VALUES (1), (2)",
            "INSERT INTO crm.child VALUES (1, 1), (2, 1)",
        )
        archive.base()
        points: dict[str, str] = {}
        (server.folder / "data" / "in.txt").write_text("77\n78\n")
        server.sql(
            "USE shop",
            "INSERT INTO t VALUES (50, 1), (51, 2)",
            "DELETE shop.t, shop.b FROM shop.t JOIN shop.b ON t.id = b.id WHERE b.id = 2",
            "WITH old AS (SELECT 1 AS id UNION SELECT 2) DELETE FROM w WHERE id IN (SELECT id FROM old)",
            f"LOAD DATA INFILE '{server.inside}/data/in.txt' INTO TABLE b",
            # Its name is another table's for as long as the session lasts.
            "CREATE TEMPORARY TABLE own (id INT)",
            "INSERT INTO own VALUES (9), (10)",
            "TRUNCATE own",
            "DROP TABLE own",
            "DELETE FROM crm.parent WHERE id = 1",
        )
        points["narrow"] = str(executed(server))
        server.sql(
            "CREATE TABLE crm.log (n INT)",
            "CREATE TRIGGER shop.tr AFTER INSERT ON shop.t FOR EACH ROW INSERT INTO crm.log VALUES (1)",
            "INSERT INTO shop.t VALUES (60, 1)",
            "DROP TRIGGER shop.tr",
        )
        archive.fetch()
        server.stop()
        yield Case(server, archive, points)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def test_statements_as_text_leave_the_tables_that_they_name_unknown(text: Case) -> None:
    found = text.recover("narrow", {"gtid_executed": text.points["narrow"]})
    assert found["verified"]
    told = reasons(found)
    assert {"shop.t", "shop.b", "shop.w", "shop.own", "crm.parent", "crm.child"} == told.keys()
    assert "binlog_format" in told["shop.w"]
    assert "CASCADE" in told["crm.child"]
    rows = rows_of(found)
    assert rows["shop.untouched"] == (1, 1)
    assert rows["crm.still"] == (0, 0)
    assert (rows["shop.t"][1], rows["shop.b"][1], rows["shop.w"][1]) == (3, 3, 1)
    text.abandon("narrow")


def test_where_programs_were_no_table_is_known_and_that_is_an_error(text: Case) -> None:
    arguments = text.arguments("wide", {"latest": True})
    refused = fail("mysql_recovery", arguments)
    assert codes(refused) == ["recovery.nothing_compared"]
    assert "crm.log: rows were changed by statements" in refused["msg"]

    known = [{"table": "shop.t", "rows": 4}]
    given = succeed("mysql_recovery", {**arguments, "expected": known})
    assert given["verified"]
    by = {each["table"]: each["compared_by"] for each in given["tables"]}
    assert by["shop.t"] == ["rows given"]
    verify = {**arguments, "action": "verify"}
    wrong = fail("mysql_recovery", {**verify, "expected": [{"table": "shop.t", "rows": 5}]})
    assert codes(wrong) == ["recovery.rows_differ"]
    missing = fail("mysql_recovery", {**verify, "expected": [{"table": "shop.none", "rows": 0}]})
    assert codes(missing) == ["recovery.rows_differ"]
    checksum = next(each["checksum"] for each in given["tables"] if each["table"] == "shop.t")
    for value, code in ((checksum.upper(), None), ("00000000", "recovery.rows_differ")):
        asked = {**verify, "expected": [{**known[0], "checksum": value}]}
        if code is None:
            assert succeed("mysql_recovery", asked)["verified"]
        else:
            assert codes(fail("mysql_recovery", asked)) == [code]

    unproved = succeed("mysql_recovery", {**verify, "count_rows": False})
    assert not unproved["verified"], "the transactions alone were compared"
    assert len(unproved["not_compared"]) == len(unproved["tables"])
    text.abandon("wide")


@pytest.fixture(scope="module")
def mixed(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1, "--binlog-format=MIXED")
    archive = HandArchive(server)
    try:
        points = odd_history(server, archive)
        server.stop()
        yield Case(server, archive, points)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def clones(server: Server) -> bool:
    """Whether its base has what is prepared: a dump has not."""
    return server.version != "8.0.15"


ROWS = "SET SESSION binlog_format = 'ROW'"


def odd_history(server: Server, archive: HandArchive) -> dict[str, str]:
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.plain (id INT PRIMARY KEY, n INT)",
        "INSERT INTO shop.plain VALUES (1, 1), (2, 2)",
        "CREATE TABLE shop.texted (id INT PRIMARY KEY)",
        # 8.0.15 logs the hidden column of an index on an expression.
        "CREATE TABLE shop.odd (id INT PRIMARY KEY, n INT, KEY ((n + 1)), b BIT(9), s SET('a', 'b'))",
        "INSERT INTO shop.odd VALUES (1, 1, 1, 'a')",
        "CREATE TABLE shop.flat (id INT PRIMARY KEY) ENGINE = MyISAM",
        "CREATE TABLE shop.sessions (id INT PRIMARY KEY) ENGINE = MEMORY",
        "INSERT INTO shop.sessions VALUES (1)",
        "CREATE TABLE shop.`dq\"u'o%te` (id INT PRIMARY KEY)",
        "CREATE TABLE shop.`back``tick` (id INT PRIMARY KEY)",
        "INSERT INTO shop.`back``tick` VALUES (1)",
        "CREATE TABLE shop.still (id INT PRIMARY KEY)",
    )
    if clones(server):
        server.sql(*xa("early", "INSERT INTO shop.plain VALUES (100, 1)"))
    server.sql("FLUSH BINARY LOGS")
    archive.base()
    server.sql(ROWS, "INSERT INTO shop.odd VALUES (2, 2, 2, 'b'), (3, 3, 3, 'a,b')")
    server.sql(ROWS, "DELETE FROM shop.odd WHERE id = 1")
    server.sql(
        ROWS,
        "START TRANSACTION",
        "INSERT INTO shop.odd VALUES (4, 4, 4, 'a')",
        "SAVEPOINT s",
        "INSERT INTO shop.odd VALUES (5, 5, 5, 'a')",
        "ROLLBACK TO SAVEPOINT s",
        "COMMIT",
        "INSERT INTO shop.flat VALUES (1)",
        "INSERT INTO shop.`dq\"u'o%te` VALUES (1)",
        "DELETE FROM shop.`back``tick`",
    )
    server.sql(
        ROWS,
        "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
        "CREATE TABLE shop.\"an\\si\" (id INT) COMMENT 'C:\\'",
        'INSERT INTO shop."an\\si" VALUES (1)',
        'TRUNCATE TABLE shop."an\\si"',
    )
    if clones(server):
        packed = "SET SESSION binlog_transaction_compression = ON"
        server.sql(ROWS, packed, *xa("zip", "INSERT INTO shop.odd VALUES (7, 7, 7, 'a')"))
        server.sql("XA ROLLBACK 'zip'")
        server.sql(ROWS, packed, "INSERT INTO shop.odd VALUES (8, 8, 8, 'a')")
    server.stop()
    server.start()
    # Empties it, and says so in the log.
    server.sql("SELECT * FROM shop.sessions")
    server.sql("INSERT INTO shop.texted VALUES (3)")
    server.sql(ROWS, "INSERT INTO shop.plain VALUES (3, 3)")
    points = {"before": str(executed(server))}
    if clones(server):
        server.sql("XA COMMIT 'early'")
    archive.fetch()
    return points


def test_mixed_formats_odd_names_and_a_transaction_that_the_base_has_prepared(mixed: Case) -> None:
    found = mixed.recover("odd", {"gtid_executed": mixed.points["before"]})
    rows, cloned = rows_of(found), clones(mixed.server)
    assert rows["shop.odd"] == ((4, 4) if cloned else (3, 3))
    assert rows["shop.plain"] == (3, 3)
    assert rows["shop.flat"] == (1, 1)
    assert rows["shop.an\\si"] == (0, 0)
    assert rows["shop.dq\"u'o%te"] == (1, 1)
    assert rows["`shop`.`back``tick`"] == (0, 0)
    assert {"shop.texted", "shop.sessions"} == reasons(found).keys()
    early = f"X'{b'early'.hex()}',X'',1"
    assert [each["xid"] for each in found["prepared"]] == ([early] if cloned else [])
    by = {each["table"]: each["compared_by"] for each in found["tables"]}
    assert by["shop.still"] == ["rows predicted", "checksum of the base"]
    mixed.abandon("odd")
    latest = mixed.recover("late", {"latest": True})
    assert rows_of(latest)["shop.plain"] == ((4, 4) if cloned else (3, 3))
    assert latest["prepared"] == []
    mixed.abandon("late")
