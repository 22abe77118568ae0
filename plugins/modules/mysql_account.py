#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_account
short_description: Make, change or drop a MySQL account and its privileges
version_added: 0.1.0
description:
  - Brings one account to what is asked for. What already holds is left alone.
  - Make accounts on the primary. They reach the replicas through replication.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Predicts the statements and the account after them; nothing is written.
    support: full
  diff_mode:
    description: Shows the properties that would change; a password is only said to differ.
    support: full
options:
  name:
    description: Name of the user, at most 32 characters.
    type: str
    required: true
  host:
    description: Host part of the account, as MySQL matches it.
    type: str
    default: '%'
  state:
    description: Whether the account is there.
    type: str
    choices:
      - present
      - absent
    default: present
  password:
    description: Password of the account. Needed where the account is made.
    type: str
  update_password:
    description:
      - V(on_create) sets O(password) when the account is made.
      - V(always) also where logging in with it, over the same road as the module, does not succeed as this account.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  old_password:
    description:
      - What becomes of the password that O(password) takes the place of. Without this option it ends at once.
      - V(retain) keeps it valid beside the new one, so that nobody is locked out while they change over.
        It is refused while an even earlier one is kept.
      - V(discard) ends an earlier password that is kept.
    type: str
    choices:
      - retain
      - discard
  plugin:
    description:
      - Authentication plugin. Without it the server's default is used for a new account.
      - V(mysql_native_password) is refused for 9.0 and later, which do not have it.
    type: str
    choices:
      - caching_sha2_password
      - sha256_password
      - mysql_native_password
  require_tls:
    description: Whether the account may log in by TLS alone. Without this option it is left as it is.
    type: bool
  privileges:
    description:
      - Privileges by level, V(*.*), C(schema.*) or C(schema.table), each a list such as V([SELECT, INSERT]).
      - The account then has exactly these, others are revoked. Without this option privileges are left as they are.
      - V(ALL) is every privilege of the level, V(GRANT OPTION) lets the account hand them on.
      - In a schema's name C(_) and C(%) are wildcards, as GRANT takes them.
    type: dict
  verify:
    description: Whether to log in as the account afterwards, over the same road, and fail if that does not succeed.
    type: bool
    default: false
  sql_log_bin:
    description: Whether the change is written to the binary log, and so reaches replicas and what is recovered later.
    type: bool
    default: true
seealso:
  - module: mysql_on.kubernetes.mysql_replication
"""

EXAMPLES = r"""
- name: Make the account that replicas log in as
  mysql_on.kubernetes.mysql_account:
    pod:
      namespace: mysql
      deployment: mysql-1
    login_password: "{{ root_password }}"
    name: replicator
    password: "{{ replication_password }}"
    privileges:
      "*.*":
        - REPLICATION SLAVE

- name: Give an account another password, the old one still being valid
  mysql_on.kubernetes.mysql_account:
    pod:
      namespace: mysql
      service: mysql-write
    login_password: "{{ root_password }}"
    name: app
    password: "{{ new_password }}"
    update_password: always
    old_password: retain

- name: Drop an account
  mysql_on.kubernetes.mysql_account:
    login_host: 127.0.0.1
    login_password: "{{ root_password }}"
    name: intern
    host: 10.0.%
    state: absent
"""

RETURN = r"""
plan:
  description: The statements that were sent, or would be in check mode, in order; passwords are masked.
  returned: always
  type: list
  elements: dict
  sample:
    - statement: GRANT REPLICATION SLAVE ON *.* TO 'replicator'@'%'
      reason: privileges on *.* are to be exactly those asked for
account:
  description: The account afterwards. In check mode as predicted.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the user.
      type: str
    host:
      description: Host part.
      type: str
    exists:
      description: Whether it is there.
      type: bool
    plugin:
      description: Authentication plugin. In check mode empty for a new account that takes the server's default.
      type: str
    require_tls:
      description: Whether it may log in by TLS alone.
      type: bool
    old_password_retained:
      description: Whether an earlier password still logs in beside the current one.
      type: bool
    privileges:
      description: Privileges by level, sorted.
      type: dict
      sample: {"*.*": ["REPLICATION SLAVE"]}
