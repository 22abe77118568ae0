# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work of this program's own that goes on while the scratch server has its turn: a process, not a thread.

It yields to the server, and ends with the block that began it.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from ..finding import CollectionError

# Behind whatever serves somebody.
NICE = 10
# Of prctl(2).
_PR_SET_PDEATHSIG = 1

T = TypeVar("T")


class Beside(Generic[T]):
    """The answer of a work that goes on."""

    def __init__(self, process: BaseProcess, receiver: Pipe) -> None:
        self._process = process
        self._receiver = receiver

    def result(self) -> T:
        """Wait for the answer and return it. Raises what the work raised, CollectionError where it has no answer."""
        answer: T
        error: CollectionError | None
        try:
            answer, error = self._receiver.recv()
        except EOFError as gone:
            self._process.join()
            ended = self._process.exitcode
            raise CollectionError(
                f"{self._process.name} ended with {ended}; -9: there was no memory for it"
            ) from gone
        if error is not None:
            raise error
        return answer


@contextmanager
def beside(name: str, work: Callable[[], T]) -> Iterator[Beside[T]]:
    """Let some work go on in a process of its own for as long as the block lasts.

    name: what a failure calls it. work: returns, or raises, what can be pickled. Begin it before there
    are threads: a process has the one that made it alone.
    """
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=_worked, name=name, args=(work, sender, os.getpid()), daemon=True)
    process.start()
    # The end of the pipe is seen only where nobody else could write into it.
    sender.close()
    try:
        yield Beside(process, receiver)
    finally:
        process.kill()
        process.join()
        receiver.close()


def _worked(work: Callable[[], T], sender: Pipe, parent: int) -> None:
    # It has the lock of the scratch folder too, and must not outlive who took it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    os.nice(NICE)
    try:
        answer = work()
    except CollectionError as error:
        sender.send((None, error))
    else:
        sender.send((answer, None))
