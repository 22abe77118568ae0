# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What mysql_load refuses before it touches anything, and what it carries out though it looks odd."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import VERSIONS, Server
from tests.integration.test_load import arguments, follow, write

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", params=VERSIONS)
def primary(request: pytest.FixtureRequest, shared_server_factory: ServerFactory) -> Server:
    server = shared_server_factory(str(request.param), 1)
    server.sql(
        "CREATE DATABASE accounts",
        "CREATE TABLE accounts.ledger (id INT PRIMARY KEY)",
        "INSERT INTO accounts.ledger VALUES (1),(2)",
    )
    return server


@pytest.fixture(scope="module")
def replica(primary: Server, shared_server_factory: ServerFactory) -> Server:
    server = shared_server_factory(primary.version, 11)
    follow(server, primary)
    return server


def executed(server: Server) -> str:
    return str(server.sql("SELECT @@GLOBAL.gtid_executed AS x")[0]["x"])


def ids(server: Server, table: str) -> list[int]:
    return [row["id"] for row in server.sql(f"SELECT id FROM {table} ORDER BY id")]


HIDING = {
    "among": "SET unique_checks = 0, sql_log_bin = 0",
    "local": "SET LOCAL sql_log_bin = 0",
    "assign": "SET sql_log_bin := 0",
    "list": "SET SESSION sql_mode = '', SESSION sql_log_bin = 0",
    "scoped": "SET @@session.sql_log_bin = 0",
    "at": "SET @@sql_log_bin=0",
    "quoted": "set `SQL_log_bin` = 0",
    "comment": "SET /* the log */ sql_log_bin -- here\n = 0",
    "versioned": "/*!80000 SET SESSION sql_log_bin = 0 */",
    "inside": "SET unique_checks = 0 /*!80000 , sql_log_bin = 0 */",
}


@pytest.mark.parametrize("spelling", HIDING)
def test_rows_behind_every_spelling_of_sql_log_bin_reach_the_replica(
    primary: Server, replica: Server, tmp_path: Path, spelling: str
) -> None:
    text = f"CREATE TABLE t (id INT PRIMARY KEY);\n{HIDING[spelling]};\nINSERT INTO t VALUES (1),(2),(3);\n"
    dump = write(tmp_path / "dump.sql", text)
    database = f"hiding_{spelling}"
    given = arguments(primary, dump, database, replicas=[replica.instance("mysql-11")])
    result = succeed("mysql_load", given)
    assert ids(replica, f"{database}.t") == ids(primary, f"{database}.t") == [1, 2, 3]
    assert result["replicas"] == {"mysql-11": 3}
    assert result["counted"]["rows"] == 3
    assert result["counted"]["not_compared"]
    assert "dump.sql:2" in str(result["warnings"])


@pytest.mark.parametrize(
    "text",
    [
        "PREPARE s FROM 'SET sql_log_bin = 0'; EXECUTE s;",
        "SET @s = CONCAT('SET sql_', 'log_bin = 0'); PREPARE s FROM @s; EXECUTE s;",
        "DELIMITER $$\nCREATE PROCEDURE off() SET sql_log_bin = 0$$\nDELIMITER ;\nCALL off();",
        "DELIMITER $$\nSET sql_log_bin = 0; SELECT 1$$\nDELIMITER ;\n",
    ],
)
def test_what_turns_the_log_off_unseen_is_refused(
    primary: Server, tmp_path: Path, text: str
) -> None:
    dump = write(
        tmp_path / "dump.sql", f"CREATE TABLE t (id INT);\n{text}\nINSERT INTO t VALUES (1);"
    )
    result = fail("mysql_load", arguments(primary, dump, "unseen"))
    assert codes(result) == ["load.hides_rows"]
    assert "dump.sql:" in result["msg"].splitlines()[0]
    exists = (
        primary.sql("SHOW TABLES FROM unseen")
        if primary.sql("SHOW DATABASES LIKE 'unseen'")
        else []
    )
    assert not exists or ids(primary, "unseen.t") == []
    primary.sql("DROP DATABASE IF EXISTS unseen")


