"""Looks again until what is read is settled or the time is over."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import polling


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(polling, "monotonic", lambda: self.now)
        monkeypatch.setattr(polling, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("seconds", "settles_at", "seen", "looks"),
    [
        # Settled at once, then, at the very end, never; without time it is looked at once.
        (10, 0, True, 1),
        (10, 3, True, 4),
        (3, 3, True, 4),
        (2, 3, False, 3),
        (0, 3, False, 1),
    ],
)
def test_the_last_look_is_returned(
    monkeypatch: pytest.MonkeyPatch, seconds: float, settles_at: float, seen: bool, looks: int
) -> None:
    clock = Clock(monkeypatch)
    looked: list[bool] = []

    def look() -> bool:
        looked.append(clock.now >= settles_at)
        return looked[-1]

    waits: list[float] = []
    told = polling.look_until(look, bool, seconds, every=1, again=lambda: waits.append(clock.now))
    assert told is seen
    assert len(looked) == looks
    assert waits == list(range(looks - 1)), "told before each wait, and not after the last look"
