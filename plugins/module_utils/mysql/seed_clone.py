# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A clone of the source, fetched by the replica itself, and the restart that ends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ..finding import CollectionError
from .connection import Connection, MysqlError
from .dialect import statement
from .replication import POLL_SECONDS
from .seed_programs import rest_events

PLUGIN_THERE_ALREADY = 1125
# The clone is complete, and nobody starts the server again (it stopped).
NOT_SUPERVISED = 3707
# Of the donor, which serves one clone at a time; the replica passes it on as text of its own error.
_FROM_DONOR = 3862
_BUSY = "3634"


@dataclass(frozen=True)
class Donor:
    """The source as the replica reaches it, and who logs in there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


class NotBackError(CollectionError):
    """The replica has cloned and did not come back in time. supervised: whether someone starts it."""

    def __init__(self, address: str, seconds: float, supervised: bool) -> None:
        super().__init__(f"{address} has cloned and is not back after {seconds:g} s")
        self.supervised = supervised


class Session:
    """The session of a replica: a restart ends it, and another one takes its place."""

    def __init__(self, connection: Connection, connect: Callable[[], Connection]) -> None:
        self.connection = connection
        self._connect = connect

    def renew(self) -> None:
        """Log in again. Raises CollectionError."""
        self.connection.close()
        self.connection = self._connect()

    def close(self) -> None:
        """End the session."""
        self.connection.close()


def install_plugin(connection: Connection) -> None:
    """Install the clone plugin; it stays after a restart. Raises MysqlError."""
    try:
        connection.execute("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")
    except MysqlError as error:
        # Another replica of the same source was quicker.
        if error.errno != PLUGIN_THERE_ALREADY:
            raise


def clone(
    session: Session, donor: Donor, seconds: float, turn: AbstractContextManager[object]
) -> tuple[str, int]:
    """Clone and wait until the server is back with the donor's data, for so many seconds.

    turn: held while the donor serves this one; whoever is known to clone from it too has the same.
    Another clone of it is waited for, also for so many seconds.
    Return where the donor's binary log goes on after it: file and position (bytes).

    Raises NotBackError, CollectionError with the server's own reason where the clone failed, and
    MysqlError.
    """
    with turn:
        began = time.monotonic()
        supervised = _fetch(session.connection, donor, seconds)
    _wait_until_back(session, donor, began, seconds, supervised)
    place = _completed(session.connection)
    _rest_events(session.connection)
    return place


def _fetch(connection: Connection, donor: Donor, seconds: float) -> bool:
    """Fetch the data once the donor is free; return whether somebody starts the server again."""
    words = statement("clone_instance", connection.server.version)
    login = (donor.user, donor.host, donor.port, donor.password)
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.execute(f"{words} %s@%s:%s IDENTIFIED BY %s", login)
        except MysqlError as error:
            busy = error.errno == _FROM_DONOR and _BUSY in error.reason
            if busy and time.monotonic() < deadline:
                # The donor tells by refusing alone. Nothing of the replica is gone by then.
                time.sleep(POLL_SECONDS)
                continue
            if error.errno != NOT_SUPERVISED and not error.lost:
                raise
            return error.errno != NOT_SUPERVISED
        return True


def _wait_until_back(
    session: Session, donor: Donor, began: float, seconds: float, supervised: bool
) -> None:
    address = session.connection.address
    deadline = time.monotonic() + seconds
    while True:
        try:
            session.renew()
            if _restarted(session.connection, donor, began):
                return
        except CollectionError as error:
            # It is away: that is what is waited for. A wrong password will not mend itself.
            if isinstance(error, MysqlError) and error.errno == 1045:
                raise
        if time.monotonic() >= deadline:
            raise NotBackError(address, seconds, supervised)
        # A server that restarts can be asked by connecting alone.
        time.sleep(POLL_SECONDS)


def _restarted(connection: Connection, donor: Donor, began: float) -> bool:
    """Whether this is the server after the clone, and not the one that is about to stop."""
    uptime = connection.value(
        "SELECT variable_value FROM performance_schema.global_status WHERE variable_name = 'Uptime'"
    )
    listed = connection.variable("clone_valid_donor_list")
    # It was set for the running server alone, so a new one does not have it.
    return listed != f"{donor.host}:{donor.port}" or int(uptime) + 1 < time.monotonic() - began


def _completed(connection: Connection) -> tuple[str, int]:
    rows = connection.query("SELECT * FROM performance_schema.clone_status")
    if not rows or str(rows[0]["state"]) != "Completed":
        said = f"{rows[0]['error_no']}: {rows[0]['error_message']}" if rows else "no clone is known"
        raise CollectionError(
            f"The clone on {connection.address} did not complete: performance_schema.clone_status"
            f" says {said}"
        )
    return str(rows[0]["binlog_file"]), int(rows[0]["binlog_position"])


def _rest_events(connection: Connection) -> None:
    """Let the source's events rest here, without a transaction of the replica's own."""
    enabled = connection.value(
        "SELECT COUNT(*) FROM information_schema.events WHERE status = 'ENABLED'"
    )
    if not enabled:
        return
    closed = bool(connection.value("SELECT @@GLOBAL.super_read_only"))
    connection.execute("SET SESSION sql_log_bin = 0")
    if closed:
        connection.execute("SET GLOBAL super_read_only = OFF")
    rest_events(connection)
    if closed:
        connection.execute("SET GLOBAL super_read_only = ON")
    connection.execute("SET SESSION sql_log_bin = 1")
