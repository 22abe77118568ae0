# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of Pods, rights and names, in a namespace of its own: named, mended as the finding says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client
from ansible_collections.mysql_on.kubernetes.plugins.plugin_utils import python_pod

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.cluster import container, deployment_spec, pod_spec
from tests.integration.runner import CHECKOUT, codes, fail, succeed

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

Object = dict[str, Any]


@pytest.fixture
def space() -> Iterator[cluster.Space]:
    made = cluster.Space(client.connect(cluster.kubeconfig()))
    yield made
    made.remove()


def kubectl(space: cluster.Space, command: str) -> str:
    return fixes.shell(f"kubectl -n {space.name} {command}", cluster.kubeconfig())


def wait(space: cluster.Space, kind: str, name: str, condition: str, timeout: int = 20) -> Object:
    objects = [{"kind": kind, "name": name, "condition": condition}]
    given = {"namespace": space.name, "objects": objects, "timeout": timeout, "patience": 5}
    return {"kubeconfig": cluster.kubeconfig(), **given}


def test_a_job_fails(space: cluster.Space) -> None:
    def make(name: str, command: str) -> None:
        pod = pod_spec(container(command=["sh", "-c", command]), restartPolicy="Never")
        space.make("Job", name, spec={"backoffLimit": 0, "template": {"spec": pod}})

    make("broken", "echo it is broken; exit 3")
    result = fail("kube_wait", wait(space, "Job", "broken", "complete", 60))
    finding = fixes.the(result, "kube.job_failed")
    assert "BackoffLimitExceeded" in finding["proof"][0]
    assert "it is broken" in fixes.run_command(finding, cluster.kubeconfig())
    make("mended", "true")
    succeed("kube_wait", wait(space, "Job", "mended", "complete", 60))


def test_a_volume_of_a_pod_cannot_be_mounted(space: cluster.Space) -> None:
    mount = {"name": "config", "mountPath": "/config"}
    volume = {"name": "config", "configMap": {"name": "misspelt"}}
    space.make("Pod", "bare", spec=pod_spec(container(volumeMounts=[mount]), volumes=[volume]))
    finding = fixes.the(fail("kube_wait", wait(space, "Pod", "bare", "ready")), "kube.mount_failed")
    assert 'configmap "misspelt" not found' in finding["proof"][0]
    assert finding["fix"].startswith("Create what the message names")
    space.make("ConfigMap", "misspelt", data={"my.cnf": ""})
    succeed("kube_wait", wait(space, "Pod", "bare", "ready", 180))


def test_a_probe_fails(space: cluster.Space) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1}
    space.make("Pod", "unready", spec=pod_spec(container(readinessProbe=probe)))
    result = fail("kube_wait", wait(space, "Pod", "unready", "ready"))
    finding = fixes.the(result, "kube.probe_failing")
    assert "/tmp/ready: No such file or directory" in finding["proof"][0]
    assert finding["fix"].startswith("Run the probe's command by hand in the container")
    kubectl(space, "exec unready -- touch /tmp/ready")
    kubectl(space, "exec unready -- cat /tmp/ready")
    succeed("kube_wait", wait(space, "Pod", "unready", "ready", 60))


def test_the_api_server_refuses_the_pods(space: cluster.Space) -> None:
    limits = {"limits": [{"type": "Container", "max": {"memory": "16Mi"}}]}
    body = {"kind": "LimitRange", "apiVersion": "v1", "metadata": {"name": "small"}}
    made = json.dumps({**body, "spec": limits})
    fixes.shell(f"echo '{made}' | kubectl -n {space.name} create -f -", cluster.kubeconfig())
    large = container(resources={"limits": {"memory": "64Mi"}})
    space.make("Deployment", "large", spec=deployment_spec("large", pod_spec(large)))
    result = fail("kube_wait", wait(space, "Deployment", "large", "started", 60))
    finding = fixes.the(result, "kube.pod_refused")
    assert "maximum memory usage per Container is 16Mi" in finding["proof"][0]
    assert "maximum memory usage" in fixes.run_command(finding, cluster.kubeconfig())
    kubectl(space, "delete limitrange small")
    # Its controller tries ever more rarely; a new one tries at once.
    kubectl(space, "rollout restart deployment large")
    succeed("kube_wait", wait(space, "Deployment", "large", "started", 180))


INDEX = yaml.safe_load((CHECKOUT / "inventories/lab/group_vars/kubernetes.yml").read_text())[
    "cluster_python_index_url"
]
OTHERS_HASH = "0" * 64


def python(space: cluster.Space, name: str, index: str, digest: str = "") -> None:
    """Make a Pod that runs a module of ours; digest: of every file, instead of those that are known."""
    made = python_pod.python_pod(
        {"index_url": index}, name, ["mysql_on_kubernetes.mysql.connection"], ["tools"]
    )
    if digest:
        listed = made["data"]["requirements.txt"]
        made["data"]["requirements.txt"] = re.sub("sha256:[0-9a-f]{64}", f"sha256:{digest}", listed)
    space.make("ConfigMap", name, data=made["data"])
    words = "import mysql_on_kubernetes.mysql.connection, pymysql, time; time.sleep(600)"
    works = {"exec": {"command": ["python3", "-c", "import pymysql"]}}
    main = container(
        image=made["image"],
        command=["python3", "-c", words],
        env=made["env"],
        volumeMounts=made["volume_mounts"],
        readinessProbe=works,
    )
    user = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001}
    more = {"initContainers": made["init_containers"], "volumes": made["volumes"]}
    space.make("Pod", name, spec=pod_spec(main, securityContext=user, **more))


