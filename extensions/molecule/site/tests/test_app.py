# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The finished site, asked from another host on its LAN, and the 404 of a forgotten rewrite.

The site is the one of this scenario; SITE_NAMESPACE and SITE_HOST name another one, empty for the
site without a host name.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config

from extensions.molecule.shared.lab import KUBECONFIG, NAMESPACE
from tests.integration.cluster import lan_client
from tests.integration.runner import codes, fail, succeed

HOST = os.environ.get("SITE_HOST", f"{NAMESPACE}.example")
ADDRESS = "192.168.0.251"
CLIENT = lan_client()
FORGOTTEN = "forgotten-rewrite.test"


def check(*wanted: dict[str, Any], host: str = HOST) -> dict[str, Any]:
    """The arguments of path_check from the LAN's client host."""
    return {
        "url": f"http://{ADDRESS}",
        "host_header": host,
        "client_command": CLIENT,
        "paths": list(wanted),
        "wait": 20,
    }


def curl(path: str) -> Any:
    header = ["--header", f"Host: {HOST}"] if HOST else []
    command = [*CLIENT, "curl", "--silent", "--fail", *header, f"http://{ADDRESS}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "A replicated MySQL"),
        ("/vew", "Departments"),
        ("/vew/", "Departments"),
        ("/view", "Departments"),
        ("/view/instances", "new connections"),
        ("/vew/employees", "by number"),
        ("/static/style.css", "color-scheme"),
        ("/bucket", "Employees API"),
        ("/bucket/", "Employees API"),
        ("/bucket/docs", "/bucket/openapi.json"),
        ("/bucket/openapi.json", '"url":"/bucket"'),
    ],
)
def test_the_paths_answer_from_the_lan(path: str, words: str) -> None:
    result = succeed("path_check", check({"path": path, "contains": words}))
    assert result["address"] == ADDRESS
    assert result["paths"][0]["status"] == 200


def test_the_prefix_is_no_part_of_another_path() -> None:
    succeed("path_check", check({"path": "/bucketful", "status": 404}))


def test_reads_meet_replicas_and_writes_the_primary() -> None:
    readers = {curl("/bucket/whoami")["server_uuid"] for _look in range(20)}
    assert all(curl("/bucket/whoami")["read_only"] for _look in range(5))
    answer = subprocess.run(
        [*CLIENT, "curl", "--silent", "--fail", "--request", "POST"]
        + (["--header", f"Host: {HOST}"] if HOST else [])
        + [f"http://{ADDRESS}/bucket/write"],
        capture_output=True,
        text=True,
        check=True,
    )
    written = json.loads(answer.stdout)
    assert written["read_only"] is False
    assert written["kept"] is False
    assert written["server_uuid"] not in readers


@pytest.fixture
def forgotten_rewrite() -> Iterator[None]:
    """An Ingress as the course's students write it: the path, without the annotation."""
    api = client.NetworkingV1Api(config.new_client_from_config(KUBECONFIG))
    backend = {"service": {"name": "app-api", "port": {"name": "http"}}}
    path = {"path": "/bucket", "pathType": "Prefix", "backend": backend}
    body = {
        "metadata": {"name": "forgotten-rewrite"},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": FORGOTTEN, "http": {"paths": [path]}}],
        },
    }
    api.create_namespaced_ingress(NAMESPACE, body)
    yield
    api.delete_namespaced_ingress("forgotten-rewrite", NAMESPACE)


@pytest.mark.usefixtures("forgotten_rewrite")
def test_a_forgotten_rewrite_is_named() -> None:
    # The app itself says 404: it got /bucket/whoami, which it does not have.
    wanted = {"path": "/bucket/whoami", "status": 404, "contains": '{"detail":"Not Found"}'}
    succeed("path_check", check(wanted, host=FORGOTTEN))
    result = fail("path_check", {**check({"path": "/bucket/whoami"}, host=FORGOTTEN), "wait": 0})
    assert codes(result) == ["path.not_found"]
    assert "rewrite-target" in result["findings"][0]["fix"]
    assert "404" in result["findings"][0]["proof"][0]


def test_an_address_where_nobody_answers_is_named() -> None:
    arguments = {**check({"path": "/"}), "url": "http://192.168.0.252", "request_timeout": 2}
    result = fail("path_check", {**arguments, "wait": 0})
    assert codes(result) == ["path.no_answer"]
    assert "step1" in result["findings"][0]["fix"]
