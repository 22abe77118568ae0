# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why an instance may not become primary, whom it must do without, and what that loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..finding import Finding, errors
from ..mysql import switchover
from ..mysql.gtid import GtidSet
from ..mysql.replication import State
from ..mysql.switchover import CHANNEL, Cluster, Member, Mode
from ..mysql.switchover_run import (
    BehindError,
    Failure,
    HeldError,
    NoLibraryError,
    SourceLostError,
)
from . import replication
from .catalogue import finding
from .replication import shortened


@dataclass(frozen=True)
class Asked:
    """What a switchover is asked for. timeout: seconds that writes may stand still.

    heard: replicas that hear a primary which does not answer us. fenced: whether a primary that
    does not answer is ended before another one takes over.
    """

    mode: Mode
    target: str
    timeout: float
    force: bool = False
    accept_loss: bool = False
    heard: tuple[str, ...] = ()
    language: str = "en"
    fenced: bool = False

    def found(self, code: str, subject: str, *proof: str, **facts: object) -> Finding:
        """Return a finding of a cause."""
        return finding(code, subject=subject, proof=proof, language=self.language, **facts)


def nobody(cluster: Cluster, asked: Asked) -> list[Finding]:
    """Return why nobody can become primary: what is wrong with the primary, else each one's reason."""
    found = list(_primary(cluster, asked))
    if found:
        return found
    proof = [f"{member.name}: {_unfit(cluster, member, asked)}" for member in cluster.members]
    return [asked.found("switchover.no_candidate", ", ".join(cluster.names()), *proof)]


def explain(cluster: Cluster, asked: Asked) -> list[Finding]:
    """Return what forbids it (errors), and what it does without or loses (warnings)."""
    target = cluster.member(asked.target)
    found = list(_primary(cluster, asked))
    if target is None or target.state is None:
        said = target.unreachable if target else "it is none of the instances"
        return [*found, asked.found("switchover.target_unreachable", asked.target, said)]
    found += _target(cluster, target, target.state, asked)
    for member in cluster.members:
        if member.name != target.name:
            found += _other(cluster, member, target, asked)
    return found


def _alive(cluster: Cluster, asked: Asked) -> Iterator[Finding]:
    """Yield that the primary need not be taken over from."""
    primary = cluster.member(cluster.primary)
    if primary is None or asked.force or primary.name == asked.target:
        return
    if primary.state is not None:
        proof = [f"{primary.name} answers: @@server_uuid = {primary.uuid}"]
    else:
        proof = [f"{name} still receives from it" for name in asked.heard]
        proof += [primary.unreachable] if proof else []
    if proof:
        yield asked.found("switchover.primary_alive", primary.name, *proof)


def left_out(cluster: Cluster, asked: Asked) -> frozenset[str]:
    """Return the members that a failover does without, though they answer."""
    target = cluster.member(asked.target)
    if target is None or target.state is None:
        return frozenset()
    others = [member for member in cluster.members if member.name != target.name]
    return frozenset(
        member.name
        for member in others
        if member.state and _joining(cluster, member, target, asked)
    )


def stopped_by(error: Exception, cluster: Cluster, asked: Asked) -> list[Finding]:
    """Return why a switchover stopped in the middle; empty where the error explains itself."""
    if isinstance(error, BehindError):
        proof = f"not applied: {shortened(error.missing)}"
        facts = {"count": error.missing.count, "seconds": f"{asked.timeout:g}"}
        return [asked.found("switchover.target_behind", error.name, proof, **facts)]
    if isinstance(error, HeldError):
        seconds = f"{asked.timeout:g}"
        code = "switchover.writers_hold"
        return [asked.found(code, error.name, error.message, seconds=seconds)]
    if isinstance(error, NoLibraryError):
        return [asked.found("replication.semisync_missing", error.name, error.reason)]
    if isinstance(error, SourceLostError):
        missing = error.missing
        seen = [error.message]
        seen += [f"not received: {shortened(missing)}"] if missing else []
        facts = {"target": asked.target, "count": missing.count if missing else "an unknown number"}
        return [asked.found("switchover.primary_lost_midway", error.source, *seen, **facts)]
    return []


