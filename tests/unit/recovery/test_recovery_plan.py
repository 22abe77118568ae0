# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans of a recovery from archives of captured binary logs, and every reason to refuse one."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.search import CLOCKS
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.store import (
    ArchiveSource,
    Store,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery import pieces, plan
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.target import read_target

from tests.unit.binlog.archives import add_base, add_log, make_archive
from tests.unit.binlog.binlog_files import FILES, UUIDS, VERSIONS, content

DROP = {"8.0.15": 9, "9.7.4": 10}
LAST = {"8.0.15": 10, "9.7.4": 11}
TAG = {"8.0.15": "", "9.7.4": ":blue:1"}


def made(root: Path, base: str | None = None, **target: Any) -> plan.Recovery:
    return plan.make(Store(root), read_target(target), base, lambda _line: None)


def refused(root: Path, base: str | None = None, **target: Any) -> BinlogError:
    with pytest.raises(BinlogError) as error:
        made(root, base, **target)
    return error.value


def upto(version: str, number: int) -> str:
    return f"{UUIDS[version]}:1-{number}{TAG[version]}"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, version: str) -> Path:
    return make_archive(tmp_path / "archive", version)


def test_the_plan_ends_just_before_the_drop_and_says_what_is_lost(root: Path, version: str) -> None:
    found = made(root, before={"statement": "DROP", "table": "shop.small"})
    assert str(found.gtids) == upto(version, DROP[version] - 1)
    told = found.as_dict()
    assert told["first_left_out"]["gtid"] == f"{UUIDS[version]}:{DROP[version]}"
    assert told["first_left_out"]["statements"][0].startswith("DROP TABLE")
    assert told["last_kept"]["end_position"] == told["first_left_out"]["start_position"]
    assert told["lost"]["transactions"] == LAST[version] - DROP[version] + 1
    assert found.stops_at == told["first_left_out"]["gtid"]


def test_what_a_set_of_transactions_did_is_told_as_the_plan_tells_it(
    root: Path, version: str
) -> None:
    """Of those alone that the archive tells of, each once."""
    wanted = made(root, before={"statement": "DROP", "table": "shop.small"})
    store = Store(root)
    foreign = GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:7")
    told = pieces.left_out(ArchiveSource(store, store.archive.binlogs), wanted.lost.gtids | foreign)
    assert told == wanted.lost
    assert told.since is not None
    assert told.until is not None
    assert told.since <= told.until


def test_the_last_piece_ends_with_the_first_event_of_what_is_left_out(
    root: Path, version: str
) -> None:
    found = made(root, before={"statement": "DROP", "table": "shop.small"})
    start = found.as_dict()["first_left_out"]["start_position"]
    data = content(version, FILES[0])
    size = int.from_bytes(data[start + 9 : start + 13], "little")
    assert [piece.spans for piece in found.pieces] == [((0, start + size),)]


def test_every_way_of_asking_leads_to_the_same_plan(root: Path, version: str) -> None:
    wanted = made(root, before={"statement": "DROP", "table": "shop.small"})
    told = wanted.as_dict()
    left_out, kept = told["first_left_out"], told["last_kept"]
    ways: list[dict[str, Any]] = [
        {"before_gtid": left_out["gtid"]},
        {"after_gtid": kept["gtid"]},
        {"file": left_out["file"], "position": left_out["end_position"] - 1},
        {"file": f"{UUIDS[version]}/{FILES[0]}", "position": left_out["start_position"]},
        {"time": kept["commit_time"]},
        {"gtid_executed": str(wanted.gtids)},
        {"offset": -(LAST[version] - DROP[version] + 1)},
    ]
    for way in ways:
        other = made(root, **way)
        assert (other.gtids, other.stops_at) == (wanted.gtids, wanted.stops_at), way
        assert other.pieces == wanted.pieces, way


def test_latest_takes_all_and_loses_nothing(root: Path, version: str) -> None:
    found = made(root, latest=True)
    assert str(found.gtids) == upto(version, LAST[version])
    assert found.stops_at is None
    assert found.as_dict()["lost"]["transactions"] == 0
    assert len(found.pieces) == len(FILES)


