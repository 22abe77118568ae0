# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LOAD DATA LOCAL INFILE from memory: rows of an INSERT are sent as they stand, never a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..finding import CollectionError
from ..third_party import require
from .connection import Connection, MysqlError
from .dialect import quote_identifier

PACKET = 1 << 18
"""Bytes a packet: far below any server's max_allowed_packet, large enough not to cost."""

ROWS_AS_THEY_STAND = (
    r"FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\'' ESCAPED BY '\\'"
    r" LINES STARTING BY '(' TERMINATED BY '),'"
)


@dataclass(frozen=True)
class Loaded:
    """What the server says of one LOAD DATA. With LOCAL errors are only counted as warnings."""

    records: int
    skipped: int
    warnings: int

    @property
    def clean(self) -> bool:
        """Whether each row arrived as it was."""
        return not self.skipped and not self.warnings


def statement(schema: str, table: str, columns: bytes, charset: str) -> bytes:
    """Return the LOAD DATA that reads rows of an INSERT. charset: that of the session.

    schema, table: as ``unquoted`` has them, so that the bytes of the session's character set stay.
    """
    name = quote_identifier(table)
    if schema:
        name = f"{quote_identifier(schema)}.{name}"
    sql = f"LOAD DATA LOCAL INFILE 'rows' INTO TABLE {name} CHARACTER SET {charset}"
    return f"{sql} {ROWS_AS_THEY_STAND} ".encode("utf-8", "surrogateescape") + columns


def load(connection: Connection, sql: bytes, rows: Iterable[bytes]) -> Loaded:
    """Send a LOAD DATA LOCAL and its rows. Raises MysqlError.

    rows: pieces that each begin with ``(`` and end with ``),`` and perhaps a blank. Whatever
    file the server asks for, it gets these bytes and nothing else.
    """
    pymysql = require("pymysql")
    raw = connection.raw
    try:
        raw._execute_command(pymysql.constants.COMMAND.COM_QUERY, sql)
        packet = raw._read_packet()
        if not packet.is_load_local_packet():
            raise CollectionError("The server did not ask for the rows of a LOAD DATA LOCAL")
        for piece in rows:
            for start in range(0, len(piece), PACKET):
                raw.write_packet(piece[start : start + PACKET])
        raw.write_packet(b"")
        answer = pymysql.connections.OKPacketWrapper(raw._read_packet())
    except driver_errors() as error:
        raise translated(error, "LOAD DATA LOCAL") from error
    raw.server_status = answer.server_status
    return counted(answer.message, answer.warning_count)


@contextmanager
def several(connection: Connection) -> Iterator[None]:
    """Let the session send several statements at once, as the mysql client does. Raises MysqlError."""
    _statements(connection, allowed=True)
    yield
    _statements(connection, allowed=False)


def _statements(connection: Connection, *, allowed: bool) -> None:
    raw = connection.raw
    command = require("pymysql").constants.COMMAND.COM_SET_OPTION
    try:
        # MYSQL_OPTION_MULTI_STATEMENTS_ON is 0, _OFF is 1; the answer is an EOF packet.
        raw._execute_command(command, (0 if allowed else 1).to_bytes(2, "little"))
        raw._read_packet()
    except driver_errors() as error:
        raise translated(error, "COM_SET_OPTION") from error


def driver_errors() -> tuple[type[Exception], ...]:
    """Return what PyMySQL and a socket raise."""
    return (require("pymysql").err.Error, OSError)


def counted(message: bytes, warnings: int) -> Loaded:
    """Return the figures of ``Records: 3  Deleted: 0  Skipped: 0  Warnings: 0``."""
    numbers = [int(number) for number in re.findall(rb": (\d+)", message)]
    if len(numbers) != 4:
        text = message.decode("utf-8", "replace")
        raise CollectionError(f"The server did not say how many rows it loaded: {text!r}")
    return Loaded(records=numbers[0], skipped=numbers[2], warnings=max(numbers[3], warnings))


def translated(error: Exception, what: str) -> MysqlError:
    """Return an error of PyMySQL or of the socket as ours."""
    errno, reason = 0, str(error)
    if len(error.args) >= 2 and isinstance(error.args[0], int):
        errno, reason = error.args[0], str(error.args[1])
    elif isinstance(error, OSError):
        errno = 2013
    return MysqlError(f"{what}: {reason} ({errno})", errno, reason)
