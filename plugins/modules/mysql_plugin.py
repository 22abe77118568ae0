#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_plugin
short_description: Load a plugin into a MySQL server for good
version_added: 0.1.0
description:
  - Loads a plugin where it is not active. It stays over restarts.
  - No binary log gets it, so each instance needs it for itself.
  - On a read-only replica C(super_read_only) is lifted for the one statement; C(read_only) is not.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.mysql
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Predicts the statement and the state after it; nothing is written.
    support: full
  diff_mode:
    description: Shows the status of the plugin before and after.
    support: full
options:
  name:
    description: Name of the plugin.
    type: str
    required: true
  library:
    description: Its file in the server's plugin folder.
    type: str
    required: true
  where_supported:
    description:
      - Whether a server whose version does not have the plugin is left alone instead of being an error.
      - It is known of V(clone), which came with 8.0.17.
    type: bool
    default: false
seealso:
  - module: mysql_on.kubernetes.mysql_backup_info
"""

EXAMPLES = r"""
- name: Let the replica be cloned
  mysql_on.kubernetes.mysql_plugin:
    pod:
      namespace: mysql
      deployment: mysql-11
    login_password: "{{ root_password }}"
    name: clone
    library: mysql_clone.so
"""

RETURN = r"""
status:
  description: What the server says of the plugin after the module; empty where its version does not have it.
  returned: success
  type: str
  sample: ACTIVE
supported:
  description: Whether the server's version has the plugin, as far as that is known.
  returned: success
  type: bool
  sample: true
plan:
  description: The statements, in order; those that would be executed in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    statement:
      description: SQL as it is sent.
      type: str
    reason:
      description: Why.
      type: str
findings:
  description: The causes behind a failure, worst first.
  returned: failure
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.finding import CollectionError
from ..module_utils.mysql import plugin
from ..module_utils.plan import apply
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    """Load the plugin where it is missing."""
    name, library = module.params["name"], module.params["library"]
    with roads.connect(module.params) as connection:
        if not plugin.supported(name, connection.server.version):
            if not module.params["where_supported"]:
                raise CollectionError(
                    f"name: {connection.address} (MySQL {connection.server.version_string}) has no plugin {name}"
                )
            return {"changed": False, "status": "", "supported": False, "plan": []}
        before = plugin.observe(connection, name)
        planned = plugin.plan(connection, before, library)
        if module.check_mode:
            after = planned.after()
        else:
            apply(planned)
            after = plugin.observe(connection, name)
    return {
        "changed": planned.changed,
        "status": after.status,
        "supported": True,
        "plan": planned.as_list(),
        "diff": {"before": f"{before.status}\n", "after": f"{after.status}\n"},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **roads.mysql_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            "name": {"type": "str", "required": True},
            "library": {"type": "str", "required": True},
            "where_supported": {"type": "bool", "default": False},
        },
        **roads.mysql_rules(),
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
