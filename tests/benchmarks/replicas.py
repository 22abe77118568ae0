# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long one task takes for few and for many replicas: first configuration, and a second run.

    python -m tests.benchmarks.replicas --version 9.7 --few 2 --many 32

Bare servers on loopback, all on this machine: the servers' own work is in the figures too. Writes its
section of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from contextlib import ExitStack
from typing import Any

from tests.benchmarks import page
from tests.integration import servers
from tests.integration.runner import succeed

SECRET = "a secret of the benchmark"
HEADING = "One task, many replicas"
AIM = 3.0
RUNS = {"first": "first configuration", "second": "second run", "detached": "detached again"}


def timed(arguments: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    began = time.monotonic()
    result = succeed("mysql_replication", arguments)
    return round(time.monotonic() - began, 2), result


def measure(source: servers.Server, replicas: list[servers.Server]) -> dict[str, float]:
    """Configure the replicas in one task, run it again, and detach them."""
    members = [each.instance(f"replica-{each.server_id}") for each in replicas]
    arguments = {
        "replicas": members,
        "source_host": source.host,
        "source_port": source.port,
        "source_user": "replicator",
        "source_password": SECRET,
        "source_instance": source.instance("source"),
    }
    first, done = timed(arguments)
    second, again = timed(arguments)
    if not done["changed"] or again["changed"]:
        raise RuntimeError("the first run changes, the second does not")
    detached, _result = timed({"replicas": members, "state": "detached"})
    return {"first": first, "second": second, "detached": detached}


def body(rounds: dict[int, list[dict[str, float]]], version: str, load: float) -> str:
    few, many = sorted(rounds)
    lines = [
        page.measured(f"python -m tests.benchmarks.replicas --few {few} --many {many}", load),
        f"MySQL {version} servers on that machine, all {many + 1} of them running all the time; medians of"
        f" {len(rounds[few])} rounds; one `mysql_replication` with `replicas`, as a process of its own.",
        "",
        f"| | {few} replicas, s | {many} replicas, s | ratio (aim: under {AIM:g}) |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *page.ratios(rounds, RUNS, 2)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default="9.7", choices=servers.VERSIONS)
    parser.add_argument("--few", type=int, default=2)
    parser.add_argument("--many", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds: dict[int, list[dict[str, float]]] = defaultdict(list)
    with ExitStack() as stack:
        made: list[servers.Server] = []
        for server_id in range(1, options.many + 2):
            made.append(servers.make(options.version, server_id))
            stack.callback(made[-1].remove)
        source, replicas = made[0], made[1:]
        source.sql(
            f"CREATE USER replicator@'%' IDENTIFIED BY '{SECRET}'",
            "GRANT REPLICATION SLAVE ON *.* TO replicator@'%'",
        )
        load = os.getloadavg()[0]
        for _round in range(options.rounds):
            for count in (options.few, options.many):
                rounds[count].append(measure(source, replicas[:count]))
                print(json.dumps({"replicas": count, **rounds[count][-1]}), flush=True)
    page.write(HEADING, body(rounds, options.version, load))


if __name__ == "__main__":
    main()
