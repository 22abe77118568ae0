# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stored programs and views of a source, made on a replica as their creator's session saw them.

A program is bytes in its creator's character set, and it is made again by sending these bytes under that
character set. Its name, its definer and its comment are shown in UTF-8 in the midst of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from ..finding import CollectionError
from .connection import Connection, MysqlError, Row
from .definitions import Shown, as_text, names_of, show, text_of
from .dialect import quote_identifier, statement
from .literals import SESSION

NO_SUCH = frozenset({1146, 1305, 1356})
"""Errors of a view whose table, function or underlying view is not there (yet)."""

# Names in a text of these are UTF-8 as they stand.
_UTF8 = frozenset({"utf8", "utf8mb3", "utf8mb4", "binary"})
_STATE = re.compile(rb"(?P<head> ON COMPLETION (?:NOT )?PRESERVE )ENABLE(?= )")
_ESCAPES = {"\\": "\\\\", "\0": "\\0", "\n": "\\n", "\r": "\\r", "'": "''"}


def copy_routines(
    source: Connection,
    replica: Connection,
    schemas: Sequence[str],
    without: Collection[str] = (),
) -> None:
    """Copy procedures and functions. without: those left out, as ``procedure shop.p``.

    Raises MysqlError.
    """
    asked = (
        "SELECT definer, routine_name AS name, dtd_identifier AS returned,"
        " routine_comment AS comment FROM information_schema.routines"
        " WHERE routine_schema = %s AND routine_name = %s AND routine_type = %s"
    )
    for schema in schemas:
        for kind in ("procedure", "function"):
            for name in _left(names_of(source, kind, schema), kind, schema, without):
                row = source.query(asked, (schema, name, kind.upper()))[0]
                shown = show(source, kind, schema, name)
                _make(replica, schema, shown, _recoded(replica, text_of(kind, shown), shown, row))


def copy_triggers(
    source: Connection,
    replica: Connection,
    schemas: Sequence[str],
    tables: Collection[str] | None = None,
    without: Collection[str] = (),
) -> None:
    """Copy triggers, in the order in which they act; of some tables alone, or of all.

    without: those left out, as ``trigger shop.tr``. Raises MysqlError.
    """
    asked = (
        "SELECT definer, trigger_name AS name, event_object_table AS t"
        " FROM information_schema.triggers WHERE trigger_schema = %s AND trigger_name = %s"
    )
    for schema in schemas:
        for name in _left(names_of(source, "trigger", schema), "trigger", schema, without):
            row = source.query(asked, (schema, name))[0]
            if tables is not None and str(row["t"]) not in tables:
                continue
            shown = show(source, "trigger", schema, name)
            text = _recoded(replica, text_of("trigger", shown), shown, row)
            _make(replica, schema, shown, text)


def copy_events(
    source: Connection,
    replica: Connection,
    schemas: Sequence[str],
    without: Collection[str] = (),
) -> None:
    """Copy events; on a replica they rest, as those that arrive by replication do.

    without: those left out, as ``event shop.e``. Raises MysqlError.
    """
    words = statement("disable_on_replica", replica.server.version).encode()
    asked = (
        "SELECT definer, event_name AS name, event_comment AS comment,"
        " UNIX_TIMESTAMP(created) AS created FROM information_schema.events"
        " WHERE event_schema = %s AND event_name = %s"
    )
    for schema in schemas:
        for name in _left(names_of(source, "event", schema), "event", schema, without):
            row = source.query(asked, (schema, name))[0]
            shown = show(source, "event", schema, name)
            text = _recoded(replica, text_of("event", shown), shown, row)
            # One whose time is over is there and disabled; made now it would be dropped at once.
            replica.execute("SET SESSION timestamp = %s", (row["created"],))
            try:
                _make(replica, schema, shown, _STATE.sub(rb"\g<head>" + words, text, count=1))
            finally:
                replica.execute("SET SESSION timestamp = DEFAULT")