def test_a_routine_that_turns_the_log_off_and_on_again_is_found_by_counting(
    primary: Server, replica: Server, tmp_path: Path
) -> None:
    dump = write(
        tmp_path / "dump.sql",
        "CREATE TABLE t (id INT PRIMARY KEY);\nDELIMITER $$\nCREATE PROCEDURE fill() BEGIN"
        " SET sql_log_bin = 0; INSERT INTO t VALUES (1),(2); SET sql_log_bin = 1; END$$\n"
        "DELIMITER ;\nCALL fill();\n",
    )
    given = arguments(primary, dump, "routine", replicas=[replica.instance("mysql-11")])
    for _again in range(2):
        result = fail("mysql_load", given)
        assert codes(result) == ["load.replica_differs"]
        assert "t: 2 rows on the primary, 0 on the replica" in result["msg"]


def test_only_what_hides_rows_is_left_out_of_a_set(primary: Server, tmp_path: Path) -> None:
    dump = write(
        tmp_path / "dump.sql",
        "CREATE TABLE par (id INT PRIMARY KEY);\n"
        "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES par (id));\n"
        "SET SESSION sql_log_bin = 0, foreign_key_checks = 0;\n"
        "INSERT INTO c VALUES (1,1);\nINSERT INTO par VALUES (1);\n",
    )
    assert succeed("mysql_load", arguments(primary, dump, "left_out"))["rows"] == 2


OTHERS = {
    "drop": "DROP TABLE IF EXISTS `accounts`.`ledger`",
    "ddl": "CREATE TABLE accounts.t (id INT)",
    "insert": "INSERT INTO accounts.ledger VALUES (3)",
    "alter": "ALTER TABLE accounts.ledger ADD c INT",
    "rename": "RENAME TABLE item TO accounts.item",
    "truncate": "TRUNCATE accounts.ledger",
    "grant": "GRANT ALL ON accounts.* TO root@localhost",
    "use": "USE accounts",
    "ansi": 'SET sql_mode = \'ANSI_QUOTES\'; DROP TABLE "accounts"."ledger"',
    "prepared": "PREPARE s FROM 'DROP TABLE accounts.ledger'",
}


@pytest.mark.parametrize("mode", ["create", "replace"])
@pytest.mark.parametrize("kind", OTHERS)
def test_work_on_another_database_is_refused_before_anything_is_touched(
    primary: Server, tmp_path: Path, kind: str, mode: str
) -> None:
    dump = write(tmp_path / "dump.sql", f"CREATE TABLE item (id INT);\n{OTHERS[kind]};\n")
    primary.sql(
        "CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE IF NOT EXISTS shop.kept (id INT)"
    )
    database = "shop" if mode == "replace" else "not_there"
    before = executed(primary)
    result = fail("mysql_load", arguments(primary, dump, database, mode=mode))
    assert codes(result) == ["load.other_database"]
    assert "dump.sql:2" in result["msg"].splitlines()[0]
    assert executed(primary) == before
    assert ids(primary, "accounts.ledger") == [1, 2]


def test_a_name_that_only_the_server_knows_is_refused_when_it_comes(
    primary: Server, tmp_path: Path
) -> None:
    text = (
        "CREATE TABLE t (id INT);\nSET @s = CONCAT('DROP TABLE acc', 'ounts.ledger');\n"
        "PREPARE s FROM @s;\nEXECUTE s;\n"
    )
    result = fail(
        "mysql_load", arguments(primary, write(tmp_path / "dump.sql", text), "by_variable")
    )
    assert codes(result) == ["load.other_database"]
    assert "dump.sql:3" in result["msg"].splitlines()[0]
    assert ids(primary, "accounts.ledger") == [1, 2]
    primary.sql("DROP DATABASE by_variable")


