# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of roles/local, asked again with a real Docker and its Compose."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import dockerd, servers
from tests.integration.local import IMAGE
from tests.integration.runner import CHECKOUT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed"),
]


def test_all_of_it_with_docker_and_compose(tmp_path: Path) -> None:
    archives = sorted((servers.cache() / "images").glob("mysql-9.7-*.tar"))
    if not archives:
        pytest.skip("no archive of mysql:9.7 in the cache: make lab")
    with dockerd.running(tmp_path) as docker:
        docker.load(archives[-1], IMAGE)
        done = subprocess.run(
            # Inside of its network, where the published ports are; Docker is asked for first.
            [*docker.inside, sys.executable, "-m", "pytest", "-rs", "--quiet", "-m", "long"]
            + ["tests/integration/test_local.py", "tests/faults/test_local_faults.py"],
            cwd=CHECKOUT,
            env=docker.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "skipped" not in done.stdout, done.stdout[-3000:]
