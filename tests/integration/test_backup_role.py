# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role backup in a real cluster: proved, the same a second time, and without a gap when its Pod dies."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, kinds

from tests.integration.cluster import kubeconfig
from tests.integration.runner import CHECKOUT, codes, succeed

pytestmark = [
    pytest.mark.lab,
    pytest.mark.long,
    pytest.mark.skipif(not kubeconfig(), reason="needs a cluster: make lab"),
]

DEADLINE = 180


class Cluster:
    """A primary and a replica in a namespace of their own."""

    def __init__(self, folder: Path) -> None:
        self.api = client.connect(kubeconfig())
        self.namespace = f"it-backup-{uuid.uuid4().hex[:6]}"
        self.variables = folder / "variables.json"
        self.variables.write_text(
            json.dumps(
                {
                    "cluster_kubeconfig": kubeconfig(),
                    "cluster_namespace": self.namespace,
                    "cluster_app_host": f"{self.namespace}.example",
                    "cluster_replicas": 1,
                    "cluster_storage_size": "1Gi",
                    "backup_storage_size": "1Gi",
                    "backup_compression": "zstd",
                    "backup_encrypted": True,
                }
            )
        )

    def play(self, book: str, *options: str) -> str:
        """Run a playbook and return what it said; raise where it fails."""
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "-i", "inventories/lab", book, "-e", f"@{self.variables}", *options],
            cwd=CHECKOUT,
            env={**os.environ, "KUBECONFIG": kubeconfig()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stdout + done.stderr
        return done.stdout

    @property
    def login(self) -> dict[str, Any]:
        secret = self.api.get("Secret", "mysql-auth", self.namespace)
        assert secret
        return {
            "kubeconfig": kubeconfig(),
            "pod": {"namespace": self.namespace, "service": "mysql-write"},
            "login_password": base64.b64decode(secret["data"]["root-password"]).decode(),
        }

    def note(self, name: str) -> None:
        """Write something on the primary."""
        succeed("binlog_point", {**self.login, "action": "note", "name": name})

    def facts(self) -> dict[str, Any]:
        where = {"namespace": self.namespace, "deployment": "mysql-archiver"}
        return succeed("mysql_backup_info", {**self.login, "archive": where})

    def archiver(self) -> str:
        found = self.api.list("Pod", self.namespace, labels="mysql-on.kubernetes/archiver=mysql")
        return str(found[0]["metadata"]["name"])

    def delete(self, kind: str, name: str) -> None:
        path = kinds.of(kind).path(self.namespace, name)
        self.api._request("DELETE", path, f"delete {kind} {name}")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.delete("Namespace", made.namespace)


def changed(output: str) -> int:
    found = re.search(r"^localhost .*changed=(\d+)", output, re.MULTILINE)
    assert found, output
    return int(found[1])


def test_the_archive_of_a_cluster(cluster: Cluster):
    cluster.play("playbooks/site.yml", "--tags", "infra,db", "--skip-tags", "always")
    assert changed(cluster.play("playbooks/backup.yml", "--check")) > 0
    assert cluster.api.get("PersistentVolumeClaim", "back-pvc", cluster.namespace) is None
    cluster.play("playbooks/backup.yml")
    assert changed(cluster.play("playbooks/backup.yml")) == 0

    facts = cluster.facts()
    assert codes(facts) == []
    assert [(base["method"], base["verified"]) for base in facts["bases"]] == [("clone", True)]
    assert facts["bases"][0]["encryption"] == "aes-256-ctr"
    earliest = facts["window"]["earliest"]
    for number in range(3):
        cluster.note(f"before {number}")
    cluster.delete("Pod", cluster.archiver())
    for number in range(3):
        cluster.note(f"after {number}")
    deadline = time.monotonic() + DEADLINE
    while (facts := level(cluster)) is None:
        assert time.monotonic() < deadline, "the archiver does not come back"
    assert facts["gaps"] == ""
    assert facts["rpo"]["transactions"] == 0
    assert facts["window"]["earliest"] == earliest
    assert facts["window"]["latest"]["gtid_executed"] != earliest["gtid_executed"]

    cluster.play("playbooks/backup.yml", "--tags", "base")
    assert [base["verified"] for base in cluster.facts()["bases"]] == [True, True]


def level(cluster: Cluster) -> dict[str, Any] | None:
    """Return the facts once the archive has all."""
    found = cluster.facts()
    ready = found["archiver"]["state"] == "archiving" and not found["rpo"]["transactions"]
    return found if ready else None
