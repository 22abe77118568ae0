#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: image_check
short_description: Prove by a short-lived Job that the images of a run can be pulled and do what they shall
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Starts each container once, in one Pod, waits for their ends, and deletes the Job. An image that is missing, or a
    package index that does not answer, costs seconds instead of the work that comes before it is needed.
  - What a Pod of the namespace shows already is not tried again, so that a second run starts nothing.
  - Where the namespace is not there yet, the Job is made in C(default).
  - A user who may not create Jobs, and check mode, end with what was not proved.
  - It never reports a change; the Job deletes itself after five minutes where this module is killed.
options:
  namespace:
    description: Namespace of the run; it need not exist yet.
    type: str
    required: true
  cluster:
    description: Name of the MySQL cluster; the Job is named after it.
    type: str
    default: mysql
  containers:
    description: Containers as Kubernetes writes them; each has to end by itself with exit code 0.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the container.
        type: str
        required: true
      image:
        description: Its image.
        type: str
        required: true
      command:
        description: What it runs.
        type: list
        elements: str
        default: ["true"]
      env:
        description: Its environment.
        type: list
        elements: dict
        default: []
  timeout:
    description: Seconds for the Job, pulling the images included.
    type: int
    default: 300
  patience:
    description: Seconds that a cause which no time heals may stay before the module ends by it.
    type: int
    default: 10
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Can run in check mode and changes nothing.
    support: partial
    details: Makes no Job; what only a Job can prove is returned in RV(not_proved).
  diff_mode:
    description: Has nothing to show, since it changes nothing.
    support: none
seealso:
  - module: mysql_on.kubernetes.kube_preflight
"""

EXAMPLES = r"""
- name: Prove that the images can be pulled
  mysql_on.kubernetes.image_check:
    namespace: mysql
    containers:
      - {name: mysql, image: "docker.io/library/mysql:9.7"}
      - {name: python, image: "docker.io/library/python:3.13-slim", command: [python3, -c, "import ssl"]}
"""

RETURN = r"""
checked:
  description: What was proved.
  returned: success
  type: list
  elements: str
  sample: ["docker.io/library/mysql:9.7 starts: a Pod in default did"]
not_proved:
  description: What was not tried, and why.
  returned: success
  type: list
  elements: str
findings:
  description: Causes found, worst first.
  returned: failure
  type: list
  elements: dict
  sample:
    - code: kube.image_pull
      severity: error
      subject: Pod mysql/mysql-image-check-0123456789-abcde
      summary: "the image docker.io/library/mysql:9.7 cannot be pulled (ErrImagePull)"
      proof: ["container mysql: ErrImagePull: not found"]
      fix: Correct the image's name and tag, or put the image where the nodes can pull it from
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import kube as causes
from ..module_utils.finding import CollectionError, Finding
from ..module_utils.kube import client, image_check, waiting
from ..module_utils.kube.client import CONFLICT, FORBIDDEN, Cluster, KubeError
from ..module_utils.runtime import run

JOB_FAILED = "kube.job_failed"


def explain(language: str, seen: Sequence[waiting.Observation]) -> list[Finding]:
    """Return why the Job does not end well; that it failed is said by what made it fail."""
    found = causes.explain(seen, language)
    return [one for one in found if one.code != JOB_FAILED] or found


def attempt(cluster: Cluster, job: dict[str, Any], params: dict[str, Any]) -> None:
    """Run the Job to its end, and delete it whatever comes."""
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    try:
        cluster.create("Job", job, namespace)
    except KubeError as error:
        if error.status != CONFLICT:
            raise
    try:
        wanted = waiting.wanted("Job", namespace, name, "complete")
        waiting.wait(
            lambda: waiting.observe_all(cluster, [wanted]),
            partial(explain, params["language"]),
            timeout=params["timeout"],
            patience=params["patience"],
            hopeless=causes.HOPELESS,
        )
    finally:
        cluster.delete("Job", name, namespace)


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    place = image_check.place(cluster, params["namespace"])
    pods = image_check.live(cluster.list("Pod", params["namespace"]))
    checked: list[str] = []
    untried = []
    for one in params["containers"]:
        shown = image_check.shown(one, pods)
        if shown:
            checked.append(f"{one['image']} starts{image_check.got(one)}: Pod {shown} shows it")
        else:
            untried.append(one)
    lines = [f"that {one['image']} starts{image_check.got(one)}" for one in untried]
    if not untried or module.check_mode:
        return {"changed": False, "checked": checked, "not_proved": lines}
    try:
        attempt(cluster, image_check.manifest(place, params["cluster"], untried), params)
    except KubeError as error:
        if error.status != FORBIDDEN:
            raise
        why = f": this user may not {error.operation} in {place}"
        return {"changed": False, "checked": checked, "not_proved": [line + why for line in lines]}
    except CollectionError as error:
        message = "An image of the run cannot be used; nothing was changed"
        raise CollectionError(message, error.findings, error.details) from error
    checked += [
        f"{one['image']} starts{image_check.got(one)}: a Pod in {place} did" for one in untried
    ]
    return {"changed": False, "checked": checked, "not_proved": []}


def main() -> None:
    container = {
        "name": {"type": "str", "required": True},
        "image": {"type": "str", "required": True},
        "command": {"type": "list", "elements": "str", "default": ["true"]},
        "env": {"type": "list", "elements": "dict", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "namespace": {"type": "str", "required": True},
            "cluster": {"type": "str", "default": "mysql"},
            "containers": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": container,
            },
            "timeout": {"type": "int", "default": 300},
            "patience": {"type": "int", "default": 10},
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
