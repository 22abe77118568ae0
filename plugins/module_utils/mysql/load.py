# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pours a dump into a primary: observe, plan, apply, with the replicas watched meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ..finding import CollectionError
from ..plan import Plan, apply, diff
from ..progress import ProgressFile, ticking
from .connection import Connection, MysqlError
from .dialect import quote_identifier
from .dump import Dump, listed
from .dump_judge import Judge
from .dump_survey import PLAIN_MODE, Survey
from .load_error import LoadError
from .load_progress import LoadProgress
from .load_proof import counted, remarks
from .load_replicas import Watch
from .load_run import DumpRunner
from .load_target import (
    Begun,
    Note,
    State,
    Wanted,
    begun_at,
    create_statement,
    explain,
    lock,
    observe,
    plan,
    situation,
    write_note,
)

ACCESS_DENIED = 1227

Connect = Callable[[bool], Connection]


@dataclass(frozen=True)
class Request:
    """What the module was asked.

    files: files and folders, as the user gave them.
    connect: opens a session of the primary; its argument: whether LOCAL is to be allowed.
    strangers: tells who else wrote into a database since a load of it began.
    replicas: opens a session of each, by name. wait_timeout: seconds for the replicas at the end.
    """

    files: Sequence[str]
    database: str
    connect: Connect
    replicas: Mapping[str, Callable[[], Connection]] = field(default_factory=dict)
    method: Any = "auto"
    replace_data: bool = False
    wait_timeout: float = 600.0
    check: bool = False
    strangers: Callable[[Connection, str, Begun], list[str]] | None = None
    progress_file: str | None = None
    warn: Callable[[str], None] = lambda _text: None


class LoadActions:
    """What the steps do. state: the target as it was observed."""

    def __init__(self, request: Request, wanted: Wanted, state: State, primary: Connection) -> None:
        self.progress = LoadProgress(wanted.dump.size)
        self.gtid_executed = ""
        self.counted: dict[str, Any] = {}
        self.watch = Watch({}, self.progress)
        self._request = request
        self._wanted = wanted
        self._state = state
        self._primary = primary
        self._say = ProgressFile(request.progress_file).line
        self._fast = request.method != "insert"
        self._begun: Begun | None = None
        # A load that was killed could not put local_infile back: its note says how it was.
        interrupted = state.note is not None and state.note.state == "loading"
        noted = bool(state.note and state.note.local_infile_was)
        self._local_infile_was = noted if interrupted else state.local_infile
        self._local_changed = interrupted and state.local_infile and not noted

    def await_noted(self, note: Note) -> None:
        """Wait for what an earlier load left the replicas to get. Raises LoadError."""
        self.progress.noted(int(note.report.get("rows", 0)), note.gtid_executed)
        self.progress.phase = "waiting for the replicas"
        with self._watched(last=False):
            self.watch.wait(note.gtid_executed, self._request.wait_timeout)
        self.count()

    def run(self, steps: Plan[State]) -> None:
        """Apply the plan, telling how far it is. Raises LoadError, MysqlError."""
        with self._watched(last=True):
            apply(steps)

    @contextmanager
    def _watched(self, *, last: bool) -> Iterator[None]:
        """Follow the replicas and tell how far it is, for as long as the block lasts."""
        with ExitStack() as stack:
            replicas = {
                name: stack.enter_context(opened())
                for name, opened in self._request.replicas.items()
            }
            self.watch = stack.enter_context(Watch(replicas, self.progress))
            stack.callback(self._put_back)
            stack.enter_context(ticking(self._describe, self._say, last=last))
            yield

    def drop(self) -> None:
        """Drop the target."""
        self._say(f"dropping {self._state.database}: it is loaded from the start")
        self._primary.execute(f"DROP DATABASE {quote_identifier(self._state.database)}")

    def create(self) -> None:
        """Create the target."""
        self._primary.execute(create_statement(self._state))

    def note_loading(self) -> None:
        """Note that a load has begun, and where: a later run then sees who else wrote meanwhile."""
        self._begun = begun_at(self._primary)
        self._loads(self._primary)

    def _loads(self, session: Connection) -> None:
        """Note that a session is of the load."""
        report: dict[str, Any] = {}
        if self._begun is not None:
            thread = int(session.value("SELECT CONNECTION_ID()"))
            self._begun = replace(self._begun, threads=(*self._begun.threads, thread))
            report = {"begun": self._begun.as_dict()}
        self._note("loading", report)

    def allow_local(self) -> None:
        """Let the server take rows from its client; without the right to, INSERTs do."""
        try:
            self._primary.execute("SET GLOBAL local_infile = ON")
        except MysqlError as error:
            if error.errno != ACCESS_DENIED or self._request.method == "load_data":
                raise
            self._fast = False
            self._request.warn("local_infile is OFF and may not be set: rows go by INSERT")
        else:
            self._local_changed = True

    def load(self) -> None:
        """Load the dump, in a session of its own."""
        dump = self._wanted.dump
        size = f"{len(dump.files)} files, {dump.size / 1e6:,.1f} MB"
        self._say(f"loading {', '.join(map(dump.label, dump.roots))}: {size}")
        for root in dump.roots:
            # A session of its own: what one file sets must not change how the next one reads.
            with self._request.connect(True) as session:
                self._loads(session)
                session.execute(f"USE {quote_identifier(self._state.database)}")
                self._runner(session).run(root)
        self.progress.finish()

    def _runner(self, session: Connection) -> DumpRunner:
        return DumpRunner(
            session,
            self._primary,
            self._wanted.dump,
            judge_of(self._primary, self._state.database),
            self.progress,
            fast=self._fast,
            only_fast=self._request.method == "load_data",
            warn=self._request.warn,
            say=self._say,
        )

    def note_loaded(self) -> None:
        """Note that the load is complete, and up to which transaction."""
        after = observe(self._primary, self._state.database)
        objects = [*after.objects, *after.programs]
        if not objects:
            proof = [f"the dump ran without an error, and {after.database} holds nothing"]
            raise LoadError("load.nothing_arrived", after.database, proof)
        self.gtid_executed = self._executed()
        self._note("loaded", {**self.progress.report(), "objects": objects})
        for remark in remarks(self._primary, self._state.database):
            self._request.warn(remark)
        self.progress.phase = "loaded"

    def wait(self) -> None:
        """Wait until each replica has it all, and count what it has."""
        self.progress.phase = "waiting for the replicas"
        self.watch.wait(self._executed(), self._request.wait_timeout)
        self.progress.phase = "loaded"
        self.count()

    def count(self) -> None:
        """Count the rows on the primary and on each replica. Raises LoadError where they differ."""
        with ExitStack() as stack:
            replicas = {
                name: stack.enter_context(opened())
                for name, opened in self._request.replicas.items()
            }
            primary = stack.enter_context(self._request.connect(False))
            timeout = self._request.wait_timeout
            self.counted = counted(primary, replicas, self._state.database, timeout)

    def _executed(self) -> str:
        return str(self._primary.value("SELECT @@GLOBAL.gtid_executed")).replace("\n", "")

    def _describe(self) -> str:
        return self.progress.line(self.watch.describe())

    def _note(self, state: str, report: dict[str, Any]) -> None:
        fingerprint = self._wanted.dump.fingerprint
        note = Note(fingerprint, state, self._local_infile_was, self.gtid_executed, report)
        write_note(self._primary, self._state.database, note)

    def _put_back(self) -> None:
        """Put local_infile back; where the server is gone, its note lets the next run do it."""
        if not self._local_changed:
            return
        try:
            self._primary.execute("SET GLOBAL local_infile = OFF")
        except MysqlError as error:
            if not error.lost:
                raise
            self._request.warn("local_infile could not be put back to OFF: the next load does it")


