# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates by a real cert-manager: its controller runs as a process of this machine.

The tests build on each other: a site without cert-manager, with it, with an issuer, renewed, taken down; then one of
the older version whose issuer is the whole cluster's, and the same as plain manifests.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.faults import fixes
from tests.integration import certificates, cluster, manifests
from tests.integration.certificates import NAMES, PRIMARY, REPLICA, STEPS
from tests.integration.runner import CHECKOUT, fail, succeed
from tests.integration.site import LITTLE_MEMORY, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

ISSUER = "mysql-ca"
OLDER = "docker.io/library/mysql:8.0.15"
# All that a CA of the cluster takes; the others speak to the world, or serve every namespace.
CONTROLLERS = ",".join(
    (
        *("issuers", "clusterissuers"),
        *(
            f"certificates-{part}"
            for part in (
                "issuing",
                "key-manager",
                "readiness",
                "request-manager",
                "revision-manager",
                "trigger",
            )
        ),
        *(f"certificaterequests-{part}" for part in ("approver", "issuer-ca", "issuer-selfsigned")),
    )
)


Controller = subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    yield from standing(cluster_tls_issuer={"name": ISSUER})


@pytest.fixture(scope="module")
def older(authority: str) -> Iterator[Site]:
    """A site on the older version, whose issuer is the whole cluster's."""
    yield from standing(cluster_image=OLDER, cluster_tls_issuer=of_all(authority))


def standing(**variables: Any) -> Iterator[Site]:
    """A site whose replicas and clients have to use TLS."""
    made = Site(cluster_tls="required", **LITTLE_MEMORY, **variables)
    try:
        yield made
    finally:
        made.remove()


def of_all(authority: str) -> dict[str, str]:
    """The issuer of the whole cluster, as cluster_tls_issuer names it."""
    return {"name": authority, "kind": "ClusterIssuer"}


@pytest.fixture(scope="module")
def issuer_of_all(authority: str, cert_manager: Controller) -> dict[str, str]:
    issue("ClusterIssuer", authority, authority)
    return of_all(authority)


@pytest.fixture(scope="module")
def authority() -> Iterator[str]:
    """A namespace of its own: what belongs to a ClusterIssuer, and the name of one, are there."""
    space = cluster.Space(client.connect(cluster.kubeconfig()))
    try:
        yield space.name
    finally:
        space.remove()


