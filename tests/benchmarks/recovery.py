# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recovery beside `mysqlbinlog | mysql`, finding a DROP, and what the archive costs the primary.

    python -m tests.benchmarks.recovery apply --against defaults
    python -m tests.benchmarks.recovery apply --against relaxed
    python -m tests.benchmarks.recovery find
    python -m tests.benchmarks.recovery scale
    python -m tests.benchmarks.recovery archive
    python -m tests.benchmarks.recovery cluster
    python -m tests.benchmarks.recovery drill

The last two recover inside the lab, by playbooks/recover.yml and drill.yml. Each makes its own binary log of small
transactions (its own procedure as the client), so that both sides of a ratio are of one run. Each writes its
section of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import drills
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.benchmarks import page
from tests.integration import servers
from tests.integration.archive import LocalArchive, make_account
from tests.integration.recovery_archive import HandArchive, end_processes_of
from tests.integration.runner import COLLECTIONS, PACKAGE, succeed
from tests.integration.servers import Server
from tests.integration.site import Site

VERSION = "9.7"
TRANSACTIONS = 400_000
SESSIONS = 4
# The server's own defaults, where the tests' servers have less.
SIZES = ("--innodb-buffer-pool-size=128M", "--innodb-redo-log-capacity=100M")
DURABLE = ("--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1")
RELAXED = ("--skip-log-bin", "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0")
TABLES = "shop.orders, shop.items, shop.stock"
AIMS = {"defaults": 6.5, "relaxed": 5.0}
DROP = {"before": {"statement": "DROP", "table": "shop.later"}}
# Of the archiver, with it and without it.
TURNS = 150

# What the procedure makes once can be made again.
SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.orders (id BIGINT PRIMARY KEY, who VARCHAR(60), note VARCHAR(400))",
    "CREATE TABLE shop.items (order_id BIGINT, line INT, what VARCHAR(100),"
    " PRIMARY KEY (order_id, line))",
    "CREATE TABLE shop.stock (id INT PRIMARY KEY, n INT)",
    "CREATE TABLE shop.later (id INT PRIMARY KEY)",
    """CREATE PROCEDURE shop.work(IN first BIGINT, IN count INT)
BEGIN
  DECLARE i BIGINT DEFAULT first;
  WHILE i < first + count DO
    START TRANSACTION;
    REPLACE INTO shop.orders VALUES (i, CONCAT('customer ', i % 9973), REPEAT(CHAR(65 + i % 26), 300));
    REPLACE INTO shop.items VALUES (i, 1, REPEAT('a', 60)), (i, 2, REPEAT('b', 60)),
      (i, 3, REPEAT('c', 60));
    UPDATE shop.stock SET n = n - 1 WHERE id = 1 + i % 5000;
    COMMIT;
    SET i = i + 1;
  END WHILE;
END""",
    "INSERT INTO shop.stock SELECT n, 1000000 FROM (WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL"
    " SELECT n + 1 FROM s WHERE n < 5000) SELECT n FROM s) AS numbers",
)


def say(text: str) -> None:
    print(text, flush=True)


def work(run: Callable[[str], Any], first: int, count: int) -> float:
    """Let sessions make transactions, and return the seconds that it took.

    run: what executes a statement in a session of its own.
    """
    share = count // SESSIONS
    calls = [f"CALL shop.work({first + n * share}, {share})" for n in range(SESSIONS)]
    began = time.monotonic()
    with ThreadPoolExecutor(SESSIONS) as pool:
        list(pool.map(run, calls))
    return time.monotonic() - began


@dataclass
class History:
    """A server with a mistake, its archive, and what the tables were before."""

    server: Server
    archive: HandArchive
    checksums: list[Any]
    files: list[Path]
    stop: int

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.files)


def sums(server: Server) -> list[Any]:
    return [row["checksum"] for row in server.sql(f"CHECKSUM TABLE {TABLES}")]


