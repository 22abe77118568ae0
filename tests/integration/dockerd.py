# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Docker daemon that nobody else sees: its bridge and its firewall are in a network namespace of its own.

Daemon and client are Debian's packages, unpacked and not installed, since an installed one would
start on the machine. Compose is its Go module. Both are made once, into the cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration import servers

PACKAGES = ("docker.io", "containerd", "runc")
COMPOSE = "github.com/docker/compose/v2"
RELEASE = "v2.32.4"
DEADLINE = 60.0


def _run(*command: str, cwd: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def programs() -> Path:
    """The root of the unpacked packages, keyed by their versions."""
    listed = _run("apt-cache", "show", "--no-all-versions", *PACKAGES)
    versions = [line.split()[1] for line in listed.splitlines() if line.startswith("Version:")]
    folder = servers.cache() / f"docker-{versions[0].replace(':', '_')}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as name:
            # Else apt says that its own user cannot write there.
            options = ("-o", "APT::Sandbox::User=root")
            _run("apt-get", *options, "download", *PACKAGES, cwd=Path(name))
            made = Path(name) / "tree"
            for package in sorted(Path(name).glob("*.deb")):
                _run("dpkg", "--extract", str(package), str(made))
            shutil.copytree(made, folder, symlinks=True)
    return folder


def compose() -> Path:
    """Compose as a plugin of the client: the folder that DOCKER_CONFIG names."""
    folder = servers.cache() / "bin" / f"docker-compose-{RELEASE}"
    program = folder / "cli-plugins" / "docker-compose"
    if not program.exists():
        with tempfile.TemporaryDirectory() as name:
            here = Path(name)
            # Not `go install`: the module replaces others, which only a main module may.
            _run("go", "mod", "init", "compose", cwd=here)
            _run("go", "get", "-tool", f"{COMPOSE}/cmd@{RELEASE}", cwd=here)
            flags = f"-X {COMPOSE}/internal.Version={RELEASE}"
            target = str(here / "docker-compose")
            command = ("go", "build", "-o", target, "-ldflags", flags, f"{COMPOSE}/cmd")
            _run(*command, cwd=here, CGO_ENABLED="0")
            program.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(target, program)
    return folder


@dataclass(frozen=True)
class Docker:
    """A running daemon: what leads into its network, and the environment of its client."""

    inside: list[str]
    environment: dict[str, str]

    def load(self, archive: Path, reference: str) -> None:
        """Give it an image of an archive of OCI's layout, which this release cannot read itself."""
        host = self.environment["DOCKER_HOST"]
        _run(
            *("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-daemon-host", host),
            *(f"oci-archive:{archive}", f"docker-daemon:{reference}"),
        )


@contextmanager
def running(folder: Path) -> Iterator[Docker]:
    """Run a daemon whose state is in a folder, and end it."""
    tree = programs()
    socket = folder / "docker.sock"
    environment = {
        **os.environ,
        "PATH": f"{tree}/usr/sbin:{tree}/usr/bin:{os.environ['PATH']}",
        "DOCKER_HOST": f"unix://{socket}",
        "DOCKER_CONFIG": str(compose()),
    }
    command = (
        f"ip link set lo up && exec dockerd --host unix://{socket} --pidfile {folder}/pid"
        f" --data-root {folder}/data --exec-root {folder}/exec"
    )
    with (folder / "log").open("wb") as log:
        # unshare becomes the daemon: its process is the one that is ended.
        process = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", command],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, environment, folder)
        yield Docker(["nsenter", f"--net=/proc/{process.pid}/ns/net", "--"], environment)
    finally:
        process.terminate()
        process.wait(DEADLINE)


def _wait(process: subprocess.Popen[bytes], environment: dict[str, str], folder: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while subprocess.run(
        ["docker", "info"], env=environment, capture_output=True, check=False
    ).returncode:
        assert process.poll() is None, (folder / "log").read_text()[-3000:]
        assert time.monotonic() < deadline, (folder / "log").read_text()[-3000:]
        time.sleep(0.2)
