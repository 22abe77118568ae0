# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partialmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class App:
    """An app on loopback that answers what a test tells it to."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    turns: list[str] = field(default_factory=lambda: ["uuid-11", "uuid-12"])
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    peers: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, host: str, peer: int) -> tuple[int, Any]:
        with self.lock:
            self.seen.append((method, path, host))
            self.peers.append(peer)
            if path in self.answers:
                return self.answers[path]
            if method == "POST":
                return 200, {"server_uuid": "uuid-1"}
            self.turns.append(self.turns.pop(0))
            return 200, {"server_uuid": self.turns[0]}


@pytest.fixture
def app() -> Iterator[App]:
    app = App()

    class Replier(BaseHTTPRequestHandler):
        def reply(self, method: str) -> None:
            host = self.headers["Host"]
            status, body = app.answer(method, self.path, host, self.client_address[1])
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    methods = {f"do_{method}": partialmethod(Replier.reply, method) for method in ("GET", "POST")}
    handler = type("Handler", (Replier,), methods)

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), handler)
    app.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()
