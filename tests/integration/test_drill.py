# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""playbooks/drill.yml on a cluster with a compressed archive of compressed transactions. One story, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive_reader import (
    read_listing,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import archive, drills

from tests.integration import cluster
from tests.integration.runner import codes, run_module, succeed
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

STEPS = ("--tags", "infra,db")
DEADLINE = 60.0
# All that the running cluster consists of.
KINDS = ("Deployment", "Service", "Secret", "CronJob", "PersistentVolumeClaim", "Pod")
COMPRESSED = {
    "cluster_mysql_config": {
        "innodb_use_native_aio": "OFF",
        "binlog_transaction_compression": "ON",
    },
    "backup_compression": "zstd",
    "backup_encrypted": True,
}


HISTORY = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.owners (id INT PRIMARY KEY)",
    "CREATE TABLE shop.carts (id INT PRIMARY KEY, owner INT,"
    " FOREIGN KEY (owner) REFERENCES shop.owners (id) ON DELETE CASCADE)",
    "CREATE TABLE shop.notes (id INT PRIMARY KEY, text TEXT)",
    "INSERT INTO shop.owners VALUES (1), (2)",
    "INSERT INTO shop.carts VALUES (1, 1), (2, 1), (3, 2)",
    "INSERT INTO shop.notes VALUES (1, 'in the base')",
)


class Cluster(Site):
    """A primary and a replica with an archive, and transactions after its base."""

    def kept(self) -> drills.Drills:
        return drills.observe(self.cluster, self.namespace, "mysql-drills")

    def last(self) -> dict[str, Any]:
        return dict(self.kept().records[-1])

    def left(self) -> list[str]:
        """What there is of a drill."""
        labels = "app.kubernetes.io/name=mysql-drill"
        kinds = ("Pod", "PersistentVolumeClaim")
        return [
            f"{kind} {one['metadata']['name']}"
            for kind in kinds
            for one in self.cluster.list(kind, self.namespace, labels=labels)
        ]

    def identities(self) -> dict[str, str]:
        """What each object of the cluster is, and the specification that it has."""
        found = {}
        for kind in KINDS:
            for one in self.cluster.list(kind, self.namespace):
                meta = one["metadata"]
                owner = (meta.get("ownerReferences") or [{}])[0].get("kind")
                if owner == "Job":
                    continue
                found[f"{kind} {meta['name']}"] = f"{meta['uid']} {meta.get('generation')}"
        return found


@pytest.fixture(scope="module")
def mine() -> Iterator[Cluster]:
    site = Cluster(cluster_storage_size="1Gi", backup_storage_size="1Gi", **COMPRESSED)
    try:
        played = site.play(*STEPS)
        assert not played.failed, played.output
        with site.connect("mysql-1") as primary:
            for statement in HISTORY:
                primary.execute(statement)
        backed_up = site.play(playbook="backup")
        assert not backed_up.failed, backed_up.output
        with site.connect("mysql-1") as primary:
            # Its children go with it, in no binary log: a scratch server must do the same.
            primary.execute("DELETE FROM shop.owners WHERE id = 1")
            for number in range(10, 40):
                primary.execute("INSERT INTO shop.notes VALUES (%s, %s)", (number, "drilled " * 40))
            primary.execute("FLUSH BINARY LOGS")
        yield site
    finally:
        site.remove()


def level(mine: Cluster) -> None:
    """Wait until the archive has all, its first log compressed."""
    deadline = time.monotonic() + DEADLINE
    place = archive.Place(mine.namespace, "mysql-archiver")
    while True:
        listing = read_listing(archive.read(mine.cluster, place)[0])
        zstd = any(log.compression == "zstd" for log in listing.archive.binlogs)
        if zstd and not mine.backup_facts()["rpo"]["transactions"]:
            return
        assert time.monotonic() < deadline, listing
        time.sleep(0.5)


