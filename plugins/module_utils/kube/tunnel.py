# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries the bytes of one port-forward between a local socket and the API server's WebSocket.

The kubernetes client has a carrier of its own. It waits for the socket while TLS already holds
what came with the handshake's answer, so that a login hangs until the server gives up (seen under
load: one in fifty), and it copies all that is not yet read with each read. This one reads first,
never blocks, and holds a bounded amount.
"""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import threading
from collections import deque

HIGH_WATER = 4 * 2**20
CHUNK = 256 * 2**10
DATA, ERROR = 0, 1
CONTINUATION, BINARY, CLOSE, PING = 0x0, 0x2, 0x8, 0x9
PONG = 0xA
PORT_ANNOUNCEMENT = 2
AGAIN = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a WebSocket frame as a client sends it: final and masked (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 2**16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    pattern = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return bytes([0x80 | opcode]) + length + mask + masked.to_bytes(size, "big")


class Frames:
    """Takes the bytes that a server sends and gives its frames: (opcode, payload)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the frames that are complete now."""
        self._buffer += data
        found: list[tuple[int, bytes]] = []
        begin = 0
        while (header := self._header(begin)) is not None:
            start, size = header
            if len(self._buffer) < start + size:
                break
            first = self._buffer[begin]
            payload = bytes(self._buffer[start : start + size])
            found.append((first & 0x0F, payload))
            begin = start + size
        del self._buffer[:begin]
        return found

    def _header(self, begin: int) -> tuple[int, int] | None:
        """Return where a frame's payload begins and its size, None where that is not known yet."""
        left = len(self._buffer) - begin
        if left < 2:
            return None
        size = self._buffer[begin + 1] & 0x7F
        extra = {126: 2, 127: 8}.get(size, 0)
        if left < 2 + extra:
            return None
        start = begin + 2 + extra
        if extra:
            size = int.from_bytes(self._buffer[begin + 2 : start], "big")
        return start, size


class Tunnel:
    """One forwarded port. near: the socket that the caller reads and writes.

    error: what the kubelet said of the far end, or the network of the road to it; empty while
    all is well. It is set before the near socket ends.
    """

    def __init__(self, remote: socket.socket, name: str) -> None:
        self.near, self._local = socket.socketpair()
        self.error = ""
        self._remote = remote
        self._frames = Frames()
        self._announced: set[int] = set()
        self._channel = DATA
        self._to_local: deque[memoryview] = deque()
        self._to_remote: deque[memoryview] = deque()
        self._local_open = self._remote_open = True
        remote.setblocking(False)
        self._local.setblocking(False)
        self._thread = threading.Thread(
            target=self._carry, name=f"port forward {name}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Close the near socket; the thread ends with it."""
        self.near.close()

    def _carry(self) -> None:
        """Move bytes until one side has ended and what it had sent has arrived."""
        with selectors.DefaultSelector() as selector:
            try:
                # Before the first wait: the far end may have spoken in the same TLS record as
                # the handshake's answer, and then no selector ever tells of it.
                self._bring_in()
                while self._unfinished():
                    self._wait(selector)
                    self._read_local()
                    self._write(self._remote, self._to_remote)
                    self._bring_in()
            except OSError as error:
                self.error = self.error or str(error)
            finally:
                self._local.close()
                self._remote.close()

    def _unfinished(self) -> bool:
        if self._local_open and self._remote_open:
            return True
        return bool(self._to_remote if not self._local_open else self._to_local)

    def _wait(self, selector: selectors.BaseSelector) -> None:
        """Sleep until a side can take or give something."""
        self._watch(
            selector,
            self._local,
            self._local_open and _size(self._to_remote) < HIGH_WATER,
            bool(self._to_local),
        )
        self._watch(
            selector,
            self._remote,
            self._remote_open and _size(self._to_local) < HIGH_WATER,
            bool(self._to_remote),
        )
        selector.select()

    @staticmethod
    def _watch(
        selector: selectors.BaseSelector, sock: socket.socket, read: bool, write: bool
    ) -> None:
        wanted = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        known = selector.get_map().get(sock.fileno())
        if known is None and wanted:
            selector.register(sock, wanted)
        elif known is not None and not wanted:
            selector.unregister(sock)
        elif known is not None and known.events != wanted:
            selector.modify(sock, wanted)

    def _read_local(self) -> None:
        if not self._local_open or _size(self._to_remote) >= HIGH_WATER:
            return
        try:
            data = self._local.recv(CHUNK)
        except BlockingIOError:
            return
        if data:
            self._send(BINARY, bytes([DATA]) + data)
        else:
            self._local_open = False
            self._send(CLOSE, b"")

    def _bring_in(self) -> None:
        """Move what the API server has for us, all of it or as much as the near side takes.

        TLS may hold bytes of which the selector knows nothing: to stop for want of room alone
        and then wait would be to wait for ever.
        """
        while True:
            more = self._read_remote()
            self._write(self._local, self._to_local)
            if not more or _size(self._to_local) >= HIGH_WATER:
                return

    def _read_remote(self) -> bool:
        """Read until there is no more, or no room: then it returns True."""
        while self._remote_open and _size(self._to_local) < HIGH_WATER:
            try:
                data = self._remote.recv(CHUNK)
            except AGAIN:
                return False
            self._remote_open = bool(data)
            for opcode, payload in self._frames.feed(data):
                self._take(opcode, payload)
        return self._remote_open

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            self._remote_open = False
        elif opcode == BINARY and payload:
            self._channel = payload[0]
            self._message(payload[1:])
        elif opcode == CONTINUATION:
            self._message(payload)

    def _message(self, data: bytes) -> None:
        """Take what came on the current channel; its first message tells the port again."""
        if self._channel not in self._announced:
            self._announced.add(self._channel)
            data = data[PORT_ANNOUNCEMENT:]
        if not data:
            return
        if self._channel == DATA:
            self._to_local.append(memoryview(data))
        elif self._channel == ERROR:
            self.error += data.decode(errors="replace")
            self._remote_open = False

    def _send(self, opcode: int, payload: bytes) -> None:
        self._to_remote.append(memoryview(frame(opcode, payload)))

    @staticmethod
    def _write(sock: socket.socket, waiting: deque[memoryview]) -> None:
        """Write what the socket takes. A rest is offered again as it was: TLS asks for that."""
        while waiting:
            try:
                sent = sock.send(waiting[0])
            except AGAIN:
                return
            if sent == len(waiting[0]):
                waiting.popleft()
            else:
                waiting[0] = waiting[0][sent:]


def _size(waiting: deque[memoryview]) -> int:
    return sum(len(one) for one in waiting)
