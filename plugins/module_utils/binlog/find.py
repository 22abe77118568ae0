# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds a transaction in binary logs, and the point just before it. Writes nothing.

A server's logs are read as a replica reads them, so every road to it will do; those of an archive as
the files that they are (``store``). Files are chosen by what their first events say; of a file that
has to be read, nothing is kept in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import Connection
from ..mysql.gtid import GtidSet
from .events import (
    PREVIOUS_GTIDS,
    Event,
    MalformedError,
    NoCommitTimeError,
    read_previous_gtids,
)
from .moment import find_moment
from .payload import Decompress
from .search import Deed, Moment, Offset, Place, Wanted, condition, events_needed
from .source import Commits, Hit, Log, Source, of_log
from .stream import FIRST_POSITION, LARGEST_START, Start, dump
from .transactions import DETAILS, PLACES, Grouper, Transaction, iso_time

_NOW = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"


@dataclass(frozen=True)
class Server:
    """A server that is read. connect: opens a session for each dump; questions: one beside them.

    purged: what was executed and lies in none of its logs, seeded by a dump or a clone included.
    """

    connect: Callable[[], Connection]
    questions: Connection
    address: str
    uuid: str
    server_id: int
    logs: tuple[Log, ...]
    purged: GtidSet
    decompress: Decompress | None

    def place(self, log: str) -> tuple[str, str]:
        """Return the log's name, and the server itself."""
        return log, self.uuid

    def executed(self) -> GtidSet:
        """Return gtid_executed as it is now."""
        return GtidSet.parse(str(self.questions.value("SELECT @@GLOBAL.gtid_executed")))

    def check_moment(self, moment: Moment) -> None:
        """Raise BinlogError where the server's clock is not there yet."""
        # Of no time zone, whose hour may come twice; and not what init_connect sets for a session.
        self.questions.execute("SET SESSION timestamp = DEFAULT")
        now = int(self.questions.value(_NOW))
        if moment.microseconds > now:
            proof = [f"its clock says {iso_time(now)}"]
            raise BinlogError("binlog.time_in_future", self.address, proof, wanted=moment.text)

    def events(self, start: Start, wanted: frozenset[int]) -> Generator[Event]:
        """Yield events from a position on; closing the generator ends the session."""
        asked = replace(start, server_id=self.server_id)
        return dump(self.connect(), asked, wanted)

    def head(self, index: int) -> GtidSet:
        """Return which transactions lie before a log."""
        start = Start(self.logs[index].name)
        with closing(self.events(start, frozenset({PREVIOUS_GTIDS}))) as events:
            for event in events:
                if event.type == PREVIOUS_GTIDS:
                    return read_previous_gtids(event.body)
        return GtidSet()

    def commits(self, index: int) -> Commits | None:
        """Return None: a server tells of no log when its transactions were committed."""
        del index
        return None


def read_server(
    connection: Connection,
    connect: Callable[[], Connection],
    server_id: int,
    decompress: Decompress | None,
) -> Server:
    """Return what has to be known of a server before its logs are read. Raises MysqlError."""
    rows = connection.query("SHOW BINARY LOGS")
    logs = tuple(Log(str(row["log_name"]), int(row["file_size"])) for row in rows)
    purged = GtidSet.parse(str(connection.value("SELECT @@GLOBAL.gtid_purged")))
    uuid = connection.server.server_uuid
    return Server(
        connect, connection, connection.address, uuid, server_id, logs, purged, decompress
    )


def find(source: Source, wanted: Wanted) -> dict[str, Any]:
    """Return point, transaction and previous, as the module does.

    Raises BinlogError where it is not there, or cannot be known to be.
    """
    return answer(source, look_for(source, wanted))


def look_for(
    source: Source, wanted: Wanted, among: GtidSet | None = None, begun: int | None = None
) -> Hit:
    """Return where a transaction lies, and what comes before it. Raises BinlogError as ``find``.

    among, begun: as ``find_moment`` has them.
    """
    if not source.logs:
        raise BinlogError("binlog.none", source.address, ["no binary log is there"])
    try:
        if isinstance(wanted, Deed):
            return _find_deed(source, wanted)
        if isinstance(wanted, Offset):
            return _find_offset(source, wanted)
        if isinstance(wanted, Moment):
            return find_moment(source, wanted, among, begun)
        first, condition_of = _first_log(source, wanted)
        found = _with_previous(source, first, _scan(source, first, condition_of))
        _check_found(source, wanted, found)
        return found
    except NoCommitTimeError as error:
        raise BinlogError("binlog.no_commit_times", source.address, [str(error)]) from error
    except MalformedError as error:
        raise BinlogError("binlog.damaged", source.address, [str(error)]) from error


