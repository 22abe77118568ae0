# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role recovery makes in a cluster, the code that works in it, and what it says after a switch."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from tests.unit.roles.test_templates import ROLES, evaluate, render


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Lookups are plugins: without this Ansible finds none outside of its own commands."""
    init_plugin_loader()


CODE = {"role_path": str(ROLES / "recovery"), "recovery_claims": {"resources": []}}


def pod(**overrides: Any) -> dict[str, Any]:
    objects = render("recovery", "recovery-pod.yaml.j2", **CODE, **overrides)
    return next(one for one in objects if one["kind"] == "Pod")


def mounts(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["mountPath"] for one in container["volumeMounts"]}


def test_the_key_of_the_archive_is_there_for_who_reads_it_and_for_nobody_else():
    found = pod(recovery_cluster_name="orders")
    containers = {one["name"]: one for one in found["spec"]["containers"]}
    assert mounts(containers["tools"])["auth"] == "/auth"
    assert "auth" not in mounts(containers["mysqld"])
    (volume,) = (one for one in found["spec"]["volumes"] if one["name"] == "auth")
    sources = {one["secret"]["name"]: one["secret"] for one in volume["projected"]["sources"]}
    # The password of the archive's account stays where it is.
    assert sources["orders-backup"]["items"] == [{"key": "key", "path": "key"}]
    # A cluster whose archive is made otherwise has no such Secret.
    assert sources["orders-backup"]["optional"] is True
    tasks = (ROLES / "recovery" / "tasks" / "pod.yml").read_text()
    assert "recovery_key_file: /auth/key" in tasks


def test_the_code_of_the_pod_is_all_that_it_needs(tmp_path: Path):
    """It is started from the files of the ConfigMap alone, as the Pod does."""
    files = evaluate("recovery", "recovery_code", **CODE)
    package = tmp_path / "mysql_on_kubernetes"
    for file in files:
        target = package / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROLES.parent / "plugins" / "module_utils" / file, target)
    modules = ("remote", "task", "rows_task")
    words = "; ".join(f"import mysql_on_kubernetes.recovery.{name}" for name in modules)
    done = subprocess.run(
        [sys.executable, "-B", "-c", words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size = sum((package / file).stat().st_size for file in files)
    # What a ConfigMap may hold.
    assert size < 1 << 20


def claims(**of: str) -> dict[str, Any]:
    """Claims of a cluster, each with what it was made for."""
    return {
        "resources": [
            {
                "metadata": {
                    "name": name.replace("_", "-"),
                    "labels": {"app.kubernetes.io/name": purpose},
                }
            }
            for name, purpose in of.items()
        ]
    }


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ({"mysql_1": "mysql"}, "mysql-recovery"),
        # One that is at work is gone on with.
        ({"mysql_recovery": "mysql-recovery"}, "mysql-recovery"),
        # One that a switch has taken is an instance's data, whatever its name.
        ({"mysql_recovery": "mysql"}, "mysql-recovery-2"),
        ({"mysql_recovery": "mysql", "mysql_recovery_2": "mysql-recovery"}, "mysql-recovery-2"),
        ({"mysql_recovery": "mysql", "mysql_recovery_2": "mysql"}, "mysql-recovery-3"),
    ],
)
def test_a_recovery_never_takes_a_claim_that_is_somebody_s_data(
    found: dict[str, str], name: str
) -> None:
    made = evaluate("recovery", "recovery_scratch_claim", recovery_claims=claims(**found))
    assert made.strip() == name


def secret(name: str, **data: str) -> dict[str, Any]:
    encoded = {
        key.replace("_", "-"): base64.b64encode(value.encode()).decode()
        for key, value in data.items()
    }
    return {"metadata": {"name": name}, "data": encoded}


def test_every_account_of_the_cluster_gets_the_password_of_today() -> None:
    secrets = {
        "resources": [
            secret("mysql-auth", root_password="r", replication_password="p"),
            secret("mysql-app", username="app", password="a"),
            secret("mysql-backup", password="b", key="k"),
        ]
    }
    found = evaluate("recovery", "recovery_accounts", recovery_secrets=secrets)
    assert {one["name"]: one["password"] for one in found} == {
        "replication": "p",
        "app": "a",
        "backup": "b",
    }


@pytest.mark.parametrize(
    ("language", "words"), [("en", "(2 transactions)"), ("ko", "(2 트랜잭션)")]
)
def test_what_is_lost_and_kept_is_said(language: str, words: str) -> None:
    switched = {
        "claims": {"mysql-1": "mysql-recovery", "mysql-11": "mysql-11-recovery"},
        "primary": "mysql-1",
        "kept": [{"claim": "mysql-1"}, {"claim": "mysql-11"}],
        "lost": {"gtids": "uuid:16-17", "transactions": 2, "complete": True},
    }
    text = (ROLES / "recovery" / "templates" / f"switched.{language}.txt.j2").read_text()
    values = {"recovery_switched": switched, "recovery_namespace": "mysql"}
    said = str(Templar(loader=DataLoader(), variables=values).template(trust_as_template(text)))
    assert any(line.endswith(f"uuid:16-17 {words}") for line in said.splitlines())
    assert "mysql-1, mysql-11" in said
