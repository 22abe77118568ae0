# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans without a server: what would be sent from which state, at versions that no test server has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Server,
    Version,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    Channel,
    State,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication_plan import (
    Wanted,
    plan,
    shown,
)

HELD = {"host": "source", "port": 3306, "user": "repl", "auto_position": True, "delay": 0}
SECRET = "unspeakable"


def state(version: Version = (9, 7, 0), **options: Any) -> State:
    return State(
        server=Server(version, ".".join(map(str, version)), 11, "uuid-11"),
        gtid_mode="ON",
        enforce_gtid_consistency="ON",
        log_bin=True,
        gtid_executed="",
        gtid_purged="",
        **{"read_only": False, "super_read_only": False, **options},
    )


def channel(**options: Any) -> Channel:
    return Channel("", HELD, **{"receiver": "running", "applier": "running", **options})


def sent(before: State, wanted: Wanted) -> list[str]:
    return [step.statement for step in plan(before, wanted).steps]


def test_at_each_boundary_the_whole_statement_speaks_one_dialect() -> None:
    wanted = Wanted("following", settings=HELD, password=SECRET)
    for version in ((8, 0, 15), (8, 0, 22), (8, 0, 23), (8, 4, 0), (9, 7, 0), (26, 7, 0)):
        change, start = sent(state(version), wanted)
        assert ("MASTER_HOST" in change) == (version < (8, 0, 23))
        assert ("SOURCE_HOST" in change) == (version >= (8, 0, 23))
        assert start.startswith("START SLAVE" if version < (8, 0, 22) else "START REPLICA")


def test_no_secret_in_what_is_shown() -> None:
    wanted = Wanted("following", settings=HELD, password=SECRET, update_password="always")
    made = plan(state(), wanted)
    everything = f"{made.as_list()} {shown(made.before, wanted)} {shown(made.after(), wanted)}"
    assert SECRET not in everything
    assert SECRET not in repr(wanted)
    assert "********" in everything


def test_what_holds_is_left_alone() -> None:
    before = state().with_channel(channel())
    assert sent(before, Wanted("following", settings=HELD, password=SECRET)) == []
    assert sent(state(), Wanted("stopped")) == []
    assert sent(state(), Wanted("detached")) == []
    assert sent(state(), Wanted("promoted", read_only=False)) == []


def test_only_what_differs_is_sent() -> None:
    """SOURCE_HOST sent again, unchanged, would make the server forget its position."""
    before = state().with_channel(channel())
    statements = sent(before, Wanted("following", settings={**HELD, "delay": 60}))
    assert statements == [
        "STOP REPLICA SQL_THREAD FOR CHANNEL ''",
        "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 60 FOR CHANNEL ''",
        "START REPLICA SQL_THREAD FOR CHANNEL ''",
    ]


@pytest.mark.parametrize(
    ("change", "stop"),
    [
        ({"delay": 60}, "STOP REPLICA SQL_THREAD"),
        ({"privilege_checks_user": "'a'@'%'"}, "STOP REPLICA SQL_THREAD"),
        ({"require_table_primary_key_check": "ON"}, "STOP REPLICA SQL_THREAD"),
        ({"retry_count": 5}, "STOP REPLICA IO_THREAD"),
        ({"host": "another"}, "STOP REPLICA IO_THREAD"),
        ({"require_row_format": True}, "STOP REPLICA"),
        ({"delay": 60, "retry_count": 5}, "STOP REPLICA"),
    ],
)
def test_only_what_has_to_stand_is_stopped_and_started(change: dict[str, Any], stop: str) -> None:
    before = state().with_channel(channel())
    statements = sent(before, Wanted("following", settings={**HELD, **change}))
    assert statements[0] == f"{stop} FOR CHANNEL ''"
    assert statements[-1] == f"{stop.replace('STOP', 'START')} FOR CHANNEL ''"
    standing = state().with_channel(channel(receiver="stopped", applier="stopped"))
    assert not sent(standing, Wanted("following", settings={**HELD, **change}))[0].startswith(
        "STOP"
    )


