# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_load into real servers: what arrives, what is refused, what a broken load leaves."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.runner import CHECKOUT, COLLECTIONS, PACKAGE, codes, fail, succeed
from tests.integration.servers import VERSIONS, Server

pytestmark = pytest.mark.servers

TABLES = ("departments", "dept_emp", "dept_manager", "employees", "salaries", "titles")

SYNTAX = """\
-- Every kind of thing that a dump may hold; "quotes' in a comment
# and another; one
/* a block; 'open */
DROP DATABASE IF EXISTS {database};
CREATE DATABASE /*!32312 IF NOT EXISTS*/ `{database}` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;
USE {database}
/*!50503 set default_storage_engine = InnoDB */;
CREATE TABLE words (id INT PRIMARY KEY, word VARCHAR(40), n DECIMAL(8,2), blob_ VARBINARY(20));
CREATE TABLE numbers (id INT PRIMARY KEY, doubled INT GENERATED ALWAYS AS (id * 2) STORED);
flush /*!50503 binary */ logs;
SELECT 'LOADING; words' as 'INFO';
source parts/words.dump ;
INSERT INTO numbers (id) VALUES (1),(2),(3);
DELIMITER //
CREATE PROCEDURE twice() BEGIN SELECT 1; SELECT 2; END //
CREATE TRIGGER shout BEFORE INSERT ON words FOR EACH ROW
BEGIN
  SET NEW.word = UPPER(NEW.word); -- here; too
END //
DELIMITER ;
INSERT INTO words VALUES (100,'loud',1,NULL);
CALL twice();
SET @done := 'yes; it is';
"""

WORDS = """\
INSERT INTO `words` VALUES (1,'it''s',1.50,'a\\0b'),
(2,'),(3,''x''',NULL,NULL),
(4,'line
break \\\\ back',-3,'\\\\'),(5,'한국어',0,'%_');
INSERT INTO words VALUES (6,concat('six','!'),6,x'4142'),(7,'seven',7,NULL);
INSERT INTO words (word, id) VALUES ('eight',8);
INSERT INTO words VALUES (9,'nine',9,NULL)"""

EXPECTED_WORDS = [
    (1, "it's", "1.50", b"a\0b"),
    (2, "),(3,'x'", None, None),
    (4, "line\nbreak \\ back", "-3.00", b"\\"),
    (5, "한국어", "0.00", b"%_"),
    (6, "six!", "6.00", b"AB"),
    (7, "seven", "7.00", None),
    (8, "eight", None, None),
    (9, "nine", "9.00", None),
    (100, "LOUD", "1.00", None),
]


@pytest.fixture(scope="module", params=VERSIONS)
def primary(request: pytest.FixtureRequest, shared_server_factory: ServerFactory) -> Server:
    return shared_server_factory(str(request.param), 1)


