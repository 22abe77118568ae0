# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a module as Ansible does, without a playbook: a process, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
COLLECTIONS = CHECKOUT / ".ansible" / "collections"
PACKAGE = "ansible_collections.mysql_on.kubernetes.plugins.modules"


class ModuleFailedError(AssertionError):
    """A module failed where the test wants it to succeed; result: what it returned."""

    def __init__(self, name: str, result: dict[str, Any]) -> None:
        super().__init__(f"{name}: {result.get('msg')}")
        self.result = result


def run_module(name: str, arguments: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """Return a module's result, whether it failed or not (key ``failed``), with its diff."""
    options = {"_ansible_check_mode": check, "_ansible_diff": True}
    # Ansible leaves out what a task does not give.
    given = {key: value for key, value in arguments.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.{name}"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**given, **options}}),
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"{name} said no JSON:\n{done.stdout}\n{done.stderr}") from None
    return result


def succeed(name: str, arguments: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """Return a module's result; raise ModuleFailedError where it failed."""
    result = run_module(name, arguments, check=check)
    if result.get("failed"):
        raise ModuleFailedError(name, result)
    return result


def fail(name: str, arguments: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """Return a module's result; raise where it succeeded."""
    result = run_module(name, arguments, check=check)
    assert result.get("failed"), f"{name} succeeded: {result}"
    return result


def codes(result: dict[str, Any]) -> list[str]:
    """The cause codes that a result carries, worst first."""
    return [finding["code"] for finding in result.get("findings", [])]
