# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS by a CA of the cluster's own, on both versions. One story about one cluster, in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pymysql.constants import CR

from tests.integration import certificates, cluster, servers
from tests.integration.certificates import NAMES, PRIMARY, REPLICA, STEPS
from tests.integration.runner import succeed
from tests.integration.site import LITTLE_MEMORY, Played, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

MADE = (
    *("ConfigMap", "Deployment", "PersistentVolumeClaim", "PodDisruptionBudget"),
    *("Secret", "Service"),
)
# What Kubernetes itself puts into every namespace.
GIVEN = {"ConfigMap kube-root-ca.crt"}
SECRETS = ("mysql-tls", "mysql-ca")
ACCOUNTS = "Make the accounts on the primary"
ANNOUNCED = "Say that certificates would be made"
# What a run does of which check mode says the other.
DOES = {
    certificates.COMPARED: {
        "Make the ConfigMap, the budget and the Deployments that are not there yet",
        "Change the Deployment",
    },
    ANNOUNCED: {"Make the keys that are missing", "Keep them in the cluster"},
}


@pytest.fixture(scope="module", params=reversed(servers.VERSIONS))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(
        cluster_image=servers.IMAGES[request.param], cluster_tls="required", **LITTLE_MEMORY
    )
    try:
        yield made
    finally:
        made.remove()


def switched(site: Site, tls: str) -> None:
    """Change the site over: predicted, done as predicted, done once."""
    site.variables["cluster_tls"] = tls
    checked = site.play_through(*STEPS, "--check")
    changed = site.play_through(*STEPS)
    predicted: set[str] = set().union(*(DOES.get(task, {task}) for task in checked.changed))
    assert set(changed.changed) == predicted, changed.output
    unchanged(site)


def unchanged(site: Site) -> None:
    again: Played = site.play_through(*STEPS)
    assert again.recap["changed"] == 0, again.changed


def test_a_first_run_makes_what_check_mode_named_and_replicates_by_tls(site: Site) -> None:
    checked = site.play_through(*STEPS, "--check")
    assert not site.exists()
    site.play_through(*STEPS)
    made = set(site.objects(*MADE)) - GIVEN
    assert checked.predicted - {f"Namespace {site.namespace}"} == made
    assert site.value(REPLICA, certificates.CHANNEL) == certificates.CHECKED
    certificates.replicates(site, certificates.TLS)


def test_the_instances_show_the_certificate_of_the_secret(site: Site) -> None:
    held = certificates.held(site)
    held["tls.crt"].verify_directly_issued_by(held["ca.crt"])
    assert held["ca.crt"].subject.rfc4514_string() == f"CN={site.namespace}/mysql CA"
    assert certificates.shown(site, held["ca.crt"]) == [held["tls.crt"]] * len(NAMES)
    # 8.0.15 answers no handshake with an ECDSA key.
    assert isinstance(held["tls.crt"].public_key(), rsa.RSAPublicKey)
    # Its key lies where no Pod looks.
    deployments = str(site.cluster.list("Deployment", site.namespace))
    assert "mysql-tls" in deployments
    assert "mysql-ca" not in deployments


def test_a_client_without_tls_is_refused(site: Site) -> None:
    ca = certificates.held(site)["ca.crt"]
    for user in ("app", "replication"):
        assert certificates.log_in(site, PRIMARY, user, ca)
        certificates.refused(site, user)


def test_a_replica_refuses_a_primary_that_its_ca_did_not_sign(site: Site) -> None:
    pod = {"namespace": site.namespace, "deployment": REPLICA}
    channel = {**site.login, "pod": pod, "state": "following", "source_host": "mysql-write"}
    # The certificate alone vouches for nobody.
    other = {"source_ssl_ca": "/etc/mysql/tls/tls.crt", "wait": False}
    succeed("mysql_replication", {**channel, **other})
    failed = "SELECT last_error_number FROM performance_schema.replication_connection_status"
    certificates.wait_until(site, REPLICA, failed, CR.CR_SSL_CONNECTION_ERROR)
    succeed("mysql_replication", {**channel, "source_ssl_ca": "/etc/mysql/tls/ca.crt"})
    certificates.replicates(site, certificates.TLS)


def test_a_second_run_changes_nothing(site: Site) -> None:
    before = site.objects(*MADE)
    unchanged(site)
    assert site.objects(*MADE) == before


def test_an_issuer_beside_the_own_ca_is_refused_with_nothing_touched(site: Site) -> None:
    before = site.objects(*MADE)
    told = site.play(*STEPS, cluster_tls_issuer={"name": "another"})
    assert told.failed
    assert "another is named, and the Secret mysql-tls is of the cluster's own CA" in told.output
    secrets = "kubectl -n {} delete secret --ignore-not-found mysql-tls mysql-ca"
    assert secrets.format(site.namespace) in " ".join(told.output.split())
    assert told.changed == []
    assert site.objects(*MADE) == before


def test_a_deleted_certificate_is_made_anew_and_taken_over(site: Site) -> None:
    before = certificates.held(site)
    site.cluster.delete("Secret", "mysql-tls", site.namespace)
    checked = site.play_through(*STEPS, "--check")
    assert checked.changed == [ANNOUNCED, certificates.COMPARED]
    site.play_through(*STEPS)
    held = certificates.held(site)
    assert held["tls.crt"] != before["tls.crt"]
    # Who has the CA of before trusts the new ones: its key was kept.
    assert certificates.shown(site, before["ca.crt"]) == [held["tls.crt"]] * len(NAMES)
    certificates.replicates(site, certificates.TLS)
    unchanged(site)


def test_tls_is_switched_off(site: Site) -> None:
    kept = {name: site.secret(name, "ca.crt") for name in SECRETS}
    switched(site, "off")
    certificates.replicates(site, certificates.NO_TLS)
    for user in ("app", "replication"):
        certificates.log_in(site, PRIMARY, user)
    assert {name: site.secret(name, "ca.crt") for name in SECRETS} == kept


def test_tls_is_switched_on_where_there_was_none(site: Site) -> None:
    for name in SECRETS:
        site.cluster.delete("Secret", name, site.namespace)
    switched(site, "preferred")
    held = certificates.held(site)
    assert certificates.shown(site, held["ca.crt"]) == [held["tls.crt"]] * len(NAMES)
    assert site.value(REPLICA, certificates.CHANNEL) == certificates.CHECKED
    certificates.replicates(site, certificates.TLS)
    certificates.log_in(site, PRIMARY, "app")
    # From here on it is the accounts' alone: no instance restarts.
    site.variables["cluster_tls"] = "required"
    required = site.play_through(*STEPS)
    assert required.changed == [ACCOUNTS]
    certificates.refused(site, "app")


def test_a_teardown_takes_the_secrets_too(site: Site) -> None:
    volumes = {"teardown_volumes": list(NAMES)}
    site.play_through(playbook="teardown", teardown_confirm=site.word, **volumes)
    assert not set(site.objects("Secret")) & {f"Secret {name}" for name in SECRETS}
