# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stored programs and views of a source, made on a replica as their creator's session saw them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .connection import Connection, MysqlError, Row
from .dialect import quote_identifier, statement

NO_SUCH = frozenset({1146, 1305, 1356})
"""Errors of a view whose table, function or underlying view is not there (yet)."""


def copy_routines(source: Connection, replica: Connection, schemas: Sequence[str]) -> None:
    """Copy procedures and functions. Raises MysqlError."""
    for schema in schemas:
        rows = source.query(
            "SELECT routine_name AS name, routine_type AS kind FROM information_schema.routines"
            " WHERE routine_schema = %s ORDER BY name",
            (schema,),
        )
        for row in rows:
            kind = str(row["kind"])
            shown = _show(source, kind, schema, str(row["name"]))
            _make(replica, schema, shown, str(shown[f"create {kind.lower()}"]))


def copy_triggers(
    source: Connection,
    replica: Connection,
    schemas: Sequence[str],
    tables: Collection[str] | None = None,
) -> None:
    """Copy triggers, in the order in which they act; of some tables alone, or of all.

    Raises MysqlError.
    """
    for schema in schemas:
        rows = source.query(
            "SELECT trigger_name AS name, event_object_table AS t FROM information_schema.triggers"
            " WHERE trigger_schema = %s ORDER BY event_object_table, action_timing, event_manipulation, action_order",
            (schema,),
        )
        for row in rows:
            if tables is not None and str(row["t"]) not in tables:
                continue
            shown = _show(source, "TRIGGER", schema, str(row["name"]))
            _make(replica, schema, shown, str(shown["sql original statement"]))


def copy_events(source: Connection, replica: Connection, schemas: Sequence[str]) -> None:
    """Copy events; on a replica they rest, as those that arrive by replication do."""
    for schema in schemas:
        rows = source.query(
            "SELECT event_name AS name FROM information_schema.events WHERE event_schema = %s"
            " ORDER BY name",
            (schema,),
        )
        for row in rows:
            shown = _show(source, "EVENT", schema, str(row["name"]))
            zone = str(shown["time_zone"])
            replica.execute("SET SESSION time_zone = %s", (zone,))
            _make(replica, schema, shown, str(shown["create event"]))
    replica.execute("SET SESSION time_zone = '+00:00'")
    rest_events(replica)


def rest_events(replica: Connection) -> int:
    """Let every enabled event rest as on a replica; return how many there were."""
    rows = replica.query(
        "SELECT event_schema AS s, event_name AS e FROM information_schema.events"
        " WHERE status = 'ENABLED'"
    )
    words = statement("disable_on_replica", replica.server.version)
    for row in rows:
        name = f"{quote_identifier(str(row['s']))}.{quote_identifier(str(row['e']))}"
        replica.execute(f"ALTER EVENT {name} {words}")
    return len(rows)


def copy_views(source: Connection, replica: Connection, schemas: Sequence[str]) -> None:
    """Copy views, those first that others are made of. Raises MysqlError."""
    waiting: list[tuple[str, str, Row]] = []
    for schema in schemas:
        rows = source.query(
            "SELECT table_name AS name FROM information_schema.views WHERE table_schema = %s"
            " ORDER BY name",
            (schema,),
        )
        for row in rows:
            shown = _show(source, "VIEW", schema, str(row["name"]))
            waiting.append((schema, str(shown["create view"]), shown))
    while waiting:
        left = [each for each in waiting if not _made(replica, each, last=False)]
        if len(left) == len(waiting):
            # None of them can be made: let the server say why.
            _made(replica, left[0], last=True)
        waiting = left


def _made(replica: Connection, view: tuple[str, str, Row], last: bool) -> bool:
    schema, text, shown = view
    try:
        _make(replica, schema, shown, text)
    except MysqlError as error:
        if last or error.errno not in NO_SUCH:
            raise
        return False
    return True


def _show(source: Connection, kind: str, schema: str, name: str) -> Row:
    source.execute(f"USE {quote_identifier(schema)}")
    return source.query(f"SHOW CREATE {kind} {quote_identifier(name)}")[0]


def _make(replica: Connection, schema: str, shown: Row, text: str) -> None:
    """Run a CREATE with the settings that its creator's session had."""
    replica.execute(f"USE {quote_identifier(schema)}")
    if "sql_mode" in shown:
        replica.execute("SET SESSION sql_mode = %s", (str(shown["sql_mode"]),))
    replica.execute(
        "SET SESSION character_set_client = %s, collation_connection = %s",
        (str(shown["character_set_client"]), str(shown["collation_connection"])),
    )
    try:
        replica.execute(text)
    finally:
        replica.execute("SET NAMES utf8mb4")
        replica.execute("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
