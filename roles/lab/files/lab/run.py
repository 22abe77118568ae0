# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long programs: their output in a log, a sign of life while they run, their own words when they fail."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError
from .progress import Report, elapsed_text

HEARTBEAT = 4.0
"""Seconds between two signs of life; a person waits five at most."""

SAID = 12
"""Lines of a failed program's output that a failure shows."""


def last_lines(log: Path, count: int, since: int = 0) -> list[str]:
    """Return the last non-empty lines of a log, of what was written after `since` bytes.

    Nothing when it can't be read.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 8192))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]


def _wait(process: subprocess.Popen[bytes], log: Path, since: int, report: Report) -> int:
    start = time.monotonic()
    while True:
        try:
            return process.wait(timeout=HEARTBEAT)
        except subprocess.TimeoutExpired:
            said = [line[:100] for line in last_lines(log, 1, since)]
            report(" ".join([elapsed_text(time.monotonic() - start), *said]))


def run(
    argv: Sequence[str],
    *,
    what: str,
    log: Path,
    report: Report,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end, its output appended to a log; return the last line it wrote.

    what: what it does, as a failure names it. report: gets a line every four seconds. environment:
    variables beside this program's own. Raises LabError with the program's last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        output.write(f"\n$ {shlex.join(argv)}\n".encode())
        output.flush()
        since = log.stat().st_size
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError as error:
            raise _absent(argv[0], what) from error
        try:
            code = _wait(process, log, since, report)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code != 0:
        said = last_lines(log, SAID, since)
        raise LabError(
            f"{what} failed with exit code {code}", said, f"read {log}; then run it again"
        )
    return "".join(last_lines(log, 1, since))


def output(
    argv: Sequence[str],
    *,
    what: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a short program and return what it printed. Raises LabError with its last lines."""
    try:
        ended = subprocess.run(
            list(argv),
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise _absent(argv[0], what) from error
    if ended.returncode != 0:
        said = (ended.stderr or ended.stdout).strip().splitlines()[-SAID:]
        raise LabError(
            f"{what} failed with exit code {ended.returncode}",
            said or ["it said nothing"],
            f"run it by hand: {shlex.join(argv)}",
        )
    return ended.stdout


def _absent(program: str, what: str) -> LabError:
    return LabError(
        f"{what} needs the program {program}, which is not on this machine",
        [f"PATH is {os.environ.get('PATH', '')}"],
        f"install {program}; for Debian's programs, `make lab` does it",
    )


@contextmanager
def exclusive(cache: Path, report: Report) -> Iterator[None]:
    """Hold the cache's lock, so that two checkouts don't build one thing twice at a time.

    Waits for whoever holds it, with a line every four seconds: their work is ours too. The kernel
    drops the lock with the process that holds it.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("a") as file:
        start = time.monotonic()
        spoken = start
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                now = time.monotonic()
                if now - spoken >= HEARTBEAT:
                    spoken = now
                    report(
                        f"another build uses {cache}: waiting for it, {elapsed_text(now - start)}"
                    )
                time.sleep(0.2)
        yield
