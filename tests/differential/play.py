# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Servers that live through many rounds, and histories that are played on them."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymysql
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError

from tests.differential import oracle
from tests.differential.history import END, RESTART, History, Step
from tests.integration import servers
from tests.integration.servers import Server

# A statement that waits for another session's lock has lost its turn.
WAITS = ("SET GLOBAL innodb_lock_wait_timeout = 1", "SET GLOBAL lock_wait_timeout = 1")
# Each way of asking for mysqldump's text: a row a line, and a view that does not work is passed over.
DUMP = (
    "--all-databases", "--routines", "--events", "--triggers", "--hex-blob", "--force",
    "--single-transaction", "--skip-extended-insert", "--set-gtid-purged=OFF", "--skip-dump-date",
    "--ignore-table=mysql.innodb_index_stats", "--ignore-table=mysql.innodb_table_stats",
    # Accounts are read on their own; these have times of their making.
    "--ignore-table=mysql.user", "--ignore-table=mysql.tables_priv", "--ignore-table=mysql.columns_priv",
    "--ignore-table=mysql.procs_priv", "--ignore-table=mysql.proxies_priv",
    "--ignore-table=mysql.password_history", "--ignore-table=mysql.gtid_executed",
    "--ignore-table=mysql.slave_master_info",
    "--ignore-table=mysql.slave_relay_log_info", "--ignore-table=mysql.slave_worker_info",
    "--max-allowed-packet=1G",
)  # fmt: skip


@dataclass
class Played:
    """What became of a history. errors: statements that the server refused, with its words."""

    at_target: oracle.State
    at_end: oracle.State
    moment: datetime
    file: str
    position: int
    errors: list[str] = field(default_factory=list)
    # Whether the mistake is in the binary log: one that hits no row is not.
    deed_logged: bool = True


class Sessions:
    """The sessions of a history."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.open: dict[tuple[str, str], Any] = {}
        self.errors: list[str] = []
        self.done = 0

    def run(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        key = (step.session, step.charset)
        if step.sql == END:
            if key in self.open:
                self.open.pop(key).close()
            return
        if step.sql == RESTART:
            self.close()
            self.server.stop()
            self.server.start()
            return
        if key not in self.open:
            self.open[key] = connect(self.server, charset=step.charset)
        try:
            with self.open[key].cursor() as cursor:
                cursor.execute(step.sql)
                while cursor.nextset():
                    pass
            self.done += 1
        except (pymysql.err.MySQLError, UnicodeEncodeError) as error:
            self.errors.append(f"{step.sql[:120]}: {error}")

    def close(self) -> None:
        for session in self.open.values():
            with contextlib.suppress(pymysql.err.MySQLError):
                session.close()
        self.open.clear()


def connect(server: Server, **options: Any) -> Any:
    given = {"charset": "utf8mb4", "autocommit": True, **options}
    return pymysql.connect(
        host=server.host, port=server.port, user="root", password=server.password, **given
    )


def address(server: Server) -> oracle.Address:
    return oracle.Address(server.host, server.port, "root", server.password)


def state(server: Server, *, dump: bool = False) -> oracle.State:
    """What the oracle reads on a server."""
    return oracle.read(address(server), (lambda: dumped(server)) if dump else None)


def dumped(server: Server, *arguments: str) -> bytes:
    """mysqldump's text of a server."""
    command = (
        *("chroot", str(servers.tree("9.7")), "mysqldump", "--no-defaults", "-uroot"),
        *(f"-h{server.host}", f"-P{server.port}", "--protocol=TCP", *(arguments or DUMP)),
    )
    done = subprocess.run(
        command, env={"PATH": PATH, "MYSQL_PWD": server.password}, capture_output=True, check=False
    )
    if done.returncode and not arguments:
        # What it passes over because of --force is the same on both.
        return done.stdout
    if done.returncode:
        raise DumpError(done.stderr.decode("utf-8", "replace"))
    return done.stdout


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class DumpError(RuntimeError):
    """mysqldump itself cannot."""


def old(server: Server) -> bool:
    return server.version.startswith("8.0")


def log_place(server: Server) -> tuple[str, int]:
    row = server.sql("SHOW MASTER STATUS" if old(server) else "SHOW BINARY LOG STATUS")[0]
    return str(row["file"]), int(row["position"])