@contextmanager
def history(transactions: int) -> Iterator[History]:
    """Make one; the server is stopped, since it has no part in what is measured."""
    options = ("--max-binlog-size=128M", *SIZES)
    server = servers.make(VERSION, 1, *options)
    archive = HandArchive(server)
    try:
        server.sql("SET SESSION cte_max_recursion_depth = 10000", *SCHEMA)
        archive.base()
        seconds = work(server.sql, 1, transactions)
        checksums = sums(server)
        status = server.sql("SHOW BINARY LOG STATUS")[0]
        server.sql("DROP TABLE shop.later", "INSERT INTO shop.orders VALUES (-1, 'later', 'lost')")
        archive.fetch()
        folder = sorted((archive.root / "binlog").iterdir())[0]
        names = sorted(path for path in folder.iterdir() if path.suffix != ".json")
        files = [path for path in names if path.name <= str(status["file"])]
        server.stop()
        found = History(server, archive, checksums, files, int(status["position"]))
        say(
            f"{transactions:,} transactions in {seconds:.0f} s, {found.size / 1e6:.0f} MB of binary log"
        )
        yield found
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()
        server.remove()


def piped(made: History, settings: tuple[str, ...], *, together: bool = False) -> float:
    """Apply by `mysqlbinlog | mysql` on a server of the base, and return its seconds.

    together: client and server on one processor. They take turns, and on two each statement has to wake the
    other one's.
    """
    server = servers.make(VERSION, 77, *SIZES, *settings)
    try:
        server.stop()
        shutil.rmtree(server.folder / "data")
        base = next((made.archive.root / "base").iterdir()) / "data"
        shutil.copytree(base, server.folder / "data")
        (server.folder / "data" / "auto.cnf").unlink(missing_ok=True)
        servers.in_tree(server.tree, "chown", "-R", "mysql:mysql", f"{server.inside}/data")
        server.start()
        inside = " ".join(made.archive.inside(path) for path in made.files)
        command = (
            f"set -o pipefail; mysqlbinlog --stop-position={made.stop} {inside}"
            f" | mysql -uroot --socket={server.inside}/mysqld.sock"
        )
        if together:
            command = f"taskset --cpu-list --pid 0 $$ >&2; {command}"
            pin(pid_of(server.process), 0)
        began = time.monotonic()
        environment = {**os.environ, "MYSQL_PWD": server.password}
        servers.in_tree(server.tree, "bash", "-c", command, env=environment)
        seconds = time.monotonic() - began
        if sums(server) != made.checksums:
            raise RuntimeError("mysqlbinlog | mysql made other tables")
        return seconds
    finally:
        server.remove()


def recovered(made: History) -> dict[str, float]:
    """Recover by the module, and return the seconds of its stages and of all of it."""
    scratch = made.archive.scratch()
    scratch["arguments"] = [*scratch["arguments"], *SIZES]
    arguments = {
        "action": "apply",
        "archive": str(made.archive.root),
        "scratch": scratch,
        "target": DROP,
    }
    began = time.monotonic()
    done = succeed("mysql_recovery", arguments)
    whole = time.monotonic() - began
    found = {table["table"]: table["checksum"] for table in done["tables"]}
    wanted = [f"{int(value):08x}" for value in made.checksums]
    if [found[name] for name in TABLES.split(", ")] != wanted:
        raise RuntimeError("the recovered tables have other checksums")
    succeed("mysql_recovery", {**arguments, "action": "abandon"})
    return {**done["seconds"], "all": whole}


def ran(command: list[str], **options: Any) -> tuple[float, float]:
    """Run a program and return its seconds, and the MiB of memory that it had at most, to 20 ms before its end.

    What wait4 tells counts this process too, as the child was before it became the program.
    """
    began, most = time.monotonic(), 0
    with (
        subprocess.Popen(command, **options) as process,
        open(os.pidfd_open(process.pid), "rb", 0) as ended,
    ):
        while not select.select([ended], [], [], 0.02)[0]:
            most = max(most, peak_memory(process.pid))
        seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return seconds, most / 1024


