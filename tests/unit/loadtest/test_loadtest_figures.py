# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.loadtest.figures import (
    Figures,
    Member,
    deviations,
    explain,
    shares,
)

PRIMARY = Member("mysql-1", "primary", 1, "uuid-1")
REPLICAS = (
    Member("mysql-11", "replica", 11, "uuid-11"),
    Member("mysql-12", "replica", 12, "uuid-12"),
)
MEMBERS = (PRIMARY, *REPLICAS)

GOOD = Figures(
    address="192.168.0.251",
    requests=2200,
    seconds=8.0,
    requests_per_second=275.0,
    reads={"uuid-11": 1010, "uuid-12": 990},
    writes={"uuid-1": 200},
    errors={},
    error_examples={},
    latency_ms={},
)


def codes(figures: Figures, members: Sequence[Member] = MEMBERS, wanted: int = 2200) -> list[str]:
    return [finding.code for finding in explain(members, figures, wanted, "en")]


@pytest.mark.parametrize(
    ("count", "total", "share", "expected"),
    [
        (1000, 2000, 0.5, 0.0),
        (1100, 2000, 0.5, 4.472),
        (900, 2000, 0.5, -4.472),
        (2000, 2000, 1.0, 0.0),
        (0, 0, 0.5, 0.0),
        (5, 2000, 0.0, 0.0),
    ],
)
def test_deviations_are_those_of_the_binomial(
    count: int, total: int, share: float, expected: float
) -> None:
    assert deviations(count, total, share) == pytest.approx(expected, abs=0.001)


def test_a_balanced_load_has_no_finding() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("first", "balanced"), [(1089, True), (1090, False), (911, True), (910, False)]
)
def test_the_bound_is_four_standard_deviations(first: int, balanced: bool) -> None:
    # sqrt(2000 * 1/2 * 1/2) = 22.36, so 4 of them are 89.4 reads.
    figures = replace(GOOD, reads={"uuid-11": first, "uuid-12": 2000 - first})
    assert codes(figures) == ([] if balanced else ["load.unbalanced"] * 2)


def test_the_shares_of_three_replicas() -> None:
    members = [*MEMBERS, Member("mysql-13", "replica", 13, "uuid-13")]
    figures = replace(GOOD, reads={"uuid-11": 650, "uuid-12": 680, "uuid-13": 670})
    assert codes(figures, members) == []
    taken = shares(members, figures)
    assert [share.expected_share for share in taken] == [0.0, *[pytest.approx(1 / 3)] * 3]
    assert taken[1].as_dict()["read_share"] == 0.325
    assert taken[0].as_dict()["writes"] == 200


def test_a_replica_that_answers_nothing_is_named() -> None:
    found = explain(MEMBERS, replace(GOOD, reads={"uuid-11": 2000}), 2200, "en")
    assert [(one.code, one.subject) for one in found] == [
        ("load.unbalanced", "mysql-11"),
        ("load.replica_unread", "mysql-12"),
    ]
    assert found[1].proof == ("0 of 2000 reads answered by mysql-12 (0.0%)",)


def test_one_replica_takes_all_the_reads() -> None:
    assert codes(replace(GOOD, reads={"uuid-11": 2000}), MEMBERS[:2]) == []


def test_a_primary_alone_takes_all_the_reads() -> None:
    assert codes(replace(GOOD, reads={"uuid-1": 2000}), MEMBERS[:1]) == []


def test_reads_at_the_primary_are_named() -> None:
    figures = replace(GOOD, reads={"uuid-11": 995, "uuid-12": 1000, "uuid-1": 5})
    found = explain(MEMBERS, figures, 2200, "en")
    assert [(one.code, one.subject) for one in found] == [("load.read_elsewhere", "mysql-1")]
    assert found[0].proof == ("5 of 2000 reads answered by mysql-1 (server_uuid uuid-1) (0.2%)",)


def test_reads_at_a_stranger_are_named_by_uuid() -> None:
    figures = replace(GOOD, reads={"uuid-11": 995, "uuid-12": 1000, "uuid-99": 5})
    assert [one.subject for one in explain(MEMBERS, figures, 2200, "en")] == ["uuid-99"]


def test_writes_at_a_replica_are_named() -> None:
    found = explain(MEMBERS, replace(GOOD, writes={"uuid-1": 199, "uuid-12": 1}), 2200, "en")
    assert [(one.code, one.subject) for one in found] == [("load.write_elsewhere", "mysql-12")]


def test_errors_are_counted_by_kind_with_an_example() -> None:
    figures = replace(
        GOOD,
        errors={"timeout": 1, "http_503 database.unreachable": 3},
        error_examples={"timeout": "timed out", "http_503 database.unreachable": "refused"},
    )
    found = explain(MEMBERS, figures, 2200, "en")
    assert found[0].code == "load.errors"
    assert found[0].summary == "4 of 2200 requests to 192.168.0.251 failed"
    assert found[0].proof == (
        "3 x http_503 database.unreachable, for example: refused",
        "1 x timeout, for example: timed out",
    )


def test_a_load_that_was_cut_short_proves_nothing() -> None:
    figures = replace(GOOD, requests=1500)
    found = explain(MEMBERS, figures, 2200, "ko")
    assert [one.code for one in found] == ["load.cut_short"]
    assert "2200" in found[0].summary
    assert "요청" in found[0].summary


def test_nothing_answered_is_an_error_and_no_imbalance() -> None:
    figures = replace(GOOD, reads={}, writes={}, errors={"refused": 2200})
    assert codes(figures) == ["load.errors"]