LIB = {
    "function": "CREATE FUNCTION lib_function.f() RETURNS INT DETERMINISTIC RETURN 1",
    "procedure": "CREATE PROCEDURE lib_procedure.p() SELECT 1",
    "event": "CREATE EVENT lib_event.e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
    "view": "CREATE VIEW lib_view.v AS SELECT 1",
}


@pytest.mark.parametrize("kind", LIB)
def test_a_database_of_programs_alone_is_not_empty(
    primary: Server, tmp_path: Path, kind: str
) -> None:
    database = f"lib_{kind}"
    primary.sql(f"CREATE DATABASE {database}", LIB[kind])
    dump = write(
        tmp_path / "dump.sql",
        f"DROP DATABASE IF EXISTS `{database}`;\nCREATE DATABASE `{database}`;\nUSE `{database}`;\n"
        "CREATE TABLE t (id INT);",
    )
    before = executed(primary)
    result = fail("mysql_load", arguments(primary, dump, database))
    assert codes(result) == ["load.target_not_empty"]
    assert kind in result["msg"] or "v" in result["msg"]
    assert executed(primary) == before
    assert succeed("mysql_load", arguments(primary, dump, database, mode="replace"))["changed"]


@pytest.mark.skipif(VERSIONS[-1] < "9.2", reason="libraries came with 9.2")
def test_a_library_is_seen(shared_server_factory: ServerFactory, tmp_path: Path) -> None:
    server = shared_server_factory(VERSIONS[-1], 3)
    server.sql(
        "CREATE DATABASE shelf",
        "CREATE LIBRARY shelf.l LANGUAGE JAVASCRIPT AS $$ export function f() { return 1 } $$",
    )
    dump = write(tmp_path / "dump.sql", "CREATE TABLE t (id INT);")
    result = fail("mysql_load", arguments(server, dump, "shelf"))
    assert codes(result) == ["load.target_not_empty"]
    assert "library l" in result["msg"]


def test_routines_alone_are_loaded_once(primary: Server, replica: Server, tmp_path: Path) -> None:
    text = "DELIMITER ;;\nCREATE PROCEDURE hello() SELECT 'hello';;\nDELIMITER ;\n"
    dump = write(tmp_path / "dump.sql", text)
    given = arguments(primary, dump, "alone", replicas=[replica.instance("mysql-11")])
    assert succeed("mysql_load", given)["changed"]
    assert not succeed("mysql_load", given)["changed"]
    assert not succeed("mysql_load", given, check=True)["changed"]
    primary.sql("DROP PROCEDURE alone.hello")
    assert succeed("mysql_load", given)["changed"]


def test_two_statements_before_one_delimiter_load(primary: Server, tmp_path: Path) -> None:
    dump = write(
        tmp_path / "dump.sql",
        "CREATE TABLE item (id INT PRIMARY KEY);\nDELIMITER $$\nDROP PROCEDURE IF EXISTS count_items;\n"
        "CREATE PROCEDURE count_items() BEGIN SELECT COUNT(*) FROM item; END$$\n"
        "INSERT INTO item VALUES (1); INSERT INTO item VALUES (2),(3); SELECT 1$$\nDELIMITER ;\n"
        "INSERT INTO item VALUES (4);\n",
    )
    assert succeed("mysql_load", arguments(primary, dump, "two"))["rows"] == 4
    assert primary.sql("CALL two.count_items()") == [{"count(*)": 4}]
    wrong = write(
        tmp_path / "wrong.sql",
        "CREATE TABLE a (id INT);\nDELIMITER $$\nSELECT 1; SELECT nothing FROM a; SELECT 2$$\n",
    )
    result = fail("mysql_load", arguments(primary, wrong, "wrong"))
    assert codes(result) == ["load.statement_failed"]
    assert "1054" in result["msg"]
    assert "wrong.sql:3" in result["msg"].splitlines()[0]


