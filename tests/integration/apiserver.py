# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An API server of its own for one test file: etcd and kube-apiserver of the lab's cache, and nothing else.

Objects are kept and versions compared as everywhere; no controller acts, and no Pod runs. Everybody may do
everything by the token of the kubeconfig.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.integration.servers import cache

DEADLINE = 240.0
TOKEN = "everything"


def binaries() -> tuple[Path, Path] | None:
    """etcd and kube-apiserver, None where `make lab` has not built them yet."""
    folder = cache() / "bin"
    etcd = sorted(folder.glob("etcd-*/server"))
    kubernetes = sorted(folder.glob("kubernetes-*/kube-apiserver"))
    return (etcd[-1], kubernetes[-1]) if etcd and kubernetes else None


MARKS = (
    pytest.mark.servers,
    pytest.mark.skipif(binaries() is None, reason="no kube-apiserver in the cache: make lab"),
)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def process(log: Path, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs as long as the block lasts."""
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [str(word) for word in command],
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        ) as running,
    ):
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def serving() -> Iterator[str]:
    """An API server; gives the path of its kubeconfig."""
    found = binaries()
    assert found is not None
    etcd, server = found
    folder = Path(tempfile.mkdtemp(prefix="apiserver."))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        peer, port, secure = free_port(), free_port(), free_port()
        store = f"http://127.0.0.1:{port}"
        stack.enter_context(
            process(
                folder / "etcd.log",
                etcd,
                *("--data-dir", folder / "etcd", "--unsafe-no-fsync"),
                *("--listen-client-urls", store, "--advertise-client-urls", store),
                *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
            )
        )
        key = folder / "accounts.key"
        subprocess.run(
            ["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True
        )
        tokens = folder / "tokens.csv"
        tokens.write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        running = stack.enter_context(
            process(
                folder / "apiserver.log",
                server,
                *("--etcd-servers", store, "--secure-port", str(secure)),
                *("--bind-address", "127.0.0.1", "--cert-dir", folder / "certificates"),
                *("--service-account-issuer", "https://test", "--service-account-key-file", key),
                *("--service-account-signing-key-file", key, "--token-auth-file", tokens),
                *("--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/24"),
                *("--disable-admission-plugins", "ServiceAccount"),
            )
        )
        path = folder / "kubeconfig"
        authority = folder / "certificates" / "apiserver.crt"
        path.write_text(json.dumps(config(f"https://127.0.0.1:{secure}", authority)))
        ready(str(path), running, folder / "apiserver.log")
        yield str(path)


def config(server: str, authority: Path) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": server, "certificate-authority": str(authority)},
            }
        ],
        "users": [{"name": "test", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }


def ready(kubeconfig: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it takes objects."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and running.poll() is None:
        try:
            if client.connect(kubeconfig).raw("/readyz", "ask whether it is ready") == "ok":
                return
        except CollectionError:
            # Nobody listens yet, or it has no certificate yet.
            pass
        time.sleep(0.2)
    raise AssertionError(f"no API server:\n{log.read_text()[-2000:]}")


def namespace(cluster: client.Cluster) -> str:
    """Make a namespace of its own and return its name."""
    name = f"it-{os.urandom(4).hex()}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.create("Namespace", body)
    return name
