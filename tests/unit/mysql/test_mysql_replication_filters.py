# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters as the server says them, as a person writes them, and as they are sent."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication_filters import (
    assignments,
    literal,
    read_filters,
    wanted_filters,
)


def test_what_the_server_says_is_what_a_person_writes() -> None:
    said = [
        {"filter_name": "REPLICATE_DO_DB", "filter_rule": "b c,a"},
        {"filter_name": "REPLICATE_IGNORE_DB", "filter_rule": ""},
        {"filter_name": "REPLICATE_WILD_DO_TABLE", "filter_rule": "a%.t\\_x%"},
        {"filter_name": "REPLICATE_REWRITE_DB", "filter_rule": "(x,y),(p,q)"},
    ]
    held = read_filters(said)
    assert held == {
        "do_db": ("a", "b c"),
        "wild_do_table": ("a%.t\\_x%",),
        "rewrite_db": ("p->q", "x->y"),
    }
    given = {"do_db": ["a", "b c", "a"], "rewrite_db": ["x->y", "p->q"], "do_table": None}
    assert wanted_filters(given) == {key: held[key] for key in ("do_db", "rewrite_db")}


@pytest.mark.parametrize(
    ("kind", "rule", "text"),
    [
        ("do_db", "a`b", "`a``b`"),
        ("do_table", "shop.orders", "`shop`.`orders`"),
        ("wild_ignore_table", "a%.it's\\_", "'a%.it''s\\\\_'"),
        ("rewrite_db", "old->new", "(`old`, `new`)"),
    ],
)
def test_rules_are_quoted(kind: str, rule: str, text: str) -> None:
    assert literal(kind, rule) == text


def test_no_rules_clear_a_kind() -> None:
    assert assignments({"do_db": ()}) == "REPLICATE_DO_DB = ()"


@pytest.mark.parametrize(
    ("kind", "rule"), [("do_table", "t"), ("rewrite_db", "old"), ("do_db", "a,b"), ("do_db", "")]
)
def test_what_is_no_rule_is_refused(kind: str, rule: str) -> None:
    with pytest.raises(CollectionError):
        wanted_filters({kind: [rule]})
