# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is made of readings, without servers."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import tables
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.checksum import (
    Reading,
    Task,
    compare,
    not_compared,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.table_sums import (
    Sum,
    Table,
    _kind,
    _lengths_statement,
    sha2_statement,
)

AT = GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9")


def reading(name: str, at: GtidSet = AT, **sums: Sum) -> Reading:
    return Reading(name, at, {f"shop.{table}": each for table, each in sums.items()}, True)


def test_equal_means_rows_checksum_and_columns() -> None:
    one = Sum(3, "0a", "id int")
    for other, equal in (
        (Sum(3, "0a", "id int"), True),
        (Sum(4, "0a", "id int"), False),
        (Sum(3, "0b", "id int"), False),
        (Sum(3, "0a", "id bigint"), False),
        (Sum(3, "0a", "id int", lengths="7"), False),
        (Sum(3, "0a", "id int", unread="too large"), False),
    ):
        readings = [reading("a", t=one), reading("b", t=other)]
        assert compare(readings)[0]["equal"] is equal
        assert bool(tables.explain(readings)) is not equal


def test_a_table_that_only_one_has_is_named_with_who_lacks_it() -> None:
    readings = [reading("a"), reading("b", t=Sum(1, "0a", ""))]
    (row,) = compare(readings)
    assert (row["equal"], row["rows"], row["instances"]["b"]["rows"]) == (False, None, 1)
    (finding,) = tables.explain(readings)
    # Nobody is told to make the reference anew from what it lacks.
    assert (finding.code, finding.subject) == ("mysql.table_extra", "b")
    assert "not on a" in finding.summary
    (missing,) = tables.explain(readings[::-1])
    assert (missing.code, missing.subject) == ("mysql.table_missing", "b")


def test_transactions_of_its_own_make_an_instance_unequal() -> None:
    more = AT | GtidSet.parse("4e11fa47-71ca-11e1-9e33-c80aa9429562:1")
    (finding,) = tables.explain([reading("a"), reading("b", more)])
    assert finding.code == "replication.errant"


@pytest.mark.parametrize(
    ("data_type", "words"),
    [
        ("int", "`c`"),
        ("varchar", "CAST(`c` AS BINARY)"),
        ("double", "(`c` * 1e0)"),
        ("enum", "CAST(`c` AS BINARY)"),
        ("longtext", "SHA2(`c`, 256)"),
        ("bit", "CAST(`c` AS UNSIGNED)"),
        ("json", "SHA2(HEX(`c`), 256)"),
        ("vector", "SHA2(HEX(`c`), 256)"),
    ],
)
def test_each_type_is_written_so_that_it_can_be_told_apart(data_type: str, words: str) -> None:
    statement = sha2_statement(Table("shop", "t", (("c", data_type, data_type),)))
    assert f"{words})" in statement
    assert ("`c`), LENGTH(" in statement or "LENGTH(`c`), " in statement) == (
        data_type in ("varchar", "enum")
    )


def test_rows_that_may_be_there_twice_are_summed_up_too() -> None:
    columns = (("a", "int", "int"),)
    assert "SUM(" in sha2_statement(Table("shop", "t", columns))
    assert "SUM(" not in sha2_statement(Table("shop", "t", columns, keyed=True))


def test_where_texts_end_is_asked_of_all_but_one() -> None:
    def asked(*kinds: str) -> str:
        columns = tuple((f"c{number}", kind, kind) for number, kind in enumerate(kinds))
        return _lengths_statement(Table("shop", "t", columns))

    assert "LENGTH" not in asked("int", "varchar", "char", "enum")
    assert "LENGTH(`c0`)" in asked("varchar", "varchar")
    assert "LENGTH(`c1`)" not in asked("varchar", "varchar")
    # The one that costs the most.
    assert "LENGTH(`c0`)" not in asked("json", "varchar", "text")


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("int(11)", "int"),
        ("bigint(20) unsigned", "bigint unsigned"),
        ("year(4)", "year"),
        ("int(5) unsigned zerofill", "int(5) unsigned zerofill"),
        ("varchar(11)", "varchar(11)"),
        ("enum('int(11)')", "enum('int(11)')"),
    ],
)
def test_a_definition_is_what_every_version_means_by_it(kind: str, meant: str) -> None:
    assert _kind({"kind": kind, "nullable": "YES", "coll": None}) == meant
    text = {"kind": "text", "nullable": "NO", "coll": "utf8_general_ci"}
    assert _kind(text) == "text NOT NULL utf8mb3_general_ci"


def test_definitions_are_part_of_being_equal() -> None:
    def defined(name: str, **found: str) -> Reading:
        texts = {f"view shop.{view}": text for view, text in found.items()}
        return Reading(name, AT, {"shop.t": Sum(1, "0a", "")}, True, texts)

    assert tables.explain([defined("a", v="1"), defined("b", v="1")]) == []
    (finding,) = tables.explain([defined("a", v="1", w="1"), defined("b", v="2")])
    assert (finding.code, finding.subject) == ("mysql.definitions_differ", "b")
    assert finding.proof == ("view shop.v: differing", "view shop.w: missing")


def test_what_was_not_looked_at_is_told() -> None:
    visits = Sum(1, "0a", "", engine="myisam")
    large = Sum(1, "", "", unread="too large")
    readings = [reading("a", t=visits), reading("b", t=large)]
    found = not_compared(readings, Task(("shop",), "crc", False, 1))
    told = [each["reason"] for each in found if each["kind"] == "table"]
    assert "shop.t on a is myisam" in told[0]
    assert told[1] == "shop.t on b was not read: too large"
    kinds = {each["kind"] for each in found}
    assert kinds >= {"definition", "account", "schema", "chance", "json"}
    (unread,) = tables.explain(readings)
    assert (unread.code, unread.subject) == ("mysql.table_unread", "b")


def test_no_table_is_no_comparison() -> None:
    (finding,) = tables.need_tables([reading("a"), reading("b")], "shop")
    assert finding.code == "mysql.nothing_compared"
    assert tables.need_tables([reading("a"), reading("b", t=Sum(0, "00", ""))], "shop") == []
