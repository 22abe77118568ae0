# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an instance says of its replication: read on any version, keyed the same on all. No writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from .connection import Connection, Row, Server
from .dialect import modern_row, statement
from .gtid import GtidSet
from .replication_filters import read_filters

Thread = Literal["running", "connecting", "stopped"]
Setting: TypeAlias = "str | int | float | bool | None"

SYSTEM_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")
POLL_SECONDS = 0.2

# What stands for the address of a group's channel, which has none.
_NOWHERE = "<NULL>"

_THREADS: Mapping[str, Thread] = {"ON": "running", "CONNECTING": "connecting", "OFF": "stopped"}

_FACTS = """SELECT @@GLOBAL.gtid_mode AS gtid_mode, @@GLOBAL.log_bin AS log_bin,
 @@GLOBAL.enforce_gtid_consistency AS enforce_gtid_consistency,
 @@GLOBAL.gtid_executed AS gtid_executed, @@GLOBAL.gtid_purged AS gtid_purged,
 @@GLOBAL.read_only AS read_only, @@GLOBAL.super_read_only AS super_read_only"""

# All columns: later versions have more of them, and what a version lacks is None.
_CHANNELS = """SELECT k.*, c.*,
 s.service_state AS receiver, s.source_uuid, s.received_transaction_set AS retrieved,
 s.last_error_number AS receiver_errno, s.last_error_message AS receiver_error,
 s.count_received_heartbeats AS heartbeats,
 IF(s.count_received_heartbeats > 0,
    TIMESTAMPDIFF(MICROSECOND, s.last_heartbeat_timestamp, NOW(6)) / 1000000, NULL) AS heartbeat_age,
 IF(s.last_queued_transaction <> '', TIMESTAMPDIFF(MICROSECOND,
    s.last_queued_transaction_end_queue_timestamp, NOW(6)) / 1000000, NULL) AS queued_age,
 a.service_state AS applier
 FROM performance_schema.replication_connection_configuration c
 JOIN performance_schema.replication_connection_status s ON s.channel_name = c.channel_name
 LEFT JOIN performance_schema.replication_applier_configuration k ON k.channel_name = c.channel_name
 LEFT JOIN performance_schema.replication_applier_status a ON a.channel_name = c.channel_name
 WHERE c.host <> '' ORDER BY c.channel_name"""

_FILTERS = """SELECT channel_name, filter_name, filter_rule
 FROM performance_schema.replication_applier_filters"""

_ERRORS = """SELECT channel_name, worker_id, last_error_number, last_error_message,
 CAST(last_error_timestamp AS CHAR) AS at, applying_transaction AS applying
 FROM performance_schema.replication_applier_status_by_worker WHERE last_error_number <> 0
 UNION ALL SELECT channel_name, NULL, last_error_number, last_error_message,
 CAST(last_error_timestamp AS CHAR), ''
 FROM performance_schema.replication_applier_status_by_coordinator WHERE last_error_number <> 0"""


@dataclass(frozen=True)
class ApplierError:
    """Why an applier thread stopped. worker_id: None for the coordinator. at: server's time."""

    worker_id: int | None
    errno: int
    message: str
    transaction: str
    at: str


@dataclass(frozen=True)
class Channel:
    """One channel. settings: by the names of the options of mysql_replication without ``source_``.

    lag_seconds: None while the server cannot say. heard_seconds_ago: since the source was heard of
    last (heartbeat or transaction), None for never. password_matches: None where it was not asked
    for or cannot be read. retrieved: GTIDs received since the relay log began. filters: rules by
    kind (replication_filters.KINDS), only kinds that have any. until_condition: where the applier
    was told to stop, in the server's word (SQL_AFTER_GTIDS, Source), empty for nowhere.
    """

    name: str
    settings: Mapping[str, Setting]
    receiver: Thread = "stopped"
    applier: Thread = "stopped"
    receiver_errno: int = 0
    receiver_error: str = ""
    receiver_doing: str = ""
    applier_errors: tuple[ApplierError, ...] = ()
    retrieved: str = ""
    source_uuid: str = ""
    source_server_id: int | None = None
    source_log_file: str = ""
    source_log_pos: int | None = None
    applied_log_file: str = ""
    applied_log_pos: int | None = None
    lag_seconds: int | None = None
    heartbeats: int = 0
    heard_seconds_ago: float | None = None
    password_matches: bool | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    until_condition: str = ""
    until_log_file: str = ""
    until_log_pos: int | None = None

    @property
    def following(self) -> bool:
        """Whether both threads run without an error and the source accepted the receiver."""
        threads = self.receiver == "running" and self.applier == "running"
        accepted = bool(self.source_log_file) and bool(self.source_uuid)
        return threads and accepted and not self.receiver_errno and not self.applier_errors

    def reached_another(self, uuid: str) -> bool:
        """Whether the server that it receives from, or did last, is known and another one than that."""
        return self.source_uuid not in ("", uuid)

    @property
    def started(self) -> bool:
        """Whether both threads were told to run."""
        return self.receiver != "stopped" and self.applier != "stopped"


