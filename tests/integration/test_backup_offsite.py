# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive in a store that speaks S3: a real server of the protocol, written to by rclone.

The server is versitygw, built once from its Go module into the cache; rclone is Debian's.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import archive as answers
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import Store

from tests.integration import servers
from tests.integration.archive import SCRIPTS, LocalArchive, executed
from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.test_backup import order, rotate, sealed, shop

MODULE = "github.com/versity/versitygw/cmd/versitygw"
RELEASE = "v1.8.0"
KEYS = {"access": "the-access-key", "secret": "the-secret-key"}
DEADLINE = 60

pytestmark = [
    pytest.mark.servers,
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("rclone"), reason="rclone is not installed"),
]


def program() -> Path:
    """The server's program, built by who comes first."""
    folder = servers.cache() / "bin" / f"versitygw-{RELEASE}"
    if not (folder / "versitygw").exists():
        if not shutil.which("go"):
            pytest.skip("neither the S3 server nor Go to build it is there")
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        command = ["go", "install", f"{MODULE}@{RELEASE}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "versitygw"


@dataclass
class Bucket:
    """A bucket on a server of its own."""

    folder: Path
    port: int = field(default_factory=servers.free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [str(program()), "--port", f"127.0.0.1:{self.port}", "posix", str(self.folder)],
            env={
                **os.environ,
                "ROOT_ACCESS_KEY": KEYS["access"],
                "ROOT_SECRET_KEY": KEYS["secret"],
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, "the S3 server ended"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                # Asked for, as a user makes it: a folder of that name has no owner.
                made = self.run("rclone", "mkdir", "offsite:backups")
                assert made.returncode == 0, made.stderr
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    @property
    def remote(self) -> dict[str, str]:
        """How rclone reaches it, as the role's Secret says it."""
        prefix = "RCLONE_CONFIG_OFFSITE"
        return {
            f"{prefix}_TYPE": "s3",
            f"{prefix}_PROVIDER": "Other",
            f"{prefix}_ENDPOINT": f"http://127.0.0.1:{self.port}",
            f"{prefix}_REGION": "us-east-1",
            f"{prefix}_ACCESS_KEY_ID": KEYS["access"],
            f"{prefix}_SECRET_ACCESS_KEY": KEYS["secret"],
            "RCLONE_CONFIG": "/dev/null",
            # A server that is away is told at once.
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "2",
        }

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        # What this machine says of another store is not said of this one.
        mine = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        environment = {**mine, **self.remote, **more}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def round(self, archive: LocalArchive) -> subprocess.CompletedProcess[str]:
        return self.run(
            *("sh", str(SCRIPTS / "offsite.sh")),
            ARCHIVE=str(archive.root),
            OFFSITE="offsite:backups/orders",
            EVERY_SECONDS="0",
            WORK=str(self.folder.parent / "work"),
        )

    def names(self) -> set[str]:
        done = self.run("rclone", "lsf", "--recursive", "--files-only", "offsite:backups/orders")
        assert done.returncode == 0, done.stderr
        return set(done.stdout.splitlines())

    def fetch(self, into: Path) -> Path:
        done = self.run("rclone", "copy", "offsite:backups/orders", str(into))
        assert done.returncode == 0, done.stderr
        return into


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    made = Bucket(tmp_path / "s3")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def backup(server_factory: ServerFactory) -> Iterator[LocalArchive]:
    source = server_factory(servers.NEWEST, 1)
    shop(source)
    succeed("mysql_plugin", {**source.login, "name": "clone", "library": "mysql_clone.so"})
    made = LocalArchive(source, {"COMPRESSION": "zstd"})
    yield made
    made.remove()


def plan(root: Path) -> dict[str, Any]:
    found = succeed("mysql_recovery", {"archive": str(root), "target": {"latest": True}})
    planned: dict[str, Any] = found["plan"]
    return planned


def test_what_is_there_is_an_archive_that_can_be_recovered_from(
    backup: LocalArchive, bucket: Bucket, tmp_path: Path
) -> None:
    source = backup.source
    backup.start()
    backup.wait_for(source)
    backup.run("base.sh")
    rotate(source)
    order(source, 3)
    backup.wait(sealed(1), "a sealed file")
    backup.wait_for(source)
    done = bucket.round(backup)
    assert done.returncode == 0, done.stderr
    assert KEYS["secret"] not in done.stderr
    # Node and volume are lost together: what was copied is enough.
    fetched = bucket.fetch(tmp_path / "fetched")
    assert Store(fetched).archive.logged == executed(source)
    assert plan(fetched)["gtid_executed"] == str(executed(source))
    # What grows comes along in the next round, and a log that was packed meanwhile is there once.
    rotate(source)
    backup.wait(sealed(2), "another sealed file")
    backup.wait_for(source)
    assert bucket.round(backup).returncode == 0
    again = bucket.fetch(tmp_path / "again")
    assert plan(again)["gtid_executed"] == str(executed(source))
    stored = [name for name in bucket.names() if "binlog.000001" in name]
    assert len(stored) == 2, stored


def test_what_retention_removes_goes_there_too_and_nothing_else_does(
    backup: LocalArchive, bucket: Bucket, tmp_path: Path
) -> None:
    source = backup.source
    backup.start()
    backup.wait_for(source)
    old = backup.run("base.sh").strip()
    rotate(source)
    backup.wait(sealed(1), "a sealed file")
    assert bucket.round(backup).returncode == 0
    new = backup.run("base.sh").strip()
    rotate(source)
    backup.wait(sealed(2), "another sealed file")
    backup.run("prune.sh", KEEP_COUNT="1", KEEP_DAYS="0")
    assert bucket.round(backup).returncode == 0
    bases = {name.split("/")[1] for name in bucket.names() if name.startswith("base/")}
    assert bases == {new} != {old}
    there = {entry.path for entry in backup.listing().files if entry.path.startswith("binlog/")}
    assert {name for name in bucket.names() if name.startswith("binlog/")} == there
    # A volume that was lost and made anew takes nothing away from the other place.
    before = bucket.names()
    backup.stop()
    kept = Path(shutil.move(backup.root, tmp_path / "kept"))
    backup.root.mkdir()
    done = bucket.round(backup)
    assert done.returncode
    assert "no archive in" in done.stderr
    assert bucket.names() == before
    shutil.copyfile(kept / "archive.json", backup.root / "archive.json")
    (backup.root / "base").mkdir()
    assert bucket.round(backup).returncode == 0
    assert bucket.names() >= before
    assert not answers.gaps(Store(bucket.fetch(tmp_path / "left")).archive)


def test_a_store_that_is_away_is_told_and_made_up_for(
    backup: LocalArchive, bucket: Bucket, tmp_path: Path
) -> None:
    source = backup.source
    backup.start()
    backup.wait_for(source)
    backup.run("base.sh")
    order(source, 1)
    backup.wait_for(source)
    assert bucket.round(backup).returncode == 0
    bucket.stop()
    order(source, 2)
    rotate(source)
    backup.wait(sealed(1), "a sealed file")
    backup.wait_for(source)
    done = bucket.round(backup)
    assert done.returncode
    assert '"result": "failed"' in (backup.root / "offsite.json").read_text()
    bucket.start()
    # What was left there before is whole, and behind.
    behind = bucket.fetch(tmp_path / "behind")
    later = {"archive": str(behind), "target": {"gtid_executed": str(executed(source))}}
    assert codes(fail("mysql_recovery", later)) == ["recovery.other_history"]
    assert bucket.round(backup).returncode == 0
    assert plan(bucket.fetch(tmp_path / "level"))["gtid_executed"] == str(executed(source))
