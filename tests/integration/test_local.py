# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MySQL on this machine by Compose: really run. The tests are one story and run in their order."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.local import MARKS, Local, need_image, run

pytestmark = [*MARKS]


@pytest.fixture(scope="module")
def image() -> None:
    need_image()


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
