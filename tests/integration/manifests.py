# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make manifests` as a person uses it: rendered, passwords filled in, and applied as its README says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.integration import cluster
from tests.integration.site import Site

DATA = "CREATE DATABASE shop; CREATE TABLE shop.sold (id INT PRIMARY KEY); INSERT INTO shop.sold VALUES (7);"
BLANKS = {
    # Once more in client.cnf and probe.cnf, which are texts inside of the text.
    "04-mysql-secret.yaml": ('""', 5),
    "06-primary.sql": ("''", 5),
    "06-replica.sql": ("''", 1),
}


def commands(readme: str) -> list[str]:
    """What the README tells to type, in its order."""
    blocks = re.findall(r"```\n(.*?)```", readme, re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def render(site: Site, folder: Path) -> None:
    """Render a site, see that once is enough, and fill in the passwords and the data."""
    site.play_through(playbook="manifests", manifests_folder=str(folder))
    assert site.play(playbook="manifests", manifests_folder=str(folder)).changed == []
    for name, (blank, count) in BLANKS.items():
        text = (folder / name).read_text()
        assert text.count(blank) == count, name
        inner = text.replace('password=\\"\\"', "password=a1b2c3")
        (folder / name).write_text(inner.replace(blank, f"{blank[0]}a1b2c3{blank[0]}"))
    (folder / "your.sql").write_text(DATA)


def apply(folder: Path, *, but: str = "") -> None:
    """Do what the README says; but: a file whose commands are left out."""
    for command in commands((folder / "README.md").read_text()):
        if but and but in command:
            continue
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=shell(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def shell() -> dict[str, str]:
    """The environment in which kubectl takes the cluster by itself."""
    return {**os.environ, "KUBECONFIG": cluster.kubeconfig()}