class Fleet:
    """The servers of one version by name, made when they are first asked for."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.members: dict[str, Server] = {}
        self._numbers: dict[str, int] = {}

    def get(self, name: str) -> Server:
        if name not in self.members:
            number = self._numbers.setdefault(name, 10 * len(self._numbers) + 1)
            arguments = ["--event-scheduler=OFF", "--log-bin-trust-function-creators=ON"]
            arguments += ["--secure-file-priv="]
            self.members[name] = servers.make(self.version, number, *arguments)
            self._begin(self.members[name])
        return self.members[name]

    def _begin(self, server: Server) -> None:
        server.sql(
            *WAITS,
            "SET GLOBAL local_infile = ON",
            "RESET MASTER" if old(server) else "RESET BINARY LOGS AND GTIDS",
        )

    def forget(self, name: str) -> None:
        """Take a server away; the next one of this name is new."""
        if name in self.members:
            self.members.pop(name).remove()

    def fresh(self, name: str) -> Server:
        """A server that is as new: emptied, or another one where that is not to be had."""
        server = self.get(name)
        try:
            clean(server)
        except (pymysql.err.MySQLError, MysqlError, NotCleanError, OSError):
            self.forget(name)
            server = self.get(name)
        self._begin(server)
        return server

    def remove(self) -> None:
        for name in list(self.members):
            self.forget(name)


class NotCleanError(RuntimeError):
    """Something of an earlier round is left."""


SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
BORN = ("mysql.infoschema", "mysql.session", "mysql.sys", "root")


def clean(server: Server) -> None:
    """Take away all that a round made."""
    with contextlib.closing(connect(server)) as session, session.cursor() as cursor:

        def ask(statement: str, *values: str) -> list[tuple[Any, ...]]:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

        word = "SLAVE" if old(server) else "REPLICA"
        ask(f"STOP {word}")
        ask(f"RESET {word} ALL")
        ask("RESET PERSIST")
        ask("SET GLOBAL super_read_only = OFF")
        ask("SET GLOBAL read_only = OFF")
        ask("SET SESSION foreign_key_checks = 0")
        for form, length, branch, data in ask("XA RECOVER CONVERT XID"):
            raw = data[2:]
            ask(
                f"XA ROLLBACK X'{raw[: 2 * length]}', X'{raw[2 * length : 2 * (length + branch)]}', {form}"
            )
        for (schema,) in ask("SHOW DATABASES"):
            if schema not in SYSTEM:
                ask("DROP DATABASE `" + schema.replace("`", "``") + "`")
        for user, host in ask("SELECT user, host FROM mysql.user"):
            if user not in BORN:
                ask("DROP USER %s@%s", user, host)
        rights = ("procs_priv", "tables_priv", "columns_priv", "db")
        for table in (
            *rights,
            "servers",
            "proxies_priv",
            "default_roles",
            "role_edges",
            "global_grants",
        ):
            kept = "','".join(BORN)
            column = {"servers": "server_name", "role_edges": "to_user"}.get(table, "user")
            ask(f"DELETE FROM mysql.{table} WHERE {column} NOT IN ('{kept}')")
        for (name,) in ask(
            "SELECT name FROM information_schema.innodb_tablespaces WHERE space_type = 'General'"
            " AND name <> 'mysql'"
        ):
            ask(f"DROP TABLESPACE `{name}`")
        for (number,) in ask(
            "SELECT srs_id FROM information_schema.st_spatial_reference_systems WHERE srs_id"
            " BETWEEN 990000 AND 990999"
        ):
            ask(f"DROP SPATIAL REFERENCE SYSTEM {number}")
        ask("FLUSH PRIVILEGES")
        if ask("SELECT 1 FROM information_schema.events LIMIT 1"):
            raise NotCleanError("an event is left")


def play(
    server: Server, history: History, at_base: Callable[[], None], *, dump: bool = False
) -> Played:
    """Play a history, and read the server at the target and at the end.

    at_base: done where the base belongs. Sessions stay open until the end.
    """
    before, between, after = history.parts()
    sessions = Sessions(server)
    try:
        sessions.run(before)
        at_base()
        sessions.run(between)
        at_target = state(server)
        time.sleep(0.01)
        moment = server.sql("SELECT UTC_TIMESTAMP(6) AS now")[0]["now"]
        file, position = log_place(server)
        time.sleep(0.01)
        deed = after[: 1 if history.deed else 0]
        sessions.run(deed)
        logged = not deed or log_place(server) != (file, position)
        sessions.run(after[len(deed) :])
    finally:
        sessions.close()
    end = state(server, dump=dump)
    return Played(at_target, end, moment, file, position, sessions.errors, logged)


@contextlib.contextmanager
def supervised(server: Server) -> Iterator[None]:
    """Start mysqld again when it stops, as a kubelet does."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            process = server.process
            if process is not None and process.poll() is not None:
                server.start()
            time.sleep(0.05)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
