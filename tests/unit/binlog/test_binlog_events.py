# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What bytes mean."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    GTID,
    GTIDS,
    PREVIOUS_GTIDS,
    TAGGED_GTID,
    Cursor,
    Gtid,
    MalformedError,
    read_format,
    read_gtid,
    read_previous_gtids,
)

from tests.unit.binlog.binlog_files import FILES, UUIDS, VERSIONS, events


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("00", 0),
        ("fe", 127),
        ("0102", 128),
        ("fbff07", 65535),
        ("ff" + "ff" * 8, 2**64 - 1),
        ("7f" + "ff" * 7, 2**56 - 1),
    ],
)
def test_unsigned_numbers_of_the_serialization_library(written: str, number: int) -> None:
    cursor = Cursor(bytes.fromhex(written))
    assert (cursor.unsigned(), cursor.left) == (number, 0)


@pytest.mark.parametrize(
    ("written", "number"), [("f3ff0f", 65535), ("ebff0f", -65535), ("fbff0f", -65536), ("04", 1)]
)
def test_signed_numbers_of_the_serialization_library(written: str, number: int) -> None:
    assert Cursor(bytes.fromhex(written)).signed() == number


@pytest.mark.parametrize(
    ("written", "number"),
    [("fa", 250), ("fcfb00", 251), ("fd000001", 65536), ("fe" + "00" * 7 + "01", 2**56)],
)
def test_packed_numbers(written: str, number: int) -> None:
    assert Cursor(bytes.fromhex(written)).packed() == number


@pytest.mark.parametrize("written", ["", "fb", "fc00", "ff"])
def test_no_packed_number(written: str) -> None:
    with pytest.raises(MalformedError):
        Cursor(bytes.fromhex(written)).packed()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_gtid_event_tells_who_when_and_how_long(version: str) -> None:
    first = next(event for event in events(version) if event.type in GTIDS)
    gtid = read_gtid(first.type, first.body)
    assert gtid.text == f"{UUIDS[version]}:1"
    assert gtid.committed == gtid.originally
    # The event's own second, and microseconds within it.
    assert gtid.committed // 1_000_000 == first.timestamp
    following = [event for event in events(version) if event.type in GTIDS][1]
    assert first.start + gtid.length == following.start


def test_a_tagged_gtid() -> None:
    tagged = [event for event in events("9.7.4") if event.type == TAGGED_GTID]
    gtid = read_gtid(TAGGED_GTID, tagged[0].body)
    assert gtid.text == f"{UUIDS['9.7.4']}:blue:1"
    assert (tagged[0].start, tagged[0].start + gtid.length) == (5466, 5740)
    assert gtid.committed == 1795327802614569


def test_a_gtid_that_came_from_another_server_has_two_times() -> None:
    body = b"".join(
        (
            b"\0" + bytes(range(16)) + (7).to_bytes(8, "little") + b"\2" + bytes(16),
            (1_700_000_000_000_000 | 1 << 55).to_bytes(7, "little"),
            (1_600_000_000_000_000).to_bytes(7, "little"),
            b"\xfc\x00\x01" + bytes(4),
        )
    )
    expected = "00010203-0405-0607-0809-0a0b0c0d0e0f"
    committed, originally = 1_700_000_000_000_000, 1_600_000_000_000_000
    assert read_gtid(GTID, body) == Gtid(expected, "", 7, committed, originally, 256)


def test_a_gtid_of_a_server_that_is_too_old_is_refused() -> None:
    with pytest.raises(MalformedError, match=r"older than 8\.0\.2"):
        read_gtid(GTID, bytes(25) + b"\0" * 40)


@pytest.mark.parametrize("cut", [0, 1, 20, 30, 60])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_gtid_event_that_is_cut_is_malformed(version: str, cut: int) -> None:
    for event in events(version):
        if event.type in GTIDS and cut < len(event.body) - 12:
            with pytest.raises(MalformedError):
                read_gtid(event.type, event.body[:cut])


@pytest.mark.parametrize(("version", "tail"), [("8.0.15", ":1-9"), ("9.7.4", ":1-10:blue:1")])
def test_previous_gtids_with_and_without_tags(version: str, tail: str) -> None:
    found = {
        event.file: str(read_previous_gtids(event.body))
        for event in events(version)
        if event.type == PREVIOUS_GTIDS
    }
    assert found == {FILES[0]: "", FILES[1]: UUIDS[version] + tail}


def test_a_format_other_than_four_is_refused() -> None:
    with pytest.raises(MalformedError, match="format 3"):
        read_format(b"\3\0" + bytes(90))
