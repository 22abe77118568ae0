#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: kube_wait
short_description: Wait for Kubernetes objects, and end with a cause
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Waits until every object of a list has the condition that is asked of it.
  - Where that will not happen, it fails within seconds and says why - an image that cannot be pulled,
    a container that crashes with the last lines of its log, a quota, a volume that may not be written,
    a claim whose StorageClass does not exist, an issuer of certificates that is not there.
  - Reads only; it never reports a change.
options:
  namespace:
    description: Namespace of the objects.
    type: str
    required: true
  objects:
    description: What to wait for.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        required: true
        choices:
          - Deployment
          - StatefulSet
          - DaemonSet
          - Pod
          - PersistentVolumeClaim
          - Job
          - Service
          - Certificate
          - Issuer
          - ClusterIssuer
      name:
        description: Name of the object.
        type: str
        required: true
      condition:
        description:
          - V(ready) - a Pod is Ready; a Deployment, StatefulSet or DaemonSet is rolled out; an issuer of
            cert-manager can issue; a Certificate of its is issued, for its newest spec, and its Secret is there.
          - V(started) - every container runs and its startup probe passed; readiness is not asked.
          - V(bound) - a PersistentVolumeClaim has its volume.
          - V(bound_or_first_consumer) - it has, or its class binds it with the first Pod and nothing failed.
          - V(complete) - a Job has succeeded.
          - V(ip) - a Service of type LoadBalancer has its address.
          - Without it V(ready), V(bound), V(complete) or V(ip), as the kind has it.
        type: str
        choices:
          - ready
          - started
          - bound
          - bound_or_first_consumer
          - complete
          - ip
  timeout:
    description: Seconds to wait for all of them together.
    type: int
    default: 300
  patience:
    description:
      - Seconds that a cause which no time heals may stay before the wait ends by it.
      - Raise it where nodes are added on demand.
    type: int
    default: 10
  progress_file:
    description: File that lines of progress are appended to; the action of the same name sets it and shows them.
    type: path
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Can run in check mode and looks once, without waiting and without failing.
    support: full
  diff_mode:
    description: There is nothing to show; the module changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Wait until three instances have started
  mysql_on.kubernetes.kube_wait:
    namespace: mysql
    objects:
      - {kind: Deployment, name: mysql-1, condition: started}
      - {kind: Deployment, name: mysql-2, condition: started}
      - {kind: Deployment, name: mysql-3, condition: started}
    timeout: 180

- name: Prove that a claim is bound, or waits for its first Pod as its class says
  mysql_on.kubernetes.kube_wait:
    namespace: mysql
    objects:
      - {kind: PersistentVolumeClaim, name: mysql-1, condition: bound_or_first_consumer}
    timeout: 30
"""

RETURN = r"""
waited_for:
  description: Every object and where it stands; returned in failure too.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
    namespace:
      description: Namespace of the object.
      type: str
    name:
      description: Name of the object.
      type: str
    condition:
      description: What was asked of it.
      type: str
    met:
      description: Whether it has that condition.
      type: bool
    state:
      description: Where it stands, in one phrase.
      type: str
  sample:
    - {kind: Deployment, namespace: mysql, name: mysql-1, condition: started, met: true, state: mysql-1-abc Ready}
waited_seconds:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 12.5
findings:
  description: Why objects do not have their condition; empty when all have.
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
      description: The object that it is about.
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

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import kube as causes
from ..module_utils.finding import worst_first
from ..module_utils.kube import client, waiting
from ..module_utils.progress import ProgressFile, ticking
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    wanted = [
        waiting.wanted(one["kind"], params["namespace"], one["name"], one["condition"])
        for one in params["objects"]
    ]
    cluster = client.connect(params["kubeconfig"], params["context"])
    explain = partial(causes.explain, language=params["language"])
    if module.check_mode:
        return result(waiting.observe_all(cluster, wanted), 0.0, explain)
    watch = Watch(partial(waiting.observe_all, cluster, wanted))
    with ticking(watch.line, ProgressFile(params["progress_file"]).line):
        outcome = waiting.wait(
            watch.observe,
            explain,
            timeout=params["timeout"],
            patience=params["patience"],
            hopeless=causes.HOPELESS,
        )
    return result(outcome.observations, outcome.seconds, explain)


class Watch:
    """Remembers what was seen last, for the line that says where the wait is."""

    def __init__(self, observe: Callable[[], tuple[waiting.Observation, ...]]) -> None:
        self._observe = observe
        self._seen: tuple[waiting.Observation, ...] = ()

    def observe(self) -> tuple[waiting.Observation, ...]:
        """Look once more."""
        self._seen = self._observe()
        return self._seen

    def line(self) -> str:
        """Return how many have their condition, and where the others stand."""
        left = [one for one in self._seen if not waiting.is_met(one)]
        done = f"{len(self._seen) - len(left)} of {len(self._seen)} as wanted"
        return "; ".join([done, *(f"{one.wanted}: {waiting.progress(one)}" for one in left)])


def result(seen: Sequence[waiting.Observation], seconds: float, explain: Any) -> dict[str, Any]:
    found = explain([one for one in seen if not waiting.is_met(one)])
    return {
        "changed": False,
        "waited_for": waiting.waited_for(seen),
        "waited_seconds": round(seconds, 1),
        "findings": [finding.as_dict() for finding in worst_first(found)],
    }


def main() -> None:
    objects = {
        "kind": {"type": "str", "required": True, "choices": list(waiting.CONDITIONS)},
        "name": {"type": "str", "required": True},
        "condition": {"type": "str", "choices": list(waiting.ALL_CONDITIONS)},
    }
    module = AnsibleModule(
        argument_spec={
            "namespace": {"type": "str", "required": True},
            "objects": {"type": "list", "elements": "dict", "required": True, "options": objects},
            "timeout": {"type": "int", "default": 300},
            "patience": {"type": "int", "default": 10},
            "progress_file": {"type": "path"},
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
