# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The apps and their load test on real servers, behind Services that balance by chance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apps.common.database import DatabaseError, MysqlDatabase, Settings
from tests.integration.balancer import Service
from tests.integration.conftest import ServerFactory
from tests.integration.runner import CHECKOUT, codes, fail, succeed
from tests.integration.servers import VERSIONS, Server, free_port

pytestmark = pytest.mark.servers

SCHEMA = [
    "CREATE DATABASE employees",
    "USE employees",
    "CREATE TABLE employees (emp_no INT PRIMARY KEY, birth_date DATE NOT NULL,"
    " first_name VARCHAR(14) NOT NULL, last_name VARCHAR(16) NOT NULL,"
    " gender ENUM ('M','F') NOT NULL, hire_date DATE NOT NULL)",
    "CREATE TABLE departments (dept_no CHAR(4) PRIMARY KEY, dept_name VARCHAR(40) NOT NULL)",
    "CREATE TABLE dept_emp (emp_no INT, dept_no CHAR(4), from_date DATE, to_date DATE,"
    " PRIMARY KEY (emp_no, dept_no))",
    "CREATE TABLE dept_manager LIKE dept_emp",
    "CREATE TABLE titles (emp_no INT, title VARCHAR(50), from_date DATE, to_date DATE,"
    " PRIMARY KEY (emp_no, title, from_date))",
    "CREATE TABLE salaries (emp_no INT, salary INT, from_date DATE, to_date DATE,"
    " PRIMARY KEY (emp_no, from_date))",
    "INSERT INTO employees VALUES (10001, '1953-09-02', 'Georgi', 'Facello', 'M', '1986-06-26')",
    "INSERT INTO departments VALUES ('d005', 'Development')",
    "INSERT INTO dept_emp VALUES (10001, 'd005', '1986-06-26', '9999-01-01')",
    "INSERT INTO titles VALUES (10001, 'Senior Engineer', '1986-06-26', '9999-01-01')",
    "INSERT INTO salaries VALUES (10001, 60117, '1986-06-26', '1987-06-26')",
    "CREATE USER app IDENTIFIED BY 'app of the tests'",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON employees.* TO app",
]


@dataclass
class Site:
    """A primary, two replicas, the Services before them, and both apps."""

    primary: Server
    replicas: list[Server]
    read: Service
    write: Service
    api: str
    web: str

    def load(self, **changed: Any) -> dict[str, Any]:
        """The arguments of load_test for this site."""
        login = {"login_user": "app", "login_password": "app of the tests"}
        return {
            "url": self.api,
            "read_path": "/whoami",
            "write_path": "/write",
            "reads": 200,
            "writes": 20,
            **login,
            "primary": {**self.primary.instance("mysql-1"), **login},
            "replicas": [
                {**server.instance(f"mysql-{server.server_id}"), **login}
                for server in self.replicas
            ],
            **changed,
        }


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
        except urllib.error.URLError:
            assert process.poll() is None, f"{url} ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)
        else:
            return


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module", params=VERSIONS)
def site(
    request: Any, shared_server_factory: ServerFactory, tmp_path_factory: Any
) -> Iterator[Site]:
    servers = [shared_server_factory(request.param, number) for number in (1, 11, 12)]
    for server in servers:
        server.sql(*SCHEMA)
    for server in servers[1:]:
        server.sql("SET GLOBAL super_read_only = ON")
    port = free_port()
    read = Service("127.0.0.2", port, [(one.host, one.port) for one in servers[1:]])
    write = Service("127.0.0.3", port, [(servers[0].host, servers[0].port)])
    secret = Path(tmp_path_factory.mktemp("secret"), "password")
    secret.write_text("app of the tests")
    environment = {
        **os.environ,
        "DB_READ_HOST": "127.0.0.2",
        "DB_WRITE_HOST": "127.0.0.3",
        "DB_PORT": str(port),
        "DB_USER": "app",
        "DB_PASSWORD_FILE": str(secret),
    }
    urls, processes = [], []
    for app in ("api", "web"):
        app_port = free_port()
        command = [sys.executable, "-m", "uvicorn", "--factory", f"apps.{app}.main:create"]
        command += ["--port", str(app_port), "--no-access-log", "--log-level", "warning"]
        processes.append(subprocess.Popen(command, cwd=CHECKOUT, env=environment))
        urls.append(f"http://127.0.0.1:{app_port}")
        wait_until_up(urls[-1], processes[-1])
    yield Site(servers[0], servers[1:], read, write, *urls)
    for process in processes:
        process.terminate()
        process.wait(30)
    read.close()
    write.close()


def rows(server: Server) -> int:
    return int(server.sql("SELECT COUNT(*) AS found FROM employees.employees")[0]["found"])


def test_the_load_is_balanced_and_leaves_nothing(site: Site) -> None:
    before = site.primary.sql("SELECT @@GLOBAL.gtid_executed AS gtids")
    result = succeed("load_test", site.load(reads=400, writes=40))
    assert result["changed"] is False
    assert result["findings"] == []
    assert (result["requests"], result["reads"], result["writes"]) == (440, 400, 40)
    primary, *replicas = result["instances"]
    assert (primary["reads"], primary["writes"]) == (0, 40)
    assert primary["server_uuid"] == site.primary.sql("SELECT @@server_uuid AS uuid")[0]["uuid"]
    assert sum(one["reads"] for one in replicas) == 400
    assert all(one["reads"] > 100 and one["writes"] == 0 for one in replicas)
    assert result["latency_ms"]["read"]["p50"] > 0
    assert rows(site.primary) == 1
    assert site.primary.sql("SELECT @@GLOBAL.gtid_executed AS gtids") == before


