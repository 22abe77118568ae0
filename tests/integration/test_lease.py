# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One change at a time: the Lease on a real API server, taken by real playbooks that fail, end and are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, leases

from tests.integration import apiserver
from tests.integration.runner import CHECKOUT, codes, fail, run_module, succeed
from tests.integration.site import family, kill

pytestmark = list(apiserver.MARKS)
DEADLINE = 120.0
LEASE = "mysql-change"


class Space:
    """A namespace of its own, and who wants to change what is in it."""

    def __init__(self, kubeconfig: str) -> None:
        self.kubeconfig = kubeconfig
        self.cluster = client.connect(kubeconfig)
        self.namespace = apiserver.namespace(self.cluster)

    def asked(self, process: int, **more: Any) -> dict[str, Any]:
        """The arguments of cluster_lease."""
        where = {"kubeconfig": self.kubeconfig, "namespace": self.namespace}
        return {**where, "process": process, "playbook": "site.yml", "wait": 1, **more}

    def lease(self) -> leases.Lease | None:
        return leases.Book(self.cluster, self.namespace, "mysql").read()

    def holder(self) -> str:
        """The playbook that holds it, empty for none."""
        lease = self.lease()
        return lease.holder.playbook if lease and lease.holder else ""

    def write(self, renewed: datetime, seconds: int = 3) -> None:
        """Write a Lease as a run on another host does, by a clock of its own."""
        moment = renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": "elsewhere/1/1",
            "leaseDurationSeconds": seconds,
            "acquireTime": moment,
            "renewTime": moment,
        }
        notes = {f"{leases.NOTE}host": "elsewhere", f"{leases.NOTE}playbook": "failover.yml"}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": LEASE, "annotations": notes},
            "spec": spec,
        }
        if self.lease() is None:
            self.cluster.create("Lease", body, self.namespace)
        else:
            self.cluster.patch("Lease", LEASE, {"spec": spec}, self.namespace)


@pytest.fixture
def space(api: str) -> Space:
    return Space(api)


