# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A my.cnf, and what mysqld says against it: pure, from the server's words to lines of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .connection import Version
from .dialect import VARIABLES, has

# mysqld names the option in one of these ways; the first group is the option or ``option=value``.
_NAMED = (
    (True, re.compile(r"unknown (?:variable|option) '(?:--)?(?P<what>[^'=]+)", re.IGNORECASE)),
    (True, re.compile(r"ambiguous option '(?:--)?(?P<what>[^'=]+)", re.IGNORECASE)),
    (False, re.compile(r"value '[^']*' (?:to|for) '(?P<what>[^'=]+)", re.IGNORECASE)),
    (False, re.compile(r"option '(?:--)?(?P<what>[^'=]+)", re.IGNORECASE)),
    (False, re.compile(r"for (?:variable|option):? '?(?:--)?(?P<what>[\w-]+)", re.IGNORECASE)),
    (False, re.compile(r"(?:variable|value of) '(?P<what>[^'=]+)", re.IGNORECASE)),
)
_ERROR = re.compile(r"\[ERROR\]|^mysqld: ", re.IGNORECASE)
# The last line of every refusal; it says nothing.
_ABORTING = re.compile(r"\bAborting\b")
_STAMP = re.compile(r"^\S+Z \d+ ")


@dataclass(frozen=True)
class Line:
    """One option as the file has it. number: from 1. option: as the server names it (underscores)."""

    number: int
    option: str
    text: str


@dataclass(frozen=True)
class Refusal:
    """One thing that a server says against its options.

    option: empty where it names none. unknown: whether it has no such option. line: of the file,
    None where the file has none that fits. hint: what the version calls it, empty if nothing.
    """

    said: str
    option: str = ""
    unknown: bool = False
    line: Line | None = None
    hint: str = ""


def normal(option: str) -> str:
    """Return an option's name as the server has it: ``loose-Log-Bin`` and ``log_bin`` are one."""
    return option.strip().lower().replace("-", "_").removeprefix("loose_")


def lines(text: str) -> Iterator[Line]:
    """Yield the options of a my.cnf with their lines."""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and stripped[0] not in "#;[!":
            yield Line(number, normal(stripped.partition("=")[0]), stripped)


def refusals(said: str, my_cnf: str, version: Version) -> list[Refusal]:
    """Return what a server that was asked to validate its options says against them.

    said: its standard error. Warnings are left aside. version: the server's, for the hints.
    """
    found: dict[str, Refusal] = {}
    for line in said.splitlines():
        if _ERROR.search(line) and not _ABORTING.search(line):
            text = _STAMP.sub("", line.strip())
            found.setdefault(text, _refusal(text, my_cnf, version))
    return list(found.values())


def renamed(option: str, version: Version) -> str:
    """Return what this version calls an option that it does not know, empty if that is not known."""
    for newest, names in VARIABLES.items():
        known = {newest, *(name for name in names.values() if name)}
        if normal(option) in known and has(VARIABLES, newest, version):
            reached = max(first for first in names if first <= version)
            name = names[reached] or ""
            return "" if name == normal(option) else name
    return "binlog_expire_logs_seconds" if normal(option) == "expire_logs_days" else ""


def _refusal(text: str, my_cnf: str, version: Version) -> Refusal:
    for unknown, pattern in _NAMED:
        match = pattern.search(text)
        if match:
            option = normal(match["what"])
            where = next((line for line in lines(my_cnf) if line.option == option), None)
            hint = renamed(option, version) if unknown else ""
            return Refusal(text, option, unknown, where, hint)
    return Refusal(text)