@pytest.mark.parametrize(
    ("code", "index", "digest"),
    [
        ("python.index_unreachable", "http://192.168.0.1:9/simple", ""),
        ("python.package_absent", INDEX.replace("simple", "nothing"), ""),
        ("python.hash_differs", INDEX, OTHERS_HASH),
    ],
)
def test_packages_do_not_come(space: cluster.Space, code: str, index: str, digest: str) -> None:
    python(space, "broken", index, digest)
    result = fail("kube_wait", wait(space, "Pod", "broken", "ready", 120))
    finding = fixes.the(result, code)
    assert index in finding["summary"]
    assert "python-packages" in finding["proof"][0]
    python(space, "mended", INDEX)
    succeed("kube_wait", wait(space, "Pod", "mended", "ready", 120))


def test_a_name_is_somebody_elses(space: cluster.Space) -> None:
    space.make("Service", "mysql-write", spec={"ports": [{"port": 3306}]})
    asked = {
        "kubeconfig": cluster.kubeconfig(),
        "namespace": space.name,
        "objects": [{"kind": "Service", "name": "mysql-write"}],
        "labels": {"app.kubernetes.io/name": "mysql"},
    }
    finding = fixes.the(fail("kube_preflight", asked), "kube.name_taken")
    assert "without the labels app.kubernetes.io/name=mysql" in finding["proof"][0]
    assert finding["fix"].endswith("or delete that object if nothing needs it")
    space.delete("Service", "mysql-write")
    succeed("kube_preflight", asked)


def test_the_api_server_is_older_than_is_needed(space: cluster.Space) -> None:
    asked = {"kubeconfig": cluster.kubeconfig(), "namespace": space.name}
    result = fail("kube_preflight", {**asked, "minimum_version": "9.0"})
    finding = fixes.the(result, "kube.server_old")
    assert finding["fix"] == "Upgrade the cluster, or use another one"
    version = finding["proof"][0].removeprefix("GET /version: ")
    # Another one: that is as new as is asked for.
    asked["minimum_version"] = version.removeprefix("v")
    done = succeed("kube_preflight", asked)
    assert f"the API server is {version}, {asked['minimum_version']} or later" in done["checked"]


def test_the_user_may_not(space: cluster.Space, tmp_path: Path) -> None:
    """A user of one namespace, to whom its administrator gave nothing yet."""
    given = yaml.safe_load(Path(cluster.kubeconfig()).read_text())
    token = kubectl(space, "create token default").strip()
    (given["users"][0]["user"], path) = ({"token": token}, tmp_path / "kubeconfig")
    path.write_text(yaml.safe_dump(given))
    asked = {"kubeconfig": str(path), "namespace": space.name}
    finding = fixes.the(fail("kube_preflight", asked), "kube.forbidden")
    assert "SelfSubjectAccessReview" in finding["proof"][0]
    assert "Ask the cluster's administrator for that right" in finding["fix"]
    can = finding["fix"].partition("kubectl ")[2]
    denied = fixes.shell(f"kubectl {can} || true", str(path))
    assert denied.strip() == "no"
    subject = f"--serviceaccount={space.name}:default"
    role = f"clusterrolebinding {space.name}"
    kubectl(space, f"create {role} --clusterrole=cluster-admin {subject}")
    try:
        succeed("kube_preflight", asked)
    finally:
        kubectl(space, f"delete {role}")


def test_a_road_leads_to_no_pod_that_runs(space: cluster.Space) -> None:
    def look(**pod: str) -> Object:
        given = {"kubeconfig": cluster.kubeconfig(), "connect_timeout": 2}
        return {**given, "login_password": "any", "pod": {"namespace": space.name, **pod}}

    labels = {"labels": {"app": "mysql"}}
    done = pod_spec(container(command=["true"]), restartPolicy="Never")
    space.make("Pod", "done", spec=done)
    space.wait_for("Pod", "done", phase="Succeeded")
    result = fail("mysql_replication_info", look(name="done"))
    finding = fixes.the(result, "kube.pod_not_running")
    assert "Succeeded" in finding["proof"][0]
    assert "Completed" in fixes.run_command(finding, cluster.kubeconfig())
    space.make("Pod", "runs", metadata=labels, spec=pod_spec(container()))
    space.wait_for("Pod", "runs", phase="Running")
    space.make("Service", "db", spec={"selector": {"app": "msyql"}, "ports": [{"port": 3306}]})
    finding = fixes.the(fail("mysql_replication_info", look(service="db")), "kube.no_pods")
    assert "app=mysql" in fixes.run_command(finding, cluster.kubeconfig())
    kubectl(space, 'patch service db -p \'{"spec":{"selector":{"app":"mysql"}}}\'')
    # The road leads somewhere now; that Pod has no server.
    assert codes(fail("mysql_replication_info", look(service="db"))) == ["kube.port_refused"]


def test_there_is_nothing_to_adopt(space: cluster.Space) -> None:
    asked = {"kubeconfig": cluster.kubeconfig(), "instances": ["mysql-1"], "image": cluster.IMAGE}
    result = fail("adoption_info", {**asked, "namespace": space.name})
    finding = fixes.the(result, "adopt.nothing")
    assert finding["subject"] == space.name
    assert "name the namespace whose Deployments run it" in finding["fix"]
