# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes: what their programs are told, and how their processes and mounts are found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from roles.lab.files.lab import cgroups, nodes, system
from roles.lab.files.lab.cli import definition
from roles.lab.files.lab.lifecycle import images_for
from roles.lab.files.lab.state import Lab
from roles.lab.files.lab.supervisor import Service, kubelet_command

LAB = Lab("lab", Path("/labs"), definition())
VERSION_1 = """tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
VERSION_2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n"


def test_both_versions_of_cgroups_are_found() -> None:
    old = cgroups.parse_hierarchies(VERSION_1)
    assert [(str(tree.root), tree.unified) for tree in old] == [
        ("/sys/fs/cgroup/cpuset", False),
        ("/sys/fs/cgroup/memory", False),
        ("/sys/fs/cgroup/unified", True),
    ]
    assert "cpuset" in old[0].controllers
    new = cgroups.parse_hierarchies(VERSION_2)
    assert [(str(tree.root), tree.unified) for tree in new] == [("/sys/fs/cgroup", True)]


def test_mounts_with_spaces_in_their_names_are_found() -> None:
    line = r"36 35 98:0 / /mnt/a\040b rw,noatime shared:1 - nsfs nsfs rw"
    assert system.parse_mounts(line) == [system.Mount(Path("/mnt/a b"), "nsfs")]


def test_a_process_is_known_by_pid_and_start() -> None:
    started = system.start_time(os.getpid())
    assert started is not None
    assert system.start_time(os.getpid()) == started
    assert system.start_time(2**22 + 1) is None


def test_a_command_that_fails_is_told_with_its_own_words() -> None:
    with pytest.raises(system.LabError, match=r"exit code 3(.|\n)*proof: no such bridge"):
        system.command(["bash", "-c", "echo no such bridge >&2; exit 3"])


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(system.LabError, match="did not end within 0 s"):
        system.command(["sleep", "60"], timeout=0.1)


def test_what_is_given_to_a_slow_command_arrives_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "HEARTBEAT", 0.01)
    beats: list[str] = []
    ended = system.command(
        ["python3", "-c", "import sys, time; time.sleep(.3); print(sys.stdin.read())"],
        given="once",
        say=lambda: beats.append("alive"),
    )
    assert ended.stdout == "once\n"
    assert beats


def test_memory_of_all_nodes_together_fits_the_machine() -> None:
    total = 24 * 1024
    reserve = nodes.memory_reserve(f"MemTotal: {total * 1024} kB\nMemFree: 1 kB\n", 3)
    assert 3 * (total - reserve) <= total


def test_each_node_has_disks_of_its_own_and_forgets_what_a_reboot_empties() -> None:
    tables = [nodes.mount_table(LAB, node) for node in LAB.definition.nodes]
    sources = [
        line.split()[0] for table in tables for line in table.splitlines() if "rbind" in line
    ]
    assert len(set(sources)) == len(sources)
    for table in tables:
        assert "tmpfs /run tmpfs" in table
        assert "/opt/local-path-provisioner none rbind" in table


def test_kubelet_divides_the_nodes_own_cgroup() -> None:
    node = LAB.definition.workers[0]
    settings = json.loads(nodes.kubelet_settings(LAB.node_cgroup(node), 100))
    assert settings["cgroupRoot"] == f"/mysql_on_kubernetes/lab/{node.name}"
    assert settings["systemReserved"] == {"memory": "100Mi"}


def test_pods_get_addresses_of_their_node() -> None:
    for node in LAB.definition.nodes:
        plugin = json.loads(nodes.cni_settings(node))["plugins"][0]
        assert plugin["ipam"]["ranges"] == [[{"subnet": node.pods}]]


def test_kubelet_takes_what_kubeadm_wrote() -> None:
    flags = 'KUBELET_KUBEADM_ARGS="--node-ip=192.168.0.10 --v=2"\n'
    line = kubelet_command(flags, Path("/bin/kubelet"))
    assert line[0] == "/bin/kubelet"
    assert line[-2:] == ["--node-ip=192.168.0.10", "--v=2"]


def test_a_program_that_keeps_ending_is_started_more_slowly() -> None:
    service = Service(LAB.definition.nodes[0], "kubelet")
    assert service.due(now=100.0)
    service.starts = [100.0]
    assert not service.due(now=100.1)
    assert service.due(now=101.0)
    service.starts = [100.0 + each for each in range(20)]
    assert not service.due(now=123.0)
    assert service.due(now=125.0)


def test_nodes_get_the_images_that_they_run() -> None:
    archives = {
        name: Path(name)
        for name in (
            "registry.k8s.io/kube-apiserver:v1",
            "registry.k8s.io/etcd:3",
            "registry.k8s.io/kube-proxy:v1",
            "registry.k8s.io/pause:3",
            "registry.k8s.io/coredns/coredns:v1",
            "quay.io/metallb/speaker:v0",
            "quay.io/metallb/controller:v0",
            "docker.io/library/mysql:9.7",
        )
    }
    control_plane = {str(path) for path in images_for(LAB.definition.control_plane, archives)}
    worker = {str(path) for path in images_for(LAB.definition.workers[0], archives)}
    assert "docker.io/library/mysql:9.7" not in control_plane
    assert "registry.k8s.io/etcd:3" not in worker
    assert control_plane | worker == set(archives)
    shared = {"kube-proxy", "pause", "coredns", "speaker"}
    assert {name.rpartition("/")[2].partition(":")[0] for name in control_plane & worker} == shared


def test_folders_made_on_the_host_go_with_the_last_lab_unless_something_lies_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab("lab", tmp_path / "labs", LAB.definition)
    empty, used = tmp_path / "empty", tmp_path / "used"
    monkeypatch.setattr(nodes, "DISKS", {"one": str(empty / "deep"), "two": str(used)})
    monkeypatch.setattr(nodes, "MEMORY", ())
    nodes._make_mount_points(lab)
    (used / "theirs").touch()
    other = [system.Mount(Path("/elsewhere/other/namespaces/cp1.mnt"), "nsfs")]
    monkeypatch.setattr(nodes, "mounts", lambda: other)
    nodes.remove_mount_points(lab)
    assert (empty / "deep").is_dir()
    monkeypatch.setattr(nodes, "mounts", list)
    nodes.remove_mount_points(lab)
    assert not empty.exists()
    assert (used / "theirs").exists()
