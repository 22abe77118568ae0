# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""site.yml beside the same objects made by a plain shell script, measured in one run.

    python -m tests.benchmarks.run --kubeconfig .lab/kubeconfig --client "python3 .../lab client --"

Each round: site.yml on a namespace that is not there, site.yml again, that namespace removed, plain.sh on
another, removed too. Both load the same generated files. The page docs/benchmarks.md is written from the
medians. Needs ansible-playbook and kubectl in PATH, and the images in the cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import page

CHECKOUT = Path(__file__).resolve().parents[2]
SITE, PLAIN = "benchmark-site", "benchmark-plain"
PHASES = ("infra", "db", "data", "app")
SAMPLE_SECONDS = 0.25
NAMESPACE_SECONDS = 300
# Aims of docs/benchmarks.md: first run, second run (seconds), first run against the shell script.
FIRST, SECOND, RATIO = 150.0, 40.0, 1.5
RECAP = re.compile(r"localhost\s+: ok=(\d+)\s+changed=(\d+).*?failed=(\d+)")
PHASE = re.compile(rf"\b({'|'.join(PHASES)}) (\d+) s")


@dataclass
class Run:
    """One command: wall seconds, peak memory of its processes and of the machine (bytes)."""

    seconds: float
    processes: int
    machine: int
    output: str


@dataclass
class Round:
    """What one round measured."""

    first: Run
    second: Run
    plain: Run
    # Of one minute, before the round began: figures of a busy machine say nothing.
    load: float


@dataclass
class Memory:
    """Watches memory while a command runs. Peaks in bytes; the machine's is above where it began."""

    root: int
    processes: int = 0
    machine: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        begun = available()
        while not self.done.wait(SAMPLE_SECONDS):
            self.processes = max(self.processes, tree_memory(self.root))
            self.machine = max(self.machine, begun - available())


def available() -> int:
    """Memory that the machine has left, in bytes."""
    match = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return int(match[1]) * 1024 if match else 0


