# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a scratch mysqld is started: to apply relay logs fast, to write nothing of its own, pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..mysql.connection import Version

RELAY = "relay"


@dataclass(frozen=True)
class Settings:
    """What the user decides. port: 0 for none, the socket alone. arguments: come last."""

    server_id: int
    port: int
    workers: int
    arguments: tuple[str, ...]


def basic(inside: str, data: str, user: str) -> list[str]:
    """Return the options that say where a server is. None of the machine's own my.cnf counts."""
    return [
        f"--defaults-file={inside}/my.cnf",
        f"--user={user}",
        f"--datadir={inside}/{data}",
        f"--socket={inside}/run/mysqld.sock",
        f"--pid-file={inside}/run/mysqld.pid",
        f"--log-error={inside}/run/error.log",
        "--mysqlx=OFF",
        # What the source once persisted (super_read_only of a replica) is not for this server.
        "--persisted-globals-load=OFF",
        "--skip-log-bin",
        # From 8.0 the scheduler runs by default; its events would write.
        "--event-scheduler=OFF",
        # A dump's statement is twice as long as its longest value, and a value that is to be compared
        # may read longer than the source's own limit.
        "--max-allowed-packet=1G",
    ]


def applying(inside: str, user: str, version: Version, settings: Settings) -> list[str]:
    """Return the options of a server that applies relay logs.

    Nothing is synced: whatever is lost with the machine is applied again. Redo logging stays on: a
    killed server comes up again, and without it nothing was faster. relay_log_recovery would throw
    the relay logs away, relay_log_purge would after each of them.
    """
    new = version >= (8, 0, 26)
    return [
        *basic(inside, "data", user),
        f"--server-id={settings.server_id}",
        *([f"--port={settings.port}"] if settings.port else ["--skip-networking"]),
        "--gtid-mode=ON",
        "--enforce-gtid-consistency=ON",
        f"--relay-log={RELAY}",
        f"--relay-log-index={RELAY}.index",
        "--relay-log-recovery=OFF",
        "--relay-log-purge=OFF",
        "--skip-replica-start" if new else "--skip-slave-start",
        "--log-replica-updates=OFF" if new else "--log-slave-updates=OFF",
        f"--{'replica' if new else 'slave'}-parallel-workers={settings.workers}",
        # Gone from 9.x, the default from 8.0.27 on.
        *([] if version >= (8, 0, 27) else ["--slave-parallel-type=LOGICAL_CLOCK"]),
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=0",
        *settings.arguments,
    ]
