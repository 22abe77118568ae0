# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster lacks, what would be made of it, and what of somebody else's is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import installation
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.installation import Asked
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import parts
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.manifest import Source
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.metallb import address

from roles.lab.files.lab import addons
from roles.lab.files.lab.cli import definition
from tests.unit.causes.test_causes_report import FakeCluster
from tests.unit.roles.test_templates import render, variables

Object = dict[str, Any]

IP = "192.168.0.251"
ALL = ["metallb", "pool", "ingress", "provisioner"]


def obj(kind: str, name: str, namespace: str | None = None, **more: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata.update(more.pop("metadata", {}))
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def workload(kind: str, name: str, namespace: str, labels: dict[str, str], **more: Any) -> Object:
    pod = {"containers": [{"name": "main", "image": f"example.com/{name}:v1"}]}
    spec = {"template": {"metadata": {"labels": labels}, "spec": pod}}
    return obj(kind, name, namespace, spec=spec, **more)


def metallb_labels(component: str) -> dict[str, str]:
    return {"app": "metallb", "component": component}


def metallb() -> list[Object]:
    """A manifest of MetalLB, as short as it can be."""
    return [
        workload("Deployment", "controller", "metallb-system", metallb_labels("controller")),
        obj("Namespace", "metallb-system"),
        obj("CustomResourceDefinition", "ipaddresspools.metallb.io"),
        obj("CustomResourceDefinition", "l2advertisements.metallb.io"),
        obj("ServiceAccount", "controller", "metallb-system"),
        workload("DaemonSet", "speaker", "metallb-system", metallb_labels("speaker")),
    ]


def provisioner() -> list[Object]:
    return [
        obj("StorageClass", "local-path", provisioner="rancher.io/local-path"),
        obj("Namespace", "storage"),
        workload("Deployment", "provisioner", "storage", {"app": "provisioner"}),
    ]


def ingress() -> list[Object]:
    return [
        obj("Namespace", "traefik"),
        obj("IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"}),
        workload("Deployment", "traefik", "traefik", {"app": "traefik"}),
    ]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    def source(part: str, objects: list[Object], wanted: tuple[str, ...]) -> Source:
        path = tmp_path / f"{part}.yaml"
        path.write_text(yaml.safe_dump_all(objects))
        return Source(
            f"infra_{part}_manifest", f"infra_{part}_checksum", str(path), "", part, wanted
        )

    return Asked(
        wanted=parts.Wanted(address(IP), "nginx", storage=True),
        metallb=source("metallb", metallb(), installation.METALLB_KINDS),
        provisioner=source("provisioner", provisioner(), installation.PROVISIONER_KINDS),
        ingress=yaml.safe_dump_all(ingress()),
        pool="192.168.0.240-192.168.0.251",
        interfaces=("eth0",),
        prefix="infra_",
    )


def look(asked: Asked, **kinds: list[Object]) -> dict[str, Any]:
    return installation.look(FakeCluster(kinds), asked)  # type: ignore[arg-type]


def lacking(result: dict[str, Any]) -> list[str]:
    return [one["part"] for one in result["missing"]]


def mine(objects: list[Object], part: str) -> list[Object]:
    return [
        {**one, "metadata": {**one["metadata"], "labels": {parts.LABEL: part}}} for one in objects
    ]


def test_an_empty_cluster_lacks_everything_in_the_order_of_making(asked: Asked) -> None:
    result = look(asked)
    assert lacking(result) == ALL
    assert result["changed"] is False
    for part, objects in result["objects"].items():
        assert {one["metadata"]["labels"][parts.LABEL] for one in objects} == {part}
    assert result["objects"]["metallb"][-1]["kind"] == "Deployment"
    assert result["waits"]["metallb"] == {
        "namespace": "metallb-system",
        "objects": [
            {"kind": "DaemonSet", "name": "speaker"},
            {"kind": "Deployment", "name": "controller"},
        ],
    }
    assert result["waits"]["pool"] == {"namespace": "", "objects": []}
    assert len(result["lines"]) == 4
    assert all(line.startswith("missing  ") for line in result["lines"])


