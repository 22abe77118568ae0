# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks for histories that a tool gets wrong::

    python -m tests.differential --rounds 200 --seed 1 --version 9.7 --tool recover-clone-latest

Without --tool each round draws one of all tools. Ends with 1 where a fault was found.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import signal
import sys
import time
from collections.abc import Sequence

from tests.differential.play import Fleet
from tests.differential.search import SMALLER, Search
from tests.differential.tools import tools
from tests.differential.vocabulary import KINDS
from tests.integration.servers import VERSIONS


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", choices=VERSIONS, default="9.7")
    parser.add_argument("--tool", action="append", help="name or pattern, such as 'recover-*'")
    parser.add_argument(
        "--kind", action="append", help="kinds of blocks, all without it", choices=KINDS
    )
    parser.add_argument(
        "--without", action="append", help="kinds of blocks to leave out", default=[]
    )
    parser.add_argument(
        "--smaller", type=int, default=SMALLER, help="rounds to make a history smaller"
    )
    return parser.parse_args(arguments)


def main() -> int:
    asked = parsed()
    known = tools(asked.version)
    chosen = [
        name
        for name in known
        if any(fnmatch.fnmatch(name, pattern) for pattern in asked.tool or ["*"])
    ]
    if not chosen:
        print(f"--tool: none of {', '.join(known)}", file=sys.stderr)
        return 2
    kinds = [kind for kind in asked.kind or KINDS if kind not in asked.without]
    fleet = Fleet(asked.version)

    # Its servers end with it; an exception would be one more failure to Hypothesis.
    def ended(*_: object) -> None:
        fleet.remove()
        os._exit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ended)
    begun = time.monotonic()
    search = Search(fleet, chosen, lambda line: print(line, flush=True), kinds, asked.smaller)
    try:
        faults = search.run(asked.rounds, asked.seed)
    finally:
        fleet.remove()
    seconds = time.monotonic() - begun
    print(f"\n{search.rounds} rounds on {asked.version} in {seconds:.0f} s, seed {asked.seed}")
    for line, count in sorted(search.counts.items()):
        print(f"{count:6} {line}")
    print(f"{len(faults)} faults")
    for fault in faults:
        print(
            f"  round {fault.round}: {fault.tool}: {fault.divergence.signature} ({fault.history.kinds})"
        )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
