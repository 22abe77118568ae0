# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A namespace of its own on a real cluster, and what a test makes in it; all of it is deleted again.

The cluster is that of MYSQL_ON_KUBERNETES_KUBECONFIG, else of this checkout's .lab/kubeconfig.
Nothing that was there before is changed: tests make Services, pools and volumes of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, kinds

from tests.integration.runner import CHECKOUT

Object = dict[str, Any]

IMAGE = "docker.io/library/mysql:9.7"
METALLB = "metallb-system"
DEADLINE = 60.0


def kubeconfig() -> str:
    """Path of the kubeconfig, empty where there is no cluster to test on."""
    given = os.environ.get("MYSQL_ON_KUBERNETES_KUBECONFIG")
    path = Path(given) if given else CHECKOUT / ".lab" / "kubeconfig"
    return str(path) if path.exists() else ""


# Of every test that needs the lab's cluster.
MARKS = (
    pytest.mark.lab,
    pytest.mark.skipif(not kubeconfig(), reason="no cluster: make lab"),
)


def lan_client() -> list[str]:
    """The command that runs another one on the client host of the lab's LAN."""
    return [sys.executable, str(CHECKOUT / "roles" / "lab" / "files" / "lab"), "client", "--"]


def node(name: str, *kinds: str, lab: str = "lab") -> list[str]:
    """The command that runs another one in a lab's node, or only in some of its namespaces (net, mnt)."""
    pins = Path("/var/lib/mysql_on_kubernetes/labs") / lab / "namespaces"
    flags = {"net": "--net", "mnt": "--mount"}
    return ["nsenter", *(f"{flags[kind]}={pins}/{name}.{kind}" for kind in kinds or flags), "--"]


class Space:
    """A namespace of its own. make() and make_global() are undone by remove()."""

    def __init__(self, cluster: client.Cluster) -> None:
        self.cluster = cluster
        self.name = f"it-{uuid.uuid4().hex[:8]}"
        self._made: list[tuple[str, str, str | None]] = []
        self.make_global("Namespace", self.name)

    def make(self, kind: str, name: str, **body: Any) -> Object:
        """Make an object in the namespace and return it."""
        return self._post(kind, name, self.name, body)

    def make_global(
        self, kind: str, name: str, namespace: str | None = None, **body: Any
    ) -> Object:
        """Make an object outside of the namespace and return it; it is deleted by remove()."""
        self._made.append((kind, name, namespace))
        return self._post(kind, name, namespace, body)

    def wait_for(self, kind: str, name: str, **of: Any) -> Object:
        """Return an object once its status has these values."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            found = self.cluster.get(kind, name, self.name)
            status = (found or {}).get("status") or {}
            if found and all(status.get(key) == value for key, value in of.items()):
                return found
            time.sleep(0.2)
        raise AssertionError(f"{kind} {name} has not {of} after {DEADLINE:.0f} s")

    def remove(self) -> None:
        """Delete what was made, newest first; the namespace takes its content with it."""
        for kind, name, namespace in reversed(self._made):
            self._delete(kind, name, namespace)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object of the namespace."""
        self._delete(kind, name, self.name)

    def _delete(self, kind: str, name: str, namespace: str | None) -> None:
        path = kinds.of(kind).path(namespace, name)
        self.cluster._request("DELETE", path, f"delete {kind} {name}")

    def _post(self, kind: str, name: str, namespace: str | None, body: Object) -> Object:
        base = kinds.of(kind).base
        version = base.removeprefix("/apis/").removeprefix("/api/")
        meta: Object = {"name": name, **body.pop("metadata", {})}
        full = {"apiVersion": version, "kind": kind, "metadata": meta, **body}
        return self.cluster.create(kind, full, namespace)


def container(**more: Any) -> Object:
    """Return a container that sleeps, changed as given."""
    return {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "terminationMessagePolicy": "File",
        **more,
    }


def pod_spec(*containers: Object, **more: Any) -> Object:
    """Return the spec of a Pod that dies at once when it is deleted."""
    return {"containers": list(containers), "terminationGracePeriodSeconds": 0, **more}


def deployment_spec(name: str, pod: Object) -> Object:
    """Return the spec of a Deployment of one Pod labelled ``app: name``, available after a minute."""
    return {
        "replicas": 1,
        # A Pod without probes is ready between two crashes: it has to stay so.
        "minReadySeconds": 60,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
    }


def claim_spec(storage_class: str | None, size: str = "64Mi", **more: Any) -> Object:
    """Return the spec of a claim."""
    return {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        **({"storageClassName": storage_class} if storage_class is not None else {}),
        **more,
    }


def mounts(claim: str, path: str) -> tuple[Object, Object]:
    """Return a Pod's volume over a claim, and a container's mount of it."""
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
    return volume, {"name": "data", "mountPath": path}


@contextmanager
def port_closed(pod: Object, to: str = "") -> Iterator[None]:
    """Refuse connections to a Pod's port 3306, and those that stand; to: nft words for whom alone.

    The lab's own network enforces no policy, and the processes of its containers are this machine's.
    """
    rule = f"{to} tcp dport 3306 reject with tcp reset"
    chain = "type filter hook input priority 0;"
    table = f"add table inet faults; add chain inet faults in {{ {chain} }}"
    _nft(pod, f"{table}; add rule inet faults in {rule}")
    try:
        yield
    finally:
        # A Pod that has ended took its network, and the rule, with it.
        if processes_of(pod):
            _nft(pod, "delete table inet faults")


def _nft(pod: Object, words: str) -> None:
    inside = ["nsenter", "--target", str(processes_of(pod)[0]), "--net"]
    subprocess.run([*inside, "nft", words], check=True)


@contextmanager
def stopped(pod: Object, program: str) -> Iterator[None]:
    """Stop a program of a Pod, as a disk that answers nobody does; it goes on afterwards."""
    found = processes_of(pod, program)
    assert found, f"no {program} runs in Pod {pod['metadata']['name']}"
    for process in found:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def processes_of(pod: Object, program: str = "") -> list[int]:
    """The processes of a Pod, found by its control group; program: only those whose command names it."""
    uid = str(pod["metadata"]["uid"])
    found = []
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            group = path.read_text()
            command = path.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if (uid in group or uid.replace("-", "_") in group) and program.encode() in command:
            found.append(int(path.parent.name))
    return found
