# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two clusters of other names and sizes in two namespaces, on one address: app_host tells them apart.

The tests of this file are one story about two sites and run in their order.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads

from tests.integration import cluster
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

IP = "192.168.0.251"
MADE = ("ConfigMap", "Deployment", "Ingress", "PersistentVolumeClaim", "Secret", "Service")
OK = 200


@pytest.fixture(scope="module")
def course() -> Iterator[Site]:
    made = Site()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def shop() -> Iterator[Site]:
    made = Site(cluster_name="shop", cluster_replicas=2, cluster_database="shop_staff")
    yield made
    made.remove()


def servers(site: Site) -> set[str]:
    """The server_uuid of each of a site's replicas, as the servers themselves say it."""
    name = str(site.variables.get("cluster_name", "mysql"))
    secret = site.cluster.get("Secret", f"{name}-auth", site.namespace)
    assert secret is not None
    found = set()
    for number in range(int(site.variables["cluster_replicas"])):
        login = {
            "kubeconfig": site.kubeconfig,
            "pod": {"namespace": site.namespace, "deployment": f"{name}-{11 + number}"},
            "login_password": base64.b64decode(secret["data"]["root-password"]).decode(),
        }
        with roads.connect(login) as replica:
            found.add(str(replica.server.server_uuid))
    return found


def asked(host: str, path: str) -> tuple[int, str]:
    """What a computer of the LAN gets for a path of a host: status and body."""
    argv = [
        *cluster.lan_client(),
        *("curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}"),
        *("--header", f"Host: {host}", f"http://{IP}{path}"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    body, _newline, status = done.stdout.rpartition("\n")
    return int(status), body


def answers(site: Site) -> set[str]:
    """Which servers answer the reads of a site's host."""
    found = set()
    for _each in range(12):
        status, body = asked(str(site.variables["cluster_app_host"]), "/bucket/whoami")
        assert status == OK, body
        found.add(str(json.loads(body)["server_uuid"]))
    return found


def test_both_converge_and_each_is_left_alone_by_the_other(course: Site, shop: Site) -> None:
    first = course.play()
    assert not first.failed, first.output
    before = course.objects(*MADE)
    second = shop.play()
    assert not second.failed, second.output
    assert course.objects(*MADE) == before
    for site in (course, shop):
        again = site.play()
        assert again.changed == [], again.output
        assert again.recap["changed"] == 0


def test_each_host_is_answered_by_its_own_servers(course: Site, shop: Site) -> None:
    assert not servers(course) & servers(shop)
    for site in (course, shop):
        assert answers(site) <= servers(site)
        for path in ("/", "/vew", "/bucket/counts"):
            assert asked(str(site.variables["cluster_app_host"]), path)[0] == OK


def test_the_same_host_for_both_is_refused_before_anything_is_touched(
    course: Site, shop: Site
) -> None:
    before = shop.objects(*MADE)
    clashing = shop.play(
        "--tags", "preflight", cluster_app_host=course.variables["cluster_app_host"]
    )
    assert clashing.failed
    assert "[ingress.path_clash]" in clashing.output
    assert shop.objects(*MADE) == before


def test_the_teardown_of_one_leaves_the_other(course: Site, shop: Site) -> None:
    before, gone = shop.objects(*MADE), servers(course)
    volumes = ["mysql-1", "mysql-11"]
    down = course.play(playbook="teardown", teardown_confirm=course.word, teardown_volumes=volumes)
    assert not down.failed, down.output
    assert not course.objects("Deployment", "Ingress", "PersistentVolumeClaim", "Secret", "Service")
    # A site without a host of its own would answer now; neither of these two does.
    status, body = asked(str(course.variables["cluster_app_host"]), "/bucket/whoami")
    assert status != OK or json.loads(body)["server_uuid"] not in gone | servers(shop)
    assert shop.objects(*MADE) == before
    assert answers(shop) <= servers(shop)
    proved = shop.play("--tags", "verify")
    assert not proved.failed, proved.output
