# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/causes.md from the catalogue: `make causes`. A unit test keeps the page in step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / ".ansible" / "collections"))

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.catalogue import (  # noqa: E402
    TEXTS,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.text import (  # noqa: E402
    Text,
)

PAGE = CHECKOUT / "docs" / "causes.md"
HEAD = """# The catalogue of causes

Every way of failing that the collection knows by name: its code, how bad it is, what is wrong and the one
next step, in English and Korean. Words in braces are filled in with what was read; each finding also carries
its proof. `make doctor` looks for all of them on a running cluster.

`error` stops a phase and ends `playbooks/doctor.yml` with exit code 2; `warning` is told and stops nothing;
`info` is normal and worth knowing.

This page is written by `make causes` from `plugins/module_utils/causes/texts_*.py`.
"""


def page() -> str:
    """Return the page's text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD.rstrip()
    for family, codes in groupby(sorted(TEXTS), key=lambda code: code.split(".", maxsplit=1)[0]):
        yield f"\n## {family}"
        for code in codes:
            yield from _cause(code, TEXTS[code])


def _cause(code: str, text: Text) -> Iterator[str]:
    yield f"\n### `{code}` ({text.severity})\n"
    yield f"- **{_shown(text.en.summary)}**"
    yield f"  - Next: {_shown(text.en.fix)}"
    yield f"- **{_shown(text.ko.summary)}**"
    yield f"  - 다음: {_shown(text.ko.fix)}"


def _shown(words: str) -> str:
    """Return format-string words as a person reads them, safe in Markdown."""
    plain = words.replace("{{", "\0").replace("}}", "\1").replace("!r}", "}")
    plain = plain.replace("\0", "{").replace("\1", "}")
    return plain.replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
