# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the applier is to stop: START REPLICA UNTIL, and whether it is there already. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..finding import CollectionError
from .connection import Version
from .dialect import option
from .gtid import GtidSet, Origin
from .replication import Channel, State

Kind = Literal["gtid_before", "gtid_after", "position"]

CONDITIONS: Mapping[Kind, str] = {
    "gtid_before": "SQL_BEFORE_GTIDS",
    "gtid_after": "SQL_AFTER_GTIDS",
    "position": "Source",
}


@dataclass(frozen=True)
class Until:
    """Before the first, or after the last of some GTIDs, or at a position (bytes) of the source."""

    kind: Kind
    gtids: GtidSet = GtidSet()
    log_file: str = ""
    log_pos: int = 0

    def clause(self, version: Version) -> tuple[str, tuple[Any, ...], str]:
        """Return what follows START REPLICA: for the server, its parameters, and as shown."""
        if self.kind == "position":
            file, pos = (option(f"SOURCE_LOG_{part}", version) for part in ("FILE", "POS"))
            shown = f"UNTIL {file} = '{self.log_file}', {pos} = {self.log_pos}"
            return f"UNTIL {file} = %s, {pos} = %s", (self.log_file, self.log_pos), shown
        condition = CONDITIONS[self.kind]
        shown = f"UNTIL {condition} = '{self.gtids}'"
        return f"UNTIL {condition} = %s", (str(self.gtids),), shown

    def reached(self, state: State, channel: Channel) -> bool:
        """Whether the applier has come to the place, wherever it is now."""
        executed = GtidSet.parse(state.gtid_executed)
        if self.kind == "gtid_after":
            return self.gtids in executed
        if self.kind == "gtid_before":
            known = executed | GtidSet.parse(channel.retrieved)
            arrived = bool(self.gtids & known)
            return arrived and not _earlier(self.gtids, known) - executed
        place = (_number(self.log_file), self.log_pos)
        return (_number(channel.applied_log_file), channel.applied_log_pos or 0) >= place

    def passed(self, state: State) -> GtidSet:
        """Return which of the GTIDs that were to be left out are executed already."""
        if self.kind != "gtid_before":
            return GtidSet()
        return self.gtids & GtidSet.parse(state.gtid_executed)

    def held_by(self, channel: Channel) -> bool:
        """Whether a running applier is known to stop at this very place."""
        if self.kind != "position":
            # The server says that there are GTIDs, not which.
            return False
        held = (channel.until_condition, channel.until_log_file, channel.until_log_pos)
        return held == (CONDITIONS["position"], self.log_file, self.log_pos)

    def missing(self, state: State, channel: Channel) -> str:
        """Return what is still to be applied: GTIDs, or the position that is to be reached."""
        executed = GtidSet.parse(state.gtid_executed)
        if self.kind == "gtid_after":
            return str(self.gtids - executed)
        if self.kind == "gtid_before":
            return str(_earlier(self.gtids, GtidSet.parse(channel.retrieved)) - executed)
        return f"{self.log_file}:{self.log_pos}"


def until_of(given: Mapping[str, Any] | None) -> Until | None:
    """Return the option ``until`` read; None without it. Raises CollectionError."""
    if given is None:
        return None
    for kind in ("gtid_before", "gtid_after"):
        text = given.get(kind)
        if text is not None:
            gtids = GtidSet.parse(text)
            if not gtids:
                raise CollectionError(f"until.{kind}: the set is empty; give at least one GTID")
            return Until("gtid_before" if kind == "gtid_before" else "gtid_after", gtids)
    file, pos = given.get("source_log_file"), given.get("source_log_pos")
    return Until("position", log_file=str(file), log_pos=int(pos or 0))


def _earlier(named: GtidSet, known: GtidSet) -> GtidSet:
    """Return the known GTIDs of the same origins that come before the first one named."""
    first: dict[Origin, int] = {}
    for origin, (low, _high) in named.intervals():
        first.setdefault(origin, low)
    return GtidSet.of(
        (origin, (low, min(high, first[origin] - 1)))
        for origin, (low, high) in known.intervals()
        if origin in first
    )


def _number(log_file: str) -> int:
    """Return the number that a binary log's name ends in, 0 where there is none."""
    match = re.search(r"\.(\d+)$", log_file)
    return int(match[1]) if match else 0
