# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a recovery is to lead: options to a target, and a target to a place in an archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any, TypeAlias, cast

from ..binlog.archive import Archive, Base, Binlog, chain, microseconds
from ..binlog.find import look_for
from ..binlog.search import BOTH, Moment, Offset, Place, Wanted, read_wanted
from ..binlog.source import Hit
from ..binlog.store import ArchiveSource, Store
from ..binlog.transactions import PLACES, Grouper, Members, Transaction, iso_time
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.gtid import GtidSet
from .history import History

# What a search says of a place that a gap cuts off.
_NOT_FOUND = ("binlog.gtid_unknown", "binlog.nothing_matches", "binlog.file_unknown", "binlog.none")
_NOT_ORDERED = ("binlog.time_unordered", "binlog.clocks_differ", "binlog.no_commit_times")
BY_FIND = ("before_gtid", "file", "time", "offset", "before")
WAYS = ("latest", *BY_FIND, "after_gtid", "gtid_executed", "name", "random")


@dataclass(frozen=True)
class Latest:
    """All that the archive holds of the present history."""


@dataclass(frozen=True)
class After:
    """Just after one transaction."""

    gtid: GtidSet


@dataclass(frozen=True)
class Exactly:
    """A set of transactions, as a point notes it. name: of the point, if it has one."""

    gtids: GtidSet
    name: str = ""


@dataclass(frozen=True)
class Drawn:
    """Some point between the newest base and the end. seed: the same one draws the same point."""

    seed: str


Target: TypeAlias = "Latest | After | Exactly | Drawn | Wanted"


def read_target(options: Mapping[str, Any]) -> Target:
    """Return the target that the option ``target`` names; a name is looked up elsewhere.

    Raises CollectionError naming the option, what was given and what is allowed.
    """
    given = [way for way in WAYS if options.get(way) not in (None, False, "")]
    if len(given) != 1:
        what = " and ".join(given) or "none of them"
        raise CollectionError(
            f"target: {what} is given; exactly one of {', '.join(WAYS)} is needed"
        )
    way = given[0]
    if way != "time" and options.get("clock") not in (None, BOTH):
        raise CollectionError("target.clock: it goes with target.time alone")
    if way == "latest":
        return Latest()
    if way == "after_gtid":
        found: Wanted = read_wanted({"gtid": options["after_gtid"]})
        return After(cast(GtidSet, found))
    if way == "gtid_executed":
        return Exactly(GtidSet.parse(str(options["gtid_executed"])))
    if way == "random":
        return Drawn(str(options["random"]))
    if way == "name":
        raise CollectionError("target.name: needs a server that knows it; none is given")
    if way == "file" and options.get("position") is None:
        raise CollectionError("target.position: it is needed with target.file")
    return read_wanted({**options, "gtid": options.get("before_gtid")})


def draw(archive: Archive, history: History, drawn: Drawn) -> Latest | GtidSet:
    """Return the point that a seed draws: just before a transaction after the newest base, or the end.

    Each of them is as likely as any other. Pure: the same archive gives the same point.
    """
    usable = _usable(archive, history)
    if not usable:
        # Why there is none is told where the way there is looked for.
        return Latest()
    after = history.gtids - history.seed - usable[-1].gtid_executed
    number = int.from_bytes(sha256(drawn.seed.encode()).digest(), "big") % (after.count + 1)
    for origin, (first, last) in after.intervals():
        if number <= last - first:
            return GtidSet.of([(origin, (first + number, first + number))])
        number -= last - first + 1
    return Latest()


def _usable(archive: Archive, history: History) -> list[Base]:
    """Return the verified bases of the present history, oldest first."""
    return [base for base in archive.bases if base.usable and base.gtid_executed in history.gtids]


@dataclass(frozen=True)
class Resolved:
    """A place in the archive. source: the logs from a base on. hit: what is left out first.

    gtids: all that a recovery to it executes.
    """

    source: ArchiveSource
    base: Base
    hit: Hit
    gtids: GtidSet