def test_the_pool_is_of_the_given_range_and_gives_nothing_out_unasked(asked: Asked) -> None:
    pool, advertisement = look(asked)["objects"]["pool"]
    assert pool["metadata"]["namespace"] == "metallb-system"
    assert pool["spec"] == {"addresses": ["192.168.0.240-192.168.0.251"], "autoAssign": False}
    assert advertisement["spec"]["ipAddressPools"] == [pool["metadata"]["name"]]
    assert advertisement["spec"]["interfaces"] == ["eth0"]
    alone, told = look(replace(asked, pool="", interfaces=()))["objects"]["pool"]
    assert alone["spec"]["addresses"] == [f"{IP}-{IP}"]
    assert "interfaces" not in told["spec"]


def test_a_pool_without_the_address_is_refused_by_name(asked: Asked) -> None:
    with pytest.raises(
        CollectionError, match=f"^infra_install_pool: '10.0.0.0/24' does not hold {IP}; allowed: "
    ):
        look(replace(asked, pool="10.0.0.0/24"))


SPEAKER = workload("DaemonSet", "lb", "theirs", metallb_labels("speaker"))
CHART = workload(
    "Deployment",
    "lb",
    "theirs",
    {"app.kubernetes.io/name": "metallb", "app.kubernetes.io/component": "controller"},
)


@pytest.mark.parametrize("theirs", [{"DaemonSet": [SPEAKER]}, {"Deployment": [CHART]}])
def test_somebody_elses_metallb_is_left_alone_in_whichever_namespace(
    asked: Asked, theirs: dict[str, list[Object]]
) -> None:
    """Without any pool it gets one, where it is: nobody has decided about addresses there."""
    result = look(asked, **theirs)
    assert "metallb" not in lacking(result)
    assert {one["metadata"]["namespace"] for one in result["objects"]["pool"]} == {"theirs"}
    pool = obj("IPAddressPool", "theirs", "theirs", spec={"addresses": ["10.0.0.0/24"]})
    result = look(asked, **theirs, IPAddressPool=[pool])
    assert lacking(result) == ["ingress", "provisioner"]
    assert result["present"]["pool"] == "IPAddressPool theirs/theirs"


def test_metallb_of_ours_whose_making_was_ended_is_made_again(asked: Asked) -> None:
    *others, _controller = mine(installation.manifest.edited(metallb(), {}, {}), "metallb")
    begun: dict[str, list[Object]] = {}
    for one in others:
        begun.setdefault(one["kind"], []).append(one)
    assert lacking(look(asked, **begun)) == ALL


def test_a_pool_of_ours_without_its_announcement_is_made_again(asked: Asked) -> None:
    pool = mine([look(asked)["objects"]["pool"][0]], "pool")
    begun = {"Deployment": [CHART], "IPAddressPool": pool}
    assert "pool" in lacking(look(asked, **begun))
    told = obj("L2Advertisement", "any", "theirs", spec={})
    assert "pool" not in lacking(look(asked, **begun, L2Advertisement=[told]))


def test_an_object_of_somebody_elses_under_a_needed_name_ends_it_with_its_name(
    asked: Asked,
) -> None:
    kinds = {
        "Namespace": [obj("Namespace", "metallb-system")],
        "ServiceAccount": [obj("ServiceAccount", "controller", "metallb-system")],
        "CustomResourceDefinition": [obj("CustomResourceDefinition", "ipaddresspools.metallb.io")],
    }
    with pytest.raises(CollectionError) as caught:
        look(asked, **kinds)
    assert {one.code for one in caught.value.findings} == {"install.object_taken"}
    assert [one.subject for one in caught.value.findings] == [
        "Namespace metallb-system",
        "CustomResourceDefinition ipaddresspools.metallb.io",
        "ServiceAccount metallb-system/controller",
    ]
    assert caught.value.findings[2].fix.endswith(
        "kubectl get serviceaccounts controller -n metallb-system -o yaml"
    )


INGRESS_NGINX = workload("Deployment", "web", "web", {"app.kubernetes.io/name": "ingress-nginx"})


