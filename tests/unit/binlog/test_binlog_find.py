# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finding in files that real servers wrote, through a server that sends them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.find import (
    Log,
    Server,
    find,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.search import (
    Deed,
    Moment,
    Place,
    Wanted,
    read_wanted,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.stream import Start
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

from tests.unit.binlog.binlog_files import FILES, UUIDS, VERSIONS, FakeConnection, content

NOW = 1795400000000000
EXECUTED = {"8.0.15": ":1-10", "9.7.4": ":1-11:blue:1"}
DROP = {"8.0.15": (9, 5458), "9.7.4": (10, 5997)}


class Questions:
    """A session that is asked beside the dumps."""

    def __init__(self, version: str) -> None:
        self.version = version

    def execute(self, sql: str) -> int:
        assert sql == "SET SESSION timestamp = DEFAULT"
        return 0

    def value(self, sql: str) -> Any:
        return NOW if "UTC_TIMESTAMP" in sql else UUIDS[self.version] + EXECUTED[self.version]


def server_of(
    version: str, requests: list[Start] | None = None, first: int = 0, purged: str = ""
) -> Server:
    asked = requests if requests is not None else []
    logs = tuple(Log(name, len(content(version, name))) for name in FILES[first:])
    return Server(
        connect=lambda: FakeConnection(version, asked),  # type: ignore[arg-type, return-value]
        questions=Questions(version),  # type: ignore[arg-type]
        address=f"mysql-{version}",
        uuid=UUIDS[version],
        server_id=0,
        logs=logs,
        purged=GtidSet.parse(purged),
        decompress=None,
    )


def ask(version: str, wanted: Wanted, **options: Any) -> dict[str, Any]:
    return find(server_of(version, **options), wanted)


def gtid(version: str, number: int) -> Wanted:
    return read_wanted({"gtid": f"{UUIDS[version]}:{number}"})


def code(version: str, wanted: Wanted, **options: Any) -> str:
    with pytest.raises(BinlogError) as error:
        ask(version, wanted, **options)
    assert error.value.proof
    return error.value.code


@pytest.mark.parametrize("version", VERSIONS)
def test_just_before_the_table_was_dropped(version: str) -> None:
    number, position = DROP[version]
    found = ask(version, Deed("DROP", "shop.small", 0, last=True))
    tag = ":blue:1" if version == "9.7.4" else ""
    assert found["point"]["gtid_executed"] == f"{UUIDS[version]}:1-{number - 1}{tag}"
    assert (found["point"]["file"], found["point"]["position"]) == (FILES[0], position)
    assert found["point"]["server_uuid"] == UUIDS[version]
    assert found["point"]["time"] == found["previous"]["commit_time"]
    transaction = found["transaction"]
    assert transaction["gtid"] == f"{UUIDS[version]}:{number}"
    assert [entry["table"] for entry in transaction["tables"]] == ["shop.wide", "shop.small"]
    assert transaction["statements"][0].startswith("DROP TABLE `wide`,`small`")
    assert found["previous"]["end_position"] == transaction["start_position"] == position


@pytest.mark.parametrize("version", VERSIONS)
def test_by_gtid_with_rows_by_kind(version: str) -> None:
    found = ask(version, gtid(version, 7))
    assert found["transaction"]["rows"] == {"inserted": 3, "updated": 3, "deleted": 4}
    assert found["transaction"]["tables"] == [
        {"table": "shop.small", "inserted": 3, "updated": 3, "deleted": 0, "statements": []},
        {"table": "shop.wide", "inserted": 0, "updated": 0, "deleted": 4, "statements": []},
    ]
    assert found["point"]["gtid_executed"] == f"{UUIDS[version]}:1-6"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_transaction_of_a_file_follows_the_last_of_the_one_before(version: str) -> None:
    found = ask(version, gtid(version, DROP[version][0] + 1))
    assert found["transaction"]["file"] == FILES[1]
    assert found["previous"]["gtid"] == f"{UUIDS[version]}:{DROP[version][0]}"
    assert found["previous"]["file"] == FILES[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_position_leads_to_the_transaction_that_holds_it(version: str) -> None:
    begin = ask(version, gtid(version, 3))["transaction"]
    inside = range(begin["start_position"], begin["end_position"], 100)
    for position in [*inside, begin["end_position"] - 1]:
        found = ask(version, Place(FILES[0], position))
        assert found["transaction"]["gtid"] == begin["gtid"]
        assert found["point"]["position"] == begin["start_position"]
    after = ask(version, Place(FILES[0], begin["end_position"]))
    assert after["transaction"]["gtid"] == f"{UUIDS[version]}:4"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_end_leaves_nothing_out(version: str) -> None:
    found = ask(version, Place(FILES[1], len(content(version, FILES[1]))))
    assert found["transaction"] is None
    assert found["point"]["gtid_executed"] == UUIDS[version] + EXECUTED[version]
    assert found["point"]["position"] == found["previous"]["end_position"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", [2, 3, 6, 7])
def test_a_microsecond_decides(version: str, number: int) -> None:
    wanted = ask(version, gtid(version, number))["transaction"]["commit_time"]
    moment = read_wanted({"time": wanted})
    assert isinstance(moment, Moment)
    assert ask(version, moment)["transaction"]["gtid"] == f"{UUIDS[version]}:{number + 1}"
    earlier = replace(moment, microseconds=moment.microseconds - 1)
    assert ask(version, earlier)["transaction"]["gtid"] == f"{UUIDS[version]}:{number}"


def test_the_first_or_the_last_that_did_it() -> None:
    version = "8.0.15"
    first = ask(version, Deed("CREATE", None, 0, last=False))["transaction"]["gtid"]
    last = ask(version, Deed("CREATE", None, 0, last=True))["transaction"]["gtid"]
    assert (first, last) == (f"{UUIDS[version]}:1", f"{UUIDS[version]}:10")


def test_rows_are_counted_where_their_number_matters() -> None:
    found = ask("8.0.15", Deed("INSERT", None, 3, last=True))
    assert found["transaction"]["gtid"] == f"{UUIDS['8.0.15']}:3"
    assert code("8.0.15", Deed("INSERT", None, 5, last=True)) == "binlog.nothing_matches"


def test_a_compressed_transaction_stops_a_search_only_where_it_could_be_the_answer() -> None:
    version = "9.7.4"
    assert code(version, Deed("DELETE", "shop.small", 0, last=True)) == "binlog.compressed"
    assert ask(version, Deed("DELETE", "shop.wide", 0, last=False))["transaction"]["rows"]
    # Behind it one surely did it: what it holds makes no difference.
    last = ask(version, Deed(None, "shop.small", 0, last=True))["transaction"]
    assert last["gtid"] == f"{UUIDS[version]}:10"
    # A DROP is never compressed.
    assert code(version, Deed("TRUNCATE", None, 0, last=True)) == "binlog.nothing_matches"
    assert not ask(version, gtid(version, 9))["transaction"]["complete"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_there_is_named(version: str) -> None:
    assert code(version, gtid(version, 4711)) == "binlog.gtid_unknown"
    assert code(version, Place("binlog.000009", 4)) == "binlog.file_unknown"
    assert code(version, Place(FILES[0], 999_999)) == "binlog.position_beyond_end"
    assert code(version, Moment(NOW + 1, "later")) == "binlog.time_in_future"
    assert code(version, Deed("TRUNCATE", None, 0, last=False)) == "binlog.nothing_matches"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_purged_is_never_guessed(version: str) -> None:
    purged = f"{UUIDS[version]}:1-9"
    assert code(version, gtid(version, 3), first=1, purged=purged) == "binlog.purged"
    assert code(version, Moment(1, "1970"), first=1, purged=purged) == "binlog.nothing_by_then"
    # Nor what was there before all that the first log there ever was tells of.
    assert code(version, Moment(1, "1970")) == "binlog.nothing_by_then"


def test_what_a_server_was_seeded_with_came_first() -> None:
    seed = "11111111-71ca-11e1-9e33-c80aa9429562:1-500"
    found = ask("8.0.15", gtid("8.0.15", 3), purged=seed)
    assert found["point"]["gtid_executed"] == f"{seed},{UUIDS['8.0.15']}:1-2"
    # When the seed was committed is written nowhere.
    assert code("8.0.15", Moment(1, "1970"), purged=seed) == "binlog.nothing_by_then"
    end = ask("8.0.15", Moment(NOW, "now"), purged=seed)
    assert end["by_time"]["not_compared"] == seed


def test_the_server_id_of_the_option_is_what_the_server_is_shown() -> None:
    requests: list[Start] = []
    server = replace(server_of("9.7.4", requests), server_id=4711)
    find(server, Deed("DROP", None, 0, last=True))
    assert {request.server_id for request in requests} == {4711}
    # The newest log first, then the one before, then the transaction alone.
    assert [(request.file, request.position) for request in requests] == [
        (FILES[1], 4),
        (FILES[0], 4),
        (FILES[0], 5997),
    ]
