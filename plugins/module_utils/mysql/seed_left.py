# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stays behind when a replica gets its source's data: what a server keeps for itself alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .connection import Connection
from .definitions import schemas_of
from .replication import SYSTEM_SCHEMAS

# What an instance is, and not what it holds.
_IDENTITY = frozenset(
    {"server_id", "read_only", "super_read_only", "port", "mysqlx_port", "socket", "gtid_purged"}
    | {"report_host", "report_port", "report_user", "report_password", "admin_address"}
)
# These decide what accounts may do.
_OF_ACCOUNTS = (
    *("mandatory_roles", "default_password_lifetime", "password_history"),
    *("password_reuse_interval", "password_require_current", "activate_all_roles_on_login"),
)
_SYSTEM_TABLES = (
    "SELECT CONCAT(table_schema, '.', table_name) AS n FROM information_schema.tables"
    " WHERE table_schema IN ('mysql', 'sys')"
)

Names = Callable[[Connection], set[str]]


def _asked(sql: str) -> Names:
    """Return what reads a set of names with a statement that every version knows."""
    return lambda connection: {str(row["n"]) for row in connection.query(sql)}


_COMMON: Mapping[str, Names] = {
    "plugins": _asked(
        "SELECT plugin_name AS n FROM information_schema.plugins"
        " WHERE plugin_status = 'ACTIVE' AND plugin_library IS NOT NULL"
    ),
}
_BY_DUMP: Mapping[str, Names] = {
    "components": _asked("SELECT component_urn AS n FROM mysql.component"),
    "loadable functions": _asked("SELECT name AS n FROM mysql.func"),
    "resource groups": _asked(
        "SELECT resource_group_name AS n FROM information_schema.resource_groups"
        " WHERE resource_group_name NOT LIKE 'SYS\\_%' AND resource_group_name <> 'USR_default'"
    ),
    "servers of federated tables": _asked("SELECT server_name AS n FROM mysql.servers"),
    "tables in the schemas mysql and sys": _asked(_SYSTEM_TABLES),
    "programs in the schemas mysql and sys": _asked(
        "SELECT CONCAT(routine_schema, '.', routine_name) AS n FROM information_schema.routines"
        " WHERE routine_schema IN ('mysql', 'sys')"
    ),
}


def left_behind(source: Connection, replica: Connection, method: str) -> list[str]:
    """Return what the replica will lack of its source, a line each. Raises MysqlError."""
    asked = {**_COMMON, **(_BY_DUMP if method == "dump" else {})}
    lines = []
    for what, names in asked.items():
        # A newer replica has all that its older source made for itself, and more; an older one has not.
        if what.endswith("mysql and sys") and source.server.version > replica.server.version:
            lines.append(f"{what}: not looked for, since the source is newer")
            continue
        lacking = sorted(names(source) - names(replica))
        if lacking:
            lines.append(f"{what}: {', '.join(lacking)}")
    lines += _settings(source, replica)
    if method == "dump":
        lines += [*_histograms(source), *_read_only_schemas(source), *_federated(source)]
        lines += [*_zone(source, replica), *_accounts(source, replica)]
    return lines


def _settings(source: Connection, replica: Connection) -> Iterator[str]:
    """Yield settings that were made in the server itself and are others on the replica."""
    rows = source.query("SELECT variable_name AS n FROM performance_schema.persisted_variables")
    names = {str(row["n"]) for row in rows} - _IDENTITY
    other = sorted(name for name in names if source.variable(name) != replica.variable(name))
    if other:
        yield f"persisted variables with another value on the replica: {', '.join(other)}"
    other = [
        name
        for name in _OF_ACCOUNTS
        if name not in names and source.variable(name) != replica.variable(name)
    ]
    if other:
        yield f"variables that govern accounts, with another value there: {', '.join(other)}"


def _histograms(source: Connection) -> Iterator[str]:
    rows = source.query(
        "SELECT schema_name AS s, table_name AS t, column_name AS c"
        " FROM information_schema.column_statistics ORDER BY s, t, c"
    )
    names = [f"{row['s']}.{row['t']}.{row['c']}" for row in rows if row["s"] not in SYSTEM_SCHEMAS]
    if names:
        yield f"histograms: {', '.join(names)}"


def _read_only_schemas(source: Connection) -> Iterator[str]:
    named = [
        schema
        for schema in schemas_of(source)
        if "/* READ ONLY = 1 */" in _shown_schema(source, schema)
    ]
    if named:
        yield f"READ ONLY of schemas: {', '.join(named)}"


def _shown_schema(source: Connection, schema: str) -> str:
    quoted = schema.replace("`", "``")
    return str(source.query(f"SHOW CREATE DATABASE `{quoted}`")[0]["create database"])


def _federated(source: Connection) -> Iterator[str]:
    rows = source.query(
        "SELECT table_schema AS s, table_name AS t FROM information_schema.tables"
        " WHERE engine = 'FEDERATED' ORDER BY s, t"
    )
    if rows:
        names = ", ".join(f"{row['s']}.{row['t']}" for row in rows)
        yield f"rows of federated tables, which lie on another server: {names}"


def _zone(source: Connection, replica: Connection) -> Iterator[str]:
    """Yield events that would run at another hour: they name no zone, and the machines' differ."""
    mine, theirs = (_local_zone(each) for each in (replica, source))
    if mine == theirs:
        return
    rows = source.query(
        "SELECT event_schema AS s, event_name AS e FROM information_schema.events"
        " WHERE time_zone = 'SYSTEM' ORDER BY s, e"
    )
    if rows:
        names = ", ".join(f"{row['s']}.{row['e']}" for row in rows)
        yield f"the system's time zone ({theirs}, here {mine}), in which these events run: {names}"


def _local_zone(connection: Connection) -> str:
    return str(connection.variable("system_time_zone"))


def _accounts(source: Connection, replica: Connection) -> Iterator[str]:
    asked = _asked('SELECT CONCAT("\'", user, "\'@\'", host, "\'") AS n FROM mysql.user')
    own = sorted(asked(replica) - asked(source))
    if own:
        yield f"accounts that only the replica has stay: {', '.join(own)}"
