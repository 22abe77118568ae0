# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is made of readings, without servers."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import tables
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.checksum import (
    Reading,
    Sum,
    Table,
    compare,
    sha2_statement,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

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
    ):
        readings = [reading("a", t=one), reading("b", t=other)]
        assert compare(readings)[0]["equal"] is equal
        assert bool(tables.explain(readings)) is not equal


def test_a_table_that_only_one_has_is_named_with_who_lacks_it() -> None:
    readings = [reading("a"), reading("b", t=Sum(1, "0a", ""))]
    (row,) = compare(readings)
    assert (row["equal"], row["rows"], row["instances"]["b"]["rows"]) == (False, None, 1)
    (finding,) = tables.explain(readings)
    assert (finding.code, finding.subject) == ("mysql.table_missing", "b")
    assert "not on a" in finding.summary


def test_transactions_of_its_own_make_an_instance_unequal() -> None:
    more = AT | GtidSet.parse("4e11fa47-71ca-11e1-9e33-c80aa9429562:1")
    (finding,) = tables.explain([reading("a"), reading("b", more)])
    assert finding.code == "replication.errant"


@pytest.mark.parametrize(
    ("data_type", "words"),
    [
        ("int", "`c`"),
        ("varchar", "CAST(`c` AS BINARY)"),
        ("double", "(`c` + 0e0)"),
        ("bit", "CAST(`c` AS UNSIGNED)"),
        ("json", "HEX(`c`)"),
        ("vector", "HEX(`c`)"),
    ],
)
def test_each_type_is_written_so_that_it_can_be_told_apart(data_type: str, words: str) -> None:
    statement = sha2_statement(Table("shop", "t", (("c", data_type, data_type),)))
    assert f"{words})" in statement
    assert ("LENGTH(`c`)" in statement) == (data_type == "varchar")
