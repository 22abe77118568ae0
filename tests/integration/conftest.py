# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of the tests on real servers; servers.py says how to use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.integration import apiserver, cluster, servers

ServerFactory = Callable[..., servers.Server]


def _factory() -> Iterator[ServerFactory]:
    made: list[servers.Server] = []

    def make(version: str, server_id: int, *arguments: str) -> servers.Server:
        made.append(servers.make(version, server_id, *arguments))
        return made[-1]

    yield make
    for server in made:
        server.remove()


@pytest.fixture
def server_factory() -> Iterator[ServerFactory]:
    """Servers that live as long as one test."""
    yield from _factory()


@pytest.fixture(scope="module")
def shared_server_factory() -> Iterator[ServerFactory]:
    """Servers that live as long as one test file."""
    yield from _factory()


@pytest.fixture(scope="module")
def space() -> Iterator[cluster.Space]:
    """A namespace of the lab's that is there as long as one test file."""
    made = cluster.Space(client.connect(cluster.kubeconfig()))
    yield made
    made.remove()


@pytest.fixture(scope="session", params=servers.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Each version of the lab: both ends of what is supported, and the dialect between them."""
    return str(request.param)


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The kubeconfig of an API server that is there as long as one test file."""
    with apiserver.serving() as kubeconfig:
        yield kubeconfig
