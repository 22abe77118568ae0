# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of volumes: claims that get none, and volumes that mysqld cannot use."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.cluster import claim_spec, container, deployment_spec, pod_spec
from tests.integration.runner import codes, fail, run_module, succeed
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
]
long = pytest.mark.long

Object = dict[str, Any]
DATA = "/var/lib/mysql/data"
MOUNT = {"name": "data", "mountPath": "/var/lib/mysql"}
SMALL = "--innodb-use-native-aio=OFF --innodb-buffer-pool-size=64M --skip-log-bin --mysqlx=OFF"
INITIALIZE = f"mysqld --initialize-insecure --user=mysql --datadir={DATA} {SMALL}"
SERVE = f"exec mysqld --user=mysql --datadir={DATA} {SMALL}"


def check(space: cluster.Space, *claims: str, **more: Any) -> Object:
    given = {"namespace": space.name, "claims": list(claims), "timeout": 0}
    return {"kubeconfig": cluster.kubeconfig(), **given, **more}


def wait(space: cluster.Space, name: str) -> Object:
    objects = [{"kind": "Deployment", "name": name, "condition": "started"}]
    given = {"namespace": space.name, "objects": objects, "timeout": 240, "patience": 10}
    return {"kubeconfig": cluster.kubeconfig(), **given}


def server(script: str, **more: Any) -> Object:
    """A container that runs a script and then serves, started once mysqld answers."""
    probe = {"tcpSocket": {"port": 3306}, "periodSeconds": 2, "failureThreshold": 60}
    command = ["sh", "-c", f"{script}; {SERVE}"]
    return container(command=command, volumeMounts=[MOUNT], startupProbe=probe, **more)


def deploy(space: cluster.Space, name: str, volume: Object, main: Object, *init: Object) -> None:
    pod = pod_spec(main, initContainers=list(init), volumes=[{"name": "data", **volume}])
    space.make("Deployment", name, spec=deployment_spec(name, pod))


def named(space: cluster.Space, name: str, code: str) -> Object:
    """The finding with which waiting for a Deployment ends."""
    return fixes.the(fail("kube_wait", wait(space, name)), code)


def claim(name: str) -> Object:
    return {"persistentVolumeClaim": {"claimName": name}}


def memory(size: str) -> Object:
    return {"emptyDir": {"medium": "Memory", "sizeLimit": size}}


def init(name: str, script: str, **more: Any) -> Object:
    return container(name=name, command=["sh", "-c", script], volumeMounts=[MOUNT], **more)


@pytest.mark.parametrize(
    ("name", "storage_class", "code"),
    [("typo", "standard", "storage.claim_class_missing"), ("none", "", "storage.claim_no_class")],
)
def test_the_class_of_a_claim_is_missing(
    space: cluster.Space, name: str, storage_class: str, code: str
) -> None:
    space.make("PersistentVolumeClaim", name, spec=claim_spec(storage_class))
    finding = fixes.the(fail("storage_check", check(space, name)), code)
    named_class = finding["fix"].rpartition(": ")[2].split(", ")[0]
    space.delete("PersistentVolumeClaim", name)
    gone(space, name)
    space.make("PersistentVolumeClaim", name, spec=claim_spec(named_class))
    assert succeed("storage_check", check(space, name, timeout=30))["verdict"] == "ok"


def gone(space: cluster.Space, name: str) -> None:
    fixes.shell(
        f"kubectl -n {space.name} wait --for=delete pvc/{name} --timeout=60s", cluster.kubeconfig()
    )


