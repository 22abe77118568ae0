# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Points that an archive does not lead to: named by the plan, then reached as the finding says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive
from tests.integration.runner import fail, succeed

pytestmark = [pytest.mark.servers, pytest.mark.long]

OLD, NEW = "20261124T000000Z", "20261124T010000Z"


@pytest.fixture(scope="module")
def archive(shared_server_factory: ServerFactory, version: str) -> Iterator[HandArchive]:
    """Transactions 1 and 2 in both bases, 3 to 5 each a row, 6 a statement that was logged as such."""
    server = shared_server_factory(version, 1)
    made = HandArchive(server)
    try:
        server.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)")
        for identity in (OLD, NEW):
            made.base(identity)
        server.sql(*(f"INSERT INTO shop.t VALUES ({number}, 0)" for number in (1, 2, 3)))
        server.sql("SET SESSION binlog_format = STATEMENT", "UPDATE shop.t SET n = 1")
        made.fetch()
        yield made
    finally:
        made.remove()


def asked(archive: HandArchive, target: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {
        "action": "plan",
        "archive": str(archive.root),
        "target": target,
        "count_rows": False,
        **options,
    }


def planned(archive: HandArchive, target: dict[str, Any], **options: Any) -> dict[str, Any]:
    plan: dict[str, Any] = succeed("mysql_recovery", asked(archive, target, **options))["plan"]
    return plan


def refused(
    archive: HandArchive, code: str, target: dict[str, Any], **options: Any
) -> dict[str, Any]:
    return fixes.the(fail("mysql_recovery", asked(archive, target, **options)), code)


LATEST = {"latest": True}


def test_there_is_no_base(archive: HandArchive) -> None:
    kept = {name: (archive.root / "base" / name).rename(archive.home / name) for name in (OLD, NEW)}
    try:
        finding = refused(archive, "recovery.no_base", LATEST)
        assert finding["fix"].startswith("Make a base backup")
    finally:
        for name, path in kept.items():
            path.rename(archive.root / "base" / name)
    assert planned(archive, LATEST)["transactions"] == 4


def test_a_base_was_never_started(archive: HandArchive) -> None:
    path = archive.root / "base" / NEW / "manifest.json"
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), "verified": None}))
    try:
        finding = refused(archive, "recovery.base_unproved", LATEST, base=NEW)
        assert finding["proof"] == [f"verification of {NEW}: never done"]
        assert "leave the option base out" in finding["fix"]
        assert planned(archive, LATEST)["base"]["id"] == OLD
    finally:
        path.write_text(before)


def test_the_point_is_older_than_every_base(archive: HandArchive) -> None:
    finding = refused(archive, "recovery.before_base", {"before_gtid": f"{archive.uuid}:1"})
    assert "the window of the archive says" in finding["fix"]
    window = succeed("mysql_recovery", asked(archive, LATEST, action="window"))["window"]
    earliest = {"gtid_executed": window["earliest"]["gtid_executed"]}
    assert planned(archive, earliest)["transactions"] == 0


def test_a_set_of_transactions_has_a_hole(archive: HandArchive) -> None:
    holed = {"gtid_executed": f"{archive.uuid}:1-3:5"}
    finding = refused(archive, "recovery.not_a_point", holed)
    assert "name the transaction to stop before" in finding["fix"]
    assert planned(archive, {"before_gtid": f"{archive.uuid}:5"})["transactions"] == 2


def test_the_archive_is_not_that_far_yet(archive: HandArchive) -> None:
    finding = refused(archive, "binlog.beyond_archive", {"time": "2999-01-01T00:00:00+00:00"})
    assert "the archive had all until" in finding["proof"][0]
    assert finding["fix"].endswith("or for the latest point")
    assert planned(archive, LATEST)["gtid_executed"] == f"{archive.uuid}:1-6"


def test_what_shall_be_skipped_is_not_on_the_way(archive: HandArchive) -> None:
    target = {"before_gtid": f"{archive.uuid}:6"}
    outside = f"{archive.uuid}:60"
    finding = refused(archive, "recovery.skip_not_there", target, skip=[outside])
    assert outside in finding["proof"][0]
    assert "binlog_point (action=find)" in finding["fix"]
    insert = {"action": "find", "before": {"statement": "INSERT", "table": "shop.t"}}
    found = succeed("binlog_point", {**archive.server.login, **insert})["transaction"]["gtid"]
    assert planned(archive, target, skip=[found])["transactions"] == 2


def test_nobody_knows_which_rows_a_statement_touched(archive: HandArchive) -> None:
    bad = f"{archive.uuid}:6"
    finding = refused(archive, "recovery.skip_unknown", LATEST, skip=[bad])
    assert finding["fix"].startswith("Recover to just before it")
    assert planned(archive, {"before_gtid": bad})["transactions"] == 3
