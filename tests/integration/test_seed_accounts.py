# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts of a seeded replica, and what lies beside the schemas: carried, or named before."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError

from tests.integration import servers
from tests.integration.conftest import ServerFactory
from tests.integration.replicas import USER, grant
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server
from tests.integration.test_replication_seed import purge, seeding, twice
from tests.integration.test_seed_whole import differing

pytestmark = pytest.mark.servers

ACCOUNTS = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (id INT PRIMARY KEY, a INT)",
    "CREATE TABLE shop.gone (id INT PRIMARY KEY, a INT)",
    "CREATE PROCEDURE shop.p() SELECT 1",
    "CREATE ROLE reader, `röle %`@'10.%'",
    "CREATE USER app@'%' IDENTIFIED BY 'first' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 9"
    " PASSWORD EXPIRE INTERVAL 90 DAY PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 1 DAY",
    "ALTER USER app@'%' IDENTIFIED BY 'second'",
    "ALTER USER app@'%' IDENTIFIED BY 'third' RETAIN CURRENT PASSWORD",
    "CREATE USER locked@'10.0.0.0/255.0.0.0' IDENTIFIED BY 'x' ACCOUNT LOCK",
    "CREATE USER expired@localhost IDENTIFIED BY 'x' PASSWORD EXPIRE",
    "CREATE USER ''@'10.1.%'",
    "GRANT SELECT ON shop.* TO ''@'10.1.%'",
    "GRANT INSERT ON shop.t TO ''@'10.1.%'",
    "GRANT UPDATE (a) ON shop.t TO ''@'10.1.%'",
    "CREATE USER `한국 %s`@'%' IDENTIFIED BY 'x'",
    "CREATE USER other@'%'",
    "GRANT reader TO app@'%' WITH ADMIN OPTION",
    "GRANT `röle %`@'10.%' TO app@'%'",
    "GRANT reader TO `röle %`@'10.%'",
    "SET DEFAULT ROLE `röle %`@'10.%' TO app@'%'",
    "GRANT SELECT (id), UPDATE (a, id) ON shop.t TO app@'%' WITH GRANT OPTION",
    "GRANT SELECT (id), DELETE ON shop.gone TO app@'%'",
    "GRANT EXECUTE ON PROCEDURE shop.p TO app@'%'",
    "GRANT CREATE ON `sh\\_op%`.* TO app@'%'",
    "GRANT PROXY ON other@'%' TO app@'%' WITH GRANT OPTION",
    "GRANT RELOAD, ROLE_ADMIN ON *.* TO app@'%'",
    "GRANT BACKUP_ADMIN ON *.* TO app@'%' WITH GRANT OPTION",
    "DROP TABLE shop.gone",
    "SET SESSION sql_log_bin = 0",
    "UPDATE mysql.user SET password_last_changed = '2020-01-02 03:04:05' WHERE user = 'locked'",
    "FLUSH PRIVILEGES",
)


def seeded(source: Server, replica: Server, **options: Any) -> dict[str, Any]:
    grant(source)
    purge(source)
    return twice(seeding(replica, source, seed="dump", **options))


def test_accounts_keep_all_that_they_have(server_factory: ServerFactory, version: str) -> None:
    # Where names are not resolved, the session is no root@localhost, and may give no PROXY.
    source, replica = server_factory(version, 1), server_factory(version, 11, "--skip-name-resolve")
    source.sql(*ACCOUNTS)
    newer = version != "8.0.15"
    if newer:
        source.sql(
            "SET GLOBAL partial_revokes = ON",
            "CREATE USER most@'%' IDENTIFIED BY 'x' FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2"
            " COMMENT 'it''s'",
            "GRANT SELECT ON *.* TO most@'%'",
            "REVOKE SELECT ON shop.* FROM most@'%'",
        )
        grant(source, "unused")
        purge(source)
        refused = fail("mysql_replication", seeding(replica, source, seed="dump"), check=True)
        assert "'most'@'%' has partial revokes" in refused["msg"]
        replica.sql("SET GLOBAL partial_revokes = ON")
    done = seeded(source, replica)
    assert differing(source, replica) == []
    assert done["seed"]["not_carried"] == []
    for word in ("second", "third"):
        replica.connect(user="app", password=word).close()
    # Neither is another's: the first one is remembered, and cannot come back.
    with pytest.raises(MysqlError, match="1045"):
        replica.connect(user="app", password="first")
    replica.sql("SET SESSION sql_log_bin = 0", "SET GLOBAL super_read_only = OFF")
    with pytest.raises(MysqlError, match="3638"):
        replica.sql("SET SESSION sql_log_bin = 0", "ALTER USER app@'%' IDENTIFIED BY 'first'")
    for asked in (
        "SELECT user, host, password_last_changed, password_lifetime FROM mysql.user"
        " WHERE user NOT LIKE 'mysql.%' ORDER BY 1, 2",
        "SELECT host, db, user, table_name, table_priv, column_priv FROM mysql.tables_priv ORDER BY 1, 2, 3, 4",
        "SELECT host, db, user, table_name, column_name, column_priv FROM mysql.columns_priv"
        " ORDER BY 1, 2, 3, 4, 5",
        "SELECT host, user, proxied_host, proxied_user, with_grant FROM mysql.proxies_priv"
        " ORDER BY 1, 2, 3, 4",
    ):
        assert replica.sql(asked) == source.sql(asked)


