# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where binary logs are read, a server or an archive, and where a search in them ended. Pure."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

from ..mysql.gtid import GtidSet
from .events import Event
from .payload import Decompress
from .search import Moment
from .stream import Start
from .transactions import Grouper, Transaction, iso_time

Span = tuple[int, int]


@dataclass(frozen=True)
class ByTime:
    """How far the commit times around a point are from the moment that was asked for.

    clock: which of the two times of a transaction decided. latest_kept, earliest_left_out:
    microseconds since 1970, over all transactions on that side and each clock that decided; None
    where there is none. not_compared: transactions of which no log told a time.
    """

    clock: str
    latest_kept: int | None
    earliest_left_out: int | None
    not_compared: GtidSet

    def as_dict(self) -> dict[str, Any]:
        """Return it as a module returns it."""
        return {
            "clock": self.clock,
            "latest_kept": None if self.latest_kept is None else iso_time(self.latest_kept),
            "earliest_left_out": None
            if self.earliest_left_out is None
            else iso_time(self.earliest_left_out),
            "not_compared": str(self.not_compared),
        }


@dataclass(frozen=True)
class Commits:
    """What was noted of a whole log. spans: by clock, the earliest and the latest commit in it."""

    spans: Mapping[str, Span]
    gtids: GtidSet


@dataclass(frozen=True)
class Log:
    """One binary log. name: no other log of its source has it. size: bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Hit:
    """Where a search ended. found is None at the end of the logs.

    executed: the transactions before it. previous: the last of them that was read. by_time: what
    proves it, where a moment was looked for.
    """

    found: Transaction | None
    executed: GtidSet
    previous: Transaction | None
    by_time: ByTime | None = None


class Source(Protocol):
    """Where binary logs are read: a server, or an archive."""

    @property
    def address(self) -> str:
        """Who or what it is, as a person names it."""

    @property
    def logs(self) -> tuple[Log, ...]:
        """The binary logs, in the order in which they are read."""

    @property
    def purged(self) -> GtidSet:
        """What was executed and lies in none of the logs."""

    @property
    def decompress(self) -> Decompress | None:
        """What opens compressed transactions, None where nothing does."""

    def place(self, log: str) -> tuple[str, str]:
        """Return a log's file name and the server_uuid of who wrote it."""

    def events(self, start: Start, wanted: frozenset[int]) -> Generator[Event]:
        """Yield events from a position on, log after log."""

    def head(self, index: int) -> GtidSet:
        """Return which transactions lie before a log."""

    def commits(self, index: int) -> Commits | None:
        """Return when the transactions of a log were committed, None where only reading it tells."""

    def executed(self) -> GtidSet:
        """Return all that the source has executed."""

    def check_moment(self, moment: Moment) -> None:
        """Raise BinlogError where the source cannot know of a moment yet."""


def of_log(
    source: Source, index: int, grouper: Grouper, wanted: frozenset[int]
) -> Iterator[Transaction]:
    """Yield the transactions of one log alone."""
    name = source.logs[index].name
    with closing(source.events(Start(name), wanted)) as events:
        yield from grouper.transactions(_while_in(name, events))


def _while_in(file: str, events: Iterator[Event]) -> Iterator[Event]:
    """Yield events up to the first one of another file."""
    for event in events:
        if event.file != file:
            return
        yield event
