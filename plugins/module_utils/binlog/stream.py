# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The binary log as a server sends it to a replica: packets to events, each checksum verified.

A session that dumped is good for nothing else: it is closed after, whatever was read of it.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from ..causes.binlog import BinlogError
from ..mysql.connection import Connection, MysqlError
from .events import (
    ARTIFICIAL,
    CHECKSUM_SIZE,
    FORMAT_DESCRIPTION,
    HEADER,
    HEADER_SIZE,
    HEARTBEATS,
    ROTATE,
    Event,
    MalformedError,
    read_format,
    read_rotate,
)

FIRST_POSITION = 4
# Larger positions do not fit into the request for a dump.
LARGEST_START = 2**32 - 1
# How long a server may be silent in the middle of a dump, in seconds.
SILENCE = 60.0

_COM_BINLOG_DUMP = 0x12
_NON_BLOCK = 0x01
_CHUNK = 1 << 18
_LARGEST_PACKET = 0xFFFFFF
_ERROR, _EOF = 0xFF, 0xFE

# Returns at most that many bytes, at least one; none only where the peer is gone.
Read = Callable[[int], bytes]
Packet = tuple[memoryview, int, int]


@dataclass(frozen=True)
class Start:
    """Where a dump begins. server_id: what the session calls itself; 0 disturbs no replica."""

    file: str
    position: int = FIRST_POSITION
    server_id: int = 0


def packets(read: Read) -> Iterator[Packet]:
    """Yield each packet of the client protocol as (buffer, where it begins, where it ends).

    Raises EOFError where the peer is gone, MalformedError where a packet is missing.
    """
    view, at, expected = memoryview(b""), 0, 1
    parts: list[bytes] = []
    while True:
        if len(view) - at < 4:
            view, at = _filled(view, at, 4, read), 0
        size = view[at] | view[at + 1] << 8 | view[at + 2] << 16
        if view[at + 3] != expected:
            raise MalformedError(f"packet {expected} is missing: {view[at + 3]} came")
        expected = (expected + 1) & 0xFF
        if len(view) - at < 4 + size:
            view, at = _filled(view, at, 4 + size, read), 0
        begin, at = at + 4, at + 4 + size
        if size == _LARGEST_PACKET:
            parts.append(bytes(view[begin:at]))
        elif parts:
            whole = memoryview(b"".join([*parts, view[begin:at]]))
            parts = []
            yield whole, 0, len(whole)
        else:
            yield view, begin, at


def _filled(view: memoryview, at: int, wanted: int, read: Read) -> memoryview:
    """Return the bytes that are left and as many more as are needed to have those wanted."""
    parts = [bytes(view[at:])]
    held = len(parts[0])
    while held < wanted:
        part = read(max(_CHUNK, wanted - held))
        if not part:
            raise EOFError
        parts.append(part)
        held += len(part)
    return memoryview(b"".join(parts))


