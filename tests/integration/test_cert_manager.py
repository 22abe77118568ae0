# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates by a real cert-manager: its controller runs as a process of this machine, for one namespace.

The tests build on each other: a site without cert-manager, with it, with an issuer, renewed, taken down.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.integration import cluster
from tests.integration.runner import CHECKOUT, fail, succeed
from tests.integration.site import Site

pytestmark = [
    pytest.mark.lab,
    pytest.mark.long,
    pytest.mark.skipif(not cluster.kubeconfig(), reason="no cluster: make lab"),
]

STEPS = ("--tags", "step1,step2,step3,step4,step5,step6")
ISSUER = "mysql-ca"
NAMES = ("mysql-1", "mysql-11")
# All that a CA of the cluster takes; the others speak to the world, or serve every namespace.
CONTROLLERS = ",".join(
    (
        "issuers",
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


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    # The lab's own option, which these options repeat.
    options = {"innodb_use_native_aio": "OFF"}
    memory = {"cluster_memory_request": "256Mi", "cluster_memory_limit": "1Gi"}
    tls = {"cluster_tls": "required", "cluster_tls_issuer": {"name": ISSUER}}
    made = Site(cluster_mysql_config=options, **memory, **tls)
    assert not made.cluster.serves("Certificate"), "the cluster has a cert-manager already"
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def cert_manager(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """cert-manager's kinds, and its controller at work in the site's namespace."""
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
    try:
        for one in kinds:
            site.cluster.create("CustomResourceDefinition", one)
        argv = [
            f"{built['folders']['cert-manager']}/controller",
            *("--kubeconfig", site.kubeconfig, "--leader-elect=false"),
            *("--namespace", site.namespace, "--cluster-resource-namespace", site.namespace),
            *("--controllers", CONTROLLERS, "--metrics-listen-address", "127.0.0.1:0"),
        ]
        with (
            log.open("w") as output,
            subprocess.Popen(argv, stdout=output, stderr=output) as controller,
        ):
            try:
                yield
            finally:
                controller.terminate()
    finally:
        for one in kinds:
            site.cluster.delete("CustomResourceDefinition", one["metadata"]["name"])


def definitions(manifest: Path) -> Iterator[dict[str, Any]]:
    """cert-manager's kinds; the labels are left out, since those are filled in by Helm."""
    for one in yaml.safe_load_all(manifest.read_text()):
        if one:
            yield {**one, "metadata": {"name": one["metadata"]["name"]}}


def make(site: Site, kind: str, name: str, **spec: Any) -> None:
    body = {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": {"name": name}}
    site.cluster.create(kind, {**body, "spec": spec}, site.namespace)
    ready(site, kind, name)


def ready(site: Site, kind: str, name: str) -> None:
    objects = [{"kind": kind, "name": name}]
    where = {"kubeconfig": site.kubeconfig, "namespace": site.namespace}
    succeed("kube_wait", {**where, "objects": objects, "timeout": 60})


def certificates(site: Site) -> dict[str, x509.Certificate]:
    """What the Secret of the instances holds."""
    secret = site.cluster.get("Secret", "mysql-tls", site.namespace)
    assert secret is not None
    return {
        name: x509.load_pem_x509_certificate(base64.b64decode(secret["data"][name]))
        for name in ("ca.crt", "tls.crt")
    }


def shown(site: Site) -> set[str]:
    """Until when the certificates are good that the instances show, as MySQL writes it."""
    sql = "SELECT variable_value FROM performance_schema.global_status WHERE variable_name = 'Ssl_server_not_after'"
    return {str(site.value(name, sql)) for name in NAMES}


def good_until(certificate: x509.Certificate) -> str:
    """The same of a certificate; MySQL pads the day with a space."""
    when = certificate.not_valid_after_utc
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT"


def test_a_cluster_without_cert_manager_is_told_before_anything_is_made(site: Site) -> None:
    refused = site.play("--tags", "preflight,step1,step2,step3,step4")
    assert refused.failed
    assert "[tls.cert_manager_missing]" in refused.output
    assert not site.exists()


def test_an_issuer_that_is_missing_is_told_before_any_instance_is_made(
    site: Site, cert_manager: None
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


def test_an_issuer_that_cannot_issue_is_told(site: Site, cert_manager: None) -> None:
    spec = {"ca": {"secretName": "no-such-secret"}}
    body = {"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": ISSUER}}
    site.cluster.create("Issuer", {**body, "spec": spec}, site.namespace)
    where = {"kubeconfig": site.kubeconfig, "namespace": site.namespace}
    (found,) = fail("kube_wait", {**where, "objects": [{"kind": "Issuer", "name": ISSUER}]})[
        "findings"
    ]
    assert found["code"] == "tls.issuer_not_ready"
    assert any("no-such-secret" in line for line in found["proof"])
    refused = site.play("--tags", "preflight")
    assert "[tls.issuer_not_ready]" in refused.output
    site.cluster.delete("Issuer", ISSUER, site.namespace)


def test_instances_replicate_by_certificates_of_the_issuer(site: Site, cert_manager: None) -> None:
    make(site, "Issuer", "root", selfSigned={})
    authority = {"commonName": "Test CA", "secretName": "root-ca", "issuerRef": {"name": "root"}}
    make(site, "Certificate", "root-ca", isCA=True, **authority)
    make(site, "Issuer", ISSUER, ca={"secretName": "root-ca"})
    checked = site.play(*STEPS, "--check")
    assert not checked.failed, checked.output
    assert "Ask cert-manager for the certificates" in checked.changed
    first = site.play("--tags", "preflight", *STEPS)
    assert not first.failed, first.output
    held = certificates(site)
    held["tls.crt"].verify_directly_issued_by(held["ca.crt"])
    assert held["ca.crt"].subject.rfc4514_string() == "CN=Test CA"
    assert shown(site) == {good_until(held["tls.crt"])}
    channel = (
        "SELECT CONCAT(ssl_allowed, ' ', ssl_verify_server_certificate, ' ', ssl_ca_file)"
        " FROM performance_schema.replication_connection_configuration"
    )
    assert site.value("mysql-11", channel) == "YES YES /etc/mysql/tls/ca.crt"
    # What the primary sees of the connection by which the replica receives.
    receiving = (
        "SELECT GROUP_CONCAT(connection_type) FROM performance_schema.threads"
        " WHERE processlist_command LIKE 'Binlog Dump%'"
    )
    assert site.value("mysql-1", receiving) == "SSL/TLS"


def test_a_second_run_changes_nothing(site: Site, cert_manager: None) -> None:
    again = site.play("--tags", "preflight", *STEPS)
    assert not again.failed, again.output
    assert again.recap["changed"] == 0, again.changed


@pytest.mark.parametrize("secrets", [["mysql-tls"], ["root-ca", "mysql-tls"]])
def test_a_renewed_certificate_is_taken_over_by_the_next_run(
    site: Site, cert_manager: None, secrets: list[str]
) -> None:
    """Also one of another CA, which an instance that was not restarted does not trust."""
    before, held = shown(site), certificates(site)
    for name in secrets:
        site.cluster.delete("Secret", name, site.namespace)
        ready(site, "Certificate", name)
    renewed = certificates(site)
    assert (renewed["ca.crt"] != held["ca.crt"]) is ("root-ca" in secrets)
    assert {good_until(renewed["tls.crt"])} != before
    assert shown(site) == before
    checked = site.play(*STEPS, "--check")
    assert checked.changed == [
        "Compare the ConfigMap, the budget and the Deployments with what is there"
    ]
    taken = site.play(*STEPS)
    assert not taken.failed, taken.output
    assert shown(site) == {good_until(renewed["tls.crt"])}
    again = site.play(*STEPS)
    assert again.recap["changed"] == 0, again.changed


def test_a_teardown_takes_the_certificate_before_its_secret(site: Site, cert_manager: None) -> None:
    volumes = {"teardown_volumes": list(NAMES)}
    gone = site.play(playbook="teardown", teardown_confirm=site.namespace, **volumes)
    assert not gone.failed, gone.output
    assert "Certificate mysql-tls" not in site.objects("Certificate")
    assert "Secret mysql-tls" not in site.objects("Secret")
