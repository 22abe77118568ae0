# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A consistent copy of all schemas and accounts from one server to another, without a file.

Rows leave the source as literals that it wrote itself, and enter the replica as multi-row INSERTs
(literals.py). No client program is needed, whichever road leads to the two servers, and no password
is on a command line.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..finding import CollectionError
from ..polling import look_until
from . import carry, checksum, definitions
from .account import every_privilege
from .connection import Connection
from .definitions import schemas_of
from .dialect import quote_identifier
from .gtid import GtidSet
from .literals import SESSION, columns_of, qualified
from .replication import SYSTEM_SCHEMAS, end_of_log, executed
from .seed import MARKER
from .seed_accounts import Definition, grant_privileges, make_accounts
from .seed_ground import lay
from .seed_programs import copy_events, copy_routines, copy_triggers, copy_views
from .seed_survey import prepared
from .table_sums import tables_of

# A snapshot shows these as they are; rows of all others change while they are read.
TRANSACTIONAL = "InnoDB"
# Rows of these lie in other tables, on another server, or nowhere.
NO_ROWS_OF_ITS_OWN = frozenset({"MRG_MYISAM", "FEDERATED", "BLACKHOLE"})
# How long, in seconds, a moment without a prepared XA transaction is waited for.
UNPREPARED_SECONDS = 60.0
# Tables are made as they are shown, whatever the replica's own settings would make of them.
_AS_SHOWN = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
    "SET SESSION innodb_strict_mode = OFF",
    "SET SESSION foreign_key_checks = 0",
    "SET SESSION unique_checks = 0",
)
# Set only if they are there and otherwise: two came later than 8.0.15, and to set the last is deprecated.
_IF_OTHERWISE = {
    "sql_require_primary_key": "OFF",
    "sql_generate_invisible_primary_key": "OFF",
    "explicit_defaults_for_timestamp": "ON",
}


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
class Wanted:
    """How to copy. login_user: whose session the replica's is, so that it does not lose what it needs.

    without: what is left out, by kind and name: ``view shop.v``, ``account 'a'@'%'``.
    """

    login_user: str
    without: frozenset[str] = frozenset()


@contextmanager
def snapshot(source: Connection, holder: Connection) -> Iterator[Copied]:
    """Open a consistent snapshot of the source and say at which place; close it in the end.

    Writes wait only while it is opened, those to tables that no snapshot covers (MyISAM and the like)
    until it is closed: the holder's session locks them. Definitions cannot change while it is open.
    Raises CollectionError where an XA transaction is prepared all the time: it is in no snapshot.
    """
    began = time.monotonic()
    for statement in SESSION:
        source.execute(statement)
    source.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    source.execute("LOCK INSTANCE FOR BACKUP")
    try:
        _stand_still(source)
        try:
            _hold(source, holder)
            source.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            gtids = executed(source)
            log_file, log_pos = end_of_log(source)
        finally:
            source.execute("UNLOCK TABLES")
        yield Copied(gtids, log_file, log_pos, 0, 0, began)
        source.execute("COMMIT")
    finally:
        holder.execute("UNLOCK TABLES")
        source.execute("UNLOCK INSTANCE")


def _stand_still(source: Connection) -> None:
    """Hold all writes at a moment in which no XA transaction is prepared. Raises CollectionError."""

    def stopped() -> frozenset[str]:
        source.execute("FLUSH TABLES WITH READ LOCK")
        found = prepared(source)
        if found:
            source.execute("UNLOCK TABLES")
        return found

    left = look_until(stopped, lambda found: not found, UNPREPARED_SECONDS)
    if left:
        raise CollectionError(
            f"{source.address} has prepared XA transactions, which are in no snapshot, and has had some"
            f" for {UNPREPARED_SECONDS:g} s: {', '.join(sorted(left))}"
        )


