# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A consistent copy of all schemas and accounts from one server to another, without a file.

Rows leave the source as literals that it wrote itself, and enter the replica as multi-row INSERTs
(literals.py). No client program is needed, whichever road leads to the two servers, and no password
is on a command line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import carry, checksum
from .connection import Connection
from .dialect import quote_identifier
from .gtid import GtidSet
from .literals import SESSION, columns_of, qualified
from .replication import SYSTEM_SCHEMAS, end_of_log, executed
from .seed import MARKER
from .seed_accounts import grant_privileges, make_accounts
from .seed_programs import copy_events, copy_routines, copy_triggers, copy_views
from .table_sums import tables_of


@dataclass(frozen=True)
class Copied:
    """What was copied. gtids: of the snapshot; log_file, log_pos (bytes): its place in the log."""

    gtids: GtidSet
    log_file: str
    log_pos: int | None
    tables: int
    rows: int
    seconds: float


@contextmanager
def snapshot(source: Connection) -> Iterator[Copied]:
    """Open a consistent snapshot of the source and say at which place; close it in the end.

    Writes wait only while it is opened; definitions cannot change while it is open.
    """
    began = time.monotonic()
    for statement in SESSION:
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
    for statement in (*SESSION, "SET SESSION foreign_key_checks = 0"):
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
    shown = source.query(f"SHOW CREATE TABLE {qualified(schema, table)}")[0]
    made = str(shown["create table"])
    replica.execute(f"USE {quote_identifier(schema)}")
    replica.execute(made)


def too_large(source: Connection, limit: int) -> list[str]:
    """Return which values a replica does not take. limit: its max_allowed_packet. One line a column.

    Raises MysqlError.
    """
    return [
        line
        for table in tables_of(source, None)
        for line in carry.too_large(source, _rows(source, table.schema, table.name), limit)
    ]


def _rows(source: Connection, schema: str, table: str) -> carry.Source:
    columns = tuple(each for each in columns_of(source, schema, table) if not each.generated)
    return carry.Source(schema, table, columns)


def _copy_rows(source: Connection, replica: Connection, schema: str, table: str) -> int:
    """Copy the rows of a table and return how many there were."""
    asked = _rows(source, schema, table)
    writer = carry.Writer(replica)
    into = (schema, table, asked.columns)
    return sum(writer.insert(*into, carry.read(source, asked, writer.most(*into))))
