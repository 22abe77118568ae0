# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the gate leaves to test-all: the oldest server where the newest one tells nearly all."""

from __future__ import annotations

from pathlib import Path

import pytest

# The older server is met in the gate by tests of other files: a replica of it follows, is promoted, seeded and
# recovered there. Here each option, cause and answer is tried a second time.
OLDEST_IN_TEST_ALL = frozenset(
    Path(__file__).parent / name
    for name in (
        "faults/test_server_faults.py",
        "integration/test_account.py",
        "integration/test_app_servers.py",
        "integration/test_checksum.py",
        "integration/test_database.py",
        "integration/test_load.py",
        "integration/test_replication_causes.py",
        "integration/test_replication_options.py",
        "integration/test_replication_proof.py",
    )
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as long what is parametrized by the oldest version, in the files named above."""
    for item in items:
        if item.path in OLDEST_IN_TEST_ALL and "8.0.15" in item.name:
            item.add_marker(pytest.mark.long)
