# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another instance becomes primary: what the cluster is like, and who that is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .gtid import GtidSet
from .replication import Channel, Setting, State
from .semisync import Semisync

Mode = Literal["planned", "lost"]

MODES: tuple[Mode, ...] = ("planned", "lost")
CHANNEL = ""


@dataclass(frozen=True)
class Member:
    """One instance. host, port: where replicas find it once it is primary.

    state: None where it did not answer; unreachable then says what was answered instead.
    """

    name: str
    host: str
    port: int
    state: State | None = None
    semisync: Semisync | None = None
    unreachable: str = ""

    @property
    def channel(self) -> Channel | None:
        """The channel that it follows by."""
        return self.state.channel(CHANNEL) if self.state else None

    @property
    def uuid(self) -> str:
        """Its server_uuid, empty where it did not answer."""
        return self.state.server.server_uuid if self.state else ""

    @property
    def executed(self) -> GtidSet:
        """What it has executed."""
        return GtidSet.parse(self.state.gtid_executed if self.state else "")

    @property
    def received(self) -> GtidSet:
        """What it has executed or holds in its relay log."""
        return self.executed | GtidSet.parse(self.channel.retrieved if self.channel else "")

    @property
    def open(self) -> bool:
        """Whether it takes writes."""
        return self.state is not None and not self.state.read_only

    @property
    def closed(self) -> bool:
        """Whether it answers and takes no writes."""
        return self.state is not None and self.state.read_only

    @property
    def delayed(self) -> bool:
        """Whether it stays behind on purpose."""
        return bool(self.channel and self.channel.settings.get("delay"))


