# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A session of a MySQL server: by TCP, a Unix socket, or a socket that the caller connected."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..finding import CollectionError, Finding
from ..third_party import require

Row = dict[str, Any]
Version = tuple[int, int, int]

CONNECT_TIMEOUT = 10.0
# Bytes of a Unix socket's path that the kernel takes.
LONGEST_SOCKET = 107
LOST = frozenset({0, 2006, 2013, 2055, 4031})
# A wrong password, no account for this host, an account that wants no password but the system's user.
LOGIN_REFUSED = frozenset({1045, 1130, 1698})


class MysqlError(CollectionError):
    """What a server, or the road to it, answered instead of a result.

    errno: MySQL's number (server from 1000, client from 2000; 0 where there is none).
    reason: the server's own text. statement: what was sent, without its values, if any.
    """

    def __init__(
        self,
        message: str,
        errno: int,
        reason: str = "",
        statement: str = "",
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message, findings, {"errno": errno} if errno else None)
        self.errno = errno
        self.reason = reason or message
        self.statement = statement

    @property
    def lost(self) -> bool:
        """Whether the connection is gone (another one may succeed)."""
        return self.errno in LOST


@dataclass(frozen=True)
class Server:
    """Who answered.

    version: comparable integers, (8, 0, 15). version_string: as the server says it.
    """

    version: Version
    version_string: str
    server_id: int
    server_uuid: str


def parse_version(text: str) -> Version:
    """Return the integers of a version string such as ``9.7.4-0debian1``.

    Raises CollectionError where it does not begin with three numbers.
    """
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    if match is None:
        raise CollectionError(f"The server says a version that is not one: {text!r}")
    return int(match[1]), int(match[2]), int(match[3])


def _translated(error: Exception, what: str, statement: str = "") -> MysqlError:
    """Return PyMySQL's error as ours, with its number and text."""
    errno, reason = 0, str(error)
    if len(error.args) >= 2 and isinstance(error.args[0], int):
        errno, reason = error.args[0], str(error.args[1])
    return MysqlError(f"{what}: {reason} ({errno})", errno, reason, statement)


def _lowered(names: Sequence[str], values: Sequence[Any]) -> Row:
    return {name.lower(): value for name, value in zip(names, values, strict=True)}


def _as_bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else str(value).encode()


