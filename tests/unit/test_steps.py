"""The ten steps: which ones a run plays, what it has to look at first, and what comes next."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import steps


@pytest.mark.parametrize(
    ("tags", "skipped", "played"),
    [
        (["all"], [], list(range(1, 11))),
        ([], [], list(range(1, 11))),
        (["step6"], [], [6]),
        (["infra", "db"], [], [1, 2, 3, 4, 5, 6]),
        (["all"], ["app", "step2"], [1, 3, 4, 5, 6, 7]),
        (["preflight"], [], []),
        (["verify"], [], []),
    ],
)
def test_tags_select_steps(tags: list[str], skipped: list[str], played: list[int]) -> None:
    assert steps.selected(tags, skipped) == played


@pytest.mark.parametrize(
    ("tags", "phase", "looked_at"),
    [
        (["all"], "db", 0),
        (["all"], "app", 0),
        (["db"], "db", 4),
        (["infra", "db"], "db", 0),
        (["step6"], "db", 6),
        (["step5", "step6"], "db", 5),
        (["data"], "data", 7),
        (["step10"], "app", 10),
        (["step1"], "infra", 0),
        (["step6"], "data", 0),
    ],
)
def test_only_what_the_run_does_not_make_itself_is_looked_at(
    tags: list[str], phase: str, looked_at: int
) -> None:
    assert steps.to_check(steps.selected(tags), phase) == looked_at


def test_a_run_ends_with_the_next_step_and_its_command() -> None:
    assert steps.what_next(["step6"], [], "en", False) == (
        "step 7, the data, through the primary: ansible-playbook playbooks/site.yml --tags step7"
    )
    assert steps.what_next(["step6"], [], "ko", False) == (
        "7단계, 데이터 복원: ansible-playbook playbooks/site.yml --tags step7"
    )
    assert "--tags step1" in steps.what_next(["preflight"], [], "en", False)
    assert "--tags verify" in steps.what_next(["all"], [], "en", False)
    assert "--tags verify" in steps.what_next(["looks"], [], "en", False)
    assert steps.what_next(["verify"], [], "en", False) == ""
    assert "without --check" in steps.what_next(["all"], [], "en", True)


def test_every_need_is_made_by_an_earlier_step() -> None:
    for step in steps.STEPS:
        assert all(steps.MAKERS[need] < step.number for need in step.needs)
        makers = [steps.MAKERS[need] for need in step.needs]
        assert makers == sorted(makers)
        assert step.phase in steps.PHASES
