# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_database on real servers: what is missing is made, what is there is left alone."""

from __future__ import annotations

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.runner import fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 1)


def test_what_is_missing_is_made_once(server: Server) -> None:
    server.sql("CREATE DATABASE shop DEFAULT CHARACTER SET latin1")
    given = {**server.login, "names": ["shop", "stock", "odd`name", "stock"]}
    predicted = succeed("mysql_database", given, check=True)
    assert not server.sql("SHOW DATABASES LIKE 'stock'")
    done = succeed("mysql_database", given)
    assert predicted["plan"] == done["plan"]
    assert [step["statement"].split("`", 1)[1] for step in done["plan"]] == [
        "stock` DEFAULT CHARACTER SET utf8mb4",
        "odd``name` DEFAULT CHARACTER SET utf8mb4",
    ]
    assert done["databases"] == ["shop", "stock", "odd`name"]
    assert not succeed("mysql_database", given)["changed"]
    kept = "SELECT default_character_set_name AS cs FROM information_schema.schemata WHERE schema_name = 'shop'"
    assert server.sql(kept) == [{"cs": "latin1"}]


def test_what_is_no_name_touches_nothing(server: Server) -> None:
    result = fail("mysql_database", {**server.login, "names": ["good", "x" * 65]})
    assert "64" in result["msg"]
    assert not server.sql("SHOW DATABASES LIKE 'good'")
