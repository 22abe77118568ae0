#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_backup_info
short_description: Read what a backup archive holds, and from when to when it can be recovered
version_added: 0.1.0
description:
  - Reads the archive that the role C(backup) makes, in the Pod that writes it.
  - Where the options name a road to the primary, the two are compared.
  - Returns bases, binary logs, gaps by GTID sets, the window of recovery, and what would be lost now with the primary.
  - Writes nothing.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
options:
  archive:
    description: The Deployment that writes the archive.
    type: dict
    required: true
    suboptions:
      namespace:
        description: Its namespace.
        type: str
        required: true
      deployment:
        description: Its name.
        type: str
        required: true
      container:
        description: The container that mounts the archive.
        type: str
        default: archiver
      scripts:
        description: Folder of the role's scripts in it.
        type: str
        default: /scripts
  base_max_age:
    description: Hours after which the newest verified base is called old.
    type: int
    default: 48
  expire_warning:
    description: Hours before the primary purges a binary log that the archive lacks, from which on that is a finding.
    type: int
    default: 24
  max_behind:
    description: Seconds for which the archive may lack something that the primary has.
    type: int
    default: 5
  drill_max_age:
    description: Days after which the last restore drill that succeeded is called old, where there ever was one.
    type: int
    default: 30
  ignored:
    description: Codes of findings that are not looked for, such as C(backup.none) before the first base.
    type: list
    elements: str
    default: []
  require_healthy:
    description: Whether a finding of severity C(error) makes the module fail.
    type: bool
    default: false
seealso:
  - module: mysql_on.kubernetes.binlog_point
"""

EXAMPLES = r"""
- name: From when to when can the cluster be recovered
  mysql_on.kubernetes.mysql_backup_info:
    archive:
      namespace: mysql
      deployment: mysql-archiver
    pod:
      namespace: mysql
      service: mysql-write
    login_password: "{{ root_password }}"
  register: backup

- name: Say it
  ansible.builtin.debug:
    msg: "From {{ backup.window.earliest.time }} to {{ backup.window.latest.time }}"
"""

RETURN = r"""
window:
  description:
    - The earliest and the latest point; every transaction between them can be recovered to.
    - Both are empty without a verified base.
    - Each has C(base), C(time) (ISO 8601, UTC, microseconds) and C(gtid_executed).
  returned: always
  type: dict
  sample:
    earliest:
      base: 20261124T190000Z
      time: "2026-11-24T19:00:07.000000Z"
      gtid_executed: 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5
    latest:
      base: 20261124T190000Z
      time: "2026-11-24T19:20:11.482911Z"
      gtid_executed: 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77
rpo:
  description: What would be lost if the primary were lost now.
  returned: always
  type: dict
  contains:
    known:
      description: Whether a primary was named to compare with.
      type: bool
    transactions:
      description: Transactions of the primary that are not in the archive.
      type: int
    gtids:
      description: The same as a GTID set.
      type: str
    seconds:
      description: Seconds since the archive had all, 0 where it has all; null where that is not known.
      type: int
gaps:
  description:
    - Transactions, as a GTID set, that later binary logs of the archive build on and that it does not have.
    - Empty where none is missing.
  returned: always
  type: str
bases:
  description: The base backups, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its name, the UTC time when it was begun.
      type: str
    method:
      description: C(clone) or C(dump).
      type: str
    server_version:
      description: Version of the server that it was taken from.
      type: str
    gtid_executed:
      description: The transactions in it.
      type: str
    started:
      description: When it was begun, ISO 8601.
      type: str
    ended:
      description: When it was complete, ISO 8601.
      type: str
    bytes:
      description: Size of its content before compression.
      type: int
    stored_bytes:
      description: Size in the archive.
      type: int
    compression:
      description: C(none), C(zstd) or C(gzip).
      type: str
    encryption:
      description: C(none) or C(aes-256-ctr).
      type: str
    tables:
      description: How many tables were read when it was verified.
      type: int
    verified:
      description: Whether a server was started from it, had what it should, and its files are still of their size.
      type: bool
    verified_at:
      description: When, ISO 8601.
      type: str
    verified_how:
      description: What was compared for it, with what, and what was not.
      type: str
    compared_with:
      description: >-
        UUID of the donor that the base was equal to in rows, checksums, definitions, accounts and their rights.
        Empty for a base that was only started and read.
      type: str
    compared_at:
      description: GTID set at which the two were equal.
      type: str
    not_compared:
      description: What that comparison left out.
      type: list
      elements: dict
      contains:
        what:
          description: What it is.
          type: str
        reason:
          description: Why.
          type: str
