# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is kept of the restore drills of a cluster: one ConfigMap, a line of JSON for each drill.

It also says whether a drill is under way. Who claims it writes the version that it read: of two at the
same moment the API server takes one. A claim ends by itself, since whoever made it may have been killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..finding import CollectionError
from .client import CONFLICT, Cluster, KubeError, Object
from .topology import INSTANCE_LABEL, MANAGER, MANAGER_LABEL, NAME_LABEL

KEPT = 20
KEY = "drills.jsonl"
UNDER_WAY = "mysql-on.kubernetes/drill"
OK = "ok"

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Claim:
    """A drill that is under way. begun, until: seconds since 1970. by: host:pid of who plays it."""

    begun: int
    until: int
    by: str = ""


@dataclass(frozen=True)
class Drills:
    """records: what drills left, oldest first. version: of the ConfigMap, empty where there is none."""

    name: str
    records: tuple[Record, ...] = ()
    claim: Claim | None = None
    version: str = field(default="", compare=False)

    @property
    def succeeded_at(self) -> int | None:
        """When the last drill that succeeded ended, seconds since 1970; None where none has."""
        moments = [moment(one) for one in self.records if one.get("result") == OK]
        return max(moments, default=None)


def moment(record: Record) -> int:
    """Return when a drill ended, seconds since 1970. Raises CollectionError."""
    try:
        return int(datetime.fromisoformat(str(record["at"])).timestamp())
    except (KeyError, ValueError) as error:
        raise CollectionError(
            f"{KEY}: a record without the moment of its drill: {error}"
        ) from error


def name_of(cluster: str) -> str:
    """Return the name of the ConfigMap of a MySQL cluster."""
    return f"{cluster}-drills"


def read(name: str, found: Object | None) -> Drills:
    """Return what a ConfigMap says, None where there is none. Raises CollectionError."""
    if found is None:
        return Drills(name)
    meta = found["metadata"]
    text = str((found.get("data") or {}).get(KEY) or "")
    claim = (meta.get("annotations") or {}).get(UNDER_WAY)
    try:
        records = tuple(json.loads(line) for line in text.splitlines() if line.strip())
        under_way = Claim(**json.loads(claim)) if claim else None
    except (TypeError, ValueError) as error:
        raise CollectionError(f"ConfigMap {name}: it is not what drills leave: {error}") from error
    return Drills(name, records, under_way, str(meta["resourceVersion"]))


def with_record(records: Sequence[Record], record: Record) -> tuple[Record, ...]:
    """Return the records with one more, the oldest gone where there are more than are kept."""
    return (*records, record)[-KEPT:]


def text(records: Sequence[Record]) -> str:
    """Return the records as they are kept."""
    lines = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in records)
    return "".join(f"{line}\n" for line in lines)


def observe(cluster: Cluster, namespace: str, name: str) -> Drills:
    """Read what is kept of drills. Raises KubeError, CollectionError."""
    return read(name, cluster.get("ConfigMap", name, namespace))


@dataclass(frozen=True)
class Book:
    """The ConfigMap of one MySQL cluster, to write into."""

    cluster: Cluster
    namespace: str
    owner: str

    @property
    def name(self) -> str:
        """Its name."""
        return name_of(self.owner)

    def read(self) -> Drills:
        """Return what it says. Raises KubeError."""
        return observe(self.cluster, self.namespace, self.name)

    def claim(self, seen: Drills, claim: Claim) -> bool:
        """Note that a drill is under way; return False where somebody wrote since it was read."""
        noted = {UNDER_WAY: json.dumps(asdict(claim), separators=(",", ":"))}
        try:
            if seen.version:
                meta = {"annotations": noted, "resourceVersion": seen.version}
                self._patch({"metadata": meta})
            else:
                self._create(noted)
        except KubeError as error:
            if error.status != CONFLICT:
                raise
            return False
        return True

    def note(self, record: Record) -> Drills:
        """Add a record. Raises KubeError."""
        seen = self.read()
        records = with_record(seen.records, record)
        self._patch({"data": {KEY: text(records)}})
        return Drills(self.name, records, seen.claim)

    def end(self) -> None:
        """Note that no drill is under way. Raises KubeError."""
        self._patch({"metadata": {"annotations": {UNDER_WAY: None}}})

    def _create(self, annotations: Mapping[str, str]) -> None:
        labels = {
            NAME_LABEL: "mysql-drill",
            INSTANCE_LABEL: self.owner,
            MANAGER_LABEL: MANAGER,
        }
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "labels": labels, "annotations": dict(annotations)},
            "data": {KEY: ""},
        }
        self.cluster.create("ConfigMap", body, self.namespace)

    def _patch(self, body: Mapping[str, Any]) -> None:
        self.cluster.patch("ConfigMap", self.name, body, self.namespace)


def iso(seconds: float) -> str:
    """Return a moment, in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
