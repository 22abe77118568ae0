# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The course step by step: refused where the ground is missing, predicted, played, proved, taken down.

The tests of this file are one story about one site and run in their order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import pods, topology
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import statement

from tests.integration import cluster
from tests.integration.site import Site

pytestmark = [
    *cluster.MARKS,
]
long = pytest.mark.long

STEPS = [f"step{number}" for number in range(1, 11)]
PHASES = ["infra", "db", "data", "app"]
MADE = (
    *("ConfigMap", "Deployment", "Ingress", "PersistentVolumeClaim", "PodDisruptionBudget"),
    *("Secret", "Service"),
)
# What Kubernetes itself puts into every namespace.
GIVEN = {"ConfigMap kube-root-ca.crt"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.remove()


def test_the_preflight_tells_all_causes_at_once_and_changes_nothing(site: Site) -> None:
    played = site.play(
        *("--tags", "preflight"),
        cluster_image="mysql:5.7",
        cluster_app_ip="10.1.1.1",
        cluster_storage_class="standard",
        cluster_memory_request="900Gi",
    )
    assert played.failed
    for code in (
        *("mysql.version_old", "metallb.ip_in_no_pool"),
        *("storage.class_missing", "kube.no_room"),
    ):
        assert f"[{code}]" in played.output
    assert "4 causes; nothing was changed" in played.output
    assert not site.exists()


def test_the_preflight_of_a_good_run_says_what_is_proved_and_what_is_not(site: Site) -> None:
    played = site.play("--tags", "preflight")
    assert not played.failed, played.output
    assert played.recap["changed"] == 0
    assert "not proved  that a container may write to its volume" in played.output
    assert "--tags step1" in played.last
    assert not site.exists()


@pytest.mark.parametrize("tag", [pytest.param(tag, marks=long) for tag in STEPS[3:]])
def test_a_step_alone_names_what_is_missing_and_the_tag_that_makes_it(site: Site, tag: str) -> None:
    played = site.play("--tags", tag)
    assert played.failed
    assert f"Namespace {site.namespace} is missing for step {tag[4:]}" in played.output
    assert "--tags step3" in played.output
    assert played.recap["changed"] == 0
    assert not site.exists()


@pytest.mark.parametrize("tag", [pytest.param(tag, marks=long) for tag in (*PHASES[1:], "looks")])
def test_a_phase_alone_does_so_too(site: Site, tag: str) -> None:
    played = site.play("--tags", tag)
    assert played.failed
    assert "[step.missing]" in played.output
    assert "--tags step3" in played.output


def test_verify_of_nothing_is_refused_in_korean(site: Site) -> None:
    played = site.play("--tags", "verify", cluster_language="ko")
    assert played.failed
    assert "3단계에서 만듭니다" in played.output


@long
def test_check_mode_predicts_the_objects_of_a_first_run_and_every_step_what_it_changes(
    site: Site,
) -> None:
    whole = site.play("--check", "--diff")
    assert not whole.failed, whole.output
    assert not site.exists()
    assert "run the same without --check" in whole.last
    for number, tag in enumerate(STEPS, start=1):
        predicted = site.play("--check", "--diff", "--tags", tag)
        assert not predicted.failed, predicted.output
        played = site.play("--tags", tag)
        assert not played.failed, played.output
        assert bool(predicted.changed) == bool(played.changed), (tag, predicted.output)
        following = f"--tags step{number + 1}" if number < 10 else "--tags verify"
        assert played.last.endswith(following), played.output
    made = set(site.objects(*MADE)) - GIVEN
    assert whole.predicted - {f"Namespace {site.namespace}"} == made


@long
@pytest.mark.parametrize("tag", [*STEPS, *PHASES, "preflight", "verify"])
def test_each_tag_alone_changes_nothing_on_the_finished_site(site: Site, tag: str) -> None:
    before = site.objects(*MADE)
    played = site.play("--tags", tag)
    assert not played.failed, played.output
    assert played.changed == []
    assert site.objects(*MADE) == before
    assert played.last or tag == "verify"


@long
def test_the_finished_site_is_looked_at_in_three_ways(site: Site) -> None:
    played = site.play("--tags", "looks")
    assert not played.failed, played.output
    assert played.recap["changed"] == 0
    assert "@@binlog_format" in played.output
    assert "| ROW " in played.output
    assert "mysql-1 answers: mysql-bin." in played.output
    assert "# at 4" in played.output
    assert "server id 1" in played.output


@long
def test_check_mode_predicts_nothing_for_the_finished_site_and_one_thing_for_one_difference(
    site: Site,
) -> None:
    assert site.play("--check", "--diff").changed == []
    before = site.objects(*MADE)
    different = {"app_api_replicas": 2}
    predicted = site.play("--check", "--diff", **different)
    assert site.objects(*MADE) == before
    assert {"replicas: 1", "replicas: 2"} <= {
        line.strip() for line in predicted.output.splitlines()
    }
    played = site.play(**different)
    assert not played.failed, played.output
    assert predicted.changed == played.changed != []
    after = site.objects(*MADE)
    assert {name for name in after if after[name] != before.get(name)} == {"Deployment app-api"}
    assert site.play(**different).changed == []


def wait_until_unready(site: Site, instance: str) -> None:
    """Wait until mysql-read does not lead to an instance any more."""
    deadline = time.monotonic() + 60
    labels = f"{topology.SERVER_LABEL}={instance}"
    while any(map(pods.is_ready, site.cluster.list("Pod", site.namespace, labels=labels))):
        assert time.monotonic() < deadline, f"{instance} stays ready"
        time.sleep(0.5)


@long
def test_check_mode_predicts_what_mends_a_replica_whose_applier_stands(site: Site) -> None:
    login = {
        "kubeconfig": cluster.kubeconfig(),
        "pod": {"namespace": site.namespace, "deployment": "mysql-11"},
        "login_password": site.password,
    }
    with roads.connect(login) as replica:
        replica.execute(statement("stop_applier", replica.server.version))
    wait_until_unready(site, "mysql-11")
    predicted = site.play("--check", "--diff", "--tags", "db")
    assert not predicted.failed, predicted.output
    assert re.search(r"^-.*applier.*stopped", predicted.output, re.MULTILINE)
    assert re.search(r"^\+.*applier.*started", predicted.output, re.MULTILINE)
    played = site.play("--tags", "db")
    assert not played.failed, played.output
    assert predicted.changed == played.changed != []
    assert predicted.recap["changed"] == played.recap["changed"]
    assert site.play("--tags", "db").changed == []


@long
def test_the_difference_of_an_engine_is_shown_before_anything_restarts(site: Site) -> None:
    before = site.objects(*MADE)
    predicted = site.play("--check", "--diff", "--tags", "db", cluster_memory_limit="1900Mi")
    assert predicted.changed != []
    lines = {line.strip() for line in predicted.output.splitlines()}
    assert {"memory: 1900Mi", "memory: 2Gi"} <= lines
    assert site.objects(*MADE) == before


@long
def test_a_teardown_asks_keeps_what_is_not_named_and_the_site_comes_back(site: Site) -> None:
    unasked = site.play(playbook="teardown")
    assert unasked.failed
    assert "Nothing was touched" in unasked.output
    wrong = site.play(playbook="teardown", teardown_confirm="mysql")
    assert "Nothing was touched" in wrong.output
    assert "employees: 6 tables" in wrong.output
    stranger = site.play(playbook="teardown", teardown_volumes=["mysql-99"])
    assert "mysql-99 is no claim of the cluster mysql" in stranger.output
    confirmed = {"playbook": "teardown", "teardown_confirm": site.word}
    volumes = site.objects("PersistentVolumeClaim")
    down = site.play(**confirmed)
    assert not down.failed, down.output
    assert site.objects("PersistentVolumeClaim").keys() == volumes.keys()
    assert set(site.objects("Deployment", "Ingress", "Service")) == {"Service mysql-write"}
    assert site.play(**confirmed).changed == []

    back = site.play()
    assert not back.failed, back.output
    assert "Load it into the primary, watching it arrive on the replicas" not in back.changed

    gone = site.play(**confirmed, teardown_volumes=["mysql-1", "mysql-11"])
    assert not gone.failed, gone.output
    assert "ALL DATA ABOVE IS LOST" in gone.output
    assert set(site.objects(*MADE)) <= GIVEN
