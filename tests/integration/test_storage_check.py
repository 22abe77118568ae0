# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""storage_check and kube_wait on a real cluster: claims and Pods that are broken on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.integration import cluster
from tests.integration.cluster import claim_spec, container, deployment_spec, pod_spec
from tests.integration.runner import codes, fail, succeed

pytestmark = [
    *cluster.MARKS,
]


def check(space: cluster.Space, *claims: str, **more: Any) -> dict[str, Any]:
    given = {"namespace": space.name, "claims": list(claims), "timeout": 0}
    return {"kubeconfig": cluster.kubeconfig(), **given, **more}


def wait(
    space: cluster.Space, kind: str, name: str, condition: str | None = None
) -> dict[str, Any]:
    objects = [{"kind": kind, "name": name, **({"condition": condition} if condition else {})}]
    given = {"namespace": space.name, "objects": objects, "timeout": 180, "patience": 5}
    return {"kubeconfig": cluster.kubeconfig(), **given}


def proof(result: dict[str, Any], code: str) -> str:
    (found,) = [one for one in result["findings"] if one["code"] == code]
    return "\n".join(found["proof"])


def test_the_clusters_default_is_chosen(space: cluster.Space) -> None:
    result = succeed("storage_check", {"kubeconfig": cluster.kubeconfig()})
    assert result["storage_class"] == "local-path"
    assert result["binding_mode"] == "WaitForFirstConsumer"
    assert result["verdict"] == "ok"


def test_the_courses_class_that_is_not_there() -> None:
    arguments = {"kubeconfig": cluster.kubeconfig(), "storage_class": "standard"}
    result = fail("storage_check", arguments)
    assert codes(result) == ["storage.class_missing"]
    assert result["findings"][0]["fix"] == "Name one that exists: local-path"


def test_a_claim_waits_for_its_first_pod_and_is_bound_with_it(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "good", spec=claim_spec("local-path"))
    result = succeed("storage_check", check(space, "good", size="64Mi"))
    assert result["claims"][0]["state"] == "waits_for_consumer"
    assert "storage.waits_for_consumer" in codes(result)
    assert codes(fail("storage_check", check(space, "good", require_bound=True)))[0] == (
        "storage.claim_unused"
    )
    succeed("kube_wait", wait(space, "PersistentVolumeClaim", "good", "bound_or_first_consumer"))
    volume, mount = cluster.mounts("good", "/data")
    spec = pod_spec(container(volumeMounts=[mount]), volumes=[volume])
    space.make("Pod", "good", spec=spec)
    succeed("kube_wait", wait(space, "PersistentVolumeClaim", "good", "bound"))
    succeed("kube_wait", wait(space, "Pod", "good"))
    result = succeed("storage_check", check(space, "good", require_bound=True))
    assert result["claims"][0]["state"] == "bound"
    assert result["claims"][0]["volume"].startswith("pvc-")


def test_a_claim_of_a_class_that_is_not_there(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "typo", spec=claim_spec("standard"))
    result = fail("storage_check", check(space, "typo", storage_class="local-path"))
    assert "storage.claim_class_missing" in codes(result)
    result = fail("kube_wait", wait(space, "PersistentVolumeClaim", "typo"))
    assert codes(result) == ["storage.claim_class_missing"]


