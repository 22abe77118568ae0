# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which bytes of which binary logs are applied, and what is lost after them. Reads, writes nothing.

What is applied is cut out of the logs: transactions of another history, and those that a file before
it brought, are not in it. The last piece ends with the first event of the first transaction that is
left out: the applier stops before it, and could not execute it if it did not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from ..binlog.archive import Binlog, Chain
from ..binlog.events import HEADER
from ..binlog.names import TableName
from ..binlog.source import Hit
from ..binlog.store import ArchiveSource, name_of
from ..binlog.stream import FIRST_POSITION
from ..binlog.transactions import (
    CHANGES,
    PLACES,
    Effect,
    Grouper,
    Members,
    Transaction,
    tables_told,
)
from ..mysql.gtid import GtidSet

Span = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """What is taken of one log: spans of bytes, the head of the file first.

    whole: all of it, unchanged. transactions: how many are in it.
    """

    log: Binlog
    spans: tuple[Span, ...]
    transactions: int
    whole: bool

    @property
    def size(self) -> int:
        """Bytes that are applied."""
        return sum(end - start for start, end in self.spans)

    def as_dict(self) -> dict[str, Any]:
        """Return the piece as a module returns it."""
        return {
            "server_uuid": self.log.server_uuid,
            "file": self.log.name,
            "bytes": self.size,
            "transactions": self.transactions,
            "whole": self.whole,
        }


@dataclass
class Lost:
    """What is left out. effects: by table. since, until: the first and the last commit."""

    gtids: GtidSet
    effects: dict[TableName, Effect] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None
    complete: bool = True

    def as_dict(self, moment: Callable[[int], str]) -> dict[str, Any]:
        """Return it as a module returns it."""
        return {
            "transactions": self.gtids.count,
            "gtids": str(self.gtids),
            "first_commit_time": None if self.since is None else moment(self.since),
            "last_commit_time": None if self.until is None else moment(self.until),
            "complete": self.complete,
            "tables": tables_told(self.effects),
        }


def cut(source: ArchiveSource, found: Chain, target: GtidSet, hit: Hit) -> tuple[Piece, ...]:
    """Return the pieces that lead from the chain's base to the target."""
    pieces: list[Piece] = []
    covered = found.base.gtid_executed
    for log in found.files:
        if log.gtids & (target - covered):
            pieces.append(_piece(source, log, target - covered, hit))
        covered |= log.gtids & target
    return tuple(pieces)


def _piece(source: ArchiveSource, log: Binlog, wanted: GtidSet, hit: Hit) -> Piece:
    if log.sealed and log.gtids in wanted:
        return Piece(log, ((0, log.size),), log.transactions, True)
    needed = Members(wanted)
    spans: list[Span] = []
    count = 0
    last = hit.found if hit.found is not None and hit.found.file == name_of(log) else None
    with source.store.opened(log) as data:
        for transaction in _transactions(source, log):
            if not spans:
                spans.append((0, transaction.start))
            if last is not None and transaction.start == last.start:
                # Its first event alone: where the applier sees that it has to stop.
                _add(spans, (last.start, last.start + HEADER.unpack_from(data, last.start)[3]))
                break
            if transaction in needed:
                _add(spans, (transaction.start, transaction.end))
                count += 1
    return Piece(log, tuple(spans), count, spans == [(0, log.size)])


def _add(spans: list[Span], span: Span) -> None:
    """Add a span; nearly always it follows the one before."""
    if spans[-1][1] == span[0]:
        spans[-1] = (spans[-1][0], span[1])
    else:
        spans.append(span)


def _transactions(source: ArchiveSource, log: Binlog) -> Iterator[Transaction]:
    grouper = Grouper(None, count_rows=False)
    with closing(source.events_of(log, PLACES)) as events:
        yield from grouper.transactions(events)


def lost(source: ArchiveSource, history: GtidSet, target: GtidSet, hit: Hit) -> Lost:
    """Return what of the history is left out, looked into transaction by transaction."""
    gone = history - target
    if hit.found is None or not gone:
        return Lost(gone)
    first = source.index(hit.found.file)
    return _looked_into(source, source.files[first:], gone, hit.found.start)


def left_out(source: ArchiveSource, gtids: GtidSet) -> Lost:
    """Return what some transactions did, as far as the archive tells of them.

    Its set is that of those that it tells of.
    """
    files = tuple(log for log in source.files if log.gtids & gtids)
    told = reduce(or_, (log.gtids for log in files), GtidSet())
    return _looked_into(source, files, gtids & told, FIRST_POSITION)


def _looked_into(
    source: ArchiveSource, files: tuple[Binlog, ...], gtids: GtidSet, start: int
) -> Lost:
    """Look into transactions, each once. start: where in the first file the first of them may be."""
    result = Lost(gtids)
    left = Members(gtids)
    seen = GtidSet()
    for log in files:
        again = Members(seen)
        grouper = Grouper(source.decompress, count_rows=True)
        with closing(source.events_of(log, CHANGES, start)) as events:
            for transaction in grouper.transactions(events):
                if transaction in left and transaction not in again:
                    _count(result, transaction)
        seen |= log.gtids
        start = FIRST_POSITION
    return result


def _count(into: Lost, transaction: Transaction) -> None:
    committed = transaction.gtid.committed
    into.since = committed if into.since is None else min(into.since, committed)
    into.until = committed if into.until is None else max(into.until, committed)
    into.complete = into.complete and transaction.complete
    for name, effect in transaction.effects.items():
        known = into.effects.setdefault(name, Effect())
        for kind, count in effect.rows.items():
            known.add_rows(kind, count)
        known.kinds.update(effect.kinds)
