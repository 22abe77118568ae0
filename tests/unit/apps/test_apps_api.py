# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from apps.api.main import create, create_app
from apps.common.database import SettingsError


@pytest.fixture
def client(database: Any) -> TestClient:
    return TestClient(create_app(database))


def test_home_says_what_it_is_and_links_through_the_ingress_prefix(database: Any) -> None:
    client = TestClient(create_app(database), root_path="/bucket")
    answer = client.get("/").json()
    assert answer["app"] == "Employees API"
    assert answer["links"]["whoami"] == "/bucket/whoami"


def test_docs_find_the_schema_through_the_ingress_prefix(database: Any) -> None:
    client = TestClient(create_app(database), root_path="/bucket")
    assert "/bucket/openapi.json" in client.get("/docs").text
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/bucket"}]


def test_docs_load_nothing_from_elsewhere(database: Any) -> None:
    client = TestClient(create_app(database), root_path="/bucket")
    page = client.get("/docs")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded == ["/bucket/docs.css", "/bucket/docs.js", "/bucket/openapi.json"]
    for path, kind in (("/docs.css", "text/css"), ("/docs.js", "text/javascript")):
        answer = client.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert not re.search(r"https?:|//[a-z]", answer.text)
    # The redoc page would load another program.
    assert client.get("/redoc").status_code == 404


def test_the_docs_page_takes_its_root_for_text(database: Any) -> None:
    client = TestClient(create_app(database), root_path='/"><script>')
    assert "<script>" not in client.get("/docs").text


def test_every_number_is_bounded(client: TestClient) -> None:
    numbers = [
        parameter["schema"]
        for operation in client.get("/openapi.json").json()["paths"].values()
        for method in operation.values()
        for parameter in method.get("parameters", [])
        if parameter["schema"]["type"] == "integer"
    ]
    assert len(numbers) == 3
    assert all({"minimum", "maximum"} <= number.keys() for number in numbers)


def test_every_request_opens_a_connection_of_its_own(client: TestClient, database: Any) -> None:
    answers = [client.get("/whoami").json() for _look in range(4)]
    assert [answer["server_id"] for answer in answers] == [11, 12, 11, 12]
    assert all(answer["read_only"] is True for answer in answers)
    assert database.connections == 4


def test_write_names_the_primary_and_keeps_no_row(client: TestClient, database: Any) -> None:
    answer = client.post("/write")
    assert answer.status_code == 200
    body = answer.json()
    assert body["server_uuid"] == "uuid-1"
    assert body["read_only"] is False
    assert body["kept"] is False
    assert body["emp_no"] >= 1_000_000_000
    assert database.primary.kept == []


def test_a_write_that_reaches_a_replica_is_a_named_error(client: TestClient, database: Any) -> None:
    database.primary.read_only = 1
    answer = client.post("/write")
    assert answer.status_code == 503
    assert answer.json()["error"]["cause"] == "database.read_only"


def test_write_is_not_a_get(client: TestClient) -> None:
    assert client.get("/write").status_code == 405


def test_data(client: TestClient) -> None:
    assert client.get("/departments").json() == [
        {"dept_no": "d005", "dept_name": "Research & Development", "employees": 61386}
    ]
    assert client.get("/counts").json() == {"employees": 300024}
    assert [row["emp_no"] for row in client.get("/employees").json()] == [10001]
    one = client.get("/employees/10001").json()
    assert one["hire_date"] == "1986-06-26"
    assert one["titles"][0]["title"] == "Senior Engineer"
    assert one["salaries"][0]["salary"] == 60117
    assert one["departments"][0]["dept_no"] == "d005"


def test_an_employee_that_is_not_there(client: TestClient) -> None:
    answer = client.get("/employees/7")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no employee 7"


@pytest.mark.parametrize(
    "path",
    [
        "/employees/x",
        "/employees/0",
        "/employees?limit=501",
        "/employees?after=-1",
        "/employees?after=2147483648",
    ],
)
def test_input_that_is_not_allowed(client: TestClient, database: Any, path: str) -> None:
    assert client.get(path).status_code == 422
    assert database.connections == 0


@pytest.mark.parametrize("path", ["/readyz", "/whoami", "/counts", "/departments", "/employees/1"])
def test_a_database_that_is_away_is_503_with_its_cause(away: Any, path: str) -> None:
    answer = TestClient(create_app(away)).get(path)
    assert answer.status_code == 503
    assert answer.json()["error"] == {
        "cause": "database.unreachable",
        "subject": "mysql-read",
        # Not the server's own words: they name accounts, addresses and tables.
        "detail": "No connection could be made.",
    }


def test_alive_without_a_database(away: Any) -> None:
    client = TestClient(create_app(away))
    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 200


def test_started_without_an_account_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DB_USER", raising=False)
    with pytest.raises(SettingsError, match="DB_USER is not set"):
        create()
