"""The client against a real HTTP server that answers as an API server does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, kinds

TOKEN = "a-secret-token"


class ApiServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.authorization = ""


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:  # noqa: N802
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.server.asked.append(self.path)
        self.server.authorization = self.headers.get("authorization", "")
        status, body = answer(url.path, query)
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
    if path == "/version":
        return 200, {"gitVersion": "v1.36.3"}
    if path == "/api/v1/namespaces/mysql/pods":
        if query.get("continue") == "more":
            return 200, {"items": [{"metadata": {"name": "two"}}], "metadata": {}}
        return 200, {"items": [{"metadata": {"name": "one"}}], "metadata": {"continue": "more"}}
    if path == "/api/v1/namespaces/mysql/pods/one/log":
        return 200, f"lines of {query['container']}, previous {query.get('previous', 'no')}\n"
    if path == "/api/v1/namespaces/mysql/pods/removed/log":
        return 200, "unable to retrieve container logs for containerd://65d1"
    if path == "/apis/metallb.io/v1beta1":
        return 200, {"resources": [{"name": "ipaddresspools"}]}
    if path == "/api/v1/nodes":
        return 403, {"kind": "Status", "message": 'nodes is forbidden: User "me" cannot list'}
    return 404, {"kind": "Status", "message": f"{path} not found"}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    api = ApiServer()
    thread = threading.Thread(target=api.serve_forever, daemon=True)
    thread.start()
    yield api
    api.shutdown()
    api.server_close()


def kubeconfig(path: Path, url: str) -> str:
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "lab",
                "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me"}}],
                "clusters": [{"name": "lab", "cluster": {"server": url}}],
                "users": [{"name": "me", "user": {"token": TOKEN}}],
            }
        )
    )
    return str(path)


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path) -> client.Cluster:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return client.connect(kubeconfig(tmp_path / "config", url))


def test_a_list_is_read_to_its_last_page(cluster: client.Cluster) -> None:
    found = cluster.list("Pod", "mysql", labels="app=mysql")
    assert [pod["metadata"]["name"] for pod in found] == ["one", "two"]
    assert {pod["kind"] for pod in found} == {"Pod"}


def test_the_user_of_the_kubeconfig_is_who_asks(cluster: client.Cluster, server: ApiServer) -> None:
    assert cluster.version() == "v1.36.3"
    assert server.authorization == f"Bearer {TOKEN}"


def test_what_is_absent_is_none(cluster: client.Cluster) -> None:
    assert cluster.get("Pod", "three", "mysql") is None
    assert cluster.list_if_served("IPAddressPool") is None


def test_a_kind_is_served_where_its_group_has_it(cluster: client.Cluster) -> None:
    assert cluster.serves("IPAddressPool")
    assert not cluster.serves("L2Advertisement")
    assert not cluster.serves("Certificate")


def test_the_previous_runs_log_is_asked_for(cluster: client.Cluster) -> None:
    assert cluster.log("mysql", "one", "mysql", previous=True) == "lines of mysql, previous true\n"
    assert cluster.log("mysql", "gone", "mysql") == ""
    assert cluster.log("mysql", "removed", "mysql") == ""


def test_a_refusal_names_operation_cluster_and_the_servers_reason(cluster: client.Cluster) -> None:
    with pytest.raises(client.KubeError) as caught:
        cluster.list("Node")
    assert caught.value.status == 403
    assert caught.value.message.startswith("Cannot list Node on cluster http://127.0.0.1:")
    assert 'User "me" cannot list' in caught.value.message
    assert TOKEN not in caught.value.message


def test_an_api_server_that_is_gone_is_named(tmp_path: Path) -> None:
    cluster = client.connect(kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))
    with pytest.raises(client.KubeError, match=r"(?s)127\.0\.0\.1:1.*refused.*next:") as caught:
        cluster.list("Pod")
    assert caught.value.status == 0


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=f"kubeconfig: {tmp_path}/none"):
        client.connect(f"{tmp_path}/none")


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    with pytest.raises(CollectionError, match="context 'production'"):
        client.connect(path, "production")


def test_the_environment_names_the_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "second", "http://127.0.0.1:2"))
    assert client.connect().host() == "http://127.0.0.1:2"
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig(tmp_path / "first", "http://127.0.0.1:1"))
    assert client.connect().host() == "http://127.0.0.1:1"


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CollectionError, match="'Pods' is not one of .*Pod,"):
        kinds.of("Pods")
    assert kinds.of("Job").path("a/b", "c") == "/apis/batch/v1/namespaces/a%2Fb/jobs/c"
    assert kinds.of("Deployment").group == "apps"
    assert kinds.of("Pod").group == ""
