# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One process per lab that starts each node's containerd and kubelet, and starts them again.

It stands where systemd stands on a real node. It never ends pods: containerd and kubelet may be replaced
under running containers.
"""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import cgroups, nodes
from .definition import HostLink, Node
from .errors import LabError
from .progress import Report
from .state import Lab, note_process, noted_process, read_state
from .system import end, program, wait_until

LOG_LIMIT = 64 * 2**20
"""Bytes; a log beyond that starts anew, with one older copy kept."""
LONGEST_PAUSE = 5.0
"""Seconds between two starts of a program that keeps ending."""
CGROUP = "supervisor"


@dataclass
class Service:
    """One program that has to run on one node."""

    node: Node
    name: str
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def due(self, now: float) -> bool:
        """Return whether it has to be started now; more slowly when it keeps ending."""
        if self.process is not None and self.process.poll() is None:
            return False
        recent = [at for at in self.starts if now - at < 60]
        self.starts = recent
        return not recent or now - recent[-1] >= min(LONGEST_PAUSE, 0.5 * len(recent))


def kubelet_command(flags_file: str, program_file: Path) -> list[str]:
    """Return kubelet's command line; flags_file: the text that kubeadm wrote for it."""
    value = flags_file.strip().partition("=")[2]
    return [
        str(program_file),
        "--config=/var/lib/kubelet/config.yaml",
        "--config-dir=/etc/kubernetes/kubelet.conf.d",
        "--kubeconfig=/etc/kubernetes/kubelet.conf",
        "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
        *shlex.split(value.strip().strip('"')),
    ]


def kubelet_is_configured(lab: Lab, node: Node) -> bool:
    """Return whether kubeadm has written all that kubelet reads."""
    kubelet = nodes.disk(lab, node, "kubelet")
    etc = nodes.disk(lab, node, "kubernetes")
    return (
        (kubelet / "config.yaml").exists()
        and (kubelet / "kubeadm-flags.env").exists()
        and any((etc / name).exists() for name in ("kubelet.conf", "bootstrap-kubelet.conf"))
    )


