# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The point of a moment, among transactions whose clocks ran as clocks do, against plain counting."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    GTID,
    HEADER_SIZE,
    PREVIOUS_GTIDS,
    Event,
    Gtid,
    previous_gtids_event,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.moment import find_moment
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.search import (
    BOTH,
    CLOCKS,
    IMMEDIATE,
    ORIGINAL,
    Moment,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.source import (
    Commits,
    Hit,
    Log,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.stream import Start
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "99999999-e639-11f1-a0c0-02fc00000001"
SIZE = 100


@dataclass(frozen=True)
class One:
    """A transaction: its number, and its times by both clocks (0: not known)."""

    number: int
    immediate: int
    original: int
    uuid: str = A

    @property
    def gtids(self) -> GtidSet:
        return GtidSet.of([((self.uuid, ""), (self.number, self.number))])


@dataclass(frozen=True)
class File:
    """A log, by which server, after what. noted: whether a sidecar tells of its times."""

    transactions: tuple[One, ...]
    previous: GtidSet = field(default_factory=GtidSet)
    server: str = A
    noted: bool = False


class Logs:
    """A source in memory, which knows what of it was read."""

    decompress = None
    address = "logs"

    def __init__(self, *files: File, purged: str = "") -> None:
        self.files = files
        self.purged = GtidSet.parse(purged)
        self.logs = tuple(Log(f"{at:06}", SIZE) for at in range(len(files)))
        self.read: list[str] = []

    def place(self, log: str) -> tuple[str, str]:
        return log, self.files[int(log)].server

    def check_moment(self, moment: Moment) -> None:
        pass

    def executed(self) -> GtidSet:
        raise NotImplementedError

    def head(self, index: int) -> GtidSet:
        return self.files[index].previous

    def commits(self, index: int) -> Commits | None:
        file = self.files[index]
        if not file.noted or any(not one.original for one in file.transactions):
            return None
        spans = {}
        if file.transactions:
            immediate = [one.immediate for one in file.transactions]
            original = [one.original for one in file.transactions]
            spans[IMMEDIATE] = (min(immediate), max(immediate))
            spans[ORIGINAL] = (min(original), max(original))
        return Commits(spans, union(file.transactions))

    def events(self, start: Start, wanted: frozenset[int]) -> Generator[Event]:
        for name, file in list(zip(self.logs, self.files, strict=True))[int(start.file) :]:
            self.read.append(name.name)
            body = previous_gtids_event(file.previous, 1, 4, checksum=False)[HEADER_SIZE:]
            yield Event(PREVIOUS_GTIDS, 7, 1, name.name, 4, 50, body)
            for at, one in enumerate(file.transactions, 1):
                begin = at * SIZE
                gtid = Gtid(one.uuid, "", one.number, one.immediate, one.original, SIZE)
                yield Event(GTID, 7, 1, name.name, begin, begin + 10, b"", gtid)


def union(transactions: Any) -> GtidSet:
    return GtidSet.of(interval for one in transactions for interval in one.gtids.intervals())


def ask(source: Logs, at: int, clock: str = BOTH, **more: Any) -> Hit:
    return find_moment(source, Moment(at, str(at), clock), **more)  # type: ignore[arg-type]


def refused(source: Logs, at: int, clock: str = BOTH, **more: Any) -> BinlogError:
    with pytest.raises(BinlogError) as error:
        ask(source, at, clock, **more)
    assert error.value.proof
    return error.value


def counted(transactions: list[One], at: int, clock: str) -> int | None:
    """How many are kept, None where that cannot be said; by nothing but counting."""
    kept = []
    for name in (ORIGINAL, IMMEDIATE) if clock == BOTH else (clock,):
        times = [getattr(one, name) for one in transactions]
        inside = [moment <= at for moment in times]
        ordered = 0 not in times and inside == sorted(inside, reverse=True)
        kept.append(sum(inside) if ordered else None)
    return kept[0] if kept[0] == kept[-1] else None


NO_POINT = ("binlog.clocks_differ", "binlog.time_unordered", "binlog.no_commit_times")


def drawn(random: Random) -> tuple[list[One], Logs]:
    """A history in logs of one server, clocks that step, and notes of some of the logs."""
    now, lag = 1000, random.choice([0, 0, 3, 40])
    transactions: list[One] = []
    for number in range(1, random.randint(2, 14)):
        now += random.choice([0, 1, 1, 5, 20, -15 if random.random() < 0.2 else 2])
        original = 0 if random.random() < 0.02 else now - (random.randint(0, lag) if lag else 0)
        transactions.append(One(number, now, original))
    cuts = sorted(random.randint(0, len(transactions)) for _cut in range(random.randint(0, 4)))
    files = []
    for begin, end in zip([0, *cuts], [*cuts, len(transactions)], strict=True):
        before = union(transactions[:begin])
        files.append(File(tuple(transactions[begin:end]), before, A, random.random() < 0.6))
    return transactions, Logs(*files)


@pytest.mark.parametrize("seed", range(20))
def test_as_plain_counting_has_it(seed: int) -> None:
    random = Random(seed)
    for _round in range(100):
        transactions, source = drawn(random)
        times = [one.immediate for one in transactions] + [one.original for one in transactions]
        at = max(random.choice(times) + random.choice([-1, 0, 1]), 1)
        for clock in CLOCKS:
            wanted = counted(transactions, at, clock)
            if not wanted:
                code = refused(source, at, clock).code
                assert code in NO_POINT if wanted is None else code == "binlog.nothing_by_then"
                continue
            hit = ask(source, at, clock)
            assert hit.executed == union(transactions[:wanted]), (transactions, at, clock)
            assert hit.previous is not None
            assert hit.previous.gtid.number == wanted
            assert hit.by_time is not None
            assert hit.by_time.latest_kept is not None
            assert hit.by_time.latest_kept <= at
            assert hit.by_time.earliest_left_out is None or hit.by_time.earliest_left_out > at
            assert (hit.found is None) == (wanted == len(transactions))


def steady(begin: int, end: int) -> tuple[One, ...]:
    return tuple(One(number, number * 10, number * 10) for number in range(begin, end))


def test_logs_of_which_all_is_noted_are_not_read() -> None:
    files = [File(steady(at, at + 3), union(steady(1, at)), noted=True) for at in (1, 4, 7, 10, 13)]
    source = Logs(*files)
    assert ask(source, 85).executed == union(steady(1, 9))
    # That it has ended shows by the first event of the next one.
    assert set(source.read) == {"000002", "000003"}
    assert ask(source, 95).executed == union(steady(1, 10))


def test_what_comes_back_in_a_later_log_is_seen() -> None:
    """The clock ran backwards there: that all of an earlier log is later does not help."""
    back = File((One(7, 25, 25),), union(steady(1, 7)), noted=True)
    source = Logs(File(steady(1, 4), noted=True), File(steady(4, 7), noted=True), back)
    error = refused(source, 35)
    assert error.code == "binlog.time_unordered"
    assert (error.facts["file"], error.facts["position"]) == ("000001", SIZE)
    assert (error.facts["last_file"], error.facts["last_position"]) == ("000002", 2 * SIZE)
    assert any(f"{A}:4" in line for line in error.proof)
    assert any(f"{A}:7" in line for line in error.proof)
    # Where no transaction is on the wrong side, the same clock is no trouble.
    assert ask(source, 65).executed == union(steady(1, 8))


def test_what_two_servers_logged_counts_once_and_as_it_was_first() -> None:
    """The second one was a replica that lagged, and went on alone."""
    late = tuple(One(one.number, one.immediate + 500, one.original) for one in steady(1, 6))
    own = (One(1, 900, 900, B), One(2, 910, 910, B))
    source = Logs(File(steady(1, 6)), File((*late, *own), server=B))
    assert ask(source, 25).executed == union(steady(1, 3))
    assert ask(source, 905).executed == union((*steady(1, 6), own[0]))
    # A history that was left is passed over where the present one is known.
    left = union(steady(1, 4)) | union(own)
    hit = ask(source, 45, among=left)
    assert hit.executed & left == union(steady(1, 4))
    assert hit.found is not None
    assert hit.found.gtid.text == f"{B}:1"


def test_with_nothing_kept_there_is_an_answer_only_if_what_lies_before_is_known() -> None:
    source = Logs(File(steady(5, 7), union(steady(1, 5))), purged=f"{A}:1-4")
    assert refused(source, 40).code == "binlog.nothing_by_then"
    assert refused(source, 40, begun=41).code == "binlog.nothing_by_then"
    hit = ask(source, 40, begun=40)
    assert hit.executed == union(steady(1, 5))
    assert hit.by_time is not None
    assert hit.by_time.not_compared == union(steady(1, 5))
    assert refused(Logs(File(())), 40).code == "binlog.nothing_by_then"


def test_a_clock_that_is_not_told() -> None:
    source = Logs(File((One(1, 10, 0), One(2, 20, 20))))
    assert refused(source, 15).code == "binlog.clocks_differ"
    assert refused(source, 15, ORIGINAL).code == "binlog.no_commit_times"
    assert ask(source, 15, IMMEDIATE).executed == union(steady(1, 2))
