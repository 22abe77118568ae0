# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands in the course's pages, and what the pages say that they print.

A block ```console holds commands behind ``$ ``, each followed by what it prints. A line of that is
looked for as it stands, but for the number of its spaces; ``…`` in it stands for anything, and lines
may come between. ```console fails: the last command of the block fails, and is meant to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.runner import CHECKOUT

FOLDER = CHECKOUT / "docs" / "course"
PAGES = (FOLDER / "README.md", FOLDER / "README.ko.md")
_BLOCK = re.compile(r"^```console( fails)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Command:
    """fails: whether it is meant to. prints: lines that it prints, in this order."""

    text: str
    fails: bool = False
    prints: list[str] = field(default_factory=list)

    def missing(self, output: str) -> str:
        """Return the first line that is not there, or not behind the one before it; empty where all are."""
        said = " ".join(output.split())
        at = 0
        for line in self.prints:
            parts = [re.escape(" ".join(part.split())) for part in line.split("…")]
            found = re.compile(r"\s*.*?".join(parts)).search(said, at)
            if found is None:
                return line
            at = found.end()
        return ""


def commands(page: Path) -> list[Command]:
    """Return the commands of a page in their order."""
    found: list[Command] = []
    for fails, block in _BLOCK.findall(page.read_text()):
        begun = len(found)
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:]))
            elif found[-1].text.endswith("\\"):
                found[-1].text += f"\n{line}"
            elif line.strip() not in ("", "…"):
                found[-1].prints.append(line.strip())
        assert len(found) > begun, f"{page.name}: a block without a command"
        found[-1].fails = bool(fails)
    return found
