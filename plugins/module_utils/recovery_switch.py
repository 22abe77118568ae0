# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recovered volume becomes the data of the primary: the steps there. Pure.

The plan is made from what is, not from where an earlier run stopped: each thing that holds already
gets no step. No claim is deleted. Every instance moves to a claim of the recovery's generation; the ones
that it leaves keep their data, and what was executed on them is noted on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from .kube.generations import Claim
from .mysql.gtid import GtidSet
from .plan import Plan, Step

RECOVERY = "mysql-recovery"
OURS = "mysql"


@dataclass(frozen=True)
class Instance:
    """One instance. mounts: the claim of its Deployment. used: claims that its Pods have, ending or not.

    executed: empty where it does not answer. closed: whether it takes no writes, also after a restart;
    None where it does not answer.
    """

    name: str
    mounts: str
    used: frozenset[str] = frozenset()
    executed: str = ""
    closed: bool | None = None


@dataclass(frozen=True)
class Seen:
    """The cluster and the recovery beside it. primary: who writes go to.

    scratch: the claim of the recovery that was not switched to yet, empty where there is none.
    recovered: what it has executed, empty where that was not looked at. pod: whether its Pod is there.
    """

    cluster: str
    primary: str
    instances: tuple[Instance, ...]
    claims: Mapping[str, Claim] = field(default_factory=dict)
    scratch: str = ""
    recovered: str = ""
    pod: bool = False

    def instance(self, name: str) -> Instance | None:
        """Return an instance by name, None where there is none."""
        return next((each for each in self.instances if each.name == name), None)

    def target(self, instance: Instance) -> str:
        """Return the claim that an instance has in the end."""
        if instance.name == self.primary:
            return self.scratch
        return f"{instance.name}-{self.scratch.removeprefix(f'{self.cluster}-')}"

    def moved(self, instance: Instance) -> bool:
        """Whether an instance mounts the claim that it has in the end."""
        return instance.mounts == self.target(instance)

    def with_claim(self, name: str, change: Callable[[Claim], Claim]) -> Seen:
        """Return the cluster with one claim changed, or made."""
        changed = change(self.claims.get(name) or Claim(name))
        return replace(self, claims={**self.claims, name: changed})

    def with_instance(self, name: str, change: Callable[[Instance], Instance]) -> Seen:
        """Return the cluster with one instance changed."""
        changed = tuple(change(each) if each.name == name else each for each in self.instances)
        return replace(self, instances=changed)


class Hands(Protocol):
    """What carries the steps out; the plan only says when."""

    def begin(self, name: str, recovered: str) -> None:
        """Note on the recovered claim whose data it is to be, and what it has."""

    def hand_over(self, name: str) -> None:
        """End the scratch instance, and make the root of its volume a data directory."""

    def remove_pod(self) -> None:
        """Remove the Pod of the recovery; its claim stays."""

    def close(self, name: str) -> None:
        """End writes on an instance, for good."""

    def note(self, name: str, claim: str) -> None:
        """Note on a claim what its instance has executed."""

    def create(self, name: str, claim: str) -> None:
        """Make an empty claim for an instance."""

    def own(self, name: str, claim: str) -> None:
        """Label a claim as an instance's."""

    def move(self, name: str, claim: str) -> None:
        """Let an instance's Deployment mount a claim."""

    def leave(self, name: str) -> None:
        """Wait until no Pod of an instance has another claim than its Deployment."""

    def retire(self, name: str, claim: str) -> None:
        """Label a claim as one that an instance had."""


def plan(seen: Seen, hands: Hands) -> Plan[Seen]:
    """Return the steps that make the recovered volume the primary's; nothing is touched."""
    if not seen.scratch:
        return Plan(seen)
    planner = _Planner(seen, hands)
    replicas = [each for each in seen.instances if each.name != seen.primary]
    primary = [each for each in seen.instances if each.name == seen.primary]
    steps = planner.beginning()
    # Replicas lose nothing that the closed primary does not have, and must not follow the new one as they
    # are: they would apply its transactions on top of what was left out.
    for each in primary:
        steps += planner.closing(each)
    for each in (*primary, *replicas):
        steps += planner.noting(each)
    steps += planner.handing_over()
    for each in (*replicas, *primary):
        steps += planner.moving(each)
    for each in seen.instances:
        steps += planner.retiring(each)
    return Plan(seen, tuple(steps))


def executed(seen: Seen) -> GtidSet:
    """Return what was executed on claims that are left, or will be. Pure."""
    found = GtidSet()
    for claim in seen.claims.values():
        if seen.scratch and claim.replaced_by == seen.scratch:
            found |= GtidSet.parse(claim.executed)
    for instance in seen.instances:
        if seen.scratch and not seen.moved(instance):
            found |= GtidSet.parse(instance.executed)
    return found


def lost(seen: Seen) -> GtidSet:
    """Return what of that was not recovered. Pure."""
    return executed(seen) - GtidSet.parse(seen.recovered)


def finished(claim: Claim) -> bool:
    """Whether a claim of a recovery is done with: it is a cluster's as any other."""
    return claim.purpose != RECOVERY


