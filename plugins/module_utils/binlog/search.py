# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is looked for in a binary log: conditions, pure, made of a module's options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from ..finding import CollectionError
from ..mysql.gtid import GtidSet
from .names import readings
from .transactions import CHANGES, PLACES, STATEMENTS, Transaction

# What a transaction can have done, as options name it.
STATEMENT_KINDS = ("INSERT", "UPDATE", "DELETE", "DROP", "TRUNCATE", "ALTER", "CREATE", "RENAME")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"[.,]\d{7,}")


@dataclass(frozen=True)
class Place:
    """A file and a position in it, in bytes."""

    file: str
    position: int


# A transaction has two commit times: of the server that committed it first, and of the one that
# wrote the log. They are the same in the log of the former.
ORIGINAL, IMMEDIATE, BOTH = "original", "immediate", "both"
CLOCKS = (BOTH, ORIGINAL, IMMEDIATE)


@dataclass(frozen=True)
class Moment:
    """Microseconds since 1970 in UTC, how the user wrote it, and by which clock (``CLOCKS``)."""

    microseconds: int
    text: str
    clock: str = BOTH


@dataclass(frozen=True)
class Deed:
    """What a transaction did. statement, table: None for any; the table as a person writes it."""

    statement: str | None
    table: str | None
    rows_over: int
    last: bool

    @property
    def text(self) -> str:
        """The deed in words, for a failure."""
        what = f"{self.statement or 'a change'}{f' of {self.table}' if self.table else ''}"
        return f"{what} of more than {self.rows_over} rows" if self.rows_over else what

    @property
    def may_be_compressed(self) -> bool:
        """Whether a compressed transaction can have done it: what is logged as text never is one.

        MySQL manual, "Binary Log Transaction Compression"; CREATE TABLE ... SELECT holds rows.
        """
        return self.statement not in ("DROP", "TRUNCATE", "ALTER", "RENAME")

    @property
    def by_rows(self) -> bool:
        """Whether rows have to be counted."""
        return self.rows_over > 0


@dataclass(frozen=True)
class Offset:
    """The n-th transaction of the logs: from 1 for the first on, from -1 for the last back."""

    number: int

    @property
    def text(self) -> str:
        """The offset in words, for a failure."""
        from_end = f"number {-self.number} from the end"
        return f"number {self.number}" if self.number > 0 else from_end


Wanted: TypeAlias = "GtidSet | Place | Moment | Deed | Offset"


def read_wanted(params: Mapping[str, Any]) -> Wanted:
    """Return what the options gtid, file and position, time, offset or before ask for.

    Raises CollectionError naming the option, what was given and what is allowed.
    """
    if params.get("clock") not in (None, BOTH) and not params.get("time"):
        raise CollectionError(
            f"clock: {params['clock']!r} is given without a time; allowed is {BOTH} there"
        )
    if params.get("gtid"):
        return _read_gtid(str(params["gtid"]))
    if params.get("file"):
        return _read_place(str(params["file"]), int(params["position"]))
    if params.get("time"):
        return read_moment(str(params["time"]), str(params.get("clock") or BOTH))
    if params.get("offset") is not None:
        return _read_offset(int(params["offset"]))
    return _read_deed(params["before"])


def _read_offset(number: int) -> Offset:
    if not number:
        raise CollectionError(
            "offset: 0 is given; allowed is 1 or more from the beginning, -1 or less from the end"
        )
    return Offset(number)


def _read_gtid(text: str) -> GtidSet:
    wanted = GtidSet.parse(text)
    if wanted.count != 1:
        raise CollectionError(
            f"gtid: {text!r} names {wanted.count} transactions; allowed is one, as uuid:n or uuid:tag:n"
        )
    return wanted


def _read_place(file: str, position: int) -> Place:
    if position < 0:
        raise CollectionError(f"position: {position} is given; allowed is 0 or more, in bytes")
    return Place(file, position)


def read_moment(text: str, clock: str = BOTH) -> Moment:
    """Return a moment. Without an offset it would mean another one in each zone: that is refused.

    Raises CollectionError.
    """
    allowed = "allowed is ISO 8601 with an offset, such as 2026-11-22T14:05:00.123456+09:00 or ...Z"
    if _FRACTION.search(text):
        raise CollectionError(f"time: {text!r} is finer than a microsecond; {allowed}")
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CollectionError(f"time: {text!r} is no moment ({error}); {allowed}") from error
    if moment.tzinfo is None:
        raise CollectionError(f"time: {text!r} has no offset from UTC; {allowed}")
    return Moment((moment - _EPOCH) // timedelta(microseconds=1), text, clock)


def _read_deed(before: Mapping[str, Any]) -> Deed:
    table = before.get("table")
    if table and not readings(table):
        raise CollectionError(
            f"before.table: {table!r} is given; allowed is schema.table, or `schema`.`table`"
        )
    statement = before.get("statement") or None
    name, rows_over = "rows_over", int(before.get("rows_over") or 0)
    if before.get("rows_deleted_over") is not None:
        if statement not in (None, "DELETE") or rows_over:
            raise CollectionError(
                "before.rows_deleted_over: it stands for statement DELETE and rows_over;"
                " give it without them"
            )
        statement, name = "DELETE", "rows_deleted_over"
        rows_over = int(before[name])
    if rows_over < 0:
        raise CollectionError(f"before.{name}: {rows_over} is given; allowed is 0 or more")
    last = before.get("occurrence") != "first"
    return Deed(statement, table or None, rows_over, last)


def events_needed(wanted: Wanted) -> frozenset[int]:
    """Return the types of events that a condition looks at."""
    if not isinstance(wanted, Deed):
        return PLACES
    return CHANGES if wanted.may_be_compressed else STATEMENTS


def condition(wanted: Wanted) -> Callable[[Transaction], bool]:
    """Return what is true of the transaction looked for, and of none before it in its file."""
    if isinstance(wanted, GtidSet):
        text = str(wanted)
        return lambda transaction: transaction.gtid.text == text
    if isinstance(wanted, Place):
        place = wanted
        # A later file's transactions all lie after the place.
        return lambda found: found.file != place.file or found.end > place.position
    if isinstance(wanted, Offset):
        raise CollectionError("An offset is counted, it is no condition")
    if isinstance(wanted, Moment):
        raise CollectionError("A moment is looked for among all transactions, it is no condition")
    deed = wanted
    return lambda transaction: did(transaction, deed)


def did(transaction: Transaction, deed: Deed) -> bool:
    """Whether a transaction did it, to the table or to its whole schema."""
    if deed.table is None:
        effects = list(transaction.effects.values())
    else:
        meant = readings(deed.table)
        effects = [
            effect
            for name, effect in transaction.effects.items()
            if any(name.covers(each) for each in meant)
        ]
    return any(effect.has(deed.statement, deed.rows_over) for effect in effects)
