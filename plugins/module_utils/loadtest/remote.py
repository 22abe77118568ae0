# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the client program on a host of the LAN, through a command prefix."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from importlib.abc import InspectLoader
from typing import IO, Any
from zipimport import zipimporter

from ..causes import catalogue
from ..finding import CollectionError
from . import client

KEPT_LINES = 15
# Seconds beyond the job's own: to start Python there, and for the last requests to time out.
GRACE = 30.0


def source() -> str:
    """Return the text of the client program, from a folder or from Ansible's zip alike."""
    loader = client.__loader__
    if not isinstance(loader, InspectLoader | zipimporter):
        raise CollectionError(f"The text of {client.__name__} cannot be read from {loader!r}")
    text = loader.get_source(client.__name__)
    if text is None:
        raise CollectionError(f"{client.__file__} was installed without its text, a .py file")
    return text


def run(
    command: Sequence[str],
    job: dict[str, Any],
    *,
    seconds: float,
    tell: Callable[[str], None],
    language: str = "en",
) -> dict[str, Any]:
    """Run a job there and return its figures.

    command: argv prefix, empty for this machine. seconds: how long the job itself may take.
    tell: gets each line of progress. Raises CollectionError with a finding where the command
    cannot be run, is not done in time or refuses the job.
    """
    argv = [*command, "python3", "-", json.dumps(job)]
    shown = shlex.join([*command, "python3", "-"])
    try:
        rc, said, lines = _piped(argv, seconds + GRACE, tell)
    except OSError as error:
        raise _unusable(shown, [f"{shown}: {error}"], language) from error
    if rc is None:
        proof = [f"{shown} was ended after {seconds + GRACE:.0f} s", *lines]
        raise _unusable(shown, proof, language)
    return _parsed(said, shown, [f"{shown} ended with exit code {rc}", *lines], language)


def _parsed(said: str, shown: str, proof: Sequence[str], language: str) -> dict[str, Any]:
    try:
        result = json.loads(said)
    except ValueError:
        raise _unusable(shown, proof, language) from None
    if not isinstance(result, dict):
        raise _unusable(shown, proof, language)
    if "refused" in result:
        raise CollectionError(f"Nothing was sent. {result['refused']}")
    return result


def _unusable(shown: str, proof: Sequence[str], language: str) -> CollectionError:
    found = catalogue.finding("load.client_unusable", subject=shown, proof=proof, language=language)
    return CollectionError("The client host could not send the requests", [found])


def _piped(
    argv: Sequence[str], seconds: float, tell: Callable[[str], None]
) -> tuple[int | None, str, list[str]]:
    """Run the program; return exit code (None: ended by us), stdout, the last lines of stderr."""
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    pipe = subprocess.PIPE
    with subprocess.Popen(list(argv), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout or ()))
        timer.start()
        reader.start()
        try:
            _send(process.stdin, source())
            for line in process.stderr or ():
                kept.append(line.rstrip())
                tell(line.rstrip())
            reader.join()
            rc = process.wait()
        finally:
            timer.cancel()
            process.kill()
    return None if overdue.is_set() else rc, "".join(said), list(kept)


def _send(stream: IO[str] | None, text: str) -> None:
    """Write the program; one that is gone already shows by its exit code."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.close()
    except BrokenPipeError:
        return
