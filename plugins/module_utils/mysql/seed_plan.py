# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps that give a replica its source's data, by clone, by dump, or by emptying it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from ..finding import CollectionError
from ..plan import Plan, Step
from .connection import Connection
from .dialect import quote_identifier, statement
from .gtid import GtidSet
from .replication import State
from .seed import MARKER, Facts, Method, Need
from .seed_clone import Donor, Session, clone, install_plugin
from .seed_copy import Copied, Wanted, copy

MASK = "********"


@dataclass(frozen=True)
class Seeding:
    """How one replica is seeded. donor: the source as the replica reaches it, for a clone.

    facts, source_facts: of the replica and of the source. seconds: how long a server may be away.
    without: what a copy leaves out, by kind and name. left: what stays behind, a line each.
    turn: held while the donor serves this one, which it does one at a time.
    """

    method: Method
    channel: str
    need: Need
    source_name: str
    donor: Donor | None = None
    facts: Facts = field(default_factory=Facts)
    source_facts: Facts = field(default_factory=Facts)
    login_user: str = "root"
    seconds: float = 300
    without: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()
    turn: AbstractContextManager[object] = field(default_factory=nullcontext, compare=False)


class Record:
    """What came of a plan's steps that cannot be known before.

    copied: by a dump. place: where the source's binary log goes on after it, by dump or clone.
    """

    def __init__(self) -> None:
        self.copied: Copied | None = None
        self.place: tuple[str, int | None] | None = None


@dataclass(frozen=True)
class _Planner:
    """Makes steps for a replica. session, source: None where the plan is not to be applied."""

    state: State
    source_state: State
    seeding: Seeding
    session: Session | None
    source: Callable[[], Connection] | None
    record: Record

    def step(
        self,
        sql: str,
        reason: str,
        effect: Callable[[State], State] = lambda state: state,
        execute: Callable[[], object] | None = None,
    ) -> Step[State]:
        """Return a step; without ``execute`` it sends its own text to the replica."""

        def run() -> None:
            if execute is not None:
                execute()
            else:
                self.replica.execute(sql)

        return Step(sql, reason, effect, run)

    @property
    def replica(self) -> Connection:
        """The replica's session as it is by now: a clone replaces it."""
        if self.session is None:
            raise CollectionError("This plan was made without a connection: it cannot be applied")
        return self.session.connection

    @property
    def version(self) -> tuple[int, int, int]:
        """Version of the replica."""
        return self.state.server.version

    def opened(self) -> Connection:
        """Return a new session of the source."""
        if self.source is None:
            raise CollectionError("This plan was made without a source: it cannot be applied")
        return self.source()


def plan(
    state: State,
    source_state: State,
    seeding: Seeding,
    session: Session | None = None,
    source: Callable[[], Connection] | None = None,
    record: Record | None = None,
) -> Plan[State]:
    """Return the steps that let the replica hold what its source does; nothing is touched.

    Raises CollectionError where another channel would lose its data.
    """
    others = [each.name for each in state.channels if each.name != seeding.channel]
    if others:
        raise CollectionError(
            f"seed: the replica has other channels too ({', '.join(others)}); what they brought"
            " would be lost: detach them first, or seed it by hand"
        )
    planner = _Planner(state, source_state, seeding, session, source, record or Record())
    steps = _standing(planner)
    if seeding.method == "clone":
        steps += _by_clone(planner)
    else:
        steps += _emptied(planner)
        if seeding.method == "dump" or source_state.gtid_purged:
            steps += _by_copy(planner)
        steps += _unmarked(planner)
    return Plan(state, tuple(steps))


def emptying_source(
    source_state: State, source_name: str, connection: Connection | None
) -> Plan[State]:
    """Return the steps that drop the source's own schemas, in its binary log as any other DROP."""

    def dropping(name: str) -> Step[State]:
        sql = f"DROP DATABASE IF EXISTS {quote_identifier(name)}"

        def run() -> None:
            if connection is None:
                raise CollectionError("This plan was made without a connection")
            connection.execute(sql)

        reason = f"{source_name} is to be empty before it is poured into again"
        return Step(f"{sql} -- on {source_name}", reason, _without(name), run)

    return Plan(source_state, tuple(dropping(name) for name in source_state.schemas))


def _standing(planner: _Planner) -> list[Step[State]]:
    """Return the steps that stop the channel and throw away what it received."""
    name = planner.seeding.channel
    channel = planner.state.channel(name)
    if channel is None:
        return []
    steps = []
    tail = f" FOR CHANNEL '{name}'"

    def on_channel(words: str, reason: str, effect: Callable[[State], State]) -> Step[State]:
        sql = statement(words, planner.version)

        def run() -> None:
            planner.replica.execute(f"{sql} FOR CHANNEL %s", (name,))

        return planner.step(f"{sql}{tail}", reason, effect, run)

    still = replace(channel, receiver="stopped", applier="stopped")
    if channel.receiver != "stopped" or channel.applier != "stopped":
        why = "the channel stands while the replica is seeded"
        steps.append(on_channel("stop_replica", why, lambda state: state.with_channel(still)))
    clean = replace(still, retrieved="", receiver_errno=0, receiver_error="", applier_errors=())
    why = "what was received belongs to the old data; the settings stay"
    steps.append(on_channel("reset_replica", why, lambda state: state.with_channel(clean)))
    return steps


