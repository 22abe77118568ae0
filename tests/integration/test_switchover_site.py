# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another primary on a real cluster, by the playbooks that a user runs, and a site that stays as it is."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, pods, topology
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.faults import fixes
from tests.integration.cluster import kubeconfig, port_closed
from tests.integration.runner import CHECKOUT

pytestmark = [pytest.mark.lab, pytest.mark.long]
NAMESPACE = "it-switchover"
SETTINGS = {
    "cluster_namespace": NAMESPACE,
    "cluster_app_host": "switchover.example",
    "cluster_replicas": 2,
    "cluster_storage_size": "1Gi",
    "cluster_data_scale": 0.01,
}
DEADLINE = 180.0


def played(playbook: str, *more: str, **settings: object) -> tuple[int, int, str]:
    """Return how a playbook ended, how many tasks changed something, and what it said."""
    command = ["ansible-playbook", "--inventory", "inventories/lab", f"playbooks/{playbook}.yml"]
    done = subprocess.run(
        [*command, "-e", json.dumps({**SETTINGS, **settings}), *more],
        cwd=CHECKOUT,
        env={key: value for key, value in os.environ.items() if key != "KUBECONFIG"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    changed = re.search(r"^localhost .* changed=(\d+)", done.stdout, re.MULTILINE)
    return done.returncode, int(changed[1]) if changed else -1, done.stdout


def assert_nothing_to_do(playbook: str, *more: str, **settings: object) -> None:
    """Play a playbook and assert that it changes nothing; else say what, and from what to what."""
    code, changed, said = played(playbook, "--diff", *more, **settings)
    assert code == 0, said[-4000:]
    told = [line for line in said.splitlines() if re.match(r"TASK|changed|[-+] |[-+]\S", line)]
    assert changed == 0, "\n".join(told)


@pytest.fixture(scope="module")
def cluster() -> Iterator[client.Cluster]:
    found = client.connect(kubeconfig())
    code, _changed, said = played("site", "--skip-tags", "step10")
    assert code == 0, said[-4000:]
    yield found
    found._request("DELETE", f"/api/v1/namespaces/{NAMESPACE}", "delete the namespace")


def seen(cluster: client.Cluster) -> topology.Topology:
    return topology.observe(cluster, NAMESPACE, "mysql", "mysql-write")


def read_from(cluster: client.Cluster) -> set[str]:
    return {instance.name for instance in seen(cluster).instances if instance.reads}


def scale(cluster: client.Cluster, name: str, replicas: int) -> None:
    """Let an instance have a Pod or none, and wait until it is so and its mysqld listens."""
    cluster.patch("Deployment", name, {"spec": {"replicas": replicas}}, NAMESPACE)
    deadline = time.monotonic() + DEADLINE
    labels = f"{topology.SERVER_LABEL}={name}"
    while time.monotonic() < deadline:
        running = cluster.list("Pod", NAMESPACE, labels=labels)
        if len(running) == replicas and all(pods.is_started(pod) for pod in running):
            return
        time.sleep(0.5)
    raise AssertionError(f"{name} has not {replicas} Pods after {DEADLINE:.0f} s")


def test_planned_and_the_site_stays_as_it_is(cluster: client.Cluster) -> None:
    before = {instance.name: instance.pod for instance in seen(cluster).instances}
    code, changed, said = played("switchover", "--check", switchover_to="mysql-11")
    assert (code, changed) == (0, 1), said[-4000:]
    assert seen(cluster).primary == "mysql-1"
    code, _changed, said = played("switchover", switchover_to="mysql-11")
    assert code == 0, said[-4000:]
    assert "lost: nothing" in said
    assert seen(cluster).primary == "mysql-11"
    assert read_from(cluster) == {"mysql-1", "mysql-12"}
    assert {each.name: each.pod for each in seen(cluster).instances} == before, "none restarted"
    for playbook, settings in (("site", {}), ("switchover", {"switchover_to": "mysql-11"})):
        assert_nothing_to_do(playbook, "--skip-tags", "step10", **settings)


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(cluster: client.Cluster) -> None:
    code, _changed, said = played("switchover", switchover_to="mysql-99")
    assert code != 0
    assert "none of the instances: mysql-1, mysql-11, mysql-12" in said


def test_a_primary_that_was_lost_is_neither_read_nor_written_when_it_is_back(
    cluster: client.Cluster,
) -> None:
    """mysql-11, born as a replica, is primary: its new Pod's label says that it may be read from."""
    code, _changed, said = played("failover")
    assert code != 0
    assert "switchover.primary_alive" in said
    scale(cluster, "mysql-11", 0)
    code, _changed, said = played("failover")
    assert code == 0, said[-4000:]
    new = seen(cluster).primary
    assert new in ("mysql-1", "mysql-12")

    scale(cluster, "mysql-11", 1)
    (back,) = [each for each in seen(cluster).instances if each.name == "mysql-11"]
    assert back.reads, "the label that it was born with"
    assert not back.ready, "two primaries, and one of them is stale"
    code, _changed, said = played("switchover", switchover_to=new)
    assert code == 0, said[-4000:]
    assert "mysql-11: replica, read from" in said
    assert_nothing_to_do("site", "--skip-tags", "step10")


def pods_of(cluster: client.Cluster, name: str) -> list[dict[str, Any]]:
    return cluster.list("Pod", NAMESPACE, labels=f"{topology.SERVER_LABEL}={name}")


def said_by(cluster: client.Cluster, name: str, sql: str) -> list[dict[str, Any]]:
    """What an instance answers."""
    secret = cluster.get("Secret", "mysql-auth", NAMESPACE)
    assert secret is not None
    password = base64.b64decode(secret["data"]["root-password"]).decode()
    pod = {"namespace": NAMESPACE, "deployment": name}
    road = {"kubeconfig": kubeconfig(), "login_password": password, "pod": pod}
    with roads.connect(road) as session:
        return session.query(sql)


def test_an_old_primary_that_nobody_reaches_is_ended_before_another_takes_over(
    cluster: client.Cluster,
) -> None:
    """Its mysqld runs on behind a port that is closed: clients that are inside could still write."""
    old = seen(cluster).primary
    (pod,) = pods_of(cluster, old)
    with port_closed(pod):
        code, _changed, said = played("failover")
        assert code == 0, said[-4000:]
    assert not pods_of(cluster, old)
    new = seen(cluster).primary
    assert new != old
    assert "that its Pod" not in said, "its end was waited for"
    # It stays ended until it is named; then it joins, since it had nothing of its own.
    assert_nothing_to_do("site", "--skip-tags", "step10")
    assert not pods_of(cluster, old)
    code, changed, said = played("site", "--skip-tags", "step10", cluster_unfence=[old])
    assert code == 0, said[-4000:]
    assert changed
    assert seen(cluster).primary == new
    assert read_from(cluster) == {"mysql-1", "mysql-11", "mysql-12"} - {new}
    assert_nothing_to_do("site", "--skip-tags", "step10")


# A policy of the cluster's by which nobody may change the Service for writes.
DENIED = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": NAMESPACE},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["UPDATE"],
                    "resources": ["services"],
                    "resourceNames": ["mysql-write"],
                }
            ],
        },
        "validations": [{"expression": "false", "message": "nobody may change it"}],
    },
}
BOUND = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": NAMESPACE},
    "spec": {"policyName": NAMESPACE, "validationActions": ["Deny"]},
}