@long
def test_a_claim_and_its_volume_are_of_different_classes(space: cluster.Space) -> None:
    name = f"{space.name}-manual"
    volume = {
        "capacity": {"storage": "64Mi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "hostpath",
        "hostPath": {"path": "/nowhere"},
    }
    space.make_global("PersistentVolume", name, spec=volume)
    space.make("PersistentVolumeClaim", "differs", spec=claim_spec("manual", volumeName=name))
    finding = fixes.the(fail("storage_check", check(space, "differs")), "storage.class_differs")
    assert "Give both the same storageClassName" in finding["fix"]
    space.delete("PersistentVolumeClaim", "differs")
    gone(space, "differs")
    space.make("PersistentVolumeClaim", "differs", spec=claim_spec("hostpath", volumeName=name))
    done = succeed("storage_check", check(space, "differs", require_bound=True, timeout=60))
    assert done["claims"][0]["state"] == "bound"


@long
def test_a_claim_is_of_another_class_than_was_asked_for(space: cluster.Space) -> None:
    other = f"{space.name}-other"
    lasting = {"reclaimPolicy": "Retain", "allowVolumeExpansion": True}
    mode = {"volumeBindingMode": "WaitForFirstConsumer"}
    space.make_global("StorageClass", other, provisioner="rancher.io/local-path", **lasting, **mode)
    space.make("PersistentVolumeClaim", "before", spec=claim_spec("local-path"))
    result = fail("storage_check", check(space, "before", storage_class=other))
    finding = fixes.the(result, "storage.claim_other_class")
    named_class = re.match(r"Name ([\w-]+) as the storage class", finding["fix"])
    assert named_class
    done = succeed("storage_check", check(space, "before", storage_class=named_class[1]))
    assert done["verdict"] == "ok"
    # That class deletes its volumes, and they cannot grow; the other one's are kept, and can.
    for code in ("storage.deletes_volumes", "storage.not_expandable"):
        assert code not in codes(result)
        assert named_class[1] in fixes.the(done, code)["summary"]


CLAIMS = {
    # what the class is, what the claim is, the cause, whether a Pod uses it
    "storage.provisioning_failed": (
        {"provisioner": "rancher.io/local-path", "parameters": {"nodePath": "/nowhere/at/all"}},
        {},
        True,
    ),
    "storage.claim_pending": ({"provisioner": "example.com/nobody"}, {}, False),
    "storage.claim_stuck": (
        {"provisioner": "example.com/nobody", "volumeBindingMode": "WaitForFirstConsumer"},
        {},
        True,
    ),
    "storage.no_provisioner": ({"provisioner": "kubernetes.io/no-provisioner"}, {}, False),
    "storage.claim_access_mode": (
        {"provisioner": "example.com/nobody"},
        {"accessModes": ["ReadOnlyMany"]},
        False,
    ),
}


@long
@pytest.mark.parametrize("code", list(CLAIMS))
def test_a_claim_that_its_class_cannot_serve(space: cluster.Space, code: str) -> None:
    settings, differs, used = CLAIMS[code]
    name = code.rpartition(".")[2].replace("_", "-")
    own = f"{space.name}-{name}"
    space.make_global("StorageClass", own, **settings)
    space.make("PersistentVolumeClaim", name, spec={**claim_spec(own), **differs})
    if used:
        volume = {"name": "data", **claim(name)}
        space.make("Pod", name, spec=pod_spec(container(volumeMounts=[MOUNT]), volumes=[volume]))
    look = check(space, name, storage_class=own, timeout=0)
    finding = named_in_time(look, code)
    told = finding["subject"] + "".join(finding["proof"])
    assert own in told or f"{space.name}/{name}" in told
    # Made again of a class that can serve it, as each of these says in its words.
    if used:
        space.delete("Pod", name)
    space.delete("PersistentVolumeClaim", name)
    gone(space, name)
    space.make("PersistentVolumeClaim", name, spec=claim_spec("local-path"))
    assert succeed("storage_check", check(space, name, timeout=30))["verdict"] == "ok"


def named_in_time(look: Object, code: str) -> Object:
    """Look until the cause is named: a provisioner takes a moment to fail."""
    for _attempt in range(40):
        result = run_module("storage_check", look)
        if code in codes(result):
            break
    return fixes.the(result, code)


@long
def test_a_claim_has_lost_its_volume(space: cluster.Space) -> None:
    name = f"{space.name}-lost"
    volume = {
        "capacity": {"storage": "64Mi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "manual",
        "hostPath": {"path": "/nowhere"},
    }
    space.make_global("PersistentVolume", name, spec=volume)
    space.make("PersistentVolumeClaim", "lost", spec=claim_spec("manual", volumeName=name))
    space.wait_for("PersistentVolumeClaim", "lost", phase="Bound")
    patch = '{"metadata":{"finalizers":null}}'
    fixes.shell(
        f"kubectl delete pv {name} --wait=false && kubectl patch pv {name} -p '{patch}'",
        cluster.kubeconfig(),
    )
    space.wait_for("PersistentVolumeClaim", "lost", phase="Lost")
    finding = fixes.the(fail("storage_check", check(space, "lost")), "storage.claim_lost")
    assert name in finding["summary"]
    assert "Restore the volume from a backup into a new PVC" in finding["fix"]


@long
def test_two_servers_write_to_one_volume(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "shared", spec=claim_spec("local-path"))
    volume = {"name": "data", **claim("shared")}
    port = {"ports": [{"containerPort": 3306}]}
    for name in ("first", "twin"):
        main = container(volumeMounts=[MOUNT], **port)
        space.make("Pod", name, spec=pod_spec(main, volumes=[volume]))
        space.wait_for("Pod", name, phase="Running")
    finding = fixes.the(fail("storage_check", check(space, "shared")), "storage.claim_shared")
    assert {"first", "twin"} <= set(finding["proof"][0].rpartition(": ")[2].split(", "))
    space.delete("Pod", "twin")
    fixes.shell(
        f"kubectl -n {space.name} wait --for=delete pod/twin --timeout=60s", cluster.kubeconfig()
    )
    assert succeed("storage_check", check(space, "shared"))["verdict"] == "ok"


@long
def test_the_volume_is_mounted_for_reading_alone(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "sealed", spec=claim_spec("local-path"))
    main = server(f"{INITIALIZE} 2>&1 || exit 1")
    sealed = {**main, "volumeMounts": [{**MOUNT, "readOnly": True}]}
    deploy(space, "sealed", claim("sealed"), sealed)
    finding = named(space, "sealed", "storage.read_only")
    assert finding["fix"].startswith("Mount it without readOnly")
    space.delete("Deployment", "sealed")
    opened = server(f"chown mysql /var/lib/mysql; {INITIALIZE} || exit 1")
    deploy(space, "opened", claim("sealed"), opened)
    succeed("kube_wait", wait(space, "opened"))
    space.delete("Deployment", "opened")


@long
def test_the_volume_of_a_running_server_fills_up() -> None:
    """A volume that is 600 MiB and no more, on a disk of a node; the kubelet measures it."""
    site = Site(cluster_replicas=0)
    name, folder = f"tiny-{site.namespace}", f"/run/tiny-{site.namespace}"
    node = cluster.node("worker1", "mnt")
    make = f"mkdir {folder} && mount -t tmpfs -o size=600m tiny {folder}"
    subprocess.run([*node, "sh", "-c", make], check=True)
    volumes = cluster.Space(site.cluster)
    try:
        volumes.make_global("StorageClass", name, provisioner="kubernetes.io/no-provisioner")
        volumes.make_global("PersistentVolume", name, spec=local_volume(name, folder))
        played = site.play("--tags", "infra,db", cluster_storage_class=name)
        assert not played.failed, played.output[-4000:]
        filler = f"{folder}/filler"
        # Of 600 MiB: what mysqld does not hold, but for 30 MiB, and then but for one.
        for left, code in ((30, "storage.nearly_full"), (1, "storage.volume_full")):
            free = f"$(($(df -k --output=avail {folder} | tail -n 1) / 1024 - {left}))"
            fill = f"head -c {free}M /dev/zero >> {filler}"
            subprocess.run([*node, "sh", "-c", fill], check=True)
            finding = fixes.the(looked(site, code), code)
            assert "PVC mysql-1" in finding["proof"][0]
        assert "Free space on it" in finding["fix"]
        subprocess.run([*node, "rm", filler], check=True)
        result = looked(site, "")
        assert result["verdict"] == "ok", "\n".join(result["report"])
    finally:
        site.remove()
        volumes.remove()
        ended = f"kubectl wait --for=delete namespace/{site.namespace} --timeout=120s"
        fixes.shell(ended, cluster.kubeconfig())
        subprocess.run([*node, "sh", "-c", f"umount {folder} && rmdir {folder}"], check=True)


def local_volume(name: str, folder: str) -> Object:
    """A volume on a disk of worker1. A hostPath would do, but nobody measures that."""
    match = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker1"]}
    return {
        "capacity": {"storage": "600Mi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": name,
        "local": {"path": folder},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [match]}]}},
    }


