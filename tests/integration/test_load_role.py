# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role data, played on real servers: refused before replication, loaded once, proved equal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.runner import CHECKOUT, COLLECTIONS
from tests.integration.servers import NEWEST, Server
from tests.integration.test_load import follow

pytestmark = pytest.mark.servers

PLAY = "- hosts: localhost\n  gather_facts: false\n  roles: [mysql_on.kubernetes.data]\n"


class Role:
    """Plays the role with the same variables again and again."""

    def __init__(self, folder: Path, primary: Server, replica: Server) -> None:
        self.folder = folder
        self.variables = {
            "data_primary": primary.instance("mysql-1"),
            "data_replicas": [replica.instance("mysql-11")],
            "data_login_password": primary.password,
            "data_scale": 0.002,
            "data_cache_dir": str(folder / "cache"),
            "data_proof_timeout": 20,
            "ansible_python_interpreter": sys.executable,
        }
        (folder / "play.yml").write_text(PLAY)

    def play(self, *options: str) -> str:
        """Return what a person sees."""
        variables = self.folder / "variables.json"
        variables.write_text(json.dumps(self.variables))
        command = [
            *(str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,"),
            *("-c", "local", "-e", f"@{variables}", str(self.folder / "play.yml"), *options),
        ]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


def recap(output: str) -> dict[str, int]:
    found = re.search(r"^localhost +: (.*)$", output, re.MULTILINE)
    assert found, output
    return {key: int(count) for key, count in (word.split("=") for word in found[1].split())}


def test_data_comes_after_replication_and_once(
    server_factory: ServerFactory, tmp_path: Path
) -> None:
    primary, replica = server_factory(NEWEST, 1), server_factory(NEWEST, 11)
    role = Role(tmp_path, primary, replica)
    refused = role.play()
    assert recap(refused)["failed"] == 1
    assert "replication.not_configured" in refused
    assert not primary.sql("SHOW DATABASES LIKE 'employees'")

    follow(replica, primary)
    assert recap(role.play("--check"))["changed"] == 1
    assert not (tmp_path / "cache").exists()
    first = role.play()
    assert recap(first)["failed"] == 0, first
    assert recap(first)["changed"] == 2
    assert "arrived: mysql-11 7,871" in first
    assert replica.sql("SELECT COUNT(*) AS n FROM employees.salaries") == [{"n": 5_688}]
    for option in ("--diff", "--check"):
        again = role.play(option)
        assert recap(again)["failed"] == 0, again
        assert recap(again)["changed"] == 0

    replica.sql(
        "SET GLOBAL super_read_only = OFF",
        "SET GLOBAL read_only = OFF",
        "SET sql_log_bin = 0",
        "UPDATE employees.salaries SET salary = salary + 1 LIMIT 1",
    )
    differs = role.play()
    assert recap(differs)["failed"] == 1
    assert "salaries" in differs


def test_a_dump_in_two_files_is_loaded_in_their_order(
    shared_server_factory: ServerFactory, tmp_path: Path
) -> None:
    server = shared_server_factory("9.7", 1)
    (tmp_path / "z-schema.sql").write_text("CREATE TABLE t (id INT PRIMARY KEY);\n")
    (tmp_path / "a-rows.sql").write_text("INSERT INTO t VALUES (1),(2);\n")
    role = Role(tmp_path, server, server)
    role.variables["data_file"] = [str(tmp_path / "z-schema.sql"), str(tmp_path / "a-rows.sql")]
    role.variables |= {
        "data_replicas": [],
        "data_allow_no_replicas": True,
        "data_database": "parts",
    }
    for option, changed in (("--check", 1), ("--diff", 1), ("--diff", 0)):
        output = role.play(option)
        assert recap(output)["failed"] == 0, output
        assert recap(output)["changed"] == changed, output
    assert server.sql("SELECT COUNT(*) AS n FROM parts.t") == [{"n": 2}]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("data_scale", 2, "data_scale"),
        ("data_database", "", "data_database"),
        ("data_mode", "merge", "data_mode"),
        ("data_primary", {}, "data_primary"),
        ("data_replicas", [], "replica"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    shared_server_factory: ServerFactory, tmp_path: Path, variable: str, value: object, said: str
) -> None:
    server = shared_server_factory(NEWEST, 1)
    role = Role(tmp_path, server, server)
    role.variables[variable] = value
    output = role.play()
    assert recap(output)["failed"] == 1, output
    assert said in output, output
