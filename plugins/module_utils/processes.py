# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a process and those that it started still run: by number and start, since numbers come again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
ENDED = frozenset("ZX")
# More than a module has open when it forks.
FILES = 4096


@dataclass(frozen=True)
class Process:
    """One process. start: when it began, in the kernel's ticks; empty where that cannot be read."""

    number: int
    start: str

    def runs(self) -> bool:
        """Whether it is there and has not ended."""
        return of(self.number) == self


def of(number: int) -> Process | None:
    """Return the process of a number, None where there is none, or where it ended."""
    if not PROC.joinpath("self", "stat").exists():
        return _by_signal(number)
    try:
        text = PROC.joinpath(str(number), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is a name in brackets, which may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ENDED else Process(number, fields[19])


def _by_signal(number: int) -> Process | None:
    """Without /proc: whether it is there is all that is known."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return Process(number, "")


def children(number: int) -> Iterator[Process]:
    """Yield the processes that a process started and that still run."""
    for path in PROC.glob(f"{number}/task/*/children"):
        try:
            numbers = path.read_text(encoding="ascii").split()
        except OSError:
            continue
        yield from filter(None, map(of, map(int, numbers)))


@dataclass
class Family:
    """A process and all that it started: its descendants stay in it when it ends before them.

    spared: numbers of processes that are none of it, though it started them.
    """

    head: Process
    spared: frozenset[int] = frozenset()
    known: set[Process] = field(default_factory=set)

    def running(self) -> set[Process]:
        """Return those that run, the head among them."""
        found: set[Process] = set()
        todo = [each for each in {self.head, *self.known} if each.runs()]
        while todo:
            each = todo.pop()
            if each in found or each.number in self.spared:
                continue
            found.add(each)
            todo.extend(children(each.number))
        self.known = found
        return found

    def signal(self, number: int) -> None:
        """Send a signal to all of them, the head first: it starts no more then."""
        for each in sorted(self.running(), key=lambda one: one != self.head):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each.number, number)


def detached(work: Callable[[], None]) -> None:
    """Do something in a process of its own that outlives this one: no terminal, no parent, no open file.

    The process is forked and never loads this program again: its file may be gone by then.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork():
            return
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        os.closerange(3, FILES)
        work()
    finally:
        os._exit(0)
