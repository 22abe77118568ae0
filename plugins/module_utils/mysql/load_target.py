# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in the target of a load, what was noted of earlier loads, and what is to be done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

from ..plan import Plan, Step
from .connection import Connection
from .dialect import quote_identifier
from .dialect import statement as spoken
from .dump import Dump
from .load_error import LoadError
from .replication import SYSTEM_SCHEMAS

HAS_LIBRARIES = (
    "SELECT COUNT(*) FROM information_schema.tables"
    " WHERE table_schema = 'information_schema' AND table_name = 'LIBRARIES'"
)
SCHEMA = "mysql_on_kubernetes"
NOTES = f"`{SCHEMA}`.`loads`"

CREATE_NOTES = (
    f"CREATE DATABASE IF NOT EXISTS `{SCHEMA}` DEFAULT CHARACTER SET utf8mb4",
    f"CREATE TABLE IF NOT EXISTS {NOTES} ("
    " database_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,"
    " fingerprint CHAR(64) CHARACTER SET ascii NOT NULL,"
    " state VARCHAR(8) CHARACTER SET ascii NOT NULL,"
    " local_infile_was VARCHAR(3) CHARACTER SET ascii NOT NULL,"
    " noted_at DATETIME(6) NOT NULL,"
    " gtid_executed LONGTEXT CHARACTER SET ascii NOT NULL,"
    " report JSON NOT NULL) ENGINE=InnoDB",
)


