# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks again at what changes without telling anybody, until it is as wanted or the time is over."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

# Seconds between two looks, unless told: controllers of Kubernetes need about that long for one thing.
EVERY = 1.0

T = TypeVar("T")


def look_until(
    look: Callable[[], T],
    settled: Callable[[T], bool],
    seconds: float,
    every: float = EVERY,
    again: Callable[[], None] | None = None,
) -> T:
    """Return the first look that is settled, or the last one within the seconds.

    It looks at least once. every: seconds between two looks. again: called before each wait.
    """
    deadline = monotonic() + seconds
    while True:
        seen = look()
        if settled(seen) or monotonic() >= deadline:
            return seen
        if again is not None:
            again()
        # Nothing tells when it changes: neither a server nor the API server is asked more often.
        sleep(every)
