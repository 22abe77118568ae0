# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The point that a moment names, proved by the commit times of all transactions around it.

The times of event headers and of a file's beginning are those of a session, which may SET timestamp;
they decide nothing. Commit times follow the order of a log only as long as its server's clock runs
forward, and those of the servers that it came from not even then: so the transactions of every log are
looked at, but those of logs of which it is noted that they all lie on one side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from ..causes.binlog import BinlogError
from ..mysql.gtid import GtidSet
from .events import Event, Gtid
from .search import BOTH, IMMEDIATE, ORIGINAL, Moment
from .source import ByTime, Commits, Hit, Source, Span, of_log
from .stream import Start
from .transactions import PLACES, Executed, Grouper, Members, Transaction, iso_time


def find_moment(
    source: Source, moment: Moment, among: GtidSet | None = None, begun: int | None = None
) -> Hit:
    """Return the point that holds what was committed by a moment, and nothing that was later.

    among: transactions of another history are passed over. begun: by then all was committed that
    lies before the logs (microseconds since 1970), None where that is not known.
    Raises BinlogError where no point is that, or none can be known to be.
    """
    source.check_moment(moment)
    clocks = (ORIGINAL, IMMEDIATE) if moment.clock == BOTH else (moment.clock,)
    edges = tuple(_Edge(clock, moment) for clock in clocks)
    search = _Search(source, edges, None if among is None else Members(among))
    search.run()
    _check_edges(source, moment, edges)
    edge = edges[0]
    if edge.latest_kept is None and (begun is None or begun > moment.microseconds):
        raise _nothing_kept(source, moment, edge)
    executed = search.snapshot() if edge.first is None else edge.executed
    kept = [one.latest_kept for one in edges if one.latest_kept is not None]
    left = [one.earliest_left_out for one in edges if one.earliest_left_out is not None]
    unread = (source.purged & executed) | (among or GtidSet())
    not_compared = unread - search.compared()
    proof = ByTime(moment.clock, max(kept, default=None), min(left, default=None), not_compared)
    return Hit(edge.first, executed, search.previous(edge), proof)


@dataclass(slots=True)
class _Edge:
    """Where one clock parts what was committed by a moment from what was later.

    first: the first that was later, with what was executed before it. previous: the last before
    it that was read. stray: the last that was in time and comes after first; strays: how many
    such there are; between: how many later ones come before the stray.
    """

    clock: str
    moment: Moment
    first: Transaction | None = None
    executed: GtidSet = field(default_factory=GtidSet)
    previous: Transaction | None = None
    stray: Transaction | None = None
    strays: int = 0
    between: int = 0
    later: int = 0
    untold: Transaction | None = None
    latest_kept: int | None = None
    earliest_left_out: int | None = None

    @property
    def ordered(self) -> bool:
        """Whether one point has all that was in time and nothing that was later."""
        return self.stray is None and self.untold is None

    @property
    def place(self) -> tuple[str, int] | None:
        """Where what is left out begins; None at the end of the logs."""
        return (self.first.file, self.first.start) if self.first else None

    def time(self, gtid: Gtid) -> int:
        """Return when a transaction was committed, 0 where that is not known."""
        return gtid.originally if self.clock == ORIGINAL else gtid.committed

    def take(self, transaction: Transaction, snapshot: Callable[[], GtidSet]) -> None:
        """Count the next transaction of the logs. snapshot: what was executed before it."""
        at = self.time(transaction.gtid)
        if at > self.moment.microseconds:
            if self.first is None:
                self.first, self.executed = transaction, snapshot()
            self.later += 1
            if self.earliest_left_out is None or at < self.earliest_left_out:
                self.earliest_left_out = at
        elif not at:
            self.untold = self.untold or transaction
        else:
            if self.first is None:
                self.previous = transaction
            else:
                self.stray, self.strays, self.between = transaction, self.strays + 1, self.later
            if self.latest_kept is None or at > self.latest_kept:
                self.latest_kept = at

    def passes(self, span: Span | None) -> bool:
        """Whether a log of which this span is noted needs not be read."""
        if span is None:
            return True
        moment = self.moment.microseconds
        return span[1] <= moment if self.first is None else span[0] > moment

    def pass_over(self, span: Span | None) -> None:
        """Count a log that is not read."""
        if span is None:
            return
        if self.first is None:
            self.previous = None
            self.latest_kept = max(self.latest_kept or span[1], span[1])
        else:
            known = self.earliest_left_out
            self.earliest_left_out = span[0] if known is None else min(known, span[0])

    def shown(self, transaction: Transaction) -> str:
        """Return a transaction and its time by this clock, for a proof."""
        return f"{_named(transaction)}, committed at {iso_time(self.time(transaction.gtid))}"

    def as_proof(self) -> list[str]:
        """Return what this clock says, in lines."""
        if self.untold is not None:
            return [f"{_named(self.untold)} carries no such commit time"]
        if self.first is None:
            return ["every transaction of the logs is kept"]
        begin = f"left out from {self.shown(self.first)}"
        if self.stray is None:
            return [begin]
        return [
            begin,
            f"but behind it lies {self.shown(self.stray)}",
            f"of this range, transactions committed later than asked for: {self.between},"
            f" by then: {self.strays}",
        ]


