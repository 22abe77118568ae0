# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of storage: which class, and why a claim has no volume. Pure, over what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..finding import Finding
from ..kube import pods as pod_status
from ..kube import storage
from ..kube.storage import StorageState
from ..kube.waiting import Observation
from .catalogue import finding
from .logs import explain_log

Object = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What storage_check is asked.

    storage_class: empty to choose. size: a quantity, empty for any. bound: whether a claim that
    waits for its first Pod is an error.
    """

    storage_class: str = ""
    size: str = ""
    bound: bool = False


@dataclass(frozen=True)
class Choice:
    """The class that was chosen, None where there is none to take, and what is to be said of it."""

    storage_class: Object | None
    findings: tuple[Finding, ...] = ()


def choose(state: StorageState, wanted: Wanted, language: str = "en") -> Choice:
    """Return the StorageClass to use: the one named, else the default, else the only one. Pure."""
    names = storage.names(state.classes)
    read = f"StorageClasses of the cluster: {', '.join(names) or 'none'}"
    if wanted.storage_class:
        chosen = storage.find(state.classes, wanted.storage_class)
        if chosen is None:
            return Choice(None, (_class_missing(wanted.storage_class, state, read, language),))
        return Choice(chosen, tuple(_class_notes(chosen, state, language)))
    if not names:
        found = finding("storage.no_class", subject="cluster", proof=[read], language=language)
        return Choice(None, (found,))
    default = storage.default_class(state.classes)
    if default is not None:
        doubled = _two_defaults(state, default, language)
        return Choice(default, (*doubled, *_class_notes(default, state, language)))
    if len(names) == 1:
        return Choice(state.classes[0], tuple(_class_notes(state.classes[0], state, language)))
    proof = [read, f"annotation {storage.DEFAULT_ANNOTATIONS[0]}: on none of them"]
    found = finding(
        "storage.no_default_class",
        subject="cluster",
        proof=proof,
        language=language,
        classes=", ".join(names),
    )
    return Choice(None, (found,))


def explain(
    state: StorageState, wanted: Wanted, chosen: Object | None, language: str = "en"
) -> list[Finding]:
    """Return why claims are not as wanted, and what crashing Pods say of their volumes. Pure."""
    found: list[Finding] = []
    for name, claim in state.claims.items():
        if claim is None:
            proof = [f"PVCs read by name: {name} not found"]
            found.append(
                finding("storage.claim_absent", subject=name, proof=proof, language=language)
            )
            continue
        found.extend(explain_claim(claim, state, wanted.bound, language))
        found.extend(_unlike(claim, wanted, chosen, language))
        found.extend(_shared(claim, state, language))
    for pod in state.pods:
        found.extend(_logs(pod, state, language))
    return found


def explain_claim_wait(seen: Observation, language: str = "en") -> list[Finding]:
    """Return why a claim that is waited for has no volume yet. Pure."""
    if seen.obj is None:
        return []
    state = StorageState(
        classes=(seen.storage_class,) if seen.storage_class else (),
        events=seen.events,
        pods=seen.pods,
    )
    return explain_claim(seen.obj, state, seen.wanted.condition == "bound", language)


def explain_claim(
    claim: Object, state: StorageState, bound: bool, language: str = "en"
) -> list[Finding]:
    """Return why one claim has no volume; nothing if it has one. Pure."""
    kind = storage.claim_state(claim, state)
    if kind == "bound":
        return []
    facts = _claim_facts(claim, state)
    read = _proof(claim, state)
    if kind == "lost":
        code = "storage.claim_lost"
    elif facts["volume_class"] is not None:
        code = "storage.class_differs"
        read.append(f"PV {facts['volume']}: storageClassName {facts['volume_class'] or 'none'}")
    elif not facts["storage_class"]:
        code = "storage.claim_no_class"
    elif storage.find(state.classes, facts["storage_class"]) is None:
        code = "storage.claim_class_missing"
    elif facts["message"]:
        code = "storage.provisioning_failed"
    elif kind == "waits_for_consumer":
        code = "storage.waits_for_consumer" if not bound else "storage.claim_unused"
    elif facts["pod"]:
        code = "storage.claim_stuck"
    else:
        code = "storage.claim_pending"
    return [finding(code, proof=read, language=language, **facts)]


def _claim_facts(claim: Object, state: StorageState) -> dict[str, Any]:
    meta, volume = claim["metadata"], storage.volume_of(claim, state.volumes)
    wanted = storage.class_name(claim)
    if volume is None and storage.find(state.classes, wanted) is None:
        # The course's case: the class is nowhere, and a volume of another class waits for it.
        fitting = [one for one in storage.free_volumes(state.volumes) if storage.fits(claim, one)]
        same = [one for one in fitting if storage.class_name(one) == wanted]
        volume = None if same or not fitting else fitting[0]
    differs = volume is not None and storage.class_name(volume) != wanted
    users = storage.consumers(claim, state.pods)
    return {
        "subject": f"{meta['namespace']}/{meta['name']}",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "storage_class": wanted,
        "classes": ", ".join(storage.names(state.classes)) or "-",
        "volume": volume["metadata"]["name"] if volume else claim["spec"].get("volumeName", ""),
        "volume_class": storage.class_name(volume) if volume and differs else None,
        "message": _failure(claim, state),
        "pod": users[0]["metadata"]["name"] if users else "",
    }


def _failure(claim: Object, state: StorageState) -> str:
    """Return the newest message that says that provisioning failed, empty if none does."""
    for event in reversed(storage.events(claim, state)):
        if event.get("reason") == "ProvisioningFailed":
            return " ".join(str(event.get("message", "")).split())
    return ""


def _proof(claim: Object, state: StorageState) -> list[str]:
    meta = claim["metadata"]
    name = f"PVC {meta['namespace']}/{meta['name']}"
    phase = (claim.get("status") or {}).get("phase", "unknown")
    wanted = claim["spec"].get("storageClassName")
    lines = [f"{name}: phase {phase}, storageClassName {wanted if wanted else 'none'}"]
    seen = dict.fromkeys(
        f"event {event.get('reason')}: {' '.join(str(event.get('message', '')).split())}"
        for event in reversed(storage.events(claim, state))
    )
    return lines + list(seen)[:2]


def _class_missing(name: str, state: StorageState, read: str, language: str) -> Finding:
    classes = ", ".join(storage.names(state.classes))
    return finding(
        "storage.class_missing",
        subject=name,
        proof=[read],
        language=language,
        classes=classes or "(there is none: install a provisioner first)",
    )


def _two_defaults(state: StorageState, default: Object, language: str) -> list[Finding]:
    names = storage.names([entry for entry in state.classes if storage.is_default(entry)])
    if len(names) < 2:
        return []
    chosen = str(default["metadata"]["name"])
    return [
        finding(
            "storage.two_defaults",
            subject=", ".join(names),
            proof=[f"StorageClass {name}: annotated as default" for name in names],
            language=language,
            chosen=chosen,
            other=next(name for name in names if name != chosen),
        )
    ]


def _class_notes(chosen: Object, state: StorageState, language: str) -> Iterator[Finding]:
    """Yield what is to be known of the chosen class: its provisioner, growth, reclaim policy."""
    name, provisioner = str(chosen["metadata"]["name"]), str(chosen.get("provisioner"))
    read = f"StorageClass {name}: provisioner {provisioner}"
    facts = {"provisioner": provisioner, "classes": ", ".join(storage.names(state.classes))}
    if provisioner == storage.NO_PROVISIONER:
        free = [pv for pv in storage.free_volumes(state.volumes) if storage.class_name(pv) == name]
        if not free and not _bound_claims(name, state):
            proof = [read, f"PersistentVolumes of {name} that are Available: none"]
            yield finding(
                "storage.no_provisioner", subject=name, proof=proof, language=language, **facts
            )
    elif provisioner in state.provisioner_pods:
        pods = state.provisioner_pods[provisioner]
        if not any(pod_status.is_ready(pod) for pod in pods):
            label = storage.PROVISIONER_LABELS[provisioner]
            states = [f"{pod['metadata']['name']} {pod_status.state(pod)}" for pod in pods]
            proof = [read, f"Pods labelled {label}: {'; '.join(states) or 'none'}"]
            yield finding(
                "storage.provisioner_absent", subject=name, proof=proof, language=language, **facts
            )
    if not chosen.get("allowVolumeExpansion"):
        proof = [f"StorageClass {name}: allowVolumeExpansion is not true"]
        yield finding("storage.not_expandable", subject=name, proof=proof, language=language)
    if chosen.get("reclaimPolicy", "Delete") == "Delete":
        proof = [f"StorageClass {name}: reclaimPolicy Delete"]
        yield finding("storage.deletes_volumes", subject=name, proof=proof, language=language)


def _bound_claims(name: str, state: StorageState) -> bool:
    return any(
        claim is not None
        and storage.class_name(claim) == name
        and storage.claim_state(claim, state) == "bound"
        for claim in state.claims.values()
    )


def _unlike(
    claim: Object, wanted: Wanted, chosen: Object | None, language: str
) -> Iterator[Finding]:
    """Yield where a claim that exists differs from what is wanted."""
    subject = f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
    has = storage.class_name(claim)
    modes = list(claim["spec"].get("accessModes") or [])
    named = str(chosen["metadata"]["name"]) if chosen and wanted.storage_class else has
    if has != named:
        proof = [f"PVC {subject}: storageClassName {has or 'none'}"]
        yield finding(
            "storage.claim_other_class",
            subject=subject,
            proof=proof,
            language=language,
            storage_class=has or "-",
            wanted=named,
        )
    size = storage.size(claim)
    if wanted.size and storage.quantity(size) < storage.quantity(wanted.size):
        proof = [f"PVC {subject}: {size}"]
        facts = {"size": size, "wanted": wanted.size}
        yield finding(
            "storage.claim_too_small", subject=subject, proof=proof, language=language, **facts
        )
    if not {"ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"} & set(modes):
        proof = [f"PVC {subject}: accessModes {', '.join(modes)}"]
        yield finding(
            "storage.claim_access_mode",
            subject=subject,
            proof=proof,
            language=language,
            modes=", ".join(modes),
        )


def _shared(claim: Object, state: StorageState, language: str) -> Iterator[Finding]:
    running = [pod for pod in storage.consumers(claim, state.pods) if pod_status.is_running(pod)]
    writers = [pod for pod in running if _is_server(pod)]
    if len(writers) < 2:
        return
    subject = f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
    names = ", ".join(storage.names(writers))
    yield finding(
        "storage.claim_shared",
        subject=subject,
        proof=[f"running Pods that mount it: {names}"],
        language=language,
        pods=names,
    )


def _is_server(pod: Object) -> bool:
    """Whether a Pod serves MySQL: a backup Pod may read a volume beside it."""
    ports = [
        port.get("containerPort")
        for container in (pod.get("spec") or {}).get("containers") or []
        for port in container.get("ports") or []
    ]
    return 3306 in ports


def _logs(pod: Object, state: StorageState, language: str) -> Iterator[Finding]:
    for key, text in state.logs.items():
        name, container = key.split("/", maxsplit=1)
        if name == pod["metadata"]["name"]:
            yield from explain_log(pod, container, text, language)


def worst(findings: Sequence[Finding]) -> str:
    """Return the verdict of findings: ``error``, ``warning`` or ``ok``."""
    severities = {found.severity for found in findings}
    return next((name for name in ("error", "warning") if name in severities), "ok")
