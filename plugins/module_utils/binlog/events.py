# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events of the binary log, pure: bytes to frozen records. Nothing here reads a file or a server.

Layouts: MySQL Internals, "Binary Log Event", and the manual of MySQL's serialization library for
tagged GTIDs (8.3 and later). Positions and sizes are bytes, moments microseconds since 1970 in UTC.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ..mysql.gtid import GtidSet, Interval, Origin

QUERY = 2
STOP = 3
ROTATE = 4
FORMAT_DESCRIPTION = 15
XID = 16
EXECUTE_LOAD_QUERY = 18
TABLE_MAP = 19
WRITE_ROWS_V1, UPDATE_ROWS_V1, DELETE_ROWS_V1 = 23, 24, 25
HEARTBEAT = 27
ROWS_QUERY = 29
WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS = 30, 31, 32
GTID = 33
ANONYMOUS_GTID = 34
PREVIOUS_GTIDS = 35
XA_PREPARE = 38
PARTIAL_UPDATE_ROWS = 39
TRANSACTION_PAYLOAD = 40
HEARTBEAT_V2 = 41
TAGGED_GTID = 42

GTIDS = frozenset({GTID, ANONYMOUS_GTID, TAGGED_GTID})
HEARTBEATS = frozenset({HEARTBEAT, HEARTBEAT_V2})

HEADER = struct.Struct("<IBIIIH")
HEADER_SIZE = HEADER.size
CHECKSUM_SIZE = 4
# Flags, UUID, number, kind of clock, last committed, sequence number.
_GTID = struct.Struct("<B16sQBqq")
_MOMENT = 7
# How a transaction of rows begins, behind the name of its schema.
BEGIN = b"\0BEGIN"
# Sent by the server for the reader's sake; it lies in no file.
ARTIFICIAL = 0x20


class MalformedError(Exception):
    """Bytes that are no event of the type that they claim. Text: what was wrong with them."""


class NoCommitTimeError(MalformedError):
    """A transaction that tells no commit time and no length. Text: where it is from."""


class Gtid(NamedTuple):
    """The event that opens a transaction. uuid is empty for an anonymous one.

    committed, originally: when the server that wrote this log, and the one that committed it first,
    did so (microseconds); originally is 0 where that is not known.
    length: bytes of the whole transaction, this event included.
    """

    uuid: str
    tag: str
    number: int
    committed: int
    originally: int
    length: int

    @property
    def text(self) -> str | None:
        """The GTID as MySQL writes it, None for an anonymous transaction."""
        if not self.uuid:
            return None
        return ":".join(part for part in (self.uuid, self.tag, str(self.number)) if part)

    @property
    def origin(self) -> Origin:
        """Whose number it is: (uuid, tag)."""
        return self.uuid, self.tag


class Event(NamedTuple):
    """One event. body: what follows the header, without the checksum.

    start, end: where it lies in its file; both 0 for one that lies in no file. gtid: what it opens,
    where whoever read the event had to look into that already. passed: the numbers of the same origin
    just before it whose transactions were passed over.
    """

    type: int
    timestamp: int
    server_id: int
    file: str
    start: int
    end: int
    body: bytes
    gtid: Gtid | None = None
    passed: Interval | None = None


class Cursor:
    """Reads a body from front to back; running out of bytes is MalformedError."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        begin, end = self.at, self.at + size
        if end > len(self.data):
            raise MalformedError(f"{size} bytes are wanted at {begin}, {self.left} are left")
        self.at = end
        return self.data[begin:end]

    def number(self, size: int) -> int:
        """Return the next unsigned little-endian integer of that many bytes."""
        return int.from_bytes(self.take(size), "little")

    def packed(self) -> int:
        """Return the next length-encoded integer of the client protocol."""
        first = self.number(1)
        if first < 251:
            return first
        sizes = {252: 2, 253: 3, 254: 8}
        if first not in sizes:
            raise MalformedError(f"{first} begins no length-encoded integer at {self.at - 1}")
        return self.number(sizes[first])

    def unsigned(self) -> int:
        """Return the next variable-length integer of the serialization library."""
        first = self.number(1)
        more = 0
        while more < 8 and first >> more & 1:
            more += 1
        if more == 8:
            return self.number(8)
        return first >> (more + 1) | self.number(more) << (7 - more)

    def signed(self) -> int:
        """Return the next signed variable-length integer: its sign is the lowest bit."""
        value = self.unsigned()
        return -(value >> 1) - 1 if value & 1 else value >> 1


@lru_cache(maxsize=256)
def uuid_text(data: bytes) -> str:
    """Return 16 bytes as a server's UUID is written."""
    digits = data.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def read_rotate(body: bytes) -> tuple[str, int]:
    """Return the next file and the position in it where its events begin."""
    cursor = Cursor(body)
    position = cursor.number(8)
    return cursor.take(cursor.left).decode(), position


def rotate_event(server_id: int, file: str, *, checksum: bool) -> bytes:
    """Return the event by which a source says that another file follows; it lies in no file of its."""
    body = (4).to_bytes(8, "little") + file.encode()
    return _written(ROTATE, server_id, body, None, ARTIFICIAL, checksum=checksum)


