# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another instance becomes primary: the steps there. Pure.

The plan is made from what is, not from where an earlier run stopped: each thing that holds already
gets no step, so that an interrupted run is finished by the same one again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from ..finding import CollectionError
from ..plan import Plan, Step
from . import replication_plan, semisync
from .connection import Connection
from .dialect import OPTIONS, has, statement
from .replication import Setting, State
from .replication_options import FOLLOWED_WITH
from .replication_plan import OPTION_OF
from .semisync import Semisync
from .switchover import CHANNEL, Cluster, Member, Wanted, handed_over, reference

# Each member's own: where its source is, and how far it stays behind on purpose.
OWN = frozenset({"host", "port", "delay"})
# What the old primary takes over from the new one's channel before that is dropped: all else.
INHERITED = tuple(name for name in OPTION_OF if name not in OWN)


class Hands(Protocol):
    """What carries the steps out; the plan only says when."""

    def run(self, name: str, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute a statement on a member."""

    def close(self, name: str, steps: Sequence[Step[State]]) -> None:
        """Do the steps that close a member to writes."""

    def fence(self, name: str) -> None:
        """End a member that does not answer, and let nothing start it again."""

    def catch_up(self, name: str, source: str | None) -> None:
        """Wait until a member has all that its source executed, or all that it received."""

    def open(self, step: Step[State]) -> None:
        """Do a step after which the new primary may have been written to."""

    def lead_writes(self, name: str) -> None:
        """Lead clients that write to a member."""

    def lead_reads(self, name: str, on: bool) -> None:
        """Lead clients that read to a member, or no longer."""

    def install(self, name: str, work: Callable[[], None], *, needed: bool) -> None:
        """Load a side of semi-synchronous replication; do without it where nothing else can be done."""

    def switch_side(self, name: str, work: Callable[[], None]) -> None:
        """Turn a side on or off, unless its plugin could not be loaded."""

    def attempt(self, name: str, work: Callable[[], None]) -> None:
        """Do something to a member; where it fails, leave that member and go on with the others."""

    def follow(self, name: str, target: str, begin: Callable[[], None]) -> None:
        """Begin to let a member follow the new primary, and wait until it does."""

    def end_sessions(self, name: str) -> None:
        """End the sessions of clients on a member."""


def plan(cluster: Cluster, wanted: Wanted, hands: Hands) -> Plan[Cluster]:
    """Return the steps that make the wanted member primary; nothing is touched.

    The causes must have allowed it: this asks no more whether it is wise.
    """
    # Where that fails, nothing else has been touched.
    steps = _Planner(cluster, wanted, hands).installing()
    planner = _Planner(Plan(cluster, tuple(steps)).after(), wanted, hands)
    joins = [member for member in planner.cluster.members if planner.joins(member)]
    first = planner.acknowledging(joins)
    steps += planner.fencing()
    steps += planner.closing()
    steps += planner.catching_up()
    steps += planner.leaving()
    for member in first:
        steps += planner.joining(member)
    steps += planner.opening()
    steps += planner.leading()
    for member in joins:
        if member not in first:
            steps += planner.joining(member)
    steps += planner.labelling()
    steps += planner.ending_sessions()
    return Plan(cluster, tuple(steps))


@dataclass(frozen=True)
class _Planner:
    cluster: Cluster
    wanted: Wanted
    hands: Hands

    @property
    def target(self) -> Member:
        found = self.cluster.member(self.wanted.target)
        if found is None or found.state is None:
            raise CollectionError(f"{self.wanted.target} does not answer: it cannot be primary")
        return found

    @property
    def feeder(self) -> Member | None:
        """Whom the new primary follows until it has everything; nobody where that one is lost."""
        return self.cluster.feeder(self.target) if self.wanted.mode == "planned" else None

    def step(
        self,
        name: str,
        said: str,
        reason: str,
        effect: Callable[[Cluster], Cluster],
        execute: Callable[[], None],
    ) -> Step[Cluster]:
        return Step(f"{name}: {said}" if name else said, reason, effect, execute)

    def lifted(
        self, name: str, step: Step[State], execute: Callable[[], None] | None = None
    ) -> Step[Cluster]:
        """Return a step of one instance as a step of the cluster."""
        return self.step(
            name,
            step.statement,
            step.reason,
            lambda cluster: cluster.with_state(name, step.effect),
            execute or step.execute,
        )

    def of(
        self, member: Member, state: State, wanted: replication_plan.Wanted
    ) -> tuple[Step[State], ...]:
        """Return the steps of one instance, carried out by our hands."""
        sender = cast(Connection, _Sender(self.hands, member.name))
        return replication_plan.plan(state, wanted, sender).steps

    def fencing(self) -> list[Step[Cluster]]:
        """Return the step after which an old primary that does not answer takes no write either."""
        old = self.cluster.member(self.cluster.primary)
        if self.wanted.mode != "lost" or not self.wanted.fence or old is None:
            return []
        if old.state is not None or old.name not in (self.cluster.supervised or ()):
            return []

        def effect(cluster: Cluster) -> Cluster:
            kept = (cluster.supervised or frozenset()) - {old.name}
            return replace(cluster, supervised=kept)

        reason = "it may run on where nobody of us reaches it, with clients that write there"
        said = "Deployment: replicas -> 0"
        return [self.step(old.name, said, reason, effect, lambda: self.hands.fence(old.name))]

    def closing(self) -> list[Step[Cluster]]:
        """Return the steps that end writes wherever they go to another than the new primary."""
        steps: list[Step[Cluster]] = []
        for member in self.cluster.members:
            if member.name == self.target.name or member.name in self.wanted.left_out:
                continue
            if member.state is None or not self._closable(member):
                continue
            steps += self._closing(member, member.state)
        return steps

    def _closable(self, member: Member) -> bool:
        return member.channel is None or member.open or member.name == self.cluster.primary

    def _closing(self, member: Member, state: State) -> list[Step[Cluster]]:
        # Without its channels: whether it follows somebody is not asked here.
        bare = replace(state, channels=())
        made = self.of(member, bare, replication_plan.Wanted("detached", read_only=True))
        if not made:
            return []
        words = "; ".join(step.statement for step in made)

        def effect(cluster: Cluster) -> Cluster:
            for step in made:
                cluster = cluster.with_state(member.name, step.effect)
            return cluster

        reason = "no write from here on that the new primary might miss"
        name = member.name
        return [self.step(name, words, reason, effect, lambda: self.hands.close(name, made))]

    def catching_up(self) -> list[Step[Cluster]]:
        """Return the steps after which the new primary has executed all that there is."""
        target, feeder = self.target, self.feeder
        channel = target.channel
        if channel is None or handed_over(target, feeder):
            return []
        name = target.name
        steps: list[Step[Cluster]] = []
        if feeder is None and channel.receiver != "stopped":
            steps.append(
                self._channel_step(target, "stop_receiver", "its source is gone", "stopped", None)
            )
        if channel.applier == "stopped":
            why = "what it received is to be applied"
            steps.append(self._channel_step(target, "start_applier", why, None, "running"))
        if feeder is not None and channel.receiver == "stopped":
            why = "what is missing is to be received"
            steps.append(self._channel_step(target, "start_receiver", why, "running", None))
        source = feeder.name if feeder else None
        known = reference(self.cluster, target, self.wanted.mode)
        if source is None and target.executed.contains(known):
            return steps
        what = f"everything that {source} executed" if source else "everything that it received"

        def effect(cluster: Cluster) -> Cluster:
            return cluster.with_state(name, lambda state: replace(state, gtid_executed=str(known)))

        return [
            *steps,
            self.step(
                name,
                f"WAIT_FOR_EXECUTED_GTID_SET({what})",
                "nothing that was acknowledged is left behind"
                if source
                else "what its relay log holds is not lost",
                effect,
                lambda: self.hands.catch_up(name, source),
            ),
        ]

    def _channel_step(
        self, member: Member, name: str, reason: str, receiver: Any, applier: Any
    ) -> Step[Cluster]:
        words = statement(name, self._state(member).server.version)
        sql = f"{words} FOR CHANNEL %s"

        def effect(state: State) -> State:
            channel = state.channel(CHANNEL)
            if channel is None:
                return state
            changed = replace(
                channel,
                receiver=receiver or channel.receiver,
                applier=applier or channel.applier,
            )
            return state.with_channel(changed)

        return self.step(
            member.name,
            f"{words} FOR CHANNEL '{CHANNEL}'",
            reason,
            lambda cluster: cluster.with_state(member.name, effect),
            lambda: _ran(self.hands.run(member.name, sql, (CHANNEL,))),
        )

    def leaving(self) -> list[Step[Cluster]]:
        """Return the steps after which the new primary follows nobody, and opens only later."""
        target = self.target
        made = self.of(target, self._state(target), replication_plan.Wanted("promoted"))
        return [
            *(self.lifted(target.name, step) for step in made),
            # Its first commit is to be acknowledged by a replica already.
            *self.semisync(target, "source"),
        ]

    def acknowledging(self, joins: Sequence[Member]) -> Sequence[Member]:
        """Return who follows before the new primary takes writes, one or nobody.

        Semi-synchronously its commits wait for a replica, and what waits for those waits too.
        Where replicas find it by a Service nobody can: that leads there once it takes writes.
        """
        if not self.semisynchronous or self.cluster.reads is not None:
            return ()
        return sorted(joins, key=lambda each: each.channel is None)[:1]

    def opening(self) -> list[Step[Cluster]]:
        """Return the steps that let the new primary take writes."""
        bare = replace(self._state(self.target), channels=())
        wanted = replication_plan.Wanted("promoted", read_only=False)
        return [self._opening(step) for step in self.of(self.target, bare, wanted)]

    def _opening(self, step: Step[State]) -> Step[Cluster]:
        name, led = self.target.name, self.cluster.reads is not None
        lifted = self.lifted(name, step, lambda: self.hands.open(step))

        def effect(cluster: Cluster) -> Cluster:
            after = lifted.effect(cluster)
            opened = after.member(name)
            # Where a Service says who is primary, it is so once that Service was changed.
            return after if led or not (opened and opened.open) else replace(after, primary=name)

        return replace(lifted, effect=effect)

    def leading(self) -> list[Step[Cluster]]:
        """Return the step that leads writes to the new primary."""
        name = self.target.name
        if self.cluster.primary == name or self.cluster.reads is None:
            return []

        def effect(cluster: Cluster) -> Cluster:
            return replace(cluster, primary=name)

        said = f"Service for writes: selector -> {name}"
        reason = "clients that write find the new primary by the Service"
        return [self.step("", said, reason, effect, lambda: self.hands.lead_writes(name))]

    def labelling(self) -> list[Step[Cluster]]:
        """Return the steps that lead reads to all but the primary, or to it where it is alone."""
        if self.cluster.reads is None:
            return []
        steps = []
        alone = not any(self.joins(member) for member in self.cluster.members)
        for member in self.cluster.members:
            on = alone if member.name == self.target.name else self.joins(member)
            if (member.name in self.cluster.reads) == on or member.state is None:
                continue
            steps.append(self._label(member.name, on))
        # Those that are added come first: reads lead to somebody all the time.
        return sorted(steps, key=lambda step: step.statement.endswith("no"))

    def _label(self, name: str, on: bool) -> Step[Cluster]:
        def effect(cluster: Cluster) -> Cluster:
            reads = (cluster.reads or frozenset()) - {name}
            return replace(cluster, reads=reads | {name} if on else reads)

        said = f"label of its running Pod: reads -> {'yes' if on else 'no'}"
        reason = "a replica is read from" if on else "the primary is not read from"
        return self.step(name, said, reason, effect, lambda: self.hands.lead_reads(name, on))

    def joins(self, member: Member) -> bool:
        """Whether a member is to follow the new primary."""
        away = member.name in self.wanted.left_out or member.state is None
        return not away and member.name != self.target.name

    def joining(self, member: Member) -> list[Step[Cluster]]:
        """Return the steps that let a member follow the new primary, and hold up nobody else."""
        return [self._attempted(member, step) for step in self._joining(member)]

    def _attempted(self, member: Member, step: Step[Cluster]) -> Step[Cluster]:
        return replace(step, execute=lambda: self.hands.attempt(member.name, step.execute))

    def _joining(self, member: Member) -> list[Step[Cluster]]:
        target, state = self.target, self._state(member)
        steps = self.semisync(member, "replica")
        wanted = replication_plan.Wanted(
            "following",
            settings=self._settings(member),
            password=self.wanted.password,
            read_only=True,
        )
        if self._closable(member):
            # The plan closed it before: its state here is the one after that.
            state = replace(
                state,
                read_only=True,
                super_read_only=True,
                persisted=("read_only", "super_read_only"),
            )
        made = self.of(member, state, wanted)
        folded = Plan(state, made).after()
        lifted = [self.lifted(member.name, step) for step in made]
        if folded.channel(CHANNEL) != member.channel:
            # Its threads start last.
            return [*steps, *lifted[:-1], self._following(member, lifted[-1])]
        if steps or self.cluster.feeder(member) != target:
            return [*steps, *lifted, *self._reconnecting(member)]
        return lifted

    def _reconnecting(self, member: Member) -> list[Step[Cluster]]:
        why = "connect anew, so that the name leads to the new primary"
        stop = self._channel_step(member, "stop_receiver", why, "stopped", None)
        start = self._channel_step(member, "start_receiver", why, "running", None)
        return [stop, self._following(member, start)]

    def _following(self, member: Member, step: Step[Cluster]) -> Step[Cluster]:
        """Return a channel's last step, which also waits until it follows the new primary."""
        uuid = self.target.uuid

        def effect(cluster: Cluster) -> Cluster:
            def of_target(state: State) -> State:
                channel = state.channel(CHANNEL)
                return state.with_channel(replace(channel, source_uuid=uuid)) if channel else state

            return step.effect(cluster).with_state(member.name, of_target)

        return replace(
            step,
            effect=effect,
            execute=lambda: self.hands.follow(member.name, self.target.name, step.execute),
        )

    def _settings(self, member: Member) -> dict[str, Setting]:
        target = self.target
        place: dict[str, Setting] = {"host": target.host, "port": target.port}
        if member.channel is not None:
            return {**place, "auto_position": True}
        model = target.channel or next(
            (each.channel for each in self.cluster.members if each.channel), None
        )
        held, version = model.settings if model else {}, self._state(member).server.version
        # An option that is off is said too: a server's default may be on. What a source is followed with
        # anyway stays on.
        inherited = {
            key: held[key]
            for key in INHERITED
            if held.get(key) not in ("", None)
            and (held[key] or key not in FOLLOWED_WITH)
            and has(OPTIONS, OPTION_OF[key], version)
        }
        return {**FOLLOWED_WITH, **inherited, **self.wanted.settings, **place}

    @property
    def semisynchronous(self) -> bool:
        """Whether commits of the cluster wait for a replica."""
        return any(each.semisync and each.semisync.on for each in self.cluster.members)

    def installing(self) -> list[Step[Cluster]]:
        """Return the steps that give members the side which they are to play and do not have.

        The usual set-up gives each server its own side alone: exchanged, nobody would have one.
        """
        if not self.semisynchronous:
            return []
        joins = [member for member in self.cluster.members if self.joins(member)]
        known = [member for member in joins if member.semisync and member.semisync.installed]
        old = [member for member in joins if member.name == self.cluster.primary]
        # Who never took part stays apart, unless nobody else is there to acknowledge.
        steps = self._installing(self.target, "source")
        for member in joins:
            if member in known + old or not known + old:
                steps += self._installing(member, "replica")
        return steps

    def _installing(self, member: Member, side: str) -> list[Step[Cluster]]:
        held, name = member.semisync, member.name
        if held is None:
            return []
        needed = self.wanted.mode == "planned"
        closed = self._state(member).super_read_only
        made = semisync.installing(held, [side], self._sending(name), closed)

        def lift(step: Step[Semisync]) -> Step[Cluster]:
            return self._of_side(
                member, step, lambda: self.hands.install(name, step.execute, needed=needed)
            )

        return [lift(step) for step in made]

    def _sending(self, name: str) -> semisync.Run:
        return lambda sql: _ran(self.hands.run(name, sql))

    def _of_side(
        self, member: Member, step: Step[Semisync], work: Callable[[], None]
    ) -> Step[Cluster]:
        def changed(each: Member) -> Member:
            return replace(each, semisync=step.effect(each.semisync)) if each.semisync else each

        return self.step(
            member.name,
            step.statement,
            step.reason,
            lambda cluster: cluster.with_member(member.name, changed),
            work,
        )

    def semisync(self, member: Member, role: semisync.Role) -> list[Step[Cluster]]:
        """Return the steps that give a member its side, where the cluster is semi-synchronous."""
        held = member.semisync
        if held is None or not self.semisynchronous:
            return []
        timeouts = [
            each.semisync.timeout
            for each in self.cluster.members
            if each.semisync and "source" in each.semisync.on
        ]
        made = semisync.plan(
            held,
            role,
            self._sending(member.name),
            timeout=timeouts[0] if timeouts else None,
            install=(),
        )

        def lift(step: Step[Semisync]) -> Step[Cluster]:
            return self._of_side(
                member, step, lambda: self.hands.switch_side(member.name, step.execute)
            )

        return [lift(step) for step in made.steps]

    def ending_sessions(self) -> list[Step[Cluster]]:
        """Return the step that sends clients of the old primary to find the new one."""
        old = self.cluster.member(self.cluster.primary)
        if not self.wanted.clients or old is None or not old.open or old.name == self.target.name:
            return []
        reason = "a client that keeps its connection would only meet refusals here"
        said = "KILL the sessions of clients"
        return [
            self.step(
                old.name,
                said,
                reason,
                lambda cluster: cluster,
                lambda: self.hands.end_sessions(old.name),
            )
        ]

    def _state(self, member: Member) -> State:
        if member.state is None:
            raise CollectionError(f"{member.name} does not answer: {member.unreachable}")
        return member.state


@dataclass(frozen=True)
class _Sender:
    """Stands for a member's connection where plans of one instance are made."""

    hands: Hands
    name: str

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self.hands.run(self.name, sql, params)


def _ran(_touched: int) -> None:
    """Forget how many rows a statement touched."""
