# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The folder of a scratch instance: whose it is, how far the recovery in it came, who works in it.

::

    recovery.json   what is recovered, and the stage that was finished last
    account.cnf     the account of the recovery, made anew by each start's init file
    data/           the data directory; data.partial until the base is all there
    run/            mysqld's own: socket, pid, error log
    my.cnf          what the base must be started with; nothing of the machine's counts
    lock            held while a recovery is at work

A step is noted after it is done, and doing it again from its beginning is harmless: a recovery that
was ended anywhere goes on when it is run again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..causes.binlog import BinlogError
from ..finding import CollectionError
from .executor import Account, Executor, ScratchServer

RECORD = "recovery.json"
LOCK = "lock"
ACCOUNT = "account.cnf"
INIT = "init.sql"
CONFIG = "my.cnf"
DATA = "data"
PARTIAL = "data.partial"
USER = "mysql_on_kubernetes_recovery"

# In this order; each is noted when it is done.
BEGUN, RESTORED, APPLYING, APPLIED, VERIFIED, HANDED_OVER = (
    "begun",
    "restored",
    "applying",
    "applied",
    "verified",
    "handed over",
)
STAGES = (BEGUN, RESTORED, APPLYING, APPLIED, VERIFIED, HANDED_OVER)


@dataclass(frozen=True)
class Record:
    """What a scratch folder holds. identity: base, set of transactions, archive.

    sums: rows and checksum of each table when it was verified.
    """

    identity: dict[str, str]
    stage: str
    seconds: dict[str, float]
    version: str = ""
    sums: Mapping[str, str] = field(default_factory=dict)

    def reached(self, stage: str) -> bool:
        """Whether a stage is behind it."""
        return STAGES.index(self.stage) >= STAGES.index(stage)


@dataclass(frozen=True)
class Scratch:
    """A scratch folder and who runs programs beside it."""

    folder: Path
    executor: Executor

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / DATA

    def record(self) -> Record | None:
        """Return what the folder holds, None where it holds no recovery.

        Raises BinlogError where it holds something else.
        """
        path = self.folder / RECORD
        if path.exists():
            document = json.loads(path.read_text(encoding="utf-8"))
            return Record(
                document["identity"],
                document["stage"],
                document["seconds"],
                str(document.get("version") or ""),
                dict(document.get("sums") or {}),
            )
        # A first record that a full volume cut off is nobody's.
        ours = (LOCK, f"{RECORD}.new")
        others = [entry.name for entry in self._entries() if entry.name not in ours]
        if others:
            proof = [f"{self.folder} holds {', '.join(sorted(others)[:5])}"]
            raise BinlogError("recovery.scratch_not_empty", str(self.folder), proof)
        return None

    def _entries(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def write(self, record: Record) -> None:
        """Note a record, whole or not at all."""
        document: dict[str, Any] = {
            "identity": record.identity,
            "stage": record.stage,
            "seconds": record.seconds,
            "version": record.version,
            "sums": dict(record.sums),
        }
        making = self.folder / f"{RECORD}.new"
        making.write_text(json.dumps(document, indent=1), encoding="utf-8")
        making.replace(self.folder / RECORD)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other recovery out of the folder. Raises BinlogError where one is in it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # mysqld runs as another user, and must get through to its data.
            self.folder.chmod(0o755)
            lock = (self.folder / LOCK).open("w")
        except OSError as error:
            raise CollectionError(
                f"scratch.folder: {self.folder} cannot be used: {error.strerror}"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                proof = [f"{self.folder / LOCK} is held by another process"]
                raise BinlogError("recovery.busy", str(self.folder), proof) from error
            yield

    def account(self) -> Account:
        """Return the account of the recovery, made up on the first call. It is nobody else's."""
        path = self.folder / ACCOUNT
        if not path.exists():
            # A mixture that every password policy takes.
            word = f"Aa1!{secrets.token_hex(16)}"
            # Whole or not at all: a volume may be full.
            making = path.with_name(f"{ACCOUNT}.new")
            making.unlink(missing_ok=True)
            number = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w") as stream:
                stream.write(f"[client]\nuser={USER}\npassword={word}\n")
            making.rename(path)
        return Account(USER, path.read_text().rpartition("password=")[2].strip())

    def server(self) -> ScratchServer:
        """Return its server, whether it runs or not."""
        return ScratchServer(self.executor, self.account())

    def write_init(self) -> None:
        """Write the statements that let the recovery in; they are nowhere else, and read once."""
        account = self.account()
        who = f"'{account.user}'@'localhost'"
        path = self.folder / INIT
        path.unlink(missing_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w") as stream:
            stream.write(
                f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY '{account.password}';\n"
                f"ALTER USER {who} IDENTIFIED BY '{account.password}' ACCOUNT UNLOCK;\n"
                f"GRANT ALL ON *.* TO {who} WITH GRANT OPTION;\n"
            )
        self.executor.give(INIT)

    def remove(self) -> None:
        """Delete the folder with all that is in it; last what says whose it is."""
        for path in self._entries():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in (RECORD, LOCK):
                path.unlink()
        (self.folder / RECORD).unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def free_bytes(self) -> int:
        """Return how much room there is where the folder is, or will be."""
        existing = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        found = os.statvfs(existing)
        return found.f_bavail * found.f_frsize
