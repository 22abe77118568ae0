# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An action that runs its module and shows the lines that the module writes while it works."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from .progress import Progress

POLL = 0.25
"""Seconds between looks at the file."""


class Follower:
    """Shows the lines of a growing file, and heartbeats, until it is told to stop."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path = path
        self._progress = progress
        self._offset = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Follower:
        """Begin to follow."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop, after the last whole line is shown."""
        self._stop.set()
        self._thread.join()
        self._take()

    def _follow(self) -> None:
        while not self._stop.wait(POLL):
            self._take()
            self._progress.beat()

    def _take(self) -> None:
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            whole, end, _rest = stream.read().rpartition(b"\n")
        self._offset += len(whole) + len(end)
        for line in whole.splitlines():
            self._progress.line(line.decode("utf-8", "replace"))


class FollowedAction(ActionBase):
    """Runs the module of the action's own name with a file for its progress."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result; lines are shown where it runs on the controller."""
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if self._task.no_log or self._connection.transport != "local":
            return {**result, **self._module(arguments, task_vars)}
        with tempfile.TemporaryDirectory(prefix="mysql_on_kubernetes.") as folder:
            path = Path(folder, "progress")
            path.touch()
            with Follower(
                path,
                Progress(Display().display, title=self._task.get_name(include_role_fqcn=False)),
            ):
                return {
                    **result,
                    **self._module({**arguments, "progress_file": str(path)}, task_vars),
                }

    def _module(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        found: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        return found
