# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks again while all that is found may heal by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable
from typing import TypeVar

from ..finding import Finding, errors

# Seconds between two looks: what is looked at changes by controllers that tell nobody.
POLL = 1.0

T = TypeVar("T")


def look_until(look: Callable[[], T], settled: Callable[[T], bool], seconds: float) -> T:
    """Return the first look that is settled, or the last one within the seconds."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if settled(seen) or time.monotonic() >= deadline:
            return seen
        time.sleep(POLL)


def settled(findings: Iterable[Finding], transient: Container[str]) -> bool:
    """Whether looking again is of no use: no error is among the findings, or one that stays.

    transient: the codes of causes that may heal by themselves.
    """
    failed = errors(findings)
    return not failed or not all(one.code in transient for one in failed)
