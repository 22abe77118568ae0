# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of blocks: each a function that draws one, from nothing but a place of its own.

The first choice of each draw is the plainest one, since Hypothesis shrinks towards it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.differential.history import END, RESTART, Block, Step, q

Draw = Callable[[st.SearchStrategy[Any]], Any]

ODD = (
    "t", "Größe", "한국", 'dq"uote', "it's", "back\\slash", "tab\tname", "new\nline", "dot.ted",
    "sl/ash", "per%cent", "%s", "at@sign", "MiXed", "sp ace", " lead", "back`tick", "#hash", "--dash",
    "$HOME", "{{ jinja }}", "a,b", "semi;colon", "select", "1234", "名前", "a" * 60, "한" * 30, "~", "*",
    "é", "carriage\rreturn", "[x]", "(1)", "null", "\\", "'", "!", "<>&|",
)  # fmt: skip
TEXTS = (
    "x", "", "café", "한국", "😀", "it's", 'q"', "back\\slash", "a\nb", "a\tb", "nul\0", "%s", "\\N", "NULL",
    " trail ", "\x1a", "\r\n", "ß", "Ж", "ā",
)  # fmt: skip


def text(value: str) -> str:
    """A string literal for a session without NO_BACKSLASH_ESCAPES."""
    pairs = (("\\", "\\\\"), ("'", "''"), ("\0", "\\0"), ("\n", "\\n"), ("\x1a", "\\Z"))
    for plain, escaped in pairs:
        value = value.replace(plain, escaped)
    return f"'{value}'"


class Place:
    """Where a block lives: a schema, and names that end with its number."""

    def __init__(self, draw: Draw, number: int, version: str) -> None:
        self.draw = draw
        self.number = number
        self.version = version
        self.schema = "shop"

    @property
    def new(self) -> bool:
        return self.version != "8.0.15"

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def name(self, *, odd: bool = True) -> str:
        """A name of its own: plain, or an odd one."""
        chosen = self.draw(st.sampled_from(ODD)) if odd and self.draw(st.booleans()) else "t"
        return f"{chosen}{self.number}"

    def odd_schema(self) -> str:
        self.schema = f"{self.draw(st.sampled_from(ODD))}{self.number}s"
        return self.schema

    def text(self) -> str:
        return text(self.draw(st.sampled_from(TEXTS)))

    def at(self, table: str) -> str:
        return f"{q(self.schema)}.{q(table)}"

    def block(
        self,
        kind: str,
        *steps: str | Step,
        table: str | None = None,
        names: tuple[str, ...] = (),
        traits: tuple[str, ...] = (),
    ) -> Block:
        return Block(
            kind,
            tuple(step if isinstance(step, Step) else Step(step) for step in steps),
            (self.schema,),
            names or ((table,) if table else (f"t{self.number}",)),
            frozenset(traits),
            (self.schema, table) if table else None,
        )


def in_session(name: str, *statements: str, charset: str = "utf8mb4") -> tuple[Step, ...]:
    return tuple(Step(statement, name, charset) for statement in statements)


def rows(place: Place) -> Block:
    """Rows of an ordinary table."""
    name = place.name()
    t = place.at(name)
    return place.block(
        "rows",
        f"CREATE TABLE {t} (id INT PRIMARY KEY AUTO_INCREMENT, w VARCHAR(50), n INT)",
        f"INSERT INTO {t} (w, n) VALUES ({place.text()}, 1), ({place.text()}, 2), ({place.text()}, 3)",
        f"UPDATE {t} SET n = n + 10 WHERE id = 2",
        f"DELETE FROM {t} WHERE id = 1",
        f"INSERT INTO {t} (w, n) VALUES ({place.text()}, 4)",
        table=name,
    )


def schema_name(place: Place) -> Block:
    """A schema with an odd name, and a table in it."""
    place.odd_schema()
    name = place.name()
    t = place.at(name)
    return place.block(
        "schema_name",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(50))",
        f"INSERT INTO {t} VALUES (1, {place.text()}), (2, 'b')",
        f"DELETE FROM {t} WHERE id = 2",
        table=name,
        names=(place.schema,),
    )


