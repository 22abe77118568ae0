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
    waiting = set(re.findall(r"\b[a-z]\w+", text))
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


# What an adopted cluster may have, and what no JSON is: quotes, backslashes, an end of line, letters of everywhere.
ODD = "p\u00fc'\"\\n\\#;$(x) \U0001f600\uac00" + "x" * 50


def auth_secret(data: dict[str, str], **given: Any) -> dict[str, Any]:
    """What is sent of the Secret with the cluster's own passwords, where it has these keys already."""
    there = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    secrets = [{"metadata": {"name": "mysql-auth"}, "data": there}] if data else []
    passwords = {name: f"new-{name}" for name in ("root", "replication", "app", "probe", "clone")}
    given = {"db_passwords": passwords, "db_secrets": {"resources": secrets}, **given}
    made = render("db", "mysql-secret.yaml.j2", **given)
    found = [one for one in made if one["metadata"]["name"] == "mysql-auth"]
    return dict(found[0]["stringData"]) if found else {}


def as_the_client_reads_it(text: str) -> str:
    """The password of an option file, by the rules of MySQL's own reader."""
    (line,) = (line for line in text.splitlines() if line.startswith("password="))
    value = line.removeprefix("password=")
    assert value[0] == value[-1] == '"'
    known = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}
    return re.sub(r"\\(.)", lambda match: known.get(match[1], match[0]), value[1:-1])


def test_an_adopted_password_is_kept_whatever_it_is() -> None:
    passwords = {"root": ODD, "replication": "r", "app": "a", "probe": "q", "clone": "c"}
    made = auth_secret({}, db_passwords=passwords, db_root_host_made="%")
    assert made["root-password"] == ODD
    assert as_the_client_reads_it(made["client.cnf"]) == ODD
    # The entrypoint writes it between quotes, in a statement and in an option file.
    assert as_the_client_reads_it(f'password="{made["initial-password"]}"') == ODD
    assert made["root-host"] == "%"
    env = {
        one["name"]: one["value"]
        for one in render(
            "db",
            "mysql-deploy.yaml.j2",
            db_secrets={
                "resources": [
                    {
                        "metadata": {"name": "mysql-auth"},
                        "data": {
                            key: base64.b64encode(value.encode()).decode()
                            for key, value in made.items()
                        },
                    }
                ]
            },
        )[0]["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert env["MYSQL_ROOT_PASSWORD_FILE"] == "/etc/mysql/probe/initial-password"
    assert env["MYSQL_ROOT_HOST"] == "%"


def test_a_secret_of_a_version_before_gets_what_it_lacks_and_keeps_its_passwords() -> None:
    before = {"root-password": "r", "replication-password": "p", "client.cnf": "as it was"}
    made = auth_secret(before)
    assert set(made) == {"probe-password", "clone-password", "probe.cnf", "client.cnf"}
    assert as_the_client_reads_it(made["client.cnf"]) == "r"
    assert as_the_client_reads_it(made["probe.cnf"]) == made["probe-password"] == "new-probe"
    # A second run has nothing to add.
    assert auth_secret({**before, **made}) == {}
    # Root's password of the volumes is not to be guessed.
    assert auth_secret({"replication-password": "p"}) == {}


def test_root_of_a_new_cluster_logs_in_from_its_own_pod_alone() -> None:
    made = auth_secret({})
    assert made["root-host"] == "127.0.0.1"
    assert "initial-password" not in made
    # Of a cluster of before it stays as it is: views may have that account as their definer.
    before = {
        "resources": [{"metadata": {"name": "mysql-auth"}, "data": {"root-password": "cg=="}}]
    }
    assert evaluate("db", "db_root_host", db_secrets=before) == "%"
    assert evaluate("db", "db_root_host", db_secrets={"resources": []}) == "127.0.0.1"


def test_probes_log_in_as_an_account_without_rights() -> None:
    (config,) = render("db", "mysql-config.yaml.j2")
    assert "probe.cnf" in config["data"]["ready.sh"]
    assert "mysql.user" not in config["data"]["ready.sh"]
    accounts = evaluate("db", "db_accounts_wanted")
    probes = {one["host"]: one for one in accounts if one["name"].endswith("_probe")}
    assert set(probes) == {"127.0.0.1", "%"}
    assert probes["%"]["privileges"] == {}
    assert probes["%"]["tls"] is True
    assert {name.split(".")[0] for name in probes["127.0.0.1"]["privileges"]} == {
        "performance_schema"
    }
    assert {str(held) for held in probes["127.0.0.1"]["privileges"].values()} == {"['SELECT']"}
    tls = render("db", "mysql-config.yaml.j2", db_tls="required")[0]["data"]["ready.sh"]
    assert "--ssl-mode=VERIFY_IDENTITY --ssl-ca=/etc/mysql/tls/ca.crt" in tls


def test_a_rotation_changes_every_account_and_what_is_written_from_its_password() -> None:
    made = auth_secret({})
    backup = {
        "password": "b",
        "client.cnf": '[client]\nuser=backup\npassword="b"\nhost=mysql-write\n',
    }
    later = {f"{key}.next": f"N{key}" for key in made if key.endswith("-password")}

    def secret(name: str, data: dict[str, str]) -> dict[str, Any]:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        return {"metadata": {"name": name, "annotations": None}, "data": encoded}

    secrets = [
        secret("mysql-auth", {**made, **later}),
        secret("mysql-app", {"username": "app", "password": "a", "password.next": "Na"}),
        secret("mysql-backup", {**backup, "password.next": "Nb"}),
    ]
    given = {"db_secrets": {"resources": secrets}}
    rotating = evaluate("db", "db_rotating", **given)
    assert {one["user"]: one["hosts"] for one in rotating} == {
        "root": ["127.0.0.1"],
        "replication": ["%"],
        "app": ["%"],
        "mysql_on_kubernetes_probe": ["127.0.0.1", "%"],
        "mysql_on_kubernetes_clone": ["%"],
        "backup": ["%"],
    }

    def changed(name: str) -> dict[str, str]:
        found = evaluate("db", "db_rotated_data", db_rotating_secret=name, **given)
        return {key: base64.b64decode(value).decode() for key, value in found.items() if value}

    own = changed("mysql-auth")
    assert as_the_client_reads_it(own["client.cnf"]) == own["root-password"] == "Nroot-password"
    assert as_the_client_reads_it(own["probe.cnf"]) == own["probe-password"]
    assert changed("mysql-backup")["client.cnf"] == backup["client.cnf"].replace('"b"', '"Nb"')
