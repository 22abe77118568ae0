# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""playbooks/recover.yml as a person runs it: the plan in words, in both languages, and refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.runner import CHECKOUT
from tests.unit.binlog.archives import make_archive
from tests.unit.binlog.binlog_files import UUIDS

pytestmark = pytest.mark.servers
VERSION = "9.7.4"


def recover(**variables: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/recover.yml"),
            *("--tags", "recover", "-e", json.dumps(variables)),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("First left out:", "Lost with it:")),
        pytest.param("ko", ("처음으로 빠지는 것:", "함께 잃는 것:"), marks=pytest.mark.long),
    ],
)
def test_the_plan_is_shown_before_anything_is_touched(
    tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    archive = make_archive(tmp_path / "archive", VERSION)
    scratch = tmp_path / "scratch"
    done = recover(
        recovery_archive=str(archive),
        recovery_target={"before": {"statement": "DROP", "table": "shop.small"}},
        recovery_scratch_folder=str(scratch),
        recovery_action="plan",
        cluster_language=language,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for word in (*words, f"{UUIDS[VERSION]}:10", "DROP TABLE"):
        assert word in done.stdout, done.stdout
    assert not scratch.exists()


def test_what_was_not_agreed_to_is_not_done(tmp_path: Path) -> None:
    """Without a person to answer, a question is answered by nothing."""
    archive = make_archive(tmp_path / "archive", VERSION)
    scratch = tmp_path / "scratch"
    done = recover(
        recovery_archive=str(archive),
        recovery_target={"latest": True},
        recovery_scratch_folder=str(scratch),
    )
    assert done.returncode
    assert "Nothing was written" in done.stdout
    assert not scratch.exists()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    done = recover(recovery_archive=str(tmp_path), recovery_action="plan")
    assert done.returncode
    assert "recovery_target (empty)" in done.stdout
