# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs as bytes in their creator's character set, put together without a server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import seed_programs


class Latin:
    """A server that converts to latin1."""

    def value(self, _sql: str, params: tuple[str]) -> str:
        return params[0].encode("latin-1").hex()


def recoded(text: bytes, mode: str = "", **row: Any) -> bytes:
    shown = {"character_set_client": b"latin1", "sql_mode": mode.encode()}
    return seed_programs._recoded(Latin(), text, shown, {"definer": "ü@x@%", **row})  # type: ignore[arg-type]


def test_what_is_shown_in_utf8_is_sent_in_the_creators_character_set() -> None:
    text = "CREATE DEFINER=`ü@x`@`%` PROCEDURE `größe`()\n    COMMENT 'cö''m\\\\é'\n".encode()
    body = "SELECT 'café', 'cö'".encode("latin-1")
    made = recoded(text + body, name="größe", comment="cö'm\\é")
    assert made == text.decode().encode("latin-1") + body


def test_a_comment_is_written_as_its_creators_mode_reads_it() -> None:
    text = b'CREATE DEFINER="a"@"b" PROCEDURE "p"()\n    COMMENT \'a\\\\b\'\nSELECT 1'
    made = recoded(text, "NO_BACKSLASH_ESCAPES", name="p", comment="a\\b", definer="a@b")
    assert b"COMMENT 'a\\b'" in made


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (b"CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW `v` AS ", b""),
        (
            b"CREATE ALGORITHM=MERGE DEFINER=`a``b`@`c` SQL SECURITY INVOKER VIEW `x``y` (`a`,`b c`) AS ",
            b"",
        ),
        (b"CREATE DEFINER=`a`@`b` VIEW `v` AS ", b" WITH CASCADED CHECK OPTION"),
    ],
)
def test_what_a_view_selects_is_cut_out(head: bytes, tail: bytes) -> None:
    selected = b"select 1 AS `x` from `t` where `t`.`a` = ' AS '"
    assert seed_programs._selected(head + selected + tail) == selected


def test_what_is_no_view_is_an_error() -> None:
    with pytest.raises(CollectionError, match="otherwise than expected"):
        seed_programs._selected(b"CREATE TABLE t (a INT)")
