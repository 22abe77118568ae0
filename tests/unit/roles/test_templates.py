"""The objects that the roles make, rendered as Ansible renders them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[3] / "roles"
CLUSTER = Path(__file__).resolve().parents[3] / "playbooks" / "group_vars" / "all.yml"


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Lookups are plugins: without this Ansible finds none outside of its own commands."""
    init_plugin_loader()


def trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return value


def variables(role: str) -> dict[str, Any]:
    found: dict[str, Any] = {"ansible_search_path": [str(ROLES / role)]}
    for part in ("defaults", "vars"):
        path = ROLES / role / part / "main.yml"
        if path.exists():
            found.update(trusted(yaml.safe_load(path.read_text())))
    return found


def render(role: str, template: str, **overrides: Any) -> list[dict[str, Any]]:
    loader = DataLoader()
    loader.set_basedir(str(ROLES / role))
    templar = Templar(loader=loader, variables={**variables(role), **overrides})
    text = (ROLES / role / "templates" / template).read_text()
    rendered = templar.template(trust_as_template(text))
    return [document for document in yaml.safe_load_all(str(rendered)) if document]


def cluster_instances(replicas: Any) -> list[dict[str, Any]]:
    values = trusted(yaml.safe_load(CLUSTER.read_text()))
    templar = Templar(loader=DataLoader(), variables={**values, "cluster_replicas": replicas})
    return templar.template(values["cluster_instances"])


@pytest.mark.parametrize("replicas", [0, 2, "2", 9])
def test_every_instance_has_a_server_id_of_its_own(replicas):
    instances = cluster_instances(replicas)
    assert [instance["server_id"] for instance in instances] == [1, *range(11, 11 + int(replicas))]
    assert len({instance["name"] for instance in instances}) == int(replicas) + 1


def test_the_server_id_is_an_argument_of_each_deployment():
    deployments = render("db", "mysql-deploy.yaml.j2")
    arguments = {
        deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"]["containers"][0][
            "args"
        ]
        for deployment in deployments
    }
    assert arguments == {
        "mysql-1": ["--server-id=1"],
        "mysql-11": ["--server-id=11"],
        "mysql-12": ["--server-id=12"],
    }


def test_no_instance_is_born_with_transactions_of_its_own():
    for deployment in render("db", "mysql-deploy.yaml.j2"):
        environment = {
            variable["name"]: variable["value"]
            for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        }
        assert environment["MYSQL_INITDB_SKIP_TZINFO"] == "1"
        assert not environment.keys() & {"MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD"}


def test_two_servers_never_share_a_volume():
    deployments = render("db", "mysql-deploy.yaml.j2")
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for deployment in deployments
        for volume in deployment["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert len(set(claims)) == len(deployments)
    assert {deployment["spec"]["strategy"]["type"] for deployment in deployments} == {"Recreate"}


def test_writes_lead_to_one_instance_and_reads_to_the_replicas():
    write, read = render("db", "mysql-services.yaml.j2", db_primary_name="mysql-11")
    assert write["spec"]["selector"]["mysql-on.kubernetes/server"] == "mysql-11"
    assert read["spec"]["selector"]["mysql-on.kubernetes/reads"] == "yes"
    labels = [
        deployment["spec"]["template"]["metadata"]["labels"]["mysql-on.kubernetes/reads"]
        for deployment in render("db", "mysql-deploy.yaml.j2")
    ]
    assert labels == ["no", "yes", "yes"]


def test_a_changed_option_changes_the_pods_and_an_unchanged_one_does_not():
    def annotation(**overrides: Any) -> str:
        first = render("db", "mysql-deploy.yaml.j2", **overrides)[0]
        return first["spec"]["template"]["metadata"]["annotations"]["mysql-on.kubernetes/config"]

    assert annotation() == annotation()
    assert annotation() != annotation(db_config={"max_connections": 50})


def test_the_users_options_win_over_the_roles_own():
    config = render("db", "mysql-config.yaml.j2", db_config={"max_connections": 50})[0]
    lines = [line.strip() for line in config["data"]["my.cnf"].splitlines()]
    assert "max_connections = 50" in lines
    assert "max_connections = 300" not in lines
    assert "gtid_mode = ON" in lines


PASSWORDS = {"root": "one", "replication": "two", "app": "three"}


def test_a_secret_that_is_there_is_never_made_again():
    def names(found: list[str]) -> list[str]:
        rendered = render(
            "db", "mysql-secret.yaml.j2", db_secrets_found=found, db_passwords=PASSWORDS
        )
        return [secret["metadata"]["name"] for secret in rendered]

    assert names([]) == ["mysql-auth", "mysql-app"]
    assert names(["mysql-auth"]) == ["mysql-app"]
    assert names(["mysql-app"]) == ["mysql-auth"]


def test_each_instance_gets_a_claim_of_the_chosen_class():
    storage = {"storage_class": "hostpath"}
    namespace, *claims = render("infra", "mysql-pvc.yaml.j2", infra_storage=storage)
    assert namespace["kind"] == "Namespace"
    assert [claim["metadata"]["name"] for claim in claims] == ["mysql-1", "mysql-11", "mysql-12"]
    assert {claim["spec"]["storageClassName"] for claim in claims} == {"hostpath"}
