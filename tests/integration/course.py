# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cluster of the broken course, as a student makes it: one ConfigMap and one server-id for all, no
GTIDs, data before replication, a copied auto.cnf, replication by file and position.

mysql-replica-2 is the one that somebody mended by hand: it has a server-id of its own until it restarts,
and follows. mysql-replica-1 does not, and holds a database of its own.

ByHand is what any such cluster is: Deployments of the image on claims, as people write them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.replication import hopeless
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import pods
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import (
    option,
    statement,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    end_of_log,
    named,
    wait_following,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.site import Site

PASSWORD = "course-root"
DEPLOYMENTS = ("mysql-primary", "mysql-replica-1", "mysql-replica-2")
ROWS = 500
DEADLINE = 240.0

# A course's file names neither server-ids nor GTIDs; 9.7 would have GTIDs without being asked.
MY_CNF = """[mysqld]
server-id=1
log-bin=mysql-bin
gtid_mode=OFF
enforce_gtid_consistency=OFF
innodb_use_native_aio=OFF
innodb_buffer_pool_size=64M
loose-mysqlx=OFF
"""


class ByHand:
    """MySQL that somebody built in the namespace of a Site, whose playbooks then look at it."""

    def __init__(self, site: Site, image: str, my_cnf: str = MY_CNF) -> None:
        self.site = site
        self.image = image
        self.kubectl("create namespace " + site.namespace, inside=False)
        self.make("ConfigMap", "mysql-config", data={"my.cnf": my_cnf})
        self.make("Secret", "mysql-secret", stringData={"root-password": PASSWORD})

    def kubectl(self, command: str, *, inside: bool = True) -> str:
        space = f"-n {self.site.namespace} " if inside else ""
        return fixes.shell(f"kubectl {space}{command}", cluster.kubeconfig())

    def connect(self, deployment: str, password: str = PASSWORD) -> Connection:
        return roads.connect(
            {
                "kubeconfig": cluster.kubeconfig(),
                "pod": {"namespace": self.site.namespace, "deployment": deployment},
                "login_password": password,
                "connect_timeout": 60,
            }
        )

    def value(self, deployment: str, sql: str) -> Any:
        with self.connect(deployment) as connection:
            return connection.value(sql)

    def volumes(self) -> dict[str, str]:
        """The UID of the volume behind each claim."""
        claims = self.site.cluster.list("PersistentVolumeClaim", self.site.namespace)
        uids = {
            one["metadata"]["name"]: one["metadata"]["uid"]
            for one in self.site.cluster.list("PersistentVolume")
        }
        return {one["metadata"]["name"]: uids[one["spec"]["volumeName"]] for one in claims}

    def make(self, kind: str, name: str, **body: Any) -> None:
        version = "apps/v1" if kind == "Deployment" else "v1"
        full = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **body}
        self.site.cluster.create(kind, full, self.site.namespace)

    def claim(self, name: str) -> dict[str, Any]:
        """Make a claim and return the source of a Pod's volume over it."""
        self.make("PersistentVolumeClaim", name, spec=cluster.claim_spec(None, "256Mi"))
        return {"persistentVolumeClaim": {"claimName": name}}

    def deployment(
        self,
        name: str,
        source: dict[str, Any],
        *,
        replicas: int = 1,
        sub_path: str = "",
        whole_file: bool = False,
    ) -> dict[str, Any]:
        """The spec of a Deployment. source: of its data's volume. sub_path: the folder there.

        whole_file: whether its my.cnf lies in the place of the image's own, not beside it.
        """
        labels = {"app": "mysql", "role": name.split("-")[1], "name": name}
        reference = {"secretKeyRef": {"name": "mysql-secret", "key": "root-password"}}
        data = {"name": "data", "mountPath": "/var/lib/mysql"}
        beside = {"name": "config", "mountPath": "/etc/mysql/conf.d"}
        instead = {"name": "config", "mountPath": "/etc/my.cnf", "subPath": "my.cnf"}
        container = {
            "name": "mysql",
            "image": self.image,
            "env": [{"name": "MYSQL_ROOT_PASSWORD", "valueFrom": reference}],
            "ports": [{"containerPort": 3306}],
            "volumeMounts": [
                {**data, **({"subPath": sub_path} if sub_path else {})},
                instead if whole_file else beside,
            ],
        }
        volumes = [
            {"name": "data", **source},
            {"name": "config", "configMap": {"name": "mysql-config"}},
        ]
        return {
            "replicas": replicas,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "volumes": volumes},
            },
        }

    def wait_until_it_answers(self, deployment: str) -> None:
        """Wait until the server itself answers: the entrypoint's temporary one has no TCP."""
        self.kubectl(f"rollout status deployment/{deployment} --timeout={DEADLINE:.0f}s")
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                self.connect(deployment).close()
            except CollectionError:
                if time.monotonic() >= deadline:
                    raise
            else:
                return

    def renew(self, deployment: str, command: str) -> None:
        """Run what makes a Deployment's Pods anew, and wait until the new one answers."""
        before = {str(pod["metadata"]["uid"]) for pod in self._pods(deployment)}
        self.kubectl(command)
        left = look_until(
            lambda: {str(pod["metadata"]["uid"]) for pod in self._pods(deployment)} & before,
            lambda old: not old,
            DEADLINE,
        )
        assert not left, "the old Pod does not go"
        self.wait_until_it_answers(deployment)

    def _pods(self, name: str) -> list[Mapping[str, Any]]:
        found = self.site.cluster.list("Pod", self.site.namespace, labels=f"name={name}")
        return [pod for pod in found if pods.is_live(pod)]


