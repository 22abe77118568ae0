# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.loadtest import client, remote


def job(app: Any, **changed: Any) -> dict[str, Any]:
    return {
        "do": "load",
        "url": app.url,
        "host_header": "",
        "request_timeout": 5,
        "allow_public": False,
        "reads": 60,
        "writes": 6,
        "concurrency": 4,
        "max_seconds": 30,
        "read_path": "/bucket/whoami",
        "write_path": "/bucket/write",
        **changed,
    }


@pytest.fixture
def send() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Run the client program as it runs anywhere: its text on the standard input of python3."""
    return lambda job: remote.run([], job, seconds=30, tell=lambda line: None)


def test_the_load_is_what_was_asked_for(app: Any, send: Any) -> None:
    figures = send(job(app, host_header="employees.test"))
    assert figures["requests"] == 66
    assert figures["reads"] == {"uuid-11": 30, "uuid-12": 30}
    assert figures["writes"] == {"uuid-1": 6}
    assert figures["errors"] == {}
    assert figures["address"] == "127.0.0.1"
    assert set(app.seen) == {
        ("GET", "/bucket/whoami", "employees.test"),
        ("POST", "/bucket/write", "employees.test"),
    }


def test_every_request_is_a_connection_of_its_own(app: Any, send: Any) -> None:
    send(job(app))
    assert len(set(app.peers)) == 66


def test_errors_are_told_by_kind_with_the_cause_that_the_app_names(app: Any, send: Any) -> None:
    app.answers["/bucket/write"] = (503, {"error": {"cause": "database.unreachable"}})
    app.answers["/bucket/whoami"] = (200, "<html>another app</html>")
    figures = send(job(app))
    assert figures["errors"] == {"http_503 database.unreachable": 6, "no_server_uuid": 60}
    assert "another app" in figures["error_examples"]["no_server_uuid"]
    assert figures["reads"] == {}


def test_nobody_listens(send: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        app = type("Nobody", (), {"url": f"http://127.0.0.1:{taken.getsockname()[1]}"})
        assert send(job(app, reads=3, writes=0))["errors"] == {"refused": 3}


def test_a_load_ends_when_its_time_is_over(app: Any, send: Any) -> None:
    figures = send(job(app, max_seconds=0))
    assert figures["requests"] == 0


def test_a_public_address_is_refused_before_anything_is_sent(send: Any) -> None:
    app = type("Public", (), {"url": "http://192.0.3.1"})
    with pytest.raises(CollectionError, match="not a private address"):
        send(job(app))


def test_an_unknown_name_is_refused(send: Any) -> None:
    app = type("Unknown", (), {"url": "http://no-such-name.invalid"})
    with pytest.raises(CollectionError, match=r"no-such-name\.invalid is not known there"):
        send(job(app))


@pytest.mark.parametrize(("reads", "writes"), [(2000, 200), (1, 0), (3, 7), (5, 5), (7, 2)])
def test_writes_are_spread_among_the_reads(reads: int, writes: int) -> None:
    kinds = client.schedule(reads, writes)
    assert kinds.count("read") == reads
    assert kinds.count("write") == writes
    if writes and reads >= writes:
        first_half = kinds[: len(kinds) // 2].count("write")
        assert abs(first_half - writes / 2) <= 1


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_percentiles_by_nearest_rank(share: float, expected: float) -> None:
    assert client.percentile([float(value) for value in range(1, 101)], share) == expected


def test_percentiles_of_little() -> None:
    assert client.latencies([]) == {"p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}
    assert client.latencies([7.0]) == {"p50": 7.0, "p95": 7.0, "p99": 7.0, "max": 7.0}


@pytest.mark.parametrize("command", [["false"], ["/nowhere/ssh", "student@host"]])
def test_a_client_command_that_does_not_work_is_named(app: Any, command: list[str]) -> None:
    with pytest.raises(CollectionError) as caught:
        remote.run(command, job(app), seconds=5, tell=lambda line: None)
    finding = caught.value.findings[0]
    assert finding.code == "load.client_unusable"
    assert finding.subject.startswith(command[0])
    assert app.seen == []


def test_progress_says_how_far_and_how_fast(app: Any) -> None:
    lines: list[str] = []
    remote.run([], job(app), seconds=30, tell=lines.append)
    assert lines[-1].startswith("66 of 66 requests, ")
    assert "0 failed" in lines[-1]
