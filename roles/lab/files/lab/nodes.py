# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes: machines made of namespaces, with disks of their own and containerd.

A node without any process is started as a real machine is after its power was cut: its namespaces, and
with them /run, are made anew; its disks (containerd's images, volumes, kubelet's files) are as they were.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from . import cgroups, network
from .definition import HostLink, Node
from .errors import LabError
from .namespaces import Namespaces
from .progress import Report
from .state import Lab, all_labs, write_file
from .system import command, mounts, program, send, wait_until

# Where a node's disks appear inside the node.
DISKS = {
    "containerd": "/var/lib/containerd",
    "kubelet": "/var/lib/kubelet",
    "kubernetes": "/etc/kubernetes",
    "etcd": "/var/lib/etcd",
    "cni": "/etc/cni/net.d",
    "pod-logs": "/var/log/pods",
    "container-logs": "/var/log/containers",
    "volumes": "/opt/local-path-provisioner",
    "libexec": "/usr/libexec/kubernetes",
}
# What a reboot empties.
MEMORY = ("/run", "/var/lib/cni")
# Files that the lab itself puts on the disk that kubeadm fills.
SETTINGS = ("kubelet.conf.d", "resolv.conf")
CNI_PLUGINS = "/usr/lib/cni"
IMPORT_SECONDS = 300.0
SYSTEM = "system"
PODS = "kubepods"


def namespaces(lab: Lab, node: Node) -> Namespaces:
    """Return the node's namespaces."""
    return Namespaces(node.name, lab.pins, ("net", "mnt", "uts"))


def disk(lab: Lab, node: Node, name: str) -> Path:
    """Return where the host sees one of the node's disks."""
    return lab.node_folder(node) / name


def processes(lab: Lab, node: Node) -> set[int]:
    """Return the pids of all that runs on a node."""
    return cgroups.processes(lab.node_cgroup(node))


def ensure(lab: Lab, node: Node, link: HostLink) -> bool:
    """Make the node run, but for its containerd and kubelet; return whether it had to be made or revived."""
    inside = namespaces(lab, node)
    _write_settings(lab, node)
    if processes(lab, node) and inside.exist() and network.is_connected(inside):
        return False
    send(processes(lab, node), signal.SIGKILL)
    wait_until(lambda: not processes(lab, node), seconds=20)
    # kubelet waits seconds for each container whose cgroup it finds and containerd no longer knows.
    cgroups.remove(lab.node_cgroup(node))
    cgroups.ensure(f"{lab.node_cgroup(node)}/{SYSTEM}")
    inside.create()
    _mount_disks(lab, node, inside)
    network.connect_node(lab, node, inside, link)
    return True


def _write_settings(lab: Lab, node: Node) -> None:
    """Write what containerd, the pods' network and kubelet read on the node."""
    for name in DISKS:
        disk(lab, node, name).mkdir(parents=True, exist_ok=True)
    folder = lab.node_folder(node)
    write_file(folder / "containerd.toml", containerd_settings(lab.definition.pause))
    write_file(disk(lab, node, "cni") / "10-lab.conflist", cni_settings(node))
    write_file(
        disk(lab, node, "kubernetes") / "resolv.conf", f"nameserver {lab.definition.gateway}\n"
    )
    drop_in = disk(lab, node, "kubernetes") / "kubelet.conf.d" / "50-node.conf"
    memory = memory_reserve(Path("/proc/meminfo").read_text(), len(lab.definition.nodes))
    write_file(drop_in, kubelet_settings(lab.node_cgroup(node), memory))


def containerd_settings(pause: str) -> str:
    """Return containerd's configuration. Source: containerd docs/cri/config.md."""
    return f"""version = 3
disabled_plugins = ["io.containerd.nri.v1.nri"]
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "registry.k8s.io/pause:{pause}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without CAP_SYS_RESOURCE no process may lower its OOM score.
  restrict_oom_score_adj = true
  # The host's profiles stay as they are.
  disable_apparmor = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{CNI_PLUGINS}"]
"""