def peak_memory(pid: int) -> int:
    """Return the KiB of memory that a process has had at most, what it maps of files with it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def module(name: str, arguments: dict[str, Any]) -> tuple[float, float]:
    """Run a module and return its seconds and its MiB."""
    with tempfile.TemporaryFile() as given:
        given.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        given.seek(0)
        return ran(
            [sys.executable, "-m", f"{PACKAGE}.{name}"],
            stdin=given,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
            cwd="/",
        )


def best(measure: Callable[[], tuple[float, float]], rounds: int) -> tuple[float, float]:
    """Return the median of some rounds."""
    found = [measure() for _round in range(rounds)]
    seconds, memory = zip(*found, strict=True)
    say(f"rounds: {', '.join(f'{each:.2f} s' for each in seconds)}")
    return statistics.median(seconds), max(memory)


def find(made: History, rounds: int) -> tuple[float, float]:
    # The first, so that all before it is read; the last would be found in the newest file alone.
    before = {**DROP["before"], "occurrence": "first"}
    wanted = {"action": "find", "archive": str(made.archive.root), "before": before}
    return best(lambda: module("binlog_point", wanted), rounds)


def text_filtered(made: History, rounds: int) -> tuple[float, float]:
    """The usual way: all of it as text, and a filter."""
    inside = " ".join(made.archive.inside(path) for path in made.files)
    command = f"mysqlbinlog --base64-output=DECODE-ROWS {inside} | grep -m 1 -n 'DROP TABLE'"
    words = ["chroot", str(made.server.tree), "bash", "-c", command]
    return best(lambda: ran(words, stdout=subprocess.DEVNULL), rounds)


def verdict(met: bool) -> str:
    return "met" if met else "missed"


def measure_apply(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    with history(options.transactions) as made:
        ours = recovered(made)
        say(f"recovered: {ours}")
        settings = DURABLE if options.against == "defaults" else RELAXED
        theirs, together = piped(made, settings), piped(made, settings, together=True)
        say(f"mysqlbinlog | mysql ({options.against}): {theirs:.1f} s; together {together:.1f} s")
        size = made.size / 1e6
    ratio, aim = theirs / ours["apply"], AIMS[options.against]
    durable = options.against == "defaults"
    how = "the server's defaults" if durable else "relaxed durability, no binary log"
    stages = ", ".join(
        f"{name} {ours[name]:.1f}" for name in ("base", "binlogs", "apply", "verify")
    )
    text = f"""
{page.measured(f"tests.benchmarks.recovery apply --against {options.against}", load)}

{options.transactions:,} small transactions, {size:.0f} MB of binary log, MySQL 9.7; both begin with the same
base, and the checksums of all tables are equal afterwards. The pipe and its server take turns, statement by
statement: kept on one processor, which nobody does, they need not wake another one each time.

| way | s |
|---|---|
| `mysqlbinlog --stop-position \\| mysql`, {how} | {theirs:.1f} |
| the same, client and server kept on one processor | {together:.1f} |
| `mysql_recovery`, its stage apply | {ours["apply"]:.1f} |
| `mysql_recovery`, all of it: plan, {stages} | {ours["all"]:.1f} |

The stage apply is {ratio:.1f} times faster (aim: at least {aim:g}; {verdict(ratio >= aim)}), all of it
{theirs / ours["all"]:.1f} times. Against the pipe on one processor: {together / ours["apply"]:.1f} times, and
{together / ours["all"]:.1f} times.
"""
    page.write(f"Recovery beside mysqlbinlog, {options.against}", text)


def measure_find(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    with history(options.transactions) as made:
        seconds, memory = find(made, options.rounds)
        text_seconds, _memory = text_filtered(made, options.rounds)
        size = made.size / 1e6
    text = f"""
{page.measured("tests.benchmarks.recovery find", load)}

