# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps a Lease for as long as a playbook runs, from a process of its own; then lets it go.

However the playbook ends (well, by a failure, by Ctrl-C, killed), it is let go at once. Modules that a killed
playbook left at work are waited for: they still change the cluster.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep

from .finding import CollectionError
from .kube import leases
from .processes import Family, Process

LOOK = 0.25
"""Seconds between two looks at what the playbook started. A module needs longer than that to start."""


@contextmanager
def waiting(number: int) -> Iterator[Callable[[float], None]]:
    """Give what waits so many seconds, or until a process has ended."""
    descriptor = -1
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            descriptor = os.pidfd_open(number)
    poll = select.poll()
    if descriptor >= 0:
        poll.register(descriptor, select.POLLIN)
    try:
        yield lambda seconds: wait(poll, seconds)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def wait(poll: select.poll, seconds: float) -> None:
    """Wait until a process has ended; once it has, as long as asked."""
    if any(poll.poll(seconds * 1000)):
        # It has ended: what it left is looked at from here on, and nothing tells when that ends.
        sleep(seconds)


def keep(open_book: Callable[[], leases.Book], identity: str, head: Process) -> None:
    """Give signs of life until nothing of a playbook runs any more, then let the Lease go.

    open_book: opens a connection of its own. head: the playbook. One whose Lease went to another is ended.
    """
    # This process was started by the playbook too, and is not waited for.
    family = Family(head, frozenset({os.getpid()}))
    book = open_book()
    due = monotonic() + leases.EVERY
    with waiting(head.number) as pause:
        while family.running():
            pause(LOOK)
            if monotonic() < due:
                continue
            due = monotonic() + leases.EVERY
            try:
                held = book.renew(identity)
            except CollectionError:
                # While the API server does not answer nobody else takes it either.
                with suppress(CollectionError):
                    book = open_book()
                continue
            if not held:
                end(family, book)
                return
    let_go(open_book, identity)


def let_go(open_book: Callable[[], leases.Book], identity: str) -> None:
    """Release a Lease; it is tried until it would be taken for silent anyway."""
    over = monotonic() + leases.DURATION
    while monotonic() < over:
        with suppress(CollectionError):
            open_book().release(identity)
            return
        sleep(1.0)


def end(family: Family, book: leases.Book) -> None:
    """End a playbook with all that it started: the cluster is another one's to change."""
    text = (
        f"\nThe Lease {book.namespace}/{book.name} was deleted or taken by another run: this one is ended.\n"
        "Run it again: it goes on from what is there.\n"
    )
    # Its terminal, or the file that it writes to.
    with (
        suppress(OSError),
        open(f"/proc/{family.head.number}/fd/2", "a", encoding="utf-8") as stream,
    ):
        stream.write(text)
    family.signal(signal.SIGTERM)
