# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Binary logs as files: bytes to events, each checksum verified that is read.

A transaction tells its length in its first event, so whoever does not need what is inside leaps over
it: half a gigabyte of small transactions is walked in a second or two. Only whole transactions are
told of: a file that is written still, or was cut off, ends where its last whole transaction does.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Generator
from enum import Enum
from typing import TypeAlias

from ..mysql.gtid import GtidSet, Interval
from .events import (
    BEGIN,
    CHECKSUM_SIZE,
    FORMAT_DESCRIPTION,
    GTID,
    GTIDS,
    HEADER,
    HEADER_SIZE,
    PREVIOUS_GTIDS,
    QUERY,
    TRANSACTION_PAYLOAD,
    Event,
    MalformedError,
    read_format,
    read_gtid,
    read_previous_gtids,
)
from .stream import FIRST_POSITION, LARGEST_START
from .transactions import PLACES, STATEMENTS

MAGIC = b"\xfebin"
ENCRYPTED = b"\xfdbin"

# Header and first fields of what opens a transaction; behind them more than one event's header.
_OPENING = struct.Struct("<IBIIIHB16sQBqq")
_SIZE = struct.Struct("<I")
_ROOM = 128
# How much of a mapped file is held in memory, up to twice of it.
WINDOW = 8 << 20

# Where an event's flags are, and the one of a log that its server has not closed.
_FLAGS, _IN_USE = 17, 1

Data: TypeAlias = "bytes | memoryview"


class Leap(Enum):
    """What is passed over unread: nothing, the rows of a transaction, or all but its first event.

    RUNS: as ROWS; and of transactions of rows that follow one another, the last alone is told of.
    """

    NOTHING = 0
    ROWS = 1
    CONTENT = 2
    RUNS = 3


def leap_for(wanted: frozenset[int]) -> Leap:
    """Return how much may be passed over by who wants these types of events."""
    if wanted <= PLACES | {FORMAT_DESCRIPTION}:
        return Leap.CONTENT
    if wanted <= STATEMENTS | {FORMAT_DESCRIPTION}:
        return Leap.ROWS
    return Leap.NOTHING


def file_events(
    data: Data,
    name: str,
    wanted: frozenset[int],
    *,
    start: int = FIRST_POSITION,
    leap: Leap | None = None,
) -> Generator[Event]:
    """Yield the events of a file of these types, from a position on where one begins.

    data: the whole file, mapped. leap: None for as far as ``wanted`` allows.
    Raises MalformedError.
    """
    view = memoryview(data)
    _check_magic(view)
    over = leap_for(wanted) if leap is None else leap
    checksum = checksum_size(view) if start != FIRST_POSITION else 0
    at, total = start, len(view)
    # Where the transaction ends that was opened last, while its content may still be leapt over.
    close = 0
    # Up to where runs were looked for, and up to where memory was given back.
    looked, kept = 0, 0
    passed: Interval | None = None
    while at + HEADER_SIZE <= total:
        timestamp, kind, server_id, size, after, _flags = HEADER.unpack_from(view, at)
        if over is Leap.RUNS and kind == GTID and at >= looked:
            at, passed = _last_of_run(view, at, checksum)
            looked = at + 1
            continue
        end = at + size
        if size < HEADER_SIZE or (end & LARGEST_START != after and after):
            raise MalformedError(f"{name}:{at} is no event: it says {size} bytes, end {after}")
        if end > total:
            return
        if kind == FORMAT_DESCRIPTION:
            checksum = read_format(bytes(view[at + HEADER_SIZE : end]))[1]
        tail = CHECKSUM_SIZE if kind == FORMAT_DESCRIPTION else checksum
        if checksum and _crc(view, at, end - tail, kind) != int.from_bytes(
            view[end - tail : end], "little"
        ):
            raise MalformedError(f"checksum of the event of type {kind} at {name}:{at} is wrong")
        body = bytes(view[at + HEADER_SIZE : end - tail])
        following, opened = end, None
        if kind in GTIDS:
            opened = read_gtid(kind, body)
            close = at + opened.length
            if close > total:
                return
            following = close if over is Leap.CONTENT else end
            kept = _let_go(view, kept, at)
        elif close:
            over_rows = over in (Leap.ROWS, Leap.RUNS) and _opens_rows(kind, body)
            following = close if over_rows else end
            close = 0
        if kind in wanted:
            yield Event(kind, timestamp, server_id, name, at, end, body, opened, passed)
            passed = None
        at = following