class _Search:
    """Walks through the transactions of all logs, each once, with what was executed before it."""

    def __init__(self, source: Source, edges: tuple[_Edge, ...], among: Members | None) -> None:
        self._source = source
        self._edges = edges
        self._among = among
        self._compared = Executed(GtidSet())
        self._grouper = Grouper(None, count_rows=False)
        # What another server's logs brought already; no server logs a transaction twice.
        self._again = Members(source.purged) if source.purged else None
        self._server = ""
        self._file = ""

    def run(self) -> None:
        """Show each transaction to the edges."""
        noted = [self._source.commits(index) for index in range(len(self._source.logs))]
        at = 0
        while at < len(noted):
            commits = noted[at]
            if commits is not None and self._pass_over(commits):
                at += 1
                continue
            end = at + 1
            while end < len(noted) and noted[end] is None:
                end += 1
            self._read(at, end)
            at = end

    def snapshot(self) -> GtidSet:
        """Return what was executed before the transaction at hand, at the end all there is."""
        before = self._grouper.executed
        found = self._source.purged | self.compared()
        return found | before.gtid_set() if before else found

    def compared(self) -> GtidSet:
        """Return the transactions of which a commit time was seen."""
        return self._compared.gtid_set()

    def previous(self, edge: _Edge) -> Transaction | None:
        """Return the last transaction that is kept, read again where its log was passed over."""
        if edge.previous is not None or edge.latest_kept is None:
            return edge.previous
        names = [log.name for log in self._source.logs]
        before = names.index(edge.first.file) if edge.first else len(names)
        for index in reversed(range(before)):
            found: Transaction | None = None
            grouper = Grouper(None, count_rows=False)
            for transaction in of_log(self._source, index, grouper, PLACES):
                if self._is_of_history(transaction):
                    found = transaction
            if found is not None:
                return found
        return None

    def _pass_over(self, commits: Commits) -> bool:
        """Count a log by what is noted of it; return whether that is enough."""
        spans: Mapping[str, Span] = commits.spans
        if not all(edge.passes(spans.get(edge.clock)) for edge in self._edges):
            return False
        for edge in self._edges:
            edge.pass_over(spans.get(edge.clock))
        for origin, run in commits.gtids.intervals():
            self._compared.add_run(origin, run)
        return True

    def _read(self, begin: int, end: int) -> None:
        """Read logs; from the last one on to what was begun since."""
        logs = self._source.logs
        stop = logs[end].name if end < len(logs) else None
        with closing(self._source.events(Start(logs[begin].name), PLACES)) as events:
            for transaction in self._grouper.transactions(_until(stop, events)):
                if transaction.file != self._file:
                    self._enter(transaction.file)
                if self._is_new(transaction):
                    self._show(transaction)

    def _enter(self, file: str) -> None:
        self._file = file
        server = self._source.place(file)[1]
        if self._server and server != self._server:
            self._again = Members(self._source.purged | self.compared())
        self._server = server

    def _is_new(self, transaction: Transaction) -> bool:
        again = self._again
        seen = again is not None and transaction.gtid.uuid and transaction in again
        return not seen and self._is_of_history(transaction)

    def _is_of_history(self, transaction: Transaction) -> bool:
        among = self._among
        return among is None or not transaction.gtid.uuid or transaction in among

    def _show(self, transaction: Transaction) -> None:
        for edge in self._edges:
            edge.take(transaction, self.snapshot)
        self._compared.add(transaction.gtid)


def _until(file: str | None, events: Iterator[Event]) -> Iterator[Event]:
    """Yield events up to the first one of a file, to the end where it is None."""
    for event in events:
        if event.file == file:
            return
        yield event


def _check_edges(source: Source, moment: Moment, edges: tuple[_Edge, ...]) -> None:
    """Raise BinlogError where the clocks do not agree on one point."""
    first = edges[0]
    if all(edge.ordered and edge.place == first.place for edge in edges):
        return
    proof = _proof(edges)
    if any((edge.place, edge.ordered) != (first.place, first.ordered) for edge in edges):
        raise BinlogError("binlog.clocks_differ", source.address, proof, wanted=moment.text)
    if first.stray is None or first.first is None:
        raise BinlogError("binlog.no_commit_times", source.address, proof)
    facts = {
        "file": first.first.file,
        "position": first.first.start,
        "last_file": first.stray.file,
        "last_position": first.stray.end,
    }
    raise BinlogError("binlog.time_unordered", source.address, proof, wanted=moment.text, **facts)


def _proof(edges: tuple[_Edge, ...]) -> list[str]:
    """Return what each clock says, once where all say the same."""
    told = {edge.clock: edge.as_proof() for edge in edges}
    if all(lines == told[edges[0].clock] for lines in told.values()):
        told = {" and ".join(told): told[edges[0].clock]}
    return [f"by {clock} commit times: {line}" for clock, lines in told.items() for line in lines]


def _nothing_kept(source: Source, moment: Moment, edge: _Edge) -> BinlogError:
    logs = source.logs
    proof = [f"binary logs there are: {logs[0].name} to {logs[-1].name}"]
    found = edge.first
    proof.append(
        f"the first transaction in them: {edge.shown(found)}" if found else "they are empty"
    )
    return BinlogError("binlog.nothing_by_then", source.address, proof, wanted=moment.text)


def _named(transaction: Transaction) -> str:
    """Return a transaction by GTID and place, for a proof."""
    gtid = transaction.gtid.text or "a transaction without GTID"
    return f"{gtid} at {transaction.file}:{transaction.start}"
