# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Semi-synchronous replication where each server has its own side alone, under either name."""

from __future__ import annotations

import shutil
from typing import Any, Literal

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import (
    semisync_library,
    semisync_plugin,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.semisync import OLD_NAMES

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, grant, source_of
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import VERSIONS, Server, release
from tests.integration.test_switchover import until

pytestmark = pytest.mark.servers

Naming = Literal["older", "its own"]
Servers = dict[str, Server]
# The lab's 8.0.15 comes without the libraries; 8.0.26 to 8.3 know both names.
CASES = [
    pytest.param(version, naming, id=f"{version}-{naming}")
    for version in VERSIONS
    for naming in (("older", "its own") if release(version)[:2] == (8, 0) else ("its own",))
    if release(version) >= (8, 0, 26)
]


def plugin_of(server: Server, side: str, naming: Naming) -> tuple[str, str]:
    """The plugin and the library of a side."""
    version = OLD_NAMES if naming == "older" else server.release
    return semisync_plugin(side, version), semisync_library(side, version)


def play(server: Server, side: str, naming: Naming) -> None:
    """Give a server one side, as manuals do."""
    name, library = plugin_of(server, side, naming)
    server.sql(
        f"INSTALL PLUGIN {name} SONAME '{library}'",
        f"SET PERSIST {name}_enabled = ON",
    )


def plugins(server: Server) -> set[str]:
    rows = server.sql(
        "SELECT plugin_name AS name FROM information_schema.plugins WHERE plugin_name LIKE 'rpl_semi%'"
    )
    return {row["name"] for row in rows}


def status(server: Server, word: str) -> int:
    """A counter of the source's side, by whichever name."""
    rows = server.sql(f"SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%_{word}'")
    return sum(int(row["value"]) for row in rows)


def closed(server: Server) -> bool:
    row = server.sql("SELECT @@GLOBAL.super_read_only AS s, @@GLOBAL.read_only AS r")[0]
    return bool(row["s"] and row["r"])


def pair(server_factory: ServerFactory, version: str, naming: Naming, *apart: int) -> Servers:
    """A primary with the source's side alone, a replica with the replica's side alone.

    apart: server-ids of replicas that take no part.
    """
    servers = {f"mysql-{each}": server_factory(version, each) for each in (1, 11, *apart)}
    primary = servers["mysql-1"]
    grant(primary)
    primary.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
    play(primary, "source", naming)
    for name, replica in servers.items():
        if name == "mysql-1":
            continue
        if replica.server_id not in apart:
            play(replica, "replica", naming)
        given = source_of(replica, primary, source_connect_retry=1, source_heartbeat_period=0.5)
        succeed("mysql_replication", given)
        assert closed(replica)
    until(lambda: status(primary, "clients") == 1, "a replica acknowledges")
    return servers


def asked(servers: Servers, **options: Any) -> dict[str, Any]:
    return {"instances": [server.instance(name) for name, server in servers.items()], **options}


def switching(servers: Servers, **options: Any) -> dict[str, Any]:
    given = {"source_password": SECRET, "timeout": 20, "connect_timeout": 3, **options}
    return asked(servers, target="mysql-11", **given)


def acknowledges(server: Server) -> None:
    """Assert that a commit waits for a replica, and gets its answer."""
    until(lambda: status(server, "clients"), "a replica acknowledges")
    before = status(server, "yes_tx")
    server.sql("INSERT INTO shop.t SELECT COALESCE(MAX(id), 0) + 1 FROM shop.t", "COMMIT")
    assert status(server, "yes_tx") == before + 1


@pytest.mark.parametrize(("version", "naming"), CASES)
def test_the_missing_sides_are_added_under_the_names_that_are_there(
    server_factory: ServerFactory, version: str, naming: Naming
) -> None:
    servers = pair(server_factory, version, naming)
    wanted = asked(servers, primary="mysql-1", timeout_ms=5000)
    predicted = succeed("mysql_semisync", wanted, check=True)
    made = succeed("mysql_semisync", wanted)
    assert predicted["plan"] == made["plan"]
    assert predicted["diff"] == made["diff"]
    for server in servers.values():
        both = {plugin_of(server, side, naming)[0] for side in ("source", "replica")}
        assert plugins(server) == both
    assert closed(servers["mysql-11"])
    again = succeed("mysql_semisync", wanted)
    assert (again["changed"], again["instances"][0]["clients"]) == (False, 1)
    acknowledges(servers["mysql-1"])


@pytest.mark.parametrize(("version", "naming"), CASES)
def test_a_switchover_gives_each_the_side_that_it_is_to_play(
    server_factory: ServerFactory, version: str, naming: Naming
) -> None:
    servers = pair(server_factory, version, naming)
    predicted = succeed("mysql_switchover", switching(servers), check=True)
    done = succeed("mysql_switchover", switching(servers))
    assert predicted["plan"] == done["plan"]
    acknowledges(servers["mysql-11"])
    assert closed(servers["mysql-1"])
    assert not closed(servers["mysql-11"])
    assert not succeed("mysql_switchover", switching(servers))["changed"]
    back = asked(servers, target="mysql-1", source_password=SECRET, timeout=20)
    moved = succeed("mysql_switchover", back)
    assert not any("INSTALL" in step["statement"] for step in moved["plan"])
    acknowledges(servers["mysql-1"])


def test_a_failover_does_so_too_and_who_is_left_acknowledges(
    server_factory: ServerFactory,
) -> None:
    """mysql-12 took no part: nobody else is left."""
    servers = pair(server_factory, VERSIONS[-1], "its own", 12)
    primary, apart = servers["mysql-1"], servers["mysql-12"]
    primary.kill()
    done = succeed("mysql_switchover", switching(servers, mode="lost", primary="mysql-1"))
    assert done["primary"] == "mysql-11"
    acknowledges(servers["mysql-11"])
    assert closed(apart)


def with_one_library(server: Server, side: str) -> None:
    """Start a server again with a plugin folder that holds one side's library alone."""
    library = plugin_of(server, side, "its own")[1]
    found = str(server.sql("SELECT @@plugin_dir AS d")[0]["d"])
    folder = server.folder / "plugins"
    folder.mkdir()
    shutil.copy(server.tree / found.lstrip("/") / library, folder / library)
    server.stop()
    server.start(f"--plugin-dir={server.inside}/plugins")


def test_a_target_without_the_library_is_refused_and_a_failover_says_what_it_does_without(
    server_factory: ServerFactory,
) -> None:
    servers = pair(server_factory, VERSIONS[-1], "its own")
    primary, replica = servers["mysql-1"], servers["mysql-11"]
    with_one_library(replica, "replica")
    until(lambda: status(primary, "clients"), "it acknowledges again")
    refused = fail("mysql_switchover", switching(servers))
    assert codes(refused) == ["replication.semisync_missing"]
    assert closed(replica)
    assert not closed(primary)
    acknowledges(primary)
    primary.kill()
    done = succeed("mysql_switchover", switching(servers, mode="lost", primary="mysql-1"))
    found = {each["code"]: each["severity"] for each in done["findings"]}
    assert found["replication.semisync_missing"] == "warning"
    assert done["primary"] == "mysql-11"
    replica.sql("INSERT INTO shop.t VALUES (1000)", "COMMIT")


def test_where_no_library_is_there_the_instance_stays_closed(
    server_factory: ServerFactory,
) -> None:
    one = server_factory(VERSIONS[-1], 1)
    with_one_library(one, "source")
    one.sql("SET GLOBAL super_read_only = ON")
    refused = fail("mysql_semisync", asked({"mysql-1": one}, primary="mysql-1"))
    assert codes(refused) == ["replication.semisync_missing"]
    assert closed(one)
