# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible finds a collection's own filters only where no test has imported the collection: they are handed to it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.plugins.loader import filter_loader
from ansible_collections.mysql_on.kubernetes.plugins.filter import mysql_words, option_value

OURS = {
    f"mysql_on.kubernetes.{name}": function
    for module in (mysql_words, option_value)
    for name, function in module.FilterModule().filters().items()
}


@pytest.fixture(scope="session", autouse=True)
def _filters():
    """Let templates use them, those that a template looks up too."""
    found = filter_loader.get

    def get(name: str, *args: Any, **options: Any) -> Any:
        if name in OURS:
            return filter_loader._wrap_func(name, name, OURS[name])
        return found(name, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_loader, "get", get)
        yield
