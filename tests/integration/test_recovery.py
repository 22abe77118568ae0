# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_recovery on real servers of both ends: exactly there, whatever ends it on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    connect_unix,
)

from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import (
    HandArchive,
    end_processes_of,
    executed,
    running_below,
)
from tests.integration.runner import COLLECTIONS, PACKAGE, codes, fail, run_module, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers
ROWS = 400
DEADLINE = 60.0
BEFORE_DROP = {"before": {"statement": "DROP", "table": "shop.carts"}}


@dataclass
class Case:
    """A server with a mistake in its history, its archive, and what was good."""

    server: Server
    archive: HandArchive
    good: str
    checksum: dict[str, Any]

    def arguments(self, action: str, target: dict[str, Any] | None = None, **more: Any) -> Any:
        given = {"archive": str(self.archive.root), "action": action, **more}
        return {**given, "target": target} if target else given


def history(server: Server, archive: HandArchive) -> Case:
    """A base, many small transactions, a server that was killed on the way, then the mistake."""
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.carts (id INT PRIMARY KEY, note TEXT)",
        "CREATE TABLE shop.owners (id INT PRIMARY KEY, name TEXT)",
        "INSERT INTO shop.carts VALUES (1, 'in the base')",
        # What is written to these is in the log, and not in the table, or not after a restart.
        "CREATE TABLE shop.sent (id INT PRIMARY KEY) ENGINE = BLACKHOLE",
        "CREATE TABLE shop.sessions (id INT PRIMARY KEY) ENGINE = MEMORY",
        "INSERT INTO shop.sessions VALUES (1)",
        "CREATE EVENT shop.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO shop.owners"
        " SELECT COUNT(*) + 1, 'tick' FROM shop.owners",
        "CREATE USER 'app'@'localhost' IDENTIFIED BY 'old'",
        "GRANT SELECT ON shop.* TO 'app'@'localhost'",
    )
    # As a base that was taken from a replica has it: 1776 where it is not taken away first.
    host, auto = server.calls("SOURCE_HOST"), server.calls("SOURCE_AUTO_POSITION")
    server.sql(f"{server.says('change_source')} {host} = 'gone', {auto} = 1")
    archive.base()
    server.sql(*(f"INSERT INTO shop.carts VALUES ({n}, REPEAT('x', 50))" for n in range(2, ROWS)))
    server.sql("INSERT INTO shop.sent VALUES (1), (2)", "INSERT INTO shop.sessions VALUES (2)")
    # A log that does not say that another follows: the next one's numbers begin anew. What was
    # committed has to be on the disk, else the killed server would lack what its log has.
    server.sql("FLUSH ENGINE LOGS")
    server.kill()
    server.start()
    server.sql(
        "INSERT INTO shop.owners VALUES (1, 'one'), (2, 'two')",
        "FLUSH BINARY LOGS",
        "UPDATE shop.carts SET note = 'paid' WHERE id <= 30",
        "DELETE FROM shop.carts WHERE id > 390",
        "ALTER USER 'app'@'localhost' IDENTIFIED BY 'changed on the way'",
    )
    good = str(executed(server))
    row = server.sql("CHECKSUM TABLE shop.carts")[0]
    known = {"table": "shop.carts", "rows": 390, "checksum": f"{int(row['checksum']):08x}"}
    server.sql(
        "DROP TABLE shop.carts",
        "CREATE TABLE shop.later (id INT PRIMARY KEY)",
        "INSERT INTO shop.later VALUES (1), (2), (3)",
    )
    archive.fetch()
    return Case(server, archive, good, known)


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    # The scratch instance has the server's own default, which is ON.
    server = shared_server_factory(version, 1, "--event-scheduler=OFF")
    archive = HandArchive(server)
    try:
        found = history(server, archive)
        # What recovers does not ask the server; memory is short.
        server.stop()
        yield found
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def rows_of(result: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {t["table"]: (t["rows_expected"], t["rows"]) for t in result["tables"]}


def test_it_comes_back_to_exactly_before_the_drop(case: Case) -> None:
    scratch = case.archive.scratch()
    apply = case.arguments("apply", BEFORE_DROP, scratch=scratch, expected=[case.checksum])
    predicted = succeed("mysql_recovery", apply, check=True)
    assert predicted["changed"]
    assert not Path(scratch["folder"], "recovery.json").exists(), "check mode wrote"

    done = succeed("mysql_recovery", apply)
    assert (done["plan"], done["steps"]) == (predicted["plan"], predicted["steps"])
    assert done["gtid_executed"] == done["plan"]["gtid_executed"] == case.good
    assert rows_of(done)["shop.carts"] == (390, 390)
    assert rows_of(done)["shop.owners"] == (2, 2), "an event wrote on the scratch instance"
    assert rows_of(done)["shop.sent"] == (None, 0)
    assert rows_of(done)["shop.sessions"][0] is None
    assert done["plan"]["lost"]["transactions"] == 3
    assert done["plan"]["first_left_out"]["statements"][0].startswith("DROP TABLE")

    for check in (True, False):
        again = succeed("mysql_recovery", apply, check=check)
        assert (again["changed"], again["steps"], again["stage"]) == (False, [], "verified")

    other = case.arguments("apply", {"latest": True}, scratch=scratch)
    assert codes(fail("mysql_recovery", other)) == ["recovery.scratch_taken"]

    # The table in memory is empty once mysqld was started again: nobody wrote to it.
    end_processes_of(scratch["seen_as"])
    succeed("mysql_recovery", case.arguments("recheck", scratch=scratch))

    released = succeed("mysql_recovery", case.arguments("release", scratch=scratch))
    assert released["changed"]
    assert not running_below(scratch["seen_as"])
    assert not succeed("mysql_recovery", case.arguments("release", scratch=scratch))["changed"]

    abandoned = succeed("mysql_recovery", case.arguments("abandon", scratch=scratch))
    assert abandoned["changed"]
    assert not Path(scratch["folder"]).exists()


def killed_when(
    arguments: dict[str, Any], holds: Callable[[], bool], module: str = "mysql_recovery"
) -> None:
    """Run the module, and kill it as soon as something holds."""
    with subprocess.Popen(
        [sys.executable, "-m", f"{PACKAGE}.{module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        cwd="/",
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        process.stdin.close()
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)


def stage(folder: Path) -> str:
    path = folder / "recovery.json"
    return str(json.loads(path.read_text())["stage"]) if path.exists() else ""


@pytest.mark.long
def test_killed_at_any_stage_it_goes_on(case: Case) -> None:
    scratch = case.archive.scratch("killed")
    folder = Path(scratch["folder"])
    apply = case.arguments("apply", BEFORE_DROP, scratch=scratch, expected=[case.checksum])

    killed_when(apply, (folder / "data.partial").exists)
    end_processes_of(scratch["seen_as"])
    # The relay logs are there, the server is not yet.
    killed_when(apply, lambda: stage(folder) == "applying")
    assert (folder / "data" / "relay.index").exists()
    # The applier is at work, or done: the module dies, its server lives on.
    killed_when(apply, (folder / "run" / "mysqld.sock").exists)
    # And the machine's way: module and server gone at once.
    killed_when(apply, lambda: len(running_below(scratch["seen_as"])) > 0)
    end_processes_of(scratch["seen_as"])

    done = succeed("mysql_recovery", apply)
    assert done["gtid_executed"] == case.good
    assert rows_of(done)["shop.carts"] == (390, 390)
    succeed("mysql_recovery", case.arguments("abandon", scratch=scratch))
    assert not running_below(scratch["seen_as"])


@pytest.mark.long
def test_all_there_is_of_an_archive_whose_last_file_is_cut_off(case: Case) -> None:
    last = sorted(
        path for path in (case.archive.root / "binlog").glob("*/*") if path.suffix != ".json"
    )
    tail = last[-2]
    whole, sidecar = tail.read_bytes(), tail.with_name(tail.name + ".json")
    moved = [path.rename(path.with_name(f".{path.name}")) for path in (last[-1], sidecar)]
    try:
        # In the middle of the INSERT: the last transaction was never all there.
        tail.write_bytes(whole[:-70])
        plan = succeed("mysql_recovery", case.arguments("plan", {"latest": True}))["plan"]
        scratch = case.archive.scratch("latest")
        done = succeed("mysql_recovery", case.arguments("apply", {"latest": True}, scratch=scratch))
        assert done["gtid_executed"] == plan["gtid_executed"] != case.good
        assert rows_of(done)["shop.later"] == (0, 0)
        succeed("mysql_recovery", case.arguments("abandon", scratch=scratch))
    finally:
        tail.write_bytes(whole)
        for path in moved:
            path.rename(path.with_name(path.name.removeprefix(".")))


def test_what_is_refused_leaves_nothing_behind(case: Case) -> None:
    scratch = case.archive.scratch("refused")
    folder = Path(scratch["folder"])
    files = sorted((case.archive.root / "binlog").glob("*/binlog.000002"))
    hidden = files[0].rename(files[0].with_suffix(".hidden"))
    try:
        gap = fail("mysql_recovery", case.arguments("apply", BEFORE_DROP, scratch=scratch))
    finally:
        hidden.rename(files[0])
    assert codes(gap) == ["recovery.gap"]
    assert "no binary log of the archive brings" in gap["msg"]

    # Events with the applier's own id would be passed over without a word.
    own = {**scratch, "server_id": 1}
    used = fail("mysql_recovery", case.arguments("apply", BEFORE_DROP, scratch=own))
    assert codes(used) == ["recovery.server_id_used"]
    assert [path.name for path in folder.iterdir()] == ["lock"]

    (folder / "somebody's").touch()
    taken = fail("mysql_recovery", case.arguments("apply", BEFORE_DROP, scratch=scratch))
    assert codes(taken) == ["recovery.scratch_not_empty"]
    abandon = case.arguments("abandon", scratch=scratch)
    assert codes(fail("mysql_recovery", abandon)) == ["recovery.scratch_not_empty"]
    assert (folder / "somebody's").exists()
    shutil.rmtree(folder)


def test_a_point_is_found_in_the_archive_as_on_the_server(case: Case) -> None:
    case.server.start()
    try:
        from_server = succeed(
            "binlog_point", {**case.server.login, "action": "find", **BEFORE_DROP}
        )
        browsed = succeed("binlog_point", {**case.server.login, "action": "browse", "count": 4})
    finally:
        case.server.stop()
    archive = {"archive": str(case.archive.root)}
    from_archive = succeed("binlog_point", {**archive, "action": "find", **BEFORE_DROP})
    for key in ("point", "transaction", "previous"):
        assert from_archive[key] == from_server[key]
    again = succeed("binlog_point", {**archive, "action": "browse", "count": 4})
    assert again["transactions"] == browsed["transactions"]
    assert [one["rows"]["inserted"] for one in again["transactions"]][-1] == 3
    third = succeed("binlog_point", {**archive, "action": "find", "offset": -3})
    assert third["transaction"] == from_server["transaction"]
    deleted = {"before": {"rows_deleted_over": 8}}
    found = succeed("binlog_point", {**archive, "action": "find", **deleted})
    assert found["transaction"]["rows"]["deleted"] == 9
    refused = fail("binlog_point", {**archive, "action": "note", "name": "a"})
    assert "archive" in refused["msg"]


def test_a_base_of_another_series_is_refused(case: Case) -> None:
    if not case.server.has("clone_local"):
        pytest.skip("a dump is loaded by later versions too")
    manifest = next((case.archive.root / "base").glob("*/manifest.json"))
    text = manifest.read_text()
    version = json.loads(text)["server_version"]
    manifest.write_text(text.replace(version, "8.4.9"))
    scratch = case.archive.scratch("version")
    try:
        other = run_module("mysql_recovery", case.arguments("apply", BEFORE_DROP, scratch=scratch))
    finally:
        manifest.write_text(text)
    assert codes(other) == ["recovery.version_differs"]
    assert not Path(scratch["folder"], "data").exists()
    shutil.rmtree(scratch["folder"])


@pytest.mark.long
def test_a_released_instance_is_anybodys(case: Case) -> None:
    """It starts as any server does, has the password of the point, and no account of ours."""
    scratch = case.archive.scratch("released")
    apply = case.arguments("apply", BEFORE_DROP, scratch=scratch, count_rows=False)
    succeed("mysql_recovery", apply)
    succeed("mysql_recovery", case.arguments("release", scratch=scratch))
    server = case.server
    kept = server.folder / "kept"
    (server.folder / "data").rename(kept)
    shutil.move(Path(scratch["folder"]) / "data", server.folder / "data")
    try:
        server.start()
        assert str(executed(server)) == case.good
        ours = server.sql("SELECT user FROM mysql.user WHERE user LIKE 'mysql_on%'")
        assert ours == []
        changed = {"user": "app", "password": "changed on the way"}
        with connect_unix(str(server.socket), **changed) as connection:
            assert connection.value("SELECT COUNT(*) FROM shop.carts") == 390
        server.sql("INSERT INTO shop.carts VALUES (1000, 'life goes on')")
    finally:
        server.kill()
        shutil.rmtree(server.folder / "data")
        kept.rename(server.folder / "data")
        shutil.rmtree(scratch["folder"])