def api_is_ready(address: str, port: int = 6443) -> bool:
    """Return whether the API server says that it is ready; it tells anyone who asks."""
    anyone = ssl.create_default_context()
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, port, timeout=1, context=anyone)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Supervisor:
    """The loop of `python3 roles/lab/files/lab supervise`."""

    def __init__(self, lab: Lab, cache: Path, api_server: str) -> None:
        self._lab = lab
        self._cache = cache
        self._api_server = api_server
        self._services = [
            Service(node, name)
            for name in ("containerd", "kubelet")
            for node in lab.definition.nodes
        ]

    def run(self) -> None:
        """Work until SIGTERM; then end the kubelets and containerds, and leave the pods alone."""
        signals = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self._end_orphans()
        while True:
            self._start_due()
            got = signal.sigtimedwait(signals, 0.5)
            if got is not None and got.si_signo != signal.SIGCHLD:
                break
        self._stop("kubelet")
        self._stop("containerd")

    def _end_orphans(self) -> None:
        """End kubelets and containerds of a supervisor that was killed: they'd hold locks and sockets."""
        for name in ("kubelet", "containerd"):
            for node in self._lab.definition.nodes:
                end({pid for pid in nodes.processes(self._lab, node) if program(pid) == name}, 10)

    def _start_due(self) -> None:
        for service in self._services:
            if service.due(time.monotonic()) and self._can_start(service):
                self._start(service)

    def _can_start(self, service: Service) -> bool:
        """Return whether a program finds what it needs.

        A worker's kubelet comes after the API server: one that finds none asks ever more rarely.
        """
        if service.name == "containerd":
            return True
        if not kubelet_is_configured(self._lab, service.node):
            return False
        return service.node.control_plane or api_is_ready(self._api_server)

    def _start(self, service: Service) -> None:
        """Start a program inside its node, in the node's cgroup."""
        log = self._lab.logs / f"{service.node.name}-{service.name}.log"
        rotate(log)
        cgroup = f"{self._lab.node_cgroup(service.node)}/{nodes.SYSTEM}"
        with log.open("ab") as output:
            service.process = subprocess.Popen(
                [*nodes.namespaces(self._lab, service.node).enter(), *self._argv(service)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self._environment(),
                preexec_fn=lambda: _before_start(cgroup),
            )
        service.starts.append(time.monotonic())
        print(f"{service.node.name}: {service.name} started", flush=True)

    def _argv(self, service: Service) -> list[str]:
        definition = self._lab.definition
        if service.name == "containerd":
            settings = self._lab.node_folder(service.node) / "containerd.toml"
            folder = self._cache / "bin" / f"containerd-{definition.containerd}"
            return [str(folder / "containerd"), "--config", str(settings)]
        flags = nodes.disk(self._lab, service.node, "kubelet") / "kubeadm-flags.env"
        folder = self._cache / "bin" / f"kubernetes-{definition.kubernetes}"
        return kubelet_command(flags.read_text(), folder / "kubelet")

    def _environment(self) -> dict[str, str]:
        shims = self._cache / "bin" / f"containerd-{self._lab.definition.containerd}"
        return {"PATH": f"{shims}:{SYSTEM_PATH}", "HOME": "/", "LANG": "C.UTF-8"}

    def _stop(self, name: str) -> None:
        running = [
            service.process
            for service in self._services
            if service.name == name
            and service.process is not None
            and service.process.poll() is None
        ]
        for process in running:
            process.terminate()
        if not wait_until(lambda: all(p.poll() is not None for p in running), seconds=10):
            for process in running:
                process.kill()
                process.wait()


SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _before_start(cgroup: str) -> None:
    """Run in the new process, before the program: it belongs to the node and takes signals again."""
    cgroups.join(cgroup)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def rotate(log: Path) -> None:
    """Begin a log anew when it has grown too long."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.rename(log.with_suffix(".log.old"))


def running_pid(lab: Lab) -> int | None:
    """Return the supervisor's pid, or None if it does not run."""
    return noted_process(lab.supervisor_pid)


def ensure(lab: Lab, cache: Path) -> bool:
    """Make the supervisor run; return whether it had to be started. Raises LabError."""
    if running_pid(lab) is not None:
        return False
    lab.logs.mkdir(parents=True, exist_ok=True)
    log = lab.logs / "supervisor.log"
    rotate(log)
    with log.open("ab") as output:
        subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve().parent), "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            env={
                **os.environ,
                "LAB": lab.name,
                "MYSQL_ON_KUBERNETES_LABS": str(lab.root),
                "MYSQL_ON_KUBERNETES_CACHE": str(cache),
            },
        )
    if not wait_until(lambda: running_pid(lab) is not None, seconds=20):
        raise LabError("The lab's supervisor does not start", [f"see {log}"], f"read {log}")
    return True


def supervise(lab: Lab, cache: Path) -> None:
    """Be the supervisor."""
    cgroups.ensure(f"{lab.cgroup}/{CGROUP}")
    cgroups.join(f"{lab.cgroup}/{CGROUP}")
    note_process(lab.supervisor_pid, os.getpid())
    state = read_state(lab)
    if state is None:
        raise LabError(f"There is no lab {lab.name!r}", [f"{lab.folder} holds none"], "make lab")
    Supervisor(lab, cache, str(HostLink(state.index).api_server)).run()


def stop(lab: Lab, report: Report) -> None:
    """End the supervisor, and with it kubelets and containerds."""
    pid = running_pid(lab)
    if pid is not None:
        report(f"supervisor: process {pid}, SIGTERM")
        end({pid}, 40)
    lab.supervisor_pid.unlink(missing_ok=True)
    cgroups.remove(f"{lab.cgroup}/{CGROUP}")
