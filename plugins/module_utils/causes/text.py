# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tables of texts are made of."""

from __future__ import annotations

from dataclasses import dataclass

from ..finding import Severity


@dataclass(frozen=True)
class Words:
    """A cause in one language: both are format strings over ``subject`` and the finding's facts."""

    summary: str
    fix: str


@dataclass(frozen=True)
class Text:
    """A cause: how bad it is, and its words in English and in Korean."""

    severity: Severity
    en: Words
    ko: Words