TYPES = (
    ("TINYINT", "-128"), ("SMALLINT UNSIGNED", "65535"), ("MEDIUMINT ZEROFILL", "7"), ("BIGINT", "-9"),
    ("BIGINT UNSIGNED", "18446744073709551615"), ("BOOLEAN", "1"), ("DECIMAL(65,30)", "-1.5"),
    ("DECIMAL(5,2) UNSIGNED", "999.99"), ("FLOAT", "16777217.3"), ("FLOAT(7,3)", "1234.567"),
    ("DOUBLE", "0.1"), ("DOUBLE", "-1.7976931348623157e308"), ("BIT(1)", "1"), ("BIT(64)", "b'101'"),
    ("DATE", "'9999-12-31'"), ("TIME(6)", "'-838:59:59.000000'"), ("DATETIME", "'1000-01-01'"),
    ("DATETIME(6)", "'2026-01-02 03:04:05.123456'"), ("TIMESTAMP(6) NULL", "'2038-01-19 03:14:07.5'"),
    ("TIMESTAMP NULL", "'2026-03-29 01:30:00'"), ("YEAR", "2155"), ("CHAR(5)", "'a '"),
    ("VARCHAR(20) CHARACTER SET latin1", "'é'"), ("VARCHAR(20) CHARACTER SET euckr", "'가나'"),
    ("VARCHAR(20) CHARACTER SET utf16", "'😀'"), ("VARCHAR(20) CHARACTER SET sjis", "'表'"),
    ("VARCHAR(20) CHARACTER SET gbk", "'中文'"), ("VARCHAR(20) CHARACTER SET binary", "x'ff00'"),
    ("CHAR(3) COLLATE utf8mb4_bin", "'Ä'"), ("TINYTEXT", "''"), ("TEXT", "'한\\0글'"),
    ("MEDIUMTEXT", "REPEAT('m', 70000)"), ("LONGTEXT CHARACTER SET ucs2", "'x'"), ("BINARY(4)", "x'00ff'"),
    ("VARBINARY(20)", "x'00270a5c0d1a'"), ("TINYBLOB", "x'5c27'"), ("BLOB", "x'e9'"),
    ("LONGBLOB", "REPEAT(x'00ff', 40000)"), ("ENUM('a','b','é')", "'é'"), ("SET('x','y','z')", "'x,z'"),
    ("ENUM('','a')", "''"), ("JSON", "'{\"a\": [1.0, null, \"한\"], \"b\": 1e3}'"), ("JSON", "CAST(NOW(6) AS JSON)"),
    ("JSON", "CAST(x'00ff' AS JSON)"), ("JSON", "'null'"), ("POINT", "POINT(1.5, -2)"),
    ("GEOMETRY SRID 4326", "ST_GeomFromText('POINT(10 20)', 4326)"),
    ("LINESTRING", "ST_GeomFromText('LINESTRING(0 0, 1 1)')"),
    ("GEOMETRYCOLLECTION", "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')"),
)  # fmt: skip


def types(place: Place) -> Block:
    """Columns of some types, each with a value, with NULL, and with a default."""
    known = (*TYPES, ("VECTOR(3)", "TO_VECTOR('[1,2,3]')")) if place.new else TYPES
    chosen = place.draw(st.lists(st.sampled_from(known), min_size=1, max_size=6))
    name = f"t{place.number}"
    t = place.at(name)
    columns = ", ".join(f"c{n} {kind}" for n, (kind, _value) in enumerate(chosen))
    values = ", ".join(value for _kind, value in chosen)
    nulls = ", ".join("NULL" for _each in chosen)
    return place.block(
        "types",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, {columns})",
        f"INSERT INTO {t} VALUES (1, {values}), (2, {nulls})",
        f"INSERT INTO {t} VALUES (3, {values}), (4, {values})",
        f"UPDATE {t} SET c0 = NULL WHERE id = 3",
        f"DELETE FROM {t} WHERE id = 4",
        table=name,
    )


def engine(place: Place) -> Block:
    """A table of another engine than InnoDB."""
    kind = place.pick("MyISAM", "MEMORY", "CSV", "ARCHIVE", "BLACKHOLE", "MRG_MyISAM")
    name = place.name()
    t = place.at(name)
    key = " NOT NULL" if kind in ("CSV", "ARCHIVE") else " PRIMARY KEY"
    columns, more = f"(id INT{key}, w VARCHAR(20) NOT NULL)", tuple[str, ...]()
    if kind == "MRG_MyISAM":
        columns = "(id INT NOT NULL, w VARCHAR(20) NOT NULL, KEY (id))"
        under = place.at(f"under{place.number}")
        more = (f"CREATE TABLE {under} {columns} ENGINE=MyISAM",)
        columns += f" UNION=({under}) INSERT_METHOD=LAST"
    return place.block(
        "engine",
        *more,
        f"CREATE TABLE {t} {columns} ENGINE={kind}".replace(") UNION", f") ENGINE={kind} UNION", 1)
        if more
        else f"CREATE TABLE {t} {columns} ENGINE={kind}",
        f"INSERT INTO {t} VALUES (1, 'a'), (2, 'b'), (3, {place.text()})",
        f"INSERT INTO {t} VALUES (4, 'd')",
        f"UPDATE {t} SET w = 'z' WHERE id = 2",
        f"DELETE FROM {t} WHERE id = 3",
        table=name,
        names=(name, f"under{place.number}"),
        traits=("engine", f"engine.{kind}"),
    )


# Without letters that end with the byte of a backslash: the server itself cannot read a view that has one.
CHARSETS = (
    ("utf8mb4", "한😀"), ("latin1", "café"), ("latin1", "Straße"), ("euckr", "한국"), ("gbk", "中文"),
    ("latin2", "ł"), ("greek", "λ"), ("cp1251", "Ж"), ("sjis", "日"), ("utf8mb3", "é"), ("ascii", "x"),
    ("big5", "中"), ("ujis", "日本"), ("koi8r", "Я"),
)  # fmt: skip


