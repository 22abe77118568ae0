# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: check_input
short_description: Refuse variables that cannot be used, by name, before anything is touched
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - Compares variables with what C(meta/argument_specs.yml) and C(meta/limits.yml) of a role, or
    C(playbooks/vars/arguments.yml), declare - types, choices, ranges, forms, keys.
  - All problems are told in one failure, each with the variable's name, what was given and what is allowed.
  - Runs on the controller alone and asks no cluster.
options:
  role:
    description: Role of this collection whose variables are looked at.
    type: str
    default: ""
  cluster:
    description:
      - Whether the C(cluster_*) variables of the playbooks are looked at, and what is set of any role's own.
      - A name that begins as the collection's own do, is unknown and nearly a known one is a problem too.
    type: bool
    default: false
extends_documentation_fragment:
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: Refuse what cannot be used
  mysql_on.kubernetes.check_input:
    cluster: true
"""

RETURN = r"""
looked_at:
  description: How many variables were looked at.
  returned: success
  type: int
problems:
  description: What is wrong, one line each.
  returned: failure
  type: list
  elements: str
  sample: ["cluster_replica: there is no such variable; cluster_replicas is meant?"]
"""
