# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the gate leaves to test-all: older servers where the newest one tells nearly all.

MYSQL_ON_KUBERNETES_VERSIONS says which versions are meant: then nothing of them is left out.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# The older server is met in the gate by tests of other files: a replica of it follows, is promoted, seeded and
# recovered there. Here each option, cause and answer is tried a second time.
OLDEST_IN_TEST_ALL = frozenset(
    Path(__file__).parent / name
    for name in (
        "faults/test_server_faults.py",
        "differential/test_differential.py",
        "differential/test_oracle.py",
        "integration/test_account.py",
        "integration/test_app_servers.py",
        "integration/test_backup_bases.py",
        "integration/test_binlog_point.py",
        "integration/test_carry.py",
        "integration/test_checksum.py",
        "integration/test_checksum_values.py",
        "integration/test_database.py",
        "integration/test_definitions.py",
        "integration/test_load.py",
        "integration/test_load_refusals.py",
        "integration/test_recovery_rows.py",
        "integration/test_recovery_rows_values.py",
        "integration/test_recovery_skip.py",
        "integration/test_recovery_statements.py",
        "integration/test_replication.py",
        "integration/test_replication_causes.py",
        "integration/test_replication_options.py",
        "integration/test_replication_proof.py",
        "integration/test_seed_accounts.py",
        "integration/test_seed_whole.py",
        "integration/test_time_targets.py",
    )
)


# The dialect between the two is met in the gate where it is told apart: everywhere else it is the one or the other.
MIDDLE_IN_GATE = frozenset(
    Path(__file__).parent / name
    for name in (
        "integration/test_entrypoint.py",
        "integration/test_replication.py",
        "integration/test_semisync.py",
        "integration/test_versions.py",
    )
)


def in_test_all(path: Path, name: str) -> bool:
    """Whether a test of a file, parametrized by a version as its name says, is too much for the gate."""
    if "8.0.33" in name:
        return path not in MIDDLE_IN_GATE
    return "8.0.15" in name and path in OLDEST_IN_TEST_ALL


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as long what the gate has no time for."""
    if os.environ.get("MYSQL_ON_KUBERNETES_VERSIONS"):
        return
    for item in items:
        if in_test_all(item.path, item.name):
            item.add_marker(pytest.mark.long)
