# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress of a module at work: lines in a file that its action plugin shows as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .finding import CollectionError

EVERY = 2.0
"""Seconds between two lines: a person never waits five."""


class ProgressFile:
    """Appends lines to a file, from any thread; without a path it says nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def line(self, text: str) -> None:
        """Add one line. Raises CollectionError where the file cannot be written."""
        if not self._path:
            return
        try:
            with self._lock, open(self._path, "a", encoding="utf-8") as stream:
                stream.write(text.replace("\n", " ") + "\n")
        except OSError as error:
            raise CollectionError(
                f"progress_file: {self._path} cannot be written: {error.strerror}"
            ) from error


@contextmanager
def repeated(work: Callable[[], None], every: float, name: str) -> Iterator[None]:
    """Do something every so many seconds, in a thread of its own, for as long as the block lasts."""
    over = threading.Event()

    def rounds() -> None:
        while not over.wait(every):
            work()

    thread = threading.Thread(target=rounds, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def ticking(
    describe: Callable[[], str], say: Callable[[str], None], *, last: bool = True
) -> Iterator[None]:
    """Say every few seconds where the work is, for as long as the block lasts.

    describe: makes the line, in a thread of its own. last: whether a work that succeeded gets a
    last line, however short it was.
    """
    with repeated(lambda: say(describe()), EVERY, "progress"):
        yield
    if last:
        say(describe())


def duration(seconds: float) -> str:
    """Return seconds as m:ss."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}:{rest:02}"
