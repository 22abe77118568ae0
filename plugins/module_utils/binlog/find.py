# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds a transaction in a server's binary logs, and the point just before it. Writes nothing.

The logs are read as a replica reads them, so every road to the server will do. Files are chosen by
what their first events say; of a file that has to be read, nothing is kept in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import Connection
from ..mysql.gtid import GtidSet
from .events import FORMAT_DESCRIPTION, PREVIOUS_GTIDS, Event, MalformedError, read_previous_gtids
from .payload import Decompress
from .search import Deed, Moment, Place, Wanted, condition, events_needed
from .stream import FIRST_POSITION, LARGEST_START, Start, dump
from .transactions import DETAILS, PLACES, Grouper, Transaction, iso_time

MILLION = 1_000_000


@dataclass(frozen=True)
class Log:
    """One binary log of the server. size: bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Hit:
    """Where a search ended. found is None at the end of the logs.

    executed: the transactions before it. previous: the last of them that was read.
    """

    found: Transaction | None
    executed: GtidSet
    previous: Transaction | None


@dataclass(frozen=True)
class Server:
    """The server that is read. connect: opens a session for each dump.

    purged: what was executed and lies in none of its logs, seeded by a dump or a clone included.
    """

    connect: Callable[[], Connection]
    address: str
    uuid: str
    server_id: int
    logs: tuple[Log, ...]
    purged: GtidSet
    decompress: Decompress | None

    @property
    def names(self) -> str:
        """The logs that there are, for a proof."""
        return f"binary logs there are: {self.logs[0].name} to {self.logs[-1].name}"

    def events(self, start: Start, wanted: frozenset[int]) -> Generator[Event]:
        """Yield events from a position on; closing the generator ends the session."""
        asked = replace(start, server_id=self.server_id)
        return dump(self.connect(), asked, wanted)

    def head(self, index: int) -> tuple[int, GtidSet]:
        """Return when a log was begun (seconds since 1970) and which transactions lie before it."""
        begun = 0
        wanted = frozenset({FORMAT_DESCRIPTION, PREVIOUS_GTIDS})
        with closing(self.events(Start(self.logs[index].name), wanted)) as events:
            for event in events:
                if event.type == FORMAT_DESCRIPTION:
                    begun = event.timestamp
                if event.type == PREVIOUS_GTIDS:
                    return begun, read_previous_gtids(event.body)
        return begun, GtidSet()


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
    return Server(connect, connection.address, uuid, server_id, logs, purged, decompress)


def find(connection: Connection, server: Server, wanted: Wanted) -> dict[str, Any]:
    """Return point, transaction and previous, as the module does.

    connection: a session for questions beside the dumps. Raises BinlogError where it is not there,
    or cannot be known to be.
    """
    try:
        if isinstance(wanted, Deed):
            hit = _find_deed(server, wanted)
        else:
            first = _first_log(connection, server, wanted)
            hit = _scan(server, first, wanted)
            hit = _with_previous(server, first, hit)
            _check_found(server, first, wanted, hit)
        return _answer(server, hit)
    except MalformedError as error:
        raise BinlogError("binlog.damaged", server.address, [str(error)]) from error


def _first_log(connection: Connection, server: Server, wanted: GtidSet | Place | Moment) -> int:
    """Return the index of the log to begin with. Raises BinlogError where there cannot be any."""
    if isinstance(wanted, Place):
        return _log_of_place(server, wanted)
    if isinstance(wanted, Moment):
        return _log_of_moment(connection, server, wanted)
    return _log_of_gtid(connection, server, wanted)


def _log_of_place(server: Server, place: Place) -> int:
    names = [log.name for log in server.logs]
    if place.file not in names:
        raise BinlogError("binlog.file_unknown", server.address, [server.names], wanted=place.file)
    index = names.index(place.file)
    size = server.logs[index].size
    if place.position > size:
        proof = [f"{server.address}: {place.file} has {size} bytes"]
        raise BinlogError(
            "binlog.position_beyond_end", place.file, proof, wanted=str(place.position)
        )
    return index


def _log_of_gtid(connection: Connection, server: Server, gtid: GtidSet) -> int:
    """Return the last log before which the GTID was not executed."""
    executed = GtidSet.parse(str(connection.value("SELECT @@GLOBAL.gtid_executed")))
    if gtid not in executed:
        proof = [f"gtid_executed there: {executed}"]
        raise BinlogError("binlog.gtid_unknown", server.address, proof, wanted=str(gtid))
    if gtid in server.purged:
        proof = [server.names, f"gtid_purged there: {server.purged}"]
        raise BinlogError("binlog.purged", server.address, proof, wanted=str(gtid))
    # True from the first log on that has it behind itself; it lies in the one before that.
    index = bisect_left(range(len(server.logs)), True, key=lambda at: gtid in server.head(at)[1])
    return max(index - 1, 0)


def _log_of_moment(connection: Connection, server: Server, moment: Moment) -> int:
    """Return the last log that was begun in an earlier second, else the first log."""
    now = int(connection.value("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)"))
    if moment.microseconds > now:
        proof = [f"its clock says {iso_time(now)}"]
        raise BinlogError("binlog.time_in_future", server.address, proof, wanted=moment.text)
    second = moment.microseconds // MILLION
    begun = bisect_left(range(len(server.logs)), True, key=lambda at: server.head(at)[0] >= second)
    return max(begun - 1, 0)


def _scan(server: Server, first: int, wanted: Wanted) -> Hit:
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


def _grouper(server: Server, wanted: Wanted) -> Grouper:
    counted = isinstance(wanted, Deed) and wanted.by_rows
    return Grouper(server.decompress, count_rows=counted)


def _executed(server: Server, grouper: Grouper) -> GtidSet:
    """Return what was executed before the transaction that was read last.

    The logs do not tell of what a server was seeded with (SET gtid_purged, clone): it came first.
    """
    logged = grouper.executed.gtid_set() if grouper.executed else GtidSet()
    return logged | server.purged


def _is_closed(transaction: Transaction, deed: Deed) -> bool:
    """Whether a transaction may have done it, and nothing here can look into it."""
    return deed.may_be_compressed and not transaction.complete


def _unreadable(server: Server, transaction: Transaction) -> BinlogError:
    """Return the error of a transaction that may be the one, and cannot be looked into."""
    place = f"{transaction.file}:{transaction.start}"
    proof = [f"{place} holds {transaction.gtid.text or 'an anonymous transaction'}"]
    return BinlogError("binlog.compressed", server.address, proof)


def _check_found(server: Server, first: int, wanted: Wanted, hit: Hit) -> None:
    """Raise BinlogError where a search came to its end without an answer that can be trusted."""
    if isinstance(wanted, GtidSet) and hit.found is None:
        proof = [server.names, f"{wanted} is executed there, and was not written to its logs"]
        raise BinlogError("binlog.nothing_matches", server.address, proof, wanted=str(wanted))
    if isinstance(wanted, Moment) and hit.previous is None and hit.found is not None:
        log = server.logs[first].name
        # What was purged may have been committed after the moment too.
        if hit.executed or not log.endswith(".000001"):
            at = iso_time(hit.found.gtid.committed)
            proof = [server.names, f"the first transaction in them was committed at {at}"]
            raise BinlogError("binlog.purged", server.address, proof, wanted=wanted.text)


def _find_deed(server: Server, deed: Deed) -> Hit:
    """Return the first transaction that did it, or the last: then logs are read newest first."""
    if deed.last:
        hits = (_last_in(server, at, deed) for at in reversed(range(len(server.logs))))
        found = next(((at, hit) for at, hit in hits if hit is not None), None)
    else:
        hit = _scan(server, 0, deed)
        found = (0, hit) if hit.found else None
    if found is None:
        raise BinlogError(
            "binlog.nothing_matches", server.address, [server.names], wanted=deed.text
        )
    return _with_previous(server, *found)


def _last_in(server: Server, index: int, deed: Deed) -> tuple[int, Hit | None]:
    """Return the last transaction of one log that did it."""
    matches = condition(deed)
    grouper = _grouper(server, deed)
    hit: Hit | None = None
    previous: Transaction | None = None
    unread: Transaction | None = None
    for transaction in _of_log(server, index, grouper, events_needed(deed)):
        if matches(transaction):
            hit, unread = Hit(transaction, _executed(server, grouper), previous), None
        elif _is_closed(transaction, deed):
            unread = transaction
        previous = transaction
    # One that nothing could open may have done it too, unless a later one surely did.
    if unread is not None:
        raise _unreadable(server, unread)
    return index, hit


def _of_log(
    server: Server, index: int, grouper: Grouper, wanted: frozenset[int]
) -> Iterator[Transaction]:
    """Yield the transactions of one log alone."""
    name = server.logs[index].name
    with closing(server.events(Start(name), wanted)) as events:
        yield from grouper.transactions(_while_in(name, events))


def _while_in(file: str, events: Iterator[Event]) -> Iterator[Event]:
    """Yield events up to the first one of another file."""
    for event in events:
        if event.file != file:
            return
        yield event


def _with_previous(server: Server, first: int, hit: Hit) -> Hit:
    """Return the hit with the last transaction before it, looked for in older logs if need be."""
    at = first
    previous = hit.previous
    while previous is None and at > 0:
        at -= 1
        grouper = Grouper(None, count_rows=False)
        for transaction in _of_log(server, at, grouper, PLACES):
            previous = transaction
    return replace(hit, previous=previous)


def _answer(server: Server, hit: Hit) -> dict[str, Any]:
    previous = hit.previous
    if hit.found:
        file, position = hit.found.file, hit.found.start
    elif previous:
        file, position = previous.file, previous.end
    else:
        file, position = server.logs[0].name, FIRST_POSITION
    return {
        "changed": False,
        "point": {
            "time": iso_time(previous.gtid.committed) if previous else None,
            "gtid_executed": str(hit.executed),
            "file": file,
            "position": position,
            "server_uuid": server.uuid,
        },
        "transaction": _described(server, hit.found).as_dict() if hit.found else None,
        "previous": previous.place() if previous else None,
    }


def _described(server: Server, found: Transaction) -> Transaction:
    """Read one transaction again, with all that it did. Raises CollectionError where it is gone."""
    begin = found.start if found.start <= LARGEST_START else FIRST_POSITION
    grouper = Grouper(server.decompress, count_rows=True)
    with closing(server.events(Start(found.file, begin), DETAILS)) as events:
        for transaction in grouper.transactions(events):
            if transaction.start == found.start:
                return transaction
    raise CollectionError(f"{found.file}:{found.start} was purged while it was read")
