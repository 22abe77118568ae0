#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: adoption_info
short_description: Say what a MySQL cluster that somebody else built is, and what taking it over would do to it
version_added: 0.1.0
description:
  - Reads the Deployments of a namespace that run MySQL, their claims, the Services, and every server.
  - Names what is wrong with it, such as equal server-ids, GTIDs that are off, or data poured before replication.
  - Says for each instance what becomes of it, and what would be lost. The rows of replicas that do not follow by GTID
    are compared with the primary's.
  - What an interrupted adoption has done already is read from the cluster and not planned again.
  - Writes nothing.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.cluster.reads
  - mysql_on.kubernetes.reading
options:
  cluster:
    description: Name that the MySQL cluster will have.
  instances:
    description: Names that the instances will have, the primary's first.
    type: list
    elements: str
    required: true
  image:
    description: Image that the instances will have. It must be the one that they run.
    type: str
    required: true
  primary:
    description: Deployment of the primary; without it the one that O(write_service) leads to.
    type: str
    default: ""
  login_password:
    description: Root's password; without it, it is read from where the Deployments have it.
    type: str
  overwrite:
    description: Instances whose own data may be lost, by the name that they have or will have.
    type: list
    elements: str
    default: []
  options:
    description: Options of the my.cnf that the instances will have.
    type: dict
    default: {}
  timeout:
    description: Seconds for a replica that follows to have what the primary has.
    type: int
    default: 60
  connect_timeout:
    description: Seconds to reach a server.
    type: int
    default: 10
seealso:
  - module: mysql_on.kubernetes.mysql_gtid_mode
  - module: mysql_on.kubernetes.mysql_replication
"""

EXAMPLES = r"""
- name: See what adopting the course's cluster would do
  mysql_on.kubernetes.adoption_info:
    namespace: course
    instances: [mysql-1, mysql-11, mysql-12]
    image: docker.io/library/mysql:9.7
"""

RETURN = r"""
adopted:
  description: Whether every instance, claim and Service is ours already and every replica positions itself by GTID.
  returned: success
  type: bool
primary:
  description: Name of the instance that is primary.
  returned: success
  type: str
instances:
  description: The instances, the primary first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name that it will have.
      type: str
    deployment:
      description: Its Deployment as it is; empty where an interrupted run took it away.
      type: str
    pod:
      description: Its running Pod, empty where there is none.
      type: str
    container:
      description: The container of that Pod that runs mysqld.
      type: str
    claim:
      description: Its PersistentVolumeClaim, which stays.
      type: str
    labelled:
      description: Whether the claim says already which instance it belongs to.
      type: bool
    volume:
      description: Its PersistentVolume.
      type: str
    volume_uid:
      description: UID of the PersistentVolume.
      type: str
    taken:
      description: Whether its Deployment is ours already.
      type: bool
    server_id:
      description: The server-id that it runs with, null where it does not run.
      type: int
    server_uuid:
      description: Its server_uuid, empty where it does not run.
      type: str
    copied_uuid:
      description: Whether an instance before it has the same server_uuid, so that it gets another one.
      type: bool
    version:
      description: Version of the server, empty where it does not run.
      type: str
    gtid_mode:
      description: Its C(gtid_mode), empty where it does not run.
      type: str
    replication:
      description: V(none), V(follows) or V(broken).
      type: str
    position:
      description: V(gtid) or V(file), how it finds its place at its source; empty without one.
      type: str
    databases:
      description: Its databases beside MySQL's own.
      type: list
      elements: str
    treatment:
      description: V(primary), V(follow), V(seed), or V(unknown) where it does not run.
      type: str
    detach:
      description: Whether it forgets its present source first.
      type: bool
    lost:
      description: What is not there any more afterwards.
      type: list
      elements: str
overwrite:
  description: Instances that may be seeded, because the user named them or because the primary has all of their rows.
  returned: success
  type: list
  elements: str
clone:
  description: Whether every server can clone another one.
  returned: success
  type: bool
password:
  description: Where root's password lies; empty where it was given.
  returned: success
  type: dict
  sample: {"kind": "Secret", "name": "mysql-secret", "key": "root-password"}
reselected:
  description: Which of the two Services are there and select by labels that are not ours.
  returned: success
  type: list
  elements: str
