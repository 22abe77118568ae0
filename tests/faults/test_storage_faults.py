# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of volumes: claims that get none, and volumes that mysqld cannot use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.cluster import claim_spec, container, deployment_spec, pod_spec
from tests.integration.runner import fail, succeed

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not cluster.kubeconfig(), reason="no cluster: make lab"),
]
long = pytest.mark.long

Object = dict[str, Any]
DATA = "/var/lib/mysql/data"
MOUNT = {"name": "data", "mountPath": "/var/lib/mysql"}
SMALL = "--innodb-use-native-aio=OFF --innodb-buffer-pool-size=64M --skip-log-bin --mysqlx=OFF"
INITIALIZE = f"mysqld --initialize-insecure --user=mysql --datadir={DATA} {SMALL}"
SERVE = f"exec mysqld --user=mysql --datadir={DATA} {SMALL}"


@pytest.fixture(scope="module")
def space() -> Iterator[cluster.Space]:
    made = cluster.Space(client.connect(cluster.kubeconfig()))
    yield made
    made.remove()


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


def test_the_class_of_a_claim_is_missing(space: cluster.Space) -> None:
    space.make("PersistentVolumeClaim", "typo", spec=claim_spec("standard"))
    finding = fixes.the(fail("storage_check", check(space, "typo")), "storage.claim_class_missing")
    named_class = finding["fix"].rpartition(": ")[2].split(", ")[0]
    space.delete("PersistentVolumeClaim", "typo")
    gone(space, "typo")
    space.make("PersistentVolumeClaim", "typo", spec=claim_spec(named_class))
    assert succeed("storage_check", check(space, "typo", timeout=30))["verdict"] == "ok"


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
