# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Service on loopback: each new TCP connection is led to one of its endpoints by chance."""

from __future__ import annotations

import random
import socket
import sys
import threading
from contextlib import suppress


class Service:
    """Listens until it is closed; ``endpoints`` and ``breaks_after`` may be changed while it does.

    breaks_after: bytes of a server's answers after which a connection is cut.
    """

    breaks_after: int | None = None

    def __init__(self, host: str, port: int, endpoints: list[tuple[str, int]]) -> None:
        self.endpoints = endpoints
        self.port = port
        self._listener = socket.create_server((host, port), backlog=256)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # shutdown wakes the thread that accepts; close alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _peer = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if not self.endpoints:
                return
            try:
                server = socket.create_connection(random.choice(self.endpoints))
            except OSError:
                return
            with server:
                ways = (server, client, self.breaks_after)
                back = threading.Thread(target=_copy, args=ways, daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, sink: socket.socket, most: int | None = None) -> None:
    left = sys.maxsize if most is None else most
    with suppress(OSError):
        while left and (data := source.recv(min(65536, left))):
            sink.sendall(data)
            left -= len(data)
    for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            end.shutdown(how)