def programs(place: Place) -> Block:
    """Programs and a view of a client of some character set, with letters of it."""
    charset, word = place.pick(*CHARSETS)
    n = place.number
    name = f"t{n}"
    t, view, log = place.at(name), place.at(f"v{n}"), place.at(f"log{n}")
    kinds = (
        f"CREATE PROCEDURE {place.at(f'p{n}')}() SELECT '{word}' AS w",
        f"CREATE FUNCTION {place.at(f'f{n}')}() RETURNS VARCHAR(20) CHARACTER SET utf8mb4 DETERMINISTIC RETURN '{word}'",
        f"CREATE VIEW {view} AS SELECT '{word}' AS w, id FROM {t}",
        f"CREATE TRIGGER {place.at(f'tr{n}')} BEFORE INSERT ON {t} FOR EACH ROW SET NEW.w = CONCAT(NEW.w, '{word}')",
        f"CREATE EVENT {place.at(f'e{n}')} ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO INSERT INTO {log} VALUES ('{word}')",
    )
    chosen = place.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3, unique=True))
    session = f"s{n}"
    return place.block(
        "programs",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(50))",
        f"CREATE TABLE {log} (w VARCHAR(50))",
        *in_session(session, *chosen, charset=charset),
        *in_session(session, f"INSERT INTO {t} VALUES (1, '{word}')", charset=charset),
        f"INSERT INTO {t} VALUES (2, 'b')",
        table=name,
        names=(f"p{n}", f"f{n}", f"v{n}", f"tr{n}", f"e{n}", name),
    )


def modes(place: Place) -> Block:
    """Programs that mean what they say under their own sql_mode alone."""
    mode, body = place.pick(
        ("", "SELECT 1"),
        ("ANSI_QUOTES", 'SELECT "w" FROM {t}'),
        ("PIPES_AS_CONCAT", "SELECT 'a' || 'b'"),
        ("NO_BACKSLASH_ESCAPES", "SELECT 'a\\', ' b'"),
        ("ANSI", "SELECT 'a' || \"w\" FROM {t}"),
        ("HIGH_NOT_PRECEDENCE", "SELECT NOT 1 BETWEEN -5 AND 5"),
        ("NO_UNSIGNED_SUBTRACTION", "SELECT CAST(0 AS UNSIGNED) - 1"),
        ("IGNORE_SPACE", "SELECT COUNT (*) FROM {t}"),
        ("REAL_AS_FLOAT", "SELECT CAST(1 AS REAL)"),
    )
    n = place.number
    t = place.at(f"t{n}")
    session = f"s{n}"
    made = body.format(t=t)
    return place.block(
        "modes",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(50))",
        *in_session(
            session,
            f"SET SESSION sql_mode = '{mode}'",
            f"CREATE PROCEDURE {place.at(f'p{n}')}() {made}",
            f"CREATE VIEW {place.at(f'v{n}')} AS {made}",
            f"CREATE TRIGGER {place.at(f'tr{n}')} AFTER INSERT ON {t} FOR EACH ROW SET @x = ({made} LIMIT 1)",
        ),
        f"INSERT INTO {t} VALUES (1, 'a')",
        names=(f"p{n}", f"v{n}", f"tr{n}"),
    )


def statements(place: Place) -> Block:
    """Statement and mixed format, with what hits several tables."""
    n = place.number
    a, b, log = place.at(f"t{n}"), place.at(f"b{n}"), place.at(f"log{n}")
    session = f"s{n}"
    deeds = (
        f"INSERT INTO {a} VALUES (50, 1), (51, 2)",
        f"DELETE {a}, {b} FROM {a} JOIN {b} ON {a}.id = {b}.id WHERE {b}.id <= 2",
        f"UPDATE {a} JOIN {b} ON {a}.id = {b}.id SET {a}.n = 7, {b}.n = 8",
        f"WITH old AS (SELECT 1 AS id UNION SELECT 3) DELETE FROM {b} WHERE id IN (SELECT id FROM old)",
        f"INSERT INTO {a} SELECT id + 100, n FROM {b}",
        f"INSERT INTO {a} VALUES (1, 5) ON DUPLICATE KEY UPDATE n = n + 1",
        f"REPLACE INTO {a} VALUES (2, 9), (60, 9)",
        f"DELETE FROM {a} WHERE id = 3",
        f"TRUNCATE TABLE {b}",
    )
    chosen = place.draw(st.lists(st.sampled_from(deeds), min_size=1, max_size=4))
    return place.block(
        "statements",
        f"CREATE TABLE {a} (id INT PRIMARY KEY, n INT)",
        f"CREATE TABLE {b} (id INT PRIMARY KEY, n INT)",
        f"CREATE TABLE {log} (at INT AUTO_INCREMENT PRIMARY KEY, n INT)",
        f"CREATE TRIGGER {place.at(f'tr{n}')} AFTER INSERT ON {a} FOR EACH ROW INSERT INTO {log} (n) VALUES (NEW.id)",
        f"INSERT INTO {a} VALUES (1, 1), (2, 2), (3, 3)",
        f"INSERT INTO {b} VALUES (1, 1), (2, 2), (3, 3)",
        *in_session(
            session,
            f"SET SESSION binlog_format = '{place.pick('ROW', 'MIXED', 'STATEMENT')}'",
            *(["USE " + q(place.schema)] if place.draw(st.booleans()) else []),
            *chosen,
        ),
        names=(f"t{n}", f"b{n}", f"log{n}"),
    )


