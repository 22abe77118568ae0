#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_replication
short_description: Let a MySQL instance follow a source, stop, leave it, or be promoted
version_added: 0.1.0
description:
  - Brings one channel of a replica to the state asked for, with the statements that its version speaks (8.0.15 to 9.7).
  - Only what differs is changed. A second run changes nothing, even though a password cannot be read back.
  - A channel that follows has both threads running, no error, and a source that accepted the stream.
    Where it does not come to that, the module fails with the cause, its proof and one next step.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.source_instance
attributes:
  check_mode:
    description: Predicts the statements and the state after them; nothing is written and nothing waited for.
    support: full
  diff_mode:
    description: Shows the settings that would change; a password is only said to differ.
    support: full
options:
  state:
    description:
      - V(following) configures the channel, starts both threads, and waits until it follows.
      - V(stopped) configures the channel if O(source_host) is given, and stops both threads.
      - V(detached) stops both threads and forgets the source.
      - V(promoted) does as V(detached) and lets the instance take writes.
        It is refused while received transactions are not applied.
    type: str
    choices:
      - following
      - stopped
      - detached
      - promoted
    default: following
  channel:
    description: Name of the replication channel; the default channel has an empty name.
    type: str
    default: ''
  source_host:
    description:
      - Host name or address of the source, as the replica reaches it.
      - Needed where the channel is not configured yet.
    type: str
  source_port:
    description:
      - TCP port of the source, as the replica reaches it.
      - The default is 3306 where O(source_host) is given; otherwise the port is left as it is.
    type: int
  source_user:
    description: User that the replica logs in as.
    type: str
  source_password:
    description: Password of O(source_user).
    type: str
  update_password:
    description:
      - V(on_create) sends O(source_password) when the channel is made.
      - V(always) sends it also where the replica holds another one, or where the one that it holds cannot be read.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  source_auto_position:
    description:
      - Whether the replica finds its place by GTID.
      - Needs C(gtid_mode=ON) on both sides.
      - The default is V(true) where O(source_host) is given; otherwise it is left as it is.
    type: bool
  source_log_file:
    description:
      - Binary log file of the source to begin at, with O(source_auto_position=false).
      - Used where the channel is made or moved to another source.
    type: str
  source_log_pos:
    description: Position in O(source_log_file) to begin at, in bytes.
    type: int
  source_delay:
    description: How many seconds the replica stays behind its source on purpose.
    type: int
  source_connect_retry:
    description: Seconds between two tries to connect. The server's default is 60.
    type: int
  source_retry_count:
    description:
      - How often connecting is tried before the receiver gives up.
      - The server's default is 86400, from 8.4 on it is 10.
    type: int
  source_heartbeat_period:
    description:
      - After how many seconds without an event the source sends a heartbeat.
      - The server's default is half of C(replica_net_timeout).
    type: float
  source_ssl:
    description: Whether the replica connects by TLS.
    type: bool
  source_ssl_ca:
    description: Path on the replica of the certificate authority's file.
    type: str
  source_ssl_cert:
    description: Path on the replica of its certificate.
    type: str
  source_ssl_key:
    description: Path on the replica of its certificate's key.
    type: str
  source_ssl_verify_server_cert:
    description: Whether the replica checks that the source's certificate names O(source_host).
    type: bool
  source_public_key_path:
    description: Path on the replica of the source's public key.
    type: str
  get_source_public_key:
    description:
      - Whether the replica asks the source for its public key.
      - A user of C(caching_sha2_password) needs that where there is no TLS.
      - The default is V(true) where O(source_host) is given; otherwise it is left as it is.
    type: bool
  read_only:
    description:
      - Whether C(read_only) and C(super_read_only) are on, now and after a restart (C(SET PERSIST)).
      - The default is V(true) for O(state=following) and V(false) for O(state=promoted).
      - Otherwise they are left as they are.
    type: bool
  wait:
    description: Whether to wait until the channel follows, with O(state=following).
    type: bool
    default: true
  timeout:
    description: How many seconds to wait. It ends sooner where waiting cannot help.
    type: int
    default: 60
seealso:
  - module: mysql_on.kubernetes.mysql_replication_info
  - module: mysql_on.kubernetes.mysql_replication_proof
"""

EXAMPLES = r"""
- name: Let a replica in a Pod follow the primary by its Service
  mysql_on.kubernetes.mysql_replication:
    pod:
      namespace: mysql
      deployment: mysql-11
    login_password: "{{ root_password }}"
    source_host: mysql-write
    source_user: replicator
    source_password: "{{ replication_password }}"
    source_connect_retry: 5
    source_instance:
      name: mysql-1
      pod:
        namespace: mysql
        deployment: mysql-1

- name: See what would change
  mysql_on.kubernetes.mysql_replication:
    login_host: 127.0.0.1
    login_port: 3307
    login_password: "{{ root_password }}"
    source_host: 127.0.0.1
    source_user: replicator
    source_password: "{{ replication_password }}"
    source_delay: 3600
  check_mode: true
  diff: true

- name: Make the replica an instance of its own
  mysql_on.kubernetes.mysql_replication:
    login_unix_socket: /run/mysqld/mysqld.sock
    state: promoted
"""

RETURN = r"""
plan:
  description: The statements that were sent, or would be in check mode, in order; passwords are masked.
  returned: always
  type: list
  elements: dict
  contains:
    statement:
      description: What is sent to the server.
      type: str
    reason:
      description: Why.
      type: str
  sample:
    - statement: START REPLICA FOR CHANNEL ''
      reason: receiver and applier stopped
instance:
  description: The instance afterwards. In check mode as predicted.
  returned: success
  type: dict
  sample: {"server_id": 11, "version": "9.7.4", "gtid_mode": "ON", "read_only": true, "super_read_only": true}
