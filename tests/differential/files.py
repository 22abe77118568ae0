# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of SQL as people hand them over: blocks whose steps are pieces of the file's text."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.history import FILE, Block, Step
from tests.differential.vocabulary import Place, text


def piece(place: Place, kind: str, *lines: str, traits: tuple[str, ...] = ()) -> Block:
    steps = tuple(Step(line, FILE) for line in lines)
    names = (f"t{place.number}",)
    return Block(kind, steps, (place.schema,), names, frozenset(traits), None, (0, len(steps)))


def made(n: int, columns: str = "id INT PRIMARY KEY, w VARCHAR(50)") -> str:
    return f"CREATE TABLE t{n} ({columns});"


def file_rows(place: Place) -> Block:
    n = place.number
    more = place.pick(
        f"INSERT INTO t{n} VALUES (3, CONCAT('a', 'b')), (4, x'4142');",
        f"INSERT INTO t{n} VALUES (3, _latin1 x'e9'), (4, N'한');",
        f"INSERT INTO t{n} (w, id) VALUES ('other order', 3);",
        f"INSERT INTO t{n} SET id = 3, w = 'set';",
        f"INSERT IGNORE INTO t{n} VALUES (1, 'again'), (3, 'new');",
        f"REPLACE INTO t{n} VALUES (1, 'replaced');",
        f"INSERT INTO t{n} VALUES (1, 'dup') ON DUPLICATE KEY UPDATE w = 'updated';",
        f"INSERT INTO t{n} SELECT id + 10, w FROM t{n};",
        f"/*!40000 INSERT INTO t{n} VALUES (3, 'versioned') */;",
        f"INSERT INTO t{n}\nVALUES\n(3,'a),(b')\n,(4,'it''s;')\n;",
        f"INSERT INTO t{n} VALUES (3, 'a')/* c; */,(4,-- x\n'b');",
        f"INSERT INTO t{n} VALUES (3, 'adj' 'acent'), (4, NULL);",
    )
    values = f"(1,{place.text()}),(2,{place.text()})"
    return piece(place, "file_rows", made(n), f"INSERT INTO `t{n}` VALUES {values};", more)


def file_log_off(place: Place) -> Block:
    n = place.number
    off = place.pick(
        "SET sql_log_bin = 0;",
        "SET unique_checks = 0, sql_log_bin = 0;",
        "SET LOCAL sql_log_bin = 0;",
        "SET sql_log_bin := 0;",
        "SET SESSION sql_mode = '', SESSION sql_log_bin = 0;",
        "SET @@sql_log_bin = OFF;",
        "SET @@SESSION.sql_log_bin= 0;",
        "SET @@session . sql_log_bin = 0;",
        "/*!50003 SET sql_log_bin = 0 */;",
        "SET `sql_log_bin` = 0;",
        "set\nSQL_LOG_BIN=0;",
        "SET /* c */ sql_log_bin = 0;",
        "SET @x = 0; SET sql_log_bin = @x;",
        "SET foreign_key_checks = 0, @@local.sql_log_bin = 0, unique_checks = 0;",
    )
    return piece(
        place,
        "file_log_off",
        made(n),
        off,
        f"INSERT INTO t{n} VALUES (1,'a'),(2,'b');",
        traits=("log_off",),
    )


def file_keys_off(place: Place) -> Block:
    n = place.number
    off = place.pick(
        "SET foreign_key_checks = 0;",
        "SET SESSION sql_log_bin = 0, foreign_key_checks = 0;",
        "/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;",
    )
    return piece(
        place, "file_keys_off",
        made(n, "id INT PRIMARY KEY"),
        f"CREATE TABLE c{n} (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES t{n} (id));",
        off,
        f"INSERT INTO c{n} VALUES (1,1);",
        f"INSERT INTO t{n} VALUES (1);",
        traits=("log_off",),
    )  # fmt: skip


def file_programs(place: Place) -> Block:
    n = place.number
    body = place.pick(
        f"DELIMITER ;;\nCREATE PROCEDURE p{n}() SELECT 'hello';;\nDELIMITER ;",
        f"DELIMITER $$\nDROP PROCEDURE IF EXISTS p{n};\nCREATE PROCEDURE p{n}() BEGIN SELECT COUNT(*) FROM t{n}; END$$\nDELIMITER ;",
        f"DELIMITER //\nCREATE TRIGGER tr{n} BEFORE INSERT ON t{n} FOR EACH ROW"
        " BEGIN SET NEW.w = UPPER(NEW.w); END//\nDELIMITER ;\n"
        f"INSERT INTO t{n} VALUES (1,'loud'),(2,'x');",
        f"CREATE FUNCTION f{n}() RETURNS INT DETERMINISTIC RETURN 1;\nINSERT INTO t{n} VALUES (f{n}(), 'f');",
        f"CREATE VIEW v{n} AS SELECT w FROM t{n};\nCREATE EVENT e{n} ON SCHEDULE AT '2037-01-01' DO SELECT 1;",
        f"DELIMITER |\nCREATE PROCEDURE p{n}() BEGIN DECLARE x TEXT DEFAULT 'a;b|c'; END|\nDELIMITER ;",
    )  # fmt: skip
    return piece(place, "file_programs", made(n), body)


