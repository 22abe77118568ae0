# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person reads while the lab program works: lines with the elapsed time, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

Report = Callable[[str], None]
"""Takes one line about what is done now; a person reads it."""


def elapsed_text(seconds: float) -> str:
    """Return a duration as a person says it: `7 s`, `3 min 05 s`."""
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def reporter(stream: TextIO | None = None) -> Report:
    """Return a Report that writes each line to a stream (stderr), with the time since this call."""
    out = stream or sys.stderr
    start = time.monotonic()

    def report(line: str) -> None:
        out.write(f"[{elapsed_text(time.monotonic() - start):>12}] {line}\n")
        out.flush()

    return report


class Stages:
    """Counts the stages of long work: `image 3 of 14: etcd`."""

    def __init__(self, report: Report, what: str, total: int) -> None:
        self._report = report
        self._what = what
        self._total = total
        self._done = 0

    def begin(self, name: str) -> Report:
        """Announce the next stage; return a Report whose lines are headed by it."""
        self._done += 1
        head = f"{self._what} {self._done} of {self._total}: {name}"
        self._report(head)
        return lambda line: self._report(f"{head}: {line}")
