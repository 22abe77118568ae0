# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a Pod's status says, as pure functions over the object that the API server gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

CRASH_LOOP = "CrashLoopBackOff"


@dataclass(frozen=True)
class Container:
    """One container's status.

    ended: whether it is in its end now, not waiting to be started again.
    reason, message: why it waits or how it ended, empty while it runs. exit_code: of its last
    end, None if it never ended. restarts: how often it was started again.
    """

    name: str
    image: str
    init: bool
    running: bool
    started: bool
    ready: bool
    completed: bool
    ended: bool
    reason: str
    message: str
    exit_code: int | None
    restarts: int

    @property
    def crashing(self) -> bool:
        """Whether it ended with an error and is not running now."""
        ended = not self.running and self.exit_code not in (None, 0)
        return ended or self.reason == CRASH_LOOP


def containers(pod: Object) -> tuple[Container, ...]:
    """Return the Pod's containers, init containers first, in the order of the spec."""
    status = pod.get("status") or {}
    init = [_container(entry, True) for entry in status.get("initContainerStatuses") or []]
    main = [_container(entry, False) for entry in status.get("containerStatuses") or []]
    return (*init, *main)


def is_running(pod: Object) -> bool:
    """Whether the Pod runs and is not being deleted."""
    phase = (pod.get("status") or {}).get("phase")
    return phase == "Running" and not pod["metadata"].get("deletionTimestamp")


def is_ready(pod: Object) -> bool:
    """Whether the Pod has the condition Ready and is not being deleted."""
    return condition(pod, "Ready") == "True" and not pod["metadata"].get("deletionTimestamp")


def is_started(pod: Object) -> bool:
    """Whether every container of the running Pod has started (its startup probe passed)."""
    main = [container for container in containers(pod) if not container.init]
    return is_running(pod) and bool(main) and all(container.started for container in main)


def is_live(pod: Object) -> bool:
    """Whether the Pod still counts: neither being deleted nor finished."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def condition(obj: Object, kind: str) -> str | None:
    """Return the status of one of an object's conditions, None if it has none of that kind."""
    entry = condition_entry(obj, kind)
    return None if entry is None else str(entry.get("status"))


def condition_entry(obj: Object, kind: str) -> Object | None:
    """Return one of an object's conditions, None if it has none of that kind."""
    for entry in (obj.get("status") or {}).get("conditions") or []:
        if entry.get("type") == kind:
            return dict(entry)
    return None


def condition_line(subject: str, kind: str, entry: Object) -> str:
    """Return a condition as a proof line: its status, reason and message. Pure."""
    words = ": ".join([str(entry.get("status")), *condition_words(entry)])
    return f"{subject}: condition {kind} is {words}"


def condition_words(entry: Object) -> list[str]:
    """Return the reason and the message of a condition, as far as it has them. Pure."""
    return [str(entry[key]) for key in ("reason", "message") if entry.get(key)]


def node_of(pod: Object) -> str:
    """Return the name of the node that the Pod was given, empty where it has none yet."""
    return str((pod.get("spec") or {}).get("nodeName") or "")


def is_node_ready(node: Object | None) -> bool:
    """Whether a node says that it is ready; one that is gone (None) does not."""
    return node is not None and condition(node, "Ready") == "True"


def state(pod: Object) -> str:
    """Return where the Pod stands, in one phrase: ``Pending (mysql: ImagePullBackOff)``."""
    phase = str((pod.get("status") or {}).get("phase") or "Unknown")
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    reasons = [
        f"{entry.name}: {entry.reason}"
        for entry in containers(pod)
        if entry.reason and not entry.completed
    ]
    scheduled = condition_entry(pod, "PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        reasons.append(str(scheduled.get("reason") or "not scheduled"))
    if phase == "Running" and not reasons:
        return "Ready" if is_ready(pod) else "Running, not Ready"
    return f"{phase} ({', '.join(reasons)})" if reasons else phase


def _container(entry: Object, init: bool) -> Container:
    now = entry.get("state") or {}
    before = (entry.get("lastState") or {}).get("terminated") or {}
    waiting, ended = now.get("waiting") or {}, now.get("terminated") or {}
    last = ended or before
    completed = bool(ended) and ended.get("exitCode") == 0
    return Container(
        name=str(entry["name"]),
        image=str(entry.get("image", "")),
        init=init,
        running="running" in now,
        started=bool(entry.get("started")) and "running" in now,
        ready=bool(entry.get("ready")),
        completed=completed,
        ended=bool(ended),
        reason=str(waiting.get("reason") or ended.get("reason") or ""),
        message=str(waiting.get("message") or ended.get("message") or ""),
        exit_code=int(last["exitCode"]) if "exitCode" in last else None,
        restarts=int(entry.get("restartCount") or 0),
    )
