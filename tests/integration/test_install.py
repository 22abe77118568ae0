# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cluster that lacks MetalLB, an ingress controller and a provisioner: what is missing is installed, nothing else.

On a lab without addons that nobody else uses (LAB=bare), by phase 1 of the site as a user plays it. Each test begins
with that cluster empty, or with all of it installed.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import fixes, second_lab
from tests.integration.servers import cache
from tests.integration.site import Played, Site

pytestmark = [pytest.mark.lab, pytest.mark.long]

PARTS = ("metallb", "ingress", "provisioner")
LABEL = "mysql-on.kubernetes/part"
# As the teardown prints it.
REMOVE = (
    "kubectl delete validatingwebhookconfiguration,ingressclass,storageclass,clusterrolebinding,"
    "clusterrole,namespace,crd -l mysql-on.kubernetes/part="
)
SCOPES = (
    "namespaces,customresourcedefinitions,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
    "configmaps,secrets,services,deployments,daemonsets,validatingwebhookconfigurations,ingressclasses,storageclasses"
)
METALLB = "ipaddresspools.metallb.io,l2advertisements.metallb.io"
THEIRS = "somebody=else"

Objects = dict[str, dict[str, Any]]


def kube(command: str) -> str:
    return fixes.shell(command, second_lab.kubeconfig(second_lab.BARE))


def labelled(selector: str) -> Objects:
    """Every object with these labels, as ``Kind name``."""
    kinds = SCOPES
    if "ipaddresspools" in kube("kubectl api-resources --api-group=metallb.io -o name"):
        kinds += f",{METALLB}"
    found = json.loads(kube(f"kubectl get {kinds} -A -l {selector} -o json"))
    return {f"{one['kind']} {one['metadata']['name']}": one for one in found["items"]}


def ours() -> Objects:
    return labelled(LABEL)


def uids(objects: Objects) -> dict[str, str]:
    """Which object each is, and how often it was changed."""
    return {
        name: f"{one['metadata']['uid']} {one['metadata'].get('generation')}"
        for name, one in objects.items()
    }


@pytest.fixture(scope="module")
def cluster_of_its_own() -> Iterator[Site]:
    second_lab.bring_up(second_lab.BARE, LAB_BARE="1")
    made = Site(lab=second_lab.BARE, infra_install_pool="192.168.0.240-192.168.0.251")
    yield made
    made.remove()


@pytest.fixture
def empty(cluster_of_its_own: Site) -> Site:
    """A site on a cluster that lacks everything."""
    for part in sorted(parts_of(ours()) & set(PARTS)):
        kube(REMOVE + part)
    assert not ours()
    # A teardown leaves claims, and those want the class of before.
    kube(f"kubectl delete namespace {cluster_of_its_own.namespace} --ignore-not-found")
    return cluster_of_its_own


@pytest.fixture
def site(cluster_of_its_own: Site) -> Site:
    """A site on a cluster where all of it is installed."""
    if parts_of(ours()) != {*PARTS, "pool"} or not cluster_of_its_own.exists():
        play(cluster_of_its_own)
    return cluster_of_its_own


def parts_of(objects: Objects) -> set[str]:
    return {one["metadata"]["labels"][LABEL] for one in objects.values()}


def play(site: Site, *options: str, **variables: Any) -> Played:
    """Phase 1 with what is missing installed, seen to end well."""
    played = site.play("--tags", "infra", *options, cluster_install="missing", **variables)
    assert not played.failed, played.output
    return played


def test_by_default_what_is_missing_is_refused_and_the_next_step_is_named(empty: Site) -> None:
    played = empty.play("--tags", "infra")
    assert played.failed
    for code in ("metallb.not_installed", "ingress.class_unknown", "storage.no_class"):
        assert f"[{code}]" in played.output
    assert played.output.count("-e cluster_install=missing") >= 3
    assert not ours()
    assert not empty.exists()


