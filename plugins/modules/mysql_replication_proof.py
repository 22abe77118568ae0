#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_replication_proof
short_description: Prove that every replica follows the primary
version_added: 0.1.0
description:
  - Takes the proof live, each time. Running threads alone are none.
  - With O(canary=true) a row is written on the primary, and waited for by GTID and read back on each replica.
  - Without it each replica has to reach what the primary has executed, with running threads and a fresh heartbeat.
  - Two instances with one server-id or one server_uuid fail the proof, as do transactions that only a replica has,
    and definitions that are not the primary's. Rows are compared by M(mysql_on.kubernetes.mysql_checksum) alone.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Takes the proof without a canary; with O(canary=true) it says that a row would be written.
    support: full
options:
  primary:
    description: The instance that takes the writes. It needs one of C(login_host), C(login_unix_socket) and C(pod).
    type: dict
    required: true
    suboptions: &instance
      name:
        description: How results and findings name it.
        type: str
        required: true
      login_user:
        description: As the module's own O(login_user), which is used if this is not given.
        type: str
      login_password:
        description: As the module's own O(login_password), which is used if this is not given.
        type: str
      connect_timeout:
        description: As the module's own O(connect_timeout), which is used if this is not given.
        type: int
      login_host:
        description: Host name or address.
        type: str
      login_port:
        description: TCP port.
        type: int
        default: 3306
      login_unix_socket:
        description: Path of the server's socket.
        type: path
      pod:
        description: An instance inside a Kubernetes cluster.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Pod.
            type: str
            required: true
          name:
            description: Name of the Pod.
            type: str
          deployment:
            description: Name of a Deployment; its newest running Pod is taken.
            type: str
          service:
            description: Name of a Service; the first running Pod that its selector names is taken.
            type: str
          port:
            description: Port of MySQL in the Pod.
            type: int
            default: 3306
      kubeconfig:
        description: As the module's own O(kubeconfig), which is used if this is not given.
        type: path
      context:
        description: As the module's own O(context), which is used if this is not given.
        type: str
  replicas:
    description: The instances that should follow it, each as O(primary).
    type: list
    elements: dict
    required: true
    suboptions: *instance
  login_user:
    description: MySQL user to connect as, where an instance names none.
    type: str
    default: root
  login_password:
    description: Password of O(login_user), where an instance names none.
    type: str
  connect_timeout:
    description: Seconds to wait for a connection, where an instance names none.
    type: int
    default: 10
  channel:
    description: Name of the replication channel; the default channel has an empty name.
    type: str
    default: ''
  canary:
    description: Whether to write a row on the primary.
    type: bool
    default: false
  canary_schema:
    description: Schema of the canary's table C(canary), made where it is missing.
    type: str
    default: mysql_on_kubernetes
  definitions:
    description:
      - Whether each replica's schemas, tables with their indexes, views, procedures, functions, triggers and events
        have to be defined as the primary's. An event that rests on a replica is no difference.
      - A replica with replication filters is left out, RV(not_compared) says so.
    type: bool
    default: true
  allow_no_replicas:
    description: Whether an empty list of replicas is proof enough.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds the replicas have altogether. It ends sooner where waiting cannot help.
      - Without a canary it should be longer than the heartbeat period of the channels.
    type: int
    default: 60
requirements:
  - PyMySQL >= 1.1 on the machine where the module runs
seealso:
  - module: mysql_on.kubernetes.mysql_replication
  - module: mysql_on.kubernetes.mysql_checksum
"""

EXAMPLES = r"""
- name: Prove by a canary that each replica follows
  mysql_on.kubernetes.mysql_replication_proof:
    login_password: "{{ root_password }}"
    canary: true
    primary:
      name: mysql-1
      pod:
        namespace: mysql
        deployment: mysql-1
    replicas:
      - name: mysql-11
        pod:
          namespace: mysql
          deployment: mysql-11

