# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why MySQL in a container outside of Kubernetes does not answer. Pure, over what was read."""

from __future__ import annotations

from dataclasses import dataclass

from ..finding import Finding
from .catalogue import finding
from .logs import PATTERNS, tail

OWNER = "storage.permission_denied"
ENDED = frozenset({"exited", "dead", "stopped"})


@dataclass(frozen=True)
class State:
    """A container as its engine shows it. status: empty where there is no such container."""

    status: str = ""
    restarts: int = 0
    exit_code: int = 0


def state_of(text: str) -> State:
    """Return the state that ``inspect`` printed as status, restarts and exit code."""
    words = text.split()
    if len(words) != 3 or not all(word.isdigit() for word in words[1:]):
        return State()
    return State(words[0], int(words[1]), int(words[2]))


def is_hopeless(state: State) -> bool:
    """Whether waiting brings nothing: it has ended, starts again and again, or is not there."""
    return not state.status or state.status in ENDED or state.restarts > 1


def explain(container: str, state: State, log: str, language: str = "en") -> list[Finding]:
    """Return the cause that the log names, else that the container ended, with its last lines."""
    seen = (
        f"{container}: {state.status or 'absent'}, {state.restarts} restarts,"
        f" exit code {state.exit_code}"
    )
    subject = f"Container {container}"
    for code, pattern in PATTERNS.items():
        lines = [line.strip() for line in log.splitlines() if pattern.search(line)]
        if lines:
            proof = [seen, *(f"log: {line}" for line in lines[:3])]
            own = "local.volume_owner" if code == OWNER else code
            facts = {"source": "its volume", "claims": "-", "index": "-"}
            return [finding(own, subject=subject, proof=proof, language=language, **facts)]
    proof = [seen, *(f"log: {line}" for line in tail(log))]
    return [finding("local.no_answer", subject=subject, proof=proof, language=language)]
