# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be recovered from an archive: gaps, chains, window, retention. No file, no server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import archive
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive import (
    Archive,
    Base,
    Binlog,
    build,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

A = "aaaaaaaa-0000-0000-0000-000000000001"
B = "bbbbbbbb-0000-0000-0000-000000000002"
NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)


def gtids(text: str) -> GtidSet:
    """``a:1-5 b:3`` as a set."""
    return GtidSet.parse(",".join(text.replace("a:", f"{A}:").replace("b:", f"{B}:").split()))


def log(server: str, number: int, previous: str, holds: str, **more: Any) -> Binlog:
    """A sealed binary log; its transactions are committed in the second of its number."""
    found = gtids(holds)
    name = f"mysql-bin.{number:06}"
    moment = number * 1_000_000 if found else None
    given: dict[str, Any] = {
        "path": f"binlog/{server}/{name}",
        "sealed": True,
        "transactions": found.count,
        "first_commit": moment,
        "last_commit": moment,
        "size": 100,
        "stored_size": 100,
        **more,
    }
    return Binlog(server, name, previous=gtids(previous), gtids=found, **given)


def base(days_ago: float, executed: str, verified: str = "ok") -> Base:
    ended = NOW - timedelta(days=days_ago)
    return Base(
        id=ended.strftime(archive.ID_FORMAT),
        method="clone",
        server_version="9.7.4",
        server_uuid=A,
        gtid_executed=gtids(executed),
        started=ended,
        ended=ended,
        size=1000,
        stored="data",
        verified=verified,
    )


WHOLE = (
    log(A, 1, "", "a:1-10"),
    log(A, 2, "a:1-10", "a:11-20"),
    log(A, 3, "a:1-20", "a:21-30", sealed=False),
)


def names(logs: Any) -> list[str]:
    return [f"{one.server_uuid[0]}{int(one.name[-6:])}" for one in logs]


def test_an_archive_without_a_hole_has_no_gap():
    assert not archive.gaps(build(WHOLE, [base(1, "a:1-5")]))


def test_what_lies_before_the_first_file_is_no_gap():
    assert not archive.gaps(build(WHOLE[1:], []))


def test_a_file_that_is_missing_is_a_gap_by_its_transactions():
    assert archive.gaps(build([WHOLE[0], WHOLE[2]], [])) == gtids("a:11-20")


def test_a_base_after_the_missing_file_closes_the_gap():
    assert not archive.gaps(build([WHOLE[0], WHOLE[2]], [base(1, "a:1-20")]))


def test_what_another_server_logged_is_no_gap():
    # The new primary was a replica and logged a:11-20 itself; it goes on under its own UUID.
    logs = [WHOLE[0], log(B, 7, "a:1-10", "a:11-20 b:1-5"), log(B, 8, "a:1-20 b:1-5", "b:6")]
    assert not archive.gaps(build(logs, []))


def test_transactions_lost_between_two_servers_are_a_gap():
    logs = [WHOLE[0], log(B, 7, "a:1-12", "b:1-5")]
    assert archive.gaps(build(logs, [])) == gtids("a:11-12")


def test_a_chain_begins_in_the_file_that_the_base_was_taken_in():
    found = archive.chain(build(WHOLE, []), base(1, "a:1-15"))
    assert names(found.files) == ["a2", "a3"]
    assert found.reached == gtids("a:1-30")
    assert not found.missing
    assert found.last_commit == 3_000_000


def test_a_chain_ends_before_a_hole_and_says_what_is_missing():
    found = archive.chain(build([WHOLE[0], WHOLE[2]], []), base(1, "a:1-5"))
    assert names(found.files) == ["a1"]
    assert found.missing == gtids("a:11-20")


def test_a_chain_follows_a_switchover_and_back():
    logs = [
        WHOLE[0],
        log(B, 7, "a:1-10", "b:1-5"),
        log(A, 4, "a:1-10 b:1-5", "a:11-12"),
    ]
    found = archive.chain(build(logs, []), base(1, "a:1-5"))
    assert names(found.files) == ["a1", "b7", "a4"]
    assert found.reached == gtids("a:1-12 b:1-5")


def test_a_chain_to_a_target_reads_no_file_after_it():
    found = archive.chain(build(WHOLE, []), base(1, "a:1-5"), gtids("a:1-12"))
    assert names(found.files) == ["a1", "a2"]


def test_a_target_beyond_the_end_is_missing():
    found = archive.chain(build(WHOLE, []), base(1, "a:1-5"), gtids("a:1-33"))
    assert found.missing == gtids("a:31-33")


def test_the_newest_base_before_the_target_is_chosen():
    bases = [base(3, "a:1-5"), base(2, "a:1-15"), base(1, "a:1-25")]
    found = archive.choose_base(build(WHOLE, bases), gtids("a:1-20"))
    assert found is not None
    assert found.base == bases[1]


