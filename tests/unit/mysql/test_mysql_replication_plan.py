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
        "STOP REPLICA FOR CHANNEL ''",
        "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 60 FOR CHANNEL ''",
        "START REPLICA FOR CHANNEL ''",
    ]


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


def test_a_position_is_needed_where_gtids_do_not_tell() -> None:
    by_file = {**HELD, "auto_position": False}
    with pytest.raises(CollectionError, match="source_log_file, source_log_pos"):
        plan(state(), Wanted("following", settings=by_file))
    placed = Wanted("following", settings=by_file, log_file="binlog.000002", log_pos=157)
    assert "SOURCE_LOG_FILE = 'binlog.000002', SOURCE_LOG_POS = 157" in sent(state(), placed)[0]
    settled = state().with_channel(Channel("", by_file, receiver="running", applier="running"))
    assert sent(settled, placed) == [], "the position moves on: it is no setting"


def test_a_new_channel_needs_a_host() -> None:
    with pytest.raises(CollectionError, match="source_host: needed"):
        plan(state(), Wanted("following"))


def test_a_plan_without_a_connection_cannot_be_applied() -> None:
    made = plan(state(), Wanted("following", settings=HELD))
    with pytest.raises(CollectionError, match="without a connection"):
        made.steps[0].execute()
