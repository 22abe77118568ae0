# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a switch to recovered data, made from what is: after every single step anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import recovery_switch
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.generations import Claim
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery_switch import (
    RECOVERY,
    Instance,
    Seen,
    plan,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery_switch_run import (
    check,
    previewed,
)

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
OTHER = "4e11fa47-71ca-11e1-9e33-c80aa9429562"


class Hands:
    """Nobody's: a plan is made without them."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_given: Any) -> None:
            raise AssertionError(f"{name} was done while planning")

        return refuse


def instance(name: str, executed: str, *, closed: bool) -> Instance:
    return Instance(name, name, frozenset({name}), executed, closed)


def begun_with(**more: Any) -> Seen:
    """Three instances; mysql-11 is primary, and mysql-12 has a transaction of its own."""
    claims = {name: Claim(name, "mysql", name) for name in ("mysql-1", "mysql-11", "mysql-12")} | {
        "mysql-recovery": Claim("mysql-recovery", RECOVERY)
    }
    given: dict[str, Any] = {
        "cluster": "mysql",
        "primary": "mysql-11",
        "instances": (
            instance("mysql-1", f"{UUID}:1-20", closed=True),
            instance("mysql-11", f"{UUID}:1-20", closed=False),
            instance("mysql-12", f"{UUID}:1-20,{OTHER}:1", closed=True),
        ),
        "claims": claims,
        "scratch": "mysql-recovery",
        "recovered": f"{UUID}:1-15",
        "pod": True,
    }
    return Seen(**given | more)


HANDS: Any = Hands()


def statements(seen: Seen) -> list[str]:
    return [step.statement for step in plan(seen, HANDS).steps]


def test_after_each_step_the_rest_is_planned_and_nothing_else() -> None:
    """A run that was ended after any step goes on there."""
    seen = begun_with()
    left = statements(seen)
    while left:
        seen = plan(seen, HANDS).steps[0].effect(seen)
        assert statements(seen) == left[1:]
        left = left[1:]
    assert {each.name: each.mounts for each in seen.instances} == {
        "mysql-1": "mysql-1-recovery",
        "mysql-11": "mysql-recovery",
        "mysql-12": "mysql-12-recovery",
    }


def at(words: str, said: list[str]) -> int:
    return next(number for number, one in enumerate(said) if words in one)


def test_the_old_data_is_closed_and_left_before_the_new_primary_starts() -> None:
    said = statements(begun_with())
    closed = at("super_read_only = ON", said)
    handed = at("end the scratch instance", said)
    gone = at("delete the Pod", said)
    started = at("Deployment mysql-11: claim mysql-11 -> mysql-recovery", said)
    assert closed < handed < gone < started
    for name in ("mysql-1", "mysql-12"):
        assert closed < at(f"note on claim {name} ", said) < handed
        assert gone < at(f"Deployment {name}: claim", said)
        assert at(f"{name}: wait until no Pod has another claim", said) < started
    assert not any("delete claim" in one for one in said)


def test_claims_that_are_left_say_whose_they_were() -> None:
    after = plan(begun_with(), HANDS).after()
    for name in ("mysql-1", "mysql-11", "mysql-12"):
        left = after.claims[name]
        assert (left.server, left.retired, left.replaced_by) == ("", name, "mysql-recovery")
    assert after.claims["mysql-recovery"].server == "mysql-11"


def test_what_is_lost_is_the_same_before_and_after() -> None:
    """Also what only a replica had."""
    expected = f"{UUID}:16-20,{OTHER}:1"
    seen = begun_with()
    while True:
        assert str(recovery_switch.lost(seen)) == expected
        steps = plan(seen, HANDS).steps
        if not steps:
            return
        seen = steps[0].effect(seen)


def refused(seen: Seen, *, accept_loss: bool = False) -> str:
    with pytest.raises(BinlogError) as error:
        check(seen, accept_loss=accept_loss)
    return error.value.code


def silent(seen: Seen) -> Seen:
    return seen.with_instance("mysql-11", lambda each: replace(each, executed="", closed=None))


def test_it_is_refused_where_nobody_knows_what_is_lost() -> None:
    check(begun_with(), accept_loss=False)
    assert refused(begun_with(scratch="")) == "recovery.no_switch"
    assert refused(begun_with(primary="")) == "mysql.no_primary"
    assert refused(silent(begun_with())) == "recovery.primary_silent"
    check(silent(begun_with()), accept_loss=True)


def test_what_was_noted_is_known_though_the_primary_is_silent_by_now() -> None:
    seen = begun_with()
    for step in plan(seen, HANDS).steps:
        seen = step.effect(seen)
        if step.statement.startswith("note on claim mysql-11"):
            break
    check(silent(seen), accept_loss=False)
    other = replace(seen, primary="mysql-1")
    assert refused(other) == "recovery.other_primary"


def test_a_silent_primary_is_neither_closed_nor_noted() -> None:
    said = statements(silent(begun_with()))
    assert not any("super_read_only" in one or "note on claim mysql-11" in one for one in said)


def test_a_switch_that_was_taken_back_begins_anew() -> None:
    """The primary took writes again meanwhile: what was noted on its claim is not all any more."""
    seen = begun_with()
    steps = plan(seen, HANDS).steps
    first = steps[0].effect(seen)
    for step in steps:
        seen = step.effect(seen)
        if step.statement.startswith("note on claim mysql-12"):
            break
    seen = seen.with_claim("mysql-recovery", lambda claim: replace(claim, takes_over=""))
    seen = seen.with_instance(
        "mysql-11", lambda each: replace(each, closed=False, executed=f"{UUID}:1-30")
    )
    said = statements(seen)
    assert said[0] == steps[0].statement
    assert not any(one == said[0] for one in statements(first))
    assert any(one.startswith("note on claim mysql-11") for one in said)
    assert not any(one.startswith("note on claim mysql-12") for one in said)
    assert refused(silent(seen)) == "recovery.primary_silent"


def test_nothing_is_planned_once_a_switch_is_done() -> None:
    after = replace(plan(begun_with(), HANDS).after(), scratch="")
    assert statements(after) == []


class FakeSite:
    """A cluster whose recovery answers as its Pod does."""

    namespace = "mysql"
    pod = "mysql-recovery"
    params = {"accept_loss": False}

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def perform(self, action: str, **more: Any) -> dict[str, Any]:
        self.asked.append((action, more))
        return {"gtid_executed": f"{UUID}:1-15", "lost": {"transactions": 6, "tables": ["t"]}}


def test_what_would_be_lost_is_asked_of_the_recovery_while_its_pod_is_there() -> None:
    site: Any = FakeSite()
    seen, lost = previewed(site, begun_with(recovered=""))
    assert site.asked == [("left_out", {"executed": f"{UUID}:1-20,{OTHER}:1"})]
    assert (seen.recovered, lost["transactions"]) == (f"{UUID}:1-15", 6)
    with pytest.raises(BinlogError) as error:
        previewed(site, begun_with(pod=False))
    assert error.value.code == "recovery.no_switch"


def test_what_is_lost_is_known_of_a_switch_that_was_ended_at_any_step() -> None:
    """Without the Pod it is not known any more what the transactions did, and that is said."""
    seen, site = begun_with(), FakeSite()
    for step in plan(seen, HANDS).steps:
        seen = step.effect(seen)
        _seen, lost = previewed(site, seen)  # type: ignore[arg-type]
        if seen.pod and not seen.claims[seen.scratch].handed_over:
            continue
        assert lost["gtids"] == lost["not_archived"] == f"{UUID}:16-20,{OTHER}:1"
        assert (lost["transactions"], lost["tables"]) == (6, [])
