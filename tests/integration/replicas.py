# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A replication account, who follows by it, and a server that is as a new one again."""

from __future__ import annotations

from typing import Any

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


def empty(server: Server) -> None:
    """Take away all data, accounts and GTIDs; channels stay."""
    names = {row["database"] for row in server.sql("SHOW DATABASES")} - SYSTEM
    server.sql(*(f"DROP DATABASE `{name}`" for name in names), "SELECT 1")
    users = server.sql("SELECT user FROM mysql.user WHERE host = '%'")
    server.sql(*(f"DROP USER `{row['user']}`@'%'" for row in users), "SELECT 1")
    old = server.version == "8.0.15"
    server.sql("RESET MASTER" if old else "RESET BINARY LOGS AND GTIDS")
