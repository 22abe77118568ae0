# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tables LOAD DATA may fill from the rows of an INSERT, and rows on their way there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .connection import Connection
from .dump_statements import NAME, Insert, Rows, Statement
from .dump_words import decoded, name_of

CHUNK = 4 << 20
"""Bytes of rows a transaction: about 100,000 rows of ``salaries``. A replica starts on a
transaction when the primary has committed it, so larger ones make it wait (measured)."""

CHARSETS = frozenset({"utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "binary"})

NUMERIC = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double"}
)
UNFIT = frozenset({"vector", "geometry", "point", "linestring", "polygon", "geomcollection"})

COLUMNS = (
    "SELECT c.column_name AS name, c.data_type AS type, c.extra AS extra, t.engine AS engine"
    " FROM information_schema.columns AS c JOIN information_schema.tables AS t"
    " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
    " WHERE c.table_schema = %s AND c.table_name = %s ORDER BY c.ordinal_position"
)


@dataclass(frozen=True)
class Fit:
    """A table that takes rows as they stand. charset: of the session that sends them."""

    rows: Rows
    charset: str


def fit(
    session: Connection, other: Connection, schema: str, table: str, columns: bytes
) -> Fit | None:
    """Return how rows of a table must look for LOAD DATA; None: INSERT is the way.

    session: the one that loads; its character set and sql_mode count. other: one without table
    locks, for the dictionary. Only InnoDB can take back a load that the server complained of.
    """
    row = session.query(
        "SELECT DATABASE() AS db, @@character_set_client AS charset, @@sql_mode AS mode"
    )[0]
    charset = str(row["charset"])
    if charset not in CHARSETS or "NO_BACKSLASH_ESCAPES" in str(row["mode"]):
        return None
    schema, table = (
        decoded(name.encode("utf-8", "surrogateescape"), charset) for name in (schema, table)
    )
    known = other.query(COLUMNS, (schema or row["db"], table))
    if not known or any(unfit(column) for column in known):
        return None
    kinds = {str(column["name"]).lower(): str(column["type"]).lower() for column in known}
    named = [name_of(name, charset).lower() for name in re.findall(NAME, columns)] or list(kinds)
    if any(name not in kinds for name in named):
        return None
    return Fit(Rows([kinds[name] in NUMERIC for name in named]), charset)


def unfit(column: dict[str, object]) -> bool:
    """Whether a column keeps its table from LOAD DATA: its engine, its type, or computed."""
    extra = str(column["extra"]).upper()
    computed = "GENERATED" in extra.replace("DEFAULT_GENERATED", "") or "INVISIBLE" in extra
    return column["engine"] != "InnoDB" or str(column["type"]).lower() in UNFIT or computed


@dataclass
class Batch:
    """Rows of one table that wait to be sent. pieces: of which statement, and the bytes.

    key: schema, table and column list. header: of the INSERT, all before its first row.
    """

    key: tuple[str, str, bytes]
    fit: Fit
    header: bytes
    pieces: list[tuple[Statement, bytes]] = field(default_factory=list)
    size: int = 0

    def add(self, statement: Statement, piece: bytes) -> None:
        """Append rows of a statement."""
        self.pieces.append((statement, piece))
        self.size += len(piece)

    def rows(self) -> Iterator[bytes]:
        """Return the pieces, each ending as LOAD DATA wants its lines to end."""
        for _statement, piece in self.pieces:
            yield piece if piece.rstrip().endswith(b",") else piece + b",\n"

    def statements(self) -> Iterator[tuple[Statement, bytes]]:
        """Return the same rows as they were written: each statement, and its rows in here."""
        joined: dict[int, tuple[Statement, list[bytes]]] = {}
        for statement, piece in self.pieces:
            joined.setdefault(id(statement), (statement, []))[1].append(piece)
        for statement, pieces in joined.values():
            yield statement, b"".join(pieces).rstrip().rstrip(b",")


def pieces(text: bytes, insert: Insert) -> Iterator[bytes]:
    """Return the rows of an INSERT of literals, cut where a row begins."""
    for start, end in zip(insert.cuts, insert.cuts[1:], strict=False):
        yield text[start:end]


def inserts(header: bytes, values: bytes, rows: Rows, limit: int) -> Iterator[bytes]:
    """Return INSERTs of these rows, none of them longer than limit bytes if a row allows it."""
    if len(header) + len(values) <= limit:
        yield header + values
        return
    part: list[bytes] = []
    size = len(header)
    for found in rows.one.finditer(values):
        if part and size + len(found[0]) + 1 > limit:
            yield header + b",".join(part)
            part, size = [], len(header)
        part.append(found[0])
        size += len(found[0]) + 1
    if part:
        yield header + b",".join(part)
