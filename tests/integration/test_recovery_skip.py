# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One bad transaction left out and all after it kept, on real servers; or refused with who builds on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, account, end_processes_of, executed
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = [pytest.mark.servers, pytest.mark.long]
TABLES = ("carts", "owners", "notes")


@dataclass
class Case:
    """bad: GTIDs by what they did. depends: who builds on which."""

    archive: HandArchive
    bad: dict[str, str]
    depends: dict[str, str]
    latest: str

    def arguments(self, action: str, skip: list[str], **more: Any) -> dict[str, Any]:
        return {
            "action": action,
            "archive": str(self.archive.root),
            "target": {"latest": True},
            "skip": skip,
            **more,
        }


class Story:
    """Transactions one by one, each with its GTID."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def tell(self, statement: str) -> str:
        before = executed(self.server)
        self.server.sql(statement)
        return str(executed(self.server) - before)


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1)
    archive = HandArchive(server)
    try:
        server.sql(
            "CREATE DATABASE shop",
            "CREATE TABLE shop.owners (id INT PRIMARY KEY, name VARCHAR(20))",
            "CREATE TABLE shop.carts (id INT PRIMARY KEY, owner INT, price INT, note TEXT,"
            " FOREIGN KEY (owner) REFERENCES shop.owners (id))",
            "CREATE TABLE shop.notes (id INT PRIMARY KEY, t TEXT)",
            "INSERT INTO shop.owners VALUES (1, 'ann'), (2, 'bob')",
            "INSERT INTO shop.carts SELECT n, 1, 10, 'x' FROM (WITH RECURSIVE s (n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200) SELECT n FROM s) AS s",
        )
        archive.base()
        story = Story(server)
        bad, depends = {}, {}
        bad["deletes"] = story.tell("DELETE FROM shop.carts WHERE id BETWEEN 50 AND 59")
        bad["updates"] = story.tell("UPDATE shop.carts SET price = 0 WHERE id BETWEEN 70 AND 79")
        bad["drops"] = story.tell("DROP TABLE shop.notes")
        server.sql("UPDATE shop.carts SET note = 'later' WHERE id < 50", "FLUSH BINARY LOGS")
        bad["deletes and is built on"] = story.tell("DELETE FROM shop.carts WHERE id = 150")
        depends["deletes and is built on"] = story.tell(
            "INSERT INTO shop.carts VALUES (150, 2, 99, 'another one')"
        )
        bad["updates and is built on"] = story.tell(
            "UPDATE shop.carts SET price = 0 WHERE id = 160"
        )
        server.sql("INSERT INTO shop.owners VALUES (10, 'nobody cares')")
        # The applier would find the row, and write price = 0 with it.
        depends["updates and is built on"] = story.tell(
            "UPDATE shop.carts SET note = 'only the note' WHERE id = 160"
        )
        bad["inserts and is built on"] = story.tell("INSERT INTO shop.owners VALUES (3, 'cy')")
        depends["inserts and is built on"] = story.tell(
            "INSERT INTO shop.carts VALUES (300, 3, 1, 'a child')"
        )
        server.sql(*(f"INSERT INTO shop.owners VALUES ({n}, 'later')" for n in range(20, 60)))
        latest = str(executed(server))
        archive.fetch()
        server.stop()
        yield Case(archive, bad, depends, latest)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def test_it_alone_is_missing_afterwards(case: Case) -> None:
    skip = [case.bad[name] for name in ("deletes", "updates", "drops")]
    scratch = case.archive.scratch("without")
    apply = case.arguments("apply", skip, scratch=scratch)
    planned = succeed("mysql_recovery", apply, check=True)["plan"]
    assert [one["gtid"] for one in planned["skipped"]] == sorted(
        skip, key=lambda gtid: int(gtid.rpartition(":")[2])
    )
    assert planned["skipped"][0]["rows"]["deleted"] == 10
    done = succeed("mysql_recovery", apply)
    assert done["gtid_executed"] == planned["gtid_executed"] != case.latest
    socket = done["socket"]
    login = {"login_unix_socket": socket, **account(scratch)}
    rows = {table["table"]: table["rows"] for table in done["tables"]}
    # 200 before, the ten are back, two came later and one of those took a place.
    assert rows == {"shop.carts": 201, "shop.owners": 44, "shop.notes": 0}
    # The same set, with or without what is left out, leads to the same place.
    target = {"gtid_executed": done["gtid_executed"]}
    again = succeed("mysql_recovery", {**apply, "target": target})
    assert not again["changed"]
    assert login
    succeed("mysql_recovery", case.arguments("abandon", skip, scratch=scratch))


def test_a_row_that_would_come_back_with_a_later_change_is_found_in_the_logs(case: Case) -> None:
    scratch = case.archive.scratch("row")
    skip = [case.bad["updates and is built on"]]
    refused = fail("mysql_recovery", case.arguments("apply", skip, scratch=scratch))
    assert codes(refused) == ["recovery.skip_depends"]
    assert case.depends["updates and is built on"] in refused["findings"][0]["summary"]
    assert [path.name for path in Path(scratch["folder"]).iterdir()] == ["lock"]
    shutil.rmtree(scratch["folder"])
    # Both together may go.
    both = [*skip, case.depends["updates and is built on"]]
    assert succeed("mysql_recovery", case.arguments("plan", both))["plan"]["skipped"]


@pytest.mark.parametrize("what", ["deletes and is built on", "inserts and is built on"])
def test_a_conflict_on_the_scratch_instance_names_the_first_that_builds_on_it(
    case: Case, what: str
) -> None:
    scratch = case.archive.scratch(what.split()[0])
    arguments = case.arguments("apply", [case.bad[what]], scratch=scratch)
    refused = fail("mysql_recovery", arguments)
    assert codes(refused) == ["recovery.skip_depends"]
    assert case.depends[what] in refused["findings"][0]["summary"]
    assert case.bad[what] in refused["findings"][0]["summary"]
    # It is not verified, so nobody can take it for a recovery.
    unfinished = fail("mysql_recovery", {**arguments, "action": "release"})
    assert codes(unfinished) == ["recovery.unfinished"]
    succeed("mysql_recovery", case.arguments("abandon", [], scratch=scratch))
