# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a program whose stderr is progress and whose stdout is one JSON object."""

from __future__ import annotations

import json
import os
import selectors
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from .progress import Progress

POLL = 0.25
"""Seconds between looks at whether the program has ended while its pipes stay open."""


@dataclass(frozen=True)
class Ended:
    """How the program ended: its exit code and all that it wrote to stdout."""

    argv: tuple[str, ...]
    rc: int
    stdout: str


class _Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    def last(self) -> str:
        return self._rest.decode("utf-8", "replace")


class _Pipes:
    """Both pipes of a program, read as data comes."""

    def __init__(self, stdout: IO[bytes], stderr: IO[bytes], progress: Progress) -> None:
        self._progress = progress
        self._lines = _Lines()
        self._out: list[bytes] = []
        self._selector = selectors.DefaultSelector()
        for stream, take in ((stdout, self._out.append), (stderr, self._take_progress)):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, take)

    @property
    def open(self) -> bool:
        return bool(self._selector.get_map())

    def _take_progress(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._progress.line(line)

    def read(self, timeout: float) -> bool:
        """Take what is there; True if anything was."""
        ready = self._selector.select(timeout)
        for key, _events in ready:
            data = os.read(key.fd, 1 << 16)
            if data:
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)
        return bool(ready)

    def finish(self) -> str:
        """Return all of stdout, after the rest of both pipes."""
        while self.open and self.read(0):
            pass
        self._progress.line(self._lines.last())
        self._selector.close()
        return b"".join(self._out).decode("utf-8", "replace")


def run(
    argv: Sequence[str],
    progress: Progress,
    *,
    chdir: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run the program to its end, showing its stderr and heartbeats.

    Raises OSError if it cannot start. It ends with the program itself: a daemon that the
    program leaves behind may keep the pipes.
    """
    with subprocess.Popen(
        list(argv),
        cwd=chdir,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        pipes = _Pipes(cast(IO[bytes], process.stdout), cast(IO[bytes], process.stderr), progress)
        try:
            while pipes.open and process.poll() is None:
                pipes.read(min(POLL, progress.due_in()))
                progress.beat()
            _wait(process, progress)
        finally:
            if process.poll() is None:
                process.terminate()
        return Ended(tuple(argv), process.wait(), pipes.finish())


def _wait(process: subprocess.Popen[bytes], progress: Progress) -> None:
    """Wait for a program that has closed its pipes, with heartbeats."""
    while True:
        try:
            process.wait(max(0.05, progress.due_in()))
            return
        except subprocess.TimeoutExpired:
            progress.beat()


def interpret(ended: Ended, tail: Sequence[str]) -> dict[str, Any]:
    """Return the task's result: the program's own, or a failure with its proof."""
    said = _parse(ended.stdout)
    if isinstance(said, str):
        return _failure(ended, tail, said if ended.rc == 0 else _exit_text(ended))
    if ended.rc != 0 or said.get("failed"):
        return {**said, **_failure(ended, tail, str(said.get("msg") or _exit_text(ended)))}
    if not isinstance(said.get("changed"), bool):
        return _failure(ended, tail, f"{_name(ended)} did not say whether it changed anything")
    return said


def _parse(stdout: str) -> dict[str, Any] | str:
    """Return the JSON object, or what is wrong with it."""
    if not stdout.strip():
        return "The program ended without a result: no JSON object on its stdout"
    try:
        said = json.loads(stdout)
    except ValueError as error:
        shown = stdout.strip()[:200]
        return f"The program's stdout is not one JSON object ({error}): {shown}"
    if not isinstance(said, dict):
        return f"The program's stdout is JSON, but a {type(said).__name__}, not an object"
    return said


def _name(ended: Ended) -> str:
    return shlex.join(ended.argv[:4]) + (" ..." if len(ended.argv) > 4 else "")


def _exit_text(ended: Ended) -> str:
    if ended.rc < 0:
        return f"{_name(ended)} was ended by signal {-ended.rc}"
    return f"{_name(ended)} failed with exit code {ended.rc}"


def _failure(ended: Ended, tail: Sequence[str], message: str) -> dict[str, Any]:
    proof = [f"  proof: {line}" for line in tail] or ["  proof: it wrote nothing to stderr"]
    step = f"  next:  run it by hand to see all it says: {shlex.join(ended.argv)}"
    return {
        "failed": True,
        "changed": False,
        "rc": ended.rc,
        "msg": "\n".join([message, *proof, step]),
        "stderr_lines": list(tail),
    }