def denied() -> bool:
    """Whether the policy is in force."""
    patch = shlex.quote(json.dumps({"metadata": {"labels": {"asked": "yes"}}}))
    ask = f"kubectl -n {NAMESPACE} patch service mysql-write --dry-run=server -p {patch}"
    return "nobody may change it" in fixes.shell(f"{ask} 2>&1 || true", kubeconfig())


@contextmanager
def service_denied() -> Iterator[None]:
    """Let nobody change the Service for writes, as a policy of the cluster may."""
    kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings"
    both = shlex.quote(json.dumps({"apiVersion": "v1", "kind": "List", "items": [DENIED, BOUND]}))
    fixes.shell(f"echo {both} | kubectl apply -f -", kubeconfig())
    try:
        assert look_until(denied, bool, DEADLINE)
        yield
    finally:
        fixes.shell(f"kubectl delete {kinds} {NAMESPACE}", kubeconfig())
    assert not look_until(denied, lambda still: not still, DEADLINE)


def test_a_switchover_that_was_broken_off_is_finished_before_another_one(
    cluster: client.Cluster,
) -> None:
    """The new primary takes writes already, and nobody may lead clients to it."""
    old = seen(cluster).primary
    new, other = sorted(set(seen(cluster).names()) - {old})
    with service_denied():
        code, _changed, said = played("switchover", switchover_to=new)
        assert code != 0
        assert "nobody may change it" in said
        assert f"{new} is primary, and not everything follows yet" in said
    assert seen(cluster).primary == old
    code, _changed, said = played("switchover", switchover_to=other)
    assert code != 0
    assert "[switchover.unfinished]" in said, said[-4000:]
    assert f"Finish it with {new} as the target, then switch on from there" in said
    for target in (new, other):
        code, _changed, said = played("switchover", switchover_to=target)
        assert code == 0, said[-4000:]
        assert "lost: nothing" in said
        assert seen(cluster).primary == target
    assert_nothing_to_do("site", "--skip-tags", "step10")


