# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How often the doctor cries wolf: it looks at a healthy cluster again and again, idle and loading.

    MYSQL_ON_KUBERNETES_INJECTED=/tmp/injected pytest tests/faults
    python -m tests.benchmarks.doctor --namespace mysql --looks 200 --injected /tmp/injected

The cluster is that of MYSQL_ON_KUBERNETES_KUBECONFIG, else the lab's. The second half of the looks is
taken while rows are written to the primary as fast as it takes them. Writes its section of
docs/benchmarks.md: looks, alarms (findings above information), seconds a look; and how many causes were
named of those that tests/faults injected, which fixes.the() notes for each.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils import doctor, roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.doctor import Wanted
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.metallb import (
    Wanted as WantedAddress,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, metallb

from tests.benchmarks import page
from tests.integration import cluster

HEADING = "What the doctor names, and what it names without a cause"


@dataclass
class Tally:
    """What a series of looks gave."""

    looks: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        told = ", ".join(f"{code} ({count})" for code, count in self.alarms.items()) or "none"
        median = statistics.median(self.seconds)
        return f"| {name} | {self.looks} | {sum(self.alarms.values())} | {told} | {median:.2f} |"


def options(namespace: str) -> dict[str, Any]:
    """The module's options for this cluster, with root's password from its Secret."""
    secret = client.connect(cluster.kubeconfig()).get("Secret", "mysql-auth", namespace)
    if secret is None:
        raise SystemExit(f"--namespace {namespace}: there is no MySQL cluster; make site")
    password = base64.b64decode(secret["data"]["root-password"]).decode()
    return {"kubeconfig": cluster.kubeconfig(), "login_password": password}


def request(namespace: str, ip: str, given: dict[str, Any]) -> doctor.Request:
    address = WantedAddress(metallb.address(ip), require="held")
    return doctor.Request(Wanted(address=address), namespace, (), given, lambda _args: (0, "", ""))


def look(asked: doctor.Request, times: int) -> Tally:
    tally = Tally()
    for _number in range(times):
        began = time.monotonic()
        examined = doctor.examine(asked)
        tally.seconds.append(time.monotonic() - began)
        tally.looks += 1
        grave = [one for one in examined.diagnosis.findings if one.severity != "info"]
        tally.alarms.update(one.code for one in grave)
    return tally


def write(namespace: str, given: dict[str, Any], ended: threading.Event) -> None:
    """Write to the primary until the event; leave nothing behind."""
    road = {**given, "pod": {"namespace": namespace, "service": "mysql-write"}}
    with roads.connect(road) as connection:
        connection.execute("CREATE DATABASE IF NOT EXISTS doctor_benchmark")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS doctor_benchmark.t"
            " (id BIGINT AUTO_INCREMENT PRIMARY KEY, c TEXT)"
        )
        rows = ", ".join(["(REPEAT('x', 200))"] * 500)
        while not ended.is_set():
            for _statement in range(400):
                connection.execute(f"INSERT INTO doctor_benchmark.t (c) VALUES {rows}")
                if ended.is_set():
                    break
            connection.execute("TRUNCATE TABLE doctor_benchmark.t")
        connection.execute("DROP DATABASE doctor_benchmark")


def injected(notes: Path) -> list[str]:
    """Return lines about the causes that tests/faults injected, by what each test noted."""
    named: dict[str, set[bool]] = {}
    tests = set()
    for line in notes.read_text().splitlines():
        note = json.loads(line)
        named.setdefault(note["code"], set()).add(note["named"])
        tests.add(note["test"])
    missed = sorted(code for code, seen in named.items() if seen != {True})
    told = f"; not named: {', '.join(f'`{code}`' for code in missed)}" if missed else ""
    return [
        f"`tests/faults` injected {len(named)} different causes for real, in {len(tests)} tests, and"
        f" {len(named) - len(missed)} of them were named by their own code, with proof and next"
        f" step{told}.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the doctor's false alarms.")
    parser.add_argument("--namespace", default="mysql")
    parser.add_argument("--ip", default="192.168.0.251")
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--injected", type=Path, help="what a run of tests/faults noted")
    arguments = parser.parse_args()
    given = options(arguments.namespace)
    asked = request(arguments.namespace, arguments.ip, given)
    load = os.getloadavg()[0]
    idle = look(asked, arguments.looks // 2)
    ended = threading.Event()
    writer = threading.Thread(target=write, args=(arguments.namespace, given, ended))
    writer.start()
    try:
        loading = look(asked, arguments.looks - arguments.looks // 2)
    finally:
        ended.set()
        writer.join()
    lines = [
        page.measured("python -m tests.benchmarks.doctor", load),
        "",
        *(injected(arguments.injected) if arguments.injected else []),
        "Each look is one of `mysql_doctor`: what may heal by itself is looked at again for up to 10 s, and told"
        " if it stays. An alarm is a finding above information.",
        "",
        "| a healthy cluster | looks | alarms | which | seconds a look |",
        "|---|---|---|---|---|",
        idle.row("idle"),
        loading.row("loading as fast as the primary takes rows"),
    ]
    page.write(HEADING, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
