# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects of the role recovery, rendered as Ansible renders them, and the code that works in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.loader import init_plugin_loader

from tests.unit.roles.test_templates import ROLES, evaluate, render


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Lookups are plugins: without this Ansible finds none outside of its own commands."""
    init_plugin_loader()


CODE = {"role_path": str(ROLES / "recovery")}


def pod(**overrides: Any) -> dict[str, Any]:
    objects = render("recovery", "recovery-pod.yaml.j2", **CODE, **overrides)
    return next(one for one in objects if one["kind"] == "Pod")


def mounts(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["mountPath"] for one in container["volumeMounts"]}


def test_the_key_of_the_archive_is_there_for_who_reads_it_and_for_nobody_else():
    found = pod(recovery_cluster_name="orders")
    containers = {one["name"]: one for one in found["spec"]["containers"]}
    assert mounts(containers["tools"])["key"] == "/etc/mysql-on-kubernetes"
    assert "key" not in mounts(containers["mysqld"])
    (volume,) = (one for one in found["spec"]["volumes"] if one["name"] == "key")
    secret = volume["secret"]
    assert secret["secretName"] == "orders-backup"
    # The password of the archive's account stays where it is.
    assert secret["items"] == [{"key": "key", "path": "key"}]
    # A cluster whose archive is made otherwise has no such Secret.
    assert secret["optional"] is True
    tasks = (ROLES / "recovery" / "tasks" / "pod.yml").read_text()
    assert "recovery_key_file: /etc/mysql-on-kubernetes/key" in tasks


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