def _hold(source: Connection, holder: Connection) -> None:
    """Let nobody write to tables that the snapshot does not cover."""
    rows = source.query(
        "SELECT table_schema AS s, table_name AS t, engine AS e FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' AND engine <> %s",
        (TRANSACTIONAL,),
    )
    names = [
        qualified(str(row["s"]), str(row["t"]))
        for row in rows
        if row["s"] not in SYSTEM_SCHEMAS and row["e"] not in ("FEDERATED", "BLACKHOLE")
    ]
    if names:
        holder.execute("LOCK TABLES " + ", ".join(f"{name} READ" for name in names))


def copy(source: Connection, holder: Connection, replica: Connection, wanted: Wanted) -> Copied:
    """Copy accounts and schemas, then compare rows and definitions with the source's at the snapshot.

    holder: another session of the source. The replica has to be empty; nothing of it goes to its
    binary log. Raises MysqlError, and CollectionError where something is not equal in the end.
    """
    replica.execute("SET SESSION sql_log_bin = 0")
    _as_shown(replica)
    with snapshot(source, holder) as begun:
        accounts = make_accounts(source, replica, wanted.login_user, wanted.without)
        lay(source, replica)
        schemas = [name for name in schemas_of(source) if name != MARKER]
        for schema in schemas:
            replica.execute(_create_schema(source, schema))
        tables = [(schema, table) for schema in schemas for table in _tables(source, schema)]
        for schema, (table, _engine) in tables:
            _create_table(source, replica, schema, table)
        rows = sum(
            _copy_rows(source, replica, schema, table)
            for schema, (table, engine) in tables
            if engine not in NO_ROWS_OF_ITS_OWN
        )
        # Views may call functions, and neither asks whether what it names is there but the view.
        copy_routines(source, replica, schemas, wanted.without)
        copy_views(source, replica, schemas, wanted.without)
        copy_triggers(source, replica, schemas, None, wanted.without)
        copy_events(source, replica, schemas, wanted.without)
        grant_privileges(source, replica, accounts)
        checksum.require_equal(source, replica, schemas)
        _require_alike(source, replica, wanted, accounts)
    seconds = time.monotonic() - begun.seconds
    return Copied(begun.gtids, begun.log_file, begun.log_pos, len(tables), rows, seconds)


def _as_shown(replica: Connection) -> None:
    for statement in (*SESSION, *_AS_SHOWN):
        replica.execute(statement)
    for name, value in _IF_OTHERWISE.items():
        if replica.variable(name) not in (None, value):
            replica.execute(f"SET SESSION {name} = {value}")


def _require_alike(
    source: Connection, replica: Connection, wanted: Wanted, accounts: Collection[Definition]
) -> None:
    """Raise CollectionError naming what the replica shows otherwise than the source.

    What only the replica has are accounts, and they stay; its session's own account keeps what it has.
    """
    known = every_privilege(source) & every_privilege(replica)
    across = source.server.version != replica.server.version
    theirs, mine = (
        definitions.read(each, privileges=known, across=across) for each in (source, replica)
    )
    own = {
        f"account '{each.user}'@'{each.host}'"
        for each in accounts
        if each.user == wanted.login_user
    }
    wrong = [
        str(each)
        for each in definitions.differences(theirs, mine)
        if each.name not in wanted.without | own | {f"schema {MARKER}"}
        and not (each.how == "extra" and each.name.startswith("account "))
    ]
    if wrong:
        raise CollectionError(
            f"{replica.address} is no copy of {source.address}: {'; '.join(wrong)}"
        )


def _create_schema(source: Connection, schema: str) -> str:
    row = source.query(f"SHOW CREATE DATABASE {quote_identifier(schema)}")[0]
    return str(row["create database"])


def _tables(source: Connection, schema: str) -> list[tuple[str, str]]:
    """Return name and engine of a schema's base tables."""
    rows = source.query(
        "SELECT table_name AS name, engine AS e FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY name",
        (schema,),
    )
    return [(str(row["name"]), str(row["e"])) for row in rows]


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
        if table.engine.upper() not in NO_ROWS_OF_ITS_OWN
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
