# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is seeded and why, what that takes away, which way it goes: decided without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import seed
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Server,
    Version,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    ApplierError,
    Channel,
    State,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.seed_accounts import (
    Definition,
    known_grants,
    split_clauses,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.seed_clone import Donor
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.seed_plan import (
    Seeding,
    emptying_source,
    plan,
)

S = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
R = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
SECRET = "unspeakable"


def state(executed: str = "", purged: str = "", **options: Any) -> State:
    server = Server((9, 7, 4), "9.7.4", 11, R)
    made = State(server, "ON", "ON", True, executed, purged, False, False)
    return replace(made, **options)


SOURCE = state(f"{S}:1-9", f"{S}:1-4", schemas=("shop",))
WHOLE = replace(SOURCE, gtid_purged="")


def test_who_follows_or_can_follow_needs_nothing() -> None:
    joined = state(f"{S}:1-8").with_channel(Channel("", {}))
    for replica in (joined, state(f"{S}:1-5", schemas=("shop",))):
        for asked in seed.ASKED:
            assert not seed.need(replica, SOURCE, "", asked).needed
    assert not seed.need(state(), WHOLE, "", "auto").needed, "the binary logs hold everything"


def test_a_new_instance_is_seeded_where_that_is_asked_for() -> None:
    for asked, needed in (("auto", False), ("reload", False), ("clone", True), ("dump", True)):
        found = seed.need(state(), WHOLE, "", asked)  # type: ignore[arg-type]
        assert (found.needed, found.overwrites) == (needed, False)
    assert seed.need(state(), SOURCE, "", "auto").reasons == (
        "the source has purged 4 transactions that it lacks",
    )


@pytest.mark.parametrize(
    ("replica", "reason", "overwrites"),
    [
        (state(f"{S}:1-9,{R}:1-2"), "2 transactions that the source does not have", True),
        (state(schemas=("own",)), "data of its own: own", True),
        (state(f"{S}:1-2", schemas=("shop",)), "purged 2 transactions", True),
        (
            state(f"{S}:1-9").with_channel(
                Channel("", {}, applier_errors=(ApplierError(1, 1062, "", "", ""),))
            ),
            "applier stopped at error 1062",
            False,
        ),
        (state(schemas=(seed.MARKER, "shop")), "an interrupted copy", False),
        (state(gtid_mode="OFF"), "the source has purged", False),
    ],
)
def test_reasons_and_what_they_take_away(replica: State, reason: str, overwrites: bool) -> None:
    found = seed.need(replica, SOURCE, "", "auto")
    assert any(reason in each for each in found.reasons), found.reasons
    assert found.overwrites is overwrites
    assert seed.MARKER not in found.schemas


def test_without_gtids_a_source_with_data_seeds() -> None:
    plain = replace(SOURCE, gtid_mode="OFF", gtid_executed="", gtid_purged="")
    assert seed.need(state(), plain, "", "auto").needed
    assert not seed.need(state(), replace(plain, schemas=()), "", "auto").needed


@pytest.mark.parametrize(
    ("versions", "may", "words"),
    [
        (((9, 7, 4), (9, 7, 4)), True, None),
        (((9, 7, 4), (9, 7, 1)), True, None),
        (((8, 0, 40), (8, 0, 37)), True, None),
        (((8, 0, 36), (8, 0, 37)), True, "the same release"),
        (((8, 4, 0), (8, 0, 40)), True, "the same series"),
        (((8, 0, 15), (8, 0, 15)), True, "clone came with 8.0.17"),
        (((9, 7, 4), (9, 7, 4)), False, "no BACKUP_ADMIN"),
    ],
)
def test_what_hinders_a_clone(
    versions: tuple[Version, Version], may: bool, words: str | None
) -> None:
    found = seed.clone_hindrances(versions, may, "repl")
    assert bool(found) == (words is not None)
    assert words is None or words in found[0]


def test_a_dump_goes_up_and_not_down() -> None:
    assert not seed.dump_hindrances(((9, 7, 0), (8, 0, 15)))
    assert "newer" in seed.dump_hindrances(((8, 0, 15), (9, 7, 0)))[0]


def seeding(method: seed.Method, need: seed.Need) -> Seeding:
    return Seeding(method, "", need, "primary", Donor("db", 3306, "repl", SECRET))


def test_a_dump_s_plan() -> None:
    held = state(f"{R}:1", schemas=("own",), super_read_only=True, read_only=True).with_channel(
        Channel("", {"host": "db"}, receiver="running", applier="running")
    )
    made = plan(held, SOURCE, seeding("dump", seed.need(held, SOURCE, "", "dump")))
    assert [step.statement.split(" -- ")[0][:45] for step in made.steps] == [
        "STOP REPLICA FOR CHANNEL ''",
        "RESET REPLICA FOR CHANNEL ''",
        "SET GLOBAL super_read_only = OFF",
        "SET SESSION sql_log_bin = 0",
        "CREATE DATABASE IF NOT EXISTS `mysql_on_kuber",
        "DROP DATABASE `own`",
        "RESET BINARY LOGS AND GTIDS",
        "-- copy accounts and schemas (shop) of primar",
        "SET GLOBAL gtid_purged = '<gtid_executed of p",
        "DROP DATABASE `mysql_on_kubernetes_seeding`",
        "SET SESSION sql_log_bin = 1",
    ]
    after = made.after()
    assert (after.schemas, after.gtid_executed) == (("shop",), SOURCE.gtid_executed)
    channel = after.channel("")
    assert channel is not None
    assert (channel.applier, channel.settings) == ("stopped", {"host": "db"}), "settings stay"
    with pytest.raises(CollectionError, match="without a connection"):
        made.steps[0].execute()


def test_a_clone_s_plan_tells_no_secret_and_forgets_the_channel() -> None:
    held = state(persisted=("read_only", "super_read_only")).with_channel(Channel("", {}))
    made = plan(held, SOURCE, seeding("clone", seed.need(state(), SOURCE, "", "clone")))
    assert SECRET not in str(made.as_list())
    assert SECRET not in repr(seeding("clone", seed.Need()))
    after = made.after()
    assert (after.channels, after.super_read_only) == ((), True)
    assert after.gtid_executed == SOURCE.gtid_executed


def test_other_channels_are_not_lost() -> None:
    held = state().with_channel(Channel("other", {}))
    with pytest.raises(CollectionError, match="other channels too"):
        plan(held, SOURCE, seeding("dump", seed.Need(("why",))))


def test_a_source_is_emptied_in_its_log() -> None:
    made = emptying_source(SOURCE, "primary", None)
    assert [step.statement for step in made.steps] == [
        "DROP DATABASE IF EXISTS `shop` -- on primary"
    ]
    assert made.after().schemas == ()


def test_accounts_keep_their_hash_and_their_roles_come_last() -> None:
    made = (
        "CREATE USER 'a'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$x'%' DEFAULT ROLE"
        " `r`@`%` REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK"
    )
    clauses, params = split_clauses(made, "the hash itself")
    assert params == ("the hash itself",)
    assert clauses.startswith(" IDENTIFIED WITH 'caching_sha2_password' AS %s REQUIRE NONE")
    hexadecimal = made.replace("'$A$005$x'%'", "0x2441")
    clauses, params = split_clauses(hexadecimal, None)
    assert " AS 0x2441 REQUIRE NONE" in clauses
    assert params == ()
    # Left out, an empty one would expire the password.
    none = hexadecimal.replace(" AS 0x2441", "")
    assert split_clauses(none, None)[0].startswith(
        " IDENTIFIED WITH 'caching_sha2_password' AS '' REQUIRE NONE"
    )


def test_an_account_is_tried_without_its_secret() -> None:
    clauses = " IDENTIFIED WITH 'p' AS %s REQUIRE NONE COMMENT '100%%'"
    account = Definition("a", "%", clauses, ("secret",), (), ())
    assert account.plugins == {"p"}
    assert account.tried == (
        "CREATE USER IF NOT EXISTS 'x'@'x' IDENTIFIED WITH 'p' AS 'x' REQUIRE NONE COMMENT '100%'"
    )


def test_privileges_that_are_gone_are_left_out() -> None:
    grants = [
        "GRANT SELECT, SET_USER_ID ON *.* TO `a`@`%` WITH GRANT OPTION",
        "GRANT SET_USER_ID ON *.* TO `a`@`%`",
        "GRANT USAGE ON *.* TO `a`@`%`",
        "GRANT SELECT ON `shop`.* TO `a`@`%`",
        "GRANT `r`@`%` TO `a`@`%`",
    ]
    assert known_grants(grants, frozenset({"SELECT"})) == [
        "GRANT SELECT ON *.* TO `a`@`%` WITH GRANT OPTION",
        *grants[2:],
    ]
