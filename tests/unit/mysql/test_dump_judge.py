"""What a statement of a dump may do: read as the server reads it, whatever it looks like."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dump_judge import (
    Judge,
    programs,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dump_words import (
    words_of,
    written,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_error import LoadError

VERSION = (9, 7, 0)
JUDGE = Judge("shop", VERSION)


def send(text: str, version: tuple[int, int, int] = VERSION) -> str:
    return Judge("shop", version).statement(text.encode(), "dump.sql:3").send.decode()


def code(text: str, *, compound: bool = False, judge: Judge = JUDGE) -> str:
    found = ""
    try:
        judge.statement(text.encode(), "dump.sql:3", compound=compound)
    except LoadError as error:
        found = f"{error.code} {error.subject}"
    return found.removesuffix(" dump.sql:3")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("SET sql_log_bin=0", ""),
        ("SET LOCAL sql_log_bin = 0", ""),
        ("set Session Sql_Log_Bin := 0", ""),
        ("SET @@sql_log_bin = 0", ""),
        ("SET @@session.sql_log_bin = 0", ""),
        ("SET @@LOCAL . `sql_log_bin` = 0", ""),
        ("SET `sql_log_bin` = 0", ""),
        ("SET /* x */ sql_log_bin # y\n = -- z\n 0", ""),
        ("/*!80000 SET SESSION SQL_LOG_BIN=0*/", ""),
        ("/*! SET sql_log_bin = 0 */", ""),
        ("SET /*!80000 sql_log_bin */ = 0", ""),
        ("SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'x:1'", ""),
        ("SET unique_checks = 0, sql_log_bin = 0", "SET unique_checks = 0"),
        (
            "SET SESSION sql_log_bin = 0, foreign_key_checks = 0",
            "SET SESSION foreign_key_checks = 0",
        ),
        ("SET SESSION sql_mode = '', SESSION sql_log_bin = 0", "SET SESSION sql_mode = ''"),
        ("SET a = CONCAT('x', ','), sql_log_bin = 0, b = 2", "SET a = CONCAT('x', ','), b = 2"),
        ("SET GLOBAL gtid_purged = 'x:1', max_connections = 9", "SET GLOBAL max_connections = 9"),
        ("SET GLOBAL gtid_purged = 'x:1', @@session.a = 9", "SET @@session.a = 9"),
        ("SET NAMES latin1, sql_log_bin = 0", "SET NAMES latin1"),
        ("SET x = 1 /*!80000 , sql_log_bin = 0 */", "SET x = 1"),
        ("SET x = _utf8mb4'a', sql_log_bin = 0, @y := @@z", "SET x = _utf8mb4'a', @y := @@z"),
    ],
)
def test_only_what_hides_rows_is_left_out(text: str, left: str) -> None:
    assert send(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "SET @SAVED_LOG_BIN = @@SESSION.SQL_LOG_BIN",
        "/*!90800 SET sql_log_bin = 0 */",
        "SET sql_mode = 'sql_log_bin=0', x = 'gtid_purged'",
        "SET @@SESSION.GTID_NEXT= 'AUTOMATIC'",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET CHARACTER SET utf8mb4",
        "INSERT INTO t VALUES ('SET sql_log_bin = 0')",
        "/*M!100100 SET sql_log_bin = 0 */",
    ],
)
def test_what_hides_nothing_is_sent_as_it_stands(text: str) -> None:
    assert send(text) == text


def test_a_versioned_comment_is_read_as_that_version_reads_it() -> None:
    text = "SET x = 1 /*!80016 , sql_log_bin = 0 */"
    assert send(text, (8, 0, 15)) == text
    assert send(text, (8, 0, 16)) == "SET x = 1"


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE IF EXISTS `accounts`.`ledger`",
        "drop /* x */ table if exists t, accounts . ledger",
        "/*!40000 DROP TABLE `accounts`.`ledger` */",
        'DROP TABLE "accounts"."ledger"',
        "DROP VIEW accounts.v",
        "DROP DATABASE accounts",
        "/*!40000 DROP DATABASE IF EXISTS `accounts`*/",
        "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `accounts` /*!40100 DEFAULT CHARACTER SET utf8mb4 */",
        "ALTER DATABASE accounts CHARACTER SET latin1",
        "USE accounts",
        "CREATE TABLE accounts.t (id INT)",
        "CREATE TEMPORARY TABLE IF NOT EXISTS accounts.t (id INT)",
        "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW accounts.v AS SELECT 1",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER accounts.x BEFORE INSERT ON t"
        " FOR EACH ROW SET @a = 1 */",
        "CREATE TRIGGER x BEFORE INSERT ON accounts.t FOR EACH ROW SET @a = 1",
        "CREATE DEFINER=event@localhost EVENT accounts.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        "CREATE PROCEDURE IF NOT EXISTS accounts.p() SELECT 1",
        "CREATE UNIQUE INDEX i ON accounts.t (id)",
        "DROP INDEX i ON accounts.t",
        "ALTER TABLE accounts.t ADD c INT",
        "ALTER TABLE t ADD c INT, RENAME TO accounts.t",
        "ALTER TABLE t RENAME accounts.t",
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE accounts.t",
        "RENAME TABLE t TO accounts.t",
        "RENAME TABLE a TO b, accounts.c TO d",
        "TRUNCATE TABLE accounts.t",
        "TRUNCATE accounts.t",
        "INSERT IGNORE INTO accounts.t SELECT 1",
        "INSERT accounts.t VALUES (1)",
        "REPLACE INTO mysql.user VALUES (1)",
        "UPDATE LOW_PRIORITY accounts.t SET a = 1",
        "UPDATE t JOIN accounts.u ON t.id = u.id SET u.a = 1",
        "DELETE FROM accounts.t WHERE a = 1",
        "DELETE t FROM t, accounts.u",
        "WITH x AS (SELECT 1) DELETE FROM accounts.t",
        "LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE accounts.t",
        "LOCK TABLES t READ, accounts.t WRITE",
        "OPTIMIZE LOCAL TABLE accounts.t",
        "CALL accounts.p()",
        "GRANT ALL ON accounts.* TO a@b",
        "REVOKE SELECT (a, b) ON TABLE `accounts`.t FROM a@b",
        "PREPARE s FROM 'DROP TABLE accounts.ledger'",
    ],
)
def test_work_on_another_database_is_seen(text: str) -> None:
    assert code(text) == "load.other_database"


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE IF EXISTS shop.t, `t2`",
        "CREATE TABLE t (id INT, FOREIGN KEY (id) REFERENCES accounts.t (id))",
        "CREATE TABLE `accounts` (id INT)",
        "CREATE TABLE t LIKE accounts.t",
        "CREATE VIEW v AS SELECT * FROM accounts.t",
        "CREATE PROCEDURE p() DELETE FROM accounts.t",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW INSERT INTO accounts.t VALUES (1)",
        "INSERT INTO t SELECT * FROM accounts.t",
        "INSERT INTO t VALUES ('accounts.t')",
        "ALTER TABLE t RENAME COLUMN a TO b, RENAME INDEX i TO j",
        "ALTER DATABASE CHARACTER SET latin1",
        "UPDATE t SET t.a = 1",
        "DELETE t.*, u.* FROM t JOIN u ON t.id = u.id",
        "GRANT SELECT ON `shop`.* TO a@b",
        "GRANT SELECT ON * TO a@b",
        "USE `shop`",
        "CREATE DATABASE shop DEFAULT CHARACTER SET latin1",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "CREATE USER IF NOT EXISTS a@b",
        "flush /*!50503 binary */ logs",
        "ANALYZE TABLE t",
        "/*!99999 DROP TABLE accounts.t */",
        "/*M!100100 DROP TABLE accounts.t */",
        "",
        "DEALLOCATE PREPARE s",
        "DROP PREPARE s",
    ],
)
def test_work_on_the_own_database_is_let_through(text: str) -> None:
    assert code(text) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GRANT ALL ON *.* TO a@b", "all databases"),
        ("GRANT r TO a@b", "accounts"),
        ("DROP USER a@b", "accounts"),
        ("ALTER USER root@localhost IDENTIFIED BY 'x'", "accounts"),
        ("RENAME USER a TO b", "accounts"),
        ("SET PASSWORD = 'x'", "accounts"),
        ("SET DEFAULT ROLE r TO a", "accounts"),
        ("CHANGE MASTER TO MASTER_LOG_FILE='binlog.000001', MASTER_LOG_POS=4", "server"),
        ("STOP SLAVE", "server"),
        ("START REPLICA", "server"),
        ("RESET MASTER", "server"),
        ("PURGE BINARY LOGS TO 'x'", "server"),
        ("INSTALL PLUGIN x SONAME 'y'", "server"),
        ("ALTER INSTANCE DISABLE INNODB REDO_LOG", "server"),
        ("CREATE TABLESPACE x ADD DATAFILE 'y'", "server"),
        ("DROP SERVER s", "server"),
        ("SHUTDOWN", "server"),
    ],
)
def test_work_on_more_than_databases_is_seen(text: str, found: str) -> None:
    with pytest.raises(LoadError) as caught:
        JUDGE.statement(text.encode(), "dump.sql:3")
    assert caught.value.code == "load.beyond_database"
    assert found in caught.value.facts["found"]


@pytest.mark.parametrize(
    "text", ["BINLOG '\nabc'", "SET @@SESSION.GTID_NEXT= '3e11fa47-71ca-11e1-9e33-c80aa9429562:5'"]
)
def test_the_text_of_a_binary_log_is_named(text: str) -> None:
    assert code(text) == "load.binary_log_text"


def test_names_are_compared_as_the_server_does() -> None:
    assert code("USE Shop") == "load.other_database"
    assert code("USE Shop", judge=Judge("shop", VERSION, folded=True)) == ""
    latin1 = Judge("größe", VERSION, charset="latin1")
    latin1.statement("DROP TABLE größe.t".encode("latin1"), "dump.sql:3")
    assert code("USE `a``b`", judge=Judge("a`b", VERSION)) == ""


def test_what_is_set_for_the_whole_server_is_named() -> None:
    text = b"SET GLOBAL max_connections = 9, SESSION a = 1, PERSIST b = 2, @@GLOBAL.c = 3, GLOBAL gtid_purged = ''"
    assert JUDGE.statement(text, "dump.sql:3").wide == ["max_connections", "b", "c"]


def test_a_text_that_is_prepared_is_judged_too() -> None:
    assert code("PREPARE s FROM 'SET sql_log_bin = 0'") == "load.hides_rows"
    assert JUDGE.statement(b"PREPARE s FROM @text", "dump.sql:3").prepares == b"text"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("DROP PROCEDURE IF EXISTS p; CREATE PROCEDURE p() BEGIN SELECT 1; END", 2),
        (
            "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; ELSE SELECT IF(1, 2, 3); END IF; END; SELECT 2",
            2,
        ),
        ("CREATE PROCEDURE p() l: BEGIN l2: LOOP LEAVE l2; END LOOP l2; END l; SELECT 2;", 2),
        ("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN IF(1, 2, 3); SELECT 2", 2),
        ("CREATE FUNCTION f() RETURNS INT RETURN CASE WHEN 1 THEN 2 END; SELECT 2", 2),
        ("CREATE PROCEDURE IF NOT EXISTS p() WHILE 1 DO SELECT 1; END WHILE; SELECT 2", 2),
        ("CREATE PROCEDURE p() IF 1 THEN SELECT 1; END IF; SELECT 2", 2),
        (
            "CREATE PROCEDURE p() BEGIN CASE 1 WHEN 1 THEN SELECT 1; END CASE; REPEAT SELECT 1; UNTIL 1 END REPEAT;"
            " BEGIN END; END; SELECT 2",
            2,
        ),
        ("CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = REPEAT('x', 3); END", 1),
        ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN SELECT ';'; /* ; */ END", 1),
        ("SELECT 1; SELECT 2; SELECT 3", 3),
        (";;", 0),
    ],
)
def test_statements_between_two_delimiters_are_told_apart(text: str, parts: int) -> None:
    found = list(programs(words_of(text.encode(), VERSION)))
    assert len(found) == parts, [written(part) for part in found]


def test_each_of_several_statements_is_judged() -> None:
    program = "CREATE PROCEDURE p() BEGIN DELETE FROM accounts.t; END"
    assert code(f"SELECT 1; {program}; SELECT 2", compound=True) == ""
    assert code(f"{program}; DROP TABLE accounts.t", compound=True) == "load.other_database"
    assert code(f"SET sql_log_bin = 0; {program}", compound=True) == "load.hides_rows"
    assert JUDGE.statement(f"{program}; SELECT 2".encode(), "x:1", compound=True).many
    assert not JUDGE.statement(f"{program};".encode(), "x:1", compound=True).many