The first DROP in {size:.0f} MB ({options.transactions:,} transactions), near its end, median of
{options.rounds} rounds: `binlog_point` {seconds:.1f} s (aim: at most 4 s; {verdict(seconds <= 4)}), {memory:.0f} MiB of
memory; `mysqlbinlog` as text, filtered, {text_seconds:.1f} s.
"""
    page.write("Finding a DROP", text)


def measure_scale(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    rows = []
    for transactions in (options.transactions // 10, options.transactions):
        with history(transactions) as made:
            seconds, memory = find(made, options.rounds)
            plan = {"action": "plan", "archive": str(made.archive.root), "target": DROP}
            plan_seconds, plan_memory = best(lambda: module("mysql_recovery", plan), 1)  # noqa: B023
            ours = recovered(made)
            rows.append((transactions, made.size, seconds, memory, plan_seconds, plan_memory, ours))
            say(str(rows[-1]))
    few, many = rows
    growth = many[1] / few[1]
    lines = "\n".join(
        f"| {count:,} | {size / 1e6:.0f} | {found:.2f} | {memory:.0f} | {planned:.1f} | {more:.0f} |"
        f" {ours['apply']:.1f} | {ours['all']:.1f} |"
        for count, size, found, memory, planned, more, ours in rows
    )
    ratios = {
        "finding": many[2] / few[2],
        "planning": many[4] / few[4],
        "applying": many[6]["apply"] / few[6]["apply"],
        "all": many[6]["all"] / few[6]["all"],
    }
    told = ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items())
    flat = many[3] - few[3] < 32 and many[5] - few[5] < 32
    text = f"""
{page.measured("tests.benchmarks.recovery scale", load)}

| transactions | MB of binary log | find a DROP, s | MiB | plan, s | MiB | apply, s | all of a recovery, s |
|---|---|---|---|---|---|---|---|
{lines}

{growth:.1f} times the binary log takes so many times the time: {told} (aim: at most {growth:.1f};
{verdict(all(ratio <= growth for ratio in ratios.values()))}); memory flat: {verdict(flat)}.
"""
    page.write("Scale of a recovery", text)


def pid_of(process: subprocess.Popen[bytes] | None) -> int:
    """Return the number of what was started. Raises RuntimeError where it was not."""
    if process is None:
        raise RuntimeError("it does not run")
    return process.pid


@contextmanager
def in_memory(folder: Path) -> Iterator[None]:
    """Keep what a folder has, and gets, in memory."""
    beside = folder.with_name(f"{folder.name}-in-memory")
    beside.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "benchmark", str(beside)], check=True)
    subprocess.run(["cp", "-a", f"{folder}/.", str(beside)], check=True)
    subprocess.run(["mount", "--move", str(beside), str(folder)], check=True)
    beside.rmdir()
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def written_all_the_time(server: Server) -> Iterator[None]:
    """Let one session write the same transactions again and again until the end; the tables do not grow."""
    enough = threading.Event()

    def write() -> None:
        with server.connect() as session:
            while not enough.is_set():
                session.execute("CALL shop.work(1, 500)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        enough.set()
        writer.join()


@dataclass
class Archiver:
    """An archiver that rests and goes on, beside a server that is written to."""

    server: Server
    archive: LocalArchive

    @property
    def pid(self) -> int:
        return pid_of(self.archive.archiver)

    def logged(self) -> int:
        """Bytes of binary log that the server has written."""
        return sum(path.stat().st_size for path in (self.server.folder / "data").glob("binlog.0*"))

    def archived(self) -> int:
        """Bytes of them that the archive has."""
        return sum(path.stat().st_size for path in self.archive.root.glob("binlog/*/binlog.??????"))

    def rest(self) -> None:
        """Stop it between two fetches: no server waits for it."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        while True:
            os.kill(self.pid, signal.SIGSTOP)
            if not children.read_text().strip():
                return
            os.kill(self.pid, signal.SIGCONT)
            time.sleep(0.005)

    def go_on(self) -> None:
        """Let it go on, and return once it has what was written meanwhile."""
        wanted = self.logged()
        os.kill(self.pid, signal.SIGCONT)
        if not look_until(lambda: self.archived() >= wanted, bool, 30, 0.02):
            raise RuntimeError("the archive does not follow")

    def rate(self, seconds: float) -> float:
        """Return how many bytes of binary log the server writes in a second."""
        began, before = time.monotonic(), self.logged()
        time.sleep(seconds)
        return (self.logged() - before) / (time.monotonic() - began)