def test_a_volume_and_a_claim_of_different_classes(space: cluster.Space) -> None:
    name = f"{space.name}-manual"
    space.make_global(
        "PersistentVolume",
        name,
        spec={
            "capacity": {"storage": "64Mi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "hostpath",
            "hostPath": {"path": "/nowhere"},
        },
    )
    space.make("PersistentVolumeClaim", "differs", spec=claim_spec("manual", volumeName=name))
    result = fail("storage_check", check(space, "differs"))
    assert codes(result)[0] == "storage.class_differs"
    assert f"PV {name}: storageClassName hostpath" in proof(result, "storage.class_differs")


def test_a_claim_that_is_not_there_and_one_that_is_too_small(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "small", spec=claim_spec("local-path"))
    result = fail("storage_check", check(space, "small", "gone", size="1Gi"))
    assert set(codes(result)) >= {"storage.claim_absent", "storage.claim_too_small"}


def test_options_that_cannot_be(space: cluster.Space) -> None:
    result = fail("storage_check", {"kubeconfig": cluster.kubeconfig(), "claims": ["a"]})
    assert result["msg"].startswith("namespace: is empty; claims needs")
    result = fail("storage_check", check(space, size="4 GB"))
    assert "'4 GB' is not a quantity" in result["msg"]
    result = fail("kube_wait", wait(space, "Service", "a", "bound"))
    assert "condition 'bound' is not one of ip for Service a" in result["msg"]


def test_an_image_that_is_nowhere_is_named(space: cluster.Space) -> None:
    # A registry that refuses at once: nobody waits for names that cannot be resolved.
    image = "127.0.0.1:1/library/mysql:0.0.0-nowhere"
    spec = pod_spec(container(image=image))
    space.make("Deployment", "no-image", spec=deployment_spec("no-image", spec))
    result = fail("kube_wait", wait(space, "Deployment", "no-image", "started"))
    assert codes(result) == ["kube.image_pull"]
    assert image in result["findings"][0]["summary"]
    # By its cause, long before the time is over.
    assert "will not be without help" in result["msg"].splitlines()[0]


def test_a_volume_that_belongs_to_another_user(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "foreign", spec=claim_spec("local-path"))
    volume, mount = cluster.mounts("foreign", "/var/lib/mysql")
    take = container(
        name="take",
        command=["sh", "-c", "chown 0:0 /var/lib/mysql && chmod 0700 /var/lib/mysql"],
        volumeMounts=[mount],
    )
    server = container(
        command=["mysqld", "--initialize-insecure", "--datadir=/var/lib/mysql/data"],
        volumeMounts=[mount],
        securityContext={"runAsUser": 12345, "runAsGroup": 12345},
    )
    spec = pod_spec(server, initContainers=[take], volumes=[volume])
    space.make("Deployment", "foreign", spec=deployment_spec("foreign", spec))
    result = fail("kube_wait", wait(space, "Deployment", "foreign"))
    assert codes(result) == ["storage.permission_denied"]
    read = proof(result, "storage.permission_denied")
    assert "errno: 13" in read or "Permission denied" in read
    assert "volumes: PVC foreign" in read
    again = fail("storage_check", check(space, "foreign", pod_selector="app=foreign"))
    assert codes(again)[0] == "storage.permission_denied"


def test_a_crash_tells_the_last_lines_of_its_log(space: cluster.Space) -> None:
    spec = pod_spec(container(command=["sh", "-c", "echo the reason is here; exit 7"]))
    space.make("Deployment", "crash", spec=deployment_spec("crash", spec))
    result = fail("kube_wait", wait(space, "Deployment", "crash"))
    assert codes(result) == ["kube.crash_loop"]
    assert "the reason is here" in proof(result, "kube.crash_loop")
    assert "exit code 7" in result["findings"][0]["summary"]


@pytest.mark.parametrize(
    ("name", "pod", "code", "said"),
    [
        (
            "big",
            pod_spec(container(resources={"requests": {"memory": "900Gi"}})),
            "kube.unschedulable",
            "Insufficient memory",
        ),
        (
            "no-secret",
            pod_spec(container(envFrom=[{"secretRef": {"name": "nowhere"}}])),
            "kube.container_config",
            'secret "nowhere" not found',
        ),
    ],
)
def test_a_pod_that_cannot_start(
    space: cluster.Space, name: str, pod: dict[str, Any], code: str, said: str
) -> None:
    space.make("Deployment", name, spec=deployment_spec(name, pod))
    result = fail("kube_wait", wait(space, "Deployment", name))
    assert codes(result) == [code]
    assert said in proof(result, code)


def test_a_quota_that_refuses_pods() -> None:
    own = cluster.Space(client.connect(cluster.kubeconfig()))
    try:
        own.make("ResourceQuota", "none", spec={"hard": {"pods": "0"}})
        own.wait_for("ResourceQuota", "none", hard={"pods": "0"})
        own.make("Deployment", "over", spec=deployment_spec("over", pod_spec(container())))
        result = fail("kube_wait", wait(own, "Deployment", "over"))
        assert codes(result) == ["kube.quota_exceeded"]
        assert "exceeded quota: none" in proof(result, "kube.quota_exceeded")
        arguments = {
            "kubeconfig": cluster.kubeconfig(),
            "namespace": own.name,
            "pods": [{"name": "mysql", "count": 3}],
        }
        assert codes(fail("kube_preflight", arguments)) == ["kube.quota_too_small"]
    finally:
        own.remove()


def test_the_lab_has_room_for_three_instances() -> None:
    arguments = {
        "kubeconfig": cluster.kubeconfig(),
        "namespace": "not-there-yet",
        "pods": [{"name": "mysql", "count": 3, "cpu": "50m", "memory": "128Mi"}],
        "claims": 3,
        "claim_size": "1Gi",
    }
    result = succeed("kube_preflight", arguments)
    assert result["namespace_exists"] is False
    assert result["findings"] == []


def test_a_wait_in_check_mode_looks_once_and_never_fails(space: cluster.Space) -> None:
    result = succeed("kube_wait", wait(space, "Deployment", "not-there"), check=True)
    assert result["waited_for"][0]["state"] == "absent"
    assert codes(result) == ["kube.absent"]
