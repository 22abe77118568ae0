# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why tables are not equal on all instances: pure functions from readings to findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..finding import CollectionError, Finding
from ..mysql.checksum import Reading, Sum
from ..mysql.replication import State
from .catalogue import finding
from .replication import shortened


def need_gtids(states: Sequence[tuple[str, State]], language: str = "en") -> None:
    """Raise CollectionError where one of several instances, by name, has no GTIDs to compare at."""
    found = [
        finding(
            "replication.gtid_off",
            subject=name,
            proof=[f"{name}: @@gtid_mode = {state.gtid_mode}"],
            language=language,
            gtid_mode=state.gtid_mode,
        )
        for name, state in states
        if state.gtid_mode != "ON" and len(states) > 1
    ]
    if found:
        raise CollectionError("Instances cannot be compared at one set of transactions", found)


def explain(readings: Sequence[Reading], language: str = "en") -> list[Finding]:
    """Return what differs from the first reading, instance by instance; empty: nothing does."""
    found: list[Finding] = []
    for reading in readings[1:]:
        found += _differences(readings[0], reading, language)
    return found


def _differences(first: Reading, other: Reading, language: str) -> Iterator[Finding]:
    extra = other.gtids - first.gtids
    if extra:
        yield finding(
            "replication.errant",
            subject=other.name,
            proof=[f"GTID_SUBTRACT({other.name}, {first.name}) = {shortened(extra)}"],
            language=language,
            count=extra.count,
        )
    for table in sorted({*first.sums, *other.sums}):
        here, there = first.sums.get(table), other.sums.get(table)
        if here is not None and there is not None:
            if here != there:
                yield _differs(table, (first.name, here), (other.name, there), language)
            continue
        holder, lacking = (first, other) if here is not None else (other, first)
        yield finding(
            "mysql.table_missing",
            subject=holder.name,
            proof=[f"information_schema.tables of {lacking.name} has no {table}"],
            language=language,
            table=table,
            other=lacking.name,
        )


def _differs(table: str, here: tuple[str, Sum], there: tuple[str, Sum], language: str) -> Finding:
    proof = [f"{name}: {each.rows} rows, checksum {each.checksum}" for name, each in (here, there)]
    if here[1].definition != there[1].definition:
        proof += [f"{name}: columns {each.definition}" for name, each in (here, there)]
    return finding(
        "mysql.checksum_differs",
        subject=here[0],
        proof=proof,
        language=language,
        table=table,
        other=there[0],
    )
