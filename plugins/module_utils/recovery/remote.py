# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recovery that is done inside a Pod, where the archive lies: what is run there, and from here.

The Pod (roles/recovery) has two containers that see each other's processes and the same volumes: one
with Python and this code, and one with the server's programs. Those are run in the root of the second
one's process. Nothing but options, progress and the answer goes through the API server.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..finding import CollectionError, Finding, worst_first

PACKAGE = "mysql_on_kubernetes"
CODE = "/code"
# What the process of the server's container is called: nobody else waits for so many seconds.
SERVERS_PROCESS = ("sleep", "2147483000")
SENT = (
    "action",
    "archive",
    "key_file",
    "target",
    "base",
    "scratch",
    "expected",
    "count_rows",
    "hand_over",
)


@dataclass(frozen=True)
class Place:
    """The Pod, and its container with Python."""

    namespace: str
    name: str
    container: str


def command(params: Mapping[str, Any], check_mode: bool) -> list[str]:
    """Return the command that does what the options ask. No option that is sent is a secret."""
    sent = {key: params.get(key) for key in SENT}
    sent["language"] = params["language"]
    words = json.dumps({"params": sent, "check_mode": check_mode}, separators=(",", ":"))
    return ["env", f"PYTHONPATH={CODE}", "python3", "-B", "-m", f"{PACKAGE}.recovery.remote", words]


def answer(code: int, output: str, errors: str) -> dict[str, Any]:
    """Return the result that a Pod printed. Raises CollectionError where it failed."""
    try:
        document = json.loads(output)
    except ValueError as error:
        raise CollectionError(
            f"The Pod of the recovery ended with {code}: {(errors or output)[-800:]}"
        ) from error
    if "failed" not in document:
        return dict(document)
    findings = [
        Finding(**{**finding, "proof": tuple(finding["proof"])}) for finding in document["findings"]
    ]
    raise CollectionError(str(document["failed"]), findings, document["details"])


def servers_root(processes: Path = Path("/proc")) -> str:
    """Return the root of the container with the server's programs, as this one sees it."""
    for process in processes.iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        except OSError:
            # It ended meanwhile.
            continue
        if tuple(word.decode(errors="replace") for word in words) == SERVERS_PROCESS:
            return str(process / "root")
    raise CollectionError("The container of the server's programs is not there")


def perform_here(words: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Do what the command asks and return what is printed."""
    from . import task

    request = json.loads(words)
    params = request["params"]
    try:
        if params.get("scratch"):
            params["scratch"]["run_in"] = ["chroot", servers_root()]
        return task.perform(task.Task(params, None, say, bool(request["check_mode"])))
    except CollectionError as error:
        return {
            "failed": error.message,
            "findings": [finding.as_dict() for finding in worst_first(error.findings)],
            "details": error.details,
        }


def main() -> None:
    """Answer one request, given as the only argument."""

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    sys.stdout.write(json.dumps(perform_here(sys.argv[1], say)))


if __name__ == "__main__":
    main()
