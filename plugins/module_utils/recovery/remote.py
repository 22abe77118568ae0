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
from ..mysql.connection import Connection, connect_tcp

PACKAGE = "mysql_on_kubernetes"
# What the process of the server's container is called: nobody else waits for so many seconds.
SERVERS_PROCESS = ("sleep", "2147483000")
SENT = (
    *("action", "archive", "key_file", "target", "skip", "base", "scratch", "expected"),
    "count_rows",
    "hand_over",
    "executed",
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
    return [*LISTENING, words]


LISTENING = ("python3", "-m", f"{PACKAGE}.recovery.remote")
"""The command that reads its request instead: it may hold a secret."""

ROWS_SENT = (
    *("action", "scratch_folder", "databases", "tables", "into", "suffix", "changes"),
    *("keys_shown", "rows_a_transaction", "language"),
    *("login_user", "login_password", "login_port", "connect_timeout"),
)


def rows_request(params: Mapping[str, Any], check_mode: bool) -> str:
    """Return the request that brings rows over. Raises CollectionError where no road leads there."""
    sent = {key: params.get(key) for key in ROWS_SENT}
    sent["login_host"] = params.get("login_host") or _service(params.get("pod"))
    if params.get("pod"):
        sent["login_port"] = params["pod"].get("port")
    request = {"rows": True, "params": sent, "check_mode": check_mode}
    return json.dumps(request, separators=(",", ":"))


def _service(pod: Mapping[str, Any] | None) -> str:
    """Return the name that a Pod of the cluster finds a Service by."""
    if not pod or not pod.get("service"):
        raise CollectionError("in_pod: login_host or pod.service is needed, as it is found there")
    return f"{pod['service']}.{pod['namespace']}.svc"


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
    request = json.loads(words)
    params = request["params"]
    try:
        if request.get("rows"):
            return _rows(params, say, bool(request["check_mode"]))
        from . import task

        if params.get("scratch"):
            params["scratch"]["run_in"] = ["chroot", servers_root()]
        return task.perform(task.Task(params, None, say, bool(request["check_mode"])))
    except CollectionError as error:
        return {
            "failed": error.message,
            "findings": [finding.as_dict() for finding in worst_first(error.findings)],
            "details": error.details,
        }


def _rows(params: dict[str, Any], say: Callable[[str], None], check_mode: bool) -> dict[str, Any]:
    from . import rows_task

    def running() -> Connection:
        return connect_tcp(
            params["login_host"],
            int(params["login_port"] or 3306),
            user=params["login_user"],
            password=params["login_password"],
            connect_timeout=float(params["connect_timeout"]),
        )

    return rows_task.perform(rows_task.Task(params, running, say, check_mode))


def main() -> None:
    """Answer one request: the only argument, else a line of standard input."""

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    request = sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline()
    sys.stdout.write(json.dumps(perform_here(request, say)))


if __name__ == "__main__":
    main()
