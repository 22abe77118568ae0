# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is sent to a Pod of a recovery, what comes back, and where the server's programs are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.exec import (
    ERRORS,
    OUTPUT,
    Collector,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.tunnel import BINARY
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery import remote

from tests.unit.binlog.archives import make_archive


def request(archive: Path, **changed: object) -> dict[str, object]:
    target = {"before": {"statement": "DROP", "table": "shop.small"}}
    given = {"action": "plan", "archive": str(archive), "target": target, "language": "en"}
    return {**given, "login_password": "secret", "count_rows": True, **changed}


def test_no_password_is_sent(tmp_path: Path) -> None:
    words = remote.command(request(tmp_path), False)
    assert not any("secret" in word for word in words)


def test_a_pod_answers_as_the_module_does(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", "9.7.4")
    said: list[str] = []
    words = remote.command(request(archive), False)[-1]
    printed = json.dumps(remote.perform_here(words, said.append))
    assert remote.answer(0, printed, "")["plan"]["transactions"] == 10
    assert said


def test_a_failure_keeps_its_cause(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", "9.7.4")
    future = request(archive, target={"time": "2999-01-01T00:00:00Z"}, language="ko")
    printed = json.dumps(remote.perform_here(remote.command(future, False)[-1], lambda _line: None))
    with pytest.raises(CollectionError) as error:
        remote.answer(0, printed, "")
    assert [finding.code for finding in error.value.findings] == ["binlog.beyond_archive"]
    assert "아카이브" in error.value.findings[0].summary


def test_a_pod_that_says_nothing_is_told_with_its_last_words() -> None:
    with pytest.raises(CollectionError, match="ended with 137: Killed"):
        remote.answer(137, "", "Killed")


def test_the_servers_container_is_known_by_its_process(tmp_path: Path) -> None:
    for pid, words in (("1", b"/pause\0"), ("7", b"sleep\0002147483000\0"), ("self", b"x")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_bytes(words)
    assert remote.servers_root(tmp_path) == str(tmp_path / "7" / "root")
    (tmp_path / "7" / "cmdline").write_bytes(b"sleep\0002147483001\0")
    with pytest.raises(CollectionError):
        remote.servers_root(tmp_path)


def test_progress_is_told_line_by_line() -> None:
    told: list[str] = []
    collector = Collector(told.append)
    for channel, text in ((ERRORS, b"one\ntw"), (OUTPUT, b"{}"), (ERRORS, b"o\nthree\n")):
        collector.take(BINARY, bytes([channel]) + text)
    assert told == ["one", "two", "three"]