def _last_of_run(view: memoryview, at: int, checksum: int) -> tuple[int, Interval | None]:
    """Return where the last of the transactions of rows begins that follow one another from here on.

    And the numbers of those before it. They are of one origin, without a gap. Whatever is not as it
    has to be ends the run: who reads on will say what it is. Most of a log is read here alone.
    """
    opening, number, crc = _OPENING.unpack_from, _SIZE.unpack_from, zlib.crc32
    begin, end_of_window, last = at, min(len(view) - _OPENING.size - _ROOM, at + WINDOW), at
    origin, first, following = b"", 0, 0
    while at <= end_of_window:
        _t, kind, _id, size, after, _f, _g, uuid, gno, clock, _lc, _sn = opening(view, at)
        end = at + size
        close, opens = at + _length(view, at + _OPENING.size), view[end + 4] if size < _ROOM else 0
        if (
            kind != GTID
            or clock != 2
            or not opens
            or end & LARGEST_START != after
            or not at < end < close <= len(view)
            or (first and (uuid != origin or gno != following))
        ):
            break
        if opens == QUERY:
            end_of_query = end + number(view, end + 9)[0] - checksum
            if view[end_of_query - len(BEGIN) : end_of_query] != BEGIN or end_of_query > close:
                break
            if checksum and crc(view[end:end_of_query]) != number(view, end_of_query)[0]:
                break
        elif opens != TRANSACTION_PAYLOAD:
            break
        if checksum and crc(view[at : end - checksum]) != number(view, end - checksum)[0]:
            break
        if not first:
            origin, first = uuid, gno
        following, last, at = gno + 1, at, close
    return last, None if last == begin else (first, following - 2)


def _length(view: memoryview, at: int) -> int:
    """Return the length of a transaction, which stands behind one or two moments; 0 for a long one."""
    at += 14 if view[at + 6] & 0x80 else 7
    length = view[at]
    if length == 252:
        return view[at + 1] | view[at + 2] << 8
    if length == 253:
        return view[at + 1] | view[at + 2] << 8 | view[at + 3] << 16
    return length if length < 251 else 0


def _let_go(view: memoryview, begin: int, end: int) -> int:
    """Give back the memory of what was read of a mapped file, now and then; return up to where."""
    if end - begin < WINDOW:
        return begin
    whole, end = view.obj, end // mmap.PAGESIZE * mmap.PAGESIZE
    if isinstance(whole, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        whole.madvise(mmap.MADV_DONTNEED, begin, end - begin)
    return end


def _crc(view: memoryview, at: int, end: int, kind: int) -> int:
    """Return an event's checksum. That of the first one was taken without the flag "in use"."""
    if kind != FORMAT_DESCRIPTION:
        return zlib.crc32(view[at:end])
    head = bytearray(view[at:end])
    head[_FLAGS] &= ~_IN_USE
    return zlib.crc32(head)


def _opens_rows(kind: int, body: bytes) -> bool:
    """Whether what follows a GTID opens a transaction of rows: it holds no statement on a table."""
    return kind == TRANSACTION_PAYLOAD or (kind == QUERY and body.endswith(BEGIN))


def _check_magic(view: memoryview) -> None:
    magic = bytes(view[: len(MAGIC)])
    if magic == ENCRYPTED:
        raise MalformedError(
            "the file is encrypted by the server (binlog_encryption): its key is not here"
        )
    if magic != MAGIC:
        raise MalformedError(f"the file begins with {magic.hex()}, not as a binary log does")


def checksum_size(view: memoryview) -> int:
    """Return the size of the checksums of a file that is not read from its beginning."""
    size = int.from_bytes(view[FIRST_POSITION + 9 : FIRST_POSITION + 13], "little")
    body = bytes(view[FIRST_POSITION + HEADER_SIZE : FIRST_POSITION + size])
    return read_format(body)[1]


def beginning(data: Data) -> bytes:
    """Return the first bytes of a log, with its format, as of one that its server has closed."""
    view = memoryview(data)
    _check_magic(view)
    size = HEADER.unpack(view[FIRST_POSITION : FIRST_POSITION + HEADER_SIZE])[3]
    head = bytearray(view[: FIRST_POSITION + size])
    # No checksum counts that flag.
    head[FIRST_POSITION + _FLAGS] &= ~_IN_USE & 0xFF
    return bytes(head)


def writer_of(data: Data) -> int:
    """Return the server-id of who wrote a file: it stands in its first event."""
    return int(HEADER.unpack_from(memoryview(data), FIRST_POSITION)[2])


def file_head(data: Data, name: str) -> tuple[int, str, GtidSet]:
    """Return when a file was begun (seconds since 1970), by which version, and what lies before it.

    Raises MalformedError where the file ends before it says so.
    """
    begun, version = 0, ""
    wanted = frozenset({FORMAT_DESCRIPTION, PREVIOUS_GTIDS})
    for event in file_events(data, name, wanted, leap=Leap.NOTHING):
        if event.type == FORMAT_DESCRIPTION:
            begun = event.timestamp
            version = event.body[2:52].rstrip(b"\0").decode()
        else:
            return begun, version, read_previous_gtids(event.body)
    raise MalformedError(f"{name} does not say which transactions lie before it")