def test_an_ingress_controller_that_serves_such_classes_is_left_alone(asked: Asked) -> None:
    result = look(asked, Deployment=[INGRESS_NGINX])
    assert result["present"]["ingress"] == "Deployment web/web"


def test_another_controllers_class_of_that_name_is_left_alone(asked: Asked) -> None:
    theirs = obj("IngressClass", "nginx", spec={"controller": "example.com/other"})
    result = look(asked, IngressClass=[theirs])
    assert "ingress" in result["present"]


@pytest.mark.parametrize("default", ["true", "false"])
def test_beside_other_controllers_ours_is_no_second_default(asked: Asked, default: str) -> None:
    marked = {"annotations": {"ingressclass.kubernetes.io/is-default-class": default}}
    theirs = obj("IngressClass", "public", spec={"controller": "example.com/x"}, metadata=marked)
    made = look(asked, IngressClass=[theirs])["objects"]["ingress"]
    ours = next(one for one in made if one["kind"] == "IngressClass")
    key = "ingressclass.kubernetes.io/is-default-class"
    assert (ours["metadata"]["annotations"].get(key) == "true") is (default == "false")


def test_a_class_that_nobody_serves_stays_as_it_is(asked: Asked) -> None:
    left = obj("IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"})
    made = look(asked, IngressClass=[left])["objects"]["ingress"]
    assert [one["kind"] for one in made] == ["Namespace", "Deployment"]


def storage(asked: Asked, *classes: Object, **changes: Any) -> dict[str, Any]:
    wanted = replace(asked.wanted, **changes)
    return look(replace(asked, wanted=wanted), StorageClass=list(classes))


THEIRS = obj("StorageClass", "theirs", provisioner="example.com/x")
STATIC = obj("StorageClass", "static", provisioner="kubernetes.io/no-provisioner")


def test_a_class_that_provisions_is_enough_and_one_that_does_not_is_not(asked: Asked) -> None:
    assert storage(asked, THEIRS, STATIC)["present"]["provisioner"] == "StorageClass theirs"
    made = storage(asked, STATIC)["objects"]["provisioner"]
    assert made[-1]["metadata"]["annotations"] == {
        "storageclass.kubernetes.io/is-default-class": "true"
    }
    assert "provisioner" in storage(asked, storage=False)["present"]


def test_a_class_that_is_named_is_made_beside_others_and_is_no_second_default(asked: Asked) -> None:
    key = "storageclass.kubernetes.io/is-default-class"
    default = {**THEIRS, "metadata": {"name": "theirs", "annotations": {key: "true"}}}
    made = storage(asked, default, storage_class="local-path")["objects"]["provisioner"]
    assert key not in made[-1]["metadata"]["annotations"]
    assert "provisioner" in storage(asked, THEIRS, storage_class="theirs")["present"]
    with pytest.raises(
        CollectionError,
        match="^infra_storage_class: 'standard' is not there, and .*makes local-path",
    ):
        storage(asked, storage_class="standard")


def test_a_manifest_is_read_only_where_its_part_is_missing(asked: Asked) -> None:
    broken = replace(asked, metallb=replace(asked.metallb, location="/nowhere/it.yaml"))
    with pytest.raises(
        CollectionError, match="^infra_metallb_manifest: '/nowhere/it.yaml' cannot be read"
    ):
        look(broken)
    assert "metallb" in look(broken, Deployment=[CHART])["present"]


def test_the_lab_and_the_role_make_the_same_ingress_controller_of_one_template() -> None:
    by_the_lab = addons.render(addons.TRAEFIK.read_text(), definition())
    given = {"infra_app_ip": definition().ingress}
    assert render("infra", addons.TRAEFIK.name, **given) == list(yaml.safe_load_all(by_the_lab))


def test_the_pinned_versions_are_those_that_the_lab_runs() -> None:
    found = variables("infra")
    lab = definition()
    assert found["infra_metallb_version"] == lab.metallb
    assert found["infra_provisioner_version"] == lab.local_path
    assert found["infra_ingress_image"].endswith(f"traefik:v{lab.traefik}")
