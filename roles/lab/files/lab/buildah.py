# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Buildah with a storage of its own: made for one run, gone after it."""

from __future__ import annotations

import configparser
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .progress import Report
from .run import output, run
from .system import mounts

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
PIP_OPTIONS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
APT_OPTIONS = ("Acquire::http::Proxy", "Acquire::https::Proxy")


def pip_settings(texts: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return a pip.conf for steps inside an image: where this machine's pip gets packages from.

    texts: the machine's pip.conf files, least important first. environment: its variables; PIP_* win.
    """
    chosen: dict[str, str] = {}
    for text in texts:
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        if parser.has_section("global"):
            chosen.update(
                (key, value) for key, value in parser.items("global") if key in PIP_OPTIONS
            )
    for option in PIP_OPTIONS:
        value = environment.get("PIP_" + option.upper().replace("-", "_"))
        if value:
            chosen[option] = value
    lines = [f"{key} = {value}" for key, value in sorted(chosen.items())]
    return "\n".join(["[global]", f"cert = {CA_BUNDLE}", *lines]) + "\n"


def apt_settings(dump: str) -> str:
    """Return an apt.conf with the proxies that `apt-config dump` of this machine names."""
    lines = [line for line in dump.splitlines() if line.split(" ")[0] in APT_OPTIONS]
    return "\n".join([*lines, ""])


def _host_settings(folder: Path) -> list[str]:
    """Return the options that let steps inside an image reach packages as this machine does.

    They are mounted for the time of a step: nothing of them stays in the image.
    """
    files = [Path(name).expanduser() for name in PIP_FILES]
    texts = [path.read_text() for path in files if path.is_file()]
    pip = folder / "pip.conf"
    pip.write_text(pip_settings(texts, os.environ))
    apt = folder / "apt.conf"
    apt.write_text(apt_settings(output(["apt-config", "dump"], what="Reading apt's settings")))
    wanted = {pip: "/etc/pip.conf", CA_BUNDLE: str(CA_BUNDLE)}
    if apt.read_text().strip():
        wanted[apt] = "/etc/apt/apt.conf.d/99lab-host"
    return [f"--volume={path}:{target}:ro" for path, target in wanted.items() if path.is_file()]


@dataclass(frozen=True)
class Store:
    """One storage: images by their public names."""

    folder: Path
    log: Path

    def argv(self, *words: str) -> list[str]:
        """Return a buildah command line on this storage."""
        return [
            "buildah",
            f"--root={self.folder / 'root'}",
            f"--runroot={self.folder / 'run'}",
            "--storage-driver=overlay",
            *words,
        ]

    def has(self, name: str) -> bool:
        """Tell whether the storage holds an image of that name."""
        listed = output(
            self.argv("images", "--format", "{{.Name}}:{{.Tag}}"), what="Listing built images"
        )
        return name in listed.split()

    def build(
        self, name: str, containerfile: Path, context: Path, report: Report, *, plain: bool = False
    ) -> None:
        """Build an image. plain: it installs nothing, so it needs nothing of this machine's settings."""
        ignore = self.folder / "ignore"
        ignore.write_text("**/__pycache__\n**/*.pyc\n")
        settings = [] if plain else _host_settings(self.folder)
        run(
            self.argv(
                "bud",
                "--isolation=chroot",
                "--pull-never",
                f"--ignorefile={ignore}",
                *settings,
                "--tag",
                name,
                "--file",
                str(containerfile),
                str(context),
            ),
            what=f"Building the image {name}",
            log=self.log,
            report=report,
        )

    def save(self, name: str, archive: Path, report: Report) -> None:
        """Write an image as an OCI archive; the archive appears whole or not at all."""
        archive.parent.mkdir(parents=True, exist_ok=True)
        unfinished = archive.with_name(f".writing-{archive.name}")
        unfinished.unlink(missing_ok=True)
        report("writing the archive")
        run(
            self.argv("push", "--quiet", name, f"oci-archive:{unfinished}:{name}"),
            what=f"Writing the image {name}",
            log=self.log,
            report=report,
        )
        os.replace(unfinished, archive)

    def load(self, name: str, archive: Path, report: Report) -> None:
        """Read an image back from its OCI archive."""
        what = f"Reading the image {name}"
        report(f"reading {archive.name}")
        argv = self.argv("pull", "--quiet", f"oci-archive:{archive}")
        image = run(argv, what=what, log=self.log, report=report)
        output(self.argv("tag", image, name), what=what)

    def unpack(self, name: str, folder: Path, report: Report) -> None:
        """Copy an image's root file system into a new folder."""
        what = f"Unpacking the image {name}"
        container = output(self.argv("from", "--pull-never", name), what=what).strip()
        tree = output(self.argv("mount", container), what=what).strip()
        run(["cp", "--archive", tree, str(folder)], what=what, log=self.log, report=report)
        output(self.argv("rm", container), what=what)


def discard(folder: Path) -> None:
    """Remove a storage, whatever it has mounted first."""
    inside = [mount.point for mount in mounts() if mount.point.is_relative_to(folder)]
    for point in sorted(inside, key=lambda path: len(path.parts), reverse=True):
        output(["umount", "--lazy", str(point)], what="Unmounting a build's storage")
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def storage(cache: Path) -> Iterator[Store]:
    """Give a storage for one run below the cache; remove it after, and what a killed run left.

    Hold the cache's lock: storages of others would be taken for leftovers.
    """
    work = cache / "work"
    work.mkdir(parents=True, exist_ok=True)
    for left in work.glob("storage-*"):
        discard(left)
    folder = Path(tempfile.mkdtemp(prefix="storage-", dir=work))
    try:
        yield Store(folder, cache / "logs" / "images.log")
    finally:
        discard(folder)
