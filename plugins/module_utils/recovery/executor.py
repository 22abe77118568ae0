# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How programs of MySQL are run beside a folder: directly, in another root, in a container.

``run_in`` stands before each command (``chroot /srv/tree``, ``podman run --rm -i ...``); the folder
may have another name there. What is run is run as a list of words: no shell reads it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import LOGIN_REFUSED, Connection, MysqlError, connect_unix
from ..polling import look_until

START_SECONDS = 120.0
STOP_SECONDS = 300.0
POLL = 0.1
TAIL = 8
# Below the folder, mysqld's own: its socket, its log, its pid.
RUN = "run"
CONSOLE = "console.log"


class Readable(Protocol):
    """What a program can be fed from: a file, or what counts on the way."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most that many; none at the end."""


@dataclass(frozen=True)
class Executor:
    """Runs programs. folder: the scratch folder here; inside: the same folder where they run.

    user: whom mysqld runs as, and who owns what it writes.
    """

    folder: Path
    inside: str
    run_in: tuple[str, ...]
    user: str

    def words(self, *command: str) -> list[str]:
        """Return a command as it is run."""
        return [*self.run_in, *command]

    def path(self, *parts: str) -> str:
        """Return a path below the folder, as programs see it."""
        return "/".join((self.inside, *parts))

    def run(self, *command: str, stdin: IO[bytes] | None = None) -> str:
        """Run a program to its end and return what it said. Raises CollectionError."""
        try:
            done = subprocess.run(
                self.words(*command),
                stdin=stdin if stdin is not None else subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise _not_there(command[0], self.run_in, error) from error
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise CollectionError(f"{command[0]} ended with {done.returncode}: {said[-800:]}")
        return done.stdout.decode(errors="replace")

    def initialize(self, *arguments: str) -> None:
        """Make a data directory. Raises BinlogError with mysqld's own last words, CollectionError."""
        for path in (self.folder / CONSOLE, self.error_log):
            path.unlink(missing_ok=True)
        try:
            self.run("mysqld", *arguments, "--initialize-insecure")
        except CollectionError as error:
            # 8.0 says why in its log alone. Without one it did not run.
            if not self.error_log.exists():
                raise
            raise BinlogError(
                "recovery.scratch_not_started", str(self.folder), self.last_words()
            ) from error

    def feed(self, stream: Readable, *command: str) -> None:
        """Run a program that reads a stream. Raises CollectionError with what it complains of."""
        with subprocess.Popen(
            self.words(*command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as program:
            if program.stdin is None or program.stderr is None:
                raise CollectionError(f"{command[0]} was started without its pipes")
            try:
                while block := stream.read(1 << 20):
                    program.stdin.write(block)
                program.stdin.close()
            except BrokenPipeError:
                # It says itself why it would not read on.
                pass
            complaint = program.stderr.read().decode(errors="replace").strip()
            if program.wait():
                raise CollectionError(
                    f"{command[0]} ended with {program.returncode}: {complaint[-800:]}"
                )

    @property
    def error_log(self) -> Path:
        """What mysqld says."""
        return self.folder / RUN / "error.log"

    def last_words(self) -> list[str]:
        """Return the errors at the end of mysqld's log, else its last lines."""
        lines: list[str] = []
        for path in (self.folder / CONSOLE, self.error_log):
            if path.exists():
                lines += path.read_text(errors="replace").splitlines()[-40:]
        complaints = [line for line in lines if "ERROR" in line]
        return (complaints or lines or [f"mysqld wrote no {self.error_log}"])[-TAIL:]

    def kill_server(self) -> None:
        """Kill the folder's mysqld, where its process is one that is seen from here, and wait for its end.

        The next one would not start while the number of the old one's process is taken.
        """
        ours = f"--socket={self.path(RUN, 'mysqld.sock')}".encode()
        killed: list[int] = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            with suppress(OSError):
                # One that ended meanwhile is no matter.
                words = (process / "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"mysqld") and ours in words:
                    os.kill(int(process.name), signal.SIGKILL)
                    killed.append(int(process.name))
        look_until(lambda: all(_has_ended(pid) for pid in killed), bool, STOP_SECONDS, POLL)

    def give(self, *paths: str) -> None:
        """Make mysqld's user the owner of paths below the folder."""
        self.run("chown", "-R", f"{self.user}:", *(self.path(path) for path in paths))


@dataclass(frozen=True)
class Account:
    """Who is let in on the scratch instance while a recovery works on it."""

    user: str
    password: str


class ScratchServer:
    """The mysqld of a scratch folder: it outlives the module, and the next run finds it by its socket."""

    def __init__(self, executor: Executor, account: Account) -> None:
        self._executor = executor
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._executor.folder / RUN / "mysqld.sock"

    def connect(self) -> Connection:
        """Return a session. Raises MysqlError."""
        return connect_unix(
            str(self.socket),
            user=self._account.user,
            password=self._account.password,
            connect_timeout=5,
        )

    @property
    def running(self) -> bool:
        """Whether it answers."""
        try:
            self.connect().close()
        except MysqlError as error:
            if error.errno in (2002, 2003, 2013):
                return False
            raise
        return True

    def start(self, arguments: Sequence[str]) -> None:
        """Start it and return when it lets us in. Raises BinlogError with its own last words."""
        command = self._executor.words("mysqld", *arguments)
        folder = self._executor.folder
        (folder / RUN).mkdir(exist_ok=True)
        self._executor.give(RUN)
        self._executor.error_log.unlink(missing_ok=True)
        with (folder / CONSOLE).open("wb") as console:
            try:
                # A session of its own: it must not die with the module that started it.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=console,
                    start_new_session=True,
                )
            except OSError as error:
                raise _not_there("mysqld", self._executor.run_in, error) from error
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BinlogError(
                    "recovery.scratch_not_started", str(folder), self._executor.last_words()
                )
            # It listens when its redo log is applied, and tells only its own log.
            time.sleep(POLL)

    def _answers(self) -> bool:
        try:
            return self.running
        except MysqlError as error:
            # The account is made by the init file, a moment after the socket is there.
            if error.errno in LOGIN_REFUSED:
                return False
            raise

    def stop(self) -> None:
        """Shut it down in order, and wait until it is gone. Raises CollectionError."""
        if self.running:
            with self.connect() as connection:
                self.stop_by(connection)

    def stop_by(self, connection: Connection) -> None:
        """Shut it down through a session, which may be older than the accounts there are now."""
        pid_file = self._pid_file(connection)
        try:
            connection.execute("SHUTDOWN")
        except MysqlError as error:
            if not error.lost:
                raise
        deadline = time.monotonic() + STOP_SECONDS
        while pid_file.exists() or (self._process is not None and self._process.poll() is None):
            if time.monotonic() > deadline:
                raise CollectionError(f"{self._executor.folder}: mysqld did not end in time")
            # It may be a child of an earlier run, which nobody here can wait for.
            time.sleep(POLL)

    def _pid_file(self, connection: Connection) -> Path:
        name = Path(str(connection.value("SELECT @@GLOBAL.pid_file"))).name
        return self._executor.folder / RUN / name


def _has_ended(pid: int) -> bool:
    """Whether a process is gone. A child of ours is one only once it was waited for."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def _not_there(program: str, run_in: Sequence[str], error: OSError) -> CollectionError:
    where = f" (run_in: {' '.join(run_in)})" if run_in else ""
    return CollectionError(f"scratch: {program} cannot be run{where}: {error.strerror}")
