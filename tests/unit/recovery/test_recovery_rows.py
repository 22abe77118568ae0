# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables brought back as rows: what is found to differ, in which order it is mended, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.literals import Column
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery import remote
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.rows_diff import (
    Name,
    Row,
    Shape,
    differences,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.rows_keys import (
    ForeignKey,
    parents_first,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.rows_plan import (
    Hands,
    plan,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.rows_state import (
    State,
    TableState,
    Wanted,
    explain,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.rows_task import Task

OWNERS, CARTS, ITEMS = (Name("shop", name) for name in ("owners", "carts", "items"))
ID = Column("id", "int", "", generated=False)


def wanted(*changes: str, suffix: str = "") -> Wanted:
    return Wanted(("shop",), (), suffix, frozenset(changes or ("insert",)), 5, 100)


def key(child: Name, parent: Name) -> ForeignKey:
    return ForeignKey("fk", child, (f"{parent.table}_id",), parent, ("id",), "NO ACTION")


def shape(name: Name, *, kind: str = "int NOT NULL", primary: tuple[str, ...] = ("id",)) -> Shape:
    return Shape(name, (ID,), (kind,), primary)


def table(name: Name, counts: dict[Any, int] | None = None, **changed: Any) -> TableState:
    found = TableState(
        shape(name), name, shape(name), 10, "aa", 9, "bb", compared=True, counts=counts or {}
    )
    return replace(found, **changed)


def state(*tables: TableState, **changed: Any) -> State:
    found = State(tables, frozenset(), (), frozenset({"shop"}), "there", False, False)
    return replace(found, **changed)


def nobody() -> Connection:
    raise AssertionError("a plan connects to nobody")


def steps(before: State, asked: Wanted) -> list[str]:
    hands = Hands(nobody, nobody, asked, lambda _line: None)
    return [step.statement for step in plan(before, asked, hands).steps]


def rows(**found: str) -> list[Row]:
    return [Row((int(name[1:]),), f"({name[1:]})", digest) for name, digest in found.items()]


def test_two_streams_are_merged_by_their_keys() -> None:
    ours, theirs = rows(k1="a", k2="b", k4="d", k9="i"), rows(k2="B", k3="c", k4="d", k5="e")
    assert [(one.kind, one.key, one.digest) for one in differences(ours, theirs)] == [
        ("missing", "(1)", ""),
        ("differing", "(2)", "B"),
        ("extra", "(3)", "c"),
        ("extra", "(5)", "e"),
        ("missing", "(9)", ""),
    ]
    assert [one.kind for one in differences([], theirs)] == ["extra"] * 4
    assert list(differences(ours, ours)) == []


def test_texts_are_merged_by_their_bytes() -> None:
    ours = [Row(text.encode(), text, "x") for text in ("('B')", "('a')", "('é')")]
    theirs = [Row(text.encode(), text, "x") for text in ("('a')", "('b')")]
    assert [(one.kind, one.key) for one in differences(ours, theirs)] == [
        ("missing", "('B')"),
        ("extra", "('b')"),
        ("missing", "('é')"),
    ]


def test_parents_come_first_whatever_their_names_are() -> None:
    keys = (key(CARTS, OWNERS), key(ITEMS, CARTS))
    assert parents_first([CARTS, ITEMS, OWNERS], keys) == ((OWNERS, CARTS, ITEMS), frozenset())
    # The parent of a chosen table may be none of them.
    assert parents_first([ITEMS], keys) == ((ITEMS,), frozenset())


def test_who_refers_to_itself_or_in_a_circle_is_named() -> None:
    itself = (key(CARTS, CARTS), key(ITEMS, CARTS))
    assert parents_first([ITEMS, CARTS], itself) == ((CARTS, ITEMS), frozenset({CARTS}))
    circle = (key(CARTS, OWNERS), key(OWNERS, CARTS))
    ordered, loose = parents_first([CARTS, OWNERS], circle)
    assert (set(ordered), loose) == ({CARTS, OWNERS}, {CARTS, OWNERS})


def test_children_go_before_their_parents_and_come_after_them() -> None:
    differing = {"missing": 3, "differing": 2, "extra": 1}
    before = state(table(OWNERS, differing), table(CARTS, differing))
    assert steps(before, wanted("insert", "update", "delete")) == [
        "DELETE FROM `shop`.`carts`: 1 rows",
        "DELETE FROM `shop`.`owners`: 1 rows",
        "UPDATE `shop`.`owners`: 2 rows",
        "INSERT INTO `shop`.`owners`: 3 rows",
        "UPDATE `shop`.`carts`: 2 rows",
        "INSERT INTO `shop`.`carts`: 3 rows",
    ]


def test_only_what_was_asked_for_is_changed() -> None:
    before = state(table(CARTS, {"missing": 3, "differing": 2, "extra": 1}))
    assert steps(before, wanted("insert")) == ["INSERT INTO `shop`.`carts`: 3 rows"]
    assert steps(state(table(CARTS)), wanted("insert", "update", "delete")) == []


def test_what_is_gone_is_made_again_with_what_belongs_to_it() -> None:
    gone = table(CARTS, {"missing": 10}, running=None, running_rows=None, running_checksum=None)
    before = state(gone, triggered=frozenset({CARTS}), programmed=frozenset({"shop"}))
    made = ["CREATE TABLE `shop`.`carts`", "INSERT INTO `shop`.`carts`: 10 rows"]
    assert steps(before, wanted()) == [*made, "CREATE triggers of carts in `shop`"]
    without = replace(before, schemas=frozenset())
    assert steps(without, wanted()) == [
        "CREATE DATABASE `shop`",
        *made,
        "CREATE routines, views and triggers in `shop`",
    ]
    assert steps(replace(before, triggered=frozenset()), wanted()) == made


def test_the_fold_of_a_plan_is_what_will_be_there() -> None:
    gone = table(CARTS, {"missing": 10}, running=None, running_rows=None, running_checksum=None)
    hands = Hands(nobody, nobody, wanted(), lambda _line: None)
    (after,) = plan(state(gone), wanted(), hands).after().tables
    assert after.equal
    assert after.count("missing") == 0
    kept = state(table(CARTS, {"missing": 2, "extra": 1}))
    (after,) = plan(kept, wanted(), hands).after().tables
    assert (after.running_rows, after.equal, after.count("extra")) == (11, False, 1)


REFUSED = [
    (state(table(CARTS), same_server=True), wanted(), "recovery.rows_same_server"),
    (state(table(CARTS), read_only=True), wanted(), "recovery.rows_read_only"),
    (
        state(table(CARTS, compared=False, source=shape(CARTS, kind="bigint NOT NULL"))),
        wanted(),
        "recovery.rows_definition",
    ),
    (
        state(
            table(
                CARTS,
                compared=False,
                source=shape(CARTS, primary=()),
                running=shape(CARTS, primary=()),
            )
        ),
        wanted(),
        "recovery.rows_no_key",
    ),
    (
        state(table(CARTS, {"extra": 1})),
        wanted(suffix="_recovered"),
        "recovery.rows_beside_taken",
    ),
    (
        state(table(CARTS, {"missing": 1}, triggers=("insert audit",))),
        wanted(),
        "recovery.rows_triggers",
    ),
    (state(table(CARTS), lacking={"a": ("(1)",)}), wanted(), "recovery.rows_parent_missing"),
    (state(table(CARTS), held={"a": 2}), wanted("delete"), "recovery.rows_referenced"),
]


@pytest.mark.parametrize(("before", "asked", "code"), REFUSED, ids=[one[2] for one in REFUSED])
def test_every_reason_to_refuse_is_told(before: State, asked: Wanted, code: str) -> None:
    (found,) = explain(before, asked, "en")
    assert (found.code, found.severity) == (code, "error")
    assert found.proof
    assert explain(before, asked, "ko")[0].summary != found.summary


def test_a_trigger_that_would_not_act_is_no_reason() -> None:
    before = state(table(CARTS, {"missing": 1}, triggers=("update audit", "delete audit")))
    assert explain(before, wanted(), "en") == []


def test_a_running_table_may_have_more_columns() -> None:
    more = Shape(CARTS, (ID, replace(ID, name="later")), ("int NOT NULL", "int"), ("id",))
    before = state(table(CARTS, {"missing": 1}, running=more))
    assert explain(before, wanted(), "en") == []
    assert not before.tables[0].columns_alike


def options(**changed: Any) -> dict[str, Any]:
    given = {
        "scratch_folder": "/srv/recovered", "tables": ["shop.carts"], "into": "over",
        "suffix": "_recovered", "changes": ["insert"], "keys_shown": 5, "rows_a_transaction": 100,
    }  # fmt: skip
    return {**given, **changed}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tables": ["carts"]}, "tables: 'carts'"),
        ({"into": "beside", "suffix": ""}, "suffix: it is empty"),
        ({"rows_a_transaction": 0}, "rows_a_transaction: 0"),
        ({"keys_shown": -1}, "keys_shown: -1"),
    ],
)
def test_bad_options_are_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(CollectionError, match=said):
        Task(options(**changed), nobody, lambda _line: None, False).wanted()


def test_a_copy_beside_is_only_filled() -> None:
    asked = Task(options(into="beside", changes=["delete"]), nobody, print, False).wanted()
    assert (asked.changes, asked.into(CARTS)) == ({"insert"}, Name("shop_recovered", "carts"))


def test_a_pod_is_told_the_password_and_no_process_is() -> None:
    given = options(
        action="diff", language="en", login_user="root", login_password="secret",
        login_port=3306, connect_timeout=10, pod={"namespace": "db", "service": "mysql-write"},
    )  # fmt: skip
    request = json.loads(remote.rows_request(given, True))
    assert request["params"]["login_host"] == "mysql-write.db.svc"
    assert request["params"]["login_password"] == "secret"
    assert not any("secret" in word for word in remote.LISTENING)
    with pytest.raises(CollectionError, match="in_pod"):
        remote.rows_request({**given, "pod": {"namespace": "db", "name": "mysql-1"}}, False)
