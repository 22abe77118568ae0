# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks at variables before anything else happens; its documentation is the module of the same name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..plugin_utils import inputs

SUFFIXES = (".yml", ".yaml", ".j2")
ROOT = Path(__file__).resolve().parents[2]


class ActionModule(ActionBase):
    """Reads what is declared, compares it with what is set."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the number of variables that were looked at, or every problem at once."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(
            {"role": {"type": "str", "default": ""}, "cluster": {"type": "bool", "default": False}},
            required_one_of=[["role", "cluster"]],
            mutually_exclusive=[["role", "cluster"]],
        )
        variables = task_vars or {}
        wanted = [known_role(ROOT / "roles" / given["role"])] if given["role"] else everything()
        found = inputs.unknown(wanted, variables) if given["cluster"] else []
        looked_at = 0
        for known in wanted:
            values = dict(self._values(known, variables))
            looked_at += len(values)
            # What the playbook gives to a role is not there yet when all are looked at.
            found.extend(inputs.problems(known, values, complete=bool(given["role"])))
        if found:
            lines = "\n".join(f"  {line}" for line in found)
            message = f"{len(found)} variable(s) cannot be used; nothing was touched:\n{lines}"
            return {**result, "failed": True, "msg": message, "problems": found}
        return {**result, "changed": False, "looked_at": looked_at}

    def _values(
        self, known: inputs.Known, variables: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        for name in known.options:
            if name not in variables:
                continue
            try:
                yield name, self._templar.template(variables[name])
            except AnsibleError:
                # It leans on something that a later task reads; that task will say so.
                continue


def everything() -> list[inputs.Known]:
    """Return what the roles and the playbooks declare."""
    return [*known_roles(), *known_playbooks()]


def known_roles() -> list[inputs.Known]:
    """Return what every role of the collection declares."""
    return [
        known_role(path.parents[1]) for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
    ]


def known_role(role: Path) -> inputs.Known:
    """Return what one role declares."""
    specs = _read(role / "meta" / "argument_specs.yml")["argument_specs"]
    options: dict[str, Any] = {}
    for entry in specs.values():
        options.update(entry.get("options") or {})
    prefix = f"{role.name}_"
    limits = _read(role / "meta" / "limits.yml")
    return inputs.Known(prefix, options, limits, _used(role, prefix))


def known_playbooks() -> list[inputs.Known]:
    """Return what the playbooks declare: what they share (cluster_) and what each takes for itself."""
    playbooks = ROOT / "playbooks"
    declared = _read(playbooks / "vars" / "arguments.yml")
    prefixes = sorted({name.partition("_")[0] + "_" for name in declared["options"]})
    others = frozenset(declared["others"])
    return [
        inputs.Known(
            prefix,
            _beginning(declared["options"], prefix),
            _beginning(declared["limits"], prefix),
            _used(playbooks, prefix) | others,
        )
        for prefix in prefixes
    ]


def _beginning(declared: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if name.startswith(prefix)}


def _used(folder: Path, prefix: str) -> frozenset[str]:
    """Return the names that a role or the playbooks use themselves: set, registered or read."""
    word = re.compile(rf"\b{prefix}\w+")
    files = [path for path in folder.rglob("*") if path.suffix in SUFFIXES]
    return frozenset(
        name for path in files for name in word.findall(path.read_text(encoding="utf-8"))
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
