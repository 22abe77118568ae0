# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a scratch instance is what was planned: its transactions, its rows, its checksums.

How many rows a table must have is known without it: those of the base, and what the binary logs
that were applied inserted and deleted.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..binlog.archive import Base
from ..binlog.rows import DELETE, INSERT, KINDS, UPDATE
from ..binlog.store import ArchiveSource
from ..binlog.transactions import CHANGES, Effect, Grouper, Members
from ..causes.binlog import BinlogError
from ..mysql import checksum
from ..mysql.connection import Connection
from ..mysql.replication import SYSTEM_SCHEMAS
from .pieces import Piece

NAME = "scratch"
# An update leaves a table as many rows as it had; those are a part of the log that need not be read.
COUNTED = CHANGES - {kind for kind, does in KINDS.items() if does == UPDATE}


@dataclass(frozen=True)
class Expected:
    """One table as it must be. checksum: None where only rows are known."""

    table: str
    rows: int
    checksum: str | None = None


def changes(source: ArchiveSource, pieces: Sequence[Piece], base: Base) -> dict[str, Effect]:
    """Return what the pieces do to which table, on top of a base; rows that stay are not counted."""
    found: dict[str, Effect] = {}
    covered = base.gtid_executed
    for piece in pieces:
        before = Members(covered)
        last = piece.spans[-1][1]
        grouper = Grouper(source.decompress, count_rows=True)
        with closing(source.events_of(piece.log, COUNTED)) as events:
            for transaction in grouper.transactions(events):
                if transaction.end > last:
                    break
                if transaction in before or not _inside(piece, transaction.start):
                    continue
                for table, effect in transaction.effects.items():
                    known = found.setdefault(table, Effect())
                    for kind, count in effect.rows.items():
                        known.add_rows(kind, count)
                    known.kinds.update(effect.kinds)
                    if not transaction.complete:
                        known.kinds["unread"] = None
        covered |= piece.log.gtids
    return found


def _inside(piece: Piece, start: int) -> bool:
    return any(first <= start < end for first, end in piece.spans)


def expected_rows(base: Base, done: Mapping[str, Effect]) -> dict[str, int]:
    """Return how many rows each table must have, where that can be known."""
    schemas = {name.removesuffix(".*") for name in done if name.endswith(".*")}
    rows: dict[str, int] = {}
    for table, count in base.tables:
        if table.partition(".")[0] in SYSTEM_SCHEMAS:
            continue
        effect = done.get(table, Effect())
        # A statement on the table itself (TRUNCATE, DROP) does not say how many rows it takes.
        if effect.kinds or table.partition(".")[0] in schemas:
            continue
        rows[table] = count + effect.rows.get(INSERT, 0) - effect.rows.get(DELETE, 0)
    return rows


def cascading(connection: Connection) -> set[str]:
    """Return the tables whose rows InnoDB deletes with others' rows: no binary log tells of those."""
    return _tables(
        connection,
        "SELECT constraint_schema AS s, table_name AS t"
        " FROM information_schema.referential_constraints WHERE delete_rule = 'CASCADE'",
    )


def forgetting(connection: Connection) -> set[str]:
    """Return the tables whose engine keeps no rows, or none beyond a restart, whatever the binary logs tell."""
    return _tables(
        connection,
        "SELECT table_schema AS s, table_name AS t FROM information_schema.tables"
        " WHERE engine IN ('BLACKHOLE', 'MEMORY')",
    )


def _tables(connection: Connection, sql: str) -> set[str]:
    return {f"{row['s']}.{row['t']}" for row in connection.query(sql)}


def read(connection: Connection) -> checksum.Reading:
    """Return rows and checksum of every table of the instance."""
    member = checksum.Member(NAME, connection)
    return checksum.read([member], checksum.Task(None, "crc", False, 60))[0]


def sums(reading: checksum.Reading, unkept: Container[str]) -> dict[str, str]:
    """Return rows and checksum of each table but some, as they are noted once they were verified.

    unkept: tables that do not keep their rows.
    """
    return {
        name: f"{found.rows} rows, {found.checksum}"
        for name, found in reading.sums.items()
        if name not in unkept
    }


def compare(
    reading: checksum.Reading,
    base: Base,
    rows: Mapping[str, int],
    known: Sequence[Expected],
) -> list[dict[str, Any]]:
    """Return every table with what it was, must be, and is. Raises BinlogError where one differs."""
    before = dict(base.tables)
    given = {each.table: each for each in known}
    tables: list[dict[str, Any]] = []
    wrong: list[str] = []
    for name in sorted({*reading.sums, *rows, *given}):
        found = reading.sums.get(name)
        wanted = given[name].rows if name in given else rows.get(name)
        checksum_wanted = given[name].checksum if name in given else None
        equal = found is not None and wanted in (None, found.rows)
        if equal and checksum_wanted is not None:
            equal = found is not None and found.checksum == checksum_wanted
        is_now = f"{found.rows} rows, checksum {found.checksum}" if found else "not there"
        if not equal:
            wrong.append(f"{name}: expected {wanted} rows, {checksum_wanted or ''} found: {is_now}")
        tables.append(
            {
                "table": name,
                "rows_base": before.get(name),
                "rows_expected": wanted,
                "rows": found.rows if found else None,
                "checksum": found.checksum if found else None,
                "equal": equal,
            }
        )
    if wrong:
        raise BinlogError("recovery.rows_differ", NAME, wrong[:10])
    return tables
