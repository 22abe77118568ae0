"""GTIDs are turned on stage by stage on all servers, and from wherever a run was cut off."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid_mode import (
    Member,
    Mode,
    plan,
)

NAMES = ("primary", "replica")


def planned(*modes: tuple[str, str]):
    found = [Mode(name, *each) for name, each in zip(NAMES, modes, strict=True)]
    return plan(found, [Member(name) for name in NAMES], "primary", 5)


def statements(*modes: tuple[str, str]) -> list[str]:
    return [step.statement for step in planned(*modes).steps]


def test_every_server_takes_a_stage_before_any_takes_the_next() -> None:
    told = statements(("OFF", "OFF"), ("OFF", "OFF"))
    stages = [line.split(" -- on ")[0] for line in told if line.startswith("SET")]
    assert stages == [
        *["SET GLOBAL enforce_gtid_consistency = WARN"] * 2,
        *["SET GLOBAL enforce_gtid_consistency = ON"] * 2,
        *["SET GLOBAL gtid_mode = OFF_PERMISSIVE"] * 2,
        *["SET GLOBAL gtid_mode = ON_PERMISSIVE"] * 2,
        *["SET GLOBAL gtid_mode = ON"] * 2,
    ]


def test_the_last_stage_waits_for_what_has_no_gtid() -> None:
    told = statements(("OFF", "OFF"), ("ON", "ON"))
    waits = [index for index, line in enumerate(told) if line.startswith("-- wait")]
    assert len(waits) == 3
    assert max(waits) < told.index("SET GLOBAL gtid_mode = ON -- on primary")
    assert min(waits) > told.index("SET GLOBAL gtid_mode = ON_PERMISSIVE -- on primary")


def test_servers_that_are_on_get_no_step() -> None:
    assert not planned(("ON", "ON"), ("ON", "ON")).changed


@pytest.mark.parametrize("consistency", ["OFF", "WARN", "ON"])
@pytest.mark.parametrize("mode", ["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"])
def test_from_wherever_a_run_was_cut_off_all_are_on_in_the_end(mode: str, consistency: str) -> None:
    after = planned((mode, consistency), ("OFF", "OFF")).after()
    assert {(each.gtid_mode, each.consistency) for each in after} == {("ON", "ON")}


def test_each_step_brings_the_plan_nearer() -> None:
    whole = planned(("OFF", "OFF"), ("OFF", "OFF"))
    state = whole.before
    changes = [step for step in whole.steps if step.statement.startswith("SET")]
    for done, step in enumerate(changes, start=1):
        state = step.effect(state)
        rest = plan(state, [Member(name) for name in NAMES], "primary", 5)
        left = [each for each in rest.steps if each.statement.startswith("SET")]
        assert len(left) == len(changes) - done
