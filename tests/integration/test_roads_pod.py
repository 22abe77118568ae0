# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The road to a real mysqld in a Pod, through the API server, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError

from tests.integration import cluster
from tests.integration.cluster import container, deployment_spec, pod_spec

pytestmark = [
    *cluster.MARKS,
]

PASSWORD = "a-password-for-one-test"


@pytest.fixture(scope="module")
def space() -> Iterator[cluster.Space]:
    made = cluster.Space(client.connect(cluster.kubeconfig()))
    server = container(
        command=None,
        args=["--server-id=77"],
        env=[
            {"name": "MYSQL_ROOT_PASSWORD", "value": PASSWORD},
            {"name": "MYSQL_INITDB_SKIP_TZINFO", "value": "1"},
        ],
        ports=[{"containerPort": 3306}],
    )
    made.make("Deployment", "db", spec=deployment_spec("db", pod_spec(server)))
    made.make("Service", "db", spec={"selector": {"app": "db"}, "ports": [{"port": 3306}]})
    lacking = pod_spec(container(envFrom=[{"secretRef": {"name": "nowhere"}}]))
    made.make("Deployment", "broken", spec=deployment_spec("broken", lacking))
    # The first connection is made while mysqld initializes: it waits for the port, and no longer.
    with roads.connect(params(made, deployment="db", connect_timeout=240)):
        pass
    yield made
    made.remove()


def params(space: cluster.Space, connect_timeout: int = 10, **pod: Any) -> dict[str, Any]:
    return {
        "kubeconfig": cluster.kubeconfig(),
        "login_user": "root",
        "login_password": PASSWORD,
        "connect_timeout": connect_timeout,
        "pod": {"namespace": space.name, **pod},
    }


@pytest.mark.parametrize("by", ["deployment", "service"])
def test_a_pod_is_reached_by_its_deployment_and_by_its_service(
    space: cluster.Space, by: str
) -> None:
    with roads.connect(params(space, **{by: "db"})) as connection:
        assert connection.server.server_id == 77
        assert connection.address.startswith(f"Pod {space.name}/db-")
        name = connection.address.split("/")[1].split()[0]
    with roads.connect(params(space, name=name)) as connection:
        assert connection.value("SELECT @@server_id") == 77


def test_large_packets_pass_both_ways_unharmed(space: cluster.Space) -> None:
    with roads.connect(params(space, deployment="db")) as connection:
        text = "0123456789abcdef" * 500_000
        row = connection.query(
            "SELECT SHA2(%s, 256) AS up, REPEAT('xyz', 4000000) AS down", (text,)
        )[0]
        assert row["up"] == connection.value("SELECT SHA2(REPEAT('0123456789abcdef', 500000), 256)")
        assert row["down"] == "xyz" * 4_000_000


def test_many_roads_at_once_and_nothing_left_behind(space: cluster.Space) -> None:
    before = set(threading.enumerate())

    def ask(number: int) -> int:
        instance = {"name": f"i{number}", "pod": {"namespace": space.name, "deployment": "db"}}
        with roads.connect_instance({**params(space), "pod": None}, instance) as connection:
            return int(connection.value("SELECT %s", (number,)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(16))) == list(range(16))
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_a_wrong_password_is_mysqls_answer_not_the_roads(space: cluster.Space) -> None:
    with pytest.raises(MysqlError) as caught:
        roads.connect({**params(space, deployment="db"), "login_password": "wrong-one"})
    assert caught.value.errno == 1045
    assert "wrong-one" not in caught.value.message


@pytest.mark.parametrize(
    ("pod", "code", "said"),
    [
        ({"deployment": "nope"}, "kube.absent", "there is none of that name"),
        ({"deployment": "db", "port": 3307}, "kube.port_refused", "3307"),
        ({"deployment": "broken"}, "kube.container_config", 'secret "nowhere" not found'),
    ],
)
def test_a_road_that_leads_nowhere_names_its_cause(
    space: cluster.Space, pod: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(CollectionError) as caught:
        roads.connect(params(space, connect_timeout=5, **pod))
    (found,) = caught.value.findings
    assert found.code == code
    assert said in " ".join([found.summary, *found.proof])