def measure_archive(options: argparse.Namespace) -> None:
    """The primary on the first processor, the archiver on another, all files in memory.

    The machine's own speed changes by more than the cost from second to second: each turn with the archiver is
    set against the turns without it before and after, and many of them are made.
    """
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        server = servers.make(VERSION, 1, "--max-binlog-size=64M", *SIZES, *DURABLE)
        stack.callback(server.remove)
        server.stop()
        stack.enter_context(in_memory(server.folder / "data"))
        stack.callback(server.stop)
        server.start()
        make_account(server)
        server.sql("SET SESSION cte_max_recursion_depth = 10000", *SCHEMA)
        archive = LocalArchive(server)
        stack.callback(archive.remove)
        stack.enter_context(in_memory(archive.root))
        pin(pid_of(server.process), 0)
        os.sched_setaffinity(0, {1})
        stack.enter_context(written_all_the_time(server))
        archive.start()
        stack.callback(archive.stop, kill=True)
        archive.wait_for(server)
        archiver = Archiver(server, archive)
        without, with_it = list[float](), list[float]()
        for number in range(TURNS):
            archiver.rest()
            without.append(archiver.rate(1))
            archiver.go_on()
            with_it.append(archiver.rate(1))
            if number % 10 == 9:
                say(f"{number + 1} turns: {sum(with_it) / sum(without):.3f} of the throughput")
    around = [(before + after) / 2 for before, after in pairwise(without)]
    shares = [each / alone for each, alone in zip(with_it, around, strict=False)]
    cost = 1 - statistics.mean(shares)
    error = statistics.stdev(shares) / len(shares) ** 0.5
    text = f"""
{page.measured("tests.benchmarks.recovery archive", load)}

One session writes small transactions, as many as it can, on a server that has one processor and its files in memory:
nothing but the processor limits it, {statistics.median(without) / 1e6:.1f} MB of binary log a second. The archiver has
another processor, as on another node. It rests and works by turns of a second, {TURNS} of each; each turn with it is
set against the two without it beside it.

The archive costs {cost:.1%} of the throughput (standard error {error:.1%}; median of the turns
{1 - statistics.median(shares):.1%}; aim: under 3 %; {verdict(cost < 0.03)}).
"""
    page.write("What the archive costs the primary", text)


@contextmanager
def site_with_history(transactions: int) -> Iterator[tuple[Site, list[dict[str, Any]]]]:
    """Make a site with a base, transactions and a mistake in its archive; yield it with its tables before that."""
    site = Site(cluster_storage_size="4Gi", backup_storage_size="4Gi")

    def call(statement: str) -> None:
        with site.connect("mysql-1") as session:
            session.execute(statement)

    def level() -> bool:
        # A replica that still applies would take its share of the machine from the recovery.
        archived = not site.backup_facts()["rpo"]["transactions"]
        return archived and site.executed("mysql-11") == site.executed("mysql-1")

    try:
        site.play_through("--tags", "infra,db")
        with site.connect("mysql-1") as primary:
            primary.execute("SET SESSION cte_max_recursion_depth = 10000")
            for statement in SCHEMA:
                primary.execute(statement)
        site.play_through(playbook="backup")
        with quick(site):
            work(call, 1, transactions)
        with site.connect("mysql-1") as primary:
            expected = known(primary)
            primary.execute("DROP TABLE shop.later")
            primary.execute("INSERT INTO shop.orders VALUES (-1, 'later', 'lost')")
        if not look_until(level, bool, 600):
            raise SystemExit("The archive or the replica does not follow")
        yield site, expected
    finally:
        site.remove()


