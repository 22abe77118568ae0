# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Archives that rounds recover from: with a base by hand in 0.5 s, or one of base.sh in 10."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.differential import oracle
from tests.differential.play import SYSTEM, connect, dumped
from tests.integration import servers
from tests.integration.archive import LocalArchive, make_account
from tests.integration.recovery_archive import OK, HandArchive, digest, executed, running_below
from tests.integration.servers import Server

BASE_DUMP = (
    "--single-transaction", "--source-data=2", "--set-gtid-purged=ON", "--all-databases",
    "--routines", "--events", "--triggers", "--hex-blob",
)  # fmt: skip


_numbers = itertools.count(1)


def end(folder: str) -> None:
    """End the servers of a scratch folder; nobody starts one there again."""
    for pid in running_below(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)


class QuickArchive(HandArchive):
    """An archive whose base is taken as base.sh takes it, without the starts that prove it."""

    def __init__(self, server: Server) -> None:
        """Make the archive in a folder that no earlier one had: what ended there may still be going."""
        self.server = server
        self.home = server.tree / servers.FOLDERS / f"{server.folder.name}-a{next(_numbers)}"
        self.root = self.home / "archive"
        (self.root / "base").mkdir(parents=True)
        self.home.chmod(0o755)
        (self.root / "archive.json").write_text('{"format": 1, "cluster": "tests"}')

    def remove(self) -> None:
        end(self.inside(self.home))
        # mysqld may write a last file while it ends.
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def take(self, method: str) -> None:
        identity = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = self.root / "base" / identity
        folder.mkdir()
        before = executed(self.server)
        if method == "clone":
            self._clone(folder)
        else:
            (folder / "dump.sql").write_bytes(dumped(self.server, *BASE_DUMP))
        files = [path for path in folder.rglob("*") if path.is_file()]
        now = datetime.now(UTC).isoformat()
        manifest = {
            "id": identity,
            "method": method,
            "server_version": str(self.server.sql("SELECT VERSION() AS v")[0]["v"]),
            "server_uuid": self.uuid,
            "gtid_executed": str(before),
            "started": now,
            "ended": now,
            "bytes": sum(path.stat().st_size for path in files),
            "stored": "data" if method == "clone" else "dump.sql",
            "files": [
                {
                    "path": str(path.relative_to(folder)),
                    "size": path.stat().st_size,
                    "sha256": digest(path),
                }
                for path in files
            ],
            "tables": self.tables(),
            "verified": OK,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))

    def fetch(self, *, seal: bool = True) -> list[Path]:
        """Copy the logs and say, as the archiver does, until when all is here."""
        paths = super().fetch(seal=seal)
        # The next whole second: nobody writes to the donor any more.
        status = {"format": 1, "server_uuid": self.uuid, "caught_up_at": int(time.time()) + 1}
        (self.root / "status.json").write_text(json.dumps(status))
        return paths

    def tables(self) -> list[dict[str, Any]]:
        with contextlib.closing(connect(self.server)) as session, session.cursor() as cursor:
            cursor.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
                " WHERE table_type = 'BASE TABLE'"
            )
            found = [row for row in cursor.fetchall() if row[0] not in SYSTEM]
            counted = []
            for schema, name in found:
                place = ".".join("`" + part.replace("`", "``") + "`" for part in (schema, name))
                cursor.execute(f"SELECT COUNT(*) FROM {place}")
                counted.append({"name": f"{schema}.{name}", "rows": cursor.fetchone()[0]})
            return counted


class ScriptArchive(LocalArchive):
    """An archive whose base is made by the role's own script, as in a Pod: no locale is set."""

    def begin(self) -> None:
        make_account(self.source)
        # Written by the archiver, which does not run here.
        (self.root / "archive.json").write_text('{"format": 1, "cluster": "tests"}')

    def take(self, method: str) -> None:
        self.run("base.sh", METHOD=method)


def scratch_address(folder: str) -> oracle.Address:
    """How the oracle reaches a scratch instance."""
    words = dict(
        line.split("=", 1)
        for line in (Path(folder) / "account.cnf").read_text().splitlines()
        if "=" in line
    )
    found = next(Path(folder).rglob("*.sock"))
    return oracle.Address("localhost", 3306, words["user"], words["password"], str(found))
