# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pieces of binary logs as relay logs of the scratch instance, and the applier that reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..binlog.events import rotate_event
from ..binlog.files import checksum_size, writer_of
from ..binlog.store import BLOCK, Store
from ..causes.binlog import BinlogError
from ..mysql.connection import Connection
from ..mysql.dialect import option, statement, variable
from ..mysql.gtid import GtidSet
from ..mysql.replication import executed
from ..polling import look_until
from .pieces import Piece
from .server_options import RELAY

POLL = 0.25
_FAILED = re.compile(r"transaction '([^']+)'")
# How long an applier that has read all may stand still before it is asked no more, in seconds.
STILL = 5.0
READ_ALL = "%has read all relay log%"
# A row is not there, or is there already: the data are not what the transaction was written for.
_OTHER_ROWS = frozenset({1032, 1062})
# A worker that stopped because another one did (ER_SLAVE_WORKER_STOPPED_PREVIOUS_THD_ERROR).
_FOLLOWED = 3030
# An event that this version cannot read (ER_RPL_SLAVE_RELAY_LOG_READ_FAILURE of the relay log).
_UNREAD_EVENT = 13121
# Bytes of a name that every version reads in a row event.
_SURE_NAME = 64
ROWS_UNLOGGED = "recovery.rows_unlogged"
UNAPPLIED = ("recovery.apply_failed", ROWS_UNLOGGED)
# Transactions that may lack rows of MEMORY tables before the recovery gives up, and how long one may take.
MOST_WITHOUT_ROWS = 1000
WITHOUT_ROWS_SECONDS = 600.0


@dataclass(frozen=True)
class Goal:
    """gtids: what is executed in the end. stops_at: the GTID that the applier stops before, if any."""

    gtids: GtidSet
    stops_at: str | None


def lay_out(
    store: Store, pieces: tuple[Piece, ...], data: Path, note: Callable[[int], None]
) -> None:
    """Write the pieces into a data directory as relay logs with their index.

    The index names them relative to it: the server may see the folder under another name.
    """
    remove(data)
    names: list[str] = []
    for number, piece in enumerate(pieces, 1):
        names.append(f"{RELAY}.{number:06}")
        with store.opened(piece.log) as content, (data / names[-1]).open("wb") as relay:
            for start, end in piece.spans:
                for at in range(start, end, BLOCK):
                    part = content[at : min(at + BLOCK, end)]
                    relay.write(part)
                    note(len(part))
                    part.release()
            if number < len(pieces) and not (piece.whole and piece.log.ended == "rotate"):
                # A log that was cut, or whose server ended, does not say that another one follows.
                # 8.0 then takes the numbers that begin anew in the next for wrong ones (1755).
                following = pieces[number].log.name
                sums = bool(checksum_size(content))
                relay.write(rotate_event(writer_of(content), following, checksum=sums))
    (data / f"{RELAY}.index").write_text("".join(f"./{name}\n" for name in names))


def remove(data: Path) -> None:
    """Remove what relay logs are there."""
    for path in data.glob(f"{RELAY}.*"):
        path.unlink()


def begin(connection: Connection, goal: Goal) -> None:
    """Start the applier at the first relay log. It stops before the first transaction left out.

    SOURCE_HOST names nobody: without it the status would stay empty. SQL_BEFORE_GTIDS keeps all
    workers at work, which SQL_AFTER_GTIDS does not before 8.0.
    """
    version = connection.server.version
    change = statement("change_source", version)
    host = option("SOURCE_HOST", version)
    connection.execute(
        f"{change} RELAY_LOG_FILE = %s, RELAY_LOG_POS = 4, {host} = %s", (f"{RELAY}.000001", "none")
    )
    _start(connection, goal)


def _start(connection: Connection, goal: Goal) -> None:
    start = statement("start_applier", connection.server.version)
    if goal.stops_at is None:
        connection.execute(start)
    else:
        connection.execute(f"{start} UNTIL SQL_BEFORE_GTIDS = %s", (goal.stops_at,))


def follow(connection: Connection, goal: Goal, told: Callable[[GtidSet], None]) -> None:
    """Wait until the applier has stopped where it has to. told: gets the set, again and again.

    A row of a MEMORY table is in no base, since it is lost with its server: a transaction that does
    not find one is applied without it. Raises BinlogError where the applier failed for another reason,
    or read all there is and something is missing.
    """
    emptied = _memory_tables(connection)
    for _attempt in range(MOST_WITHOUT_ROWS):
        try:
            _follow(connection, goal, told)
        except BinlogError as error:
            gtid = str(error.facts.get("gtid") or "")
            if error.code != ROWS_UNLOGGED or not gtid or not _about(error.proof, emptied):
                raise
            _apply_without_rows(connection, gtid)
            _start(connection, goal)
        else:
            return
    _follow(connection, goal, told)


def _memory_tables(connection: Connection) -> tuple[str, ...]:
    rows = connection.query(
        "SELECT table_schema AS s, table_name AS t FROM information_schema.tables"
        " WHERE engine = 'MEMORY'"
    )
    return tuple(f"{row['s']}.{row['t']}" for row in rows)


