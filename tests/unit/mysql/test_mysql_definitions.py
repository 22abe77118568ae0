# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How definitions are written alike, and which differ: decided without a server."""

from __future__ import annotations

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.definitions import (
    Difference,
    as_text,
    differences,
    grants_alike,
)


def test_differences_are_named_by_what_the_second_has_otherwise() -> None:
    first = {"view a.v": "1", "table a.t": "1", "event a.e": "1"}
    second = {"view a.v": "2", "table a.t": "1", "account 'x'@'%'": "1"}
    assert differences(first, second) == [
        Difference("account 'x'@'%'", "extra"),
        Difference("event a.e", "missing"),
        Difference("view a.v", "differing"),
    ]
    assert differences(first, first) == []
    assert str(Difference("view a.v", "missing")) == "view a.v: missing"


def test_grants_are_written_alike_by_every_version() -> None:
    old = [
        "GRANT SELECT, SET_USER_ID ON *.* TO 'a'@'%' WITH GRANT OPTION",
        "GRANT SELECT (`x`, `y`), INSERT ON `s`.`t` TO 'a'@'%'",
        "GRANT USAGE ON *.* TO 'a'@'%'",
        "GRANT PROXY ON 'b'@'%' TO 'a'@'%'",
        "GRANT `r`@`%` TO `a`@`%`",
        "REVOKE SELECT ON `s`.* FROM `a`@`%`",
    ]
    new = [
        "GRANT SELECT ON *.* TO `a`@`%` WITH GRANT OPTION",
        "GRANT INSERT, SELECT (`y`, `x`) ON `s`.`t` TO `a`@`%`",
        *old[3:],
    ]
    assert grants_alike(old, {"SELECT"}) == grants_alike(new, {"SELECT"})
    assert "GRANT SET_USER_ID ON *.* TO `a`@`%` WITH GRANT OPTION" in grants_alike(old, None)
    assert grants_alike(new, None) != grants_alike(new[:-1], None)


def test_bytes_that_are_no_utf8_are_written_by_their_digits() -> None:
    assert as_text("é".encode()) == "é"
    assert as_text("é".encode("latin-1")) == "\\xe9"
    assert as_text(None) == ""
