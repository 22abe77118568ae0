# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one error of the lab program that is meant for a person."""

from __future__ import annotations

from collections.abc import Sequence


class LabError(RuntimeError):
    """Says what is wrong, its proof, and one next step."""

    def __init__(self, what: str, proof: Sequence[str] = (), next_step: str = "") -> None:
        lines = [what, *(f"  proof: {line}" for line in proof)]
        if next_step:
            lines.append(f"  next:  {next_step}")
        super().__init__("\n".join(lines))