def rest_events(replica: Connection) -> int:
    """Let every enabled event rest as on a replica; return how many there were.

    All else of it stays: who changes an event becomes its definer, and leaves his own session's
    settings in it, where he does not say otherwise. Raises MysqlError.
    """
    rows = replica.query(
        "SELECT event_schema AS s, event_name AS name, definer FROM information_schema.events"
        " WHERE status = 'ENABLED'"
    )
    words = statement("disable_on_replica", replica.server.version)
    for row in rows:
        schema, name = str(row["s"]), str(row["name"])
        shown = show(replica, "event", schema, name)
        text = f"ALTER DEFINER={_account(row)} EVENT {quote_identifier(name)} {words}"
        _make(replica, schema, shown, _recoded(replica, text.encode(), shown, row))
    return len(rows)


def copy_views(
    source: Connection,
    replica: Connection,
    schemas: Sequence[str],
    without: Collection[str] = (),
) -> None:
    """Copy views, those first that others are made of. without: those left out, as ``view shop.v``.

    Raises MysqlError.
    """
    waiting = [
        (schema, show(source, "view", schema, name))
        for schema in schemas
        for name in _left(names_of(source, "view", schema), "view", schema, without)
    ]
    while waiting:
        left = [each for each in waiting if not _made(replica, each, last=False)]
        if len(left) == len(waiting):
            # None of them can be made: let the server say why.
            _made(replica, left[0], last=True)
        waiting = left


def _left(names: Sequence[str], kind: str, schema: str, without: Collection[str]) -> list[str]:
    return [name for name in names if f"{kind} {schema}.{name}" not in without]


def _made(replica: Connection, view: tuple[str, Shown], last: bool) -> bool:
    schema, shown = view
    try:
        # All of a view is shown in its creator's character set.
        _make(replica, schema, shown, text_of("view", shown))
    except MysqlError as error:
        if last or error.errno not in NO_SUCH:
            raise
        return False
    return True


def broken(source: Connection, schemas: Sequence[str]) -> dict[str, str]:
    """Return the views and programs that cannot be made again from what the server shows.

    By kind and name (``view shop.v``), each with why: what a view selects is gone, or the server itself
    cannot read the text that it holds. Raises MysqlError.
    """
    found: dict[str, str] = {}
    for schema in schemas:
        for kind in ("procedure", "function", "trigger", "event", "view"):
            for name in names_of(source, kind, schema):
                why = _why_not_shown(source, kind, schema, name)
                if kind == "view" and not why and _unusable(source, schema, name):
                    why = _why_not_made(source, schema, name)
                if why:
                    found[f"{kind} {schema}.{name}"] = why
    return found


def _why_not_shown(source: Connection, kind: str, schema: str, name: str) -> str:
    try:
        show(source, kind, schema, name)
    except MysqlError as error:
        if error.lost:
            raise
        return f"{error.reason} ({error.errno})"
    return ""


def _unusable(source: Connection, schema: str, name: str) -> bool:
    try:
        source.query(f"SELECT 1 FROM {quote_identifier(schema)}.{quote_identifier(name)} LIMIT 0")
    except MysqlError as error:
        if error.lost:
            raise
        return True
    return False


def _why_not_made(source: Connection, schema: str, name: str) -> str:
    """Return why a view's text is refused, empty where only its use is (its definer is gone, say)."""
    try:
        shown = show(source, "view", schema, name)
        text = text_of("view", shown)
        with _as_created(source, shown):
            # Nothing is made: what it selects is looked up, and that is all.
            source.execute(f"SET @view_text = x'{_selected(text).hex()}'")
            source.execute("PREPARE view_made FROM @view_text")
            source.execute("DEALLOCATE PREPARE view_made")
    except MysqlError as error:
        if error.lost:
            raise
        return f"{error.reason} ({error.errno})"
    return ""


def _selected(text: bytes) -> bytes:
    """Return what a view selects, out of its CREATE."""
    quoted = rb"`(?:[^`]|``)*`"
    head = (
        rb"CREATE .*? VIEW " + quoted + rb"(?: \(" + quoted + rb"(?:, ?" + quoted + rb")*\))? AS "
    )
    match = re.match(head, text, re.DOTALL)
    if match is None:
        raise CollectionError(f"a view is shown otherwise than expected: {as_text(text)[:200]}")
    rest = text[match.end() :]
    return re.sub(rb" WITH (?:CASCADED|LOCAL) CHECK OPTION$", b"", rest)


