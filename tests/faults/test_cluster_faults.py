# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of one MySQL cluster in a namespace of its own: named by the doctor, mended as it says."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.faults import fixes
from tests.faults.pair import named
from tests.integration import cluster
from tests.integration.cluster import container, deployment_spec, pod_spec
from tests.integration.runner import fail, run_module, succeed
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
]
long = pytest.mark.long

IP = "192.168.0.251"
PYTHON_IMAGE = "docker.io/library/python:3.13-slim"


class Patient:
    """A cluster of a primary and a replica, and the doctor that looks at it."""

    def __init__(self) -> None:
        self.site = Site()
        self.space = self.site.namespace
        played = self.site.play("--tags", "infra,db")
        assert not played.failed, played.output[-4000:]
        secret = self.site.cluster.get("Secret", "mysql-auth", self.space)
        assert secret is not None
        words = {key: base64.b64decode(text).decode() for key, text in secret["data"].items()}
        self.password, self.secret = words["root-password"], words["replication-password"]

    def look(self, **options: Any) -> dict[str, Any]:
        given = {
            "kubeconfig": cluster.kubeconfig(),
            "namespace": self.space,
            "login_password": self.password,
            "patience": 5,
        }
        return succeed("mysql_doctor", {**given, **options})

    def assert_healthy(self, **options: Any) -> None:
        result = self.look(**{"patience": 120, **options})
        assert result["verdict"] == "ok", "\n".join(result["report"])

    def pod(self, instance: str) -> dict[str, Any]:
        labels = f"mysql-on.kubernetes/server={instance}"
        (pod,) = self.site.cluster.list("Pod", self.space, labels=labels)
        return pod

    def instance(self, name: str) -> dict[str, Any]:
        return {
            "kubeconfig": cluster.kubeconfig(),
            "pod": {"namespace": self.space, "deployment": name},
            "login_password": self.password,
        }

    def follow(self, host: str) -> None:
        options = {"source_host": host, "source_user": "replication", "timeout": 5}
        login = self.instance("mysql-11")
        run_module("mysql_replication", {**login, "source_password": self.secret, **options})

    def kubectl(self, command: str) -> str:
        return fixes.shell(f"kubectl -n {self.space} {command}", cluster.kubeconfig())


@pytest.fixture(scope="module")
def patient() -> Iterator[Patient]:
    made = Patient()
    yield made
    made.site.remove()


@contextmanager
def port_closed(patient: Patient) -> Iterator[None]:
    """Close the primary's port to the replica, as a network that enforces policies does."""
    source, replica = patient.pod("mysql-1"), patient.pod("mysql-11")
    with cluster.port_closed(source, f"ip saddr {replica['status']['podIP']}"):
        yield


def test_no_alarm_while_nothing_happens_and_while_it_loads(patient: Patient) -> None:
    patient.assert_healthy()
    ended = threading.Event()
    writer = threading.Thread(target=write, args=(patient, ended))
    writer.start()
    try:
        for _look in range(3):
            result = patient.look()
            assert named(result) == [], "\n".join(result["report"])
    finally:
        ended.set()
        writer.join()
    assert patient.look(tables=True)["verdict"] == "ok"


def write(patient: Patient, ended: threading.Event) -> None:
    """Write to the primary as fast as it takes it, until the event."""
    with roads.connect(patient.instance("mysql-1")) as connection:
        connection.execute("CREATE DATABASE busy")
        connection.execute("CREATE TABLE busy.t (id INT AUTO_INCREMENT PRIMARY KEY, c TEXT)")
        while not ended.is_set():
            rows = ", ".join(["(REPEAT('x', 500))"] * 200)
            connection.execute(f"INSERT INTO busy.t (c) VALUES {rows}")
        connection.execute("DROP DATABASE busy")