def cni_settings(node: Node) -> str:
    """Return the pods' network on a node: point-to-point links, routed. Addresses are forgotten with /run."""
    settings = {
        "cniVersion": "1.0.0",
        "name": "lab",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni",
                    "ranges": [[{"subnet": node.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(settings, indent=1) + "\n"


def memory_reserve(meminfo: str, nodes: int) -> int:
    """Return MiB that a node leaves to the others, so that all of them together fit the machine."""
    total = next(
        int(line.split()[1]) // 1024
        for line in meminfo.splitlines()
        if line.startswith("MemTotal:")
    )
    return total - total * 9 // 10 // nodes


def kubelet_settings(cgroup: str, reserve: int) -> str:
    """Return what differs per node in kubelet's configuration."""
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupRoot": f"/{cgroup}",
        "systemReserved": {"memory": f"{reserve}Mi"},
    }
    return json.dumps(settings, indent=1) + "\n"


def mount_table(lab: Lab, node: Node) -> str:
    """Return the node's mounts, in the form of fstab(5)."""
    lines = [f"tmpfs {point} tmpfs mode=0755 0 0" for point in MEMORY]
    lines += [f"{disk(lab, node, name)} {point} none rbind 0 0" for name, point in DISKS.items()]
    return "\n".join(lines) + "\n"


def _mount_disks(lab: Lab, node: Node, inside: Namespaces) -> None:
    """Give the node its own view of the file system."""
    _make_mount_points(lab)
    enter = inside.enter("mnt")
    # A copy of a pin would keep a namespace that the host has given up.
    pins = [str(Path(lab.root) / name / "namespaces") for name in all_labs(lab.root)]
    seen = {str(mount.point) for mount in mounts()}
    for folder in (pin for pin in pins if pin in seen):
        command([*enter, "umount", "--lazy", folder])
    command([*enter, "mount", "--make-rshared", "/"])
    table = lab.node_folder(node) / "fstab"
    write_file(table, mount_table(lab, node))
    command([*enter, "mount", "--all", "--fstab", str(table)])


def _made_list(lab: Lab) -> Path:
    return lab.root / "mount-points.json"


def _make_mount_points(lab: Lab) -> None:
    """Make folders that nodes mount on and the host lacks; remember them for remove_mount_points."""
    made = json.loads(_made_list(lab).read_text()) if _made_list(lab).exists() else []
    for point in (*DISKS.values(), *MEMORY):
        missing = [folder for folder in (Path(point), *Path(point).parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            made.append(str(folder))
    write_file(_made_list(lab), json.dumps(made))


def remove_mount_points(lab: Lab) -> None:
    """Remove the folders that _make_mount_points made and that are empty, once no lab runs.

    Removing a folder that another namespace mounts on would take that mount away: of labs in other
    folders too, whose nodes are known by their pins.
    """
    used = any(mount.kind == "nsfs" and mount.point.suffix == ".mnt" for mount in mounts())
    if used or not _made_list(lab).exists():
        return
    for name in reversed(json.loads(_made_list(lab).read_text())):
        folder = Path(name)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    _made_list(lab).unlink()


def ctr(lab: Lab, node: Node, cache: Path) -> list[str]:
    """Return the start of a command line for containerd's own client on the node."""
    program_file = cache / "bin" / f"containerd-{lab.definition.containerd}" / "ctr"
    return [*namespaces(lab, node).enter("mnt"), str(program_file), "--namespace", "k8s.io"]


def containerd_answers(lab: Lab, node: Node, cache: Path) -> bool:
    """Return whether the node's containerd takes requests."""
    return command([*ctr(lab, node, cache), "version"], check=False, timeout=10).returncode == 0


def await_containerd(lab: Lab, cache: Path, report: Report) -> None:
    """Wait until containerd answers on every node. Raises LabError."""
    for node in lab.definition.nodes:
        _await_containerd(lab, node, cache, report)


def _await_containerd(lab: Lab, node: Node, cache: Path, report: Report) -> None:
    if wait_until(
        lambda: containerd_answers(lab, node, cache),
        seconds=60,
        say=lambda: report(f"{node.name}: waiting for containerd"),
    ):
        return
    log = lab.logs / f"{node.name}-containerd.log"
    raise LabError(
        f"containerd does not answer on {node.name}",
        log.read_text(errors="replace").splitlines()[-4:] if log.exists() else [],
        f"read {log}",
    )


def running_containers(lab: Lab, node: Node, cache: Path) -> set[str]:
    """Return the ids of the containers that really run on a node, whatever the API server believes."""
    listed = command([*ctr(lab, node, cache), "tasks", "list"], check=False, timeout=20)
    rows = (line.split() for line in listed.stdout.splitlines()[1:])
    return {row[0] for row in rows if len(row) > 2 and row[2] == "RUNNING"}


def import_images(
    lab: Lab, node: Node, cache: Path, archives: Sequence[Path], report: Report
) -> None:
    """Give a node the images of these archives. Raises LabError."""
    for number, archive in enumerate(archives, 1):
        text = f"{node.name}: image {number} of {len(archives)}: {archive.stem}"
        report(text)
        argv = [*ctr(lab, node, cache), "images", "import", "--local", str(archive)]
        command(argv, timeout=IMPORT_SECONDS, say=partial(report, text))


def stop_pods(lab: Lab, node: Node, report: Report) -> None:
    """End what runs in pods: asked first, so that databases close their files, then forced.

    An API server without its etcd would wait for its watchers for a minute: it has nothing to lose.
    """
    grace = 6.0 if node.control_plane else 25.0
    cgroup = f"{lab.node_cgroup(node)}/{PODS}"
    _end(lambda: cgroups.processes(cgroup), grace, f"{node.name}: pods", report)


def stop_system(lab: Lab, node: Node, report: Report) -> None:
    """End containerd, then its shims and whatever else is left on the node."""

    def named(name: str) -> set[int]:
        return {pid for pid in processes(lab, node) if program(pid) == name}

    _end(lambda: named("kubelet"), 10, f"{node.name}: kubelet", report)
    _end(lambda: named("containerd"), 10, f"{node.name}: containerd", report)
    _end(lambda: processes(lab, node), 5, f"{node.name}: shims", report)


def _end(find: Callable[[], set[int]], grace: float, what: str, report: Report) -> None:
    """End processes: asked, waited for, then forced."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 20.0)):
        left = find()
        if not left:
            return
        report(f"{what}: {len(left)} processes, {number.name}")
        send(left, number)
        wait_until(
            lambda: not find(),
            seconds=seconds,
            say=lambda: report(f"{what}: waiting for {len(find())} processes"),
        )


def destroy(lab: Lab, node: Node) -> None:
    """Remove a stopped node's namespaces, cable and cgroup; its disks stay."""
    namespaces(lab, node).remove()
    network.unplug(lab, node.name)
    cgroups.remove(lab.node_cgroup(node))
