# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_account on real servers: twelve steps, privileges made exact, passwords never shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    MysqlError,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dialect import PLUGINS, has

from tests.integration.conftest import ServerFactory
from tests.integration.runner import fail, succeed
from tests.integration.servers import Server

pytestmark = pytest.mark.servers
SECRET = "a secret of the account"
OTHER = "another secret"
ACCESS_DENIED = 1045


@pytest.fixture(scope="module")
def server(shared_server_factory: ServerFactory, version: str) -> Server:
    return shared_server_factory(version, 1)


def log_in(server: Server, password: str) -> bool:
    try:
        server.connect(user="shopper", password=password).close()
    except MysqlError as error:
        if error.errno != ACCESS_DENIED:
            raise
        return False
    return True


def twelve(arguments: dict[str, Any]) -> dict[str, Any]:
    """Check, do, check again, do again; return what doing returned."""
    predicted = succeed("mysql_account", arguments, check=True)
    assert succeed("mysql_account", arguments, check=True)["diff"] == predicted["diff"]
    done = succeed("mysql_account", arguments)
    assert predicted["changed"]
    assert done["changed"]
    assert (predicted["plan"], predicted["diff"]) == (done["plan"], done["diff"])
    for check in (True, False):
        again = succeed("mysql_account", arguments, check=check)
        assert (again["changed"], again["plan"]) == (False, [])
    for secret in (SECRET, OTHER):
        assert secret not in json.dumps([predicted, done])
    return done


def test_made_changed_and_dropped(server: Server) -> None:
    account = {**server.login, "name": "shopper", "password": SECRET}
    rights = {"shop.*": ["select", "INSERT"], "*.*": ["REPLICATION SLAVE"]}
    made = twelve({**account, "privileges": rights, "verify": True})
    assert made["account"]["privileges"] == {
        "*.*": ["REPLICATION SLAVE"],
        "shop.*": ["INSERT", "SELECT"],
    }
    assert log_in(server, SECRET)

    fewer = {"shop.*": ["SELECT", "UPDATE"]}
    changed = twelve({**account, "privileges": fewer, "require_tls": True})
    assert changed["account"]["privileges"] == {"shop.*": ["SELECT", "UPDATE"]}
    assert changed["account"]["require_tls"]

    again = {**account, "password": OTHER, "update_password": "always"}
    twelve(again)
    assert log_in(server, OTHER)
    assert not log_in(server, SECRET)

    twelve({**account, "state": "absent"})
    assert not log_in(server, OTHER)


def test_what_is_not_logged_reaches_nobody_else(server: Server) -> None:
    executed = "SELECT @@GLOBAL.gtid_executed AS g"
    account = {**server.login, "name": "guest", "password": SECRET, "sql_log_bin": False}
    before = server.sql(executed)
    twelve(account)
    twelve({**account, "state": "absent"})
    assert server.sql(executed) == before


def test_all_privileges_are_stable(server: Server) -> None:
    server.sql("CREATE DATABASE shop", "CREATE TABLE shop.carts (id INT PRIMARY KEY)")
    account = {**server.login, "name": "chief", "password": SECRET}
    twelve({**account, "privileges": {"*.*": ["ALL", "GRANT OPTION"]}})
    twelve({**account, "privileges": {"shop.*": ["ALL PRIVILEGES"], "shop.carts": ["SELECT"]}})
    twelve({**account, "privileges": {}})
    twelve({**account, "state": "absent"})


def test_an_existing_password_is_kept_on_create(server: Server) -> None:
    account = {**server.login, "name": "shopper", "password": SECRET}
    succeed("mysql_account", account)
    kept = succeed("mysql_account", {**account, "password": OTHER})
    assert not kept["changed"]
    assert log_in(server, SECRET)
    wrong = fail("mysql_account", {**account, "password": OTHER, "verify": True})
    assert "does not log in from here" in wrong["msg"]
    twelve({**account, "state": "absent"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "password: needed"),
        ({"password": SECRET, "name": "x" * 33}, "name: "),
        ({"password": SECRET, "privileges": {"shop": ["SELECT"]}}, "*.*, schema.* or schema.table"),
        ({"password": SECRET, "privileges": {"*.*": ["SELECT; DROP"]}}, "is not a privilege"),
        ({"password": SECRET, "privileges": {"*.*": "SELECT"}}, "needs a list"),
    ],
)
def test_bad_input_touches_nothing(server: Server, options: dict[str, Any], words: str) -> None:
    before = server.sql("SELECT @@GLOBAL.gtid_executed AS executed")
    failed = fail("mysql_account", {**server.login, "name": "shopper", **options})
    assert words in failed["msg"]
    assert server.sql("SELECT @@GLOBAL.gtid_executed AS executed") == before


def test_a_plugin_that_is_gone_is_named(server: Server) -> None:
    account = {**server.login, "name": "old", "password": SECRET, "plugin": "mysql_native_password"}
    if has(PLUGINS, "mysql_native_password", server.release):
        twelve(account)
        twelve({**account, "state": "absent"})
    else:
        failed = fail("mysql_account", account)
        assert "it went with 9.0.0" in failed["msg"]


def test_two_passwords_are_valid_until_the_old_one_is_discarded(server: Server) -> None:
    account = {**server.login, "name": "shopper"}
    succeed("mysql_account", {**account, "password": SECRET})
    change = {**account, "password": OTHER, "update_password": "always", "old_password": "retain"}
    retained = twelve(change)
    assert "RETAIN CURRENT PASSWORD" in retained["plan"][0]["statement"]
    assert retained["account"]["old_password_retained"]
    assert log_in(server, SECRET)
    assert log_in(server, OTHER)

    third = fail("mysql_account", {**change, "password": "a third one"})
    assert "old_password" in third["msg"]
    assert log_in(server, SECRET)

    discarded = twelve({**account, "old_password": "discard"})
    assert not discarded["account"]["old_password_retained"]
    assert not log_in(server, SECRET)
    assert log_in(server, OTHER)
    succeed("mysql_account", {**account, "state": "absent"})
