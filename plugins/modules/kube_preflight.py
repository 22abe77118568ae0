#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: kube_preflight
short_description: Prove in one report, before anything changes, that a whole run can succeed on a cluster
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Asks the API server whether this user has the rights that the roles need, adds up what the Pods will
    request against what the nodes and quotas leave, and looks whether a name is taken by something else.
  - With O(ip) it looks whether MetalLB can give out the address and the class O(ingress_class) is served;
    with O(choose_storage) whether there is a StorageClass to take and the claims that are there fit;
    with O(issuer) whether it can issue certificates.
  - All findings of all checks are told in one failure.
  - Lists what only a Pod can prove.
  - Reads only; it never reports a change.
options:
  namespace:
    description: Namespace of the run; it need not exist yet.
    type: str
    required: true
  pods:
    description: Pods that the run will start.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What findings call them.
        type: str
        required: true
      count:
        description: How many.
        type: int
        default: 1
      cpu:
        description: What each requests, as Kubernetes writes it (C(250m), C(1)).
        type: str
        default: "0"
      memory:
        description: What each requests, as Kubernetes writes it (C(512Mi)).
        type: str
        default: "0"
      labels:
        description: Labels by which they are known once they run, where those of O(labels) are not theirs.
        type: dict
        default: {}
  claims:
    description: How many PersistentVolumeClaims the run makes.
    type: int
    default: 0
  claim_size:
    description: Size of each claim, as Kubernetes writes it.
    type: str
    default: "0"
  objects:
    description: Names that the run will use; an object of that name without O(labels) is a finding.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        required: true
      name:
        description: Name of the object.
        type: str
        required: true
      labels:
        description: Labels that make it the run's own, where those of O(labels) are not its.
        type: dict
        default: {}
  labels:
    description:
      - Labels by which the run's own objects and Pods are known; what carries them is not in its own way.
      - Without them, whatever has one of the names is a finding.
    type: dict
    default: {}
  minimum_version:
    description: Lowest Kubernetes version that will do.
    type: str
    default: "1.25"
  ip:
    description: Address that the ingress controller shall hold; empty to leave out MetalLB and the ingress.
    type: str
    default: ""
  ingress_class:
    description: IngressClass of the run's Ingresses.
    type: str
    default: nginx
  host:
    description: Host of the run's Ingresses, empty for any.
    type: str
    default: ""
  paths:
    description: Paths that the run's Ingresses will have; one that another namespace has is a finding.
    type: list
    elements: str
    default: []
  choose_storage:
    description: Whether a StorageClass is looked for.
    type: bool
    default: false
  storage_class:
    description: StorageClass to use; empty to choose.
    type: str
    default: ""
  database_image:
    description: Image of MySQL, whose tag must name a version that the collection speaks.
    type: str
    default: ""
  images:
    description: All images of the run; which node already has them is read from the nodes.
    type: list
    elements: str
    default: []
  installs:
    description:
      - Parts that the run installs first, as RV(mysql_on.kubernetes.kube_parts#module:missing) names them; their being
        missing is no finding, and the rights to make them are asked for.
    type: list
    elements: dict
    default: []
    suboptions:
      part:
        description: The part.
        type: str
        required: true
        choices: [metallb, pool, ingress, provisioner]
      kinds:
        description: Kinds of its objects.
        type: list
        elements: str
        default: []
      classes:
        description: Its StorageClasses, which count as if they were there.
        type: list
        elements: dict
        default: []
  issuer:
    description: Who issues the run's certificates through cert-manager; without it nothing of that is looked at.
    type: dict
    suboptions:
      name:
        description: Name of the issuer.
        type: str
        required: true
      kind:
        description: Its kind; an Issuer is of O(namespace).
        type: str
        choices: [Issuer, ClusterIssuer]
        default: Issuer
      group:
        description: Its API group; one beside cert-manager's own is not looked for.
        type: str
        default: cert-manager.io
  timeout:
    description: Seconds to wait for what heals by itself, such as a Pod of MetalLB that starts.
    type: int
    default: 30
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: Prove that three instances have their place
  mysql_on.kubernetes.kube_preflight:
    namespace: mysql
    pods:
      - {name: mysql, count: 3, cpu: 250m, memory: 1Gi}
    claims: 3
    claim_size: 4Gi
    objects:
      - {kind: Deployment, name: mysql-1}
      - {kind: Service, name: mysql-write}
    labels: {app.kubernetes.io/instance: mysql}
    ip: 192.168.0.251
    choose_storage: true
    database_image: docker.io/library/mysql:9.7
"""

RETURN = r"""
version:
  description: Version of the API server.
  returned: always
  type: str
  sample: v1.36.3
namespace_exists:
  description: Whether the namespace is there already.
  returned: always
  type: bool
pool:
  description: IPAddressPool that holds the address, empty where none does.
  returned: with O(ip)
  type: str
  sample: lab
holder:
  description: Services that hold the address as C(namespace/name), empty where none does.
  returned: with O(ip)
  type: str
  sample: traefik/traefik
storage_class:
  description: The StorageClass to use, empty where there is none to take.
  returned: with O(choose_storage)
  type: str
  sample: local-path
checked:
  description: What was proved.
  returned: always
  type: list
  elements: str
  sample: ["27 rights for the namespace mysql"]
not_proved:
  description: What cannot be known before a Pod runs, or what this user may not read.
  returned: always
  type: list
  elements: str
findings:
  description: What would end the run, or is worth knowing; errors first.
  returned: always
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
      description: The namespace, node, quota or object that it is about.
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
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import metallb as network_causes
from ..module_utils.causes import preflight, report
from ..module_utils.causes import storage as storage_causes
from ..module_utils.kube import certificates, client, metallb, parts, room
from ..module_utils.kube.storage import quantity
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    return report.check(cluster, asked(params), params["timeout"])


def asked(params: dict[str, Any]) -> report.Asked:
    language, objects = params["language"], params["objects"]
    network = storage = None
    if params["ip"]:
        network = network_causes.Wanted(
            ip=metallb.address(params["ip"]),
            ingress_class=params["ingress_class"],
            language=language,
        )
    if params["choose_storage"]:
        storage = storage_causes.Wanted(params["storage_class"], params["claim_size"])
    return report.Asked(
        run=wanted(params),
        names=tuple((one["kind"], one["name"]) for one in objects),
        network=network,
        storage=storage,
        claims=tuple(one["name"] for one in objects if one["kind"] == report.CLAIM),
        installs={one["part"]: tuple(one["kinds"]) for one in params["installs"]},
        classes=tuple(made for one in params["installs"] for made in one["classes"]),
        issuer=report.Issuer(**params["issuer"]) if params["issuer"] else None,
        language=language,
    )


def wanted(params: dict[str, Any]) -> preflight.Wanted:
    return preflight.Wanted(
        namespace=params["namespace"],
        needs=tuple(need(one) for one in params["pods"]),
        claims=params["claims"],
        storage=quantity(params["claim_size"]),
        labels=params["labels"],
        minimum_version=params["minimum_version"],
        owners={(one["kind"], one["name"]): one["labels"] for one in params["objects"]},
        database_image=params["database_image"],
        images=tuple(params["images"]),
        ingress_class=params["ingress_class"],
        host=params["host"],
        paths=tuple(params["paths"]),
    )


def need(given: dict[str, Any]) -> room.Need:
    requests = {name: quantity(given[name]) for name in room.RESOURCES}
    return room.Need(given["name"], given["count"], requests, given["labels"])


def main() -> None:
    pod = {
        "name": {"type": "str", "required": True},
        "count": {"type": "int", "default": 1},
        "cpu": {"type": "str", "default": "0"},
        "memory": {"type": "str", "default": "0"},
        "labels": {"type": "dict", "default": {}},
    }
    named = {
        "kind": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "labels": {"type": "dict", "default": {}},
    }
    installed = {
        "part": {"type": "str", "required": True, "choices": list(parts.PARTS)},
        "kinds": {"type": "list", "elements": "str", "default": []},
        "classes": {"type": "list", "elements": "dict", "default": []},
    }
    issuer = {
        "name": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": list(certificates.ISSUERS), "default": "Issuer"},
        "group": {"type": "str", "default": certificates.GROUP},
    }
    module = AnsibleModule(
        argument_spec={
            "namespace": {"type": "str", "required": True},
            "pods": {"type": "list", "elements": "dict", "default": [], "options": pod},
            "claims": {"type": "int", "default": 0},
            "claim_size": {"type": "str", "default": "0"},
            "objects": {"type": "list", "elements": "dict", "default": [], "options": named},
            "labels": {"type": "dict", "default": {}},
            "minimum_version": {"type": "str", "default": "1.25"},
            "ip": {"type": "str", "default": ""},
            "ingress_class": {"type": "str", "default": "nginx"},
            "host": {"type": "str", "default": ""},
            "paths": {"type": "list", "elements": "str", "default": []},
            "choose_storage": {"type": "bool", "default": False},
            "storage_class": {"type": "str", "default": ""},
            "database_image": {"type": "str", "default": ""},
            "images": {"type": "list", "elements": "str", "default": []},
            "installs": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": installed,
            },
            "issuer": {"type": "dict", "options": issuer},
            "timeout": {"type": "int", "default": 30},
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