def test_a_newer_base_saves_work_and_is_not_applied_again(root: Path, version: str) -> None:
    add_base(root, "20260102T000000Z", f"{UUIDS[version]}:1-5")
    found = made(root, before={"statement": "DROP", "table": "shop.small"})
    assert found.base.id == "20260102T000000Z"
    assert str(found.gtids) == upto(version, DROP[version] - 1)
    assert found.pieces[0].spans[1][0] > found.pieces[0].spans[0][1], "a part is left out"
    assert found.pieces[0].transactions == found.transactions


def test_a_base_of_just_before_the_mistake_needs_no_log_and_the_mistake_is_told(
    root: Path, version: str
) -> None:
    wanted = made(root, before={"statement": "DROP", "table": "shop.small"})
    add_base(root, "20260102T000000Z", str(wanted.gtids))
    found = made(root, before={"statement": "DROP", "table": "shop.small"})
    assert (found.base.id, found.pieces) == ("20260102T000000Z", ())
    for key in ("point", "last_kept", "first_left_out", "lost"):
        assert found.as_dict()[key] == wanted.as_dict()[key], key


def test_a_seed_draws_a_point_after_the_newest_base(root: Path, version: str) -> None:
    """Every one of them, the end too; and the same one again."""
    add_base(root, "20260102T000000Z", f"{UUIDS[version]}:1-5")
    ends = set()
    for seed in range(60):
        found = made(root, random=str(seed))
        assert found.base.id == "20260102T000000Z"
        assert found.gtids == made(root, random=str(seed)).gtids
        ends.add(str(found.gtids))
    tagged = TAG[version] != ""
    last = LAST[version]
    after = [f"{UUIDS[version]}:1-{number}" for number in range(5, last)]
    assert upto(version, last) in ends
    assert len(ends) == len(after) + 1 + tagged


def test_a_drawn_point_is_cut_off_by_a_gap_as_any_other(root: Path, version: str) -> None:
    (root / "binlog" / UUIDS[version] / FILES[0]).unlink()
    codes = {refused(root, random=str(seed)).code for seed in range(3)}
    assert codes == {"recovery.gap"}


def test_a_base_beyond_the_target_is_not_taken(root: Path, version: str) -> None:
    add_base(root, "20260102T000000Z", upto(version, LAST[version]))
    found = made(root, before={"statement": "DROP", "table": "shop.small"})
    assert found.base.id == "20260101T000000Z"
    error = refused(root, "20260102T000000Z", before={"statement": "DROP", "table": "shop.small"})
    assert error.code == "recovery.before_base"


def test_a_missing_binary_log_is_a_gap_named_by_gtid(root: Path, version: str) -> None:
    (root / "binlog" / UUIDS[version] / FILES[0]).unlink()
    for target in ({"latest": True}, {"before_gtid": f"{UUIDS[version]}:{LAST[version]}"}):
        error = refused(root, **target)
        assert error.code == "recovery.gap"
        missing = GtidSet.parse(error.facts["missing"])
        assert GtidSet.parse(upto(version, DROP[version])) in missing


def test_a_base_that_was_touched_is_refused(root: Path) -> None:
    (root / "base" / "20260101T000000Z" / "data" / "ibdata1").write_bytes(b"sows")
    error = refused(root, latest=True)
    assert error.code == "recovery.base_damaged"
    assert "ibdata1" in error.proof[0]


def test_a_binary_log_that_was_touched_is_refused(root: Path, version: str) -> None:
    path = root / "binlog" / UUIDS[version] / FILES[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert refused(root, latest=True).code == "recovery.binlog_damaged"


def test_a_base_that_never_ran_counts_for_nothing(tmp_path: Path) -> None:
    root = make_archive(tmp_path / "archive", "9.7.4")
    manifest = root / "base" / "20260101T000000Z" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "verified": None}))
    assert refused(root, latest=True).code == "recovery.no_base"
    add_base(root, "20260102T000000Z", "")
    assert refused(root, "20260101T000000Z", latest=True).code == "recovery.base_unproved"