@pytest.mark.long
def test_an_account_that_the_replica_cannot_have_is_named(server_factory: ServerFactory) -> None:
    old, new = server_factory("8.0.15", 1), server_factory("9.7", 11)
    old.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY)",
        "CREATE USER native@'%' IDENTIFIED WITH mysql_native_password BY 'x'",
        "CREATE ROLE reader",
        "GRANT reader TO native@'%'",
    )
    grant(old)
    purge(old)
    wanted = seeding(new, old, seed="dump")
    for check in (True, False):
        failed = fail("mysql_replication", wanted, check=check)
        assert codes(failed) == ["replication.seed_broken"]
        proof = failed["findings"][0]["proof"]
        assert len(proof) == 1
        assert proof[0].startswith("account 'native'@'%': authenticates by mysql_native_password")
        assert not failed["changed"]
    without = twice({**wanted, "seed_without": ["account 'native'@'%'"]})
    assert "account 'native'@'%'" in " ".join(without["seed"]["not_carried"])
    assert new.sql("SELECT user FROM mysql.user WHERE user = 'native'") == []
    assert new.sql("SELECT user FROM mysql.user WHERE user = 'reader'") == [{"user": "reader"}]


@pytest.mark.skipif("8.0.33" not in servers.VERSIONS, reason="no server of that version here")
def test_a_newer_source_of_the_series(server_factory: ServerFactory) -> None:
    """An older replica takes what it knows, and what it does not is named: hashes go as it reads them."""
    new, old = server_factory("8.0.33", 1), server_factory("8.0.15", 11)
    new.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY, i INT INVISIBLE)",
        "CREATE USER a@'%' IDENTIFIED BY 'pw' COMMENT 'c'",
        "CREATE USER b@'%' IDENTIFIED BY 'pw'",
        "CREATE USER n@'%' IDENTIFIED WITH mysql_native_password BY 'pw'",
    )
    grant(new)
    purge(new)
    wanted = seeding(old, new, seed="dump")
    failed = fail("mysql_replication", wanted, check=True)
    assert codes(failed) == ["replication.seed_impossible", "replication.seed_broken"]
    assert "table shop.t: the replica would leave out /*!80023 INVISIBLE */" in failed["msg"]
    assert "account 'a'@'%': You have an error" in failed["msg"]
    new.sql("DROP TABLE shop.t", "DROP USER a@'%'", "CREATE TABLE shop.u (id INT PRIMARY KEY)")
    twice(wanted)
    for name in ("b", "n"):
        old.connect(user=name, password="pw").close()


def test_what_stays_behind_is_named(server_factory: ServerFactory, version: str) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    source.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY, a INT)",
        "INSERT INTO shop.t VALUES (1, 1), (2, 2)",
        "ANALYZE TABLE shop.t UPDATE HISTOGRAM ON a",
        "CREATE TABLE mysql.own (id INT PRIMARY KEY)",
        "CREATE PROCEDURE sys.own() SELECT 1",
        "SET PERSIST max_connections = 61",
        "SET PERSIST server_id = 1",
        "SET GLOBAL default_password_lifetime = 90",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h', PASSWORD 'secret of s')",
    )
    newer: list[str] = []
    if version != "8.0.15":
        newer = ["READ ONLY of schemas: ro", "components: file://component_validate_password"]
        source.sql(
            "CREATE DATABASE ro",
            "ALTER DATABASE ro READ ONLY = 1",
        )
    replica.sql("SET SESSION sql_log_bin = 0", "CREATE USER mine@'%'")
    grant(source)
    if newer:
        source.sql("INSTALL COMPONENT 'file://component_validate_password'")
    purge(source)
    done = twice(seeding(replica, source, seed="dump"))
    assert codes(done) == ["replication.seed_left"]
    told = done["findings"][0]["proof"]
    assert told == done["seed"]["not_carried"]
    for line in (
        "histograms: shop.t.a",
        "tables in the schemas mysql and sys: mysql.own",
        "programs in the schemas mysql and sys: sys.own",
        "persisted variables with another value on the replica: max_connections",
        "variables that govern accounts, with another value there: default_password_lifetime",
        "servers of federated tables: s",
        "accounts that only the replica has stay: 'mine'@'%'",
        *newer,
    ):
        assert line in told
    assert "secret of s" not in str(done)


