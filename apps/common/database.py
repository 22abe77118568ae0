# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two roads to the database, by Service name: one new connection for every use.

A Service balances connections, not queries. A pool would pin each worker to one replica, so
there is none: what the page shows is what the Service chose just now.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pymysql
from pymysql.constants import CR, ER
from pymysql.cursors import DictCursor

Row = dict[str, Any]

TLS_MODES = ("required", "off")


class SettingsError(Exception):
    """The environment lacks a value, or holds one that is not allowed."""


class DatabaseError(Exception):
    """The database did not answer as it should.

    cause: dotted and stable, e.g. ``database.unreachable``. subject: the host that was asked.
    detail: what the server or the network said.
    """

    def __init__(self, cause: str, subject: str, detail: str) -> None:
        super().__init__(f"{subject}: {detail}")
        self.cause = cause
        self.subject = subject
        self.detail = detail

    def as_dict(self) -> dict[str, str]:
        """Return the error as the apps answer it."""
        return {"cause": self.cause, "subject": self.subject, "detail": self.detail}


@dataclass(frozen=True)
class Settings:
    """Where the database is and who asks. Timeouts are seconds."""

    user: str
    password: str = field(repr=False)
    write_host: str = "mysql-write"
    read_host: str = "mysql-read"
    port: int = 3306
    name: str = "employees"
    tls: str = "required"
    connect_timeout: int = 3
    query_timeout: int = 10


class Session(Protocol):
    """A connection to one instance, as the queries use it."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a statement."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Return how many rows a statement touched."""


class Database(Protocol):
    """What the apps need of a database."""

    name: str

    def read(self) -> Any:
        """Open a Session to a replica; a context manager."""

    def write(self) -> Any:
        """Open a Session to the primary whose work is rolled back at the end."""


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read the settings from DB_* variables.

    DB_USER and DB_PASSWORD (or DB_PASSWORD_FILE, a path) are needed; DB_WRITE_HOST, DB_READ_HOST,
    DB_PORT, DB_NAME and DB_TLS (required, off) have defaults.
    Raises SettingsError naming the variable.
    """
    tls = environ.get("DB_TLS", Settings.tls)
    if tls not in TLS_MODES:
        raise SettingsError(f"DB_TLS: {tls!r} is not one of {', '.join(TLS_MODES)}")
    port = environ.get("DB_PORT", str(Settings.port))
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"DB_PORT: {port!r} is not a port (1 to 65535)")
    user = environ.get("DB_USER", "")
    if not user:
        raise SettingsError("DB_USER is not set: it names the MySQL account of the app")
    return Settings(
        user=user,
        password=_password(environ),
        write_host=environ.get("DB_WRITE_HOST", Settings.write_host),
        read_host=environ.get("DB_READ_HOST", Settings.read_host),
        port=int(port),
        name=environ.get("DB_NAME", Settings.name),
        tls=tls,
    )


def _password(environ: Mapping[str, str]) -> str:
    path = environ.get("DB_PASSWORD_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise SettingsError(f"DB_PASSWORD_FILE: {path} cannot be read ({error})") from error
    password = environ.get("DB_PASSWORD")
    if not password:
        raise SettingsError("Neither DB_PASSWORD nor DB_PASSWORD_FILE is set")
    return password


CAUSES: Mapping[int, str] = {
    CR.CR_CONNECTION_ERROR: "database.unreachable",
    CR.CR_CONN_HOST_ERROR: "database.unreachable",
    CR.CR_UNKNOWN_HOST: "database.unreachable",
    CR.CR_SERVER_GONE_ERROR: "database.connection_lost",
    CR.CR_SERVER_LOST: "database.connection_lost",
    CR.CR_SSL_CONNECTION_ERROR: "database.tls_failed",
    ER.ACCESS_DENIED_ERROR: "database.access_denied",
    ER.DBACCESS_DENIED_ERROR: "database.access_denied",
    ER.TABLEACCESS_DENIED_ERROR: "database.access_denied",
    ER.BAD_DB_ERROR: "database.data_missing",
    ER.NO_SUCH_TABLE: "database.data_missing",
    ER.CON_COUNT_ERROR: "database.too_many_connections",
    ER.OPTION_PREVENTS_STATEMENT: "database.read_only",
}


def cause_of(errno: int) -> str:
    """Return the cause of a client or server error number."""
    return CAUSES.get(errno, "database.error")


class MysqlSession:
    """A Session over PyMySQL."""

    def __init__(self, connection: pymysql.Connection[DictCursor]) -> None:
        self._connection = connection

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a statement; keys are its column names."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(params))
            return list(cursor.fetchall())

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Return how many rows a statement touched."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, tuple(params))


class MysqlDatabase:
    """The database behind the two Services."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.name = settings.name
        # One context for all connections: making one reads the machine's CA store each time.
        # MySQL makes its own certificate, so there is nobody to verify it against.
        self._tls = _unverified_tls() if settings.tls == "required" else None

    @contextmanager
    def read(self) -> Iterator[MysqlSession]:
        """Open a new connection through the read Service.

        Raises DatabaseError, from connecting or from what is done within.
        """
        with self._session(self._settings.read_host, autocommit=True) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[MysqlSession]:
        """Open a new connection through the write Service; its work is rolled back.

        Closing without COMMIT is the rollback. Raises DatabaseError.
        """
        with self._session(self._settings.write_host, autocommit=False) as session:
            yield session

    @contextmanager
    def _session(self, host: str, autocommit: bool) -> Iterator[MysqlSession]:
        try:
            connection = self._connected(host, autocommit)
            with connection:
                yield MysqlSession(connection)
        except pymysql.MySQLError as error:
            errno, detail = (*error.args, "")[:2] if error.args else (0, str(error))
            number = errno if isinstance(errno, int) else 0
            raise DatabaseError(cause_of(number), host, f"({errno}) {detail}") from error

    def _connected(self, host: str, autocommit: bool) -> pymysql.Connection[DictCursor]:
        settings = self._settings
        return pymysql.connect(
            host=host,
            port=settings.port,
            user=settings.user,
            password=settings.password,
            database=settings.name,
            charset="utf8mb4",
            autocommit=autocommit,
            cursorclass=DictCursor,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.query_timeout,
            write_timeout=settings.query_timeout,
            ssl=self._tls,
            ssl_disabled=self._tls is None,
        )


def _unverified_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
