# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything but rows that a server holds, by the texts that it shows, comparable with another's.

Schemas, tables, views, procedures, functions, triggers, events, accounts with what they may do. A program
is its text as bytes, with the character sets, the sql_mode and the time zone that its creator had.
What differs by a server's version alone (``int(11)`` and ``int``) is written alike; what a replica does to
an event (it rests) is no difference.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .connection import Connection, MysqlError, Version
from .dialect import quote_identifier
from .replication import SYSTEM_SCHEMAS

Shown = Mapping[str, "bytes | None"]

COMPARED = (
    "definitions of schemas, tables, views, procedures, functions, triggers and events as the server"
    " shows them",
    "accounts and roles: authentication, options, privileges, default roles",
)
"""What ``read`` reads, in words."""

NOT_COMPARED = (
    "AUTO_INCREMENT counters",
    "whether an event is enabled or rests because this is a replica",
    "when passwords were changed, and earlier passwords",
    "system variables, plugins, components, loadable functions, resource groups",
    "tables that were made in the schema mysql, time zones, spatial reference systems, histograms",
)
"""What it does not, in words."""

OWN_ACCOUNTS = ("mysql.infoschema", "mysql.session", "mysql.sys")
# SHOW CREATE USER writes a hash as hexadecimal digits from here on, if it is asked to.
HEX_SINCE: Version = (8, 0, 17)
# 8.0.15 crashes, this one was seen not to; what lies between them is not asked.
SHOWS_GRANTS_OF_NOBODY: Version = (8, 0, 33)

_CONTEXT = ("sql_mode", "time_zone", "character_set_client", "collation_connection")
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+(?=[ \n]|$)")
# A width that every version shows says something: of a tinyint(1), and where zeros fill it.
_INTEGERS = r"(?:tinyint(?!\(1\))|smallint|mediumint|int|bigint|year)"
_NO_WIDTH = r"\(\d+\)(?!(?: unsigned)? zerofill)"
_WIDTH = re.compile(rf"^(  `(?:[^`]|``)*` {_INTEGERS}){_NO_WIDTH}", re.MULTILINE)
_RETURNED = re.compile(rf"(\) RETURNS {_INTEGERS}){_NO_WIDTH}")
_UTF8MB3 = re.compile(
    r"\b((?:character_set_client|collation_connection|database_collation)="
    r"|CHARSET=|CHARACTER SET |CHARSET |COLLATE[ =])utf8(?=_|\b)"
)
_COLUMN_OF_SCHEMA = re.compile(r"`(?:[^`]|``)*`\.(`(?:[^`]|``)*`\.`(?:[^`]|``)*`)")
_EVENT_STATE = re.compile(
    rb"(?P<head> ON COMPLETION (?:NOT )?PRESERVE )(?:ENABLE|DISABLE(?: ON (?:SLAVE|REPLICA))?)(?= |$)"
)


@dataclass(frozen=True)
class Difference:
    """One definition that two servers do not share. how: missing, extra or differing on the second."""

    name: str
    how: str

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return f"{self.name}: {self.how}"


def read(
    connection: Connection,
    databases: Sequence[str] | None = None,
    *,
    accounts: bool = True,
    privileges: Collection[str] | None = None,
    across: bool = False,
) -> dict[str, str]:
    """Return each definition of these schemas, or of all but the server's own, by kind and name.

    accounts: whether accounts and roles are read too; a digest stands for what has a secret in it.
    privileges: the global ones that count, where the servers to compare do not know the same; None: all.
    across: whether they are of two versions, which name a view's columns with and without the schema.
    Raises MysqlError.
    """
    found: dict[str, str] = {}
    for schema in schemas_of(connection, databases):
        found[f"schema {schema}"] = _schema(connection, schema)
        for kind, reader in _READERS.items():
            for name in names_of(connection, kind, schema):
                text = reader(connection, schema, name)
                if across and kind == "view":
                    text = _COLUMN_OF_SCHEMA.sub(r"\1", text)
                found[f"{kind} {schema}.{name}"] = text
    if accounts:
        for user, host in accounts_of(connection):
            found[f"account '{user}'@'{host}'"] = _account(connection, user, host, privileges)
    return found


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[Difference]:
    """Return what the second has not, has beyond the first, or has otherwise; by kind and name."""

    def how(name: str) -> str:
        if name not in second:
            return "missing"
        return "extra" if name not in first else "differing"

    names = sorted({*first, *second})
    return [Difference(name, how(name)) for name in names if first.get(name) != second.get(name)]


def schemas_of(connection: Connection, databases: Sequence[str] | None = None) -> list[str]:
    """Return the names of these schemas that are there, or of all but the server's own."""
    rows = connection.query(
        "SELECT schema_name AS name FROM information_schema.schemata ORDER BY name"
    )
    names = [str(row["name"]) for row in rows]
    return [
        name
        for name in names
        if name not in SYSTEM_SCHEMAS and (databases is None or name in databases)
    ]


