#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_replication_info
short_description: Read what an instance replicates, and why it does not
version_added: 0.1.0
description:
  - Reads the replication channels of an instance, with the same keys for every version (8.0.15 to 9.7).
  - Says with a cause, its proof and one next step what keeps a channel from following. It does not fail for that.
  - Writes nothing.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.source_instance
  - mysql_on.kubernetes.reading
options:
  channel:
    description: Name of one channel to read; all of them without it.
    type: str
seealso:
  - module: mysql_on.kubernetes.mysql_replication
"""

EXAMPLES = r"""
- name: Read how a replica does
  mysql_on.kubernetes.mysql_replication_info:
    pod:
      namespace: mysql
      deployment: mysql-11
    login_password: "{{ root_password }}"
    source_instance:
      name: mysql-1
      pod:
        namespace: mysql
        deployment: mysql-1
  register: replica

- name: Show what is wrong
  ansible.builtin.debug:
    var: replica.findings
"""

RETURN = r"""
instance:
  description: The instance as a whole.
  returned: success
  type: dict
  contains:
    server_id:
      description: Its server-id.
      type: int
    server_uuid:
      description: Its server_uuid.
      type: str
    version:
      description: Version as the server says it.
      type: str
    gtid_mode:
      description: V(ON), V(OFF) or one of the steps between.
      type: str
    gtid_executed:
      description: GTIDs that it has executed.
      type: str
    gtid_purged:
      description: Executed GTIDs that its binary logs do not hold any more.
      type: str
    log_bin:
      description: Whether it writes a binary log.
      type: bool
    read_only:
      description: Whether read_only is on.
      type: bool
    super_read_only:
      description: Whether super_read_only is on.
      type: bool
    read_only_persisted:
      description: Whether both were persisted, so that they outlive a restart.
      type: bool
    schemas:
      description: Schemas that are not the server's own, sorted.
      type: list
      elements: str
    log_file:
      description: Binary log file that it writes, empty without one.
      type: str
    log_pos:
      description: Where that ends, in bytes, null without one.
      type: int
