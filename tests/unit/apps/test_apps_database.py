# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import socket
from pathlib import Path

import pytest

from apps.common.database import (
    CAUSES,
    WORDS,
    DatabaseError,
    MysqlDatabase,
    Settings,
    SettingsError,
    cause_of,
    settings_from,
)

ACCOUNT = {"DB_USER": "app", "DB_PASSWORD": "hidden-word"}


def test_defaults_are_the_service_names() -> None:
    settings = settings_from(ACCOUNT)
    assert (settings.write_host, settings.read_host) == ("mysql-write", "mysql-read")
    assert (settings.port, settings.name, settings.tls) == (3306, "employees", "required")


def test_the_password_is_never_shown() -> None:
    assert "hidden-word" not in repr(settings_from(ACCOUNT))


def test_the_password_file_wins_and_its_last_newline_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from the file\n")
    settings = settings_from({**ACCOUNT, "DB_PASSWORD_FILE": str(path)})
    assert settings.password == "from the file"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DB_USER": ""}, "DB_USER is not set"),
        ({"DB_PASSWORD": ""}, "Neither DB_PASSWORD nor DB_PASSWORD_FILE"),
        ({"DB_PASSWORD_FILE": "/nowhere/at/all"}, "DB_PASSWORD_FILE: /nowhere/at/all"),
        ({"DB_PORT": "70000"}, "DB_PORT: '70000' is not a port"),
        ({"DB_PORT": "mysql"}, "DB_PORT: 'mysql' is not a port"),
        ({"DB_TLS": "maybe"}, "DB_TLS: 'maybe' is not one of required, verified, off"),
        ({"DB_TLS": "verified"}, "DB_TLS_CA is not set"),
    ],
)
def test_a_wrong_environment_is_named(changed: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_from({**ACCOUNT, **changed})


@pytest.mark.parametrize(
    ("errno", "cause"),
    [
        (2003, "database.unreachable"),
        (2013, "database.connection_lost"),
        (1045, "database.access_denied"),
        (1146, "database.data_missing"),
        (1290, "database.read_only"),
        (3024, "database.too_slow"),
        (1205, "database.too_slow"),
        (2026, "database.tls_failed"),
        (1064, "database.error"),
    ],
)
def test_causes(errno: int, cause: str) -> None:
    assert cause_of(errno) == cause


def test_every_cause_has_words_of_our_own() -> None:
    assert set(CAUSES.values()) | {"database.error"} == set(WORDS)
    error = DatabaseError("database.access_denied", "mysql-read", "(1045) 'app'@'10.0.0.7'")
    assert "10.0.0.7" not in str(error.as_dict())
    assert "10.0.0.7" in str(error)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        database = MysqlDatabase(
            Settings(user="app", password="x", read_host="127.0.0.1", port=port)
        )
        with pytest.raises(DatabaseError) as caught, database.read():
            pass
    assert caught.value.cause == "database.unreachable"
    assert caught.value.subject == "127.0.0.1"