def looked(site: Site, code: str) -> Object:
    """What the doctor says once it names a cause, or none: the kubelet measures once a minute."""
    secret = site.cluster.get("Secret", "mysql-auth", site.namespace)
    assert secret is not None
    password = base64.b64decode(secret["data"]["root-password"]).decode()
    given = {"namespace": site.namespace, "login_password": password, "patience": 0}
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        result = succeed("mysql_doctor", {"kubeconfig": cluster.kubeconfig(), **given})
        seen = [
            found for found in codes(result) if found.startswith("storage.") and "full" in found
        ]
        if seen == ([code] if code else []):
            return result
    raise AssertionError(f"not within 200 s: {code or 'no complaint'}; {result['report']}")


@long
def test_the_volume_belongs_to_another_user(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "foreign", spec=claim_spec("local-path"))
    user = {"securityContext": {"runAsUser": 999, "runAsGroup": 999}}
    script = INITIALIZE.replace("--user=mysql", "") + " 2>&1"
    main = server(f"test -d {DATA} || {script} || exit 1", **user)
    take = init("take", "chown 0:0 /var/lib/mysql && chmod 0700 /var/lib/mysql")
    deploy(space, "foreign", claim("foreign"), main, take)
    finding = named(space, "foreign", "storage.permission_denied")
    assert "Own it by an init container (chown of the data directory)" in finding["fix"]
    space.delete("Deployment", "foreign")
    own = init("own", "chown -R 999:999 /var/lib/mysql")
    deploy(space, "foreign-2", claim("foreign"), main, take, own)
    succeed("kube_wait", wait(space, "foreign-2"))
    space.delete("Deployment", "foreign-2")


