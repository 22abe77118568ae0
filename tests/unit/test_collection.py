"""The collection as somebody gets it who installs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    built = tmp_path_factory.mktemp("built")
    run("ansible-galaxy", "collection", "build", "--output-path", str(built), cwd=CHECKOUT)
    (archive,) = built.glob("*.tar.gz")
    path = tmp_path_factory.mktemp("installed")
    install = ("ansible-galaxy", "collection", "install", "--offline", "--no-deps")
    run(*install, str(archive), "--collections-path", str(path), cwd=path)
    return path


def test_the_site_runs_by_the_collections_name(installed):
    where = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    command = ("ansible-playbook", "mysql_on.kubernetes.site", "--list-tags")
    tags = run(*command, cwd=installed, **where)
    wanted = {"infra", "db", "data", "app", *(f"step{number}" for number in range(1, 11))}
    listed = tags.rpartition("TASK TAGS: [")[2].partition("]")[0].split(", ")
    assert wanted <= set(listed)


def test_every_module_is_documented_where_it_is_installed(installed):
    modules = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
    names = [f"mysql_on.kubernetes.{module}" for module in modules]
    where = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    text = run("ansible-doc", *names, cwd=installed, **where)
    for name in names:
        assert name in text
