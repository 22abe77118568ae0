# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A package index on the lab's LAN: the wheels of requirements/*.txt in a folder that pip reads.

It stands where PyPI, or a company's mirror of it, stands for other clusters. The folder only grows: labs
and checkouts share it. Source of its form: PEP 503, whose pages are the listings of the folders.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from . import cgroups, network
from .definition import Definition
from .errors import LabError
from .progress import Report
from .run import exclusive, run
from .state import Lab, note_process, noted_process
from .system import command, end, wait_until

REQUIREMENTS = Path(__file__).resolve().parents[4] / "requirements"
PYTHON = "3.13"
"""Of the lab's image python:3.13-slim."""
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
PORT = 8080
CGROUP = "index"
PROBE = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=2)
connection.request("GET", "/simple/")
sys.exit(connection.getresponse().status != 200)
"""


def address(definition: Definition) -> str:
    """Return the index's URL, as pip takes it."""
    return f"http://{definition.gateway}:{PORT}/simple"


def folder(cache: Path) -> Path:
    """Return what is served."""
    return cache / "wheels"


def project(file_name: str) -> str:
    """Return the name of a wheel's project as an index has it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", file_name.partition("-")[0]).lower()


def _sets() -> list[Path]:
    return sorted(REQUIREMENTS.glob("*.txt"))


def _mark(cache: Path) -> Path:
    """Return the file that says that all wheels of this checkout's sets are there."""
    digest = hashlib.sha256("\n".join([PYTHON, platform.machine(), *PLATFORMS]).encode())
    for file in _sets():
        digest.update(file.read_bytes())
    return folder(cache) / f".complete-{digest.hexdigest()[:12]}"


def is_filled(cache: Path) -> bool:
    """Return whether the folder has every wheel that this checkout's Pods may ask for."""
    return _mark(cache).is_file()


def fill(cache: Path, report: Report) -> bool:
    """Get the wheels that the folder lacks; return whether any had to be. Raises LabError."""
    with exclusive(cache, report):
        if is_filled(cache):
            return False
        simple = folder(cache) / "simple"
        simple.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder(cache)) as work:
            for file in _sets():
                report(f"wheels of {file.name}")
                _download(file, Path(work), cache, report)
            for wheel in sorted(Path(work).glob("*.whl")):
                place = simple / project(wheel.name)
                place.mkdir(exist_ok=True)
                wheel.replace(place / wheel.name)
        _mark(cache).touch()
    return True


def _download(file: Path, target: Path, cache: Path, report: Report) -> None:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    argv += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--python-version", PYTHON]
    argv += [f"--platform={each}_{platform.machine()}" for each in PLATFORMS]
    argv += ["--dest", str(target), "--requirement", str(file)]
    run(
        argv,
        what=f"Getting the wheels of {file.name}",
        log=cache / "logs" / "wheels.log",
        report=report,
    )


def running_pid(lab: Lab) -> int | None:
    """Return the server's pid, or None if it does not run."""
    return noted_process(lab.index_pid)


def answers(lab: Lab) -> bool:
    """Return whether the index answers on the LAN."""
    bridge = network.machine(lab, network.BRIDGE)
    argv = [*bridge.enter(), sys.executable, "-c", PROBE, lab.definition.gateway, str(PORT)]
    return command(argv, check=False, timeout=10).returncode == 0


def ensure(lab: Lab, cache: Path) -> bool:
    """Make the index answer; return whether it had to be started. Raises LabError."""
    if running_pid(lab) is not None and answers(lab):
        return False
    stop(lab)
    lab.logs.mkdir(parents=True, exist_ok=True)
    cgroup = f"{lab.cgroup}/{CGROUP}"
    cgroups.ensure(cgroup)
    bridge = network.machine(lab, network.BRIDGE)
    log = lab.logs / "index.log"
    argv = [*bridge.enter(), sys.executable, "-m", "http.server", str(PORT)]
    argv += ["--bind", lab.definition.gateway, "--directory", str(folder(cache))]
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            preexec_fn=lambda: cgroups.join(cgroup),
        )
    note_process(lab.index_pid, process.pid)
    if not wait_until(lambda: answers(lab), seconds=20):
        raise LabError(
            f"The lab's package index does not answer at {address(lab.definition)}",
            log.read_text(errors="replace").splitlines()[-4:],
            f"read {log}",
        )
    return True


def stop(lab: Lab) -> None:
    """End the server."""
    pid = running_pid(lab)
    if pid is not None:
        end({pid}, 10)
    lab.index_pid.unlink(missing_ok=True)
    cgroups.remove(f"{lab.cgroup}/{CGROUP}")
