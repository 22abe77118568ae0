# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said differently from version to version, 8.0.15 to 9.7 and on: the only such place.

Boundaries are those of the MySQL reference manuals (8.0, 8.4, 9.7). Servers of 8.0.15, 8.0.33 and 9.7
prove three dialects; where exactly one becomes the next is held by unit tests alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from ..finding import CollectionError
from .connection import Row, Version

OLDEST: Version = (8, 0, 15)

# {name: {first version: what it is from there on}}; None: gone from there on.
Table: TypeAlias = "Mapping[str, Mapping[Version, str | None]]"

FIRST: Version = (8, 0, 0)

STATEMENTS: Table = MappingProxyType(
    {
        "change_source": {
            FIRST: "CHANGE MASTER TO",
            (8, 0, 23): "CHANGE REPLICATION SOURCE TO",
        },
        "start_replica": {FIRST: "START SLAVE", (8, 0, 22): "START REPLICA"},
        "start_receiver": {FIRST: "START SLAVE IO_THREAD", (8, 0, 22): "START REPLICA IO_THREAD"},
        "start_applier": {FIRST: "START SLAVE SQL_THREAD", (8, 0, 22): "START REPLICA SQL_THREAD"},
        "stop_replica": {FIRST: "STOP SLAVE", (8, 0, 22): "STOP REPLICA"},
        "stop_receiver": {FIRST: "STOP SLAVE IO_THREAD", (8, 0, 22): "STOP REPLICA IO_THREAD"},
        "stop_applier": {FIRST: "STOP SLAVE SQL_THREAD", (8, 0, 22): "STOP REPLICA SQL_THREAD"},
        "reset_replica": {FIRST: "RESET SLAVE", (8, 0, 22): "RESET REPLICA"},
        "reset_replica_all": {FIRST: "RESET SLAVE ALL", (8, 0, 22): "RESET REPLICA ALL"},
        "show_replica_status": {FIRST: "SHOW SLAVE STATUS", (8, 0, 22): "SHOW REPLICA STATUS"},
        "show_replicas": {FIRST: "SHOW SLAVE HOSTS", (8, 0, 22): "SHOW REPLICAS"},
        "show_binary_log_status": {
            FIRST: "SHOW MASTER STATUS",
            (8, 2, 0): "SHOW BINARY LOG STATUS",
        },
        "reset_binary_logs": {FIRST: "RESET MASTER", (8, 2, 0): "RESET BINARY LOGS AND GTIDS"},
        "position_wait": {FIRST: "MASTER_POS_WAIT", (8, 0, 26): "SOURCE_POS_WAIT"},
        "change_filter": {FIRST: "CHANGE REPLICATION FILTER"},
        "disable_on_replica": {FIRST: "DISABLE ON SLAVE", (8, 2, 0): "DISABLE ON REPLICA"},
        "clone_instance": {(8, 0, 17): "CLONE INSTANCE FROM"},
        "clone_local": {(8, 0, 17): "CLONE LOCAL DATA DIRECTORY"},
        "disable_redo": {(8, 0, 21): "ALTER INSTANCE DISABLE INNODB REDO_LOG"},
        "enable_redo": {(8, 0, 21): "ALTER INSTANCE ENABLE INNODB REDO_LOG"},
    }
)


def _renamed(names: Mapping[str, str], since: Version) -> dict[str, dict[Version, str | None]]:
    return {new: {FIRST: old, since: new} for new, old in names.items()}


