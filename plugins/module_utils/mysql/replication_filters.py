# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of a channel's applier: what performance_schema says of them, and how they are sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..finding import CollectionError
from .connection import Row
from .dialect import quote_identifier

# Rules by kind. A rule is written as mysqld's own options write it: ``shop``, ``shop.orders``,
# ``shop.o%``, ``old->new``.
Filters = Mapping[str, tuple[str, ...]]

KINDS: Mapping[str, str] = {
    "do_db": "REPLICATE_DO_DB",
    "ignore_db": "REPLICATE_IGNORE_DB",
    "do_table": "REPLICATE_DO_TABLE",
    "ignore_table": "REPLICATE_IGNORE_TABLE",
    "wild_do_table": "REPLICATE_WILD_DO_TABLE",
    "wild_ignore_table": "REPLICATE_WILD_IGNORE_TABLE",
    "rewrite_db": "REPLICATE_REWRITE_DB",
}
ARROW = "->"

_KIND_OF = {name: kind for kind, name in KINDS.items()}
_PAIR = re.compile(r"\(([^()]*),([^()]*)\)")


def read_filters(rows: Iterable[Row]) -> dict[str, tuple[str, ...]]:
    """Return the rules of one channel by kind, sorted; kinds without a rule are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        kind, text = _KIND_OF[str(row["filter_name"])], str(row["filter_rule"])
        if kind == "rewrite_db":
            rules = [f"{old}{ARROW}{new}" for old, new in _PAIR.findall(text)]
        else:
            rules = [rule for rule in text.split(",") if rule]
        if rules:
            found[kind] = tuple(sorted(rules))
    return found


def wanted_filters(given: Mapping[str, list[str] | None] | None) -> Filters:
    """Return the option ``filters`` checked: the kinds that were given, rules sorted, each once.

    Raises CollectionError naming the kind, the rule and the form that is allowed.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for kind, rules in (given or {}).items():
        if rules is not None:
            for rule in rules:
                literal(kind, rule)
            wanted[kind] = tuple(sorted(set(rules)))
    return wanted


def literal(kind: str, rule: str) -> str:
    """Return a rule as CHANGE REPLICATION FILTER takes it. Raises CollectionError."""
    if "," in rule:
        raise CollectionError(f"filters.{kind}: {rule!r} holds a comma; give each rule by itself")
    if kind in ("do_db", "ignore_db"):
        return quote_identifier(rule)
    if kind == "rewrite_db":
        old, new = _two(kind, rule, ARROW)
        return f"({quote_identifier(old)}, {quote_identifier(new)})"
    schema, table = _two(kind, rule, ".")
    if kind.startswith("wild_"):
        escaped = rule.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}'"
    return f"{quote_identifier(schema)}.{quote_identifier(table)}"


def assignments(changes: Filters) -> str:
    """Return what follows CHANGE REPLICATION FILTER for these kinds; no rules clear a kind."""
    parts = []
    for kind, rules in changes.items():
        inside = ", ".join(literal(kind, rule) for rule in rules)
        parts.append(f"{KINDS[kind]} = ({inside})")
    return ", ".join(parts)


def _two(kind: str, rule: str, between: str) -> tuple[str, str]:
    first, found, second = rule.partition(between)
    if not (first and found and second):
        form = "old->new" if between == ARROW else "schema.table"
        raise CollectionError(f"filters.{kind}: {rule!r} is not of the form {form}")
    return first, second