def test_the_preflight_says_what_is_missing_and_makes_nothing(empty: Site) -> None:
    played = empty.play("--tags", "preflight", cluster_install="missing")
    assert not played.failed, played.output
    assert played.recap["changed"] == 0
    for what in (
        "MetalLB",
        "an address pool of MetalLB",
        "an ingress controller",
        "a volume provisioner",
    ):
        assert f"missing  {what}: " in played.output
    assert not ours()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"infra_metallb_manifest": "/nowhere/it.yaml"},
            "infra_metallb_manifest: '/nowhere/it.yaml' cannot be read",
        ),
        ({"infra_metallb_checksum": "0" * 64}, "infra_metallb_checksum: '000"),
        ({"infra_provisioner_manifest": "{no_yaml}"}, "is no YAML"),
        ({"infra_provisioner_manifest": "{metallb}"}, "has no StorageClass; allowed: "),
        (
            {"infra_install_pool": "10.0.0.0/24"},
            "infra_install_pool: '10.0.0.0/24' does not hold 192.168.0.251",
        ),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_is_touched(
    empty: Site, tmp_path: Path, given: dict[str, str], said: str
) -> None:
    (tmp_path / "no.yaml").write_text("a: b: c")
    names = {
        "no_yaml": str(tmp_path / "no.yaml"),
        "metallb": str(next((cache() / "manifests").glob("metallb-*.yaml"))),
    }
    checksum = {"infra_provisioner_checksum": ""} if "infra_provisioner_manifest" in given else {}
    variables = {key: text.format(**names) for key, text in given.items()}
    played = empty.play("--tags", "infra", cluster_install="missing", **checksum, **variables)
    assert played.failed
    assert said in played.output
    assert next(iter(given)) in played.output
    assert not ours()
    assert not empty.exists()


def test_a_name_that_is_somebody_elses_ends_it_before_anything_is_touched(empty: Site) -> None:
    kube("kubectl create namespace local-path-storage")
    try:
        played = empty.play("--tags", "infra", cluster_install="missing")
        assert played.failed
        assert (
            "Namespace local-path-storage is there, and was not installed by the site"
            in played.output
        )
        assert "kubectl get namespaces local-path-storage -o yaml" in played.output
        assert not ours()
    finally:
        kube("kubectl delete namespace local-path-storage")


def test_check_mode_names_all_that_the_run_then_installs(empty: Site) -> None:
    predicted = play(empty, "--check", "--diff")
    assert not ours()
    played = play(empty)
    made = ours()
    of_the_site = {
        name for name in predicted.predicted if name.split()[0] == "PersistentVolumeClaim"
    }
    of_the_site.add(f"Namespace {empty.namespace}")
    assert predicted.predicted - of_the_site == set(made)
    assert {one["metadata"]["labels"]["app.kubernetes.io/managed-by"] for one in made.values()} == {
        "mysql_on.kubernetes"
    }
    default = "storageclass.kubernetes.io/is-default-class"
    assert made["StorageClass local-path"]["metadata"]["annotations"][default] == "true"
    # Phase 1 ends with the proofs: the address answers on the LAN, the class provisions.
    assert "Prove that MetalLB gives the ingress IP" in played.output


def test_check_mode_of_the_whole_site_goes_on_past_what_is_missing(empty: Site) -> None:
    predicted = empty.play("--check", "--diff", cluster_install="missing")
    assert not predicted.failed, predicted.output
    assert {
        "Deployment traefik",
        "StorageClass local-path",
        "IPAddressPool mysql-on-kubernetes",
    } <= (predicted.predicted)
    assert not ours()


def test_the_second_run_changes_nothing_and_reads_no_manifest(site: Site) -> None:
    before = uids(ours())
    assert play(site, infra_metallb_manifest="/nowhere/it.yaml").changed == []
    assert play(site, "--check", "--diff").changed == []
    assert uids(ours()) == before