def recovered_in_cluster(transactions: int) -> float:
    """Return the seconds of playbooks/recover.yml, from the command to the verified instance."""
    with site_with_history(transactions) as (site, expected):
        recovery = {"recovery_target": DROP, "recovery_expected": expected}
        agreed = {"recovery_agreed": True, "recovery_in_cluster": True}
        began = time.monotonic()
        said = site.play_through("--tags", "recover", playbook="recover", **recovery, **agreed)
        seconds = time.monotonic() - began
        say(said.output[-4000:])
        return seconds


@contextmanager
def quick(site: Site) -> Iterator[None]:
    """Let the instances of a site write without syncing: what they write is no part of a figure."""

    def sync(level: int) -> None:
        for name in ("mysql-1", "mysql-11"):
            with site.connect(name) as session:
                session.execute(
                    "SET GLOBAL sync_binlog = %s, GLOBAL innodb_flush_log_at_trx_commit = %s",
                    (level, level),
                )

    sync(0)
    yield
    sync(1)


def known(session: Connection) -> list[dict[str, Any]]:
    """Return what the tables hold, as the recovery is told to compare them with."""
    found = []
    for row in session.query(f"CHECKSUM TABLE {TABLES}"):
        count = session.value(f"SELECT COUNT(*) FROM {row['table']}")
        checksum = f"{int(row['checksum']):08x}"
        found.append({"table": row["table"], "rows": count, "checksum": checksum})
    return found


def measure_cluster(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    ours = recovered_in_cluster(options.transactions)
    say(f"recovered in the cluster: {ours:.1f} s")
    with history(options.transactions) as made:
        theirs = piped(made, DURABLE, together=True)
    ratio = theirs / ours
    text = f"""
{page.measured("tests.benchmarks.recovery cluster", load)}

{options.transactions:,} small transactions. `playbooks/recover.yml` in the lab, from the command to the verified
instance (Ansible, plan, Pod and volume, base, binary logs, apply, row counts and checksums): {ours:.1f} s.
`mysqlbinlog --stop-position \\| mysql` of the same transactions on a bare server of the same machine, the server's
defaults, client and server kept on one processor, where they are fastest, nothing verified: {theirs:.1f} s. That
is {ratio:.1f} times (aim: at least 5; {verdict(ratio >= 5)}).
"""
    page.write("Recovery in the cluster, end to end", text)


def measure_drill(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    with site_with_history(options.transactions) as (site, _expected):
        for _round in range(options.rounds):
            site.play_through(playbook="drill", drill_target={"latest": True})
        records = drills.observe(site.cluster, site.namespace, "mysql-drills").records
    stages = ("pod", "plan", "base", "binlogs", "apply", "verify", "total")
    lines = "\n".join(
        f"| {' | '.join(str(record['seconds'][stage]) for stage in stages)} |" for record in records
    )
    one = records[0]
    text = f"""
{page.measured("tests.benchmarks.recovery drill", load)}

`playbooks/drill.yml` in the lab, {len(records)} times: the newest base, then {one["transactions"]:,} small
transactions ({one["bytes"] / 1e6:.0f} MB of binary log) to the end of the archive, verified. Seconds; the total has
what lies between the stages too.

| Pod | plan | base | binary logs | apply | verify | all (RTO) |
|---|---|---|---|---|---|---|
{lines}
"""
    page.write("What a drill measures", text)


def pin(pid: int, processor: int) -> None:
    """Keep a process and all its threads on one processor."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {processor})


MEASURES = {
    "apply": measure_apply,
    "find": measure_find,
    "scale": measure_scale,
    "archive": measure_archive,
    "cluster": measure_cluster,
    "drill": measure_drill,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=MEASURES)
    parser.add_argument("--against", choices=AIMS, default="defaults")
    parser.add_argument("--transactions", type=int, default=TRANSACTIONS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    MEASURES[options.what](options)


if __name__ == "__main__":
    main()
