# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.loadtest import (
    load,
    options,
    paths,
)


def params(app: Any, *wanted: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "url": app.url,
        "host_header": "",
        "client_command": [],
        "request_timeout": 5,
        "allow_public": False,
        "progress_file": None,
        "language": "en",
        "wait": 0,
        "paths": [{"status": 200, "contains": "", **one} for one in wanted],
        **changed,
    }


def test_paths_that_answer(app: Any, tmp_path: Path) -> None:
    app.answers = {"/": (200, "<h1>Home</h1>"), "/bucket": (200, {"app": "Employees API"})}
    progress = tmp_path / "progress"
    result = paths.work(
        params(
            app,
            {"path": "/", "contains": "Home"},
            {"path": "/bucket", "contains": "Employees API"},
            progress_file=str(progress),
        )
    )
    assert result["changed"] is False
    assert [one["status"] for one in result["paths"]] == [200, 200]
    assert all(one["ok"] for one in result["paths"])
    assert progress.read_text().splitlines() == ["/: 200", "/bucket: 200"]


def test_each_cause_has_its_name(app: Any) -> None:
    app.answers = {
        "/vew": (404, "404 page not found"),
        "/view": (503, {"error": {"cause": "database.unreachable"}}),
        "/bucket": (200, "somebody else"),
    }
    wanted = [{"path": path, "contains": "Employees"} for path in app.answers]
    with pytest.raises(CollectionError) as caught:
        paths.work(params(app, *wanted, host_header="employees.test"))
    assert [one.code for one in caught.value.findings] == [
        "path.not_found",
        "path.unavailable",
        "path.unexpected",
    ]
    assert caught.value.message == "3 of 3 paths do not answer as they should"
    assert caught.value.findings[0].subject == "http://employees.test/vew"
    assert "database.unreachable" in caught.value.findings[1].proof[0]
    assert [one["ok"] for one in caught.value.details["paths"]] == [False] * 3


def test_a_path_is_waited_for(app: Any) -> None:
    answers = iter([(404, "not yet"), (503, "not yet"), (200, "here")])
    real = app.answer
    app.answer = lambda *request: (real(*request), next(answers))[1]
    result = paths.work(params(app, {"path": "/"}, wait=30))
    assert result["paths"][0]["status"] == 200
    assert len(app.seen) == 3


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "https://127.0.0.1"}, "url: 'https://127.0.0.1' is not allowed"),
        ({"url": "http://127.0.0.1/bucket"}, "without a path"),
        ({"wait": 601}, "wait: 601 is not allowed; it is a whole number from 0 to 600"),
        ({"request_timeout": 0}, "request_timeout: 0 is not allowed"),
        ({"paths": []}, "paths: .* is not allowed"),
        ({"paths": [{"path": "vew"}]}, "paths: 'vew' is not allowed"),
        ({"paths": [{"path": "/a b"}]}, "paths: '/a b' is not allowed"),
    ],
)
def test_bad_input_is_named_and_nothing_is_sent(
    app: Any, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(CollectionError, match=words):
        paths.work({**params(app, {"path": "/"}), **changed})
    assert app.seen == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("reads", 0), ("reads", 100_001), ("writes", -1), ("concurrency", 65), ("max_seconds", 0)],
)
def test_the_load_is_bounded(app: Any, option: str, value: int) -> None:
    with pytest.raises(CollectionError, match=f"{option}: {value} is not allowed"):
        load.work({**params(app), option: value})


def test_a_write_path_begins_with_a_slash(app: Any) -> None:
    with pytest.raises(CollectionError, match="write_path: 'write' is not allowed"):
        options.validate({**params(app), "write_path": "write"})
