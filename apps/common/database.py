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
from types import MappingProxyType
from typing import Any, Protocol

import pymysql
from pymysql.constants import CR, ER
from pymysql.cursors import DictCursor

Row = dict[str, Any]

# verified: by TLS, and the certificate is that of the host that was asked, by the CA of DB_TLS_CA.
TLS_MODES = ("required", "verified", "off")


class SettingsError(Exception):
    """The environment lacks a value, or holds one that is not allowed."""


class DatabaseError(Exception):
    """The database did not answer as it should.

    cause: dotted and stable, e.g. ``database.unreachable``. subject: the host that was asked.
    detail: what the server or the network said: for the log alone, since it names accounts, addresses and tables.
    """

    def __init__(self, cause: str, subject: str, detail: str) -> None:
        super().__init__(f"{subject}: {detail}")
        self.cause = cause
        self.subject = subject
        self.detail = detail

    def as_dict(self) -> dict[str, str]:
        """Return the error as the apps answer it, in words of their own."""
        return {"cause": self.cause, "subject": self.subject, "detail": self.words}

    @property
    def words(self) -> str:
        """What whoever asked may know."""
        return WORDS.get(self.cause, WORDS["database.error"])


WORDS: Mapping[str, str] = MappingProxyType(
    {
        "database.unreachable": "No connection could be made.",
        "database.connection_lost": "The connection ended before the answer came.",
        "database.tls_failed": "No encrypted connection could be made.",
        "database.access_denied": "The application's account was not let in.",
        "database.data_missing": "The tables of the application are not there.",
        "database.too_many_connections": "The server has as many connections as it takes.",
        "database.read_only": "The server takes no writes.",
        "database.too_slow": "The answer took longer than is allowed.",
        "database.error": "The server refused the request; the application's log says why.",
    }
)


@dataclass(frozen=True)
class Settings:
    """Where the database is and who asks. Timeouts are seconds; tls_ca: path of a CA's certificate."""

    user: str
    password: str = field(repr=False)
    write_host: str = "mysql-write"
    read_host: str = "mysql-read"
    port: int = 3306
    name: str = "employees"
    tls: str = "required"
    tls_ca: str = ""
    connect_timeout: int = 3
    # The server ends a SELECT after this, and a wait for a row's lock after that; then the connection is given up.
    statement_timeout: int = 8
    lock_timeout: int = 5
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
    DB_PORT, DB_NAME and DB_TLS (required, verified, off) have defaults; verified needs DB_TLS_CA, a path.
    Raises SettingsError naming the variable.
    """
    tls = environ.get("DB_TLS", Settings.tls)
    if tls not in TLS_MODES:
        raise SettingsError(f"DB_TLS: {tls!r} is not one of {', '.join(TLS_MODES)}")
    if tls == "verified" and not environ.get("DB_TLS_CA"):
        raise SettingsError(
            "DB_TLS_CA is not set: DB_TLS=verified needs the path of the CA's certificate"
        )
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
        tls_ca=environ.get("DB_TLS_CA", Settings.tls_ca),
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


# max_execution_time is over.
QUERY_TIMEOUT = 3024
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
    ER.LOCK_WAIT_TIMEOUT: "database.too_slow",
    QUERY_TIMEOUT: "database.too_slow",
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
        # A server that makes its own certificate has nobody to verify it against: one context for all connections.
        self._unverified = _unverified_tls() if settings.tls == "required" else None

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
        except OSError as error:
            # The CA's certificate cannot be read; PyMySQL makes errors of its own of what the network says.
            raise DatabaseError("database.tls_failed", host, str(error)) from error
        except pymysql.MySQLError as error:
            errno, detail = (*error.args, "")[:2] if error.args else (0, str(error))
            number = errno if isinstance(errno, int) else 0
            raise DatabaseError(cause_of(number), host, f"({errno}) {detail}") from error

    def _connected(self, host: str, autocommit: bool) -> pymysql.Connection[DictCursor]:
        settings = self._settings
        tls = _verified_tls(settings.tls_ca) if settings.tls == "verified" else self._unverified
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
            ssl=tls,
            ssl_disabled=tls is None,
            init_command=f"SET SESSION max_execution_time = {settings.statement_timeout * 1000},"
            f" innodb_lock_wait_timeout = {settings.lock_timeout}",
        )


def _verified_tls(ca: str) -> ssl.SSLContext:
    """Return a context that trusts this CA alone, as its file is now: it may have been renewed. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca)
    return context


def _unverified_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
