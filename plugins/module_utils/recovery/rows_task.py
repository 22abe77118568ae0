# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module mysql_recovery_rows does: shows how tables differ, and brings rows over when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..causes.binlog import BinlogError, told
from ..finding import CollectionError, Finding, errors
from ..mysql.connection import Connection, MysqlError
from ..plan import apply, diff
from .executor import Executor
from .rows_diff import KINDS, Name
from .rows_plan import Hands, plan
from .rows_state import CHANGE_OF, Open, Say, State, Wanted, explain, observe
from .scratch import VERIFIED, Scratch

ACTIONS = ("diff", "apply")
INTO = ("over", "beside")
CHANGES = ("insert", "update", "delete")
FAILED = {
    "diff": "The tables could not be compared",
    "apply": "The rows were not brought over",
}
MOST_IN_A_TRANSACTION = 1_000_000


@dataclass(frozen=True)
class Task:
    """The options, read once. running: opens a session of the server that rows are brought into."""

    params: Mapping[str, Any]
    running: Open
    say: Say
    check_mode: bool

    @property
    def scratch(self) -> Scratch:
        """The folder of the recovery. Only its server is asked; nothing is run."""
        folder = Path(str(self.params["scratch_folder"]))
        return Scratch(folder, Executor(folder, str(folder), (), ""))

    def wanted(self) -> Wanted:
        """Return what is asked for. Raises CollectionError naming the option."""
        beside = self.params["into"] == "beside"
        return Wanted(
            databases=tuple(self.params.get("databases") or ()),
            tables=tuple(_name(text) for text in self.params.get("tables") or ()),
            suffix=_suffix(self.params["suffix"]) if beside else "",
            changes=frozenset({"insert"} if beside else self.params["changes"]),
            keys_shown=_number(self.params, "keys_shown", 0, 1000),
            rows_a_transaction=_number(self.params, "rows_a_transaction", 1, MOST_IN_A_TRANSACTION),
        )


def _name(text: str) -> Name:
    schema, _dot, table = text.partition(".")
    if not schema or not table:
        raise CollectionError(f"tables: {text!r} is given; allowed is schema.table")
    return Name(schema, table)


def _suffix(text: str) -> str:
    if not text:
        raise CollectionError("suffix: it is empty; with into=beside the other schema needs one")
    return text


def _number(params: Mapping[str, Any], name: str, least: int, most: int) -> int:
    found = int(params[name])
    if not least <= found <= most:
        raise CollectionError(f"{name}: {found} is given; allowed is {least} to {most}")
    return found


def perform(task: Task) -> dict[str, Any]:
    """Do what the options ask and return the module's result. Raises CollectionError."""
    action, language = str(task.params["action"]), str(task.params["language"])
    wanted = task.wanted()
    scratch = task.scratch
    with told(FAILED[action], language):
        record = scratch.record() if scratch.folder.is_dir() else None
        if record is None or not record.reached(VERIFIED):
            stage = record.stage if record else "not begun"
            raise BinlogError("recovery.unfinished", str(scratch.folder), [f"stage: {stage}"])
        with scratch.held():
            return _compared(task, wanted, action, language)


def _recovered(scratch: Scratch) -> Connection:
    try:
        return scratch.server().connect()
    except MysqlError as error:
        proof = [error.message]
        raise BinlogError("recovery.rows_scratch_down", str(scratch.folder), proof) from error


def _compared(task: Task, wanted: Wanted, action: str, language: str) -> dict[str, Any]:
    scratch = task.scratch
    hands = Hands(lambda: _recovered(scratch), task.running, wanted, task.say)
    state = observe(hands.recovered, hands.running, wanted, task.say)
    findings = explain(state, wanted, language)
    if action == "diff":
        return {"changed": False, **_shown(state), "findings": _dicts(findings)}
    if errors(findings):
        raise CollectionError(FAILED[action], findings, _shown(state))
    planned = plan(state, wanted, hands)
    after = planned.after()
    result = {
        "changed": planned.changed,
        "plan": planned.as_list(),
        "diff": diff(_texts(state), _texts(after)),
    }
    if task.check_mode:
        return {**result, **_shown(after)}
    apply(planned, task.say)
    if planned.changed:
        after = observe(hands.recovered, hands.running, wanted, task.say)
        _prove(after, wanted)
    return {**result, **_shown(after)}


def _prove(state: State, wanted: Wanted) -> None:
    """Raise BinlogError where rows that were to be brought over are not there now.

    Every row was compared again by its SHA-256; a table that is the same by its checksum needs none.
    """
    proof = []
    for table in state.tables:
        left = {kind: state.wanted_count(table, wanted, kind) for kind in KINDS}
        whole = wanted.suffix or wanted.changes == set(CHANGE_OF.values())
        if any(left.values()) or (whole and not table.equal and table.columns_alike):
            words = ", ".join(f"{left[kind]} {kind}" for kind in KINDS)
            sums = f"checksum {table.running_checksum}, recovered {table.checksum}"
            proof.append(f"{table.into}: {words}; {sums}")
    if proof:
        raise BinlogError("recovery.rows_moved", ", ".join(_intos(state)), proof[:5])


def _intos(state: State) -> list[str]:
    return [str(table.into) for table in state.tables]


def _shown(state: State) -> dict[str, Any]:
    return {"tables": [table.as_dict() for table in state.tables]}


def _texts(state: State) -> dict[str, str]:
    return {str(table.into): table.text for table in state.tables}


def _dicts(findings: list[Finding]) -> list[dict[str, Any]]:
    return [found.as_dict() for found in findings]
