"""The preflight as one report: what the API server answers is given, what a person reads is compared."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import (
    metallb,
    preflight,
    report,
    storage,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import (
    CollectionError,
    explain_failure,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.metallb import address
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.room import Need

from tests.unit.causes.test_causes_preflight import OURS, node
from tests.unit.kube import objects

Object = dict[str, Any]


class FakeCluster:
    """Answers as an API server does: objects by kind, rights by verb and resource."""

    name = "cluster test"

    def __init__(self, kinds: dict[str, list[Object]], *, denied: frozenset[str] = frozenset()):
        self.kinds = kinds
        self.denied = denied

    def version(self) -> str:
        return "v1.36.3"

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        for one in self.kinds.get(kind, []):
            meta = one["metadata"]
            if meta["name"] == name and meta.get("namespace") == namespace:
                return one
        return None

    def list(self, kind: str, namespace: str | None = None, **_more: Any) -> list[Object]:
        if f"list {kind}" in self.denied:
            raise client.KubeError(self.name, f"list {kind}", 403, "forbidden")
        every = self.kinds.get(kind, [])
        return [one for one in every if namespace in (None, one["metadata"].get("namespace"))]

    def list_if_served(self, kind: str, namespace: str | None = None) -> list[Object] | None:
        return self.list(kind, namespace) if kind in self.kinds else None

    def serves(self, kind: str) -> bool:
        return kind in self.kinds

    def create(self, _kind: str, body: Object, _namespace: str | None = None) -> Object:
        asked = body["spec"]["resourceAttributes"]
        right = f"{asked['verb']} {asked['resource']}"
        allowed = not self.denied if right == "* *" else right not in self.denied
        return {"status": {"allowed": allowed, "reason": "no rule allows it"}}


def asked(**changes: Any) -> report.Asked:
    run = {
        "namespace": "mysql",
        "needs": (Need("MySQL", 3, {"cpu": Decimal("0.1"), "memory": Decimal(2**29)}),),
        "claims": 1,
        "storage": Decimal(2**30),
        "labels": OURS,
        "minimum_version": "1.25",
        "owners": {("Service", "mysql-write"): {}},
        "database_image": "mysql:9.7",
        "images": ("mysql:9.7",),
        "ingress_class": "nginx",
        "paths": ("/",),
        **changes,
    }
    return report.Asked(
        run=preflight.Wanted(**run),
        names=(("Service", "mysql-write"),),
        network=metallb.Wanted(address("192.168.0.251")),
        storage=storage.Wanted(),
    )


def broken() -> FakeCluster:
    """A cluster with one fault of each kind."""
    stranger = objects.service("mysql-write", "mysql")
    other = {
        "kind": "Ingress",
        "metadata": objects.meta("blog", "blog"),
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"http": {"paths": [{"path": "/", "backend": {}}]}}],
        },
    }
    small = {
        "kind": "ResourceQuota",
        "metadata": objects.meta("small"),
        "spec": {},
        "status": {"hard": {"pods": "1"}, "used": {"pods": "0"}},
    }
    kinds = {
        "Namespace": [{"metadata": objects.meta("mysql", None)}],
        "Node": [node("a", "1Gi")],
        "Service": [stranger],
        "Ingress": [other],
        "ResourceQuota": [small],
        "StorageClass": [],
    }
    return FakeCluster(kinds, denied=frozenset({"create pods"}))


def test_every_cause_of_every_check_is_told_in_one_failure() -> None:
    with pytest.raises(CollectionError) as caught:
        report.check(broken(), asked(database_image="mysql:5.7"), 0)  # type: ignore[arg-type]
    codes = {one.code for one in caught.value.findings}
    assert codes >= {
        "kube.forbidden",
        "kube.no_room",
        "kube.quota_too_small",
        "kube.name_taken",
        "ingress.path_clash",
        "metallb.not_installed",
        "mysql.version_old",
        "storage.no_class",
    }
    text = explain_failure(caught.value.message, caught.value.findings)
    assert text.splitlines()[0].endswith("causes; nothing was changed")
    for code in codes:
        assert f"[{code}]" in text
    proved = caught.value.details["checked"]
    assert proved[0] == "the API server is v1.36.3, 1.25 or later"
    assert not [line for line in proved if "rights" in line or "room" in line or "5.7" in line]


def test_a_right_that_is_lacking_is_one_cause_and_not_the_end_of_the_report() -> None:
    cluster = broken()
    cluster.denied = frozenset({"list IPAddressPool", "list ipaddresspools"})
    cluster.kinds["IPAddressPool"] = []
    with pytest.raises(CollectionError) as caught:
        report.check(cluster, asked(), 0)  # type: ignore[arg-type]
    codes = {one.code for one in caught.value.findings}
    assert {"kube.forbidden", "storage.no_class"} <= codes
    assert "network: this user may not list IPAddressPool" in caught.value.details["not_proved"]


def test_what_the_run_installs_is_no_cause_and_its_rights_are_asked_for() -> None:
    cluster = broken()
    cluster.denied = frozenset({"create customresourcedefinitions"})
    installs = {
        "metallb": ("CustomResourceDefinition", "Deployment"),
        "ingress": ("IngressClass",),
        "provisioner": ("StorageClass",),
    }
    made = (objects.storage_class("local-path", default=True),)
    given = replace(asked(), installs=installs, classes=made)
    found = report.look(cluster, given)  # type: ignore[arg-type]
    assert found.values["storage_class"] == "local-path"
    assert "that the StorageClass local-path, which is missing, provisions" in found.not_proved
    codes = [one.code for one in found.findings]
    assert not {"metallb.not_installed", "ingress.class_unknown", "storage.no_class"} & set(codes)
    (right,) = [one for one in found.findings if one.code == "kube.forbidden"]
    assert "create customresourcedefinitions" in right.proof[0]
    assert "kube.name_taken" in codes
    assert "that 192.168.0.251 answers on the LAN" in found.not_proved


def test_an_issuer_is_looked_at_and_its_rights_are_asked_for_where_one_is_named() -> None:
    given = replace(asked(), issuer=report.Issuer("ca", "Issuer", "cert-manager.io"))
    cluster = broken()
    cluster.denied = frozenset({"create certificates"})
    found = report.look(cluster, given)  # type: ignore[arg-type]
    codes = [one.code for one in found.findings]
    assert "tls.cert_manager_missing" in codes
    (right,) = [one for one in found.findings if one.code == "kube.forbidden"]
    assert "create certificates" in right.proof[0]
    cluster.kinds["Issuer"] = []
    assert "tls.issuer_missing" in [one.code for one in report.look(cluster, given).findings]  # type: ignore[arg-type]
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    cluster.kinds["Issuer"] = [
        {"kind": "Issuer", "metadata": objects.meta("ca"), "status": ready},
    ]
    found = report.look(cluster, given)  # type: ignore[arg-type]
    assert "the Issuer mysql/ca can issue certificates" in found.checked
    # Of another group nothing can be seen beforehand.
    other = replace(given, issuer=report.Issuer("ca", "Issuer", "pca.example"))
    found = report.look(broken(), other)  # type: ignore[arg-type]
    assert "that Issuer ca of pca.example can issue" in found.not_proved
    assert not [one for one in found.findings if one.code.startswith("tls.")]


def test_an_address_that_somebody_holds_is_a_cause_where_the_controller_is_installed_too() -> None:
    cluster = broken()
    labels = {"app": "metallb", "component": "controller"}
    pool = {
        "metadata": objects.meta("p", "metallb-system"),
        "spec": {"addresses": ["192.168.0.0/24"]},
    }
    holder = objects.service("blog", "blog")
    holder["status"] = {"loadBalancer": {"ingress": [{"ip": "192.168.0.251"}]}}
    cluster.kinds["Pod"] = [objects.pod("c", "metallb-system", labels=labels)]
    cluster.kinds["IPAddressPool"] = [pool]
    cluster.kinds["Service"].append(holder)
    given = replace(asked(), installs={"ingress": ("IngressClass",)})
    found = report.look(cluster, given).findings  # type: ignore[arg-type]
    assert "metallb.ip_taken" in {one.code for one in found}


def test_what_only_a_pod_can_prove_is_listed_as_not_proved() -> None:
    cluster = broken()
    found = report.look(cluster, asked())  # type: ignore[arg-type]
    assert "that mysql:9.7 can be pulled on a" in found.not_proved
    cluster.kinds["Node"][0]["status"]["images"] = [{"names": ["docker.io/library/mysql:9.7"]}]
    found = report.look(cluster, asked())  # type: ignore[arg-type]
    assert not [line for line in found.not_proved if "pulled" in line]
    assert "mysql:9.7 is on every node that takes Pods" in found.checked
    untagged = report.look(cluster, asked(database_image="mysql"))  # type: ignore[arg-type]
    assert "which version of MySQL is in mysql: its tag names none" in untagged.not_proved


@pytest.mark.parametrize(
    ("image", "old"),
    [
        ("mysql:5.7", True),
        ("mysql:8.0.14", True),
        ("mysql:8.0", False),
        ("docker.io/library/mysql:8.0.15", False),
        ("registry.example:5000/mysql:9.7.4-oracle", False),
        ("mysql:26.7", False),
        ("mysql:latest", False),
        ("mysql@sha256:" + "0" * 64, False),
    ],
)
def test_the_version_of_an_image_is_that_of_its_tag(image: str, old: bool) -> None:
    found = report.look(broken(), asked(database_image=image)).findings  # type: ignore[arg-type]
    assert ("mysql.version_old" in {one.code for one in found}) is old
