#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_doctor
short_description: Look at a whole MySQL cluster and name each cause of what is wrong
version_added: 0.1.0
description:
  - Looks at the nodes, at MetalLB and the ingress controller, at the storage, at the Deployments, Pods,
    Services, NetworkPolicies and Ingresses of one MySQL cluster, and at what each of its instances says of
    itself and of its replication.
  - Returns one finding for each cause, with its proof and one next step. What only follows from another
    cause is not told.
  - Looks again for O(patience) seconds while all that it found may heal by itself, so that a Pod that
    starts, or a source that is busy, is not called ill.
  - Looks at instances outside of Kubernetes too, where O(instances) names them.
  - Reads only; it never reports a change, and findings do not make it fail - RV(verdict) says how bad they are.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
options:
  namespace:
    description:
      - Namespace of the MySQL cluster.
      - Empty to look at O(instances) alone.
    required: false
    default: ""
  ip:
    description: Address that the ingress controller shall hold; empty to look at no load balancer.
    type: str
    default: ""
  ingress_class:
    description: IngressClass whose controller shall hold O(ip).
    type: str
    default: nginx
  ingress_service:
    description: The ingress controller's Service as C(namespace/name); found by O(ingress_class) without it.
    type: str
    default: ""
  storage_class:
    description: StorageClass of the instances; empty for the cluster's default.
    type: str
    default: ""
  lan_client_command:
    description:
      - Command that runs another one on a host of the LAN, as a list, for example C([ssh, client]).
      - With it O(ip) and each path of the Ingresses are asked from there.
    type: list
    elements: str
    default: []
  tables:
    description:
      - Whether every table is compared on all instances, which reads every row.
      - Nothing else shows rows that were written with C(sql_log_bin=0) or before replication began.
    type: bool
    default: false
  patience:
    description: Seconds that causes may take which heal by themselves.
    type: int
    default: 10
extends_documentation_fragment:
  - mysql_on.kubernetes.instances.optional
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.cluster.reads
  - mysql_on.kubernetes.reading
seealso:
  - module: mysql_on.kubernetes.metallb_check
  - module: mysql_on.kubernetes.storage_check
  - module: mysql_on.kubernetes.mysql_replication_info
"""

EXAMPLES = r"""
- name: Look at a cluster and its address
  mysql_on.kubernetes.mysql_doctor:
    namespace: mysql
    ip: 192.168.0.251
    login_password: "{{ root_password }}"
  register: doctor

- name: Look at two servers that somebody else set up, the primary first
  mysql_on.kubernetes.mysql_doctor:
    login_password: "{{ root_password }}"
    tables: true
    instances:
      - name: primary
        login_host: db1.example.com
      - name: replica
        login_host: db2.example.com
"""

RETURN = r"""
verdict:
  description: V(ok), V(warning) or V(error), the worst of the findings; information is no complaint.
  returned: success
  type: str
  sample: ok
findings:
  description: The causes, errors first.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: Stable code of the cause.
      type: str
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    subject:
      description: The instance, Service, claim, node or address that it is about.
      type: str
    summary:
      description: What is wrong, in one line.
      type: str
    proof:
      description: What was read, and from where.
      type: list
      elements: str
    fix:
      description: One next step.
      type: str
report:
  description: The findings above information as text, a block each; one line where there are none.
  returned: success
  type: list
  elements: str
  sample:
    - "No cause found: 14 things were looked at, all as they should be"
checked:
  description: What was found to be in order.
  returned: success
  type: list
  elements: str
  sample:
    - mysql-1 answers
not_looked_at:
  description: Parts that this user may not read, and why.
  returned: success
  type: list
  elements: str
  sample: []
primary:
  description: Name of the primary, empty where nobody is.
  returned: success
  type: str
  sample: mysql-1
instances:
  description: Names of the instances that answered.
  returned: success
  type: list
  elements: str
  sample: [mysql-11, mysql-1]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import doctor, roads
from ..module_utils.causes import doctor as causes
from ..module_utils.causes.metallb import Wanted as WantedAddress
from ..module_utils.finding import CollectionError
from ..module_utils.kube import metallb
from ..module_utils.runtime import run


def address(params: dict[str, Any]) -> WantedAddress | None:
    if not params["ip"]:
        return None
    return WantedAddress(
        ip=metallb.address(params["ip"]),
        ingress_class=params["ingress_class"],
        service=params["ingress_service"],
        require="held",
        language=params["language"],
    )


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    if not params["namespace"] and not params["instances"]:
        raise CollectionError(
            "namespace, instances: both are empty; give the namespace of a cluster, or the instances"
        )
    language = params["language"]
    request = doctor.Request(
        wanted=causes.Wanted(
            cluster=params["cluster"],
            write_service=params["write_service"],
            read_service=params["read_service"],
            user=params["login_user"],
            storage_class=params["storage_class"],
            address=address(params),
            language=language,
        ),
        namespace=params["namespace"],
        instances=params["instances"] or [],
        params=params,
        run=module.run_command,
        lan_prefix=params["lan_client_command"],
        tables=params["tables"],
        patience=params["patience"],
    )
    examined = doctor.examine(request)
    diagnosis = examined.diagnosis
    return {
        "changed": False,
        "verdict": diagnosis.verdict,
        "findings": [finding.as_dict() for finding in diagnosis.findings],
        "report": causes.report(diagnosis, language),
        "checked": list(diagnosis.checked),
        "not_looked_at": list(examined.blind),
        "primary": examined.primary,
        "instances": list(examined.answering),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.instances_argument_spec(required=False),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            **roads.cluster_argument_spec(reads=True),
            "namespace": {"type": "str", "default": ""},
            "ip": {"type": "str", "default": ""},
            "ingress_class": {"type": "str", "default": "nginx"},
            "ingress_service": {"type": "str", "default": ""},
            "storage_class": {"type": "str", "default": ""},
            "lan_client_command": {"type": "list", "elements": "str", "default": []},
            "tables": {"type": "bool", "default": False},
            "patience": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
