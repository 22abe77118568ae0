# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of data, points and paths on bare servers: broken, named, mended by what the finding says."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration import replicas
from tests.integration.conftest import ServerFactory
from tests.integration.runner import fail, succeed
from tests.integration.servers import NEWEST, Server, free_port

pytestmark = [pytest.mark.servers, pytest.mark.long]


@pytest.fixture(scope="module")
def server(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 1)


def dump(folder: Path, *statements: str) -> str:
    path = folder / "shop.sql"
    path.write_text(";\n".join(["CREATE TABLE t (id INT PRIMARY KEY)", *statements, ""]))
    return str(path)


def load(server: Server, file: str, database: str, **options: Any) -> dict[str, Any]:
    return {**server.login, "file": file, "database": database, **options}


def test_the_user_may_not_do_what_the_dump_does(server: Server, tmp_path: Path) -> None:
    file = dump(tmp_path, "FLUSH BINARY LOGS", "INSERT INTO t VALUES (1)")
    server.sql(
        "CREATE USER loader@'%' IDENTIFIED BY 'of the loader'",
        "GRANT ALL ON shop.* TO loader@'%'",
        "GRANT ALL ON mysql_on_kubernetes.* TO loader@'%'",
    )
    login = {"login_user": "loader", "login_password": "of the loader"}
    result = fail("mysql_load", load(server, file, "shop", **login))
    finding = fixes.the(result, "load.no_privilege")
    assert finding["subject"] == "shop.sql:2"
    assert "1227" in finding["summary"]
    right = re.search(r"\((\w+) for FLUSH BINARY LOGS\)", finding["fix"])
    assert right
    server.sql(f"GRANT {right[1]} ON *.* TO loader@'%'")
    succeed("mysql_load", load(server, file, "shop", **login))
    assert server.sql("SELECT COUNT(*) AS n FROM shop.t")[0]["n"] == 1


def test_a_table_has_no_room(server: Server, tmp_path: Path) -> None:
    """What is full is memory here: a full disk that the binary log is on as well stops the server."""
    rows = ", ".join(f"({number}, REPEAT('x', 200))" for number in range(1000))
    file = dump(
        tmp_path,
        "CREATE TABLE m (id INT PRIMARY KEY, c CHAR(200)) ENGINE=MEMORY",
        f"INSERT INTO m VALUES {rows}",
    )
    server.sql("SET GLOBAL max_heap_table_size = 16384")
    try:
        result = fail("mysql_load", load(server, file, "crowded"))
    finally:
        server.sql("SET GLOBAL max_heap_table_size = 16777216")
    finding = fixes.the(result, "load.server_full")
    assert "1114" in finding["summary"]
    assert finding["fix"].endswith("run it again: it starts clean")
    succeed("mysql_load", load(server, file, "crowded"))
    assert server.sql("SELECT COUNT(*) AS n FROM crowded.m")[0]["n"] == 1000


