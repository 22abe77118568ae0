# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sides of semi-synchronous replication, by the names of each version, without a server."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Version
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.semisync import (
    Role,
    Semisync,
    plan,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.plan import apply

SIDES = ("source", "replica")


def never(sql: str) -> None:
    raise AssertionError(f"planning sent {sql}")


def sent(
    state: Semisync, role: Role, timeout: int | None = None, *, install: tuple[str, ...] = SIDES
) -> list[str]:
    made = plan(state, role, never, timeout=timeout, install=install)
    return [step.statement for step in made.steps]


@pytest.mark.parametrize(
    ("version", "source", "replica"),
    [((8, 0, 15), "master", "slave"), ((8, 0, 25), "master", "slave"), ((8, 0, 26), *SIDES)]
    + [((9, 7, 4), *SIDES)],
)
def test_each_version_is_spoken_to_in_its_own_names(
    version: Version, source: str, replica: str
) -> None:
    assert sent(Semisync(version), "source", 5000) == [
        f"INSTALL PLUGIN rpl_semi_sync_{source} SONAME 'semisync_{source}.so'",
        f"INSTALL PLUGIN rpl_semi_sync_{replica} SONAME 'semisync_{replica}.so'",
        f"SET PERSIST rpl_semi_sync_{source}_enabled = ON",
        f"SET PERSIST rpl_semi_sync_{source}_timeout = 5000",
    ]


def test_one_side_goes_off_before_the_other_comes_on() -> None:
    was_source = Semisync((9, 7, 4), SIDES, (), ("source",), ("source",), 5000)
    assert sent(was_source, "replica") == [
        "SET PERSIST rpl_semi_sync_source_enabled = OFF",
        "SET PERSIST rpl_semi_sync_replica_enabled = ON",
    ]


def test_what_holds_is_left_alone_and_what_is_not_kept_is_not_held() -> None:
    held = Semisync((9, 7, 4), SIDES, (), ("source",), ("source",), 5000)
    assert sent(held, "source", 5000) == []
    assert plan(held, "replica", never).after().on == ("replica",)
    gone_after_a_restart = Semisync((9, 7, 4), SIDES, (), ("source",), (), 5000)
    assert len(sent(gone_after_a_restart, "source", 5000)) == 1
    assert sent(Semisync((9, 7, 4)), "off") == []
    assert sent(Semisync((9, 7, 4)), "source", install=()) == []


def test_a_missing_side_gets_the_naming_of_the_one_that_is_there() -> None:
    usual = Semisync((8, 0, 33), ("replica",), ("replica",), ("replica",), ("replica",))
    assert sent(usual, "source", 5000) == [
        "INSTALL PLUGIN rpl_semi_sync_master SONAME 'semisync_master.so'",
        "SET PERSIST rpl_semi_sync_slave_enabled = OFF",
        "SET PERSIST rpl_semi_sync_master_enabled = ON",
        "SET PERSIST rpl_semi_sync_master_timeout = 5000",
    ]
    after = plan(usual, "source", never).after()
    assert (after.installed, after.old) == (SIDES, SIDES)


def test_two_namings_on_one_server_are_each_spoken_to_in_their_own() -> None:
    both = Semisync((8, 0, 33), SIDES, ("replica",), ("replica",), ("replica",))
    assert sent(both, "source") == [
        "SET PERSIST rpl_semi_sync_slave_enabled = OFF",
        "SET PERSIST rpl_semi_sync_source_enabled = ON",
    ]


class Session:
    """Notes what is sent, and refuses to load a plugin."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def run(self, sql: str) -> None:
        self.sent.append(sql)
        if sql.startswith("INSTALL"):
            raise CollectionError("no library")


def test_super_read_only_is_put_back_where_the_plugin_cannot_be_loaded() -> None:
    session = Session()
    made = plan(Semisync((9, 7, 4)), "replica", session.run, closed=True)
    assert "super_read_only is lifted" in made.steps[0].reason
    with pytest.raises(CollectionError, match="no library"):
        apply(made)
    assert session.sent[-1] == "SET GLOBAL super_read_only = ON"