binlogs:
  description: The binary logs by the server that wrote them.
  returned: always
  type: list
  elements: dict
  contains:
    server_uuid:
      description: The server.
      type: str
    files:
      description: How many there are.
      type: int
    first:
      description: Name of the first.
      type: str
    last:
      description: Name of the last.
      type: str
    transactions:
      description: Transactions in them.
      type: int
    bytes:
      description: Their size in the archive.
      type: int
drills:
  description:
    - What restore drills of the cluster showed, the newest first, as C(playbooks/drill.yml) keeps it.
    - Empty where there was none.
  returned: always
  type: list
  elements: dict
archiver:
  description: What the archiver wrote last.
  returned: always
  type: dict
  contains:
    state:
      description:
        - C(archiving), C(connecting) where no server answers.
        - C(failing) where binary logs cannot be fetched or written; C(error) says why.
      type: str
    seconds_since_status:
      description: How long ago it wrote that.
      type: int
    server_uuid:
      description: The server that it reads.
      type: str
    file:
      description: The binary log that it writes.
      type: str
    error:
      description: What it failed with last.
      type: str
cluster:
  description: Name of the cluster, as the archive has it.
  returned: always
  type: str
size_bytes:
  description: Size of the archive.
  returned: always
  type: int
expires:
  description:
    - When the primary may purge the next binary log that the archive needs, ISO 8601.
    - Null where none is at stake.
  returned: always
  type: str
findings:
  description: What the backup cannot be relied on for, worst first.
  returned: always
  type: list
  elements: dict
"""

import time
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.binlog import backup
from ..module_utils.binlog.archive_reader import read_listing
from ..module_utils.causes import backup as causes
from ..module_utils.finding import CollectionError, errors
from ..module_utils.kube import archive as kube_archive
from ..module_utils.kube import client, drills
from ..module_utils.kube.portforward import PodUnavailableError
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    """Read both sides and say what they show."""
    params = module.params
    cluster = client.connect(params.get("kubeconfig"), params.get("context"))
    state = _observe(params, cluster)
    where = params["archive"]["namespace"]
    kept = drills.observe(cluster, where, drills.name_of(state.listing.archive.cluster))
    limits = causes.Limits(params["base_max_age"], params["expire_warning"], params["max_behind"])
    told = [
        *causes.explain(state, limits, params["language"]),
        *causes.explain_drills(kept, time.time(), params["drill_max_age"], params["language"]),
    ]
    found = [one for one in told if one.code not in params["ignored"]]
    facts = {
        "changed": False,
        **backup.as_dict(state),
        "drills": [dict(one) for one in reversed(kept.records)],
    }
    if params["require_healthy"] and errors(found):
        raise CollectionError(f"{state.subject} cannot be relied on", found, facts)
    return {**facts, "findings": [one.as_dict() for one in found]}


def _observe(params: dict[str, Any], cluster: client.Cluster) -> backup.State:
    """Read the primary first, then the archive."""
    source = None
    compared = any(params.get(road) for road in roads.ROADS)
    if compared:
        with roads.connect(params) as connection:
            source = backup.observe_source(connection)
    where = kube_archive.Place(**params["archive"])
    subject = f"the archive of {where.namespace}/{where.deployment}"
    try:
        text, node = kube_archive.read(cluster, where)
    except PodUnavailableError as error:
        raise CollectionError(
            error.message, causes.absent(subject, error, params["language"])
        ) from error
    listing = read_listing(text)
    expires, primary_node = None, ""
    if source is not None:
        expires = backup.expires_at(source, listing, partial(roads.connect, params))
        if params.get("pod"):
            primary_node = kube_archive.node_of(cluster, roads.target(params["pod"]))
    return backup.State(
        subject,
        listing,
        source,
        expires,
        (node, primary_node),
        where.namespace,
        f"-n {where.namespace} deployment/{where.deployment} -c {where.container}",
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **roads.mysql_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "archive": {
                "type": "dict",
                "required": True,
                "options": {
                    "namespace": {"type": "str", "required": True},
                    "deployment": {"type": "str", "required": True},
                    "container": {"type": "str", "default": "archiver"},
                    "scripts": {"type": "str", "default": "/scripts"},
                },
            },
            "base_max_age": {"type": "int", "default": 48},
            "expire_warning": {"type": "int", "default": 24},
            "max_behind": {"type": "int", "default": 5},
            "drill_max_age": {"type": "int", "default": causes.DRILL_MAX_AGE},
            "ignored": {"type": "list", "elements": "str", "default": []},
            "require_healthy": {"type": "bool", "default": False},
        },
        mutually_exclusive=[list(roads.ROADS)],
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
