# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long programs: what a person reads while they run and when they fail."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from roles.lab.files.lab import run as running
from roles.lab.files.lab.errors import LabError
from roles.lab.files.lab.progress import elapsed_text, reporter


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "work.log"


def quiet(_line: str) -> None:
    return None


def test_the_last_line_of_a_program_comes_back(log):
    said = running.run(["sh", "-c", "echo one; echo two"], what="Counting", log=log, report=quiet)
    assert said == "two"
    assert "one" in log.read_text()


def test_a_failure_shows_the_program_s_own_last_words(log):
    with pytest.raises(LabError) as failed:
        running.run(["sh", "-c", "echo no route; exit 7"], what="Fetching", log=log, report=quiet)
    lines = str(failed.value).splitlines()
    assert lines[0] == "Fetching failed with exit code 7"
    assert lines[1] == "  proof: no route"
    assert str(log) in lines[-1]


def test_a_failure_does_not_show_what_an_earlier_program_said(log):
    running.run(["echo", "fine so far"], what="Preparing", log=log, report=quiet)
    with pytest.raises(LabError) as failed:
        running.run(["sh", "-c", "exit 1"], what="Fetching", log=log, report=quiet)
    assert "fine so far" not in str(failed.value)


def test_a_long_program_gives_signs_of_life_with_what_it_last_said(log, monkeypatch):
    monkeypatch.setattr(running, "HEARTBEAT", 0.05)
    gate = log.parent.parent / "gate"
    os.mkfifo(gate)
    said: list[str] = []

    def report(line: str) -> None:
        if "half way" in line and not said:
            said.append(line)
            gate.write_text("go on\n")

    script = f"echo half way; read -r line < {gate}"
    running.run(["sh", "-c", script], what="Working", log=log, report=report)
    assert said


def test_a_program_that_is_not_there_is_named(log):
    with pytest.raises(LabError, match="needs the program no-such-program"):
        running.run(["no-such-program"], what="Building", log=log, report=quiet)
    with pytest.raises(LabError, match="needs the program no-such-program"):
        running.output(["no-such-program"], what="Asking")


SECOND_BUILD = """
import sys
from pathlib import Path
from roles.lab.files.lab import run
run.HEARTBEAT = 0.05
with run.exclusive(Path(sys.argv[1]), lambda line: print(line, flush=True)):
    print("built", flush=True)
"""


def test_a_second_build_waits_for_the_first_and_says_so(tmp_path):
    argv = [sys.executable, "-c", SECOND_BUILD, str(tmp_path)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        with running.exclusive(tmp_path, quiet):
            first = other.stdout.readline()
        rest = other.stdout.read()
    assert "waiting for it" in first
    assert rest.splitlines()[-1] == "built"
    assert other.returncode == 0


def test_durations_read_as_a_person_says_them():
    assert elapsed_text(7.9) == "7 s"
    assert elapsed_text(185) == "3 min 05 s"


def test_progress_lines_carry_the_time_since_the_start():
    out = io.StringIO()
    reporter(out)("building etcd")
    assert out.getvalue().endswith("s] building etcd\n")
