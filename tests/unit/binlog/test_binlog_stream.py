# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packets to events: whole, in place, and verified."""

from __future__ import annotations

import zlib

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    ARTIFICIAL,
    HEADER,
    HEADER_SIZE,
    HEARTBEAT,
    QUERY,
    ROTATE,
    XID,
    MalformedError,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.stream import (
    Decoder,
    Start,
    dump,
    packets,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    MysqlError,
)

from tests.unit.binlog.binlog_files import (
    EOF_PACKET,
    FILES,
    VERSIONS,
    FakeConnection,
    content,
    events,
    framed,
    raw_events,
    reader,
    sent,
)

FIRST = Start(FILES[0])


def decoded(data: bytes, most: int = 1 << 20) -> list[tuple[int, int, int]]:
    found = Decoder(FIRST).events(packets(reader(data, most)))
    return [(event.type, event.start, event.end) for event in found]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_event_lies_where_the_file_has_it(version: str) -> None:
    for file in FILES:
        at = 4
        own = [event for event in events(version, file) if event.file == file and event.end]
        for event, raw in zip(own, raw_events(content(version, file)), strict=True):
            assert (event.start, event.end) == (at, at + len(raw))
            assert event.body == raw[HEADER_SIZE:-4]
            at += len(raw)
        assert at == len(content(version, file))


@pytest.mark.parametrize("most", [1, 3, 100, 4096])
def test_how_the_bytes_arrive_makes_no_difference(most: int) -> None:
    data = sent("9.7.4", FIRST)
    assert decoded(data, most) == decoded(data)


def test_only_what_is_wanted_and_the_changes_of_file_are_yielded() -> None:
    types = {event.type for event in events("9.7.4", wanted=frozenset({XID}))}
    assert types == {XID, ROTATE, 15}


@pytest.mark.parametrize("version", VERSIONS)
def test_any_flipped_bit_is_noticed(version: str) -> None:
    data = sent(version, FIRST)
    header = 4 + 1
    first = len(framed([b"\0" + b"x" * 43]))
    for at in range(first + header, len(data) - len(EOF_PACKET) - 4, 97):
        broken = bytearray(data)
        broken[at] ^= 1 << at % 8
        with pytest.raises((MalformedError, EOFError, MysqlError)):
            decoded(bytes(broken))


def test_a_missing_packet_is_noticed() -> None:
    data = framed([b"\0" + event for event in raw_events(content("9.7.4", FILES[0]))])
    second = 4 + int.from_bytes(data[:3], "little")
    third = second + 4 + int.from_bytes(data[second : second + 3], "little")
    with pytest.raises(MalformedError, match="packet 2 is missing"):
        decoded(data[:second] + data[third:])


def test_an_event_that_is_left_out_is_noticed() -> None:
    one, two, _three, *rest = raw_events(content("9.7.4", FILES[0]))
    with pytest.raises(MalformedError, match="says that it ends at"):
        decoded(framed([b"\0" + event for event in (one, two, *rest)]))


def test_a_peer_that_goes_away_is_no_end() -> None:
    with pytest.raises(EOFError):
        decoded(sent("9.7.4", FIRST)[:-10])


@pytest.mark.parametrize("size", [0xFFFFFF - 20, 0xFFFFFF - 1, 0xFFFFFF, 2 * 0xFFFFFF + 5])
def test_an_event_larger_than_a_packet_is_put_together(size: int) -> None:
    description = next(raw_events(content("9.7.4", FILES[0])))
    start = 4 + len(description)
    head = HEADER.pack(0, QUERY, 1, size, start + size, 0)
    event = head + b"x" * (size - HEADER_SIZE - 4)
    event += zlib.crc32(event).to_bytes(4, "little")
    data = framed([b"\0" + description, b"\0" + event, EOF_PACKET])
    assert decoded(data)[-1] == (QUERY, start, start + size)


def test_positions_go_on_beyond_four_gib() -> None:
    begin = 2**32 - 10
    event = HEADER.pack(0, XID, 1, HEADER_SIZE + 8, begin + 27 - 2**32, 0) + bytes(8)
    decoder = Decoder(Start("f", begin))
    found = list(decoder.events(packets(reader(framed([b"\0" + event, EOF_PACKET])))))
    assert (found[0].start, found[0].end) == (begin, begin + 27)


def test_what_lies_in_no_file_moves_no_position() -> None:
    note = HEADER.pack(0, QUERY, 1, HEADER_SIZE + 8, 4711, ARTIFICIAL) + bytes(8)
    beat = HEADER.pack(0, HEARTBEAT, 1, HEADER_SIZE + 8, 4711, 0) + bytes(8)
    event = HEADER.pack(0, XID, 1, HEADER_SIZE + 8, 100 + 27, 0) + bytes(8)
    sent_ones = [b"\0" + one for one in (note, beat, event)]
    decoder = Decoder(Start("f", 100))
    found = list(decoder.events(packets(reader(framed([*sent_ones, EOF_PACKET])))))
    assert [(one.start, one.end) for one in found] == [(0, 0), (0, 0), (100, 127)]


def test_the_servers_own_words_are_told() -> None:
    data = framed([b"\xff\xd4\x04#HY000Could not find first log file name"])
    with pytest.raises(MysqlError, match="Could not find first log file name") as error:
        decoded(data)
    assert error.value.errno == 1236


def test_a_session_is_closed_after_a_dump_whatever_was_read_of_it() -> None:
    requests: list[Start] = []
    connection = FakeConnection("9.7.4", requests)
    found = dump(connection, Start(FILES[1], server_id=4711))  # type: ignore[arg-type]
    next(found)
    found.close()
    assert connection.closed
    assert requests == [Start(FILES[1], 4, 4711)]