@dataclass(frozen=True)
class Cluster:
    """The instances, and who is primary: empty where nobody is.

    reads: the members that clients are led to for reads; None where nothing leads clients.
    supervised: the members that something starts again when they end; None where nothing does.
    """

    primary: str
    members: tuple[Member, ...]
    reads: frozenset[str] | None = None
    supervised: frozenset[str] | None = None

    def member(self, name: str) -> Member | None:
        """Return a member by name, None where there is none."""
        return next((member for member in self.members if member.name == name), None)

    def names(self) -> list[str]:
        """Return the members' names, in order."""
        return [member.name for member in self.members]

    def of_uuid(self, uuid: str) -> Member | None:
        """Return the member with a server_uuid, None where none that answered has it."""
        return next((member for member in self.members if uuid and member.uuid == uuid), None)

    def feeder(self, member: Member) -> Member | None:
        """Return the member that another one follows, None where it follows none that answers."""
        return self.of_uuid(member.channel.source_uuid) if member.channel else None

    def with_member(self, name: str, change: Callable[[Member], Member]) -> Cluster:
        """Return the cluster with one member changed."""
        changed = tuple(change(each) if each.name == name else each for each in self.members)
        return replace(self, members=changed)

    def with_state(self, name: str, change: Callable[[State], State]) -> Cluster:
        """Return the cluster with the state of one member that answers changed."""

        def changed(member: Member) -> Member:
            return replace(member, state=change(member.state)) if member.state else member

        return self.with_member(name, changed)


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    settings, password: what the old primary follows with, beside what the replicas have.
    left_out: members that are not touched, since they cannot follow. clients: whether the sessions
    of clients on the old primary are ended. fence: whether an old primary that does not answer is
    ended by what supervises it.
    """

    mode: Mode
    target: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    left_out: frozenset[str] = frozenset()
    clients: bool = True
    fence: bool = True


def only_writer(members: Sequence[Member]) -> str:
    """Return the one that takes writes, else the one that most follow; empty where that is nobody."""
    writers = [member.name for member in members if member.open and member.channel is None]
    if len(writers) == 1:
        return writers[0]
    if writers:
        return ""
    sources = [member.channel.source_uuid for member in members if member.channel]
    followed = [member for member in members if member.uuid and member.uuid in sources]
    return max(followed, key=lambda each: sources.count(each.uuid)).name if followed else ""


def unfinished(cluster: Cluster) -> Member | None:
    """Return whom an interrupted run was making primary, None where there was none.

    The old primary, if it answers, is closed by then; the new one follows nobody any more and
    lacks nothing that another member has.
    """
    old = cluster.member(cluster.primary)
    if old is not None and old.open:
        return None
    known = GtidSet()
    for member in cluster.members:
        known |= member.received
    found = [
        member
        for member in cluster.members
        if member.name != cluster.primary
        and member.state is not None
        and member.channel is None
        and bool(member.executed)
        and member.executed.contains(known)
    ]
    return next((member for member in found if member.open), found[0] if found else None)


def stragglers(cluster: Cluster) -> list[Member]:
    """Return the members that answer and do not follow the primary, though it is open."""
    primary = cluster.member(cluster.primary)
    if primary is None or not primary.open:
        return []
    return [
        member
        for member in cluster.members
        if member.state is not None
        and member.name != primary.name
        and (member.channel is None or cluster.feeder(member) not in (None, primary))
    ]


def eligible(cluster: Cluster, member: Member, mode: Mode) -> bool:
    """Whether a member may become primary without being named."""
    state, channel = member.state, member.channel
    if state is None or channel is None or member.name == cluster.primary or member.delayed:
        return False
    if state.gtid_mode != "ON" or not state.log_bin or channel.applier_errors:
        return False
    if mode == "lost":
        return True
    primary = cluster.member(cluster.primary)
    return channel.following and primary is not None and cluster.feeder(member) == primary


def choose(cluster: Cluster, mode: Mode) -> str:
    """Return who is to become primary where nobody is named; empty where nobody can.

    A run that was interrupted is finished first: then it is whom that one had chosen. Otherwise
    it is who has received most, and of equals the one that has applied most, then the first.
    """
    begun = unfinished(cluster)
    if begun is not None:
        return begun.name
    if stragglers(cluster):
        return cluster.primary
    candidates = [member for member in cluster.members if eligible(cluster, member, mode)]
    if not candidates:
        return ""
    best = max(candidates, key=lambda each: (each.received.count, each.executed.count))
    return best.name


def handed_over(target: Member, feeder: Member | None) -> bool:
    """Whether the one that a member follows is closed already, and all of it is there."""
    return feeder is not None and feeder.closed and target.executed.contains(feeder.executed)


def reference(cluster: Cluster, target: Member, mode: Mode) -> GtidSet:
    """Return what the new primary will have executed when others join it.

    That is what it received and, in a planned switchover, what the one that it follows executed.
    """
    feeder = cluster.feeder(target) if mode == "planned" else None
    return target.received | (feeder.executed if feeder else GtidSet())


def ahead(cluster: Cluster, target: Member, mode: Mode) -> dict[str, GtidSet]:
    """Return what other members received and the new primary will lack, by name."""
    known = reference(cluster, target, mode)
    missing = {
        member.name: member.received - known
        for member in cluster.members
        if member.state is not None and member.name != target.name
    }
    return {name: gtids for name, gtids in missing.items() if gtids}


def shown(cluster: Cluster) -> dict[str, Any]:
    """Return what a switchover changes, flat, for diffs."""
    flat: dict[str, Any] = {"primary": cluster.primary}
    for member in cluster.members:
        name, channel = member.name, member.channel
        if cluster.supervised is not None:
            flat[f"{name} has a Pod"] = name in cluster.supervised
        if member.state is None:
            flat[f"{name} answers"] = False
            continue
        source = cluster.feeder(member)
        flat[f"{name} follows"] = source.name if source else ("another" if channel else "nobody")
        flat[f"{name} takes writes"] = member.open
        flat[f"{name} persisted"] = list(member.state.persisted)
        if channel:
            flat[f"{name} receiver"] = "stopped" if channel.receiver == "stopped" else "started"
        if cluster.reads is not None:
            flat[f"{name} reads"] = name in cluster.reads
        if member.semisync and member.semisync.installed:
            flat[f"{name} semisync"] = list(member.semisync.on)
    return flat
