# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/benchmarks.md, a section for each benchmark, and the machine that its figures are of."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def machine() -> str:
    """Cores, memory and system: what a reader compares with, and nothing that names the machine."""
    match = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    memory = int(match[1]) / 1024**2 if match else 0
    release = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {release}"


def measured(command: str, load: float) -> str:
    """When, by what, where, and how busy that machine was before: said with every figure."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"Measured on {today} by `{command}`: {machine()}; load average before {load:.1f}."


def ratios(
    rounds: Mapping[int, Sequence[Mapping[str, float]]], runs: Mapping[str, str], places: int
) -> list[str]:
    """Return a row of a table for each run: the medians (seconds) of few and of many, and their ratio.

    rounds: the seconds of each run, by how many there were, for two counts. runs: their names.
    """
    few, many = sorted(rounds)
    lines = []
    for key, name in runs.items():
        less, more = (statistics.median(one[key] for one in rounds[count]) for count in (few, many))
        lines.append(f"| {name} | {less:.{places}f} | {more:.{places}f} | {more / less:.2f} |")
    return lines


def with_section(page: str, heading: str, body: str) -> str:
    """Return the page with a section of that heading put in place of its namesake, or at the end."""
    section = f"## {heading}\n\n{body.strip()}\n"
    parts = re.split(r"(?m)^(?=## )", page)
    for number, part in enumerate(parts):
        if part.startswith(f"## {heading}\n"):
            last = number == len(parts) - 1
            parts[number] = section if last else f"{section}\n"
            return "".join(parts)
    return f"{page.rstrip()}\n\n{section}"


def write(heading: str, body: str) -> None:
    """Put a section into docs/benchmarks.md."""
    PAGE.write_text(with_section(PAGE.read_text(), heading, body))
