# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks for what confirm_target compares; its documentation is the module of the same name."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

WORDS = {
    "en": ("context {context}, API server {server}, namespace {namespace}", "Type {word} to go on"),
    "ko": (
        "컨텍스트 {context}, API 서버 {server}, 네임스페이스 {namespace}",
        "계속하려면 {word}을(를) 입력하세요",
    ),
}


class ActionModule(ActionBase):
    """Shows what the module reads, asks by ansible.builtin.pause, and lets the module compare."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result, after the answer."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        found = self._execute_module(module_args=arguments, task_vars=task_vars)
        if found.get("failed"):
            return {**result, **found}
        target, question = WORDS.get(str(arguments.get("language", "en")), WORDS["en"])
        facts = {
            "context": found["context"] or "-",
            "server": found["server"],
            "namespace": arguments["namespace"],
            "word": found["word"],
        }
        Display().display(f"  {target.format(**facts)}")
        if found["confirmed"] or self._task.check_mode:
            return {**result, **found}
        answer = self._asked(question.format(**facts), task_vars)
        again = {**arguments, "given": answer, "asked": True}
        return {**result, **self._execute_module(module_args=again, task_vars=task_vars)}

    def _asked(self, question: str, task_vars: dict[str, Any] | None) -> str:
        task = self._task.copy()
        task.args = {"prompt": question}
        pause = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.pause",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return str(pause.run(task_vars=task_vars).get("user_input") or "")
