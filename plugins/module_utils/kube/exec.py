# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A command in a container, through the API server, in this process: its output, errors and end.

The command is an argument of a process and part of a URL that API servers log: no secret in it. What
is said to it goes through the connection alone.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..third_party import require
from . import kinds
from .client import Cluster, KubeError
from .portforward import PROTOCOL, handshake
from .tunnel import BINARY, CHUNK, CLOSE, CONTINUATION, PING, PONG, Frames, frame

INPUT, OUTPUT, ERRORS, STATUS = 0, 1, 2, 3


@dataclass(frozen=True)
class Done:
    """How a command ended. code: what it returned, -1 where it never ran. errors: what it said."""

    code: int
    output: str
    errors: str


class Collector:
    """Takes the frames of one command and gathers its channels; pure but for what it is fed."""

    def __init__(self, told: Callable[[str], None] | None = None) -> None:
        self.open = True
        self._told = told
        self._lines = 0
        self._channel = STATUS
        self._found: dict[int, bytearray] = {}

    def take(self, opcode: int, payload: bytes) -> None:
        """Take a frame. A continued message stays on the channel that it began on."""
        if opcode == CLOSE:
            self.open = False
        elif opcode == BINARY and payload:
            self._channel = payload[0]
            self._found.setdefault(self._channel, bytearray()).extend(payload[1:])
        elif opcode == CONTINUATION:
            self._found.setdefault(self._channel, bytearray()).extend(payload)

        if self._told is not None and self._channel == ERRORS:
            lines = self._text(ERRORS).split("\n")[:-1]
            for line in lines[self._lines :]:
                self._told(line)
            self._lines = len(lines)

    def done(self) -> Done:
        """Return what came."""
        code, reason = _status(self._text(STATUS))
        return Done(code, self._text(OUTPUT), self._text(ERRORS) or reason)

    def _text(self, channel: int) -> str:
        return bytes(self._found.get(channel, b"")).decode(errors="replace")


def _status(text: str) -> tuple[int, str]:
    """Return the exit code and the reason that the API server gives in the last message."""
    try:
        status: dict[str, Any] = json.loads(text)
    except ValueError:
        return -1, text or "the connection ended before the command did"
    if status.get("status") == "Success":
        return 0, ""
    for cause in (status.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdigit():
            return int(cause["message"]), str(status.get("message") or "")
    return -1, str(status.get("message") or text)


def run(
    cluster: Cluster,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    timeout: float = 120.0,
    told: Callable[[str], None] | None = None,
    said: str = "",
) -> Done:
    """Run a command in a container that runs. Raises KubeError.

    timeout: seconds without a byte. told: gets each line of its errors when it comes. said: a line
    that it reads from its standard input, which does not end.
    """
    path = kinds.of("Pod").path(namespace, pod) + "/exec"
    query = [("container", container), ("stdout", "true"), ("stderr", "true")]
    query += [("stdin", "true")] if said else []
    query += [("command", word) for word in command]
    ws_client = require("kubernetes.stream.ws_client")
    failures = require("websocket")
    scheme = "ws" if cluster.host().startswith("http://") else "wss"
    url = f"{scheme}://{cluster.host().split('://', maxsplit=1)[1]}{path}?{urlencode(query)}"
    headers = {**cluster.headers(), "sec-websocket-protocol": PROTOCOL}
    operation = f"run {command[0]} in {namespace}/{pod}"
    try:
        opened = ws_client.create_websocket(cluster.api_client.configuration, url, headers)
    except (failures.WebSocketException, OSError) as error:
        raise KubeError(cluster.name, operation, *handshake(str(error))) from error
    try:
        if said:
            line = said.replace("\n", " ") + "\n"
            opened.sock.sendall(frame(BINARY, bytes([INPUT]) + line.encode()))
        return _collect(opened.sock, timeout, told)
    except OSError as error:
        raise KubeError(cluster.name, operation, 0, str(error)) from error
    finally:
        opened.sock.close()


def _collect(sock: Any, timeout: float, told: Callable[[str], None] | None) -> Done:
    """Read until the other side closes."""
    frames, collector = Frames(), Collector(told)
    sock.settimeout(timeout)
    while collector.open:
        try:
            data = sock.recv(CHUNK)
        except ssl.SSLEOFError:
            break
        if not data:
            break
        for opcode, payload in frames.feed(data):
            if opcode == PING:
                sock.sendall(frame(PONG, payload))
            collector.take(opcode, payload)
    return collector.done()
