# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sides of semi-synchronous replication, by the names of each version, without a server."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Version
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.semisync import (
    Role,
    Semisync,
    plan,
)

SIDES = ("source", "replica")


def never(sql: str) -> None:
    raise AssertionError(f"planning sent {sql}")


def sent(
    state: Semisync, role: Role, timeout: int | None = None, *, install: bool = True
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
    was_source = Semisync((9, 7, 4), SIDES, ("source",), ("source",), 5000)
    assert sent(was_source, "replica") == [
        "SET PERSIST rpl_semi_sync_source_enabled = OFF",
        "SET PERSIST rpl_semi_sync_replica_enabled = ON",
    ]


def test_what_holds_is_left_alone_and_what_is_not_kept_is_not_held() -> None:
    held = Semisync((9, 7, 4), SIDES, ("source",), ("source",), 5000)
    assert sent(held, "source", 5000) == []
    assert plan(held, "replica", never).after().on == ("replica",)
    gone_after_a_restart = Semisync((9, 7, 4), SIDES, ("source",), (), 5000)
    assert len(sent(gone_after_a_restart, "source", 5000)) == 1
    assert sent(Semisync((9, 7, 4)), "off") == []
    assert sent(Semisync((9, 7, 4)), "source", install=False) == []
