# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes the next step that a finding prints and does just that."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.integration.servers import cache

Finding = dict[str, Any]


def the(result: dict[str, Any], code: str) -> Finding:
    """The finding of that code, with a proof and a next step; fails where it is not there."""
    found = [one for one in result["findings"] if one["code"] == code]
    note(code, bool(found))
    told = "\n".join(result.get("report") or [str(result["findings"])])
    assert found, f"{code} was not named:\n{told}"
    assert found[0]["proof"], f"{code} has no proof"
    assert found[0]["fix"], f"{code} has no next step"
    return found[0]


def note(code: str, named: bool) -> None:
    """Note that a cause was injected and whether it was named, where a benchmark counts that."""
    notes = os.environ.get("MYSQL_ON_KUBERNETES_INJECTED")
    if notes:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
        with Path(notes).open("a") as file:
            file.write(json.dumps({"code": code, "named": named, "test": test}) + "\n")


def statements(finding: Finding) -> list[str]:
    """The SQL statements in a next step: what follows the last colon before SET, GRANT, ..."""
    match = re.search(r"(?:^|: )((?:SET|GRANT|START|STOP)\s.*)$", finding["fix"])
    assert match, f"no statement in: {finding['fix']}"
    return [part.strip() for part in match[1].split(";") if part.strip()]


def options(finding: Finding) -> dict[str, Any]:
    """The options of mysql_replication that a next step names: ``name: value`` or ``state value``."""
    text = finding["fix"].split(" (", maxsplit=1)[0]
    found = {
        name: yaml.safe_load(value) for name, value in re.findall(r"\b([a-z_]+): ([\w.]+)", text)
    }
    state = re.search(r"\bstate (following|detached)\b", finding["fix"])
    if state:
        found["state"] = state[1]
    assert found, f"no option in: {finding['fix']}"
    return found


def kubectl() -> str:
    """The kubectl on PATH, else the one that the lab was built with."""
    built = sorted((cache() / "bin").glob("kubernetes-*/kubectl"))
    return shutil.which("kubectl") or str(built[-1])


def run_command(finding: Finding, kubeconfig: str) -> str:
    """Run the kubectl command that a next step prints, as it stands there."""
    match = re.search(r"(?:echo '|kubectl ).*$", finding["fix"])
    assert match, f"no command in: {finding['fix']}"
    return shell(match[0], kubeconfig)


def shell(command: str, kubeconfig: str) -> str:
    path = f"{Path(kubectl()).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "KUBECONFIG": kubeconfig, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