def test_points_that_are_not_there(root: Path, version: str) -> None:
    other = "11111111-71ca-11e1-9e33-c80aa9429562"
    assert refused(root, before_gtid=f"{other}:1").code == "binlog.gtid_unknown"
    assert refused(root, gtid_executed=f"{other}:1").code == "recovery.other_history"
    holes = f"{UUIDS[version]}:1-2:4"
    assert refused(root, gtid_executed=holes).code == "recovery.not_a_point"
    assert refused(root, time="2999-01-01T00:00:00Z").code == "binlog.beyond_archive"
    assert refused(root, before={"statement": "TRUNCATE"}).code == "binlog.nothing_matches"


def test_an_archive_that_stopped_says_until_when_it_knows(root: Path, version: str) -> None:
    for file in FILES:
        # When a file was written here, it may have been copied from anywhere.
        os.utime(root / "binlog" / UUIDS[version] / file, (1_900_000_000, 1_900_000_000))
    assert refused(root, time="2030-03-17T00:00:00Z").code == "binlog.beyond_archive"
    # A base does: whatever was committed until it was begun is in it; unless the logs lack a part of that.
    began = {"started": "2031-01-01T00:00:00+00:00", "ended": "2031-01-01T00:00:00+00:00"}
    base = add_base(root, "20310101T000000Z", upto(version, LAST[version]) + "00", **began)
    error = refused(root, time="2030-03-17T00:00:00Z")
    assert error.code in ("binlog.beyond_archive", "binlog.none")
    shutil.rmtree(base)
    base = add_base(root, "20310101T000000Z", upto(version, LAST[version] - 1), **began)
    assert str(made(root, time="2030-03-17T00:00:00Z").gtids) == upto(version, LAST[version])
    shutil.rmtree(base)
    (root / "status.json").write_text('{"caught_up_at": 1900000000}')
    assert str(made(root, time="2030-03-17T00:00:00Z").gtids) == upto(version, LAST[version])
    (root / "status.json").write_text('{"caught_up_at": 1800000000}')
    error = refused(root, time="2030-03-17T00:00:00Z")
    assert error.code == "binlog.beyond_archive"
    assert "2027-01-15T08:00:00" in error.proof[0]


def test_a_history_that_was_left_is_never_mixed_in(tmp_path: Path) -> None:
    """After a recovery to before the DROP, the new primary's log builds on less than the old one's."""
    root = make_archive(tmp_path / "archive", "9.7.4", files=FILES[:1])
    add_log(root, "9.7.4", FILES[0], sealed=True)
    before_drop = upto("9.7.4", DROP["9.7.4"] - 1)
    newer = "99999999-e639-11f1-a0c0-02fc00000001"
    later = add_log(root, "8.0.15", FILES[0], sealed=True, uuid=newer)
    sidecar = later.with_name(later.name + ".json")
    document = json.loads(sidecar.read_text())
    # As if the other server's file had been written after that recovery, and last.
    sidecar.write_text(
        json.dumps(
            {**document, "previous_gtids": before_drop, "last_commit": 2_000_000_000_000_000}
        )
    )
    found = made(root, latest=True)
    assert f"{UUIDS['9.7.4']}:{DROP['9.7.4']}" not in str(found.gtids)
    assert GtidSet.parse(f"{UUIDS['9.7.4']}:{DROP['9.7.4']}") not in found.gtids
    assert GtidSet.parse(before_drop) in found.gtids
    assert GtidSet.parse(document["gtids"]) in found.gtids
    first = found.pieces[0]
    assert first.spans[-1][1] < first.log.size, "the DROP is in what is applied"
    error = refused(root, before_gtid=f"{UUIDS['9.7.4']}:{DROP['9.7.4']}")
    assert error.code == "recovery.other_history"