channels:
  description: The channels that have a source, by name.
  returned: success
  type: list
  elements: dict
  contains:
    channel:
      description: Name, empty for the default channel.
      type: str
    source_host:
      description: Host of the source, empty for a channel of Group Replication, which has none.
      type: str
    source_port:
      description: TCP port of the source.
      type: int
    source_user:
      description: User that the replica logs in as.
      type: str
    source_auto_position:
      description: Whether it finds its place by GTID.
      type: bool
    source_delay:
      description: Seconds that it stays behind on purpose.
      type: int
    source_connect_retry:
      description: Seconds between two tries to connect.
      type: int
    source_retry_count:
      description: How often connecting is tried.
      type: int
    source_heartbeat_period:
      description: Seconds without an event after which the source sends a heartbeat.
      type: float
    source_ssl:
      description: Whether it connects by TLS.
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
      description: Whether it checks the name in the source's certificate.
      type: bool
    source_public_key_path:
      description: Path on the replica of the source's public key.
      type: str
    get_source_public_key:
      description: Whether it asks the source for its public key.
      type: bool
    source_ssl_capath:
      description: Folder on the replica that holds certificates of authorities.
      type: str
    source_ssl_cipher:
      description: Ciphers that it may use up to TLS 1.2.
      type: str
    source_ssl_crl:
      description: Path on the replica of a list of revoked certificates.
      type: str
    source_ssl_crlpath:
      description: Folder on the replica that holds lists of revoked certificates.
      type: str
    source_tls_version:
      description: Versions of TLS that it may use.
      type: str
    source_tls_ciphersuites:
      description: Cipher suites for TLS 1.3, null where the server chooses or is older than 8.0.19.
      type: str
    privilege_checks_user:
      description: Account with whose privileges the applier works, empty for none, null before 8.0.18.
      type: str
    require_row_format:
      description: Whether it takes row events only, null before 8.0.19.
      type: bool
    require_table_primary_key_check:
      description: What it asks of new tables as to primary keys, null before 8.0.20.
      type: str
    filters:
      description: Rules of the applier's filters by kind, as the option C(filters) of mysql_replication.
      type: dict
    until_condition:
      description: Where the applier was told to stop, such as V(SQL_AFTER_GTIDS) or V(Source), empty for nowhere.
      type: str
    until_log_file:
      description: Binary log of the source at which it is to stop.
      type: str
    until_log_pos:
      description: Position in it, in bytes; null where it is not to stop.
      type: int
    following:
      description: Whether both threads run without an error and the source accepted the stream.
      type: bool
    receiver:
      description: V(running), V(connecting) or V(stopped).
      type: str
    receiver_doing:
      description: What the receiver does, in the server's own words.
      type: str
    receiver_errno:
      description: Number of the receiver's last error, 0 for none.
      type: int
    receiver_error:
      description: Text of the receiver's last error.
      type: str
    applier:
      description: V(running) or V(stopped).
      type: str
    applier_errors:
      description: Why the applier stopped, a worker each, the coordinator (worker_id null) last.
      type: list
      elements: dict
      contains:
        worker_id:
          description: Number of the worker, null for the coordinator.
          type: int
        errno:
          description: Number of the error.
          type: int
        message:
          description: Text of the error.
          type: str
        transaction:
          description: GTID of the transaction that was being applied.
          type: str
        at:
          description: When, in the server's time zone.
          type: str
    source_server_id:
      description: server-id of the source, null before the first connection.
      type: int
    source_uuid:
      description: server_uuid of the source, empty before the first connection.
      type: str
    received_log_file:
      description: Binary log of the source that is being received.
      type: str
    received_log_pos:
      description: Position in it, in bytes.
      type: int
    applied_log_file:
      description: Binary log of the source up to which everything is applied.
      type: str
    applied_log_pos:
      description: Position in it, in bytes.
      type: int
    heartbeats:
      description: How many heartbeats were received.
      type: int
    heard_seconds_ago:
      description: Seconds since the last heartbeat or transaction, null for never.
      type: float
    lag_seconds:
      description: Seconds behind the source, null where the server cannot say.
      type: int
    lag_bytes:
      description:
        - Bytes of the source's binary log that are not applied.
        - Null without O(source_instance), or where the replica is still in an earlier file.
      type: int
    lag_transactions:
      description:
        - Transactions of the source that are not executed, null where one of them has no GTIDs.
        - Without O(source_instance) only those that were received.
      type: int
    gtid_executed:
      description: GTIDs that the instance has executed.
      type: str
    gtid_retrieved:
      description: GTIDs that the channel received since its relay log began.
      type: str
    gtid_unapplied:
      description: Received GTIDs that are not executed.
      type: str
    gtid_missing:
      description: GTIDs of the source that are not executed, null without O(source_instance).
      type: str
    gtid_errant:
      description: Executed GTIDs that the source does not have, null without O(source_instance).
      type: str
findings:
  description: Causes found, worst first; empty where every channel follows.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: Stable code such as V(replication.server_id_duplicate).
      type: str
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    subject:
      description: What it is about.
      type: str
    summary:
      description: One line, what is wrong.
      type: str
    proof:
      description: What was read and from where.
      type: list
      elements: str
    fix:
      description: One next step.
      type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes.replication import Case, explain
from ..module_utils.finding import Finding, worst_first
from ..module_utils.mysql import replication_report as report
from ..module_utils.mysql.replication import State, observe
from ..module_utils.runtime import run


def source_state(params: dict[str, Any]) -> State | None:
    if params["source_instance"] is None:
        return None
    with roads.connect_instance(params, params["source_instance"]) as connection:
        return observe(connection)


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    with roads.connect(params) as connection:
        state = observe(connection)
        subject = connection.address
    # The replica was read first: what the source commits in between must not look errant.
    source = source_state(params)
    asked = params["channel"]
    names = [channel.name for channel in state.channels] if asked is None else [asked]
    found: list[Finding] = []
    for name in names:
        found += explain(Case(subject, state, name, source, params["language"]))
    return {
        "changed": False,
        "instance": report.instance(state),
        "channels": [each for each in report.channels(state, source) if each["channel"] in names],
        "findings": [finding.as_dict() for finding in worst_first(found)],
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.mysql_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "channel": {"type": "str"},
            "source_instance": roads.instance_option(),
        },
        supports_check_mode=True,
        **roads.mysql_rules(),
    )
    run(module, work)


if __name__ == "__main__":
    main()