NOTHING = {
    "empty": ("", "load.empty_dump"),
    "comments": ("-- nothing\n/* at all */\n", "load.empty_dump"),
    "settings": ("SET NAMES utf8mb4;\nUSE kept;\n", "load.empty_dump"),
    "blanks": (" \n\t\n", "load.empty_dump"),
    "cut": ("-- MySQL dump 10.13\nCREATE TABLE t (id INT);\n", "load.truncated"),
    "cut_in_a_string": ("CREATE TABLE t (id INT);\nINSERT INTO t VALUES ('a", "load.unterminated"),
    "utf16": ("CREATE TABLE t (id INT);".encode("utf-16"), "load.not_sql"),
    "zip": (b"PK\x03\x04" + b"\0" * 50, "load.not_sql"),
    "cut_gz": (gzip.compress(b"CREATE TABLE t (id INT);" * 999)[:-9], "load.file_unreadable"),
    "client": ("CREATE TABLE t (id INT);\nexit\n", "load.client_command"),
    "binlog": ("CREATE TABLE t (id INT);\nBINLOG '\nabc';\n", "load.binary_log_text"),
    "accounts": ("CREATE TABLE t (id INT);\nDROP USER root@localhost;\n", "load.beyond_database"),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_nothing_is_dropped_for_what_is_no_whole_dump(
    primary: Server, tmp_path: Path, kind: str
) -> None:
    data, code = NOTHING[kind]
    dump = tmp_path / "dump.sql"
    dump.write_bytes(data.encode() if isinstance(data, str) else data)
    primary.sql("CREATE DATABASE IF NOT EXISTS kept", "CREATE TABLE IF NOT EXISTS kept.t (id INT)")
    before = executed(primary)
    for check in (True, False):
        result = fail("mysql_load", arguments(primary, dump, "kept", mode="replace"), check=check)
        assert codes(result) == [code]
        assert "dump.sql" in result["msg"].splitlines()[0]
    assert executed(primary) == before


def test_what_would_leave_nothing_or_half_is_refused(primary: Server, tmp_path: Path) -> None:
    text = "CREATE TABLE t (id INT);\n"
    schema = write(tmp_path / "1.sql", text)
    again = write(
        tmp_path / "2.sql", f"DROP DATABASE IF EXISTS half;\nCREATE DATABASE half;\n{text}"
    )
    write(tmp_path / "tab" / "t.sql", text)
    write(tmp_path / "tab" / "t.txt", "1\n")
    before = executed(primary)
    given = arguments(primary, schema, "half")
    for files, code in (
        ([str(schema), str(again)], "load.drops_loaded"),
        (str(tmp_path / "tab"), "load.rows_apart"),
    ):
        assert codes(fail("mysql_load", {**given, "file": files})) == [code]
    assert executed(primary) == before
    gone = write(tmp_path / "gone.sql", f"{text}DROP TABLE t;\n")
    assert codes(fail("mysql_load", arguments(primary, gone, "gone"))) == ["load.nothing_arrived"]


def test_rows_that_others_write_meanwhile_are_no_difference(
    primary: Server, replica: Server, tmp_path: Path
) -> None:
    """An event writes on and on, on the primary alone, into a table of the dump."""
    dump = write(
        tmp_path / "dump.sql",
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY);\n"
        "CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO t VALUES (NULL);\n"
        "SET GLOBAL event_scheduler = ON;\nDO SLEEP(2);\n",
    )
    given = arguments(primary, dump, "ticking", replicas=[replica.instance("mysql-11")])
    result = succeed("mysql_load", given)
    assert result["replicas"]["mysql-11"] == result["counted"]["rows"] >= 1
    primary.sql("DROP EVENT ticking.tick")


def test_a_database_of_the_server_is_never_replaced(primary: Server, tmp_path: Path) -> None:
    dump = write(tmp_path / "dump.sql", "CREATE TABLE t (id INT);")
    for database in ("mysql", "sys", "mysql_on_kubernetes"):
        result = fail("mysql_load", arguments(primary, dump, database, mode="replace"))
        assert codes(result) == ["load.system_database"]


