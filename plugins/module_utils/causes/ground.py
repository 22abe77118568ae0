# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is missing under a step of the course, and which step makes it. Pure, over what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .. import steps
from ..finding import Finding
from ..kube.ground import Ground
from .catalogue import finding


@dataclass(frozen=True)
class Wanted:
    """Names that the steps use. tables: how many the database has, None where it was not asked."""

    step: int
    instances: tuple[str, ...]
    services: tuple[str, ...]
    backends: tuple[str, ...] = ()
    ingresses: tuple[str, ...] = ()
    database: str = ""
    tables: int | None = None


@dataclass(frozen=True)
class Gap:
    """Something that is missing, and what was read."""

    what: str
    proof: str


def explain(ground: Ground, wanted: Wanted, language: str = "en") -> list[Finding]:
    """Return what is missing under a step, the oldest step first; a layer hides those on it. Pure.

    What stands on a layer that is missing is missing as well: only the lowest is told.
    """
    for need in steps.step(wanted.step).needs:
        found = [
            finding(
                "step.missing",
                subject=gap.what,
                proof=[gap.proof],
                language=language,
                step=wanted.step,
                maker=steps.MAKERS[need],
            )
            for gap in LAYERS[need](ground, wanted)
        ]
        if found:
            return found
    return []


def _namespace(ground: Ground, _wanted: Wanted) -> Iterator[Gap]:
    if not ground.exists:
        yield Gap(
            f"Namespace {ground.namespace}", f"GET Namespace {ground.namespace}: it does not exist"
        )


def _claims(ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    yield from _absent(ground, "PersistentVolumeClaim", wanted.instances)


def _engines(ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    yield from _absent(ground, "Deployment", wanted.instances)
    for name in wanted.instances:
        found = name in ground.found.get("Deployment", ()) and name not in ground.fenced
        if found and name not in ground.started:
            where = f"{ground.namespace}/{name}"
            yield Gap(
                f"a started Pod of Deployment {where}",
                f"Pods of {where}: none has started",
            )


def _services(ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    yield from _absent(ground, "Service", wanted.services)


def _following(ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    for name in wanted.instances:
        if name not in ground.ready | ground.fenced:
            where = f"{ground.namespace}/{name}"
            yield Gap(
                f"the replication of {where}",
                f"Pod of {where}: not Ready; an instance is once it is primary, or follows it",
            )


def _data(_ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    if wanted.tables == 0:
        yield Gap(f"data in {wanted.database}", f"tables in {wanted.database} on the primary: 0")


def _backends(ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    yield from _absent(ground, "Deployment", wanted.backends)
    yield from _absent(ground, "Service", wanted.backends)
    for name in wanted.backends:
        if name in ground.found.get("Deployment", ()) and name not in ground.available:
            where = f"{ground.namespace}/{name}"
            yield Gap(f"a ready Pod of {where}", f"Deployment {where}: not all Pods are available")


def _paths(ground: Ground, wanted: Wanted) -> Iterator[Gap]:
    yield from _absent(ground, "Ingress", wanted.ingresses)


def _absent(ground: Ground, kind: str, names: Sequence[str]) -> Iterator[Gap]:
    for name in ground.lacks(kind, names):
        what = f"{kind} {ground.namespace}/{name}"
        yield Gap(what, f"GET {what}: it does not exist")


LAYERS: Mapping[str, Callable[[Ground, Wanted], Iterator[Gap]]] = {
    steps.NAMESPACE: _namespace,
    steps.CLAIMS: _claims,
    steps.ENGINES: _engines,
    steps.SERVICES: _services,
    steps.FOLLOWING: _following,
    steps.DATA: _data,
    steps.BACKENDS: _backends,
    steps.PATHS: _paths,
}
