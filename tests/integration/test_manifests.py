# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make manifests`: what its README says is done with kubectl alone, command by command, and MySQL replicates."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.integration import cluster
from tests.integration.site import Site

pytestmark = [
    pytest.mark.lab,
    pytest.mark.long,
    pytest.mark.skipif(not cluster.kubeconfig(), reason="no cluster: make lab"),
]

DATA = "CREATE DATABASE shop; CREATE TABLE shop.sold (id INT PRIMARY KEY); INSERT INTO shop.sold VALUES (7);"
BLANKS = {
    # Once more in client.cnf, which is a text inside of the text.
    "04-mysql-secret.yaml": ('""', 3),
    "06-primary.sql": ("''", 2),
    "06-replica.sql": ("''", 1),
}


def commands(readme: str) -> list[str]:
    """What the README tells to type, in its order."""
    blocks = re.findall(r"```\n(.*?)```", readme, re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_what_the_readme_says_makes_a_replicated_mysql(tmp_path: Path) -> None:
    site = Site()
    # A folder that it can write to, and the cluster that kubectl takes by itself.
    shell = {**os.environ, "KUBECONFIG": cluster.kubeconfig()}
    try:
        rendered = site.play(playbook="manifests", manifests_folder=str(tmp_path))
        assert not rendered.failed, rendered.output
        assert site.play(playbook="manifests", manifests_folder=str(tmp_path)).changed == []
        for name, (blank, count) in BLANKS.items():
            text = (tmp_path / name).read_text()
            assert text.count(blank) == count, name
            inner = text.replace('password=\\"\\"', "password=a1b2c3")
            (tmp_path / name).write_text(inner.replace(blank, f"{blank[0]}a1b2c3{blank[0]}"))
        (tmp_path / "your.sql").write_text(DATA)
        for command in commands((tmp_path / "README.md").read_text()):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=shell,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        asked = subprocess.run(
            [
                *("kubectl", "-n", site.namespace, "exec", "deploy/mysql-11", "--", "mysql"),
                *("--defaults-extra-file=/etc/mysql/probe/client.cnf", "-N", "-B", "-e"),
                "SELECT id, @@server_id, @@super_read_only FROM shop.sold",
            ],
            env=shell,
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