def test_a_drill_restores_to_a_drawn_point_and_leaves_nothing_but_its_record(mine: Cluster) -> None:
    level(mine)
    before, executed = mine.identities(), mine.executed("mysql-1")
    drilled = mine.play(playbook="drill", drill_seed="w48")
    assert not drilled.failed, drilled.output
    assert mine.left() == []
    assert mine.identities() == before
    assert mine.executed("mysql-1") == executed
    record = mine.last()
    assert (record["result"], record["seed"]) == ("ok", "w48")
    assert all(seconds >= 0 for seconds in record["seconds"].values())
    stages = {key: value for key, value in record["seconds"].items() if key != "total"}
    assert record["seconds"]["total"] >= sum(stages.values()) - 0.5
    assert record["rpo"]["transactions"] == 0
    for word in ("RTO:", "RPO: 0 transactions", "drill_seed=w48", record["base"]):
        assert word in drilled.output
    assert mine.kept().claim is None


def test_the_same_seed_draws_the_same_point_and_a_second_drill_meanwhile_is_refused(
    mine: Cluster,
) -> None:
    first = mine.last()
    with mine.start(playbook="drill", drill_seed="w48", cluster_language="ko") as again:
        deadline = time.monotonic() + DEADLINE
        while mine.kept().claim is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        second = mine.play(playbook="drill")
        output, _none = again.communicate()
    assert second.failed
    assert "recovery.drill_running" in second.output
    assert again.returncode == 0, output
    assert "복구 훈련 성공" in output
    assert mine.last()["before_gtid"] == first["before_gtid"]
    assert [one["result"] for one in mine.kept().records] == ["ok", "ok"]
    assert mine.left() == []
    facts = mine.backup_facts()
    assert [one["seed"] for one in facts["drills"]] == ["w48", "w48"]
    assert not [code for code in codes(facts) if code.startswith("backup.drill")]


def test_after_a_kill_the_next_takes_over_and_reads_compressed_transactions(mine: Cluster) -> None:
    """A drill to the end counts what was done to each table; what cannot be read is not foretold."""
    sql = (
        "SELECT SUM(transaction_counter) FROM"
        " performance_schema.binary_log_transaction_compression_stats"
        " WHERE log_type = 'BINARY' AND compression_type = 'ZSTD'"
    )
    assert int(mine.value("mysql-1", sql)) > 30
    mine.kill_at("Recover on a scratch instance", playbook="drill")
    assert mine.left() == ["Pod mysql-drill", "PersistentVolumeClaim mysql-drill"]
    assert mine.kept().claim is not None
    drilled = mine.play(playbook="drill", drill_target={"latest": True})
    assert not drilled.failed, drilled.output
    assert mine.left() == []
    record = mine.last()
    assert (record["result"], record["before_gtid"]) == ("ok", "")
    assert record["transactions"] >= 31
    # Both tables that were changed after the base; the one whose rows go with another's is not foretold.
    assert record["tables"] - record["tables_foretold"] == 1, record


def test_what_nobody_plays_any_more_is_removed_by_hand(mine: Cluster) -> None:
    mine.kill_at("Plan the drill", playbook="drill")
    removed = mine.play("--tags", "abandon", playbook="drill")
    assert not removed.failed, removed.output
    assert mine.left() == []
    assert mine.kept().claim is None


def test_a_drill_that_fails_is_removed_noted_and_named_by_the_doctor(mine: Cluster) -> None:
    nowhere = {"before": {"statement": "DROP", "table": "employees.nobody"}}
    failed = mine.play(playbook="drill", drill_target=nowhere)
    assert failed.failed
    assert "The drill failed; it was removed" in failed.output
    assert mine.left() == []
    record = mine.last()
    assert record["result"] == "failed"
    assert "Plan the drill" in record["message"]
    assert "binlog.nothing_matches" in record["message"]
    assert "backup.drill_failed" in codes(mine.backup_facts())
    doctor = {**mine.login, "namespace": mine.namespace, "patience": 5}
    assert "backup.drill_failed" in codes(run_module("mysql_doctor", doctor))


def test_the_site_is_as_if_no_drill_had_ever_been(mine: Cluster) -> None:
    played = mine.play(*STEPS)
    assert not played.failed, played.output
    assert played.recap["changed"] == 0, played.changed
    assert set(mine.claims()) == {"mysql-1", "mysql-11", "back-pvc"}
    proof = {**mine.login, "instances": _instances(mine)}
    assert succeed("mysql_checksum", proof)["findings"] == []


def _instances(mine: Cluster) -> list[dict[str, Any]]:
    """The primary first."""
    return [
        {"name": name, "pod": {"namespace": mine.namespace, "deployment": name}}
        for name in ("mysql-1", "mysql-11")
    ]
