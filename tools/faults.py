# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/faults.md, which causes are broken for real: `make causes`. A unit test keeps it in step."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / ".ansible" / "collections"))

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.catalogue import (  # noqa: E402
    TEXTS,
)

PAGE = CHECKOUT / "docs" / "faults.md"
HEAD = """# Causes that are broken for real

For each cause of the [catalogue](causes.md), the tests that break a real server or a real cluster so that it is
named. Those of `faults/` also do what the next step says and see that nothing is wrong any more. A cause that only
unit tests hold is listed as such.

`make test` runs a chosen few of them, `make test-all` all; what breaks a whole cluster does so on a lab of its own
(`LAB=faults`).

This page is written by `make causes` from what the tests name.
"""


def page() -> str:
    """Return the page's text."""
    return "\n".join(_lines(_by_code("faults", "integration"), _by_code("unit"))) + "\n"


def _lines(real: dict[str, list[str]], pure: dict[str, list[str]]) -> Iterator[str]:
    yield HEAD.rstrip()
    yield f"\n{len(real)} of {len(TEXTS)} causes."
    for family, codes in groupby(sorted(TEXTS), key=lambda code: code.split(".", maxsplit=1)[0]):
        listed = list(codes)
        yield f"\n## {family}"
        broken = [code for code in listed if code in real]
        if broken:
            yield "\n| cause | broken by |\n|---|---|"
        for code in broken:
            yield f"| `{code}` | {', '.join(f'`{name}`' for name in real[code])} |"
        bare = [code for code in listed if code not in real]
        yield from _named("By unit tests alone", [code for code in bare if code in pure])
        yield from _named("Named by no test", [code for code in bare if code not in pure])


def _named(words: str, codes: list[str]) -> Iterator[str]:
    if codes:
        yield f"\n{words}: {', '.join(f'`{code}`' for code in codes)}."


def _by_code(*folders: str) -> dict[str, list[str]]:
    """Return the test files that name a cause, by its code; those that also mend it first."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        for path in sorted((CHECKOUT / "tests" / folder).rglob("test_*.py")):
            for code in _strings(path) & TEXTS.keys():
                found.setdefault(code, []).append(f"{folder}/{path.name}")
    return found


def _strings(path: Path) -> set[str]:
    # As a run shows it, a code stands in brackets.
    return {
        node.value.strip("[]")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
