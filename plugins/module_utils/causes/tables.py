# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why tables are not equal on all instances: pure functions from readings to findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..finding import CollectionError, Finding
from ..mysql.checksum import Reading, differing
from ..mysql.definitions import Difference
from ..mysql.replication import State
from ..mysql.table_sums import Sum
from .catalogue import finding
from .replication import shortened

SHOWN = 10


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
    found = list(_unread(readings, language))
    for reading in readings[1:]:
        found += _differences(readings[0], reading, language)
    for name, differences in differing(readings).items():
        found += explain_definitions(readings[0].name, name, differences, found, language)
    return found


def explain_definitions(
    first: str,
    other: str,
    differences: Sequence[Difference],
    known: Sequence[Finding] = (),
    language: str = "en",
) -> list[Finding]:
    """Return the definitions in which an instance differs from the first one.

    known: findings about tables; what they name is not named again.
    """
    named = {finding.summary for finding in known}
    lines = [
        str(each)
        for each in differences
        if not (
            each.name.startswith("table ")
            and any(each.name.removeprefix("table ") in summary for summary in named)
        )
    ]
    if not lines:
        return []
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return [
        finding(
            "mysql.definitions_differ",
            subject=other,
            proof=[*lines[:SHOWN], *more],
            language=language,
            first=first,
            count=len(lines),
        )
    ]


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
            if not here.equals(there) and not here.unread and not there.unread:
                yield _differs(table, (first.name, here), (other.name, there), language)
            continue
        if here is not None:
            code, holder, lacking = "mysql.table_missing", first, other
        else:
            code, holder, lacking = "mysql.table_extra", other, first
        yield finding(
            code,
            subject=holder.name,
            proof=[f"information_schema.tables of {lacking.name} has no {table}"],
            language=language,
            table=table,
            other=lacking.name,
        )


def _unread(readings: Sequence[Reading], language: str) -> Iterator[Finding]:
    for reading in readings:
        for table, found in reading.sums.items():
            if found.unread:
                yield finding(
                    "mysql.table_unread",
                    subject=reading.name,
                    proof=[found.unread],
                    language=language,
                    table=table,
                )


def need_tables(readings: Sequence[Reading], where: str, language: str = "en") -> list[Finding]:
    """Return a finding where no instance has any table: then nothing was compared. where: in what."""
    if any(reading.sums for reading in readings):
        return []
    proof = [f"information_schema.tables of {reading.name}: no table" for reading in readings]
    return [finding("mysql.nothing_compared", subject=where, proof=proof, language=language)]


def _differs(table: str, here: tuple[str, Sum], there: tuple[str, Sum], language: str) -> Finding:
    proof = [f"{name}: {each.rows} rows, checksum {each.checksum}" for name, each in (here, there)]
    if here[1].lengths != there[1].lengths:
        proof += [f"{name}: where texts end, {each.lengths}" for name, each in (here, there)]
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
