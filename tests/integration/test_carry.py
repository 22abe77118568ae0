# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows carried between real servers: of every type and character set, and larger than a packet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import carry, seed_copy
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Connection
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.literals import SESSION
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.table_sums import (
    sum_of,
    tables_of,
)

from tests.integration import replicas
from tests.integration.conftest import ServerFactory
from tests.integration.runner import codes, fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers

MEGABYTE = 1 << 20
CHARSETS = (
    "latin1",
    "euckr",
    "sjis",
    "utf16",
    "gbk",
    "utf8mb4",
    "utf8mb3",
    "ascii",
    "utf32",
    "big5",
)
WORDS = {"latin1": "caf\u00e9 \u20ac", "euckr": "한국", "sjis": "ソ表", "gbk": "縗運", "big5": "功"}


@pytest.fixture(scope="module")
def pair(shared_server_factory: ServerFactory, version: str) -> tuple[Server, Server]:
    """Two servers; what the first one holds was written before its limit was lowered."""
    return shared_server_factory(version, 1), shared_server_factory(version, 11)


@pytest.fixture
def ends(pair: tuple[Server, Server]) -> Iterator[tuple[Connection, Connection]]:
    for server in pair:
        server.sql("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop")
        limited(server, 64)
    with pair[0].connect() as source, pair[1].connect() as target:
        for session in (source, target):
            for statement in SESSION:
                session.execute(statement)
        yield source, target


def limited(server: Server, megabytes: int) -> None:
    server.sql(f"SET GLOBAL max_allowed_packet = {megabytes * MEGABYTE}")


def copied(source: Connection, target: Connection, table: str = "t") -> int:
    made = source.query(f"SHOW CREATE TABLE shop.{table}")[0]["create table"]
    target.execute("USE shop")
    target.execute(made)
    count = seed_copy._copy_rows(source, target, "shop", table)
    for method in ("crc", "sha2"):
        assert (
            len({sum_of(each, tables_of(each, ["shop"])[0], method) for each in (source, target)})
            == 1
        )
    return count


def test_texts_of_each_character_set_keep_their_bytes(ends: tuple[Connection, Connection]) -> None:
    source, target = ends
    columns = ", ".join(f"c_{each} VARCHAR(30) CHARACTER SET {each}" for each in CHARSETS)
    source.execute(f"CREATE TABLE shop.t (id INT PRIMARY KEY, {columns}, b VARBINARY(9), e BLOB)")
    words = ", ".join("%s" for _each in CHARSETS)
    row = tuple(WORDS.get(each, "plain 'it' \\ \n \t%s ?") for each in CHARSETS)
    source.execute(f"INSERT INTO shop.t VALUES (1, {words}, x'00ff27', '')", row)
    source.execute("INSERT INTO shop.t (id) VALUES (2)")
    empty = ", ".join("''" for _each in CHARSETS)
    source.execute(f"INSERT INTO shop.t VALUES (3, {empty}, '', 'NULL')")
    assert copied(source, target) == 3
    for charset in CHARSETS:
        found = [
            each.query(f"SELECT HEX(c_{charset}) AS h FROM shop.t ORDER BY id") for each in ends
        ]
        assert found[0] == found[1]


def test_values_that_texts_read_alike_stay_apart(ends: tuple[Connection, Connection]) -> None:
    source, target = ends
    source.execute(
        "CREATE TABLE shop.t (f FLOAT, d DOUBLE, e ENUM('a', ''), s SET('x', 'y'), z DATE, y YEAR,"
        " n VARCHAR(9), b BIT(64), t TIME(6), p GEOMETRY, j JSON, `odd %s ``?` INT)"
    )
    source.execute(
        "INSERT IGNORE INTO shop.t VALUES ('-0', '-0', 'zzz', '', '0000-00-00', 0, 'NULL', x'ffffffffffffffff',"
        " '-838:59:58.9', ST_GeomFromText('POINT(1 2)', 4326), '[]', 1),"
        " (0, 0, '', 3, '2026-00-00', 2155, NULL, NULL, NULL, NULL, 'null', NULL),"
        " (1e-45, 5e-324, 'a', 'x', NULL, NULL, '', 0, 0, NULL, NULL, 0)"
    )
    assert copied(source, target) == 3
    assert target.query("SELECT e + 0 AS e FROM shop.t") == [{"e": 0.0}, {"e": 2.0}, {"e": 1.0}]


def test_a_vector_a_hidden_column_and_one_that_is_made(ends: tuple[Connection, Connection]) -> None:
    source, target = ends
    if source.server.version < (9, 0, 0):
        source.execute("CREATE TABLE shop.t (a INT, twice INT AS (a * 2), more INT AS (a) STORED)")
        source.execute("INSERT INTO shop.t (a) VALUES (1), (NULL)")
    else:
        source.execute(
            "CREATE TABLE shop.t (v VECTOR(3), a INT INVISIBLE, twice INT AS (a * 2) INVISIBLE)"
        )
        source.execute(
            "INSERT INTO shop.t (v, a) VALUES (STRING_TO_VECTOR('[1,-2,3]'), 5), (NULL, 6)"
        )
    assert copied(source, target) == 2


def test_a_table_whose_columns_are_all_made(ends: tuple[Connection, Connection]) -> None:
    source, target = ends
    source.execute("CREATE TABLE shop.t (a INT AS (1))")
    source.execute("INSERT INTO shop.t VALUES (), ()")
    assert copied(source, target) == 2


