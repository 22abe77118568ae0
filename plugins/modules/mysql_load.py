#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_load
short_description: Load a dump into a primary, once, while its replicas are watched
version_added: 0.1.0
description:
  - Loads files of SQL, plain or packed with gzip, zstd, xz or bzip2, and all that their C(source) lines name,
    relative to the file that names them. A UTF-16 file, a zip archive, a binary log and the like are named and refused.
  - The whole dump is read before anything is touched. What a load does not run is refused then, with its file and line,
    an empty or cut off dump as well.
  - Statements are cut as the C(mysql) client does it (strings, comments, versioned comments, C(DELIMITER)),
    in the memory of the largest one.
  - INSERTs of literals are sent by LOAD DATA LOCAL, twice as fast, in chunks that replicas can follow.
    Where the server complains of a single row, these rows are taken back and sent by INSERT.
  - What was loaded is noted on the primary, in C(mysql_on_kubernetes.loads), by the fingerprint of all files.
    A second run of the same files loads nothing, and only waits for replicas that lack some of it.
    An interrupted load starts clean the next time. Who else wrote into the database since it began is read in the
    binary log first; if somebody did, or the log does not tell, nothing is dropped.
  - A database that holds anything else is never dropped, not even by the dump itself, unless O(mode=replace).
  - What would keep rows from the replicas (C(sql_log_bin), C(gtid_purged)) is left out of a C(SET), with a warning;
    if it cannot be left out (in C(PREPARE), by a C(CALL)) the dump is refused.
  - In the end the rows of every table are counted on the primary, and on each replica once it has executed what the
    primary had. A difference is an error.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Says whether and how it would load; nothing is written.
    support: full
  diff_mode:
    description: Shows whether the database is there, and what is noted of it.
    support: full
options:
  file:
    description:
      - The dump, on the machine where the module runs. A path, or a list of paths that are loaded in that order,
        each in a session of its own, such as the schema first and the rows then.
      - Of a folder, its files that end in C(.sql), C(.sql.gz), C(.sql.zst), C(.sql.xz) or C(.sql.bz2), in the order of
        their names.
      - For zstd the Python package C(zstandard) must be there.
    type: raw
    required: true
  database:
    description:
      - The database that is loaded. It is created if it is not there.
      - A dump that changes another one, or accounts that exist, or the whole server, is refused.
    type: str
    required: true
  mode:
    description:
      - V(create) loads into a database that is absent, empty, or was left half loaded by a load that was interrupted
        and into which nobody else wrote since.
      - V(replace) also drops a database that holds other data first.
    type: str
    choices:
      - create
      - replace
    default: create
  method:
    description:
      - V(auto) sends rows by LOAD DATA where that is the same as their INSERT, all else as it stands.
      - V(insert) sends every statement as it stands.
      - V(load_data) fails where V(auto) would go back to INSERT because the server complained.
      - While rows are sent by LOAD DATA, C(local_infile) is ON; it is put back afterwards.
    type: str
    choices:
      - auto
      - insert
      - load_data
    default: auto
  replicas:
    description:
      - Replicas of the instance. Rows arriving on each are shown while it loads, and at the end each is waited for
        by GTID.
      - What one leaves out of the login is taken from the module's own options.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How progress, findings and results name it.
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
  replica_timeout:
    description: Seconds to wait for the replicas after the primary has everything.
    type: int
    default: 600
  progress_file:
    description:
      - File that lines of progress are appended to while the module works.
      - The action plugin of the same name sets it and shows the lines.
    type: path
seealso:
  - module: mysql_on.kubernetes.mysql_replication_proof
  - module: mysql_on.kubernetes.mysql_checksum
  - module: mysql_on.kubernetes.employees_dataset
"""

EXAMPLES = r"""
- name: Load the employees into the primary and see them arrive
  mysql_on.kubernetes.mysql_load:
    pod:
      namespace: mysql
      deployment: mysql-1
    login_password: "{{ root_password }}"
    file: /srv/test_db/employees.sql
    database: employees
    replicas:
      - name: mysql-11
        pod:
          namespace: mysql
          deployment: mysql-11