def _account(row: Row) -> str:
    """Return a definer quoted; a user's name may hold the sign, a host's may not."""
    user, _at, host = str(row["definer"]).rpartition("@")
    return "@".join("`" + each.replace("`", "``") + "`" for each in (user, host))


def _recoded(replica: Connection, text: bytes, shown: Shown, row: Row) -> bytes:
    """Return a program's text with all of it in its creator's character set, ready to be sent.

    row: what stands in UTF-8 in it, in this order: definer, name, table (t), type returned, comment.
    """
    charset = as_text(shown["character_set_client"])

    def encoded(part: str) -> bytes:
        if charset in _UTF8 or part.isascii():
            return part.encode()
        return bytes.fromhex(
            str(replica.value(f"SELECT HEX(CONVERT(%s USING {charset}))", (part,)))
        )

    parts = [_account(row), quote_identifier(str(row["name"]))]
    parts += [quote_identifier(str(row["t"]))] if "t" in row else []
    parts += [str(row["returned"])] if row.get("returned") else []
    # What is written, and what it is to be: quotes are shown as the sql_mode wants them already.
    pairs = [(part, part) for each in parts for part in (each, _ansi(each))]
    if row.get("comment"):
        comment = str(row["comment"])
        pairs.append((f" COMMENT '{_shown(comment)}'", f" COMMENT '{_literal(comment, shown)}'"))
    at = 0
    for written, wanted in pairs:
        found = text.find(written.encode(), at)
        if found >= 0:
            text = text[:found] + encoded(wanted) + text[found + len(written.encode()) :]
            at = found + len(encoded(wanted))
    return text


def _ansi(identifier: str) -> str:
    """Return an identifier as it is shown under ANSI_QUOTES."""
    parts = re.split(r"(?<=`)@(?=`)", identifier)
    bare = [each[1:-1].replace("``", "`").replace('"', '""') for each in parts]
    return "@".join(f'"{each}"' for each in bare)


def _shown(comment: str) -> str:
    """Return a comment as SHOW CREATE writes it under any sql_mode."""
    for each, escaped in _ESCAPES.items():
        comment = comment.replace(each, escaped)
    return comment


def _literal(comment: str, shown: Shown) -> str:
    """Return a comment as its creator's sql_mode reads it."""
    if "NO_BACKSLASH_ESCAPES" in as_text(shown.get("sql_mode")):
        return comment.replace("'", "''")
    return _shown(comment)


@contextmanager
def _as_created(connection: Connection, shown: Shown) -> Iterator[None]:
    """Give the session what its creator's had, and take it away again."""
    for name in ("sql_mode", "time_zone"):
        if name in shown:
            connection.execute(f"SET SESSION {name} = %s", (as_text(shown[name]),))
    connection.execute(
        "SET SESSION character_set_client = %s, collation_connection = %s",
        (as_text(shown["character_set_client"]), as_text(shown["collation_connection"])),
    )
    try:
        yield
    finally:
        connection.execute("SET NAMES utf8mb4")
        for words in SESSION:
            connection.execute(words)


def _make(replica: Connection, schema: str, shown: Shown, text: bytes) -> None:
    """Run a CREATE with the settings that its creator's session had."""
    replica.execute(f"USE {quote_identifier(schema)}")
    with _as_in_database(replica, schema, shown), _as_created(replica, shown):
        replica.execute(text)


@contextmanager
def _as_in_database(replica: Connection, schema: str, shown: Shown) -> Iterator[None]:
    """Give the schema the collation that it had when the program was made, as mysqldump does."""
    wanted = as_text(shown.get("database collation"))
    now = replica.value(
        "SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = %s",
        (schema,),
    )
    if not wanted or wanted == now:
        yield
        return
    quoted = quote_identifier(schema)
    replica.execute(f"ALTER DATABASE {quoted} COLLATE {wanted}")
    try:
        yield
    finally:
        replica.execute(f"ALTER DATABASE {quoted} COLLATE {now}")
