# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sets of GTIDs, pure: what GTID_SUBTRACT and GTID_SUBSET do, without a server.

Text is MySQL's own: ``uuid:1-5:7,uuid:tag:1-3``; tags (uuid:tag:n) are those of 8.3 and later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..finding import CollectionError

# (uuid, tag); the tag is empty where there is none.
Origin = tuple[str, str]
# First and last number, both included.
Interval = tuple[int, int]

_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_INTERVAL = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
_LARGEST = 2**63 - 2


def _bad(text: str, part: str) -> CollectionError:
    shown = text if len(text) <= 100 else text[:100] + "..."
    return CollectionError(
        f"{shown!r} is not a GTID set: {part!r} is none of uuid:n, uuid:n-m, uuid:tag:n-m"
    )


def _uuid(text: str, token: str) -> str:
    if _UUID.fullmatch(token) is None:
        raise _bad(text, token)
    digits = token.replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _interval(text: str, token: str) -> Interval:
    match = _INTERVAL.fullmatch(token)
    if match is None:
        raise _bad(text, token)
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    if not 1 <= first <= _LARGEST or last > _LARGEST:
        raise _bad(text, token)
    return first, last


def _read_member(text: str, member: str) -> Iterator[tuple[Origin, Interval]]:
    """Yield what one comma-separated member says: uuid[:tag]:interval[:interval]..."""
    head, *tokens = (token.strip() for token in member.split(":"))
    uuid, tag = _uuid(text, head), ""
    wants_interval = True
    for token in tokens:
        if _TAG.fullmatch(token):
            tag, wants_interval = token, True
            continue
        yield (uuid, tag), _interval(text, token)
        wants_interval = False
    if wants_interval:
        raise _bad(text, member)


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return intervals sorted, without overlap, neighbours joined; empty ones are dropped."""
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if last < first:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _without(
    intervals: tuple[Interval, ...], removed: tuple[Interval, ...]
) -> tuple[Interval, ...]:
    """Return what is left of sorted intervals; one walk over both."""
    left: list[Interval] = []
    index = 0
    for first, last in intervals:
        while index < len(removed) and removed[index][1] < first:
            index += 1
        at = index
        while first <= last and at < len(removed) and removed[at][0] <= last:
            if removed[at][0] > first:
                left.append((first, removed[at][0] - 1))
            first = max(first, removed[at][1] + 1)
            at += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def _shown(interval: Interval) -> str:
    first, last = interval
    return str(first) if first == last else f"{first}-{last}"


@dataclass(frozen=True)
class GtidSet:
    """An immutable set of GTIDs. Two equal sets have one form, so ``==`` and ``str`` compare them.

    ``|``, ``-``, ``&`` are union, subtraction and intersection; ``in`` asks for a subset.
    """

    members: tuple[tuple[Origin, tuple[Interval, ...]], ...] = ()

    @classmethod
    def of(cls, intervals: Iterable[tuple[Origin, Interval]]) -> GtidSet:
        """Return the set of these intervals, in any order, overlapping or not."""
        gathered: dict[Origin, list[Interval]] = {}
        for origin, interval in intervals:
            gathered.setdefault(origin, []).append(interval)
        return cls._from({origin: _merged(found) for origin, found in gathered.items()})

    @classmethod
    def parse(cls, text: str) -> GtidSet:
        """Return the set that MySQL writes so, white space and letter case free.

        An interval whose end is below its start is empty, as for the server.
        Raises CollectionError naming the part that is not a GTID.
        """
        found: list[tuple[Origin, Interval]] = []
        for member in text.lower().split(","):
            if member.strip():
                found.extend(_read_member(text, member))
        return cls.of(found)

    @classmethod
    def _from(cls, gathered: Mapping[Origin, tuple[Interval, ...]]) -> GtidSet:
        return cls(tuple((key, gathered[key]) for key in sorted(gathered) if gathered[key]))

    def union(self, other: GtidSet) -> GtidSet:
        """Return the GTIDs that are in either set."""
        return GtidSet.of([*self.intervals(), *other.intervals()])

    def subtract(self, other: GtidSet) -> GtidSet:
        """Return the GTIDs of this set that the other lacks (GTID_SUBTRACT)."""
        removed = dict(other.members)
        return GtidSet._from(
            {origin: _without(found, removed.get(origin, ())) for origin, found in self.members}
        )

    def intersect(self, other: GtidSet) -> GtidSet:
        """Return the GTIDs that are in both sets."""
        return self.subtract(self.subtract(other))

    def contains(self, other: GtidSet) -> bool:
        """Whether every GTID of the other set is in this one (GTID_SUBSET(other, self))."""
        return not other.subtract(self)

    @property
    def count(self) -> int:
        """How many GTIDs there are."""
        return sum(last - first + 1 for _origin, (first, last) in self.intervals())

    @property
    def uuids(self) -> tuple[str, ...]:
        """The servers that made them, sorted, each once."""
        return tuple(sorted({uuid for (uuid, _tag), _found in self.members}))

    def of_uuid(self, uuid: str) -> GtidSet:
        """Return the GTIDs that one server made, all its tags."""
        return GtidSet(tuple(member for member in self.members if member[0][0] == uuid.lower()))

    def intervals(self) -> Iterator[tuple[Origin, Interval]]:
        """Yield each interval with where it comes from, in order."""
        for origin, found in self.members:
            for interval in found:
                yield origin, interval

    def __or__(self, other: GtidSet) -> GtidSet:
        """Return the union."""
        return self.union(other)

    def __sub__(self, other: GtidSet) -> GtidSet:
        """Return the subtraction."""
        return self.subtract(other)

    def __and__(self, other: GtidSet) -> GtidSet:
        """Return the intersection."""
        return self.intersect(other)

    def __contains__(self, other: GtidSet) -> bool:
        """Whether the other is a subset."""
        return self.contains(other)

    def __bool__(self) -> bool:
        """Whether there is any GTID."""
        return bool(self.members)

    def __str__(self) -> str:
        """Return MySQL's text of the set, on one line: tags follow the intervals without one."""
        by_uuid: dict[str, list[str]] = {}
        for (uuid, tag), found in self.members:
            words = by_uuid.setdefault(uuid, [uuid])
            words.extend([tag] if tag else [])
            words.extend(_shown(interval) for interval in found)
        return ",".join(":".join(words) for words in by_uuid.values())
