# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No task shows a secret: what it loops over, what it registers, what it applies."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from tests.unit.roles.test_templates import ROLES, evaluate, render, trusted, variables

CHECKOUT = ROLES.parent
# In every Secret of the planted cluster, and nowhere else.
PLANTED = "pLanTed-5ecret"


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader()


@dataclass(frozen=True)
class Task:
    """One task of a role or a playbook. module: its name; arguments: what it is given."""

    file: Path
    keywords: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(CHECKOUT)}: {self.keywords.get('name', '?')}"

    @property
    def role(self) -> str:
        return self.file.parts[len(ROLES.parts)] if ROLES in self.file.parents else ""

    def arguments(self, *modules: str) -> dict[str, Any] | None:
        for module in modules:
            if module in self.keywords:
                given = self.keywords[module]
                return given if isinstance(given, dict) else {}
        return None


def _tasks_of(found: Any, file: Path) -> Iterator[Task]:
    for each in found if isinstance(found, list) else []:
        for part in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks"):
            yield from _tasks_of(each.get(part), file)
        if not {"block", "tasks"} & each.keys():
            yield Task(file, each)


def tasks() -> list[Task]:
    files = [*ROLES.glob("*/tasks/*.yml"), *(CHECKOUT / "playbooks").glob("*.yml")]
    files += (CHECKOUT / "playbooks" / "tasks").glob("*.yml")
    return [
        task for file in sorted(files) for task in _tasks_of(yaml.safe_load(file.read_text()), file)
    ]


def planted(name: str, label: str, *keys: str) -> dict[str, Any]:
    def value(key: str) -> str:
        return base64.b64encode(f"{PLANTED}-{key}".encode()).decode()

    data = {key: value(key) for key in keys}
    if "username" in data:
        data["username"] = base64.b64encode(b"app").decode()
    labels = {"app.kubernetes.io/name": label, "app.kubernetes.io/instance": "mysql"}
    return {"kind": "Secret", "metadata": {"name": name, "labels": labels}, "data": data}


def foreign() -> dict[str, Any]:
    """A Deployment that reads a Secret of ours and has a password of its own in its environment."""
    container = {
        "env": [{"name": "PASSWORD", "value": PLANTED}],
        "envFrom": [{"secretRef": {"name": "mysql-app"}}],
    }
    template = {"spec": {"containers": [container]}}
    return {"metadata": {"name": "shop"}, "spec": {"template": template}}


def facts() -> dict[str, Any]:
    """What tasks have registered, of a cluster whose every Secret holds planted values."""
    secrets = {
        "resources": [
            planted(
                "mysql-auth",
                "mysql",
                *("root-password", "replication-password", "probe-password", "clone-password"),
                *("client.cnf", "root-password.next", "replication-password.next"),
            ),
            planted("mysql-app", "mysql", "username", "password"),
            planted("mysql-backup", "mysql-backup", "password", "key", "client.cnf"),
            planted("mysql-ca", "mysql", "ca.key", "ca.crt"),
        ]
    }
    passwords = {name: f"{PLANTED}-{name}" for name in ("root", "replication", "app")}
    return {
        "db_secrets": secrets,
        "db_secrets_made": secrets,
        "recovery_secrets": secrets,
        "backup_secrets": secrets,
        "db_passwords": passwords,
        "cluster_root_password": f"{PLANTED}-root",
        "backup_root_password": f"{PLANTED}-root",
        "recovery_login_password": f"{PLANTED}-root",
        "item": {"secret": "mysql-auth", "key": "root-password", "name": "root", "user": "root"},
        "db_topology": {"instances": [], "orphans": [], "primary": {}, "claims": {}},
        "db_deployments": {"resources": [foreign()]},
        "recovery_claims": {"resources": []},
        "ansible_check_mode": False,
    }


def loops() -> list[Task]:
    return [task for task in tasks() if {"loop", "with_items", "with_dict"} & task.keywords.keys()]


def names_in(text: str, known: dict[str, Any]) -> set[str]:
    """Every variable that an expression leans on, through the role's own."""
    found: set[str] = set()
    waiting = {word for word in re.findall(r"\b[a-z]\w+", text)}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in known:
            waiting |= set(re.findall(r"\b[a-z]\w+", json.dumps(known[name], default=str)))
    return found


