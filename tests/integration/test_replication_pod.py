# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A replica in a Pod is seeded by a clone: mysqld stops in the end, and the kubelet starts it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.integration import cluster
from tests.integration.cluster import container, deployment_spec, pod_spec
from tests.integration.runner import codes, fail, succeed

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

PASSWORD = "a-password-for-one-test"
SECRET = "a secret of replication"


@pytest.fixture
def space() -> Iterator[cluster.Space]:
    made = cluster.Space(client.connect(cluster.kubeconfig()))
    try:
        for server_id in (1, 11):
            name = f"mysql-{server_id}"
            server = container(
                command=None,
                args=[f"--server-id={server_id}", "--innodb-use-native-aio=OFF"],
                env=[
                    {"name": "MYSQL_ROOT_PASSWORD", "value": PASSWORD},
                    {"name": "MYSQL_INITDB_SKIP_TZINFO", "value": "1"},
                ],
                # It outlives the container, which a clone ends.
                volumeMounts=[{"name": "data", "mountPath": "/var/lib/mysql"}],
            )
            pod = pod_spec(server, volumes=[{"name": "data", "emptyDir": {}}])
            made.make("Deployment", name, spec=deployment_spec(name, pod))
        write = {"selector": {"app": "mysql-1"}, "ports": [{"port": 3306}]}
        made.make("Service", "mysql-write", spec=write)
        for name in ("mysql-1", "mysql-11"):
            with roads.connect_instance({}, instance(made, name) | {"connect_timeout": 240}):
                pass
        yield made
    finally:
        made.remove()


def instance(space: cluster.Space, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "login_password": PASSWORD,
        "kubeconfig": cluster.kubeconfig(),
        "pod": {"namespace": space.name, "deployment": name},
    }


def sql(space: cluster.Space, name: str, *statements: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with roads.connect_instance({}, instance(space, name)) as connection:
        for statement in statements:
            rows = connection.query(statement)
    return rows


def test_a_clone_in_a_pod(space: cluster.Space) -> None:
    sql(
        space,
        "mysql-1",
        f"CREATE USER replicator@'%' IDENTIFIED BY '{SECRET}'",
        "GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO replicator@'%'",
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "INSERT INTO shop.t VALUES (1)",
    )
    sql(space, "mysql-11", "CREATE DATABASE own")
    arguments = {
        "replicas": [instance(space, "mysql-11")],
        "source_host": "mysql-write",
        "source_user": "replicator",
        "source_password": SECRET,
        "source_instance": instance(space, "mysql-1"),
        "seed": "auto",
        "wait_for_source": True,
    }
    refused = fail("mysql_replication", arguments)
    assert codes(refused) == ["replication.seed_refused"]
    assert "seed_overwrite: [mysql-11]" in refused["msg"]
    named = {**arguments, "seed_overwrite": ["mysql-11"]}
    done = succeed("mysql_replication", named)
    assert done["replicas"][0]["seed"]["method"] == "clone"
    assert done["replicas"][0]["seed"]["dropped"] == ["own"]
    assert sql(space, "mysql-11", "SELECT id FROM shop.t") == [{"id": 1}]
    assert sql(space, "mysql-11", "SHOW DATABASES LIKE 'own'") == []
    assert not succeed("mysql_replication", named)["changed"]
