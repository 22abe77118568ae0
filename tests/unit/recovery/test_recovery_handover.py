# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A verified recovery becomes a data directory: the log that says what lies before it, and the move."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    previous_gtids_event,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.files import (
    beginning,
    checksum_size,
    file_head,
    writer_of,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import Store
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery import handover
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.executor import Executor
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.scratch import (
    APPLIED,
    VERIFIED,
    Record,
    Scratch,
)

from tests.unit.binlog.archives import make_archive
from tests.unit.binlog.binlog_files import FILES, UUIDS, VERSIONS, content

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "gtids", ["", f"{UUID}:1-5:7", f"{UUID}:1-5:7:aged:1-3,{UUIDS['9.7.4']}:12"]
)
def test_the_log_that_is_written_says_what_lies_before_it(version: str, gtids: str) -> None:
    found = content(version, FILES[0])
    head = beginning(found)
    wanted = GtidSet.parse(gtids)
    sums = bool(checksum_size(found))
    written = head + previous_gtids_event(wanted, writer_of(found), len(head), checksum=sums)
    # Its own checksum is looked at too.
    assert file_head(written, "mysql-bin.000001")[2] == wanted


def scratch(volume: Path) -> Scratch:
    folder = volume / "recovery"
    return Scratch(folder, Executor(folder, str(folder), (), "mysql"))


def test_the_root_of_the_volume_becomes_the_data_directory(tmp_path: Path) -> None:
    """Ended in the middle, it goes on with what is left."""
    data = tmp_path / "recovery" / "data"
    (data / "mysql").mkdir(parents=True)
    (data / "mysql.ibd").write_text("dictionary")
    (tmp_path / "shop").mkdir()
    handover._move(data, tmp_path)
    assert not data.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"recovery", "mysql", "mysql.ibd", "shop"}


def test_what_belongs_to_the_scratch_server_alone_is_left_behind(tmp_path: Path) -> None:
    for name in ("auto.cnf", "mysqld-auto.cnf", "relay.000001", "relay.index", "ibdata1"):
        (tmp_path / name).write_text("")
    handover._tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["ibdata1"]


def test_an_empty_volume_is_no_recovery(tmp_path: Path) -> None:
    with pytest.raises(BinlogError) as error:
        handover.hand_over(
            None,  # type: ignore[arg-type]
            scratch(tmp_path),
            None,  # type: ignore[arg-type]
            handover.Wanted("mysql-bin", tmp_path / "password"),
            False,
            lambda _text: None,
        )
    assert error.value.code == "recovery.unfinished"


def test_what_would_be_left_out_is_told_of_a_verified_recovery_alone(tmp_path: Path) -> None:
    version = "9.7.4"
    store = Store(make_archive(tmp_path / "archive", version))
    held = scratch(tmp_path)
    held.folder.mkdir()
    uuid = UUIDS[version]
    identity = {"base": "20260101T000000Z", "gtid_executed": f"{uuid}:1-9", "archive": ""}
    elsewhere = GtidSet.parse(f"{uuid}:1-10,{UUID}:1-2")
    for stage in ("", APPLIED):
        if stage:
            held.write(Record(identity, stage, {}))
        with pytest.raises(BinlogError) as error:
            handover.left_out(store, held, elsewhere)
        assert error.value.code == "recovery.unfinished"
    held.write(Record(identity, VERIFIED, {}))
    found = handover.left_out(store, held, elsewhere)
    assert found["gtid_executed"] == f"{uuid}:1-9"
    lost = found["lost"]
    assert GtidSet.parse(lost["gtids"]) == GtidSet.parse(f"{uuid}:10,{UUID}:1-2")
    assert (lost["transactions"], lost["not_archived"]) == (3, f"{UUID}:1-2")
    assert ("shop.small", ["DROP"]) in [
        (table["table"], table["statements"]) for table in lost["tables"]
    ]
    assert lost["first_commit_time"] == lost["last_commit_time"]
    nothing = handover.left_out(store, held, GtidSet.parse(f"{uuid}:1-9"))["lost"]
    assert (nothing["transactions"], nothing["tables"]) == (0, [])
