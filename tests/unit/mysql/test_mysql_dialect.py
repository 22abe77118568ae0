# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The boundaries between versions, also those that no server of the tests stands at."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import dialect
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Version,
    parse_version,
)


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("change_source", (8, 0, 15), "CHANGE MASTER TO"),
        ("change_source", (8, 0, 22), "CHANGE MASTER TO"),
        ("change_source", (8, 0, 23), "CHANGE REPLICATION SOURCE TO"),
        ("start_replica", (8, 0, 21), "START SLAVE"),
        ("start_replica", (8, 0, 22), "START REPLICA"),
        ("show_replica_status", (8, 0, 15), "SHOW SLAVE STATUS"),
        ("show_replica_status", (9, 7, 4), "SHOW REPLICA STATUS"),
        ("show_binary_log_status", (8, 1, 0), "SHOW MASTER STATUS"),
        ("show_binary_log_status", (8, 2, 0), "SHOW BINARY LOG STATUS"),
        ("reset_binary_logs", (8, 0, 46), "RESET MASTER"),
        ("reset_binary_logs", (8, 4, 0), "RESET BINARY LOGS AND GTIDS"),
        ("position_wait", (8, 0, 25), "MASTER_POS_WAIT"),
        ("position_wait", (8, 0, 26), "SOURCE_POS_WAIT"),
        # By calendar, and compared as numbers: 26 is after 9, 10 after 9.
        ("reset_binary_logs", (26, 7, 0), "RESET BINARY LOGS AND GTIDS"),
        ("start_replica", (10, 0, 0), "START REPLICA"),
    ],
)
def test_statements_at_their_boundaries(name: str, version: Version, words: str) -> None:
    assert dialect.statement(name, version) == words


def test_options_and_variables_change_with_their_own_versions() -> None:
    assert dialect.option("GET_SOURCE_PUBLIC_KEY", (8, 0, 22)) == "GET_MASTER_PUBLIC_KEY"
    assert dialect.option("GET_SOURCE_PUBLIC_KEY", (8, 0, 23)) == "GET_SOURCE_PUBLIC_KEY"
    assert dialect.variable("replica_parallel_workers", (8, 0, 25)) == "slave_parallel_workers"
    assert dialect.variable("replica_parallel_workers", (8, 0, 26)) == "replica_parallel_workers"
    assert dialect.variable("sync_binlog", (8, 0, 15)) == "sync_binlog"


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: dialect.statement("clone_local", (8, 0, 15)), "8.0.15 has no .*came with 8.0.17"),
        (lambda: dialect.variable("expire_logs_days", (9, 7, 0)), "9.7.0 has no .*went with 8.4.0"),
        (
            lambda: dialect.authentication_plugin("mysql_native_password", (9, 7, 0)),
            "it went with 9.0.0",
        ),
        (lambda: dialect.statement("start_replica", (5, 7, 44)), "5.7.44 is too old"),
        (lambda: dialect.statement("begin_magic", (9, 7, 0)), "no statement 'begin_magic'"),
    ],
)
def test_what_a_version_lacks_is_said_with_its_version(ask: object, words: str) -> None:
    with pytest.raises(CollectionError, match=words):
        ask()  # type: ignore[operator]


@pytest.mark.parametrize("table", [dialect.STATEMENTS, dialect.OPTIONS, dialect.VARIABLES])
def test_new_servers_never_hear_old_words(table: dialect.Table) -> None:
    for name, boundaries in table.items():
        newest = boundaries[max(boundaries)]
        assert newest is None or not {"MASTER", "SLAVE"} & set(newest.replace("_", " ").split()), (
            name
        )


def test_rows_of_old_servers_get_new_keys() -> None:
    row = {"Slave_IO_State": "x", "Master_Log_File": "b", "Seconds_Behind_Master": 0}
    assert dialect.modern_row(row) == {
        "replica_io_state": "x",
        "source_log_file": "b",
        "seconds_behind_source": 0,
    }


def test_identifiers_are_quoted_or_refused() -> None:
    assert dialect.quote_identifier("a`b; DROP") == "`a``b; DROP`"
    for wrong in ("", "x" * 65, "a\0b", "a "):
        with pytest.raises(CollectionError, match="cannot be an identifier"):
            dialect.quote_identifier(wrong)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("8.0.15", (8, 0, 15)),
        ("9.7.4-2", (9, 7, 4)),
        ("8.0.36-28.1", (8, 0, 36)),
        ("26.7.0", (26, 7, 0)),
    ],
)
def test_versions_are_numbers(text: str, version: Version) -> None:
    assert parse_version(text) == version
    with pytest.raises(CollectionError, match="not one"):
        parse_version(f"v{text}")
