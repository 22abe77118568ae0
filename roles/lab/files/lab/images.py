# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's images under their public names, as OCI archives keyed by what goes into them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import artifacts, build, debian, mysql
from .artifacts import Artifact
from .buildah import Store, storage
from .errors import LabError
from .progress import Report, Stages
from .run import exclusive

FILES = Path(__file__).resolve().parent.parent / "images"
LAYOUT = 1
"""Raised when the way of building changes what an image holds."""
KEPT = 2
"""Archives of one image that stay: this checkout's, and the one of another checkout or of before."""


@dataclass(frozen=True)
class Recipe:
    """How one image is made.

    slug: its file name. name: its public reference; {component} stands for a version. context: the
    folder that its Containerfile (a path in there) copies from. programs: (component, program) of the
    Go builds, host_files: Debian's files on this machine, suite: a Debian's root file system, and
    artifact: all put into the context. in_cluster: false for what only other images are made from.
    """

    slug: str
    name: str
    context: Path
    containerfile: str = "Containerfile"
    programs: tuple[tuple[str, str], ...] = ()
    host_files: tuple[str, ...] = ()
    suite: str = ""
    artifact: Artifact | None = None
    in_cluster: bool = True

    @property
    def reference(self) -> str:
        """The name with the versions that the builds have."""
        return self.name.format(**build.versions())

    def text(self) -> str:
        """Return the Containerfile."""
        return (self.context / self.containerfile).read_text()


def _of_binary(slug: str, name: str, component: str, program: str) -> Recipe:
    return Recipe(slug, name, FILES / slug, programs=((component, program),))


def _of_kubernetes(slug: str) -> Recipe:
    return _of_binary(slug, f"registry.k8s.io/{slug}:v{{kubernetes}}", "kubernetes", slug)


def _of_debian(suite: str) -> Recipe:
    return Recipe(
        f"debian-{suite}",
        f"docker.io/library/debian:{suite}-slim",
        FILES / "debian",
        suite=suite,
        in_cluster=False,
    )


def _of_mysql(server: mysql.Server) -> Recipe:
    slug, containerfile = f"mysql-{server.version}", f"Containerfile.{server.version}"
    return Recipe(slug, server.image, FILES / "mysql", containerfile, artifact=server.artifact)


PAUSE = "registry.k8s.io/pause:3.10.2"

RECIPES = (
    Recipe("pause", PAUSE, FILES / "pause", host_files=("/usr/bin/catatonit",)),
    _of_debian("bookworm"),
    _of_debian("sid"),
    _of_debian("trixie"),
    Recipe("python", "docker.io/library/python:3.13-slim", FILES / "python"),
    _of_kubernetes("kube-apiserver"),
    _of_kubernetes("kube-controller-manager"),
    _of_kubernetes("kube-scheduler"),
    _of_kubernetes("kube-proxy"),
    _of_binary("etcd", "registry.k8s.io/etcd:{etcd}-0", "etcd", "server"),
    _of_binary("coredns", "registry.k8s.io/coredns/coredns:v{coredns}", "coredns", "coredns"),
    _of_binary(
        "metallb-controller", "quay.io/metallb/controller:v{metallb}", "metallb", "controller"
    ),
    _of_binary("metallb-speaker", "quay.io/metallb/speaker:v{metallb}", "metallb", "speaker"),
    _of_binary("traefik", "docker.io/library/traefik:v{traefik}", "traefik", "traefik"),
    _of_binary(
        "local-path-provisioner",
        "docker.io/rancher/local-path-provisioner:v{local-path-provisioner}",
        "local-path-provisioner",
        "local-path-provisioner",
    ),
    Recipe(
        "busybox",
        "docker.io/library/busybox:latest",
        FILES / "busybox",
        host_files=("/bin/busybox",),
    ),
    *(_of_mysql(server) for server in mysql.SERVERS),
)
"""Bases stand before what is made from them."""


@dataclass(frozen=True)
class Images(Mapping[str, Path]):
    """The OCI archive of each image by its public name, and whether this run built any."""

    archives: Mapping[str, Path]
    changed: bool

    def __getitem__(self, name: str) -> Path:
        """Return the archive of an image. Raises KeyError."""
        return self.archives[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self.archives)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.archives)


def image_names() -> dict[str, str]:
    """Return the public name of each image that runs in the cluster, by its slug."""
    return {recipe.slug: recipe.reference for recipe in RECIPES if recipe.in_cluster}


def base_names(containerfile: str) -> list[str]:
    """Return the images that a Containerfile builds on, without `scratch` and its own stages."""
    stages = set(
        re.findall(r"^FROM\s+\S+\s+AS\s+(\S+)", containerfile, re.MULTILINE | re.IGNORECASE)
    )
    named = re.findall(r"^FROM\s+(\S+)", containerfile, re.MULTILINE | re.IGNORECASE)
    return [name for name in named if name != "scratch" and name not in stages]


def copied_paths(containerfile: str) -> list[str]:
    """Return what a Containerfile takes from its context: the sources of COPY and ADD."""
    found: list[str] = []
    for words in re.findall(r"^(?:COPY|ADD)\s+(.+)$", containerfile, re.MULTILINE | re.IGNORECASE):
        parts = words.split()
        if not any(part.startswith("--from") for part in parts):
            found.extend(part for part in parts[:-1] if not part.startswith("--"))
    return found


