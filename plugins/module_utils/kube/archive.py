# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Pod that writes a backup archive: what its script tells of it, and where it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..finding import CollectionError
from .client import Cluster
from .exec import run
from .portforward import Target, find_pod

# A Pod that is being replaced is back in that time.
PATIENCE = 30.0


@dataclass(frozen=True)
class Place:
    """Where an archive is: a Deployment's container, and the folder of the scripts in it."""

    namespace: str
    deployment: str
    container: str = "archiver"
    scripts: str = "/scripts"


def read(cluster: Cluster, place: Place) -> tuple[str, str]:
    """Return the listing of an archive and the node that it is read on.

    Raises PodUnavailableError, KubeError, and CollectionError with what the script said.
    """
    target = Target(place.namespace, "Deployment", place.deployment)
    pod = find_pod(cluster, target, time.monotonic() + PATIENCE)
    name = str(pod["metadata"]["name"])
    command = ["bash", f"{place.scripts}/list.sh"]
    done = run(cluster, place.namespace, name, place.container, command)
    if done.code:
        said = " ".join(done.errors.split()) or "it said nothing"
        raise CollectionError(
            f"archive: {place.namespace}/{name} cannot list it ({done.code}): {said}"
        )
    return done.output, str(pod["spec"].get("nodeName") or "")


def node_of(cluster: Cluster, target: Target) -> str:
    """Return the node of the Pod behind a target. Raises PodUnavailableError, KubeError."""
    pod = find_pod(cluster, target, time.monotonic() + PATIENCE)
    return str(pod["spec"].get("nodeName") or "")
