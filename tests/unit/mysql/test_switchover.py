# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who becomes primary and by which steps, without a server: every state an interrupted run leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import switchover as causes
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Server,
    Version,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import (
    OPTIONS as DIALECT,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import has, option
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    ApplierError,
    Channel,
    State,
    _settings,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication_plan import (
    OPTION_OF,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication_report import (
    setting_name,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.semisync import Semisync
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.switchover import (
    Cluster,
    Member,
    Wanted,
    choose,
    only_writer,
    shown,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.switchover_plan import plan
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.plan import Plan, Step
from ansible_collections.mysql_on.kubernetes.plugins.modules.mysql_replication import argument_spec
from ansible_collections.mysql_on.kubernetes.plugins.modules.mysql_switchover import loss

UUIDS = {
    name: f"{number:08d}-0000-0000-0000-000000000000"
    for name, number in (("mysql-1", 1), ("mysql-11", 11), ("mysql-12", 12))
}
P = UUIDS["mysql-1"]
BOTH = ("read_only", "super_read_only")
SECRET = "unspeakable"


class NoHands:
    """Hands that may not be used: planning touches nothing."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"planning called {name}")


def gtids(last: int) -> str:
    return f"{P}:1-{last}" if last else ""


def channel(source: str, **options: Any) -> Channel:
    settings = {"host": "mysql-write", "port": 3306, "user": "repl", "auto_position": True}
    settings |= {"connect_retry": 5, "heartbeat_period": 2.0, "get_public_key": True, "delay": 0}
    settings |= options.pop("settings", {})
    threads = {"receiver": "running", "applier": "running", "source_log_file": "binlog.000001"}
    return Channel("", settings, source_uuid=UUIDS[source], **{**threads, **options})


def member(name: str, follows: Channel | None = None, *, last: int = 9, **options: Any) -> Member:
    closed = options.pop("closed", follows is not None)
    state = State(
        server=Server(options.pop("version", (9, 7, 4)), "9.7.4", int(name[6:]), UUIDS[name]),
        gtid_mode=options.pop("gtid_mode", "ON"),
        enforce_gtid_consistency="ON",
        log_bin=True,
        gtid_executed=options.pop("executed", gtids(last)),
        gtid_purged=options.pop("purged", ""),
        read_only=closed,
        super_read_only=closed,
        persisted=BOTH if closed else (),
        channels=(follows,) if follows else (),
    )
    return Member(name, "mysql-write", 3306, state, **options)


def gone(name: str) -> Member:
    return Member(name, "mysql-write", 3306, unreachable=f"{name}: Cannot reach MySQL")


def healthy() -> Cluster:
    members = (
        member("mysql-1"),
        member("mysql-11", channel("mysql-1")),
        member("mysql-12", channel("mysql-1"), last=8),
    )
    return Cluster("mysql-1", members, frozenset({"mysql-11", "mysql-12"}))


def with_members(cluster: Cluster, *members: Member) -> Cluster:
    for each in members:
        cluster = cluster.with_member(each.name, lambda _old, new=each: new)
    return cluster


def made(cluster: Cluster, target: str, mode: Any = "planned", **options: Any) -> Plan[Cluster]:
    wanted = Wanted(mode, target, password=SECRET, **options)
    return plan(cluster, wanted, NoHands())  # type: ignore[arg-type]


def said(steps: Sequence[Step[Cluster]]) -> list[str]:
    return [step.statement for step in steps]


def codes(cluster: Cluster, target: str, mode: Any = "planned", **options: Any) -> list[str]:
    asked = causes.Asked(mode, target, 60, **options)
    return [finding.code for finding in causes.explain(cluster, asked)]


def test_writes_end_before_the_new_primary_waits_and_begin_after_it_has_everything() -> None:
    steps = said(made(healthy(), "mysql-11").steps)
    assert steps[:6] == [
        "mysql-1: SET PERSIST read_only = ON; SET PERSIST super_read_only = ON",
        "mysql-11: WAIT_FOR_EXECUTED_GTID_SET(everything that mysql-1 executed)",
        "mysql-11: STOP REPLICA FOR CHANNEL ''",
        "mysql-11: RESET REPLICA ALL FOR CHANNEL ''",
        "mysql-11: SET PERSIST super_read_only = OFF",
        "mysql-11: SET PERSIST read_only = OFF",
    ]
    assert steps[6] == "Service for writes: selector -> mysql-11"
    assert steps[7].startswith("mysql-1: CHANGE REPLICATION SOURCE TO")
    assert steps[9:] == [
        "mysql-12: STOP REPLICA IO_THREAD FOR CHANNEL ''",
        "mysql-12: START REPLICA IO_THREAD FOR CHANNEL ''",
        "mysql-1: label of its running Pod: reads -> yes",
        "mysql-11: label of its running Pod: reads -> no",
        "mysql-1: KILL the sessions of clients",
    ]


def test_the_old_primary_follows_as_the_others_do_and_no_secret_shows() -> None:
    done = made(healthy(), "mysql-11")
    (change,) = [step for step in said(done.steps) if "CHANGE" in step]
    for words in (
        "SOURCE_HOST = 'mysql-write'",
        "SOURCE_USER = 'repl'",
        "SOURCE_CONNECT_RETRY = 5",
    ):
        assert words in change
    assert SECRET not in f"{done.as_list()} {shown(done.after())}"


OPTIONS = {
    **{name: f"the {name}" for name in OPTION_OF},
    **{"port": 3306, "delay": 0, "connect_retry": 7, "retry_count": 77, "heartbeat_period": 1.5},
    **dict.fromkeys(("auto_position", "ssl", "ssl_verify_server_cert", "get_public_key"), True),
    **{"require_row_format": True, "require_table_primary_key_check": "GENERATE"},
    "privilege_checks_user": "'applier'@'%'",
}


@pytest.mark.parametrize("version", [(8, 0, 15), (9, 7, 4)])
def test_the_old_primary_follows_with_every_option_that_there_is(version: Version) -> None:
    """A new option of mysql_replication is taken over without being named anywhere else."""
    model = channel("mysql-1", settings=OPTIONS)
    cluster = with_members(healthy(), member("mysql-1", version=version), member("mysql-11", model))
    (change,) = [step for step in said(made(cluster, "mysql-11").steps) if "CHANGE" in step]
    known = [name for name in OPTION_OF.values() if has(DIALECT, name, version)]
    assert len(known) >= 20
    for name in known:
        own = name == "SOURCE_DELAY"
        assert (f" {option(name, version)} = " in change) == (not own), name


def test_what_is_off_for_the_others_is_off_for_the_old_primary_too() -> None:
    """A server's default may be on; only what a source is followed with anyway stays so."""
    model = channel("mysql-1", settings={"ssl": False, "ssl_ca": "", "get_public_key": False})
    cluster = with_members(healthy(), member("mysql-11", model))
    (change,) = [step for step in said(made(cluster, "mysql-11").steps) if "CHANGE" in step]
    assert "SOURCE_SSL = 0" in change
    assert "GET_SOURCE_PUBLIC_KEY = 1" in change
    assert "SOURCE_SSL_CA" not in change


def test_every_option_of_a_channel_can_be_asked_for_and_is_read() -> None:
    assert {setting_name(name) for name in OPTION_OF} <= set(argument_spec())
    assert set(_settings(defaultdict(lambda: "0"))) == set(OPTION_OF)


@pytest.mark.parametrize("target", ["mysql-11", "mysql-12"])
def test_every_interrupted_run_is_finished_by_the_same_one_again(target: str) -> None:
    whole = made(healthy(), target)
    state = whole.before
    for step in whole.steps:
        state = step.effect(state)
        assert codes(state, target) == [], f"after {step.statement}"
        again = made(state, target)
        assert len(again.steps) < len(whole.steps)
        assert shown(again.after()) == shown(whole.after()), f"after {step.statement}"
    assert not made(state, target).changed


def test_without_a_name_an_interrupted_run_goes_on_to_whom_it_had_chosen() -> None:
    whole = made(healthy(), "mysql-12")
    state, chosen, refused = whole.before, [], []
    for step in whole.steps:
        state = step.effect(state)
        chosen.append(choose(state, "planned"))
        refused.append("switchover.unfinished" in codes(state, "mysql-11"))
    left = next(i for i, step in enumerate(whole.steps) if "RESET REPLICA ALL" in step.statement)
    moved = next(i for i, step in enumerate(whole.steps) if "selector" in step.statement)
    last = next(i for i, step in enumerate(whole.steps) if "START REPLICA IO" in step.statement)
    assert set(chosen[left:last]) == {"mysql-12"}
    assert all(refused[left:moved])
    assert chosen[-1] != "mysql-12", "it is finished: the next one hands over again"


def test_the_one_that_received_most_takes_over_though_another_is_listed_first() -> None:
    lost = with_members(
        healthy(),
        gone("mysql-1"),
        member("mysql-11", channel("mysql-1", receiver="connecting"), last=7),
        member("mysql-12", channel("mysql-1", retrieved=gtids(9)), last=5),
    )
    assert choose(lost, "lost") == "mysql-12"
    assert codes(lost, "mysql-12", "lost", fenced=True) == ["switchover.loss_unknown"]
    steps = said(made(lost, "mysql-12", "lost").steps)
    assert steps[:3] == [
        "mysql-12: STOP REPLICA IO_THREAD FOR CHANNEL ''",
        "mysql-12: WAIT_FOR_EXECUTED_GTID_SET(everything that it received)",
        "mysql-12: STOP REPLICA FOR CHANNEL ''",
    ]
    assert "switchover.survivor_ahead" in codes(lost, "mysql-11", "lost")
    given_up = causes.Asked("lost", "mysql-11", 60, accept_loss=True)
    found = causes.explain(lost, given_up)
    assert {each.severity for each in found} == {"warning"}
    assert any(f"{P}:8-9" in line for each in found for line in each.proof)
    assert causes.left_out(lost, given_up) == {"mysql-12"}


def test_a_failover_takes_over_from_nobody_who_lives() -> None:
    assert "switchover.primary_alive" in codes(healthy(), "mysql-11", "lost")
    away = with_members(healthy(), gone("mysql-1"))
    assert "switchover.primary_alive" in codes(away, "mysql-11", "lost", heard=("mysql-12",))
    assert codes(away, "mysql-11", "lost") == [
        "switchover.loss_unknown",
        "switchover.not_fenced",
    ]
    assert "switchover.primary_unreachable" in codes(away, "mysql-11")


def test_nobody_is_asked_for_and_nobody_can() -> None:
    """What is wrong with the primary says more than that nobody is fit."""

    def nobody(cluster: Cluster, mode: Any) -> list[str]:
        assert choose(cluster, mode) == ""
        return [each.code for each in causes.nobody(cluster, causes.Asked(mode, "", 60))]

    late = {name: channel("mysql-1", settings={"delay": 60}) for name in ("mysql-11", "mysql-12")}
    delayed = with_members(healthy(), *(member(name, each) for name, each in late.items()))
    assert nobody(delayed, "planned") == ["switchover.no_candidate"]
    away = with_members(delayed, gone("mysql-1"))
    assert nobody(away, "planned") == ["switchover.primary_unreachable"]
    assert nobody(away, "lost") == ["switchover.no_candidate"]
    assert nobody(replace(away, primary=""), "planned") == ["switchover.primary_unknown"]


def test_what_the_new_primary_commits_just_now_is_not_lost_but_what_another_had_is() -> None:
    """A replica holds what the primary has logged, before the primary says that it executed it."""
    executed = f"{gtids(9)},{UUIDS['mysql-11']}:1-3"
    after = with_members(
        healthy(),
        member("mysql-1", channel("mysql-11"), last=10),
        member("mysql-11", executed=executed),
        member("mysql-12", channel("mysql-11", retrieved=f"{UUIDS['mysql-11']}:1-4")),
    )
    lost = loss(
        healthy(), replace(after, primary="mysql-11"), causes.Asked("planned", "mysql-11", 60)
    )
    assert lost == {"gtids": f"{P}:10", "transactions": 1, "complete": True}


def test_an_old_primary_that_comes_back_is_refused_with_its_transactions() -> None:
    back = member("mysql-1", last=12)
    cluster = Cluster(
        "mysql-11",
        (back, member("mysql-11"), member("mysql-12", channel("mysql-11"))),
        frozenset({"mysql-12"}),
    )
    (found,) = causes.explain(cluster, causes.Asked("planned", "mysql-11", 60))
    assert (found.code, found.severity, found.subject) == ("replication.errant", "error", "mysql-1")
    assert f"{P}:10-12" in found.proof[0]
    without = with_members(cluster, member("mysql-1", last=9))
    assert choose(without, "planned") == "mysql-11"
    assert codes(without, "mysql-11") == []
    steps = said(made(without, "mysql-11").steps)
    assert steps[0].startswith("mysql-1: SET PERSIST read_only = ON")
    assert steps[1].startswith("mysql-1: CHANGE REPLICATION SOURCE TO")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (lambda: member("mysql-11", channel("mysql-1", settings={"delay": 60})), "target_delayed"),
        (lambda: member("mysql-11", channel("mysql-1", lag_seconds=61)), "target_lags"),
        (lambda: member("mysql-11", channel("mysql-12")), "target_elsewhere"),
        (lambda: member("mysql-11", closed=True, last=3), "target_elsewhere"),
        (lambda: gone("mysql-11"), "target_unreachable"),
    ],
)
def test_who_may_not_become_primary(changed: Callable[[], Member], code: str) -> None:
    cluster = with_members(healthy(), changed())
    assert f"switchover.{code}" in codes(cluster, "mysql-11")
    if code != "target_lags":
        assert choose(cluster, "planned") in ("mysql-12", "mysql-1")


def test_causes_of_replication_refuse_too() -> None:
    own = f"{gtids(9)},{UUIDS['mysql-11']}:1"
    errant = with_members(healthy(), member("mysql-11", channel("mysql-1"), executed=own))
    assert codes(errant, "mysql-11") == ["replication.errant"]
    assert codes(errant, "mysql-12") == ["replication.errant"], "it could not follow afterwards"
    stopped = with_members(healthy(), member("mysql-11", channel("mysql-1", receiver="stopped")))
    assert codes(stopped, "mysql-11") == ["replication.receiver_stopped"]
    error = ApplierError(1, 1062, "Duplicate entry", "", "")
    broken = channel("mysql-1", applier="stopped", applier_errors=(error,))
    lost = with_members(healthy(), gone("mysql-1"), member("mysql-11", broken))
    assert "replication.applier_error" in codes(lost, "mysql-11", "lost")
    assert choose(lost, "lost") == "mysql-12"


def semi_synchronous(**options: Any) -> Cluster:
    """A cluster whose commits wait for a replica."""
    sides = ("source", "replica")

    def side(name: str) -> Semisync:
        return Semisync((9, 7, 4), sides, on=(name,), persisted=(name,), timeout=5000)

    cluster = replace(healthy(), **options)
    for each, which in zip(cluster.members, ("source", "replica", "replica"), strict=True):
        cluster = with_members(cluster, replace(each, semisync=side(which)))
    return cluster


def first(steps: Sequence[str], words: str) -> int:
    return next(number for number, step in enumerate(steps) if words in step)


@pytest.mark.parametrize("reads", [None, frozenset({"mysql-11", "mysql-12"})])
def test_semi_synchronous_sides_change_before_the_first_write(reads: frozenset[str] | None) -> None:
    cluster = semi_synchronous(reads=reads)
    steps = said(made(cluster, "mysql-11").steps)
    on = first(steps, "mysql-11: SET PERSIST rpl_semi_sync_source_enabled = ON")
    assert on < first(steps, "mysql-11: SET PERSIST super_read_only = OFF")
    off = first(steps, "mysql-1: SET PERSIST rpl_semi_sync_source_enabled = OFF")
    assert off < first(steps, "mysql-1: CHANGE REPLICATION SOURCE")
    assert not made(made(cluster, "mysql-11").after(), "mysql-11").changed


@pytest.mark.parametrize("mode", ["planned", "lost"])
def test_semi_synchronously_a_replica_follows_before_the_first_commit(mode: str) -> None:
    """A commit waits for a replica, and our statements may wait for that commit."""
    cluster = semi_synchronous(reads=None)
    if mode == "lost":
        cluster = with_members(cluster, gone("mysql-1"))
    steps = said(made(cluster, "mysql-11", mode).steps)
    opens = first(steps, "mysql-11: SET PERSIST super_read_only = OFF")
    assert first(steps, "mysql-12: START REPLICA IO_THREAD") < opens
    # The old primary, which takes longer, is not waited for while nobody takes writes.
    assert not any("mysql-1: CHANGE" in step for step in steps[:opens])
    # Without it nobody's commit waits, so nobody's write waits for a replica.
    asynchronous = said(made(replace(healthy(), reads=None), "mysql-11").steps)
    assert first(asynchronous, "read_only = OFF") < first(asynchronous, "mysql-12: START REPLICA")


def test_the_last_two_are_no_exception() -> None:
    whole = semi_synchronous(reads=None)
    two = replace(whole, members=whole.members[:2])
    steps = said(made(two, "mysql-11").steps)
    opens = first(steps, "mysql-11: SET PERSIST super_read_only = OFF")
    assert first(steps, "mysql-1: START REPLICA") < opens


def test_to_an_open_primary_nothing_is_sent_before_replicas_follow_it_by_the_service() -> None:
    """That Service leads to it only once it takes writes; their commits wait, and we do not."""
    steps = said(made(semi_synchronous(), "mysql-11").steps)
    opened = max(n for n, step in enumerate(steps) if "mysql-11: SET PERSIST read_only" in step)
    followed = first(steps, "mysql-12: START REPLICA IO_THREAD")
    assert opened < followed
    assert not [step for step in steps[opened + 1 : followed] if step.startswith("mysql-11: ")]


def each_its_own_side(**options: Any) -> Cluster:
    """The usual set-up: nobody has the side that it would play after a switchover."""
    cluster = semi_synchronous(**options)
    for each in cluster.members:
        held = each.semisync
        assert held
        cluster = with_members(cluster, replace(each, semisync=replace(held, installed=held.on)))
    return cluster


def test_sides_that_are_missing_come_before_anything_else_is_touched() -> None:
    whole = made(each_its_own_side(), "mysql-11")
    assert said(whole.steps)[:3] == [
        "mysql-11: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
        "mysql-1: INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'",
        "mysql-1: SET PERSIST read_only = ON; SET PERSIST super_read_only = ON",
    ]
    after = {each.name: each.semisync for each in whole.after().members}
    assert [each.on for each in after.values() if each] == [("replica",), ("source",), ("replica",)]


def test_who_takes_no_part_stays_apart_unless_nobody_else_acknowledges() -> None:
    whole = each_its_own_side()
    apart = with_members(whole, replace(whole.members[2], semisync=Semisync((9, 7, 4))))
    assert not [step for step in said(made(apart, "mysql-11").steps) if "mysql-12: INSTALL" in step]
    lost = with_members(apart, gone("mysql-1"))
    steps = said(made(lost, "mysql-11", "lost").steps)
    on = first(steps, "mysql-12: SET PERSIST rpl_semi_sync_replica_enabled = ON")
    assert first(steps, "mysql-12: INSTALL PLUGIN rpl_semi_sync_replica") < on


@pytest.mark.parametrize("of", [semi_synchronous, each_its_own_side])
@pytest.mark.parametrize("reads", [None, frozenset({"mysql-11", "mysql-12"})])
def test_an_interrupted_run_of_semi_synchronous_ones_is_finished_too(
    reads: frozenset[str] | None, of: Callable[..., Cluster]
) -> None:
    whole = made(of(reads=reads), "mysql-11")
    state = whole.before
    for step in whole.steps:
        state = step.effect(state)
        # Where no Service says who was primary, it is seen by who takes writes, or who is followed.
        seen = state if reads else replace(state, primary=only_writer(state.members))
        assert codes(seen, "mysql-11") == [], f"after {step.statement}"
        assert shown(made(seen, "mysql-11").after()) == shown(whole.after()), step.statement
    assert not made(state, "mysql-11").changed


def test_an_old_primary_that_does_not_answer_is_ended_before_another_takes_over() -> None:
    everybody = frozenset(UUIDS)
    lost = with_members(replace(healthy(), supervised=everybody), gone("mysql-1"))
    whole = made(lost, "mysql-11", "lost")
    assert said(whole.steps)[0] == "mysql-1: Deployment: replicas -> 0"
    assert whole.after().supervised == everybody - {"mysql-1"}
    done = whole.steps[0].effect(lost)
    assert len(made(done, "mysql-11", "lost").steps) == len(whole.steps) - 1
    for unfenced in (
        made(lost, "mysql-11", "lost", fence=False),
        made(replace(lost, supervised=None), "mysql-11", "lost"),
        made(replace(healthy(), supervised=everybody), "mysql-11"),
    ):
        assert not any("Deployment" in step for step in said(unfenced.steps))


def test_an_old_primary_that_nobody_ended_is_told_with_what_to_do() -> None:
    away = with_members(healthy(), gone("mysql-1"))
    found = causes.explain(away, causes.Asked("lost", "mysql-11", 60))
    (told,) = [each for each in found if each.code == "switchover.not_fenced"]
    assert "Stop its mysqld" in told.fix
    asked = causes.Asked("lost", "mysql-11", 60, fenced=True)
    assert "switchover.not_fenced" not in [each.code for each in causes.explain(away, asked)]
    left = {"namespace": "shop", "pod": "mysql-1-abc", "node": "worker1", "ready": "Unknown"}
    (told,) = causes.remains(left, "mysql-1", asked)
    assert (told.code, told.severity) == ("switchover.pod_remains", "warning")
    assert "kubectl -n shop delete pod mysql-1-abc --grace-period=0 --force" in told.fix
    assert "worker1: Ready Unknown" in told.proof[0]
    assert causes.remains({}, "mysql-1", asked) == []


def test_without_services_nobody_is_led_anywhere() -> None:
    cluster = replace(healthy(), reads=None)
    steps = said(made(cluster, "mysql-11").steps)
    assert not any("Service" in step or "label" in step for step in steps)


def test_the_last_one_left_is_read_from_too() -> None:
    alone = Cluster(
        "mysql-1",
        (gone("mysql-1"), member("mysql-11", channel("mysql-1"))),
        frozenset({"mysql-11"}),
    )
    assert not any("label" in step for step in said(made(alone, "mysql-11", "lost").steps))
