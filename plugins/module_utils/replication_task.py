# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What mysql_replication does with one replica or with many side by side.

All are observed first, then their source once, so that nothing that it commits in between looks
errant; then each is planned and brought to its state by itself. One that fails stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar

from . import replication_seed as seeding
from . import roads
from .causes import proof as proof_causes
from .causes import replication as causes
from .finding import CollectionError, Finding, errors, explain_failure, worst_first
from .mysql import carry, proof, seed, seed_copy, seed_plan
from .mysql import replication_plan as planning
from .mysql import replication_report as report
from .mysql.connection import Connection, MysqlError
from .mysql.dialect import option
from .mysql.gtid import GtidSet
from .mysql.replication import (
    POLL_SECONDS,
    Channel,
    State,
    named,
    observe,
    read_password_matches,
    wait_following,
)
from .mysql.replication_options import wanted_of
from .mysql.replication_until import Until
from .mysql.seed_clone import NotBackError, Session
from .plan import Plan, Step, apply, diff

# Threads wait for servers nearly all the time; each holds two sessions.
SIDE_BY_SIDE = 32

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Task:
    """The module's options, what they ask for, and whether only to predict."""

    params: Mapping[str, Any]
    wanted: planning.Wanted
    check: bool


@dataclass(frozen=True)
class Replica:
    """One replica that answered. subject: what findings call it."""

    name: str
    subject: str
    login: Mapping[str, Any]
    session: Session
    before: State


@dataclass(frozen=True)
class Outcome:
    """What came of one replica. error: why it failed, if it did; values: what it returns."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    error: CollectionError | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as a member of the return value ``replicas``."""
        if self.error is None:
            return {"name": self.name, "failed": False, "msg": "", **self.values}
        details = {"changed": False, "plan": [], **self.error.details}
        found = worst_first(self.error.findings)
        return {
            "name": self.name,
            "failed": True,
            "msg": explain_failure(self.error.message, found),
            **details,
            "findings": [each.as_dict() for each in found],
        }


