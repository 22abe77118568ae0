# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A command in a container: what is said to it goes through the connection, and nowhere else."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import exec as kube_exec
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.tunnel import BINARY, CLOSE

SECRET = "a password of root"


def unmasked(data: bytes) -> bytes:
    """The payload of a client's only frame."""
    size = data[1] & 0x7F
    at = 2 if size < 126 else 4
    mask, body = data[at : at + 4], data[at + 4 :]
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(body))


def served(channel: int, text: str) -> bytes:
    payload = bytes([channel]) + text.encode()
    return bytes([0x80 | BINARY, len(payload)]) + payload


@pytest.mark.parametrize("said", ["", f"x {SECRET}"])
def test_what_is_said_is_in_no_address(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    ours, theirs = socket.socketpair()
    asked: list[str] = []

    def create_websocket(_settings: Any, url: str, _headers: Any) -> Any:
        asked.append(url)
        return SimpleNamespace(sock=ours)

    modules = {
        "kubernetes.stream.ws_client": SimpleNamespace(create_websocket=create_websocket),
        "websocket": SimpleNamespace(WebSocketException=ValueError),
    }
    monkeypatch.setattr(kube_exec, "require", modules.__getitem__)
    cluster: Any = SimpleNamespace(
        name="fake",
        host=lambda: "https://fake",
        headers=dict,
        api_client=SimpleNamespace(configuration=None),
    )
    status = json.dumps({"status": "Success"})
    theirs.sendall(served(kube_exec.OUTPUT, "{}") + served(kube_exec.STATUS, status))
    theirs.sendall(bytes([0x80 | CLOSE, 0]))
    done = kube_exec.run(cluster, "db", "pod", "tools", ["python3"], said=said)
    assert (done.code, done.output) == (0, "{}")
    assert SECRET.split()[-1] not in asked[0]
    assert ("stdin=true" in asked[0]) == bool(said)
    theirs.setblocking(False)
    if said:
        # A line of its own, on the channel of standard input.
        assert unmasked(theirs.recv(1000)) == bytes([kube_exec.INPUT]) + said.encode() + b"\n"
    theirs.close()
