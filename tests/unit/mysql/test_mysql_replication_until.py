# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where an applier is to stop: what is sent, and when it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Server,
    Version,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    Channel,
    State,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication_plan import (
    Wanted,
    plan,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication_until import (
    Until,
    until_of,
)

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
HELD = {"host": "source", "port": 3306, "auto_position": True}


def state(executed: str = "", version: Version = (9, 7, 0)) -> State:
    return State(Server(version, "9.7.0", 11, "u"), "ON", "ON", True, executed, "", False, False)


def channel(**options: Any) -> Channel:
    return Channel("", HELD, **{"receiver": "running", "applier": "stopped", **options})


def before(numbers: str) -> Until:
    return Until("gtid_before", GtidSet.parse(f"{UUID}:{numbers}"))


@pytest.mark.parametrize(
    ("executed", "retrieved", "reached"),
    [
        ("1-4", "1-9", True),
        ("1-3", "1-9", False),
        ("1-4", "1-4", False),  # it may still arrive
        ("1-4", "5-9", True),
        ("1-5", "1-9", True),
    ],
)
def test_before_gtids(executed: str, retrieved: str, reached: bool) -> None:
    found = channel(retrieved=f"{UUID}:{retrieved}")
    assert before("5-6").reached(state(f"{UUID}:{executed}"), found) is reached


def test_what_was_to_be_left_out_and_is_executed() -> None:
    assert str(before("5-6").passed(state(f"{UUID}:1-5"))) == f"{UUID}:5"
    assert not before("5-6").passed(state(f"{UUID}:1-4"))


def test_after_gtids_of_several_origins() -> None:
    until = Until("gtid_after", GtidSet.parse(f"{UUID}:5,{UUID}:tag:2"))
    assert not until.reached(state(f"{UUID}:1-9:tag:1"), channel())
    assert until.missing(state(f"{UUID}:1-9:tag:1"), channel()) == f"{UUID}:tag:2"
    assert until.reached(state(f"{UUID}:1-9:tag:1-2"), channel())


@pytest.mark.parametrize(
    ("file", "pos", "reached"),
    [("binlog.000009", 100, True), ("binlog.000009", 99, False), ("binlog.000010", 4, True)],
)
def test_files_are_compared_by_their_number(file: str, pos: int, reached: bool) -> None:
    until = Until("position", log_file="binlog.000009", log_pos=100)
    found = channel(applied_log_file=file, applied_log_pos=pos)
    assert until.reached(state(), found) is reached
    assert not until.reached(state(), channel())


def test_the_clause_speaks_the_version_s_words() -> None:
    until = until_of({"source_log_file": "binlog.000002", "source_log_pos": 4})
    assert until is not None
    assert until.clause((8, 0, 22))[2].startswith("UNTIL MASTER_LOG_FILE = 'binlog.000002'")
    assert until.clause((8, 0, 23))[2].startswith("UNTIL SOURCE_LOG_FILE")


def test_an_applier_on_its_way_is_told_or_left_alone() -> None:
    until = Until("position", log_file="binlog.000009", log_pos=100)
    wanted = Wanted("following", settings=HELD, until=until)
    runs = channel(applier="running")
    stop, start = plan(state().with_channel(runs), wanted).steps
    assert stop.statement.startswith("STOP REPLICA SQL_THREAD")
    assert "UNTIL SOURCE_LOG_FILE = 'binlog.000009', SOURCE_LOG_POS = 100" in start.statement
    told = replace(
        runs, until_condition="Source", until_log_file="binlog.000009", until_log_pos=100
    )
    assert not plan(state().with_channel(told), wanted).changed
    there = replace(told, applied_log_file="binlog.000009", applied_log_pos=100)
    (only,) = plan(state().with_channel(there), wanted).steps
    assert only.statement.startswith("STOP REPLICA SQL_THREAD")
    standing = replace(there, applier="stopped")
    assert not plan(state().with_channel(standing), wanted).changed