def run_task(params: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """Bring the replicas to the state asked for and return the module's result.

    Raises CollectionError: for one replica with its cause, for many with all of them.
    """
    task = Task(params, wanted_of(params), check)
    many = params["replicas"] is not None
    logins = _logins(params)
    opened = _side_by_side(lambda login: _open(task, login, many), logins)
    try:
        outcomes = _outcomes(task, opened)
    finally:
        for each in opened:
            if isinstance(each, Replica):
                each.session.close()
    if many:
        return _together(outcomes)
    only = outcomes[0]
    if only.error is not None:
        raise only.error
    return dict(only.values)


def _logins(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the replicas by name, each with its complete connection options."""
    if params["replicas"] is None:
        return [(seed.single_name(params), dict(params))]
    names = [each["name"] for each in params["replicas"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CollectionError(f"replicas: {', '.join(twice)} is named twice; names are unique")
    return [(each["name"], roads.instance_params(params, each)) for each in params["replicas"]]


def _side_by_side(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(len(items), SIDE_BY_SIDE)) as pool:
        return list(pool.map(work, items))


def _open(task: Task, login: tuple[str, dict[str, Any]], many: bool) -> Replica | Outcome:
    """Connect and observe; what fails is the replica's own outcome."""
    name, params = login
    try:
        connection = _connect(params, many)
        try:
            before = seen(connection, task.wanted)
        except CollectionError:
            connection.close()
            raise
    except CollectionError as error:
        return Outcome(name, error=error)
    session = Session(connection, lambda: _connect_again(task, params, many))
    subject = name if many else connection.address
    return Replica(name, subject, params, session, before)


def _connect(params: Mapping[str, Any], many: bool) -> Connection:
    if many:
        return roads.connect_instance({}, params)
    return roads.connect(params)


def _connect_again(task: Task, params: Mapping[str, Any], many: bool) -> Connection:
    """Log in after a clone: with its own account, or with the source's that it holds now."""
    source = task.params["source_instance"]
    try:
        return _connect(params, many)
    except MysqlError as error:
        if error.errno != 1045 or source is None:
            raise
    theirs = roads.instance_params(task.params, source)
    keys = ("login_user", "login_password")
    return _connect({**params, **{key: theirs.get(key) for key in keys}}, many)


def seen(
    connection: Connection, wanted: planning.Wanted, channels: tuple[Channel, ...] | None = None
) -> State:
    """Return the replica's state, with whether it holds the password where that is asked for.

    channels: as they were seen just now, where they were.
    """
    state = observe(connection, channels)
    channel = state.channel(wanted.channel)
    if channel is None or wanted.password is None or wanted.update_password != "always":
        return state
    matches = read_password_matches(connection, wanted.channel, wanted.password)
    return state.with_channel(replace(channel, password_matches=matches))


def _source_state(task: Task) -> State | None:
    instance = task.params["source_instance"]
    if instance is None:
        return None
    with roads.connect_instance(task.params, instance) as connection:
        return observe(connection)


def _outcomes(task: Task, opened: Sequence[Replica | Outcome]) -> list[Outcome]:
    """Return what comes of every replica, in order."""
    answering = [each for each in opened if isinstance(each, Replica)]
    source = _source_state(task) if answering else None
    twins = proof_causes.twins(
        [(each.subject, each.before) for each in answering], task.params["language"]
    )
    needs = {each.name: _need(task, each, source, twins) for each in answering}
    emptied = _emptied_source(task, source, needs)

    def bring(each: Replica | Outcome) -> Outcome:
        if isinstance(each, Outcome):
            return each
        need = needs[each.name]
        if isinstance(need, CollectionError):
            return Outcome(each.name, error=need)
        try:
            return Outcome(each.name, _Work(task, each, emptied, need).bring())
        except CollectionError as error:
            return Outcome(each.name, error=error)

    return _side_by_side(bring, opened)


@dataclass(frozen=True)
class _Source:
    """The source as it is by now, and the steps that emptied it, if the user named it.

    turn: of the one replica that it serves a clone.
    """

    state: State | None
    steps: tuple[Step[State], ...] = ()
    turn: Lock = field(default_factory=Lock, compare=False)


def _need(
    task: Task, replica: Replica, source: State | None, twins: Sequence[Finding]
) -> seed.Need | CollectionError:
    own = [each for each in twins if each.subject == replica.subject]
    if own and task.wanted.goal == "following":
        words = f"{replica.subject} cannot follow: nothing was changed"
        return CollectionError(words, own, seeding.UNTOUCHED)
    case = _case(task, replica, source)
    user = str(replica.login.get("login_user") or roads.DEFAULT_USER)
    ends = seeding.Ends(case, replica.name, replica.session.connection, user)
    try:
        return seeding.need_of(task.params, ends)
    except CollectionError as error:
        return error


def _case(task: Task, replica: Replica, source: State | None) -> causes.Case:
    return causes.Case(
        replica.subject, replica.before, task.wanted.channel, source, task.params["language"]
    )


def _emptied_source(
    task: Task, source: State | None, needs: Mapping[str, seed.Need | CollectionError]
) -> _Source:
    """Empty the source once, where the user named it and a replica is to be reloaded."""
    wanted = [each for each in needs.values() if isinstance(each, seed.Need) and each.needed]
    if source is None or not wanted or not seeding.source_named(task.params):
        return _Source(source)
    refused = [each for each in needs.values() if isinstance(each, CollectionError)]
    if refused:
        # The source would be emptied for replicas that then do not follow it.
        raise refused[0]
    instance = task.params["source_instance"]
    with roads.connect_instance(task.params, instance) as connection:
        plan = seed_plan.emptying_source(source, instance["name"], connection)
        if task.check:
            return _Source(plan.after(), plan.steps)
        apply(plan)
        return _Source(observe(connection), plan.steps)


def _together(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the result of many replicas; raise CollectionError where one failed."""
    replicas = [each.as_dict() for each in outcomes]
    plan = [
        {"instance": each["name"], **step} for each in replicas for step in each.get("plan", [])
    ]
    changed = any(each["changed"] for each in replicas)
    diffs = [
        {**each.pop("diff"), "before_header": each["name"], "after_header": each["name"]}
        for each in replicas
        if "diff" in each
    ]
    failed = [each for each in outcomes if each.error is not None]
    if failed:
        names = ", ".join(each.name for each in failed)
        found = [finding for each in failed if each.error for finding in each.error.findings]
        bare = [each.error.message for each in failed if each.error and not each.error.findings]
        words = f"{len(failed)} of {len(outcomes)} replicas failed: {names}"
        message = "; ".join([words, *bare])
        details = {"changed": changed, "plan": plan, "replicas": replicas}
        raise CollectionError(message, found, details)
    findings = [finding for each in replicas for finding in each["findings"]]
    return {
        "changed": changed,
        "plan": plan,
        "replicas": replicas,
        "findings": findings,
        "diff": [each for each in diffs if each["before"] != each["after"]],
    }


class _Work:
    """One replica on its way. But for the source's turn nothing here is shared with another one."""

    def __init__(self, task: Task, replica: Replica, source: _Source, need: seed.Need) -> None:
        self.task = task
        uuid = source.state.server.server_uuid if source.state else ""
        self.wanted = replace(task.wanted, source_uuid=uuid)
        self.params = task.params
        self.replica = replica
        self.session = replica.session
        self.source = source
        self.need = need
        self.case = _case(task, replica, source.state)
        self.steps: list[Step[State]] = [*source.steps] if need.needed else []
        self.record = seed_plan.Record()
        self.deadline = 0.0

    @property
    def changes(self) -> dict[str, Any]:
        """The keys that every result has, also a failed one's."""
        steps = [step.as_dict() for step in self.steps]
        return {"changed": bool(steps), "plan": steps}

    def bring(self) -> dict[str, Any]:
        """Bring the replica to its state and return its values. Raises CollectionError."""
        before = self.replica.before
        how = self._seeding()
        seeded: Plan[State] = Plan(before)
        if how is not None and self.source.state is not None:
            seeded = seed_plan.plan(
                before, self.source.state, how, self.session, self._open_source, self.record
            )
        folded = seeded.after()
        doubts = [*self._refuse(replace(self.case, state=folded)), *seeding.doubts(self.case, how)]
        self._require_account(before)
        plan = planning.plan(folded, self._begun(), self.session.connection)
        if self.task.check:
            self.steps += [*seeded.steps, *plan.steps]
            return self._values(plan.after(), doubts, how)
        if seeded.changed and how is not None:
            plan = self._seed(seeded, how)
        self._apply(plan)
        self.deadline = time.monotonic() + self.params["timeout"]
        channels = None
        if self.wanted.goal == "following" and self.params["wait"]:
            channels = self._wait()
        return self._values(seen(self.session.connection, self.wanted, channels), doubts, how)

    def _seeding(self) -> seed_plan.Seeding | None:
        user = str(self.replica.login.get("login_user") or roads.DEFAULT_USER)
        ends = seeding.Ends(self.case, self.replica.name, self.session.connection, user)
        how = seeding.seeding_of(self.params, ends, self.need)
        if how is not None and how.method == "dump":
            self._need_room()
        return how and replace(how, turn=self.source.turn)

    def _need_room(self) -> None:
        """Raise CollectionError where the source has values that the replica does not take."""
        limit = carry.packet(self.session.connection)
        with self._open_source() as source:
            lines = seed_copy.too_large(source, limit)
        if lines:
            found = self.case.finding("mysql.value_too_large", *lines[:10], limit=limit)
            raise CollectionError(f"{self.case.subject} is not seeded", [found], seeding.UNTOUCHED)

    def _open_source(self) -> Connection:
        return roads.connect_instance(self.params, self.params["source_instance"])

    def _seed(self, seeded: Plan[State], how: seed_plan.Seeding) -> Plan[State]:
        """Seed the replica and plan the rest from what it is then."""
        self._alone()
        try:
            self._apply(seeded)
        except CollectionError as error:
            if not isinstance(error, NotBackError):
                raise
            told = seeding.explained(self.case, error, how.seconds)
            raise CollectionError(told.message, told.findings, self.changes) from error
        state = seen(self.session.connection, self.wanted)
        return planning.plan(state, self._begun(), self.session.connection)

    def _alone(self) -> None:
        """Let no other run seed this replica while this session lasts: one whose controller was killed
        may still be at work. Raises CollectionError.
        """
        connection = self.session.connection
        if connection.value("SELECT GET_LOCK(%s, 0)", (seed.MARKER,)) == 1:
            return
        holder = connection.value("SELECT IS_USED_LOCK(%s)", (seed.MARKER,))
        proof_line = f"connection {holder} of the server holds the lock {seed.MARKER}"
        found = self.case.finding("replication.seed_in_progress", proof_line)
        raise CollectionError(f"{self.case.subject} is not seeded", [found], seeding.UNTOUCHED)

    def _apply(self, plan: Plan[State]) -> None:
        """Execute the steps; what ends the run carries what was done until then."""
        for step in plan.steps:
            try:
                apply(Plan(plan.before, (step,)))
            except CollectionError as error:
                error.details = {**self.changes, **error.details}
                raise
            self.steps.append(step)

    def _begun(self) -> planning.Wanted:
        """Return what is wanted, with the place to begin at where a copy gives it."""
        source = self.source.state
        if not self.need.needed or source is None or self.wanted.log_file is not None:
            return self.wanted
        file, pos = self.record.place or (source.log_file, source.log_pos)
        return replace(self.wanted, log_file=file, log_pos=pos)

    def _refuse(self, case: causes.Case) -> list[Finding]:
        """Return the doubts; raise where going on would be wrong."""
        goal = self.wanted.goal
        held = case.state.channel(case.channel)
        by_gtid = bool(
            {**(held.settings if held else {}), **self.wanted.settings}.get("auto_position")
        )
        found: list[Finding] = []
        if goal == "following":
            found = causes.before_joining(case, by_gtid)
            if self.need.needed:
                # Its data is the source's by then.
                found = [each for each in found if each.code != "replication.data_before"]
            if self.wanted.until is not None:
                found += causes.before_until(case, self.wanted.until.passed(case.state))
        elif goal == "promoted":
            found = causes.before_promotion(case)
        if errors(found):
            verb = (
                "cannot be promoted" if goal == "promoted" else "cannot follow: nothing was changed"
            )
            raise CollectionError(f"{case.subject} {verb}", found, seeding.UNTOUCHED)
        return found

    def _require_account(self, before: State) -> None:
        """Raise where the applier is to work as an account that is not there.

        The server says so only when a thread was stopped for it.
        """
        name = "privilege_checks_user"
        account = self.wanted.settings.get(name)
        channel = before.channel(self.wanted.channel)
        held = channel.settings.get(name) if channel else None
        if not account or account == held or self.need.needed:
            return
        option("PRIVILEGE_CHECKS_USER", before.server.version)
        there = self.session.connection.value(
            "SELECT COUNT(*) FROM mysql.user WHERE user = %s AND host = %s",
            planning.split_account(str(account)),
        )
        if not there:
            raise CollectionError(
                f"{name}: {self.case.subject} has no account {account}; create it on the source"
                " first: nothing was changed",
                (),
                seeding.UNTOUCHED,
            )

    def _wait(self) -> tuple[Channel, ...] | None:
        """Wait for what the options say; raise what hinders it, and what is missing.

        Return the channels as they are then, None where they were not looked at in the end.
        """
        if self.wanted.until is not None:
            self._wait_until(self.wanted.until)
            return None
        name = self.wanted.channel
        left = max(0.0, self.deadline - time.monotonic())
        # What no step has touched since it was observed is seen for the second time.
        earlier = None if self.steps else self.replica.before.channel(name)
        channels = wait_following(self.session.connection, name, left, causes.hopeless, earlier)
        channel = named(channels, name)
        if channel is None or not channel.following:
            raise self._failed("does not follow its source", "", [])
        if self.wanted.misled(channel) and self.source.state is not None:
            found = proof_causes.wrong_source(self.case, channel, self.source.state.server)
            raise self._failed("follows another server than its source", "", [found])
        if self.params["wait_for_gtids"] or self.params["wait_for_source"]:
            self._wait_for_goal()
            return None
        return channels

    def _wait_for_goal(self) -> None:
        connection, channel = self.session.connection, self.wanted.channel
        if self.params["wait_for_gtids"]:
            goal = proof.Goal(GtidSet.parse(self.params["wait_for_gtids"]))
        else:
            with self._open_source() as source:
                goal = proof.current_goal(source)
        missing = proof.wait_for_goal(connection, channel, goal, self.deadline, causes.hopeless)
        if missing:
            seconds = f"{self.params['timeout']:g}"
            count = GtidSet.parse(missing).count if goal.gtids else "some"
            shown = f"not applied: {missing[: causes.SHOWN_GTIDS]}"
            found = self.case.finding("replication.behind", shown, count=count, seconds=seconds)
            raise self._failed("has not executed what was waited for", missing, [found])

    def _wait_until(self, until: Until) -> None:
        """Wait until the applier stands at its place."""
        while True:
            state = observe(self.session.connection)
            channel = state.channel(self.wanted.channel)
            if channel is None:
                raise self._failed("has no such channel any more", "", [])
            if channel.applier == "stopped" and until.reached(state, channel):
                return
            stuck = bool(channel.applier_errors) or channel.receiver_errno in causes.LASTING
            if stuck or time.monotonic() >= self.deadline:
                raise self._failed(*self._not_there(until, state, channel))
            # An applier that reaches its UNTIL stops without a word; only tables show it.
            time.sleep(POLL_SECONDS)

    def _not_there(
        self, until: Until, state: State, channel: Channel
    ) -> tuple[str, str, list[Finding]]:
        missing = until.missing(state, channel)
        shown = (
            f"not applied: {missing[: causes.SHOWN_GTIDS]}" if missing else "nothing received yet"
        )
        seconds = f"{self.params['timeout']:g}"
        found = self.case.finding("replication.until_not_reached", shown, seconds=seconds)
        return "has not come to the place where it is to stop", missing, [found]

    def _failed(self, words: str, missing: str, found: list[Finding]) -> CollectionError:
        """Return the failure with its causes, and with how the channel is."""
        state = observe(self.session.connection)
        source = _source_state(self.task)
        case = replace(self.case, state=state, source=source)
        explained = causes.explain(case)
        if self.wanted.until is not None:
            explained = [each for each in explained if each.code != "replication.applier_stopped"]
        channel = state.channel(self.wanted.channel)
        details = {
            **self.changes,
            "missing": missing,
            "replication": report.channel(state, channel, source) if channel else {},
        }
        causes_found = explained if errors(explained) else [*explained, *found]
        return CollectionError(f"{self.case.subject} {words}", causes_found, details)

    def _values(
        self, after: State, doubts: list[Finding], how: seed_plan.Seeding | None
    ) -> dict[str, Any]:
        channel = after.channel(self.wanted.channel)
        before = self.replica.before
        return {
            **self.changes,
            "instance": report.instance(after),
            "replication": report.channel(after, channel, None) if channel else {},
            "seed": self._seed_values(how),
            "findings": [doubt.as_dict() for doubt in worst_first(doubts)],
            "diff": diff(self._shown(before), self._shown(after)),
        }

    def _shown(self, state: State) -> dict[str, Any]:
        flat = planning.shown(state, self.wanted)
        if self.need.needed:
            flat["schemas"] = list(state.schemas)
        return flat

    def _seed_values(self, how: seed_plan.Seeding | None) -> dict[str, Any]:
        copied = self.record.copied
        return {
            "method": how.method if how else "none",
            "reasons": list(self.need.reasons),
            "dropped": list(self.need.schemas) if how else [],
            "tables": copied.tables if copied else None,
            "rows": copied.rows if copied else None,
            "seconds": round(copied.seconds, 1) if copied else None,
            **seeding.proved(how),
        }
