# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong, the proof of it, and one thing to do: the words every module fails with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One cause, as a person reads it.

    code: dotted and stable, e.g. ``replication.server_id_duplicate``.
    severity: ``error`` stops a phase, ``warning`` does not, ``info`` is normal.
    subject: the instance, Service, PVC or pool that it is about.
    summary: one line, what is wrong.
    proof: what was read and from where, one line each.
    fix: one next step.
    """

    code: str
    severity: Severity
    subject: str
    summary: str
    proof: tuple[str, ...]
    fix: str

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as the documented return value of a module."""
        return {**asdict(self), "proof": list(self.proof)}

    def lines(self) -> list[str]:
        """Return the finding as text: what, the proof, the next step."""
        return [
            f"{self.summary} [{self.code}]",
            *(f"  proof: {line}" for line in self.proof),
            f"  next:  {self.fix}",
        ]


class CollectionError(Exception):
    """A failure that a user is told about.

    message: one line. findings: the causes behind it, worst first.
    details: further return values of the module (snake_case keys).
    """

    def __init__(
        self,
        message: str,
        findings: Iterable[Finding] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.findings = tuple(findings)
        self.details = dict(details or {})


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings sorted by severity, errors first, order kept within one."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a phase."""
    return [finding for finding in findings if finding.severity == "error"]


def explain_failure(message: str, findings: Iterable[Finding]) -> str:
    """Return a failure text: first line what is wrong, then each proof and next step.

    Without findings it is the message alone.
    """
    ordered = worst_first(findings)
    if not ordered:
        return message
    lines = [message]
    for finding in ordered:
        lines.extend(finding.lines())
    return "\n".join(lines)
