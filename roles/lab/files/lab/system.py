# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small things about this machine: commands, processes, mounts, waiting."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

Report = Callable[[str], None]
"""Takes one line about what is done now; a person reads it."""

SHORT = 60.0
"""Seconds that a command may take when nothing else is said."""


def command(
    argv: Sequence[str], *, given: str | None = None, timeout: float = SHORT, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command and return how it ended.

    given: its stdin. timeout: seconds. check: raise LabError if it fails.
    """
    try:
        ended = subprocess.run(
            list(argv), input=given, capture_output=True, text=True, timeout=timeout, check=False
        )
    except FileNotFoundError as error:
        raise LabError(
            f"{argv[0]} is not on this machine",
            [str(error)],
            "install what the role lab lists: make lab",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(
            f"A command did not end within {timeout:.0f} s", [shlex.join(argv)], "run it by hand"
        ) from error
    if check and ended.returncode != 0:
        said = (ended.stderr or ended.stdout).strip().splitlines()[-12:]
        raise LabError(
            f"A command failed with exit code {ended.returncode}: {shlex.join(argv)}",
            said or ["it said nothing"],
            "run it by hand",
        )
    return ended


def wait_until(
    condition: Callable[[], bool],
    *,
    seconds: float,
    every: float = 0.2,
    say: Callable[[], None] | None = None,
) -> bool:
    """Wait for a condition; return whether it came within `seconds`. say: called every four seconds."""
    deadline = time.monotonic() + seconds
    spoken = time.monotonic()
    while not condition():
        now = time.monotonic()
        if now > deadline:
            return False
        if say is not None and now - spoken >= 4:
            say()
            spoken = now
        time.sleep(every)
    return True


@dataclass(frozen=True)
class Mount:
    """One line of /proc/self/mountinfo, as far as it matters here."""

    point: Path
    kind: str


def parse_mounts(text: str) -> list[Mount]:
    """Return the mounts that a mountinfo text names. Source: proc_pid_mountinfo(5)."""
    found = []
    for line in text.splitlines():
        left, _separator, right = line.partition(" - ")
        point = left.split(" ")[4].encode().decode("unicode_escape")
        found.append(Mount(Path(point), right.split(" ")[0]))
    return found


def mounts() -> list[Mount]:
    """Return the mounts that this process sees."""
    return parse_mounts(Path("/proc/self/mountinfo").read_text())


def start_time(pid: int) -> str | None:
    """Return when a process started (ticks since boot), or None if there is no such process.

    With the pid it names a process for good: pids are used again. A zombie counts as gone.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def program(pid: int) -> str:
    """Return the file name of what a process runs, or nothing if it is gone."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each process; one that has gone is none the worse."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
