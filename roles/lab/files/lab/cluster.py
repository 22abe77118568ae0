# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Kubernetes on the nodes: kubeadm's configuration, init and join."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import cgroups, nodes, supervisor
from .definition import Definition, HostLink, Node
from .errors import LabError
from .progress import Report
from .state import Lab, State, remember, write_file
from .system import command, end, program, wait_until

API_PORT = 6443
SOCKET = "unix:///run/containerd/containerd.sock"
INIT_SECONDS = 300.0
JOIN_SECONDS = 240.0
API_SECONDS = 120.0
DISKS_OF_KUBEADM = ("kubelet", "kubernetes", "etcd")
"""What an init or a join that did not end leaves half done. No user's data lies there yet."""


@dataclass(frozen=True)
class Token:
    """What a node shows to join; `secret` is one."""

    secret: str
    ca_hash: str


def server(address: object) -> str:
    """Return the API server's URL at an address."""
    return f"https://{address}:{API_PORT}"


def documents(parts: Sequence[dict[str, Any]]) -> str:
    """Return objects as a text of several documents that YAML readers take."""
    return "\n---\n".join(json.dumps(part, indent=1) for part in parts) + "\n"


def init_settings(definition: Definition, name: str, link: HostLink) -> str:
    """Return the configuration for kubeadm init. Source: kubeadm.k8s.io/v1beta4."""
    return documents(
        [
            {
                **_kubeadm("InitConfiguration"),
                "localAPIEndpoint": {
                    "advertiseAddress": definition.control_plane.address,
                    "bindPort": API_PORT,
                },
                "nodeRegistration": _registration(definition.control_plane),
            },
            {
                **_kubeadm("ClusterConfiguration"),
                "clusterName": name,
                "kubernetesVersion": f"v{definition.kubernetes}",
                "apiServer": {"certSANs": [str(link.api_server)]},
                "dns": {"imageTag": f"v{definition.coredns}"},
                "etcd": {"local": {"dataDir": nodes.DISKS["etcd"]}},
                "networking": {"serviceSubnet": definition.services},
            },
            _kubelet_settings(definition),
            _proxy_settings(definition),
        ]
    )


def join_settings(definition: Definition, node: Node, token: Token) -> str:
    """Return the configuration for kubeadm join."""
    discovery = {
        "apiServerEndpoint": f"{definition.control_plane.address}:{API_PORT}",
        "token": token.secret,
        "caCertHashes": [token.ca_hash],
    }
    return documents(
        [
            {
                **_kubeadm("JoinConfiguration"),
                "discovery": {"bootstrapToken": discovery},
                "nodeRegistration": _registration(node),
            }
        ]
    )


def _kubeadm(kind: str) -> dict[str, Any]:
    return {"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": kind}


def _registration(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "criSocket": SOCKET,
        "imagePullPolicy": "IfNotPresent",
        # No systemd here, and perhaps version 1 of cgroups: kubeadm's checks know neither.
        "ignorePreflightErrors": ["all"],
        "kubeletExtraArgs": [{"name": "node-ip", "value": node.address}],
    }


def _kubelet_settings(definition: Definition) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [definition.dns],
        "resolvConf": "/etc/kubernetes/resolv.conf",
        # Images come from no registry: one that is collected is lost. The disk is the host's.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
    }


def _proxy_settings(definition: Definition) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": definition.pods,
        # These are the host's, not the node's: kube-proxy must not set them.
        "conntrack": {"maxPerCore": 0, "min": 0},
    }


def parse_join_command(text: str) -> Token:
    """Return the token that `kubeadm token create --print-join-command` printed. Raises LabError."""
    words = text.split()
    try:
        return Token(
            words[words.index("--token") + 1],
            words[words.index("--discovery-token-ca-cert-hash") + 1],
        )
    except (ValueError, IndexError) as error:
        raise LabError("kubeadm printed no command to join with", [str(error)]) from error


def ensure_initialized(
    lab: Lab, state: State, cache: Path, link: HostLink, report: Report
) -> tuple[State, bool]:
    """Make the control plane; return the lab's state and whether it had to be made. Raises LabError."""
    if state.initialized:
        return state, False
    node = lab.definition.control_plane
    _forget_attempt(lab, node, cache, report)
    settings = lab.node_folder(node) / "kubeadm-init.yaml"
    write_file(settings, init_settings(lab.definition, lab.name, link))
    _kubeadm_run(lab, node, cache, ["init", "--config", str(settings)], INIT_SECONDS, report)
    _write_kubeconfig(lab, link)
    return remember(lab, replace(state, initialized=True)), True


def _write_kubeconfig(lab: Lab, link: HostLink) -> None:
    """Write the administrator's kubeconfig with the address that the host reaches."""
    admin = nodes.disk(lab, lab.definition.control_plane, "kubernetes") / "admin.conf"
    inside = server(lab.definition.control_plane.address)
    write_file(lab.kubeconfig, admin.read_text().replace(inside, server(link.api_server)))


