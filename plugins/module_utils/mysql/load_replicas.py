# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows arriving on the replicas, seen while a load runs and waited for at its end, by GTID."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from ..finding import Finding
from .connection import Connection, MysqlError
from .load_error import LoadError
from .load_progress import LoadProgress

POLL = 1.0

APPLIER_ERRORS = (
    "SELECT last_error_number AS errno, last_error_message AS reason"
    " FROM performance_schema.replication_applier_status_by_worker WHERE last_error_number <> 0"
    " UNION ALL SELECT last_error_number, last_error_message"
    " FROM performance_schema.replication_connection_status WHERE last_error_number <> 0"
    " AND service_state = 'OFF'"
)


@dataclass
class Arrival:
    """What one replica has. rows: of the load's, in the transactions that it has executed.

    problem: why it stands still; findings: the causes of that which are known.
    """

    rows: int = 0
    next_checkpoint: int = 0
    complete: bool = False
    problem: str = ""
    gtid_executed: str = ""
    findings: Sequence[Finding] = ()


class Watch:
    """Follows the replicas, one thread each, for as long as its block lasts.

    replicas: open sessions by the instance's name; the threads alone use them, and close them.
    """

    def __init__(self, replicas: Mapping[str, Connection], progress: LoadProgress) -> None:
        self._progress = progress
        self._arrivals = {name: Arrival() for name in replicas}
        self._wanted = ""
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._wake = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=item, name=item[0], daemon=True)
            for item in replicas.items()
        ]

    def describe(self) -> str:
        """Return how many rows each replica has, on one line."""
        return ", ".join(
            f"{name} {arrival.rows:,}" + (f" (stopped: {arrival.problem})" * bool(arrival.problem))
            for name, arrival in self._arrivals.items()
        )

    def wait(self, gtid_executed: str, timeout: float) -> None:
        """Wait until each replica has executed all of that set. timeout: seconds.

        Raises LoadError for the first one that does not, or that has stopped with an error.
        """
        if not self._arrivals:
            return
        deadline = time.monotonic() + timeout
        with self._changed:
            self._wanted = gtid_executed
            self._wake.set()
            while behind := self._behind():
                name, arrival = behind
                left = deadline - time.monotonic()
                if left <= 0 or arrival.problem:
                    raise self._late(name, arrival, timeout)
                self._changed.wait(min(left, POLL))

    def _behind(self) -> tuple[str, Arrival] | None:
        """Return a replica that has not arrived, a stopped one first."""
        late = [item for item in self._arrivals.items() if not item[1].complete]
        late.sort(key=lambda item: not item[1].problem)
        return late[0] if late else None

    def _late(self, name: str, arrival: Arrival, timeout: float) -> LoadError:
        proof = [
            f"{name} has {arrival.rows:,} of {self._progress.rows:,} rows",
            f"{name} executed {arrival.gtid_executed or '(nothing read)'}",
            f"the primary executed {self._wanted}",
        ]
        if arrival.problem:
            return LoadError(
                "load.replica_stopped", name, [arrival.problem, *proof], arrival.findings
            )
        return LoadError("load.replica_behind", name, proof, seconds=round(timeout))

    def _follow(self, name: str, replica: Connection) -> None:
        arrival = self._arrivals[name]
        with replica:
            while not self._over.is_set() and not arrival.complete:
                try:
                    self._look(replica, arrival)
                except MysqlError as error:
                    arrival.problem = f"it does not answer: {error.reason}"
                    arrival.findings = error.findings
                    if error.lost:
                        break
                with self._changed:
                    self._changed.notify_all()
                if not self._wanted:
                    self._wake.wait(POLL)

    def _look(self, replica: Connection, arrival: Arrival) -> None:
        """Read once where a replica is; with a wanted set, wait a moment for it."""
        if self._wanted:
            waited = replica.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)", (self._wanted, 1))
            arrival.complete = waited == 0
        executed = str(replica.value("SELECT @@GLOBAL.gtid_executed")).replace("\n", "")
        arrival.gtid_executed = executed
        points = self._progress.checkpoints
        while arrival.next_checkpoint < len(points):
            point = points[arrival.next_checkpoint]
            if not replica.value("SELECT GTID_SUBSET(%s, %s)", (point.gtid_executed, executed)):
                break
            arrival.rows = point.rows
            arrival.next_checkpoint += 1
        errors = [] if arrival.complete else replica.query(APPLIER_ERRORS)
        arrival.problem = "; ".join(f"{row['reason']} ({row['errno']})" for row in errors)

    def __enter__(self) -> Watch:
        """Begin to follow."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Follow no longer."""
        self._over.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