def test_a_running_applier_is_not_stopped_for_a_standing_receiver() -> None:
    before = state().with_channel(channel(receiver="stopped"))
    assert sent(before, Wanted("following", settings={**HELD, "retry_count": 5})) == [
        "CHANGE REPLICATION SOURCE TO SOURCE_RETRY_COUNT = 5 FOR CHANNEL ''",
        "START REPLICA IO_THREAD FOR CHANNEL ''",
    ]


def test_what_a_version_lacks_is_an_error_only_where_it_is_asked_for() -> None:
    old = state((8, 0, 17)).with_channel(channel())
    lacking = {"privilege_checks_user": "'a'@'%'"}
    with pytest.raises(CollectionError, match="8.0.17 has no .*it came with 8.0.18"):
        plan(old, Wanted("following", settings={**HELD, **lacking}))
    none = {"privilege_checks_user": "", "require_row_format": False}
    assert sent(old, Wanted("following", settings={**HELD, **none})) == []
    assert sent(state((8, 0, 17)), Wanted("following", settings={**HELD, **none}))


def test_accounts_and_words_are_no_strings() -> None:
    settings = {**HELD, "privilege_checks_user": "'a'@'%'", "require_table_primary_key_check": "ON"}
    change = sent(state(), Wanted("following", settings=settings))[0]
    assert "PRIVILEGE_CHECKS_USER = 'a'@'%'" in change
    assert "REQUIRE_TABLE_PRIMARY_KEY_CHECK = ON" in change
    held = state().with_channel(replace(channel(), settings=settings))
    nobody = Wanted("following", settings={**settings, "privilege_checks_user": ""})
    assert "PRIVILEGE_CHECKS_USER = NULL" in sent(held, nobody)[1]


def test_filters_need_the_applier_to_stand() -> None:
    before = state().with_channel(channel(filters={"do_db": ("a",), "ignore_db": ("z",)}))
    wanted = Wanted("following", settings=HELD, filters={"do_db": ("a", "b"), "ignore_db": ()})
    made = plan(before, wanted)
    assert [step.statement for step in made.steps] == [
        "STOP REPLICA SQL_THREAD FOR CHANNEL ''",
        "CHANGE REPLICATION FILTER REPLICATE_DO_DB = (`a`, `b`), REPLICATE_IGNORE_DB = ()"
        " FOR CHANNEL ''",
        "START REPLICA SQL_THREAD FOR CHANNEL ''",
    ]
    after = made.after().channel("")
    assert after is not None
    assert after.filters == {"do_db": ("a", "b")}
    assert sent(made.after(), wanted) == []


@pytest.mark.parametrize(
    ("matches", "statements"), [(True, 0), (False, 3), (None, 3)], ids=["same", "other", "unread"]
)
def test_a_password_is_sent_again_unless_known_to_be_held(
    matches: bool | None, statements: int
) -> None:
    before = state().with_channel(channel(password_matches=matches))
    always = Wanted("following", settings=HELD, password=SECRET, update_password="always")
    assert len(sent(before, always)) == statements
    assert sent(before, replace(always, update_password="on_create")) == []


def test_read_only_closes_before_the_channel_starts() -> None:
    wanted = Wanted("following", settings=HELD, read_only=True)
    statements = sent(state(), wanted)
    assert statements[1:] == [
        "SET PERSIST read_only = ON",
        "SET PERSIST super_read_only = ON",
        "START REPLICA FOR CHANNEL ''",
    ]
    held = {"read_only": True, "super_read_only": True}
    not_kept = state(**held).with_channel(channel())
    assert len(sent(not_kept, wanted)) == 2, "on, but gone after a restart"
    kept = replace(not_kept, persisted=("read_only", "super_read_only"))
    assert sent(kept, wanted) == []