def previous_gtids_event(gtids: GtidSet, server_id: int, at: int, *, checksum: bool) -> bytes:
    """Return the event by which a log says what lies before it. at: its position in the file.

    Servers before 8.3 know no tags, and nobody needs their form where there are none.
    """
    tagged = any(tag for (_uuid, tag), _intervals in gtids.members)
    count = len(gtids.members)
    body = bytearray((1 << 56 | count << 8 | 1 if tagged else count).to_bytes(8, "little"))
    for (origin, tag), intervals in sorted(gtids.members):
        body += bytes.fromhex(origin.replace("-", ""))
        if tagged:
            # A tag has at most 32 characters: its length is one byte of the serialization library.
            body += bytes([len(tag) << 1]) + tag.encode()
        body += len(intervals).to_bytes(8, "little")
        for first, last in intervals:
            body += first.to_bytes(8, "little") + (last + 1).to_bytes(8, "little")
    return _written(PREVIOUS_GTIDS, server_id, bytes(body), at, 0, checksum=checksum)


def _written(
    kind: int, server_id: int, body: bytes, at: int | None, flags: int, *, checksum: bool
) -> bytes:
    """Return an event as a file has it. at: its position, None for one that lies in no file."""
    size = HEADER_SIZE + len(body) + (CHECKSUM_SIZE if checksum else 0)
    end = 0 if at is None else at + size
    event = HEADER.pack(0, kind, server_id, size, end, flags) + body
    return event + zlib.crc32(event).to_bytes(CHECKSUM_SIZE, "little") if checksum else event


def read_format(body: bytes) -> tuple[str, int]:
    """Return the server's version and the size of the checksum that ends each event: 0 or 4.

    body: up to the end of the event, its own checksum included (it always has one).
    """
    cursor = Cursor(body)
    version = cursor.number(2)
    if version != 4:
        raise MalformedError(f"binary log format {version} is not 4")
    server = cursor.take(50).rstrip(b"\0").decode()
    if cursor.left < 5 + CHECKSUM_SIZE:
        raise MalformedError("the format description has no checksum algorithm")
    algorithm = body[-CHECKSUM_SIZE - 1]
    if algorithm not in (0, 1):
        raise MalformedError(f"checksum algorithm {algorithm} is neither 0 (none) nor 1 (CRC32)")
    return server, CHECKSUM_SIZE if algorithm else 0


def read_gtid(event_type: int, body: bytes) -> Gtid:
    """Return what opens a transaction, in either format. Raises MalformedError."""
    return _read_tagged(body) if event_type == TAGGED_GTID else _read_untagged(event_type, body)


def _read_untagged(event_type: int, body: bytes) -> Gtid:
    if len(body) < _GTID.size:
        raise MalformedError(f"a GTID event of {len(body)} bytes is none")
    _flags, uuid, number, clock, _committed, _sequence = _GTID.unpack_from(body)
    if clock != 2 or len(body) == _GTID.size:
        raise NoCommitTimeError("its server is older than 8.0.2: only event headers tell a time")
    at = _GTID.size + _MOMENT
    committed = int.from_bytes(body[_GTID.size : at], "little")
    originally = committed
    if committed >> 55:
        committed &= (1 << 55) - 1
        originally = int.from_bytes(body[at : at + _MOMENT], "little")
        at += _MOMENT
    length = Cursor(body, at).packed()
    named = "" if event_type == ANONYMOUS_GTID else uuid_text(uuid)
    return Gtid(named, "", number, committed, originally, length)


def _read_tagged(body: bytes) -> Gtid:
    """Read fields by their number; those after the last one known are of no interest."""
    cursor = Cursor(body)
    if (version := cursor.unsigned()) != 1:
        raise MalformedError(f"serialization format {version} is not 1")
    cursor.unsigned()  # size
    cursor.unsigned()  # last field that a reader has to know
    uuid, tag = "", ""
    found: dict[int, int] = {}
    while cursor.left:
        field = cursor.unsigned()
        if field == 1:
            uuid = uuid_text(bytes(cursor.unsigned() for _index in range(16)))
        elif field == 3:
            tag = cursor.take(cursor.unsigned()).decode()
        elif field in (2, 4, 5):
            found[field] = cursor.signed()
        elif field <= 11:
            found[field] = cursor.unsigned()
        else:
            break
    if not uuid or not {2, 6, 8} <= found.keys():
        raise MalformedError("the tagged GTID lacks its number, its time or its length")
    return Gtid(uuid, tag, found[2], found[6], found.get(7, found[6]), found[8])


def read_previous_gtids(body: bytes) -> GtidSet:
    """Return the transactions of all earlier files. Raises MalformedError."""
    return GtidSet.of(_previous_intervals(Cursor(body)))


def _previous_intervals(cursor: Cursor) -> Iterator[tuple[Origin, Interval]]:
    head = cursor.take(8)
    tagged = head[7] == 1
    count = int.from_bytes(head[1:7] if tagged else head[:7], "little")
    for _origin in range(count):
        uuid = uuid_text(cursor.take(16))
        tag = cursor.take(cursor.unsigned()).decode() if tagged else ""
        for _interval in range(cursor.number(8)):
            first, after = cursor.number(8), cursor.number(8)
            yield (uuid, tag), (first, after - 1)


def read_rows_query(body: bytes) -> str:
    """Return the statement behind the rows that follow. Its one byte of length is not enough."""
    return body[1:].decode(errors="backslashreplace")
