# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A backup archive in a local folder, written by the scripts of roles/backup beside a bare server.

The scripts run in the tree of a server's version, as in a Pod of its image: with /proc and /dev in a
mount namespace of their own, gone with the process.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive_reader import (
    Listing,
    read_listing,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import replication
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

from tests.integration import servers

SCRIPTS = Path(__file__).resolve().parents[2] / "roles" / "backup" / "files"
DEADLINE = 60
PASSWORD = "it's a \\backslash"
ENTER = 'mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'

_numbers = itertools.count(1)


@dataclass
class LocalArchive:
    """One archive. source: where its account is; it can be another server later.

    options: environment of every script, such as COMPRESSION.
    """

    source: servers.Server
    options: dict[str, str] = field(default_factory=dict)
    archiver: subprocess.Popen[bytes] | None = None
    # Ends once the archiver and whatever it began are gone.
    alive: int = -1

    def __post_init__(self) -> None:
        name = f"archive-{os.getpid()}-{next(_numbers)}"
        self.folder = self.source.tree / servers.FOLDERS / name
        self.inside = f"/{servers.FOLDERS}/{name}"
        self.root = self.folder / "archive"
        self.root.mkdir(parents=True)
        shutil.copytree(SCRIPTS, self.folder / "scripts")
        (self.folder / "password").write_text(PASSWORD)
        # The account's server has root's right to traverse, and mysqld its own user.
        self.folder.chmod(0o755)
        self.point_at(self.source)

    def point_at(self, source: servers.Server) -> None:
        """Lead the scripts to a server, as the Service for writes does."""
        self.source = source
        # At once: a script reads it whenever it likes.
        self.road_to(source, "client.cnf.new").rename(self.folder / "client.cnf")

    def road_to(self, source: servers.Server, name: str) -> Path:
        """Write the file that leads to a server, under another name than the one that is read."""
        quoted = PASSWORD.replace("\\", "\\\\")
        path = self.folder / name
        path.write_text(
            f'[client]\nuser=backup\npassword="{quoted}"\nhost={source.host}\nport={source.port}\n'
            "protocol=tcp\nget-server-public-key\n"
        )
        return path

    def before_fetch(self, commands: str) -> None:
        """Have each fetch do this first, as bash in the archive's folder; call it before start.

        In $file is the binary log that is asked for.
        """
        programs = self.folder / "programs"
        programs.mkdir()
        program = programs / "mysqlbinlog"
        program.write_text(
            f"#!/bin/bash\nPATH=${{PATH#*:}}\nif [[ $* == *--raw* ]]; then\n  cd {self.inside}\n"
            f'  file=${{*: -1}}\n  {commands}\nfi\nexec mysqlbinlog "$@"\n'
        )
        program.chmod(0o755)
        self.options["PATH"] = f"{self.inside}/programs:{self.environment()['PATH']}"

    def use_key(self, key: str) -> None:
        """Encrypt with this key from now on."""
        (self.folder / "key").write_text(key)
        self.options["KEY_FILE"] = f"{self.inside}/key"

    def environment(self, **options: str) -> dict[str, str]:
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "ARCHIVE": f"{self.inside}/archive",
            "CLIENT_CNF": f"{self.inside}/client.cnf",
            "PASSWORD_FILE": f"{self.inside}/password",
            "WORK": f"{self.inside}/work",
            "SERVER_ID": "2",
            "DONORS": self.source.host,
            "MYSQLD_OPTIONS": "--innodb-buffer-pool-size=64M",
            **self.options,
            **options,
        }

    def command(self, script: str, *arguments: str) -> list[str]:
        tree = str(self.source.tree)
        scripts = f"{self.inside}/scripts"
        inner = ("bash", f"{scripts}/{script}", *arguments)
        return ["unshare", "--mount", "sh", "-c", ENTER, tree, *inner]

    def run(self, script: str, *arguments: str, **options: str) -> str:
        """Run a script to its end and return what it said; raise where it fails."""
        done = self.attempt(script, *arguments, **options)
        if done.returncode:
            raise RuntimeError(f"{script} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def attempt(
        self, script: str, *arguments: str, **options: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(script, *arguments),
            env=self.environment(**options),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def start(self) -> None:
        """Start the archiver; what it says goes to archiver.log beside the archive."""
        self.alive, held = os.pipe()
        with (self.folder / "archiver.log").open("ab") as log:
            self.archiver = subprocess.Popen(
                self.command("archiver.sh"),
                env=self.environment(),
                stderr=log,
                stdout=log,
                pass_fds=(held,),
                process_group=0,
            )
        os.close(held)

    def stop(self, *, kill: bool = False) -> None:
        """End the archiver, in order or as a lost node does, and whatever it began, as its Pod does."""
        if self.archiver is None:
            return
        if not kill:
            self.archiver.terminate()
            self.archiver.wait(30)
        # A log that is being sealed is so by a process of its own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.archiver.pid, signal.SIGKILL)
        self.archiver.wait(30)
        self.archiver = None
        gone = select.select([self.alive], [], [], 30)[0]
        os.close(self.alive)
        if not gone:
            raise AssertionError("something that the archiver began does not end")

    def log(self) -> str:
        return (self.folder / "archiver.log").read_text()

    def listing(self) -> Listing:
        return read_listing(self.run("list.sh"))

    def wait(self, holds: Callable[[Listing], bool], what: str) -> Listing:
        """Return the first listing for which it holds."""
        deadline = time.monotonic() + DEADLINE
        while True:
            found = self.listing()
            if holds(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {DEADLINE} s\n{found}\n{self.log()}")
            time.sleep(0.2)

    def wait_for(self, server: servers.Server) -> Listing:
        """Return the listing that has every transaction that a server has now."""
        wanted = executed(server)
        return self.wait(lambda found: wanted in found.archive.logged, f"{wanted} in archive")

    def remove(self) -> None:
        self.stop(kill=True)
        shutil.rmtree(self.folder)


def executed(server: servers.Server) -> GtidSet:
    """What a server has executed."""
    with server.connect() as connection:
        return replication.executed(connection)


def make_account(server: servers.Server) -> None:
    """Make the account that the scripts log in as, with the rights that the role gives it."""
    password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    rights = "SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT"
    rights += ", REPLICATION SLAVE, REPLICATION CLIENT, BACKUP_ADMIN, XA_RECOVER_ADMIN"
    server.sql(
        f"CREATE USER 'backup'@'%' IDENTIFIED BY '{password}'",
        f"GRANT {rights} ON *.* TO 'backup'@'%'",
    )


def shop(server: servers.Server) -> None:
    """Make the account of the archive, and a table with two rows."""
    make_account(server)
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, item VARCHAR(100))",
        "INSERT INTO shop.orders (item) VALUES ('tea'), ('milk')",
    )


def order(server: servers.Server, count: int = 1) -> None:
    """Add so many rows to the table, each by a transaction of its own."""
    for number in range(count):
        server.sql(f"INSERT INTO shop.orders (item) VALUES ('order {number}')")


def rotate(server: servers.Server) -> None:
    """Begin another binary log, with a transaction in it."""
    server.sql("FLUSH BINARY LOGS")
    order(server)