def browse(source: Source, count: int) -> list[dict[str, Any]]:
    """Return the last transactions of the logs, oldest first, each with what it did."""
    found: deque[Transaction] = deque(maxlen=count)
    try:
        for index in reversed(range(len(source.logs))):
            grouper = Grouper(source.decompress, count_rows=True)
            room = count - len(found)
            found.extendleft(reversed(deque(of_log(source, index, grouper, DETAILS), maxlen=room)))
            if len(found) >= count:
                break
    except MalformedError as error:
        raise BinlogError("binlog.damaged", source.address, [str(error)]) from error
    return [located(source, transaction.as_dict()) for transaction in found]


def names(source: Source) -> str:
    """Return the logs that there are, for a proof."""
    return f"binary logs there are: {source.logs[0].name} to {source.logs[-1].name}"


def _first_log(source: Source, wanted: GtidSet | Place) -> tuple[int, GtidSet | Place]:
    """Return the index of the log to begin with, and what to look for from there on.

    Raises BinlogError where there cannot be any.
    """
    if isinstance(wanted, Place):
        index = _log_of_place(source, wanted)
        return index, replace(wanted, file=source.logs[index].name)
    return _log_of_gtid(source, wanted), wanted


def _log_of_place(server: Source, place: Place) -> int:
    found = [
        index
        for index, log in enumerate(server.logs)
        if place.file in (log.name, server.place(log.name)[0])
    ]
    if not found:
        raise BinlogError("binlog.file_unknown", server.address, [names(server)], wanted=place.file)
    if len(found) > 1:
        proof = [server.logs[index].name for index in found]
        raise BinlogError("binlog.file_ambiguous", server.address, proof, wanted=place.file)
    index = found[0]
    size = server.logs[index].size
    if place.position > size:
        proof = [f"{server.address}: {place.file} has {size} bytes"]
        raise BinlogError(
            "binlog.position_beyond_end", place.file, proof, wanted=str(place.position)
        )
    return index


def _log_of_gtid(server: Source, gtid: GtidSet) -> int:
    """Return the last log before which the GTID was not executed."""
    executed = server.executed()
    if gtid not in executed:
        proof = [f"gtid_executed there: {executed}"]
        raise BinlogError("binlog.gtid_unknown", server.address, proof, wanted=str(gtid))
    if gtid in server.purged:
        proof = [names(server), f"gtid_purged there: {server.purged}"]
        raise BinlogError("binlog.purged", server.address, proof, wanted=str(gtid))
    # True from the first log on that has it behind itself; it lies in the one before that.
    index = bisect_left(range(len(server.logs)), True, key=lambda at: gtid in server.head(at))
    return max(index - 1, 0)


def _scan(server: Source, first: int, wanted: Wanted) -> Hit:
    """Return the first transaction from a log on that fulfils the condition."""
    matches = condition(wanted)
    grouper = _grouper(server, wanted)
    previous: Transaction | None = None
    start = Start(server.logs[first].name)
    with closing(server.events(start, events_needed(wanted))) as events:
        for transaction in grouper.transactions(events):
            if isinstance(wanted, Deed) and _is_closed(transaction, wanted):
                raise _unreadable(server, transaction)
            if matches(transaction):
                return Hit(transaction, _executed(server, grouper), previous)
            previous = transaction
    return Hit(None, _executed(server, grouper), previous)


def _grouper(server: Source, wanted: Wanted) -> Grouper:
    counted = isinstance(wanted, Deed) and wanted.by_rows
    return Grouper(server.decompress, count_rows=counted)


def _executed(server: Source, grouper: Grouper) -> GtidSet:
    """Return what was executed before the transaction that was read last.

    The logs do not tell of what a server was seeded with (SET gtid_purged, clone): it came first.
    """
    logged = grouper.executed.gtid_set() if grouper.executed else GtidSet()
    return logged | server.purged


def _is_closed(transaction: Transaction, deed: Deed) -> bool:
    """Whether a transaction may have done it, and nothing here can look into it."""
    return deed.may_be_compressed and not transaction.complete


def _unreadable(server: Source, transaction: Transaction) -> BinlogError:
    """Return the error of a transaction that may be the one, and cannot be looked into."""
    place = f"{transaction.file}:{transaction.start}"
    proof = [f"{place} holds {transaction.gtid.text or 'an anonymous transaction'}"]
    return BinlogError("binlog.compressed", server.address, proof)


def _check_found(server: Source, wanted: Wanted, hit: Hit) -> None:
    """Raise BinlogError where a search came to its end without an answer that can be trusted."""
    if isinstance(wanted, GtidSet) and hit.found is None:
        proof = [names(server), f"{wanted} is executed there, and was not written to its logs"]
        raise BinlogError("binlog.nothing_matches", server.address, proof, wanted=str(wanted))


