# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows before and after a change, as bytes of captured logs: as many as are counted, each as the last left it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import rows
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import (
    PARTIAL_UPDATE_ROWS,
    TABLE_MAP,
    Event,
    MalformedError,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.files import file_events
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.transactions import DETAILS

from tests.unit.binlog.binlog_files import FILES, VERSIONS, content


def changes(version: str) -> Iterator[tuple[Event, rows.Table]]:
    tables: dict[int, rows.Table] = {}
    for event in file_events(content(version, FILES[0]), FILES[0], DETAILS):
        if event.type == TABLE_MAP:
            table = rows.read_table(event.body)
            tables[table.number] = table
        elif event.type in rows.KINDS:
            yield event, tables[rows.table_number(event.body)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_row_that_is_counted_is_read(version: str) -> None:
    seen = set()
    for event, table in changes(version):
        images = list(rows.read_images(event.type, event.body, table))
        assert len(images) == rows.count_rows(event.type, event.body, table)
        kind = rows.KINDS[event.type]
        seen.add(kind)
        for before, after in images:
            assert (before is None) == (kind == rows.INSERT)
            assert (after is None) == (kind == rows.DELETE)
    assert seen == {rows.INSERT, rows.UPDATE, rows.DELETE}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_change_begins_with_what_the_one_before_left(version: str) -> None:
    there: list[rows.Image] = []
    for event, table in changes(version):
        if table.name == "small":
            for before, after in rows.read_images(event.type, event.body, table):
                if before is not None:
                    there.remove(before)
                there += [after] if after is not None else []
    # The 9.7 log has one more, by a tagged transaction; what it deletes is compressed, and not read here.
    assert len(there) == (3 if version == "8.0.15" else 4)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_that_is_given_by_its_difference_is_left_out(version: str) -> None:
    partial = [
        (event, table) for event, table in changes(version) if event.type == PARTIAL_UPDATE_ROWS
    ]
    assert partial
    for event, table in partial:
        json = {number for number, column in enumerate(table.columns) if column.json}
        for before, after in rows.read_images(event.type, event.body, table):
            assert before is not None
            assert before.columns
            assert after is not None
            assert not json & {*after.columns}


def test_a_row_that_is_cut_off_is_told() -> None:
    event, table = next(iter(changes("9.7.4")))
    with pytest.raises(MalformedError):
        list(rows.read_images(event.type, event.body[:-1], table))