- name: Prove it without writing
  mysql_on.kubernetes.mysql_replication_proof:
    login_password: "{{ root_password }}"
    primary:
      name: primary
      login_host: 192.0.2.1
    replicas:
      - name: replica
        login_host: 192.0.2.11
"""

RETURN = r"""
proved:
  description: Whether every replica showed the proof. The module fails where one does not.
  returned: always
  type: bool
gtid:
  description:
    - The canary's GTID, or the few among which it is where others wrote at the same time.
    - Empty without a canary.
  returned: success
  type: str
  sample: 4ddd15f7-e63a-11f1-a661-02fc00000001:7
goal:
  description: What every replica has executed by now, by GTID, or by file and position where the primary has none.
  returned: success
  type: str
  sample: 4ddd15f7-e63a-11f1-a661-02fc00000001:1-7
instances:
  description: The primary, then the replicas in the order given.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name in the options.
      type: str
    role:
      description: V(primary) or V(replica).
      type: str
    server_id:
      description: Its server-id.
      type: int
    server_uuid:
      description: Its server_uuid.
      type: str
    version:
      description: Version as the server says it.
      type: str
    gtid_executed:
      description: Its gtid_executed after the proof.
      type: str
    read_only:
      description: Whether super_read_only is on.
      type: bool
    lag_seconds:
      description: Seconds behind the source, 0 for the primary, null where the server cannot say.
      type: int
    heard_seconds_ago:
      description: Seconds since the last heartbeat or transaction; null for the primary.
      type: float
definitions:
  description: How many definitions of the primary were compared, 0 where none were.
  returned: success
  type: int
not_compared:
  description: What the proof says nothing about, and why.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Of what kind it is.
      type: str
      sample: rows
    reason:
      description: What is not seen of it.
      type: str
findings:
  description: Causes found, worst first; only warnings on success.
  returned: always
  type: list
  elements: dict
  sample: []
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import proof as causes
from ..module_utils.causes.replication import Case, hopeless
from ..module_utils.causes.tables import explain_definitions
from ..module_utils.finding import CollectionError, Finding, errors, worst_first
from ..module_utils.mysql import checksum, proof
from ..module_utils.mysql.connection import Connection
from ..module_utils.mysql.replication import State, observe
from ..module_utils.runtime import run


def argument_spec() -> dict[str, Any]:
    return {
        **roads.login_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        "primary": roads.instance_option(required=True),
        "replicas": roads.instances_option(),
        "channel": {"type": "str", "default": ""},
        "canary": {"type": "bool", "default": False},
        "canary_schema": {"type": "str", "default": "mysql_on_kubernetes"},
        "definitions": {"type": "bool", "default": True},
        "allow_no_replicas": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 60},
    }


def described(name: str, role: str, state: State, channel: str) -> dict[str, Any]:
    found = state.channel(channel) if role == "replica" else None
    return {
        "name": name,
        "role": role,
        "server_id": state.server.server_id,
        "server_uuid": state.server.server_uuid,
        "version": state.server.version_string,
        "gtid_executed": state.gtid_executed,
        "read_only": state.super_read_only,
        "lag_seconds": found.lag_seconds if found else (0 if role == "primary" else None),
        "heard_seconds_ago": found.heard_seconds_ago if found else None,
    }


@dataclass(frozen=True)
class Proof:
    """What was seen. definitions: how many were compared."""

    instances: list[dict[str, Any]]
    findings: list[Finding]
    definitions: int
    not_compared: list[dict[str, str]]


