# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recoveries that go wrong on their scratch instance: named, mended as the finding says, then exactly there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    connect_unix,
)

from tests.faults import fixes
from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, account, end_processes_of
from tests.integration.runner import fail, succeed
from tests.integration.servers import Server

pytestmark = [pytest.mark.servers, pytest.mark.long]

OLD, NEW = "20261124T000000Z", "20261124T010000Z"
ELSEWHERE = "00000000-0000-4000-8000-000000000000:1"
Arguments = dict[str, Any]


@dataclass
class Case:
    """An archive with two bases, and an instance of the source that was written to beside its log."""

    archive: HandArchive
    uuid: str

    def arguments(self, action: str, name: str, **more: Any) -> Arguments:
        """Of a recovery into a folder of that name, to before what was written beside the log."""
        scratch = self.archive.scratch(name)
        given: Arguments = {"archive": str(self.archive.root), "scratch": scratch}
        if action != "abandon":
            given["target"] = {"before_gtid": f"{self.uuid}:8"}
        return {**given, "action": action, **more}

    def apply(self, name: str, **more: Any) -> dict[str, Any]:
        return succeed("mysql_recovery", self.arguments("apply", name, **more))

    def again(self, name: str, **more: Any) -> dict[str, Any]:
        """Abandon, and apply again."""
        succeed("mysql_recovery", self.arguments("abandon", name))
        return self.apply(name, **more)

    def write(self, name: str, done: dict[str, Any], *statements: str) -> None:
        """Write to a scratch instance, in one session, as whoever finds its account can."""
        login = account(self.archive.scratch(name))
        given = {"user": login["login_user"], "password": login["login_password"]}
        with connect_unix(done["socket"], **given) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    """Transactions 1 to 3 in both bases, 4 to 6 a row each, 7 another engine, 8 builds on an unlogged row."""
    server = shared_server_factory(version, 1)
    made = HandArchive(server)
    try:
        server.sql(
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)",
            "INSERT INTO shop.t VALUES (1, 0)",
        )
        for identity in (OLD, NEW):
            made.base(identity)
        server.sql(*(f"INSERT INTO shop.t VALUES ({number}, 0)" for number in (2, 3, 4)))
        server.sql("CREATE TABLE shop.old (id INT PRIMARY KEY) ENGINE = MyISAM")
        server.sql("SET SESSION sql_log_bin = OFF", "INSERT INTO shop.t VALUES (99, 0)")
        server.sql("UPDATE shop.t SET n = 1 WHERE id = 99")
        made.fetch()
        yield Case(made, made.uuid)
    finally:
        end_processes_of(made.inside(made.home))
        made.remove()


def refused(code: str, arguments: Arguments) -> fixes.Finding:
    return fixes.the(fail("mysql_recovery", arguments), code)


def assert_there(case: Case, done: dict[str, Any]) -> None:
    assert done["gtid_executed"] == f"{case.uuid}:1-7"
    assert {table["table"]: table["rows"] for table in done["tables"]}["shop.t"] == 4


def test_the_scratch_server_has_not_the_sources_settings(case: Case) -> None:
    scratch = case.archive.scratch("settings")
    other = [*scratch["arguments"], "--disabled-storage-engines=MyISAM"]
    asked = case.arguments("apply", "settings", scratch={**scratch, "arguments": other})
    finding = refused("recovery.apply_failed", asked)
    assert f"{case.uuid}:7" in finding["proof"][0]
    assert "Storage engine MyISAM is disabled" in finding["proof"][0]
    assert "scratch.arguments" in finding["fix"]
    assert_there(case, case.again("settings"))


def test_something_was_written_without_the_binary_log(case: Case) -> None:
    finding = refused(
        "recovery.rows_unlogged", case.arguments("apply", "unlogged", target={"latest": True})
    )
    assert "Can't find record in 't'" in finding["proof"][0]
    before = re.search(r"before_gtid: ([0-9a-f-]+:\d+)", finding["fix"])
    assert before
    assert_there(case, case.again("unlogged", target={"before_gtid": before[1]}))


def test_the_scratch_server_does_not_start(case: Case) -> None:
    scratch = case.archive.scratch("start")
    misspelt = [*scratch["arguments"], "--innodb-bufer-pool-size=64M"]
    asked = case.arguments("apply", "start", scratch={**scratch, "arguments": misspelt})
    finding = refused("recovery.scratch_not_started", asked)
    assert any("innodb-bufer-pool-size" in line for line in finding["proof"])
    assert finding["fix"].endswith("run it again: it goes on where it was")
    assert_there(case, case.apply("start"))


def test_a_base_is_not_what_its_manifest_says(case: Case) -> None:
    path = case.archive.root / "base" / NEW / "manifest.json"
    before = path.read_text()
    manifest = json.loads(before)
    for table in manifest["tables"]:
        table["rows"] += 1
    path.write_text(json.dumps(manifest))
    try:
        finding = refused("recovery.rows_differ", case.arguments("apply", "base", base=NEW))
        assert "shop.t: expected 5 rows" in finding["proof"][0]
        assert finding["fix"].endswith("recover from another base")
        assert_there(case, case.again("base", base=OLD))
    finally:
        path.write_text(before)


CHANGES = {
    "recovery.not_there": (f"SET SESSION gtid_next = '{ELSEWHERE}'", "BEGIN", "COMMIT"),
    # As many rows as before.
    "recovery.changed_since": ("UPDATE shop.t SET n = 7 WHERE id = 1", "COMMIT"),
}


@pytest.mark.parametrize("code", CHANGES)
def test_somebody_writes_to_what_was_verified(case: Case, code: str) -> None:
    done = case.apply(code)
    assert_there(case, done)
    case.write(code, done, "SET GLOBAL super_read_only = OFF", *CHANGES[code])
    for action in ("verify", "recheck", "verify"):
        finding = refused(code, case.arguments(action, code))
        assert finding["fix"].startswith("Abandon it and")
    assert_there(case, case.again(code))
    succeed("mysql_recovery", case.arguments("verify", code))
    succeed("mysql_recovery", case.arguments("recheck", code))


def make_anonymous(server: Server, on: bool) -> None:
    """Let a running server give no GTIDs, or give them again; one step at a time."""
    steps = ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"]
    for mode in steps if on else ["ON_PERMISSIVE", "OFF_PERMISSIVE"]:
        server.sql(f"SET GLOBAL gtid_mode = {mode}")


def test_transactions_on_the_way_have_no_gtids(server_factory: ServerFactory, version: str) -> None:
    server = server_factory(version, 1)
    archive = HandArchive(server)
    try:
        server.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
        archive.base(OLD)
        make_anonymous(server, on=False)
        server.sql("INSERT INTO shop.t VALUES (1)")
        archive.fetch()
        asked = {"action": "plan", "archive": str(archive.root), "target": {"latest": True}}
        finding = refused("recovery.no_gtids", asked)
        assert "has no GTID" in finding["proof"][0]
        assert finding["fix"].startswith("Turn gtid_mode ON on the source and make a new base")
        make_anonymous(server, on=True)
        archive.base(NEW)
        server.sql("INSERT INTO shop.t VALUES (2)")
        archive.fetch()
        plan = succeed("mysql_recovery", asked)["plan"]
        assert (plan["base"]["id"], plan["transactions"]) == (NEW, 1)
        # They are on the way still for who begins with the base before them.
        refused("recovery.no_gtids", {**asked, "base": OLD})
    finally:
        archive.remove()
