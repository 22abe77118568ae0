# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The oracle itself: what it must see, what it must not mind, and what it must refuse to judge."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential import oracle
from tests.differential.play import Fleet, connect, state
from tests.differential.tools import COPIED
from tests.integration.servers import VERSIONS, Server

pytestmark = pytest.mark.servers

MADE = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, w VARCHAR(20), f FLOAT, b LONGBLOB)",
    "INSERT INTO shop.t VALUES (1, 'a', 1.5, x'00ff'), (2, NULL, 0.1, REPEAT('b', 300000))",
    "CREATE TABLE shop.empty (id INT)",
    "CREATE PROCEDURE shop.p() SELECT 'é'",
    "CREATE VIEW shop.v AS SELECT id FROM shop.t",
    "CREATE EVENT shop.e ON SCHEDULE AT '2037-01-01' ON COMPLETION PRESERVE DO SELECT 1",
    "CREATE TRIGGER shop.tr BEFORE INSERT ON shop.t FOR EACH ROW SET NEW.w = 'é'",
    "CREATE USER app@'%' IDENTIFIED WITH mysql_native_password AS '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'",
)
# What one copy has otherwise, and in which section the oracle has to see it.
CHANGES = {
    "UPDATE shop.t SET w = 'A' WHERE id = 1": "rows",
    "UPDATE shop.t SET w = '' WHERE id = 2": "rows",
    "UPDATE shop.t SET f = 1.5000001 WHERE id = 1": "rows",
    "UPDATE shop.t SET b = CONCAT(b, 'b') WHERE id = 2": "rows",
    "INSERT INTO shop.empty VALUES (NULL)": "rows",
    "DROP TABLE shop.empty": "rows",
    "ALTER TABLE shop.t COMMENT 'other'": "tables",
    "ALTER TABLE shop.t ADD KEY (w)": "statistics",
    "ALTER TABLE shop.t MODIFY w VARCHAR(20) DEFAULT 'x'": "columns",
    "ALTER DATABASE shop CHARACTER SET latin1": "schemata",
    "ALTER PROCEDURE shop.p COMMENT 'other'": "routines",
    "ALTER VIEW shop.v AS SELECT id + 0 AS id FROM shop.t": "views",
    "ALTER EVENT shop.e COMMENT 'other'": "events",
    "DROP TRIGGER shop.tr": "triggers",
    "GRANT SELECT ON shop.t TO app@'%'": "mysql.tables_priv",
    "ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 3": "mysql.user",
}


@pytest.fixture(scope="module", params=VERSIONS)
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    made = Fleet(str(request.param))
    yield made
    made.remove()


@pytest.fixture
def pair(fleet: Fleet) -> tuple[Server, Server]:
    """Two servers on which the same was done."""
    made = fleet.fresh("donor"), fleet.fresh("replica")
    for server in made:
        plugin = [one for one in MADE if "native" not in one or server.version == "8.0.15"]
        server.sql(*plugin, *(() if server.version == "8.0.15" else ("CREATE USER app@'%'",)))
    return made


def sections(one: Server, other: Server, *, dump: bool = False) -> set[str]:
    states = state(one, dump=dump), state(other, dump=dump)
    found = oracle.compare(*states, COPIED, same_gtids=False)
    return {difference.section for difference in found}


def test_it_shares_no_code_with_what_it_judges() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text())
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        )
    }  # fmt: skip
    assert not [name for name in modules if "ansible" in name or "tests" in name]


def test_it_sees_each_change_and_nothing_else(pair: tuple[Server, Server]) -> None:
    donor, copy = pair
    # Whatever nobody did on both is no difference: estimates, times, the servers' own names.
    assert not sections(donor, copy, dump=True)
    for change, section in CHANGES.items():
        with connect(copy) as session, session.cursor() as cursor:
            cursor.execute(change)
        found = sections(donor, copy)
        assert section in found, f"{change}: {found}"
        with connect(donor) as session, session.cursor() as cursor:
            cursor.execute(change)
        assert not sections(donor, copy), change
    assert not sections(donor, copy, dump=True)


def test_a_program_is_told_by_its_bytes(pair: tuple[Server, Server]) -> None:
    donor, copy = pair
    for server, charset in ((donor, "latin1"), (copy, "utf8mb4")):
        with connect(server, charset=charset) as session, session.cursor() as cursor:
            cursor.execute("CREATE FUNCTION shop.f() RETURNS VARCHAR(9) DETERMINISTIC RETURN 'é'")
    assert "routines" in sections(donor, copy)


def test_it_refuses_to_judge_nothing_and_different_sets(fleet: Fleet) -> None:
    donor, copy = fleet.fresh("donor"), fleet.fresh("replica")
    with pytest.raises(oracle.OracleError, match="Nothing was compared"):
        oracle.compare(state(donor), state(copy))
    donor.sql("CREATE DATABASE shop")
    with pytest.raises(oracle.OracleError, match="Two sets of transactions"):
        oracle.compare(state(donor), state(copy))
