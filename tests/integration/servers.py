# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real mysqld servers on loopback, from the server trees that ``make lab`` puts into the cache.

In a test, by the fixtures of conftest.py:

    def test_something(server_factory):
        primary = server_factory(NEWEST, 1)                    # empty, GTIDs and binary log on
        replica = server_factory("8.0.15", 11, "--gtid-mode=OFF")   # further mysqld arguments last
        primary.sql("CREATE DATABASE shop")                    # as root, by TCP
        with primary.connect() as connection: ...              # mysql.connection.Connection
        primary.login                                          # login_* options for a module
        primary.instance("mysql-1")                            # a member of ``instances``
        primary.stop(); primary.start()                        # data kept

- ``server_factory``: servers of one test, gone (process and data) after it.
- ``shared_server_factory``: the same for a whole test file, for tests that leave no trace.
- ``version``: a parameter, the versions of the lab. What a server is of is asked by name, never by its number:
  ``server.has("clone")``, ``server.says("show_replica_status")``, ``server.uses("replica_parallel_workers")``.
- MYSQL_ON_KUBERNETES_VERSIONS=8.0.33 (or several, with commas) runs every test on these, also where the gate
  leaves a version to test-all (tests/conftest.py). ``NEWEST`` is the last of them: for tests of one version.
- Attributes of a server: version, server_id, host, port, socket (Path), password, tree (Path, the
  chroot), folder (Path, seen from the host), error_log (Path).
- Client programs: ``server.client("mysqldump", "--all-databases")`` runs one of the server's tree as root.

An initialized data directory is made once per tree and version and copied for each server.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Connection,
    MysqlError,
    Version,
    connect_tcp,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import (
    STATEMENTS,
    has,
    option,
    statement,
    variable,
)

from roles.lab.files.lab.mysql import SERVERS


def release(version: str) -> Version:
    """The number of a version: (9, 7, 0) of 9.7."""
    major, minor, patch, *_rest = (*map(int, version.split(".")), 0)
    return major, minor, patch


def chosen(names: str) -> tuple[str, ...]:
    """The versions that tests run on, oldest first: those named, with commas, else all of the lab."""
    known = sorted((server.version for server in SERVERS), key=release)
    wanted = [name.strip() for name in names.split(",") if name.strip()] or known
    if set(wanted) - set(known):
        raise ValueError(f"MYSQL_ON_KUBERNETES_VERSIONS={names}: there are {', '.join(known)}")
    return tuple(name for name in known if name in wanted)


VERSIONS = chosen(os.environ.get("MYSQL_ON_KUBERNETES_VERSIONS", ""))
NEWEST = VERSIONS[-1]
IMAGES = {server.version: server.image for server in SERVERS}
PASSWORD = "root of the tests"
START_SECONDS = 60
STOP_SECONDS = 60
SMALL = (
    "--innodb-buffer-pool-size=64M",
    "--max-connections=60",
    "--table-open-cache=400",
    # A machine has one small store of AIO requests (fs.aio-max-nr); a dozen servers empty it.
    "--innodb-use-native-aio=OFF",
)
COMMON = ("--user=mysql", *SMALL)
FOLDERS = Path("srv")
TEMPLATE = "template-1"

_numbers = itertools.count(1)