def test_targets_that_say_nothing_or_two_things() -> None:
    clock = {"latest": True, "clock": "original"}
    for target in ({}, {"latest": True, "before_gtid": "x"}, {"name": "a"}, {"file": "a"}, clock):
        with pytest.raises(CollectionError, match="target"):
            read_target(target)


def test_an_archive_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r"archive\.json cannot be read"):
        made(tmp_path, latest=True)


def test_a_time_is_the_same_moment_in_every_zone(root: Path, version: str) -> None:
    """To the microsecond: at its own moment a transaction is kept, a microsecond before it is not."""
    wanted = made(root, before={"statement": "DROP", "table": "shop.small"})
    kept = wanted.resolved.hit.previous
    assert kept is not None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=kept.gtid.committed)
    for hours in (-12, -3.5, 0, 1, 5.75, 9, 14):
        zone = timezone(timedelta(hours=hours))
        assert made(root, time=moment.astimezone(zone).isoformat()).gtids == wanted.gtids
        before = (moment - timedelta(microseconds=1)).astimezone(zone).isoformat()
        assert GtidSet.parse(str(kept.gtid.text)) not in made(root, time=before).gtids
    for text in (moment.replace(tzinfo=None).isoformat(), "2026-10-25T02:30:00 Europe/Berlin"):
        with pytest.raises(CollectionError, match=r"allowed is ISO 8601 with an offset"):
            made(root, time=text)


def test_a_log_whose_only_times_are_those_of_headers_decides_nothing(tmp_path: Path) -> None:
    """As servers before 8.0.2 wrote them: their GTIDs have no logical timestamps behind them."""
    root = make_archive(tmp_path / "archive", "8.0.15")
    wanted = made(root, before={"statement": "DROP", "table": "shop.small"}).as_dict()
    path = root / "binlog" / UUIDS["8.0.15"] / FILES[0]
    data = bytearray(path.read_bytes())
    start = wanted["first_left_out"]["start_position"]
    size = int.from_bytes(data[start + 9 : start + 13], "little")
    data[start + 19 + 25] = 0
    data[start + size - 4 : start + size] = zlib.crc32(data[start : start + size - 4]).to_bytes(
        4, "little"
    )
    path.write_bytes(data)
    error = refused(root, time=wanted["last_kept"]["commit_time"])
    assert error.code == "binlog.no_commit_times"
    assert "only event headers tell a time" in error.proof[0]


def test_the_clock_that_is_asked_for_is_told(root: Path) -> None:
    told = made(root, before={"statement": "DROP", "table": "shop.small"}).as_dict()
    moment = told["last_kept"]["commit_time"]
    for clock in CLOCKS:
        plan_of = made(root, time=moment, clock=clock).as_dict()
        assert plan_of["by_time"]["clock"] == clock
        assert plan_of["by_time"]["latest_kept"] == moment
        assert plan_of["by_time"]["earliest_left_out"] == told["first_left_out"]["commit_time"]
        assert plan_of["first_left_out"] == told["first_left_out"]


def test_what_every_base_holds_already_is_before_the_window(tmp_path: Path, version: str) -> None:
    root = make_archive(tmp_path / "archive", version)
    shutil.rmtree(root / "base")
    add_base(root, "20260102T000000Z", f"{UUIDS[version]}:1-5")
    for target in ({"before_gtid": f"{UUIDS[version]}:3"}, {"after_gtid": f"{UUIDS[version]}:2"}):
        error = refused(root, **target)
        assert error.code == "recovery.before_base", target
        assert "20260102T000000Z" in error.proof[0]
    assert made(root, before_gtid=f"{UUIDS[version]}:6").transactions == 0
    # A time before all that the logs hold says so too.
    assert refused(root, time="2001-01-01T00:00:00Z").code == "binlog.nothing_by_then"
    after = f"{UUIDS[version]}:{LAST[version] + 1}"
    assert refused(root, before_gtid=after).code == "binlog.gtid_unknown"
    assert refused(root, file=FILES[1], position=10**9).code == "binlog.position_beyond_end"
    assert refused(root, offset=LAST[version] + 5).code == "binlog.nothing_matches"
