# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Back to just before a DELETE, and the cluster goes on with it. One story about one cluster, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.runner import codes, fail, succeed
from tests.integration.site import Played, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

STEPS = ("--tags", "infra,db,data")
TABLE = "employees.dept_emp"
RECOVER = {"recovery_in_cluster": True, "recovery_agreed": True}
SWITCH = {"recovery_action": "switch"}
RECOVERED = {"mysql-1": "mysql-recovery", "mysql-11": "mysql-11-recovery"}


class Cluster(Site):
    """A primary and a replica with a small data set and an archive."""

    def mounted(self) -> dict[str, str]:
        """The claim that each instance's Deployment has its data on."""
        found = {}
        for name in RECOVERED:
            deployment = self.cluster.get("Deployment", name, self.namespace)
            assert deployment is not None
            volumes = deployment["spec"]["template"]["spec"]["volumes"]
            data = next(volume for volume in volumes if volume["name"] == "data")
            found[name] = data["persistentVolumeClaim"]["claimName"]
        return found

    def recover(self, *options: str, **variables: Any) -> Played:
        given = {**RECOVER, "recovery_switch_confirm": self.word, **variables}
        return self.play("--tags", "recover", *options, playbook="recover", **given)

    def switch(self) -> dict[str, Any]:
        """The options of mysql_recovery_switch."""
        return {**self.login, "namespace": self.namespace}


@pytest.fixture(scope="module")
def mine() -> Iterator[Cluster]:
    site = Cluster(cluster_storage_size="1Gi", backup_storage_size="1Gi")
    try:
        for playbook, options in (("site", STEPS), ("backup", ())):
            played = site.play(*options, playbook=playbook)
            assert not played.failed, played.output
        yield site
    finally:
        site.remove()


@pytest.fixture(scope="module")
def rows(mine: Cluster) -> int:
    """How many rows there were. Somebody deletes half of them, and somebody else goes on writing."""
    with mine.connect("mysql-1") as primary:
        found = int(primary.value(f"SELECT COUNT(*) FROM {TABLE}") or 0)
        primary.execute(f"DELETE FROM {TABLE} WHERE emp_no % 2 = 0")
        primary.execute("CREATE TABLE employees.after_it (id INT PRIMARY KEY)")
    return found


TARGET = {"before": {"statement": "DELETE", "table": TABLE}}


def test_without_a_verified_recovery_nothing_is_touched(mine: Cluster, rows: int) -> None:
    assert codes(fail("mysql_recovery_switch", mine.switch())) == ["recovery.no_switch"]
    planned = mine.recover(recovery_target=TARGET, recovery_action="plan")
    assert not planned.failed, planned.output
    before = mine.executed("mysql-1")
    assert codes(fail("mysql_recovery_switch", mine.switch())) == ["recovery.unfinished"]
    assert mine.executed("mysql-1") == before
    assert mine.value("mysql-1", "SELECT @@global.read_only") == 0


def test_a_recovery_alone_changes_nothing_of_the_cluster(mine: Cluster, rows: int) -> None:
    recovered = mine.recover(recovery_target=TARGET)
    assert not recovered.failed, recovered.output
    assert mine.mounted() == {name: name for name in RECOVERED}
    unasked = mine.recover(recovery_action="switch")
    assert unasked.failed
    assert "The cluster was not touched" in unasked.output
    shown = unasked.output.partition("TASK [mysql_on.kubernetes.recovery : Ask whether")[0]
    # The DELETE and the CREATE TABLE, before anybody is asked.
    assert re.search(r"2 transactions, committed from 20\S+Z to 20\S+Z", shown), shown
    assert re.search(rf"{TABLE}: 0 inserted, 0 updated, [1-9]\d* deleted", shown), shown
    assert "employees.after_it: CREATE" in shown
    assert mine.value("mysql-1", "SELECT @@global.read_only") == 0
    planned = succeed("mysql_recovery_switch", mine.switch(), check=True)
    assert planned["claims"] == RECOVERED
    # The DELETE and the CREATE TABLE.
    assert planned["lost"]["transactions"] == 2
    assert mine.mounted() == {name: name for name in RECOVERED}


def test_the_cluster_goes_on_with_what_was_recovered(mine: Cluster, rows: int) -> None:
    before = mine.executed("mysql-1")
    switched = mine.recover(**SWITCH)
    assert not switched.failed, switched.output
    assert mine.mounted() == RECOVERED
    for name in RECOVERED:
        assert mine.value(name, f"SELECT COUNT(*) FROM {TABLE}") == rows
        assert mine.value(name, "SHOW TABLES FROM employees LIKE 'after_it'") is None
    lost = before - mine.executed("mysql-1")
    assert lost.count == 2
    assert f"Lost: {lost} (2 transactions)" in switched.output
    claims = mine.claims()
    for name in RECOVERED:
        assert claims[name]["mysql-on.kubernetes/retired-from"] == name
        assert f"{name}" in switched.output
    with mine.connect("mysql-1") as primary:
        assert primary.value("SELECT COUNT(*) FROM mysql.user WHERE user LIKE '%recovery%'") == 0


def test_what_a_switch_took_is_not_abandoned(mine: Cluster) -> None:
    abandoned = mine.play("--tags", "abandon", playbook="recover")
    assert not abandoned.failed, abandoned.output
    assert set(RECOVERED.values()) | set(RECOVERED) <= set(mine.claims())
    assert codes(fail("mysql_recovery_switch", mine.switch())) == ["recovery.no_switch"]


