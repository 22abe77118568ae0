# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the scenarios' tests look at the lab with: kubectl, and testinfra hosts over its kubectl backend."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import testinfra

from tests.integration.runner import CHECKOUT

KUBECONFIG = str(CHECKOUT / ".lab" / "kubeconfig")
# SITE_NAMESPACE names another site than the scenario's, for tests that look at any.
NAMESPACE = (
    os.environ.get("SITE_NAMESPACE")
    or f"molecule-{os.environ.get('MOLECULE_SCENARIO_NAME', 'site')}"
)
CLIENT = "mysql --defaults-extra-file=/etc/mysql/probe/client.cnf -N -B"
SERVER_LABEL = "mysql-on.kubernetes/server"


def kubectl(*arguments: str) -> str:
    """What kubectl says of the scenario's namespace."""
    return subprocess.run(
        ["kubectl", "--kubeconfig", KUBECONFIG, "--namespace", NAMESPACE, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def objects(kind: str, labels: str = "") -> list[dict[str, Any]]:
    """The objects of a kind in the scenario's namespace."""
    chosen = ["--selector", labels] if labels else []
    found: list[dict[str, Any]] = json.loads(kubectl("get", kind, *chosen, "-o", "json"))["items"]
    return found


def host(pod: str, container: str) -> Any:
    """A testinfra host inside a container."""
    os.environ["KUBECONFIG"] = KUBECONFIG
    return testinfra.get_host(
        f"kubectl://{pod}?container={container}&namespace={NAMESPACE}&kubeconfig={KUBECONFIG}"
    )


def instances() -> dict[str, Any]:
    """A testinfra host for each instance of MySQL, by its name."""
    pods = objects("pods", f"app.kubernetes.io/name=mysql,{SERVER_LABEL}")
    return {
        pod["metadata"]["labels"][SERVER_LABEL]: host(pod["metadata"]["name"], "mysql")
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp")
    }


def query(instance: Any, sql: str) -> str:
    """What an instance answers."""
    return str(instance.check_output(f'{CLIENT} -e "{sql}"').strip())