def tree_memory(root: int) -> int:
    """Resident memory of a process and all its descendants, in bytes."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        resident[pid] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return sum(size for pid, size in resident.items() if descends(pid, root, parents))


def descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid and pid != root:
        pid = parents.get(pid, 0)
    return pid == root


def measure(what: str, command: list[str], environment: dict[str, str]) -> Run:
    """Run a command and return what it took; a failure ends the benchmark with its output."""
    print(f"==> {what}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=CHECKOUT
        )
        memory = Memory(process.pid)
        watcher = threading.Thread(target=memory.watch)
        watcher.start()
        code = process.wait()
        seconds = time.monotonic() - begun
        memory.done.set()
        watcher.join()
        output.seek(0)
        text = output.read()
    if code:
        raise SystemExit(f"{what} ended with {code}:\n{text[-6000:]}")
    print(f"    {seconds:.1f} s", flush=True)
    return Run(seconds, memory.processes, memory.machine, text)


class Benchmark:
    """The commands of a round, on one cluster."""

    def __init__(self, options: argparse.Namespace, dump: Path) -> None:
        self.options = options
        self.dump = dump
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(options.kubeconfig),
            "ANSIBLE_NOCOLOR": "1",
        }

    def kubectl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["kubectl", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def refuse_leftovers(self) -> None:
        """Delete nothing that an earlier run left unless that is asked for."""
        there = self.kubectl("get", "namespaces", "--output", "name").split()
        for name in (SITE, PLAIN):
            if f"namespace/{name}" not in there:
                continue
            if not self.options.replace:
                raise SystemExit(
                    f"The namespace {name} is there; --replace deletes it with its data"
                )
            self.remove(name)

    def remove(self, namespace: str) -> None:
        self.kubectl("delete", "namespace", namespace, f"--timeout={NAMESPACE_SECONDS}s")

    def site(self, what: str) -> Run:
        variables = {
            "cluster_namespace": SITE,
            "cluster_app_host": f"{SITE}.example",
            "cluster_app_ip": self.options.ip,
            "cluster_data_file": str(self.dump),
            "cluster_lan_client_command": shlex.split(self.options.client),
            "cluster_kubeconfig": str(self.options.kubeconfig),
            "cluster_python_index_url": self.options.index,
        }
        command = ["ansible-playbook", "--inventory", "inventories/example", "playbooks/site.yml"]
        command += ["--extra-vars", json.dumps(variables)]
        return measure(what, command, self.environment)

    def plain(self) -> Run:
        environment = {
            **self.environment,
            "NAMESPACE": PLAIN,
            "HOST": f"{PLAIN}.example",
            "IP": self.options.ip,
            "DUMP": str(self.dump),
            "CLIENT": self.options.client,
            "INDEX": self.options.index,
        }
        return measure("plain.sh", ["tests/benchmarks/plain.sh"], environment)

    def round(self) -> Round:
        load = os.getloadavg()[0]
        first = self.site("site.yml, first run")
        second = self.site("site.yml, second run")
        recap = RECAP.search(second.output)
        if not recap or recap[2] != "0":
            raise SystemExit(f"The second run changed something:\n{second.output[-6000:]}")
        self.remove(SITE)
        plain = self.plain()
        self.remove(PLAIN)
        return Round(first, second, plain, load)

    def versions(self) -> str:
        found = json.loads(self.kubectl("version", "--output", "json"))
        nodes = len(self.kubectl("get", "nodes", "--output", "name").split())
        return f"Kubernetes {found['serverVersion']['gitVersion']}, {nodes} nodes"


def generated(folder: Path, scale: float) -> Path:
    """Write the data set that both load; return its main file."""
    arguments = json.dumps({"path": str(folder), "scale": scale})
    command = ["ansible", "localhost", "--inventory", "inventories/example"]
    command += ["--module-name", "mysql_on.kubernetes.employees_dataset", "--args", arguments]
    measure(f"data set at scale {scale}", command, dict(os.environ))
    return folder / "employees.sql"


def median(rounds: list[Round], value: Callable[[Round], float]) -> float:
    return statistics.median(value(found) for found in rounds)


def spread(rounds: list[Round], value: Callable[[Round], float]) -> str:
    """The smallest and largest, where there are several."""
    values = [value(found) for found in rounds]
    return f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""


def verdict(value: float, aim: float) -> str:
    return "met" if value <= aim else "missed"


def head(rounds: list[Round], scale: float, where: str) -> str:
    """Return docs/benchmarks.md down to the sections of other benchmarks."""
    first = median(rounds, lambda found: found.first.seconds)
    second = median(rounds, lambda found: found.second.seconds)
    plain = median(rounds, lambda found: found.plain.seconds)
    rows = [
        ("site.yml, first run", rounds, lambda found: found.first, f"under {FIRST:.0f} s", FIRST),
        (
            "site.yml, second run",
            rounds,
            lambda found: found.second,
            f"under {SECOND:.0f} s",
            SECOND,
        ),
        ("plain.sh", rounds, lambda found: found.plain, "", 0.0),
    ]
    table = [_row(*row) for row in rows]
    phases = "   ".join(
        f"{name} {seconds} s" for name, seconds in PHASE.findall(rounds[0].first.output)
    )
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `tests/benchmarks/run.py`,"
            f" {len(rounds)} round(s): {page.machine()}; {where}, all on that machine, whose load average"
            f" was {max(found.load for found in rounds):.1f} before.",
            "",
            "`site.yml` makes a primary and two replicas, loads the employees at"
            f" `data_scale: {scale}`, and serves them. It also looks before it acts, proves each phase,"
            " compares a checksum of every table on every instance, and ends with a load test of 2,200"
            " requests. `tests/benchmarks/plain.sh` makes the same objects with kubectl and mysql and"
            " proves nothing. Both load the same files; images are in the cluster before. Medians.",
            "",
            "| run | wall, s | aim | result | peak memory of its processes, MiB | of the machine, MiB |",
            "|---|---|---|---|---|---|",
            *table,
            "",
            f"First run against the shell script: {first / plain:.2f} times"
            f" (aim: at most {RATIO}; {verdict(first / plain, RATIO)}).",
            f"The shell script cannot be run twice; the second run of `site.yml` takes {second:.1f} s"
            " and changes nothing.",
            "",
            f"Phases of the first run: {phases or 'not told by the playbook'}.",
            "",
            "Memory of the machine is how much less it had left than when the run began: with the"
            " Pods of the cluster, and with whatever else ran there.",
            "",
        ]
    )


def _row(
    name: str, rounds: list[Round], run: Callable[[Round], Run], aim: str, limit: float
) -> str:
    seconds = median(rounds, lambda found: run(found).seconds)
    shown = f"{seconds:.1f}{spread(rounds, lambda found: run(found).seconds)}"
    processes = median(rounds, lambda found: run(found).processes) / 1024**2
    machine_wide = median(rounds, lambda found: run(found).machine) / 1024**2
    result = verdict(seconds, limit) if limit else ""
    return f"| {name} | {shown} | {aim} | {result} | {processes:.0f} | {machine_wide:.0f} |"


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    default = os.environ.get("KUBECONFIG") or CHECKOUT / ".lab" / "kubeconfig"
    parser.add_argument("--kubeconfig", type=Path, default=Path(default))
    parser.add_argument(
        "--client", default="", help="command prefix of a host on the cluster's LAN"
    )
    parser.add_argument("--ip", default="192.168.0.251")
    parser.add_argument(
        "--index", default="https://pypi.org/simple", help="where Pods get packages"
    )
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--replace", action="store_true", help="delete what an earlier run left")
    parser.add_argument("--output", type=Path, default=page.PAGE)
    options = parser.parse_args()
    if not options.kubeconfig.exists():
        parser.error(f"--kubeconfig: {options.kubeconfig} is not there; `make lab` makes a cluster")
    options.kubeconfig = options.kubeconfig.resolve()
    return options


def sections(output: Path) -> str:
    """Return the page's sections, which other benchmarks wrote."""
    text = output.read_text() if output.exists() else ""
    _head, heading, rest = text.partition("\n## ")
    return heading + rest


def main() -> int:
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        dump = generated(Path(folder) / "employees", options.scale)
        benchmark = Benchmark(options, dump)
        benchmark.refuse_leftovers()
        rounds = [benchmark.round() for _number in range(options.rounds)]
        kept = sections(options.output)
        options.output.write_text(head(rounds, options.scale, benchmark.versions()) + kept)
    print(options.output.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
