# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a course's cluster has beside Kubernetes: MetalLB, an ingress controller, local-path volumes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

from .cluster import kubectl
from .definition import Definition
from .errors import LabError
from .progress import Report
from .state import Lab, write_file
from .system import command, wait_until

SOURCE = Path(__file__).resolve().parent.parent / "addons"
# The ingress controller is the one that the role infra installs where a cluster has none.
TRAEFIK = SOURCE.parents[2] / "infra" / "templates" / "traefik.yaml.j2"
# What names a value of the definition, or holds several documents, is no YAML that linters know.
TEMPLATE = ".tpl"
NAME = re.compile(r"\{\{ (\w+) \}\}")
APPLY_SECONDS = 90.0
WEBHOOK_SECONDS = 120.0


def fetched_manifests(definition: Definition) -> dict[str, str]:
    """Return the upstream manifests' names in the cache and here."""
    return {
        f"metallb-{definition.metallb}.yaml": "metallb.yaml",
        f"local-path-provisioner-{definition.local_path}.yaml": "local-path.yaml",
    }


def sources() -> dict[Path, str]:
    """Return our own manifests and what kustomize needs to find them, with their names in the folder."""
    ours = sorted(path for path in SOURCE.rglob("*.yaml*") if path.is_file())
    names = {path: path.relative_to(SOURCE).as_posix().removesuffix(TEMPLATE) for path in ours}
    return {**names, TRAEFIK: "base/traefik.yaml"}


def render(text: str, definition: Definition) -> str:
    """Return one of our manifests with the definition's values in it. Raises KeyError for another name."""
    values = {
        "infra_app_ip": definition.ingress,
        "infra_ingress_class": definition.ingress_class,
        "infra_ingress_image": f"docker.io/library/traefik:v{definition.traefik}",
        "infra_ingress_namespace": "traefik",
        "lab_pool": definition.pool,
        "lab_interface": "eth0",
    }
    return NAME.sub(lambda found: values[found[1]], text)


def ensure(lab: Lab, cache: Path, report: Report) -> bool:
    """Apply all addons; return whether the cluster had to be changed. Raises LabError."""
    folder = lab.folder / "addons"
    if are_applied(lab, cache, report):
        return False
    if lab.definition.bare:
        _apply(lab, cache, folder / "bare", report)
        return True
    _apply(lab, cache, folder / "base", report)
    _apply_pool(lab, cache, folder / "pool", report)
    return True


def are_applied(lab: Lab, cache: Path, report: Report) -> bool:
    """Return whether applying would change nothing, by the API server's own judgement. Raises LabError."""
    folder = lab.folder / "addons"
    _write(lab.definition, cache, folder)
    report("addons: comparing with the cluster")
    whole = folder / ("bare" if lab.definition.bare else "all")
    argv = [*kubectl(lab, cache), "diff", "--kustomize", str(whole)]
    return _run(argv, report, check=False).returncode == 0


def _run(argv: list[str], report: Report, *, check: bool) -> CompletedProcess[str]:
    return command(
        argv,
        timeout=APPLY_SECONDS,
        check=check,
        say=lambda: report("addons: waiting for the API server's answer"),
    )


def _write(definition: Definition, cache: Path, folder: Path) -> None:
    """Put our manifests and the fetched ones where kustomize may read them: in one folder."""
    for ours, name in sources().items():
        write_file(folder / name, render(ours.read_text(), definition))
    for cached, name in fetched_manifests(definition).items():
        source = cache / "manifests" / cached
        if not source.exists():
            raise LabError(
                f"A manifest is missing: {cached}",
                [f"{source} is not there"],
                "build what the lab is made of: make lab",
            )
        shutil.copyfile(source, folder / "base" / name)


def applied_changes(output: str) -> list[str]:
    """Return the lines of kubectl apply that name something created or changed."""
    return [line for line in output.splitlines() if line and not line.endswith(" unchanged")]


def _apply(lab: Lab, cache: Path, folder: Path, report: Report) -> None:
    argv = [*kubectl(lab, cache), "apply", "--kustomize", str(folder)]
    for line in applied_changes(_run(argv, report, check=True).stdout):
        report(f"addons: {line}")


def _apply_pool(lab: Lab, cache: Path, folder: Path, report: Report) -> None:
    """Apply the pool, whose webhook answers only once MetalLB's controller runs."""
    argv = [*kubectl(lab, cache), "apply", "--kustomize", str(folder)]
    said: list[str] = []

    def applied() -> bool:
        ended = _run(argv, report, check=False)
        said.append(ended.stdout + ended.stderr)
        return ended.returncode == 0

    if not wait_until(
        applied,
        seconds=WEBHOOK_SECONDS,
        every=1.0,
        say=lambda: report("addons: waiting for MetalLB's controller to take its pool"),
    ):
        raise LabError(
            f"MetalLB takes no pool within {WEBHOOK_SECONDS:.0f} s",
            said[-1].strip().splitlines()[-4:],
            "look at its controller: kubectl -n metallb-system describe pods",
        )