stranded:
  description: Further Services that lead to Pods which will be gone.
  returned: success
  type: list
  elements: str
rewritten:
  description: Objects of somebody else that have a name of ours, and get our content.
  returned: success
  type: list
  elements: str
  sample: [ConfigMap mysql-config]
faults:
  description: What is wrong with the cluster as it is; errors first.
  returned: success
  type: list
  elements: dict
  contains: &finding
    code:
      description: Stable code of the cause.
      type: str
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    subject:
      description: What it is about.
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
findings:
  description: Why it cannot be adopted as it is.
  returned: failure
  type: list
  elements: dict
  contains: *finding
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import adoption, roads
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client
from ..module_utils.mysql.dialect import STATEMENTS, has
from ..module_utils.runtime import run


def wanted_of(params: dict[str, Any]) -> adoption.Wanted:
    fixed = {
        str(name).lower().removeprefix("loose-").replace("-", "_"): str(value)
        for name, value in params["options"].items()
    }
    return adoption.Wanted(
        namespace=params["namespace"],
        cluster=params["cluster"],
        names=tuple(params["instances"]),
        image=params["image"],
        primary=params["primary"],
        password=params["login_password"],
        overwrite=tuple(params["overwrite"]),
        fixed=fixed,
        write_service=params["write_service"],
        read_service=params["read_service"],
        seconds=params["timeout"],
        language=params["language"],
    )


def instance(
    one: adoption.Instance, primary: adoption.Instance, before: list[adoption.Instance]
) -> dict[str, Any]:
    """Return an instance as it is returned; before: all of them, in order."""
    state, channel = one.state, one.channel
    words = "none" if channel is None else "follows" if channel.following else "broken"
    by_gtid = channel is not None and channel.settings.get("auto_position")
    return {
        "name": one.name,
        "deployment": one.engine.deployment,
        "pod": one.engine.pod,
        "container": one.engine.container,
        "claim": one.engine.claim,
        "labelled": one.engine.labelled,
        "volume": one.engine.volume,
        "volume_uid": one.engine.volume_uid,
        "taken": one.engine.taken,
        "server_id": state.server.server_id if state else None,
        "server_uuid": state.server.server_uuid if state else "",
        "copied_uuid": adoption.copied_uuid(one, before),
        "version": state.server.version_string if state else "",
        "gtid_mode": state.gtid_mode if state else "",
        "replication": words,
        "position": "" if channel is None else "gtid" if by_gtid else "file",
        "databases": list(state.schemas) if state else [],
        "treatment": adoption.treatment(one, primary),
        "detach": adoption.detached(one, primary),
        "lost": adoption.losses(one, primary),
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    wanted = wanted_of(params)
    login = {key: params[key] for key in ("kubeconfig", "context", "connect_timeout", "language")}
    read = adoption.observe(cluster, wanted, login)
    refused = adoption.refusals(read, wanted)
    faults = adoption.faults(read, wanted)
    if refused:
        raise CollectionError(
            f"The MySQL in namespace {wanted.namespace} is not adopted: nothing was changed",
            [*refused, *faults],
        )
    every = list(read.instances)
    states = [one.state for one in every if one.state is not None]
    return {
        "changed": False,
        "adopted": adoption.is_adopted(read, wanted),
        "primary": every[0].name,
        "instances": [instance(one, every[0], every) for one in every],
        "overwrite": adoption.overwritten(read, wanted),
        "clone": all(has(STATEMENTS, "clone_instance", each.server.version) for each in states),
        "password": read.place.as_dict() if read.place else {},
        "reselected": adoption.reselected(read, wanted),
        "rewritten": list(read.found.rewritten),
        "stranded": adoption.stranded(read, wanted),
        "faults": [each.as_dict() for each in faults],
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "instances": {"type": "list", "elements": "str", "required": True},
            "image": {"type": "str", "required": True},
            "primary": {"type": "str", "default": ""},
            "login_password": {"type": "str", "no_log": True},
            "overwrite": {"type": "list", "elements": "str", "default": []},
            "options": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 60},
            "connect_timeout": {"type": "int", "default": 10},
            **roads.cluster_argument_spec(reads=True),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