def _writable(planner: _Planner) -> list[Step[State]]:
    if not planner.state.super_read_only:
        return []
    # Not persisted: what is persisted protects the instance again if this run is cut off.
    return [
        planner.step(
            "SET GLOBAL super_read_only = OFF",
            "seeding writes to the replica",
            lambda state: replace(state, super_read_only=False),
        )
    ]


def _emptied(planner: _Planner) -> list[Step[State]]:
    """Return the steps that take away the replica's schemas and GTIDs; nothing of it is logged."""
    own = planner.seeding.need.schemas
    steps = _writable(planner)
    steps.append(
        planner.step(
            "SET SESSION sql_log_bin = 0",
            "seeding is no transaction of the replica's own",
        )
    )
    steps.append(
        planner.step(
            f"CREATE DATABASE IF NOT EXISTS {quote_identifier(MARKER)}",
            "whoever finds it knows that the rest is half a copy",
        )
    )
    for name in own:
        steps.append(
            planner.step(
                f"DROP DATABASE {quote_identifier(name)}",
                f"schema {name} of the replica is replaced",
                _without(name),
            )
        )
    if planner.state.log_bin:
        steps.append(
            planner.step(
                statement("reset_binary_logs", planner.version),
                "the replica begins without transactions",
                lambda state: replace(state, gtid_executed="", gtid_purged=""),
            )
        )
    return steps


def _unmarked(planner: _Planner) -> list[Step[State]]:
    return [
        planner.step(
            f"DROP DATABASE {quote_identifier(MARKER)}",
            "nothing is half done any more",
            _without(MARKER),
        ),
        planner.step("SET SESSION sql_log_bin = 1", "seeding is over"),
    ]


def _without(schema: str) -> Callable[[State], State]:
    """Return the effect of dropping a schema."""

    def effect(state: State) -> State:
        return replace(state, schemas=tuple(each for each in state.schemas if each != schema))

    return effect


def _by_copy(planner: _Planner) -> list[Step[State]]:
    """Return the steps that copy everything and say which transactions it stands for."""
    source, name = planner.source_state, planner.seeding.source_name
    what = ", ".join(source.schemas) or "no schema"

    def run() -> None:
        wanted = Wanted(planner.seeding.login_user, planner.seeding.without)
        with planner.opened() as opened, planner.opened() as holder:
            copied = copy(opened, holder, planner.replica, wanted)
        planner.record.copied = copied
        planner.record.place = (copied.log_file, copied.log_pos)

    steps = [
        planner.step(
            f"-- copy accounts and schemas ({what}) of {name}, rows and definitions compared",
            "; ".join(planner.seeding.need.reasons),
            lambda state: replace(state, schemas=source.schemas),
            run,
        )
    ]
    if planner.state.gtid_mode == "ON" and source.gtid_mode == "ON":

        def purge() -> None:
            copied = planner.record.copied
            gtids = copied.gtids if copied else GtidSet()
            planner.replica.execute("SET GLOBAL gtid_purged = %s", (str(gtids),))

        steps.append(
            planner.step(
                f"SET GLOBAL gtid_purged = '<gtid_executed of {name} at the snapshot>'",
                "the copy holds these transactions",
                lambda state: replace(
                    state, gtid_executed=source.gtid_executed, gtid_purged=source.gtid_executed
                ),
                purge,
            )
        )
    return steps


def _by_clone(planner: _Planner) -> list[Step[State]]:
    """Return the steps that replace the replica's whole data directory by the source's."""
    seeding, source = planner.seeding, planner.source_state
    donor = seeding.donor
    if donor is None:
        raise CollectionError("seed: clone needs source_host: the replica fetches the data there")
    install = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'"
    steps: list[Step[State]] = []
    if seeding.source_facts.clone != "ACTIVE":

        def on_source() -> None:
            with planner.opened() as opened:
                install_plugin(opened)

        reason = f"{seeding.source_name} has no clone plugin yet"
        steps.append(
            planner.step(f"{install} -- on {seeding.source_name}", reason, execute=on_source)
        )
    steps += _writable(planner)
    if seeding.facts.clone != "ACTIVE":

        def here() -> None:
            install_plugin(planner.replica)

        steps.append(planner.step(install, "the replica has no clone plugin yet", execute=here))
    address = f"{donor.host}:{donor.port}"
    valid = f"SET GLOBAL clone_valid_donor_list = '{address}'"
    steps.append(planner.step(valid, "the replica may clone from there"))

    def run() -> None:
        if planner.session is not None:
            planner.record.place = clone(planner.session, donor, seeding.seconds, seeding.turn)

    words = statement("clone_instance", planner.version)
    kept = frozenset(planner.state.persisted)
    steps.append(
        planner.step(
            f"{words} '{donor.user}'@'{donor.host}':{donor.port} IDENTIFIED BY '{MASK}'",
            "; ".join(seeding.need.reasons) + "; mysqld restarts",
            lambda state: replace(
                state,
                schemas=source.schemas,
                gtid_executed=source.gtid_executed,
                gtid_purged=source.gtid_executed,
                channels=(),
                read_only="read_only" in kept or "super_read_only" in kept,
                super_read_only="super_read_only" in kept,
            ),
            run,
        )
    )
    return steps
