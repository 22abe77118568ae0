# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MySQL on this machine by Compose, with whichever engine is there, played by local.yml as a user plays it.

The image is the one that `make lab` puts into the cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Connection,
    connect_tcp,
)

from tests.integration import servers
from tests.integration.runner import CHECKOUT
from tests.integration.site import Played

IMAGE = "docker.io/library/mysql:9.7"


def engine() -> str:
    """The engine that is there and answers, with its Compose; empty where there is none."""
    for name, compose in (
        ("docker", ["docker", "compose"]),
        ("docker", ["docker-compose"]),
        ("podman", ["podman-compose"]),
    ):
        if shutil.which(name) and shutil.which(compose[0]):
            asked = subprocess.run([name, "info"], capture_output=True, check=False)
            spoken = subprocess.run([*compose, "version"], capture_output=True, check=False)
            if asked.returncode == 0 and spoken.returncode == 0:
                return name
    return ""


ENGINE = engine()
# Of every test that needs an engine.
MARKS = (
    pytest.mark.long,
    pytest.mark.skipif(not ENGINE, reason="neither Docker with Compose nor podman-compose"),
)


def run(*command: str) -> str:
    done = subprocess.run([ENGINE, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


class Local:
    """One server, and the variables that it is played with."""

    def __init__(self, folder: Path, **variables: Any) -> None:
        self.name = f"steps-{uuid.uuid4().hex[:6]}"
        self.folder = folder
        self.port = servers.free_port()
        self.variables = {
            "ansible_python_interpreter": sys.executable,
            "local_name": self.name,
            "local_image": IMAGE,
            "local_folder": str(folder / "made"),
            "local_port": self.port,
            # Debian's Podman asks for more than a container of this machine may have.
            "local_ulimits": {"nofile": 1024, "nproc": 1024},
            **variables,
        }

    def play(self, *options: str, **variables: Any) -> Played:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("-i", "localhost,", "-c", "local", "playbooks/local.yml"),
                *("-e", json.dumps({**self.variables, **variables}), *options),
            ],
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Played(done.stdout)

    def connect(self, user: str = "root") -> Connection:
        which = "root-password" if user == "root" else "user-password"
        password = (self.folder / "made" / "inside" / which).read_text()
        return connect_tcp("127.0.0.1", self.port, user=user, password=password)

    def remove(self) -> None:
        subprocess.run([ENGINE, "rm", "--force", self.name], capture_output=True, check=False)
        for kind, name in (("volume", f"{self.name}-data"), ("network", f"{self.name}_default")):
            command = [ENGINE, kind, "rm", "--force", name]
            subprocess.run(command, capture_output=True, check=False)


def need_image() -> None:
    """Give the engine the image, or skip where nobody built it."""
    found = subprocess.run([ENGINE, "image", "inspect", IMAGE], capture_output=True, check=False)
    if found.returncode:
        archives = sorted((servers.cache() / "images").glob("mysql-9.7-*.tar"))
        if not archives:
            pytest.skip("no archive of mysql:9.7 in the cache: make lab")
        run("load", "--input", str(archives[-1]))
