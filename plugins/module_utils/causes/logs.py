# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that only the log of a crashed container tells: pure, over its last lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..finding import Finding
from .catalogue import finding

Object = dict[str, Any]

TAIL = 5

# First match wins: a file that may not be written ends in other errors further down the log.
PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        # pip: of an index that does not answer it says at last that nothing was found there.
        "python.hash_differs": re.compile(
            r"DO NOT MATCH THE HASHES|==\S+ from http|^ *Expected sha"
        ),
        "python.index_unreachable": re.compile(r"after connection broken by"),
        "python.package_absent": re.compile(r"No matching distribution found for"),
        "storage.permission_denied": re.compile(
            r"errno:? 13\b|os ?error:? 13\b|error number 13\b|Permission denied", re.IGNORECASE
        ),
        "storage.disk_full": re.compile(
            r"errno:? 28\b|os ?error:? 28\b|error number 28\b|No space left on device",
            re.IGNORECASE,
        ),
        "storage.read_only": re.compile(
            r"errno:? 30\b|os ?error:? 30\b|error number 30\b|Read-only file system", re.IGNORECASE
        ),
        "kube.datadir_half_made": re.compile(
            r"--initialize specified but the data directory has files in it", re.IGNORECASE
        ),
        "kube.data_dictionary": re.compile(
            r"data dictionary initialization failed|Failed to initialize DD Storage Engine"
            r"|Invalid MySQL server (upgrade|downgrade)|Cannot (upgrade|boot) server",
            re.IGNORECASE,
        ),
        "kube.unknown_option": re.compile(r"unknown (variable|option)", re.IGNORECASE),
    }
)


def explain_log(pod: Object, container: str, log: str, language: str = "en") -> Iterator[Finding]:
    """Yield the cause that the log names, with the line that names it, if there is one."""
    meta = pod["metadata"]
    for code, pattern in PATTERNS.items():
        lines = [line.strip() for line in log.splitlines() if pattern.search(line)]
        if not lines:
            continue
        source = volume_sources(pod)
        yield finding(
            code,
            subject=f"Pod {meta['namespace']}/{meta['name']}",
            proof=[
                *(f"log of {meta['name']}/{container}: {line}" for line in lines[:3]),
                *([f"volumes: {source}; {_security(pod)}"] if code.startswith("storage.") else []),
            ],
            language=language,
            source=source or "this volume",
            claims=", ".join(claim_names(pod)) or "-",
            index=_variable(pod, container, "PIP_INDEX_URL") or "its default index",
        )
        return


def _variable(pod: Object, container: str, name: str) -> str:
    """Return the value that a Pod's template gives to a variable of one of its containers."""
    spec = pod.get("spec") or {}
    for one in (*(spec.get("initContainers") or []), *(spec.get("containers") or [])):
        if one["name"] == container:
            for entry in one.get("env") or []:
                if entry["name"] == name:
                    return str(entry.get("value") or "")
    return ""


def tail(log: str, count: int = TAIL) -> list[str]:
    """Return the last lines of a log that say something."""
    return [line.strip() for line in log.splitlines() if line.strip()][-count:]


def claim_names(pod: Object) -> list[str]:
    """Return the names of the PVCs that a Pod mounts."""
    volumes = (pod.get("spec") or {}).get("volumes") or []
    claims = [volume.get("persistentVolumeClaim") or {} for volume in volumes]
    return [str(claim["claimName"]) for claim in claims if claim.get("claimName")]


def volume_sources(pod: Object) -> str:
    """Return the Pod's writable volumes in words: ``PVC mysql-1, hostPath /data``."""
    words = [f"PVC {name}" for name in claim_names(pod)]
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if "hostPath" in volume:
            words.append(f"hostPath {volume['hostPath'].get('path')}")
    return ", ".join(words)


def _security(pod: Object) -> str:
    """Return the ids that the Pod runs with, as its spec gives them."""
    context = (pod.get("spec") or {}).get("securityContext") or {}
    ids = [
        f"{key} {context[key]}" for key in ("runAsUser", "runAsGroup", "fsGroup") if key in context
    ]
    return "securityContext: " + (", ".join(ids) or "none")