@dataclass(frozen=True)
class State:
    """An instance, as source or as replica.

    persisted: which of read_only and super_read_only are ON at the next start because they were
    persisted, sorted. schemas: the user's own, sorted. log_file, log_pos: where its own binary log
    ends (bytes), empty and None without one.
    """

    server: Server
    gtid_mode: str
    enforce_gtid_consistency: str
    log_bin: bool
    gtid_executed: str
    gtid_purged: str
    read_only: bool
    super_read_only: bool
    persisted: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    log_file: str = ""
    log_pos: int | None = None

    def channel(self, name: str) -> Channel | None:
        """Return a channel by name, None where there is none."""
        return named(self.channels, name)

    def with_channel(self, channel: Channel) -> State:
        """Return the state with a channel added or put in place of its namesake."""
        others = [other for other in self.channels if other.name != channel.name]
        ordered = sorted([*others, channel], key=lambda each: each.name)
        return replace(self, channels=tuple(ordered))

    def without_channel(self, name: str) -> State:
        """Return the state without a channel."""
        kept = tuple(channel for channel in self.channels if channel.name != name)
        return replace(self, channels=kept)


def named(channels: Iterable[Channel], name: str) -> Channel | None:
    """Return one of the channels by name, None where there is none."""
    return next((channel for channel in channels if channel.name == name), None)


def observe(connection: Connection, channels: tuple[Channel, ...] | None = None) -> State:
    """Return what the instance says. Needs REPLICATION CLIENT and SELECT on performance_schema.

    channels: all of them as they were seen just now, where they were. Raises MysqlError.
    """
    facts = connection.query(_FACTS)[0]
    log_file, log_pos = end_of_log(connection)
    return State(
        server=connection.server,
        gtid_mode=str(facts["gtid_mode"]),
        enforce_gtid_consistency=str(facts["enforce_gtid_consistency"]),
        log_bin=bool(facts["log_bin"]),
        gtid_executed=str(GtidSet.parse(str(facts["gtid_executed"]))),
        gtid_purged=str(GtidSet.parse(str(facts["gtid_purged"]))),
        read_only=bool(facts["read_only"]),
        super_read_only=bool(facts["super_read_only"]),
        persisted=_persisted_read_only(connection),
        schemas=user_schemas(connection),
        channels=observe_channels(connection) if channels is None else channels,
        log_file=log_file,
        log_pos=log_pos,
    )


def end_of_log(connection: Connection) -> tuple[str, int | None]:
    """Return file and position (bytes) where the binary log ends. Raises MysqlError."""
    rows = connection.query(statement("show_binary_log_status", connection.server.version))
    return (str(rows[0]["file"]), int(rows[0]["position"])) if rows else ("", None)


def user_schemas(connection: Connection) -> tuple[str, ...]:
    """Return the names of the schemas that are not the server's own, sorted. Raises MysqlError."""
    rows = connection.query("SELECT schema_name AS name FROM information_schema.schemata")
    return tuple(sorted({str(row["name"]) for row in rows} - set(SYSTEM_SCHEMAS)))


def observe_channels(connection: Connection) -> tuple[Channel, ...]:
    """Return the channels that have a source, by name. Raises MysqlError."""
    rows = connection.query(_CHANNELS)
    if not rows:
        return ()
    shown = statement("show_replica_status", connection.server.version)
    status = _by_channel(modern_row(row) for row in connection.query(shown))
    failed = sorted(connection.query(_ERRORS), key=_workers_first)
    filters = connection.query(_FILTERS)
    return tuple(
        _channel(
            row,
            status.get(_of(row), {}),
            [each for each in failed if _of(each) == _of(row)],
            [each for each in filters if _of(each) == _of(row)],
        )
        for row in rows
    )


def observe_channel(connection: Connection, name: str) -> Channel | None:
    """Return one channel, None where there is none that has a source. Raises MysqlError."""
    return named(observe_channels(connection), name)


def executed(connection: Connection) -> GtidSet:
    """Return gtid_executed as it is now. Raises MysqlError."""
    return GtidSet.parse(str(connection.value("SELECT @@GLOBAL.gtid_executed")))


def read_password_matches(connection: Connection, channel: str, password: str) -> bool | None:
    """Return whether a channel logs in with this password, None where that cannot be read.

    The comparison is the server's; the stored password is not fetched. Raises MysqlError.
    """
    asked = (
        "SELECT CAST(user_password AS BINARY) = CAST(%s AS BINARY) AS same"
        " FROM mysql.slave_master_info WHERE channel_name = %s"
    )
    same = connection.value(asked, (password, channel))
    return None if same is None else bool(same)


