# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Databases that are to be there. Observe, plan; nothing that holds data is ever dropped here."""

from __future__ import annotations

from collections.abc import Sequence

from ..plan import Plan, Step
from .connection import Connection
from .dialect import quote_identifier

Databases = frozenset[str]


def observe(connection: Connection) -> Databases:
    """Return the names of the databases that the server has. Raises MysqlError."""
    rows = connection.query("SELECT schema_name AS name FROM information_schema.schemata")
    return frozenset(str(row["name"]) for row in rows)


def plan(state: Databases, wanted: Sequence[str], connection: Connection) -> Plan[Databases]:
    """Return the steps that make what is missing. Raises CollectionError for what is no name."""
    missing = [name for name in dict.fromkeys(wanted) if name not in state]
    return Plan(state, tuple(_creating(name, connection) for name in missing))


def _creating(name: str, connection: Connection) -> Step[Databases]:
    sql = f"CREATE DATABASE {quote_identifier(name)} DEFAULT CHARACTER SET utf8mb4"

    def execute() -> None:
        connection.execute(sql)

    return Step(sql, "database is absent", lambda before: before | {name}, execute)
