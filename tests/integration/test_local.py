# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MySQL on this machine by Compose: really run, with whichever engine is there.

The image is the one that `make lab` puts into the cache. The tests are one story and run in their order.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    Connection,
    connect_tcp,
)

from tests.integration import servers
from tests.integration.runner import CHECKOUT
from tests.integration.site import Played

IMAGE = "docker.io/library/mysql:9.7"


def engine() -> str:
    """The engine that is there and answers, with its Compose; empty where there is none."""
    for name, compose in (
        ("docker", ["docker", "compose"]),
        ("docker", ["docker-compose"]),
        ("podman", ["podman-compose"]),
    ):
        if shutil.which(name) and shutil.which(compose[0]):
            asked = subprocess.run([name, "info"], capture_output=True, check=False)
            spoken = subprocess.run([*compose, "version"], capture_output=True, check=False)
            if asked.returncode == 0 and spoken.returncode == 0:
                return name
    return ""


ENGINE = engine()
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not ENGINE, reason="neither Docker with Compose nor podman-compose"),
]


def run(*command: str) -> str:
    done = subprocess.run([ENGINE, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


class Local:
    """One server, and the variables that it is played with."""

    def __init__(self, folder: Path, **variables: Any) -> None:
        self.name = f"steps-{uuid.uuid4().hex[:6]}"
        self.folder = folder
        self.port = servers.free_port()
        self.variables = {
            "ansible_python_interpreter": sys.executable,
            "local_name": self.name,
            "local_image": IMAGE,
            "local_folder": str(folder / "made"),
            "local_port": self.port,
            # Debian's Podman asks for more than a container of this machine may have.
            "local_ulimits": {"nofile": 1024, "nproc": 1024},
            **variables,
        }

    def play(self, *options: str, **variables: Any) -> Played:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("-i", "localhost,", "-c", "local", "playbooks/local.yml"),
                *("-e", json.dumps({**self.variables, **variables}), *options),
            ],
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Played(done.stdout)

    def connect(self, user: str = "root") -> Connection:
        which = "root-password" if user == "root" else "user-password"
        password = (self.folder / "made" / "inside" / which).read_text()
        return connect_tcp("127.0.0.1", self.port, user=user, password=password)

    def remove(self) -> None:
        subprocess.run([ENGINE, "rm", "--force", self.name], capture_output=True, check=False)
        for kind, name in (("volume", f"{self.name}-data"), ("network", f"{self.name}_default")):
            command = [ENGINE, kind, "rm", "--force", name]
            subprocess.run(command, capture_output=True, check=False)


@pytest.fixture(scope="module")
def image() -> None:
    found = subprocess.run([ENGINE, "image", "inspect", IMAGE], capture_output=True, check=False)
    if found.returncode:
        archives = sorted((servers.cache() / "images").glob("mysql-9.7-*.tar"))
        if not archives:
            pytest.skip("no archive of mysql:9.7 in the cache: make lab")
        run("load", "--input", str(archives[-1]))


@pytest.fixture(scope="module")
def local(image: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    made = Local(tmp_path_factory.mktemp("local"))
    yield made
    made.remove()


def test_one_playbook_runs_a_server_with_a_binary_log_and_the_second_changes_nothing(
    local: Local,
) -> None:
    predicted = local.play("--check")
    assert not predicted.failed, predicted.output
    assert f"Would bring the container {local.name} from absent to started" in predicted.output
    assert not (local.folder / "made").exists()
    played = local.play()
    assert not played.failed, played.output
    assert "binary log ROW, kept 7 days" in played.output
    with local.connect("app") as connection:
        assert connection.query("SELECT DATABASE() AS d, CURRENT_USER() AS u")[0]["u"] == "app@%"
        connection.execute("CREATE TABLE app.notes (id INT PRIMARY KEY, said TEXT)")
        connection.execute("INSERT INTO app.notes VALUES (1, 'kept')")
        connection.execute("COMMIT")
    for option in ("--diff", "--check"):
        again = local.play(option)
        assert not again.failed, again.output
        assert again.changed == []
    for secret in ("root-password", "user-password"):
        word = (local.folder / "made" / "inside" / secret).read_text()
        assert word not in played.output + again.output


def test_data_and_binary_log_survive_a_restart(local: Local) -> None:
    def logs() -> dict[str, int]:
        with local.connect() as connection:
            rows = connection.query("SHOW BINARY LOGS")
        return {str(row["log_name"]): int(row["file_size"]) for row in rows}

    before = logs()
    stopped = local.play(local_state="stopped")
    assert not stopped.failed, stopped.output
    assert run("inspect", "--format={{.State.Running}}", local.name) == "false"
    assert local.play(local_state="stopped").changed == []
    started = local.play()
    assert not started.failed, started.output
    after = logs()
    assert before.keys() < after.keys()
    with local.connect() as connection:
        rows = connection.query("SELECT said FROM app.notes")
    assert [row["said"] for row in rows] == ["kept"]
    read = run(
        *("exec", local.name, "mysqlbinlog", "--base64-output=DECODE-ROWS", "--verbose"),
        *(f"/var/lib/mysql/{name}" for name in before),
    )
    assert "### INSERT INTO `app`.`notes`" in read


def test_a_changed_option_reaches_the_server_and_the_data_stays(local: Local) -> None:
    assert local.play("--check", local_binlog_days=3).changed != []
    changed = local.play(local_binlog_days=3)
    assert not changed.failed, changed.output
    with local.connect() as connection:
        asked = connection.query(
            "SELECT @@binlog_expire_logs_seconds AS s, COUNT(*) AS n FROM app.notes"
        )
    assert asked == [{"s": 3 * 86400, "n": 1}]
    assert local.play(local_binlog_days=3).changed == []


def test_what_mysqld_does_not_know_is_named_by_its_log(local: Local) -> None:
    refused = local.play(local_config={"no_such_option": 1})
    assert refused.failed
    assert "kube.unknown_option" in refused.output
    assert "no_such_option" in refused.output
    assert not local.play(local_binlog_days=3).failed


@pytest.mark.usefixtures("image")
def test_files_that_mysqld_may_not_open_are_owned_anew(tmp_path: Path) -> None:
    made = Local(tmp_path, local_data=str(tmp_path / "data"))
    try:
        assert not made.play().failed
        assert not made.play(local_state="stopped").failed
        index = tmp_path / "data" / "mysql-bin.index"
        index.chmod(0)
        os.chown(index, 12345, 12345)
        # The image's entrypoint mends the owner, and leaves the mode as it is.
        healed = made.play()
        assert not healed.failed, healed.output
        assert healed.recap["rescued"] == 1
        assert "Own the data anew" in healed.changed
        assert made.play().changed == []
    finally:
        made.remove()


def test_a_file_system_without_owners_is_not_used(local: Local, tmp_path: Path) -> None:
    # What stat calls the temporary folder's own file system is taken for one of those.
    kind = subprocess.run(
        ["stat", "--file-system", "--format", "%T", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    said = local.play(
        *("--check",),
        local_data=str(tmp_path / "data"),
        local_ownerless=[kind],
        local_language="ko",
    )
    assert not said.failed, said.output
    assert f"{local.name}-data" in said.output
    assert "errno 13" in said.output


def test_bad_input_is_named(local: Local) -> None:
    refused = local.play(local_port=70000)
    assert refused.failed
    assert (
        "local_port: 70000 is not allowed; allowed: a whole number from 1 to 65535"
        in refused.output
    )


def test_absent_keeps_the_volume(local: Local) -> None:
    assert not local.play(local_state="absent").failed
    assert f"{local.name}-data" in run("volume", "ls", "--quiet")
    assert local.play(local_state="absent").changed == []
