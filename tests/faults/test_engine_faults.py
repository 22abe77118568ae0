# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of an image and its options before an instance runs on them: named, mended as the finding says.

The image is asked on the lab. The servers whose data it is to open are bare ones, which are read the same way.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration import cluster
from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = [
    *cluster.MARKS,
    pytest.mark.servers,
    pytest.mark.long,
]

OLD = "docker.io/library/mysql:8.0.15"


def given(space: cluster.Space, *servers: Server, **more: Any) -> dict[str, Any]:
    return {
        "kubeconfig": cluster.kubeconfig(),
        "namespace": space.name,
        "image": cluster.IMAGE,
        "my_cnf": "[mysqld]\n",
        "instances": [one.instance(f"mysql-{one.server_id}") for one in servers],
        **more,
    }


@pytest.mark.parametrize("image", [cluster.IMAGE, OLD])
def test_a_value_that_the_server_does_not_take(space: cluster.Space, image: str) -> None:
    def my_cnf(value: str) -> str:
        return f"[mysqld]\nmax_connections = 60\nbinlog_format = {value}\n"

    asked = given(space, image=image, my_cnf=my_cnf("SENTENCE"))
    finding = fixes.the(fail("mysql_engine_check", asked), "engine.option_refused")
    assert finding["proof"][0] == "my.cnf line 3: binlog_format = SENTENCE"
    assert "SENTENCE" in finding["proof"][1]
    assert "Give binlog_format in db_config (cluster_mysql_config) a value" in finding["fix"]
    succeed("mysql_engine_check", {**asked, "my_cnf": my_cnf("ROW")})


def test_an_image_is_older_than_the_data(
    space: cluster.Space, server_factory: ServerFactory
) -> None:
    server = server_factory("9.7", 1)
    result = fail("mysql_engine_check", given(space, server, image=OLD))
    finding = fixes.the(result, "engine.downgrade")
    # Without what its builder appends.
    running = server.sql("SELECT VERSION() AS v")[0]["v"].partition("-")[0]
    assert f"VERSION() of mysql-1: {running}" in finding["proof"]
    assert finding["fix"].startswith(f"Keep an image of {running} or later")
    assert succeed("mysql_engine_check", given(space, server))["findings"] == []


def test_an_image_is_too_far_ahead_of_the_data(
    space: cluster.Space, server_factory: ServerFactory, tmp_path: Path
) -> None:
    old, new = server_factory("8.0.15", 1), server_factory("9.7", 11)
    old.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
    old.sql("INSERT INTO shop.t VALUES (1), (2)", "COMMIT")
    result = fail("mysql_engine_check", given(space, old))
    finding = fixes.the(result, "engine.skips_lts")
    words = re.search(r"or re-seed: load a dump into a new cluster of ([\d.]+) ", finding["fix"])
    assert words
    assert new.sql("SELECT VERSION() AS v")[0]["v"].startswith(words[1])
    # As docs/how-to/upgrade.md, which it names, writes it.
    options = ("--single-transaction", "--routines", "--triggers", "--events")
    dump = tmp_path / "shop.sql"
    dump.write_text(old.client("mysqldump", *options, "--set-gtid-purged=OFF", "shop"))
    succeed("mysql_load", {**new.login, "file": str(dump), "database": "shop"})
    assert new.sql("SELECT COUNT(*) AS n FROM shop.t")[0]["n"] == 2
    assert succeed("mysql_engine_check", given(space, new))["findings"] == []


def test_a_server_whose_data_it_is_to_open_is_down(
    space: cluster.Space, server_factory: ServerFactory
) -> None:
    server = server_factory("9.7", 1)
    server.stop()
    result = succeed("mysql_engine_check", given(space, server))
    finding = fixes.the(result, "engine.version_unread")
    assert finding["severity"] == "warning"
    assert str(server.port) in finding["proof"][0]
    assert finding["fix"].startswith("Nothing needs to be done: the server itself refuses data")
    server.start()
    result = succeed("mysql_engine_check", given(space, server))
    assert codes(result) == []
    assert result["running"]["mysql-1"]
