# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The event that holds a compressed transaction (binlog_transaction_compression, from 8.0.20)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import IO

from .events import HEADER, HEADER_SIZE, Cursor, Event, MalformedError

Decompress = Callable[[bytes], IO[bytes]]

ZSTD = 0
NOT_COMPRESSED = 255
_END, _SIZE, _ALGORITHM = 0, 1, 2


def _read_fields(body: bytes) -> tuple[int, bytes]:
    """Return the algorithm and what follows the fields: the compressed events."""
    cursor = Cursor(body)
    algorithm = NOT_COMPRESSED
    while (field := cursor.packed()) != _END:
        value = Cursor(cursor.take(cursor.packed()))
        if field == _ALGORITHM:
            algorithm = value.packed()
    return algorithm, cursor.take(cursor.left)


def decompressor() -> Decompress | None:
    """Return what opens zstd data as a stream, None where no library for it is installed."""
    try:
        zstandard: ModuleType = importlib.import_module("zstandard")
    except ImportError:
        return None
    decompress: Decompress = zstandard.ZstdDecompressor().stream_reader
    return decompress


def read_payload(event: Event, decompress: Decompress) -> Iterator[Event]:
    """Yield the events within, one at a time, so that memory does not grow with the transaction.

    They lie where the payload does, have no checksums and come in no packet of their own.
    Raises MalformedError.
    """
    algorithm, data = _read_fields(event.body)
    if algorithm not in (ZSTD, NOT_COMPRESSED):
        raise MalformedError(f"compression {algorithm} is neither 0 (zstd) nor 255 (none)")
    if algorithm == NOT_COMPRESSED:
        yield from _within(event, _Bytes(data))
    else:
        with decompress(data) as stream:
            yield from _within(event, stream)


class _Bytes:
    """Bytes with the one method of a stream that is used here."""

    def __init__(self, data: bytes) -> None:
        self.cursor = Cursor(data)

    def read(self, size: int) -> bytes:
        return self.cursor.take(min(size, self.cursor.left))


def _within(event: Event, stream: IO[bytes] | _Bytes) -> Iterator[Event]:
    while header := stream.read(HEADER_SIZE):
        if len(header) < HEADER_SIZE:
            raise MalformedError("the compressed transaction ends within a header")
        timestamp, kind, server_id, size, _position, _flags = HEADER.unpack(header)
        body = stream.read(size - HEADER_SIZE)
        if size < HEADER_SIZE or len(body) < size - HEADER_SIZE:
            raise MalformedError("the compressed transaction ends within an event")
        yield Event(kind, timestamp, server_id, event.file, event.start, event.end, body)
