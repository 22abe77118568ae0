# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A base is what its donor was at one GTID set, or there is no base: whatever the donor holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.names import TableName

from tests.integration import replicas, servers
from tests.integration.archive import LocalArchive, executed, order, shop
from tests.integration.conftest import ServerFactory
from tests.integration.runner import succeed

pytestmark = pytest.mark.servers

ArchiveFactory = Callable[..., LocalArchive]
# How a version can make a base.
WAYS = [
    ("9.7", "clone"),
    pytest.param("9.7", "dump", marks=pytest.mark.long),
    ("8.0.15", "dump"),
]
NAMES = ("한국", "Größe", 'dq"uote', "back\\slash", "ta\tb", "new\nline", "end\\", "a.b/c%d@e'f`g")
LONG = "가" * 40 + "x" * 24


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


def donor(server_factory: ServerFactory, of: str, *arguments: str) -> servers.Server:
    """A server with a shop, that can be cloned where its version can."""
    source = server_factory(of, 1, *arguments)
    shop(source)
    if of != "8.0.15":
        source.sql(replicas.CLONE_PLUGIN)
    return source


def manifest(backup: LocalArchive, identity: str) -> dict[str, Any]:
    path = backup.root / "base" / identity / "manifest.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def nothing_left(backup: LocalArchive) -> bool:
    return not any(path.name != ".lock" for path in (backup.root / "base").iterdir())


def not_compared(document: dict[str, Any]) -> dict[str, str]:
    return {one["what"]: one["reason"] for one in document["verified"]["not_compared"]}


