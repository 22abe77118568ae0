# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Noting points: what is planned, and what it leads to."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import points, task
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.points import Point, State
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import texts_binlog
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import (
    BinlogError,
    told,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.plan import apply

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
OLD = Point("2026-11-22T05:00:00.000001Z", f"{UUID}:1-7", "binlog.000001", 700, UUID)
HERE = Point("2026-11-22T06:00:00.123456Z", f"{UUID}:1-9", "binlog.000002", 900, UUID)


class Session:
    """Remembers what is executed."""

    address = "mysql-1"

    def __init__(self) -> None:
        self.done: list[tuple[str, tuple[Any, ...]]] = []

    def execute(self, sql: str, params: tuple[Any, ...] = ()) -> int:
        self.done.append((sql, params))
        return 1


def state(*, made: bool = True, read_only: bool = False, **noted: Point) -> State:
    return State(made, made, read_only, MappingProxyType(noted), HERE)


def note(session: Session, before: State, name: str, *, again: bool = False) -> Any:
    return points.plan_note(session, before, name, again=again)  # type: ignore[arg-type]


def test_the_first_note_makes_what_holds_it_and_planning_touches_nothing() -> None:
    session = Session()
    plan = note(session, state(made=False), "before")
    assert [step.statement.split(" (")[0].split()[0] for step in plan.steps] == [
        "CREATE",
        "CREATE",
        "INSERT",
    ]
    assert session.done == []
    assert plan.after() == state(before=HERE)
    apply(plan)
    assert len(session.done) == 3
    assert session.done[2][1] == (
        "before",
        "2026-11-22 06:00:00.123456",
        HERE.gtid_executed,
        HERE.file,
        HERE.position,
        UUID,
    )


def test_a_name_keeps_its_point_unless_it_is_to_be_replaced() -> None:
    assert not note(Session(), state(before=OLD), "before").changed
    plan = note(Session(), state(before=OLD), "before", again=True)
    assert plan.after().noted["before"] == HERE
    assert len(plan.steps) == 1


def test_names_differ_by_letter_case() -> None:
    assert note(Session(), state(before=OLD), "Before").after().noted == {
        "before": OLD,
        "Before": HERE,
    }


def test_a_read_only_server_takes_no_note_but_answers_for_one_it_holds() -> None:
    with pytest.raises(BinlogError) as error:
        note(Session(), state(read_only=True), "new")
    assert error.value.code == "binlog.read_only"
    assert not note(Session(), state(read_only=True, old=OLD), "old").changed


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 191, "\0"])
def test_names_that_cannot_be_kept(name: str) -> None:
    with pytest.raises(CollectionError, match=r"^name: .* allowed are 1 to 190"):
        points.check_name(name)


def test_a_name_that_is_not_noted_is_answered_with_those_that_are() -> None:
    with pytest.raises(BinlogError) as error:
        points.named(state(one=OLD, two=HERE), "three", "mysql-1")
    assert error.value.code == "binlog.point_unknown"
    assert error.value.proof == ("noted are: 'one', 'two'",)


def test_a_failure_speaks_the_language_asked_for() -> None:
    with pytest.raises(CollectionError) as error, told("The point was not read", "ko"):
        points.named(state(), "three", "mysql-1")
    assert error.value.message == "The point was not read"
    assert (
        error.value.findings[0].summary == "mysql-1에 'three'(이)라는 지점이 기록되어 있지 않습니다"
    )


def test_both_languages_need_the_same_facts() -> None:
    for code, text in texts_binlog.TEXTS.items():
        english, korean = (words.summary + words.fix for words in (text.en, text.ko))
        for fact in ("{subject}", "{wanted}", "{name!r}"):
            assert (fact in english) == (fact in korean), f"{code}: {fact}"


ALL = ("name", "gtid", "file", "position", "time", "before")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"action": "list", "name": "a"}, "name: given with action=list"),
        ({"action": "note", "name": "a", "gtid": "x"}, "gtid: given with action=note"),
        ({"action": "find", "gtid": "x", "replace": True}, "replace: given with action=find"),
        (
            {"action": "find"},
            "action=find needs one of these options: gtid, file, time, offset, before",
        ),
        ({"action": "note", "name": " "}, "name: ' ' cannot name a point"),
        ({"action": "find", "gtid": "x"}, "'x' is not a GTID set"),
        ({"action": "find", "gtid": "x", "server_id": 2**32}, "server_id: 4294967296 is given"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_connected(
    given: dict[str, Any], message: str
) -> None:
    def connect() -> Any:
        pytest.fail("it connected")

    params = {**dict.fromkeys(ALL), "replace": False, "server_id": 0, "language": "en", **given}
    with pytest.raises(CollectionError) as error:
        task.perform(params, connect, False)
    assert message in error.value.message
