# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The course as a student takes it: every command of its page, as it stands, on a lab of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import fixes, second_lab
from tests.integration import cluster
from tests.integration.course_pages import PAGES, commands
from tests.integration.runner import CHECKOUT

pytestmark = [*cluster.MARKS, pytest.mark.long]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a student's shell: kubectl is the lab's."""
    second_lab.bring_up()
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\nexec {fixes.kubectl()} --kubeconfig {second_lab.KUBECONFIG} "$@"\n'
    )
    kubectl.chmod(0o755)
    given = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    programs = Path(sys.executable).parent
    path = f"{tmp_path}:{programs}:{os.environ['PATH']}"
    return {**given, "LAB": second_lab.LAB, "PATH": path, "ANSIBLE_NOCOLOR": "1"}


def test_every_command_does_what_the_page_says(environment: dict[str, str]) -> None:
    try:
        for command in commands(PAGES[0]):
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command.text],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert bool(done.returncode) == command.fails, f"{command.text}\n{done.stdout}"
            missing = command.missing(done.stdout)
            assert not missing, f"{command.text}\ndoes not print: {missing}\n{done.stdout}"
    finally:
        remove = ["kubectl", "delete", "namespace", "mysql", "--ignore-not-found"]
        subprocess.run(remove, env=environment, check=True)