def _files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    )


def _digest_files(context: Path, names: Sequence[str]) -> Iterator[bytes]:
    for name in names:
        for file in _files_below(context / name):
            executable = "x" if os.access(file, os.X_OK) else "-"
            yield f"{file.relative_to(context)} {executable}".encode()
            yield file.read_bytes()


def content_key(recipe: Recipe, bases: Mapping[str, str]) -> str:
    """Return the hash of all that goes into an image. bases: the keys of the images it builds on.

    Raises LabError when a file of Debian's that it needs is not on this machine.
    """
    versions = build.versions()
    text = recipe.text()
    parts = [str(LAYOUT).encode(), recipe.reference.encode(), text.encode()]
    parts.extend(bases[name].encode() for name in base_names(text) if name in bases)
    parts.extend(_digest_files(recipe.context, copied_paths(text)))
    parts.extend(
        f"{component} {versions[component]}".encode() for component, _program in recipe.programs
    )
    if recipe.suite:
        parts.append(" ".join(debian.bootstrap_argv(recipe.suite, Path(), "")).encode())
    if recipe.artifact:
        parts.extend(fact.encode() for fact in recipe.artifact.facts())
    for name in recipe.host_files:
        parts.append(_host_file(name).read_bytes())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


def _host_file(name: str) -> Path:
    if not Path(name).is_file():
        raise LabError(
            f"An image of the lab is made from {name}, which is not on this machine",
            [f"the lab needs the Debian packages {' '.join(build.apt_packages())}"],
            "install them: make lab does it",
        )
    return Path(name)


def archive_paths(cache: Path) -> dict[str, Path]:
    """Return where the archive of each image lies or will lie, by public name; bases too."""
    keys: dict[str, str] = {}
    found: dict[str, Path] = {}
    for recipe in RECIPES:
        keys[recipe.reference] = content_key(recipe, keys)
        folder = cache / ("images" if recipe.in_cluster else "bases")
        found[recipe.reference] = folder / f"{recipe.slug}-{keys[recipe.reference]}.tar"
    return found


def _provide(
    recipe: Recipe, context: Path, folders: Mapping[str, Path], cache: Path, report: Report
) -> None:
    """Put into a context what no checkout holds."""
    for component, program in recipe.programs:
        shutil.copy2(folders[component] / program, context / program)
    for name in recipe.host_files:
        shutil.copy2(_host_file(name), context / Path(name).name)
    if recipe.suite:
        debian.bootstrap(
            recipe.suite, context / "rootfs.tar", cache / "logs" / "debian.log", report
        )
    if recipe.artifact:
        artifacts.unpack(recipe.artifact, artifacts.fetch(recipe.artifact, cache, report), context)


def _build(
    recipe: Recipe, store: Store, folders: Mapping[str, Path], cache: Path, report: Report
) -> None:
    with tempfile.TemporaryDirectory(dir=store.folder) as work:
        context = Path(work) / "context"
        shutil.copytree(recipe.context, context, ignore=shutil.ignore_patterns("__pycache__"))
        _provide(recipe, context, folders, cache, report)
        plain = not base_names(recipe.text())
        store.build(recipe.reference, context / recipe.containerfile, context, report, plain=plain)


def _forget_old(archive: Path, slug: str) -> None:
    """Remove archives of the same image but for the newest ones."""
    same = [path for path in archive.parent.glob(f"{slug}-*.tar") if path.stem[:-13] == slug]
    newest = sorted(same, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest[KEPT:]:
        path.unlink()


def needed(names: Sequence[str]) -> list[Recipe]:
    """Return the recipes of these images and of all that they build on, bases first."""
    wanted = set(names)
    for recipe in reversed(RECIPES):
        if recipe.reference in wanted:
            wanted.update(base_names(recipe.text()))
    return [recipe for recipe in RECIPES if recipe.reference in wanted]


def _missing(names: Sequence[str], archives: Mapping[str, Path]) -> list[Recipe]:
    """Return what must be built so that the archives of these images are there."""
    absent = [name for name in names if not archives[name].is_file()]
    return [recipe for recipe in needed(absent) if not archives[recipe.reference].is_file()]


def ensure(
    names: Sequence[str], folders: Mapping[str, Path], cache: Path, report: Report
) -> Images:
    """Build the archives of these images that the cache lacks. folders: programs by component.

    Raises LabError. Hold the cache's lock.
    """
    archives = archive_paths(cache)
    missing = _missing(names, archives)
    if missing:
        with storage(cache) as store:
            stages = Stages(report, "image", len(missing))
            for recipe in missing:
                say = stages.begin(recipe.reference)
                for name in base_names(recipe.text()):
                    if not store.has(name):
                        store.load(name, archives[name], say)
                _build(recipe, store, folders, cache, say)
                store.save(recipe.reference, archives[recipe.reference], say)
                _forget_old(archives[recipe.reference], recipe.slug)
    return Images({name: archives[name] for name in names}, bool(missing))


def ensure_images(cache: Path, binaries: build.Binaries, report: Report) -> Images:
    """Build every image of the lab that the cache lacks; return their archives by public name.

    Raises LabError.
    """
    with exclusive(cache, report):
        return ensure(list(image_names().values()), binaries.folders, cache, report)
