# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single transactions that a recovery leaves out, and whether a later one builds on them. Reads alone.

The applier finds a row by its key and writes the whole row as the log has it. A later change of a
row that was touched would so bring back what was to be left out, without any error. So rows are
followed by their bytes: the next change of a row begins with what the one before left. Everything
else (a key that is there twice, a row or a table that is not there) stops the applier when it is
tried on the scratch instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ..binlog import rows
from ..binlog.archive import Binlog
from ..binlog.definitions import LONGEST_READ, Written, read_deeds
from ..binlog.events import (
    BEGIN,
    GTIDS,
    TABLE_MAP,
    TRANSACTION_PAYLOAD,
    Event,
    MalformedError,
    read_gtid,
)
from ..binlog.find import answer, look_for
from ..binlog.names import TableName
from ..binlog.payload import read_payload
from ..binlog.query import read_query
from ..binlog.statements import read_change
from ..binlog.store import ArchiveSource, name_of
from ..binlog.stream import FIRST_POSITION
from ..binlog.transactions import CHANGES, TEXTS
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.gtid import GtidSet

# What ends a table: no row of it is there to be built on.
_ENDS = ("DROP", "TRUNCATE")
Values = tuple["bytes | None", ...]
MOST = 100
"""Transactions that are left out at most: each is looked at by itself."""


@dataclass(frozen=True)
class Skip:
    """What is left out. transactions: each as a module returns it."""

    gtids: GtidSet = field(default_factory=GtidSet)
    transactions: tuple[dict[str, Any], ...] = ()


def read_skip(given: Sequence[str] | None) -> GtidSet:
    """Return the transactions that the option skip names. Raises CollectionError."""
    wanted = GtidSet.parse(",".join(given or ()))
    if wanted.count > MOST:
        raise CollectionError(f"skip: {wanted.count} transactions are given; allowed are {MOST}")
    return wanted


def look(source: ArchiveSource, wanted: GtidSet, target: GtidSet) -> Skip:
    """Return what is left out of a target. Raises BinlogError where it is not in it, or built on."""
    if not wanted:
        return Skip()
    if wanted not in target:
        outside = str(wanted - target)[:200]
        proof = [f"of what leads to the target, {outside} is no part"]
        raise BinlogError("recovery.skip_not_there", source.address, proof, wanted=outside)
    hits = [look_for(source, one) for one in _each(wanted)]
    told = tuple(answer(source, hit)["transaction"] for hit in hits)
    places = [(source.index(hit.found.file), hit.found.start) for hit in hits if hit.found]
    first, start = min(places)
    follower = _Follower(source, wanted, target)
    try:
        for log in source.files[first:]:
            follower.read(log, start)
            start = FIRST_POSITION
    except MalformedError as error:
        raise BinlogError("binlog.damaged", source.address, [str(error)]) from error
    return Skip(wanted, told)


def _each(gtids: GtidSet) -> Iterator[GtidSet]:
    for origin, (first, last) in gtids.intervals():
        for number in range(first, last + 1):
            yield GtidSet.of([(origin, (number, number))])


def depends(gtid: str, skipped: GtidSet, proof: Iterable[str]) -> BinlogError:
    """Return the refusal of what cannot be left out, since a later transaction builds on it."""
    return BinlogError("recovery.skip_depends", str(skipped), list(proof), gtid=gtid)


class _Rows:
    """Rows of one table as the transactions that are left out made them."""

    def __init__(self) -> None:
        self._images: list[rows.Image] = []
        self._by_columns: dict[tuple[tuple[int, ...], tuple[int, ...]], set[Values]] = {}
        self._kinds: dict[tuple[int, ...], None] = {}

    def add(self, image: rows.Image) -> None:
        self._images.append(image)
        self._kinds[image.columns] = None
        self._by_columns.clear()

    def __contains__(self, image: rows.Image) -> bool:
        """Whether a change began with one of these rows, as far as both tell their columns."""
        for columns in self._kinds:
            shared = tuple(sorted({*columns} & {*image.columns}))
            key = (columns, shared)
            if key not in self._by_columns:
                self._by_columns[key] = {
                    _of(each, shared) for each in self._images if each.columns == columns
                }
            if shared and _of(image, shared) in self._by_columns[key]:
                return True
        return False


def _of(image: rows.Image, columns: tuple[int, ...]) -> Values:
    if image.columns == columns:
        return image.values
    found = dict(zip(image.columns, image.values, strict=True))
    return tuple(found[column] for column in columns)


