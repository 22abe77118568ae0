# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make manifests`: what its README says is done with kubectl alone, command by command, and MySQL replicates."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration import cluster, manifests
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]


def test_what_the_readme_says_makes_a_replicated_mysql(tmp_path: Path) -> None:
    site = Site()
    try:
        manifests.render(site, tmp_path)
        manifests.apply(tmp_path)
        asked = subprocess.run(
            [
                *("kubectl", "-n", site.namespace, "exec", "deploy/mysql-11", "--", "mysql"),
                *("--defaults-extra-file=/etc/mysql/probe/client.cnf", "-N", "-B", "-e"),
                "SELECT id, @@server_id, @@super_read_only FROM shop.sold",
            ],
            env=manifests.shell(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert asked.stdout.split() == ["7", "11", "1"]
        # The roles take over what kubectl made, and give it their own settings.
        taken = site.play("--tags", "preflight,step3,step4,step5,step6")
        assert not taken.failed, taken.output
    finally:
        site.remove()
