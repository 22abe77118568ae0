#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cluster_lease
short_description: Let one playbook at a time change a MySQL cluster
version_added: 0.1.0
description:
  - Takes a Lease (C(coordination.k8s.io/v1)) of the MySQL cluster for the playbook that runs this task. Another
    playbook that asks for it meanwhile waits, and fails with who holds it if it is not released in time.
  - A process of its own renews it while the playbook runs, and releases it once that has ended - well, by a failure, by
    Ctrl-C, or killed. Modules that a killed playbook left at work are waited for.
  - If nothing is left that could renew it (the host is gone), the next playbook takes it after 20 seconds without
    a sign of life. Only the clock of who looks counts.
  - A playbook that holds it already takes it no second time. A playbook whose Lease was deleted, or taken by
    another one, is ended.
  - A namespace that is not there has nothing to change; no Lease is taken then, and RV(held) is false.
  - It never reports a change, since what it writes is gone with the playbook.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Takes nothing, since nothing is changed in check mode.
    support: full
  diff_mode:
    description: Has nothing to show, since it changes nothing of the cluster.
    support: none
options:
  namespace:
    description: Namespace of the MySQL cluster.
    type: str
    required: true
  cluster:
    description: Name of the MySQL cluster.
    type: str
    default: mysql
  purpose:
    description:
      - What the playbook is alone with. The Lease is called C(<cluster>-<purpose>).
      - V(change) is for all that changes the running cluster, V(recovery) for what is recovered beside it.
    type: str
    choices: [change, recovery]
    default: change
  wait:
    description:
      - Seconds for which it waits until another playbook has ended. With less than 20 a holder that is gone is not
        found out.
    type: int
    default: 60
  playbook:
    description: What is shown as the playbook; the action knows it.
    type: str
    default: ""
  process:
    description: Number of the process that the Lease is for; the action knows that of C(ansible-playbook).
    type: int
    default: 0
  progress_file:
    description: File for lines about the progress; the action makes one and shows them.
    type: path
"""

EXAMPLES = r"""
- name: Be the only one that changes the cluster
  mysql_on.kubernetes.cluster_lease:
    namespace: mysql
"""

RETURN = r"""
held:
  description: Whether the playbook holds the Lease. False in check mode, and if there is no namespace yet.
  returned: success
  type: bool
lease:
  description: Namespace and name of the Lease.
  returned: success
  type: str
  sample: mysql/mysql-change
taken_from:
  description: Who held it before and was gone; empty if nobody was in the way.
  returned: success
  type: str
  sample: site.yml on builder (process 4711 of ann)
findings:
  description: Who holds it.
  returned: failure
  type: list
  elements: dict
"""

import getpass
import os
import socket
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import lease_keeper, processes, roads
from ..module_utils.causes.catalogue import finding
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, leases
from ..module_utils.progress import ProgressFile, duration
from ..module_utils.runtime import run

BOOT = Path("/proc/sys/kernel/random/boot_id")


def holder(params: dict[str, Any]) -> tuple[leases.Holder, processes.Process]:
    """Return who the Lease is for, and its process. Raises CollectionError."""
    process = processes.of(params["process"]) if params["process"] > 0 else None
    if process is None:
        raise CollectionError(
            f"process: {params['process']} does not run; leave it out in a playbook: the action knows it"
        )
    host = socket.gethostname()
    boot = BOOT.read_text(encoding="ascii")[:8] if BOOT.exists() else ""
    identity = "/".join(filter(None, (host, boot, str(process.number), process.start)))
    playbook = params["playbook"] or "a playbook"
    return leases.Holder(identity, playbook, host, user(), process.number), process


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container there may be no such user.
        return str(os.getuid())


def named(who: leases.Holder) -> str:
    return f"{who.playbook} on {who.host} (process {who.process} of {who.user})"


def seconds(moment: str) -> str:
    """Return a moment without what is smaller than a second."""
    return moment.partition(".")[0].rstrip("Z") + "Z"


def refused(
    params: dict[str, Any], book: leases.Book, lease: leases.Lease | None
) -> CollectionError:
    if lease is None or lease.holder is None:
        return CollectionError(f"Lease {book.namespace}/{book.name}: somebody else was faster")
    who = lease.holder
    proof = [
        f"Lease {book.namespace}/{book.name}: {named(who)}, since {seconds(lease.since)}",
        f"its last sign of life: {seconds(lease.renewed)} by the clock of {who.host};"
        f" waited for {params['wait']} s",
    ]
    cause = finding(
        "change.under_way",
        subject=f"{params['cluster']} in namespace {params['namespace']}",
        proof=proof,
        language=params["language"],
        playbook=who.playbook,
        host=who.host,
        process=who.process,
        since=seconds(lease.since),
    )
    return CollectionError("Another run changes the same cluster; nothing was touched", [cause])


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    aim = client.target(params["kubeconfig"], params["context"])

    def open_book() -> leases.Book:
        cluster = client.connect(params["kubeconfig"], params["context"])
        return leases.Book(cluster, params["namespace"], params["cluster"], params["purpose"])

    book = open_book()
    result = {"changed": False, "lease": f"{book.namespace}/{book.name}", "taken_from": ""}
    if module.check_mode:
        return {**result, "held": False}
    who, process = holder(params)
    line = ProgressFile(params["progress_file"]).line
    line(
        f"{who.playbook}: {params['cluster']} in namespace {params['namespace']} of {aim.server}"
        f" ({aim.context or 'no context'})"
    )

    def say(lease: leases.Lease, left: float) -> None:
        if lease.holder is not None:
            line(f"{named(lease.holder)} changes it; waiting for {duration(left)} more")

    try:
        outcome = leases.acquire(book, who, params["wait"], say)
    except leases.NamespaceMissingError:
        return {**result, "held": False}
    if not outcome.held:
        raise refused(params, book, outcome.before)
    if outcome.fresh:
        processes.detached(lambda: lease_keeper.keep(open_book, who.identity, process))
    if outcome.silent is not None and outcome.before and outcome.before.holder:
        result["taken_from"] = named(outcome.before.holder)
        module.warn(
            f"{result['taken_from']} gave no sign of life for {outcome.silent:.0f} s: its Lease was taken over"
        )
    return {**result, "held": True}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "namespace": {"type": "str", "required": True},
            "cluster": {"type": "str", "default": "mysql"},
            "purpose": {"type": "str", "choices": ["change", "recovery"], "default": "change"},
            "wait": {"type": "int", "default": 60},
            "playbook": {"type": "str", "default": ""},
            "process": {"type": "int", "default": 0},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
