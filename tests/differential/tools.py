# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One round of each tool: play a history, run the tool, and let the oracle judge what it made.

What is expected never comes from the code that is judged. A copy is compared with its donor; a recovery
to a point in between with what the oracle read on the donor itself when it was there.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any

import pymysql
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError

from tests.differential import oracle
from tests.differential.archive import QuickArchive, ScriptArchive, end, scratch_address
from tests.differential.history import History, Step
from tests.differential.modules import codes, run_module
from tests.differential.oracle import Allowed, Difference, State
from tests.differential.play import (
    PATH,
    DumpError,
    Fleet,
    Played,
    connect,
    dumped,
    old,
    play,
    state,
    supervised,
)
from tests.integration import servers
from tests.integration.replicas import CLONE_PLUGIN, SECRET, USER, source_of
from tests.integration.servers import Server

RECOVERY = "mysql_on_kubernetes_recovery"
ACCOUNT_SECTIONS = (
    "mysql.user", "mysql.global_grants", "mysql.db", "mysql.proxies_priv", "mysql.role_edges",
    "create user", "grants", "password changed", "mysql.default_roles",
)  # fmt: skip

# What may differ in each copy, and why.
COUNTERS = Allowed(
    "auto_increment", "a counter that a statement moved without writing a row is in no binary log"
)
EVENT_STATE = Allowed(
    "event status", "a copy's events are off, so that they do not run on two servers"
)
CHANGED = Allowed(
    "password changed", "when the statement ran on this server, not when it was first given"
)
OWN_ACCOUNT = tuple(
    Allowed(section, "the recovery's own account; action release takes it away", f".*{RECOVERY}.*")
    for section in ACCOUNT_SECTIONS
)
# SHOW CREATE VIEW has the same text, and every account with SHOW VIEW reads it.
DEFINERS_OWN = Allowed(
    "views",
    "8.0.15 shows view_definition to the view's definer alone; the recovery's account is another",
    but_for=b"view_definition='.*?'(?= check_option=)",
)
COPIED = (COUNTERS, EVENT_STATE, CHANGED)
RECOVERED = (*COPIED, *OWN_ACCOUNT)


def unlogged(steps: Iterable[Step]) -> Allowed:
    """What these steps of a history did that no binary log tells of."""
    names = (re.match(r"CREATE SERVER (\w+) ", step.sql) for step in steps)
    return Allowed(
        "mysql.servers",
        "CREATE SERVER is in no binary log (manual, Replication of Server-Side Definitions)",
        "|".join(match[1] for match in names if match) or "(none)",
    )


def after_base(history: History) -> Allowed:
    """What of it was done after the base was taken."""
    return unlogged(step for part in history.parts()[1:] for step in part)


@dataclass
class Outcome:
    """What a round came to. differences: what the oracle has found; refused: the tool did nothing."""

    tool: str
    differences: list[Difference] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    refused: bool = False
    # The tool refused, and yet what it made is what was expected.
    right: bool = False
    # Why nothing was compared, such as a mysqldump that cannot dump this.
    skipped: str = ""
    # The history's statements that the server itself refused.
    errors: list[str] = field(default_factory=list)
    asked: str = ""


Tool = Callable[[Fleet, History, Callable[..., Any]], Outcome]


def _copy(tool: str, answer: dict[str, Any], played: Played, asked: str = "") -> Outcome:
    return Outcome(
        tool, answer=answer, errors=played.errors, refused=bool(answer.get("failed")), asked=asked
    )


def _nothing() -> None:
    """No base is taken."""


# --- recovery ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _archive(donor: Server, kind: type[QuickArchive]) -> Iterator[QuickArchive]:
    archive = kind(donor)
    try:
        yield archive
    finally:
        archive.remove()


def _target(how: str, played: Played, history: History) -> tuple[dict[str, Any], State]:
    """The option target, and what has to be there."""
    there, end = played.at_target, played.at_end
    if how == "latest":
        return {"latest": True}, end
    if how == "gtid_executed":
        return {"gtid_executed": there.gtids}, there
    if how == "time":
        return {"time": played.moment.replace(tzinfo=UTC).isoformat()}, there
    if how == "file":
        return {"file": played.file, "position": played.position}, there
    deed = history.deed
    if deed is None or not played.deed_logged:
        return {"gtid_executed": there.gtids}, there
    table = f"{deed.schema}.{deed.table}"
    return {"before": {"statement": deed.statement, "table": table}}, there


