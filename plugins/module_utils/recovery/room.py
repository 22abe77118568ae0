# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A scratch volume that is full: whatever comes of it becomes one cause, and nothing waits for it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import MysqlError
from ..progress import repeated
from .scratch import Scratch

MEGA = 1_000_000
# What mysqld and other programs call a volume without room.
FULL = ("o space left", "is full")
# It says so once, and tries again every minute, without end.
WAITS = "Waiting for someone to free space"
EVERY = 1.0


def no_room(scratch: Scratch, needed: int, proof: tuple[str, ...] = ()) -> BinlogError:
    """Return the cause of a volume that is too small. needed: bytes."""
    free = scratch.free_bytes()
    told = [*proof[:2], f"free there: {free // MEGA} MB, needed: about {needed // MEGA} MB"]
    return BinlogError("recovery.no_room", str(scratch.folder), told, needed=needed // MEGA)


@contextmanager
def room(scratch: Scratch, needed: int) -> Iterator[None]:
    """Turn whatever comes of a full volume into its cause, with what is needed and what is free.

    A program says so, a server that ended said it in its log, or there is nothing left. needed: bytes.
    """
    try:
        with repeated(partial(_end_what_waits, scratch), EVERY, "room"):
            yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise CollectionError(f"{scratch.folder}: {error}") from error
        raise no_room(scratch, needed) from error
    except CollectionError as error:
        proof = error.proof if isinstance(error, BinlogError) else (error.message,)
        if isinstance(error, MysqlError) and error.lost:
            proof = (*scratch.executor.last_words(), *proof)
        told = tuple(line for line in proof if any(word in line for word in FULL))
        if not told and scratch.free_bytes() > MEGA:
            raise
        raise no_room(scratch, needed, told or proof) from error


def _end_what_waits(scratch: Scratch) -> None:
    """End the scratch server where it waits for room, and with it the statement that waits for it.

    In that state it would not shut down in order either. What it has not applied is applied again.
    """
    # A log that is begun anew at this moment is looked at in the next round.
    with suppress(OSError):
        full = scratch.free_bytes() <= MEGA
        if full and any(WAITS in line for line in scratch.executor.last_words()):
            scratch.executor.kill_server()
