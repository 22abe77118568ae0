# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pages of the course: the same commands in both languages, and how what they print is read."""

from __future__ import annotations

import pytest

from tests.integration.course_pages import PAGES, Command, commands


def test_both_languages_have_the_same_commands() -> None:
    english, korean = (commands(page) for page in PAGES)
    assert korean == english
    assert len(english) > 30


@pytest.mark.parametrize(
    ("prints", "missing"),
    [
        (["mysql-11 … replica", "changed=0"], ""),
        (["mysql-11   replica  11"], ""),
        (["changed=0", "mysql-11 … replica"], "mysql-11 … replica"),
        (["mysql-11 primary"], "mysql-11 primary"),
    ],
)
def test_lines_are_looked_for_in_their_order(prints: list[str], missing: str) -> None:
    command = Command("make site", prints=prints)
    assert command.missing("mysql-11     replica   11  9.7.4\nok=3 changed=0\n") == missing
