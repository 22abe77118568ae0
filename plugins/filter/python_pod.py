# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pods that run this collection's own Python, for templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.finding import CollectionError
from ..plugin_utils import python_pod as pods


def python_pod(
    settings: Mapping[str, Any],
    config_map: str,
    modules: list[str],
    packages: list[str],
    data: list[str] | None = None,
) -> dict[str, Any]:
    """Return the parts of a ConfigMap and of a Pod that make the Pod run some modules."""
    try:
        return pods.python_pod(settings, config_map, modules, packages, data or [])
    except CollectionError as error:
        raise AnsibleFilterError(error.message) from error


def python_check(settings: Mapping[str, Any], packages: list[str]) -> dict[str, Any]:
    """Return a container that ends well where Pods get these sets of packages."""
    try:
        return pods.python_check(settings, packages)
    except CollectionError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"python_pod": python_pod, "python_check": python_check}
