# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.testclient import TestClient

from apps.web.main import create_app

PAGES = [
    "/",
    "/view",
    "/view/",
    "/view/instances",
    "/view/departments/d005",
    "/view/employees",
    "/view/employees/10001",
]


@pytest.fixture
def client(database: Any) -> TestClient:
    return TestClient(create_app(database), follow_redirects=False)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.links: list[str] = []
        self.lang: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        values = dict(attrs)
        self.lang = values.get("lang", self.lang)
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)


@pytest.mark.parametrize("path", PAGES)
def test_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert page.lang == "en"
    assert page.opened.count("h1") == 1
    assert page.opened.count("title") == 1
    void = {"meta", "link"}
    assert sorted(tag for tag in page.opened if tag not in void) == sorted(page.closed)


@pytest.mark.parametrize("path", PAGES)
def test_links_of_a_page_lead_to_pages(client: TestClient, path: str) -> None:
    links = [link for link in Page(client.get(path).text).links if link.startswith("/")]
    assert links
    for link in links:
        if not link.startswith("/bucket"):
            assert client.get(link).status_code == 200, link


def test_the_view_shows_the_data_and_who_answered(client: TestClient) -> None:
    first, second = client.get("/view").text, client.get("/view").text
    assert "Research &amp; Development" in first
    assert "61,386" in first
    assert "server-id 11" in first
    assert "server-id 12" in second


def test_instances_take_turns(client: TestClient, database: Any) -> None:
    text = client.get("/view/instances").text
    assert "uuid-11" in text
    assert "uuid-12" in text
    assert database.connections == 12


def test_data_is_never_markup(client: TestClient, database: Any) -> None:
    database.first_name = "<script>alert(1)</script>"
    answer = client.get("/view/employees/10001")
    assert "<script>" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/view/employees/7", 404, "There is no employee 7."),
        ("/view/departments/d999", 404, "There is no department d999."),
        ("/nowhere", 404, "Not Found"),
        ("/view/employees?after=x%22%3E", 400, "is not an employee"),
    ],
)
def test_what_is_not_there_is_a_page_too(
    client: TestClient, path: str, status: int, words: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert "<h1>" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_a_database_that_is_away_is_a_page_with_its_cause(away: Any, path: str) -> None:
    answer = TestClient(create_app(away)).get(path)
    assert answer.status_code == 503
    assert "database.unreachable" in answer.text
    assert "kubectl get endpointslices" in answer.text


def test_health(away: Any) -> None:
    client = TestClient(create_app(away))
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"]["cause"] == "database.unreachable"


def test_style_is_served(client: TestClient) -> None:
    answer = client.get("/static/style.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/view/employees/99999999999999999999", 404),
        ("/view/employees?after=2147483648", 400),
        ("/view/departments/d0055", 404),
    ],
)
def test_numbers_beyond_their_column_are_not_asked_for(
    client: TestClient, database: Any, path: str, status: int
) -> None:
    assert client.get(path).status_code == status
    assert database.connections == 0


def test_the_page_of_a_database_that_is_away_has_words_of_its_own(away: Any) -> None:
    page = TestClient(create_app(away)).get("/view").text
    assert "No connection could be made." in page
    assert "2003" not in page
