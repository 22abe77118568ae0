#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_recovery_drill
short_description: Keep one restore drill of a MySQL cluster at a time, and what drills showed
version_added: 0.1.0
description:
  - Claims the drill, so that a second one at the same time is refused; keeps what each drill showed; ends the claim.
  - The drill itself is done by M(mysql_on.kubernetes.mysql_recovery), as C(playbooks/drill.yml) does it.
  - All of it is in one ConfigMap, C(<cluster>-drills). The running cluster is not touched.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Refuses what the run would refuse, and writes nothing.
    support: full
options:
  state:
    description:
      - V(begun) claims the drill. It is refused while another one is under way.
      - A claim counts for nothing any more after its O(seconds), or where the C(ansible-playbook) that made it has
        ended on the same host.
      - V(noted) adds O(record) to what is kept. The last twenty stay.
      - V(ended) says that no drill is under way, whoever began it.
    type: str
    choices:
      - begun
      - noted
      - ended
    required: true
  namespace:
    description: Namespace of the MySQL cluster.
    type: str
    required: true
  cluster:
    description: Name of the MySQL cluster.
    type: str
    default: mysql
  seconds:
    description: How long the claim counts, with O(state=begun).
    type: int
    default: 3600
  record:
    description: What the drill showed, with O(state=noted). The module adds C(at), the moment.
    type: dict
  by:
    description: Who plays it, as C(host:pid). Set by the action plugin of this module.
    type: str
    default: ""
seealso:
  - module: mysql_on.kubernetes.mysql_recovery
  - module: mysql_on.kubernetes.mysql_backup_info
"""

EXAMPLES = r"""
- name: Claim the drill
  mysql_on.kubernetes.mysql_recovery_drill:
    namespace: mysql
    state: begun

- name: Keep what it showed
  mysql_on.kubernetes.mysql_recovery_drill:
    namespace: mysql
    state: noted
    record:
      result: ok
      seconds:
        total: 41.5

- name: Let the next one in
  mysql_on.kubernetes.mysql_recovery_drill:
    namespace: mysql
    state: ended
"""

RETURN = r"""
drills:
  description: What is kept, the newest first, each with C(at) (ISO 8601, UTC) and what its O(record) had.
  returned: success
  type: list
  elements: dict
  sample: [{"at": "2026-11-26T02:31:07+00:00", "result": "ok", "seconds": {"total": 41.5}}]
left_behind:
  description: Whether a drill was claimed that nobody plays any more, with O(state=begun).
  returned: success
  type: bool
findings:
  description: The causes, where the module fails.
  returned: on failure
  type: list
  elements: dict
"""

import os
import socket
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes.catalogue import finding
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, drills
from ..module_utils.runtime import run

REFUSED = "Another drill is under way; nothing was touched"


def over(claim: drills.Claim, now: float) -> bool:
    """Whether nobody plays the drill of a claim any more."""
    host, _colon, pid = claim.by.rpartition(":")
    if claim.until <= now:
        return True
    return host == socket.gethostname() and pid.isdigit() and not runs(int(pid))


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def refused(params: dict[str, Any], seen: drills.Drills) -> CollectionError:
    proof = [f"ConfigMap {params['namespace']}/{seen.name} says that a drill is under way"]
    if seen.claim is not None:
        who = f" by {seen.claim.by}" if seen.claim.by else ""
        proof = [
            f"ConfigMap {params['namespace']}/{seen.name}: begun at {drills.iso(seen.claim.begun)}{who},"
            f" given up at {drills.iso(seen.claim.until)}"
        ]
    cause = finding(
        "recovery.drill_running",
        subject=params["cluster"],
        proof=proof,
        language=params["language"],
    )
    return CollectionError(REFUSED, [cause])


def begun(book: drills.Book, params: dict[str, Any], check: bool) -> dict[str, Any]:
    seen, now = book.read(), time.time()
    if seen.claim is not None and not over(seen.claim, now):
        raise refused(params, seen)
    claim = drills.Claim(int(now), int(now) + params["seconds"], params["by"])
    if not check and not book.claim(seen, claim):
        # Somebody was faster by a moment.
        raise refused(params, book.read())
    return {"changed": True, "left_behind": seen.claim is not None, **shown(seen)}


def noted(book: drills.Book, params: dict[str, Any], check: bool) -> dict[str, Any]:
    record = {"at": drills.iso(time.time()), **params["record"]}
    if check:
        seen = book.read()
        return {"changed": True, **shown(drills.Drills(seen.name, (*seen.records, record)))}
    return {"changed": True, **shown(book.note(record))}


def ended(book: drills.Book, _params: dict[str, Any], check: bool) -> dict[str, Any]:
    seen = book.read()
    if seen.claim is not None and not check:
        book.end()
    return {"changed": seen.claim is not None, **shown(seen)}


def shown(seen: drills.Drills) -> dict[str, Any]:
    return {"drills": [dict(one) for one in reversed(seen.records)]}


STATES = {"begun": begun, "noted": noted, "ended": ended}


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    book = drills.Book(cluster, params["namespace"], params["cluster"])
    return STATES[params["state"]](book, params, module.check_mode)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "state": {"choices": list(STATES), "required": True},
            "namespace": {"type": "str", "required": True},
            "cluster": {"type": "str", "default": "mysql"},
            "seconds": {"type": "int", "default": 3600},
            "record": {"type": "dict"},
            "by": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
        required_if=[("state", "noted", ["record"])],
    )
    run(module, work)


if __name__ == "__main__":
    main()
