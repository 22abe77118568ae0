# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Up, down and reset of a whole lab."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from . import addons, cgroups, cluster, health, index, network, nodes, supervisor
from .definition import Definition, HostLink, Node
from .errors import LabError
from .namespaces import ensure_pins_folder, remove_pins_folder
from .progress import Report
from .state import Lab, State, ensure_state, read_state, remember
from .system import mounts

CONTROL_PLANE_ONLY = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
EVERYWHERE = ("kube-proxy", "pause", "coredns", "metallb/speaker", "mysql-on-kubernetes/probe")


def images_for(node: Node, images: Mapping[str, Path]) -> list[Path]:
    """Return the archives that a node needs; images: archives by image name."""
    wanted = []
    for name, archive in images.items():
        for_control_plane = any(f"/{part}:" in name for part in CONTROL_PLANE_ONLY)
        everywhere = any(f"/{part}:" in name for part in EVERYWHERE)
        if everywhere or for_control_plane == node.control_plane:
            wanted.append(archive)
    return wanted


def up(lab: Lab, cache: Path, images: Mapping[str, Path], report: Report) -> bool:
    """Make the lab run, whatever state it is in; return whether anything had to change. Raises LabError."""
    state = ensure_state(lab)
    link = HostLink(state.index)
    started = _ensure_machines(lab, link, report)
    started = supervisor.ensure(lab, cache) or started
    served = index.ensure(lab, cache)
    nodes.await_containerd(lab, cache, report)
    state, imported = ensure_images(lab, state, cache, images, report)
    state, initialized = cluster.ensure_initialized(lab, state, cache, link, report)
    joined = cluster.ensure_joined(lab, cache, report)
    cluster.await_api(lab, cache, report)
    if started and not initialized:
        # MetalLB's webhook, asked before its pod runs again, would keep the comparison waiting.
        health.settle(lab, cache, report)
    applied = addons.ensure(lab, cache, report)
    health.await_well(lab, cache, report, started=started)
    return started or served or imported or initialized or joined or applied


def would_change(lab: Lab, cache: Path, images: Mapping[str, Path], report: Report) -> bool:
    """Return whether `up` would change anything. Raises LabError for a lab of another definition."""
    if read_state(lab) is None:
        return True
    state = ensure_state(lab)
    if not state.initialized or supervisor.running_pid(lab) is None:
        return True
    if index.running_pid(lab) is None:
        return True
    if _lacking(lab, state, images) or not health.observe(lab, cache).well:
        return True
    return not addons.are_applied(lab, cache, report)


def _ensure_machines(lab: Lab, link: HostLink, report: Report) -> bool:
    """Make the LAN, the client host and the nodes; return whether one had to be made."""
    ensure_pins_folder(lab.pins)
    changed = network.ensure_bridge(lab)
    if changed:
        # Cables to a bridge that is gone are gone too: every machine needs a new one.
        _cut_all(lab)
    changed = network.ensure_client(lab) or changed
    for node in lab.definition.nodes:
        if nodes.ensure(lab, node, link):
            report(f"{node.name}: started ({node.address})")
            changed = True
    return changed


def _cut_all(lab: Lab) -> None:
    network.machine(lab, network.CLIENT).remove()
    for node in lab.definition.nodes:
        nodes.namespaces(lab, node).remove()


def _lacking(lab: Lab, state: State, images: Mapping[str, Path]) -> dict[Node, list[Path]]:
    """Return the archives that nodes lack."""
    found: dict[Node, list[Path]] = {}
    for node in lab.definition.nodes:
        has = set(state.images.get(node.name, []))
        missing = [archive for archive in images_for(node, images) if archive.name not in has]
        if missing:
            found[node] = missing
    return found


def ensure_images(
    lab: Lab, state: State, cache: Path, images: Mapping[str, Path], report: Report
) -> tuple[State, bool]:
    """Give every node the images that it lacks; return the state and whether one lacked any."""
    lacking = _lacking(lab, state, images)
    if not lacking:
        return state, False
    with ThreadPoolExecutor(max_workers=2) as pool:
        work = [
            pool.submit(nodes.import_images, lab, node, cache, archives, report)
            for node, archives in lacking.items()
        ]
        for each in work:
            each.result()
    noted = {
        node.name: sorted(archive.name for archive in images_for(node, images))
        for node in lab.definition.nodes
    }
    return remember(lab, replace(state, images=noted)), True


def import_archives(lab: Lab, cache: Path, archives: list[Path], report: Report) -> bool:
    """Give every worker the images of these archives. Raises LabError."""
    for archive in archives:
        if not archive.is_file():
            raise LabError(
                f"There is no image archive {archive}",
                ["allowed: files that hold an image as an OCI or Docker archive"],
                "write one: buildah push <image> oci-archive:<file>:<name>",
            )
    if supervisor.running_pid(lab) is None:
        raise LabError(f"The lab {lab.name!r} does not run", [], "start it: make lab")
    for node in lab.definition.workers:
        nodes.import_images(lab, node, cache, archives, report)
    return bool(archives)


def down(lab: Lab, report: Report) -> bool:
    """End all of the lab's processes, mounts, namespaces and routes; keep its disks.

    Return whether there was anything to end.
    """
    state = read_state(lab)
    if state is None or not remains(lab):
        nodes.remove_mount_points(lab)
        return False
    index.stop(lab)
    supervisor.stop(lab, report)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: nodes.stop_pods(lab, node, report), lab.definition.nodes))
        list(pool.map(lambda node: nodes.stop_system(lab, node, report), lab.definition.nodes))
    for node in lab.definition.nodes:
        nodes.destroy(lab, node)
    network.machine(lab, network.CLIENT).remove()
    network.machine(lab, network.BRIDGE).remove()
    network.disconnect_host(HostLink(state.index))
    remove_pins_folder(lab.pins)
    cgroups.remove(lab.cgroup)
    nodes.remove_mount_points(lab)
    return True


def remains(lab: Lab) -> bool:
    """Return whether any process, mount or cgroup of the lab is there."""
    inside = any(lab.folder in mount.point.parents for mount in mounts())
    return inside or bool(cgroups.processes(lab.cgroup)) or cgroups.exists(lab.cgroup)


def reset(lab: Lab, report: Report) -> bool:
    """Remove the lab and all that is stored in it. Raises LabError."""
    down(lab, report)
    if not lab.folder.exists():
        return False
    left = [str(mount.point) for mount in mounts() if lab.folder in mount.point.parents]
    if left:
        raise LabError(
            f"The lab {lab.name!r} is not removed: something is still mounted in it",
            left,
            "unmount it, then run this again",
        )
    report(f"removing {lab.folder}")
    shutil.rmtree(lab.folder)
    return True


def check_binaries(cache: Path, definition: Definition) -> None:
    """Raise LabError unless the programs that the lab itself starts are in the cache."""
    wanted = {
        f"kubernetes-{definition.kubernetes}": ("kubeadm", "kubelet", "kubectl"),
        f"containerd-{definition.containerd}": ("containerd", "containerd-shim-runc-v2", "ctr"),
    }
    missing = [
        str(cache / "bin" / folder / name)
        for folder, names in wanted.items()
        for name in names
        if not (cache / "bin" / folder / name).exists()
    ]
    if missing:
        raise LabError("Programs of the lab are missing", missing, "build them: make lab")