# Options of change_source: all of them changed their prefix at once.
OPTIONS: Table = MappingProxyType(
    _renamed(
        {
            "SOURCE_HOST": "MASTER_HOST",
            "SOURCE_PORT": "MASTER_PORT",
            "SOURCE_USER": "MASTER_USER",
            "SOURCE_PASSWORD": "MASTER_PASSWORD",
            "SOURCE_AUTO_POSITION": "MASTER_AUTO_POSITION",
            "SOURCE_LOG_FILE": "MASTER_LOG_FILE",
            "SOURCE_LOG_POS": "MASTER_LOG_POS",
            "SOURCE_DELAY": "MASTER_DELAY",
            "SOURCE_CONNECT_RETRY": "MASTER_CONNECT_RETRY",
            "SOURCE_RETRY_COUNT": "MASTER_RETRY_COUNT",
            "SOURCE_HEARTBEAT_PERIOD": "MASTER_HEARTBEAT_PERIOD",
            "SOURCE_SSL": "MASTER_SSL",
            "SOURCE_SSL_CA": "MASTER_SSL_CA",
            "SOURCE_SSL_CAPATH": "MASTER_SSL_CAPATH",
            "SOURCE_SSL_CERT": "MASTER_SSL_CERT",
            "SOURCE_SSL_CIPHER": "MASTER_SSL_CIPHER",
            "SOURCE_SSL_CRL": "MASTER_SSL_CRL",
            "SOURCE_SSL_CRLPATH": "MASTER_SSL_CRLPATH",
            "SOURCE_SSL_KEY": "MASTER_SSL_KEY",
            "SOURCE_SSL_VERIFY_SERVER_CERT": "MASTER_SSL_VERIFY_SERVER_CERT",
            "SOURCE_TLS_VERSION": "MASTER_TLS_VERSION",
            "SOURCE_PUBLIC_KEY_PATH": "MASTER_PUBLIC_KEY_PATH",
            "GET_SOURCE_PUBLIC_KEY": "GET_MASTER_PUBLIC_KEY",
        },
        (8, 0, 23),
    )
    | {
        "RELAY_LOG_FILE": {FIRST: "RELAY_LOG_FILE"},
        "RELAY_LOG_POS": {FIRST: "RELAY_LOG_POS"},
        "SOURCE_TLS_CIPHERSUITES": {
            (8, 0, 19): "MASTER_TLS_CIPHERSUITES",
            (8, 0, 23): "SOURCE_TLS_CIPHERSUITES",
        },
        "PRIVILEGE_CHECKS_USER": {(8, 0, 18): "PRIVILEGE_CHECKS_USER"},
        "REQUIRE_ROW_FORMAT": {(8, 0, 19): "REQUIRE_ROW_FORMAT"},
        "REQUIRE_TABLE_PRIMARY_KEY_CHECK": {(8, 0, 20): "REQUIRE_TABLE_PRIMARY_KEY_CHECK"},
    }
)

VARIABLES: Table = MappingProxyType(
    _renamed(
        {
            "replica_parallel_workers": "slave_parallel_workers",
            "replica_preserve_commit_order": "slave_preserve_commit_order",
            "replica_net_timeout": "slave_net_timeout",
            "replica_transaction_retries": "slave_transaction_retries",
            "replica_exec_mode": "slave_exec_mode",
            "replica_pending_jobs_size_max": "slave_pending_jobs_size_max",
            "log_replica_updates": "log_slave_updates",
            "skip_replica_start": "skip_slave_start",
            "rpl_stop_replica_timeout": "rpl_stop_slave_timeout",
            "rpl_semi_sync_source_enabled": "rpl_semi_sync_master_enabled",
            "rpl_semi_sync_source_timeout": "rpl_semi_sync_master_timeout",
            "rpl_semi_sync_replica_enabled": "rpl_semi_sync_slave_enabled",
        },
        (8, 0, 26),
    )
    | {
        "expire_logs_days": {FIRST: "expire_logs_days", (8, 4, 0): None},
        "binlog_transaction_compression": {(8, 0, 20): "binlog_transaction_compression"},
    }
)

# Options that a server takes without a warning only between two versions: it does not know them before, and
# later its default is what they say and their name deprecated.
SERVER_OPTIONS: Table = MappingProxyType(
    {
        "innodb_native_foreign_keys": {(9, 6, 0): "innodb_native_foreign_keys"},
        "replica_parallel_type": {
            FIRST: "slave_parallel_type",
            (8, 0, 26): "replica_parallel_type",
            (8, 0, 27): None,
        },
    }
)

PLUGINS: Table = MappingProxyType(
    {
        "caching_sha2_password": {FIRST: "caching_sha2_password"},
        "sha256_password": {FIRST: "sha256_password"},
        "mysql_native_password": {FIRST: "mysql_native_password", (9, 0, 0): None},
    }
)

