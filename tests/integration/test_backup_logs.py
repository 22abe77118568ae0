# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Binary logs that are not as most are: encrypted at rest by their server, and of more than 4 GiB."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import servers
from tests.integration.archive import LocalArchive, executed, order, rotate, shop
from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, end_processes_of
from tests.integration.runner import succeed
from tests.integration.servers import NEWEST, Server

pytestmark = pytest.mark.servers

BEFORE_DROP = {"before": {"statement": "DROP", "table": "shop.orders"}}
# Beyond what four bytes hold, in rows of 16 MiB.
HUGE_ROWS = 262
POSITIONS = 1 << 32


@pytest.fixture
def archives() -> Iterator[list[LocalArchive | HandArchive]]:
    """What is removed after the test."""
    made: list[LocalArchive | HandArchive] = []
    yield made
    for one in made:
        if isinstance(one, HandArchive):
            end_processes_of(one.inside(one.home))
        one.remove()


def with_a_keyring(server: Server) -> None:
    """Start a server again with binary logs that are encrypted by a key in a file.

    What it loads is told by files beside the program and the component, which other servers use too: it gets
    its own of both (MySQL manual, "Keyring Component Installation").
    """
    found = str(server.sql("SELECT @@plugin_dir AS d")[0]["d"])
    home = str(server.sql("SELECT @@basedir AS d")[0]["d"])
    server.stop()
    plugins = server.tree / found.strip("/")
    inside = servers.in_tree(server.tree, "sh", "-c", "readlink -f $(command -v mysqld)").stdout
    program = server.tree / inside.strip().lstrip("/")
    for folder, files in (("program", [program]), ("plugins", list(plugins.glob("*.so")))):
        (server.folder / folder).mkdir()
        for file in files:
            os.link(file, server.folder / folder / file.name)
    component, keys = "component_keyring_file", f"{server.inside}/data/keys"
    told = json.dumps({"path": keys, "read_only": False})
    (server.folder / "plugins" / f"{component}.cnf").write_text(told)
    (server.folder / "program" / "mysqld.my").write_text(
        json.dumps({"components": f"file://{component}"})
    )
    servers.in_tree(server.tree, "install", "--owner=mysql", "--mode=600", "/dev/null", keys)
    server.program = f"{server.inside}/program/mysqld"
    # It looks for its messages beside its program, unless it is said where they are.
    server.start(
        *(f"--basedir={home}", f"--plugin-dir={server.inside}/plugins", "--binlog-encryption=ON")
    )


def stored(server: Server, name: str) -> Path:
    """A binary log as the server keeps it."""
    return server.folder / "data" / name


def test_logs_that_the_server_encrypts_are_archived_as_they_were_before(
    server_factory: ServerFactory, archives: list[LocalArchive | HandArchive]
):
    source = server_factory(NEWEST, 1)
    shop(source)
    with_a_keyring(source)
    backup = LocalArchive(source)
    archives.append(backup)
    backup.start()
    backup.wait_for(source)
    name = str(source.sql(source.says("show_binary_log_status"))[0]["file"])
    assert stored(source, name).read_bytes()[:4] == b"\xfdbin"
    # More of a log that is known already, then the end of it, and another one.
    order(source)
    backup.wait_for(source)
    backup.stop(kill=True)
    order(source)
    rotate(source)
    source.sql("DROP TABLE shop.orders")
    backup.start()
    backup.wait_for(source)
    found = backup.wait(lambda now: now.status.behind_bytes == 0, "all of it")
    assert found.status.state == "archiving"
    assert not found.foreign
    copy = next(backup.root.glob(f"binlog/*/{name}"))
    assert copy.read_bytes()[:4] == b"\xfebin"
    # A header of so many bytes and no more is what the server adds.
    assert copy.stat().st_size == stored(source, name).stat().st_size - 512
    wanted = {"action": "find", "before": BEFORE_DROP["before"]}
    there = succeed("binlog_point", {**wanted, "archive": str(backup.root)})
    live = succeed("binlog_point", {**wanted, **source.login})
    for key in ("gtid_executed", "file", "position"):
        assert there["point"][key] == live["point"][key]


@pytest.mark.long
def test_a_log_of_more_than_4_gib_is_archived_found_in_and_recovered(
    version: str, server_factory: ServerFactory, archives: list[LocalArchive | HandArchive]
):
    source = server_factory(version, 1)
    shop(source)
    # What is in it is only in the log.
    source.sql("CREATE TABLE shop.huge (id INT PRIMARY KEY, content LONGBLOB) ENGINE = BLACKHOLE")
    by_hand, backup = HandArchive(source), LocalArchive(source)
    archives += [by_hand, backup]
    by_hand.base()
    backup.start()
    order(source)
    backup.wait_for(source)
    name = str(source.sql("SHOW BINARY LOGS")[-1]["log_name"])
    source.sql(
        "INSERT INTO shop.huge WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n"
        f" WHERE id < {HUGE_ROWS}) SELECT id, REPEAT('x', 16 << 20) FROM n"
    )
    assert stored(source, name).stat().st_size > POSITIONS
    order(source)
    good = executed(source)
    checksum = source.sql("CHECKSUM TABLE shop.orders")[0]["checksum"]
    source.sql("DROP TABLE shop.orders")
    found = backup.wait_for(source)
    assert not found.foreign
    copy = next(backup.root.glob(f"binlog/*/{name}"))
    assert copy.stat().st_size == stored(source, name).stat().st_size
    point = succeed("binlog_point", {"action": "find", "archive": str(backup.root), **BEFORE_DROP})
    assert point["point"]["gtid_executed"] == str(good)
    backup.stop()
    by_hand.fetch()
    given = {"archive": str(by_hand.root), "scratch": by_hand.scratch(), "target": BEFORE_DROP}
    done = succeed("mysql_recovery", {"action": "apply", **given})
    tables = {table["table"]: table["checksum"] for table in done["tables"]}
    assert tables["shop.orders"] == f"{int(checksum):08x}"
    assert done["gtid_executed"] == str(good)
