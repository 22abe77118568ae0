# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single tables brought back from a recovered instance into the running primary, on real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration import replicas
from tests.integration.conftest import ServerFactory
from tests.integration.recovery_archive import HandArchive, end_processes_of, executed
from tests.integration.runner import CHECKOUT, ModuleFailedError, codes, fail, run_module, succeed
from tests.integration.servers import Server
from tests.integration.test_recovery import killed_when

pytestmark = [pytest.mark.servers, pytest.mark.long]

MODULE = "mysql_recovery_rows"
CARTS, ITEMS, TREE = "shop.carts", "shop.items", "shop.tree"

SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.owners (id INT PRIMARY KEY, name VARCHAR(50) UNIQUE)",
    "CREATE TABLE shop.carts (id INT PRIMARY KEY AUTO_INCREMENT, owner_id INT, note TEXT,"
    " price DECIMAL(10,3), weight FLOAT, made DATETIME(6), seen TIMESTAMP NULL, extra JSON,"
    " flags BIT(9), raw_bytes VARBINARY(20), old VARCHAR(10) CHARACTER SET latin1,"
    " twice INT GENERATED ALWAYS AS (owner_id * 2) STORED, kind ENUM('a','b'), place POINT,"
    " FOREIGN KEY (owner_id) REFERENCES shop.owners (id))",
    "CREATE TABLE shop.items (cart_id INT, line SMALLINT, what VARCHAR(20), PRIMARY KEY"
    " (cart_id, line), FOREIGN KEY (cart_id) REFERENCES shop.carts (id) ON DELETE CASCADE)",
    "CREATE TABLE shop.words (word VARCHAR(30) PRIMARY KEY, n INT)",
    "CREATE TABLE shop.tree (id INT PRIMARY KEY, parent INT,"
    " FOREIGN KEY (parent) REFERENCES shop.tree (id))",
    "CREATE TABLE shop.heap (n INT, t VARCHAR(10))",
    "CREATE TABLE shop.log (n INT AUTO_INCREMENT PRIMARY KEY, said TEXT)",
    "CREATE TABLE shop.gone (id INT PRIMARY KEY, cart_id INT, t TEXT,"
    " FOREIGN KEY (cart_id) REFERENCES shop.carts (id))",
    "CREATE TRIGGER shop.noted AFTER INSERT ON shop.gone FOR EACH ROW"
    " INSERT INTO shop.log (said) VALUES (CONCAT('gone ', NEW.id))",
    "CREATE DATABASE side",
    "CREATE TABLE side.t (id INT PRIMARY KEY, v INT)",
    "CREATE VIEW side.v AS SELECT v FROM side.t",
    "CREATE FUNCTION side.one() RETURNS INT DETERMINISTIC RETURN 1",
    # Two letters to a client of latin1, as which it is to come back.
    "SET NAMES latin1",
    "CREATE FUNCTION side.word() RETURNS VARCHAR(9) CHARSET utf8mb4 DETERMINISTIC RETURN 'é'",
)
ROWS = (
    "INSERT INTO shop.owners VALUES (1, 'ann'), (2, 'bob'), (3, 'cy')",
    "INSERT INTO shop.carts (id, owner_id, note, price, weight, made, seen, extra, flags,"
    " raw_bytes, old, kind, place) SELECT n, n % 3 + 1, CONCAT('it''s \\\\ ', n, '\\n\\0é😀'), n / 7,"
    " n / 3, '2026-11-01 12:00:00.000001' + INTERVAL n SECOND,"
    " IF(n % 5, '2026-03-29 01:30:00', NULL), JSON_OBJECT('n', n, 'x', 'ü\"'), n % 512,"
    " UNHEX('00ff270a'), 'ä', 'b', POINT(n, 1) FROM"
    " (WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)"
    " SELECT n FROM s) AS numbers",
    "INSERT INTO shop.items SELECT c.id, l.line, CONCAT('thing ', l.line) FROM shop.carts c,"
    " (SELECT 1 AS line UNION SELECT 2 UNION SELECT 3) AS l",
    "INSERT INTO shop.words VALUES ('Birne', 1), ('äpfel', 2), ('zebra', 3), ('o''clock', 4)",
    "INSERT INTO shop.tree VALUES (9, NULL), (5, 9), (1, 5), (2, 1)",
    "INSERT INTO shop.heap VALUES (1, 'a'), (1, 'a'), (2, NULL)",
    "INSERT INTO shop.gone VALUES (1, 1, 'x'), (2, 2, 'y')",
    "INSERT INTO side.t VALUES (1, 1), (2, 2)",
)
# All in one transaction, and what it takes along by itself.
MISTAKE = "DELETE FROM shop.carts WHERE id BETWEEN 100 AND 199"
# Life went on before anybody saw it.
AFTER = (
    "UPDATE shop.carts SET note = 'paid meanwhile' WHERE id <= 10",
    "INSERT INTO shop.carts (id, owner_id, note) VALUES (1000, 2, 'new'), (1001, 3, 'new')",
    "INSERT INTO shop.items VALUES (1000, 1, 'new thing')",
    "UPDATE shop.words SET n = 20 WHERE word = 'äpfel'",
    "DELETE FROM shop.words WHERE word = 'o''clock'",
    "INSERT INTO shop.words VALUES ('neu', 9)",
    "DELETE FROM shop.tree WHERE id IN (1, 2) ORDER BY id DESC",
    "TRUNCATE shop.heap",
    "DROP TABLE shop.gone",
    "DROP DATABASE side",
)


