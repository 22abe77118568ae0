# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a backup cannot be relied on; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..binlog.archive import BINLOGS, SIDECAR, Base
from ..binlog.backup import State
from ..finding import Finding, worst_first
from ..kube.drills import OK, Drills, moment
from ..kube.portforward import PodUnavailableError
from .catalogue import finding
from .kube import explain_target

# The archiver writes its status every few seconds at least.
STATUS_SECONDS = 60
HOUR = 3600
DAY = 24 * HOUR
# Where the role's Pods have the archive.
ROOT = "/archive"
# Days without a drill that succeeded.
DRILL_MAX_AGE = 30


@dataclass(frozen=True)
class Limits:
    """From when on something is a finding. Hours for bases and expiry, seconds for the archive."""

    base_max_age: int = 48
    expire_warning: int = 24
    behind: int = 5


def explain(state: State, limits: Limits, language: str = "en") -> list[Finding]:
    """Return the causes, worst first."""
    parts = (_archiver, _behind, _gaps, _bases, _damage, _expiry, _place)
    found = [one for part in parts for one in part(_Teller(state, language), limits)]
    return worst_first(found)


def absent(subject: str, error: PodUnavailableError, language: str = "en") -> list[Finding]:
    """Return why an archive cannot be read: no Pod of its archiver runs."""
    proof = [error.message]
    told = finding("backup.archiver_absent", subject=subject, proof=proof, language=language)
    return worst_first([told, *(explain_target(error, language) if error.pods else [])])


def explain_drills(drills: Drills, now: float, days: int, language: str = "en") -> list[Finding]:
    """Return what the drills of a cluster show. Where none was ever done nothing is missed."""
    if not drills.records:
        return []
    found: list[Finding] = []
    last, subject = drills.records[-1], drills.name.removesuffix("-drills")
    if last.get("result") != OK:
        proof = [f"{last['at']}: {last.get('message') or last.get('result')}"]
        found.append(
            finding("backup.drill_failed", subject=subject, proof=proof, language=language)
        )
    succeeded = drills.succeeded_at
    # Where none ever succeeded, it is since the first of those that are kept.
    since = moment(drills.records[0]) if succeeded is None else succeeded
    if now - since >= days * DAY:
        when = "never" if succeeded is None else f"{int(now - succeeded) // DAY} days ago"
        proof = [f"ConfigMap {drills.name}: the last drill that succeeded: {when}"]
        found.append(
            finding("backup.drill_old", subject=subject, proof=proof, language=language, days=days)
        )
    return found


@dataclass(frozen=True)
class _Teller:
    """Makes findings about one archive."""

    state: State
    language: str

    def tell(self, code: str, proof: list[str], subject: str = "", **facts: Any) -> Finding:
        return finding(
            code,
            subject=subject or self.state.subject,
            proof=proof,
            language=self.language,
            archiver=self.state.archiver,
            **facts,
        )


def _archiver(teller: _Teller, _limits: Limits) -> Iterator[Finding]:
    listing = teller.state.listing
    status, silent = listing.status, listing.now - listing.status.at
    if status.at and silent <= STATUS_SECONDS and status.state == "archiving":
        return
    if not status.at:
        proof = ["status.json: there is none"]
    else:
        said = f": {status.error}" if status.error else ""
        proof = [f"status.json: state {status.state or 'unknown'}{said}, written {silent} s ago"]
    yield teller.tell("backup.archiver_stopped", proof)


def _behind(teller: _Teller, limits: Limits) -> Iterator[Finding]:
    state = teller.state
    missing = state.unarchived
    seconds = state.behind_seconds
    if state.source is None or not missing or (seconds is not None and seconds <= limits.behind):
        return
    since = "never" if seconds is None else f"{seconds} s ago"
    proof = [
        f"{missing.count} transactions of {state.source.address} are not archived: {missing}",
        f"status.json: the archive had all {since}",
    ]
    yield teller.tell("backup.behind", proof, count=missing.count)


def _gaps(teller: _Teller, _limits: Limits) -> Iterator[Finding]:
    state = teller.state
    missing, usable = state.gaps, state.usable
    if usable:
        # From the newest base on there is no gap; nobody can do more about those before it.
        missing = missing - usable[-1].gtid_executed
    if missing:
        proof = [f"in no binary log of the archive, though later ones build on it: {missing}"]
        if state.source is not None and state.source.purged & missing:
            gone = state.source.purged & missing
            proof.append(f"{state.source.address} has purged: {gone}")
        yield teller.tell("backup.gap", proof, count=missing.count)
    foreign = state.listing.foreign
    if foreign:
        proof = [f"kept: {path}" for path in foreign]
        paths = " ".join(f"{ROOT}/{path}" for path in foreign)
        yield teller.tell("backup.other_history", proof, paths=paths)


def _bases(teller: _Teller, limits: Limits) -> Iterator[Finding]:
    state = teller.state
    bases = state.listing.archive.bases
    for base in bases:
        yield from _one_base(teller, base)
    usable = state.usable
    if not usable:
        known = ", ".join(base.id for base in bases) or "none at all"
        yield teller.tell("backup.none", [f"bases in the archive: {known}"])
        return
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=state.listing.now)
    age = int((now - usable[-1].ended).total_seconds()) // HOUR
    if age >= limits.base_max_age:
        proof = [f"the newest verified base is {usable[-1].id}, {age} hours old"]
        yield teller.tell("backup.base_old", proof, hours=limits.base_max_age)


def _one_base(teller: _Teller, base: Base) -> Iterator[Finding]:
    damage = teller.state.listing.damage_of(base)
    if damage or (base.verified and not base.usable):
        proof = damage or [f"verified at {base.verified_at}: {base.verified}"]
        path = f"{ROOT}/{base.path}"
        yield teller.tell("backup.base_corrupt", proof, subject=f"base {base.id}", path=path)
    elif not base.verified:
        proof = [f"{base.path}/manifest.json: verified says nothing"]
        state = teller.state
        facts = {
            "id": base.id,
            "namespace": state.namespace,
            "cluster": state.listing.archive.cluster,
            "job": f"verify-{base.id.lower()}",
        }
        yield teller.tell("backup.base_unverified", proof, subject=f"base {base.id}", **facts)


def _damage(teller: _Teller, _limits: Limits) -> Iterator[Finding]:
    for one in teller.state.listing.damaged:
        if one.document.startswith(f"{BINLOGS}/"):
            subject = one.document.removesuffix(SIDECAR)
            paths = f"{ROOT}/{one.path} {ROOT}/{one.document}"
            yield teller.tell("backup.binlog_corrupt", [one.what], subject=subject, paths=paths)


def _expiry(teller: _Teller, limits: Limits) -> Iterator[Finding]:
    state = teller.state
    if state.source is None or state.expires is None:
        return
    left = (state.expires - state.source.now) / HOUR
    if left <= limits.expire_warning:
        proof = [
            f"{state.source.address}: binlog_expire_logs_seconds is {state.source.expire}",
            f"the next binary log that the archive needs may be purged in {left:.1f} hours",
        ]
        yield teller.tell("backup.chain_expires", proof, hours=f"{max(left, 0):.1f}")


def _place(teller: _Teller, _limits: Limits) -> Iterator[Finding]:
    archiver, primary = teller.state.nodes
    if archiver and archiver == primary:
        proof = [f"archiver and primary run on node {primary}"]
        yield teller.tell("backup.same_node", proof, node=primary)
