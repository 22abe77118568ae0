# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recoveries of tables whose rows are not their own or do not outlive a server, and of views with programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, end_processes_of
from tests.integration.runner import codes, fail, succeed

pytestmark = pytest.mark.servers

LONG = "한" * 22
CLONED, DUMPED = "20261124T000000Z", "20261124T010000Z"


@dataclass
class Case:
    """An archive with a base by clone (by dump before 8.0.17), and one by dump of the same moment."""

    archive: HandArchive
    before_long: str

    def arguments(self, name: str, target: dict[str, Any], **more: Any) -> dict[str, Any]:
        scratch = self.archive.scratch(name)
        given = {"action": "apply", "archive": str(self.archive.root), "scratch": scratch}
        return {**given, "target": target, **more}


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1, "--log-bin-trust-function-creators=ON")
    made = HandArchive(server)
    rows = "SET SESSION binlog_format = 'ROW'"
    try:
        server.sql(
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY)",
            "CREATE TABLE shop.sessions (id INT PRIMARY KEY, n INT) ENGINE = MEMORY",
            "INSERT INTO shop.sessions VALUES (1, 1), (2, 2), (3, 3)",
            "CREATE TABLE shop.alone (id INT NOT NULL, KEY (id)) ENGINE = InnoDB",
            "CREATE FUNCTION shop.f() RETURNS INT DETERMINISTIC RETURN 1",
            "CREATE ALGORITHM = TEMPTABLE VIEW shop.v AS SELECT id, shop.f() AS f FROM shop.t",
            "CREATE ALGORITHM = TEMPTABLE DEFINER = gone@localhost SQL SECURITY INVOKER VIEW shop.w"
            " AS SELECT id, shop.f() AS f FROM shop.t",
            "CREATE EVENT shop.e ON SCHEDULE AT '2037-01-01' DO DELETE FROM shop.t",
        )
        made.base(CLONED)
        made.base(DUMPED, dump=True)
        # No clone has the files of these.
        server.sql(
            "CREATE TABLE shop.under (id INT NOT NULL, KEY (id)) ENGINE = MyISAM",
            "CREATE TABLE shop.merged (id INT NOT NULL, KEY (id)) ENGINE = MRG_MyISAM"
            " UNION = (shop.under) INSERT_METHOD = LAST",
        )
        server.sql(
            rows,
            "UPDATE shop.sessions SET n = 9 WHERE id = 2",
            "INSERT INTO shop.t VALUES (1)",
            "DELETE FROM shop.sessions WHERE id = 1",
            "INSERT INTO shop.sessions VALUES (4, 4)",
            "INSERT INTO shop.merged VALUES (1), (2)",
            "INSERT INTO shop.alone VALUES (1)",
        )
        found = server.sql("SELECT REPLACE(@@GLOBAL.gtid_executed, CHAR(10), '') AS g")
        server.sql(rows, f"CREATE TABLE shop.{LONG} (id INT PRIMARY KEY)")
        server.sql(rows, f"INSERT INTO shop.{LONG} VALUES (1)")
        made.fetch()
        server.stop()
        yield Case(made, str(found[0]["g"]))
    finally:
        end_processes_of(made.inside(made.home))
        made.remove()


@pytest.mark.parametrize("base", [CLONED, DUMPED])
def test_what_is_not_there_to_be_changed_stops_nothing(case: Case, base: str) -> None:
    target = {"gtid_executed": case.before_long}
    done = succeed("mysql_recovery", case.arguments(f"all-{base}", target, base=base))
    assert done["gtid_executed"] == case.before_long
    compared = {each["table"]: each["rows"] for each in done["tables"] if each["compared_by"]}
    assert compared == {"shop.t": 1, "shop.alone": 1}
    left = {each["table"]: each["reason"] for each in done["not_compared"]}
    assert "MEMORY" in left["shop.sessions"]
    assert "MERGE" in left["shop.under"]
    assert "MRG_MYISAM" in left["shop.merged"]


def test_a_name_that_an_old_version_cannot_read_is_named(case: Case, version: str) -> None:
    arguments = case.arguments("long", {"latest": True})
    if version == "8.0.15":
        failure = fail("mysql_recovery", arguments)
        assert codes(failure) == ["recovery.name_unreadable"]
        assert f"shop.{LONG} has a name of 66 bytes" in failure["findings"][0]["proof"][0]
        assert "8.0.15" in failure["msg"]
    else:
        done = succeed("mysql_recovery", arguments)
        assert {t["table"]: t["rows"] for t in done["tables"]}[f"shop.{LONG}"] == 1
