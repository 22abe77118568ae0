# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of an archive on the lab: named by mysql_backup_info, mended as it says.

One cluster with an archive; each test leaves it as it should be.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import drills
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.faults import fixes
from tests.faults.pair import named
from tests.integration import cluster
from tests.integration.runner import codes, run_module, succeed
from tests.integration.site import LITTLE_MEMORY, Played, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

PRIMARY, REPLICA = "mysql-1", "mysql-11"
DEADLINE = 60.0
DAY = timedelta(days=1)
BASE = "playbooks/backup.yml --tags base"


class Archived(Site):
    """A primary and a replica with an archive."""

    def kubectl(self, command: str) -> str:
        return fixes.shell(f"kubectl -n {self.namespace} {command}", self.kubeconfig)

    def in_archive(self, command: str) -> str:
        """Run a command of the shell where the archive is."""
        inside = shlex.quote(f"cd /archive && {command}")
        return self.kubectl(f"exec deployment/mysql-archiver -- sh -c {inside}")

    def pod(self, labels: str) -> dict[str, Any]:
        (found,) = self.cluster.list("Pod", self.namespace, labels=labels)
        return found

    def archiver(self) -> dict[str, Any]:
        return self.pod("mysql-on.kubernetes/archiver=mysql")

    def node(self, labels: str) -> str:
        return str(self.pod(labels)["spec"]["nodeName"])

    def sql(self, *statements: str, name: str = PRIMARY) -> None:
        with self.connect(name) as session:
            for statement in statements:
                session.execute(statement)

    def write(self) -> None:
        """Commit something on the primary and wait until the replica, of whom bases are taken, has it."""
        self.sql(
            "CREATE DATABASE IF NOT EXISTS shop",
            "CREATE TABLE IF NOT EXISTS shop.orders (id INT PRIMARY KEY AUTO_INCREMENT)",
            "INSERT INTO shop.orders VALUES ()",
        )
        wait = f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{self.executed(PRIMARY)}', 60)"
        assert self.value(REPLICA, wait) == 0

    def log(self) -> str:
        """The binary log that the primary writes."""
        with self.connect(PRIMARY) as session:
            return str(session.query("SHOW BINARY LOGS")[-1]["log_name"])

    def once(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What is said of the archive once that holds."""
        return look_until(self.backup_facts, holds, DEADLINE)

    def once_named(self, code: str) -> dict[str, Any]:
        return self.once(lambda result: code in codes(result))

    def assert_healthy(self) -> None:
        result = self.once(lambda result: not result["findings"] and level(result))
        assert result["findings"] == []
        assert level(result)

    def newest(self) -> str:
        return str(self.backup_facts()["bases"][-1]["id"])

    def take_base(self, finding: dict[str, Any]) -> Played:
        """Do what a next step says of another base."""
        assert BASE in finding["fix"]
        return self.play_through("--tags", "base", playbook="backup")


def level(result: dict[str, Any]) -> bool:
    """Whether the archive has all that the primary has."""
    return not result["rpo"]["transactions"]


@pytest.fixture(scope="module")
def bare() -> Iterator[Archived]:
    """An archive without any base."""
    site = Archived(cluster_storage_size="1Gi", backup_storage_size="1Gi", **LITTLE_MEMORY)
    try:
        site.play_through("--tags", "infra,db")
        site.play_through(playbook="backup", backup_first=False)
        yield site
    finally:
        site.remove()


@pytest.fixture(scope="module")
def mine(bare: Archived) -> Archived:
    """The same with a base."""
    if not bare.backup_facts()["bases"]:
        bare.play_through("--tags", "base", playbook="backup")
    return bare


def test_there_is_no_base(bare: Archived) -> None:
    result = bare.backup_facts()
    assert named(result) == ["backup.none"]
    bare.take_base(fixes.the(result, "backup.none"))
    bare.assert_healthy()


def test_no_drill_has_succeeded_for_long(mine: Archived) -> None:
    """One has, a month ago; whoever looks at the cluster is told too."""
    mine.write()
    mine.play_through(playbook="drill")
    kept = drills.observe(mine.cluster, mine.namespace, "mysql-drills")
    then = drills.iso((datetime.now(tz=UTC) - 31 * DAY).timestamp())
    aged = drills.text([{**kept.records[-1], "at": then}])
    mine.cluster.patch("ConfigMap", kept.name, {"data": {drills.KEY: aged}}, mine.namespace)
    finding = fixes.the(mine.backup_facts(), "backup.drill_old")
    assert finding["proof"][0].endswith("31 days ago")
    doctor = {**mine.login, "namespace": mine.namespace, "patience": 5}
    assert "backup.drill_old" in codes(succeed("mysql_doctor", doctor))
    assert finding["fix"].endswith("ansible-playbook playbooks/drill.yml")
    mine.play_through(playbook="drill")
    assert "backup.drill_old" not in codes(succeed("mysql_doctor", doctor))
    mine.assert_healthy()


def test_the_archiver_hangs_and_is_behind(mine: Archived) -> None:
    with cluster.stopped(mine.archiver(), "archiver.sh"):
        mine.write()
        result = mine.once_named("backup.behind")
        assert named(result) == ["backup.behind"]
        assert fixes.the(result, "backup.behind")["fix"].startswith("Wait for the archiver")
    mine.assert_healthy()


def test_the_primary_soon_purges_what_the_archive_lacks(mine: Archived) -> None:
    seconds = mine.value(PRIMARY, "SELECT @@GLOBAL.binlog_expire_logs_seconds")
    expire = "SET GLOBAL binlog_expire_logs_seconds = %s"
    try:
        mine.sql(expire % 3600)
        with cluster.stopped(mine.archiver(), "archiver.sh"):
            mine.write()
            # The current log is never purged.
            assert "backup.chain_expires" not in codes(mine.backup_facts())
            mine.sql("FLUSH BINARY LOGS")
            finding = fixes.the(mine.backup_facts(), "backup.chain_expires")
            assert finding["proof"][0].endswith("binlog_expire_logs_seconds is 3600")
            # "Or raise it meanwhile."
            assert finding["fix"].endswith("raise binlog_expire_logs_seconds meanwhile")
            mine.sql(expire % (30 * 86400))
            assert "backup.chain_expires" not in codes(mine.backup_facts())
            mine.sql(expire % 3600)
            assert "backup.chain_expires" in codes(mine.backup_facts())
        # "Bring the archiver back before that."
        mine.assert_healthy()
    finally:
        mine.sql(expire % seconds)


def test_the_archiver_may_not_log_in(mine: Archived) -> None:
    mine.sql("DROP USER backup@'%'")
    finding = fixes.the(mine.once_named("backup.archiver_stopped"), "backup.archiver_stopped")
    assert "state connecting: ERROR 1045" in finding["proof"][0]
    assert "Access denied for user 'backup'" in fixes.run_command(finding, mine.kubeconfig)
    assert "run playbooks/backup.yml again" in finding["fix"]
    mine.play_through(playbook="backup")
    mine.assert_healthy()


def test_the_archiver_is_scaled_to_zero(mine: Archived) -> None:
    mine.kubectl("scale deployment mysql-archiver --replicas=0")
    labels = "mysql-on.kubernetes/archiver"
    look_until(
        lambda: mine.cluster.list("Pod", mine.namespace, labels=labels),
        lambda left: not left,
        DEADLINE,
    )
    absent = run_module("mysql_backup_info", mine.of_backup())
    finding = fixes.the(absent, "backup.archiver_absent")
    assert finding["fix"].endswith("ansible-playbook playbooks/backup.yml")
    mine.play_through(playbook="backup")
    mine.assert_healthy()


def test_logs_are_purged_before_they_are_archived(mine: Archived) -> None:
    """The old base leads no further, and stays: from the new one on there is no gap."""
    mine.write()
    mine.assert_healthy()
    with cluster.stopped(mine.archiver(), "archiver.sh"):
        had = mine.executed(PRIMARY)
        for _log in range(2):
            mine.sql("FLUSH BINARY LOGS")
            mine.write()
        lost = mine.executed(PRIMARY) - had
        mine.sql("FLUSH BINARY LOGS")
        # The replica reads this log now, and none that is to be purged.
        mine.write()
        mine.sql(f"PURGE BINARY LOGS TO '{mine.log()}'")
    result = mine.once(lambda result: "backup.gap" in codes(result) and level(result))
    finding = fixes.the(result, "backup.gap")
    assert named(result) == ["backup.gap"]
    assert str(lost) in finding["proof"][0]
    assert finding["proof"][1].endswith(f"has purged: {lost}")
    mine.take_base(finding)
    mine.assert_healthy()
    after = mine.backup_facts()
    assert after["gaps"] == str(lost)
    assert after["window"]["earliest"]["base"] == mine.newest()


def test_the_newest_base_is_old(mine: Archived) -> None:
    """As after days in which the CronJob took none."""
    ended = (datetime.now(tz=UTC) - 3 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f's/"ended": "[^"]*"/"ended": "{ended}"/'
    mine.in_archive(f"sed -i '{line}' base/*/manifest.json")
    result = mine.backup_facts()
    assert named(result) == ["backup.base_old"]
    finding = fixes.the(result, "backup.base_old")
    assert "72 hours old" in finding["proof"][0]
    assert "mysql-backup" in mine.kubectl("get cronjobs,jobs")
    mine.take_base(finding)
    mine.assert_healthy()


def test_a_base_was_never_started(mine: Archived) -> None:
    newest = mine.newest()
    line = 's/"result": "ok"/"result": ""/'
    mine.in_archive(f"sed -i '{line}' base/{newest}/manifest.json")
    result = mine.backup_facts()
    finding = fixes.the(result, "backup.base_unverified")
    assert finding["subject"] == f"base {newest}"
    fixes.run_command(finding, mine.kubeconfig)
    mine.kubectl(f"wait --for=condition=complete --timeout=180s job/verify-{newest.lower()}")
    mine.assert_healthy()
    assert "every file's sha256" in mine.backup_facts()["bases"][-1]["verified_how"]


def test_a_base_lost_a_part_of_a_file(mine: Archived) -> None:
    newest = mine.newest()
    mine.in_archive(f"truncate -s -1 base/{newest}/data/ibdata1")
    result = mine.backup_facts()
    finding = fixes.the(result, "backup.base_corrupt")
    assert finding["subject"] == f"base {newest}"
    assert f"base/{newest}/data/ibdata1 has" in finding["proof"][0]
    assert [base["verified"] for base in result["bases"] if base["id"] == newest] == [False]
    mine.take_base(finding)
    assert named(mine.backup_facts()) == ["backup.base_corrupt"]
    fixes.run_command(finding, mine.kubeconfig)
    mine.assert_healthy()
    assert newest not in [base["id"] for base in mine.backup_facts()["bases"]]


def test_a_log_of_the_archive_lost_a_part(mine: Archived) -> None:
    mine.write()
    name = mine.log()
    mine.sql("FLUSH BINARY LOGS")
    mine.write()
    uuid = mine.value(PRIMARY, "SELECT @@server_uuid")
    log = f"binlog/{uuid}/{name}"
    look_until(lambda: mine.in_archive(f"ls binlog/{uuid}"), lambda now: f"{name}.json" in now, 30)
    mine.in_archive(f"test -e {log}.json && truncate -s -1 {log}")
    result = mine.backup_facts()
    # What was in it is in no other log, and in no base.
    assert named(result) == ["backup.gap", "backup.binlog_corrupt"]
    finding = fixes.the(result, "backup.binlog_corrupt")
    assert finding["subject"] == log
    assert f"{log} has" in finding["proof"][0]
    mine.take_base(finding)
    assert named(mine.backup_facts()) == ["backup.binlog_corrupt"]
    fixes.run_command(finding, mine.kubeconfig)
    mine.assert_healthy()


def test_the_server_was_reset(mine: Archived) -> None:
    mine.write()
    mine.assert_healthy()
    mine.sql("STOP REPLICA", "RESET REPLICA", "RESET BINARY LOGS AND GTIDS", name=REPLICA)
    mine.sql("RESET BINARY LOGS AND GTIDS")
    mine.sql("START REPLICA", name=REPLICA)
    mine.write()
    result = mine.once_named("backup.other_history")
    finding = fixes.the(result, "backup.other_history")
    (kept,) = finding["proof"]
    assert re.fullmatch(r"kept: binlog/[0-9a-f-]{36}\.until-\d+", kept)
    old = mine.newest()
    mine.take_base(finding)
    fixes.run_command(finding, mine.kubeconfig)
    mine.assert_healthy()
    latest = mine.backup_facts()["window"]["latest"]
    assert latest["base"] > old
    assert latest["gtid_executed"] == str(mine.executed(PRIMARY))


def test_the_archive_lies_on_the_primarys_node(mine: Archived) -> None:
    """A local volume never moves; a switchover led the primary to it."""
    archiver = mine.node("mysql-on.kubernetes/archiver=mysql")
    assert archiver == mine.node(f"mysql-on.kubernetes/server={REPLICA}")
    mine.play_through(playbook="switchover", switchover_to=REPLICA)
    result = mine.once(level)
    assert named(result) == ["backup.same_node"]
    finding = fixes.the(result, "backup.same_node")
    assert archiver in finding["proof"][0]
    assert finding["fix"].startswith("Move the primary by a switchover")
    mine.play_through(playbook="switchover", switchover_to=PRIMARY)
    mine.assert_healthy()
