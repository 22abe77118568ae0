# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A second lab that nobody else uses, for faults of a whole cluster (LAB=faults; FAULTS_LAB names another).

It is made where it is not there (two minutes) and left running; ``LAB=faults make lab-reset`` removes it.
So is a third one without addons (LAB=bare), for what is installed where it is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

from roles.lab.files.lab import cgroups
from roles.lab.files.lab.system import wait_until
from tests.integration import cluster
from tests.integration.runner import CHECKOUT

LAB = os.environ.get("FAULTS_LAB", "faults")
BARE = os.environ.get("BARE_LAB", "bare")


def kubeconfig(lab: str) -> str:
    """Path of the kubeconfig of a lab beside the default one."""
    return str(CHECKOUT / ".lab" / f"kubeconfig-{lab}")


KUBECONFIG = kubeconfig(LAB)
FOLDER = Path("/var/lib/mysql_on_kubernetes/labs") / LAB


def bring_up(lab: str = LAB, **environment: str) -> None:
    """Make a lab, or bring it back; environment: what it is made with beside its name."""
    done = subprocess.run(
        ["make", "lab"],
        cwd=CHECKOUT,
        env={**os.environ, "LAB": lab, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def api_server() -> int:
    """The process of its API server: the one in the network namespace of its control plane."""
    inside = (FOLDER / "namespaces" / "cp1.net").stat().st_ino
    for path in Path("/proc").glob("[0-9]*"):
        try:
            name = (path / "comm").read_text().strip()
            if name.startswith("kube-apiserver") and (path / "ns" / "net").stat().st_ino == inside:
                return int(path.name)
        except OSError:
            continue
    raise AssertionError(f"no API server of the lab {LAB} runs")


def cut_power(node: str) -> None:
    """Cut a node off, and end all that runs on it at once; bring_up() switches it on again.

    Nobody is told that a connection ended. What would start its containerd and kubelet anew ends
    first; bring_up() has another one.
    """
    down = [*cluster.node(node, "net", lab=LAB), "ip", "link", "set", "eth0", "down"]
    subprocess.run(down, check=True)
    supervisor = json.loads((FOLDER / "supervisor.json").read_text())["pid"]
    os.kill(supervisor, signal.SIGKILL)

    def dead() -> bool:
        left = cgroups.processes(f"mysql_on_kubernetes/{LAB}/{node}")
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not left

    assert wait_until(dead, seconds=30), f"processes of {node} do not end"