def recover(method: str, how: str) -> Tool:
    """A recovery from a base by this method to a target told in this way."""

    def run(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
        donor = fleet.fresh("donor")
        with _archive(donor, QuickArchive) as archive:
            try:
                played = play(donor, history, lambda: archive.take(method))
            except (DumpError, MysqlError) as error:
                return Outcome("recover", skipped=f"no base by {method}: {error}")
            target, expected = _target(how, played, history)
            archive.fetch()
            scratch = archive.scratch()
            options = {"action": "apply", "archive": str(archive.root), "target": target}
            answer = run_module("mysql_recovery", {**options, "scratch": scratch})
            outcome = _copy("recover", answer, played, f"base {method}, target {target}")
            judge_scratch(outcome, scratch, expected, history)
            return outcome

    return run


def point(how: str) -> Tool:
    """The point before a transaction, found in the server's own logs."""

    def run(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
        donor = fleet.fresh("donor")
        played = play(donor, history, _nothing)
        target, expected = _target(how, played, history)
        if "gtid_executed" in target:
            return Outcome("point", skipped="no table that a mistake could hit")
        answer = run_module("binlog_point", {**donor.login, "action": "find", **target})
        outcome = _copy("point", answer, played, str(target))
        if outcome.refused and expected.gtids == played.at_end.gtids:
            outcome.skipped = "nothing came after it"
        found = str((answer.get("point") or {}).get("gtid_executed"))
        if not outcome.refused and found != expected.gtids:
            was, is_now = expected.gtids.encode(), found.encode()
            outcome.differences = [Difference("point", b"gtid_executed", (was,), (is_now,))]
        return outcome

    return run


def judge_scratch(
    outcome: Outcome, scratch: dict[str, Any], expected: State, history: History
) -> None:
    """Compare the scratch instance with what is expected, also where the tool says that it is wrong."""
    try:
        found = oracle.read(scratch_address(scratch["folder"]))
    except (OSError, StopIteration, pymysql.err.MySQLError):
        if not outcome.refused:
            raise
        return
    if outcome.refused and found.gtids != expected.gtids:
        return
    allowed = (*RECOVERED, after_base(history))
    if found.version.startswith("8.0.15"):
        allowed += (DEFINERS_OWN,)
    outcome.differences = oracle.compare(expected, found, allowed)
    outcome.right = outcome.refused and not outcome.differences


def base(method: str) -> Tool:
    """A base by the role's script, and a recovery to the latest point from it."""

    def run(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
        donor = fleet.fresh("donor")
        archive = ScriptArchive(donor, {"MYSQLD_OPTIONS": "--innodb-buffer-pool-size=64M"})
        made: list[str] = []
        try:
            archive.begin()
            if method == "clone":
                donor.sql("SET SESSION sql_log_bin = OFF", *clone_plugin(donor))

            def take() -> None:
                done = archive.attempt("base.sh", METHOD=method)
                if done.returncode:
                    made.append(done.stderr)

            played = play(donor, history, take)
            if made:
                answer = {"failed": True, "msg": made[0][-3000:]}
                return _copy("base", answer, played, method)
            answer, outcome = _recover_latest(archive, donor, played, method, history)
            return outcome
        finally:
            end(f"{archive.inside}/scratch")
            archive.remove()

    return run


def _recover_latest(
    archive: ScriptArchive, donor: Server, played: Played, method: str, history: History
) -> tuple[dict[str, Any], Outcome]:
    quick = QuickArchive(donor)
    try:
        quick.root = archive.root
        quick.fetch()
    finally:
        quick.remove()
    folder = archive.folder / "scratch"
    scratch = {
        "folder": str(folder),
        "seen_as": f"{archive.inside}/scratch",
        "run_in": ["chroot", str(donor.tree)],
        "arguments": [*servers.SMALL, *servers.redo(donor.version)],
    }
    options = {"action": "apply", "archive": str(archive.root), "target": {"latest": True}}
    answer = run_module("mysql_recovery", {**options, "scratch": scratch})
    outcome = _copy("base", answer, played, f"{method}, then latest")
    judge_scratch(outcome, scratch, played.at_end, history)
    return answer, outcome


def clone_plugin(server: Server) -> Sequence[str]:
    there = server.sql("SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'clone'")
    return () if there else (CLONE_PLUGIN,)


# --- rows back --------------------------------------------------------------------------------


def rows(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
    """A recovery to before the mistake, and the rows of its table brought back."""
    donor = fleet.fresh("donor")
    deed = history.deed
    if deed is None:
        return Outcome("rows", skipped="no table that a mistake could hit")
    table = f"{deed.schema}.{deed.table}"
    method = "dump" if old(donor) else "clone"
    with _archive(donor, QuickArchive) as archive:
        try:
            played = play(donor, history, lambda: archive.take(method))
        except (DumpError, MysqlError) as error:
            return Outcome("rows", skipped=f"no base by {method}: {error}")
        if not played.deed_logged:
            return Outcome("rows", skipped="the server refused the mistake, or it hit no row")
        archive.fetch()
        scratch = archive.scratch()
        options = {"action": "apply", "archive": str(archive.root), "scratch": scratch}
        target = {"gtid_executed": played.at_target.gtids}
        answer = run_module("mysql_recovery", {**options, "target": target})
        if answer.get("failed"):
            return _copy("rows", answer, played, "recovery before the rows")
        asked = {"action": "apply", "scratch_folder": scratch["folder"], "tables": [table]}
        answer = run_module("mysql_recovery_rows", {**donor.login, **asked})
        outcome = _copy("rows", answer, played, f"tables: [{table!r}] after {deed.sql}")
        outcome.differences = judge_rows(donor, played, table.encode(), outcome.refused)
        return outcome


def judge_rows(donor: Server, played: Played, table: bytes, refused: bool) -> list[Difference]:
    """The table is as before the mistake, everything else as it was; nothing changed where refused."""
    now = state(donor)
    expected = replace(
        played.at_end, sections={k: dict(v) for k, v in played.at_end.sections.items()}
    )
    if not refused:
        schema, _dot, name = table.partition(b".")
        made = b"TABLE " + oracle.quoted(schema) + b"." + oracle.quoted(name)
        for section in oracle_sections(table):
            _take_over(expected, played.at_target, section, table)
        _take_over(expected, played.at_target, "create", made)
        _take_over_checks(expected, played.at_target, made)
    return oracle.compare(expected, now, (COUNTERS,), same_gtids=refused)


def oracle_sections(table: bytes) -> tuple[str, ...]:
    return (
        "rows", "tables", "columns", "statistics", "partitions", "checksum", "table_constraints",
        "key_column_usage", "referential_constraints", "auto_increment",
    )  # fmt: skip


def _take_over(into: State, source: State, section: str, name: bytes) -> None:
    found = source.sections.get(section, {}).get(name)
    if found is None:
        into.sections.get(section, {}).pop(name, None)
    else:
        into.sections.setdefault(section, {})[name] = found


def _take_over_checks(into: State, source: State, made: bytes) -> None:
    """CHECK constraints are named in their schema; which table has one is in its own statement."""
    statement = b" ".join(source.sections["create"].get(made, ()))
    for name in source.sections.get("check_constraints", {}):
        if b"CONSTRAINT " + oracle.quoted(name.split(b".", 1)[-1]) in statement:
            _take_over(into, source, "check_constraints", name)


# --- replicas ---------------------------------------------------------------------------------


def seed(method: str) -> Tool:
    """A replica seeded in the middle of a history, which follows to its end."""

    def run(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
        donor, replica = fleet.fresh("donor"), fleet.fresh("replica")
        if method == "clone":
            donor.sql("SET SESSION sql_log_bin = OFF", *clone_plugin(donor))
        replication_account(donor)
        answers: list[dict[str, Any]] = []

        def take() -> None:
            donor.sql("FLUSH BINARY LOGS")
            last = donor.sql("SHOW BINARY LOGS")[-1]["log_name"]
            donor.sql(f"PURGE BINARY LOGS TO '{last}'")
            asked = {
                **following(donor),
                "seed": method,
                "seed_timeout": 60,
            }
            with supervised(replica):
                answers.append(run_module("mysql_replication", source_of(replica, donor, **asked)))

        empty = state(replica)
        played = play(donor, history, take)
        outcome = _copy("seed", answers[0], played, method)
        if outcome.refused:
            outcome.differences = untouched(empty, state(replica))
            return outcome
        _judge_replica(outcome, replica, played.at_end, (*COPIED, after_base(history)))
        if method == "clone":
            # It lives on as a copy of the donor.
            fleet.forget("replica")
        return outcome

    return run


def untouched(before: State, after: State) -> list[Difference]:
    """What a tool that refused has changed all the same."""
    if not before.objects:
        before.sections.setdefault("schemata", {})[b"(none)"] = []
        after.sections.setdefault("schemata", {})[b"(none)"] = []
    return oracle.compare(before, after, same_gtids=False)


def following(source: Server) -> dict[str, Any]:
    """How a replica follows here: a source that is restarted is found again at once."""
    return {
        "source_instance": source.instance("source"),
        "source_connect_retry": 1,
        "source_retry_count": 1000,
        "source_heartbeat_period": 0.5,
        "wait_for_source": True,
        "timeout": 20,
    }


def replication_account(donor: Server) -> None:
    more = "" if old(donor) else ", BACKUP_ADMIN"
    donor.sql(
        f"CREATE USER {USER}@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE{more} ON *.* TO {USER}@'%'",
    )


def _judge_replica(
    outcome: Outcome, replica: Server, expected: State, allowed: Sequence[Allowed]
) -> None:
    reached = wait_for(replica, expected.gtids)
    found = state(replica)
    if not reached:
        word = "SLAVE" if old(replica) else "REPLICA"
        status = replica.sql(f"SHOW {word} STATUS")
        said = str(status[0].get("last_sql_error") or status[0].get("last_error")) if status else ""
        wrong = (f"it stays at {found.gtids}: {said}").encode()
        outcome.differences = [
            Difference("gtids", b"gtid_executed", (expected.gtids.encode(),), (wrong,))
        ]
        return
    outcome.differences = oracle.compare(expected, found, allowed)


def wait_for(server: Server, gtids: str, seconds: float = 10) -> bool:
    """Wait until a server has executed a set; return early where its applier has stopped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = server.sql(f"SELECT GTID_SUBSET('{gtids}', @@GLOBAL.gtid_executed) AS there")
        if found[0]["there"]:
            return True
        stopped = server.sql(
            "SELECT service_state AS s FROM performance_schema.replication_applier_status"
        )
        if all(row["s"] == "OFF" for row in stopped):
            time.sleep(0.2)
            found = server.sql(f"SELECT GTID_SUBSET('{gtids}', @@GLOBAL.gtid_executed) AS there")
            return bool(found[0]["there"])
        time.sleep(0.05)
    return False


def switchover(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
    """A switchover in the middle of nothing: after the history, the primary becomes the replica."""
    donor, replica = fleet.fresh("donor"), fleet.fresh("replica")
    replication_account(donor)
    followed = run_module("mysql_replication", source_of(replica, donor, **following(donor)))
    if followed.get("failed"):
        return Outcome("switchover", answer=followed, refused=True)
    played = play(donor, history, _nothing)
    # Otherwise it is no fault of the switchover.
    if not wait_for(replica, played.at_end.gtids):
        return Outcome("switchover", skipped="the replica stopped by itself", errors=played.errors)
    arguments = {
        "instances": [donor.instance("donor"), replica.instance("replica")],
        "target": "replica",
        "source_user": USER,
        "source_password": SECRET,
        "timeout": 20,
    }
    answer = run_module("mysql_switchover", arguments)
    outcome = _copy("switchover", answer, played)
    if outcome.refused:
        return outcome
    replica.sql(
        "CREATE DATABASE after_the_switchover", "CREATE TABLE after_the_switchover.t (id INT)"
    )
    after = state(replica)
    allowed = (*COPIED, unlogged(step for part in history.parts() for step in part))
    _judge_replica(outcome, donor, after, allowed)
    later = {b"after_the_switchover", b"after_the_switchover.t"}
    kept = {
        section: {name: lines for name, lines in found.items() if name not in later}
        for section, found in after.sections.items()
    }
    kept["create"] = {k: v for k, v in kept["create"].items() if b"after_the_switchover" not in k}
    outcome.differences += oracle.compare(
        played.at_end, replace(after, sections=kept), allowed, same_gtids=False
    )
    return outcome


# --- load -------------------------------------------------------------------------------------


def load(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
    """mysqldump's text of each schema, loaded into an empty server, beside what the mysql client makes."""
    donor, target = fleet.fresh("donor"), fleet.fresh("target")
    played = play(donor, history, _nothing)
    outcome = Outcome("load", errors=played.errors)
    folder = target.tree / servers.FOLDERS
    for number, schema in enumerate(history.schemas):
        try:
            dump = dumped(donor, *LOAD_DUMP, schema)
        except DumpError as error:
            outcome.skipped = f"mysqldump: {error}"
            continue
        file = folder / f"{donor.folder.name}-{number}.sql"
        file.write_bytes(dump)
        try:
            options = {"file": str(file), "database": schema, "method": pick("auto", "insert")}
            answer = run_module("mysql_load", {**target.login, **options})
        finally:
            file.unlink()
        outcome.answer, outcome.asked = answer, f"database {schema!r}, method {options['method']}"
        if answer.get("failed"):
            outcome.refused = True
            outcome.skipped = ""
            return outcome
        mine = _of_schema(state(donor), schema)
        outcome.differences += oracle.compare(
            mine, _of_schema(state(target), schema), LOADED, same_gtids=False
        )
        outcome.skipped = ""
    return outcome


LOAD_DUMP = (
    "--single-transaction", "--set-gtid-purged=OFF", "--routines", "--events", "--triggers", "--hex-blob",
    "--max-allowed-packet=1G",
)  # fmt: skip
LOADED = (
    Allowed("create", "mysqldump of one schema makes no database", "DATABASE .*"),
    Allowed("schemata", "mysqldump of one schema makes no database"),
)


def _of_schema(found: State, schema: str) -> State:
    """The part of a state that is one schema's."""
    raw = schema.encode()
    mine = (raw, oracle.quoted(raw))

    def is_mine(name: bytes) -> bool:
        bare = name.split(b" ", 1)[-1]
        return any(
            one == whole or one.startswith(whole + b".") for whole in mine for one in (name, bare)
        )

    accounts = {*(f"mysql.{table}" for table, *_columns in oracle.ACCOUNTS)}
    accounts |= {"create user", "grants", "password changed", "xa prepared"}
    kept = {
        section: {name: lines for name, lines in named.items() if is_mine(name)}
        for section, named in found.sections.items()
        if section not in accounts
    }
    return replace(found, sections=kept)


# --- files, and checksums -----------------------------------------------------------------------

LEDGER = (
    "CREATE DATABASE accounts",
    "CREATE TABLE accounts.ledger (id INT)",
    "INSERT INTO accounts.ledger VALUES (1)",
)
NOTES = "mysql_on_kubernetes"


def load_text(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
    """A file of SQL: what the mysql client makes of it on one server, mysql_load makes on another."""
    plain, target, replica = fleet.fresh("plain"), fleet.fresh("target"), fleet.fresh("replica")
    replication_account(target)
    followed = run_module("mysql_replication", source_of(replica, target, **following(target)))
    if followed.get("failed"):
        return Outcome("load-text", answer=followed, refused=True)
    for server in (plain, target):
        server.sql(*LEDGER)
    before = state(target)
    file = servers.tree("9.7") / servers.FOLDERS / f"{target.folder.name}.sql"
    file.write_bytes(history.file().encode())
    try:
        plain.sql("CREATE DATABASE shop CHARACTER SET utf8mb4")
        wrong = by_client(plain, file)
        options = {"file": str(file), "database": "shop", "method": pick("auto", "insert")}
        options["replicas"] = [replica.instance("replica")]
        answer = run_module("mysql_load", {**target.login, **options})
    finally:
        file.unlink()
    outcome = Outcome(
        "load-text", answer=answer, refused=bool(answer.get("failed")), asked=str(options["method"])
    )
    after = state(target)
    if outcome.refused:
        outcome.skipped = f"the client refuses it too: {wrong}" if wrong else ""
        if codes(answer) == ["load.empty_dump"] and not _holds(state(plain), b"shop"):
            outcome.skipped = "the file makes nothing"
        outcome.differences = untouched(_without(before, NOTES), _without(after, NOTES))
        return outcome
    if wrong:
        # What the client stops at, a load must not call a success.
        outcome.differences = [Difference("file", b"", (wrong.encode(),), (b"no error",))]
        return outcome
    _judge_replica(outcome, replica, after, COPIED)
    outcome.differences += oracle.compare(
        state(plain), _without(_without(after, NOTES), USER), (CHANGED,), same_gtids=False
    )
    return outcome


def by_client(server: Server, file: Any) -> str:
    """Load a file with the mysql client; return what it complains of."""
    inside = f"/{file.relative_to(servers.tree('9.7'))}"
    words = (
        f"mysql --no-defaults -uroot -h{server.host} -P{server.port} --protocol=TCP shop < {inside}"
    )
    done = subprocess.run(
        ["chroot", str(servers.tree("9.7")), "sh", "-c", words],
        env={"PATH": PATH, "MYSQL_PWD": server.password, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    return done.stderr.decode("utf-8", "replace") if done.returncode else ""


def _holds(found: State, schema: bytes) -> bool:
    """Whether a schema has anything in it."""
    prefix = oracle.quoted(schema) + b"."
    return any(name.split(b" ", 1)[-1].startswith(prefix) for name in found.sections["create"])


def _without(found: State, schema: str) -> State:
    """A state without one schema."""
    raw = schema.encode()
    kept = {
        section: {name: lines for name, lines in named.items() if raw not in name}
        for section, named in found.sections.items()
    }
    return replace(found, sections=kept)


def checksum(fleet: Fleet, history: History, pick: Callable[..., Any]) -> Outcome:
    """A replica that is changed behind its source's back: mysql_checksum has to see it, or to admit that not."""
    donor, replica = fleet.fresh("donor"), fleet.fresh("replica")
    replication_account(donor)
    followed = run_module("mysql_replication", source_of(replica, donor, **following(donor)))
    if followed.get("failed"):
        return Outcome("checksum", answer=followed, refused=True)
    played = play(donor, history, _nothing)
    if not wait_for(replica, played.at_end.gtids):
        return Outcome("checksum", skipped="the replica stopped by itself", errors=played.errors)
    change = pick(*tampers(played.at_end))
    with contextlib.closing(connect(replica)) as session, session.cursor() as cursor:
        for statement in ("SET GLOBAL super_read_only = OFF", "SET sql_log_bin = 0", change):
            with contextlib.suppress(pymysql.err.MySQLError):
                cursor.execute(statement)
    allowed = (*COPIED, unlogged(step for part in history.parts() for step in part))
    differences = oracle.compare(played.at_end, state(replica), allowed)
    options = {
        "instances": [donor.instance("donor"), replica.instance("replica")],
        "method": pick("crc", "sha2"),
        "accounts": pick(True, False),
        "fail_on_difference": False,
        "timeout": 10,
    }
    answer = run_module("mysql_checksum", options)
    outcome = _copy(
        "checksum", answer, played, f"{options['method']} after {change} on the replica"
    )
    if not options["accounts"] and "accounts: true" in str(answer.get("not_compared")):
        differences = [one for one in differences if one.section not in ACCOUNT_SECTIONS]
    if outcome.refused or answer.get("equal") != bool(differences):
        return outcome
    outcome.differences = differences or [Difference("equal", b"", (b"equal",), (b"not equal",))]
    return outcome


def tampers(found: State) -> list[str]:
    """Statements that change one thing each, by what is there."""
    made = ["SELECT 1"]
    for name in found.sections["create"]:
        kind, place = (part.decode() for part in name.split(b" ", 1))
        made.append(f"DROP {kind} {place}")
        if kind == "TABLE":
            made += [f"DELETE FROM {place} LIMIT 1", f"ALTER TABLE {place} COMMENT 'changed'"]
    return [one for one in made if not one.startswith("DROP DATABASE")] + ["CREATE USER stranger"]


# A base by hand is a clone without what base.sh has to look for: what clone does not carry is left to base-clone.
UNFAIR = {"recover-clone": {"engine", "unlogged_reads"}, "rows": {"engine", "unlogged_reads"}}

TARGETS = ("latest", "gtid_executed", "time", "file", "before")


def tools(version: str) -> dict[str, Tool]:
    """Every tool of a version, by the name that --tool takes."""
    methods = ("dump",) if version == "8.0.15" else ("clone", "dump")
    found: dict[str, Tool] = {"load": load}
    for method in methods:
        found[f"seed-{method}"] = seed(method)
        for how in TARGETS:
            found[f"recover-{method}-{how}"] = recover(method, how)
        found[f"base-{method}"] = base(method)
    for how in ("time", "file", "before"):
        found[f"point-{how}"] = point(how)
    return found | {
        "rows": rows,
        "switchover": switchover,
        "load-text": load_text,
        "checksum": checksum,
    }