def _find_deed(server: Source, deed: Deed) -> Hit:
    """Return the first transaction that did it, or the last: then logs are read newest first."""
    if deed.last:
        hits = (_last_in(server, at, deed) for at in reversed(range(len(server.logs))))
        found = next(((at, hit) for at, hit in hits if hit is not None), None)
    else:
        hit = _scan(server, 0, deed)
        found = (0, hit) if hit.found else None
    if found is None:
        raise BinlogError(
            "binlog.nothing_matches", server.address, [names(server)], wanted=deed.text
        )
    return _with_previous(server, *found)


def _last_in(server: Source, index: int, deed: Deed) -> tuple[int, Hit | None]:
    """Return the last transaction of one log that did it."""
    matches = condition(deed)
    grouper = _grouper(server, deed)
    hit: Hit | None = None
    previous: Transaction | None = None
    unread: Transaction | None = None
    for transaction in of_log(server, index, grouper, events_needed(deed)):
        if matches(transaction):
            hit, unread = Hit(transaction, _executed(server, grouper), previous), None
        elif _is_closed(transaction, deed):
            unread = transaction
        previous = transaction
    # One that nothing could open may have done it too, unless a later one surely did.
    if unread is not None:
        raise _unreadable(server, unread)
    return index, hit


def _with_previous(server: Source, first: int, hit: Hit) -> Hit:
    """Return the hit with the last transaction before it, looked for in older logs if need be."""
    at = first
    previous = hit.previous
    while previous is None and at > 0:
        at -= 1
        grouper = Grouper(None, count_rows=False)
        for transaction in of_log(server, at, grouper, PLACES):
            previous = transaction
    return replace(hit, previous=previous)


def _find_offset(source: Source, offset: Offset) -> Hit:
    """Return the transaction with that many from the beginning, or the end, of the logs."""
    if offset.number > 0:
        seen = 0
        indices = range(len(source.logs))
        wanted = offset.number
    else:
        seen, indices, wanted = _from_the_end(source, -offset.number)
    for index in indices:
        grouper = Grouper(None, count_rows=False)
        previous: Transaction | None = None
        for transaction in of_log(source, index, grouper, PLACES):
            seen += 1
            if seen == wanted:
                found = Hit(transaction, _executed(source, grouper), previous)
                return _with_previous(source, index, found)
            previous = transaction
    proof = [names(source), f"they hold {seen} transactions"]
    raise BinlogError("binlog.nothing_matches", source.address, proof, wanted=offset.text)


def _from_the_end(source: Source, back: int) -> tuple[int, range, int]:
    """Return how many transactions come before a log, that log on, and the one wanted's number."""
    counted = 0
    first = len(source.logs)
    while counted < back and first > 0:
        first -= 1
        grouper = Grouper(None, count_rows=False)
        counted += sum(1 for _one in of_log(source, first, grouper, PLACES))
    # A number that no transaction has, where the logs hold fewer.
    return 0, range(first, len(source.logs)), counted - back + 1


def answer(source: Source, hit: Hit) -> dict[str, Any]:
    """Return point, transaction and previous of a hit, as the module does."""
    previous = hit.previous
    if hit.found:
        log, position = hit.found.file, hit.found.start
    elif previous:
        log, position = previous.file, previous.end
    else:
        log, position = source.logs[0].name, FIRST_POSITION
    file, uuid = source.place(log)
    found = described(source, hit.found).as_dict() if hit.found else None
    return {
        "changed": False,
        "point": {
            "time": iso_time(previous.gtid.committed) if previous else None,
            "gtid_executed": str(hit.executed),
            "file": file,
            "position": position,
            "server_uuid": uuid,
        },
        "transaction": located(source, found) if found else None,
        "previous": located(source, previous.place()) if previous else None,
        "by_time": hit.by_time.as_dict() if hit.by_time else None,
    }


def located(source: Source, told: dict[str, Any]) -> dict[str, Any]:
    """Return a transaction that is told of with the name of its file alone."""
    return {**told, "file": source.place(told["file"])[0]}


def described(server: Source, found: Transaction) -> Transaction:
    """Read one transaction again, with all that it did. Raises CollectionError where it is gone."""
    begin = found.start if found.start <= LARGEST_START else FIRST_POSITION
    grouper = Grouper(server.decompress, count_rows=True)
    with closing(server.events(Start(found.file, begin), DETAILS)) as events:
        for transaction in grouper.transactions(events):
            if transaction.start == found.start:
                return transaction
    raise CollectionError(f"{found.file}:{found.start} was purged while it was read")
