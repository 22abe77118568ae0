# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small things about this machine: commands, processes, mounts, waiting."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

HEARTBEAT = 4.0
"""Seconds between two signs of life; a person waits five at most."""

SHORT = 60.0
"""Seconds that a command may take when nothing else is said."""


def command(
    argv: Sequence[str],
    *,
    given: str | None = None,
    timeout: float = SHORT,
    check: bool = True,
    say: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return how it ended.

    given: its stdin. timeout: seconds. check: raise LabError if it fails. say: called every four seconds.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError as error:
        raise LabError(
            f"{argv[0]} is not on this machine",
            [str(error)],
            "install what the lab needs: make lab",
        ) from error
    output, errors = _communicate(process, argv, given, timeout, say)
    if check and process.returncode != 0:
        said = (errors or output).strip().splitlines()[-12:]
        raise LabError(
            f"A command failed with exit code {process.returncode}: {shlex.join(argv)}",
            said or ["it said nothing"],
            "run it by hand",
        )
    return subprocess.CompletedProcess(list(argv), process.returncode, output, errors)


def _communicate(
    process: subprocess.Popen[str],
    argv: Sequence[str],
    given: str | None,
    timeout: float,
    say: Callable[[], None] | None,
) -> tuple[str, str]:
    """Wait for a command's end, with signs of life. Raises LabError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            left = deadline - time.monotonic()
            return process.communicate(given, timeout=max(0.1, min(HEARTBEAT, left)))
        except subprocess.TimeoutExpired as error:
            if time.monotonic() >= deadline:
                process.kill()
                process.communicate()
                what = f"A command did not end within {timeout:.0f} s"
                raise LabError(what, [shlex.join(argv)], "run it by hand") from error
            given = None  # communicate() goes on with the rest of it by itself
            if say is not None:
                say()


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
        if say is not None and now - spoken >= HEARTBEAT:
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


def end(pids: Collection[int], seconds: float) -> None:
    """End processes: asked, and forced if one is still there after `seconds`."""
    send(pids, signal.SIGTERM)
    if not wait_until(lambda: not any(map(start_time, pids)), seconds=seconds):
        send(pids, signal.SIGKILL)
        wait_until(lambda: not any(map(start_time, pids)), seconds=5)