def test_no_loop_runs_over_a_secret_value() -> None:
    """Ansible shows the item of a task that fails, whatever its label: by name only, then."""
    values = facts()
    secret = {name for name in values if "secret" in name or "password" in name}
    looked_at = 0
    for task in loops():
        expression = task.keywords.get("loop")
        known = variables(task.role) if task.role else {}
        text = json.dumps(expression)
        if not names_in(text, known) & secret:
            continue
        loader = DataLoader()
        loader.set_basedir(str(task.file.parents[1]))
        templar = Templar(loader=loader, variables={**known, **values})
        found = json.dumps(templar.template(trusted(expression)), default=str)
        assert PLANTED not in found, f"{task.name} loops over secrets: {found}"
        assert base64.b64encode(PLANTED.encode()).decode()[:12] not in found, task.name
        looked_at += 1
    # The accounts of follow.yml in two roles, and what a rotation goes through.
    assert looked_at >= 6


@pytest.mark.parametrize("name", ["recovery_accounts"])
def test_accounts_say_where_their_passwords_lie(name: str) -> None:
    accounts = evaluate("recovery", name, **facts())
    assert {account["secret"] for account in accounts} >= {
        "mysql-auth",
        "mysql-app",
        "mysql-backup",
    }
    assert PLANTED not in json.dumps(accounts)


def test_what_reads_or_writes_a_secret_is_not_logged() -> None:
    read = 0
    for task in tasks():
        arguments = task.arguments("kubernetes.core.k8s_info", "kubernetes.core.k8s")
        if arguments is None:
            continue
        text = json.dumps(arguments)
        templates = re.findall(r"'([\w-]+\.yaml\.j2)'", text)
        kinds = {arguments.get("kind")} | {
            kind
            for template in templates
            for kind in re.findall(
                r"^kind: (\w+)", (ROLES / task.role / "templates" / template).read_text(), re.M
            )
        }
        if "Secret" in kinds:
            read += 1
            assert task.keywords.get("no_log"), f"{task.name} shows Secrets"
            assert not arguments.get("apply"), f"{task.name} keeps them in last-applied once more"
    assert read >= 12


def test_no_fact_is_made_of_a_password_in_the_open() -> None:
    for task in tasks():
        arguments = task.arguments("ansible.builtin.set_fact", "ansible.builtin.debug")
        if arguments and re.search(r"b64decode|password\b.*lookup", json.dumps(arguments)):
            assert task.keywords.get("no_log"), f"{task.name} shows a secret"


def test_what_somebody_else_built_is_not_shown() -> None:
    """A Deployment of somebody else's may have a password in its environment."""
    shown = [
        task.name
        for task in tasks()
        if (arguments := task.arguments("kubernetes.core.k8s", "kubernetes.core.k8s_info"))
        and task.role == "db"
        and arguments.get("kind") == "Deployment"
        and "db_surplus" not in json.dumps(task.keywords)
        and not (task.keywords.get("no_log") or "spec" in arguments.get("hidden_fields", []))
    ]
    assert not shown


OFFSITE = {
    "backup_offsite_endpoint": "https://s3.example",
    "backup_offsite_access_key": "AKIA",
    "backup_offsite_secret_key": PLANTED,
}


def offsite(**given: Any) -> dict[str, Any]:
    (secret,) = render("backup", "backup-offsite.yaml.j2", **{**OFFSITE, **given})
    return secret


def test_the_keys_of_the_other_place_are_in_no_annotation() -> None:
    made = offsite()
    assert "annotations" not in made["metadata"]
    there = {
        "metadata": {
            "name": "mysql-offsite",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": PLANTED},
        },
        "data": made["data"],
    }
    merged = offsite(backup_secrets={"resources": [there]})
    # A version of before applied it: what that left behind goes.
    assert merged["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/last-applied-configuration": None
    }
    assert merged["data"] == made["data"]


def test_a_key_of_the_other_place_that_is_emptied_goes() -> None:
    there = {"metadata": {"name": "mysql-offsite"}, "data": offsite()["data"]}
    secrets = {"resources": [there]}
    merged = offsite(backup_secrets=secrets, backup_offsite_endpoint="")
    assert merged["data"]["RCLONE_CONFIG_OFFSITE_ENDPOINT"] is None
    # Of none that is there, a null would make an empty one.
    assert "RCLONE_CONFIG_OFFSITE_REGION" not in merged["data"]
    again = offsite(backup_secrets=secrets)
    assert again["data"] == there["data"]
