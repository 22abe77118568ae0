# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The broken course's cluster is taken over on its own volumes. One story about one cluster, in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration import cluster
from tests.integration.course import DEPLOYMENTS, ROWS, Course
from tests.integration.site import Played, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

INSTANCES = {"mysql-1": 1, "mysql-11": 11, "mysql-12": 12}
MADE = ("ConfigMap", "Deployment", "PersistentVolumeClaim", "Secret", "Service")
STEPS = ("--tags", "infra,db,data")


# Of the older version, at which tasks the controller is killed before the run that ends it.
KILLED_AT = {
    "9.7": (),
    "8.0.15": (
        *("Turn GTIDs on", "Make its new Deployment", "Make its new Deployment"),
        *("Let the Services forget", "Point each replica at the primary"),
    ),
}


@pytest.fixture(scope="module", params=KILLED_AT)
def course(request: pytest.FixtureRequest) -> Iterator[Course]:
    image = f"docker.io/library/mysql:{request.param}"
    site = Site(cluster_replicas=2, cluster_image=image, cluster_data_mode="keep")
    try:
        yield Course(site, image)
    finally:
        site.remove()


@pytest.fixture(scope="module")
def before(course: Course) -> dict[str, str]:
    return course.volumes()


def adopt(course: Course, *options: str, **variables: Any) -> Played:
    return course.site.play(*options, playbook="adopt", **variables)


def agreed(course: Course) -> dict[str, Any]:
    return {"adopt_confirm": course.site.word, "adopt_overwrite": ["mysql-11"]}


def test_what_only_a_replica_has_is_not_given_up_unasked(course: Course) -> None:
    objects = course.site.objects(*MADE)
    refused = adopt(course, adopt_confirm=course.site.word)
    assert refused.failed
    assert "[adopt.only_there]" in refused.output
    assert "mine.notes" in refused.output
    assert refused.changed == []
    assert course.site.objects(*MADE) == objects


def test_the_plan_names_every_fault_and_nothing_is_done_unasked(course: Course) -> None:
    objects = course.site.objects(*MADE)
    planned = adopt(course, "--check", adopt_overwrite=["mysql-replica-1"])
    assert not planned.failed, planned.output
    for code in (
        *("replication.replicas_share_server_id", "replication.replica_uuid_duplicate"),
        *("replication.server_id_duplicate", "replication.gtid_off", "adopt.data_first"),
    ):
        assert f"[{code}]" in planned.output
    assert "mysql-11: 1 tables that the primary does not have: mine.notes" in planned.output
    assert "mysql-12 has the rows of the primary" in planned.output
    assert "ConfigMap mysql-config has a name of ours" in planned.output
    unasked = adopt(course, adopt_overwrite=["mysql-11"])
    assert unasked.failed
    assert "Nothing was changed" in unasked.output
    assert course.site.objects(*MADE) == objects


def test_it_is_taken_over_on_its_own_volumes(course: Course, before: dict[str, str]) -> None:
    for task in KILLED_AT[course.image.rpartition(":")[2]]:
        course.site.kill_at(task, playbook="adopt", **agreed(course))
    adopted = adopt(course, **agreed(course))
    assert not adopted.failed, adopted.output
    assert course.volumes() == before
    for name, server_id in INSTANCES.items():
        assert course.value(name, "SELECT @@server_id") == server_id
        assert course.value(name, "SELECT @@gtid_mode") == "ON"
        assert course.value(name, "SELECT COUNT(*) FROM employees.employees") == ROWS
    uuids = {course.value(name, "SELECT @@server_uuid") for name in INSTANCES}
    assert len(uuids) == len(INSTANCES)
    found = {one.split()[1] for one in course.site.objects("Deployment")}
    assert found == set(INSTANCES)
    assert not found & set(DEPLOYMENTS)


def test_what_is_written_arrives_at_once(course: Course) -> None:
    with course.connect("mysql-1") as primary:
        primary.execute("INSERT INTO employees.employees VALUES (100000, 'new')")
        executed = primary.value("SELECT @@global.gtid_executed")
    for name in ("mysql-11", "mysql-12"):
        with course.connect(name) as replica:
            waited = replica.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 30)", (executed,))
            assert waited == 0
            found = "SELECT name FROM employees.employees WHERE emp_no = 100000"
            assert replica.value(found) == "new"


def test_root_s_password_is_kept_and_is_in_our_secret(course: Course) -> None:
    course.connect("mysql-1", course.site.password).close()


def test_a_second_run_and_the_site_change_nothing(course: Course) -> None:
    again = adopt(course, **agreed(course))
    assert not again.failed, again.output
    assert again.recap["changed"] == 0, again.changed
    predicted = course.site.play("--check", *STEPS)
    assert predicted.recap["changed"] == 0, predicted.changed
    played = course.site.play(*STEPS)
    assert not played.failed, played.output
    assert played.recap["changed"] == 0, played.changed
