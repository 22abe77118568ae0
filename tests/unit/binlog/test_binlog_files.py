# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Binary logs as files: the same events as a server sends, leaps, ends and damage."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    GTIDS,
    QUERY,
    MalformedError,
    read_gtid,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.files import (
    Leap,
    file_events,
    file_head,
    leap_for,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.query import read_query
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.transactions import (
    CHANGES,
    DETAILS,
    PLACES,
    STATEMENTS,
    Grouper,
)

from tests.unit.binlog.binlog_files import FILES, UUIDS, VERSIONS, content, events


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES)
def test_a_file_holds_what_its_server_sends(version: str, file: str) -> None:
    sent = [event for event in events(version, file, DETAILS) if event.file == file and event.end]
    wanted = [event for event in sent if event.type in DETAILS]
    read = list(file_events(content(version, file), file, DETAILS))
    assert [event._replace(gtid=None) for event in read] == wanted
    # What a transaction's first event told already is the same as when it is read again.
    opened = [event for event in read if event.type in GTIDS]
    assert [event.gtid for event in opened] == [read_gtid(e.type, e.body) for e in opened]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wanted", [PLACES, STATEMENTS])
def test_leaping_over_rows_leaves_the_same_transactions(
    version: str, wanted: frozenset[int]
) -> None:
    data = content(version, FILES[0])
    assert leap_for(wanted) is not Leap.NOTHING
    leapt = Grouper(None, count_rows=False).transactions(file_events(data, FILES[0], wanted))
    read = Grouper(None, count_rows=False).transactions(
        file_events(data, FILES[0], wanted, leap=Leap.NOTHING)
    )
    assert list(leapt) == list(read)


@pytest.mark.parametrize("version", VERSIONS)
def test_leaps_pass_over_most_of_a_file_and_still_see_every_statement_on_a_table(
    version: str,
) -> None:
    data = content(version, FILES[0])
    statements = [
        read_query(event.type, event.body).text
        for event in file_events(data, FILES[0], STATEMENTS)
        if event.type == QUERY
    ]
    assert any(text.startswith("DROP TABLE") for text in statements)
    few = list(file_events(data, FILES[0], frozenset({*CHANGES}), leap=Leap.ROWS))
    assert len(few) < len(list(file_events(data, FILES[0], CHANGES)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_is_cut_off_ends_with_its_last_whole_transaction(version: str) -> None:
    data = content(version, FILES[0])
    starts = [event.start for event in file_events(data, FILES[0], GTIDS)]
    for cut in (starts[-1] + 10, starts[-1] + 70, len(data) - 60):
        found = Grouper(None, count_rows=True).transactions(
            file_events(data[:cut], FILES[0], CHANGES)
        )
        assert [one.start for one in found] == starts[:-1]


def test_damage_is_told_with_its_place() -> None:
    data = bytearray(content("9.7.4", FILES[0]))
    data[300] ^= 1
    with pytest.raises(MalformedError, match=r"binlog\.000001:"):
        list(file_events(bytes(data), FILES[0], DETAILS))


def test_a_log_that_its_server_has_not_closed_is_no_damaged_one() -> None:
    data = bytearray(content("9.7.4", FILES[1]))
    data[4 + 17] |= 1
    assert list(file_events(bytes(data), FILES[1], PLACES))


def test_what_is_no_binary_log_or_an_encrypted_one_is_said_to_be_that() -> None:
    with pytest.raises(MalformedError, match="not as a binary log does"):
        list(file_events(b"PK\x03\x04", "a", PLACES))
    with pytest.raises(MalformedError, match="binlog_encryption"):
        list(file_events(b"\xfdbin" + bytes(600), "a", PLACES))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_head_says_what_lies_before(version: str) -> None:
    begun, said, previous = file_head(content(version, FILES[1]), FILES[1])
    assert begun > 1_700_000_000
    assert said.startswith(version)
    assert previous.uuids == (UUIDS[version],)


@pytest.mark.parametrize("version", VERSIONS)
def test_of_a_run_of_rows_the_last_alone_is_told_of_and_the_others_are_counted(
    version: str,
) -> None:
    data = content(version, FILES[0])
    each, runs = (Grouper(None, count_rows=False) for _leap in (Leap.ROWS, Leap.RUNS))
    whole = list(each.transactions(file_events(data, FILES[0], STATEMENTS, leap=Leap.ROWS)))
    told = list(runs.transactions(file_events(data, FILES[0], STATEMENTS, leap=Leap.RUNS)))
    assert each.executed is not None
    assert runs.executed is not None
    assert runs.executed.gtid_set() == each.executed.gtid_set()
    # Those with statements, and before each of them the last of a run.
    assert [one for one in whole if one in told] == told
    assert [one for one in whole if one.effects] == [one for one in told if one.effects]
    assert len(told) < len(whole)
    # The third to the fifth hold rows.
    numbers = [one.gtid.number for one in told if not one.gtid.tag]
    assert 5 in numbers
    assert not {3, 4} & {*numbers}


@pytest.mark.parametrize("version", VERSIONS)
def test_damage_within_a_run_is_found(version: str) -> None:
    data = content(version, FILES[0])
    third = next(
        event
        for event in file_events(data, FILES[0], GTIDS)
        if event.gtid and event.gtid.number == 4
    )
    for at in (third.start + 30, third.end + 25):
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(MalformedError):
            list(file_events(damaged, FILES[0], STATEMENTS, leap=Leap.RUNS))