def partitions(place: Place) -> Block:
    """Partitions that come, go, and change places with a table."""
    n = place.number
    name = place.name()
    t, old = place.at(name), place.at(f"old{n}")
    deeds = (
        f"ALTER TABLE {t} EXCHANGE PARTITION p1 WITH TABLE {old}",
        f"ALTER TABLE {t} TRUNCATE PARTITION p1",
        f"ALTER TABLE {t} DROP PARTITION p1",
        f"ALTER TABLE {t} REORGANIZE PARTITION p2 INTO (PARTITION p2 VALUES LESS THAN (2030), PARTITION p3 VALUES LESS THAN MAXVALUE)",
        f"ALTER TABLE {t} REMOVE PARTITIONING",
        f"ALTER TABLE {t} REBUILD PARTITION p2",
        f"INSERT INTO {t} VALUES (7, 2019), (8, 2022)",
    )
    chosen = place.draw(st.lists(st.sampled_from(deeds), min_size=1, max_size=3))
    return place.block(
        "partitions",
        f"CREATE TABLE {t} (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y)"
        " (PARTITION p1 VALUES LESS THAN (2020), PARTITION p2 VALUES LESS THAN MAXVALUE)",
        f"INSERT INTO {t} VALUES (1, 2019), (2, 2019), (3, 2021)",
        f"CREATE TABLE {old} (id INT, y INT, PRIMARY KEY (id, y))",
        f"INSERT INTO {old} VALUES (10, 2000)",
        *chosen,
        f"DELETE FROM {t} WHERE id = 3",
        traits=("partitions",),
        table=name,
        names=(name, f"old{n}"),
    )


def renames(place: Place) -> Block:
    """A chain of names, with rows written in between."""
    n = place.number
    a, b, c = (place.at(f"{letter}{n}") for letter in "abc")
    return place.block(
        "renames",
        f"CREATE TABLE {a} (id INT PRIMARY KEY, w VARCHAR(9))",
        f"CREATE TABLE {b} (id INT PRIMARY KEY, w VARCHAR(9))",
        f"INSERT INTO {a} VALUES (1, 'a')",
        f"INSERT INTO {b} VALUES (1, 'b'), (2, 'b')",
        f"RENAME TABLE {a} TO {c}, {b} TO {a}, {c} TO {b}",
        f"INSERT INTO {a} VALUES (3, 'now a')",
        f"DELETE FROM {b}",
        place.pick(
            f"RENAME TABLE {b} TO {c}", f"ALTER TABLE {b} RENAME TO {c}", f"DROP TABLE {a}, {b}"
        ),
        f"INSERT INTO {c} VALUES (5, 'c')",
        names=(f"a{n}", f"b{n}", f"c{n}"),
    )


def again(place: Place) -> Block:
    """A table that is dropped or emptied and made again, otherwise."""
    name = place.name()
    t = place.at(name)
    return place.block(
        "again",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(9))",
        f"INSERT INTO {t} VALUES (1, 'a'), (2, 'b')",
        place.pick(f"TRUNCATE TABLE {t}", f"DROP TABLE {t}", f"DELETE FROM {t}"),
        f"CREATE TABLE IF NOT EXISTS {t} (id INT PRIMARY KEY, other DATE, KEY (other))",
        f"INSERT INTO {t} VALUES (1, NULL)",
        f"DROP TABLE IF EXISTS {t}, {place.at('not there')}",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(9))",
        f"INSERT INTO {t} VALUES (9, 'z')",
        names=(name,),
    )


def databases(place: Place) -> Block:
    """A database that is dropped with all that it has, and made again."""
    schema = place.odd_schema()
    t, s = place.at("t"), q(schema)
    return place.block(
        "databases",
        f"CREATE TABLE {t} (id INT PRIMARY KEY)",
        f"INSERT INTO {t} VALUES (1), (2)",
        f"CREATE PROCEDURE {s}.p() SELECT 1",
        f"CREATE VIEW {s}.v AS SELECT id FROM {t}",
        f"DROP DATABASE {s}",
        f"CREATE DATABASE {s} CHARACTER SET {place.pick('utf8mb4', 'latin1', 'euckr')}",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(9))",
        f"INSERT INTO {t} VALUES (5, 'x')",
        names=(schema,),
    )


def copies(place: Place) -> Block:
    """Tables made from others."""
    n = place.number
    a, b, c = (place.at(f"{letter}{n}") for letter in "abc")
    return place.block(
        "copies",
        f"CREATE TABLE {a} (id INT PRIMARY KEY AUTO_INCREMENT, w VARCHAR(9), KEY (w))",
        f"INSERT INTO {a} (w) VALUES ('a'), ('b'), ('c')",
        f"CREATE TABLE {b} LIKE {a}",
        f"INSERT INTO {b} SELECT * FROM {a}",
        f"CREATE TABLE {c} SELECT id, CONCAT(w, 'x') AS w FROM {a}",
        f"CREATE TABLE {place.at(f'd{n}')} (k INT PRIMARY KEY) SELECT id AS k FROM {a}",
        f"DELETE FROM {a} WHERE id = 2",
        names=(f"a{n}", f"b{n}", f"c{n}", f"d{n}"),
    )


