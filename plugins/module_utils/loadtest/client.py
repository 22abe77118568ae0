# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs on the client host: requests over HTTP, one TCP connection each.

This file is sent as it is to ``python3 -`` on a host that has nothing but Python 3.9's standard
library, so it imports nothing of the collection. Its one argument is a job as JSON; progress goes
to stderr as lines, the figures go to stdout as one JSON object.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import sys
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

Job = dict[str, Any]
Answer = dict[str, Any]

PROGRESS_EVERY = 2.0
POLL = 0.5
BODY_LIMIT = 65536


class RefusedError(Exception):
    """The job asks for what this program does not do."""


class Target:
    """Where requests go: looked up once, so that every request meets the same address."""

    def __init__(self, job: Job) -> None:
        url = urlsplit(job["url"])
        if url.scheme != "http" or not url.hostname:
            raise RefusedError(f"url: {job['url']!r} is not http://HOST[:PORT]")
        self.port = url.port or 80
        self.address = _address(url.hostname, self.port)
        self.host = job.get("host_header") or url.netloc
        self.timeout = float(job["request_timeout"])
        if not job.get("allow_public") and not _is_private(self.address):
            raise RefusedError(
                f"url: {url.hostname} is {self.address}, which is not a private address"
            )

    def ask(self, method: str, path: str) -> Answer:
        """Send one request over a new connection; return status, body, ms, or the error's kind."""
        started = time.monotonic()
        connection = http.client.HTTPConnection(self.address, self.port, timeout=self.timeout)
        try:
            headers = {"Host": self.host, "Connection": "close", "Accept": "*/*"}
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            body = response.read(BODY_LIMIT)
            answer = {
                "status": response.status,
                "type": response.headers.get("Content-Type", ""),
                "location": response.headers.get("Location", ""),
                "body": body.decode("utf-8", "replace"),
            }
        except (OSError, http.client.HTTPException) as error:
            answer = {"status": 0, "error": kind_of(error), "detail": str(error)}
        finally:
            connection.close()
        answer["ms"] = (time.monotonic() - started) * 1000
        return answer


def _address(host: str, port: int) -> str:
    try:
        return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise RefusedError(f"url: the name {host} is not known there ({error})") from error


def _is_private(address: str) -> bool:
    return ipaddress.ip_address(address.split("%")[0]).is_private


def kind_of(error: Exception) -> str:
    """Return an error of the connection as one word."""
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return "connection_lost"
    if isinstance(error, OSError):
        return "unreachable"
    return "not_http"


def schedule(reads: int, writes: int) -> list[str]:
    """Return the kinds of all requests in order, the writes spread evenly among the reads."""
    total = reads + writes
    marks = [
        (position + 1) * writes // total - position * writes // total for position in range(total)
    ]
    return ["write" if mark else "read" for mark in marks]


def error_of(answer: Answer) -> str | None:
    """Return why an answer does not count, None where it does."""
    if not answer["status"]:
        return str(answer["error"])
    body = parsed(answer)
    if answer["status"] != 200:
        error = body.get("error")
        cause = error.get("cause") if isinstance(error, dict) else None
        return f"http_{answer['status']}" + (f" {cause}" if cause else "")
    return None if isinstance(body.get("server_uuid"), str) else "no_server_uuid"


def parsed(answer: Answer) -> dict[str, Any]:
    """Return the body as a JSON object, empty where it is none."""
    try:
        body = json.loads(answer.get("body", ""))
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def percentile(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile of sorted values, 0 of none."""
    if not ordered:
        return 0.0
    rank = max(0, -(-len(ordered) * share // 1))
    return ordered[min(len(ordered), max(1, int(rank))) - 1]


def latencies(values: list[float]) -> dict[str, float]:
    """Return the percentiles of latencies, in the unit they come in."""
    ordered = sorted(values)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(ordered, share), 2) for name, share in shares.items()}


class Tally:
    """What the workers have seen so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done = 0
        self.ms: dict[str, list[float]] = {"read": [], "write": []}
        self.servers: dict[str, Counter[str]] = {"read": Counter(), "write": Counter()}
        self.errors: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, kind: str, answer: Answer) -> None:
        """Count one answer."""
        error = error_of(answer)
        body = parsed(answer)
        with self._lock:
            self.done += 1
            if error is not None:
                self.errors[error] += 1
                said = answer.get("detail") or answer.get("body") or ""
                self.examples.setdefault(error, str(said)[:300])
                return
            self.ms[kind].append(answer["ms"])
            self.servers[kind][body["server_uuid"]] += 1

    def snapshot(self) -> tuple[int, int]:
        """Return how many requests are done, and how many of them failed."""
        with self._lock:
            return self.done, sum(self.errors.values())