def test_the_site_and_the_archive_go_on(mine: Cluster) -> None:
    played = mine.play(*STEPS)
    assert not played.failed, played.output
    assert played.recap["changed"] == 0, played.changed
    with mine.connect("mysql-1") as primary:
        primary.execute("CREATE TABLE employees.later (id INT PRIMARY KEY)")
        gtids = primary.value("SELECT @@global.gtid_executed")
    with mine.connect("mysql-11") as replica:
        assert replica.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 60)", (gtids,)) == 0
    backed_up = mine.play(playbook="backup")
    assert not backed_up.failed, backed_up.output
    assert backed_up.recap["changed"] == 0, backed_up.changed
    assert mine.backup_facts()["gaps"] == ""


def scratch(mine: Cluster) -> str:
    """The claim of the recovery that was not switched to yet."""
    (name,) = (
        name
        for name, labels in mine.claims().items()
        if labels.get("app.kubernetes.io/name") == "mysql-recovery"
    )
    return name


def moved_to(claim: str) -> dict[str, str]:
    """The claim that each instance is on once the cluster was switched to a recovery."""
    return {"mysql-1": claim, "mysql-11": f"mysql-11-{claim.removeprefix('mysql-')}"}


def handed_over(mine: Cluster, claim: str) -> bool:
    found = mine.cluster.get("PersistentVolumeClaim", claim, mine.namespace)
    notes = (found or {})["metadata"].get("annotations") or {}
    return "mysql-on.kubernetes/handed-over" in notes


def test_a_switch_whose_controller_is_killed_again_and_again_loses_nothing(mine: Cluster) -> None:
    """Once with the data handed over and no instance moved, once between the instances, once before seeding.

    After the story above it is a second recovery, from a base of before the first.
    """
    rows = mine.value("mysql-1", f"SELECT COUNT(*) FROM {TABLE}")
    with mine.connect("mysql-1") as primary:
        primary.execute(f"DELETE FROM {TABLE} WHERE emp_no % 3 = 0")
    recovered = mine.recover(recovery_target=TARGET)
    assert not recovered.failed, recovered.output
    here, claim = mine.mounted(), scratch(mine)
    there = moved_to(claim)
    before, claims = mine.executed("mysql-1"), set(mine.claims())
    play: dict[str, Any] = {
        "playbook": "recover",
        "recovery_switch_confirm": mine.word,
        **RECOVER,
        **SWITCH,
    }

    said = mine.kill_when(lambda: handed_over(mine, claim), "--tags", "recover", **play)
    # Shown though nobody is asked.
    assert re.search(r"1 transactions, committed from 20\S+Z to 20\S+Z", said), said
    assert re.search(rf"{TABLE}: 0 inserted, 0 updated, [1-9]\d* deleted", said), said
    assert mine.mounted() == here
    assert mine.executed("mysql-1") == before
    assert mine.value("mysql-1", "SELECT @@global.super_read_only") == 1
    abandoned = mine.play("--tags", "abandon", playbook="recover")
    assert abandoned.failed, "what a switch has taken was abandoned"

    def replica_moved() -> bool:
        return mine.mounted()["mysql-11"] == there["mysql-11"]

    mine.kill_when(replica_moved, "--tags", "recover", **play)
    assert claims <= set(mine.claims())
    mine.kill_at("Seed each replica from the primary", "--tags", "recover", **play)
    switched = mine.recover(**SWITCH)
    assert not switched.failed, switched.output
    assert mine.mounted() == there
    for name in there:
        assert mine.value(name, f"SELECT COUNT(*) FROM {TABLE}") == rows
    lost = before - mine.executed("mysql-1")
    assert lost.count == 1
    assert f"Lost: {lost} (1 transactions)" in switched.output
    labels = mine.claims()
    assert claims <= set(labels)
    for name, old in here.items():
        assert labels[old]["mysql-on.kubernetes/retired-from"] == name
    played = mine.play(*STEPS)
    assert not played.failed, played.output
    assert played.recap["changed"] == 0, played.changed


def test_a_switch_waits_for_the_primary_that_it_was_begun_with(mine: Cluster) -> None:
    """First nobody reaches it; then the switch is cut off, and somebody makes the replica primary."""
    with mine.connect("mysql-1") as primary:
        primary.execute(f"DELETE FROM {TABLE} WHERE emp_no % 5 = 0")
    recovered = mine.recover(recovery_target=TARGET)
    assert not recovered.failed, recovered.output
    claim = scratch(mine)
    (pod,) = mine.cluster.list("Pod", mine.namespace, labels="mysql-on.kubernetes/server=mysql-1")
    asked = {**mine.switch(), "connect_timeout": 5}
    with cluster.port_closed(pod):
        silent = fail("mysql_recovery_switch", asked, check=True)
        finding = fixes.the(silent, "recovery.primary_silent")
        assert finding["fix"].startswith("Bring it back, or accept that")
        accepted = succeed("mysql_recovery_switch", {**asked, "accept_loss": True}, check=True)
        assert accepted["claims"] == moved_to(claim)
    assert succeed("mysql_recovery_switch", asked, check=True)["lost"]["transactions"] == 1

    play: dict[str, Any] = {
        "playbook": "recover",
        "recovery_switch_confirm": mine.word,
        **RECOVER,
        **SWITCH,
    }
    mine.kill_when(lambda: handed_over(mine, claim), "--tags", "recover", **play)
    mine.play_through(playbook="switchover", switchover_to="mysql-11")
    other = fixes.the(fail("mysql_recovery_switch", asked), "recovery.other_primary")
    assert other["subject"] == "mysql-11"
    (back,) = re.findall(r"playbooks/switchover\.yml -e switchover_to=(\S+)$", other["fix"])
    mine.play_through(playbook="switchover", switchover_to=back)
    switched = mine.recover(**SWITCH)
    assert not switched.failed, switched.output
    assert mine.mounted() == moved_to(claim)
    played = mine.play(*STEPS)
    assert not played.failed, played.output
    assert played.recap["changed"] == 0, played.changed
