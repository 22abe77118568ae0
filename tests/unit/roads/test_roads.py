"""Options that name a road to MySQL, and where each one leads."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import kube as kube_causes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, portforward
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.portforward import (
    PodUnavailableError,
    Target,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Connection,
    MysqlError,
)

from tests.unit.kube import objects

PASSWORD = "not-to-be-seen"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "none of them is given; exactly one of login_host, login_unix_socket, pod"),
        (
            {"login_host": "db", "pod": {"namespace": "mysql", "name": "x"}},
            "login_host and pod is given; exactly one of",
        ),
        ({"pod": {"namespace": "mysql"}}, "pod: none of them is given; exactly one of name,"),
        (
            {"pod": {"namespace": "mysql", "name": "x", "service": "y"}},
            "pod: name, service is given; exactly one of",
        ),
    ],
)
def test_not_exactly_one_road_is_refused(
    params: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "connect", lambda *_: None)
    with pytest.raises(CollectionError, match=said):
        roads.connect(params)


@pytest.mark.parametrize(
    ("pod", "target"),
    [
        ({"name": "mysql-1-abc"}, Target("mysql", "Pod", "mysql-1-abc", 3306)),
        ({"deployment": "mysql-1", "port": 3307}, Target("mysql", "Deployment", "mysql-1", 3307)),
        ({"service": "mysql-write"}, Target("mysql", "Service", "mysql-write", 3306)),
    ],
)
def test_a_pod_is_named_by_itself_its_deployment_or_its_service(
    pod: dict[str, Any], target: Target
) -> None:
    assert roads.target({"namespace": "mysql", **pod}) == target


def test_an_instance_takes_from_the_module_what_it_does_not_say() -> None:
    module = {
        "login_user": "root",
        "login_password": PASSWORD,
        "connect_timeout": 10,
        "kubeconfig": "/lab",
        "context": None,
        "language": "ko",
        "login_host": "never-taken-over",
    }
    instance = {
        "name": "mysql-11",
        "login_user": "probe",
        "login_password": None,
        "pod": {"namespace": "mysql", "deployment": "mysql-11"},
    }
    completed = roads.instance_params(module, instance)
    assert completed["login_user"] == "probe"
    assert completed["login_password"] == PASSWORD
    assert completed["kubeconfig"] == "/lab"
    assert completed["language"] == "ko"
    assert "login_host" not in completed


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_instance_that_does_not_answer_is_named_without_its_password() -> None:
    port = closed_port()
    instance = {"name": "mysql-11", "login_host": "127.0.0.1", "login_port": port}
    with pytest.raises(MysqlError) as caught:
        roads.connect_instance({"login_password": PASSWORD}, instance)
    assert caught.value.message.startswith(f"mysql-11: Cannot reach MySQL at 127.0.0.1:{port}")
    assert caught.value.errno == 2003
    assert PASSWORD not in caught.value.message


def test_a_pod_that_is_not_there_ends_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = objects.pod(phase="Pending", containers=[objects.waiting("ImagePullBackOff", "no image")])

    def unavailable(_cluster: Any, target: Target, _seconds: float) -> None:
        raise PodUnavailableError(target, "mysql-1-abc is Pending", [pod])

    monkeypatch.setattr(client, "connect", lambda *_: None)
    monkeypatch.setattr(portforward, "open_forward", unavailable)
    params = {"pod": {"namespace": "mysql", "deployment": "mysql-1"}, "connect_timeout": 1}
    with pytest.raises(CollectionError, match="Deployment mysql/mysql-1") as caught:
        roads.connect(params)
    assert [found.code for found in caught.value.findings] == ["kube.image_pull"]


class RefusedForward:
    """A forward whose far end nobody listens at."""

    address = "Pod mysql/mysql-1-abc port 3306"
    error = "dial tcp4 127.0.0.1:3306: connect: connection refused"

    def __init__(self) -> None:
        self.socket, far = socket.socketpair()
        far.close()

    def close(self) -> None:
        self.socket.close()


def test_a_pod_in_which_nothing_listens_is_told_from_one_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(roads, "POLL", 0.01)
    monkeypatch.setattr(client, "connect", lambda *_: None)
    monkeypatch.setattr(portforward, "open_forward", lambda *_: RefusedForward())
    params = {"pod": {"namespace": "mysql", "name": "mysql-1-abc"}, "connect_timeout": 1}
    with pytest.raises(CollectionError) as caught:
        roads.connect(params)
    (found,) = caught.value.findings
    assert found.code == "kube.port_refused"
    assert "connection refused" in found.proof[0]


def test_passwords_are_never_logged() -> None:
    assert roads.mysql_argument_spec()["login_password"]["no_log"]
    assert roads.instance_argument_spec()["login_password"]["no_log"]
    assert roads.instances_argument_spec()["instances"]["options"]["login_password"]["no_log"]


class OneNode:
    """A cluster of one Pod on one node."""

    def list(self, kind: str, *_: Any, **__: Any) -> list[dict[str, Any]]:
        ready = {"type": "Ready", "status": "Unknown", "reason": "", "message": ""}
        return [{"metadata": {"name": "worker1"}, "status": {"conditions": [ready]}}]

    def get(self, _kind: str, _name: str, _namespace: str) -> dict[str, Any]:
        return objects.pod()


def test_a_session_that_cannot_be_had_or_is_lost_names_the_node_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(*_: Any) -> None:
        reason = "error dialing backend: dial tcp 192.0.2.1:10250: connect: no route to host"
        raise client.KubeError("lab", "open a port-forward", 502, reason)

    monkeypatch.setattr(client, "connect", lambda *_: OneNode())
    monkeypatch.setattr(portforward, "open_forward", unreachable)
    params = {"pod": {"namespace": "mysql", "name": "mysql-1-abc"}, "connect_timeout": 1}
    with pytest.raises(CollectionError, match="no route to host") as caught:
        roads.connect(params)
    assert [found.code for found in caught.value.findings] == ["kube.node_gone"]
    assert [found.code for found in roads._explain_loss(params)] == ["kube.node_gone"]


class Lost:
    """A session that ends with whatever it is asked."""

    open = False

    def cursor(self) -> Lost:
        return self

    def execute(self, *_: Any) -> None:
        raise OSError("connection reset by peer")


def test_a_lost_session_tells_what_is_wrong_with_its_road_and_another_road_tells_nothing() -> None:
    raw: Any = Lost()
    gone = kube_causes.node_gone(objects.pod(), {"worker1": None})
    for explain in (None, lambda: gone):
        connection = Connection(raw, "Pod mysql/mysql-1-abc port 3306")
        connection.explain_loss = explain
        with pytest.raises(MysqlError) as caught:
            connection.query("SELECT 1")
        assert list(caught.value.findings) == (gone if explain else [])
