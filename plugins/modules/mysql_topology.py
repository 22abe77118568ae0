#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_topology
short_description: Read from the cluster which instances there are and which one is primary
version_added: 0.1.0
description:
  - Reads the Deployments and Pods of one MySQL cluster and the Service that writes go through.
  - The primary is the instance that the Service selects, never a variable. After a switchover it is another one.
  - Writes nothing.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.cluster
  - mysql_on.kubernetes.reading
options:
  require_primary:
    description: Whether it is an error that no instance is primary.
    type: bool
    default: false
  expected_primary:
    description:
      - Who was primary when it was read before; empty if nobody was. If another one is by now, it is an error.
      - Right before something is written that depends on it.
    type: str
seealso:
  - module: mysql_on.kubernetes.mysql_replication_info
"""

EXAMPLES = r"""
- name: Read who is primary
  mysql_on.kubernetes.mysql_topology:
    namespace: mysql
    require_primary: true
  register: live

- name: Show the replicas
  ansible.builtin.debug:
    msg: "{{ live.replicas | map(attribute='name') | list }}"
"""

RETURN = r"""
namespace_exists:
  description: Whether the namespace is there.
  returned: always
  type: bool
primary:
  description: The primary as an entry of C(instances) of other modules; empty where there is none yet.
  returned: always
  type: dict
  sample: {"name": "mysql-1", "pod": {"namespace": "mysql", "deployment": "mysql-1"}}
replicas:
  description: The other instances, in the same form, by server-id; empty where there is no primary yet.
  returned: always
  type: list
  elements: dict
  sample: [{"name": "mysql-11", "pod": {"namespace": "mysql", "deployment": "mysql-11"}}]
instances:
  description: What the objects show of each instance, by server-id.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the instance and of its Deployment.
      type: str
    server_id:
      description: The server-id in the Deployment's arguments, 0 where there is none.
      type: int
    image:
      description: Image of the instance.
      type: str
    config:
      description: Fingerprint of the my.cnf that its Deployment was made with, empty where it has none.
      type: str
    tls:
      description: Fingerprint of the certificates that its Deployment was made with, empty where it has none.
      type: str
    pod:
      description: Name of its Pod, empty where there is none.
      type: str
    node:
      description: Node of its Pod, empty where there is none.
      type: str
    started:
      description: Whether the server takes connections, ready or not.
      type: bool
    ready:
      description: Whether the Pod is ready.
      type: bool
    wanted:
      description: Whether the Deployment is to have a Pod.
      type: bool
    fenced:
      description: Whether it has no Pod because a failover ended it. Such a one is none of the replicas.
      type: bool
    reads:
      description: Whether the Service for reads leads to the Pod once it is ready.
      type: bool
claims:
  description: The PersistentVolumeClaim of each instance that has one, by the instance's name.
  returned: always
  type: dict
  sample: {"mysql-1": "mysql-1"}
orphans:
  description: Names of Pods that reads go to once they are ready, though the Deployment of their instance is gone.
  returned: always
  type: list
  elements: str
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import catalogue
from ..module_utils.causes import change as causes
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, topology
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    seen = topology.observe(
        cluster, params["namespace"], params["cluster"], params["write_service"]
    )
    if params["require_primary"] and not seen.primary:
        found = ", ".join(seen.names()) or "no Deployment of it"
        raise CollectionError(
            f"MySQL cluster {params['cluster']} in namespace {params['namespace']} has no primary",
            [
                catalogue.finding(
                    "mysql.no_primary",
                    subject=params["write_service"],
                    proof=[
                        f"Service {params['namespace']}/{params['write_service']} selects none of: {found}"
                    ],
                    language=params["language"],
                )
            ],
        )
    if params["expected_primary"] not in (None, seen.primary):
        error = topology.PrimaryChangedError(
            f"{params['namespace']}/{params['write_service']}",
            params["expected_primary"],
            seen.primary,
        )
        cause = causes.overtaken(error, params["cluster"], params["language"])
        raise CollectionError("Nothing was written: " + error.message, [cause])
    by_name = {instance.name: instance for instance in seen.instances}
    primary = by_name[seen.primary].as_dict(seen.namespace) if seen.primary else {}
    return {
        "changed": False,
        "namespace_exists": seen.namespace_exists,
        "primary": primary,
        "replicas": [replica.as_dict(seen.namespace) for replica in seen.replicas()],
        "instances": [asdict(instance) for instance in seen.instances],
        "orphans": list(seen.orphans),
        "claims": dict(seen.claims),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.cluster_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "require_primary": {"type": "bool", "default": False},
            "expected_primary": {"type": "str"},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