def duplicates(place: Place) -> Block:
    """What writes a row or another one."""
    name = place.name()
    t = place.at(name)
    return place.block(
        "duplicates",
        f"CREATE TABLE {t} (id INT PRIMARY KEY AUTO_INCREMENT, k VARCHAR(9) UNIQUE, n INT)",
        f"INSERT INTO {t} (k, n) VALUES ('a', 1), ('b', 2)",
        f"INSERT INTO {t} (k, n) VALUES ('a', 1), ('c', 3) ON DUPLICATE KEY UPDATE n = n + 10",
        f"REPLACE INTO {t} (k, n) VALUES ('b', 20)",
        f"INSERT IGNORE INTO {t} (k, n) VALUES ('a', 5), ('d', 5)",
        f"REPLACE INTO {t} VALUES (1, 'c', 7)",
        table=name,
    )


def cascades(place: Place) -> Block:
    """Foreign keys that take rows along."""
    n = place.number
    parent, child = place.at(f"t{n}"), place.at(f"child{n}")
    return place.block(
        "cascades",
        f"CREATE TABLE {parent} (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES {parent} (id) ON DELETE CASCADE)",
        f"CREATE TABLE {child} (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES {parent} (id)"
        f" ON DELETE {place.pick('CASCADE', 'SET NULL')} ON UPDATE CASCADE)",
        f"INSERT INTO {parent} VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)",
        f"INSERT INTO {child} VALUES (1, 1), (2, 3), (3, 4)",
        f"UPDATE {parent} SET id = 40 WHERE id = 4",
        f"DELETE FROM {parent} WHERE id = 1",
        f"INSERT INTO {parent} VALUES (9, NULL)",
        table=f"t{n}",
        names=(f"t{n}", f"child{n}"),
        traits=("foreign_keys",),
    )


def triggers(place: Place) -> Block:
    """Triggers that write elsewhere."""
    n = place.number
    t, log = place.at(f"t{n}"), place.at(f"log{n}")
    return place.block(
        "triggers",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, n INT)",
        f"CREATE TABLE {log} (at INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20))",
        *(
            f"CREATE TRIGGER {place.at(f'{when}{what}{n}')} {when} {what} ON {t} FOR EACH ROW"
            f" INSERT INTO {log} (what) VALUES ('{when} {what}')"
            for when, what in (("BEFORE", "INSERT"), ("AFTER", "UPDATE"), ("AFTER", "DELETE"))
        ),
        f"INSERT INTO {t} VALUES (1, 1), (2, 2), (3, 3)",
        f"UPDATE {t} SET n = 9 WHERE id > 1",
        f"DELETE FROM {t} WHERE id = 1",
        table=f"t{n}",
        names=(f"t{n}", f"log{n}"),
        traits=("triggers",),
    )


def xa(place: Place) -> Block:
    """An XA transaction in its own session, which ends; another one decides, or nobody does."""
    n = place.number
    name = f"t{n}"
    t, other = place.at(name), place.at(f"other{n}")
    xid = place.pick(f"'x{n}'", f"'x{n}', 'branch', 7", f"'é''\"\\\\{n}'", f"X'00ff{n:02x}'")
    end = place.pick("XA COMMIT", "XA ROLLBACK", "SELECT")
    decided = f"{end} {xid}" if end != "SELECT" else "SELECT 1"
    return place.block(
        "xa",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, n INT)",
        f"CREATE TABLE {other} (id INT PRIMARY KEY)",
        f"INSERT INTO {t} VALUES (1, 1), (2, 2), (3, 3)",
        *in_session(
            f"xa{n}",
            f"XA START {xid}",
            f"INSERT INTO {t} VALUES (10, 1), (11, 1)",
            place.pick(
                f"UPDATE {t} SET n = 5 WHERE id = 1", f"DELETE FROM {t} WHERE id = 2", "SELECT 1"
            ),
            f"XA END {xid}",
            *([f"XA COMMIT {xid} ONE PHASE"] if place.draw(st.booleans()) else []),
            f"XA PREPARE {xid}",
            END,
        ),
        f"INSERT INTO {other} VALUES (20)",
        *in_session(f"deciding{n}", decided),
        f"INSERT INTO {other} VALUES (21)",
        names=(name, f"x{n}"),
        traits=("xa",),
    )


def transactions(place: Place) -> Block:
    """A transaction that another session's statements overtake."""
    n = place.number
    name = place.name()
    t, other = place.at(name), place.at(f"other{n}")
    end = place.pick("COMMIT", "ROLLBACK")
    memory = place.draw(st.booleans())
    return place.block(
        "transactions",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, n INT)",
        f"CREATE TABLE {other} (id INT PRIMARY KEY)",
        *in_session(
            f"s{n}",
            "BEGIN",
            f"INSERT INTO {t} VALUES (1, 1), (2, 2)",
            *(
                (f"CREATE TEMPORARY TABLE {place.at(f'tmp{n}')} (id INT)",
                 f"INSERT INTO {place.at(f'tmp{n}')} VALUES (7)",
                 f"INSERT INTO {t} SELECT id, id FROM {place.at(f'tmp{n}')}")
                if memory else ()
            ),
            "SAVEPOINT a",
            f"DELETE FROM {t} WHERE id = 1",
            "ROLLBACK TO SAVEPOINT a",
        ),
        f"INSERT INTO {other} VALUES (1)",
        *in_session(f"s{n}", f"UPDATE {t} SET n = 3", end),
        f"INSERT INTO {other} VALUES (2)",
        table=name,
        names=(name, f"other{n}"),
    )  # fmt: skip


