# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's programs, built from Go modules and kept by version."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError
from .progress import Report, Stages
from .run import exclusive, output, run

SOURCES = Path(__file__).resolve().parent.parent / "build"
"""One folder a component, each with the go.mod that pins everything that goes into it."""

ROOM = 25 * 10**9
"""Bytes that a first build needs on the disk: modules 7 GB, build cache 9 GB, and room to breathe."""


APT_PACKAGES = (
    "buildah",
    "busybox-static",
    "ca-certificates",
    "catatonit",
    "debian-archive-keyring",
    "maven",
    "mmdebstrap",
)
"""What the builds and the images need of Debian. Go comes from the user: Debian 12's is too old."""


def apt_packages() -> tuple[str, ...]:
    """Return the Debian packages that the builds and the images need."""
    return APT_PACKAGES


@dataclass(frozen=True)
class Component:
    """One Go module, its programs, and how they learn their version."""

    name: str
    module: str
    version_flags: tuple[str, ...] = ()
    manifest: str | None = None
    """The path of its Kubernetes manifest inside the module, or of a folder of them."""


_KUBERNETES_VERSION = tuple(
    f"{package}.{variable}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for variable in ("gitVersion=v{version}", "gitMajor={major}", "gitMinor={minor}")
)

COMPONENTS = (
    Component("kubernetes", "k8s.io/kubernetes", _KUBERNETES_VERSION),
    Component(
        "containerd",
        "github.com/containerd/containerd/v2",
        ("github.com/containerd/containerd/v2/version.Version={version}",),
    ),
    Component("etcd", "go.etcd.io/etcd/server/v3"),
    Component("coredns", "github.com/coredns/coredns"),
    Component(
        "metallb",
        "go.universe.tf/metallb",
        manifest="config/manifests/metallb-native.yaml",
    ),
    Component(
        "local-path-provisioner",
        "github.com/rancher/local-path-provisioner",
        ("main.VERSION=v{version}",),
        "deploy/local-path-storage.yaml",
    ),
    Component(
        "traefik",
        "github.com/traefik/traefik/v3",
        ("github.com/traefik/traefik/v3/pkg/version.Version=v{version}",),
    ),
)

EXTRAS = (
    # The last version whose controller lies in the module that the Go proxy serves.
    Component("cert-manager", "github.com/cert-manager/cert-manager", manifest="deploy/crds"),
)
"""What no lab runs and single tests ask for by name: no part of a lab's definition."""


@dataclass(frozen=True)
class Binaries:
    """The programs of every component, where they lie, and whether this run built any."""

    versions: Mapping[str, str]
    folders: Mapping[str, Path]
    manifests: Mapping[str, Path]
    changed: bool

    def program(self, component: str, name: str) -> Path:
        """Return the path of one program. Raises KeyError for a component that doesn't exist."""
        return self.folders[component] / name


def module_version(go_mod: str, module: str) -> str:
    """Return the version of a module that a go.mod requires, without its `v`. Raises LabError."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+v(\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise LabError(
            f"The build's go.mod does not require {module}", (), f"add it: go get {module}@VERSION"
        )
    return found[1]


def tool_programs(go_mod: str) -> tuple[str, ...]:
    """Return the names of the programs that `go install tool` makes of a go.mod.

    A program is called after its package's last element; a major version (`/v3`) does not count.
    """
    block = re.search(r"^tool \(\n(.*?)^\)", go_mod, re.MULTILINE | re.DOTALL)
    packages = block[1].split() if block else re.findall(r"^tool (\S+)", go_mod, re.MULTILINE)
    return tuple(re.sub(r"/v\d+$", "", package).rpartition("/")[2] for package in packages)


def linker_flags(component: Component, version: str) -> str:
    """Return the -ldflags of a component: no symbols, and the version it says it has."""
    major, minor, *_rest = version.split(".")
    facts = {"version": version, "major": major, "minor": minor}
    stamps = [f"-X {flag.format(**facts)}" for flag in component.version_flags]
    return " ".join(["-s", "-w", *stamps])


def _go_mod(component: Component) -> str:
    return (SOURCES / component.name / "go.mod").read_text()


def _version(component: Component) -> str:
    return module_version(_go_mod(component), component.module)


def versions() -> dict[str, str]:
    """Return the version of each component, as its go.mod pins it."""
    return {component.name: _version(component) for component in COMPONENTS}


def binary_folder(cache: Path, component: Component) -> Path:
    """Return where a component's programs lie, by version."""
    return cache / "bin" / f"{component.name}-{_version(component)}"


