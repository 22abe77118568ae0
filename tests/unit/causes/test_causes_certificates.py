"""Why cert-manager gives no certificate, and when one is there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import certificates, kube
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import Finding
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import waiting
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.waiting import Observation

from tests.unit.kube import objects

Object = dict[str, Any]


def issued(kind: str, name: str, *conditions: Object, generation: int = 1) -> Object:
    return {
        "kind": kind,
        "metadata": objects.meta(name, generation=generation),
        "spec": {"secretName": "mysql-tls"},
        "status": {"conditions": list(conditions)},
    }


def condition(status: str, reason: str = "", message: str = "", **more: Any) -> Object:
    return {"type": "Ready", "status": status, "reason": reason, "message": message, **more}


def seen(obj: Object | None, kind: str = "Issuer", name: str = "ca", **more: Any) -> Observation:
    return Observation(waiting.wanted(kind, "mysql", name), obj, **more)


def explain(observation: Observation) -> Finding:
    (found,) = kube.explain([observation])
    return found


READY = issued("Certificate", "mysql-tls", condition("True"))
REFUSED = issued("CertificateRequest", "mysql-tls-1", condition("False", "Failed", "not allowed"))
LATER = issued("CertificateRequest", "mysql-tls-2", condition("False", "Pending", "asked"))


def test_a_kind_that_the_cluster_does_not_know_is_told_from_an_object_that_is_missing() -> None:
    unknown, missing = seen(None, served=False), seen(None)
    assert explain(unknown).code == "tls.cert_manager_missing"
    assert waiting.progress(unknown) == "of a kind that the cluster does not know"
    assert explain(missing).code == "tls.issuer_missing"
    assert explain(missing).fix.endswith("kubectl get issuers -n mysql")


def test_an_issuer_of_the_whole_cluster_is_named_without_a_namespace() -> None:
    found = explain(seen(None, "ClusterIssuer"))
    assert found.subject == "ClusterIssuer ca"
    assert found.fix.endswith("kubectl get clusterissuers")


def test_an_issuer_that_is_not_ready_is_told_with_what_it_says() -> None:
    issuer = issued("Issuer", "ca", condition("False", "ErrGetKeyPair", "no secret"))
    found = explain(seen(issuer))
    assert found.code == "tls.issuer_not_ready"
    assert found.proof == ("Issuer mysql/ca: condition Ready is False: ErrGetKeyPair: no secret",)
    assert found.code in kube.HOPELESS


@pytest.mark.parametrize(
    ("obj", "secret", "met"),
    [
        (READY, True, True),
        # Deleted, and cert-manager has not seen it yet.
        (READY, False, False),
        (issued("Certificate", "mysql-tls"), True, False),
        (issued("Certificate", "mysql-tls", condition("False")), True, False),
        # Another issuer was named since.
        (
            issued(
                "Certificate", "mysql-tls", condition("True", observedGeneration=1), generation=2
            ),
            True,
            False,
        ),
    ],
)
def test_a_certificate_is_there_once_its_newest_spec_is_issued(
    obj: Object, secret: bool, met: bool
) -> None:
    assert waiting.is_met(seen(obj, "Certificate", secret=secret)) is met


def test_a_refusal_ends_the_wait_and_what_is_under_way_does_not() -> None:
    late = issued("Certificate", "mysql-tls", condition("False", "DoesNotExist", "no secret"))
    refused = explain(seen(late, "Certificate", requests=(REFUSED,)))
    assert refused.code == "tls.certificate_refused"
    assert (
        "CertificateRequest mysql/mysql-tls-1: condition Ready is False: Failed: not allowed"
        in (refused.proof)
    )
    asked = explain(seen(late, "Certificate", requests=(REFUSED, LATER)))
    assert asked.code == "tls.certificate_late"
    assert asked.code not in certificates.HOPELESS
    assert "Secret mysql-tls: not found" in asked.proof
