# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a source holds that a clone or a copy would lose, refuse or leave behind: read before it begins."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ..polling import look_until
from .connection import Connection, MysqlError, Row, Version
from .definitions import accounts_of, as_text, names_of, schemas_of, show
from .replication import SYSTEM_SCHEMAS
from .seed import MARKER
from .seed_accounts import definition_of, unknown_privileges
from .seed_left import left_behind
from .seed_programs import broken

# Nothing of these lies in the server's own files.
ROWLESS = frozenset({"BLACKHOLE", "FEDERATED"})
# A transaction of a two-phase commit is prepared for a moment; one that stays is nobody's any more.
PREPARED_SECONDS = 5.0
_VERSIONED = re.compile(r"/\*!(?P<version>\d{5,6}) .*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Survey:
    """What is in the way of copying to one replica, and what stays behind.

    refused: why it cannot be, whatever is left out. broken: what cannot be made again there, by kind and
    name, each with why. prepared: XA transactions that a copy would lack. left: a line each.
    """

    refused: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    prepared: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def survey(source: Connection, replica: Connection) -> Survey:
    """Return what is known before anything is touched. Raises MysqlError."""
    schemas = [name for name in schemas_of(source) if name != MARKER]
    return Survey(
        refused=(
            *_engines_of_dump(source, replica),
            *_places(source, replica),
            *_keys(source, replica),
            *_names(source, replica),
            *_revokes(source, replica),
            *_words(source, replica, schemas),
        ),
        broken={**broken(source, schemas), **_accounts(source, replica)},
        prepared=lasting_prepared(source),
        left=(*left_behind(source, replica, "dump"), *unknown_privileges(source, replica)),
    )


def lost_by_clone(source: Connection, replica: Connection) -> list[str]:
    """Return what a clone would lose, or what makes the server refuse it, a line each."""
    return [*_engines_of_clone(source), *_layout(source, replica), *_keys(source, replica)]


def prepared(source: Connection) -> frozenset[str]:
    """Return the xids of XA transactions that are prepared now. Needs XA_RECOVER_ADMIN. Raises MysqlError."""
    rows = source.query("XA RECOVER CONVERT XID")
    return frozenset(_xid(row) for row in rows)


def _xid(row: Row) -> str:
    """Return an xid as XA COMMIT takes it."""
    data, cut = str(row["data"]).removeprefix("0x"), 2 * int(row["gtrid_length"])
    return f"x'{data[:cut]}',x'{data[cut:]}',{row['formatid']}"


def lasting_prepared(source: Connection) -> tuple[str, ...]:
    """Return the XA transactions that stay prepared while they are looked at for some seconds."""
    seen = prepared(source)
    if not seen:
        return ()
    return tuple(
        sorted(
            look_until(
                lambda: seen & prepared(source), lambda left: not left, PREPARED_SECONDS, 0.2
            )
        )
    )


def _tables(source: Connection) -> list[tuple[str, str]]:
    """Return full name and engine of every base table that is not the server's own."""
    rows = source.query(
        "SELECT table_schema AS s, table_name AS t, engine AS e FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' ORDER BY s, t"
    )
    return [
        (f"{row['s']}.{row['t']}", str(row["e"])) for row in rows if row["s"] not in SYSTEM_SCHEMAS
    ]


def _engines_of_clone(source: Connection) -> Iterator[str]:
    for name, engine in _tables(source):
        if engine != "InnoDB" and engine not in ROWLESS:
            yield f"table {name} is {engine}: a clone carries the rows of InnoDB alone"


def _engines_of_dump(source: Connection, replica: Connection) -> Iterator[str]:
    rows = replica.query("SELECT engine AS e, support AS s FROM information_schema.engines")
    off = {
        each.strip().lower()
        for each in (replica.variable("disabled_storage_engines") or "").split(",")
    }
    there = {str(row["e"]).lower() for row in rows if row["s"] in ("YES", "DEFAULT")} - off
    for name, engine in _tables(source):
        if engine.lower() not in there:
            yield f"table {name} is {engine}, an engine that the replica has not"


def _layout(source: Connection, replica: Connection) -> Iterator[str]:
    for name in ("lower_case_table_names", "innodb_page_size", "innodb_data_file_path"):
        mine, theirs = replica.variable(name), source.variable(name)
        if mine != theirs:
            yield f"{name} is {mine} on the replica and {theirs} on the source"
    for path in _outside(source):
        yield f"file {path} lies outside the source's data directory: a clone writes it to that path"


def _outside(source: Connection) -> list[str]:
    """Return the files of tablespaces that lie outside the data directory."""
    rows = source.query(
        "SELECT file_name AS f FROM information_schema.files WHERE file_type = 'TABLESPACE'"
        " ORDER BY f"
    )
    home = (source.variable("datadir") or "").rstrip("/") + "/"
    paths = [str(row["f"]) for row in rows]
    return [path for path in paths if path.startswith(("/", "../")) and not path.startswith(home)]


def _places(source: Connection, replica: Connection) -> Iterator[str]:
    known = [
        folder.rstrip("/") + "/"
        for folder in (replica.variable("innodb_directories") or "").split(";")
        if folder
    ]
    for path in _outside(source):
        if not any(path.startswith(folder) for folder in known):
            yield f"file {path} lies where innodb_directories of the replica does not lead"


def _keys(source: Connection, replica: Connection) -> Iterator[str]:
    """Yield what is encrypted where the replica has no keyring to read or write it with."""
    if _has_keyring(replica):
        return
    rows = source.query(
        "SELECT name AS n FROM information_schema.innodb_tablespaces WHERE encryption = 'Y'"
        " ORDER BY n"
    )
    for row in rows:
        yield f"tablespace {row['n']} is encrypted, and the replica has no keyring"


def _has_keyring(connection: Connection) -> bool:
    plugins = connection.value(
        "SELECT COUNT(*) FROM information_schema.plugins"
        " WHERE plugin_type = 'KEYRING' AND plugin_status = 'ACTIVE'"
    )
    there = connection.value(
        "SELECT COUNT(*) FROM information_schema.tables"
        " WHERE table_schema = 'performance_schema' AND table_name = 'keyring_component_status'"
    )
    active = there and connection.value(
        "SELECT COUNT(*) FROM performance_schema.keyring_component_status"
        " WHERE status_key = 'Component_status' AND status_value = 'Active'"
    )
    return bool(plugins or active)


def _names(source: Connection, replica: Connection) -> Iterator[str]:
    """Yield tables whose names a replica that knows no capitals would write otherwise."""
    mine, theirs = (each.variable("lower_case_table_names") for each in (replica, source))
    if mine == theirs or mine != "1":
        return
    for name, _engine in _tables(source):
        if name != name.lower():
            yield f"table {name} has capitals, and lower_case_table_names is 1 on the replica"


def _revokes(source: Connection, replica: Connection) -> Iterator[str]:
    if replica.variable("partial_revokes") != "OFF" or source.variable("partial_revokes") != "ON":
        return
    rows = source.query(
        "SELECT user, host FROM mysql.user"
        " WHERE JSON_CONTAINS_PATH(user_attributes, 'one', '$.Restrictions') ORDER BY user, host"
    )
    for row in rows:
        who = f"'{row['user']}'@'{row['host']}'"
        yield f"account {who} has partial revokes, and partial_revokes is OFF on the replica"


def _words(source: Connection, replica: Connection, schemas: Collection[str]) -> Iterator[str]:
    """Yield what a server of another version does not take, as it says itself; nothing is made."""
    if source.server.version == replica.server.version:
        return
    for schema in schemas:
        for name in names_of(source, "table", schema):
            text = as_text(show(source, "table", schema, name)["create table"])
            refused = why_refused(replica, text) or _passed_over(text, replica.server.version)
            if refused:
                yield f"table {schema}.{name}: {refused}"


def _passed_over(text: str, version: Version) -> str:
    """Return what an older server would take for a comment, empty where there is nothing."""
    number = version[0] * 10000 + version[1] * 100 + version[2]
    found = [match[0] for match in _VERSIONED.finditer(text) if int(match["version"]) > number]
    return f"the replica would leave out {', '.join(found)}" if found else ""


def why_refused(replica: Connection, text: str) -> str:
    """Return why a server does not take a statement, empty if it does; it is prepared and not run."""
    replica.execute("USE mysql")
    try:
        replica.execute("SET @statement_text = %s", (text,))
        replica.execute("PREPARE statement_tried FROM @statement_text")
        replica.execute("DEALLOCATE PREPARE statement_tried")
    except MysqlError as error:
        if error.lost:
            raise
        return f"{error.reason} ({error.errno})"
    return ""


def _accounts(source: Connection, replica: Connection) -> dict[str, str]:
    """Return the accounts that the replica cannot have, each with why."""
    rows = replica.query(
        "SELECT plugin_name AS p FROM information_schema.plugins"
        " WHERE plugin_type = 'AUTHENTICATION' AND plugin_status = 'ACTIVE'"
    )
    there = {str(row["p"]) for row in rows}
    found: dict[str, str] = {}
    for user, host in accounts_of(source):
        made = definition_of(source, user, host, replica.server.version)
        lacking = sorted(made.plugins - there)
        why = ""
        if lacking:
            why = f"authenticates by {', '.join(lacking)}, which the replica has not loaded"
        elif source.server.version != replica.server.version:
            why = why_refused(replica, made.tried)
        if why:
            found[f"account '{user}'@'{host}'"] = why
    return found