class Load:
    """A bounded load: so many requests, so many at once, so many seconds at most."""

    def __init__(self, job: Job, target: Target) -> None:
        self._job = job
        self._target = target
        self._paths = {"read": ("GET", job["read_path"]), "write": ("POST", job["write_path"])}
        self._work = iter(schedule(job["reads"], job["writes"]))
        self._lock = threading.Lock()
        self._deadline = time.monotonic() + float(job["max_seconds"])
        self._total = job["reads"] + job["writes"]
        self.tally = Tally()

    def run(self) -> dict[str, Any]:
        """Send everything, or as much as fits in the time, and return the figures."""
        started = time.monotonic()
        workers = [
            threading.Thread(target=self._worker, daemon=True)
            for _unused in range(self._job["concurrency"])
        ]
        for worker in workers:
            worker.start()
        shown = started
        for worker in workers:
            while worker.is_alive():
                worker.join(0.1)
                if time.monotonic() - shown >= PROGRESS_EVERY:
                    shown = time.monotonic()
                    self._show(shown - started)
        seconds = time.monotonic() - started
        self._show(seconds)
        return self._figures(seconds)

    def _next(self) -> str | None:
        with self._lock:
            return next(self._work, None) if time.monotonic() < self._deadline else None

    def _worker(self) -> None:
        while True:
            kind = self._next()
            if kind is None:
                return
            self.tally.add(kind, self._target.ask(*self._paths[kind]))

    def _show(self, seconds: float) -> None:
        done, failed = self.tally.snapshot()
        rate = done / seconds if seconds else 0.0
        left = (self._total - done) / rate if rate else 0.0
        tell(f"{done} of {self._total} requests, {rate:.0f}/s, {failed} failed, {left:.0f} s left")

    def _figures(self, seconds: float) -> dict[str, Any]:
        tally = self.tally
        return {
            "address": self._target.address,
            "seconds": round(seconds, 3),
            "requests": tally.done,
            "requests_per_second": round(tally.done / seconds, 1) if seconds else 0.0,
            "reads": dict(tally.servers["read"]),
            "writes": dict(tally.servers["write"]),
            "errors": dict(tally.errors),
            "error_examples": tally.examples,
            "latency_ms": {kind: latencies(values) for kind, values in tally.ms.items()},
        }


def check_paths(job: Job, target: Target) -> dict[str, Any]:
    """Ask for each path until it answers as wanted, or the time is over; return the last answers."""
    deadline = time.monotonic() + float(job["wait"])
    results = []
    for wanted in job["paths"]:
        answer = target.ask("GET", wanted["path"])
        while not fits(wanted, answer) and time.monotonic() < deadline:
            tell(f"{wanted['path']}: {answer['status'] or answer['error']}, waiting")
            # An ingress controller takes up a new rule at its own pace, and tells nobody.
            time.sleep(POLL)
            answer = target.ask("GET", wanted["path"])
        tell(f"{wanted['path']}: {answer['status'] or answer['error']}")
        results.append({**answer, "path": wanted["path"], "ok": fits(wanted, answer)})
    return {"address": target.address, "paths": results}


def fits(wanted: dict[str, Any], answer: Answer) -> bool:
    """Whether an answer has the status and the words that are wanted."""
    return answer["status"] == wanted["status"] and wanted["contains"] in answer.get("body", "")


def tell(line: str) -> None:
    """Show a line of progress."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main(argument: str) -> int:
    """Do the job and print its figures; 2 where the job is refused."""
    job = json.loads(argument)
    try:
        target = Target(job)
    except RefusedError as error:
        sys.stdout.write(json.dumps({"refused": str(error)}))
        return 2
    result = check_paths(job, target) if job["do"] == "paths" else Load(job, target).run()
    sys.stdout.write(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
