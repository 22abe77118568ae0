# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roads to a server: a Unix socket, however it is named, and TCP."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import (
    LONGEST_SOCKET,
    MysqlError,
    connect_tcp,
    connect_unix,
)


@pytest.mark.parametrize("length", [20, 200])
def test_a_socket_is_reached_however_long_its_path_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """A scratch folder lies where somebody has room, and not where names are short."""
    folder = tmp_path / ("x" * length)
    folder.mkdir()
    path = folder / "mysqld.sock"
    assert (len(str(path)) > LONGEST_SOCKET) is (length == 200)
    with socket.socket(socket.AF_UNIX) as listening:
        with monkeypatch.context() as there:
            there.chdir(folder)
            listening.bind(path.name)
        listening.listen()
        answered: list[bool] = []

        def answer() -> None:
            with listening.accept()[0]:
                answered.append(True)

        server = threading.Thread(target=answer)
        server.start()
        # It hangs up before it has said who it is.
        with pytest.raises(MysqlError) as error:
            connect_unix(str(path), user="root", connect_timeout=5)
        server.join()
    assert answered == [True]
    assert error.value.errno != 2002


@pytest.mark.parametrize("length", [20, 200])
def test_a_socket_that_is_not_there_is_unreachable(tmp_path: Path, length: int) -> None:
    for folder in (tmp_path, tmp_path / ("x" * length)):
        with pytest.raises(MysqlError) as error:
            connect_unix(str(folder / f"{length * 'y'}.sock"), user="root")
        assert error.value.errno == 2002


def test_a_session_by_tcp_reads_no_authorities_that_it_does_not_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To read those of the machine takes longer than all that a module then does in the session."""

    def read(*_options: object) -> None:
        raise AssertionError("the authorities of the machine were read")

    def hang_up(listening: socket.socket) -> None:
        session, _address = listening.accept()
        session.close()

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", read)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=hang_up, args=(listening,))
        server.start()
        with pytest.raises(MysqlError) as error:
            connect_tcp("127.0.0.1", listening.getsockname()[1], user="root", connect_timeout=5)
        server.join()
    assert error.value.lost
