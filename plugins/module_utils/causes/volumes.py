# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole check of storage: the class, then the claims, until what heals by itself has healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..finding import CollectionError, Finding, errors, worst_first
from ..kube import storage
from ..kube.storage import StorageState
from ..polling import look_until
from . import storage as causes
from .settling import settled
from .storage import Wanted

Object = dict[str, Any]

# Causes that a provisioner, or a Pod that starts, may still heal.
TRANSIENT = frozenset(
    {
        "storage.claim_pending",
        "storage.claim_stuck",
        "storage.claim_unused",
        "storage.provisioner_absent",
    }
)


def check(
    look: Callable[[], StorageState], wanted: Wanted, language: str, timeout: float
) -> dict[str, Any]:
    """Look until storage is as wanted, a cause stays, or the time is over; return the result.

    timeout: seconds that causes may take which heal by themselves. Raises CollectionError with
    the findings and the same keys that are returned otherwise.
    """

    def judged() -> tuple[StorageState, Object | None, list[Finding]]:
        state = look()
        choice = causes.choose(state, wanted, language)
        explained = causes.explain(state, wanted, choice.storage_class, language)
        return state, choice.storage_class, [*choice.findings, *explained]

    state, chosen, found = look_until(judged, lambda seen: settled(seen[2], TRANSIENT), timeout)
    failed = errors(found)
    returned = _returned(state, chosen, found)
    if failed:
        returned.pop("findings")
        subjects = ", ".join(dict.fromkeys(one.subject for one in failed))
        raise CollectionError(f"Storage is not ready: {subjects}", found, returned)
    return {"changed": False, **returned}


def _returned(state: StorageState, chosen: Object | None, found: list[Finding]) -> dict[str, Any]:
    entry = chosen or {"metadata": {"name": ""}}
    return {
        "verdict": causes.worst(found),
        "storage_class": str(entry["metadata"]["name"]),
        "provisioner": str(entry.get("provisioner", "")),
        "binding_mode": str(entry.get("volumeBindingMode", "Immediate" if chosen else "")),
        "expandable": bool(entry.get("allowVolumeExpansion")),
        "claims": [_claim(name, claim, state) for name, claim in state.claims.items()],
        "findings": [one.as_dict() for one in worst_first(found)],
    }


def _claim(name: str, claim: Object | None, state: StorageState) -> dict[str, str]:
    return {
        "name": name,
        "state": storage.claim_state(claim, state),
        "storage_class": storage.class_name(claim) if claim else "",
        "volume": str(claim["spec"].get("volumeName") or "") if claim else "",
        "size": storage.size(claim) if claim else "",
    }