class Connection:
    """One autocommitting session in utf8mb4. Use it as a context manager, or close it.

    In ``query`` and ``execute`` a value is written ``%s`` and given in ``params``; with params a
    literal per cent sign is written ``%%``, without them as it is.
    """

    def __init__(self, raw: Any, address: str) -> None:
        self.raw = raw
        self.address = address
        # Asked once the session is lost: what is wrong with the road, as far as its maker knows.
        self.explain_loss: Callable[[], Sequence[Finding]] | None = None
        self._server: Server | None = None
        self._errors: tuple[type[Exception], ...] = (require("pymysql").err.Error, OSError)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return the rows, keys as the server names them, in lower case. Raises MysqlError."""
        with self._cursor(sql, params) as cursor:
            if cursor.description is None:
                return []
            names = [column[0] for column in cursor.description]
            return [_lowered(names, row) for row in cursor.fetchall()]

    def query_bytes(self, sql: str) -> list[dict[str, bytes | None]]:
        """Return the rows with each text as the bytes that the server holds, in no common character set.

        A program is shown in its creator's character set, its name in UTF-8: as text neither survives.
        Raises MysqlError.
        """
        self.execute("SET SESSION character_set_results = NULL")
        self.raw.use_unicode = False
        try:
            rows = self.query(sql)
        finally:
            self.raw.use_unicode = True
            self.execute("SET SESSION character_set_results = utf8mb4")
        return [{key: _as_bytes(value) for key, value in row.items()} for row in rows]

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as they come, none kept; no other statement before the last one.

        Raises MysqlError.
        """
        cursor = self.raw.cursor(require("pymysql").cursors.SSCursor)
        try:
            cursor.execute(sql)
            yield from cursor
        except self._errors as error:
            raise self._refusal(error, sql) from error
        finally:
            cursor.close()

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Return the first row's first column, None where there is no row. Raises MysqlError."""
        rows = self.query(sql, params)
        return next(iter(rows[0].values())) if rows else None

    def execute(self, sql: str | bytes, params: Sequence[Any] = ()) -> int:
        """Run a statement and return how many rows it touched. Raises MysqlError.

        Bytes are sent as they are, in the session's character_set_client.
        """
        with self._cursor(sql, params) as cursor:
            return int(cursor.rowcount)

    def variable(self, name: str) -> str | None:
        """Return a global system variable as text, None where this server has none of that name."""
        rows = self.query("SHOW GLOBAL VARIABLES WHERE variable_name = %s", (name,))
        return str(rows[0]["value"]) if rows else None

    @property
    def server(self) -> Server:
        """Who answers: read once a connection. Raises MysqlError."""
        if self._server is None:
            row = self.query(
                "SELECT VERSION() AS version, @@GLOBAL.server_id AS server_id,"
                " @@GLOBAL.server_uuid AS server_uuid"
            )[0]
            text = str(row["version"])
            self._server = Server(
                parse_version(text), text, int(row["server_id"]), str(row["server_uuid"])
            )
        return self._server

    def limit(self, seconds: float | None) -> None:
        """Let each later statement fail as lost (2013) where no answer comes for so long."""
        self.raw._read_timeout = seconds

    def close(self) -> None:
        """End the session; a second call does nothing."""
        if self.raw.open:
            try:
                self.raw.close()
            except self._errors:
                # The peer was gone first: there is nothing left to end.
                return

    def __enter__(self) -> Connection:
        """Return the connection itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def _cursor(self, sql: str | bytes, params: Sequence[Any]) -> Any:
        cursor = self.raw.cursor()
        try:
            cursor.execute(sql, tuple(params) or None)
        except self._errors as error:
            raise self._refusal(error, sql) from error
        return cursor

    def _refusal(self, error: Exception, sql: str | bytes) -> MysqlError:
        sent = sql.decode("utf-8", "backslashreplace") if isinstance(sql, bytes) else sql
        failure = _translated(error, f"{self.address} refused the statement", sent)
        if failure.lost and self.explain_loss is not None:
            failure.findings = tuple(self.explain_loss())
        return failure


def _open(
    sock: socket.socket,
    address: str,
    user: str,
    password: str | None,
    connect_timeout: float,
    options: dict[str, Any],
    *,
    local: bool = False,
    tls: bool = False,
) -> Connection:
    """Log in over a connected socket. The timeout bounds the handshake, not later statements.

    local: whether it is a Unix socket, over which the server wants the password as it is.
    tls: whether to ask for TLS, which a server that has none is forgiven.
    """
    pymysql = require("pymysql")
    raw = pymysql.connect(
        user=user,
        # As bytes: PyMySQL would write text as latin-1 and fail on other letters.
        password=(password or "").encode(),
        charset="utf8mb4",
        autocommit=True,
        defer_connect=True,
        read_timeout=connect_timeout,
        ssl_disabled=True,
        **options,
    )
    # Left to itself PyMySQL (from 1.2 on; before, it has no TLS that a server may lack) loads every authority
    # of the machine for each session, a hundred times what the handshake costs, and then checks none.
    if tls and hasattr(raw, "_ssl_required"):
        raw.ssl, raw.ctx = True, _unchecked()
    # PyMySQL knows it of sockets that it opened itself; it would ask for a key, and be refused.
    raw._secure = local
    try:
        raw.connect(sock)
    except (pymysql.err.Error, OSError) as error:
        sock.close()
        raise _translated(error, f"Cannot log in to MySQL at {address} as {user!r}") from error
    # PyMySQL has one read timeout for all; a long LOAD DATA must not end by it.
    raw._read_timeout = None
    return Connection(raw, address)


def _unchecked() -> ssl.SSLContext:
    """Return what asks for TLS and takes any certificate: a server makes its own at its first start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect_socket(
    sock: socket.socket,
    *,
    user: str,
    password: str | None = None,
    database: str | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    address: str = "a connected socket",
    tls: bool = False,
    local_infile: bool = False,
) -> Connection:
    """Log in over a socket that the caller connected, a port-forward for example.

    connect_timeout: seconds for the handshake. address: how errors name the peer.
    tls: whether to ask for TLS inside it. The socket is closed with the connection.
    Raises MysqlError.
    """
    options = {"database": database, "local_infile": local_infile}
    return _open(sock, address, user, password, connect_timeout, options, tls=tls)


def connect_tcp(
    host: str,
    port: int = 3306,
    *,
    user: str,
    password: str | None = None,
    database: str | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    local_infile: bool = False,
) -> Connection:
    """Connect by TCP, with TLS where the server offers it. connect_timeout: seconds.

    Raises MysqlError (2003 unreachable, 2005 unknown name, 1045 wrong password).
    """
    address = f"{host}:{port}"
    try:
        sock = socket.create_connection((host, port), connect_timeout)
    except socket.gaierror as error:
        raise MysqlError(f"Unknown MySQL server host {host!r}: {error} (2005)", 2005) from error
    except OSError as error:
        raise MysqlError(f"Cannot reach MySQL at {address}: {error} (2003)", 2003) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {"host": host, "port": port, "database": database, "local_infile": local_infile}
    return _open(sock, address, user, password, connect_timeout, options, tls=True)


def connect_unix(
    path: str,
    *,
    user: str,
    password: str | None = None,
    database: str | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    local_infile: bool = False,
) -> Connection:
    """Connect by a Unix socket. connect_timeout: seconds. Raises MysqlError (2002 unreachable)."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(connect_timeout)
    try:
        with _within_reach(path) as known:
            sock.connect(known)
    except OSError as error:
        sock.close()
        raise MysqlError(f"Cannot reach MySQL at socket {path}: {error} (2002)", 2002) from error
    options = {"database": database, "local_infile": local_infile}
    return _open(sock, path, user, password, connect_timeout, options, local=True)


@contextmanager
def _within_reach(path: str) -> Iterator[str]:
    """Yield a path of a socket that the kernel takes: a longer one is named by its open folder.

    Raises OSError.
    """
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        yield path
        return
    folder, name = os.path.split(path)
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{number}/{name}"
    finally:
        os.close(number)