def views(place: Place) -> Block:
    """Views, also those that do not work any more."""
    n = place.number
    t, v = place.at(f"t{n}"), place.at(f"v{n}")
    ends = (
        "SELECT 1",
        f"ALTER TABLE {t} DROP COLUMN a",
        f"DROP TABLE {t}",
        f"DROP VIEW {v}",
        f"ALTER TABLE {t} RENAME COLUMN a TO b",
        f"DROP USER IF EXISTS gone{n}",
        f"DROP FUNCTION {place.at(f'f{n}')}",
    )
    end = place.pick(*ends)
    return place.block(
        "views",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, a INT)",
        f"INSERT INTO {t} VALUES (1, 1), (2, 2)",
        f"CREATE FUNCTION {place.at(f'f{n}')}() RETURNS INT DETERMINISTIC RETURN 1",
        f"CREATE ALGORITHM={place.pick('UNDEFINED', 'MERGE', 'TEMPTABLE')} DEFINER=gone{n} SQL SECURITY"
        f" {place.pick('DEFINER', 'INVOKER')} VIEW {v} AS SELECT id, a, {place.at(f'f{n}')}() AS f FROM {t}",
        f"CREATE VIEW {place.at(f'a{n}')} AS SELECT id FROM {v} WHERE a > 0 WITH CHECK OPTION",
        end,
        f"INSERT INTO {t} (id) VALUES (3)",
        names=(f"v{n}", f"a{n}"),
        traits=("broken_view",) if end not in ends[:1] else ("views",),
    )


def events(place: Place) -> Block:
    """Events, on and off."""
    n = place.number
    e = place.at(f"e{n}")
    return place.block(
        "events",
        f"CREATE TABLE {place.at(f't{n}')} (id INT PRIMARY KEY)",
        f"CREATE EVENT {e} ON SCHEDULE {place.pick('EVERY 1 DAY STARTS', 'AT')} '2037-01-01 00:00:00' ON COMPLETION PRESERVE"
        f" {place.pick('ENABLE', 'DISABLE')} COMMENT {place.text()} DO DELETE FROM {place.at(f't{n}')}",
        f"INSERT INTO {place.at(f't{n}')} VALUES (1)",
        place.pick(f"ALTER EVENT {e} DISABLE", f"ALTER EVENT {e} ENABLE", f"DROP EVENT {e}"),
        names=(f"e{n}",),
    )


def accounts(place: Place) -> Block:
    """Accounts, roles, grants, and what hangs on them."""
    n = place.number
    user, role = (
        f"'u{place.pick('', 'é', chr(39) * 2, ' x', '%', '한')}{n}'@'{place.pick('%', '10.%')}'",
        f"r{n}",
    )
    t = place.at(f"t{n}")
    deeds = (
        f"GRANT SELECT, UPDATE (w) ON {t} TO {user} WITH GRANT OPTION",
        f"GRANT ALL ON {q(place.schema)}.* TO {user}",
        f"GRANT EXECUTE ON PROCEDURE {place.at(f'p{n}')} TO {user}",
        f"GRANT {role} TO {user} WITH ADMIN OPTION",
        f"SET DEFAULT ROLE {role} TO {user}",
        f"GRANT PROXY ON 'root'@'localhost' TO {user}",
        f"GRANT BINLOG_ADMIN, CONNECTION_ADMIN ON *.* TO {user}",
        f"ALTER USER {user} WITH MAX_USER_CONNECTIONS 3 MAX_QUERIES_PER_HOUR 4",
        f"ALTER USER {user} REQUIRE SSL PASSWORD EXPIRE INTERVAL 90 DAY PASSWORD HISTORY 3",
        f"ALTER USER {user} ACCOUNT LOCK",
        f"ALTER USER {user} IDENTIFIED BY 'new \\\\ it''s'",
        f"ALTER USER {user} PASSWORD EXPIRE",
        f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {user}",
        f"DROP USER {user}",
        f"DROP ROLE {role}",
        f"GRANT SELECT ON `s_op`.* TO {user}",
        *(
            (
                f"ALTER USER {user} ATTRIBUTE '{{\"a\": 1}}'",
                f"ALTER USER {user} FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2",
                f"ALTER USER {user} IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD",
            )
            if place.new
            else ()
        ),
    )
    chosen = place.draw(st.lists(st.sampled_from(deeds), min_size=1, max_size=5))
    return place.block(
        "accounts",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(9))",
        f"CREATE PROCEDURE {place.at(f'p{n}')}() SELECT 1",
        f"CREATE USER {user} IDENTIFIED BY 'a secret'",
        f"CREATE ROLE {role}",
        f"GRANT SELECT ON {t} TO {role}",
        *chosen,
        f"INSERT INTO {t} VALUES (1, 'x')",
        names=(f"{n}",),
        traits=("accounts",),
    )