def ensure_joined(lab: Lab, cache: Path, report: Report) -> bool:
    """Make every worker a node of the cluster; return whether one had to join. Raises LabError."""
    missing = [
        node for node in lab.definition.workers if not (lab.node_folder(node) / "joined").exists()
    ]
    if not missing:
        return False
    await_api(lab, cache, report)
    for node in missing:
        _forget_attempt(lab, node, cache, report)
        # A join that did not end may have registered the node; kubeadm refuses to join one of its name.
        command([*kubectl(lab, cache), "delete", "node", node.name, "--ignore-not-found"])
    started = [(node, _start_join(lab, node, cache)) for node in missing]
    for node, process in started:
        _await(lab, node, process, JOIN_SECONDS, "join", report)
        (lab.node_folder(node) / "kubeadm-join.yaml").unlink()
        (lab.node_folder(node) / "joined").touch()
    return True


def _start_join(lab: Lab, node: Node, cache: Path) -> subprocess.Popen[bytes]:
    control_plane = lab.definition.control_plane
    created = command(
        [
            *_kubeadm_program(lab, control_plane, cache),
            *("token", "create", "--print-join-command", "--ttl", "10m"),
        ],
        timeout=API_SECONDS,
    )
    settings = lab.node_folder(node) / "kubeadm-join.yaml"
    token = parse_join_command(created.stdout)
    write_file(settings, join_settings(lab.definition, node, token))
    return _start(lab, node, cache, ["join", "--config", str(settings)])


def _forget_attempt(lab: Lab, node: Node, cache: Path, report: Report) -> None:
    """Empty what an interrupted kubeadm left on the node, so that it begins anew. Raises LabError."""
    end({pid for pid in nodes.processes(lab, node) if program(pid) == "kubeadm"}, 5)
    left = [
        path
        for name in DISKS_OF_KUBEADM
        for path in nodes.disk(lab, node, name).iterdir()
        if path.name not in nodes.SETTINGS
    ]
    if not left:
        return
    report(f"{node.name}: removing what an interrupted kubeadm left")
    supervisor.stop(lab, report)
    nodes.stop_pods(lab, node, report)
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    supervisor.ensure(lab, cache)
    nodes.await_containerd(lab, cache, report)


def _programs(lab: Lab, cache: Path) -> Path:
    return cache / "bin" / f"kubernetes-{lab.definition.kubernetes}"


def _kubeadm_program(lab: Lab, node: Node, cache: Path) -> list[str]:
    return [*nodes.namespaces(lab, node).enter(), str(_programs(lab, cache) / "kubeadm")]


def _start(lab: Lab, node: Node, cache: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    with (lab.logs / f"{node.name}-kubeadm.log").open("wb") as log:
        return subprocess.Popen(
            [*_kubeadm_program(lab, node, cache), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=partial(cgroups.join, f"{lab.node_cgroup(node)}/{nodes.SYSTEM}"),
            # kubeadm asks the kubelet that it finds there for its version.
            env={**os.environ, "PATH": f"{_programs(lab, cache)}:{os.environ.get('PATH', '')}"},
        )


def _kubeadm_run(
    lab: Lab, node: Node, cache: Path, arguments: list[str], seconds: float, report: Report
) -> None:
    process = _start(lab, node, cache, arguments)
    _await(lab, node, process, seconds, arguments[0], report)


def _await(
    lab: Lab,
    node: Node,
    process: subprocess.Popen[bytes],
    seconds: float,
    verb: str,
    report: Report,
) -> None:
    """Wait for kubeadm, saying where it is. Raises LabError with the end of its log."""
    log = lab.logs / f"{node.name}-kubeadm.log"
    begun = time.monotonic()

    def say() -> None:
        lines = log.read_text(errors="replace").strip().splitlines() or ["started"]
        report(f"kubeadm {verb} {node.name}, {time.monotonic() - begun:.0f} s: {lines[-1][:140]}")

    ended = wait_until(lambda: process.poll() is not None, seconds=seconds, say=say)
    if not ended:
        process.kill()
        process.wait()
    if process.returncode != 0:
        tail = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-8:]
        reason = f"exit code {process.returncode}" if ended else f"no end within {seconds:.0f} s"
        raise LabError(
            f"kubeadm {verb} failed on {node.name}: {reason}",
            tail,
            f"read {log} and {lab.logs}/{node.name}-kubelet.log",
        )


def kubectl(lab: Lab, cache: Path) -> list[str]:
    """Return the start of a kubectl command line for the lab, run on the host."""
    return [str(_programs(lab, cache) / "kubectl"), f"--kubeconfig={lab.kubeconfig}"]


def api_answers(lab: Lab, cache: Path) -> bool:
    """Return whether the API server says that it is ready."""
    argv = [*kubectl(lab, cache), "get", "--raw", "/readyz", "--request-timeout=5s"]
    return command(argv, check=False, timeout=20).returncode == 0


def await_api(lab: Lab, cache: Path, report: Report) -> None:
    """Wait until the API server is ready. Raises LabError."""
    if not wait_until(
        lambda: api_answers(lab, cache),
        seconds=API_SECONDS,
        every=0.5,
        say=lambda: report("waiting for the API server"),
    ):
        raise LabError(
            f"The API server does not answer within {API_SECONDS:.0f} s",
            [f"asked with {lab.kubeconfig}"],
            f"read {lab.logs}/{lab.definition.control_plane.name}-kubelet.log",
        )
