# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.roles.test_templates import render

REWRITE = "nginx.ingress.kubernetes.io/rewrite-target"
ACCOUNT = {"secretKeyRef": {"name": "mysql-app", "key": "username"}}


def lead(path: str, **overrides: Any) -> tuple[str, str]:
    """Return the Service that a request meets and the path that it gets, as ingress-nginx does."""
    found = []
    for ingress in render("app", "app-ingress.yaml.j2", **overrides):
        target = ingress["metadata"].get("annotations", {}).get(REWRITE)
        for entry in ingress["spec"]["rules"][0]["http"]["paths"]:
            match = re.match(entry["path"], path)
            if match:
                new = match.expand(target.replace("$", "\\")) if target else path
                service = entry["backend"]["service"]["name"]
                found.append((len(entry["path"]), service, new))
    _length, service, new = max(found)
    return service, new


@pytest.mark.parametrize(
    ("path", "service", "new"),
    [
        ("/", "app-web", "/"),
        ("/static/style.css", "app-web", "/static/style.css"),
        ("/vew", "app-web", "/view/"),
        ("/vew/employees", "app-web", "/view/employees"),
        ("/view", "app-web", "/view/"),
        ("/view/departments/d005", "app-web", "/view/departments/d005"),
        ("/bucket", "app-api", "/"),
        ("/bucket/", "app-api", "/"),
        ("/bucket/docs", "app-api", "/docs"),
        ("/bucketful", "app-web", "/bucketful"),
        ("/viewer", "app-web", "/viewer"),
    ],
)
def test_paths_lead_where_they_should(path: str, service: str, new: str) -> None:
    assert lead(path) == (service, new)


def test_without_a_name_every_host_is_taken() -> None:
    for ingress in render("app", "app-ingress.yaml.j2"):
        assert "host" not in ingress["spec"]["rules"][0]


def test_a_name_separates_sites_on_one_address() -> None:
    ingresses = render("app", "app-ingress.yaml.j2", app_host="a.test")
    assert [one["spec"]["rules"][0]["host"] for one in ingresses] == ["a.test"] * 3


def test_deployments_reach_mysql_by_name_and_show_no_password() -> None:
    objects = render("app", "app-deploy.yaml.j2", app_api_replicas=3)
    deployments = [one for one in objects if one["kind"] == "Deployment"]
    assert [one["spec"]["replicas"] for one in deployments] == [3, 2]
    for deployment in deployments:
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        values = {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}
        assert values["DB_READ_HOST"] == "mysql-read"
        assert values["DB_WRITE_HOST"] == "mysql-write"
        assert values["DB_USER"] == ACCOUNT
        assert values["DB_PASSWORD_FILE"] == "/etc/app/account/password"
        assert "DB_PASSWORD" not in values
        assert values.get("UVICORN_ROOT_PATH") == (
            "/bucket" if deployment["metadata"]["name"] == "app-api" else None
        )


def test_services_select_the_pods_of_their_own_app() -> None:
    objects = render("app", "app-deploy.yaml.j2")
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"].items()
        for one in objects
        if one["kind"] == "Deployment"
    }
    for service in (one for one in objects if one["kind"] == "Service"):
        selected = [
            name for name, labels in pods.items() if service["spec"]["selector"].items() <= labels
        ]
        assert selected == [service["metadata"]["name"]]
