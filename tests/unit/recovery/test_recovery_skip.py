# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leaving out one transaction: what is applied then, and who is found to build on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import Store
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery import plan
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.relay import failed_gtid
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.skip import read_skip
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.target import (
    Exactly,
    read_target,
)

from tests.unit.binlog.archives import add_base, make_archive
from tests.unit.binlog.binlog_files import UUIDS, VERSIONS


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, version: str) -> Path:
    return make_archive(tmp_path / "archive", version)


def made(root: Path, skip: str, **target: Any) -> plan.Recovery:
    where = read_target(target or {"latest": True})
    return plan.make(Store(root), where, None, lambda _line: None, GtidSet.parse(skip))


def refused(root: Path, skip: str, **target: Any) -> BinlogError:
    with pytest.raises(BinlogError) as error:
        made(root, skip, **target)
    return error.value


def test_it_alone_is_cut_out_of_what_is_applied(root: Path, version: str) -> None:
    """The account is made in the middle of the log; all before and after it stays."""
    account = f"{UUIDS[version]}:8"
    whole = made(root, "")
    found = made(root, account)
    assert whole.gtids - found.gtids == GtidSet.parse(account)
    assert found.transactions == whole.transactions - 1
    (first, last) = found.pieces[0].spans
    told = found.as_dict()["skipped"][0]
    assert (told["gtid"], told["start_position"], told["end_position"]) == (
        account,
        first[1],
        last[0],
    )
    assert found.pieces[0].transactions == whole.pieces[0].transactions - 1
    assert found.pieces[1:] == whole.pieces[1:]


def test_a_later_change_of_its_rows_is_named(root: Path, version: str) -> None:
    """The applier would not mind: it finds the row by its key, and brings it back as it was."""
    error = refused(root, f"{UUIDS[version]}:3")
    assert error.code == "recovery.skip_depends"
    assert error.facts["gtid"] == f"{UUIDS[version]}:5"
    assert "shop.wide as that one left it" in error.proof[1]


def test_what_comes_after_the_target_does_not_count(root: Path, version: str) -> None:
    found = made(root, f"{UUIDS[version]}:3", before_gtid=f"{UUIDS[version]}:5")
    assert str(found.gtids) == f"{UUIDS[version]}:1-2:4"


def test_two_that_build_on_each_other_can_go_together(root: Path, version: str) -> None:
    """Of the third one's rows, the fifth changes some, and the seventh deletes others."""
    both = f"{UUIDS[version]}:3:5"
    assert refused(root, both).facts["gtid"] == f"{UUIDS[version]}:7"


def test_rows_of_a_compressed_transaction_are_followed_too(tmp_path: Path) -> None:
    root = make_archive(tmp_path / "archive", "9.7.4")
    error = refused(root, f"{UUIDS['9.7.4']}:blue:1")
    assert error.facts["gtid"] == f"{UUIDS['9.7.4']}:9"


def test_a_change_of_a_json_document_by_its_difference_is_followed(
    root: Path, version: str
) -> None:
    """The rows are known by their other columns."""
    error = refused(root, f"{UUIDS[version]}:5")
    assert error.facts["gtid"] == f"{UUIDS[version]}:7"


def test_a_table_that_is_dropped_later_is_built_on_by_nobody_behind(
    root: Path, version: str
) -> None:
    made(root, f"{UUIDS[version]}:4")


def test_a_base_that_holds_it_is_no_way_there(root: Path, version: str) -> None:
    """The older base is taken; where there is none, it is said."""
    add_base(root, "20260102T000000Z", f"{UUIDS[version]}:1-8")
    assert made(root, "").base.id == "20260102T000000Z"
    found = made(root, f"{UUIDS[version]}:8")
    assert found.base.id == "20260101T000000Z"
    for path in sorted((root / "base" / "20260101T000000Z").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (root / "base" / "20260101T000000Z").rmdir()
    assert refused(root, f"{UUIDS[version]}:8").code == "recovery.before_base"


def test_what_is_not_on_the_way_cannot_be_left_out(root: Path, version: str) -> None:
    error = refused(root, f"{UUIDS[version]}:5", before_gtid=f"{UUIDS[version]}:5")
    assert error.code == "recovery.skip_not_there"
    with pytest.raises(CollectionError, match="skip: 101"):
        read_skip([f"{UUIDS[version]}:1-101"])


def test_the_set_of_a_plan_leads_to_the_same_plan(root: Path, version: str) -> None:
    account = GtidSet.parse(f"{UUIDS[version]}:8")
    found = made(root, str(account))
    target = Exactly(found.gtids | account)
    again = plan.make(Store(root), target, None, lambda _line: None, account)
    assert (again.gtids, again.pieces) == (found.gtids, found.pieces)


def test_the_transaction_that_an_applier_complains_of_is_read() -> None:
    said = "Worker 1 failed executing transaction 'abc:7' at source log relay.000001 (1032)"
    assert failed_gtid(["something else", said]) == "abc:7"
    assert failed_gtid(["nothing"]) == ""
