# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what is found may still heal by itself."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ..finding import Finding, errors


def settled(findings: Iterable[Finding], transient: Container[str]) -> bool:
    """Whether looking again is of no use: no error is among the findings, or one that stays.

    transient: the codes of causes that may heal by themselves.
    """
    failed = errors(findings)
    return not failed or not all(one.code in transient for one in failed)
