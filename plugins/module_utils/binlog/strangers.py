# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who else wrote into a database since a load of it began: the binary log has the session of each transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

from ..finding import CollectionError
from ..mysql.connection import Connection
from ..mysql.load_target import Begun
from . import rows
from .events import (
    FORMAT_DESCRIPTION,
    GTIDS,
    TABLE_MAP,
    TRANSACTION_PAYLOAD,
    Event,
    MalformedError,
)
from .payload import Decompress, decompressor, read_payload
from .query import read_query
from .statements import is_control
from .stream import Start, dump
from .transactions import TEXTS

WANTED = frozenset({*GTIDS, *TEXTS, TABLE_MAP, TRANSACTION_PAYLOAD})
# In a format description: when the server was started whose first log this is, 0 in its later ones.
STARTED = slice(52, 56)
SHOWN = 5


def strangers(connection: Connection, database: str, begun: Begun) -> list[str]:
    """Return the transactions of others in a database since a load began, a few of them, as a person reads them.

    The session is closed by it. Raises CollectionError where the log does not tell.
    """
    if connection.server.server_uuid != begun.server_uuid:
        raise CollectionError("the load began on another server, and this one does not tell")
    with closing(dump(connection, Start(begun.file, begun.position), WANTED)) as events:
        found = others(events, database, begun.threads, decompressor())
        try:
            return [line for line, _number in zip(found, range(SHOWN), strict=False)]
        except MalformedError as error:
            raise CollectionError(f"its binary log cannot be read: {error}") from error


def others(
    events: Iterable[Event], database: str, threads: Iterable[int], decompress: Decompress | None
) -> Iterator[str]:
    """Yield what sessions other than these did to a database, once a transaction; pure.

    Numbers of sessions start again with each start of a server: nothing after that is of these.
    """
    ours, place, thread, told = frozenset(threads), "", 0, False
    for event in _opened(events, decompress):
        if event.type == FORMAT_DESCRIPTION:
            if int.from_bytes(event.body[STARTED], "little") and event.end:
                ours = frozenset()
        elif event.type in GTIDS:
            place, thread, told = f"{event.file}:{event.start}", 0, False
        elif event.type in TEXTS:
            thread = int.from_bytes(event.body[:4], "little")
            if thread not in ours and not told and _names(event, database):
                told = True
                yield f"{place}: session {thread} sent a statement"
        elif event.type == TABLE_MAP and thread not in ours and not told:
            table = rows.read_table(event.body).full_name
            if table.schema.casefold() == database.casefold():
                told = True
                yield f"{place}: session {thread} changed rows of {table.text}"


def _opened(events: Iterable[Event], decompress: Decompress | None) -> Iterator[Event]:
    for event in events:
        if event.type != TRANSACTION_PAYLOAD:
            yield event
        elif decompress is None:
            raise CollectionError("transactions are compressed, and Python has no zstandard")
        else:
            yield from (
                each for each in read_payload(event, decompress) if each.type in {*TEXTS, TABLE_MAP}
            )


def _names(event: Event, database: str) -> bool:
    """Whether a statement may be about a database: it is its default one, or it is named in the text."""
    query = read_query(event.type, event.body)
    if is_control(query.text):
        return False
    name = database.casefold()
    named = query.schema.casefold() == name or name in query.text.casefold()
    return named or name in (each.casefold() for each in query.updated or ())