def test_a_network_policy_closes_the_port(patient: Patient) -> None:
    deny = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mysql"}}, "ingress": []}
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": deny,
    }
    path = f"/apis/networking.k8s.io/v1/namespaces/{patient.space}/networkpolicies"
    patient.site.cluster._json("POST", path, "create the policy", body=body)
    try:
        with port_closed(patient):
            finding = fixes.the(wait_for(patient, "policy_closes_port"), POLICY)
            assert "NetworkPolicy" in finding["proof"][-1]
            fixes.run_command(finding, cluster.kubeconfig())
            # The policy lets the replica in now: what plays the network opens the port.
        patient.assert_healthy()
        (policy,) = patient.site.cluster.list("NetworkPolicy", patient.space)
        assert policy["spec"]["ingress"]
    finally:
        patient.kubectl("delete networkpolicy deny")


POLICY = "replication.policy_closes_port"


def wait_for(patient: Patient, code: str) -> dict[str, Any]:
    """Look until the cause is named: a receiver notices after its heartbeat."""
    result: dict[str, Any] = {}
    for _attempt in range(20):
        result = patient.look(patience=0)
        if any(one["code"].endswith(code) for one in result["findings"]):
            return result
    return result


@long
def test_something_else_closes_the_port(patient: Patient) -> None:
    with port_closed(patient):
        finding = fixes.the(wait_for(patient, "port_blocked"), "replication.port_blocked")
        assert "nft list ruleset" in finding["fix"]
    patient.assert_healthy()


def test_an_instance_is_scaled_to_zero(patient: Patient) -> None:
    patient.kubectl("scale deployment mysql-11 --replicas=0")
    patient.kubectl("wait --for=delete pod -l mysql-on.kubernetes/server=mysql-11 --timeout=120s")
    result = patient.look(patience=0)
    assert named(result) == ["mysql.scaled_to_zero"]
    fixes.run_command(fixes.the(result, "mysql.scaled_to_zero"), cluster.kubeconfig())
    patient.assert_healthy()


@long
def test_the_name_of_the_service_is_misspelt(patient: Patient) -> None:
    patient.follow("mysql-wirte")
    finding = fixes.the(patient.look(), "replication.unknown_host")
    listed = finding["proof"][-1].partition(": ")[2]
    assert "mysql-write" in listed.split(", ")
    patient.follow("mysql-write")
    patient.assert_healthy()


@long
def test_a_password_that_is_not_the_volumes(patient: Patient) -> None:
    finding = fixes.the(patient.look(login_password="another"), "mysql.access_denied")
    assert any(line.startswith("PVC mysql-") for line in finding["proof"])
    assert patient.password not in json.dumps(finding)


@long
def test_the_write_service_leads_nowhere(patient: Patient) -> None:
    selector = '{"spec":{"selector":{"mysql-on.kubernetes/server":"%s"}}}'
    patient.kubectl(f"patch service mysql-write -p '{selector % 'mysql-2'}'")
    finding = fixes.the(patient.look(), "mysql.no_primary")
    assert "mysql-on.kubernetes/server=mysql-2" in finding["proof"][0]
    patient.kubectl(f"patch service mysql-write -p '{selector % 'mysql-1'}'")
    patient.assert_healthy()


@long
def test_a_service_of_the_cluster_is_gone(patient: Patient) -> None:
    patient.kubectl("delete service mysql-read")
    finding = fixes.the(patient.look(), "mysql.service_absent")
    assert "playbooks/site.yml --tags step5" in finding["fix"]
    played = patient.site.play("--tags", "step5")
    assert not played.failed, played.output[-4000:]
    patient.assert_healthy()


@long
def test_a_service_of_the_cluster_leads_to_nobody(patient: Patient) -> None:
    pod = patient.pod("mysql-11")["metadata"]["name"]
    label = "mysql-on.kubernetes/reads"
    patient.kubectl(f"label pod {pod} --overwrite {label}=no")
    finding = fixes.the(patient.look(), "mysql.service_no_endpoints")
    # Its selector, and the labels that its next step shows, differ by that word.
    assert f"{label}=yes" in "\n".join(finding["proof"])
    assert f"{label}=no" in fixes.run_command(finding, cluster.kubeconfig())
    patient.kubectl(f"label pod {pod} --overwrite {label}=yes")
    patient.assert_healthy()


