# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a load is: rows, bytes, tables and files, and the transactions that carry them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..progress import duration


@dataclass
class Count:
    """What one table, or one file, took. seconds: of work for it alone."""

    rows: int = 0
    size: int = 0
    seconds: float = 0.0
    method: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """The primary's gtid_executed when so many rows were committed."""

    gtid_executed: str
    rows: int


class LoadProgress:
    """Figures of a running load; the load writes them, others read them from their threads.

    size: bytes of the whole dump.
    """

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = size
        self.done = 0
        self.phase = ""
        self.tables: dict[str, Count] = {}
        self.files: dict[str, Count] = {}
        self.checkpoints: list[Checkpoint] = []
        self._clock = clock
        self._started = clock()
        self._finished = 0.0
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """Rows that the primary has taken."""
        return sum(count.rows for count in self.tables.values())

    @property
    def seconds(self) -> float:
        """Seconds since the load began, until it was finished."""
        return (self._finished or self._clock()) - self._started

    def finish(self) -> None:
        """Stop the clock: the primary has everything."""
        self.done = self.size
        self._finished = self._clock()

    def taken(self, table: str, rows: int, size: int, seconds: float, method: str) -> None:
        """Count rows of a table. method: ``load_data`` or ``insert``."""
        with self._lock:
            count = self.tables.setdefault(table, Count())
            count.rows += rows
            count.size += size
            count.seconds += seconds
            known = {*count.method.split(","), method} - {""}
            count.method = ",".join(sorted(known))
            self.phase = table

    def noted(self, rows: int, gtid_executed: str) -> None:
        """Stand where an earlier load ended."""
        self.tables["noted"] = Count(rows)
        self.checkpoint(gtid_executed)
        self.finish()

    def checkpoint(self, gtid_executed: str) -> None:
        """Remember which transactions carry the rows so far."""
        self.checkpoints.append(Checkpoint(gtid_executed, self.rows))

    def line(self, replicas: str = "") -> str:
        """Return where the load is: what, how far, how fast, how long yet."""
        with self._lock:
            share = min(1.0, self.done / self.size) if self.size else 1.0
            rows = self.rows
        seconds = max(self.seconds, 0.001)
        parts = [self.phase or "schema", f"{rows:,} rows"]
        if not self._finished:
            left = duration(seconds * (1 - share) / share) if share else "unknown"
            parts.append(f"{share:.0%} of {self.size / 1e6:,.1f} MB")
            parts += [f"{rows / seconds:,.0f} rows/s", f"{left} left"]
        return " | ".join(parts) + (f" | arrived: {replicas}" if replicas else "")

    def report(self) -> dict[str, Any]:
        """Return the figures as the module documents them."""
        seconds = self.seconds
        return {
            "rows": self.rows,
            "bytes": self.done,
            "seconds": round(seconds, 3),
            "rows_per_second": round(self.rows / seconds) if seconds else 0,
            "tables": [
                {
                    "table": name,
                    "rows": count.rows,
                    "bytes": count.size,
                    "seconds": round(count.seconds, 3),
                    "method": count.method,
                }
                for name, count in self.tables.items()
            ],
            "files": [
                {"file": name, "bytes": count.size, "seconds": round(count.seconds, 3)}
                for name, count in self.files.items()
            ],
        }