def _about(proof: Iterable[str], tables: Iterable[str]) -> bool:
    """Whether an applier's words name one of these tables."""
    return any(f" on table {table};" in line for line in proof for table in tables)


def _apply_without_rows(connection: Connection, gtid: str) -> None:
    """Apply up to and including a transaction, rows that it does not find left out.

    Manual, replica_exec_mode: IDEMPOTENT suppresses duplicate-key and no-key-found errors.
    """
    version = connection.server.version
    mode = variable("replica_exec_mode", version)
    connection.execute(f"SET GLOBAL {mode} = 'IDEMPOTENT'")
    try:
        start = statement("start_applier", version)
        connection.execute(f"{start} UNTIL SQL_AFTER_GTIDS = %s", (gtid,))
        look_until(lambda: _stopped(connection), bool, WITHOUT_ROWS_SECONDS, POLL)
        _check_errors(connection)
    finally:
        connection.execute(statement("stop_applier", version))
        connection.execute(f"SET GLOBAL {mode} = 'STRICT'")


def _follow(connection: Connection, goal: Goal, told: Callable[[GtidSet], None]) -> None:
    still_since = time.monotonic()
    before: GtidSet | None = None
    while True:
        stopped = _stopped(connection)
        now = executed(connection)
        told(now)
        if stopped:
            _check_errors(connection)
            return
        if goal.gtids in now:
            # All is there, and what is left out is not in the relay logs. 9.7 would wait for more of
            # the transaction that it has to stop before.
            connection.execute(statement("stop_applier", connection.server.version))
            return
        if now != before or not _read_all(connection):
            before, still_since = now, time.monotonic()
        elif time.monotonic() - still_since > STILL:
            connection.execute(statement("stop_applier", connection.server.version))
            _check_errors(connection)
            return
        # The applier stops by itself; WAIT_FOR_EXECUTED_GTID_SET would miss one that fails.
        time.sleep(POLL)


def failed_gtid(proof: Iterable[str]) -> str:
    """Return the transaction that an applier's words name, empty where they name none."""
    found = (_FAILED.search(line) for line in proof)
    return next((match[1] for match in found if match), "")


def check(connection: Connection, goal: Goal) -> None:
    """Raise BinlogError where gtid_executed is not exactly what the plan says."""
    now = executed(connection)
    if now == goal.gtids:
        return
    missing, extra = goal.gtids - now, now - goal.gtids
    proof = [f"@@GLOBAL.gtid_executed = {str(now)[:300]}"]
    if missing:
        proof.append(f"missing: {str(missing)[:200]} ({missing.count})")
    if extra:
        proof.append(f"beyond the plan: {str(extra)[:200]} ({extra.count})")
    raise BinlogError("recovery.not_there", connection.address, proof)


def has_channel(connection: Connection) -> bool:
    """Whether a channel is there already: a base that was taken from a replica brings one."""
    table = "performance_schema.replication_connection_configuration"
    return bool(connection.value(f"SELECT COUNT(*) FROM {table}"))


def forget(connection: Connection) -> None:
    """Remove the channel with its relay logs."""
    connection.execute(statement("reset_replica_all", connection.server.version))


def _stopped(connection: Connection) -> bool:
    state = connection.value(
        "SELECT service_state FROM performance_schema.replication_applier_status"
        " WHERE channel_name = ''"
    )
    return str(state) == "OFF"


def _read_all(connection: Connection) -> bool:
    return bool(
        connection.value(
            "SELECT COUNT(*) FROM performance_schema.threads WHERE processlist_state LIKE %s",
            (READ_ALL,),
        )
    )


def _long_names(connection: Connection) -> list[str]:
    """Return the tables whose names some versions cannot read in a row event (MySQL bug 104838)."""
    rows = connection.query(
        "SELECT table_schema AS s, table_name AS t, GREATEST(LENGTH(table_schema), LENGTH(table_name))"
        " AS size FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        " AND GREATEST(LENGTH(table_schema), LENGTH(table_name)) > %s ORDER BY 1, 2",
        (_SURE_NAME,),
    )
    return [f"{row['s']}.{row['t']} has a name of {row['size']} bytes" for row in rows[:5]]


def _check_errors(connection: Connection) -> None:
    """Raise BinlogError with what a worker, or the thread that leads them, complains of."""
    for table in ("worker", "coordinator"):
        rows = connection.query(
            "SELECT last_error_number AS errno, last_error_message AS message"
            f" FROM performance_schema.replication_applier_status_by_{table}"
            " WHERE last_error_number <> 0 ORDER BY last_error_number = %s",
            (_FOLLOWED,),
        )
        if rows:
            proof = [f"{row['message']} ({row['errno']})" for row in rows[:3]]
            if rows[0]["errno"] in _OTHER_ROWS:
                gtid = failed_gtid(proof)
                raise BinlogError(ROWS_UNLOGGED, connection.address, proof, gtid=gtid)
            long = _long_names(connection) if rows[0]["errno"] == _UNREAD_EVENT else []
            if long:
                version = ".".join(str(part) for part in connection.server.version)
                raise BinlogError(
                    "recovery.name_unreadable", connection.address, [*long, *proof], version=version
                )
            raise BinlogError("recovery.apply_failed", connection.address, proof)