@long
def test_there_is_no_cluster_where_it_is_looked_for(patient: Patient) -> None:
    finding = fixes.the(patient.look(namespace="default"), "mysql.not_deployed")
    assert "Correct the namespace and the name" in finding["fix"]


@pytest.fixture(scope="module")
def web() -> Iterator[cluster.Space]:
    """A namespace with a web server, without an Ingress."""
    command = ["python", "-m", "http.server", "8000"]
    image = {"image": PYTHON_IMAGE, "name": "web"}
    spec = deployment_spec("web", pod_spec(container(command=command, **image)))
    space = cluster.Space(client.connect(cluster.kubeconfig()))
    try:
        space.make("Deployment", "web", spec=spec)
        port = {"name": "http", "port": 80, "targetPort": 8000}
        space.make("Service", "web", spec={"selector": {"app": "web"}, "ports": [port]})
        fixes.shell(
            f"kubectl -n {space.name} wait pod --all --for=condition=Ready --timeout=60s",
            cluster.kubeconfig(),
        )
        yield space
    finally:
        space.remove()


REWRITE = "nginx.ingress.kubernetes.io/rewrite-target"


def route(web: cluster.Space, name: str, path: str, rewrite: str = "", **differs: Any) -> None:
    """Make an Ingress that leads a path to the web server."""
    kind = "ImplementationSpecific" if "(" in path else "Prefix"
    annotations = {REWRITE: rewrite} if rewrite else {}
    spec = {**ingress(web.name, path, kind), **differs}
    web.make("Ingress", name, metadata={"annotations": annotations}, spec=spec)


def said_of_paths(web: cluster.Space) -> list[str]:
    return [code for code in named(look_at_paths(web.name)) if code.startswith("ingress.")]


@long
def test_an_ingress_passes_its_prefix_on(web: cluster.Space) -> None:
    route(web, "web", "/bucket")
    finding = fixes.the(look_at_paths(web.name), "ingress.rewrite_missing")
    example = finding["fix"].partition("in path ")[2].partition(" with ")[0]
    web.delete("Ingress", "web")
    route(web, "web", example, "/$2")
    assert not said_of_paths(web)
    web.delete("Ingress", "web")


@long
def test_an_ingress_flattens_what_is_below_its_prefix(web: cluster.Space) -> None:
    route(web, "web", "/bucket", "/")
    finding = fixes.the(look_at_paths(web.name), "ingress.rewrite_flattens")
    example, _with, target = (
        finding["fix"].partition("path ")[2].rpartition(" with rewrite-target ")
    )
    web.delete("Ingress", "web")
    route(web, "web", example, target)
    assert not said_of_paths(web)
    web.delete("Ingress", "web")


