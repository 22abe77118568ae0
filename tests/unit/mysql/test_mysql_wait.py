# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a wait ends: not at the first good sign, and not later than hope does."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.replication import (
    hopeless,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import replication
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection

GOOD: dict[str, Any] = {
    "receiver": "running",
    "applier": "running",
    "source_log_file": "binlog.000001",
    "source_uuid": "u",
}
CONNECTING = {**GOOD, "receiver": "connecting", "source_log_file": ""}
UNREACHABLE = {**CONNECTING, "receiver_errno": 2003}
PURGED = {**GOOD, "receiver": "stopped", "receiver_errno": 13114}
ACCEPTED_BY_NOBODY = {**GOOD, "source_log_file": ""}


def waited(
    monkeypatch: pytest.MonkeyPatch,
    seen: list[dict[str, Any] | None],
    timeout: float = 60,
    earlier: dict[str, Any] | None = None,
) -> tuple[replication.Channel | None, int]:
    """Return how the wait ended, and how many observations it had left."""
    known = None if earlier is None else replication.Channel("", {}, **earlier)
    left = list(seen)

    def observe(_connection: Connection) -> tuple[replication.Channel, ...]:
        options = left.pop(0)
        return () if options is None else (replication.Channel("", {}, **options),)

    monkeypatch.setattr(replication, "observe_channels", observe)
    monkeypatch.setattr(replication, "POLL_SECONDS", 0)
    connection = cast(Connection, None)
    channels = replication.wait_following(connection, "", timeout, hopeless, known)
    return replication.named(channels, ""), len(left)


def test_two_good_signs_in_a_row_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, left = waited(monkeypatch, [CONNECTING, UNREACHABLE, GOOD, GOOD, PURGED])
    assert channel is not None
    assert channel.following
    assert left == 1


def test_a_source_that_accepts_and_then_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, _left = waited(monkeypatch, [CONNECTING, GOOD, PURGED])
    assert channel is not None
    assert channel.receiver_errno == 13114


def test_who_was_seen_following_is_looked_at_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, left = waited(monkeypatch, [GOOD, GOOD], earlier=GOOD)
    assert (channel is not None and channel.following, left) == (True, 1)
    for refused in (PURGED, ACCEPTED_BY_NOBODY):
        channel, left = waited(monkeypatch, [refused, PURGED], earlier=GOOD)
        assert channel is not None
        assert not channel.following
    for earlier in (CONNECTING, ACCEPTED_BY_NOBODY):
        channel, left = waited(monkeypatch, [GOOD, PURGED], earlier=earlier)
        assert channel is not None
        assert channel.receiver_errno == 13114


def test_running_threads_alone_are_not_following(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, _left = waited(monkeypatch, [ACCEPTED_BY_NOBODY, ACCEPTED_BY_NOBODY, GOOD, GOOD])
    assert channel is not None
    assert channel.source_log_file


def test_no_wait_without_hope_and_none_past_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    for seen, timeout in (([PURGED, GOOD], 60), ([UNREACHABLE, GOOD], 0), ([None, GOOD], 60)):
        channel, left = waited(monkeypatch, seen, timeout)
        assert channel is None or not channel.following
        assert left == 1
