# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes wrong while a phase runs: it is named, nothing is lost, and the next run converges."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import pods, topology

from tests.faults import fixes, second_lab
from tests.integration import cluster
from tests.integration.runner import succeed
from tests.integration.site import Played, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

# Tasks of each phase at whose begin the controller is killed, one run after another.
KILLED_AT = {
    "infra": ("Make the namespace and a claim", "Prove that each claim is bound"),
    "db": (
        *(
            "Make the ConfigMap, the budget and the Deployments",
            "Wait until each instance has started",
        ),
        *("Make mysql-write for the primary", "Point each replica at the primary"),
    ),
    "data": ("Load it into the primary", "Compare every table on every instance"),
    "app": ("Wait until both reach the database", "Prove that the paths answer"),
}
AWAY_SECONDS = 20


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One site that grows phase by phase."""
    made = Site()
    try:
        yield made
    finally:
        made.remove()


def converges(site: Site, phase: str) -> None:
    again = site.play("--tags", phase)
    assert not again.failed, again.output
    third = site.play("--tags", phase)
    assert third.recap["changed"] == 0, third.changed


@pytest.mark.parametrize("phase", KILLED_AT)
def test_a_controller_that_is_killed_is_run_again(site: Site, phase: str) -> None:
    for task in KILLED_AT[phase]:
        site.kill_at(task, "--tags", phase)
    converges(site, phase)


@pytest.fixture
def bare() -> Iterator[Site]:
    """A site of which nothing is there but its volumes."""
    made = Site(cluster_replicas=0)
    try:
        ready = made.play("--tags", "infra")
        assert not ready.failed, ready.output
        yield made
    finally:
        made.remove()


def refused(site: Site, code: str, *options: str, **variables: Any) -> Played:
    played = site.play(*options, **variables)
    assert played.failed, played.output
    assert f"[{code}]" in played.output, played.output
    return played


def test_an_image_that_nobody_has_is_named_by_the_phase_that_wants_it(bare: Site) -> None:
    absent = "docker.io/library/mysql:9.7.99"
    told = refused(bare, "kube.image_pull", "--tags", "db", cluster_image=absent)
    # By patience, not because the time was over.
    assert "will not" in told.output
    assert absent in told.output
    converges(bare, "db")


def test_a_quota_that_is_used_up_is_named_and_the_next_run_converges(bare: Site) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    bare.cluster.create("ResourceQuota", body, bare.namespace)
    refused(bare, "kube.quota_too_small", "--tags", "infra")
    refused(bare, "kube.quota_exceeded", "--tags", "db")
    bare.cluster.delete("ResourceQuota", "none", bare.namespace)
    converges(bare, "db")


def test_a_pod_that_no_node_has_room_for_is_named_and_the_next_run_converges(bare: Site) -> None:
    much = {"cluster_memory_request": "900Gi", "cluster_memory_limit": "900Gi"}
    refused(bare, "kube.no_room", "--tags", "infra", **much)
    refused(bare, "kube.unschedulable", "--tags", "db", **much)
    converges(bare, "db")


@contextmanager
def site_on_the_second_lab(**variables: Any) -> Iterator[Site]:
    second_lab.bring_up()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYSQL_ON_KUBERNETES_KUBECONFIG", second_lab.KUBECONFIG)
        patch.setenv("LAB", second_lab.LAB)
        made = Site(**variables)
        try:
            yield made
        finally:
            made.remove()


@pytest.fixture(scope="module")
def away_site() -> Iterator[Site]:
    """A site whose API server may go away."""
    with site_on_the_second_lab() as made:
        yield made


def play_and(act: Callable[[], None], site: Site, task: str, *options: str) -> Played:
    """Play, and act when a task begins."""
    with site.start(*options) as running:
        said: list[str] = []
        for line in running.stdout or ():
            said.append(line)
            if line.startswith("TASK [") and task in line:
                act()
    assert any(line.startswith("TASK [") and task in line for line in said), "".join(said)
    return Played("".join(said))


def stop_for_a_while() -> None:
    """Stop the API server's process; it goes on after a while."""
    process = second_lab.api_server()
    os.kill(process, signal.SIGSTOP)
    try:
        time.sleep(AWAY_SECONDS)
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize(
    ("phase", "task"),
    [
        ("infra", "Prove that a StorageClass"),
        ("db", "Wait until each instance has started"),
        ("data", "Load it into the primary"),
        ("app", "Wait until both reach the database"),
    ],
)
def test_an_api_server_that_is_away_for_a_while(away_site: Site, phase: str, task: str) -> None:
    played = play_and(stop_for_a_while, away_site, task, "--tags", phase)
    if played.failed:
        # Whoever cannot wait says what it could not reach.
        assert "Kubernetes" in played.output or second_lab.LAB in played.output, played.output
    converges(away_site, phase)