@pytest.fixture(scope="module")
def employees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of the database ``employees``."""
    path = tmp_path_factory.mktemp("data") / "employees"
    succeed("employees_dataset", {"path": str(path), "scale": 0.003})
    return path / "employees.sql"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def syntax_dump(folder: Path, database: str) -> Path:
    write(folder / "parts" / "words.dump", WORDS)
    return write(folder / "dump.sql", SYNTAX.format(database=database))


def arguments(server: Server, file: Path, database: str, **options: Any) -> dict[str, Any]:
    return {**server.login, "file": str(file), "database": database, **options}


def words(server: Server, database: str) -> list[tuple[Any, ...]]:
    rows = server.sql(f"SELECT id, word, n, blob_ FROM {database}.words ORDER BY id")
    return [
        (row["id"], row["word"], None if row["n"] is None else str(row["n"]), row["blob_"])
        for row in rows
    ]


def local_infile(server: Server) -> int:
    return int(server.sql("SELECT @@GLOBAL.local_infile AS x")[0]["x"])


def state(server: Server, database: str) -> str:
    query = f"SELECT state FROM mysql_on_kubernetes.loads WHERE database_name = '{database}'"
    return str(server.sql(query)[0]["state"])


def follow(replica: Server, source: Server) -> None:
    source.sql(
        "CREATE USER IF NOT EXISTS repl@'%' IDENTIFIED BY 'of the tests'",
        "GRANT REPLICATION SLAVE ON *.* TO repl@'%'",
    )
    login = {"source_user": "repl", "source_password": "of the tests"}
    where = {"source_host": source.host, "source_port": source.port}
    succeed("mysql_replication", {**replica.login, **where, **login})


@pytest.mark.parametrize("method", ["auto", "insert"])
def test_every_syntax_arrives_as_written(primary: Server, tmp_path: Path, method: str) -> None:
    database = f"syntax_{method}"
    dump = syntax_dump(tmp_path, database)
    result = succeed("mysql_load", arguments(primary, dump, database, method=method))
    assert result["changed"]
    assert words(primary, database) == EXPECTED_WORDS
    assert [row["doubled"] for row in primary.sql(f"SELECT doubled FROM {database}.numbers")] == [
        2,
        4,
        6,
    ]
    loaded = {table["table"]: table for table in result["tables"]}
    assert loaded["words"]["rows"] == 9
    assert ("load_data" in loaded["words"]["method"]) == (method == "auto")


def test_rows_are_the_same_by_load_data_and_by_insert(primary: Server, tmp_path: Path) -> None:
    sums = []
    for method in ("load_data", "insert"):
        database = f"same_{method}"
        folder = tmp_path / database
        options = {"path": str(folder), "scale": 0.002, "database": database}
        made = succeed("employees_dataset", options)
        dump = folder / "employees.sql"
        result = succeed("mysql_load", arguments(primary, dump, database, method=method))
        rows = {table["table"]: table["rows"] for table in result["tables"]}
        assert rows == made["rows"]
        assert {table["method"] for table in result["tables"]} == {method}
        tables = ", ".join(f"{database}.{table}" for table in TABLES)
        sums.append([row["checksum"] for row in primary.sql(f"CHECKSUM TABLE {tables}")])
    assert sums[0] == sums[1]
    assert local_infile(primary) == 0


def test_check_mode_predicts_and_a_second_run_loads_nothing(
    primary: Server, employees: Path
) -> None:
    given = arguments(primary, employees, "employees")
    for _again in range(2):
        predicted = succeed("mysql_load", given, check=True)
        assert predicted["changed"]
        assert not primary.sql("SHOW DATABASES LIKE 'employees'")
    result = succeed("mysql_load", given)
    assert (result["plan"], result["diff"]) == (predicted["plan"], predicted["diff"])
    before = primary.sql("SELECT @@GLOBAL.gtid_executed AS x")
    for check in (False, True, False):
        again = succeed("mysql_load", given, check=check)
        assert not again["changed"]
        assert again["plan"] == []
        assert again["rows"] == result["rows"] == 11_790
    assert primary.sql("SELECT @@GLOBAL.gtid_executed AS x") == before
    primary.sql("DROP DATABASE employees")
    assert succeed("mysql_load", given, check=True)["changed"]


def test_a_gzip_dump_is_the_same_dump(primary: Server, tmp_path: Path) -> None:
    text = "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1),(2);"
    plain = write(tmp_path / "plain.sql", text)
    packed = tmp_path / "packed.sql.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert succeed("mysql_load", arguments(primary, packed, "packed"))["rows"] == 2
    assert not succeed("mysql_load", arguments(primary, plain, "packed"))["changed"]


def test_an_error_names_file_line_and_reason_and_the_next_run_starts_clean(
    primary: Server, tmp_path: Path
) -> None:
    dump = write(tmp_path / "main.sql", "USE broken;\nsource tables.sql;\nsource rows.dump;\n")
    write(tmp_path / "tables.sql", "CREATE TABLE t (id INT PRIMARY KEY);\n")
    rows = write(tmp_path / "rows.dump", "INSERT INTO t VALUES (1),(2);\nINSERT INTO t VALUES (2);")
    result = fail("mysql_load", arguments(primary, dump, "broken"))
    assert codes(result) == ["load.statement_failed"]
    first = result["msg"].splitlines()[0]
    assert "rows.dump:2" in first
    assert "(1062)" in first
    assert "next:" in result["msg"]
    assert state(primary, "broken") == "loading"
    assert local_infile(primary) == 0
    rows.write_text("INSERT INTO t VALUES (1),(2);\nINSERT INTO t VALUES (3);")
    result = succeed("mysql_load", arguments(primary, dump, "broken"))
    assert any(step["statement"].startswith("DROP DATABASE") for step in result["plan"])
    assert primary.sql("SELECT COUNT(*) AS n FROM broken.t") == [{"n": 3}]


def test_other_data_is_dropped_only_when_asked(primary: Server, tmp_path: Path) -> None:
    primary.sql("CREATE DATABASE kept", "CREATE TABLE kept.precious (id INT PRIMARY KEY)")
    dump = write(
        tmp_path / "dump.sql",
        "DROP DATABASE IF EXISTS kept; CREATE DATABASE kept; USE kept; CREATE TABLE t (id INT);",
    )
    for check in (True, False):
        result = fail("mysql_load", arguments(primary, dump, "kept"), check=check)
        assert codes(result) == ["load.target_not_empty"]
        assert "precious" in result["msg"]
    assert primary.sql("SHOW TABLES FROM kept")[0]["tables_in_kept"] == "precious"
    assert succeed("mysql_load", arguments(primary, dump, "kept", mode="replace"))["changed"]
    assert primary.sql("SHOW TABLES FROM kept")[0]["tables_in_kept"] == "t"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USE elsewhere; CREATE TABLE t (id INT);", "load.other_database"),
        ("DROP DATABASE IF EXISTS elsewhere;", "load.other_database"),
        ("/*!40000 DROP DATABASE IF EXISTS `elsewhere`*/;", "load.other_database"),
        ("CREATE TABLE t (id INT);\nsource not_there.dump;", "load.file_missing"),
        ("source dump.sql;", "load.source_loop"),
        ("SELECT 'never closed;", "load.unterminated"),
        ("system rm -rf x\n", "load.client_command"),
        ("CREATE TABEL t (id INT);", "load.statement_failed"),
    ],
)
def test_a_dump_that_cannot_be_loaded_is_named(
    primary: Server, tmp_path: Path, text: str, code: str
) -> None:
    primary.sql("CREATE DATABASE IF NOT EXISTS elsewhere")
    dump = write(tmp_path / "dump.sql", text)
    result = fail("mysql_load", arguments(primary, dump, "wrong"))
    assert codes(result) == [code]
    assert "dump.sql" in result["msg"].splitlines()[0]
    assert primary.sql("SHOW DATABASES LIKE 'elsewhere'")
    primary.sql("DROP DATABASE IF EXISTS wrong")


def test_rows_that_load_data_would_change_go_by_insert(primary: Server, tmp_path: Path) -> None:
    text = "SET sql_mode = ''; CREATE TABLE t (n INT); INSERT INTO t VALUES (1),('2 apples');"
    dump = write(tmp_path / "dump.sql", text)
    result = fail("mysql_load", arguments(primary, dump, "lenient", method="load_data"))
    assert codes(result) == ["load.rows_skipped"]
    result = succeed("mysql_load", arguments(primary, dump, "lenient"))
    assert result["tables"][0]["method"] == "insert"
    assert [row["n"] for row in primary.sql("SELECT n FROM lenient.t ORDER BY n")] == [1, 2]


def test_session_settings_of_the_dump_are_heeded(primary: Server, tmp_path: Path) -> None:
    text = (
        "SET NAMES latin1; CREATE TABLE t (id INT, w VARCHAR(20)) CHARACTER SET utf8mb4;"
        "INSERT INTO t VALUES (1,'\xe9t\xe9'); SET sql_mode = 'NO_BACKSLASH_ESCAPES';"
        "INSERT INTO t VALUES (2,'C:\\'); START TRANSACTION; INSERT INTO t VALUES (3,'c');"
        "ROLLBACK; INSERT INTO t VALUES (4,'d');"
    )
    dump = tmp_path / "dump.sql"
    dump.write_bytes(text.encode("latin1"))
    succeed("mysql_load", arguments(primary, dump, "settings"))
    rows = primary.sql("SELECT id, w FROM settings.t ORDER BY id")
    assert [(row["id"], row["w"]) for row in rows] == [(1, "été"), (2, "C:\\"), (4, "d")]


def test_statements_larger_than_the_server_takes(
    server_factory: ServerFactory, version: str, tmp_path: Path
) -> None:
    server = server_factory(version, 1, "--max-allowed-packet=1M")
    rows = ",".join(f"({number},'{'x' * 90}')" for number in range(30_000))
    text = f"CREATE TABLE t (id INT PRIMARY KEY, w VARCHAR(100)); INSERT INTO t VALUES {rows};"
    dump = write(tmp_path / "dump.sql", text)
    assert succeed("mysql_load", arguments(server, dump, "large"))["rows"] == 30_000
    expression = write(tmp_path / "wide.sql", f"CREATE TABLE t AS SELECT '{'x' * (2 << 20)}' AS w;")
    result = fail("mysql_load", arguments(server, expression, "wide"))
    assert codes(result) == ["load.packet_too_large"]


def test_a_read_only_server_is_refused(
    server_factory: ServerFactory, version: str, employees: Path
) -> None:
    server = server_factory(version, 1, "--super-read-only=ON")
    result = fail("mysql_load", arguments(server, employees, "employees"), check=True)
    assert codes(result) == ["load.read_only"]


def test_rows_arrive_on_a_replica_and_are_waited_for(
    server_factory: ServerFactory, version: str, employees: Path, tmp_path: Path
) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    follow(replica, source)
    seen = tmp_path / "progress"
    given = arguments(source, employees, "employees", replicas=[replica.instance("mysql-11")])
    result = succeed("mysql_load", {**given, "progress_file": str(seen)})
    assert result["replicas"] == {"mysql-11": result["rows"]}
    counted = "SELECT COUNT(*) AS n FROM employees.salaries"
    assert replica.sql(counted) == source.sql(counted) == [{"n": 8_532}]
    assert "mysql-11 11,790" in seen.read_text().splitlines()[-1]
    assert not succeed("mysql_load", given)["changed"]


def test_a_dump_that_hides_from_replicas_reaches_them(
    server_factory: ServerFactory, version: str, tmp_path: Path
) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    follow(replica, source)
    dump = write(
        tmp_path / "dump.sql",
        "SET @@SESSION.SQL_LOG_BIN= 0;\n"
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5';\n"
        "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\n"
        "SET @@SESSION.SQL_LOG_BIN = 1;\n",
    )
    given = arguments(source, dump, "hidden", replicas=[replica.instance("mysql-11")])
    result = succeed("mysql_load", given)
    assert len(result["warnings"]) == 3
    assert replica.sql("SELECT id FROM hidden.t") == [{"id": 1}]


def test_a_replica_that_stands_still_fails_the_load_with_its_reason(
    server_factory: ServerFactory, version: str, tmp_path: Path
) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    follow(replica, source)
    replica.sql(
        "SET GLOBAL super_read_only = OFF",
        "SET GLOBAL read_only = OFF",
        "SET sql_log_bin = 0",
        "CREATE DATABASE poured",
        "CREATE TABLE poured.t (id INT)",
    )
    dump = write(tmp_path / "dump.sql", "CREATE TABLE t (id INT);")
    given = arguments(source, dump, "poured", replicas=[replica.instance("mysql-11")])
    result = fail("mysql_load", {**given, "replica_timeout": 60})
    assert codes(result) == ["load.replica_stopped"]
    assert "t' already exists" in result["msg"] or "database exists" in result["msg"]


def kill_halfway(server: Server, employees: Path) -> None:
    """Begin a load, and kill it while it waits for a lock before the salaries."""
    with server.connect() as lock:
        lock.execute("SELECT GET_LOCK('salaries', 5)")
        running = start(arguments(server, gated(employees), "employees"))
        until_waiting(server)
        running.kill()
        running.wait()


def test_a_killed_load_is_done_again_from_the_start(
    server_factory: ServerFactory, version: str, employees: Path
) -> None:
    server = server_factory(version, 1)
    given = arguments(server, employees, "employees")
    kill_halfway(server, employees)
    assert state(server, "employees") == "loading"
    assert local_infile(server) == 1
    result = succeed("mysql_load", given)
    assert result["rows"] == 11_790
    assert server.sql("SELECT COUNT(*) AS n FROM employees.salaries") == [{"n": 8_532}]
    assert local_infile(server) == 0


def test_what_others_wrote_since_a_killed_load_began_is_not_dropped(
    server_factory: ServerFactory, version: str, employees: Path
) -> None:
    server = server_factory(version, 1)
    given = arguments(server, employees, "employees")
    kill_halfway(server, employees)
    server.sql("CREATE TABLE employees.theirs (id INT)", "INSERT INTO employees.theirs VALUES (1)")
    failure = fail("mysql_load", given)
    assert codes(failure) == ["load.written_since"]
    assert "employees" in failure["msg"]
    assert server.sql("SELECT COUNT(*) AS n FROM employees.theirs") == [{"n": 1}]
    assert succeed("mysql_load", {**given, "mode": "replace"})["rows"] == 11_790


def test_a_second_load_at_the_same_time_is_refused(
    server_factory: ServerFactory, version: str, employees: Path
) -> None:
    server = server_factory(version, 1)
    with server.connect() as lock:
        lock.execute("SELECT GET_LOCK('salaries', 5)")
        running = start(arguments(server, gated(employees), "employees"))
        until_waiting(server)
        result = fail("mysql_load", arguments(server, employees, "employees"))
        assert codes(result) == ["load.in_progress"]
    assert running.wait(60) == 0
    assert state(server, "employees") == "loaded"


def test_a_server_that_goes_away_is_named_and_the_next_run_converges(
    server_factory: ServerFactory, version: str, employees: Path
) -> None:
    server = server_factory(version, 1)
    with server.connect() as lock:
        lock.execute("SELECT GET_LOCK('salaries', 5)")
        running = start(arguments(server, gated(employees), "employees"))
        until_waiting(server)
        server.kill()
    output, _errors = running.communicate(timeout=60)
    result = json.loads(output)
    assert codes(result) == ["load.connection_lost"]
    assert "gated.sql:" in result["msg"].splitlines()[0]
    server.start()
    assert succeed("mysql_load", arguments(server, employees, "employees"))["rows"] == 11_790
    assert local_infile(server) == 0


def test_a_replica_that_lacks_a_load_is_waited_for_by_the_second_run(
    server_factory: ServerFactory, version: str, employees: Path
) -> None:
    source, replica = server_factory(version, 1), server_factory(version, 11)
    follow(replica, source)
    succeed("mysql_replication", {**replica.login, "state": "stopped"})
    given = arguments(source, employees, "employees", replicas=[replica.instance("mysql-11")])
    for _run in range(2):
        result = fail("mysql_load", {**given, "replica_timeout": 2})
        assert codes(result) == ["load.replica_behind"]
    assert "0 of 11,790 rows" in result["msg"]
    succeed("mysql_replication", {**replica.login, "state": "following"})
    assert not succeed("mysql_load", given)["changed"]
    assert replica.sql("SELECT COUNT(*) AS n FROM employees.salaries") == [{"n": 8_532}]


def gated(employees: Path) -> Path:
    """The same dump, standing before the second file of salaries until a lock is free."""
    text = employees.read_text()
    wait = "DO GET_LOCK('salaries', 60);\nsource load_salaries2.dump"
    return write(employees.parent / "gated.sql", text.replace("source load_salaries2.dump", wait))


def start(given: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start mysql_load and leave it running."""
    running = subprocess.Popen(
        [sys.executable, "-m", f"{PACKAGE}.mysql_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        cwd=CHECKOUT,
    )
    assert running.stdin is not None
    running.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
    running.stdin.close()
    running.stdin = None
    return running


def until_waiting(server: Server) -> None:
    """Return when a session of the server waits for a lock."""
    deadline = time.monotonic() + 60
    query = "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock'"
    while not server.sql(query):
        assert time.monotonic() < deadline, "the load never came to the lock"