def remains(facts: Mapping[str, str], primary: str, asked: Asked) -> list[Finding]:
    """Return that the old primary was told to end and may still run."""
    if not facts:
        return []
    seen = f"Pod {facts['pod']} is still there; node {facts['node']}: Ready {facts['ready']}"
    return [asked.found("switchover.pod_remains", primary, seen, **facts)]


def unacknowledged(without: Mapping[str, str], asked: Asked) -> list[Finding]:
    """Return who plays no side of semi-synchronous replication, though the cluster has it.

    without: what each of their servers answered.
    """
    code = "replication.semisync_missing"
    found = [asked.found(code, name, reason) for name, reason in without.items()]
    return [replace(each, severity="warning") for each in found]


def behind(failures: Sequence[Failure], after: State | None, asked: Asked) -> list[Finding]:
    """Return why members that were told to follow the new primary do not.

    after: the new primary as it is now.
    """
    found: list[Finding] = []
    for failure in failures:
        if failure.state is None:
            code = "switchover.left_out"
            found.append(asked.found(code, failure.name, failure.reason, target=asked.target))
            continue
        case = replication.Case(failure.name, failure.state, CHANNEL, after, asked.language)
        said = errors(replication.explain(case))
        if not said:
            proof = failure.reason
            said = [asked.found("switchover.left_out", failure.name, proof, target=asked.target)]
        if asked.mode == "lost":
            said = [replace(each, severity="warning") for each in said]
        found += said
    return found


def _primary(cluster: Cluster, asked: Asked) -> Iterator[Finding]:
    primary = cluster.member(cluster.primary)
    if primary is None:
        if asked.mode == "planned":
            names = ", ".join(cluster.names())
            yield asked.found("switchover.primary_unknown", names, "none of them takes writes")
        return
    begun = switchover.unfinished(cluster)
    # To open the primary again is fine, as long as the one that was begun has not been written to.
    back = begun is not None and begun.closed and primary.name == asked.target
    if begun is not None and begun.name != asked.target and not back:
        proof = f"{begun.name} follows nobody and has all that the others have"
        yield asked.found("switchover.unfinished", begun.name, proof)
    if asked.mode == "lost":
        yield from _alive(cluster, asked)
    elif primary.state is None and begun is None and primary.name != asked.target:
        yield asked.found("switchover.primary_unreachable", primary.name, primary.unreachable)


def _target(cluster: Cluster, target: Member, state: State, asked: Asked) -> Iterator[Finding]:
    name, channel = target.name, target.channel
    case = replication.Case(name, state, CHANNEL, None, asked.language)
    if state.gtid_mode != "ON":
        proof = f"{name}: @@gtid_mode = {state.gtid_mode}"
        yield case.finding("replication.gtid_off", proof, gtid_mode=state.gtid_mode)
    if channel is None:
        # Somebody follows it: it is primary already, whatever it is said to be.
        led = any(cluster.feeder(member) == target for member in cluster.members)
        known = name == cluster.primary or target == switchover.unfinished(cluster)
        if not known and not (asked.mode == "lost" and led):
            yield _elsewhere(cluster, target, asked, "it follows nobody")
        return
    if target.delayed:
        delay = channel.settings.get("delay")
        proof = f"replication_applier_configuration: DESIRED_DELAY = {delay}"
        yield asked.found("switchover.target_delayed", name, proof, delay=delay)
    if asked.mode == "lost":
        for each in replication.explain(case):
            if each.code == "replication.applier_error":
                yield each
        return
    yield from _follows(cluster, target, case, asked)


