# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which change of version a data directory survives in place: pure, over the manual's rules.

MySQL upgrades a data directory within a series, from one LTS series to the next, and from an LTS or
innovation series to any innovation release before the LTS series after the next. It never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .connection import Version

Series = tuple[int, int]
Verdict = Literal["same", "upgrade", "downgrade", "skips_lts"]

# 8.0 was not called so, and is upgraded as one. Of what comes after the last, the server itself decides.
LTS_SERIES: tuple[Series, ...] = ((8, 0), (8, 4), (9, 7))


@dataclass(frozen=True)
class Change:
    """What a change of version is.

    through: the LTS series that an upgrade may not skip, empty for other verdicts.
    """

    verdict: Verdict
    through: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the data directory may be opened by the new version."""
        return self.verdict in ("same", "upgrade")


def change(running: Version, wanted: Version) -> Change:
    """Return what going from one version to another on the same data directory is."""
    if wanted == running:
        return Change("same")
    if wanted < running:
        return Change("downgrade")
    ahead = [series for series in LTS_SERIES if series > running[:2]]
    if ahead and wanted[:2] > ahead[0]:
        return Change("skips_lts", ".".join(str(part) for part in ahead[0]))
    return Change("upgrade")