def clocks(place: Place) -> Block:
    """Sessions with a clock of their own, and logs that begin under one."""
    n = place.number
    name = f"t{n}"
    t = place.at(name)
    when = place.pick("UNIX_TIMESTAMP('2020-01-01')", "UNIX_TIMESTAMP('2037-01-01')", "1")
    return place.block(
        "clocks",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
        f"INSERT INTO {t} (id) VALUES (1), (2)",
        *in_session(
            f"s{n}",
            f"SET SESSION timestamp = {when}",
            *(["FLUSH BINARY LOGS"] if place.draw(st.booleans()) else []),
            f"INSERT INTO {t} (id) VALUES (3)",
            f"DELETE FROM {t} WHERE id = 1",
            "SET SESSION timestamp = DEFAULT",
        ),
        f"INSERT INTO {t} (id) VALUES (9)",
        table=name,
        traits=("clock",),
    )


def rotations(place: Place) -> Block:
    """Logs that end, by a statement or with the server."""
    t = place.at(f"t{place.number}")
    return place.block(
        "rotations",
        f"CREATE TABLE {t} (id INT PRIMARY KEY)",
        f"INSERT INTO {t} VALUES (1)",
        place.pick("FLUSH BINARY LOGS", RESTART),
        f"INSERT INTO {t} VALUES (2)",
        "FLUSH BINARY LOGS",
        f"INSERT INTO {t} VALUES (3)",
    )


def large(place: Place) -> Block:
    """Values larger than what a session takes by itself."""
    name = f"t{place.number}"
    t = place.at(name)
    size = place.pick(70_000, 2_000_000, 17_000_000, 40_000_000)
    kind, value = place.pick(
        ("LONGBLOB", f"REPEAT('b', {size})"),
        ("LONGTEXT", f"REPEAT('t', {size})"),
        ("JSON", f"JSON_OBJECT('a', REPEAT('x', {size}))"),
    )
    return place.block(
        "large",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, b {kind}, n INT)",
        f"INSERT INTO {t} VALUES (1, NULL, 1)",
        f"INSERT INTO {t} VALUES (2, {value}, 7)",
        f"UPDATE {t} SET n = 8 WHERE id = 2",
        table=name,
        traits=("large",) if size > 10_000_000 else (),
    )


def columns(place: Place) -> Block:
    """Columns that are generated, hidden, checked, or have defaults of their own."""
    name = place.name()
    t = place.at(name)
    newer = (
        ", hid INT INVISIBLE DEFAULT 5, CHECK (n < 1000), e VARCHAR(36) DEFAULT (CONCAT('u', 1)),"
        " KEY f ((n + 1))"
    )
    return place.block(
        "columns",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, n INT COMMENT {place.text()}, twice INT GENERATED ALWAYS AS (n * 2)"
        f" STORED, vi INT AS (n + 1) VIRTUAL, d VARCHAR(9) NOT NULL DEFAULT {text('%it' + chr(39))}, KEY k (n DESC),"
        f" KEY o (d) INVISIBLE{newer if place.new else ''}) COMMENT={place.text()}",
        f"INSERT INTO {t} (id, n) VALUES (1, 1), (2, 2)",
        f"UPDATE {t} SET n = 5 WHERE id = 1",
        f"ALTER TABLE {t} ADD COLUMN late INT DEFAULT 3",
        f"ALTER TABLE {t} DROP COLUMN d",
        f"DELETE FROM {t} WHERE id = 2",
        table=name,
    )


def alters(place: Place) -> Block:
    """Tables that change their form between their rows."""
    name = place.name()
    t = place.at(name)
    deeds = (
        f"ALTER TABLE {t} ADD COLUMN c INT DEFAULT 5",
        f"ALTER TABLE {t} ADD COLUMN f INT FIRST",
        f"ALTER TABLE {t} DROP COLUMN n",
        f"ALTER TABLE {t} RENAME COLUMN w TO x",
        f"ALTER TABLE {t} MODIFY w VARCHAR(300)",
        f"ALTER TABLE {t} CONVERT TO CHARACTER SET latin1",
        f"ALTER TABLE {t} ENGINE=InnoDB",
        f"ALTER TABLE {t} DROP PRIMARY KEY",
        f"CREATE INDEX i ON {t} (w)",
        f"ALTER TABLE {t} AUTO_INCREMENT = 100",
        f"ALTER TABLE {t} ROW_FORMAT=COMPRESSED",
        f"OPTIMIZE TABLE {t}",
        f"ANALYZE TABLE {t} UPDATE HISTOGRAM ON n",
    )
    chosen = place.draw(st.lists(st.sampled_from(deeds), min_size=1, max_size=4))
    between = [f"INSERT INTO {t} (id) VALUES ({10 + n})" for n in range(len(chosen))]
    return place.block(
        "alters",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w VARCHAR(50), n INT)",
        f"INSERT INTO {t} VALUES (1, 'a', 1), (2, 'é', 2)",
        *(step for pair in zip(chosen, between, strict=True) for step in pair),
        f"DELETE FROM {t} WHERE id = 2",
        table=name,
    )