# Tasks of each phase at whose begin the power of a node is cut.
CUT_AT = {
    "infra": "Make the namespace and a claim",
    "db": "Wait until each instance has started",
    "data": "Load it into the primary",
    "app": "Wait until both reach the database",
}


@pytest.fixture(scope="module")
def cut_site() -> Iterator[Site]:
    """A site whose nodes may go; what waits for one that is away does not wait long."""
    with site_on_the_second_lab(cluster_start_timeout=100, app_timeout=100) as made:
        yield made


def node_without(site: Site, namespace: str) -> str:
    """A worker on which nothing of a namespace runs."""
    taken = {pods.node_of(pod) for pod in site.cluster.list("Pod", namespace)}
    return next(name for name in ("worker1", "worker2") if name not in taken)


def noted(site: Site, phase: str = "") -> list[str]:
    """Note a phase in the primary, and return all that were noted so far."""
    pod = {"namespace": site.namespace, "service": "mysql-write"}
    asked = {"kubeconfig": second_lab.KUBECONFIG, "pod": pod, "connect_timeout": 60}
    with roads.connect({**asked, "login_password": site.password}) as primary:
        primary.execute("CREATE DATABASE IF NOT EXISTS kept")
        primary.execute("CREATE TABLE IF NOT EXISTS kept.phases (name VARCHAR(9) PRIMARY KEY)")
        if phase:
            primary.execute("INSERT INTO kept.phases VALUES (%s)", (phase,))
        return [str(row["name"]) for row in primary.query("SELECT name FROM kept.phases")]


@pytest.mark.parametrize("phase", CUT_AT)
def test_a_node_that_goes_is_named_and_nothing_is_lost(cut_site: Site, phase: str) -> None:
    earlier = ",".join(list(CUT_AT)[: list(CUT_AT).index(phase)])
    if earlier:
        made = cut_site.play("--tags", earlier)
        assert not made.failed, made.output
    stands = phase in ("data", "app")
    before = noted(cut_site, phase) if stands else []
    node = node_without(cut_site, "traefik")
    try:
        played = play_and(
            lambda: second_lab.cut_power(node), cut_site, CUT_AT[phase], "--tags", phase
        )
        lost = f"kubectl wait node {node} --for=condition=Ready=Unknown --timeout=120s"
        fixes.shell(lost, second_lab.KUBECONFIG)
        if phase == "infra":
            # It needs no single node; whoever asks is told.
            played = cut_site.play("--tags", "preflight")
        else:
            assert played.failed, played.output
            there = [
                str(pod["metadata"]["name"])
                for pod in cut_site.cluster.list("Pod", cut_site.namespace)
                if pods.node_of(pod) == node
            ]
            assert any(name in played.output for name in there), f"{there}: {played.output}"
        assert "[kube.node_gone]" in played.output or "[kube.node_not_ready]" in played.output, (
            played.output
        )
        assert f"kubectl describe node {node}" in played.output
    finally:
        second_lab.bring_up()
    converges(cut_site, phase)
    assert not stands or noted(cut_site) == before


def test_a_primary_whose_node_goes_may_still_run(cut_site: Site) -> None:
    """Whoever takes over ended it, and nobody is left on its node to say that it has."""
    cut_site.play_through("--tags", "infra,db")
    old, new = "mysql-1", "mysql-11"

    def pods_of(name: str) -> list[dict[str, Any]]:
        labels = f"mysql-on.kubernetes/server={name}"
        return cut_site.cluster.list("Pod", cut_site.namespace, labels=labels)

    (pod,) = pods_of(old)
    node, space = pods.node_of(pod), cut_site.namespace
    names = [{"name": each, "pod": {"namespace": space, "deployment": each}} for each in (old, new)]
    take_over = {
        "kubeconfig": second_lab.KUBECONFIG,
        "login_password": cut_site.password,
        "source_password": cut_site.secret("mysql-auth", "replication-password"),
        "services": {"namespace": space},
        "instances": names,
        "mode": "lost",
        "connect_timeout": 5,
    }
    try:
        second_lab.cut_power(node)
        lost = f"kubectl wait node {node} --for=condition=Ready=Unknown --timeout=120s"
        fixes.shell(lost, second_lab.KUBECONFIG)
        taken = succeed("mysql_switchover", take_over)
        assert taken["primary"] == new
        finding = fixes.the(taken, "switchover.pod_remains")
        assert f"node {node}: Ready Unknown" in finding["proof"][0]
        assert finding["fix"].startswith(f"Switch the node {node} off")
        fixes.run_command(finding, second_lab.KUBECONFIG)
        assert not pods_of(old)
    finally:
        second_lab.bring_up()
    # What brought it here brings it back, as a replica.
    converges(cut_site, "infra,db")
    assert len(pods_of(old)) == 1
    assert topology.observe(cut_site.cluster, space, "mysql", "mysql-write").primary == new
