# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole check of an address: what the cluster shows, then what the LAN answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..finding import CollectionError, Finding, errors, worst_first
from ..kube import lan, metallb
from ..kube.metallb import NetworkState
from ..polling import look_until
from . import metallb as causes
from .catalogue import finding
from .metallb import Verdict, Wanted
from .settling import settled


@dataclass(frozen=True)
class Result:
    """A verdict, and the HTTP status that the LAN got (0 without one)."""

    verdict: Verdict
    answers: int = 0


def check(
    look: Callable[[], NetworkState],
    wanted: Wanted,
    run: lan.Run,
    prefix: Sequence[str],
    timeout: float,
) -> dict[str, Any]:
    """Look until the address is as required, a cause stays, or the time is over; return the result.

    timeout: seconds that causes may take which heal by themselves. Raises CollectionError with
    the findings and the same keys that are returned otherwise.
    """
    result = look_until(
        lambda: _once(look(), wanted, run, prefix),
        lambda seen: settled(seen.verdict.findings, causes.TRANSIENT),
        timeout,
    )
    failed = errors(result.verdict.findings)
    returned = _returned(result)
    if failed:
        state = "held and answering" if wanted.require == "held" else "allocatable"
        returned.pop("findings")
        raise CollectionError(f"{wanted.ip} is not {state}", result.verdict.findings, returned)
    return {"changed": False, **returned}


def _once(state: NetworkState, wanted: Wanted, run: lan.Run, prefix: Sequence[str]) -> Result:
    verdict = causes.explain(state, wanted)
    if not prefix or errors(verdict.findings):
        return Result(verdict)
    if wanted.require != "held" and verdict.holder:
        return Result(verdict)
    answer = lan.ask(run, prefix, wanted.ip)
    found = judged(state, wanted, verdict, answer)
    if found is not None:
        return Result(replace(verdict, findings=(*verdict.findings, found)), answer.status)
    return Result(
        replace(verdict, checked=(*verdict.checked, "; ".join(answer.proof))), answer.status
    )


def judged(
    state: NetworkState, wanted: Wanted, verdict: Verdict, answer: lan.Answer
) -> Finding | None:
    """Return what the answer of the LAN, or its absence, means."""
    if wanted.require == "held":
        if answer.status:
            return None
        proof = [*answer.proof, *_complaints(state, verdict)]
        return finding(
            "metallb.no_answer",
            subject=str(wanted.ip),
            proof=proof,
            language=wanted.language,
            namespace=state.namespace,
        )
    if not answer.mac:
        return None
    return finding(
        "metallb.arp_foreign",
        subject=str(wanted.ip),
        proof=[*answer.proof, f"Services whose status holds {wanted.ip}: none"],
        language=wanted.language,
    )


def _complaints(state: NetworkState, verdict: Verdict) -> list[str]:
    """Return what the speakers say of the Service: an interface that a node lacks, for example."""
    services = [one for one in state.services if metallb.full_name(one) == verdict.ingress_service]
    return [line for one in services for line in causes.complaints(state, one)]


def _returned(result: Result) -> dict[str, Any]:
    verdict = result.verdict
    warned = any(found.severity == "warning" for found in verdict.findings)
    failed = bool(errors(verdict.findings))
    return {
        "verdict": "error" if failed else "warning" if warned else "ok",
        "pool": verdict.pool,
        "holder": verdict.holder,
        "ingress_service": verdict.ingress_service,
        "answers": result.answers,
        "checked": list(verdict.checked),
        "findings": [found.as_dict() for found in worst_first(verdict.findings)],
    }