def test_replicas_are_to_be_waited_for_without_gtids(
    server_factory: ServerFactory, version: str, tmp_path: Path
) -> None:
    primary = server_factory(version, 2, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
    file = dump(tmp_path, "INSERT INTO t VALUES (1)")
    replicas = {"replicas": [primary.instance("replica-1")]}
    finding = fixes.the(
        fail("mysql_load", load(primary, file, "shop", **replicas)), "load.gtid_off"
    )
    assert "gtid_mode is OFF" in finding["proof"][0]
    assert finding["fix"].endswith("or give no replicas")
    assert not primary.sql("SHOW DATABASES LIKE 'shop'")
    succeed("mysql_load", load(primary, file, "shop"))


def test_a_replica_does_not_come_back_after_its_clone(
    server_factory: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends to be started again, as in a Pod, and who should do that is not there."""
    source = server_factory(NEWEST, 1)
    replicas.grant(source)
    source.sql(f"GRANT BACKUP_ADMIN ON *.* TO {replicas.USER}@'%'", "CREATE DATABASE shop")
    source.sql("FLUSH BINARY LOGS", "PURGE BINARY LOGS TO 'binlog.000002'")
    with monkeypatch.context() as supervised:
        supervised.setenv("MYSQLD_PARENT_PID", str(os.getpid()))
        replica = server_factory(NEWEST, 11)
    asked = {"seed": "clone", "seed_timeout": 3, "source_instance": source.instance("source")}
    given = replicas.source_of(replica, source, **asked)
    finding = fixes.the(fail("mysql_replication", given), "replication.seed_not_back")
    assert "does not answer after 3 s" in finding["summary"]
    assert finding["fix"].endswith("then run the same task again")
    assert replica.process
    replica.process.wait(30)
    replica.start()
    assert succeed("mysql_replication", given)["replication"]["following"]
    assert replica.sql("SHOW DATABASES LIKE 'shop'")


@pytest.mark.parametrize(
    ("path", "code"),
    [("taken", "dataset.folder_in_use"), ("/proc/employees", "dataset.unwritable")],
)
def test_a_data_set_is_not_written_where_it_cannot_be(tmp_path: Path, path: str, code: str) -> None:
    taken = tmp_path / path
    if code == "dataset.folder_in_use":
        taken.mkdir()
        (taken / "thesis.txt").write_text("the only copy")
    asked = {"path": str(taken), "scale": 0.001}
    finding = fixes.the(fail("employees_dataset", asked), code)
    assert finding["subject"] == str(taken)
    assert finding["fix"].startswith("Name a folder that")
    if code == "dataset.folder_in_use":
        assert "thesis.txt" in finding["proof"][0]
        assert (taken / "thesis.txt").read_text() == "the only copy"
    succeed("employees_dataset", {**asked, "path": str(tmp_path / "of-its-own")})


def test_a_position_lies_behind_the_end_of_its_log(server: Server) -> None:
    server.sql("CREATE DATABASE behind")
    (log,) = server.sql("SHOW BINARY LOGS")[-1:]
    place = {**server.login, "action": "find", "file": log["log_name"]}
    result = fail("binlog_point", {**place, "position": 10**9})
    finding = fixes.the(result, "binlog.position_beyond_end")
    size = re.search(r"has (\d+) bytes", finding["proof"][0])
    assert size
    assert finding["fix"] == "Give a position from 4 to the size of the file in bytes"
    assert int(size[1]) == log["file_size"]
    found = succeed("binlog_point", {**place, "position": 4})
    assert found["transaction"]["file"] == log["log_name"]


class Web(ThreadingHTTPServer):
    """An application whose answer can be changed."""

    status = 200
    body = "employees"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:  # noqa: N802
        self.send_response(self.server.status)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def asked_of(url: str, **options: Any) -> dict[str, Any]:
    paths = [{"path": "/bucket", "contains": "employees"}]
    return {"url": url, "paths": paths, "wait": 0, **options}


@pytest.mark.parametrize(
    ("code", "status", "body", "step"),
    [
        ("path.not_found", 404, "no page", "nginx.ingress.kubernetes.io/rewrite-target"),
        ("path.unavailable", 503, "no database", "kubectl get pods,endpointslices"),
        ("path.unexpected", 200, "another site", "set app_host"),
    ],
)
def test_a_path_does_not_answer_as_the_app_does(
    web: Web, code: str, status: int, body: str, step: str
) -> None:
    web.status, web.body = status, body
    finding = fixes.the(fail("path_check", asked_of(web.url)), code)
    assert f"status {status}" in finding["proof"][0]
    assert body in finding["proof"][0]
    assert step in finding["fix"]
    web.status, web.body = Web.status, Web.body
    succeed("path_check", asked_of(web.url))


def test_nothing_answers_at_the_address(web: Web) -> None:
    result = fail("path_check", asked_of(f"http://127.0.0.1:{free_port()}"))
    finding = fixes.the(result, "path.no_answer")
    assert finding["proof"][0].startswith("refused")
    assert "Check the address first" in finding["fix"]
    succeed("path_check", asked_of(web.url))


def test_the_client_host_has_no_python(web: Web) -> None:
    broken = ["env", "PATH=/nowhere"]
    finding = fixes.the(
        fail("path_check", asked_of(web.url, client_command=broken)), "load.client_unusable"
    )
    assert "env PATH=/nowhere python3 -" in finding["subject"]
    assert "set client_command to a prefix that works" in finding["fix"]
    works = ["env", f"PATH={Path(sys.executable).parent}"]
    succeed("path_check", asked_of(web.url, client_command=works))