@contextmanager
def writes(backup: LocalArchive, *once: str) -> Iterator[None]:
    """Have rows written all the while, and some statements once the base is there to be compared."""
    source = backup.source
    taken = backup.folder / "work" / "base"
    end = threading.Event()

    def write() -> None:
        number = 0
        while not end.is_set():
            order(source)
            if number < len(once) and taken.exists():
                source.sql(once[number])
                number += 1
            end.wait(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        end.set()
        writer.join()


@pytest.mark.parametrize(("of", "method"), WAYS)
def test_names_of_any_bytes_reach_the_manifest_and_come_back_by_a_recovery(
    of: str, method: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, of)
    for number, name in enumerate((*NAMES, LONG)):
        quoted = name.replace("`", "``")
        source.sql(
            f"CREATE TABLE shop.`{quoted}` (id INT PRIMARY KEY, `{quoted}` VARCHAR(9))",
            f"INSERT INTO shop.`{quoted}` VALUES ({number}, 'é')",
        )
    source.sql('CREATE DATABASE `데이터 "b\\`', 'CREATE TABLE `데이터 "b\\`.t (id INT PRIMARY KEY)')
    backup = archive_of(source)
    backup.start()
    # No locale, as in a Pod.
    identity = backup.run("base.sh", METHOD=method).strip()
    order(source)
    base = backup.wait_for(source).archive.base(identity)
    assert base.usable
    assert base.compared_with
    rows = dict(base.tables)
    assert {TableName("shop", name).text for name in (*NAMES, LONG)} <= set(rows)
    assert rows[TableName("shop", "한국").text] == 1
    assert rows[TableName('데이터 "b\\', "t").text] == 0
    backup.run("verify.sh", identity)
    scratch = backup.folder / "scratch"
    done = succeed(
        "mysql_recovery",
        {
            "archive": str(backup.root),
            "action": "apply",
            "target": {"latest": True},
            "scratch": {
                "folder": str(scratch),
                "seen_as": f"{backup.inside}/scratch",
                "run_in": ["chroot", str(source.tree)],
                "arguments": [*servers.SMALL, *servers.redo(of)],
            },
        },
    )
    try:
        assert TableName("shop", LONG).text in [table["table"] for table in done["tables"]]
    finally:
        given = {"archive": str(backup.root), "action": "abandon"}
        succeed(
            "mysql_recovery",
            {
                **given,
                "scratch": {
                    "folder": str(scratch),
                    "seen_as": f"{backup.inside}/scratch",
                    "run_in": ["chroot", str(source.tree)],
                },
            },
        )


@pytest.mark.parametrize(("of", "method"), WAYS)
def test_what_is_written_meanwhile_is_followed_and_all_is_compared(
    of: str, method: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, of)
    backup = archive_of(source)
    statements = (
        "CREATE USER 'late'@'%' IDENTIFIED BY 'r'",
        "GRANT SELECT ON shop.* TO 'late'@'%'",
        "CREATE EVENT shop.later ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.orders",
        "CREATE PROCEDURE shop.p() SELECT 'é'",
    )
    with writes(backup, *statements):
        identity = backup.run("base.sh", METHOD=method).strip()
    found = manifest(backup, identity)
    assert found["verified"]["result"] == "ok"
    assert "followed its donor" in found["verified"]["how"]
    base = backup.listing().archive.base(identity)
    at = type(base.gtid_executed).parse(base.compared_at)
    assert base.gtid_executed in at
    assert at in executed(source)
    assert at.count > base.gtid_executed.count
    assert "whether events are on or off" in not_compared(found)


def test_a_clone_that_lacks_rows_is_never_verified(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, "9.7")
    source.sql(
        "CREATE TABLE shop.visits (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20)) ENGINE=MyISAM",
        "INSERT INTO shop.visits (who) VALUES ('a'), ('b'), ('c'), ('d'), ('e')",
        "CREATE TABLE shop.log (line VARCHAR(20) NOT NULL) ENGINE=CSV",
        "INSERT INTO shop.log VALUES ('x')",
        "CREATE TABLE shop.old (id INT) ENGINE=ARCHIVE",
        "INSERT INTO shop.old VALUES (1), (2)",
        "CREATE TABLE shop.mem (id INT) ENGINE=MEMORY",
        "INSERT INTO shop.mem VALUES (1)",
    )
    backup = archive_of(source)
    refused = backup.attempt("base.sh", METHOD="clone")
    assert refused.returncode
    for name in ('"shop"."visits" (MyISAM)', '"shop"."log" (CSV)', '"shop"."old" (ARCHIVE)'):
        assert name in refused.stderr
    assert nothing_left(backup)
    with writes(backup, *(f"INSERT INTO shop.visits (who) VALUES ('{n}')" for n in range(9))):
        identity = backup.run("base.sh").strip()
    found = manifest(backup, identity)
    assert found["method"] == "dump"
    rows = {table["name"]: table["rows"] for table in found["tables"]}
    assert rows["shop.visits"] >= 5
    assert (rows["shop.log"], rows["shop.old"]) == (1, 2)
    assert "shop.mem" not in rows
    assert "MEMORY keeps none" in not_compared(found)["rows of shop.mem"]


@pytest.mark.parametrize(("of", "method"), WAYS)
def test_a_prepared_transaction_is_carried_or_the_base_is_refused(
    of: str, method: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, of)
    with source.connect() as session:
        for sql in (
            "XA START 'x1'",
            "INSERT INTO shop.orders (id, item) VALUES (100, 'prepared')",
            "XA END 'x1'",
            "XA PREPARE 'x1'",
        ):
            session.execute(sql)
    backup = archive_of(source, XA_SECONDS="1")
    if method == "dump":
        refused = backup.attempt("base.sh", METHOD=method)
        assert "X'7831',X'',1" in refused.stderr
        assert nothing_left(backup)
        source.sql("XA COMMIT X'7831',X'',1")
        identity = backup.run("base.sh", METHOD=method).strip()
        assert manifest(backup, identity)["tables"][0]["rows"] == 3
        return
    # Ended while the copy follows: that has to find it.
    with writes(backup, "XA COMMIT 'x1'"):
        identity = backup.run("base.sh", METHOD=method).strip()
    assert manifest(backup, identity)["verified"]["result"] == "ok"


@pytest.mark.parametrize(("of", "method"), WAYS)
def test_a_broken_view_does_not_stand_in_the_way_of_a_base(
    of: str, method: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, of)
    source.sql(
        "CREATE TABLE shop.t (id INT PRIMARY KEY, a INT)",
        "CREATE VIEW shop.v AS SELECT id, a FROM shop.t",
        'CREATE VIEW shop.`v "2"` AS SELECT * FROM shop.v',
        "CREATE VIEW shop.good AS SELECT id FROM shop.t",
        "ALTER TABLE shop.t DROP COLUMN a",
    )
    backup = archive_of(source)
    # What follows a base may end the view.
    with writes(backup, "DROP VIEW shop.v"):
        identity = backup.run("base.sh", METHOD=method).strip()
    left_out = not_compared(manifest(backup, identity))
    if method == "clone":
        assert not [what for what in left_out if what.startswith("view ")]
        return
    assert "VIEW `shop`.`v` AS select" in left_out["view shop.v"]
    assert 'view shop.v "2"' in left_out
    assert "view shop.good" not in left_out


@pytest.mark.long
@pytest.mark.parametrize(("of", "method"), WAYS)
def test_a_value_of_40_mb_is_in_a_base(
    of: str, method: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, of, "--max-allowed-packet=64M")
    source.sql(
        "CREATE TABLE shop.f (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT, r FLOAT)",
        "INSERT INTO shop.f VALUES (2, REPEAT('b', 40000000), REPEAT('\\'', 40000000), 16777215)",
    )
    backup = archive_of(source)
    identity = backup.run("base.sh", METHOD=method).strip()
    found = manifest(backup, identity)
    assert {"shop.f": 1}.items() <= {t["name"]: t["rows"] for t in found["tables"]}.items()
    assert ("last digits of FLOAT in shop.f" in not_compared(found)) == (method == "dump")
    backup.run("verify.sh", identity)


def test_a_copy_that_differs_from_its_donor_is_no_base(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, "9.7")
    source.sql("CREATE FUNCTION shop.one() RETURNS INT NO SQL RETURN 1")
    backup = archive_of(source)
    # A dump that loses a row and changes a function on its way.
    programs = backup.folder / "programs"
    programs.mkdir()
    program = programs / "mysqldump"
    program.write_text(
        "#!/bin/bash\nPATH=${PATH#*:}\nset -o pipefail\n"
        'mysqldump "$@" | sed "s/,(2,\'milk\')//; s/RETURN 1/RETURN 2/"\n'
    )
    program.chmod(0o755)
    path = f"{backup.inside}/programs:{backup.environment()['PATH']}"
    done = backup.attempt("base.sh", METHOD="dump", PATH=path)
    assert done.returncode
    assert 'table "shop"."orders"' in done.stderr
    assert 'routine "shop"."one"' in done.stderr
    assert nothing_left(backup)


def test_a_manifest_of_before_is_read_as_never_compared(
    server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = donor(server_factory, "9.7")
    backup = archive_of(source)
    identity = backup.run("base.sh").strip()
    path = backup.root / "base" / identity / "manifest.json"
    lines = [
        line.replace(', "schema": "shop", "table": "orders"', "").split(', "checksum"')[0]
        + ("}" if '"checksum"' in line else "")
        for line in path.read_text().splitlines()
        if not any(f'"{key}"' in line for key in ("compared_with", "compared_at", "compared_lines"))
    ]
    path.write_text("\n".join(lines) + "\n")
    base = backup.listing().archive.base(identity)
    assert base.usable
    assert base.proof.endswith("started and read, not compared with its donor")
    backup.run("verify.sh", identity)
    assert "not compared with its donor" in manifest(backup, identity)["verified"]["how"]


@pytest.mark.parametrize("method", ["clone", "dump"])
def test_a_donor_that_folds_the_case_of_names_is_taken_as_it_is(
    method: str, server_factory: ServerFactory, archive_of: ArchiveFactory
):
    source = server_factory("9.7", 1)
    source.stop()
    data = source.folder / "data"
    servers.in_tree(source.tree, "rm", "-rf", f"{source.inside}/data")
    init = source.folder / "init.sql"
    init.write_text(
        f"CREATE USER 'root'@'127.0.0.1' IDENTIFIED BY '{source.password}';\n"
        "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    folded = "--lower-case-table-names=1"
    servers.in_tree(
        source.tree,
        *("mysqld", "--no-defaults", *servers.COMMON, *servers.redo("9.7"), folded),
        *("--innodb-page-size=8k", f"--datadir={source.inside}/data", "--skip-log-bin"),
        *("--initialize-insecure", f"--init-file={source.inside}/init.sql"),
    )
    assert data.exists()
    source.arguments = (folded, "--innodb-page-size=8k")
    source.start()
    shop(source)
    source.sql(replicas.CLONE_PLUGIN, "CREATE TABLE shop.MiXed (id INT PRIMARY KEY)")
    backup = archive_of(source)
    identity = backup.run("base.sh", METHOD=method).strip()
    base = backup.listing().archive.base(identity)
    assert dict(base.settings) == {"lower_case_table_names": "1", "innodb_page_size": "8192"}
    assert "shop.mixed" in dict(base.tables)
    backup.run("verify.sh", identity)