@dataclass
class Case:
    """The running primary after the mistake, and the instance recovered to before it."""

    server: Server
    archive: HandArchive
    scratch: dict[str, Any]

    def arguments(self, action: str, **more: Any) -> dict[str, Any]:
        folder = self.scratch["folder"]
        return {**self.server.login, "action": action, "scratch_folder": folder, **more}

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.server.sql(query)


@pytest.fixture(scope="module")
def case(shared_server_factory: ServerFactory, version: str) -> Iterator[Case]:
    server = shared_server_factory(version, 1, "--log-bin-trust-function-creators=ON")
    replicas.grant(server)
    archive = HandArchive(server)
    try:
        server.sql(*SCHEMA)
        archive.base()
        server.sql(*ROWS)
        good = str(executed(server))
        server.sql("FLUSH BINARY LOGS", MISTAKE, *AFTER)
        archive.fetch()
        scratch = archive.scratch()
        apply = {
            "action": "apply", "archive": str(archive.root), "scratch": scratch,
            "target": {"gtid_executed": good}, "count_rows": False,
        }  # fmt: skip
        succeed("mysql_recovery", apply)
        yield Case(server, archive, scratch)
    finally:
        end_processes_of(archive.inside(archive.home))
        archive.remove()


def by_table(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {table["table"]: table for table in result["tables"]}


def counts(table: dict[str, Any]) -> tuple[int, int, int]:
    return table["missing"], table["differing"], table["extra"]


def test_the_difference_is_shown_and_nothing_is_written(case: Case) -> None:
    before = executed(case.server)
    found = succeed(MODULE, case.arguments("diff", databases=["shop", "side"]))
    tables = by_table(found)
    assert not found["changed"]
    assert counts(tables[CARTS]) == (100, 10, 2)
    assert tables[CARTS]["keys"]["missing"] == [f"({n})" for n in range(100, 105)]
    assert tables[CARTS]["keys"]["extra"] == ["(1000)", "(1001)"]
    assert counts(tables[ITEMS]) == (300, 0, 1)
    assert counts(tables["shop.words"]) == (1, 1, 1)
    assert tables["shop.words"]["keys"]["missing"] == ["('o\\'clock')"]
    assert counts(tables["shop.heap"]) == (3, 0, 0)
    assert tables["shop.owners"]["equal"]
    assert (tables["shop.gone"]["exists"], tables["side.t"]["exists"]) == (False, False)
    order = list(tables)
    assert order.index("shop.owners") < order.index(CARTS) < order.index(ITEMS)
    assert found["findings"] == []
    assert executed(case.server) == before


def test_children_alone_are_refused_with_the_parents_that_are_not_there(case: Case) -> None:
    before = executed(case.server)
    refused = fail(MODULE, case.arguments("apply", tables=[ITEMS]))
    assert codes(refused) == ["recovery.rows_parent_missing"]
    assert "not there: (100), (101), (102)" in refused["msg"]
    # Rows of others would name what is deleted.
    options = {"tables": [CARTS], "changes": ["delete"]}
    held = fail(MODULE, case.arguments("apply", **options))
    assert codes(held) == ["recovery.rows_referenced"]
    assert executed(case.server) == before


def test_what_the_mistake_took_comes_back_and_what_came_later_stays(
    case: Case, server_factory: ServerFactory
) -> None:
    replica = server_factory(case.server.version, 11)
    replicas.empty(replica)
    options = {"tables": [ITEMS, CARTS], "rows_a_transaction": 30}
    before = executed(case.server)
    later = case.rows("SELECT * FROM shop.carts WHERE id <= 10 OR id >= 1000 ORDER BY id")
    predicted = succeed(MODULE, case.arguments("apply", **options), check=True)
    assert predicted["changed"]
    assert executed(case.server) == before
    done = succeed(MODULE, case.arguments("apply", **options))
    assert done["plan"] == predicted["plan"]
    assert [step["statement"] for step in done["plan"]] == [
        "INSERT INTO `shop`.`carts`: 100 rows",
        "INSERT INTO `shop`.`items`: 300 rows",
    ]
    assert counts(by_table(done)[CARTS]) == (0, 10, 2)
    assert counts(by_table(done)[ITEMS]) == (0, 0, 1)
    # By transactions of so many rows: 100 by 30, and 300 by 30.
    assert (executed(case.server) - before).count == 14
    now = case.rows("SELECT * FROM shop.carts WHERE id <= 10 OR id >= 1000 ORDER BY id")
    assert now == later
    again = succeed(MODULE, case.arguments("apply", **options))
    assert (again["changed"], again["plan"]) == (False, [])
    # Replicas get it as anything else.
    follow = replicas.source_of(replica, case.server, state="following")
    succeed("mysql_replication", follow)
    both = {"instances": [case.server.instance("primary"), replica.instance("replica")]}
    assert succeed("mysql_checksum", {**both, "databases": ["shop"]})["tables"]


def test_all_of_a_table_as_it_was(case: Case) -> None:
    options = {"tables": ["shop.words"], "changes": ["insert", "update", "delete"]}
    done = succeed(MODULE, case.arguments("apply", **options))
    assert by_table(done)["shop.words"]["equal"]
    assert case.rows("SELECT word FROM shop.words WHERE n = 2") == [{"word": "äpfel"}]


def test_the_playbook_shows_the_difference_and_asks(case: Case) -> None:
    before = executed(case.server)
    variables = {
        "recovery_scratch_folder": case.scratch["folder"],
        "recovery_rows_tables": [CARTS, TREE],
        "recovery_login_host": case.server.host,
        "recovery_login_port": case.server.port,
        "cluster_root_password": case.server.password,
    }

    def play(**more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/recover.yml"),
                *("--tags", "rows", "-e", json.dumps({**variables, **more})),
            ],
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_FORCE_COLOR": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    asked = play()
    assert "shop.tree: 2 rows, 4 were recovered: 2 missing, 0 differing, 0 extra" in asked.stdout
    assert "missing: (1) (2)" in asked.stdout
    assert "Nothing was written" in asked.stdout
    assert executed(case.server) == before
    agreed = play(recovery_agreed=True, cluster_language="ko", recovery_rows_tables=[CARTS])
    assert agreed.returncode == 0, agreed.stdout + agreed.stderr
    assert "값이 다른 행 10" in agreed.stdout
    assert case.server.password not in asked.stdout + agreed.stdout


def test_who_refers_to_itself_comes_back_too(case: Case) -> None:
    done = succeed(MODULE, case.arguments("apply", tables=[TREE]))
    assert by_table(done)[TREE]["equal"]


def test_what_was_dropped_is_made_again_with_its_programs(case: Case) -> None:
    options = {"tables": ["shop.gone", "shop.heap"], "databases": ["side"]}
    logged = case.rows("SELECT COUNT(*) AS n FROM shop.log")
    done = succeed(MODULE, case.arguments("apply", **options))
    assert all(table["equal"] for table in done["tables"])
    assert case.rows("SELECT SUM(v) AS n, side.one() AS one FROM side.v")[0]["n"] == 3
    assert case.rows("SELECT side.word() AS w") == [{"w": "Ã©"}]
    # The trigger is there again, and did not act on what came back.
    assert case.rows("SELECT COUNT(*) AS n FROM shop.log") == logged
    case.server.sql("INSERT INTO shop.gone VALUES (7, 1, 'z')")
    assert case.rows("SELECT said FROM shop.log ORDER BY n DESC LIMIT 1")[0]["said"] == "gone 7"
    # Now it would act: refused.
    case.server.sql("DELETE FROM shop.gone WHERE id = 1")
    refused = fail(MODULE, case.arguments("apply", tables=["shop.gone"]))
    assert codes(refused) == ["recovery.rows_triggers"]


def test_a_copy_beside_is_equal_and_gone_on_with(case: Case) -> None:
    options = {"databases": ["shop"], "into": "beside", "suffix": "_then"}
    done = succeed(MODULE, case.arguments("apply", **options))
    assert all(table["equal"] for table in done["tables"])
    keys = case.rows(
        "SELECT DISTINCT unique_constraint_schema AS s FROM"
        " information_schema.referential_constraints WHERE constraint_schema = 'shop_then'"
    )
    assert [row["s"] for row in keys] == ["shop_then"]
    # As if it had been ended in the middle.
    case.server.sql("DELETE FROM shop_then.items WHERE line = 2", "DROP TABLE shop_then.words")
    again = succeed(MODULE, case.arguments("apply", **options))
    assert len(again["plan"]) == 3
    assert all(table["equal"] for table in again["tables"])
    assert not succeed(MODULE, case.arguments("apply", **options))["changed"]
    case.server.sql("UPDATE shop_then.words SET n = 5")
    taken = fail(MODULE, case.arguments("apply", **options))
    assert codes(taken) == ["recovery.rows_beside_taken"]
    # Without its parents it has no foreign keys to anybody.
    alone = {"tables": [ITEMS], "into": "beside", "suffix": "_alone"}
    assert by_table(succeed(MODULE, case.arguments("apply", **alone)))[ITEMS]["equal"]
    case.server.sql("DROP DATABASE shop_then", "DROP DATABASE shop_alone")


def test_ended_in_the_middle_it_goes_on(case: Case) -> None:
    case.server.sql("DELETE FROM shop.carts WHERE id BETWEEN 11 AND 250")
    options = {"tables": [CARTS, ITEMS], "rows_a_transaction": 5}
    apply = case.arguments("apply", **options)

    def some() -> bool:
        row = case.rows("SELECT COUNT(*) AS n FROM shop.carts WHERE id BETWEEN 11 AND 250")[0]
        return bool(row["n"])

    killed_when(apply, some, module=MODULE)
    left = by_table(succeed(MODULE, case.arguments("diff", **options)))
    assert 0 < left[CARTS]["missing"] < 240
    done = by_table(succeed(MODULE, apply))
    assert (done[CARTS]["missing"], done[ITEMS]["missing"]) == (0, 0)


def test_a_row_that_somebody_changed_meanwhile_is_not_touched(case: Case) -> None:
    """A session has rows locked when they are compared, and lets go after it changed them."""
    case.server.sql("UPDATE shop.owners SET name = 'changed' WHERE id = 1")
    options = {"tables": ["shop.owners"], "changes": ["update"]}
    done: list[dict[str, Any]] = []
    with case.server.connect() as other:
        other.execute("START TRANSACTION")
        other.execute("UPDATE shop.owners SET name = 'mine' WHERE id = 1")
        apply = case.arguments("apply", **options)
        running = threading.Thread(target=lambda: done.append(run_module(MODULE, apply)))
        running.start()
        waits = "SELECT COUNT(*) FROM performance_schema.data_lock_waits"
        with case.server.connect() as looking:
            while running.is_alive() and not looking.value(waits):
                running.join(0.01)
        other.execute("COMMIT")
        running.join()
    assert codes(done[0]) == ["recovery.rows_moved"]
    assert "changed meanwhile: (1)" in done[0]["msg"]
    assert case.rows("SELECT name FROM shop.owners WHERE id = 1") == [{"name": "mine"}]
    assert succeed(MODULE, case.arguments("apply", **options))["changed"]


def test_what_cannot_be_compared_is_named(case: Case) -> None:
    refused = fail(MODULE, case.arguments("diff", tables=["shop.nowhere"]))
    assert "shop.nowhere is not in the recovered instance" in refused["msg"]
    case.server.sql("ALTER TABLE shop.tree MODIFY parent BIGINT, DROP FOREIGN KEY tree_ibfk_1")
    other = fail(MODULE, case.arguments("apply", tables=[TREE]))
    assert codes(other) == ["recovery.rows_definition"]
    # A column that came later is no hindrance.
    case.server.sql(
        "ALTER TABLE shop.words ADD COLUMN later INT DEFAULT 7", "DELETE FROM shop.words LIMIT 1"
    )
    done = succeed(MODULE, case.arguments("apply", tables=["shop.words"]))
    assert by_table(done)["shop.words"]["missing"] == 0
    case.server.sql("INSERT INTO shop.heap VALUES (5, 'later')")
    assert codes(fail(MODULE, case.arguments("apply", tables=["shop.heap"]))) == [
        "recovery.rows_no_key"
    ]
    itself = {"login_unix_socket": str(Path(case.scratch["folder"]) / "run" / "mysqld.sock")}
    account = (Path(case.scratch["folder"]) / "account.cnf").read_text().split("\n")
    itself |= {"login_user": account[1][5:], "login_password": account[2][9:]}
    same = {"action": "apply", "scratch_folder": case.scratch["folder"], "tables": [TREE]}
    found = codes(fail(MODULE, {**same, **itself}))
    assert {"recovery.rows_same_server", "recovery.rows_read_only"} <= set(found)


def test_a_recovery_that_is_not_verified_or_does_not_run_is_no_source(case: Case) -> None:
    nothing = {**case.arguments("diff", tables=[CARTS]), "scratch_folder": "/nowhere"}
    assert codes(fail(MODULE, nothing)) == ["recovery.unfinished"]
    assert not Path("/nowhere").exists()
    end_processes_of(case.scratch["seen_as"])
    with pytest.raises(ModuleFailedError) as error:
        succeed(MODULE, case.arguments("diff", tables=[CARTS]))
    assert codes(error.value.result) == ["recovery.rows_scratch_down"]
