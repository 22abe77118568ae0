# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The MySQL images' root file systems as plain folders: real servers for tests, under chroot.

`chroot TREE mysqld --no-defaults --user=mysql --datadir=/srv/NAME/data ...` starts one; whatever an
instance writes lies in TREE/srv/NAME, which is the caller's to make and to remove.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import images, mysql
from .buildah import storage
from .progress import Report, Stages
from .run import exclusive

SERVERS = {server.version: server.image for server in mysql.SERVERS}
"""The image of each version."""


@dataclass(frozen=True)
class Trees(Mapping[str, Path]):
    """The root file system of each MySQL version, and whether this run made any."""

    paths: Mapping[str, Path]
    changed: bool

    def __getitem__(self, version: str) -> Path:
        """Return the tree of a version. Raises KeyError."""
        return self.paths[version]

    def __iter__(self) -> Iterator[str]:
        """Go through the versions."""
        return iter(self.paths)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.paths)


def tree_path(cache: Path, version: str) -> Path:
    """Return the stable path of a version's tree: a link to the one of its content."""
    return cache / "servers" / f"mysql-{version}"


def _in_use(tree: Path) -> bool:
    """Tell whether a process has this tree as its root."""
    for root in Path("/proc").glob("[0-9]*/root"):
        try:
            if root.samefile(tree):
                return True
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return False


def _place(final: Path, link: Path, report: Report) -> None:
    """Point the stable path at a tree, in one step, and remove what it pointed at before.

    A tree where a server runs is neither replaced nor removed: its server's files would be elsewhere
    from one moment to the next. The next call does it.
    """
    if link.is_symlink() and link.resolve() != final and _in_use(link):
        report(f"{link.name}: a server runs in {link.resolve()}, so the newer tree waits")
        return
    beside = link.with_name(f".{link.name}-link")
    beside.unlink(missing_ok=True)
    beside.symlink_to(final.name)
    os.replace(beside, link)
    for tree in link.parent.glob(f"{link.name}-*"):
        if tree != final and not _in_use(tree):
            shutil.rmtree(tree)


def ensure_server_trees(cache: Path, report: Report) -> Trees:
    """Make the trees that the cache lacks, building their images first; return them by version.

    Raises LabError.
    """
    with exclusive(cache, report):
        archives = images.ensure(list(SERVERS.values()), {}, cache, report)
        finals = {
            version: cache / "servers" / archives[name].stem for version, name in SERVERS.items()
        }
        missing = [version for version, final in finals.items() if not final.is_dir()]
        if missing:
            with storage(cache) as store:
                stages = Stages(report, "server", len(missing))
                for version in missing:
                    say = stages.begin(f"MySQL {version}")
                    store.load(SERVERS[version], archives[SERVERS[version]], say)
                    unfinished = cache / "servers" / f".unpacking-{version}"
                    shutil.rmtree(unfinished, ignore_errors=True)
                    unfinished.parent.mkdir(parents=True, exist_ok=True)
                    store.unpack(SERVERS[version], unfinished, say)
                    os.replace(unfinished, finals[version])
        for version, final in finals.items():
            _place(final, tree_path(cache, version), report)
    return Trees({version: tree_path(cache, version) for version in SERVERS}, bool(missing))
