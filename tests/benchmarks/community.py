# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""This collection beside community.mysql: the same replicas configured by a playbook of each, in one run.

    python -m tests.benchmarks.community --rounds 3

Bare servers on loopback. Each round and count: one playbook on servers without replication, the same one
again, the servers emptied, the other playbook likewise; who comes first changes from round to round. Writes
its section of docs/benchmarks.md. community.mysql is the one that the `ansible` bundle carries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import page
from tests.faults.pair import reset
from tests.integration import servers
from tests.integration.runner import CHECKOUT, succeed

VERSION = "9.7"
HEADING = "Beside community.mysql"
PLAYBOOKS = Path(__file__).parent / "comparison"
OURS, THEIRS = "ours", "community"
FIRST, SECOND = "first configuration", "second run"
RECAP = re.compile(r": ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)")

Figures = dict[tuple[int, str, str], list[float]]


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def inventory(source: servers.Server, replicas: list[servers.Server]) -> str:
    """The servers, as hosts for one playbook and as a list for the other."""
    hosts = {
        f"replica-{each.server_id}": {"login_host": each.host, "login_port": each.port}
        for each in replicas
    }
    members = [{"name": name, **road} for name, road in hosts.items()]
    known = {
        "source_host": source.host,
        "source_port": source.port,
        "root_password": source.password,
        "replication_password": "a secret of the benchmark",
        "members": members,
        "ansible_python_interpreter": sys.executable,
    }
    local = {"localhost": {"ansible_connection": "local"}}
    return json.dumps(
        {"all": {"hosts": local, "vars": known, "children": {"replicas": {"hosts": hosts}}}}
    )


def play(tool: str, hosts: Path, forks: int) -> tuple[float, int]:
    """Play a tool's playbook; return wall seconds and how much it changed."""
    command = [program("ansible-playbook"), "--inventory", str(hosts), f"--forks={forks}"]
    begun = time.monotonic()
    done = subprocess.run(
        [*command, str(PLAYBOOKS / f"{tool}.yml")],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begun
    recaps = [[int(count) for count in found] for found in RECAP.findall(done.stdout)]
    if done.returncode or not recaps or any(away or failed for _c, away, failed in recaps):
        raise SystemExit(f"{tool} failed:\n{done.stdout[-6000:]}{done.stderr[-2000:]}")
    return seconds, sum(changed for changed, _away, _failed in recaps)


def prove(replicas: list[servers.Server]) -> None:
    """See that both playbooks come to the same end."""
    for each in replicas:
        seen = succeed("mysql_replication_info", each.login)
        (channel,) = seen["channels"]
        closed = seen["instance"]["super_read_only"] and seen["instance"]["read_only_persisted"]
        if not channel["following"] or not channel["source_ssl"] or not closed:
            raise SystemExit(f"replica {each.server_id} does not follow, or takes writes")


def measure(
    source: servers.Server, replicas: list[servers.Server], tools: list[str], figures: Figures
) -> None:
    count = len(replicas)
    with tempfile.TemporaryDirectory() as folder:
        hosts = Path(folder) / "hosts.json"
        hosts.write_text(inventory(source, replicas))
        hosts.chmod(0o600)
        for tool in tools:
            for which in (FIRST, SECOND):
                seconds, changed = play(tool, hosts, max(5, count))
                if bool(changed) != (which == FIRST):
                    raise SystemExit(f"{tool}, {which}: changed={changed}")
                figures[count, which, tool].append(seconds)
                print(f"{tool}, {count} replicas, {which}: {seconds:.2f} s", flush=True)
            prove(replicas)
            for each in (*replicas, source):
                reset(each)


def bundled() -> str:
    """The versions of community.mysql and of the bundle that it came with."""
    command = [program("ansible-galaxy"), "collection", "list", "community.mysql", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [
        each["community.mysql"]["version"] for each in json.loads(done.stdout).values() if each
    ]
    shown = subprocess.run(
        [program("ansible-community"), "--version"], capture_output=True, text=True, check=True
    )
    return f"community.mysql {found[0]} of the bundle ansible {shown.stdout.split()[-1]}"


def body(figures: Figures, load: float, rounds: int) -> str:
    lines = [
        page.measured("python -m tests.benchmarks.community", load),
        f"MySQL {VERSION} servers on that machine; {bundled()}; medians of {rounds} rounds.",
        "",
        "Wall time of a whole `ansible-playbook`: make the account, point the replicas at the source by GTID,"
        " make them read-only for good, wait until they follow. `tests/benchmarks/comparison/ours.yml` does it"
        " in two tasks, and looks for errant transactions, shared server-ids and data of their own beside"
        " that; `community.yml` needs one host a replica and seven tasks, and asks before it changes.",
        "",
        "| | this collection, s | community.mysql, s | ratio |",
        "|---|---|---|---|",
    ]
    for count, which in sorted({(count, which) for count, which, _tool in figures}):
        ours, theirs = (statistics.median(figures[count, which, tool]) for tool in (OURS, THEIRS))
        lines.append(
            f"| {count} replicas, {which} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--counts", type=int, nargs="+", default=[2, 8])
    options = parser.parse_args()
    figures: Figures = defaultdict(list)
    with ExitStack() as stack:
        made: list[servers.Server] = []
        for server_id in range(1, max(options.counts) + 2):
            made.append(servers.make(VERSION, server_id))
            stack.callback(made[-1].remove)
        load = os.getloadavg()[0]
        for number in range(options.rounds):
            tools = [OURS, THEIRS] if number % 2 else [THEIRS, OURS]
            for count in options.counts:
                measure(made[0], made[1 : count + 1], tools, figures)
    page.write(HEADING, body(figures, load, options.rounds))
    print(page.PAGE.read_text())


if __name__ == "__main__":
    main()