def resolve(store: Store, archive: Archive, history: History, target: Target) -> Resolved:
    """Return where a target lies. Raises BinlogError where it is not there, or not recoverable."""
    candidates = list(_candidates(store, archive, history))
    if not candidates:
        raise _no_base(store, archive)
    failed: BinlogError | None = None
    for base, source, missing in candidates:
        try:
            if missing and isinstance(target, Latest):
                raise _gap(source, base, missing)
            found = _in_source(source, base, history, target)
            if missing and isinstance(target, Moment) and found.hit.found is None:
                # What is missing may have been committed by then too.
                raise _gap(source, base, missing)
            return found
        except BinlogError as error:
            if error.code in _NOT_ORDERED:
                # With fewer logs to compare, the next base could only hide it.
                raise
            lacking = missing and error.code in _NOT_FOUND
            failed = failed or (_gap(source, base, missing) if lacking else error)
    raise failed or _no_base(store, archive)


def _candidates(
    store: Store, archive: Archive, history: History
) -> Iterator[tuple[Base, ArchiveSource, GtidSet]]:
    """Yield the logs from each base on, with what they lack of the history.

    First of the oldest base that reaches the present, then of those that a gap cuts off.
    """
    chains = [chain(archive, base, history.gtids) for base in _usable(archive, history)]
    whole = [found for found in chains if not found.missing]
    broken = [found for found in reversed(chains) if found.missing]
    for found in (*whole, *broken):
        seed = found.base.gtid_executed - _told(found.files)
        yield found.base, ArchiveSource(store, found.files, seed), found.missing


def _told(files: tuple[Binlog, ...]) -> GtidSet:
    return reduce(or_, (log.after for log in files), GtidSet())


def _in_source(source: ArchiveSource, base: Base, history: History, target: Target) -> Resolved:
    named = target.gtid if isinstance(target, After) else target
    if isinstance(named, GtidSet) and named not in history.gtids and named in source.executed():
        raise _other_history(source, str(named))
    if not source.files:
        return _nothing_to_apply(source, base, target)
    hit = _hit(source, base, target, history)
    gtids = (hit.executed | base.gtid_executed) & history.gtids
    if hit.found is not None:
        own = GtidSet.parse(hit.found.gtid.text or "")
        if not own:
            raise _anonymous(source, hit.found)
        if own not in history.gtids:
            raise _other_history(source, str(own))
        if own in base.gtid_executed and not isinstance(target, Exactly):
            raise _before_base(source, base, str(own))
    if isinstance(target, Exactly):
        _check_exactly(source, target, gtids, history)
    return Resolved(source, base, hit, gtids)


def _hit(source: ArchiveSource, base: Base, target: Target, history: History) -> Hit:
    """Return the first transaction that a recovery to the target leaves out."""
    if isinstance(target, Latest):
        return _end(source)
    if isinstance(target, Exactly):
        return _first_not_in(source, target.gtids, history)
    if isinstance(target, After):
        return _following(source, cast(Transaction, look_for(source, target.gtid).found))
    if isinstance(target, Moment):
        # A base's end is when all that it holds was committed; its logs may begin after the moment.
        return look_for(source, target, history.gtids, microseconds(base.ended))
    return look_for(source, cast(Wanted, target))


def _following(source: ArchiveSource, found: Transaction) -> Hit:
    return look_for(source, Place(found.file, found.end))


def _end(source: ArchiveSource) -> Hit:
    previous: Transaction | None = None
    for log in reversed(source.files):
        grouper = Grouper(None, count_rows=False)
        with closing(source.events_of(log, PLACES)) as events:
            for transaction in grouper.transactions(events):
                previous = transaction
        if previous is not None:
            break
    return Hit(None, source.executed(), previous)


def _first_not_in(source: ArchiveSource, gtids: GtidSet, history: History) -> Hit:
    """Return the first transaction of the history that a set lacks."""
    executed = source.files[0].previous | source.seed
    left_out = Members(history.gtids - gtids)
    previous: Transaction | None = None
    for log in source.files:
        grouper = Grouper(None, count_rows=False)
        if log.gtids & history.gtids in gtids:
            executed |= log.after
            continue
        with closing(source.events_of(log, PLACES)) as events:
            for transaction in grouper.transactions(events):
                if transaction in left_out:
                    before = grouper.executed.gtid_set() if grouper.executed else GtidSet()
                    return Hit(transaction, executed | before, previous)
                previous = transaction
        executed |= log.after
    return _end(source)


def _check_exactly(
    source: ArchiveSource, target: Exactly, gtids: GtidSet, history: History
) -> None:
    """Raise BinlogError where a set is no place between two transactions of this history."""
    beyond = target.gtids - gtids
    if not beyond:
        return
    unknown = target.gtids - history.gtids
    if unknown:
        raise _other_history(source, str(unknown)[:200])
    proof = [f"the first transaction that the set lacks comes before {str(beyond)[:200]}"]
    raise BinlogError("recovery.not_a_point", source.address, proof)