def manifest_path(cache: Path, component: Component) -> Path:
    """Return where a component's Kubernetes manifest lies, by version."""
    return cache / "manifests" / f"{component.name}-{_version(component)}.yaml"


def _is_built(cache: Path, component: Component) -> bool:
    folder = binary_folder(cache, component)
    return all((folder / program).is_file() for program in tool_programs(_go_mod(component)))


def _lacks_manifest(cache: Path, component: Component) -> bool:
    return component.manifest is not None and not manifest_path(cache, component).is_file()


def _go_environment(cache: Path) -> dict[str, str]:
    """Return the environment of `go`: caches of our own, so that the user's stay as they are.

    Modules that the user already has are taken from there before they are fetched.
    """
    asked = json.loads(
        output(["go", "env", "-json", "GOMODCACHE", "GOPROXY", "GOFLAGS"], what="Go")
    )
    flags = [flag for flag in asked["GOFLAGS"].split() if flag != "-modcacherw"]
    at_hand = Path(asked["GOMODCACHE"]) / "cache" / "download"
    proxies = [at_hand.as_uri()] if at_hand.is_dir() else []
    return {
        "CGO_ENABLED": "0",
        "GOCACHE": str(cache / "go-build"),
        "GOMODCACHE": str(cache / "go-mod"),
        "GOFLAGS": " ".join([*flags, "-modcacherw", "-buildvcs=false"]),
        "GOPROXY": ",".join([*proxies, asked["GOPROXY"]]),
    }


def _require_room(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < ROOM:
        raise LabError(
            f"Building the lab's programs needs {ROOM // 10**9} GB of disk",
            [f"{cache} has {free / 10**9:.1f} GB free"],
            "free some, or set MYSQL_ON_KUBERNETES_CACHE to a folder on a larger disk",
        )


def _build(
    cache: Path, component: Component, environment: Mapping[str, str], report: Report
) -> None:
    """Build one component beside its place and move it there whole: what is there is complete."""
    version = _version(component)
    final = binary_folder(cache, component)
    unfinished = final.with_name(f".building-{final.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    run(
        ["go", "install", "-v", "-trimpath", "-ldflags", linker_flags(component, version), "tool"],
        what=f"Building {component.name} {version}",
        log=cache / "logs" / f"build-{final.name}.log",
        report=report,
        folder=SOURCES / component.name,
        environment={**environment, "GOBIN": str(unfinished)},
    )
    shutil.rmtree(final, ignore_errors=True)
    os.replace(unfinished, final)


def _copy_manifest(cache: Path, component: Component, environment: Mapping[str, str]) -> None:
    """Copy the component's own Kubernetes manifest out of its module."""
    said = output(
        ["go", "mod", "download", "-json", component.module],
        what=f"Fetching the module of {component.name}",
        folder=SOURCES / component.name,
        environment=environment,
    )
    final = manifest_path(cache, component)
    final.parent.mkdir(parents=True, exist_ok=True)
    unfinished = final.with_suffix(".unfinished")
    source = Path(json.loads(said)["Dir"]) / str(component.manifest)
    files = sorted(source.glob("*.yaml")) if source.is_dir() else [source]
    unfinished.write_text("\n---\n".join(file.read_text() for file in files))
    os.replace(unfinished, final)


def _clean(cache: Path) -> None:
    """Remove Go's caches: 16 GB that nothing needs once the programs are there."""
    for name in ("go-build", "go-mod"):
        shutil.rmtree(cache / name, ignore_errors=True)


def ensure_binaries(
    cache: Path, report: Report, components: Sequence[Component] = COMPONENTS
) -> Binaries:
    """Build what the cache lacks, one component after another; return where everything is.

    A component counts as built when all its programs lie in its folder. Interrupted, the next call goes
    on where this one was. Raises LabError.
    """
    with exclusive(cache, report):
        unbuilt = [component for component in components if not _is_built(cache, component)]
        unread = [component for component in components if _lacks_manifest(cache, component)]
        if unbuilt:
            _require_room(cache)
        if unbuilt or unread:
            environment = _go_environment(cache)
            stages = Stages(report, "build", len(unbuilt))
            for component in unbuilt:
                say = stages.begin(f"{component.name} {_version(component)}")
                _build(cache, component, environment, say)
            for component in unread:
                report(f"manifest of {component.name}")
                _copy_manifest(cache, component, environment)
        if unbuilt or unread:
            report("removing Go's caches")
        _clean(cache)
    return Binaries(
        versions={component.name: _version(component) for component in components},
        folders={component.name: binary_folder(cache, component) for component in components},
        manifests={
            component.name: manifest_path(cache, component)
            for component in components
            if component.manifest is not None
        },
        changed=bool(unbuilt or unread),
    )