def test_promotion_opens_in_the_order_the_server_allows() -> None:
    held = {"read_only": True, "super_read_only": True}
    before = state(**held).with_channel(channel())
    made = plan(before, Wanted("promoted", read_only=False))
    assert [step.statement for step in made.steps] == [
        "STOP REPLICA FOR CHANNEL ''",
        "RESET REPLICA ALL FOR CHANNEL ''",
        "SET PERSIST super_read_only = OFF",
        "SET PERSIST read_only = OFF",
    ]
    after = made.after()
    assert (after.channels, after.read_only, after.super_read_only) == ((), False, False)


def test_another_channel_is_not_touched() -> None:
    other = replace(channel(), name="other")
    before = state().with_channel(other)
    made = plan(before, Wanted("following", channel="mine", settings=HELD))
    assert all("FOR CHANNEL 'mine'" in step.statement for step in made.steps)
    assert made.after().channel("other") == other


def test_a_waiting_receiver_is_told_to_try_at_once() -> None:
    waiting = channel(receiver="connecting", receiver_errno=2003)
    wanted = Wanted("following", settings=HELD)
    assert sent(state().with_channel(waiting), wanted) == [
        "STOP REPLICA IO_THREAD FOR CHANNEL ''",
        "START REPLICA IO_THREAD FOR CHANNEL ''",
    ]
    still_trying = channel(receiver="connecting")
    assert sent(state().with_channel(still_trying), wanted) == []


def test_a_receiver_that_reached_another_server_connects_anew() -> None:
    misled = channel(source_uuid="a replica's")
    wanted = Wanted("following", settings=HELD, source_uuid="the source's")
    before = state().with_channel(misled)
    assert sent(before, wanted) == [
        "STOP REPLICA IO_THREAD FOR CHANNEL ''",
        "START REPLICA IO_THREAD FOR CHANNEL ''",
    ]
    assert shown(before, wanted)["receives_from"] == "a replica's"
    assert "receives_from" not in shown(plan(before, wanted).after(), wanted)
    moved = replace(wanted, settings={**HELD, "host": "elsewhere"})
    assert [words.split()[0] for words in sent(before, moved)] == ["STOP", "CHANGE", "START"]


@pytest.mark.parametrize(
    "options",
    [{"source_uuid": ""}, {"source_uuid": "same"}, {"goal": "stopped", "source_uuid": "another"}],
    ids=["not known", "the same", "not to follow"],
)
def test_no_other_receiver_does(options: dict[str, Any]) -> None:
    wanted = Wanted(**{"goal": "following", "settings": HELD, **options})
    told = sent(state().with_channel(channel(source_uuid="same")), wanted)
    assert [words for words in told if "IO_THREAD" in words] == []


def test_a_position_is_needed_where_gtids_do_not_tell() -> None:
    by_file = {**HELD, "auto_position": False}
    with pytest.raises(CollectionError, match="source_log_file, source_log_pos"):
        plan(state(), Wanted("following", settings=by_file))
    placed = Wanted("following", settings=by_file, log_file="binlog.000002", log_pos=157)
    assert "SOURCE_LOG_FILE = 'binlog.000002', SOURCE_LOG_POS = 157" in sent(state(), placed)[0]
    settled = state().with_channel(Channel("", by_file, receiver="running", applier="running"))
    assert sent(settled, placed) == [], "the position moves on: it is no setting"


def test_the_heartbeat_is_said_again_where_the_server_would_forget_it() -> None:
    held = replace(channel(), settings={**HELD, "heartbeat_period": 2.0})
    moved = Wanted("following", settings={"port": 3307})
    change = next(words for words in sent(state().with_channel(held), moved) if "PORT" in words)
    assert "SOURCE_HEARTBEAT_PERIOD = 2.0" in change
    retried = Wanted("following", settings={"retry_count": 7})
    assert not any("HEARTBEAT" in words for words in sent(state().with_channel(held), retried))


def test_a_new_channel_needs_a_host() -> None:
    with pytest.raises(CollectionError, match="source_host: needed"):
        plan(state(), Wanted("following"))


def test_a_plan_without_a_connection_cannot_be_applied() -> None:
    made = plan(state(), Wanted("following", settings=HELD))
    with pytest.raises(CollectionError, match="without a connection"):
        made.steps[0].execute()
