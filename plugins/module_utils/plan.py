# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans: ordered steps with their reason and their effect, made without touching anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Step(Generic[S]):
    """One thing to do.

    statement: what is sent, secrets masked. reason: why, in one line.
    effect: the state after it; pure, used for check mode and diff.
    execute: does it; called by apply() alone.
    """

    statement: str
    reason: str
    effect: Callable[[S], S]
    execute: Callable[[], None]

    def as_dict(self) -> dict[str, str]:
        """Return the step as a module returns it."""
        return {"statement": self.statement, "reason": self.reason}


@dataclass(frozen=True)
class Plan(Generic[S]):
    """The steps from one state to another. An empty plan means nothing to change."""

    before: S
    steps: tuple[Step[S], ...] = ()

    @property
    def changed(self) -> bool:
        """Whether applying the plan would change anything."""
        return bool(self.steps)

    def after(self) -> S:
        """Return the state that the steps lead to, without doing any of them."""
        state = self.before
        for step in self.steps:
            state = step.effect(state)
        return state

    def as_list(self) -> list[dict[str, str]]:
        """Return the steps as a module returns them."""
        return [step.as_dict() for step in self.steps]


def apply(plan: Plan[S], progress: Callable[[str], None] | None = None) -> None:
    """Execute the steps in order. What a step raises ends the run there.

    progress: told each step's reason before it is done.
    """
    for step in plan.steps:
        if progress is not None:
            progress(step.reason)
        step.execute()


def diff(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return Ansible's diff of two flat states: only the keys that differ."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {
        "before": {key: before.get(key) for key in keys},
        "after": {key: after.get(key) for key in keys},
    }
