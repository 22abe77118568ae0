# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A consistent copy of all schemas and accounts from one server to another, without a file.

Rows leave the source as literals that its own QUOTE() and HEX() write, one text a row, and enter the
replica as multi-row INSERTs: nothing is parsed in between, and every version reads them. No client
program is needed, whichever road leads to the two servers, and no password is on a command line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from . import checksum
from .connection import Connection
from .dialect import quote_identifier
from .gtid import GtidSet
from .replication import SYSTEM_SCHEMAS, end_of_log, executed
from .seed import MARKER
from .seed_accounts import grant_privileges, make_accounts
from .seed_programs import copy_events, copy_routines, copy_triggers, copy_views

BATCH = 1 << 20
"""Characters of one INSERT, about; the server's max_allowed_packet is 64 MiB by default."""

_EXACT = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"})
_TIMES = frozenset({"date", "datetime", "timestamp", "time"})
_FLOATS = frozenset({"float", "double"})
# Converted to utf8mb4 and back without loss; other character sets go by their bytes.
_PLAIN_CHARSETS = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii", "latin1"})

# Values are what the source has, also zero dates and ids of 0; one time zone for both.
_SESSION = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "SET SESSION time_zone = '+00:00'",
)


@dataclass(frozen=True)
class Copied:
    """What was copied. gtids: of the snapshot; log_file, log_pos (bytes): its place in the log."""

    gtids: GtidSet
    log_file: str
    log_pos: int | None
    tables: int
    rows: int
    seconds: float


@dataclass(frozen=True)
class _Column:
    name: str
    data_type: str
    charset: str
    generated: bool

    @property
    def literal(self) -> str:
        """The expression that writes a value of the column as a literal, NULL as NULL."""
        name, kind = quote_identifier(self.name), self.data_type
        if kind in _EXACT:
            return f"IFNULL({name}, 'NULL')"
        if kind in _FLOATS:
            # A FLOAT alone would show six digits.
            return f"IFNULL({name} + 0e0, 'NULL')"
        if kind in _TIMES or kind == "json" or self.charset in _PLAIN_CHARSETS:
            return f"QUOTE(CONVERT({name} USING utf8mb4))"
        if kind == "bit":
            return f"IFNULL(CAST({name} AS UNSIGNED), 'NULL')"
        introducer = f"_{self.charset} " if self.charset else ""
        return f"IFNULL(CONCAT('{introducer}x''', HEX({name}), ''''), 'NULL')"


def rows_statement(schema: str, table: str, columns: Sequence[_Column]) -> str:
    """Return the statement that yields each row as ``(literal,literal,...)``."""
    literals = ", ',', ".join(column.literal for column in columns)
    from_ = f"{quote_identifier(schema)}.{quote_identifier(table)}"
    return f"SELECT CONCAT('(', {literals}, ')') FROM {from_}"


@contextmanager
def snapshot(source: Connection) -> Iterator[Copied]:
    """Open a consistent snapshot of the source and say at which place; close it in the end.

    Writes wait only while it is opened; definitions cannot change while it is open.
    """
    began = time.monotonic()
    for statement in _SESSION:
        source.execute(statement)
    source.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    source.execute("LOCK INSTANCE FOR BACKUP")
    try:
        source.execute("FLUSH TABLES WITH READ LOCK")
        try:
            source.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            gtids = executed(source)
            log_file, log_pos = end_of_log(source)
        finally:
            source.execute("UNLOCK TABLES")
        yield Copied(gtids, log_file, log_pos, 0, 0, began)
        source.execute("COMMIT")
    finally:
        source.execute("UNLOCK INSTANCE")


def copy(source: Connection, replica: Connection, login_user: str) -> Copied:
    """Copy accounts and schemas, then compare every table's checksum at the snapshot.

    The replica has to be empty; nothing of it goes to its binary log. login_user: whose session
    this is, so that it does not lose what it needs.
    Raises MysqlError, and CollectionError where a table is not equal in the end.
    """
    for statement in (*_SESSION, "SET SESSION foreign_key_checks = 0"):
        replica.execute(statement)
    replica.execute("SET SESSION sql_log_bin = 0")
    replica.execute("SET SESSION unique_checks = 0")
    with snapshot(source) as begun:
        accounts = make_accounts(source, replica, login_user)
        schemas = [name for name in _schemas(source) if name != MARKER]
        for schema in schemas:
            replica.execute(_create_schema(source, schema))
        tables = [(schema, table) for schema in schemas for table in _tables(source, schema)]
        for schema, table in tables:
            _create_table(source, replica, schema, table)
        rows = sum(_copy_rows(source, replica, schema, table) for schema, table in tables)
        # Views may call functions, and neither asks whether what it names is there but the view.
        copy_routines(source, replica, schemas)
        copy_views(source, replica, schemas)
        copy_triggers(source, replica, schemas)
        copy_events(source, replica, schemas)
        grant_privileges(replica, accounts)
        checksum.require_equal(source, replica, schemas)
    seconds = time.monotonic() - begun.seconds
    return Copied(begun.gtids, begun.log_file, begun.log_pos, len(tables), rows, seconds)


def _schemas(source: Connection) -> list[str]:
    rows = source.query("SELECT schema_name AS name FROM information_schema.schemata ORDER BY name")
    return [str(row["name"]) for row in rows if str(row["name"]) not in SYSTEM_SCHEMAS]


def _create_schema(source: Connection, schema: str) -> str:
    row = source.query(f"SHOW CREATE DATABASE {quote_identifier(schema)}")[0]
    return str(row["create database"])


def _tables(source: Connection, schema: str) -> list[str]:
    rows = source.query(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY name",
        (schema,),
    )
    return [str(row["name"]) for row in rows]


def _create_table(source: Connection, replica: Connection, schema: str, table: str) -> None:
    name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
    made = str(source.query(f"SHOW CREATE TABLE {name}")[0]["create table"])
    replica.execute(f"USE {quote_identifier(schema)}")
    replica.execute(made)


def _columns(source: Connection, schema: str, table: str) -> list[_Column]:
    rows = source.query(
        "SELECT column_name AS name, data_type AS kind, character_set_name AS charset,"
        " generation_expression AS made_of FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, table),
    )
    return [
        _Column(
            str(row["name"]),
            str(row["kind"]).lower(),
            str(row["charset"] or ""),
            bool(row["made_of"]),
        )
        for row in rows
    ]


def _copy_rows(source: Connection, replica: Connection, schema: str, table: str) -> int:
    """Copy the rows of a table and return how many there were."""
    columns = [each for each in _columns(source, schema, table) if not each.generated]
    names = ", ".join(quote_identifier(column.name) for column in columns)
    into = f"{quote_identifier(schema)}.{quote_identifier(table)}"
    head = f"INSERT INTO {into} ({names}) VALUES "
    count = 0
    for batch in _batches(source, rows_statement(schema, table, columns)):
        replica.execute(head + ",".join(batch))
        count += len(batch)
    return count


def _batches(source: Connection, statement: str) -> Iterator[list[str]]:
    """Yield the rows' texts, about BATCH characters at a time."""
    batch: list[str] = []
    size = 0
    for (row,) in source.stream(statement):
        batch.append(row)
        size += len(row) + 1
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
