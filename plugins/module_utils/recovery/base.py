# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A base of the archive becomes a data directory: a clone is copied, a dump is loaded."""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..binlog.archive import Base
from ..binlog.store import BLOCK, Store
from ..causes.binlog import BinlogError
from ..finding import CollectionError
from ..mysql.connection import Version, parse_version
from ..mysql.replication import executed
from .executor import RUN, Executor
from .scratch import ACCOUNT, CONFIG, PARTIAL, Scratch
from .server_options import basic

Note = Callable[[int], None]


def program_version(executor: Executor) -> Version:
    """Return the version of the mysqld that will run. Raises CollectionError."""
    said = executor.run("mysqld", "--version")
    found = re.search(r"Ver (\d+\.\d+\.\d+)", said)
    return parse_version(found[1] if found else said)


def check_version(base: Base, version: Version) -> None:
    """Raise BinlogError where this mysqld cannot start from the base.

    A copied data directory is upgraded in place, and within one series alone without asking; a dump
    can be loaded by the same version and later ones.
    """
    own = parse_version(base.server_version)
    fits = own[:2] == version[:2] if base.method == "clone" else own <= version
    if not fits:
        text = ".".join(str(part) for part in version)
        proof = [
            f"base {base.id} is a {base.method} of MySQL {base.server_version}",
            f"mysqld --version says {text}",
        ]
        raise BinlogError("recovery.version_differs", base.id, proof, version=text)


def restore(
    store: Store, base: Base, scratch: Scratch, arguments: tuple[str, ...], note: Note
) -> None:
    """Make the data directory. It gets its name when it is whole; what was made and not noted goes first.

    One with its name that no record tells of is there where a run ended, or a volume was full, between both.
    """
    partial = scratch.folder / PARTIAL
    for unknown in (partial, scratch.data):
        if unknown.exists():
            shutil.rmtree(unknown)
    _configure(scratch, base)
    if base.method == "clone":
        _copy(store, base, partial, note)
        # Two servers with one UUID would take each other for themselves.
        (partial / "auto.cnf").unlink(missing_ok=True)
        scratch.executor.give(PARTIAL)
    else:
        partial.mkdir()
        _load(store, base, scratch, arguments, note)
    partial.rename(scratch.data)


def _configure(scratch: Scratch, base: Base) -> None:
    """Write what every server on this data has to be started with; nothing else of the machine's counts."""
    path = scratch.folder / CONFIG
    settings = "".join(f"{name}={value}\n" for name, value in base.settings)
    path.write_text(f"[mysqld]\n{settings}" if settings else "", encoding="utf-8")
    path.chmod(0o644)


def _copy(store: Store, base: Base, into: Path, note: Note) -> None:
    stored = store.root / base.path / base.stored
    if stored.is_dir():
        for source in sorted(stored.rglob("*")):
            target = into / source.relative_to(stored)
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as reading, target.open("wb") as writing:
                _pump(reading, writing, note)
        return
    into.mkdir()
    with (
        store.plain(stored, base.compression, base.encryption) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            _unpack(archive, member, into, note)
    _flatten(into)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path, note: Note) -> None:
    """Write one member below a folder. Not every Python 3.11 has tarfile's own filters."""
    target = into / member.name
    below = target.resolve().is_relative_to(into.resolve())
    reading = archive.extractfile(member) if member.isfile() else None
    if not below or (reading is None and not member.isdir()):
        raise CollectionError(
            f"base: {member.name!r} in its archive is no file of a data directory"
        )
    if reading is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with reading, target.open("wb") as writing:
        _pump(reading, writing, note)


def _flatten(folder: Path) -> None:
    """Move what lies in a single folder up into this one: how a data directory may be packed."""
    inner = list(folder.iterdir())
    if len(inner) != 1 or not inner[0].is_dir() or inner[0].name == "mysql":
        return
    for entry in list(inner[0].iterdir()):
        entry.rename(folder / entry.name)
    inner[0].rmdir()


def _pump(reading: IO[bytes], writing: IO[bytes], note: Note) -> None:
    while block := reading.read(BLOCK):
        writing.write(block)
        note(len(block))


class _Counted:
    """A stream that tells how much was read of it."""

    def __init__(self, stream: IO[bytes], note: Note) -> None:
        self._stream = stream
        self._note = note

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._note(len(block))
        return block


def _load(
    store: Store, base: Base, scratch: Scratch, arguments: tuple[str, ...], note: Note
) -> None:
    """Initialize a data directory and load the dump into it, its set of transactions included."""
    executor = scratch.executor
    (scratch.folder / RUN).mkdir(exist_ok=True)
    executor.give(PARTIAL, RUN)
    options = basic(executor.inside, PARTIAL, executor.user)
    executor.initialize(*options, *arguments)
    server = scratch.server()
    server.start(
        [
            *options,
            "--skip-networking",
            # Views call functions whose definers the dump brings, and no server knows them before it
            # reads its accounts again.
            "--skip-grant-tables",
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--innodb-flush-log-at-trx-commit=0",
            # Rows as they are: those that the donor took without it too.
            "--innodb-strict-mode=OFF",
            *arguments,
        ]
    )
    stored = store.root / base.path / base.stored
    # A dump may replace the accounts: this session was let in before.
    with server.connect() as connection:
        with store.plain(stored, base.compression, base.encryption) as stream:
            executor.feed(
                _Counted(stream, note),
                "mysql",
                f"--defaults-file={executor.path(ACCOUNT)}",
                "--protocol=SOCKET",
                f"--socket={executor.path('run', 'mysqld.sock')}",
                "--binary-mode",
                "--max-allowed-packet=1G",
                "--default-character-set=utf8mb4",
            )
        now = executed(connection)
        if not now and base.gtid_executed:
            connection.execute("SET @@GLOBAL.gtid_purged = %s", (str(base.gtid_executed),))
            now = executed(connection)
        server.stop_by(connection)
    if now != base.gtid_executed:
        proof = [f"gtid_executed after the dump: {now}", f"manifest: {base.gtid_executed}"]
        raise BinlogError("recovery.base_damaged", base.id, proof)
