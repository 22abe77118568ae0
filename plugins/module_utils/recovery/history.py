# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of the histories in an archive is the present one. Pure.

What an earlier recovery or a failover left behind lies in the archive too, and is never mixed into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from ..binlog.archive import Archive, Binlog
from ..mysql.gtid import GtidSet


@dataclass(frozen=True)
class History:
    """The present history of an archive.

    gtids: every transaction of it. seed: what the databases began with and no log tells of.
    server_uuid: whose newest binary log ends it, empty where a base does. chosen_by: what made it the
    present one (``only``: no other is there). left_behind: what the archive holds of others.
    """

    gtids: GtidSet
    seed: GtidSet
    server_uuid: str = ""
    chosen_by: str = "only"
    left_behind: GtidSet = field(default_factory=GtidSet)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a module returns it, without all that belongs to it."""
        return {
            "server_uuid": self.server_uuid,
            "chosen_by": self.chosen_by,
            "left_behind": str(self.left_behind),
        }


def present_history(archive: Archive) -> History:
    """Return the history that the newest binary log, else the newest base, continues.

    Where several histories part, it is that of the server whose logs the archiver fetches. Only
    where none is known does the last commit decide: clocks of two servers may differ.
    """
    told = reduce(or_, (log.after for log in archive.binlogs), GtidSet())
    seed = reduce(or_, (base.gtid_executed for base in archive.bases), GtidSet()) - told
    ends = _ends(archive)
    if not ends:
        newest = archive.bases[-1].gtid_executed if archive.bases else GtidSet()
        return History(newest | seed, seed)
    chosen_by = "only"
    if len(ends) > 1:
        followed = [log for log in ends if log.server_uuid == archive.followed]
        chosen_by = "archiver" if followed else "last_commit"
        ends = followed or ends
    last = max(ends, key=lambda log: (log.last_commit or 0, log.order))
    return History(last.after | seed, seed, last.server_uuid, chosen_by, told - last.after)


def _ends(archive: Archive) -> list[Binlog]:
    """Return the newest log of each server, but those of which another one has all."""
    newest = {log.server_uuid: log for log in archive.binlogs if log.last_commit is not None}
    found: list[Binlog] = []
    for log in sorted(newest.values(), key=lambda one: (one.after.count, one.order), reverse=True):
        if not any(log.after in other.after for other in found):
            found.append(log)
    return found
