# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is lost with the primary's node under load: by the archive alone, and with semi-synchronous replication.

    python -m tests.benchmarks.rpo --rounds 3

On a lab of its own (tests/faults/second_lab.py), since a node's power is cut. Sessions write one-row
transactions and count what was acknowledged; in the middle of it the primary's node is cut off and all that
runs there is killed. Counted then: acknowledged transactions that the archive on another node has not, and that
no replica has. Writes its section of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive_reader import (
    read_listing,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import archive
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.benchmarks import page
from tests.faults import second_lab
from tests.integration.site import Site

HEADING = "What is lost with the primary's node"
SESSIONS = 4
# Seconds: of load before the node goes, and until an archive or a replica must have what it gets.
LOADED = 15.0
DEADLINE = 300.0
WAYS = {"disabled": "asynchronous", "enabled": "semi-synchronous"}


@dataclass
class Writers:
    """Sessions that write as fast as the primary takes it, until it is gone."""

    site: Site
    ended: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[float] = field(default_factory=list)

    def start(self) -> None:
        for number in range(SESSIONS):
            # A statement in flight when the node goes may hang for long: nobody waits for it.
            threading.Thread(target=self._write, args=(number,), daemon=True).start()

    def _write(self, number: int) -> None:
        try:
            with self.site.connect("mysql-1") as session:
                while not self.ended.is_set():
                    session.execute(
                        "INSERT INTO load_test.acknowledged (session) VALUES (%s)", (number,)
                    )
                    self.acknowledged.append(time.monotonic())
        except CollectionError:
            return


@dataclass(frozen=True)
class Lost:
    """What one cut cost: acknowledged transactions, and for how many seconds they were acknowledged."""

    acknowledged: int
    per_second: float
    archive: int
    archive_seconds: float
    replica: int


def settled(look: Callable[[], GtidSet]) -> GtidSet:
    """Return what an archive or a replica has once it gets nothing more; nobody tells when."""
    before: GtidSet | None = None

    def again() -> tuple[GtidSet | None, bool]:
        nonlocal before
        try:
            now = look()
        except CollectionError:
            # Its Pod's node, or the road to it, is not told yet that the other node is gone.
            return None, False
        rests, before = now == before, now
        return now, rests

    now, rests = look_until(again, lambda seen: seen[1], DEADLINE)
    if now is None or not rests:
        raise SystemExit("It does not come to rest")
    return now


def archived(site: Site) -> GtidSet:
    place = archive.Place(site.namespace, "mysql-archiver")
    return read_listing(archive.read(site.cluster, place)[0]).archive.logged


def received(site: Site) -> GtidSet:
    """All that the replica has executed or holds in its relay log."""
    with site.connect("mysql-11") as replica:
        channels = replica.query(
            "SELECT received_transaction_set AS gtids FROM"
            " performance_schema.replication_connection_status"
        )
        executed = GtidSet.parse(str(replica.value("SELECT @@global.gtid_executed")))
    return executed | GtidSet.parse(str(channels[0]["gtids"]))


def node_of(site: Site, name: str) -> str:
    labels = f"mysql-on.kubernetes/server={name}"
    found = site.cluster.list("Pod", site.namespace, labels=labels)
    return str(found[0]["spec"]["nodeName"])


def cut(site: Site) -> Lost:
    """Load the primary, cut its node's power, and count."""
    with site.connect("mysql-1") as primary:
        primary.execute("CREATE DATABASE IF NOT EXISTS load_test")
        primary.execute(
            "CREATE TABLE IF NOT EXISTS load_test.acknowledged"
            " (id BIGINT AUTO_INCREMENT PRIMARY KEY, session INT)"
        )
    before = site.executed("mysql-1")
    if not look_until(lambda: before in archived(site) & received(site), bool, DEADLINE):
        raise SystemExit("The archive or the replica does not follow")
    node = node_of(site, "mysql-1")
    writers = Writers(site)
    writers.start()
    began = time.monotonic()
    time.sleep(LOADED)
    second_lab.cut_power(node)
    # What is acknowledged from here on came before: the node answers nobody.
    writers.ended.set()
    seconds = time.monotonic() - began
    in_archive = (settled(lambda: archived(site)) - before).count
    in_replica = (settled(lambda: received(site)) - before).count
    times = sorted(writers.acknowledged)
    late = times[-1] - times[max(in_archive, 1) - 1] if in_archive < len(times) else 0.0
    lost = Lost(
        len(times),
        len(times) / seconds,
        max(0, len(times) - in_archive),
        late,
        max(0, len(times) - in_replica),
    )
    print(f"in archive {in_archive}, in replica {in_replica}: {lost}", flush=True)
    return lost


def body(rounds: dict[str, list[Lost]], load: float) -> str:
    lines = [
        page.measured("python -m tests.benchmarks.rpo", load),
        "",
        f"{SESSIONS} sessions write one-row transactions for {LOADED:g} s; then the node of the primary loses its"
        " link and all its processes. Lost are transactions that were acknowledged and are nowhere else; each"
        f" count can be off by {SESSIONS}, one statement in flight for each session.",
        "",
        "| replication | acknowledged | of them a second | lost with the archive alone | seconds of them |"
        " lost with the replica alone |",
        "|---|---|---|---|---|---|",
    ]
    for way, found in rounds.items():
        lines += [
            f"| {WAYS[way]} | {one.acknowledged:,} | {one.per_second:,.0f} | {one.archive} |"
            f" {one.archive_seconds:.2f} | {one.replica} |"
            for one in found
        ]
    alone = max(one.archive_seconds for found in rounds.values() for one in found)
    sure = max(one.replica for one in rounds["enabled"])
    met = {True: "met", False: "missed"}
    return "\n".join(
        [
            *lines,
            "",
            f"At most {alone:.2f} s of acknowledged transactions are lost with the archive alone (aim: at most"
            f" 1 s; {met[alone <= 1]}), {sure} with semi-synchronous replication (aim: 0; {met[sure == 0]}).",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    second_lab.bring_up()
    os.environ["MYSQL_ON_KUBERNETES_KUBECONFIG"] = second_lab.KUBECONFIG
    os.environ["LAB"] = second_lab.LAB
    load = os.getloadavg()[0]
    site = Site(cluster_storage_size="2Gi", backup_storage_size="2Gi")
    rounds: dict[str, list[Lost]] = {}
    try:
        for way in WAYS:
            site.variables["cluster_semisync"] = way
            site.play_through("--tags", "infra,db")
            if not rounds:
                site.play_through(playbook="backup")
            rounds[way] = []
            for _round in range(options.rounds):
                rounds[way].append(cut(site))
                second_lab.bring_up()
                site.play_through("--tags", "infra,db")
    finally:
        site.remove()
    page.write(HEADING, body(rounds, load))


if __name__ == "__main__":
    main()