- name: Put another dump in place of what is there
  mysql_on.kubernetes.mysql_load:
    login_host: 127.0.0.1
    login_password: "{{ root_password }}"
    file: shop.sql.gz
    database: shop
    mode: replace

- name: Load a schema and the rows that another file holds
  mysql_on.kubernetes.mysql_load:
    login_host: 127.0.0.1
    login_password: "{{ root_password }}"
    file:
      - /srv/sakila/sakila-schema.sql
      - /srv/sakila/sakila-data.sql
    database: sakila
"""

RETURN = r"""
plan:
  description: What was, or would be, done, in order.
  returned: always
  type: list
  elements: dict
  contains:
    statement:
      description: What is sent.
      type: str
    reason:
      description: Why.
      type: str
database:
  description: The database that was loaded.
  returned: always
  type: str
fingerprint:
  description: SHA-256 over all files of the dump in order, and the name of the database.
  returned: always
  type: str
rows:
  description: Rows that were loaded; those of the noted load if nothing had to be.
  returned: when it is loaded
  type: int
bytes:
  description: Bytes of SQL that were loaded, after decompression.
  returned: when it is loaded
  type: int
seconds:
  description: Seconds that the load took on the primary.
  returned: when it is loaded
  type: float
rows_per_second:
  description: Rows a second, on the primary.
  returned: when it is loaded
  type: int
tables:
  description: What each table got.
  returned: when it is loaded
  type: list
  elements: dict
  contains:
    table:
      description: Name of the table.
      type: str
    rows:
      description: Rows that it got.
      type: int
    bytes:
      description: Bytes of SQL that they were.
      type: int
    seconds:
      description: Seconds that they took.
      type: float
    method:
      description: C(load_data), C(insert), or both with a comma.
      type: str
files:
  description: What each file took.
  returned: when it is loaded
  type: list
  elements: dict
  contains:
    file:
      description: Name of the file.
      type: str
    bytes:
      description: Bytes of its statements.
      type: int
    seconds:
      description: Seconds that it took, without the files that it sources.
      type: float
gtid_executed:
  description: Transactions that the primary had executed when the load was complete.
  returned: when it is loaded
  type: str
replicas:
  description: Rows that were counted on each replica, by its name.
  returned: when O(replicas) is not empty, and it is loaded
  type: dict
counted:
  description: How the copies were compared. Their rows are equal in number, table by table, or the module fails.
  returned: when O(replicas) is not empty, and it is loaded
  type: dict
  contains:
    rows:
      description: Rows that were counted on the primary, in all tables of the database.
      type: int
    gtid_executed:
      description: Transactions that each of them had executed, at least, when it was counted.
      type: str
    replicas:
      description: Rows that were counted on each replica, by its name.
      type: dict
    not_compared:
      description: What was not compared.
      type: list
      elements: str
"""

import functools
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.binlog.strangers import strangers
from ..module_utils.causes.data import told_in
from ..module_utils.mysql import load
from ..module_utils.runtime import run


def argument_spec() -> dict[str, Any]:
    """Return the options; DOCUMENTATION says what they mean."""
    return {
        **roads.mysql_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        "file": {"type": "raw", "required": True},
        "database": {"type": "str", "required": True},
        "mode": {"type": "str", "choices": ["create", "replace"], "default": "create"},
        "method": {"type": "str", "choices": ["auto", "insert", "load_data"], "default": "auto"},
        "replicas": {**roads.instances_option(required=False), "default": []},
        "replica_timeout": {"type": "int", "default": 600},
        "progress_file": {"type": "path"},
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    given = params["file"] if isinstance(params["file"], list) else [params["file"]]
    request = load.Request(
        files=[str(path) for path in given],
        database=params["database"],
        connect=lambda local: roads.connect(params, local_infile=local),
        replicas={
            replica["name"]: functools.partial(roads.connect_instance, params, replica)
            for replica in params["replicas"]
        },
        method=params["method"],
        replace_data=params["mode"] == "replace",
        wait_timeout=params["replica_timeout"],
        check=module.check_mode,
        progress_file=params["progress_file"],
        warn=module.warn,
        strangers=strangers,
    )
    with told_in(params["language"]):
        return load.run(request)


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(), supports_check_mode=True, **roads.mysql_rules()
    )
    run(module, work)


if __name__ == "__main__":
    main()