def _follows(
    cluster: Cluster, target: Member, case: replication.Case, asked: Asked
) -> Iterator[Finding]:
    """Yield why the target cannot get all that the old primary wrote."""
    feeder, channel = cluster.feeder(target), target.channel
    if channel is None:
        return
    expected = target.name == cluster.primary or (feeder and feeder.name == cluster.primary)
    if feeder is None or not expected:
        primary = cluster.member(cluster.primary)
        if primary is not None and primary.state is None and primary.name != target.name:
            return
        held = f"{channel.settings.get('host')}:{channel.settings.get('port')}"
        proof = f"it follows {held}, server_uuid {channel.source_uuid or 'never seen'}"
        yield _elsewhere(cluster, target, asked, proof)
        return
    wrong = errors(replication.explain(replace(case, source=feeder.state)))
    if switchover.handed_over(target, feeder):
        # An interrupted run: its threads may have been stopped for good by then.
        wrong = [each for each in wrong if each.code == "replication.errant"]
    yield from wrong
    lag = channel.lag_seconds
    if lag is not None and lag > asked.timeout:
        facts = {"lag": lag, "seconds": f"{asked.timeout:g}"}
        proof = f"SHOW REPLICA STATUS of {target.name}: {lag} s behind"
        yield asked.found("switchover.target_lags", target.name, proof, **facts)


def _elsewhere(cluster: Cluster, target: Member, asked: Asked, proof: str) -> Finding:
    code, primary = "switchover.target_elsewhere", cluster.primary
    return asked.found(code, target.name, proof, primary=primary)


def _other(cluster: Cluster, member: Member, target: Member, asked: Asked) -> Iterator[Finding]:
    """Yield what keeps another member from following the new primary."""
    if member.state is None:
        lost = asked.mode == "lost" and member.name == cluster.primary
        code = "switchover.loss_unknown" if lost else "switchover.left_out"
        yield asked.found(code, member.name, member.unreachable, target=target.name)
        if lost and not asked.fenced:
            yield asked.found("switchover.not_fenced", member.name, member.unreachable)
        return
    case = replication.Case(member.name, member.state, CHANNEL, target.state, asked.language)
    yield from replication.older(case)
    found = _joining(cluster, member, target, asked)
    if asked.mode == "planned":
        yield from found
        return
    extra = switchover.ahead(cluster, target, asked.mode).get(member.name, GtidSet())
    if extra:
        yield _extra(cluster, member, target, extra, asked)
    for each in found:
        if each.code != "replication.errant":
            yield replace(each, severity="warning")


def _extra(
    cluster: Cluster, member: Member, target: Member, extra: GtidSet, asked: Asked
) -> Finding:
    """Return what becomes of transactions that a member has and the new primary lacks."""
    survivor = member.channel is not None and member.name != cluster.primary
    proof = f"only on {member.name}: {extra}"
    if survivor and not asked.accept_loss:
        facts = {"other": member.name, "count": extra.count}
        return asked.found("switchover.survivor_ahead", target.name, proof, **facts)
    facts = {"target": target.name, "count": extra.count}
    return asked.found("switchover.lost", member.name, proof, **facts)


def _joining(cluster: Cluster, member: Member, target: Member, asked: Asked) -> list[Finding]:
    """Return why a member that answers cannot follow the new primary, as it will be by then."""
    if member.state is None or target.state is None:
        return []
    known = switchover.reference(cluster, target, asked.mode)
    # In a failover what it received counts too: its applier goes on while its source changes.
    has = member.received if asked.mode == "lost" else member.executed
    source = replace(target.state, gtid_executed=str(known), channels=())
    mine = replace(member.state, gtid_executed=str(has))
    case = replication.Case(member.name, mine, CHANNEL, source, asked.language)
    return errors(replication.before_joining(case, auto_position=True))


def _unfit(cluster: Cluster, member: Member, asked: Asked) -> str:
    """Return in a few words why a member does not become primary without being named."""
    if member.name == cluster.primary:
        return "is the primary"
    state, channel = member.state, member.channel
    if state is None:
        return member.unreachable
    if channel is None:
        return "follows nobody"
    if member.delayed:
        return f"stays {channel.settings.get('delay')} s behind on purpose"
    if state.gtid_mode != "ON" or not state.log_bin:
        return f"gtid_mode {state.gtid_mode}, log_bin {'ON' if state.log_bin else 'OFF'}"
    if channel.applier_errors:
        return f"its applier stopped: {channel.applier_errors[0].message}"
    threads = f"receiver {channel.receiver}, applier {channel.applier}"
    return threads if asked.mode == "planned" else "fit"
