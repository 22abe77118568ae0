# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Claims of an instance that follow one another: which it has, which it had, and how it moves.

Which claim an instance has is said by the label of the claim (topology.owners); its Deployment mounts
it. A claim that an instance had says so too, and what was executed on it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .client import Object
from .routes import LAST_APPLIED
from .topology import INSTANCE_LABEL, MANAGER_LABEL, NAME_LABEL, SERVER_LABEL

RETIRED_LABEL = "mysql-on.kubernetes/retired-from"
EXECUTED = "mysql-on.kubernetes/gtid-executed"
REPLACED_BY = "mysql-on.kubernetes/replaced-by"
RECOVERED = "mysql-on.kubernetes/recovered"
HANDED_OVER = "mysql-on.kubernetes/handed-over"
# Roles look for it too: a recovery whose claim has it is not abandoned any more.
TAKES_OVER_LABEL = "mysql-on.kubernetes/takes-over"
# Of the volume that a Deployment of ours has its data on.
DATA_VOLUME = "data"


@dataclass(frozen=True)
class Claim:
    """A claim of a cluster. server: whose it is; retired: whose it was.

    purpose: what it was made for (``mysql``, ``mysql-recovery``). executed: what was executed on it when
    it was left, and replaced_by: the recovered claim that it was left for. recovered: the set that was
    recovered on it, noted when a switch to it begins. takes_over: the primary that it is to be the data of,
    while that switch is under way. handed_over: whether its root is a data directory.
    """

    name: str
    purpose: str = ""
    server: str = ""
    retired: str = ""
    executed: str = ""
    replaced_by: str = ""
    recovered: str = ""
    takes_over: str = ""
    handed_over: bool = False


def read(claim: Mapping[str, Any]) -> Claim:
    """Return what a claim says of itself; pure."""
    meta = claim["metadata"]
    labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    return Claim(
        name=str(meta["name"]),
        purpose=str(labels.get(NAME_LABEL, "")),
        server=str(labels.get(SERVER_LABEL, "")),
        retired=str(labels.get(RETIRED_LABEL, "")),
        executed=str(notes.get(EXECUTED, "")),
        replaced_by=str(notes.get(REPLACED_BY, "")),
        recovered=str(notes.get(RECOVERED, "")),
        takes_over=str(labels.get(TAKES_OVER_LABEL, "")),
        handed_over=notes.get(HANDED_OVER) == "yes",
    )


def mounted(workload: Mapping[str, Any]) -> str:
    """Return the claim that a Deployment of ours or a Pod of it has its data on; pure."""
    spec = workload["spec"]
    volumes = (spec["template"]["spec"] if "template" in spec else spec).get("volumes") or []
    for volume in volumes:
        if volume["name"] == DATA_VOLUME:
            return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")
    return ""


def move_patch(deployment: Mapping[str, Any], claim: str) -> Object:
    """Return what is merged into a Deployment so that it mounts another claim; pure.

    The note of what was applied last is changed alike: see routes.selector_patch.
    """
    body: Object = {"spec": _moved(deployment["spec"], claim)}
    noted = (deployment["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if noted:
        applied = json.loads(noted)
        applied["spec"] |= {
            "template": {
                **applied["spec"]["template"],
                "spec": {
                    **applied["spec"]["template"]["spec"],
                    **_moved(applied["spec"], claim)["template"]["spec"],
                },
            }
        }
        text = json.dumps(applied, separators=(",", ":"), sort_keys=True)
        body["metadata"] = {"annotations": {LAST_APPLIED: text}}
    return body


def _moved(spec: Mapping[str, Any], claim: str) -> Object:
    volumes = copy.deepcopy(spec["template"]["spec"].get("volumes") or [])
    for volume in volumes:
        if volume["name"] == DATA_VOLUME:
            volume["persistentVolumeClaim"]["claimName"] = claim
    return {"template": {"spec": {"volumes": volumes}}}


def empty_claim(
    name: str, instance: str, old: Mapping[str, Any] | None, model: Mapping[str, Any]
) -> Object:
    """Return a new claim for an instance; pure.

    As large as the one that it had, and of the class of the model, which was provisioned just now.
    """
    spec = model["spec"]
    size = (old or model)["spec"]["resources"]["requests"]["storage"]
    labels = model["metadata"]["labels"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "labels": {
                NAME_LABEL: "mysql",
                INSTANCE_LABEL: labels[INSTANCE_LABEL],
                MANAGER_LABEL: labels[MANAGER_LABEL],
                SERVER_LABEL: instance,
            },
        },
        "spec": {
            "accessModes": list(spec["accessModes"]),
            "storageClassName": spec.get("storageClassName"),
            "resources": {"requests": {"storage": size}},
        },
    }
