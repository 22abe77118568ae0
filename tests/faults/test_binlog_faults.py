# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Binary logs that cannot be read to the point that is looked for: named, then found as the finding says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration import runner, servers
from tests.integration.balancer import Service
from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive
from tests.integration.runner import fail, succeed
from tests.integration.servers import NEWEST, Server

pytestmark = [pytest.mark.servers, pytest.mark.long]

LARGE = 2_000_000
DELETED = {"before": {"rows_deleted_over": 1}}


@pytest.fixture
def archive(server_factory: ServerFactory, version: str) -> Iterator[HandArchive]:
    """A server with a large row, two that are deleted at once, and an archive with nothing in it."""
    server = server_factory(version, 1)
    made = HandArchive(server)
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY, note LONGTEXT)",
        f"INSERT INTO shop.t VALUES (1, REPEAT('x', {LARGE}))",
        "INSERT INTO shop.t VALUES (2, ''), (3, '')",
        "DELETE FROM shop.t WHERE id > 1",
    )
    yield made
    made.remove()


def asked(road: HandArchive | Server, target: dict[str, Any] | None = None) -> dict[str, Any]:
    """The arguments by which a point is found: just before the DELETE, unless told otherwise."""
    way = road.login if isinstance(road, Server) else {"archive": str(road.root)}
    return {**way, "action": "find", **(target or DELETED)}


def found(road: HandArchive | Server, target: dict[str, Any] | None = None) -> str:
    return str(succeed("binlog_point", asked(road, target))["transaction"]["gtid"])


def refused(road: HandArchive | Server, code: str, target: dict[str, Any] | None = None) -> Any:
    return fixes.the(fail("binlog_point", asked(road, target)), code)


def test_nothing_was_archived(archive: HandArchive) -> None:
    finding = refused(archive, "binlog.none")
    assert finding["fix"].startswith("See that the archiver runs")
    archive.fetch()
    assert found(archive) == f"{archive.uuid}:5"


def test_two_servers_wrote_a_log_of_that_name(
    archive: HandArchive, server_factory: ServerFactory, version: str
) -> None:
    """As after a switchover: the other one has all of it, and goes on with numbers of its own."""
    archive.fetch()
    other = server_factory(version, 11)
    text = archive.server.client("mysqldump", "--databases", "shop", "--set-gtid-purged=ON")
    other.client("mysql", input=text)
    other.sql("DELETE FROM shop.t")
    second = HandArchive(other)
    try:
        second.fetch()
        folder = second.root / "binlog" / second.uuid
        folder.rename(archive.root / "binlog" / second.uuid)
    finally:
        second.remove()
    place = {"position": 4}
    finding = refused(archive, "binlog.file_ambiguous", {"file": "binlog.000001", **place})
    assert finding["fix"].startswith("Give the file as server_uuid/name")
    given = next(line for line in finding["proof"] if line.startswith(archive.uuid))
    assert found(archive, {"file": given, **place}) == f"{archive.uuid}:1"


def damage(log: Path) -> None:
    """Change a byte of the large row."""
    with log.open("r+b") as file:
        file.seek(LARGE // 2)
        file.write(b"y")


def assert_mysqlbinlog_sees_it(server: Server, log: Path) -> None:
    path = f"/{log.relative_to(server.tree)}"
    with pytest.raises(RuntimeError, match="crc check failed"):
        servers.in_tree(server.tree, "mysqlbinlog", "--verify-binlog-checksum", path)


def test_a_log_of_the_server_is_damaged(archive: HandArchive) -> None:
    archive.fetch()
    log = archive.server.folder / "data" / "binlog.000001"
    damage(log)
    finding = refused(archive.server, "binlog.damaged")
    assert "binlog.000001:" in finding["proof"][0]
    assert finding["fix"].startswith("Run mysqlbinlog --verify-binlog-checksum on that file")
    assert_mysqlbinlog_sees_it(archive.server, log)
    assert found(archive) == f"{archive.uuid}:5"


def test_a_log_of_the_archive_is_damaged(archive: HandArchive) -> None:
    log = archive.fetch()[0]
    damage(log)
    finding = refused(archive, "binlog.damaged")
    assert "binlog.000001" in finding["proof"][0]
    assert_mysqlbinlog_sees_it(archive.server, log)
    assert found(archive.server) == f"{archive.uuid}:5"


def test_the_connection_breaks_while_the_server_sends(archive: HandArchive) -> None:
    server = archive.server
    road = Service("127.0.0.2", servers.free_port(), [(server.host, server.port)])
    road.breaks_after = LARGE // 2
    through = {**asked(server), "login_host": "127.0.0.2", "login_port": road.port}
    try:
        finding = fixes.the(fail("binlog_point", through), "binlog.stream_ended")
        assert "binlog.000001:" in finding["proof"][0]
        assert finding["fix"].endswith("then run this again")
        road.breaks_after = None
        assert succeed("binlog_point", through)["transaction"]["gtid"] == f"{archive.uuid}:5"
    finally:
        road.close()


def test_nothing_here_opens_compressed_transactions(
    server_factory: ServerFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = server_factory(NEWEST, 1, "--binlog-transaction-compression=ON")
    server.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "INSERT INTO shop.t VALUES (1), (2)",
        "DELETE FROM shop.t",
    )
    # What Python sees where the package is not installed.
    (tmp_path / "zstandard.py").write_text("raise ModuleNotFoundError(__name__)\n")
    with monkeypatch.context() as patched:
        patched.setattr(runner, "COLLECTIONS", f"{tmp_path}:{runner.COLLECTIONS}")
        finding = refused(server, "binlog.compressed")
    assert finding["fix"].startswith("Install the Python package zstandard")
    assert found(server).endswith(":4")
