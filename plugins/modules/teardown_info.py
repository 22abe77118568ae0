#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: teardown_info
short_description: Say what would be lost if a MySQL cluster were removed
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Reads which databases the primary holds, with their tables and rows, and which volumes the cluster has, and the
    Certificates for which cert-manager would make a Secret again.
  - Reads only; it never reports a change, and answers for a cluster that does not run as far as that can be known.
options:
  cluster:
    description: Name of the MySQL cluster; its root password is read from the Secret C(<cluster>-auth).
  volumes:
    description: Names of PersistentVolumeClaims that shall be removed; one that is not the cluster's is an error.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.cluster
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: See what would be lost
  mysql_on.kubernetes.teardown_info:
    namespace: mysql
"""

RETURN = r"""
namespace_exists:
  description: Whether the namespace is there.
  returned: success
  type: bool
databases:
  description: What the primary holds beside MySQL's own; empty where it does not answer.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the database.
      type: str
    tables:
      description: How many tables it has.
      type: int
    rows:
      description: About how many rows, as InnoDB estimates them.
      type: int
    bytes:
      description: Size of data and indexes.
      type: int
unread:
  description: Why the databases could not be read; empty where they were.
  returned: success
  type: str
certificates:
  description: Names of the cluster's Certificates; empty without cert-manager.
  returned: success
  type: list
  elements: str
volumes:
  description: The claims of the cluster.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the claim.
      type: str
    size:
      description: Its size, as Kubernetes writes it.
      type: str
    volume:
      description: Its PersistentVolume, empty where it has none.
      type: str
    reclaim_policy:
      description: V(Delete) where the data goes with the claim, V(Retain) where it stays; empty without a volume.
      type: str
    removed:
      description: Whether O(volumes) names it.
      type: bool
"""

import base64
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, storage, topology
from ..module_utils.runtime import run

SIZES = """
    SELECT table_schema AS name, COUNT(*) AS tables_found, COALESCE(SUM(table_rows), 0) AS rows_found,
           COALESCE(SUM(data_length + index_length), 0) AS bytes_found
      FROM information_schema.tables
     WHERE table_type = 'BASE TABLE'
       AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')
     GROUP BY table_schema ORDER BY table_schema
"""


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    namespace = params["namespace"]
    seen = topology.observe(cluster, namespace, params["cluster"], params["write_service"])
    if not seen.namespace_exists:
        return {
            "changed": False,
            "namespace_exists": False,
            "databases": [],
            "certificates": [],
            "volumes": [],
            "unread": "",
        }
    found = volumes(cluster, params)
    unknown = sorted(set(params["volumes"]) - {one["name"] for one in found})
    if unknown:
        there = ", ".join(one["name"] for one in found) or "none"
        raise CollectionError(
            f"volumes: {', '.join(unknown)} is no claim of the cluster {params['cluster']}"
            f" in {namespace}; there are: {there}"
        )
    unread = ""
    try:
        held = databases(cluster, seen, params)
    except CollectionError as error:
        # A cluster that does not run is torn down too; what it holds is then told as not known.
        held, unread = [], error.message
    return {
        "changed": False,
        "namespace_exists": True,
        "databases": held,
        "unread": unread,
        "certificates": certificates(cluster, params),
        "volumes": found,
    }


def certificates(cluster: client.Cluster, params: dict[str, Any]) -> list[str]:
    labels = f"{topology.MANAGER_LABEL}={topology.MANAGER},app.kubernetes.io/instance={params['cluster']}"
    try:
        found = cluster.list_if_served("Certificate", params["namespace"], labels=labels) or []
    except client.KubeError as error:
        if error.status != client.FORBIDDEN:
            raise
        # Who may not list them has made none.
        return []
    return [str(one["metadata"]["name"]) for one in found]


def volumes(cluster: client.Cluster, params: dict[str, Any]) -> list[dict[str, Any]]:
    labels = f"app.kubernetes.io/instance={params['cluster']}"
    policies = {
        one["metadata"]["name"]: str(one["spec"].get("persistentVolumeReclaimPolicy", ""))
        for one in cluster.list("PersistentVolume")
    }
    claims = cluster.list("PersistentVolumeClaim", params["namespace"], labels=labels)
    return [
        {
            "name": claim["metadata"]["name"],
            "size": storage.size(claim),
            "volume": str(claim["spec"].get("volumeName") or ""),
            "reclaim_policy": policies.get(str(claim["spec"].get("volumeName")), ""),
            "removed": claim["metadata"]["name"] in params["volumes"],
        }
        for claim in claims
    ]


def databases(
    cluster: client.Cluster, seen: topology.Topology, params: dict[str, Any]
) -> list[dict[str, Any]]:
    if not seen.primary:
        raise CollectionError("no instance is primary")
    secret = cluster.get("Secret", f"{params['cluster']}-auth", params["namespace"]) or {}
    password = base64.b64decode((secret.get("data") or {}).get("root-password", "")).decode()
    way = {
        "pod": {"namespace": params["namespace"], "deployment": seen.primary},
        "login_password": password,
        "kubeconfig": params["kubeconfig"],
        "context": params["context"],
        "language": params["language"],
    }
    with roads.connect(way) as connection:
        return [
            {
                "name": str(row["name"]),
                "tables": int(row["tables_found"]),
                "rows": int(row["rows_found"]),
                "bytes": int(row["bytes_found"]),
            }
            for row in connection.query(SIZES)
        ]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "volumes": {"type": "list", "elements": "str", "default": []},
            **roads.cluster_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
