# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress of a module at work: lines in a file that its action plugin shows as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

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


class Ticker:
    """Says every few seconds where the work is, for as long as its block lasts.

    describe: makes the line, in a thread of its own. last: whether a work that succeeded gets a
    last line, however short it was.
    """

    def __init__(
        self, describe: Callable[[], str], say: Callable[[str], None], *, last: bool = True
    ) -> None:
        self._last = last
        self._describe = describe
        self._say = say
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            self._say(self._describe())

    def __enter__(self) -> Ticker:
        """Begin to tell."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._over.set()
        self._thread.join()
        if kind is None and self._last:
            self._say(self._describe())


def duration(seconds: float) -> str:
    """Return seconds as m:ss."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}:{rest:02}"
