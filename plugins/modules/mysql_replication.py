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
  - A running channel is changed with as few stops as the server allows, and the plan says which.
    O(source_delay), O(filters), O(privilege_checks_user) and O(require_table_primary_key_check) need the applier
    to stand, O(source_auto_position) and O(require_row_format) both threads, all other settings the receiver.
  - One task can take many O(replicas); it works on them side by side, and one that fails stops no other.
  - An instance that has data of its own, or that its source cannot serve any more, is seeded where O(seed) says so.
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
  replicas:
    description:
      - Many replicas instead of one. All other options hold for each of them.
      - What a replica leaves out of its login is taken from the module's own options.
      - Exactly one of O(replicas), O(login_host), O(login_unix_socket) and O(pod) is needed.
    type: list
    elements: dict
    suboptions:
      name:
        description: How results, findings and O(seed_overwrite) name it.
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
  source_ssl_capath:
    description: Folder on the replica that holds certificates of authorities.
    type: str
  source_ssl_cipher:
    description: Ciphers that the replica may use up to TLS 1.2, as OpenSSL writes them.
    type: str
  source_ssl_crl:
    description: Path on the replica of a list of revoked certificates.
    type: str
  source_ssl_crlpath:
    description: Folder on the replica that holds lists of revoked certificates.
    type: str
  source_tls_version:
    description: Versions of TLS that the replica may use, such as V(TLSv1.2,TLSv1.3).
    type: str
  source_tls_ciphersuites:
    description: Cipher suites that the replica may use with TLS 1.3. Needs 8.0.19.
    type: str
  source_public_key_path:
    description: Path on the replica of the source's public key.
    type: str
  get_source_public_key:
    description:
      - Whether the replica asks the source for its public key.
      - A user of C(caching_sha2_password) needs that where there is no TLS.
      - The default is V(true) where O(source_host) is given; otherwise it is left as it is.
    type: bool
  privilege_checks_user:
    description:
      - Account with whose privileges the applier works, such as V(applier@localhost); V('') for none.
      - It needs REPLICATION_APPLIER and what the transactions themselves need. Needs 8.0.18.
    type: str
  require_row_format:
    description: Whether the channel takes row events only, as one with O(privilege_checks_user) should. Needs 8.0.19.
    type: bool
  require_table_primary_key_check:
    description: What the channel asks of new tables as to primary keys. Needs 8.0.20, V(GENERATE) 8.0.32.
    type: str
    choices:
      - STREAM
      - 'ON'
      - 'OFF'
      - GENERATE
  filters:
    description:
      - Filters of the channel's applier. Kinds that are left out stay as they are; an empty list takes a kind away.
      - The server forgets them at a restart, unless its own configuration holds them too; running the task again
        brings them back.
      - Rules are written as mysqld's options write them.
    type: dict
    suboptions:
      do_db:
        description: Schemas to apply alone.
        type: list
        elements: str
      ignore_db:
        description: Schemas to leave out.
        type: list
        elements: str
      do_table:
        description: Tables to apply alone, each as C(schema.table).
        type: list
        elements: str
      ignore_table:
        description: Tables to leave out.
        type: list
        elements: str
      wild_do_table:
        description: Patterns of tables to apply alone, such as C(shop.o%).
        type: list
        elements: str
      wild_ignore_table:
        description: Patterns of tables to leave out.
        type: list
        elements: str
      rewrite_db:
        description: Schemas that have another name on the replica, each as C(old->new).
        type: list
        elements: str
  until:
    description:
      - Where the applier is to stop (C(START REPLICA UNTIL)). The receiver goes on.
      - An applier that has come there is stopped and left alone. One that is past O(until.gtid_before) is an error.
      - Without O(until) a later run lets the applier go on.
    type: dict
    suboptions:
      gtid_before:
        description: GTID set; the applier stops before the first of them.
        type: str
      gtid_after:
        description: GTID set; the applier stops when all of them are executed.
        type: str
      source_log_file:
        description: Binary log file of the source.
        type: str
      source_log_pos:
        description: Position in O(until.source_log_file), in bytes; the applier stops at or just after it.
        type: int
  wait_for_gtids:
    description: GTID set that each replica has to execute before the module returns.
    type: str
  wait_for_source:
    description:
      - Whether each replica has to execute what its source has executed by then.
      - File and position are waited for where the source has no GTIDs. Needs O(source_instance).
    type: bool
    default: false
  seed:
    description:
      - What to do with an instance that cannot follow with the data it has. That is one with errant transactions,
        with schemas of its own from before replication, with an applier that stopped at an error, or one that lacks
        what the source has purged. Needs O(source_instance).
      - V(none) refuses or warns, and changes nothing.
      - V(auto) clones where both servers can, and copies otherwise. An instance that needs no seed is left alone.
      - V(clone) lets the replica fetch the source's data directory (C(CLONE INSTANCE)). Both servers need 8.0.17, and
        the same release before 8.0.37, the same series from there on. mysqld stops in the end; where something
        supervises it, as in a Pod, it comes back by itself. It is refused where the source has tables of other
        engines than InnoDB (their rows would be gone), files outside its data directory, or encrypted tablespaces that
        the replica has no keyring for; V(auto) then copies.
      - V(dump) copies schemas (tables, views, triggers, routines, events), accounts and roles, general tablespaces,
        spatial reference systems and named time zones from a consistent snapshot, row by row from session to session,
        without a file and without client programs. Then it compares the checksum of every table, and all definitions
        and accounts as both servers show them. Accounts that only the replica has stay.
      - During a V(dump) writes to tables of other engines than InnoDB wait until it ends. On the source it needs
        BACKUP_ADMIN, RELOAD, XA_RECOVER_ADMIN and SELECT on everything. It is refused while XA transactions stay
        prepared, and where something cannot be made again, which O(seed_without) can leave out.
      - V(reload) empties the replica and lets it follow from the beginning, so that data is poured in once more
        through the source. The source is emptied too where O(seed_overwrite) names it.
      - V(clone) and V(dump) also seed an instance that never followed and holds nothing, though the source's binary
        logs would do.
    type: str
    choices:
      - none
      - auto
      - clone
      - dump
      - reload
    default: none
  seed_overwrite:
    description:
      - Names of instances whose own schemas and transactions may be taken away.
      - For a single instance that is the name of its Deployment, Pod or Service, its socket, or C(host:port).
    type: list
    elements: str
    default: []
  seed_without:
    description:
      - What O(seed=dump) leaves out because it cannot be made on the replica, each as the finding
        C(replication.seed_broken) names it, such as C(view shop.v) or C(account 'app'@'%').
      - A statement that later changes or drops one of these on the source stops the replica.
    type: list
    elements: str
    default: []
  seed_user:
    description:
      - User that the replica clones as. It needs BACKUP_ADMIN on the source.
      - The default is O(source_user).
    type: str
  seed_password:
    description: Password of O(seed_user). The default is O(source_password).
    type: str
  seed_timeout:
    description: How many seconds a replica may be away after its clone.
    type: int
    default: 300
  read_only:
    description:
      - Whether C(read_only) and C(super_read_only) are on, now and after a restart (C(SET PERSIST)).
      - The default is V(true) for O(state=following) and V(false) for O(state=promoted).
      - Otherwise they are left as they are.
    type: bool
  wait:
    description: Whether to wait until the channel follows, or stands at O(until), with O(state=following).
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