def test_a_dump_of_another_name_says_so(primary: Server, tmp_path: Path) -> None:
    dump = write(
        tmp_path / "dump.sql",
        "-- MySQL dump 10.13\n--\n-- Host: db    Database: employees\n-- x\nCREATE TABLE t (id INT);\n"
        "-- Dump completed on 2026-11-30\n",
    )
    result = succeed("mysql_load", arguments(primary, dump, "emploees", mode="replace"))
    assert "employees: emploees is not there" in str(result["warnings"])


PACKED = {"zst": zstandard.ZstdCompressor().compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", PACKED)
def test_packed_dumps_load_as_what_they_hold(primary: Server, tmp_path: Path, kind: str) -> None:
    rows = ",".join(f"({number},'{'x' * 50}')" for number in range(20_000))
    text = f"CREATE TABLE t (id INT PRIMARY KEY, w CHAR(50));\nINSERT INTO t VALUES {rows};\n"
    dump = tmp_path / f"dump.sql.{kind}"
    dump.write_bytes(PACKED[kind](text.encode()))
    assert succeed("mysql_load", arguments(primary, dump, f"packed_{kind}"))["rows"] == 20_000


def test_a_dump_in_several_files_is_one(primary: Server, replica: Server, tmp_path: Path) -> None:
    schema = write(
        tmp_path / "1-schema.sql",
        "SET NAMES latin1;\nCREATE TABLE t (id INT PRIMARY KEY, w VARCHAR(9)) CHARACTER SET utf8mb4;\nDELIMITER $$\n",
    )
    rows = write(
        tmp_path / "2-rows.sql",
        "INSERT INTO t VALUES (1,'café');\nINSERT INTO t VALUES (2,'x');\n",
    )
    base = arguments(primary, schema, "parts", replicas=[replica.instance("mysql-11")])
    listed = {**base, "file": [str(schema), str(rows)]}
    folder = {**base, "file": str(tmp_path)}
    result = succeed("mysql_load", listed)
    assert result["replicas"] == {"mysql-11": 2}
    found = replica.sql("SELECT w, HEX(w) AS h FROM parts.t ORDER BY id")
    assert found[0] == {"w": "café", "h": "636166C3A9"}
    assert [file["file"] for file in result["files"]] == ["1-schema.sql", "2-rows.sql"]
    again = succeed("mysql_load", folder)
    assert not again["changed"]
    assert again["fingerprint"] == result["fingerprint"]
    for wrong, code in (
        ([str(schema), str(schema)], "load.file_twice"),
        ([str(schema), str(tmp_path / "gone.sql")], "load.file_unreadable"),
        ([], "load.no_files"),
    ):
        assert codes(fail("mysql_load", {**base, "file": wrong})) == [code]


def test_rows_that_no_commit_follows_are_not_called_loaded(primary: Server, tmp_path: Path) -> None:
    text = "CREATE TABLE t (id INT PRIMARY KEY);\nSET autocommit = 0;\nINSERT INTO t VALUES (1);\n"
    dump = write(tmp_path / "dump.sql", text)
    result = fail("mysql_load", arguments(primary, dump, "uncommitted"))
    assert codes(result) == ["load.uncommitted"]
    write(tmp_path / "dump.sql", text + "COMMIT;\nSELECT * FROM t;\n")
    assert succeed("mysql_load", arguments(primary, dump, "uncommitted"))["rows"] == 1
    assert ids(primary, "uncommitted.t") == [1]


def test_engines_and_definers_that_do_not_last_are_named(primary: Server, tmp_path: Path) -> None:
    dump = write(
        tmp_path / "dump.sql",
        "CREATE TABLE old (id INT) ENGINE=MyISAM;\nINSERT INTO old VALUES (1);\n"
        "CREATE DEFINER=`gone`@`%` VIEW v AS SELECT * FROM old;\n"
        "CREATE DEFINER=`root`@`localhost` VIEW v2 AS SELECT 1;\n",
    )
    warnings = str(succeed("mysql_load", arguments(primary, dump, "lasting"))["warnings"])
    assert "old of the engine MyISAM" in warnings
    assert "gone@% does not exist on this server: view v fail" in warnings
    assert "v2" not in warnings


def test_latin1_names_rows_and_programs_arrive_as_they_were(
    primary: Server, tmp_path: Path
) -> None:
    text = (
        "/*!40101 SET NAMES latin1 */;\nCREATE TABLE `größe` (id INT, `tür` VARCHAR(9)) CHARACTER SET utf8mb4;\n"
        "INSERT INTO `größe` (id, `tür`) VALUES (1,'café');\nINSERT INTO größe VALUES (2,UPPER('é'));\n"
        "CREATE FUNCTION f() RETURNS VARCHAR(9) CHARACTER SET utf8mb4 DETERMINISTIC RETURN 'café';\n"
    )
    dump = tmp_path / "dump.sql"
    dump.write_bytes(text.encode("latin1"))
    result = succeed("mysql_load", arguments(primary, dump, "latin"))
    assert [table["table"] for table in result["tables"]] == ["größe"]
    assert [row["tür"] for row in primary.sql("SELECT * FROM latin.`größe` ORDER BY id")] == [
        "café",
        "É",
    ]
    assert primary.sql("SELECT HEX(latin.f()) AS x") == [{"x": "636166C3A9"}]


def test_odd_names_of_64_characters_arrive(
    primary: Server, replica: Server, tmp_path: Path
) -> None:
    database = "d.%'\"\\ /@한국"
    table = ("t.`%'\"\\ \t/@한국;--#" + "x" * 64)[:64]
    if primary.version == "8.0.15":
        # Its replicas cannot read a row event of a table whose name has more than 64 bytes.
        table = table[:60]
    quoted = "`" + table.replace("`", "``") + "`"
    dump = write(
        tmp_path / "dump.sql",
        f"CREATE TABLE {quoted} (`a``;'` INT PRIMARY KEY);\nINSERT INTO {quoted} VALUES (1),(2);\n"
        f"INSERT INTO `{database}`.{quoted} VALUES (3),(1+3);\n",
    )
    given = arguments(primary, dump, database, replicas=[replica.instance("mysql-11")])
    result = succeed("mysql_load", given)
    assert [(row["table"], row["rows"]) for row in result["tables"]] == [(table, 4)]
    assert result["replicas"] == {"mysql-11": 4}
    assert not succeed("mysql_load", given)["changed"]


def test_windows_files_and_mariadb_comments_load(primary: Server, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    text = (
        "\ufeff/*M!999999\\- enable the sandbox mode */ \n-- a comment\nCREATE TABLE t (id INT PRIMARY KEY, w TEXT);\n"
        "/*M!100100 DROP TABLE accounts.ledger */;\n/*!99999 DROP TABLE accounts.ledger */;\n"
        "/* DELIMITER $$\n*/\nINSERT INTO t VALUES (1,'a\\r\\nb');\nSELECT 1\\g\nINSERT INTO t VALUES (2,NULL)\\G\n"
        "DELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND ;;\nDELIMITER ;\n"
    )
    dump.write_bytes(text.replace("\n", "\r\n").encode())
    assert succeed("mysql_load", arguments(primary, dump, "windows"))["rows"] == 2
    assert ids(primary, "accounts.ledger") == [1, 2]
    assert primary.sql("CALL windows.p()") == [{"1": 1}]


def test_what_a_dump_sets_for_the_whole_server_is_said(primary: Server, tmp_path: Path) -> None:
    text = "CREATE TABLE t (id INT);\nSET GLOBAL max_connect_errors = 101;\n"
    dump = write(tmp_path / "dump.sql", text)
    result = succeed("mysql_load", arguments(primary, dump, "wide"))
    assert "dump.sql:2 sets max_connect_errors for the whole server" in str(result["warnings"])
