# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The db phase on a cluster that is in use: options, a change that fails, replicas, passwords."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, pods, topology

from tests.integration import cluster
from tests.integration.site import LITTLE_MEMORY, Site

pytestmark = [
    *cluster.MARKS,
    pytest.mark.long,
]

LABELS = f"app.kubernetes.io/name=mysql,{topology.SERVER_LABEL}"
# The lab's own option (inventories/lab), which every set of options here repeats.
AIO = {"innodb_use_native_aio": "OFF"}
STEPS = ("--tags", "step1,step2,step3,step4,step5,step6")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site(cluster_replicas=2, cluster_mysql_config=AIO, **LITTLE_MEMORY)
    try:
        first = made.play(*STEPS)
        assert not first.failed, first.output
        yield made
    finally:
        made.remove()


def running(site: Site) -> dict[str, str]:
    """The Pods that are there, by instance."""
    found = site.cluster.list("Pod", site.namespace, labels=LABELS)
    return {
        pod["metadata"]["labels"][topology.SERVER_LABEL]: str(pod["metadata"]["name"])
        for pod in found
        if pods.is_live(pod)
    }


class Watch:
    """Notes in which order the instances are without a ready Pod, and how many at once at most."""

    def __init__(self, site: Site) -> None:
        # A Cluster is not shared by threads.
        self._cluster = client.connect(cluster.kubeconfig())
        self._site = site
        self._names = set(running(site))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.order: list[str] = []
        self.most = 0

    def _run(self) -> None:
        while not self._over.wait(0.3):
            found = self._cluster.list("Pod", self._site.namespace, labels=LABELS)
            ready = {
                pod["metadata"]["labels"][topology.SERVER_LABEL]
                for pod in found
                if pods.is_ready(pod)
            }
            missing = sorted(self._names - ready)
            self.most = max(self.most, len(missing))
            self.order += [name for name in missing if name not in self.order]

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()


def play(site: Site, **variables: Any) -> Any:
    return site.play(*STEPS, **variables)


def test_an_option_that_the_version_lacks_touches_nothing(site: Site) -> None:
    before = running(site)
    refused = play(site, cluster_mysql_config={**AIO, "expire_logs_days": 7})
    assert refused.failed
    assert "engine.option_unknown" in refused.output
    assert "expire_logs_days = 7" in refused.output
    assert not refused.changed
    assert running(site) == before


def test_a_changed_option_goes_round_one_by_one_the_primary_last(site: Site) -> None:
    before = running(site)
    with Watch(site) as watch:
        changed = play(site, cluster_mysql_config={**AIO, "max_connections": 200})
    assert not changed.failed, changed.output
    assert watch.order == ["mysql-11", "mysql-12", "mysql-1"]
    assert watch.most == 1
    assert not set(before.values()) & set(running(site).values())
    site.variables["cluster_mysql_config"] = {**AIO, "max_connections": 200}
    again = play(site)
    assert again.recap["changed"] == 0, again.changed


def test_a_change_stops_at_the_first_that_does_not_come_back(site: Site) -> None:
    before = running(site)
    stopped = play(site, cluster_memory_request="64Mi", cluster_memory_limit="100Mi")
    assert stopped.failed
    assert "kube.out_of_memory" in stopped.output
    assert "untouched: mysql-12, mysql-1." in stopped.output
    after = running(site)
    assert {name for name in before if before[name] != after[name]} == {"mysql-11"}
    healed = play(site)
    assert not healed.failed, healed.output
    assert running(site)["mysql-12"] == before["mysql-12"]


def test_a_replica_goes_and_its_volume_is_taken_up_again(site: Site) -> None:
    fewer = play(site, cluster_replicas=1)
    assert not fewer.failed, fewer.output
    assert set(running(site)) == {"mysql-1", "mysql-11"}
    claim = site.cluster.get("PersistentVolumeClaim", "mysql-12", site.namespace)
    assert claim is not None
    again = play(site, cluster_replicas=1)
    assert again.recap["changed"] == 0, again.changed
    more = play(site)
    assert not more.failed, more.output
    back = site.cluster.get("PersistentVolumeClaim", "mysql-12", site.namespace)
    assert back
    assert back["spec"]["volumeName"] == claim["spec"]["volumeName"]


def test_nine_replicas_then_one_then_two(site: Site) -> None:
    every = {f"mysql-{number}" for number in (1, *range(11, 20))}
    for count in (9, 1, 2):
        wanted = {f"mysql-{number}" for number in (1, *range(11, 11 + count))}
        scaled = play(site, cluster_replicas=count)
        assert not scaled.failed, scaled.output
        assert set(running(site)) == wanted
        again = play(site, cluster_replicas=count)
        assert not again.failed, again.output
        assert again.recap["changed"] == 0, again.changed
    claims = site.cluster.list("PersistentVolumeClaim", site.namespace, labels=LABELS)
    assert {str(claim["metadata"]["name"]) for claim in claims} == every


def test_the_primary_is_not_scaled_away(site: Site) -> None:
    before = running(site)
    refused = play(site, cluster_server_ids=[11, 12])
    assert refused.failed
    assert "mysql-1 is the primary" in refused.output
    assert running(site) == before


def test_passwords_change_and_nobody_is_locked_out(site: Site) -> None:
    def held() -> dict[str, Any]:
        names = ("mysql-auth", "mysql-app")
        secrets = [site.cluster.get("Secret", name, site.namespace) for name in names]
        return {key: value for one in secrets if one for key, value in one["data"].items()}

    before = held()
    with Watch(site) as watch:
        rotated = site.play(playbook="rotate")
    assert not rotated.failed, rotated.output
    assert watch.order == []
    after = held()
    assert after.keys() == before.keys()
    same = {key for key in before if before[key] == after[key]}
    assert same == {"username"}
    again = play(site)
    assert again.recap["changed"] == 0, again.changed