def test_a_thousand_columns(ends: tuple[Connection, Connection]) -> None:
    source, target = ends
    columns = ", ".join(f"c{number} VARCHAR(6) CHARACTER SET latin1" for number in range(1000))
    source.execute(f"CREATE TABLE shop.t (id INT PRIMARY KEY, {columns})")
    source.execute("INSERT INTO shop.t (id, c0, c999) VALUES (1, 'it''s', ''), (2, NULL, 'NULL')")
    assert copied(source, target) == 2


DIGESTS = """SELECT id, SHA2(b, 256), SHA2(x, 256), SHA2(l, 256), SHA2(u, 256), SHA2(m, 256), n
 FROM shop.t ORDER BY id, n"""
LARGE = """CREATE TABLE shop.t (id INT{key}, b LONGBLOB, x LONGTEXT, l LONGTEXT CHARACTER SET latin1,
 u LONGTEXT CHARACTER SET utf16, j JSON, g GEOMETRY, n INT, m MEDIUMTEXT CHARACTER SET gbk)"""


@pytest.mark.parametrize("key", [" PRIMARY KEY", ""])
@pytest.mark.parametrize(("from_mb", "to_mb"), [(4, 4), (1, 4), (1, 1), (4, 1)])
def test_rows_larger_than_a_packet(
    pair: tuple[Server, Server],
    ends: tuple[Connection, Connection],
    key: str,
    from_mb: int,
    to_mb: int,
) -> None:
    """Each value is one that the target takes, none of the rows is one that a statement takes."""
    source, target = ends
    source.execute(LARGE.format(key=key))
    most = to_mb * MEGABYTE
    # In bytes; JSON has to be read by the source too.
    long, json = most - 9, min(from_mb, to_mb) * MEGABYTE - 99
    source.execute("INSERT INTO shop.t (id, b, n) VALUES (1, REPEAT(x'00ff', %s), 7)", (long // 2,))
    source.execute(
        "INSERT INTO shop.t (id, x, l, n) VALUES (2, REPEAT('한', %s), REPEAT('é', %s), 8)",
        (long // 3, long),
    )
    source.execute("INSERT INTO shop.t (id, j) VALUES (3, JSON_ARRAY(REPEAT('x', %s)))", (json,))
    source.execute(
        "INSERT INTO shop.t (id, u, m) VALUES (4, REPEAT('é', 300000), REPEAT('運', 300000))"
    )
    source.execute(
        "INSERT INTO shop.t (id, n) VALUES (5, 5), (6, NULL), (5, 5)"
        if not key
        else "INSERT INTO shop.t (id, n) VALUES (5, 5)"
    )
    rows = source.query(DIGESTS)
    for server, megabytes in zip(pair, (from_mb, to_mb), strict=True):
        limited(server, megabytes)
    with pair[0].connect() as lower, pair[1].connect() as there:
        for session in (lower, there):
            for statement in SESSION:
                session.execute(statement)
        assert seed_copy.too_large(lower, to_mb * MEGABYTE) == []
        assert copied(lower, there) == len(rows)
        assert there.query(DIGESTS) == rows


def test_what_cannot_be_carried_is_named_first(
    pair: tuple[Server, Server], ends: tuple[Connection, Connection]
) -> None:
    source, _target = ends
    source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, b LONGBLOB, j JSON)")
    source.execute("INSERT INTO shop.t VALUES (1, REPEAT('b', 1048577), NULL), (2, 'x', '[1]')")
    lines = ["shop.t.b: 1 values, up to 1048577 bytes"]
    assert seed_copy.too_large(source, MEGABYTE) == lines
    source.execute("UPDATE shop.t SET b = NULL")
    assert seed_copy.too_large(source, MEGABYTE) == []
    source.execute("UPDATE shop.t SET j = JSON_ARRAY(REPEAT('x', 2000000)) WHERE id = 2")
    assert seed_copy.too_large(source, MEGABYTE) == ["shop.t.j: 1 values, up to 2000004 bytes"]
    # Nor is it read as an empty document where nobody asked first.
    limited(pair[0], 1)
    with pair[0].connect() as lower, pair[1].connect() as target:
        for statement in SESSION:
            lower.execute(statement)
        assert carry.too_large(lower, seed_copy._rows(lower, "shop", "t"), 64 * MEGABYTE)
        target.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, b LONGBLOB, j JSON)")
        with pytest.raises(CollectionError, match="has a value that .* cannot read"):
            seed_copy._copy_rows(lower, target, "shop", "t")


def test_seeding_by_dump_names_values_that_the_replica_does_not_take(
    server_factory: ServerFactory, version: str
) -> None:
    primary = server_factory(version, 1)
    replica = server_factory(version, 11, "--max-allowed-packet=1M")
    replicas.grant(primary)
    primary.sql(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.f (id INT PRIMARY KEY, b LONGBLOB, j JSON)",
        "INSERT INTO shop.f VALUES (1, REPEAT('b', 1500000), JSON_ARRAY(REPEAT('j', 1500000)))",
    )
    wanted = {"source_instance": primary.instance("primary"), "seed": "dump"}
    asked = replicas.source_of(replica, primary, **wanted)
    refused = fail("mysql_replication", asked)
    assert codes(refused) == ["mysql.value_too_large"]
    assert "shop.f.b: 1 values, up to 1500000 bytes" in refused["msg"]
    assert replica.sql("SHOW DATABASES LIKE 'shop'") == []
    # As the next step says.
    limited(replica, 2)
    succeed("mysql_replication", asked)
    both = {"instances": [primary.instance("primary"), replica.instance("replica")]}
    assert succeed("mysql_checksum", {**both, "method": "sha2"})["equal"]
