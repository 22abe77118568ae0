# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A backup archive of a bare server, made by hand as roles/backup lays it out, and scratch folders.

What the role's own scripts write is tested with them; here each file can be left out or broken.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import ROTATE, STOP
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.files import file_events
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import mapped, scan
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.literals import qualified
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.integration import replicas, servers
from tests.integration.servers import Server

# What the last event of a log says of why it ended.
ENDED = {ROTATE: "rotate", STOP: "stop"}
OK = {"at": "2026-11-24T00:00:00Z", "how": "started", "result": "ok"}


def executed(server: Server) -> GtidSet:
    return GtidSet.parse(
        str(server.sql("SELECT @@GLOBAL.gtid_executed AS found")[0]["found"]).replace("\n", "")
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class HandArchive:
    """An archive below a server's tree."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.home = server.tree / servers.FOLDERS / f"{server.folder.name}-recovery"
        self.root = self.home / "archive"
        (self.root / "base").mkdir(parents=True)
        self.home.chmod(0o755)
        (self.root / "archive.json").write_text('{"format": 1, "cluster": "tests"}')
        self._scratches = 0

    def remove(self) -> None:
        shutil.rmtree(self.home)

    def inside(self, path: Path) -> str:
        return f"/{path.relative_to(self.server.tree)}"

    def scratch(self, name: str = "scratch", **options: Any) -> dict[str, Any]:
        """The option scratch of a module."""
        folder = self.home / name
        return {
            "folder": str(folder),
            "seen_as": self.inside(folder),
            "run_in": ["chroot", str(self.server.tree)],
            "arguments": [*servers.SMALL, *servers.redo(self.server.version)],
            **options,
        }

    def base(self, identity: str = "20261124T000000Z", *, dump: bool = False) -> Path:
        """Take a base as the server's version can: by clone, or by a dump; by a dump if asked for."""
        folder = self.root / "base" / identity
        folder.mkdir()
        if self.server.has("clone_local") and not dump:
            gtids, stored, method = self._clone(folder), "data", "clone"
        else:
            gtids, stored, method = self._dump(folder), "dump.sql", "dump"
        files = [path for path in folder.rglob("*") if path.is_file()]
        now = datetime.now(UTC).isoformat()
        manifest = {
            "id": identity,
            "method": method,
            "server_version": str(self.server.sql("SELECT VERSION() AS v")[0]["v"]),
            "server_uuid": self.uuid,
            "gtid_executed": str(gtids),
            "started": now,
            "ended": now,
            "bytes": sum(path.stat().st_size for path in files),
            "stored": stored,
            "files": [
                {
                    "path": str(path.relative_to(folder)),
                    "size": path.stat().st_size,
                    "sha256": digest(path),
                }
                for path in files
            ],
            "tables": self._tables(),
            "verified": OK,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    @property
    def uuid(self) -> str:
        return str(self.server.sql("SELECT @@server_uuid AS u")[0]["u"])

    def _tables(self) -> list[dict[str, Any]]:
        found = self.server.sql(
            "SELECT table_schema AS s, table_name AS t FROM information_schema.tables WHERE"
            " table_type = 'BASE TABLE' AND table_schema NOT IN"
            " ('mysql', 'sys', 'performance_schema', 'information_schema')"
        )
        return [self._table(row["s"], row["t"]) for row in found]

    def _table(self, schema: str, table: str) -> dict[str, Any]:
        name = qualified(schema, table)
        return {
            "name": f"{schema}.{table}",
            "schema": schema,
            "table": table,
            "rows": self.server.sql(f"SELECT COUNT(*) AS n FROM {name}")[0]["n"],
            "checksum": self.server.sql(f"CHECKSUM TABLE {name}")[0]["checksum"],
        }

    def _clone(self, folder: Path) -> GtidSet:
        gtids = executed(self.server)
        into = self.server.folder / "cloned"
        if not self.server.sql(
            "SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'clone'"
        ):
            self.server.sql("SET SESSION sql_log_bin = OFF", replicas.CLONE_PLUGIN)
        self.server.sql(f"CLONE LOCAL DATA DIRECTORY = '{self.inside(into)}'")
        shutil.move(into, folder / "data")
        return gtids

    def _dump(self, folder: Path) -> GtidSet:
        text = self.server.client(
            "mysqldump", "--all-databases", "--single-transaction", "--routines", "--events",
            "--set-gtid-purged=ON",
        )  # fmt: skip
        (folder / "dump.sql").write_text(text)
        return executed(self.server)

    def fetch(self, *, seal: bool = True) -> list[Path]:
        """Copy the server's binary logs; all but the last one are complete after a FLUSH."""
        self.server.sql("FLUSH BINARY LOGS")
        below = f"binlog/{self.uuid}"
        folder = self.root / below
        folder.mkdir(parents=True, exist_ok=True)
        names = [str(row["log_name"]) for row in self.server.sql("SHOW BINARY LOGS")]
        paths = []
        for name in names:
            path = folder / name
            shutil.copyfile(self.server.folder / "data" / name, path)
            if seal and name != names[-1]:
                self._seal(path, below)
            paths.append(path)
        return paths

    def _seal(self, path: Path, below: str) -> None:
        with mapped(path) as data:
            log = scan(data, below, path.name)
            ends = [event.type for event in file_events(data, path.name, frozenset(ENDED))]
        sidecar = {
            "name": path.name,
            "server_uuid": log.server_uuid,
            "server_version": log.server_version,
            "stored": path.name,
            "previous_gtids": str(log.previous),
            "gtids": str(log.gtids),
            "transactions": log.transactions,
            "first_commit": log.first_commit,
            "last_commit": log.last_commit,
            "first_original_commit": log.first_original,
            "last_original_commit": log.last_original,
            "size": log.size,
            "sha256": digest(path),
            "stored_size": log.size,
            "stored_sha256": digest(path),
            "ended": ENDED[ends[-1]] if ends else "none",
        }
        path.with_name(path.name + ".json").write_text(json.dumps(sidecar))


def account(scratch: dict[str, Any]) -> dict[str, str]:
    """Return as whom modules log in to a scratch instance."""
    lines = (Path(scratch["folder"]) / "account.cnf").read_text().splitlines()
    return {"login_user": lines[1][5:], "login_password": lines[2][9:]}


# Seconds for a killed server to be gone.
ENDS_WITHIN = 60.0


def running_below(folder: str) -> list[int]:
    """Processes that were started for a scratch folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"mysqld") and any(folder.encode() in word for word in words):
                found.append(int(process.name))
    return found


def end_processes_of(folder: str) -> None:
    """End what a test left running in its scratch folder, and wait until the next mysqld may start there.

    One that has ended and was not waited for yet still counts for mysqld, by its process's number.
    """
    ended = running_below(folder)
    for pid in ended:
        os.kill(pid, 9)
    left = look_until(
        lambda: [pid for pid in ended if Path(f"/proc/{pid}").exists()],
        lambda still: not still,
        ENDS_WITHIN,
        0.02,
    )
    assert not left, f"mysqld of {folder} does not end: {left}"
