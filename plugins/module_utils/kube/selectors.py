# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Label selectors, as the API server reads them: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]


def labels(obj: Object) -> dict[str, str]:
    """Return an object's labels."""
    return dict(obj["metadata"].get("labels") or {})


def matches(selector: Mapping[str, Any] | None, given: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) matches; an empty one matches all."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(given.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(rule, given) for rule in selector.get("matchExpressions") or [])


def matches_any(selectors: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> bool:
    """Whether one of several LabelSelectors matches."""
    return any(matches(selector, given) for selector in selectors)


def selects(service: Object, pod: Object) -> bool:
    """Whether a Service's selector leads to a Pod of its own namespace."""
    selector = service["spec"].get("selector") or {}
    same = service["metadata"].get("namespace") == pod["metadata"].get("namespace")
    given = labels(pod)
    return bool(selector) and same and all(given.get(key) == val for key, val in selector.items())


def _holds(rule: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    key, values = rule["key"], rule.get("values") or []
    operator = rule.get("operator")
    if operator == "In":
        return given.get(key) in values
    if operator == "NotIn":
        return given.get(key) not in values
    return (key in given) == (operator == "Exists")
