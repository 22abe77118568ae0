# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes wrong on the way of a recovery: a full disk at each stage, a second one, a base that rots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import (
    HandArchive,
    end_processes_of,
    executed,
    running_below,
)
from tests.integration.runner import COLLECTIONS, PACKAGE, codes, fail, run_module, succeed
from tests.integration.test_recovery import DEADLINE, stage

pytestmark = [pytest.mark.servers, pytest.mark.long]

MEGA = 1 << 20


@dataclass
class Case:
    archive: HandArchive
    good: str

    def arguments(self, action: str, scratch: dict[str, Any]) -> dict[str, Any]:
        return {
            "action": action,
            "archive": str(self.archive.root),
            "target": {"before": {"statement": "DROP", "table": "shop.carts"}},
            "scratch": scratch,
            "count_rows": False,
        }


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1, "--max-binlog-size=16M")
    archive = HandArchive(server)
    try:
        server.sql(
            "CREATE DATABASE shop", "CREATE TABLE shop.carts (id INT PRIMARY KEY, t LONGTEXT)"
        )
        archive.base()
        # More than a volume has left where it is filled on the way.
        server.sql(
            *(f"INSERT INTO shop.carts VALUES ({n}, REPEAT('x', 4000000))" for n in range(16))
        )
        good = str(executed(server))
        server.sql("DROP TABLE shop.carts")
        archive.fetch()
        server.stop()
        yield Case(archive, good)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


class Volume:
    """A file system below the server's tree, which can become as small as what it holds."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        folder.mkdir(parents=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True
        )
        folder.chmod(0o755)

    def fill(self) -> None:
        """Leave no room, at once: to write what is left takes longer than some stages do."""
        deadline = time.monotonic() + DEADLINE
        while not self._resized(self.held):
            # Somebody wrote in between.
            assert time.monotonic() < deadline

    def free(self) -> None:
        assert self._resized(self.size)

    @property
    def held(self) -> int:
        """Bytes that are taken."""
        found = os.statvfs(self.folder)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def _resized(self, size: int) -> bool:
        options = f"remount,size={max(size, 4096)}"
        command = ["mount", "-o", options, str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        self.folder.rmdir()


@contextmanager
def volume(
    case: Case, name: str, size: int = 900 * MEGA
) -> Iterator[tuple[Volume, dict[str, Any]]]:
    made = Volume(case.archive.home / f"volume-{name}", size)
    scratch = case.archive.scratch(f"volume-{name}/scratch")
    try:
        yield made, scratch
    finally:
        end_processes_of(scratch["seen_as"])
        made.remove()


def filled_when(apply: dict[str, Any], made: Volume, holds: Callable[[], bool]) -> dict[str, Any]:
    """Run the module, fill the volume as soon as something holds, and return what it says."""
    result: list[dict[str, Any]] = []
    running = threading.Thread(target=lambda: result.append(run_module("mysql_recovery", apply)))
    running.start()
    while running.is_alive() and not holds():
        time.sleep(0.001)
    made.fill()
    running.join()
    return result[0]


STAGES: dict[str, Callable[[Path], bool]] = {
    "while the base is copied": lambda folder: (folder / "data.partial").exists(),
    "while relay logs are laid out": lambda folder: (folder / "data" / "relay.000001").exists(),
    "before the server starts": lambda folder: stage(folder) == "applying",
    "while the applier works": lambda folder: (folder / "run" / "mysqld.sock").exists(),
}


@pytest.mark.parametrize("when", STAGES)
def test_a_full_disk_is_named_and_with_room_it_goes_on(case: Case, when: str) -> None:
    with volume(case, str(list(STAGES).index(when))) as (made, scratch):
        apply = case.arguments("apply", scratch)
        folder = Path(scratch["folder"])
        refused = filled_when(apply, made, lambda: STAGES[when](folder))
        assert refused.get("failed"), "there was room all the same"
        assert codes(refused) == ["recovery.no_room"], refused["msg"]
        assert "MB, needed: about" in refused["msg"]
        end_processes_of(scratch["seen_as"])
        made.free()
        done = succeed("mysql_recovery", apply)
        assert done["gtid_executed"] == case.good
        assert {table["table"]: table["rows"] for table in done["tables"]} == {"shop.carts": 16}


def test_too_little_room_is_known_before_anything_is_written(case: Case) -> None:
    with volume(case, "small", 64 * MEGA) as (_made, scratch):
        refused = fail("mysql_recovery", case.arguments("apply", scratch))
        assert codes(refused) == ["recovery.no_room"]
        assert [path.name for path in Path(scratch["folder"]).iterdir()] == ["lock"]


def begun(apply: dict[str, Any]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"{PACKAGE}.mysql_recovery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        cwd="/",
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": apply}).encode())
    process.stdin.close()
    return process


def ended(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    result: dict[str, Any] = json.loads(process.stdout.read())
    process.wait()
    return result


def test_two_recoveries_at_once(case: Case) -> None:
    """Into one folder the second is refused; into folders of their own both come to their end."""
    first, second = case.archive.scratch("first"), case.archive.scratch("second")
    one = begun(case.arguments("apply", first))
    lock = Path(first["folder"]) / "data.partial"
    deadline = time.monotonic() + DEADLINE
    while not lock.exists() and one.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    for action in ("apply", "abandon", "verify"):
        refused = fail("mysql_recovery", case.arguments(action, first))
        assert codes(refused) == ["recovery.busy"], action
    other = begun(case.arguments("apply", second))
    results = [ended(one), ended(other)]
    assert [result.get("gtid_executed") for result in results] == [case.good] * 2
    assert results[0]["tables"] == results[1]["tables"]
    for scratch in (first, second):
        succeed("mysql_recovery", case.arguments("abandon", scratch))
        assert not running_below(scratch["seen_as"])


def test_a_base_that_rots_is_refused_before_anything_is_written(case: Case) -> None:
    scratch = case.archive.scratch("rotten")
    base = next((case.archive.root / "base").iterdir())
    files = json.loads((base / "manifest.json").read_text())["files"]
    largest = base / max(files, key=lambda file: int(file["size"]))["path"]
    data = largest.read_bytes()
    for damaged in (data[:-1], data[:100] + bytes([data[100] ^ 1]) + data[101:]):
        largest.write_bytes(damaged)
        try:
            refused = fail("mysql_recovery", case.arguments("apply", scratch))
        finally:
            largest.write_bytes(data)
        assert codes(refused) == ["recovery.base_damaged"]
        assert largest.name in refused["msg"]
        assert [path.name for path in Path(scratch["folder"]).iterdir()] == ["lock"]
    shutil.rmtree(scratch["folder"])


def test_binary_logs_that_are_missing_or_damaged_in_the_middle(case: Case) -> None:
    scratch = case.archive.scratch("middle")
    logs = sorted(
        path for path in (case.archive.root / "binlog").glob("*/*.00*") if path.suffix != ".json"
    )
    middle = logs[len(logs) // 2]
    hidden = middle.rename(middle.with_name(".hidden"))
    try:
        gap = fail("mysql_recovery", case.arguments("apply", scratch))
    finally:
        hidden.rename(middle)
    assert codes(gap) == ["recovery.gap"]
    data = middle.read_bytes()
    middle.write_bytes(data[: len(data) // 2])
    try:
        short = fail("mysql_recovery", case.arguments("apply", scratch))
    finally:
        middle.write_bytes(data)
    assert codes(short) == ["recovery.binlog_damaged"]
    assert middle.name in short["msg"]
    assert [path.name for path in Path(scratch["folder"]).iterdir()] == ["lock"]
    shutil.rmtree(scratch["folder"])