replication:
  description:
    - The channel afterwards, with the keys that M(mysql_on.kubernetes.mysql_replication_info) documents.
    - Empty where there is none.
    - In check mode as predicted, null for what only the server will know.
  returned: success
  type: dict
  sample: {"channel": "", "source_host": "mysql-write", "receiver": "running", "applier": "running", "lag_seconds": 0}
findings:
  description: Causes found, worst first. On success there are only warnings.
  returned: always
  type: list
  elements: dict
  sample:
    - code: replication.data_before
      severity: warning
      subject: mysql-11
      summary: "mysql-11 held data before it followed: shop"
      proof: ["information_schema.schemata of mysql-11: shop"]
      fix: Compare it with the source (mysql_checksum)
"""

from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import replication as causes
from ..module_utils.finding import CollectionError, Finding, errors, worst_first
from ..module_utils.mysql import replication_plan as planning
from ..module_utils.mysql import replication_report as report
from ..module_utils.mysql.connection import Connection
from ..module_utils.mysql.replication import (
    State,
    observe,
    read_password_matches,
    wait_following,
)
from ..module_utils.mysql.replication_options import wanted_of
from ..module_utils.plan import Plan, apply, diff
from ..module_utils.runtime import run


def argument_spec() -> dict[str, Any]:
    return {
        **roads.mysql_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        "state": {"type": "str", "choices": list(planning.GOALS), "default": "following"},
        "channel": {"type": "str", "default": ""},
        "source_host": {"type": "str"},
        "source_port": {"type": "int"},
        "source_user": {"type": "str"},
        "source_password": {"type": "str", "no_log": True},
        "update_password": {
            "type": "str",
            "choices": ["on_create", "always"],
            "default": "on_create",
            "no_log": False,
        },
        "source_auto_position": {"type": "bool"},
        "source_log_file": {"type": "str"},
        "source_log_pos": {"type": "int"},
        "source_delay": {"type": "int"},
        "source_connect_retry": {"type": "int"},
        "source_retry_count": {"type": "int"},
        "source_heartbeat_period": {"type": "float"},
        "source_ssl": {"type": "bool"},
        "source_ssl_ca": {"type": "str"},
        "source_ssl_cert": {"type": "str"},
        "source_ssl_key": {"type": "str", "no_log": False},
        "source_ssl_verify_server_cert": {"type": "bool"},
        "source_public_key_path": {"type": "str", "no_log": False},
        "get_source_public_key": {"type": "bool", "no_log": False},
        "read_only": {"type": "bool"},
        "wait": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 60},
        "source_instance": roads.instance_option(),
    }


def seen(connection: Connection, wanted: planning.Wanted) -> State:
    """Return the replica's state, with whether it holds the password where that is asked for."""
    state = observe(connection)
    channel = state.channel(wanted.channel)
    if channel is None or wanted.password is None or wanted.update_password != "always":
        return state
    matches = read_password_matches(connection, wanted.channel, wanted.password)
    return state.with_channel(replace(channel, password_matches=matches))


def source_state(module: AnsibleModule) -> State | None:
    instance = module.params["source_instance"]
    if instance is None:
        return None
    with roads.connect_instance(module.params, instance) as connection:
        return observe(connection)


def refuse(case: causes.Case, wanted: planning.Wanted) -> list[Finding]:
    """Return the doubts; raise where going on would be wrong."""
    goal = wanted.goal
    held = case.state.channel(case.channel)
    by_gtid = bool({**(held.settings if held else {}), **wanted.settings}.get("auto_position"))
    found: list[Finding] = []
    if goal == "following":
        found = causes.before_joining(case, by_gtid)
    elif goal == "promoted":
        found = causes.before_promotion(case)
    if errors(found):
        verb = "cannot be promoted" if goal == "promoted" else "cannot follow: nothing was changed"
        raise CollectionError(f"{case.subject} {verb}", found, {"changed": False, "plan": []})
    return found


def follow(
    module: AnsibleModule, connection: Connection, case: causes.Case, plan: Plan[State]
) -> None:
    """Wait until the channel follows; raise what hinders it."""
    timeout = module.params["timeout"]
    channel = wait_following(connection, case.channel, timeout, causes.hopeless)
    if channel is not None and channel.following:
        return
    state = observe(connection)
    source = source_state(module)
    found = causes.explain(replace(case, state=state, source=source))
    details = {"changed": plan.changed, "plan": plan.as_list()}
    raise CollectionError(f"{case.subject} does not follow its source", found, details)


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    wanted = wanted_of(params)
    with roads.connect(params) as connection:
        before = seen(connection, wanted)
        case = causes.Case(
            connection.address, before, wanted.channel, source_state(module), params["language"]
        )
        doubts = refuse(case, wanted)
        plan = planning.plan(before, wanted, connection)
        after = plan.after()
        if not module.check_mode:
            apply(plan)
            if wanted.goal == "following" and params["wait"]:
                follow(module, connection, case, plan)
            after = seen(connection, wanted)
    channel = after.channel(wanted.channel)
    for doubt in doubts:
        module.warn(doubt.summary)
    return {
        "changed": plan.changed,
        "plan": plan.as_list(),
        "instance": report.instance(after),
        "replication": report.channel(after, channel) if channel else {},
        "findings": [doubt.as_dict() for doubt in worst_first(doubts)],
        "diff": diff(planning.shown(before, wanted), planning.shown(after, wanted)),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_together=[["source_log_file", "source_log_pos"]],
        **roads.mysql_rules(),
    )
    run(module, work)


if __name__ == "__main__":
    main()
