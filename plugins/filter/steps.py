# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which steps of the course a run plays, and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils import steps
from ..module_utils.finding import CollectionError


def next_step(
    tags: list[str], skipped: list[str] | None = None, language: str = "en", check: bool = False
) -> str:
    """Return the line with which a run with these tags ends."""
    try:
        return steps.what_next(tags, skipped or [], language, check)
    except CollectionError as error:
        raise AnsibleFilterError(error.message) from error


def step_to_check(tags: list[str], phase: str, skipped: list[str] | None = None) -> int:
    """Return the step of a phase whose ground has to be looked at, 0 where none has."""
    return steps.to_check(steps.selected(tags, skipped or []), phase)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"next_step": next_step, "step_to_check": step_to_check}
