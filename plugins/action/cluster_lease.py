# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells cluster_lease for which playbook it is; its documentation is the module of the same name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible import context

from ..plugin_utils.followed import FollowedAction


class ActionModule(FollowedAction):
    """The action runs in a worker, whose parent is the ansible-playbook that the Lease is for."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result."""
        if self._connection.transport != "local":
            # The process that it is bound to is one of this machine.
            return {
                "failed": True,
                "msg": "cluster_lease runs on the controller alone: delegate_to localhost",
            }
        playbooks = [Path(str(each)).name for each in context.CLIARGS.get("args") or ()]
        mine = {"playbook": ", ".join(playbooks), "process": os.getppid()}
        self._task.args = {**mine, **self._task.args}
        return super().run(tmp, task_vars)