# The two sides of semi-synchronous replication, as plugins and as the libraries that hold them.
SEMISYNC: Table = MappingProxyType(
    _renamed(
        {
            "rpl_semi_sync_source": "rpl_semi_sync_master",
            "rpl_semi_sync_replica": "rpl_semi_sync_slave",
            "semisync_source.so": "semisync_master.so",
            "semisync_replica.so": "semisync_slave.so",
        },
        (8, 0, 26),
    )
)


def _text(version: Version) -> str:
    return ".".join(str(part) for part in version)


def _lookup(table: Table, kind: str, name: str, version: Version) -> str:
    """Return what a name is called at a version; the newest boundary not above it decides."""
    if version < OLDEST:
        raise CollectionError(
            f"MySQL {_text(version)} is too old: this collection speaks {_text(OLDEST)} and later"
        )
    if name not in table:
        raise CollectionError(f"There is no {kind} {name!r} in the dialect table")
    boundaries = table[name]
    reached = [first for first in boundaries if first <= version]
    if not reached:
        raise CollectionError(
            f"MySQL {_text(version)} has no {kind} {name!r}: it came with {_text(min(boundaries))}"
        )
    said = boundaries[max(reached)]
    if said is None:
        raise CollectionError(
            f"MySQL {_text(version)} has no {kind} {name!r}: it went with {_text(max(reached))}"
        )
    return said


def statement(name: str, version: Version) -> str:
    """Return a statement's words at a version.

    Raises CollectionError naming the version where it lacks the statement.
    """
    return _lookup(STATEMENTS, "statement", name, version)


def option(name: str, version: Version) -> str:
    """Return the name at a version of an option of ``change_source``, asked for by its newest.

    Raises CollectionError as ``statement`` does.
    """
    return _lookup(OPTIONS, "replication option", name, version)


def variable(name: str, version: Version) -> str:
    """Return the name at a version of a system variable, asked for by its newest.

    A variable that is not in the table has one name everywhere. Raises CollectionError as
    ``statement`` does.
    """
    if name not in VARIABLES and version >= OLDEST:
        return name
    return _lookup(VARIABLES, "system variable", name, version)


def server_option(name: str, version: Version) -> str | None:
    """Return an option of my.cnf at a version, asked for by its newest name; None for none needed.

    Raises CollectionError as ``statement`` does.
    """
    if name not in SERVER_OPTIONS:
        return variable(name, version)
    if not has(SERVER_OPTIONS, name, version):
        return None
    return _lookup(SERVER_OPTIONS, "server option", name, version)


def authentication_plugin(name: str, version: Version) -> str:
    """Return an authentication plugin's name; raise CollectionError where the server lacks it."""
    return _lookup(PLUGINS, "authentication plugin", name, version)


def semisync_plugin(side: str, version: Version) -> str:
    """Return the name of a side's (``source``, ``replica``) semi-synchronous plugin."""
    return _lookup(SEMISYNC, "plugin", f"rpl_semi_sync_{side}", version)


def semisync_library(side: str, version: Version) -> str:
    """Return the library that holds a side's semi-synchronous plugin."""
    return _lookup(SEMISYNC, "plugin library", f"semisync_{side}.so", version)


def has(table: Table, name: str, version: Version) -> bool:
    """Whether a version knows a name of one of the tables."""
    try:
        _lookup(table, "name", name, version)
    except CollectionError:
        return False
    return True


def modern_key(key: str) -> str:
    """Return a column of SHOW REPLICA STATUS as every version's result is keyed: newest, lower."""
    return key.lower().replace("master", "source").replace("slave", "replica")


def modern_row(row: Row) -> Row:
    """Return a row of SHOW REPLICA STATUS with the newest names, in lower case."""
    return {modern_key(key): value for key, value in row.items()}


def quote_identifier(name: str) -> str:
    """Return a schema, table, column or variable name quoted for any SQL mode.

    Raises CollectionError for a name that MySQL cannot hold (empty, over 64 characters, NUL, or
    ending in a space).
    """
    if not name or len(name) > 64 or "\0" in name or name.endswith(" "):
        raise CollectionError(
            f"{name!r} cannot be an identifier: 1 to 64 characters, no NUL, no space at the end"
        )
    return "`" + name.replace("`", "``") + "`"