- name: Let many replicas follow at once, those with data of their own seeded
  mysql_on.kubernetes.mysql_replication:
    replicas: "{{ replicas }}"
    login_password: "{{ root_password }}"
    source_host: mysql-write
    source_user: replicator
    source_password: "{{ replication_password }}"
    source_instance: "{{ primary }}"
    seed: auto
    seed_overwrite:
      - mysql-12
    wait_for_source: true

- name: Stop a delayed replica just before a transaction
  mysql_on.kubernetes.mysql_replication:
    login_host: 192.0.2.12
    login_password: "{{ root_password }}"
    source_delay: 0
    until:
      gtid_before: 4ddd15f7-e63a-11f1-a661-02fc00000001:7

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
seed:
  description: How the replica was seeded, or would be in check mode.
  returned: success
  type: dict
  contains:
    method:
      description: V(none), V(clone), V(dump) or V(reload).
      type: str
    reasons:
      description: Why, one line each.
      type: list
      elements: str
    dropped:
      description: The replica's own schemas that were taken away.
      type: list
      elements: str
    tables:
      description: How many tables were copied and found equal, null unless by a dump.
      type: int
    rows:
      description: How many rows were copied, null unless by a dump.
      type: int
    seconds:
      description: How long copying and comparing took, null unless by a dump.
      type: float
    compared:
      description: What is compared with the source and found equal, a line each; empty unless by a dump.
      type: list
      elements: str
    not_compared:
      description: What is not, a line each.
      type: list
      elements: str
    not_carried:
      description:
        - What the source has and the replica does not get, a line each. It is a warning (C(replication.seed_left)) too.
      type: list
      elements: str
