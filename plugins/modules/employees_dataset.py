#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: employees_dataset
short_description: Write a data set of the public employees schema, the same bytes each time
version_added: 0.1.0
description:
  - Writes C(employees.sql) and the C(load_*.dump) files that it sources, in the layout of the public employees
    data set, with generated people.
  - At O(scale=1) each table has as many rows as the public one, 3.9 million in all, 170 MB.
  - The same O(scale), O(seed) and O(database) give the same bytes on every machine.
  - The files are written beside O(path) first and put there whole. A second run writes nothing.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Says whether it would write; nothing is written.
    support: full
  diff_mode:
    description: Shows which data set the folder holds.
    support: full
options:
  path:
    description: Folder of the data set. It must be absent, empty, or hold a generated data set, which is replaced.
    type: path
    required: true
  scale:
    description: Share of the public row counts, from 0.001 to 1. Departments and their managers are always all there.
    type: float
    default: 1
  seed:
    description: Which people; any number.
    type: int
    default: 1
  database:
    description: The database that C(employees.sql) makes and fills.
    type: str
    default: employees
  progress_file:
    description:
      - File that lines of progress are appended to while the module works.
      - The action plugin of the same name sets it and shows the lines.
    type: path
seealso:
  - module: mysql_on.kubernetes.mysql_load
"""

EXAMPLES = r"""
- name: Have employees to load, a tenth of the public size
  mysql_on.kubernetes.employees_dataset:
    path: ~/.cache/employees-0.1
    scale: 0.1
"""

RETURN = r"""
file:
  description: The file to load; it sources the others.
  returned: always
  type: str
rows:
  description: Rows of each table, by its name.
  returned: always
  type: dict
bytes:
  description: Bytes of all files.
  returned: when they are there
  type: int
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes.data import told_in
from ..module_utils.finding import CollectionError
from ..module_utils.mysql import dataset, dataset_files
from ..module_utils.progress import ProgressFile, ticking
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    wanted = dataset_files.Wanted(
        params["path"], params["scale"], params["seed"], params["database"]
    )
    rows = dataset.counts(wanted.scale)
    if not wanted.database:
        raise CollectionError("database: '' was given; it must be the name of a database")
    with told_in(params["language"]):
        held = dataset_files.present(wanted)
        changed = held is None
        if changed:
            dataset_files.refuse(wanted)
        if changed and not module.check_mode:
            written = dataset_files.Written(sum(rows.values()))
            with ticking(written.line, ProgressFile(params["progress_file"]).line):
                held = dataset_files.write(wanted, written)
    after = {"scale": wanted.scale, "seed": wanted.seed, "database": wanted.database}
    return {
        "changed": changed,
        "file": os.path.join(wanted.path, "employees.sql"),
        "rows": rows,
        "diff": {"before": {} if changed else after, "after": after},
        **({"bytes": sum(held["files"].values())} if held else {}),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.findings_argument_spec(),
            "path": {"type": "path", "required": True},
            "scale": {"type": "float", "default": 1},
            "seed": {"type": "int", "default": 1},
            "database": {"type": "str", "default": "employees"},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
