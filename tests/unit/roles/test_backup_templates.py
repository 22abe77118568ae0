# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects of the role backup, rendered as Ansible renders them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible.plugins.loader import init_plugin_loader

from tests.unit.roles.test_templates import render

PASSWORD = 'p"w\\1'


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Lookups are plugins: without this Ansible finds none outside of its own commands."""
    init_plugin_loader()


def archiver(**overrides: Any) -> dict[str, Any]:
    return render("backup", "backup-archiver.yaml.j2", backup_apart_from="mysql-11", **overrides)[0]


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


def test_the_archiver_keeps_away_from_the_primary_that_it_was_bound_beside():
    found = archiver()
    affinity = found["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    term = affinity["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]
    assert term["labelSelector"]["matchLabels"]["mysql-on.kubernetes/server"] == "mysql-11"
    assert found["metadata"]["annotations"]["mysql-on.kubernetes/apart-from"] == "mysql-11"
    strict = archiver(backup_apart="required")["spec"]["template"]["spec"]["affinity"]
    assert list(strict["podAntiAffinity"]) == ["requiredDuringSchedulingIgnoredDuringExecution"]


def test_there_are_never_two_archivers_and_no_service_leads_to_one():
    found = archiver()
    assert found["spec"]["strategy"] == {"type": "Recreate"}
    labels = found["spec"]["template"]["metadata"]["labels"]
    assert "mysql-on.kubernetes/reads" not in labels
    assert labels["app.kubernetes.io/name"] != "mysql"


def test_a_base_has_a_server_id_beside_the_archivers_and_takes_a_replica_first():
    job = render("backup", "backup-cronjob.yaml.j2", backup_server_id=5, backup_encrypted=True)[0]
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    given = environment(pod["containers"][0])
    assert given["SERVER_ID"] == "6"
    assert given["DONORS"] == "mysql-donors mysql-write"
    assert given["KEY_FILE"] == "/etc/mysql-on-kubernetes/key"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    container = archiver(backup_server_id=5)["spec"]["template"]["spec"]["containers"][0]
    assert environment(container)["SERVER_ID"] == "5"
    assert environment(container)["KEY_FILE"] == ""


def test_no_secret_is_in_anything_but_the_secret():
    given = {"backup_password": PASSWORD, "backup_key": "key-of-the-test"}
    secret = render("backup", "backup-secret.yaml.j2", **given)[0]
    assert secret["stringData"]["password"] == PASSWORD
    assert 'password="p\\"w\\\\1"' in secret["stringData"]["client.cnf"]
    for template in ("archiver", "cronjob", "config", "services"):
        objects = render(
            "backup", f"backup-{template}.yaml.j2", backup_apart_from="mysql-1", **given
        )
        assert "key-of-the-test" not in json.dumps(objects)
        assert json.dumps(PASSWORD) not in json.dumps(objects)


def test_every_script_is_in_the_pod():
    data = render("backup", "backup-config.yaml.j2")[0]["data"]
    assert data["archiver.sh"].startswith("#!/usr/bin/env bash\n")
    assert set(data) == {
        *("lib.sh", "server.sh", "archiver.sh", "ready.sh", "offsite.sh"),
        *("list.sh", "base.sh", "verify.sh", "prune.sh", "content.sh", "donor.sh"),
    }


def test_another_place_is_copied_to_beside_the_archiver_and_its_keys_are_in_a_secret():
    given = {
        "backup_offsite": "backups/orders",
        "backup_offsite_endpoint": "https://s3.example",
        "backup_offsite_access_key": "the-access-key",
        "backup_offsite_secret_key": 'the "secret" key',
    }
    pod = archiver(**given)["spec"]["template"]["spec"]
    (beside,) = (one for one in pod["containers"] if one["name"] == "offsite")
    assert environment(beside)["OFFSITE"] == "offsite:backups/orders"
    assert beside["envFrom"] == [{"secretRef": {"name": "mysql-offsite"}}]
    assert "the-access-key" not in json.dumps(pod)
    data = render("backup", "backup-offsite.yaml.j2", **given)[0]["data"]
    secret = {key: base64.b64decode(value).decode() for key, value in data.items()}
    assert secret["RCLONE_CONFIG_OFFSITE_SECRET_ACCESS_KEY"] == 'the "secret" key'
    assert secret["RCLONE_CONFIG_OFFSITE_ENDPOINT"] == "https://s3.example"
    without = archiver()["spec"]["template"]["spec"]
    assert [one["name"] for one in without["containers"]] == ["archiver"]
    assert "offsite" not in json.dumps(without["volumes"])