def _nothing_to_apply(source: ArchiveSource, base: Base, target: Target) -> Resolved:
    """Return the base itself, where that is what is wanted and no log comes after it."""
    wanted_base = isinstance(target, Latest) or (
        isinstance(target, Exactly) and target.gtids == base.gtid_executed
    )
    if not wanted_base:
        proof = [f"no binary log of the archive goes on from base {base.id}"]
        raise BinlogError("binlog.none", source.address, proof)
    return Resolved(source, base, Hit(None, base.gtid_executed, None), base.gtid_executed)


def _no_base(store: Store, archive: Archive) -> BinlogError:
    proof = [
        f"{base.id}: {base.method}, verification: {base.verified or 'never done'}"
        for base in archive.bases
    ]
    return BinlogError("recovery.no_base", str(store.root), proof or ["there is no base at all"])


def _gap(source: ArchiveSource, base: Base, missing: GtidSet) -> BinlogError:
    text = str(missing)[:200]
    proof = [
        f"from base {base.id}, {len(source.files)} binary logs follow one another",
        f"no binary log of the archive brings {text}",
    ]
    return BinlogError("recovery.gap", source.address, proof, missing=text, count=missing.count)


def check_all_have_gtids(store: Store, history: History, base: Base, hit: Hit) -> None:
    """Raise BinlogError where a transaction between base and target has no GTID: no set would miss it."""
    for log in store.archive.binlogs:
        if log.transactions > log.gtids.count and log.gtids in history.gtids:
            source = ArchiveSource(store, (log,))
            for unnamed in _without_gtid(source, log, base, hit.found):
                raise _anonymous(source, unnamed)


def _without_gtid(
    source: ArchiveSource, log: Binlog, base: Base, left_out: Transaction | None
) -> list[Transaction]:
    """Return the transactions of a log without GTID that a base has not and that come before another.

    They are told apart by what lies behind them in the log, else by the time of their commit.
    """
    in_base = Members(base.gtid_executed)
    taken = microseconds(base.started)
    end = (left_out.file, left_out.start) if left_out else None
    unnamed: list[Transaction] = []
    grouper = Grouper(None, count_rows=False)
    with closing(source.events_of(log, PLACES)) as events:
        for transaction in grouper.transactions(events):
            if (transaction.file, transaction.start) == end:
                return unnamed
            if transaction in in_base:
                unnamed.clear()
            elif transaction.gtid.text is None and transaction.gtid.committed >= taken:
                unnamed.append(transaction)
    until = left_out.gtid.committed if left_out else None
    return [one for one in unnamed if until is None or one.gtid.committed <= until]


def _anonymous(source: ArchiveSource, found: Transaction) -> BinlogError:
    proof = [f"{found.file}:{found.start} has no GTID"]
    return BinlogError("recovery.no_gtids", source.address, proof)


def _other_history(source: ArchiveSource, gtid: str) -> BinlogError:
    proof = [f"the newest binary log does not build on {gtid}"]
    return BinlogError("recovery.other_history", source.address, proof, wanted=gtid)


def _before_base(source: ArchiveSource, base: Base, gtid: str) -> BinlogError:
    proof = [
        f"base {base.id} holds {gtid} already",
        f"the oldest base that leads to the present ended at {base.ended.isoformat()}",
    ]
    return BinlogError("recovery.before_base", source.address, proof, wanted=gtid)


def describe(target: Target) -> str:
    """Return a target in words."""
    if isinstance(target, Latest):
        return "all that the archive holds"
    if isinstance(target, After):
        return f"just after {target.gtid}"
    if isinstance(target, Drawn):
        return f"a random point (seed {target.seed})"
    if isinstance(target, Exactly):
        return f"the point {target.name!r}" if target.name else "a set of transactions"
    if isinstance(target, GtidSet):
        return f"just before {target}"
    if isinstance(target, Place):
        return f"{target.file}:{target.position}"
    if isinstance(target, Moment):
        by = "" if target.clock == BOTH else f" (clock: {target.clock})"
        return f"all that was committed by {iso_time(target.microseconds)}{by}"
    if isinstance(target, Offset):
        return f"just before transaction {target.text}"
    which = "last" if target.last else "first"
    return f"just before the {which} {target.text}"
