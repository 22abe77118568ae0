# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells mysql_recovery_drill who plays it; its documentation is the module of the same name."""

from __future__ import annotations

import os
import socket
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """The action runs in a worker, whose parent is the ansible-playbook that would have to be alive."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = {"by": f"{socket.gethostname()}:{os.getppid()}", **self._task.args}
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