@pytest.mark.parametrize("part", PARTS)
def test_one_that_is_missing_is_installed_alone(site: Site, part: str) -> None:
    kube(REMOVE + part)
    left = uids(ours())
    assert left
    play(site)
    assert uids(ours()).items() >= left.items()
    assert part in parts_of(ours())
    assert play(site).changed == []


def test_a_run_that_is_killed_in_between_is_taken_up(site: Site) -> None:
    kube(REMOVE + "metallb")
    site.kill_at("Wait until it is ready, metallb", "--tags", "infra", cluster_install="missing")
    assert "IPAddressPool mysql-on-kubernetes" not in ours()
    play(site)
    assert "IPAddressPool mysql-on-kubernetes" in ours()
    assert play(site).changed == []


def test_a_teardown_says_what_it_leaves_and_how_it_is_removed(site: Site) -> None:
    before = uids(ours())
    played = site.play(playbook="teardown", teardown_confirm=site.word)
    assert not played.failed, played.output
    # Long lines are folded.
    said = " ".join(played.output.split())
    for part in PARTS:
        assert REMOVE + part in said
    assert uids(ours()) == before


def test_what_is_somebody_elses_is_left_alone(empty: Site) -> None:
    """Their MetalLB in another namespace, their pool, their default classes: only a controller for ours is made."""
    _install_theirs()
    try:
        before = labelled(THEIRS)
        played = play(empty)
        assert parts_of(ours()) == {"ingress"}
        assert "there    MetalLB: " in played.output
        default = "ingressclass.kubernetes.io/is-default-class"
        assert default not in ours()["IngressClass nginx"]["metadata"].get("annotations", {})
        assert uids(labelled(THEIRS)) == uids(before)
        assert play(empty).changed == []
    finally:
        kube(f"{REMOVE}ingress")
        kube(f"{REMOVE.split(' -l ', maxsplit=1)[0]} -l {THEIRS}")


def _install_theirs() -> None:
    """MetalLB in the namespace balancer with a pool, a StorageClass and an IngressClass, both the default."""
    text = next((cache() / "manifests").glob("metallb-*.yaml")).read_text()
    apply(text.replace("metallb-system", "balancer"))
    kube(
        "kubectl -n balancer rollout status deployment/controller daemonset/speaker --timeout=120s"
    )
    own = [
        ("storage.k8s.io/v1", "StorageClass", "theirs", {"provisioner": "example.com/x"}),
        (
            "networking.k8s.io/v1",
            "IngressClass",
            "theirs",
            {"spec": {"controller": "example.com/x"}},
        ),
        (
            "metallb.io/v1beta1",
            "IPAddressPool",
            "theirs",
            {"spec": {"addresses": ["192.168.0.240-192.168.0.251"]}},
        ),
        ("metallb.io/v1beta1", "L2Advertisement", "theirs", {"spec": {"interfaces": ["eth0"]}}),
    ]
    for api, kind, name, body in own:
        metadata: dict[str, Any] = {"name": name, "labels": {"somebody": "else"}}
        if api.startswith("metallb"):
            metadata["namespace"] = "balancer"
        else:
            group = "storageclass" if kind == "StorageClass" else "ingressclass"
            metadata["annotations"] = {f"{group}.kubernetes.io/is-default-class": "true"}
        if kind == "StorageClass":
            body["volumeBindingMode"] = "WaitForFirstConsumer"
        apply(json.dumps({"apiVersion": api, "kind": kind, "metadata": metadata, **body}))
    names = kube(
        "kubectl get crd,clusterrole,clusterrolebinding,validatingwebhookconfiguration -o name"
    )
    for name in [*names.split(), "namespace/balancer"]:
        if "metallb" in name or "balancer" in name:
            kube(f"kubectl label {name} {THEIRS}")


def apply(text: str) -> None:
    """Apply manifests, again where MetalLB's webhook does not answer yet."""
    path = second_lab.kubeconfig(second_lab.BARE)
    argv = [fixes.kubectl(), "--kubeconfig", path, "apply", "-f", "-"]
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        assert "failed calling webhook" in done.stderr, done.stderr
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.5)