"""

from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.finding import CollectionError
from ..module_utils.mysql import account
from ..module_utils.mysql.connection import Connection, MysqlError
from ..module_utils.plan import apply, diff
from ..module_utils.runtime import run

ACCESS_DENIED = 1045
LONGEST_NAME = 32


def argument_spec() -> dict[str, Any]:
    return {
        **roads.mysql_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        "name": {"type": "str", "required": True},
        "host": {"type": "str", "default": "%"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "password": {"type": "str", "no_log": True},
        "update_password": {
            "type": "str",
            "choices": ["on_create", "always"],
            "default": "on_create",
            "no_log": False,
        },
        "old_password": {"type": "str", "choices": ["retain", "discard"], "no_log": False},
        "plugin": {
            "type": "str",
            "choices": ["caching_sha2_password", "sha256_password", "mysql_native_password"],
        },
        "require_tls": {"type": "bool"},
        "privileges": {"type": "dict"},
        "verify": {"type": "bool", "default": False},
        "sql_log_bin": {"type": "bool", "default": True},
    }


def wanted_of(params: dict[str, Any]) -> account.Wanted:
    name = params["name"]
    if not 0 < len(name) <= LONGEST_NAME:
        raise CollectionError(f"name: {name!r} has {len(name)} characters; 1 to 32 are allowed")
    given = params["privileges"]
    return account.Wanted(
        name=name,
        host=params["host"],
        present=params["state"] == "present",
        password=params["password"],
        update_password=params["update_password"],
        old_password=params["old_password"],
        plugin=params["plugin"],
        tls=params["require_tls"],
        privileges=None if given is None else account.parse_privileges(given),
    )


def log_in(module: AnsibleModule, wanted: account.Wanted) -> bool:
    """Return whether the password logs in as this very account over the module's own road."""
    login = {"login_user": wanted.name, "login_password": wanted.password}
    try:
        with roads.connect({**module.params, **login}) as connection:
            return bool(connection.value("SELECT CURRENT_USER()") == f"{wanted.name}@{wanted.host}")
    except MysqlError as error:
        if error.errno == ACCESS_DENIED:
            return False
        raise


def seen(module: AnsibleModule, connection: Connection, wanted: account.Wanted) -> account.Account:
    state = account.observe(connection, wanted.name, wanted.host)
    always = wanted.update_password == "always" and wanted.password is not None
    if not (state.exists and always and wanted.present):
        return state
    return replace(state, password_matches=log_in(module, wanted))


def verify(module: AnsibleModule, wanted: account.Wanted, changed: bool) -> None:
    if not module.params["verify"] or not wanted.present or wanted.password is None:
        return
    if not log_in(module, wanted):
        raise CollectionError(
            f"{wanted.shown} is there, and its password does not log in from here: another account"
            " matches first, the host part excludes this road, or the password is an older one"
            " (update_password: always sets it)",
            details={"changed": changed},
        )


def work(module: AnsibleModule) -> dict[str, Any]:
    wanted = wanted_of(module.params)
    with roads.connect(module.params) as connection:
        before = seen(module, connection, wanted)
        if wanted.present and not before.exists and wanted.password is None:
            raise CollectionError(f"password: needed, because {wanted.shown} does not exist yet")
        plan = account.plan(before, wanted, connection, account.every_privilege(connection))
        after = plan.after()
        if not module.check_mode:
            if not module.params["sql_log_bin"]:
                connection.execute("SET SESSION sql_log_bin = 0")
            apply(plan)
            verify(module, wanted, plan.changed)
            after = seen(module, connection, wanted)
    return {
        "changed": plan.changed,
        "plan": plan.as_list(),
        "account": {
            "name": wanted.name,
            "host": wanted.host,
            "exists": after.exists,
            "plugin": after.plugin,
            "require_tls": after.tls,
            "old_password_retained": after.retained,
            "privileges": account.listed(after.privileges),
        },
        "diff": diff(account.shown(before, wanted), account.shown(after, wanted)),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(), supports_check_mode=True, **roads.mysql_rules()
    )
    run(module, work)


if __name__ == "__main__":
    main()
