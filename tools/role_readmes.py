# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the tables of variables in each role's README: `make role-readmes`.

They come from meta/argument_specs.yml; what stands above the marker is written by hand and stays.
A unit test keeps them in step.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
MARKER = (
    "<!-- The tables below are written by `make role-readmes` from meta/argument_specs.yml. -->"
)

# The markup of ansible-doc that the descriptions use, as Markdown.
_MARKUP = (
    (re.compile(r"[CVO]\(([^)]*)\)"), r"`\1`"),
    (re.compile(r"B\(([^)]*)\)"), r"**\1**"),
    (re.compile(r"I\(([^)]*)\)"), r"*\1*"),
    (re.compile(r"M\(([^)]*)\)"), r"`\1`"),
)


def markdown(text: str) -> str:
    """Return a description as one cell of a Markdown table."""
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return " ".join(text.split()).replace("|", "\\|")


def default(option: dict[str, Any]) -> str:
    """Return what an option is without being given, as a reader writes it in YAML."""
    if option.get("required"):
        return "**required**"
    given = option.get("default")
    if given is None:
        return ""
    if isinstance(given, str):
        return f"`{given}`" if given else "empty"
    return f"`{json.dumps(given)}`".replace("|", "\\|")


def lines(value: Any) -> list[str]:
    """Return a description as its sentences: it may be one text or a list."""
    return [value] if isinstance(value, str) else list(value or [])


def table(options: dict[str, dict[str, Any]]) -> list[str]:
    """Return a table of options."""
    rows = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for name, option in options.items():
        kind = str(option.get("type", "str"))
        choices = ", ".join(f"`{each}`" for each in option.get("choices", []))
        meaning = markdown(" ".join(lines(option.get("description"))))
        if choices:
            meaning = f"{meaning} One of {choices}."
        rows.append(f"| `{name}` | {kind} | {default(option)} | {meaning} |")
    return rows


def reference(specs: dict[str, dict[str, Any]]) -> str:
    """Return what stands below the marker: a section with a table for each entry point."""
    text = [MARKER, ""]
    for name, spec in specs.items():
        entry = "the role itself" if name == "main" else f"`tasks_from: {name}`"
        text += [f"## Variables of {entry}", "", f"{markdown(spec['short_description'])}.", ""]
        text += [*table(spec.get("options", {})), ""]
    return "\n".join(text).rstrip() + "\n"


def roles() -> list[Path]:
    """Return the folders of all roles, by name."""
    return sorted(each for each in (CHECKOUT / "roles").iterdir() if each.is_dir())


def readme(role: Path) -> str:
    """Return the README of a role as it must be. Raises FileNotFoundError, ValueError."""
    path = role / "README.md"
    above, marker, _below = path.read_text(encoding="utf-8").partition(MARKER)
    if not marker:
        raise ValueError(f"{path.relative_to(CHECKOUT)} lacks the line {MARKER}")
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    return above + reference(specs["argument_specs"])


def main() -> None:
    """Write the README of each role."""
    for role in roles():
        (role / "README.md").write_text(readme(role), encoding="utf-8")


if __name__ == "__main__":
    main()