@long
def test_the_volume_is_full(space: cluster.Space) -> None:
    # What the failed try left is removed, or the next one ends at that instead.
    main = server(f"chown mysql /var/lib/mysql; rm -rf {DATA}; {INITIALIZE} || exit 1")
    deploy(space, "full", memory("24Mi"), main)
    finding = named(space, "full", "storage.disk_full")
    assert "a larger PVC" in finding["fix"]
    space.delete("Deployment", "full")
    deploy(space, "larger", memory("700Mi"), main)
    succeed("kube_wait", wait(space, "larger"))
    space.delete("Deployment", "larger")


@long
def test_an_initialization_left_files_behind(space: cluster.Space) -> None:
    main = server(f"{INITIALIZE} || exit 1")
    begun = init("begun", f"mkdir {DATA}; touch {DATA}/ib_buffer_pool; chown -R mysql {DATA}")
    deploy(space, "half", memory("700Mi"), main, begun)
    finding = named(space, "half", "kube.datadir_half_made")
    assert "which holds no data yet, and start it again" in finding["fix"]
    space.delete("Deployment", "half")
    empty = init("empty", "chown mysql /var/lib/mysql")
    deploy(space, "whole", memory("700Mi"), main, empty)
    succeed("kube_wait", wait(space, "whole"))
    space.delete("Deployment", "whole")


@long
def test_the_volume_holds_the_data_of_a_newer_server(space: cluster.Space) -> None:
    newer = init("newer", f"chown mysql /var/lib/mysql; {INITIALIZE}")
    older = {"image": "docker.io/library/mysql:8.0.15"}
    plain = f"exec mysqld --user=mysql --datadir={DATA} --innodb-use-native-aio=OFF"
    probe = {"tcpSocket": {"port": 3306}, "periodSeconds": 2, "failureThreshold": 60}
    command = ["sh", "-c", plain]
    main = container(command=command, volumeMounts=[MOUNT], startupProbe=probe, **older)
    deploy(space, "newer", memory("700Mi"), main, newer)
    finding = named(space, "newer", "kube.data_dictionary")
    assert "a volume that an older or half-made mysqld has not written" in finding["fix"]
    space.delete("Deployment", "newer")