def test_what_tables_and_events_stand_on_comes_along(
    server_factory: ServerFactory, version: str
) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    source.sql(
        "CREATE TABLESPACE `odd ts` ADD DATAFILE 'odd.ibd'",
        "CREATE DATABASE shop",
        "CREATE TABLE shop.in_ts (id INT PRIMARY KEY) TABLESPACE `odd ts`",
        "CREATE TABLE shop.part (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2",
        "INSERT INTO shop.in_ts VALUES (1)",
        "CREATE SPATIAL REFERENCE SYSTEM 990001 NAME 'own' DEFINITION"
        ' \'GEOGCS["own",DATUM["own",SPHEROID["s",6378137,298]],PRIMEM["G",0],'
        'UNIT["degree",0.017453292519943278],AXIS["Lat",NORTH],AXIS["Lon",EAST]]\''
        " ORGANIZATION 'o' IDENTIFIED BY 77 DESCRIPTION 'it''s'",
        "CREATE TABLE shop.place (id INT PRIMARY KEY, g POINT SRID 990001)",
        "INSERT INTO shop.place VALUES (1, ST_GeomFromText('POINT(1 2)', 990001))",
        "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (7, 'N')",
        "INSERT INTO mysql.time_zone_name VALUES ('Asia/Seoul', 7)",
        "INSERT INTO mysql.time_zone_transition_type VALUES (7, 0, 32400, 0, 'KST')",
        "SET SESSION time_zone = 'Asia/Seoul'",
        "CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 09:00:00' DO SELECT 1",
        "SET SESSION timestamp = UNIX_TIMESTAMP('2020-01-01')",
        "CREATE EVENT shop.over ON SCHEDULE AT '2020-01-02' DISABLE DO SELECT 1",
        "CREATE EVENT shop.ended ON SCHEDULE EVERY 1 DAY ENDS '2020-01-05' DISABLE DO SELECT 1",
    )
    if version != "8.0.15":
        source.sql(
            "SET SESSION sql_generate_invisible_primary_key = ON",
            "CREATE TABLE shop.hidden (a INT, i INT INVISIBLE DEFAULT 5)",
            "INSERT INTO shop.hidden (a) VALUES (1), (2)",
            "CREATE TABLE shop.keyless (a INT) SECONDARY_ENGINE_ATTRIBUTE = '{\"a\": 1}'",
        )
        replica.sql(
            "SET GLOBAL sql_generate_invisible_primary_key = ON",
            "SET GLOBAL sql_require_primary_key = ON",
        )
        source.sql("CREATE TABLE shop.none (a INT)", "INSERT INTO shop.none VALUES (1), (1)")
    source.sql(
        "CREATE TABLE shop.made (a INT DEFAULT (1 + 1), b INT AS (a + 1) STORED, c INT AS (b) VIRTUAL,"
        " t TIMESTAMP NOT NULL, n INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 900"
    )
    replica.sql("SET GLOBAL explicit_defaults_for_timestamp = OFF")
    done = seeded(source, replica)
    assert differing(source, replica) == []
    assert done["seed"]["not_carried"] == []
    assert replica.sql("SELECT CONVERT_TZ('2026-01-01', '+00:00', 'Asia/Seoul') IS NULL AS n") == [
        {"n": 0}
    ]
    counter = "SELECT CONCAT(auto_increment) AS n FROM information_schema.tables WHERE table_name = 'made'"
    assert replica.sql("SET SESSION information_schema_stats_expiry = 0", counter) == [{"n": "900"}]


