# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Listings of an archive, and the causes that they show. No Pod, no server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import archive, backup
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive_reader import (
    Listing,
    read_listing,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import backup as causes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

A = "aaaaaaaa-0000-0000-0000-000000000001"
NOW = 1_795_550_000


def sidecar(number: int, previous: str, gtids: str, **more: Any) -> str:
    name = f"mysql-bin.{number:06}"
    document = {
        "format": 1,
        "server_uuid": A,
        "name": name,
        "stored": name,
        "previous_gtids": previous,
        "gtids": gtids,
        "transactions": GtidSet.parse(gtids).count,
        "first_commit": 1,
        "last_commit": 2,
        "size": 100,
        **more,
    }
    return f"@ binlog/{A}/{name}.json\n{json.dumps(document, indent=2)}"


def manifest(identity: str = "20261124T180000Z", **more: Any) -> str:
    document = {
        "id": identity,
        "method": "dump",
        "server_version": "9.7.4",
        "server_uuid": A,
        "gtid_executed": f"{A}:1-5",
        "started": "2026-11-24T18:00:00Z",
        "ended": "2026-11-24T18:01:00Z",
        "bytes": 7,
        "stored": "dump.sql",
        "files": [{"path": "dump.sql", "size": 7, "sha256": "ab"}],
        "tables": [{"name": "shop.orders", "rows": 3}],
        "verified": {"at": "2026-11-24T18:02:00Z", "how": "started", "result": "ok"},
        **more,
    }
    return f"@ base/{identity}/manifest.json\n{json.dumps(document)}"


def status(**more: Any) -> str:
    document = {"at": NOW, "state": "archiving", "caught_up_at": NOW, "behind_bytes": 0, **more}
    return f"@ status.json\n{json.dumps(document)}"


FILES = (
    f"100 1.5 binlog/{A}/mysql-bin.000001",
    f"100 1.5 binlog/{A}/mysql-bin.000002",
    "7 1.5 base/20261124T180000Z/dump.sql",
)
LOGS = (sidecar(1, "", f"{A}:1-10"), sidecar(2, f"{A}:1-10", f"{A}:11-20"))


def listing(*parts: str, files: tuple[str, ...] = FILES) -> Listing:
    clock = f'@ clock\n{{"now": {NOW}}}'
    return read_listing("\n".join((clock, *parts, "@ files", *files)) + "\n")


def source(executed: str = f"{A}:1-20", purged: str = "") -> backup.Source:
    return backup.Source(
        "mysql-1",
        A,
        GtidSet.parse(executed),
        GtidSet.parse(purged),
        ("mysql-bin.000002", "mysql-bin.000003"),
        NOW,
        7 * 86400,
    )


HEALTHY = backup.State("the archive", listing(status(), manifest(), *LOGS), source())


def codes(state: backup.State) -> list[str]:
    return [one.code for one in causes.explain(state, causes.Limits())]


def with_listing(*parts: str, files: tuple[str, ...] = FILES) -> backup.State:
    return replace(HEALTHY, listing=listing(*parts, files=files))


def test_a_healthy_archive_has_no_finding_and_a_window():
    assert codes(HEALTHY) == []
    facts = backup.as_dict(HEALTHY)
    assert facts["rpo"] == {"known": True, "transactions": 0, "gtids": "", "seconds": 0}
    assert facts["window"]["earliest"]["time"] == "2026-11-24T18:01:00.000000Z"
    assert facts["window"]["latest"]["gtid_executed"] == f"{A}:1-20"
    assert facts["bases"][0]["tables"] == 1


def test_a_log_that_grows_is_told_apart_from_a_sealed_one():
    growing = sidecar(3, f"{A}:1-20", f"{A}:21").replace(".000003.json", ".000003 growing")
    found = listing(status(), *LOGS, growing).archive.binlogs
    assert [(log.sealed, log.path[-6:]) for log in found] == [
        (True, "000001"),
        (True, "000002"),
        (False, "000003"),
    ]


def test_a_listing_that_is_cut_off_is_refused():
    with pytest.raises(CollectionError, match="cut off"):
        read_listing(f"{status()}\n{manifest()}\n")


def test_an_archiver_that_stopped_is_named_with_its_error():
    for stopped in (
        status(at=NOW - 61),
        status(state="connecting", error="Access denied"),
    ):
        state = with_listing(stopped, manifest(), *LOGS)
        assert codes(state) == ["backup.archiver_stopped"]
    assert codes(with_listing(manifest(), *LOGS)) == ["backup.archiver_stopped"]


def test_what_is_not_archived_yet_is_the_loss():
    late = replace(HEALTHY, source=source(f"{A}:1-23"))
    assert backup.as_dict(late)["rpo"]["transactions"] == 3
    assert codes(late) == []
    older = replace(late, listing=listing(status(caught_up_at=NOW - 9), manifest(), *LOGS))
    assert codes(older) == ["backup.behind"]
    assert backup.as_dict(older)["rpo"]["seconds"] == 9


def test_what_the_primary_purged_before_it_was_archived_is_a_gap():
    state = replace(HEALTHY, source=source(f"{A}:1-25", f"{A}:1-22"))
    assert state.gaps == GtidSet.parse(f"{A}:21-22")
    assert "backup.gap" in codes(state)


def test_a_file_that_is_gone_or_cut_off_is_damage_and_a_gap():
    extra = sidecar(3, f"{A}:1-20", f"{A}:21-30")
    files = (*FILES, f"100 1 binlog/{A}/mysql-bin.000003")
    for second in ((), (f"99 1 binlog/{A}/mysql-bin.000002",)):
        left = (files[0], *second, *files[2:])
        state = with_listing(status(), manifest(), *LOGS, extra, files=left)
        assert codes(state)[:2] == ["backup.gap", "backup.binlog_corrupt"]
        assert state.gaps == GtidSet.parse(f"{A}:11-20")


def test_a_gap_is_over_once_a_verified_base_has_what_is_missing():
    later = {"identity": "20261124T190000Z", "gtid_executed": f"{A}:1-25"}
    gap = replace(HEALTHY, source=source(f"{A}:1-25", f"{A}:1-22"))
    extra = sidecar(3, f"{A}:1-22", f"{A}:23-25")
    files = (*FILES, f"100 1 binlog/{A}/mysql-bin.000003", "7 1 base/20261124T190000Z/dump.sql")
    for verified, told in (({"result": "ok"}, []), ({}, ["backup.gap", "backup.base_unverified"])):
        parts = (manifest(), manifest(**later, verified=verified), *LOGS, extra)
        state = replace(gap, listing=listing(status(), *parts, files=files))
        assert codes(state) == told
        assert state.gaps == GtidSet.parse(f"{A}:21-22")


def test_a_base_that_lost_a_file_is_corrupt_and_not_counted():
    state = with_listing(status(), manifest(), *LOGS, files=FILES[:2])
    assert codes(state) == ["backup.base_corrupt", "backup.none"]


def test_a_base_that_failed_or_missed_its_verification_is_named():
    failed = manifest(verified={"result": "dump.sql: its sha256 differs", "at": "x", "how": "y"})
    assert codes(with_listing(status(), failed, *LOGS)) == ["backup.base_corrupt", "backup.none"]
    never = manifest(verified={})
    assert sorted(codes(with_listing(status(), never, *LOGS))) == [
        "backup.base_unverified",
        "backup.none",
    ]


def test_an_old_base_is_named():
    old = manifest(ended="2026-11-20T18:00:00Z")
    assert codes(with_listing(status(), old, *LOGS)) == ["backup.base_old"]


def test_logs_that_the_primary_is_about_to_purge_are_named_before_it_does():
    assert codes(replace(HEALTHY, expires=NOW + 3600)) == ["backup.chain_expires"]
    assert codes(replace(HEALTHY, expires=NOW + 30 * 3600)) == []


def test_the_archive_on_the_primarys_node_is_named():
    assert codes(replace(HEALTHY, nodes=("node-1", "node-1"))) == ["backup.same_node"]
    assert codes(replace(HEALTHY, nodes=("node-2", "node-1"))) == []


def test_what_a_server_left_behind_is_named_and_not_counted():
    files = (*FILES, f"100 1 binlog/{A}.until-7/mysql-bin.000009")
    state = with_listing(status(), manifest(), *LOGS, files=files)
    assert codes(state) == ["backup.other_history"]


def test_the_next_log_that_the_archiver_needs():
    assert backup.next_needed(source(), HEALTHY.listing) == "mysql-bin.000002"
    assert backup.next_needed(source(), listing(status())) == "mysql-bin.000002"
    assert backup.next_needed(source(), listing(status(), LOGS[0])) is None


def test_every_cause_is_told_in_korean_too():
    state = with_listing(manifest(verified={}), *LOGS)
    told = causes.explain(state, causes.Limits(), "ko")
    assert all(any("가" <= letter <= "힣" for letter in one.summary) for one in told)


def test_a_base_says_with_what_it_was_compared_and_what_was_left_out():
    compared = {
        "how": "equal",
        "result": "ok",
        "compared_with": A,
        "compared_at": f"{A}:1-7",
        "not_compared": [{"what": "rows of shop.mem", "reason": "MEMORY"}],
    }
    settings = {"lower_case_table_names": "1", "innodb_page_size": "8192"}
    texts = (manifest(verified=compared, **settings), "@ files\n7 1 base/20261124T180000Z/dump.sql")
    base = read_listing("\n".join(texts)).archive.bases[0]
    assert (base.proof, base.compared_with, base.compared_at) == ("equal", A, f"{A}:1-7")
    assert base.not_compared == (("rows of shop.mem", "MEMORY"),)
    assert dict(base.settings) == settings


def test_a_base_of_before_says_that_it_was_never_compared():
    texts = (manifest(), "@ files\n7 1 base/20261124T180000Z/dump.sql")
    base = read_listing("\n".join(texts)).archive.bases[0]
    assert base.usable
    assert base.proof == "started; started and read, not compared with its donor"


def test_names_with_what_unicode_takes_for_the_end_of_a_line_are_read():
    name = "shop.a\u2028b\x85c"
    document = manifest(tables=[{"name": "x", "rows": 1}]).replace('"x"', f'"{name}"')
    texts = (document, "@ files\n7 1 base/20261124T180000Z/dump.sql")
    assert dict(read_listing("\n".join(texts)).archive.bases[0].tables) == {name: 1}


@pytest.mark.parametrize("written", ["utf-8", "latin-1"])
def test_a_document_that_was_written_without_a_locale_is_read(written: str):
    assert archive.decode('"Größe"'.encode(written)) == '"Größe"'