def test_a_service_that_leaves_a_replica_out_is_named(site: Site) -> None:
    both = site.read.endpoints
    site.read.endpoints = both[:1]
    try:
        result = fail("load_test", site.load())
    finally:
        site.read.endpoints = both
    assert codes(result) == ["load.unbalanced", "load.replica_unread"]
    assert result["findings"][1]["subject"] == "mysql-12"
    assert result["instances"][1]["read_share"] == 1.0


def test_reads_that_reach_the_primary_are_named(site: Site) -> None:
    both = site.read.endpoints
    site.read.endpoints = [*both, (site.primary.host, site.primary.port)]
    try:
        result = fail("load_test", site.load())
    finally:
        site.read.endpoints = both
    assert "load.read_elsewhere" in codes(result)
    assert "mysql-1" in [one["subject"] for one in result["findings"]]


def test_writes_that_reach_a_replica_are_named(site: Site) -> None:
    replica = site.replicas[1]
    right = site.write.endpoints
    site.write.endpoints = [(replica.host, replica.port)]
    replica.sql("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
    try:
        result = fail("load_test", site.load())
    finally:
        replica.sql("SET GLOBAL super_read_only = ON")
        site.write.endpoints = right
    assert codes(result) == ["load.write_elsewhere"]
    assert result["findings"][0]["subject"] == "mysql-12"
    assert "selector of mysql-write" in result["findings"][0]["fix"]
    assert succeed("load_test", site.load())["findings"] == []


def test_a_load_that_does_not_come_to_its_end_proves_nothing(site: Site) -> None:
    result = fail("load_test", site.load(reads=100_000, max_seconds=1))
    assert codes(result) == ["load.cut_short"]
    assert "of 100020 requests" in result["findings"][0]["summary"]
    assert result["findings"][0]["fix"].startswith("Raise max_seconds")
    assert succeed("load_test", site.load(max_seconds=120))["findings"] == []


def test_writes_that_cannot_be_taken_are_named(site: Site) -> None:
    site.primary.sql("SET GLOBAL super_read_only = ON")
    try:
        result = fail("load_test", site.load())
    finally:
        site.primary.sql("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
    assert codes(result) == ["load.errors"]
    assert result["errors"] == {"http_503 database.read_only": 20}


def test_no_endpoint_is_an_error_with_its_cause(site: Site) -> None:
    both = site.read.endpoints
    site.read.endpoints = []
    try:
        status, body = get(f"{site.api}/whoami")
        page_status, page = get(f"{site.web}/view")
        alive, _body = get(f"{site.web}/healthz")
    finally:
        site.read.endpoints = both
    assert status == 503
    assert json.loads(body)["error"]["cause"] == "database.connection_lost"
    assert page_status == 503
    assert "database.connection_lost" in page
    assert alive == 200


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "A replicated MySQL"),
        ("/view", "Development"),
        ("/view/instances", "mysqld"),
        ("/view/departments/d005", "Facello"),
        ("/view/employees", "10001"),
        ("/view/employees/10001", "60,117"),
    ],
)
def test_the_pages_show_what_the_replicas_hold(site: Site, path: str, words: str) -> None:
    if path == "/view/instances":
        words = site.replicas[0].sql("SELECT @@server_uuid AS uuid")[0]["uuid"]
    status, page = get(site.web + path)
    assert status == 200
    assert words in page


def test_the_api_tells_what_the_replicas_hold(site: Site) -> None:
    assert json.loads(get(f"{site.api}/counts")[1])["employees"] == 1
    assert json.loads(get(f"{site.api}/departments")[1]) == [
        {"dept_no": "d005", "dept_name": "Development", "employees": 1}
    ]
    assert json.loads(get(f"{site.api}/employees/10001")[1])["last_name"] == "Facello"
    assert get(f"{site.api}/readyz")[0] == 200


def database_of(site: Site, **given: Any) -> MysqlDatabase:
    """The apps' own way to the first replica, by its address."""
    server = site.replicas[0]
    return MysqlDatabase(
        Settings("app", "app of the tests", read_host=server.host, port=server.port, **given)
    )


def test_a_query_that_takes_too_long_is_ended_by_the_server(site: Site) -> None:
    tables = ", ".join(f"information_schema.columns c{number}" for number in range(4))
    with (
        pytest.raises(DatabaseError) as error,
        database_of(site, statement_timeout=1).read() as session,
    ):
        session.query(f"SELECT COUNT(*) FROM {tables}")
    assert error.value.cause == "database.too_slow"


def test_a_certificate_that_the_server_made_itself_is_not_taken_for_one_of_the_ca(
    site: Site, tmp_path: Path
) -> None:
    """And without a CA nobody is asked: there is no way around it."""
    ca = tmp_path / "ca.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=another CA"]
    words += ["-keyout", str(tmp_path / "ca.key"), "-out", str(ca)]
    subprocess.run(words, check=True, capture_output=True)
    for path in (ca, tmp_path / "nowhere.pem"):
        database = database_of(site, tls="verified", tls_ca=str(path))
        with pytest.raises(DatabaseError) as error, database.read() as session:
            session.query("SELECT 1")
        assert error.value.cause in ("database.unreachable", "database.tls_failed")
        assert "SSL" in error.value.detail or "No such file" in error.value.detail


def test_the_paths_of_both_apps(site: Site) -> None:
    wanted = [{"path": path} for path in ("/", "/view", "/view/instances")]
    result = succeed("path_check", {"url": site.web, "paths": wanted, "wait": 5})
    assert [one["status"] for one in result["paths"]] == [200, 200, 200]
