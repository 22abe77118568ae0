"""The carrier of a port-forward, against a far end that speaks WebSocket over a socket pair."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import tunnel
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.tunnel import Tunnel

PORT = (3306).to_bytes(2, "little")


def served(opcode: int, payload: bytes) -> bytes:
    """A frame as a server sends it: not masked."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, size]) + payload
    if size < 2**16:
        return bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big") + payload
    return bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big") + payload


def data(payload: bytes, channel: int = tunnel.DATA) -> bytes:
    return served(tunnel.BINARY, bytes([channel]) + payload)


class Far:
    """The API server's end."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.frames: list[tuple[int, bytes]] = []

    def say(self, *frames: bytes) -> None:
        self.sock.sendall(b"".join(frames))

    def hear(self) -> tuple[int, bytes]:
        """Return the next frame that the client sent, its mask taken off."""
        head = self._exactly(2)
        assert head[1] & 0x80, "a client has to mask its frames"
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        mask = self._exactly(4)
        masked = self._exactly(size)
        return head[0] & 0x0F, bytes(
            byte ^ mask[place % 4] for place, byte in enumerate(masked)
        ) if size < 1000 else self._unmasked(mask, masked)

    @staticmethod
    def _unmasked(mask: bytes, masked: bytes) -> bytes:
        size = len(masked)
        pattern = (mask * (size // 4 + 1))[:size]
        plain = int.from_bytes(masked, "big") ^ int.from_bytes(pattern, "big")
        return plain.to_bytes(size, "big")

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.sock.recv(size - len(found))
            assert part, "the tunnel has ended"
            found += part
        return found


@pytest.fixture
def ends() -> Iterator[tuple[Tunnel, Far]]:
    near, far = socket.socketpair()
    far.settimeout(20)
    made = Tunnel(near, "test")
    made.near.settimeout(20)
    yield made, Far(far)
    made.close()
    far.close()


def exactly(sock: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = sock.recv(size - len(found))
        assert part
        found += part
    return bytes(found)


def test_bytes_pass_both_ways_without_the_ports_announcement(ends: tuple[Tunnel, Far]) -> None:
    made, far = ends
    far.say(data(PORT), data(PORT, tunnel.ERROR), data(b"greeting"))
    assert made.near.recv(100) == b"greeting"
    made.near.sendall(b"login")
    assert far.hear() == (tunnel.BINARY, b"\x00login")
    assert made.error == ""


def test_what_came_with_the_handshake_is_read_before_anything_is_waited_for() -> None:
    """As TLS may hold it: readable, and no selector says so."""
    held = [data(PORT) + data(PORT, tunnel.ERROR) + data(b"greeting")]

    class Holding(socket.socket):
        def recv(self, *_: object) -> bytes:
            if held:
                return held.pop()
            raise BlockingIOError

    real, far = socket.socketpair()
    made = Tunnel(Holding(fileno=real.detach()), "test")
    made.near.settimeout(20)
    assert made.near.recv(100) == b"greeting"
    made.close()
    far.close()


def test_many_bytes_pass_unharmed_while_both_sides_talk(ends: tuple[Tunnel, Far]) -> None:
    made, far = ends
    sent = bytes(range(256)) * 65536
    up = hashlib.sha256()

    def serve() -> None:
        far.say(data(PORT), data(PORT, tunnel.ERROR))
        for begin in range(0, len(sent), 70000):
            far.say(data(sent[begin : begin + 70000]))
        size = 0
        while size < len(sent):
            payload = far.hear()[1]
            up.update(payload[1:])
            size += len(payload) - 1

    server = threading.Thread(target=serve)
    server.start()
    writer = threading.Thread(target=made.near.sendall, args=(sent,))
    writer.start()
    assert exactly(made.near, len(sent)) == sent
    writer.join(20)
    server.join(20)
    assert up.hexdigest() == hashlib.sha256(sent).hexdigest()


def test_what_the_kubelet_says_is_there_before_the_socket_ends(ends: tuple[Tunnel, Far]) -> None:
    made, far = ends
    said = b"dial tcp4 127.0.0.1:3306: connect: connection refused"
    far.say(data(PORT), data(PORT, tunnel.ERROR), data(said, tunnel.ERROR))
    assert made.near.recv(1) == b""
    assert made.error == said.decode()


def test_what_was_sent_before_the_end_still_arrives(ends: tuple[Tunnel, Far]) -> None:
    made, far = ends
    far.say(data(PORT), data(b"last words"), served(tunnel.CLOSE, b""))
    assert exactly(made.near, 10) == b"last words"
    assert made.near.recv(1) == b""


def test_closing_the_near_end_sends_what_was_written_and_ends_the_thread(
    ends: tuple[Tunnel, Far],
) -> None:
    made, far = ends
    made.near.sendall(b"quit")
    made.near.close()
    assert far.hear() == (tunnel.BINARY, b"\x00quit")
    assert far.hear() == (tunnel.CLOSE, b"")
    made._thread.join(20)
    assert not made._thread.is_alive()


def test_an_api_server_that_is_lost_ends_the_near_socket(ends: tuple[Tunnel, Far]) -> None:
    made, far = ends
    far.sock.close()
    assert made.near.recv(1) == b""


def test_a_ping_is_answered(ends: tuple[Tunnel, Far]) -> None:
    far = ends[1]
    far.say(served(tunnel.PING, b"are you there"))
    assert far.hear() == (tunnel.PONG, b"are you there")


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_frames_are_found_however_the_network_cuts_them(step: int) -> None:
    payloads = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * 65535, b"e" * 65536]
    stream = b"".join(served(tunnel.BINARY, payload) for payload in payloads)
    frames = tunnel.Frames()
    if step == 1:
        stream = stream[: 2 + 3 + 127 + 130]
        payloads = payloads[:4]
    found = []
    for begin in range(0, len(stream), step):
        found += frames.feed(stream[begin : begin + step])
    assert found == [(tunnel.BINARY, payload) for payload in payloads]
