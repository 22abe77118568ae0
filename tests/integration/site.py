# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small site on the lab, in a namespace of its own, played by the playbooks as a user plays them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils import roads
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import client, kinds
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet

from tests.faults import second_lab
from tests.integration import cluster
from tests.integration.runner import CHECKOUT, succeed

# One replica, a few thousand rows, a load test that is no statistics: it is the playbook that is tested.
SMALL: dict[str, Any] = {
    "cluster_replicas": 1,
    "cluster_data_scale": 0.002,
    "cluster_storage_size": "256Mi",
    "app_api_replicas": 1,
    "app_web_replicas": 1,
    "app_load_reads": 60,
    "app_load_writes": 6,
}

# What a few thousand rows need: several instances and sites stand beside whatever else the lab runs.
LITTLE_MEMORY = {"cluster_memory_request": "256Mi", "cluster_memory_limit": "1Gi"}


@dataclass(frozen=True)
class Played:
    """What a run said."""

    output: str

    @property
    def recap(self) -> dict[str, int]:
        found = re.search(r"^localhost +: (.*)$", self.output, re.MULTILINE)
        assert found, self.output
        return {key: int(count) for key, count in (word.split("=") for word in found[1].split())}

    @property
    def failed(self) -> bool:
        return self.recap["failed"] > 0

    @property
    def changed(self) -> list[str]:
        """The tasks that changed something, without their role."""
        found, task = [], ""
        for line in self.output.splitlines():
            name = re.match(r"TASK \[(?:[\w.]+ : )?(.*)\] \*", line)
            if name:
                task = name[1]
            elif line.startswith("changed: [localhost]") and task not in found:
                found.append(task)
        return found

    @property
    def last(self) -> str:
        """The line with which the run says what to do next."""
        found = re.findall(r"^ +(?:Next|다음) +(.*(?:\n {8,}\S.*)*)$", self.output, re.MULTILINE)
        return " ".join(found[-1].split()) if found else ""

    @property
    def predicted(self) -> set[str]:
        """The objects of which check mode says that they would be made, as ``Kind name``."""
        return set(re.findall(r"Would make ([A-Z]\w+ [\w.:-]+)", self.output))


def family(pid: int) -> list[int]:
    """A process and its descendants: Ansible's workers lead groups of processes of their own."""
    found = [pid]
    for parent in found:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in path.read_text().split()]
    return found


def kill(running: subprocess.Popen[str]) -> None:
    """Kill a playbook with all that it started, as a lost machine does."""
    for process in family(running.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


class Site:
    """A site in a namespace of its own; remove() deletes it."""

    def __init__(self, *, lab: str = "", **variables: Any) -> None:
        """Take a name; lab: that of a lab beside the default one."""
        self.namespace = f"steps-{uuid.uuid4().hex[:6]}"
        self.environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", **({"LAB": lab} if lab else {})}
        self.kubeconfig = second_lab.kubeconfig(lab) if lab else cluster.kubeconfig()
        self.cluster = client.connect(self.kubeconfig)
        self.variables = {
            **SMALL,
            "cluster_kubeconfig": self.kubeconfig,
            "cluster_namespace": self.namespace,
            "cluster_app_host": f"{self.namespace}.example",
            **variables,
        }

    @property
    def word(self) -> str:
        """What confirms that it is meant."""
        return client.target(self.kubeconfig).word(self.namespace)

    def command(self, *options: str, playbook: str = "site", **variables: Any) -> list[str]:
        """The command that plays a playbook."""
        return [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("--inventory", "inventories/lab", f"playbooks/{playbook}.yml"),
            *("--extra-vars", json.dumps({**self.variables, **variables}), *options),
        ]

    def start(self, *options: str, **more: Any) -> subprocess.Popen[str]:
        """Begin to play a playbook, in a group of processes of its own."""
        return subprocess.Popen(
            self.command(*options, **more),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, *options: str, playbook: str = "site", **variables: Any) -> Played:
        """Play a playbook and return what a person sees."""
        with self.start(*options, playbook=playbook, **variables) as running:
            output, _none = running.communicate()
        return Played(output)

    def play_through(self, *options: str, playbook: str = "site", **variables: Any) -> Played:
        """Play a playbook that must not fail."""
        played = self.play(*options, playbook=playbook, **variables)
        assert not played.failed, played.output
        return played

    def kill_at(self, task: str, *options: str, **more: Any) -> str:
        """Play until a task begins, kill Ansible there with all that it started, return what it said."""
        with self.start(*options, **more) as running:
            said: list[str] = []
            for line in running.stdout or ():
                said.append(line)
                if line.startswith("TASK [") and task in line:
                    kill(running)
                    break
            else:
                raise AssertionError(f"no task {task!r} began:\n{''.join(said)}")
        return "".join(said)

    def kill_when(self, holds: Callable[[], bool], *options: str, **more: Any) -> str:
        """Play until something holds, kill Ansible there, return what it said."""
        with self.start(*options, **more) as running:
            said: list[str] = []
            reader = threading.Thread(target=lambda: said.extend(running.stdout or ()))
            reader.start()
            while running.poll() is None and not holds():
                time.sleep(0.1)
            ended = running.poll()
            kill(running)
            reader.join()
        assert ended is None, f"it ended before:\n{''.join(said)}"
        return "".join(said)

    def secret(self, name: str, key: str) -> str:
        """What a Secret holds under a key."""
        secret = self.cluster.get("Secret", name, self.namespace)
        assert secret is not None
        return base64.b64decode(secret["data"][key]).decode()

    @property
    def password(self) -> str:
        """Root's password of today."""
        return self.secret("mysql-auth", "root-password")

    @property
    def login(self) -> dict[str, Any]:
        """The options of a module that logs in as root."""
        return {"kubeconfig": cluster.kubeconfig(), "login_password": self.password}

    def connect(self, name: str) -> Connection:
        """A session of root's on an instance; the caller closes it."""
        pod = {"namespace": self.namespace, "deployment": name}
        return roads.connect({**self.login, "connect_timeout": 30, "pod": pod})

    def value(self, name: str, sql: str) -> Any:
        with self.connect(name) as connection:
            return connection.value(sql)

    def executed(self, name: str) -> GtidSet:
        return GtidSet.parse(str(self.value(name, "SELECT @@global.gtid_executed")))

    def claims(self) -> dict[str, dict[str, str]]:
        """The labels of each claim, by its name."""
        found = self.cluster.list("PersistentVolumeClaim", self.namespace)
        return {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in found}

    def backup_facts(self) -> dict[str, Any]:
        """What mysql_backup_info says of its archive."""
        return succeed("mysql_backup_info", self.of_backup())

    def of_backup(self) -> dict[str, Any]:
        """The options of mysql_backup_info."""
        where = {"namespace": self.namespace, "deployment": "mysql-archiver"}
        pod = {"namespace": self.namespace, "service": "mysql-write"}
        return {**self.login, "pod": pod, "archive": where}

    def exists(self) -> bool:
        return self.cluster.get("Namespace", self.namespace) is not None

    def objects(self, *of: str) -> dict[str, int]:
        """The generation, or the version where there is none, of each object, as ``Kind name``."""
        found = {}
        for kind in of:
            for one in self.cluster.list(kind, self.namespace):
                meta = one["metadata"]
                found[f"{kind} {meta['name']}"] = int(
                    meta.get("generation") or meta["resourceVersion"]
                )
        return found

    def remove(self) -> None:
        if self.exists():
            path = kinds.of("Namespace").path(None, self.namespace)
            self.cluster._request("DELETE", path, f"delete namespace {self.namespace}")
