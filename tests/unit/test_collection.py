"""The collection as somebody gets it who installs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def test_the_artifact_carries_what_users_need_and_no_more(installed):
    root = installed / "ansible_collections" / "mysql_on" / "kubernetes"
    there = {path.name for path in root.iterdir()}
    assert there == {
        *("CHANGELOG.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.ko.md", "README.md"),
        *("apps", "bindep.txt", "docs", "inventories", "meta", "playbooks", "plugins"),
        *("requirements", "requirements.txt", "roles"),
    }


def test_what_the_gates_run_with_is_within_what_users_may_have():
    """Each loose minimum of users is pinned for the gates, at that version or a later one."""
    pinned = {line.name.lower(): line for line in requirements("requirements-dev.txt")}
    loose = requirements("requirements.txt")
    assert loose
    for line in loose:
        if line.name.lower() in pinned:
            (version,) = (each.version for each in pinned[line.name.lower()].specifier)
            assert line.specifier.contains(version), line


def requirements(name: str) -> list[Requirement]:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    return [Requirement(line) for line in text.splitlines() if line and not line.startswith("#")]
