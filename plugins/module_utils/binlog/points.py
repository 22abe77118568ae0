# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Points of a binary log under a name: note the current one, list them, read one back.

They are rows of a table on the primary, so that each replica and each backup holds them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import Connection, Row
from ..mysql.dialect import quote_identifier, statement
from ..mysql.gtid import GtidSet
from ..plan import Plan, Step
from .transactions import iso_moment

SCHEMA = "mysql_on_kubernetes"
TABLE = "binlog_points"
LONGEST_NAME = 190

_TABLE = f"{quote_identifier(SCHEMA)}.{quote_identifier(TABLE)}"
_CREATE_SCHEMA = f"CREATE DATABASE IF NOT EXISTS {quote_identifier(SCHEMA)}"
_CREATE_TABLE = f"""CREATE TABLE IF NOT EXISTS {_TABLE} (
  name VARCHAR({LONGEST_NAME}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
  noted_at DATETIME(6) NOT NULL COMMENT 'UTC',
  gtid_executed LONGTEXT CHARACTER SET ascii NOT NULL,
  file VARCHAR(512) CHARACTER SET utf8mb4 NOT NULL,
  position BIGINT UNSIGNED NOT NULL,
  server_uuid CHAR(36) CHARACTER SET ascii NOT NULL COMMENT 'whose file and position these are'
) ENGINE=InnoDB"""
_COLUMNS = "name, noted_at, gtid_executed, file, position, server_uuid"
_SELECT = f"SELECT {_COLUMNS} FROM {_TABLE}"


@dataclass(frozen=True)
class Point:
    """A place between two transactions.

    time: when it was read, by the server's clock, ISO 8601 in UTC with microseconds.
    gtid_executed: every transaction before it, canonical (empty where GTIDs are off).
    file, position: the same place in the binary log of the server ``server_uuid`` (bytes).
    """

    time: str
    gtid_executed: str
    file: str
    position: int
    server_uuid: str

    def as_dict(self) -> dict[str, Any]:
        """Return the point as a module returns it."""
        return {
            "time": self.time,
            "gtid_executed": self.gtid_executed,
            "file": self.file,
            "position": self.position,
            "server_uuid": self.server_uuid,
        }


@dataclass(frozen=True)
class State:
    """What a server knows of points. noted: by name, oldest first."""

    schema_exists: bool
    table_exists: bool
    read_only: bool
    noted: Mapping[str, Point]
    current: Point


def current(connection: Connection) -> Point:
    """Read the point where the server's binary log ends now.

    Set, file and position come of one statement, so they name the same place.
    Raises CollectionError where the server writes no binary log.
    """
    version = connection.server.version
    rows = connection.query(statement("show_binary_log_status", version))
    if not rows:
        raise BinlogError(
            "binlog.off",
            connection.address,
            ["the statement that shows where the binary log ends returns no row"],
        )
    moment: datetime = connection.value("SELECT UTC_TIMESTAMP(6)")
    return Point(
        time=iso_moment(moment),
        gtid_executed=str(GtidSet.parse(str(rows[0]["executed_gtid_set"]))),
        file=str(rows[0]["file"]),
        position=int(rows[0]["position"]),
        server_uuid=connection.server.server_uuid,
    )


def observe(connection: Connection) -> State:
    """Read the current point and those noted. Writes nothing.

    Raises CollectionError where the server writes no binary log.
    """
    here = current(connection)
    schemas = connection.query(
        "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name = %s",
        (SCHEMA,),
    )
    tables = connection.query(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_name = %s",
        (SCHEMA, TABLE),
    )
    rows = connection.query(f"{_SELECT} ORDER BY noted_at, name") if tables else []
    return State(
        schema_exists=bool(schemas),
        table_exists=bool(tables),
        read_only=bool(connection.value("SELECT @@GLOBAL.read_only OR @@GLOBAL.super_read_only")),
        noted=MappingProxyType({str(row["name"]): _point(row) for row in rows}),
        current=here,
    )


def _point(row: Row) -> Point:
    return Point(
        time=iso_moment(row["noted_at"]),
        gtid_executed=str(row["gtid_executed"]),
        file=str(row["file"]),
        position=int(row["position"]),
        server_uuid=str(row["server_uuid"]),
    )


def check_name(name: str) -> None:
    """Raise CollectionError where a name cannot be kept."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise CollectionError(
            f"name: {name!r} cannot name a point; allowed are 1 to {LONGEST_NAME} printable"
            " characters, not all of them blank"
        )


def plan_note(connection: Connection, state: State, name: str, *, again: bool) -> Plan[State]:
    """Return the steps that note the state's current point under a name.

    again: move a name that is noted already; otherwise such a name needs no step.
    Raises CollectionError where the server is read-only.
    """
    if name in state.noted and not again:
        return Plan(state)
    if state.read_only:
        raise BinlogError(
            "binlog.read_only", connection.address, ["read_only or super_read_only is ON there"]
        )
    steps: list[Step[State]] = []
    if not state.schema_exists:
        steps.append(_step(connection, _CREATE_SCHEMA, "the schema that holds points is missing"))
    if not state.table_exists:
        steps.append(_step(connection, _CREATE_TABLE, "the table that holds points is missing"))
    steps.append(_note_step(connection, state, name))
    return Plan(state, tuple(steps))


def _created(state: State) -> State:
    return replace(state, schema_exists=True, table_exists=True)


def _step(connection: Connection, sql: str, reason: str) -> Step[State]:
    return Step(sql, reason, _created, partial(_execute, connection, sql, ()))


def _note_step(connection: Connection, state: State, name: str) -> Step[State]:
    here = state.current
    sql = f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"
    reason = f"no point is noted as {name!r}"
    if name in state.noted:
        sql = f"REPLACE INTO {_TABLE} ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"
        reason = f"{name!r} is to name the current point instead"
    moment = here.time.replace("T", " ").removesuffix("Z")
    values = (name, moment, here.gtid_executed, here.file, here.position, here.server_uuid)
    shown = sql % tuple(repr(value) for value in values)
    return Step(shown, reason, partial(_noted, name), partial(_execute, connection, sql, values))


def _noted(name: str, state: State) -> State:
    others = {key: point for key, point in state.noted.items() if key != name}
    return replace(state, noted=MappingProxyType({**others, name: state.current}))


def _execute(connection: Connection, sql: str, values: tuple[Any, ...]) -> None:
    connection.execute(sql, values)


def named(state: State, name: str, address: str) -> Point:
    """Return the point of a name. Raises CollectionError naming those that there are."""
    if name not in state.noted:
        names = ", ".join(repr(known) for known in state.noted) or "none"
        raise BinlogError("binlog.point_unknown", address, [f"noted are: {names}"], name=name)
    return state.noted[name]


def shown(name: str, point: Point) -> dict[str, Any]:
    """Return a noted point as a module returns it."""
    return {"name": name, **point.as_dict()}