SIDES = """SELECT variable_name AS name, variable_value AS value FROM performance_schema.global_variables
 WHERE variable_name IN ('rpl_semi_sync_source_enabled', 'rpl_semi_sync_replica_enabled')"""
ACKNOWLEDGED = """SELECT variable_name AS name, variable_value AS value
 FROM performance_schema.global_status WHERE variable_name LIKE 'rpl\\_semi\\_sync\\_source\\_%'"""


def sides(cluster: client.Cluster) -> dict[str, set[str]]:
    """Which sides of semi-synchronous replication are on, by instance."""
    found = {}
    for name in seen(cluster).names():
        on = [row["name"] for row in said_by(cluster, name, SIDES) if row["value"] == "ON"]
        found[name] = {word.split("_")[3] for word in on}
    return found


def test_semi_synchronous_replication_comes_by_a_variable_moves_and_goes(
    cluster: client.Cluster,
) -> None:
    on = {"cluster_semisync": "enabled"}
    primary = seen(cluster).primary
    code, changed, said = played("site", "--tags", "db", **on)
    assert code == 0, said[-4000:]
    assert changed
    replicas = {name for name in seen(cluster).names() if name != primary}
    assert sides(cluster) == {primary: {"source"}, **dict.fromkeys(replicas, {"replica"})}
    status = {row["name"]: row["value"] for row in said_by(cluster, primary, ACKNOWLEDGED)}
    assert status["Rpl_semi_sync_source_clients"] == "2"
    assert status["Rpl_semi_sync_source_status"] == "ON"
    assert_nothing_to_do("site", "--tags", "db", **on)

    # The canary that proves the switchover is a commit that a replica acknowledged.
    new = sorted(replicas)[0]
    code, _changed, said = played("switchover", switchover_to=new)
    assert code == 0, said[-4000:]
    others = {name for name in seen(cluster).names() if name != new}
    assert sides(cluster) == {new: {"source"}, **dict.fromkeys(others, {"replica"})}
    status = {row["name"]: row["value"] for row in said_by(cluster, new, ACKNOWLEDGED)}
    assert status["Rpl_semi_sync_source_clients"] == "2"
    assert int(status["Rpl_semi_sync_source_yes_tx"]) > 0
    assert status["Rpl_semi_sync_source_no_tx"] == "0", "no commit waited in vain"
    assert_nothing_to_do("site", "--tags", "db", **on)

    off = {"cluster_semisync": "disabled"}
    code, changed, said = played("site", "--tags", "db", **off)
    assert code == 0, said[-4000:]
    assert changed
    assert sides(cluster) == dict.fromkeys(seen(cluster).names(), set())
    assert_nothing_to_do("site", "--tags", "db", **off)