def test_a_base_that_no_server_was_started_from_is_not_chosen():
    bases = [base(3, "a:1-5"), base(2, "a:1-15", verified="sha256 differs")]
    found = archive.choose_base(build(WHOLE, bases), gtids("a:1-20"))
    assert found is not None
    assert found.base == bases[0]


def test_no_base_is_chosen_for_another_history_or_across_a_hole():
    assert archive.choose_base(build(WHOLE, [base(1, "b:1-5")]), gtids("a:1-20")) is None
    holed = build([WHOLE[0], WHOLE[2]], [base(1, "a:1-5")])
    assert archive.choose_base(holed, gtids("a:1-30")) is None


def test_the_window_goes_from_the_oldest_base_to_the_last_transaction():
    bases = [base(2, "a:1-5"), base(1, "a:1-15")]
    late = log(A, 3, "a:1-20", "a:21-30", last_commit=archive.microseconds(NOW), sealed=False)
    found = archive.window(build([*WHOLE[:2], late], bases))
    assert found.earliest is not None
    assert found.latest is not None
    assert found.earliest.base == bases[0].id
    assert found.earliest.time == archive.microseconds(bases[0].ended)
    assert found.latest.gtid_executed == gtids("a:1-30")
    assert found.latest.time == archive.microseconds(NOW)


def test_the_window_begins_after_a_hole():
    bases = [base(2, "a:1-5"), base(1, "a:1-20")]
    found = archive.window(build([WHOLE[0], WHOLE[2]], bases))
    assert found.earliest is not None
    assert found.earliest.base == bases[1].id


def test_without_a_usable_base_there_is_no_window():
    assert archive.window(build(WHOLE, [base(1, "a:1-5", verified="")])).earliest is None


def test_retention_keeps_by_count_and_by_days():
    bases = [base(9, "a:1-2"), base(5, "a:1-5"), base(3, "a:1-12"), base(1, "a:1-15")]
    whole = build(WHOLE, bases)
    assert archive.retention(whole, 1, 0, NOW).bases == tuple(bases[:3])
    assert archive.retention(whole, 1, 4, NOW).bases == tuple(bases[:2])
    assert archive.retention(whole, 3, 0, NOW).bases == tuple(bases[:1])
    assert archive.retention(whole, 9, 0, NOW).bases == ()


def test_retention_never_breaks_the_chain_of_the_oldest_kept_base():
    bases = [base(5, "a:1-5"), base(1, "a:1-10")]
    kept_both = archive.retention(build(WHOLE, bases), 2, 0, NOW)
    assert kept_both.binlogs == ()
    kept_one = archive.retention(build(WHOLE, bases), 1, 0, NOW)
    # All of a1 is in the base; a2 is not, and a3 grows.
    assert names(kept_one.binlogs) == ["a1"]
    assert kept_one.paths == (
        f"base/{bases[0].id}",
        f"binlog/{A}/mysql-bin.000001",
        f"binlog/{A}/mysql-bin.000001.json",
    )


def test_retention_removes_nothing_without_a_verified_base():
    bases = [base(9, "a:1-30", verified=""), base(8, "a:1-30", verified="broken")]
    assert archive.retention(build(WHOLE, bases), 1, 0, NOW) == archive.Removal((), ())


def test_the_newest_file_of_each_server_stays_for_the_archiver():
    logs = [WHOLE[0], log(B, 7, "a:1-10", "b:1"), log(B, 8, "a:1-10 b:1", "b:2")]
    found = archive.retention(build(logs, [base(1, "a:1-10 b:1-2")]), 1, 0, NOW)
    assert names(found.binlogs) == ["b7"]


def test_a_document_that_lacks_something_is_named():
    with pytest.raises(CollectionError, match=r"binlog/x/mysql-bin.000001.json lacks 'stored'"):
        archive.read_binlog({"server_uuid": A, "name": "mysql-bin.000001"}, "binlog/x", sealed=True)
    with pytest.raises(CollectionError, match="base/7/manifest.json lacks"):
        archive.read_base({"id": "7"})


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}'])
def test_a_document_of_another_kind_is_refused(text):
    with pytest.raises(CollectionError, match=r"archive: archive\.json"):
        archive.parse(text, "archive.json")


def test_logs_beyond_the_millionth_stay_in_order():
    logs = [log(A, 1_000_000, "a:1", "a:2"), log(A, 999_999, "", "a:1")]
    assert [one.name for one in build(logs, []).binlogs] == [
        "mysql-bin.999999",
        "mysql-bin.1000000",
    ]


def test_an_unknown_base_is_refused_with_those_that_there_are():
    with pytest.raises(CollectionError, match="no base '7'; there are: none"):
        Archive().base("7")
