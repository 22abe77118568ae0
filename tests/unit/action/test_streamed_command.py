"""What a user sees of a program that streamed_command runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils import streamed
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils.progress import (
    Progress,
    clock_text,
)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(code: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    shown: list[str] = []
    progress = Progress(shown.append)
    ended = streamed.run([sys.executable, "-c", code], progress, **options)
    return streamed.interpret(ended, progress.tail), shown


def test_lines_are_shown_as_they_come_and_the_object_is_the_result() -> None:
    result, shown = run(
        "import sys; print('half', file=sys.stderr); print('{\"changed\": true, \"made\": 3}')"
    )
    assert result == {"changed": True, "made": 3}
    assert [line.split("| ")[1] for line in shown] == ["half"]


def test_silence_is_broken_by_the_last_line_and_the_elapsed_time() -> None:
    clock, shown = Clock(), []
    progress = Progress(shown.append, clock=clock)
    progress.line("building kubelet")
    clock.now = 4.9
    progress.beat()
    assert len(shown) == 1
    clock.now = 65
    progress.beat()
    assert shown[1].strip() == "1:05 | ... building kubelet"
    assert progress.due_in() == 5


def test_a_carriage_return_shows_what_is_left_of_the_line() -> None:
    shown: list[str] = []
    Progress(shown.append).line("10 %\r20 %\r\n")
    assert shown[0].endswith("| 20 %")


def test_a_failure_says_what_first_then_the_last_lines() -> None:
    result, _shown = run("import sys; print('no space left', file=sys.stderr); sys.exit(7)")
    lines = result["msg"].splitlines()
    assert result["failed"]
    assert result["rc"] == 7
    assert lines[0].endswith("failed with exit code 7")
    assert lines[1] == "  proof: no space left"
    assert lines[-1].startswith("  next:")


def test_the_programs_own_message_comes_first() -> None:
    said = json.dumps({"failed": True, "msg": "Port 6443 is taken", "port": 6443})
    result, _shown = run(f"import sys; print('''{said}'''); sys.exit(1)")
    assert result["msg"].splitlines()[0] == "Port 6443 is taken"
    assert result["port"] == 6443


def test_output_that_is_no_object_fails_although_the_exit_code_is_zero() -> None:
    for output, word in (
        ("hello", "hello"),
        ("[1]", "list"),
        ("", "no JSON object"),
        ("{}", "changed"),
    ):
        result, _shown = run(f"print({output!r})")
        assert result["failed"], output
        assert word in result["msg"].splitlines()[0]


def test_a_daemon_left_behind_does_not_hold_the_task() -> None:
    code = (
        "import subprocess, json;"
        "p = subprocess.Popen(['sleep', '60'], start_new_session=True);"
        "print(json.dumps({'changed': True, 'pid': p.pid}))"
    )
    result, _shown = run(code)
    subprocess.run(["kill", str(result["pid"])], check=True)
    assert result["changed"]


def test_folder_and_environment_reach_the_program(tmp_path: Path) -> None:
    result = "{'changed': False, 'w': os.getcwd(), 'l': os.environ['LAB']}"
    code = f"import os, json; print(json.dumps({result}))"
    result, _shown = run(code, chdir=str(tmp_path), environment={"LAB": "second"})
    assert result["w"] == str(tmp_path)
    assert result["l"] == "second"


def test_hours_are_shown_from_one_hour_on() -> None:
    assert clock_text(59.9) == "0:59"
    assert clock_text(3725) == "1:02:05"


def test_the_title_comes_once_before_the_first_line() -> None:
    shown: list[str] = []
    progress = Progress(shown.append, title="Build the lab")
    progress.line("one")
    progress.line("two")
    assert shown[0] == "\nBuild the lab ..."
    assert len(shown) == 3
