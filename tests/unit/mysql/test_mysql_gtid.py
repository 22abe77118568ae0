# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GTID sets against the plainest thing that they could be: Python sets of single GTIDs."""

from __future__ import annotations

import random

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

ONE = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
TWO = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
Plain = set[tuple[str, str, int]]


def plain(gtids: GtidSet) -> Plain:
    return {
        (uuid, tag, number)
        for (uuid, tag), (first, last) in gtids.intervals()
        for number in range(first, last + 1)
    }


def any_set(chance: random.Random) -> GtidSet:
    intervals = []
    for _each in range(chance.randrange(6)):
        first = chance.randrange(1, 30)
        origin = (chance.choice([ONE, TWO]), chance.choice(["", "", "app", "z_1"]))
        intervals.append((origin, (first, first + chance.randrange(8))))
    return GtidSet.of(intervals)


@pytest.mark.parametrize("seed", range(200))
def test_operations_agree_with_plain_sets(seed: int) -> None:
    chance = random.Random(seed)
    left, right = any_set(chance), any_set(chance)
    assert plain(left | right) == plain(left) | plain(right)
    assert plain(left - right) == plain(left) - plain(right)
    assert plain(left & right) == plain(left) & plain(right)
    assert (left in right) == (plain(left) <= plain(right))
    assert left.count == len(plain(left))
    assert bool(left) == bool(plain(left))
    assert GtidSet.parse(str(left)) == left
    assert (left == right) == (plain(left) == plain(right))


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("", ""),
        (f"{ONE}:1", f"{ONE}:1"),
        (f"{ONE}:3:1-2", f"{ONE}:1-3"),
        (f" {ONE.upper()}:1-5 ,\n{TWO}:7", f"{ONE}:1-5,{TWO}:7"),
        (f"{TWO}:1,{ONE}:1", f"{ONE}:1,{TWO}:1"),
        (f"{ONE}:1-3:app:5-6:2,{ONE}:9", f"{ONE}:1-3:9:app:2:5-6"),
        (f"{ONE}:App:1,{ONE}:app:2", f"{ONE}:app:1-2"),
        (f"{ONE}:5-3", ""),
        (f"{ONE.replace('-', '')}:1", f"{ONE}:1"),
        (f"{ONE}:9223372036854775806", f"{ONE}:9223372036854775806"),
    ],
)
def test_text_is_read_as_mysql_reads_it(given: str, canonical: str) -> None:
    assert str(GtidSet.parse(given)) == canonical


@pytest.mark.parametrize(
    "given",
    [
        "nonsense",
        ONE,
        f"{ONE}:0",
        f"{ONE}:-1",
        f"{ONE}:1-",
        f"{ONE}:app",
        f"{ONE}:1:app",
        f"{ONE}:1x",
        f"{ONE}:9223372036854775807",
        f"{ONE[:-1]}:1",
        f"{ONE}:{'t' * 33}:1",
    ],
)
def test_what_is_no_gtid_set_is_refused_by_its_part(given: str) -> None:
    with pytest.raises(CollectionError, match="is not a GTID set"):
        GtidSet.parse(given)


def test_sets_of_one_server() -> None:
    gtids = GtidSet.parse(f"{ONE}:1-3:app:1,{TWO}:1")
    assert gtids.uuids == (ONE, TWO)
    assert str(gtids.of_uuid(ONE.upper())) == f"{ONE}:1-3:app:1"


def test_a_billion_transactions_cost_nothing() -> None:
    whole = GtidSet.parse(f"{ONE}:1-1000000000000")
    holes = GtidSet.parse(":".join([ONE, *(str(number) for number in range(2, 100_000, 2))]))
    assert (whole - holes).count == 1000000000000 - holes.count