@long
def test_an_ingress_leads_to_no_service_no_port_and_no_pod(web: cluster.Space) -> None:
    def backend(name: str, port: int) -> list[dict[str, Any]]:
        lead = {"service": {"name": name, "port": {"number": port}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": lead}]
        return [{"host": f"{web.name}.example", "http": {"paths": paths}}]

    route(web, "web", "/", rules=backend("wep", 80))
    assert "wep" in fixes.the(look_at_paths(web.name), "ingress.backend_missing")["proof"][0]
    web.delete("Ingress", "web")
    route(web, "web", "/", rules=backend("web", 8080))
    finding = fixes.the(look_at_paths(web.name), "ingress.backend_port")
    port = int(finding["fix"].rpartition(": ")[2].split(", ")[0])
    web.delete("Ingress", "web")
    route(web, "web", "/", rules=backend("web", port))
    assert not said_of_paths(web)
    scale = f"kubectl -n {web.name} scale deployment web --replicas"
    gone = f"kubectl -n {web.name} wait --for=delete pod --all --timeout=60s"
    fixes.shell(f"{scale}=0 && {gone}", cluster.kubeconfig())
    finding = fixes.the(look_at_paths(web.name), "ingress.no_endpoints")
    fixes.run_command(finding | {"fix": finding["fix"].partition(", and")[0]}, cluster.kubeconfig())
    ready = f"kubectl -n {web.name} rollout status deployment web --timeout=120s"
    fixes.shell(f"{scale}=1 && {ready}", cluster.kubeconfig())
    assert not said_of_paths(web)
    web.delete("Ingress", "web")


@long
def test_an_ingress_names_no_class(web: cluster.Space) -> None:
    # A default class would be given to it as it is made, and is what its controller goes by.
    default = "kubectl annotate ingressclass nginx --overwrite ingressclass.kubernetes.io/is-default-class"
    fixes.shell(f"{default}=false", cluster.kubeconfig())
    try:
        route(web, "web", "/", ingressClassName=None)
        finding = fixes.the(look_at_paths(web.name), "ingress.no_class")
    finally:
        fixes.shell(f"{default}=true", cluster.kubeconfig())
    chosen = finding["fix"].rpartition(": ")[2].split(", ")[0]
    patch = json.dumps({"spec": {"ingressClassName": chosen}})
    fixes.shell(f"kubectl -n {web.name} patch ingress web -p '{patch}'", cluster.kubeconfig())
    assert not said_of_paths(web)
    web.delete("Ingress", "web")


@long
def test_the_host_of_an_ingress_is_an_address(web: cluster.Space) -> None:
    """The course's own line; no API server takes it, so it is named before it is sent."""
    run = {"kubeconfig": cluster.kubeconfig(), "namespace": web.name, "paths": ["/"], "timeout": 0}
    finding = fixes.the(fail("kube_preflight", {**run, "host": IP}), "ingress.host_is_ip")
    (proof,) = finding["proof"]
    with pytest.raises(client.KubeError) as refused:
        route(web, "web", "/", rules=[{**ingress(web.name, "/")["rules"][0], "host": IP}])
    assert proof.partition(": ")[2] in refused.value.reason
    assert finding["fix"].startswith("Leave the host out")
    succeed("kube_preflight", {**run, "paths": ["/left-out"]})
    rule = ingress(web.name, "/left-out(/|$)(.*)", "ImplementationSpecific")["rules"][0]
    route(web, "web", "/left-out(/|$)(.*)", "/$2", rules=[{"http": rule["http"]}])
    assert not said_of_paths(web)
    web.delete("Ingress", "web")


@long
def test_two_ingresses_claim_one_path(web: cluster.Space) -> None:
    for name in ("web", "twin"):
        route(web, name, "/")
    finding = fixes.the(look_at_paths(web.name), "ingress.path_clash")
    assert {f"{web.name}/web", f"{web.name}/twin"} <= set(
        re.findall(r"[\w-]+/\w+", str(finding["proof"]))
    )
    web.delete("Ingress", "twin")
    route(web, "twin", "/twin(/|$)(.*)", "/$2")
    assert not said_of_paths(web)
    for name in ("web", "twin"):
        web.delete("Ingress", name)


def look_at_paths(namespace: str) -> dict[str, Any]:
    """What the doctor says of a namespace that holds an application alone."""
    asked = {"namespace": namespace, "ip": IP, "lan_client_command": cluster.lan_client()}
    return succeed("mysql_doctor", {"kubeconfig": cluster.kubeconfig(), "patience": 20, **asked})


def ingress(host: str, path: str, kind: str = "Prefix") -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": kind, "backend": backend}]
    rule = {"host": f"{host}.example", "http": {"paths": paths}}
    return {"ingressClassName": "nginx", "rules": [rule]}