_NAMES: Mapping[str, str] = {
    "table": "SELECT table_name AS name FROM information_schema.tables"
    " WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY name",
    "view": "SELECT table_name AS name FROM information_schema.views"
    " WHERE table_schema = %s ORDER BY name",
    "procedure": "SELECT routine_name AS name FROM information_schema.routines"
    " WHERE routine_schema = %s AND routine_type = 'PROCEDURE' ORDER BY name",
    "function": "SELECT routine_name AS name FROM information_schema.routines"
    " WHERE routine_schema = %s AND routine_type = 'FUNCTION' ORDER BY name",
    # In the order in which they act on a table.
    "trigger": "SELECT trigger_name AS name FROM information_schema.triggers"
    " WHERE trigger_schema = %s"
    " ORDER BY event_object_table, action_timing, event_manipulation, action_order",
    "event": "SELECT event_name AS name FROM information_schema.events"
    " WHERE event_schema = %s ORDER BY name",
}


def names_of(connection: Connection, kind: str, schema: str) -> list[str]:
    """Return the names of a schema's tables, views, procedures, functions, triggers or events."""
    return [str(row["name"]) for row in connection.query(_NAMES[kind], (schema,))]


def accounts_of(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield user and host of each account and role that is not the server's own."""
    rows = connection.query(
        "SELECT user, host FROM mysql.user WHERE user NOT IN (%s, %s, %s) ORDER BY user, host",
        OWN_ACCOUNTS,
    )
    for row in rows:
        yield str(row["user"]), str(row["host"])


def show(connection: Connection, kind: str, schema: str, name: str) -> Shown:
    """Return what SHOW CREATE says of a view or program, keys in lower case. Raises MysqlError."""
    connection.execute(f"USE {quote_identifier(schema)}")
    return connection.query_bytes(f"SHOW CREATE {kind.upper()} {quote_identifier(name)}")[0]


def text_of(kind: str, shown: Shown) -> bytes:
    """Return the CREATE in what ``show`` said."""
    key = "sql original statement" if kind == "trigger" else f"create {kind}"
    return shown[key] or b""


def as_text(value: bytes | None) -> str:
    """Return bytes as text; what is no UTF-8 is written by its digits."""
    return (value or b"").decode("utf-8", "backslashreplace")


def _schema(connection: Connection, schema: str) -> str:
    row = connection.query(f"SHOW CREATE DATABASE {quote_identifier(schema)}")[0]
    # Kept by each server for itself: it is not replicated.
    text = str(row["create database"]).replace(" /* READ ONLY = 1 */", "")
    # Said since 8.0.16, where there was no such thing before.
    return _UTF8MB3.sub(r"\1utf8mb3", text.replace(" /*!80016 DEFAULT ENCRYPTION='N' */", ""))


def _table(connection: Connection, schema: str, name: str) -> str:
    shown = show(connection, "table", schema, name)
    text = _COUNTER.sub("", as_text(shown["create table"]))
    return _UTF8MB3.sub(r"\1utf8mb3", _WIDTH.sub(r"\1", text))


def _program(kind: str) -> Callable[[Connection, str, str], str]:
    def reader(connection: Connection, schema: str, name: str) -> str:
        try:
            shown = show(connection, kind, schema, name)
        except MysqlError as error:
            if error.lost:
                raise
            return f"cannot be shown: {error.errno}"
        text = text_of(kind, shown)
        if kind == "event":
            text = _EVENT_STATE.sub(rb"\g<head>ENABLE", text, count=1)
        context = [f"{key}={as_text(shown[key])}" for key in _CONTEXT if key in shown]
        if "database collation" in shown:
            context.append(f"database_collation={as_text(shown['database collation'])}")
        words = as_text(text)
        if kind == "function":
            words = _RETURNED.sub(r"\1", words, count=1)
        return _UTF8MB3.sub(r"\1utf8mb3", "\n".join([*context, words]))

    return reader


def _trigger(connection: Connection, schema: str, name: str) -> str:
    order = connection.value(
        "SELECT action_order FROM information_schema.triggers"
        " WHERE trigger_schema = %s AND trigger_name = %s",
        (schema, name),
    )
    return f"order={order}\n" + _program("trigger")(connection, schema, name)


_READERS: Mapping[str, Callable[[Connection, str, str], str]] = {
    "table": _table,
    "view": _program("view"),
    "procedure": _program("procedure"),
    "function": _program("function"),
    "trigger": _trigger,
    "event": _program("event"),
}


def _account(
    connection: Connection, user: str, host: str, privileges: Collection[str] | None
) -> str:
    lines = [
        hashlib.sha256(_login(connection, user, host)).hexdigest(),
        *(f"default role {role}" for role in default_roles(connection, user, host)),
        *grants_alike(grants_of(connection, user, host), privileges),
    ]
    return "\n".join(lines)


_ROLES = re.compile(rb" DEFAULT ROLE .+?(?= REQUIRE )", re.DOTALL)
_PLAIN_HASH = re.compile(rb" AS '.*' (?=REQUIRE )", re.DOTALL)
_HEX_HASH = re.compile(rb" AS 0x[0-9A-Fa-f]+ (?=REQUIRE )")


def _login(connection: Connection, user: str, host: str) -> bytes:
    """Return who logs in and how, in the same words by every version."""
    if connection.server.version >= HEX_SINCE:
        connection.execute("SET SESSION print_identified_with_as_hex = ON")
    where = " WHERE user = %s AND host = %s"
    row = connection.query(
        f"SELECT plugin, HEX(authentication_string) AS hash FROM mysql.user{where}", (user, host)
    )[0]
    shown = connection.query("SHOW CREATE USER %s@%s", (user, host))[0]
    made = next(iter(shown.values()))
    text = made if isinstance(made, bytes) else str(made).encode()
    for pattern in (_ROLES, _PLAIN_HASH, _HEX_HASH):
        text = pattern.sub(b" ", text)
    options = text[text.index(b" REQUIRE ") :]
    return f"{row['plugin']} {row['hash']}".encode() + options


def default_roles(connection: Connection, user: str, host: str) -> list[str]:
    """Return an account's default roles, quoted for statements."""
    rows = connection.query(
        "SELECT default_role_user AS u, default_role_host AS h FROM mysql.default_roles"
        " WHERE user = %s AND host = %s ORDER BY u, h",
        (user, host),
    )
    return [f"{_quoted(str(row['u']))}@{_quoted(str(row['h']))}" for row in rows]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def grants_of(connection: Connection, user: str, host: str) -> tuple[str, ...]:
    """Return what SHOW GRANTS says of an account, a statement each. Raises MysqlError."""
    if not user and connection.server.version < SHOWS_GRANTS_OF_NOBODY:
        return tuple(_grants_of_nobody(connection, host))
    rows = connection.query("SHOW GRANTS FOR %s@%s", (user, host))
    return tuple(str(next(iter(row.values()))) for row in rows)


# {table of information_schema: what its privileges are on}; columns come with their name.
_LEVELS: Mapping[str, tuple[str, ...]] = {
    "user_privileges": (),
    "schema_privileges": ("table_schema",),
    "table_privileges": ("table_schema", "table_name"),
    "column_privileges": ("table_schema", "table_name", "column_name"),
}


def _grants_of_nobody(connection: Connection, host: str) -> Iterator[str]:
    """Yield the privileges of an account without a user name, but those on routines.

    8.0.15 crashes at SHOW GRANTS of one, once anybody has a privilege on a routine.
    """
    for table, levels in _LEVELS.items():
        names = "".join(f", {level} AS {level}" for level in levels)
        rows = connection.query(
            f"SELECT privilege_type AS p, is_grantable AS g{names} FROM information_schema.{table}"
            " WHERE grantee = %s ORDER BY privilege_type",
            (f"''@'{host}'",),
        )
        for row in rows:
            where = [_quoted(str(row[level])) for level in levels[:2]]
            column = f" ({_quoted(str(row['column_name']))})" if len(levels) > 2 else ""
            level = ".".join([*where, *["*"] * (2 - len(where))])
            option = " WITH GRANT OPTION" if row["g"] == "YES" else ""
            yield f"GRANT {row['p']}{column} ON {level} TO ``@{_quoted(host)}{option}"


_PRIVILEGES = r"[A-Z][A-Z_ ]*(?: \([^)]*\))?"
_GRANT = re.compile(
    rf"GRANT (?P<what>{_PRIVILEGES}(?:, {_PRIVILEGES})*) ON (?P<rest>.+)", re.DOTALL
)
_COLUMNS = re.compile(r"(?P<name>[A-Z_ ]+) \((?P<columns>.+)\)", re.DOTALL)


def grants_alike(grants: Sequence[str], privileges: Collection[str] | None) -> list[str]:
    """Return GRANTs one privilege and column a line, quoted as newer servers do.

    privileges: the global ones that count.
    """
    found: set[str] = set()
    for grant in (each.replace("'", "`") for each in grants):
        match = _GRANT.fullmatch(grant)
        if match is None:
            found.add(grant)
            continue
        world = match["rest"].startswith("*.* ")
        for name in re.split(r", (?![^(]*\))", match["what"]):
            if name == "USAGE" or (world and privileges is not None and name not in privileges):
                continue
            columns = _COLUMNS.fullmatch(name)
            each_of = (
                [f"{columns['name']} ({one})" for one in columns["columns"].split(", ")]
                if columns
                else [name]
            )
            found.update(f"GRANT {one} ON {match['rest']}" for one in each_of)
    return sorted(found)
