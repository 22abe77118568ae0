# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress of long work, as lines that a person watching a playbook reads."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

EVERY = 5.0
"""Seconds: nobody waits longer than this for a sign of life."""


def clock_text(seconds: float) -> str:
    """Return a duration as m:ss, or h:mm:ss from one hour on."""
    minutes, second = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


class Progress:
    """Shows lines as they come, and a heartbeat when none does.

    show: prints one line. title: what the lines are about, printed before the first one (with
    display_skipped_hosts off, Ansible names a task only after it has ended).
    kept: how many of the last lines are kept as proof of a failure.
    clock: seconds, monotonic.
    """

    def __init__(
        self,
        show: Callable[[str], None],
        *,
        title: str = "",
        every: float = EVERY,
        kept: int = 15,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show = show
        self._every = every
        self._title = title
        self._clock = clock
        self._started = clock()
        self._shown = self._started
        self._tail: deque[str] = deque(maxlen=kept)

    @property
    def tail(self) -> list[str]:
        """The last lines that came, oldest first."""
        return list(self._tail)

    def line(self, text: str) -> None:
        """Show a line that came. Blank ones and what a carriage return overwrote are left out."""
        text = text.rstrip().rsplit("\r", maxsplit=1)[-1]
        if text.strip():
            self._tail.append(text)
            self._print(text)

    def due_in(self) -> float:
        """Return the seconds until beat() has something to show."""
        return max(0.0, self._shown + self._every - self._clock())

    def beat(self) -> None:
        """Say that the work goes on, with the last line that came, if it is time to."""
        if self.due_in() > 0:
            return
        last = self._tail[-1] if self._tail else "started, nothing said yet"
        self._print(f"... {last.removeprefix('... ')}")

    def _print(self, text: str) -> None:
        self._shown = self._clock()
        if self._title:
            self._show(f"\n{self._title} ...")
            self._title = ""
        self._show(f"  {clock_text(self._shown - self._started):>5} | {text}")
