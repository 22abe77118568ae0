# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Statements that are logged as text, with what the log says of their session."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    EXECUTE_LOAD_QUERY,
    QUERY,
    MalformedError,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.query import read_query

# As 9.7 writes them: flags, sql_mode, the catalog, the session's character set, and the rest.
BEFORE = "0000000000012000a04500000000060373746404{charset}00{charset}00ff00"
SHOP = "0c0173686f7000"


def body(text: bytes, variables: str = "", *, error: int = 0, load: bool = False) -> bytes:
    status = bytes.fromhex(variables)
    head = bytes(8) + b"\4" + error.to_bytes(2, "little") + len(status).to_bytes(2, "little")
    return head + (bytes(13) if load else b"") + status + b"shop\0" + text


def test_which_schemas_it_writes_to_and_how_it_ended() -> None:
    found = read_query(
        QUERY, body(b"DELETE FROM t", BEFORE.format(charset="ff") + SHOP + "12ff00", error=1051)
    )
    assert (found.schema, found.text) == ("shop", "DELETE FROM t")
    assert (found.updated, found.listed, found.error) == (("shop",), True, 1051)
    assert (found.ansi_quotes, found.backslash, found.exact) == (False, True, True)


def test_more_schemas_than_are_named_and_none() -> None:
    many = read_query(QUERY, body(b"DELETE FROM t", "0cfe12ff00"))
    assert (many.updated, many.listed) == (None, True)
    own = read_query(QUERY, body(b"DELETE FROM t", BEFORE.format(charset="ff")))
    assert (own.updated, own.listed) == (None, False)


def test_what_is_not_known_ends_the_variables() -> None:
    found = read_query(QUERY, body(b"SELECT 1", "6301" + SHOP))
    assert (found.text, found.listed) == ("SELECT 1", False)


def test_a_sql_mode_says_what_quotes_are() -> None:
    found = read_query(QUERY, body(b"SELECT 1", "01" + (0x140004).to_bytes(8, "little").hex()))
    assert (found.ansi_quotes, found.backslash) == (True, False)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("08", "cp1252"), ("13", "euc_kr"), ("0d", "shift_jis"), ("1c", "gbk"), ("ff", "utf-8")],
)
def test_it_is_read_in_its_sessions_character_set(charset: str, codec: str) -> None:
    names = {"cp1252": "Größe", "euc_kr": "전자", "shift_jis": "表", "gbk": "表", "utf-8": "🙂"}
    text = f"TRUNCATE `{names[codec]}`"
    found = read_query(QUERY, body(text.encode(codec), BEFORE.format(charset=charset)))
    assert (found.text, found.exact) == (text, True)


def test_bytes_that_are_no_text_are_shown() -> None:
    found = read_query(QUERY, body(b"SELECT '\xff'"))
    assert (found.text, found.exact) == (r"SELECT '\xff'", False)


def test_load_data_is_read_too() -> None:
    found = read_query(EXECUTE_LOAD_QUERY, body(b"LOAD DATA", SHOP, load=True))
    assert (found.text, found.updated) == ("LOAD DATA", ("shop",))


def test_a_name_without_an_end_is_malformed() -> None:
    with pytest.raises(MalformedError, match="has no end"):
        read_query(QUERY, body(b"SELECT 1", "0c0173686f70"))
