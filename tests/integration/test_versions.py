# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Servers of two versions in one cluster, and what a version has that others lack."""

from __future__ import annotations

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, grant, source_of
from tests.integration.runner import codes, succeed
from tests.integration.servers import VERSIONS, Server, free_port

pytestmark = pytest.mark.servers


@pytest.mark.skipif(len(VERSIONS) < 2, reason="one version was chosen")
def test_a_switchover_to_a_newer_server_says_that_the_older_one_follows_it(
    server_factory: ServerFactory,
) -> None:
    old, new = (
        server_factory(version, n) for version, n in zip(VERSIONS[-2:], (1, 11), strict=True)
    )
    grant(old)
    given = source_of(new, old, source_connect_retry=1, source_heartbeat_period=0.5)
    up = succeed("mysql_replication", {**given, "source_instance": old.instance("mysql-1")})
    assert codes(up) == [], "to a newer one is how versions are changed"
    members = {"mysql-1": old, "mysql-11": new}
    asked = {
        "instances": [server.instance(name) for name, server in members.items()],
        "target": "mysql-11",
        "source_password": SECRET,
        "timeout": 20,
    }
    predicted = succeed("mysql_switchover", asked, check=True)
    assert codes(predicted) == ["replication.older_than_source"]
    done = succeed("mysql_switchover", asked)
    assert codes(done) == ["replication.older_than_source"]
    (found,) = done["findings"]
    assert (found["subject"], found["severity"]) == ("mysql-1", "warning")
    assert old.version in found["summary"]
    info = {**old.login, "source_instance": new.instance("mysql-11")}
    assert codes(succeed("mysql_replication_info", info)) == ["replication.older_than_source"]


# What was written to grant tables has no other way into the server; 9.x calls it deprecated.
FLUSHED = (
    "SELECT IFNULL(SUM(sum_warnings), 0) AS n"
    " FROM performance_schema.events_statements_summary_by_digest"
    " WHERE digest_text = 'FLUSH PRIVILEGES'"
)
DEPRECATED = (
    "SELECT SUM(sum_error_raised) AS n FROM performance_schema.events_errors_summary_global_by_error"
    " WHERE error_name IN ('ER_WARN_DEPRECATED_SYNTAX', 'ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT')"
)


def deprecations(server: Server) -> int:
    """How often it has said since its start that something is deprecated, also to itself.

    FLUSH PRIVILEGES is left out.
    """
    return int(server.sql(DEPRECATED)[0]["n"]) - int(server.sql(FLUSHED)[0]["n"])


@pytest.mark.parametrize("version", VERSIONS[-2:])
def test_nothing_that_is_sent_to_a_server_is_deprecated_there(
    server_factory: ServerFactory, version: str
) -> None:
    servers = {f"mysql-{n}": server_factory(version, n) for n in (1, 11)}
    primary, replica = servers.values()
    grant(primary)
    primary.sql("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
    before = {name: deprecations(server) for name, server in servers.items()}
    following = source_of(replica, primary, source_connect_retry=1, source_heartbeat_period=0.5)
    following["source_instance"] = primary.instance("primary")
    instances = [server.instance(name) for name, server in servers.items()]
    account = {"name": "app", "password": SECRET, "privileges": {"shop.*": ["SELECT"]}}
    with_password = {"instances": instances, "source_password": SECRET, "timeout": 20}
    for name, arguments in (
        ("mysql_replication", {**following, "seed": "dump"}),
        ("mysql_replication", {**following, "source_delay": 1, "update_password": "always"}),
        ("mysql_replication", {**following, "source_delay": 0, "read_only": True}),
        ("mysql_account", {**primary.login, **account}),
        ("mysql_semisync", {"instances": instances, "primary": "mysql-1"}),
        ("mysql_checksum", {"instances": instances}),
        ("mysql_switchover", {**with_password, "target": "mysql-11"}),
        ("mysql_switchover", {**with_password, "target": "mysql-1"}),
        ("mysql_replication_info", replica.login),
        ("mysql_replication", {**replica.login, "state": "detached"}),
    ):
        succeed(name, arguments)
        told = {name: deprecations(server) for name, server in servers.items()}
        assert told == before, f"{name} {arguments}"
    for server in servers.values():
        assert "deprecated" not in server.error_log.read_text()


def test_a_member_of_a_group_has_no_source_host(server_factory: ServerFactory) -> None:
    member = server_factory(
        *(VERSIONS[-1], 1, "--log-replica-updates=ON", "--report-host=127.0.0.1"),
        *("--plugin-load-add=group_replication.so", "--group-replication-bootstrap-group=ON"),
        "--group-replication-group-name=aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        f"--group-replication-local-address=127.0.0.1:{free_port()}",
        "--group-replication-start-on-boot=OFF",
    )
    member.sql("START GROUP_REPLICATION")
    channels = succeed("mysql_replication_info", member.login)["channels"]
    assert [(each["channel"], each["source_host"]) for each in channels] == [
        ("group_replication_applier", "")
    ]
