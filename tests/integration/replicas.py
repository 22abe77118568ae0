# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A replication account, who follows by it, and a server that is as a new one again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until

from tests.integration.servers import Server

SECRET = "a secret of replication"
USER = "replicator"
SYSTEM = frozenset({"information_schema", "mysql", "performance_schema", "sys"})


def grant(server: Server, user: str = USER) -> None:
    """Make an account that a replica may log in with."""
    server.sql(
        f"CREATE USER {user}@'%' IDENTIFIED BY '{SECRET}'",
        f"GRANT REPLICATION SLAVE ON *.* TO {user}@'%'",
    )


def source_of(replica: Server, primary: Server, **options: Any) -> dict[str, Any]:
    """The arguments by which mysql_replication points a replica at a primary."""
    return {
        **replica.login,
        "source_host": primary.host,
        "source_port": primary.port,
        "source_user": USER,
        "source_password": SECRET,
        **options,
    }


CLONE_PLUGIN = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'"


@contextmanager
def slowly_cloned(source: Server, recipient: Server, bandwidth: int = 8) -> Iterator[None]:
    """Have a source serve a clone that takes some seconds; the recipient ends with it. bandwidth: MiB a second."""
    donor = f"{source.host}:{source.port}"
    recipient.sql(
        *(CLONE_PLUGIN, f"SET GLOBAL clone_valid_donor_list = '{donor}'"),
        "SET GLOBAL clone_autotune_concurrency = OFF",
        f"SET GLOBAL clone_max_data_bandwidth = {bandwidth}",
    )
    copy = (
        f"CLONE INSTANCE FROM root@'{source.host}':{source.port} IDENTIFIED BY '{source.password}'"
    )
    progress = "SELECT state FROM performance_schema.clone_status"
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(recipient.sql, copy)
        found = look_until(lambda: recipient.sql(progress), bool, 30, 0.02)
        assert found == [{"state": "In Progress"}], found
        yield
        # Nobody starts it again.
        assert begun.exception(60) is not None


def empty(server: Server) -> None:
    """Take away all data, accounts and GTIDs; channels stay."""
    names = {row["database"] for row in server.sql("SHOW DATABASES")} - SYSTEM
    server.sql(*(f"DROP DATABASE `{name}`" for name in names), "SELECT 1")
    users = server.sql("SELECT user FROM mysql.user WHERE host = '%'")
    server.sql(*(f"DROP USER `{row['user']}`@'%'" for row in users), "SELECT 1")
    old = server.version == "8.0.15"
    server.sql("RESET MASTER" if old else "RESET BINARY LOGS AND GTIDS")
