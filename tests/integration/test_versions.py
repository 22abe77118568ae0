# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Servers of two versions in one cluster, and what a version has that others lack."""

from __future__ import annotations

import pytest

from tests.integration.conftest import ServerFactory
from tests.integration.replicas import SECRET, grant, source_of
from tests.integration.runner import codes, succeed
from tests.integration.servers import VERSIONS, free_port

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