class _Follower:
    """Reads logs from the first transaction that is left out on; raises at the first that depends."""

    def __init__(self, source: ArchiveSource, skipped: GtidSet, target: GtidSet) -> None:
        self._source = source
        self._skipped = skipped
        self._members = {"skipped": dict(skipped.members), "target": dict(target.members)}
        self._touched: dict[TableName, _Rows] = {}
        self._tables: dict[int, rows.Table] = {}
        self._announced: dict[bytes, rows.Table] = {}
        self._seen = GtidSet()
        # The transaction at hand: its GTID and place, whether it is left out, whether it counts.
        self._gtid, self._place = "", ""
        self._left_out = self._counts = False

    def read(self, log: Binlog, start: int) -> None:
        """Read one log. Raises BinlogError, MalformedError."""
        again = dict(self._seen.members)
        with closing(self._source.events_of(log, CHANGES, start)) as events:
            for event in events:
                if event.type in GTIDS:
                    self._open(event, again)
                elif event.type == TRANSACTION_PAYLOAD:
                    self._payload(event)
                else:
                    self._content(event)
        self._seen |= log.gtids
        self._place = name_of(log)

    def _open(self, event: Event, again: dict[Any, Any]) -> None:
        gtid = event.gtid or read_gtid(event.type, event.body)
        self._tables = {}
        self._gtid, self._place = gtid.text or "", f"{event.file}:{event.start}"
        twice = _among(again, gtid.origin, gtid.number)
        self._left_out = not twice and _among(self._members["skipped"], gtid.origin, gtid.number)
        inside = _among(self._members["target"], gtid.origin, gtid.number)
        self._counts = inside and not twice and bool(self._touched)

    @property
    def _matters(self) -> bool:
        return self._left_out or self._counts

    def _payload(self, event: Event) -> None:
        if not self._matters:
            return
        if self._source.decompress is None:
            raise BinlogError("binlog.compressed", self._source.address, [f"{self._place}"])
        for inner in read_payload(event, self._source.decompress):
            self._content(inner)

    def _content(self, event: Event) -> None:
        if not self._matters:
            return
        if event.type == TABLE_MAP:
            table = self._announced.get(event.body)
            if table is None:
                table = self._announced[event.body] = rows.read_table(event.body)
            self._tables[table.number] = table
        elif event.type in rows.KINDS:
            self._rows(event)
        elif event.type in TEXTS and not event.body.endswith(BEGIN):
            self._statement(event)

    def _rows(self, event: Event) -> None:
        table = self._tables.get(rows.table_number(event.body))
        if table is None:
            return
        name = table.full_name
        known = self._touched.get(name)
        if not self._left_out and known is None:
            return
        for before, after in rows.read_images(event.type, event.body, table):
            if self._left_out:
                if after is not None:
                    self._touched.setdefault(name, _Rows()).add(after)
            elif known is not None and before is not None and before in known:
                raise self._depends(f"it changes a row of {name.text} as that one left it")

    def _statement(self, event: Event) -> None:
        query = read_query(event.type, event.body)
        shown = query.text[:120]
        for deed in read_deeds(query):
            if isinstance(deed, Written):
                self._written(deed, shown)
        change = read_change(query.text[:LONGEST_READ], query.schema, backslash=query.backslash)
        for changed in change.tables if change else ():
            for name in [name for name in self._touched if changed.covers(name)]:
                if change is not None and change.kind in _ENDS:
                    del self._touched[name]
                elif not self._left_out:
                    raise self._unfollowed(name, shown)

    def _written(self, written: Written, shown: str) -> None:
        """Refuse rows that a statement as text may have changed, or read."""
        if self._left_out:
            proof = [f"{self._place} holds it as text: {shown}"]
            raise BinlogError("recovery.skip_unknown", self._gtid, proof)
        for name in self._touched:
            named = written.words is None or name.table.lower() in written.words
            beyond = written.schemas is None or name.schema in written.schemas
            if named or (written.listed and beyond):
                raise self._unfollowed(name, shown)

    def _unfollowed(self, name: TableName, shown: str) -> BinlogError:
        return self._depends(f"behind it rows of {name.text} cannot be followed: {shown}")

    def _depends(self, why: str) -> BinlogError:
        return depends(self._gtid, self._skipped, [f"{self._place} holds {self._gtid}", why])


def _among(members: dict[Any, Any], origin: Any, number: int) -> bool:
    return any(first <= number <= last for first, last in members.get(origin, ()))