@pytest.mark.skipif("8.0.33" not in servers.VERSIONS, reason="no server with a keyring plugin here")
def test_what_is_encrypted_needs_a_keyring(server_factory: ServerFactory) -> None:
    def keyring(number: int) -> tuple[str, str]:
        file = f"/tmp/keyring-{os.getpid()}-{number}"
        return "--early-plugin-load=keyring_file.so", f"--keyring-file-data={file}"

    source = server_factory("8.0.33", 1, *keyring(1))
    source.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT PRIMARY KEY) ENCRYPTION='Y'",
        "INSERT INTO shop.t VALUES (1)",
        "CREATE TABLESPACE ts ADD DATAFILE 'ts.ibd' ENCRYPTION='Y'",
        "CREATE TABLE shop.u (id INT PRIMARY KEY) TABLESPACE ts ENCRYPTION='Y'",
    )
    grant(source)
    source.sql(f"GRANT BACKUP_ADMIN ON *.* TO {USER}@'%'")
    purge(source)
    without = server_factory("8.0.33", 11)
    for way in ("clone", "dump"):
        failed = fail("mysql_replication", seeding(without, source, seed=way))
        assert codes(failed) == ["replication.seed_impossible"]
        for name in ("shop/t", "ts"):
            assert f"tablespace {name} is encrypted" in failed["msg"]
        assert not failed["changed"]
    replica = server_factory("8.0.33", 12, *keyring(12))
    twice(seeding(replica, source, seed="dump"))
    assert differing(source, replica) == []
    asked = (
        "SELECT name FROM information_schema.innodb_tablespaces WHERE encryption = 'Y' ORDER BY 1"
    )
    assert replica.sql(asked) == source.sql(asked) == [{"name": "shop/t"}, {"name": "ts"}]


def test_files_outside_the_data_directory_are_named(server_factory: ServerFactory) -> None:
    name = f"/srv/ext-{os.getpid()}"
    folder = servers.tree("9.7") / name[1:]
    folder.mkdir()
    servers.in_tree(servers.tree("9.7"), "chown", "mysql:mysql", name)
    try:
        source = server_factory("9.7", 1, f"--innodb-directories={name}")
        replica = server_factory("9.7", 11)
        source.sql(
            "CREATE DATABASE shop",
            f"CREATE TABLE shop.t (id INT PRIMARY KEY) DATA DIRECTORY='{name}'",
            "CREATE TABLE shop.q (id INT PRIMARY KEY) PARTITION BY HASH (id)"
            f" (PARTITION p1 DATA DIRECTORY='{name}', PARTITION p2)",
        )
        grant(source)
        source.sql(f"GRANT BACKUP_ADMIN ON *.* TO {USER}@'%'")
        purge(source)
        for way in ("clone", "dump", "auto"):
            failed = fail("mysql_replication", seeding(replica, source, seed=way))
            assert set(codes(failed)) == {"replication.seed_impossible"}
            assert f"file {name}/shop/t.ibd" in failed["msg"]
            assert f"file {name}/shop/q#p#p1.ibd" in failed["msg"]
            assert not failed["changed"]
    finally:
        shutil.rmtree(folder)


def test_an_engine_that_the_replica_has_not_is_named(
    server_factory: ServerFactory, version: str
) -> None:
    """A server would make the table in another engine, with a warning that nobody reads."""
    source = server_factory(version, 1)
    replica = server_factory(version, 11, "--disabled-storage-engines=MyISAM,ARCHIVE")
    source.sql("CREATE DATABASE shop", "CREATE TABLE shop.m (id INT PRIMARY KEY) ENGINE=MyISAM")
    grant(source)
    purge(source)
    failed = fail("mysql_replication", seeding(replica, source, seed="dump"))
    assert codes(failed) == ["replication.seed_impossible"]
    assert "table shop.m is MyISAM" in failed["msg"]
    assert not failed["changed"]


def test_rows_on_another_server_are_not_written_twice(server_factory: ServerFactory) -> None:
    """A federated table's rows are another server's: copying them would write them there again."""
    source = server_factory("9.7", 1, "--federated")
    replica = server_factory("9.7", 11, "--federated")
    far = server_factory("9.7", 21)
    far.sql("CREATE DATABASE far", "CREATE TABLE far.t (id INT)", "INSERT INTO far.t VALUES (1)")
    far.sql("CREATE USER fed@'%' IDENTIFIED BY 'fed'", "GRANT ALL ON far.* TO fed@'%'")
    source.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.t (id INT) ENGINE=FEDERATED"
        f" CONNECTION='mysql://fed:fed@127.0.0.1:{far.port}/far/t'",
    )
    done = seeded(source, replica)
    assert far.sql("SELECT COUNT(*) AS n FROM far.t") == [{"n": 1}]
    assert "shop.t" in " ".join(done["seed"]["not_carried"])
    succeed("mysql_replication", seeding(replica, source))