def file_words(place: Place) -> Block:
    """Settings that change what the next statements mean."""
    n = place.number
    word = place.pick(
        f"SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nINSERT INTO t{n} VALUES (1,'a\\'),(2,'b');",
        f"SET sql_mode = 'ANSI_QUOTES';\nINSERT INTO \"t{n}\" VALUES (1,'a'),(2,'b');",
        f"SET sql_mode = '';\nINSERT INTO t{n} VALUES ('7','{'x' * 60}'),(8,'b');",
        f"SET NAMES utf8mb4;\nINSERT INTO t{n} VALUES (1,'한'),(2,'😀');",
        f"SET time_zone = '+09:00';\nALTER TABLE t{n} ADD ts TIMESTAMP NULL;\nINSERT INTO t{n} VALUES (1,'a','2026-01-01 00:00:00');",
        f"SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\nALTER TABLE t{n} MODIFY id INT AUTO_INCREMENT;\nINSERT INTO t{n} VALUES (0,'zero'),(5,'five');",
        f"SET insert_id = 77;\nALTER TABLE t{n} MODIFY id INT AUTO_INCREMENT;\nINSERT INTO t{n} (w) VALUES ('a');",
        f"SET timestamp = 1;\nALTER TABLE t{n} ADD at DATETIME DEFAULT CURRENT_TIMESTAMP;\nINSERT INTO t{n} (id) VALUES (1);",
        f"SET @a = 5;\nINSERT INTO t{n} VALUES (@a,'variable');",
        f"SET autocommit = 0;\nINSERT INTO t{n} VALUES (1,'a'),(2,'b');\nCOMMIT;\nSET autocommit = 1;",
        f"START TRANSACTION;\nINSERT INTO t{n} VALUES (1,'a'),(2,'b');\nROLLBACK;\nINSERT INTO t{n} VALUES (3,'c');",
        f"LOCK TABLES t{n} WRITE;\n/*!40000 ALTER TABLE t{n} DISABLE KEYS */;\nINSERT INTO t{n} VALUES (1,'a'),(2,'b');\nUNLOCK TABLES;",
    )  # fmt: skip
    reset = "SET sql_mode = DEFAULT, time_zone = DEFAULT, timestamp = DEFAULT;"
    return piece(place, "file_words", made(n), word, reset)


def file_elsewhere(place: Place) -> Block:
    """What another database would feel."""
    n = place.number
    line = place.pick(
        "DROP TABLE IF EXISTS `accounts`.`ledger`;",
        "DELETE FROM accounts.ledger;",
        "INSERT INTO accounts.ledger VALUES (99);",
        "DROP DATABASE IF EXISTS accounts;",
        "USE accounts;\nINSERT INTO ledger VALUES (98);",
        f"RENAME TABLE accounts.ledger TO shop.ledger{n};",
        "CREATE TABLE accounts.other (id INT);",
        "TRUNCATE accounts.ledger;",
        f"DELETE l FROM accounts.ledger l JOIN t{n} ON l.id = t{n}.id;",
        "ALTER TABLE accounts.ledger ADD w INT;",
        "CREATE USER stranger;",
        "SET GLOBAL max_connections = 59;",
    )
    return piece(
        place,
        "file_elsewhere",
        made(n),
        f"INSERT INTO t{n} VALUES (1,'a');",
        line,
        traits=("elsewhere",),
    )


def file_comments(place: Place) -> Block:
    line = place.pick(
        "", "-- only a comment", "/* open; 'a */", "# hash ' quote", "--no space;\n", "/*! SELECT 1 */;",
        "\ufeff", ";;", "\\! echo no", "SELECT 'a;b';", "-- \t x\n--\n", "/*+ hint */", "/*!99999 NONSENSE */;",
    )  # fmt: skip
    return piece(place, "file_comments", line)


def file_tables(place: Place) -> Block:
    n = place.number
    line = place.pick(
        f"DROP TABLE IF EXISTS t{n};\n{made(n)}",
        f"CREATE TABLE IF NOT EXISTS t{n} (other INT);",
        f"ALTER TABLE t{n} COMMENT {text('; -- ' + chr(39))};",
        f"CREATE TABLE d{n} LIKE t{n};\nDROP TABLE t{n};",
        f"CREATE TEMPORARY TABLE tmp{n} (id INT);\nINSERT INTO tmp{n} VALUES (1),(2);\nINSERT INTO t{n} SELECT id, 'tmp' FROM tmp{n};",
        f"RENAME TABLE t{n} TO r{n};\nINSERT INTO r{n} VALUES (1,'r');",
        f"ALTER TABLE t{n} ADD g INT AS (id * 2) STORED, ADD h INT INVISIBLE;\nINSERT INTO t{n} (id, w) VALUES (1,'a'),(2,'b');",
        f"ALTER TABLE t{n} ADD b BIT(8), ADD d DATE, ADD f FLOAT;\nINSERT INTO t{n} VALUES (1,'a',b'101','2026-01-01',1.5),(2,'b',5,NULL,1e3);",
        f"ALTER TABLE t{n} MODIFY w VARCHAR(50) CHARACTER SET latin1;\nINSERT INTO t{n} VALUES (1,'é'),(2,'ÿ');",
        f"ALTER TABLE t{n} ENGINE=MyISAM;\nINSERT INTO t{n} VALUES (1,'a'),(2,'b');",
    )  # fmt: skip
    return piece(place, "file_tables", made(n), line)


FILE_KINDS: dict[str, Callable[[Place], Block]] = {
    one.__name__: one
    for one in (
        file_rows, file_log_off, file_keys_off, file_programs, file_words, file_elsewhere, file_comments,
        file_tables,
    )
}  # fmt: skip
