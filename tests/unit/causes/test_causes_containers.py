from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import containers

ERRNO_13 = (
    "2026-11-24T19:27:13Z 0 [ERROR] [MY-010119] [Server] Aborting\n"
    "mysqld: File './mysql-bin.index' not found (OS errno 13 - Permission denied)\n"
)


@pytest.mark.parametrize(
    ("text", "hopeless"),
    [
        ("running 0 0", False),
        ("running 1 0", False),
        ("running 2 1", True),
        ("created 0 0", False),
        ("exited 0 1", True),
        ("", True),
        ("no such object", True),
    ],
)
def test_waiting_ends_where_it_brings_nothing(text: str, hopeless: bool) -> None:
    assert containers.is_hopeless(containers.state_of(text)) is hopeless


def test_files_of_another_owner_are_a_cause_of_their_own_with_the_line_that_says_so() -> None:
    (found,) = containers.explain("mysql-local", containers.State("exited", 3, 1), ERRNO_13)
    assert (found.code, found.subject) == ("local.volume_owner", "Container mysql-local")
    assert found.proof[0] == "mysql-local: exited, 3 restarts, exit code 1"
    assert "errno 13" in found.proof[1]
    (korean,) = containers.explain("m", containers.State("exited"), ERRNO_13, "ko")
    assert "소유자" in korean.summary


def test_a_log_that_names_no_cause_is_shown_by_its_last_lines() -> None:
    (found,) = containers.explain("m", containers.State("exited", 0, 7), "one\ntwo\n")
    assert found.code == "local.no_answer"
    assert found.proof[1:] == ("log: one", "log: two")
