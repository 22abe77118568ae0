# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a program on the controller and shows what it says while it works."""

from __future__ import annotations

import shlex
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleActionSkip
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.progress import Progress
from ..plugin_utils.streamed import interpret, run

ARGUMENTS: dict[str, dict[str, Any]] = {
    "argv": {"type": "list", "elements": "str", "required": True},
    "check_argv": {"type": "list", "elements": "str"},
    "chdir": {"type": "path"},
    "environment": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """The action; its documentation is the module of the same name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the program's JSON object as the task's result."""
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        progress = Progress(self._show(), title=self._task.get_name(include_role_fqcn=False))
        command = shlex.join(options["argv"])
        try:
            ended = run(
                self._argv(options),
                progress,
                chdir=options["chdir"],
                environment={name: str(value) for name, value in options["environment"].items()},
            )
        except OSError as error:
            raise AnsibleActionFail(f"{command} could not be started: {error}") from error
        return {**result, **interpret(ended, progress.tail)}

    def _argv(self, options: dict[str, Any]) -> list[str]:
        """Return what to run: in check mode check_argv, or nothing at all."""
        argv = options["check_argv"] if self._task.check_mode else options["argv"]
        if argv is None:
            command = shlex.join(options["argv"])
            raise AnsibleActionSkip(
                f"check mode: what this changes is not known, not run: {command}"
            )
        if not argv:
            raise AnsibleActionFail("argv is empty: it must name a program and its arguments")
        return list(argv)

    def _show(self) -> Any:
        """Return what prints a line; with no_log nothing does."""
        return (lambda line: None) if self._task.no_log else Display().display