def wait_following(
    connection: Connection,
    channel: str,
    timeout: float,
    hopeless: Callable[[Channel], bool],
    earlier: Channel | None = None,
) -> tuple[Channel, ...]:
    """Return all channels when this one follows, or as last seen: after timeout seconds, or hopeless.

    It follows when two observations in a row say so: a source that refuses the stream (purged
    logs) does so just after it accepted the connection. earlier: how it was seen already, if nothing
    was done to it since. Raises MysqlError.
    """
    deadline = time.monotonic() + timeout
    before = earlier is not None and earlier.following
    if before:
        # A source that refuses is seen to do so only some time after the first look.
        time.sleep(min(POLL_SECONDS, timeout))
    while True:
        channels = observe_channels(connection)
        found = named(channels, channel)
        if found is None or (found.following and before):
            return channels
        if time.monotonic() >= deadline or (not found.following and hopeless(found)):
            return channels
        before = found.following
        # The receiver connects in its own time; no statement waits for that, only tables show it.
        time.sleep(POLL_SECONDS)


def _persisted_read_only(connection: Connection) -> tuple[str, ...]:
    rows = connection.query(
        "SELECT variable_name AS name FROM performance_schema.persisted_variables"
        " WHERE variable_name IN ('read_only', 'super_read_only') AND variable_value = 'ON'"
    )
    return tuple(sorted(str(row["name"]) for row in rows))


def _settings(row: Row) -> dict[str, Setting]:
    """Return the settings under the names that the options have."""
    return {
        "host": "" if row["host"] == _NOWHERE else str(row["host"]),
        "port": int(row["port"]),
        "user": str(row["user"]),
        "auto_position": str(row["auto_position"]) in ("1", "YES"),
        "delay": int(row["desired_delay"] or 0),
        "connect_retry": int(row["connection_retry_interval"]),
        "retry_count": int(row["connection_retry_count"]),
        "heartbeat_period": float(row["heartbeat_interval"]),
        "ssl": row["ssl_allowed"] == "YES",
        "ssl_ca": str(row["ssl_ca_file"]),
        "ssl_cert": str(row["ssl_certificate"]),
        "ssl_key": str(row["ssl_key"]),
        "ssl_verify_server_cert": row["ssl_verify_server_certificate"] == "YES",
        "public_key_path": str(row["public_key_path"]),
        "get_public_key": str(row["get_public_key"]) in ("1", "YES"),
        "ssl_capath": str(row["ssl_ca_path"]),
        "ssl_cipher": str(row["ssl_cipher"]),
        "ssl_crl": str(row["ssl_crl_file"]),
        "ssl_crlpath": str(row["ssl_crl_path"]),
        "tls_version": str(row["tls_version"]),
        "tls_ciphersuites": _text(row.get("tls_ciphersuites")),
        **_applier_settings(row),
    }


def _applier_settings(row: Row) -> dict[str, Setting]:
    """Return what came after 8.0.15; None where the server has no such setting."""
    row_format = row.get("require_row_format")
    checks = "privilege_checks_user" in row
    return {
        "privilege_checks_user": str(row["privilege_checks_user"] or "") if checks else None,
        "require_row_format": None if row_format is None else row_format == "YES",
        "require_table_primary_key_check": _text(row.get("require_table_primary_key_check")),
    }


def _channel(row: Row, status: Row, failed: Sequence[Row], filters: Sequence[Row]) -> Channel:
    until = str(status.get("until_condition") or "None")
    ages = [float(age) for age in (row["heartbeat_age"], row["queued_age"]) if age is not None]
    return Channel(
        name=_of(row),
        settings=_settings(row),
        receiver=_THREADS.get(str(row["receiver"]), "stopped"),
        applier=_THREADS.get(str(row["applier"]), "stopped"),
        receiver_errno=int(row["receiver_errno"]),
        receiver_error=str(row["receiver_error"]),
        receiver_doing=str(status.get("replica_io_state") or ""),
        applier_errors=tuple(_applier_error(each) for each in failed),
        retrieved=str(GtidSet.parse(str(row["retrieved"]))),
        source_uuid=str(row["source_uuid"]),
        source_server_id=_number(status.get("source_server_id")),
        source_log_file=str(status.get("source_log_file") or ""),
        source_log_pos=_number(status.get("read_source_log_pos")),
        applied_log_file=str(status.get("relay_source_log_file") or ""),
        applied_log_pos=_number(status.get("exec_source_log_pos")),
        lag_seconds=_number(status.get("seconds_behind_source")),
        heartbeats=int(row["heartbeats"]),
        heard_seconds_ago=min(ages, default=None),
        filters=read_filters(filters),
        until_condition="" if until == "None" else until.replace("Master", "Source"),
        until_log_file=str(status.get("until_log_file") or ""),
        until_log_pos=_number(status.get("until_log_pos")) if until != "None" else None,
    )


def _applier_error(row: Row) -> ApplierError:
    return ApplierError(
        worker_id=_number(row.get("worker_id")),
        errno=int(row["last_error_number"]),
        message=str(row["last_error_message"]),
        transaction=str(row["applying"] or ""),
        at=str(row["at"]),
    )


def _workers_first(row: Row) -> tuple[str, bool, int]:
    """Order errors of appliers: a channel's coordinator only repeats what a worker failed of."""
    worker = _number(row["worker_id"])
    return _of(row), worker is None, worker or 0


def _of(row: Row) -> str:
    return str(row["channel_name"])


def _by_channel(rows: Iterable[Row]) -> dict[str, Row]:
    return {_of(row): row for row in rows}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