def prove(
    params: dict[str, Any], goal: proof.Goal, primary: Connection, replicas: list[Connection]
) -> Proof:
    """Return the instances as they are, what is wrong with them, and what was not looked at."""
    channel, timeout, language = params["channel"], params["timeout"], params["language"]
    names = [replica["name"] for replica in params["replicas"]]
    deadline = time.monotonic() + timeout
    taken = [
        proof.take(replica, channel, goal, params["canary_schema"], deadline, hopeless)
        for replica in replicas
    ]
    # The replicas first: what the primary commits in between must not look errant.
    states = [observe(replica) for replica in replicas]
    source = observe(primary)
    found: list[Finding] = []
    for name, state, shown in zip(names, states, taken, strict=True):
        case = Case(name, state, channel, source, language)
        found += causes.explain_proof(case, source.server, shown, timeout)
    found += causes.twins(list(zip(names, states, strict=True)), language)
    primary_name = params["primary"]["name"]
    described_all = [described(primary_name, "primary", source, channel)]
    for name, state in zip(names, states, strict=True):
        described_all.append(described(name, "replica", state, channel))
    proved = Proof(described_all, found, 0, not_compared(params, states))
    if not params["definitions"] or errors(found):
        return proved
    # What a filter leaves out is missing by intention.
    asked = [
        (name, replica)
        for name, replica, state in zip(names, replicas, states, strict=True)
        if not filtered(state, channel)
    ]
    return with_definitions(proved, params, primary, asked, deadline)


def filtered(state: State, channel: str) -> bool:
    found = state.channel(channel)
    return found is not None and bool(found.filters)


def with_definitions(
    proved: Proof,
    params: dict[str, Any],
    primary: Connection,
    asked: list[tuple[str, Connection]],
    deadline: float,
) -> Proof:
    """Compare the replicas' definitions with the primary's."""
    if not asked:
        return proved
    names, replicas = [name for name, _replica in asked], [replica for _name, replica in asked]
    count, all_found = proof.differing(primary, replicas, params["channel"], deadline, hopeless)
    found = list(proved.findings)
    for name, differences in zip(names, all_found, strict=True):
        found += explain_definitions(
            params["primary"]["name"], name, differences, language=params["language"]
        )
    return replace(proved, findings=found, definitions=count)


def not_compared(params: dict[str, Any], states: list[State]) -> list[dict[str, str]]:
    """Return what the proof says nothing about."""
    rows = "what is in the tables: mysql_checksum compares that"
    task = checksum.Task(None, "crc", False, 0, definitions=params["definitions"])
    found = [{"kind": "rows", "reason": rows}, *checksum.definitions_not_compared(task)]
    for replica, state in zip(params["replicas"], states, strict=True):
        if params["definitions"] and filtered(state, params["channel"]):
            reason = (
                f"{replica['name']} has replication filters: what they leave out is missing there"
            )
            found.append({"kind": "definition", "reason": reason})
    return found


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    if not params["replicas"] and not params["allow_no_replicas"]:
        raise CollectionError(
            "replicas: none are given, so nothing is proved; give at least one, or set"
            " allow_no_replicas: true for a primary alone"
        )
    with ExitStack() as stack:
        primary = stack.enter_context(roads.connect_instance(params, params["primary"]))
        replicas = [
            stack.enter_context(roads.connect_instance(params, replica))
            for replica in params["replicas"]
        ]
        changed = params["canary"]
        goal = (
            proof.write_canary(primary, params["canary_schema"])
            if changed and not module.check_mode
            else proof.current_goal(primary)
        )
        proved = prove(params, goal, primary, replicas)
    instances, found = proved.instances, worst_first(proved.findings)
    wrong = errors(found)
    if wrong:
        names = ", ".join(dict.fromkeys(finding.subject for finding in wrong))
        details = {"changed": changed, "proved": False, "instances": instances}
        raise CollectionError(f"Not proved to follow the primary: {names}", found, details)
    return {
        "changed": changed,
        "proved": True,
        "gtid": goal.gtid,
        "goal": str(goal.gtids) or f"{goal.log_file}:{goal.log_pos}",
        "instances": instances,
        "definitions": proved.definitions,
        "not_compared": proved.not_compared,
        "findings": [finding.as_dict() for finding in found],
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    run(module, work)


if __name__ == "__main__":
    main()