@contextmanager
def playing() -> Iterator[int]:
    """A process that a Lease can be for, as long as the block lasts."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def until(holds: Callable[[], Any], words: str, seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {words}"
        time.sleep(0.05)


class Play:
    """A playbook that takes the Lease, says so by a file, and then waits for another one."""

    def __init__(self, space: Space, folder: Path, *tasks: dict[str, Any]) -> None:
        self.taken, self.go = folder / "taken", folder / "go"
        lease = {
            "kubeconfig": space.kubeconfig,
            "namespace": space.namespace,
            "wait": 1,
        }
        wait = f"touch {self.taken}; while ! test -e {self.go}; do sleep 0.1; done"
        self.path = folder / "change.yml"
        self.path.write_text(
            yaml.safe_dump(
                [
                    {
                        "name": "A change",
                        "hosts": "localhost",
                        "connection": "local",
                        "gather_facts": False,
                        "tasks": [
                            {"mysql_on.kubernetes.cluster_lease": lease},
                            *tasks,
                            {"ansible.builtin.shell": wait},
                        ],
                    }
                ]
            )
        )

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("--inventory", "localhost,", str(self.path), *options),
                *("-e", json.dumps({"ansible_python_interpreter": sys.executable})),
            ],
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """The playbook, holding the Lease; what is left of it afterwards is killed."""
        with self.start() as running:
            members = [running.pid]
            try:
                until(lambda: self.taken.exists() or running.poll() is not None, "it is taken")
                assert self.taken.exists(), running.communicate()[0]
                members = family(running.pid)
                yield running
            finally:
                self.go.touch()
                for member in members:
                    with suppress(ProcessLookupError):
                        os.kill(member, signal.SIGKILL)


def test_of_several_at_the_same_instant_one_gets_it(space: Space) -> None:
    with playing() as one, playing() as two, playing() as three, ThreadPoolExecutor(3) as pool:
        asked = [space.asked(each, wait=0) for each in (one, two, three)]
        found = list(pool.map(lambda given: run_module("cluster_lease", given), asked))
    assert sorted(bool(each.get("held")) for each in found) == [False, False, True]


def test_a_second_run_is_told_who_holds_it_and_how_to_go_on(space: Space) -> None:
    with playing() as first, playing() as second:
        assert succeed("cluster_lease", space.asked(first))["held"]
        refused = fail("cluster_lease", space.asked(second, playbook="switchover.yml"))
        assert codes(refused) == ["change.under_way"]
        (cause,) = refused["findings"]
        assert cause["summary"].startswith(
            f"site.yml on {os.uname().nodename} is changing mysql in"
        )
        assert f"process {first} of " in cause["proof"][0]
        assert cause["fix"].endswith(f"kill {first}")
    # As it said: its process has ended.
    with playing() as second:
        waited = succeed("cluster_lease", space.asked(second, wait=10))
        assert (waited["held"], waited["taken_from"]) == (True, "")


def test_who_holds_it_takes_it_no_second_time(space: Space) -> None:
    with playing() as process:
        succeed("cluster_lease", space.asked(process))
        before = space.lease()
        again = succeed("cluster_lease", space.asked(process))
        after = space.lease()
        assert (again["held"], again["changed"]) == (True, False)
        assert before
        assert after
        assert (before.since, before.taken) == (after.since, after.taken)


def test_it_is_renewed_while_the_playbook_runs_and_let_go_when_it_ends(space: Space) -> None:
    with playing() as process:
        succeed("cluster_lease", space.asked(process))
        first = space.lease()
        until(lambda: space.lease() != first, "a sign of life")
        assert space.holder() == "site.yml"
    until(lambda: not space.holder(), "it is let go", 3)


@pytest.mark.parametrize("off", [timedelta(0), timedelta(days=-400), timedelta(days=400)])
def test_a_holder_that_is_gone_is_found_out_whatever_its_clock_says(
    space: Space, off: timedelta
) -> None:
    space.write(datetime.now(UTC) + off)
    with playing() as process:
        begun = time.monotonic()
        taken = succeed("cluster_lease", space.asked(process, wait=20))
        assert time.monotonic() - begun >= 3, "not before its duration is over by our clock"
        assert taken["taken_from"].startswith("failover.yml on elsewhere")
        lease = space.lease()
        assert lease
        assert lease.taken == 1


def test_a_holder_that_lives_keeps_it_whatever_its_clock_says(space: Space) -> None:
    moment, over = datetime.now(UTC) - timedelta(days=400), threading.Event()
    space.write(moment)

    def live() -> None:
        own, now = Space.__new__(Space), moment
        own.cluster, own.namespace = client.connect(space.kubeconfig), space.namespace
        while not over.wait(1.0):
            now += timedelta(seconds=1)
            own.write(now)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        with playing() as process:
            refused = fail("cluster_lease", space.asked(process, wait=7))
            assert codes(refused) == ["change.under_way"]
    finally:
        over.set()
        thread.join()


def test_nothing_is_taken_in_check_mode_or_without_a_namespace(space: Space) -> None:
    with playing() as process:
        checked = succeed("cluster_lease", space.asked(process), check=True)
        assert not checked["held"]
        assert space.lease() is None
        nowhere = succeed("cluster_lease", space.asked(process, namespace="not-there"))
        assert not nowhere["held"]


def test_a_playbook_that_ends_or_fails_lets_it_go(space: Space, tmp_path: Path) -> None:
    for last, code in (("true", 0), ("false", 2)):
        folder = tmp_path / last
        folder.mkdir()
        play = Play(space, folder, {"ansible.builtin.command": last})
        play.go.touch()
        with play.start() as running:
            output = running.communicate()[0]
        assert running.returncode == code, output
        assert f"change.yml: mysql in namespace {space.namespace} of https://" in output
        assert space.lease() is not None
        until(lambda: not space.holder(), "it is let go", 3)


def test_a_playbook_that_is_killed_with_all_it_started_lets_it_go_at_once(
    space: Space, tmp_path: Path
) -> None:
    with Play(space, tmp_path).running() as running:
        assert space.holder() == "change.yml"
        kill(running)
        until(lambda: not space.holder(), "it is let go", 5)


def test_modules_that_a_killed_playbook_left_at_work_keep_it(space: Space, tmp_path: Path) -> None:
    play = Play(space, tmp_path)
    with play.running() as running, playing() as process:
        running.kill()
        running.wait()
        refused = fail("cluster_lease", space.asked(process, wait=3))
        assert "change.yml" in refused["findings"][0]["summary"]
        # The module comes to its end.
        play.go.touch()
        until(lambda: not space.holder(), "it is let go", 10)


def test_a_playbook_whose_lease_is_taken_away_is_ended(space: Space, tmp_path: Path) -> None:
    with Play(space, tmp_path).running() as running:
        space.cluster.delete("Lease", LEASE, space.namespace)
        output = running.communicate(timeout=20)[0]
        assert running.returncode != 0
        assert f"The Lease {space.namespace}/{LEASE} was deleted or taken by another run" in output
