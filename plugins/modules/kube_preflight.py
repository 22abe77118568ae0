#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: kube_preflight
short_description: Prove before anything changes that a cluster has rights, room and names for a run
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Asks the API server whether this user has the rights that the roles need, adds up what the Pods will
    request against what the nodes and quotas leave, and looks whether a name is taken by something else.
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
    description:
      - Labels by which the run's own objects and Pods are known; what carries them is not in its own way.
      - Without them, whatever has one of the names is a finding.
    type: dict
    default: {}
  minimum_version:
    description: Lowest Kubernetes version that will do.
    type: str
    default: "1.25"
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Runs the same in check mode, since it only reads.
    support: full
  diff_mode:
    description: Has nothing to show, since it changes nothing.
    support: none
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
checked:
  description: What was proved.
  returned: always
  type: list
  elements: str
  sample: ["27 rights in the namespace mysql"]
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
from ..module_utils.causes import preflight
from ..module_utils.finding import CollectionError, errors, worst_first
from ..module_utils.kube import client, rights, room
from ..module_utils.kube.storage import quantity
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    wanted = preflight.Wanted(
        namespace=params["namespace"],
        needs=tuple(need(one) for one in params["pods"]),
        claims=params["claims"],
        storage=quantity(params["claim_size"]),
        labels=params["labels"],
        minimum_version=params["minimum_version"],
    )
    asked = rights.needed(params["namespace"])
    names = [(one["kind"], one["name"]) for one in params["objects"]]
    cluster = client.connect(params["kubeconfig"], params["context"])
    state = room.observe(cluster, params["namespace"], asked, names)
    found = preflight.explain(state, wanted, params["language"])
    returned: dict[str, Any] = {
        "version": state.version,
        "namespace_exists": state.namespace_exists,
        "not_proved": preflight.not_proved(state),
        "checked": [f"{len(asked)} rights for the namespace {params['namespace']}"],
    }
    if errors(found):
        count = len(errors(found))
        raise CollectionError(
            f"The run would not succeed on {cluster.name}: {count} cause(s)", found, returned
        )
    findings = [finding.as_dict() for finding in worst_first(found)]
    return {"changed": False, **returned, "findings": findings}


def need(given: dict[str, Any]) -> room.Need:
    requests = {name: quantity(given[name]) for name in room.RESOURCES}
    return room.Need(given["name"], given["count"], requests)


def main() -> None:
    pod = {
        "name": {"type": "str", "required": True},
        "count": {"type": "int", "default": 1},
        "cpu": {"type": "str", "default": "0"},
        "memory": {"type": "str", "default": "0"},
    }
    named = {
        "kind": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
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
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