def collations(place: Place) -> Block:
    """Keys that are equal though their bytes differ."""
    name = place.name()
    t = place.at(name)
    column = place.pick(
        "VARCHAR(20)", "VARCHAR(20) COLLATE utf8mb4_general_ci", "CHAR(5) CHARACTER SET latin1"
    )
    return place.block(
        "collations",
        f"CREATE TABLE {t} (name {column} PRIMARY KEY, n INT)",
        f"INSERT INTO {t} VALUES ('Bob', 1), ('Ann', 2), ('Cid', 3), ('Zoë', 4)",
        f"DELETE FROM {t} WHERE name IN ('Ann', 'Cid')",
        f"UPDATE {t} SET name = 'bob' WHERE name = 'Bob'",
        f"UPDATE {t} SET name = 'ZOE' WHERE name = 'Zoë'",
        table=name,
    )


def heaps(place: Place) -> Block:
    """A table without a key, whose rows are there twice."""
    name = place.name()
    t = place.at(name)
    return place.block(
        "heaps",
        f"CREATE TABLE {t} (n INT, w VARCHAR(20))",
        f"INSERT INTO {t} VALUES (1, 'a'), (1, 'a'), (2, NULL), (NULL, NULL), (NULL, NULL)",
        f"DELETE FROM {t} WHERE n = 1 LIMIT 1",
        f"UPDATE {t} SET w = 'x' WHERE n IS NULL LIMIT 1",
        f"INSERT INTO {t} VALUES (1, 'a')",
        table=name,
        traits=("no_key",),
    )


def images(place: Place) -> Block:
    """Row events that leave something out, or are packed."""
    name = f"t{place.number}"
    t = place.at(name)
    settings = [
        "binlog_row_image = 'MINIMAL'",
        "binlog_row_image = 'NOBLOB'",
        "binlog_row_value_options = 'PARTIAL_JSON'",
    ]
    if place.new:
        settings += ["binlog_transaction_compression = ON"]
    return place.block(
        "images",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, w TEXT, j JSON, n INT)",
        f"INSERT INTO {t} VALUES (1, 'a', '{{\"a\": 1, \"b\": [1, 2]}}', 1), (2, 'b', NULL, 2)",
        *in_session(
            f"s{place.number}",
            f"SET SESSION {place.draw(st.sampled_from(settings))}",
            f"UPDATE {t} SET j = JSON_SET(j, '$.a', 2), n = 5 WHERE id = 1",
            f"INSERT INTO {t} (id) VALUES (3)",
            f"DELETE FROM {t} WHERE id = 2",
        ),
        table=name,
    )


def objects(place: Place) -> Block:
    """What hangs on the server and not on a schema."""
    n = place.number
    t = place.at(f"t{n}")
    space = f"ts{n}"
    deed = place.pick(
        f"CREATE SERVER srv{n} FOREIGN DATA WRAPPER mysql OPTIONS (USER 'r', HOST '127.0.0.1', DATABASE 'd')",
        f"CREATE SPATIAL REFERENCE SYSTEM {990000 + n} NAME 'own {n}' DEFINITION"
        ' \'GEOGCS["WGS 84",DATUM["World Geodetic System 1984",SPHEROID["WGS 84",6378137,298.257223563]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.017453292519943278],AXIS["Lat",NORTH],AXIS["Lon",EAST]]\'',
        f"CREATE TABLESPACE {space} ADD DATAFILE '{space}.ibd' ENGINE=InnoDB",
    )
    return place.block(
        "objects",
        deed,
        f"CREATE TABLE {t} (id INT PRIMARY KEY)"
        + (f" TABLESPACE {space}" if space in deed else ""),
        f"INSERT INTO {t} VALUES (1)",
        f"INSERT INTO {t} VALUES (2)",
        names=(f"srv{n}", space, f"t{n}"),
        traits=("objects",),
    )


def unlogged_reads(place: Place) -> Block:
    """Statements that change nothing, that fail half way, and that read into variables."""
    name = place.name()
    t = place.at(name)
    return place.block(
        "failures",
        f"CREATE TABLE {t} (id INT PRIMARY KEY, n TINYINT) ENGINE={place.pick('InnoDB', 'MyISAM')}",
        f"INSERT INTO {t} VALUES (1, 1), (2, 2), (1, 3)",
        f"INSERT INTO {t} VALUES (1, 1), (2, 2)",
        f"UPDATE {t} SET id = id + 1",
        f"UPDATE {t} SET n = n + 1000 WHERE id = 1",
        f"DELETE FROM {t} WHERE id = 77",
        "FLUSH TABLES",
        f"INSERT INTO {t} VALUES (6, 6)",
        table=name,
        traits=("engine", "engine.MyISAM"),
    )


KINDS: dict[str, Callable[[Place], Block]] = {
    made.__name__: made
    for made in (
        rows, schema_name, types, engine, programs, modes, statements, partitions, renames, again,
        databases, copies, duplicates, cascades, triggers, xa, transactions, views, events, accounts,
        clocks, rotations, large, columns, alters, collations, heaps, images, objects, unlogged_reads,
    )
}  # fmt: skip