def judge_of(primary: Connection, database: str) -> Judge:
    """Return what knows which statements of a dump this server must not get. Raises MysqlError."""
    folded = bool(primary.value("SELECT @@GLOBAL.lower_case_table_names"))
    return Judge(database, primary.server.version, folded)


def read(primary: Connection, request: Request) -> Dump:
    """Read the dump before anything is touched. Raises LoadError for what cannot be loaded."""
    modes = str(primary.value("SELECT @@GLOBAL.sql_mode"))
    survey = Survey(judge_of(primary, request.database), backslash=PLAIN_MODE not in modes)
    return survey.read(listed(request.files))


def untold(request: Request, state: State, wanted: Wanted) -> list[LoadError]:
    """Return that a half loaded target holds, or may hold, what others wrote: it would be dropped with it."""
    if situation(state, wanted.dump.fingerprint) != "half" or request.replace_data:
        return []
    begun = Begun.of_note(state.note.report) if state.note else None
    try:
        if begun is None or request.strangers is None:
            raise CollectionError("where its load began was not noted")
        found = request.strangers(request.connect(False), state.database, begun)
    except CollectionError as error:
        proof = [f"who else wrote into {state.database} is not known: {error.message}"]
        return [LoadError("load.written_since", state.database, proof)]
    return [LoadError("load.written_since", state.database, found)] if found else []


def run(request: Request) -> dict[str, Any]:
    """Load, or in check mode say what would be. Raises LoadError and other CollectionErrors."""
    with request.connect(False) as primary:
        if not request.check:
            lock(primary, request.database)
        dump = read(primary, request)
        wanted = Wanted(dump, request.replace_data, request.method, tuple(request.replicas))
        state = observe(primary, request.database)
        causes = explain(state, wanted) or untold(request, state, wanted)
        if causes:
            raise causes[0]
        actions = LoadActions(request, wanted, state, primary)
        steps = plan(state, wanted, actions)
        result: dict[str, Any] = {
            "changed": steps.changed,
            "plan": steps.as_list(),
            "diff": diff(state.as_dict(), steps.after().as_dict()),
            "database": request.database,
            "fingerprint": dump.fingerprint,
        }
        if request.check or not steps.changed:
            if state.note and request.replicas and not request.check:
                actions.await_noted(state.note)
            return {**result, **_noted(state, dump.fingerprint), **_arrived(actions)}
        for remark in (*dump.remarks, *_elsewhere(dump, state)):
            request.warn(remark)
        try:
            actions.run(steps)
        except LoadError as error:
            error.details.update(actions.progress.report())
            raise
    executed = {"gtid_executed": actions.gtid_executed}
    return {**result, **actions.progress.report(), **executed, **_arrived(actions)}


def _arrived(actions: LoadActions) -> dict[str, Any]:
    """Return what was counted on the replicas, if something was."""
    if not actions.counted:
        return {}
    return {"replicas": actions.counted["replicas"], "counted": actions.counted}


def _elsewhere(dump: Dump, state: State) -> list[str]:
    """Return what to say where a dump of another database makes or replaces this one."""
    if not dump.made_of or state.database in dump.made_of:
        return []
    made_of = ", ".join(dump.made_of)
    what = "replaces what is there" if state.exists else "is not there yet and is created"
    return [f"the dump was made of the database {made_of}: {state.database} {what}"]


def _noted(state: State, fingerprint: str) -> dict[str, Any]:
    """Return what the load of this very dump reported when it ran."""
    note = state.note
    if note is None or note.fingerprint != fingerprint or note.state != "loaded":
        return {}
    report = {key: value for key, value in note.report.items() if key != "objects"}
    return {**report, "gtid_executed": note.gtid_executed}
