# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One change at a time: a Lease (coordination.k8s.io/v1) of a MySQL cluster, taken by who changes it.

The rules are those of client-go's leader election. Each write carries the version that was read, so of two
at the same instant the API server takes one. Clocks of two hosts are never compared: a Lease has lost its
holder once its signs of life stand still for its duration, on the clock of who looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, Protocol

from .client import CONFLICT, NOT_FOUND, Cluster, KubeError, Object
from .topology import INSTANCE_LABEL, MANAGER, MANAGER_LABEL

KIND = "Lease"
DURATION = 20
"""Seconds without a sign of life after which a holder is taken for gone."""
EVERY = 4.0
"""Seconds between two signs of life."""
LOOK = 1.0
"""Seconds between two looks of who waits."""
TELL = 5.0
"""Seconds between two lines of who waits."""
NOTE = "mysql-on.kubernetes/"


@dataclass(frozen=True)
class Holder:
    """Who changes a cluster. identity: the same for one run alone. process: its number on its host."""

    identity: str
    playbook: str
    host: str
    user: str
    process: int

    def notes(self) -> dict[str, str]:
        """Return the annotations by which a person recognizes it."""
        return {
            f"{NOTE}playbook": self.playbook,
            f"{NOTE}host": self.host,
            f"{NOTE}user": self.user,
            f"{NOTE}process": str(self.process),
        }


@dataclass(frozen=True)
class Lease:
    """A Lease as it was read. holder: None where nobody has it. since, renewed: by the holder's clock.

    seconds: its duration. taken: how often it went to another one. version: of the object.
    """

    holder: Holder | None
    since: str
    renewed: str
    seconds: int
    taken: int
    version: str = field(default="", compare=False)

    def has(self, identity: str) -> bool:
        """Whether a run holds it."""
        return self.holder is not None and self.holder.identity == identity


class NamespaceMissingError(Exception):
    """The namespace of the Lease is not there: neither is anything that could be changed in it."""


class Shelf(Protocol):
    """Where one Lease is kept."""

    def read(self) -> Lease | None:
        """Return the Lease, None where it was never taken."""

    def take(self, seen: Lease | None, holder: Holder) -> bool:
        """Write a holder into what was read; return False where somebody wrote since."""


def parsed(found: Object) -> Lease:
    """Return what an object says; pure."""
    spec: Mapping[str, Any] = found.get("spec") or {}
    notes: Mapping[str, str] = found["metadata"].get("annotations") or {}
    identity = str(spec.get("holderIdentity") or "")
    process = notes.get(f"{NOTE}process", "")
    holder = Holder(
        identity,
        notes.get(f"{NOTE}playbook", "?"),
        notes.get(f"{NOTE}host", "?"),
        notes.get(f"{NOTE}user", "?"),
        int(process) if process.isdigit() else 0,
    )
    return Lease(
        holder if identity else None,
        str(spec.get("acquireTime") or ""),
        str(spec.get("renewTime") or ""),
        int(spec.get("leaseDurationSeconds") or DURATION),
        int(spec.get("leaseTransitions") or 0),
        str(found["metadata"]["resourceVersion"]),
    )


def moment() -> str:
    """Return now as a Lease says it, to the microsecond."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Book:
    """The Lease of one MySQL cluster. of: what it is about, as part of its name."""

    cluster: Cluster
    namespace: str
    owner: str
    of: str = "change"

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.owner}-{self.of}"

    def read(self) -> Lease | None:
        """Return the Lease, None where it was never taken. Raises KubeError."""
        found = self.cluster.get(KIND, self.name, self.namespace)
        return parsed(found) if found else None

    def take(self, seen: Lease | None, holder: Holder) -> bool:
        """Write a holder into what was read; return False where somebody wrote since.

        Raises NamespaceMissingError, KubeError.
        """
        now = moment()
        taken = seen.taken if seen else 0
        spec = {
            "holderIdentity": holder.identity,
            "leaseDurationSeconds": DURATION,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": taken if seen is None or seen.has(holder.identity) else taken + 1,
        }
        if seen is None:
            return self._made(holder, spec)
        return self._written(seen, spec, holder.notes())

    def renew(self, identity: str) -> bool:
        """Give a sign of life; return whether that run still holds it. Raises KubeError."""
        while True:
            seen = self.read()
            if seen is None or not seen.has(identity):
                return False
            if self._written(seen, {"renewTime": moment()}):
                return True

    def release(self, identity: str) -> bool:
        """Let it go, so that the next one need not wait; return whether that run held it. Raises KubeError."""
        while True:
            seen = self.read()
            if seen is None or not seen.has(identity):
                return False
            if self._written(seen, {"holderIdentity": None, "renewTime": moment()}):
                return True

    def _made(self, holder: Holder, spec: Mapping[str, Any]) -> bool:
        labels = {INSTANCE_LABEL: self.owner, MANAGER_LABEL: MANAGER}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": KIND,
            "metadata": {"name": self.name, "labels": labels, "annotations": holder.notes()},
            "spec": spec,
        }
        try:
            self.cluster.create(KIND, body, self.namespace)
        except KubeError as error:
            if error.status == CONFLICT:
                return False
            if error.status == NOT_FOUND:
                raise NamespaceMissingError from error
            raise
        return True

    def _written(
        self, seen: Lease, spec: Mapping[str, Any], notes: Mapping[str, str] | None = None
    ) -> bool:
        meta: Object = {"resourceVersion": seen.version}
        if notes:
            meta["annotations"] = dict(notes)
        try:
            self.cluster.patch(
                KIND, self.name, {"metadata": meta, "spec": dict(spec)}, self.namespace
            )
        except KubeError as error:
            if error.status in (CONFLICT, NOT_FOUND):
                return False
            raise
        return True


@dataclass(frozen=True)
class Outcome:
    """held: whether it was taken. before: the Lease as it was met last. fresh: whether it was not ours yet.

    silent: seconds for which a holder that is gone gave no sign of life; None where nobody was in the way.
    """

    held: bool
    before: Lease | None
    fresh: bool = True
    silent: float | None = None


def acquire(
    shelf: Shelf,
    holder: Holder,
    wait: float,
    say: Callable[[Lease, float], None],
    *,
    clock: Callable[[], float] = monotonic,
    pause: Callable[[float], None] = sleep,
) -> Outcome:
    """Take a Lease: at once where it is free, else once it is released or its holder is gone.

    wait: seconds. say: told the Lease and the seconds that are left, now and then.
    """
    begun = quiet = clock()
    told = begun - TELL
    seen: Lease | None = None
    while True:
        lease = shelf.read()
        now = clock()
        if lease is None or lease.holder is None or lease.has(holder.identity):
            if lease is not None and lease.has(holder.identity):
                return Outcome(True, lease, fresh=False)
            if shelf.take(lease, holder):
                return Outcome(True, lease)
            continue
        if lease != seen:
            seen, quiet = lease, now
        elif now - quiet >= lease.seconds:
            if shelf.take(lease, holder):
                return Outcome(True, lease, silent=now - quiet)
            continue
        if now - begun >= wait:
            return Outcome(False, lease)
        if now - told >= TELL:
            told = now
            say(lease, wait - (now - begun))
        # Its holder tells nobody: a look a second is what it costs to see it.
        pause(min(LOOK, max(0.0, wait - (now - begun))))
