# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Namespaces that outlive their processes: each is pinned by a bind mount."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .system import command, mounts

FLAGS = {"net": "--net", "mnt": "--mount", "uts": "--uts"}


@dataclass(frozen=True)
class Namespaces:
    """What makes a machine of the lab: a network namespace, and for a node mounts and a host name too."""

    name: str
    pins: Path
    kinds: tuple[str, ...] = ("net",)

    def pin(self, kind: str) -> Path:
        """Return the file that keeps the namespace of a kind."""
        return self.pins / f"{self.name}.{kind}"

    def enter(self, *only: str) -> list[str]:
        """Return the start of a command line that runs the rest inside (all, or only some kinds)."""
        return [
            "nsenter",
            *(f"{FLAGS[kind]}={self.pin(kind)}" for kind in self.kinds if not only or kind in only),
            "--",
        ]

    def exist(self) -> bool:
        """Return whether all are pinned."""
        pinned = {mount.point for mount in mounts() if mount.kind == "nsfs"}
        return all(self.pin(kind) in pinned for kind in self.kinds)

    def create(self) -> None:
        """Make and pin all; the rest of an interrupted attempt is removed first."""
        self.remove()
        for kind in self.kinds:
            self.pin(kind).touch(mode=0o600)
        flags = [f"{FLAGS[kind]}={self.pin(kind)}" for kind in self.kinds]
        if "mnt" in self.kinds:
            flags += ["--propagation", "private"]
        inside = ["hostname", self.name] if "uts" in self.kinds else ["true"]
        command(["unshare", *flags, *inside])

    def remove(self) -> None:
        """Unpin all. They end with their last process."""
        pinned = [mount.point for mount in mounts() if mount.kind == "nsfs"]
        for kind in self.kinds:
            for _each in range(pinned.count(self.pin(kind))):
                command(["umount", str(self.pin(kind))])
            self.pin(kind).unlink(missing_ok=True)


def ensure_pins_folder(folder: Path) -> None:
    """Make the folder for pins a private mount: the kernel refuses to pin a mount namespace elsewhere."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder not in {mount.point for mount in mounts()}:
        command(["mount", "--bind", str(folder), str(folder)])
    command(["mount", "--make-private", str(folder)])


def remove_pins_folder(folder: Path) -> None:
    """Undo ensure_pins_folder."""
    for mount in reversed(mounts()):
        if mount.point == folder or folder in mount.point.parents:
            command(["umount", str(mount.point)])
