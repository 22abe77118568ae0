# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything but rows that servers hold, compared by the texts that they show."""

from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import definitions
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.account import (
    every_privilege,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import statement

from tests.integration.conftest import ServerFactory
from tests.integration.servers import Server

pytestmark = pytest.mark.servers

HELD = (
    "CREATE DATABASE shop CHARACTER SET utf8mb4",
    "USE shop",
    "CREATE TABLE t (id INT(11) PRIMARY KEY AUTO_INCREMENT, z INT(5) ZEROFILL, b TINYINT(1), y YEAR,"
    " u VARCHAR(9) CHARACTER SET utf8, h INT DEFAULT (z + 1), KEY k ((z + 1)), KEY d (z DESC))"
    " PARTITION BY HASH (id) PARTITIONS 2",
    "CREATE PROCEDURE p() SELECT 'café'",
    "CREATE FUNCTION f(a VARCHAR(9) CHARACTER SET utf8) RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE VIEW v AS SELECT id, 'Straße' AS w FROM t",
    "CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW SET NEW.z = 1",
    "CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW SET NEW.z = 2",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO SELECT 1",
    "CREATE DATABASE other",
    "CREATE VIEW other.w AS SELECT * FROM shop.v",
    "CREATE VIEW other.x AS SELECT w.id, t.z FROM other.w JOIN shop.t ON t.id = w.id",
    "CREATE ROLE r",
    "CREATE USER a@'%' IDENTIFIED WITH caching_sha2_password REQUIRE SSL",
    "GRANT r TO a@'%'",
    "GRANT SELECT (id) ON shop.t TO a@'%'",
    "GRANT RELOAD, ROLE_ADMIN ON *.* TO a@'%' WITH GRANT OPTION",
)
CHANGES = (
    ("ALTER DATABASE shop CHARACTER SET latin1", "schema shop"),
    ("ALTER TABLE shop.t ALTER COLUMN y SET DEFAULT 2000", "table shop.t"),
    ("CREATE OR REPLACE VIEW shop.v AS SELECT id, 'Strasse' AS w FROM shop.t", "view shop.v"),
    ("ALTER PROCEDURE shop.p COMMENT 'another'", "procedure shop.p"),
    ("ALTER FUNCTION shop.f SQL SECURITY INVOKER", "function shop.f"),
    ("DROP TRIGGER shop.two", "trigger shop.two"),
    ("ALTER EVENT shop.e ON SCHEDULE EVERY 2 DAY", "event shop.e"),
    ("ALTER USER a@'%' ACCOUNT LOCK", "account 'a'@'%'"),
    ("REVOKE SELECT (id) ON shop.t FROM a@'%'", "account 'a'@'%'"),
    ("REVOKE ROLE_ADMIN ON *.* FROM a@'%'", "account 'a'@'%'"),
    ("SET DEFAULT ROLE r TO a@'%'", "account 'a'@'%'"),
    ("CREATE USER b@'%'", "account 'b'@'%'"),
)


@pytest.fixture(scope="module")
def server(shared_server_factory: ServerFactory, version: str) -> Server:
    made = shared_server_factory(version, 1)
    made.sql(*HELD, "SELECT 1")
    return made


def test_each_change_shows_and_nothing_else(server: Server) -> None:
    with server.connect() as connection:
        before = definitions.read(connection)
        for change, name in CHANGES:
            connection.execute(change)
            after = definitions.read(connection)
            changed = [each.name for each in definitions.differences(before, after)]
            assert changed == [name], change
            before = after


def test_a_creators_session_is_part_of_a_program(server: Server) -> None:
    with server.connect() as connection:
        connection.execute("SET NAMES latin1")
        connection.execute("CREATE PROCEDURE shop.latin() SELECT 'café'".encode("latin-1"))
        connection.execute("SET NAMES utf8mb4")
        first = definitions.read(connection)["procedure shop.latin"]
        connection.execute("DROP PROCEDURE shop.latin")
        connection.execute("CREATE PROCEDURE shop.latin() SELECT 'café'")
        assert definitions.read(connection)["procedure shop.latin"] != first
        connection.execute("DROP PROCEDURE shop.latin")


def test_an_event_that_rests_on_a_replica_is_the_same(server: Server) -> None:
    with server.connect() as connection:
        words = statement("disable_on_replica", connection.server.version)
        before = definitions.read(connection)
        connection.execute(f"ALTER EVENT shop.e {words}")
        assert definitions.differences(before, definitions.read(connection)) == []
        # On a replica one that its source has disabled rests like all others; NOT_COMPARED says so.
        connection.execute("ALTER EVENT shop.e DISABLE")
        assert definitions.differences(before, definitions.read(connection)) == []
        assert any("event" in each for each in definitions.NOT_COMPARED)
        connection.execute("ALTER EVENT shop.e ON SCHEDULE EVERY 13 DAY")
        after = definitions.read(connection)
        assert [each.name for each in definitions.differences(before, after)] == ["event shop.e"]


def test_both_ends_of_what_is_supported_show_the_same(server_factory: ServerFactory) -> None:
    servers = [server_factory(version, number) for number, version in ((1, "8.0.15"), (2, "9.7"))]
    for each in servers:
        each.sql(*HELD, "SELECT 1")
    with servers[0].connect() as old, servers[1].connect() as new:
        known = every_privilege(old) & every_privilege(new)
        sides = [definitions.read(each, privileges=known, across=True) for each in (old, new)]
        found = {each.name for each in definitions.differences(*sides)}
    # Their passwords are hashed with other salts.
    assert found == {"account 'root'@'localhost'", "account 'root'@'127.0.0.1'"}


def test_schemas_are_chosen_by_name(server: Server) -> None:
    with server.connect() as connection:
        assert definitions.read(connection, ["no_such"], accounts=False) == {}
        found = definitions.read(connection, ["shop"], accounts=False)
    assert {name.split()[0] for name in found} == {
        *("schema", "table", "view", "procedure", "function", "trigger", "event")
    }