@dataclass(frozen=True)
class _Planner:
    seen: Seen
    hands: Hands

    def beginning(self) -> list[Step[Seen]]:
        """Return the step after which the recovery cannot be abandoned any more."""
        seen, claim = self.seen, self.seen.claims[self.seen.scratch]
        if claim.recovered and claim.takes_over == seen.primary:
            return []
        return [
            Step(
                f"label claim {claim.name}: it takes over from {seen.primary}",
                "nobody abandons it from here on, and a run that was ended is gone on with",
                lambda seen: seen.with_claim(
                    claim.name,
                    lambda claim: replace(claim, takes_over=seen.primary, recovered=seen.recovered),
                ),
                lambda: self.hands.begin(seen.primary, seen.recovered),
            )
        ]

    def handing_over(self) -> list[Step[Seen]]:
        """Return the steps after which the recovered volume is a data directory and in nobody's hands."""
        seen, steps = self.seen, []
        if not seen.claims[seen.scratch].handed_over:
            steps.append(
                Step(
                    f"claim {seen.scratch}: end the scratch instance, move its data to the root",
                    "it becomes a data directory as any other, with root's password of today",
                    lambda seen: seen.with_claim(
                        seen.scratch, lambda claim: replace(claim, handed_over=True)
                    ),
                    lambda: self.hands.hand_over(seen.primary),
                )
            )
        if seen.pod:
            steps.append(
                Step(
                    "delete the Pod of the recovery",
                    "two servers must never have one volume; the claim stays",
                    lambda seen: replace(seen, pod=False),
                    self.hands.remove_pod,
                )
            )
        return steps

    def closing(self, instance: Instance) -> list[Step[Seen]]:
        """Return the step that ends writes on the old primary."""
        if self.seen.moved(instance) or instance.closed is not False:
            return []
        name = instance.name
        return [
            Step(
                f"{name}: SET PERSIST read_only = ON; SET PERSIST super_read_only = ON",
                "no write from here on that would be lost without being named",
                lambda seen: seen.with_instance(name, lambda each: replace(each, closed=True)),
                lambda: self.hands.close(name),
            )
        ]

    def moving(self, instance: Instance) -> list[Step[Seen]]:
        """Return the steps after which an instance has its new claim."""
        seen, name, target = self.seen, instance.name, self.seen.target(instance)
        steps: list[Step[Seen]] = []
        claim = seen.claims.get(target)
        if claim is None:
            steps.append(
                Step(
                    f"create claim {target} for {name}",
                    "it is seeded from the recovered primary; what it has stays where it is",
                    lambda seen: seen.with_claim(
                        target, lambda claim: replace(claim, purpose=OURS, server=name)
                    ),
                    lambda: self.hands.create(name, target),
                )
            )
        elif claim.server != name:
            steps.append(
                Step(
                    f"label claim {target}: it is {name}'s",
                    "from here on everybody finds the recovered volume as the primary's",
                    lambda seen: seen.with_claim(target, lambda claim: replace(claim, server=name)),
                    lambda: self.hands.own(name, target),
                )
            )
        if not seen.moved(instance):
            steps.append(
                Step(
                    f"Deployment {name}: claim {instance.mounts} -> {target}",
                    "it starts on its new claim",
                    lambda seen: seen.with_instance(
                        name, lambda each: replace(each, mounts=target, executed="", closed=None)
                    ),
                    lambda: self.hands.move(name, target),
                )
            )
        if not seen.moved(instance) or instance.used - {target}:
            steps.append(
                Step(
                    f"{name}: wait until no Pod has another claim",
                    "no server with the data from before the recovery goes on",
                    lambda seen: seen.with_instance(
                        name, lambda each: replace(each, used=frozenset({target}))
                    ),
                    lambda: self.hands.leave(name),
                )
            )
        return steps

    def noting(self, instance: Instance) -> list[Step[Seen]]:
        """Return the step that writes down what an instance has executed; one that answers knows."""
        name, old, scratch = instance.name, instance.mounts, self.seen.scratch
        claim = self.seen.claims.get(old)
        if self.seen.moved(instance) or claim is None or instance.closed is None:
            return []
        if claim.replaced_by == scratch and claim.executed == instance.executed:
            return []
        return [
            Step(
                f"note on claim {old} what {name} has executed",
                "what is lost can be told by GTID, also when its server is gone",
                lambda seen: seen.with_claim(
                    old,
                    lambda claim: replace(claim, replaced_by=scratch, executed=instance.executed),
                ),
                lambda: self.hands.note(name, old),
            )
        ]

    def retiring(self, instance: Instance) -> list[Step[Seen]]:
        """Return the steps that say of claims that an instance had them."""
        seen, name = self.seen, instance.name
        target = seen.target(instance)
        return [
            self._retired(name, claim.name)
            for claim in seen.claims.values()
            if claim.server == name and claim.name != target
        ]

    def _retired(self, name: str, claim: str) -> Step[Seen]:
        scratch = self.seen.scratch
        return Step(
            f"label claim {claim}: {name} had it",
            "nothing that holds data is deleted, and nobody takes it up by mistake",
            lambda seen: seen.with_claim(
                claim, lambda one: replace(one, server="", retired=name, replaced_by=scratch)
            ),
            lambda: self.hands.retire(name, claim),
        )
