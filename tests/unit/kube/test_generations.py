# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Claims of an instance that follow one another, and the patch that moves a Deployment."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import generations, topology
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.routes import LAST_APPLIED


def deployment(claim: str) -> dict[str, Any]:
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "config", "configMap": {"name": "mysql-config"}},
    ]
    spec = {"containers": [{"name": "mysql", "image": "mysql:9.7"}], "volumes": volumes}
    return {"metadata": {"name": "mysql-1"}, "spec": {"template": {"spec": spec}}}


def test_a_deployment_is_moved_and_its_note_of_what_was_applied_too() -> None:
    """Else the next apply of the same manifest would see a difference where there is none."""
    found = deployment("mysql-1")
    noted = copy.deepcopy(found)
    found["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(noted)}
    patch = generations.move_patch(found, "mysql-recovery")
    assert patch["spec"] == {
        "template": {
            "spec": {"volumes": deployment("mysql-recovery")["spec"]["template"]["spec"]["volumes"]}
        }
    }
    applied = json.loads(patch["metadata"]["annotations"][LAST_APPLIED])
    assert applied == deployment("mysql-recovery")
    assert generations.mounted(found) == "mysql-1"


def test_a_new_claim_is_as_large_as_the_old_and_of_the_recovered_one_s_class() -> None:
    def claim(name: str, storage_class: str, size: str) -> dict[str, Any]:
        labels = {topology.INSTANCE_LABEL: "mysql", topology.MANAGER_LABEL: "us"}
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        }
        return {"metadata": {"name": name, "labels": labels}, "spec": spec}

    old, model = claim("mysql-11", "gone", "8Gi"), claim("mysql-recovery", "local", "4Gi")
    made = generations.empty_claim("mysql-11-recovery", "mysql-11", old, model)
    assert made["spec"]["resources"]["requests"]["storage"] == "8Gi"
    assert made["spec"]["storageClassName"] == "local"
    assert generations.read(made) == generations.Claim(
        "mysql-11-recovery", purpose="mysql", server="mysql-11"
    )


class Listing:
    """A cluster that has these claims, in no order."""

    def __init__(self, *claims: tuple[str, str, str]) -> None:
        self.claims = claims

    def list(self, kind: str, namespace: str, *, labels: str) -> list[dict[str, Any]]:
        assert (kind, labels) == ("PersistentVolumeClaim", topology.SERVER_LABEL)
        return [
            {
                "metadata": {
                    "name": name,
                    "creationTimestamp": made,
                    "labels": {topology.SERVER_LABEL: server},
                }
            }
            for name, server, made in self.claims
        ]


def test_of_two_claims_of_an_instance_the_newer_counts() -> None:
    """While a switch is at work, the one that it leaves is still labelled."""
    newer = ("mysql-recovery", "mysql-1", "2026-11-26T14:00:00Z")
    older = ("volume-of-before", "mysql-1", "2026-11-25T09:00:00Z")
    for claims in ((newer, older), (older, newer)):
        found: Any = Listing(*claims)
        assert topology.claims(found, "mysql") == {"mysql-1": "mysql-recovery"}
