# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive of roles/backup beside real servers: nothing is lost, and what is damaged is named."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog import archive as answers

from tests.integration import replicas, servers
from tests.integration.archive import LocalArchive, executed, order, rotate, shop
from tests.integration.conftest import ServerFactory
from tests.integration.runner import run_module, succeed

pytestmark = pytest.mark.servers

ArchiveFactory = Callable[..., LocalArchive]


@pytest.fixture
def archive_of() -> Iterator[ArchiveFactory]:
    """Archives that live as long as one test."""
    made: list[LocalArchive] = []

    def make(source: servers.Server, **options: str) -> LocalArchive:
        made.append(LocalArchive(source, options))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def archived(
    server_factory: ServerFactory, archive_of: ArchiveFactory
) -> tuple[servers.Server, LocalArchive]:
    """A server with a shop, and an archiver at work beside it."""
    source = server_factory("9.7", 1)
    shop(source)
    backup = archive_of(source)
    backup.start()
    return source, backup


def sealed(count: int) -> Callable[[Any], bool]:
    return lambda found: sum(log.sealed for log in found.archive.binlogs) >= count


def test_files_are_the_servers_own_and_what_is_in_them_is_known(
    version: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = server_factory(version, 1)
    shop(source)
    backup = archive_of(source)
    backup.start()
    order(source, 3)
    rotate(source)
    backup.wait_for(source)
    found = backup.wait(sealed(1), "a sealed file").archive
    for log in found.binlogs[:1]:
        original = (source.folder / "data" / log.name).read_bytes()
        assert (backup.root / log.path).read_bytes() == original
        assert log.sha256 == hashlib.sha256(original).hexdigest()
        assert log.ended == "rotate"
    assert found.logged == executed(source)
    assert [log.previous for log in found.binlogs] == [
        answers.GtidSet(),
        found.binlogs[0].gtids,
    ]
    assert backup.attempt("ready.sh").returncode == 0


def test_a_killed_archiver_goes_on_without_a_gap_and_never_has_less_than_before(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source, backup = archived(server_factory, archive_of)
    order(source, 3)
    before = backup.wait_for(source).archive.logged
    backup.stop(kill=True)
    order(source, 2)
    rotate(source)
    rotate(source)
    # The server is gone for the moment: what was archived must not be.
    wanted = executed(source)
    source.stop()
    backup.start()
    state = backup.wait(lambda found: found.status.state == "connecting", "no source")
    assert before in state.archive.logged
    assert "connecting" in backup.attempt("ready.sh").stderr
    source.start()
    found = backup.wait_for(source)
    assert wanted in found.archive.logged
    assert not answers.gaps(found.archive)
    assert_same(backup, source, sealed_count=2)


def copies(backup: LocalArchive, server: servers.Server) -> Path:
    """Where the logs of a server are."""
    return backup.root / "binlog" / uuid(server)


def assert_same(backup: LocalArchive, server: servers.Server, sealed_count: int) -> None:
    """Each complete log is byte for byte what the server has, but for its flag "in use"."""
    found = backup.wait(sealed(sealed_count), f"{sealed_count} sealed files").archive
    logs = [log for log in found.binlogs if log.sealed and log.server_uuid == uuid(server)]
    assert logs
    for log in logs:
        wrote = bytearray((server.folder / "data" / log.name).read_bytes())
        wrote[21] = 0
        assert (backup.root / log.path).read_bytes() == wrote, log.name


@pytest.mark.parametrize("noted", [True, False])
def test_an_append_that_was_cut_leaves_no_gap(
    noted: bool, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source, backup = archived(server_factory, archive_of)
    order(source, 3)
    backup.wait_for(source)
    backup.stop(kill=True)
    copy = copies(backup, source) / "binlog.000001"
    length = copy.stat().st_size
    order(source, 3)
    # One transaction more, and the beginning of an event: a kill left no more of what was fetched.
    wrote = (source.folder / "data" / copy.name).read_bytes()
    with copy.open("ab") as grown:
        grown.write(wrote[length : length + (len(wrote) - length) // 2])
    if not noted:
        (copy.parent / ".length").unlink()
    had = backup.listing().archive.logged
    source.stop()
    backup.start()
    state = backup.wait(lambda found: found.status.state == "connecting", "no source")
    assert state.archive.logged == had
    source.start()
    order(source)
    rotate(source)
    found = backup.wait_for(source)
    assert not answers.gaps(found.archive)
    assert_same(backup, source, sealed_count=1)


def test_many_logs_are_caught_up_with(server_factory: ServerFactory, archive_of: ArchiveFactory):
    source, backup = archived(server_factory, archive_of)
    backup.wait_for(source)
    backup.stop()
    for _number in range(8):
        rotate(source)
    backup.start()
    found = backup.wait_for(source)
    assert not answers.gaps(found.archive)
    assert_same(backup, source, sealed_count=8)
    assert not list((backup.root / ".fetch").glob("*.00000[1-8]"))


def test_nothing_of_another_server_gets_among_the_logs_of_one(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    first, second = server_factory("9.7", 1), server_factory("9.7", 11)
    backup = archive_of(first)
    for server in (first, second):
        shop(server)
    # A name that both have; between the look and the fetch of it the Service leads elsewhere.
    rotate(second)
    backup.road_to(second, "other.cnf")
    backup.before_fetch('if [ "$file" = binlog.000002 ]; then mv other.cnf client.cnf; fi')
    backup.start()
    backup.wait_for(first)
    rotate(first)
    backup.wait_for(second)
    assert not (copies(backup, first) / "binlog.000002").exists()
    backup.point_at(first)
    backup.wait_for(first)
    rotate(first)
    backup.wait_for(first)
    for server in (first, second):
        assert_same(backup, server, sealed_count=4)


def test_a_fetch_that_hangs_is_given_up(server_factory: ServerFactory, archive_of: ArchiveFactory):
    source = server_factory("9.7", 1)
    shop(source)
    backup = archive_of(source, STALL_SECONDS="1")
    backup.before_fetch("if mkdir hung 2>/dev/null; then exec sleep 600; fi")
    backup.start()
    backup.wait_for(source)
    assert "nothing came for 1 s" in backup.log()


@pytest.mark.parametrize("compression", ["none", pytest.param("zstd", marks=pytest.mark.long)])
def test_a_switchover_is_followed_and_its_history_goes_on(
    compression: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    first = server_factory("9.7", 1)
    second = server_factory("9.7", 11)
    second.sql(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_USER='root',"
        f" SOURCE_PORT={first.port}, SOURCE_PASSWORD='{first.password}', SOURCE_AUTO_POSITION=1,"
        " GET_SOURCE_PUBLIC_KEY=1",
        "START REPLICA",
    )
    shop(first)
    backup = archive_of(first, COMPRESSION=compression)
    backup.start()
    # Files of the new primary that hold only what the archive has already are not fetched.
    second.sql("FLUSH BINARY LOGS")
    rotate(first)
    backup.wait_for(first)
    second.sql(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed(first)}', 60)", "STOP REPLICA")
    second.sql("FLUSH BINARY LOGS")
    order(second, 2)
    backup.point_at(second)
    found = backup.wait_for(second).archive
    assert not answers.gaps(found)
    assert len({log.server_uuid for log in found.binlogs}) == 2
    new = [log for log in found.binlogs if log.server_uuid == uuid(second)]
    assert new[0].name != "binlog.000001"
    # Back to the first one, which goes on in the file that was sealed meanwhile.
    first.sql(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_USER='root',"
        f" SOURCE_PORT={second.port}, SOURCE_PASSWORD='{second.password}', SOURCE_AUTO_POSITION=1,"
        " GET_SOURCE_PUBLIC_KEY=1",
        "START REPLICA",
        f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed(second)}', 60)",
        "STOP REPLICA",
    )
    order(first)
    backup.point_at(first)
    found = backup.wait_for(first).archive
    assert not answers.gaps(found)
    assert found.logged == executed(first)


def uuid(server: servers.Server) -> str:
    with server.connect() as connection:
        return connection.server.server_uuid


@pytest.mark.long
def test_logs_that_were_purged_before_they_were_archived_are_a_gap_by_their_transactions(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source, backup = archived(server_factory, archive_of)
    backup.wait_for(source)
    backup.stop()
    had = executed(source)
    # Purged is a whole file that begins after what was archived.
    source.sql("FLUSH BINARY LOGS")
    order(source, 3)
    lost = executed(source) - had
    source.sql("FLUSH BINARY LOGS", "PURGE BINARY LOGS TO 'binlog.000003'")
    order(source)
    backup.start()
    found = backup.wait(lambda now: executed(source) - lost in now.archive.logged, "what is left")
    assert answers.gaps(found.archive) == lost


@pytest.mark.long
def test_a_server_that_counts_anew_leaves_its_old_history_untouched(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source, backup = archived(server_factory, archive_of)
    rotate(source)
    backup.wait_for(source)
    backup.wait(sealed(1), "a sealed file")
    backup.stop()
    source.sql("RESET BINARY LOGS AND GTIDS")
    order(source)
    backup.start()
    found = backup.wait(lambda now: now.archive.logged == executed(source), "the new history")
    assert len(found.foreign) == 1
    assert (backup.root / found.foreign[0] / "binlog.000001.json").exists()


def test_a_server_that_counts_anew_between_two_fetches_is_told_by_when_it_began_the_log(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source, backup = archived(server_factory, archive_of)
    backup.wait_for(source)
    old = (copies(backup, source) / "binlog.000001").read_bytes()
    assert backup.archiver
    # Under the same name more than before, and the archiver saw nothing of that.
    backup.archiver.send_signal(signal.SIGSTOP)
    # A server says by the second when it began a log.
    begun = int.from_bytes(old[4:8], "little")
    while int(time.time()) <= begun:
        time.sleep(0.05)
    source.sql("RESET BINARY LOGS AND GTIDS")
    order(source, 20)
    assert (source.folder / "data" / "binlog.000001").stat().st_size > len(old)
    backup.archiver.send_signal(signal.SIGCONT)
    found = backup.wait(lambda now: now.archive.logged == executed(source), "the new history")
    assert len(found.foreign) == 1
    assert (backup.root / found.foreign[0] / "binlog.000001").read_bytes() == old
    rotate(source)
    backup.wait_for(source)
    assert_same(backup, source, sealed_count=1)


@pytest.mark.parametrize(
    ("of", "method", "compression", "encrypted"),
    [
        pytest.param("9.7", "clone", "none", False, marks=pytest.mark.long),
        ("9.7", "clone", "zstd", True),
        pytest.param("8.0.15", "dump", "gzip", True, marks=pytest.mark.long),
    ],
)
def test_a_base_is_verified_and_found_damaged_when_it_is(
    of: str,
    method: str,
    compression: str,
    encrypted: bool,
    server_factory: ServerFactory,
    archive_of: ArchiveFactory,
):
    source = server_factory(of, 1)
    shop(source)
    plugin = {**source.login, "name": "clone", "library": "mysql_clone.so", "where_supported": True}
    assert succeed("mysql_plugin", plugin, check=True)["changed"] == (method == "clone")
    assert succeed("mysql_plugin", plugin)["changed"] == (method == "clone")
    assert not succeed("mysql_plugin", plugin)["changed"]
    backup = archive_of(source, COMPRESSION=compression)
    if encrypted:
        backup.use_key("a key")
    backup.start()
    rotate(source)
    identity = backup.run("base.sh").strip()
    order(source, 2)
    backup.wait_for(source)
    found = backup.wait(sealed(1), "a sealed file").archive
    base = found.base(identity)
    assert base.usable
    assert base.method == method
    assert base.tables == (("shop.orders", 3),)
    assert base.encryption == ("aes-256-ctr" if encrypted else "none")
    assert answers.chain(found, base).reached == executed(source)
    window = answers.window(found)
    assert window.latest is not None
    assert window.latest.gtid_executed == executed(source)
    stored = b"".join(
        path.read_bytes() for path in backup.root.rglob("*") if path.suffix in (".enc", ".sql")
    )
    # Longer than what ciphertext has by chance.
    assert (b"CREATE TABLE" not in stored) == (encrypted or method == "clone")
    backup.run("verify.sh", identity)
    # One byte in the middle of the largest file.
    largest = max(base.files, key=lambda file: file.size)
    path = backup.root / base.path / largest.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "its sha256 differs" in backup.attempt("verify.sh", identity).stderr
    assert "sha256 differs" in backup.listing().archive.base(identity).verified


@pytest.mark.long
def test_a_donor_that_serves_another_clone_is_waited_for(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source, recipient = server_factory("9.7", 1), server_factory("9.7", 11)
    shop(source)
    source.sql(replicas.CLONE_PLUGIN)
    backup = archive_of(source)
    # Slow enough for all that a base does before it asks for its own clone.
    with replicas.slowly_cloned(source, recipient, bandwidth=2):
        refused = backup.attempt("base.sh", BUSY_SECONDS="0")
        assert "Too many concurrent clone operations" in refused.stderr
        assert [path.name for path in (backup.root / "base").iterdir()] == [".lock"]
        identity = backup.run("base.sh").strip()
    assert backup.listing().archive.base(identity).usable


def test_a_base_that_cannot_be_taken_leaves_nothing_behind(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = server_factory("9.7", 1)
    shop(source)
    backup = archive_of(source)
    done = backup.attempt("base.sh", METHOD="clone")
    assert "has no active clone plugin" in done.stderr
    source.sql("REVOKE SELECT ON *.* FROM 'backup'@'%'")
    done = backup.attempt("base.sh", METHOD="dump")
    assert done.returncode
    assert not any(path.name != ".lock" for path in (backup.root / "base").iterdir())


@pytest.mark.long
def test_what_is_pruned_is_what_retention_says(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = server_factory("9.7", 1)
    shop(source)
    succeed("mysql_plugin", {**source.login, "name": "clone", "library": "mysql_clone.so"})
    backup = archive_of(source)
    backup.start()
    # With no base at all, nothing goes.
    rotate(source)
    backup.wait(sealed(1), "a sealed file")
    assert "no base is verified" in backup.attempt("prune.sh", KEEP_DAYS="0").stderr
    bases = []
    for number in range(2, 4):
        bases.append(backup.run("base.sh").strip())
        rotate(source)
        backup.wait(sealed(number), f"{number} sealed files")
    for count in ("9", "1"):
        before = backup.listing()
        said = answers.retention(before.archive, int(count), 0, datetime.now(tz=UTC))
        backup.run("prune.sh", KEEP_COUNT=count, KEEP_DAYS="0", DRY_RUN="yes")
        assert backup.listing().archive == before.archive
        backup.run("prune.sh", KEEP_COUNT=count, KEEP_DAYS="0")
        left = backup.listing()
        gone = {entry.path for entry in before.files} - {entry.path for entry in left.files}
        assert said.paths or count == "9"
        for path in gone:
            assert any(path == one or path.startswith(f"{one}/") for one in said.paths), path
        assert not [path for path in said.paths if (backup.root / path).exists()]
        assert not answers.gaps(left.archive)
        assert answers.chain(left.archive, left.archive.bases[0]).reached == executed(source)
    assert [base.id for base in left.archive.bases] == [bases[-1]]


@pytest.mark.long
def test_a_full_volume_is_told_and_with_room_again_there_is_no_gap(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = server_factory("9.7", 1)
    shop(source)
    backup = archive_of(source)
    size = ("-o", "size=4m", "tmpfs", str(backup.root))
    subprocess.run(["mount", "-t", "tmpfs", *size], check=True)
    try:
        backup.start()
        backup.wait_for(source)
        source.sql("ALTER TABLE shop.orders MODIFY item LONGTEXT")
        for _number in range(8):
            source.sql("INSERT INTO shop.orders (item) VALUES (REPEAT('x', 1000000))")
        # Nobody takes it for an archive that has all.
        deadline = time.monotonic() + 60
        while not (ready := backup.attempt("ready.sh")).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert "behind" in ready.stderr or "failing" in ready.stderr
        # A base does not fit either, and leaves nothing behind.
        assert backup.attempt("base.sh", METHOD="dump").returncode
        assert not any(path.name != ".lock" for path in (backup.root / "base").iterdir())
        subprocess.run(["mount", "-o", "remount,size=200m", str(backup.root)], check=True)
        found = backup.wait_for(source)
        assert not answers.gaps(found.archive)
        assert found.archive.logged == executed(source)
    finally:
        backup.stop(kill=True)
        subprocess.run(["umount", "--lazy", str(backup.root)], check=True)


def test_a_plugin_is_loaded_on_a_read_only_server_which_stays_read_only(
    server_factory: ServerFactory,
):
    server = server_factory("9.7", 11, "--super-read-only=ON")
    plugin = {**server.login, "name": "clone", "library": "mysql_clone.so"}
    assert succeed("mysql_plugin", plugin)["status"] == "ACTIVE"
    assert server.sql("SELECT @@super_read_only AS ro")[0]["ro"] == 1
    wrong = run_module("mysql_plugin", {**plugin, "name": "none", "library": "../x.so"})
    assert "no file name" in wrong["msg"]