class Course(ByHand):
    """The broken cluster."""

    def __init__(self, site: Site, image: str) -> None:
        super().__init__(site, image)
        for name in DEPLOYMENTS:
            self.make("Deployment", name, spec=self.deployment(name, self.claim(f"{name}-pvc")))
        for service, role in (("mysql-write", "primary"), ("mysql-read", "replica")):
            selector = {"app": "mysql", "role": role}
            self.make("Service", service, spec={"selector": selector, "ports": [{"port": 3306}]})
        for name in DEPLOYMENTS:
            self.wait_until_it_answers(name)
        self._follow("mysql-replica-2", server_id=3)
        self._pour()
        self._own_data()
        self._copy_uuid()
        self._follow("mysql-replica-1", server_id=None)

    def _pour(self) -> None:
        with self.connect("mysql-primary") as connection:
            connection.execute("CREATE DATABASE employees")
            connection.execute(
                "CREATE TABLE employees.employees (emp_no INT PRIMARY KEY, name VARCHAR(40))"
            )
            rows = ", ".join(f"({number}, 'employee {number}')" for number in range(ROWS))
            connection.execute(f"INSERT INTO employees.employees VALUES {rows}")

    def _own_data(self) -> None:
        with self.connect("mysql-replica-1") as connection:
            connection.execute("CREATE DATABASE mine")
            connection.execute("CREATE TABLE mine.notes (id INT PRIMARY KEY)")
            connection.execute("INSERT INTO mine.notes VALUES (1), (2)")

    def _copy_uuid(self) -> None:
        """Give mysql-replica-1 the primary's server_uuid, as copying the folder would."""
        uuid = self.value("mysql-primary", "SELECT @@server_uuid")
        text = rf"[auto]\nserver-uuid={uuid}\n"
        self.kubectl(
            f"exec deployment/mysql-replica-1 -- sh -c 'printf \"{text}\" > /var/lib/mysql/auto.cnf'"
        )
        self.renew("mysql-replica-1", "rollout restart deployment/mysql-replica-1")
        assert self.value("mysql-replica-1", "SELECT @@server_uuid") == uuid

    def _follow(self, deployment: str, *, server_id: int | None) -> None:
        """Point a replica at the primary as the course does, with or without a server-id of its own."""
        with self.connect("mysql-primary") as primary:
            file, position = end_of_log(primary)
            version = primary.server.version
            primary.execute("CREATE USER IF NOT EXISTS repl@'%' IDENTIFIED BY 'repl-password'")
            primary.execute("GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        values = {
            "SOURCE_HOST": "'mysql-write'",
            "SOURCE_USER": "'repl'",
            "SOURCE_PASSWORD": "'repl-password'",
            "SOURCE_LOG_FILE": f"'{file}'",
            "SOURCE_LOG_POS": str(position),
            "GET_SOURCE_PUBLIC_KEY": "1",
        }
        said = ", ".join(f"{option(name, version)} = {text}" for name, text in values.items())
        with self.connect(deployment) as replica:
            if server_id is not None:
                replica.execute(f"SET GLOBAL server_id = {server_id}")
            replica.execute(f"{statement('change_source', version)} {said}")
            replica.execute(statement("start_replica", version))
            seen = named(wait_following(replica, "", DEADLINE, hopeless), "")
        assert seen is not None
        assert seen.following == (server_id is not None), seen