def cache() -> Path:
    """The folder that make keeps what it built in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MYSQL_ON_KUBERNETES_CACHE") or Path(base) / "mysql_on_kubernetes")


def tree(version: str) -> Path:
    """The root file system that holds the server of a version."""
    found = cache() / "servers" / f"mysql-{version}"
    if not (found / "entrypoint.sh").exists():
        raise FileNotFoundError(f"No server tree {found}: `make lab` builds it")
    return found


def redo(version: str) -> tuple[str, ...]:
    """The options of a small redo log; with 8.0.30 it became one size."""
    if release(version) < (8, 0, 30):
        return ("--innodb-log-file-size=16M",)
    return ("--innodb-redo-log-capacity=32M",)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_tree(root: Path, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of a tree and return what it said; raise with its errors where it fails."""
    done = subprocess.run(
        ["chroot", str(root), *command], capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        raise RuntimeError(
            f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done


@dataclass
class Server:
    """One mysqld. program: where it is in the tree."""

    version: str
    server_id: int
    folder: Path
    port: int
    arguments: tuple[str, ...] = ()
    password: str = PASSWORD
    host: str = "127.0.0.1"
    program: str = "mysqld"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def tree(self) -> Path:
        return tree(self.version)

    @property
    def release(self) -> Version:
        return release(self.version)

    def has(self, name: str) -> bool:
        """Whether its version has a statement of the dialect's table."""
        return has(STATEMENTS, name, self.release)

    def says(self, name: str) -> str:
        """A statement's words in its version."""
        return statement(name, self.release)

    def calls(self, name: str) -> str:
        """An option of CHANGE REPLICATION SOURCE TO in its version."""
        return option(name, self.release)

    def uses(self, name: str) -> str:
        """A system variable's name in its version."""
        return variable(name, self.release)

    @property
    def inside(self) -> str:
        """The folder as the server sees it."""
        return f"/{self.folder.relative_to(self.tree)}"

    @property
    def socket(self) -> Path:
        return self.folder / "mysqld.sock"

    @property
    def error_log(self) -> Path:
        return self.folder / "error.log"

    @property
    def login(self) -> dict[str, Any]:
        """The connection options of a module."""
        return {
            "login_host": self.host,
            "login_port": self.port,
            "login_user": "root",
            "login_password": self.password,
        }

    def instance(self, name: str) -> dict[str, Any]:
        """A member of ``instances``."""
        return {"name": name, **self.login}

    def connect(self, **options: Any) -> Connection:
        given = {"user": "root", "password": self.password, **options}
        return connect_tcp(self.host, self.port, **given)

    def sql(self, *statements: str) -> list[dict[str, Any]]:
        """Run statements in one session as root and return the last one's rows."""
        rows: list[dict[str, Any]] = []
        with self.connect() as connection:
            for statement in statements:
                rows = connection.query(statement)
        return rows

    def client(self, program: str, *arguments: str, **options: Any) -> str:
        """Run a client program of its tree against this server by TCP, return its output."""
        login = ("--no-defaults", "-uroot", f"-h{self.host}", f"-P{self.port}", "--protocol=TCP")
        environment = {**os.environ, "MYSQL_PWD": self.password}
        command = (program, *login, *arguments)
        return in_tree(self.tree, *command, env=environment, **options).stdout

    def start(self, *arguments: str) -> None:
        """Start it and return when root can log in; further arguments hold for this start."""
        command = [
            *("chroot", str(self.tree), self.program, f"--defaults-file={self.inside}/my.cnf"),
            *(*COMMON, *redo(self.version)),
            *(f"--datadir={self.inside}/data", f"--socket={self.inside}/mysqld.sock"),
            *(f"--pid-file={self.inside}/mysqld.pid", f"--log-error={self.inside}/error.log"),
            *(f"--port={self.port}", "--bind-address=127.0.0.1", "--mysqlx=OFF"),
            *(f"--server-id={self.server_id}", "--log-bin=binlog", "--gtid-mode=ON"),
            *("--enforce-gtid-consistency=ON", "--sync-binlog=0"),
            *("--innodb-flush-log-at-trx-commit=0", *self.arguments, *arguments),
        ]
        self.process = subprocess.Popen(command)
        self._wait_until_up()

    def stop(self) -> None:
        """Shut it down in order, keeping the data."""
        self._end("terminate")

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end("kill")

    def remove(self) -> None:
        """End it and delete its data."""
        self.kill()
        shutil.rmtree(self.folder)

    def _end(self, how: str) -> None:
        if self.process is not None and self.process.poll() is None:
            getattr(self.process, how)()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.error_log.read_text() if self.error_log.exists() else "no error log"
                self.kill()
                raise RuntimeError(f"mysqld {self.version} did not start:\n{log[-4000:]}")
            try:
                self.connect(connect_timeout=2).close()
            except MysqlError as error:
                if error.errno not in (2003, 2013):
                    raise
            else:
                return
            time.sleep(0.05)


def _template(version: str) -> Path:
    """An initialized data directory whose root has the password; made by who comes first."""
    root = tree(version)
    made = root / FOLDERS / TEMPLATE
    with (root / FOLDERS / f"{TEMPLATE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists():
            return made
        making = root / FOLDERS / f"{TEMPLATE}.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        in_tree(root, "chown", "mysql:mysql", f"/{FOLDERS}/{making.name}")
        inside = f"/{FOLDERS}/{making.name}"
        data = f"--datadir={inside}/data"
        init = making / "init.sql"
        init.write_text(
            # Twice root: by socket and, where names are not resolved, by address.
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{PASSWORD}';"
            f"\nCREATE USER 'root'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
            "\nGRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        common = ("--no-defaults", *COMMON, *redo(version), data, "--skip-log-bin")
        in_tree(root, "mysqld", *common, "--initialize-insecure", f"--init-file={inside}/init.sql")
        (making / "data" / "auto.cnf").unlink(missing_ok=True)
        making.rename(made)
    return made


def make(version: str, server_id: int, *arguments: str) -> Server:
    """Make and start a server with an empty data directory of its own."""
    template = _template(version)
    name = f"t-{os.getpid()}-{next(_numbers)}"
    folder = tree(version) / FOLDERS / name
    folder.mkdir()
    done = subprocess.run(
        ["cp", "-a", str(template / "data"), str(folder / "data")], capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    in_tree(tree(version), "chown", "mysql:mysql", f"/{FOLDERS}/{name}")
    # With --no-defaults 8.0 leaves out persisted variables too, and no test would see them.
    (folder / "my.cnf").touch(mode=0o644)
    server = Server(version, server_id, folder, free_port(), arguments)
    try:
        server.start()
    except (RuntimeError, MysqlError):
        # What the log said is in the error; nobody else knows of the folder.
        server.remove()
        raise
    return server
