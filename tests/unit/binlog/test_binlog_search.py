# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be asked for, and what is refused before anything is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import Gtid
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.names import (
    NOTHING,
    TableName,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.search import (
    Deed,
    Moment,
    Place,
    did,
    read_moment,
    read_wanted,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.transactions import (
    Effect,
    Transaction,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T09:00:00.000001+09:00", 1),
        ("2026-11-22T14:15:00.123456+09:00", 1795324500123456),
        ("2026-11-22 05:15:00.123456Z", 1795324500123456),
        # The hour that comes twice when summer time ends: the offset tells which one it is.
        ("2026-10-25T02:30:00+02:00", 1792888200000000),
        ("2026-10-25T02:30:00+01:00", 1792891800000000),
    ],
)
def test_a_moment_is_read_to_the_microsecond(text: str, microseconds: int) -> None:
    assert read_moment(text) == Moment(microseconds, text)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-22T14:15:00", "yesterday", "2026-02-30T00:00:00Z"),
        *("2026-11-22T14:15:00.1234567Z", "2026-11-22T14:15:00,1234567Z"),
    ],
)
def test_no_moment(text: str) -> None:
    with pytest.raises(CollectionError, match=r"^time: .*allowed is ISO 8601 with an offset"):
        read_moment(text)


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"gtid": f"{UUID}:1-2"}, "gtid"),
        ({"gtid": f"{UUID}:1,{UUID}:tag:1"}, "gtid"),
        ({"file": "binlog.000001", "position": -1}, "position"),
        ({"before": {"table": "salaries"}}, r"before\.table"),
        ({"before": {"table": "employees."}}, r"before\.table"),
        ({"before": {"statement": "DROP", "rows_over": -1}}, r"before\.rows_over"),
        ({"gtid": f"{UUID}:1", "clock": "original"}, "clock"),
    ],
)
def test_what_is_refused_names_the_option(params: dict[str, Any], option: str) -> None:
    with pytest.raises(CollectionError, match=f"^{option}: .*allowed is"):
        read_wanted(params)


def test_what_is_asked_for() -> None:
    assert str(read_wanted({"gtid": f"{UUID.upper()}:Blue:7"})) == f"{UUID}:blue:7"
    assert read_wanted({"file": "f", "position": 4}) == Place("f", 4)
    assert read_wanted({"before": {"statement": "DROP"}}) == Deed("DROP", None, 0, last=True)


def _transaction(**effects: Effect) -> Transaction:
    gtid = Gtid(UUID, "", 1, 0, 0, 100)
    named = {TableName(*name.split("__")): effect for name, effect in effects.items()}
    return Transaction(gtid, "f", 4, 104, effects=named)


@pytest.mark.parametrize(
    ("deed", "answer"),
    [
        (Deed("DELETE", "shop.t", 0, last=True), True),
        (Deed("DELETE", "shop.t", 3, last=True), True),
        (Deed("DELETE", "shop.t", 4, last=True), False),
        (Deed("DELETE", "shop.u", 0, last=True), False),
        (Deed("INSERT", None, 0, last=True), False),
        (Deed(None, "shop.u", 0, last=True), True),
        (Deed("DROP", "shop.u", 0, last=True), True),
        (Deed("DROP", "shop.t", 0, last=True), False),
        (Deed("DROP", "shop.u", 1, last=True), False),
        (Deed(None, "shop.t", 3, last=True), True),
    ],
)
def test_a_deed_is_of_one_kind_on_one_table(deed: Deed, answer: bool) -> None:
    transaction = _transaction(
        shop__t=Effect(rows={"DELETE": 4}), shop__u=Effect(kinds={"DROP": None})
    )
    assert did(transaction, deed) is answer


@pytest.mark.parametrize(
    ("changed", "wanted", "answer"),
    [
        (TableName("my.shop", "t"), "my.shop.t", True),
        (TableName("my", "shop.t"), "my.shop.t", True),
        (TableName("my.shop", ""), "my.shop.t", True),
        (TableName("my.shop", "t"), "`my.shop`.`t`", True),
        (TableName("my", "shop.t"), "`my.shop`.`t`", False),
        (TableName("my", ""), "`my.shop`.`t`", False),
        (TableName("a`b", "c"), "`a``b`.`c`", True),
        (NOTHING, "shop.t", False),
    ],
)
def test_a_table_whose_name_has_dots_is_found(
    changed: TableName, wanted: str, answer: bool
) -> None:
    gtid = Gtid(UUID, "", 1, 0, 0, 100)
    transaction = Transaction(gtid, "f", 4, 104, effects={changed: Effect(kinds={"DROP": None})})
    assert did(transaction, Deed("DROP", wanted, 0, last=True)) is answer
