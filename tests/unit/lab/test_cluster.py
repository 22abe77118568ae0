# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""kubeadm's configuration, the addons, and when the lab counts as working."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from roles.lab.files.lab import addons, cluster, health
from roles.lab.files.lab.cli import definition
from roles.lab.files.lab.definition import HostLink
from roles.lab.files.lab.errors import LabError

LAB = definition()
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
RUNNING = {node.name: {f"id-{node.name}"} for node in LAB.nodes}


def settings() -> dict[str, dict[str, Any]]:
    text = cluster.init_settings(LAB, "lab", HostLink(3))
    return {part["kind"]: part for part in yaml.safe_load_all(text)}


def test_the_host_may_reach_the_api_server_by_its_own_road() -> None:
    assert settings()["ClusterConfiguration"]["apiServer"]["certSANs"] == ["10.213.3.2"]


def test_versions_are_those_of_the_programs() -> None:
    made = settings()["ClusterConfiguration"]
    assert made["kubernetesVersion"] == f"v{LAB.kubernetes}"
    assert made["dns"]["imageTag"] == f"v{LAB.coredns}"


def test_kubelet_never_throws_images_away() -> None:
    kubelet = settings()["KubeletConfiguration"]
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert kubelet["evictionHard"]["imagefs.available"] == "0%"


def test_kube_proxy_leaves_the_hosts_conntrack_alone() -> None:
    proxy = settings()["KubeProxyConfiguration"]
    assert proxy["mode"] == "nftables"
    assert proxy["conntrack"] == {"maxPerCore": 0, "min": 0}


def test_a_worker_joins_with_the_token_that_was_printed() -> None:
    token = cluster.parse_join_command(
        "kubeadm join 192.168.0.10:6443 --token abc.def --discovery-token-ca-cert-hash sha256:1f \n"
    )
    text = cluster.join_settings(LAB, LAB.workers[0], token)
    joined = yaml.safe_load(text)["discovery"]["bootstrapToken"]
    assert joined["token"] == "abc.def"
    assert joined["caCertHashes"] == ["sha256:1f"]


def test_no_join_command_is_told() -> None:
    with pytest.raises(LabError, match="no command to join with"):
        cluster.parse_join_command("")


def manifests() -> list[dict[str, Any]]:
    found = []
    for file in addons.sources():
        found += list(yaml.safe_load_all(addons.render(file.read_text(), LAB)))
    return found


def test_the_pool_holds_the_ingress_address_and_is_announced_on_the_lan_alone() -> None:
    kinds = {item["kind"]: item for item in manifests()}
    assert kinds["IPAddressPool"]["spec"]["addresses"] == [LAB.pool]
    assert kinds["L2Advertisement"]["spec"]["interfaces"] == ["eth0"]
    service = kinds["Service"]
    assert service["metadata"]["annotations"] == {"metallb.io/loadBalancerIPs": LAB.ingress}
    # MetalLB refuses a Service that asks in both ways.
    assert "loadBalancerIP" not in service["spec"]


def test_the_course_finds_its_ingress_class_and_traefik_in_the_built_version() -> None:
    kinds = {item["kind"]: item for item in manifests()}
    assert kinds["IngressClass"]["metadata"]["name"] == "nginx"
    assert kinds["IngressClass"]["spec"]["controller"] == "k8s.io/ingress-nginx"
    image = kinds["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"docker.io/library/traefik:v{LAB.traefik}"


def test_a_name_that_a_manifest_has_and_the_lab_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError, match="infra_unknown"):
        addons.render("name: {{ infra_unknown }}", LAB)


def test_a_bare_lab_is_interchangeable_with_another_and_gets_its_dns_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAB_BARE", "1")
    assert definition().bare
    assert definition().key() == LAB.key()
    listed = yaml.safe_load((addons.SOURCE / "bare" / "kustomization.yaml").read_text())
    assert listed["resources"] == ["coredns.yaml"]
    whole = yaml.safe_load((addons.SOURCE / "base" / "kustomization.yaml").read_text())
    assert "../bare" in whole["resources"]


def test_only_what_was_created_or_changed_counts_as_applied() -> None:
    output = "namespace/traefik unchanged\nservice/traefik configured\npod/x created\n"
    assert addons.applied_changes(output) == ["service/traefik configured", "pod/x created"]


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=f"metallb-{LAB.metallb}.yaml"):
        addons._write(LAB, tmp_path / "cache", tmp_path / "addons")


def node(name: str, ready: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"kind": "Node", "metadata": {"name": name}, "status": {"conditions": conditions}}


def pod(namespace: str = "kube-system", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": namespace, "ownerReferences": [{"kind": "Node"}]},
        "spec": {"nodeName": "worker1"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {"containerID": "containerd://id-worker1", "state": {"running": {}}}
            ],
        },
    }
    made["status"].update(changes)
    return made


def judge(*items: dict[str, Any], renewed: str = "2026-01-01T11:59:55.000000Z") -> health.Health:
    found = [*items]
    if not any(item["kind"] == "Node" for item in items):
        found += [node(each.name) for each in LAB.nodes]
    leases = [{"metadata": {"name": n.name}, "spec": {"renewTime": renewed}} for n in LAB.nodes]
    return health.judge({"items": found}, {"items": leases}, RUNNING, LAB, NOW)


def test_a_lab_whose_nodes_and_pods_are_ready_is_well() -> None:
    assert judge(pod()).well


def test_a_pod_that_the_api_server_believes_in_but_nobody_runs_is_not_well() -> None:
    gone = [{"containerID": "containerd://before", "state": {"running": {}}}]
    seen = judge(pod(containerStatuses=gone))
    assert not seen.well
    assert "its containers are gone" in seen.own_pods[0]


def test_a_node_that_was_ready_before_a_stop_is_not_well() -> None:
    seen = judge(pod(), renewed="2026-01-01T11:00:00.000000Z")
    assert not seen.well
    assert all("kubelet has not reported" in text for text in seen.nodes)


def test_a_node_that_never_joined_is_named() -> None:
    assert "worker2: not in the cluster" in judge(node("cp1"), node("worker1")).nodes


def test_what_users_broke_is_told_but_the_lab_is_well() -> None:
    waiting = [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]
    seen = judge(pod("theirs", containerStatuses=waiting))
    assert seen.well
    assert seen.users_pods == ("theirs/p: ImagePullBackOff",)


def test_a_volumes_short_lived_helper_is_not_waited_for_as_part_of_the_lab() -> None:
    helper = pod("local-path-storage", phase="Pending", conditions=[], containerStatuses=[])
    del helper["metadata"]["ownerReferences"]
    assert judge(helper).well


def test_ended_and_deleted_pods_do_not_count() -> None:
    leaving = pod(conditions=[])
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T11:59:00Z"
    assert judge(leaving, pod(phase="Succeeded", conditions=[])).well


def test_what_is_waited_for_is_said_in_one_line() -> None:
    text = health.waiting_text(health.Health((), ("a/b: Pending",), (), pods=7))
    assert text == "waiting for 1 of nodes and 7 pods: a/b: Pending"
