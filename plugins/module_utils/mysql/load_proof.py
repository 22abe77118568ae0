# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After a load: rows counted on the primary and on each replica by GTID, and what to know of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..finding import CollectionError
from .connection import Connection, MysqlError
from .dialect import quote_identifier
from .gtid import GtidSet
from .load_error import LoadError
from .replication import executed

RETRY = 0.5
DENIED = frozenset({1142, 1143, 1044, 1227})
NOT_COMPARED = (
    "the values within rows (mysql_checksum compares them)",
    "definitions, views, triggers, routines and events",
)

DEFINERS = (
    "SELECT CONCAT(LOWER(routine_type), ' ', routine_name) AS what, definer AS who"
    " FROM information_schema.routines WHERE routine_schema = %s"
    " UNION ALL SELECT CONCAT('view ', table_name), definer"
    " FROM information_schema.views WHERE table_schema = %s"
    " UNION ALL SELECT CONCAT('trigger ', trigger_name), definer"
    " FROM information_schema.triggers WHERE trigger_schema = %s"
    " UNION ALL SELECT CONCAT('event ', event_name), definer"
    " FROM information_schema.events WHERE event_schema = %s"
)


def counts(connection: Connection, database: str) -> dict[str, int]:
    """Return the rows of each table as the session sees them. Raises MysqlError."""
    rows = connection.query(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY table_name",
        (database,),
    )
    schema = quote_identifier(database)
    return {
        str(row["name"]): int(
            connection.value(f"SELECT COUNT(*) FROM {schema}.{quote_identifier(str(row['name']))}")
        )
        for row in rows
    }


def counted(
    primary: Connection, replicas: Mapping[str, Connection], database: str, timeout: float
) -> dict[str, Any]:
    """Count all rows on the primary, and on each replica once it has executed what the primary had.

    What differs is counted again while an instance moves, for timeout seconds at most: others may
    write meanwhile. Return ``rows``, ``gtid_executed``, ``replicas`` (rows by name) and
    ``not_compared``.
    Raises LoadError where a replica has other tables or other rows; CollectionError where writes
    are so steady that this cannot be told; MysqlError.
    """
    deadline = time.monotonic() + timeout
    while True:
        reference = executed(primary)
        first, quiet = _reading(primary, database)
        found: dict[str, dict[str, int]] = {}
        for name, replica in replicas.items():
            replica.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)", (str(reference), timeout))
            found[name], still = _reading(replica, database)
            quiet = quiet and still
        wrong = [name for name, tables in found.items() if tables != first]
        if not wrong:
            break
        if quiet and executed(primary) == reference:
            raise differs(wrong[0], first, found[wrong[0]], reference)
        if time.monotonic() >= deadline:
            raise CollectionError(
                f"{database} is written to so steadily that its rows on {wrong[0]} could not be"
                f" compared with the primary's for {timeout:g} s: {_difference(first, found[wrong[0]])[0]}"
            )
        time.sleep(RETRY)
    return {
        "rows": sum(first.values()),
        "gtid_executed": str(reference),
        "replicas": {name: sum(tables.values()) for name, tables in found.items()},
        "not_compared": list(NOT_COMPARED),
    }


def _reading(connection: Connection, database: str) -> tuple[dict[str, int], bool]:
    """Return the rows of each table, and whether the instance stood still meanwhile."""
    before = executed(connection)
    found = counts(connection, database)
    return found, executed(connection) == before


def _difference(primary: Mapping[str, int], replica: Mapping[str, int]) -> list[str]:
    absent = "no such table"
    return [
        f"{table}: {primary.get(table, absent)} rows on the primary, {replica.get(table, absent)} on the replica"
        for table in sorted({*primary, *replica})
        if primary.get(table) != replica.get(table)
    ]


def differs(
    name: str, primary: Mapping[str, int], replica: Mapping[str, int], gtids: GtidSet
) -> LoadError:
    """Return the cause that a replica has not what the primary has."""
    proof = _difference(primary, replica)
    more = [f"and {len(proof) - 8} more tables"] if len(proof) > 8 else []
    return LoadError("load.replica_differs", name, [*proof[:8], *more, f"both executed {gtids}"])


def remarks(primary: Connection, database: str) -> list[str]:
    """Return what is to be known of a loaded database: engines that no copy carries, and definers.

    Raises MysqlError.
    """
    return [*_engines(primary, database), *_definers(primary, database)]


def _engines(primary: Connection, database: str) -> list[str]:
    rows = primary.query(
        "SELECT engine AS engine, table_name AS name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'"
        " ORDER BY engine, table_name",
        (database,),
    )
    named: dict[str, list[str]] = {}
    for row in rows:
        named.setdefault(str(row["engine"]), []).append(str(row["name"]))
    return [
        f"{database}: {_some(tables)} of the engine {engine}: CLONE does not copy their rows, and no load of them"
        " can be taken back; ALTER TABLE ... ENGINE=InnoDB makes them like the others"
        for engine, tables in named.items()
    ]


def _definers(primary: Connection, database: str) -> list[str]:
    rows = primary.query(DEFINERS, (database,) * 4)
    try:
        known = {
            str(row["who"])
            for row in primary.query("SELECT CONCAT(user, '@', host) AS who FROM mysql.user")
        }
    except MysqlError as error:
        if error.errno not in DENIED:
            raise
        return (
            [f"{database}: whether the definers of its programs exist was not looked at"]
            if rows
            else []
        )
    absent: dict[str, list[str]] = {}
    for row in rows:
        if str(row["who"]) not in known:
            absent.setdefault(str(row["who"]), []).append(str(row["what"]))
    return [
        f"{database}: the account {who} does not exist on this server: {_some(programs)} fail (1449)"
        " until it is created"
        for who, programs in absent.items()
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
