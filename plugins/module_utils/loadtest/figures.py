# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of a load, and whether they prove what they should. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..causes import catalogue
from ..finding import Finding

# Chance alone goes beyond this in one of 16,000 runs for each replica.
MOST_DEVIATIONS = 4.0
ANYWHERE = "an instance that is not of this cluster"


@dataclass(frozen=True)
class Member:
    """An instance of the cluster. role: primary or replica."""

    name: str
    role: str
    server_id: int
    server_uuid: str


@dataclass(frozen=True)
class Figures:
    """What the client host saw.

    reads, writes: answers by server_uuid. errors: requests that failed, by kind; error_examples:
    what one of each said. seconds: wall time. latency_ms: percentiles by kind of request.
    """

    address: str
    requests: int
    seconds: float
    requests_per_second: float
    reads: Mapping[str, int]
    writes: Mapping[str, int]
    errors: Mapping[str, int]
    error_examples: Mapping[str, str]
    latency_ms: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Share:
    """What one instance took of the load.

    read_share, expected_share: 0 to 1. deviations: how many standard deviations of the binomial
    its reads are away from what is expected, signed.
    """

    member: Member
    reads: int
    writes: int
    read_share: float
    expected_share: float
    deviations: float

    def as_dict(self) -> dict[str, Any]:
        """Return the share as the module returns it."""
        return {
            "name": self.member.name,
            "role": self.member.role,
            "server_id": self.member.server_id,
            "server_uuid": self.member.server_uuid,
            "reads": self.reads,
            "writes": self.writes,
            "read_share": round(self.read_share, 4),
            "expected_share": round(self.expected_share, 4),
            "deviations": round(self.deviations, 2),
        }


def deviations(count: int, total: int, share: float) -> float:
    """Return how many standard deviations of the binomial count is from total * share.

    0 where there is nothing to deviate: no trials, or a share of 0 or 1.
    """
    spread = math.sqrt(total * share * (1 - share))
    return (count - total * share) / spread if spread else 0.0


def shares(members: Sequence[Member], figures: Figures) -> list[Share]:
    """Return what each instance took, in the order of members.

    Reads are expected of the replicas alike; of the primary only where it is alone.
    """
    readers = [one for one in members if one.role == "replica"] or list(members)
    total = sum(figures.reads.values())
    found = []
    for member in members:
        expected = 1 / len(readers) if member in readers else 0.0
        count = figures.reads.get(member.server_uuid, 0)
        found.append(
            Share(
                member=member,
                reads=count,
                writes=figures.writes.get(member.server_uuid, 0),
                read_share=count / total if total else 0.0,
                expected_share=expected,
                deviations=deviations(count, total, expected),
            )
        )
    return found


def explain(
    members: Sequence[Member], figures: Figures, wanted: int, language: str
) -> list[Finding]:
    """Return why the load proves nothing, or that it proves something wrong.

    wanted: how many requests were to be sent. No finding: reads are balanced over the replicas,
    writes went to the primary alone, nothing failed.
    """
    return [
        *_failed(figures, wanted, language),
        *_reads(members, figures, language),
        *_writes(members, figures, language),
    ]


def _failed(figures: Figures, wanted: int, language: str) -> list[Finding]:
    found = []
    failed = sum(figures.errors.values())
    if failed:
        found.append(
            catalogue.finding(
                "load.errors",
                subject=figures.address,
                proof=[
                    f"{count} x {kind}, for example: {figures.error_examples.get(kind, '')}"
                    for kind, count in sorted(figures.errors.items(), key=lambda item: -item[1])
                ],
                language=language,
                failed=failed,
                requests=figures.requests,
            )
        )
    if figures.requests < wanted:
        found.append(
            catalogue.finding(
                "load.cut_short",
                subject=figures.address,
                proof=[
                    f"{figures.requests} requests in {figures.seconds:.1f} s,"
                    f" {figures.requests_per_second:.1f} a second"
                ],
                language=language,
                requests=figures.requests,
                wanted=wanted,
            )
        )
    return found


def _reads(members: Sequence[Member], figures: Figures, language: str) -> list[Finding]:
    total = sum(figures.reads.values())
    if not total:
        return []
    found = []
    taken = shares(members, figures)
    for share in taken:
        proof = [_counted("reads", share.member.name, share.reads, total)]
        facts: dict[str, Any] = {"proof": proof, "language": language}
        name = share.member.name
        if share.expected_share and not share.reads:
            found.append(catalogue.finding("load.replica_unread", subject=name, **facts))
        elif abs(share.deviations) > MOST_DEVIATIONS:
            proof.append(
                f"expected {share.expected_share:.1%}, {share.deviations:+.1f} standard deviations"
            )
            found.append(catalogue.finding("load.unbalanced", subject=name, **facts))
    readers = {share.member.server_uuid for share in taken if share.expected_share}
    return found + _elsewhere(
        "load.read_elsewhere", "reads", members, figures.reads, readers, language
    )


def _writes(members: Sequence[Member], figures: Figures, language: str) -> list[Finding]:
    primaries = {one.server_uuid for one in members if one.role == "primary"}
    return _elsewhere(
        "load.write_elsewhere", "writes", members, figures.writes, primaries, language
    )


def _elsewhere(
    code: str,
    what: str,
    members: Sequence[Member],
    counts: Mapping[str, int],
    allowed: set[str],
    language: str,
) -> list[Finding]:
    """Return a finding for each server that answered and should not have."""
    names = {one.server_uuid: one.name for one in members}
    total = sum(counts.values())
    return [
        catalogue.finding(
            code,
            subject=names.get(uuid, uuid),
            proof=[
                _counted(what, f"{names.get(uuid, ANYWHERE)} (server_uuid {uuid})", count, total)
            ],
            language=language,
        )
        for uuid, count in sorted(counts.items())
        if uuid not in allowed
    ]


def _counted(what: str, name: str, count: int, total: int) -> str:
    return f"{count} of {total} {what} answered by {name} ({count / total:.1%})"