@dataclass(frozen=True)
class Begun:
    """Where the binary log was when a load began, and the sessions that loaded."""

    server_uuid: str
    file: str
    position: int
    threads: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as a note keeps it."""
        return {**asdict(self), "threads": list(self.threads)}

    @classmethod
    def of_note(cls, report: Mapping[str, Any]) -> Begun | None:
        """Return what a note keeps, None where it keeps nothing."""
        found = report.get("begun")
        return cls(**{**found, "threads": tuple(found["threads"])}) if found else None


Situation = Literal["loaded", "absent", "empty", "half", "other"]
Method = Literal["auto", "insert", "load_data"]


@dataclass(frozen=True)
class Note:
    """What an earlier load wrote down. state: ``loading`` or ``loaded``."""

    fingerprint: str
    state: str
    local_infile_was: bool
    gtid_executed: str
    report: dict[str, Any]


@dataclass(frozen=True)
class State:
    """The target before, or after, a load.

    objects: names of its tables and views. programs: its routines, events and libraries, each as
    ``procedure hello``. folded: whether names are the same in any case.
    """

    database: str
    exists: bool = False
    objects: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    folded: bool = False
    charset: str = ""
    collation: str = ""
    note: Note | None = None
    read_only: bool = False
    local_infile: bool = False
    gtid_mode: str = "ON"

    def as_dict(self) -> dict[str, Any]:
        """Return the state as a diff shows it."""
        return {
            "database": self.database,
            "exists": self.exists,
            "state": self.note.state if self.note else "",
            "fingerprint": self.note.fingerprint if self.note else "",
        }


@dataclass(frozen=True)
class Wanted:
    """What is to be in the target. replace_data: the user named it as to be replaced."""

    dump: Dump
    replace_data: bool = False
    method: Method = "auto"
    replicas: tuple[str, ...] = ()


class Actions(Protocol):
    """What the steps of a plan do; see load.py."""

    def drop(self) -> None:
        """Drop the target."""

    def create(self) -> None:
        """Create the target."""

    def note_loading(self) -> None:
        """Note that a load has begun."""

    def allow_local(self) -> None:
        """Let the server take rows from its client."""

    def load(self) -> None:
        """Load the dump."""

    def note_loaded(self) -> None:
        """Note that the load is complete."""

    def wait(self) -> None:
        """Wait for the replicas."""


def observe(connection: Connection, database: str) -> State:
    """Read what is there. Raises MysqlError."""
    schemas = connection.query(
        "SELECT default_character_set_name AS charset, default_collation_name AS collation"
        " FROM information_schema.schemata WHERE schema_name = %s",
        (database,),
    )
    objects = connection.query(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = %s"
        " ORDER BY table_name",
        (database,),
    )
    row = connection.query(
        "SELECT @@GLOBAL.read_only AS closed, @@GLOBAL.local_infile AS local_infile,"
        " @@GLOBAL.gtid_mode AS gtid_mode, @@GLOBAL.lower_case_table_names AS folded"
    )[0]
    return State(
        database=database,
        exists=bool(schemas),
        objects=tuple(str(item["name"]) for item in objects),
        programs=tuple(programs_of(connection, database)),
        folded=bool(row["folded"]),
        charset=str(schemas[0]["charset"]) if schemas else "",
        collation=str(schemas[0]["collation"]) if schemas else "",
        note=_note(connection, database),
        read_only=bool(row["closed"]),
        local_infile=bool(row["local_infile"]),
        gtid_mode=str(row["gtid_mode"]),
    )


def programs_of(connection: Connection, database: str) -> list[str]:
    """Return the routines, events and libraries of a database, each with its kind.

    Triggers are not among them: they belong to tables. Raises MysqlError.
    """
    found = connection.query(
        "SELECT LOWER(routine_type) AS kind, routine_name AS name FROM information_schema.routines"
        " WHERE routine_schema = %s UNION ALL SELECT 'event', event_name"
        " FROM information_schema.events WHERE event_schema = %s",
        (database, database),
    )
    if connection.value(HAS_LIBRARIES):
        found += connection.query(
            "SELECT 'library' AS kind, library_name AS name FROM information_schema.libraries"
            " WHERE library_schema = %s",
            (database,),
        )
    return sorted(f"{row['kind']} {row['name']}" for row in found)


def _note(connection: Connection, database: str) -> Note | None:
    exists = connection.value(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s"
        " AND table_name = 'loads'",
        (SCHEMA,),
    )
    rows = exists and connection.query(
        f"SELECT * FROM {NOTES} WHERE database_name = %s", (database,)
    )
    if not rows:
        return None
    row = rows[0]
    return Note(
        fingerprint=str(row["fingerprint"]),
        state=str(row["state"]),
        local_infile_was=row["local_infile_was"] == "ON",
        gtid_executed=str(row["gtid_executed"]),
        report=json.loads(row["report"]),
    )


def begun_at(connection: Connection) -> Begun | None:
    """Return where the binary log is now, None where there is none. Raises MysqlError."""
    shown = connection.query(spoken("show_binary_log_status", connection.server.version))
    if not shown:
        return None
    file, position = str(shown[0]["file"]), int(shown[0]["position"])
    return Begun(connection.server.server_uuid, file, position)


def write_note(connection: Connection, database: str, note: Note) -> None:
    """Keep a note, in place of an earlier one of that database. Raises MysqlError."""
    for statement in CREATE_NOTES:
        connection.execute(statement)
    connection.execute(
        f"REPLACE INTO {NOTES} (database_name, fingerprint, state, local_infile_was, noted_at,"
        " gtid_executed, report) VALUES (%s, %s, %s, %s, UTC_TIMESTAMP(6), %s, %s)",
        (
            database,
            note.fingerprint,
            note.state,
            "ON" if note.local_infile_was else "OFF",
            note.gtid_executed,
            json.dumps(note.report),
        ),
    )


def lock(connection: Connection, database: str) -> None:
    """Let nobody else load that database while this session lasts. Raises LoadError."""
    name = f"{SCHEMA}.load.{hashlib.sha256(database.encode()).hexdigest()[:16]}"
    if connection.value("SELECT GET_LOCK(%s, 0)", (name,)) == 1:
        return
    holder = connection.value("SELECT IS_USED_LOCK(%s)", (name,))
    proof = [f"connection {holder} of the server holds the lock {name}"]
    raise LoadError("load.in_progress", database, proof)


def situation(state: State, fingerprint: str) -> Situation:
    """Return what the target is to this dump. Pure."""
    if not state.exists:
        return "absent"
    if not state.objects and not state.programs:
        return "empty"
    note = state.note
    if note is None:
        return "other"
    if note.state == "loading":
        return "half"
    noted = {str(table["table"]) for table in note.report.get("tables", ())}
    there = {*state.objects, *state.programs}
    if state.folded:
        noted, there = {name.lower() for name in noted}, {name.lower() for name in there}
    # A dump without rows is known by what it made.
    noted = noted or set(note.report.get("objects", ()))
    same = note.fingerprint == fingerprint and noted <= there
    return "loaded" if same else "other"


def explain(state: State, wanted: Wanted) -> list[LoadError]:
    """Return why the load cannot be, before anything is touched. Pure."""
    found = situation(state, wanted.dump.fingerprint)
    if found == "loaded":
        return []
    causes: list[LoadError] = []
    database = state.database
    if database.lower() in (*SYSTEM_SCHEMAS, SCHEMA):
        proof = [f"{database} is a database of the server itself, or of this collection"]
        causes.append(LoadError("load.system_database", database, proof))
    if state.read_only:
        causes.append(LoadError("load.read_only", database, ["@@GLOBAL.read_only is ON"]))
    if wanted.replicas and state.gtid_mode != "ON":
        proof = [f"@@GLOBAL.gtid_mode is {state.gtid_mode} on the primary"]
        causes.append(LoadError("load.gtid_off", database, proof))
    if found == "other" and not wanted.replace_data:
        causes.append(LoadError("load.target_not_empty", database, _contents(state)))
    return causes


def _contents(state: State) -> list[str]:
    there = (*state.objects, *state.programs)
    names = ", ".join(there[:8]) + (" ..." if len(there) > 8 else "")
    proof = [
        f"{len(state.objects)} tables and views, {len(state.programs)} programs in it: {names}"
    ]
    if state.note is None:
        return [*proof, f"{SCHEMA}.loads has no note of it: something else made them"]
    return [*proof, f"{SCHEMA}.loads notes another load: {state.note.fingerprint[:12]}"]


def plan(state: State, wanted: Wanted, actions: Actions) -> Plan[State]:
    """Return the steps from what is there to what is wanted. Pure."""
    found = situation(state, wanted.dump.fingerprint)
    if found == "loaded":
        return Plan(state)
    steps: list[Step[State]] = []
    if found in ("half", "other"):
        steps.append(_drop(state, found, actions))
    if found != "empty":
        steps.append(_create(state, actions))
    steps.append(_noted("loading", wanted, actions))
    if wanted.method != "insert" and not state.local_infile:
        steps.append(_allow_local(actions))
    steps.append(_load(wanted, actions))
    steps.append(_noted("loaded", wanted, actions))
    if wanted.replicas:
        steps.append(_wait(wanted.replicas, actions))
    return Plan(state, tuple(steps))


def create_statement(state: State) -> str:
    """Return the CREATE DATABASE, with the character set that it had before if there was one."""
    statement = f"CREATE DATABASE IF NOT EXISTS {quote_identifier(state.database)}"
    if state.charset:
        statement += f" DEFAULT CHARACTER SET {state.charset} COLLATE {state.collation}"
    return statement


def _drop(state: State, found: Situation, actions: Actions) -> Step[State]:
    reasons = {
        "half": "An earlier load of it was interrupted: it starts clean",
        "other": "It holds other data, and mode is replace",
    }
    return Step(
        statement=f"DROP DATABASE {quote_identifier(state.database)}",
        reason=reasons[found],
        effect=lambda before: replace(before, exists=False, objects=(), programs=()),
        execute=actions.drop,
    )


def _create(state: State, actions: Actions) -> Step[State]:
    return Step(
        statement=create_statement(state),
        reason="The target of the load must be there",
        effect=lambda before: replace(before, exists=True),
        execute=actions.create,
    )


def _noted(name: str, wanted: Wanted, actions: Actions) -> Step[State]:
    reasons = {
        "loading": "A later run must see that a load began",
        "loaded": "A later run of the same files loads nothing",
    }
    note = Note(wanted.dump.fingerprint, name, False, "", {})
    return Step(
        statement=f"REPLACE INTO {NOTES} ... state '{name}'",
        reason=reasons[name],
        effect=lambda before: replace(before, note=note),
        execute=actions.note_loading if name == "loading" else actions.note_loaded,
    )


def _allow_local(actions: Actions) -> Step[State]:
    return Step(
        statement="SET GLOBAL local_infile = ON",
        reason="Rows go by LOAD DATA LOCAL; it is put back OFF after the load",
        effect=lambda before: before,
        execute=actions.allow_local,
    )


def _load(wanted: Wanted, actions: Actions) -> Step[State]:
    files = len(wanted.dump.files)
    size = wanted.dump.size / 1e6
    return Step(
        statement=f"load {', '.join(wanted.dump.roots)}: {files} files, {size:.1f} MB",
        reason="The data is not there yet",
        effect=lambda before: before,
        execute=actions.load,
    )


def _wait(replicas: Sequence[str], actions: Actions) -> Step[State]:
    return Step(
        statement="SELECT WAIT_FOR_EXECUTED_GTID_SET(...)",
        reason=f"Each replica must have all of it: {', '.join(replicas)}",
        effect=lambda before: before,
        execute=actions.wait,
    )