class Decoder:
    """Makes events of packets. It knows the file, the position in it, and the checksum in use.

    wanted: types of events to yield, all of them where it is None; the others are verified and
    passed over. Rotations and format descriptions are always yielded.
    """

    def __init__(self, start: Start, wanted: frozenset[int] | None = None) -> None:
        self.file = start.file
        self.position = start.position
        self.wanted = None if wanted is None else wanted | {ROTATE, FORMAT_DESCRIPTION}
        self.checksum = 0

    def events(self, source: Iterator[Packet]) -> Iterator[Event]:
        """Yield events until the server says that there are no more.

        Raises MalformedError, EOFError, and MysqlError with what the server reports.
        """
        unpack = HEADER.unpack_from
        wanted = self.wanted
        for view, begin, end in source:
            status = view[begin] if end > begin else _EOF
            if status:
                if status == _EOF and end - begin < 9:
                    return
                raise _reported(bytes(view[begin:end]))
            if end - begin <= HEADER_SIZE:
                raise MalformedError(f"an event of {end - begin - 1} bytes is none")
            timestamp, kind, server_id, size, after, flags = unpack(view, begin + 1)
            if size != end - begin - 1:
                raise MalformedError(f"an event of {size} bytes came as {end - begin - 1}")
            if kind == FORMAT_DESCRIPTION:
                self.checksum = read_format(bytes(view[begin + 1 + HEADER_SIZE : end]))[1]
            # A format description has room for a checksum even where there are none.
            tail = CHECKSUM_SIZE if kind == FORMAT_DESCRIPTION else self.checksum
            if self.checksum:
                self._verify(view[begin + 1 : end - tail], view[end - tail : end], kind)
            place = self._place(kind, size, after, flags)
            if wanted is not None and kind not in wanted:
                continue
            body = bytes(view[begin + 1 + HEADER_SIZE : end - tail])
            event = Event(kind, timestamp, server_id, self.file, *place, body)
            if kind == ROTATE:
                self._rotate(event)
            yield event

    def _verify(self, data: memoryview, tail: memoryview, kind: int) -> None:
        if zlib.crc32(data) != int.from_bytes(tail, "little"):
            raise MalformedError(
                f"checksum of the event of type {kind} at {self.file}:{self.position} is wrong"
            )

    def _place(self, kind: int, size: int, after: int, flags: int) -> tuple[int, int]:
        """Return where an event lies. Positions are counted: beyond 4 GiB a header's wrap."""
        if flags & ARTIFICIAL or kind in HEARTBEATS or not after:
            return 0, 0
        start = self.position
        self.position += size
        if self.position & LARGEST_START != after:
            raise MalformedError(
                f"the event of type {kind} at {self.file}:{start} says that it ends at {after},"
                f" not at {self.position}"
            )
        return start, self.position

    def _rotate(self, event: Event) -> None:
        """Follow the server to another file. It says so twice: in the file, and before the next."""
        file, position = read_rotate(event.body)
        if not event.end:
            self.file, self.position = file, position


def _reported(packet: bytes) -> MysqlError:
    """Return the error packet's number and text."""
    if packet[0] != _ERROR or len(packet) < 3:
        raise MalformedError(f"a packet that begins with {packet[:1].hex()} is no event")
    errno = int.from_bytes(packet[1:3], "little")
    text = packet[3:]
    if text.startswith(b"#"):
        text = text[6:]
    reason = text.decode(errors="replace")
    return MysqlError(f"The server ended the dump: {reason} ({errno})", errno, reason)


def dump(
    connection: Connection, start: Start, wanted: frozenset[int] | None = None
) -> Generator[Event]:
    """Yield the events of a server's binary logs from a position to the end there is now.

    The position must be where an event begins. Raises BinlogError where the log is damaged or
    the server is silent or gone, MysqlError with what it reports (1236: no such file or position).
    """
    _request(connection, start)
    raw: Any = connection.raw
    raw._sock.settimeout(SILENCE)
    decoder = Decoder(start, wanted)
    try:
        yield from decoder.events(packets(raw._rfile.read1))
    except MalformedError as error:
        place = f"{decoder.file}:{decoder.position}"
        raise BinlogError("binlog.damaged", connection.address, [f"{place}: {error}"]) from error
    except (EOFError, OSError) as error:
        reason = str(error) or "the connection was closed"
        place = f"{decoder.file}:{decoder.position}"
        raise BinlogError(
            "binlog.stream_ended", connection.address, [f"{place}: {reason}"]
        ) from error
    finally:
        connection.close()


def _request(connection: Connection, start: Start) -> None:
    """Ask for the dump, without waiting for what is written later.

    A UUID of its own keeps the server from taking the session for a replica's that came back.
    With checksums NONE the first, artificial event has none; those of the files keep theirs.
    """
    name = str(uuid.uuid4())
    connection.execute(
        "SET @source_binlog_checksum = 'NONE', @master_binlog_checksum = 'NONE',"
        " @replica_uuid = %s, @slave_uuid = %s",
        (name, name),
    )
    head = struct.pack("<IHI", start.position, _NON_BLOCK, start.server_id)
    connection.raw._execute_command(_COM_BINLOG_DUMP, head + start.file.encode())