replicas:
  description:
    - What came of each of O(replicas), in their order, also where some failed. Instead of RV(instance),
      RV(replication) and RV(seed), which each of them has; RV(plan) then names the C(instance) of each step.
  returned: with O(replicas)
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    failed:
      description: Whether it did not come to the state asked for.
      type: bool
    msg:
      description: Why, empty on success.
      type: str
    changed:
      description: Whether something was changed on it.
      type: bool
    plan:
      description: Its own steps.
      type: list
      elements: dict
missing:
  description:
    - What a wait that failed was still waiting for, a GTID set or C(file:position).
    - RV(replication) then holds the channel as it was in the end, with lag and threads.
  returned: where waiting failed
  type: str
  sample: 4ddd15f7-e63a-11f1-a661-02fc00000001:8-9
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

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.mysql import replication_plan as planning
from ..module_utils.mysql import seed
from ..module_utils.mysql.replication_filters import KINDS
from ..module_utils.replication_task import run_task
from ..module_utils.runtime import run

TEXTS = (
    "source_ssl_capath",
    "source_ssl_cipher",
    "source_ssl_crl",
    "source_ssl_crlpath",
    "source_tls_version",
    "source_tls_ciphersuites",
    "privilege_checks_user",
)


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
        **{name: {"type": "str"} for name in TEXTS},
        "require_row_format": {"type": "bool"},
        "require_table_primary_key_check": {
            "type": "str",
            "choices": ["STREAM", "ON", "OFF", "GENERATE"],
        },
        "filters": {
            "type": "dict",
            "options": {kind: {"type": "list", "elements": "str"} for kind in KINDS},
        },
        "until": until_spec(),
        "wait_for_gtids": {"type": "str"},
        "wait_for_source": {"type": "bool", "default": False},
        "replicas": roads.instances_option(required=False),
        "seed": {"type": "str", "choices": list(seed.ASKED), "default": "none"},
        "seed_overwrite": {"type": "list", "elements": "str", "default": []},
        "seed_without": {"type": "list", "elements": "str", "default": []},
        "seed_user": {"type": "str"},
        "seed_password": {"type": "str", "no_log": True},
        "seed_timeout": {"type": "int", "default": 300},
        "source_public_key_path": {"type": "str", "no_log": False},
        "get_source_public_key": {"type": "bool", "no_log": False},
        "read_only": {"type": "bool"},
        "wait": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 60},
        "source_instance": roads.instance_option(),
    }


def until_spec() -> dict[str, Any]:
    places = ["gtid_before", "gtid_after", "source_log_file"]
    return {
        "type": "dict",
        "options": {
            "gtid_before": {"type": "str"},
            "gtid_after": {"type": "str"},
            "source_log_file": {"type": "str"},
            "source_log_pos": {"type": "int"},
        },
        "mutually_exclusive": [places],
        "required_one_of": [places],
        "required_together": [["source_log_file", "source_log_pos"]],
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    result = run_task(module.params, module.check_mode)
    for found in result["findings"]:
        module.warn(found["summary"])
    return result


def main() -> None:
    several = [*roads.ROADS, "replicas"]
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_together=[["source_log_file", "source_log_pos"]],
        mutually_exclusive=[several],
        required_one_of=[several],
    )
    run(module, work)


if __name__ == "__main__":
    main()
