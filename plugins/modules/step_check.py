#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: step_check
short_description: Look whether what a step of the course stands on is there
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Reads live what the steps before O(step) make, and fails with what is missing and the step that makes it.
  - Of layers that stand on each other only the lowest that is missing is told.
  - Reads only; it never reports a change.
options:
  step:
    description: Number of the step, 1 to 10.
    type: int
    required: true
  cluster:
    description: Name of the MySQL cluster; its root password is read from the Secret C(<cluster>-auth).
  instances:
    description: Names of the instances that the site wants.
    type: list
    elements: str
    required: true
  backends:
    description: Deployments and Services of the application.
    type: list
    elements: str
    default: [app-api, app-web]
  ingresses:
    description: Ingresses of the application.
    type: list
    elements: str
    default: [app-home, app-view, app-bucket]
  database:
    description: Database that must have tables from step 8 on; empty to leave that out.
    type: str
    default: ""
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.cluster.reads
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: See that the Services can be made
  mysql_on.kubernetes.step_check:
    step: 5
    namespace: mysql
    instances: [mysql-1, mysql-11, mysql-12]
"""

RETURN = r"""
stands_on:
  description: What the step stands on, the oldest first; all of it is there.
  returned: success
  type: list
  elements: str
  sample: [namespace, claims, engines]
findings:
  description: What is missing.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: Stable code of the cause.
      type: str
    severity:
      description: Always V(error).
      type: str
    subject:
      description: What is missing.
      type: str
    summary:
      description: What is missing, and which step makes it.
      type: str
    proof:
      description: What was read, and from where.
      type: list
      elements: str
    fix:
      description: The command that makes it.
      type: str
"""

import base64
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads, steps
from ..module_utils.causes import ground as causes
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, ground, topology
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    step = steps.step(params["step"])
    cluster = client.connect(params["kubeconfig"], params["context"])
    wanted = causes.Wanted(
        step=step.number,
        instances=tuple(params["instances"]),
        services=(params["write_service"], params["read_service"]),
        backends=tuple(params["backends"]),
        ingresses=tuple(params["ingresses"]),
        database=params["database"],
    )
    seen = ground.observe(cluster, params["namespace"])
    found = causes.explain(seen, wanted, params["language"])
    if not found and steps.DATA in step.needs and params["database"]:
        counted = replace(wanted, tables=tables(cluster, params))
        found = causes.explain(seen, counted, params["language"])
    if found:
        raise CollectionError(f"Step {step.number} has no ground to stand on", found)
    return {"changed": False, "stands_on": list(step.needs)}


def tables(cluster: client.Cluster, params: dict[str, Any]) -> int:
    """Return how many tables the database has on the primary."""
    namespace = params["namespace"]
    secret = cluster.get("Secret", f"{params['cluster']}-auth", namespace) or {}
    password = base64.b64decode((secret.get("data") or {}).get("root-password", "")).decode()
    seen = topology.observe(cluster, namespace, params["cluster"], params["write_service"])
    way = {
        "pod": {"namespace": namespace, "deployment": seen.primary or params["instances"][0]},
        "login_password": password,
        "kubeconfig": params["kubeconfig"],
        "context": params["context"],
        "language": params["language"],
    }
    sql = "SELECT COUNT(*) AS found FROM information_schema.tables WHERE table_schema = %s"
    with roads.connect(way) as connection:
        return int(connection.query(sql, (params["database"],))[0]["found"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "step": {"type": "int", "required": True},
            "instances": {"type": "list", "elements": "str", "required": True},
            "backends": {"type": "list", "elements": "str", "default": ["app-api", "app-web"]},
            "ingresses": {
                "type": "list",
                "elements": "str",
                "default": ["app-home", "app-view", "app-bucket"],
            },
            "database": {"type": "str", "default": ""},
            **roads.cluster_argument_spec(reads=True),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
