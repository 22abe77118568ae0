# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Privileges as text: what SHOW GRANTS says, and what a level may be."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.account import (
    parse_privileges,
    quote_level,
    read_grants,
)


def test_grants_are_read_level_by_level() -> None:
    lines = [
        "GRANT USAGE ON *.* TO `u`@`%`",
        "GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `u`@`%` WITH GRANT OPTION",
        "GRANT SELECT, INSERT ON `a``b`.* TO `u`@`%`",
        "GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%` WITH GRANT OPTION",
        "GRANT SELECT (`a`, `b`), UPDATE ON `shop`.`c.d` TO `u`@`%`",
        "GRANT PROXY ON ``@`` TO `u`@`%`",
        "GRANT `role`@`%` TO `u`@`%`",
    ]
    assert read_grants(lines) == {
        "*.*": {"BACKUP_ADMIN", "CLONE_ADMIN", "GRANT OPTION"},
        "a`b.*": {"SELECT", "INSERT"},
        "shop.*": {"ALL", "GRANT OPTION"},
        "shop.c.d": {"SELECT (`a`, `b`)", "UPDATE"},
    }


def test_all_stands_for_every_other() -> None:
    given = {"shop.*": ["select", "all privileges", "grant option"]}
    assert parse_privileges(given) == {"shop.*": {"ALL", "GRANT OPTION"}}


@pytest.mark.parametrize(
    ("level", "quoted"),
    [("*.*", "*.*"), ("shop.*", "`shop`.*"), ("a`b.c", "`a``b`.`c`")],
)
def test_levels_are_quoted(level: str, quoted: str) -> None:
    assert quote_level(level) == quoted


@pytest.mark.parametrize("level", ["shop", "*.t", ".t", "shop.", ""])
def test_what_is_no_level_is_refused(level: str) -> None:
    with pytest.raises(CollectionError):
        quote_level(level)
