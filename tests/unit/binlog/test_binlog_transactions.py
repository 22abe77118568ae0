# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events to transactions: what each did, as the people who did it would say."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import transactions
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    GTIDS,
    QUERY,
    TABLE_MAP,
    TRANSACTION_PAYLOAD,
    XID,
    Event,
    MalformedError,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.payload import (
    Decompress,
    read_payload,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.rows import (
    DELETE,
    INSERT,
    KINDS,
    UPDATE,
    count_rows,
    read_table,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.transactions import (
    DETAILS,
    Grouper,
    Transaction,
    iso_time,
)

from tests.unit.binlog.binlog_files import FILES, UUIDS, VERSIONS, content, events, raw_events

COMMON: list[dict[str, dict[str, int] | list[str]]] = [
    {"shop.*": ["CREATE"]},
    {"shop.wide": ["CREATE"]},
    {"shop.wide": {INSERT: 5}},
    {"shop.wide": {INSERT: 2}},
    {"shop.wide": {UPDATE: 3}},
    {"shop.small": ["CREATE"]},
    {"shop.small": {INSERT: 3, UPDATE: 3}, "shop.wide": {DELETE: 4}},
    {"": ["CREATE"]},
]
DONE = {
    "8.0.15": [
        *COMMON,
        {"shop.wide": ["DROP"], "shop.small": ["DROP"]},
        {"after_it.*": ["CREATE"]},
    ],
    "9.7.4": [
        *COMMON,
        {"shop.small": {INSERT: 1}},
        {},
        {"shop.wide": ["DROP"], "shop.small": ["DROP"]},
        {"after_it.*": ["CREATE"]},
    ],
}
# A transaction is delivered with its type and length before what it holds.
INNER = frozenset({QUERY, TABLE_MAP, XID, *KINDS})


def read(
    version: str, decompress: Decompress | None = None, *, count: bool = True
) -> list[Transaction]:
    grouper = Grouper(decompress, count_rows=count)
    return list(grouper.transactions(events(version, wanted=DETAILS)))


def done(transaction: Transaction) -> dict[str, Any]:
    return {
        name.text + (".*" if name.schema and not name.table else ""): effect.rows
        or list(effect.kinds)
        for name, effect in transaction.effects.items()
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_each_transaction_with_its_tables_and_rows(version: str) -> None:
    assert [done(transaction) for transaction in read(version)] == DONE[version]


@pytest.mark.parametrize("version", VERSIONS)
def test_transactions_follow_each_other_without_a_gap(version: str) -> None:
    in_first = [found for found in read(version) if found.file == FILES[0]]
    for before, after in zip(in_first, in_first[1:], strict=False):
        assert before.end == after.start
    # Behind the last one there is the event that names the next file.
    assert len(content(version, FILES[0])) - in_first[-1].end == 44


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_executed_is_known_at_each_transaction(version: str) -> None:
    grouper = Grouper(None, count_rows=False)
    executed = []
    for _transaction in grouper.transactions(events(version)):
        assert grouper.executed is not None
        executed.append(str(grouper.executed.gtid_set()))
    uuid = UUIDS[version]
    assert executed[:3] == ["", f"{uuid}:1", f"{uuid}:1-2"]
    expected = {"8.0.15": ":1-9", "9.7.4": ":1-10:blue:1"}[version]
    assert executed[-1] == uuid + expected
    assert grouper.executed is not None
    after = {"8.0.15": ":1-10", "9.7.4": ":1-11:blue:1"}[version]
    assert str(grouper.executed.gtid_set()) == uuid + after


@pytest.mark.parametrize("version", VERSIONS)
def test_statements_are_told_where_they_are_logged_and_without_secrets(version: str) -> None:
    told = [transaction.statements for transaction in read(version)]
    assert told[2] == []
    assert told[6] == [
        "INSERT INTO shop.small VALUES (1),(2),(3)",
        "DELETE FROM shop.wide WHERE id<=4",
        "UPDATE shop.small SET id=id+10 ORDER BY id DESC",
    ]
    assert told[7][0].startswith("CREATE USER 'zed'@'localhost' IDENTIFIED WITH 'caching_sha2")
    assert "A$005" not in told[7][0]
    assert "***" in told[7][0]


def test_a_compressed_transaction_that_nothing_opens_says_so() -> None:
    found = read("9.7.4")[9]
    assert (found.compressed, found.complete, found.effects) == (True, False, {})
    assert found.gtid.text == f"{UUIDS['9.7.4']}:9"
    assert (found.start, found.end) == (5740, 5997)
    assert not found.as_dict()["complete"]


def _inner_events() -> bytes:
    """What a payload holds of the transaction with three inserts: events without checksums."""
    parts = []
    own = list(raw_events(content("9.7.4", FILES[0])))
    begin = [index for index, event in enumerate(own) if event[4] in GTIDS][6] + 1
    for event in own[begin:]:
        if event[4] in GTIDS:
            break
        size = len(event) - 4
        parts.append(event[:9] + size.to_bytes(4, "little") + event[13:-4])
    return b"".join(parts)


def _payload(algorithm: int, data: bytes) -> bytes:
    return bytes([2, 1, algorithm]) + bytes([3, 3, 0xFC]) + b"\0\1" + b"\0" + data


def _payload_event(body: bytes) -> Event:
    return Event(TRANSACTION_PAYLOAD, 0, 1, FILES[0], 100, 200, body)


@pytest.mark.parametrize("compressed", [True, False])
def test_what_lies_in_a_payload_counts_as_if_it_lay_in_the_file(compressed: bool) -> None:
    plain = read("9.7.4")[6]
    asked: list[bytes] = []

    def decompress(data: bytes) -> io.BytesIO:
        asked.append(data)
        return io.BytesIO(_inner_events())

    body = _payload(0, b"zstd") if compressed else _payload(0xFC, b"")
    if not compressed:
        body = bytes([2, 3, 0xFC, 0xFF, 0]) + b"\0" + _inner_events()
    opened = next(event for event in events("9.7.4") if event.type in GTIDS)
    inside = _payload_event(body)._replace(start=opened.end, end=opened.end + 10)
    grouper = Grouper(decompress, count_rows=True)
    found = next(grouper.transactions([opened, inside]))
    assert (found.compressed, found.complete) == (True, True)
    assert done(found) == done(plain)
    assert found.statements == plain.statements
    assert asked == ([b"zstd"] if compressed else [])


@pytest.mark.parametrize("cut", [1, 18, 19, 25])
def test_a_payload_that_is_cut_is_malformed(cut: int) -> None:
    event = _payload_event(_payload(0, b""))
    with pytest.raises(MalformedError, match="ends within"):
        list(read_payload(event, lambda _data: io.BytesIO(_inner_events()[:-cut])))


def test_an_event_smaller_than_its_header_is_malformed() -> None:
    broken = _inner_events()
    broken = broken[:9] + (5).to_bytes(4, "little") + broken[13:]
    with pytest.raises(MalformedError, match="ends within"):
        list(read_payload(_payload_event(_payload(0, b"")), lambda _data: io.BytesIO(broken)))


def test_a_compression_that_is_not_known_is_refused() -> None:
    with pytest.raises(MalformedError, match="compression 7"):
        list(read_payload(_payload_event(_payload(7, b"")), io.BytesIO))


def test_rows_are_not_looked_into_where_they_need_not_be_counted() -> None:
    assert done(read("8.0.15", count=False)[2]) == {"shop.wide": {INSERT: 1}}


def test_rows_of_another_table_are_malformed() -> None:
    found = events("8.0.15")
    tables = [read_table(event.body) for event in found if event.type == TABLE_MAP]
    rows = next(event for event in found if event.type in KINDS)
    with pytest.raises(MalformedError, match="columns"):
        count_rows(rows.type, rows.body, next(table for table in tables if table.name == "small"))


def test_a_row_that_is_cut_is_malformed() -> None:
    found = events("8.0.15")
    table = read_table(next(event for event in found if event.type == TABLE_MAP).body)
    rows = next(event for event in found if event.type in KINDS)
    with pytest.raises(MalformedError):
        count_rows(rows.type, rows.body[:-1], table)


def test_a_long_statement_is_shown_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "LONGEST_STATEMENT", 10)
    monkeypatch.setattr(transactions, "MOST_STATEMENTS", 2)
    assert read("8.0.15")[6].statements == ["INSERT INT...", "DELETE FRO..."]


def test_a_moment_keeps_its_microseconds() -> None:
    assert iso_time(1795327802614569) == "2026-11-22T06:10:02.614569Z"
    assert iso_time(0) == "1970-01-01T00:00:00.000000Z"
