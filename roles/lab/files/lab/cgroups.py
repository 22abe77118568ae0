# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Control groups of a lab, on version 1 and on version 2.

Each node's processes live in a cgroup of the node's own: kubelet divides it among pods, and the lab finds
there every process that it has to end.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

WANTED = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


@dataclass(frozen=True)
class Hierarchy:
    """One tree of cgroups."""

    root: Path
    unified: bool
    controllers: frozenset[str] = frozenset()


def parse_hierarchies(text: str) -> list[Hierarchy]:
    """Return the trees that a text in the form of /proc/self/mounts names, each once."""
    found: dict[Path, Hierarchy] = {}
    for line in text.splitlines():
        _device, point, kind, options = line.split(" ")[:4]
        if kind == "cgroup2":
            found[Path(point)] = Hierarchy(Path(point), unified=True)
        elif kind == "cgroup":
            found[Path(point)] = Hierarchy(Path(point), False, frozenset(options.split(",")))
    return list(found.values())


def hierarchies() -> list[Hierarchy]:
    """Return the trees of this machine."""
    return parse_hierarchies(Path("/proc/self/mounts").read_text())


def ensure(path: str) -> None:
    """Make a cgroup in every tree, ready to hold processes and children."""
    trees = hierarchies()
    for tree in trees:
        folder = tree.root
        for part in Path(path).parts:
            # Beside version 1, the unified tree only tracks processes.
            if tree.unified and len(trees) == 1:
                _delegate(folder)
            folder = folder / part
            folder.mkdir(exist_ok=True)
            if "cpuset" in tree.controllers:
                _inherit(folder, "cpuset.cpus")
                _inherit(folder, "cpuset.mems")


def _delegate(folder: Path) -> None:
    """Let children of a version 2 cgroup use the controllers that it has."""
    has = (folder / "cgroup.controllers").read_text().split()
    on = (folder / "cgroup.subtree_control").read_text().split()
    for name in WANTED:
        if name in has and name not in on:
            (folder / "cgroup.subtree_control").write_text(f"+{name}")


def _inherit(folder: Path, name: str) -> None:
    """Give a new cpuset its parent's value: an empty one takes no process."""
    if not (folder / name).read_text().strip():
        (folder / name).write_text((folder.parent / name).read_text())


def join(path: str) -> None:
    """Move this process into a cgroup."""
    for tree in hierarchies():
        (tree.root / path / "cgroup.procs").write_text(str(os.getpid()))


def processes(path: str) -> set[int]:
    """Return the pids in a cgroup and below it, in any tree."""
    found: set[int] = set()
    for tree in hierarchies():
        for folder, _children, _files in os.walk(tree.root / path):
            with contextlib.suppress(FileNotFoundError, OSError):
                text = (Path(folder) / "cgroup.procs").read_text()
                found.update(int(pid) for pid in text.split())
    return found - {0}


def exists(path: str) -> bool:
    """Return whether the cgroup is there, in any tree."""
    return any((tree.root / path).is_dir() for tree in hierarchies())


def remove(path: str) -> None:
    """Remove an empty cgroup and all below it, and parents of ours that are empty then."""
    for tree in hierarchies():
        for folder, _children, _files in os.walk(tree.root / path, topdown=False):
            _remove_empty(Path(folder))
        for parent in list(Path(path).parents)[:-1]:
            _remove_empty(tree.root / parent)


def _remove_empty(folder: Path) -> None:
    """Remove a cgroup unless it is gone, in use, or has children."""
    with contextlib.suppress(FileNotFoundError, OSError):
        folder.rmdir()