@pytest.fixture(scope="module")
def cert_manager(authority: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """cert-manager's kinds, and its controller at work."""
    program = str(CHECKOUT / "roles" / "lab" / "files" / "lab")
    said = subprocess.run(
        [sys.executable, program, "build", "--extra", "cert-manager"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    built = json.loads(said.stdout)
    log = tmp_path_factory.mktemp("cert-manager") / "log"
    kinds = list(definitions(Path(built["manifests"]["cert-manager"])))
    api = client.connect(cluster.kubeconfig())
    assert not api.serves("Certificate"), "the cluster has a cert-manager already"
    try:
        for one in kinds:
            api.create("CustomResourceDefinition", one)
        # Not for one namespace: the controller of ClusterIssuers does not start then.
        argv = [
            f"{built['folders']['cert-manager']}/controller",
            *("--kubeconfig", cluster.kubeconfig(), "--leader-elect=false"),
            *("--cluster-resource-namespace", authority),
            *("--controllers", CONTROLLERS, "--metrics-listen-address", "127.0.0.1:0"),
        ]
        with (
            log.open("w") as output,
            subprocess.Popen(argv, stdout=output, stderr=output) as controller,
        ):
            try:
                yield controller
            finally:
                controller.terminate()
    finally:
        # What is of these kinds goes with them.
        for one in kinds:
            api.delete("CustomResourceDefinition", one["metadata"]["name"])


def definitions(manifest: Path) -> Iterator[dict[str, Any]]:
    """cert-manager's kinds; the labels are left out, since those are filled in by Helm."""
    for one in yaml.safe_load_all(manifest.read_text()):
        if one:
            yield {**one, "metadata": {"name": one["metadata"]["name"]}}


def make(kind: str, name: str, namespace: str, **spec: Any) -> None:
    """Make an object of cert-manager's and wait until it is ready."""
    ask(kind, name, namespace, **spec)
    ready(kind, name, namespace)


def ask(kind: str, name: str, namespace: str, **spec: Any) -> None:
    """Make an object of cert-manager's."""
    body = {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": {"name": name}}
    client.connect(cluster.kubeconfig()).create(kind, {**body, "spec": spec}, namespace)


def ready(kind: str, name: str, namespace: str) -> None:
    succeed("kube_wait", wait(kind, name, namespace, 60))


def wait(kind: str, name: str, namespace: str, timeout: int) -> dict[str, Any]:
    """What kube_wait is asked."""
    where = {"kubeconfig": cluster.kubeconfig(), "namespace": namespace}
    return {**where, "objects": [{"kind": kind, "name": name}], "timeout": timeout}


def issue(kind: str, name: str, namespace: str) -> None:
    """Make an issuer with a CA of its own, which is in that namespace."""
    make("Issuer", "root", namespace, selfSigned={})
    authority = {"commonName": "Test CA", "secretName": "root-ca", "issuerRef": {"name": "root"}}
    make("Certificate", "root-ca", namespace, isCA=True, **authority)
    make(kind, name, namespace, ca={"secretName": "root-ca"})


def replicates_by_the_issuer_s(site: Site) -> None:
    """See that the instances show what the issuer signed, and that the replica checks it."""
    held = certificates.held(site)
    held["tls.crt"].verify_directly_issued_by(held["ca.crt"])
    assert held["ca.crt"].subject.rfc4514_string() == "CN=Test CA"
    assert certificates.shown(site, held["ca.crt"]) == [held["tls.crt"]] * len(NAMES)
    assert site.value(REPLICA, certificates.CHANNEL) == certificates.CHECKED
    certificates.replicates(site, certificates.TLS)


def test_a_cluster_without_cert_manager_is_told_before_anything_is_made(site: Site) -> None:
    refused = site.play("--tags", "preflight,step1,step2,step3,step4")
    assert refused.failed
    assert "[tls.cert_manager_missing]" in refused.output
    assert not site.exists()


def test_an_issuer_that_is_missing_is_told_before_any_instance_is_made(
    site: Site, cert_manager: Controller
) -> None:
    predicted = site.play(*STEPS, "--check")
    assert "[tls.issuer_missing]" in predicted.output
    refused = site.play("--tags", "preflight")
    assert "[tls.issuer_missing]" in refused.output
    assert not site.exists()
    # Without the preflight: volumes are made, and nothing of the phase that would need it.
    refused = site.play(*STEPS)
    assert refused.failed
    assert "[tls.issuer_missing]" in refused.output
    made = site.objects("Deployment", "Service", "Secret", "Certificate")
    assert made == {}


def test_an_issuer_that_cannot_issue_is_told(site: Site, cert_manager: Controller) -> None:
    spec = {"ca": {"secretName": "no-such-secret"}}
    ask("Issuer", ISSUER, site.namespace, **spec)
    found = fixes.the(
        fail("kube_wait", wait("Issuer", ISSUER, site.namespace, 60)), "tls.issuer_not_ready"
    )
    assert any("no-such-secret" in line for line in found["proof"])
    refused = site.play("--tags", "preflight")
    assert "[tls.issuer_not_ready]" in refused.output
    site.cluster.delete("Issuer", ISSUER, site.namespace)


# A certificate as the role db asks for one.
ASKED = {
    "secretName": "asked",
    "dnsNames": ["mysql-write"],
    "issuerRef": {"name": "by-hand", "kind": "Issuer"},
}


@contextmanager
def issuer_by_hand(namespace: str, secret: dict[str, str]) -> Iterator[None]:
    """An issuer whose CA somebody put there by hand, and nobody's certificate afterwards."""
    api = client.connect(cluster.kubeconfig())
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "by-hand"}}
    api.create("Secret", {**body, "stringData": secret}, namespace)
    try:
        make("Issuer", "by-hand", namespace, ca={"secretName": "by-hand"})
        yield
    finally:
        for kind, name in (("Certificate", "asked"), ("Issuer", "by-hand")):
            api.delete(kind, name, namespace)
        for name in ("asked", "by-hand"):
            api.delete("Secret", name, namespace)


def test_a_certificate_that_the_issuer_refuses_is_told(
    authority: str, cert_manager: Controller
) -> None:
    """The key of its CA was exchanged, and the certificate was not: the issuer says that it is ready."""
    whole = certificates.authority()
    torn = {**whole, "tls.key": certificates.authority()["tls.key"]}
    asked = ("Certificate", "asked", authority)
    with issuer_by_hand(authority, torn):
        ask(*asked, **ASKED)
        finding = fixes.the(fail("kube_wait", wait(*asked, 60)), "tls.certificate_refused")
        assert any("doesn't match parent's PublicKey" in line for line in finding["proof"])
        mended = {"stringData": whole}
        client.connect(cluster.kubeconfig()).patch("Secret", "by-hand", mended, authority)
        fixes.run_command(finding, cluster.kubeconfig())
        make(*asked, **ASKED)


def test_a_certificate_that_nobody_issues_is_told(authority: str, cert_manager: Controller) -> None:
    """cert-manager's controller hangs."""
    asked = ("Certificate", "asked", authority)
    with issuer_by_hand(authority, certificates.authority()):
        cert_manager.send_signal(signal.SIGSTOP)
        try:
            ask(*asked, **ASKED)
            finding = fixes.the(fail("kube_wait", wait(*asked, 3)), "tls.certificate_late")
            assert "Secret asked: not found" in finding["proof"]
            assert "that its controller runs" in finding["fix"]
            assert "by-hand" in fixes.run_command(finding, cluster.kubeconfig())
        finally:
            cert_manager.send_signal(signal.SIGCONT)
        ready(*asked)


def test_instances_replicate_by_certificates_of_the_issuer(
    site: Site, cert_manager: Controller
) -> None:
    issue("Issuer", ISSUER, site.namespace)
    checked = site.play_through(*STEPS, "--check")
    assert "Ask cert-manager for the certificates" in checked.changed
    site.play_through("--tags", "preflight", *STEPS)
    replicates_by_the_issuer_s(site)


def test_a_second_run_changes_nothing(site: Site, cert_manager: Controller) -> None:
    again = site.play("--tags", "preflight", *STEPS)
    assert not again.failed, again.output
    assert again.recap["changed"] == 0, again.changed


@pytest.mark.parametrize("secrets", [["mysql-tls"], ["root-ca", "mysql-tls"]])
def test_a_renewed_certificate_is_taken_over_by_the_next_run(
    site: Site, cert_manager: Controller, secrets: list[str]
) -> None:
    """Also one of another CA, which an instance that was not restarted does not trust."""
    before = certificates.held(site)
    for name in secrets:
        site.cluster.delete("Secret", name, site.namespace)
        ready("Certificate", name, site.namespace)
    renewed = certificates.held(site)
    assert (renewed["ca.crt"] != before["ca.crt"]) is ("root-ca" in secrets)
    assert renewed["tls.crt"] != before["tls.crt"]
    assert certificates.shown(site, before["ca.crt"]) == [before["tls.crt"]] * len(NAMES)
    checked = site.play(*STEPS, "--check")
    assert checked.changed == [certificates.COMPARED]
    site.play_through(*STEPS)
    replicates_by_the_issuer_s(site)
    again = site.play(*STEPS)
    assert again.recap["changed"] == 0, again.changed


def test_an_issuer_that_is_named_no_more_leaves_its_certificates(
    site: Site, cert_manager: Controller
) -> None:
    held = certificates.held(site)
    kept = site.play_through(*STEPS, cluster_tls_issuer={})
    assert kept.recap["changed"] == 0, kept.changed
    assert certificates.held(site) == held


def test_a_teardown_takes_the_certificate_before_its_secret(
    site: Site, cert_manager: Controller
) -> None:
    volumes = {"teardown_volumes": list(NAMES)}
    gone = site.play(playbook="teardown", teardown_confirm=site.word, **volumes)
    assert not gone.failed, gone.output
    assert "Certificate mysql-tls" not in site.objects("Certificate")
    assert "Secret mysql-tls" not in site.objects("Secret")


def test_an_issuer_of_the_whole_cluster_that_is_missing_is_told(
    older: Site, authority: str, cert_manager: Controller
) -> None:
    told = older.play("--tags", "preflight")
    assert f"ClusterIssuer {authority} is named as the issuer" in told.output
    assert "kubectl get clusterissuers" in told.output
    assert "clusterissuers -n" not in told.output
    assert not older.exists()


def test_the_older_version_replicates_by_certificates_of_the_whole_cluster_s_issuer(
    older: Site, issuer_of_all: dict[str, str]
) -> None:
    older.play_through("--tags", "preflight", *STEPS)
    replicates_by_the_issuer_s(older)
    again = older.play_through("--tags", "preflight", *STEPS)
    assert again.recap["changed"] == 0, again.changed


def test_the_older_version_takes_another_ca_over_while_it_is_down(
    older: Site, authority: str
) -> None:
    """It cannot be told to read a certificate; its volumes stay, as docs/how-to/tls.md says."""
    before = certificates.held(older)
    rows = older.value(PRIMARY, "SELECT COUNT(*) FROM proof.t")
    for namespace, name in ((authority, "root-ca"), (older.namespace, "mysql-tls")):
        older.cluster.delete("Secret", name, namespace)
        ready("Certificate", name, namespace)
    assert certificates.held(older)["ca.crt"] != before["ca.crt"]
    older.play_through(playbook="teardown", teardown_confirm=older.word)
    older.play_through(*STEPS)
    assert older.value(REPLICA, "SELECT COUNT(*) FROM proof.t") == rows
    replicates_by_the_issuer_s(older)


@pytest.mark.parametrize("version", ["9.7", "8.0.15"])
def test_rendered_manifests_show_the_issuer_s_certificate_by_kubectl_alone(
    issuer_of_all: dict[str, str], tmp_path: Path, version: str
) -> None:
    plain = Site(
        cluster_image=f"docker.io/library/mysql:{version}",
        cluster_tls="required",
        cluster_tls_issuer=issuer_of_all,
        **LITTLE_MEMORY,
    )
    try:
        manifests.render(plain, tmp_path)
        manifests.apply(tmp_path, but="08-app-deploy.yaml")
        replicates_by_the_issuer_s(plain)
        certificates.refused(plain, "app")
    finally:
        plain.remove()
