#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: storage_check
short_description: Choose a StorageClass and prove that claims have or will have their volume
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Takes the StorageClass that is named, else the cluster's default, else the only one, and fails with
    the choices where that is not one.
  - Looks at each claim and tells one that waits for its first Pod, which is normal, from one that is
    stuck, whose cause it names - a class that does not exist, a volume of another class, a provisioner's
    own message.
  - Reads what crashed containers said of their volumes - errno 13, 28 and 30, a data dictionary that
    cannot be opened.
  - Reads only; it never reports a change.
options:
  storage_class:
    description: StorageClass to use; empty to choose.
    type: str
    default: ""
  namespace:
    description: Namespace of O(claims) and of the Pods that O(pod_selector) names.
    type: str
    default: ""
  claims:
    description: Names of PersistentVolumeClaims that must be there.
    type: list
    elements: str
    default: []
  size:
    description: Size that each claim must have at least, as Kubernetes writes it (C(4Gi)); empty for any.
    type: str
    default: ""
  require_bound:
    description: Whether a claim that waits for its first Pod is an error.
    type: bool
    default: false
  pod_selector:
    description: Labels (C(key=value,key=value)) of Pods whose crashed containers' logs are read; empty for none.
    type: str
    default: ""
  timeout:
    description:
      - Seconds to wait for what heals by itself - a claim being provisioned, a provisioner that starts.
      - Causes that no time heals end the check at once.
    type: int
    default: 30
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: Choose the StorageClass
  mysql_on.kubernetes.storage_check:
  register: storage

- name: Prove that three claims are bound, or wait for their first Pod alone
  mysql_on.kubernetes.storage_check:
    storage_class: "{{ storage.storage_class }}"
    namespace: mysql
    claims: [mysql-1, mysql-11, mysql-12]
    size: 4Gi
"""

RETURN = r"""
verdict:
  description: V(ok), or V(warning) where a finding is one; the module fails on errors.
  returned: always
  type: str
  sample: ok
storage_class:
  description: The StorageClass to use, empty where there is none to take.
  returned: always
  type: str
  sample: local-path
provisioner:
  description: Its provisioner.
  returned: always
  type: str
  sample: rancher.io/local-path
binding_mode:
  description: V(WaitForFirstConsumer) where its claims stay Pending until their first Pod, else V(Immediate).
  returned: always
  type: str
  sample: WaitForFirstConsumer
expandable:
  description: Whether its volumes can grow later.
  returned: always
  type: bool
instance_claims:
  description: Which claim of O(namespace) belongs to which instance of MySQL, by the instance's name.
  returned: always
  type: dict
  sample: {"mysql-1": "mysql-1"}
claims:
  description: Each claim and where it stands.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the claim.
      type: str
    state:
      description: V(bound), V(waits_for_consumer), V(pending), V(lost) or V(absent).
      type: str
    storage_class:
      description: Its StorageClass, empty where it has none.
      type: str
    volume:
      description: Its PersistentVolume, empty where it has none.
      type: str
    size:
      description: Size that it has, or asks for while it has none, as Kubernetes writes it.
      type: str
findings:
  description: What is wrong or worth knowing; errors first.
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
      description: The class, claim or Pod that it is about.
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

from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import volumes
from ..module_utils.causes.storage import Wanted
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, storage, topology
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    for option in ("claims", "pod_selector"):
        if params[option] and not params["namespace"]:
            raise CollectionError(f"namespace: is empty; {option} needs the namespace they are in")
    if params["size"]:
        storage.quantity(params["size"])
    wanted = Wanted(params["storage_class"], params["size"], params["require_bound"])
    cluster = client.connect(params["kubeconfig"], params["context"])
    look = partial(
        storage.observe,
        cluster,
        params["namespace"],
        params["claims"],
        params["pod_selector"],
    )
    owned = topology.claims(cluster, params["namespace"]) if params["namespace"] else {}
    checked = volumes.check(look, wanted, params["language"], params["timeout"])
    return {**checked, "instance_claims": owned}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "storage_class": {"type": "str", "default": ""},
            "namespace": {"type": "str", "default": ""},
            "claims": {"type": "list", "elements": "str", "default": []},
            "size": {"type": "str", "default": ""},
            "require_bound": {"type": "bool", "default": False},
            "pod_selector": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 30},
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
