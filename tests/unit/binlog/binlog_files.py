# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two binary logs of each end of the supported versions, as real servers wrote them, and a server
that sends them.

What was done, on both: a table of every type, rows of it, an update of some columns and of a part
of a JSON document, one transaction over two tables with the statements logged, an account, a DROP
of both tables; on 9.7 a tagged GTID and a compressed transaction before the DROP. Then, in the
second file, one CREATE DATABASE.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    ARTIFICIAL,
    FORMAT_DESCRIPTION,
    HEADER,
    HEADER_SIZE,
    ROTATE,
    Event,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.stream import (
    Decoder,
    Start,
    packets,
)

DATA = Path(__file__).parent / "data"
VERSIONS = ("8.0.15", "9.7.4")
UUIDS = {
    "8.0.15": "bfa47ce4-e639-11f1-a0c0-02fc00000001",
    "9.7.4": "bd739ce7-e639-11f1-8887-02fc00000001",
}
FILES = ("binlog.000001", "binlog.000002")
EOF_PACKET = b"\xfe\x00\x00\x02\x00"
DUMP = 0x12


def content(version: str, file: str) -> bytes:
    """A captured file."""
    return (DATA / f"mysql-{version}.{file.partition('.')[2]}.binlog").read_bytes()


def raw_events(data: bytes) -> Iterator[bytes]:
    """Each event of a file, header and checksum included."""
    at = 4
    while at < len(data):
        size = int.from_bytes(data[at + 9 : at + 13], "little")
        yield data[at : at + size]
        at += size


def artificial_rotate(file: str, position: int, *, checksum: bool) -> bytes:
    """What a server sends before a file; with a checksum once a file with checksums was sent."""
    body = struct.pack("<Q", position) + file.encode()
    size = HEADER_SIZE + len(body) + 4 * checksum
    event = HEADER.pack(0, ROTATE, 1, size, 0, ARTIFICIAL) + body
    return event + zlib.crc32(event).to_bytes(4, "little") if checksum else event


def framed(payloads: list[bytes], first: int = 1) -> bytes:
    """Packets of the client protocol, split where one is too large for a packet."""
    sent, number = bytearray(), first
    for payload in payloads:
        rest = payload
        while True:
            part, rest = rest[:0xFFFFFF], rest[0xFFFFFF:]
            sent += len(part).to_bytes(3, "little") + bytes([number & 0xFF]) + part
            number += 1
            if len(part) < 0xFFFFFF:
                break
    return bytes(sent)


def _nowhere(event: bytes) -> bytes:
    """An event as a server sends it where the dump begins behind it: with no position."""
    cleared = event[:13] + bytes(4) + event[17:-4]
    return cleared + zlib.crc32(cleared).to_bytes(4, "little")


def sent(version: str, start: Start, tail: bytes = EOF_PACKET) -> bytes:
    """What a server sends for a dump of the captured files."""
    payloads: list[bytes] = []
    for file in FILES[FILES.index(start.file) :]:
        position = start.position if file == start.file else 4
        data = content(version, file)
        payloads.append(b"\0" + artificial_rotate(file, position, checksum=bool(payloads)))
        at = 4
        for event in raw_events(data):
            if at >= position:
                payloads.append(b"\0" + event)
            elif event[4] == FORMAT_DESCRIPTION:
                payloads.append(b"\0" + _nowhere(event))
            at += len(event)
    return framed([*payloads, tail])


def reader(data: bytes, most: int = 1 << 20) -> Callable[[int], bytes]:
    """A peer that gives at most so many bytes at a time, then nothing."""
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        part = data[at : at + min(size, most)]
        at += len(part)
        return part

    return read


def events(version: str, file: str = FILES[0], wanted: frozenset[int] | None = None) -> list[Event]:
    """The events from a captured file on."""
    start = Start(file)
    return list(Decoder(start, wanted).events(packets(reader(sent(version, start)))))


class FakeRaw:
    """The parts of PyMySQL's connection that a dump uses."""

    def __init__(self, version: str, requests: list[Start]) -> None:
        self.version = version
        self.requests = requests
        self._rfile = self
        self._sock = self

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def _execute_command(self, command: int, payload: bytes) -> None:
        assert command == DUMP
        position, flags, server_id = struct.unpack_from("<IHI", payload)
        assert flags == 1, "the dump would wait for more for ever"
        start = Start(payload[10:].decode(), position, server_id)
        self.requests.append(start)
        # Small parts, so that events are split between them.
        self.read1 = reader(sent(self.version, start), 700)


class FakeConnection:
    """A session of a server that holds the captured files."""

    def __init__(self, version: str, requests: list[Start]) -> None:
        self.address = f"mysql-{version}"
        self.raw = FakeRaw(version, requests)
        self.closed = False

    def execute(self, sql: str, params: tuple[Any, ...] = ()) -> int:
        assert sql.startswith("SET @source_binlog_checksum")
        return 0

    def close(self) -> None:
        self.closed = True
