# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A primary and a replica that follows it on bare servers, and the doctor that looks at them."""

from __future__ import annotations

from typing import Any

from tests.integration import replicas
from tests.integration.replicas import empty
from tests.integration.runner import codes, succeed
from tests.integration.servers import Server


def source_of(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    """The arguments by which mysql_replication points a replica at the primary."""
    mine = {
        "source_connect_retry": 1,
        "source_heartbeat_period": 1,
        "get_source_public_key": True,
        "timeout": 20,
    }
    return replicas.source_of(replica, primary, **(mine | options))


def follow(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    return succeed("mysql_replication", source_of(replica, primary, **options))


def reset(server: Server) -> None:
    """Leave a server as a new one: no channel, no data of its own, no GTIDs."""
    succeed("mysql_replication", {**server.login, "state": "detached", "read_only": False})
    empty(server)


def look(primary: Server, *replicas: Server, **options: Any) -> dict[str, Any]:
    """What the doctor says of these servers."""
    instances = [primary.instance("primary")]
    instances += [one.instance(f"replica-{n}") for n, one in enumerate(replicas, 1)]
    return succeed("mysql_doctor", {"instances": instances, "patience": 2, **options})


def assert_healthy(primary: Server, *replicas: Server, **options: Any) -> None:
    """Assert that the doctor finds nothing above information."""
    result = look(primary, *replicas, **{"patience": 15, **options})
    assert result["verdict"] == "ok", "\n".join(result["report"])
    assert not [one for one in result["findings"] if one["severity"] != "info"]


def named(result: dict[str, Any]) -> list[str]:
    """The codes of what is not information alone."""
    grave = [one for one in result["findings"] if one["severity"] != "info"]
    return codes({"findings": grave})
