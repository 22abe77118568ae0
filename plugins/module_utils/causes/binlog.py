# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a point of the binary log cannot be noted, read or found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..finding import CollectionError
from .catalogue import finding


class BinlogError(CollectionError):
    """A failure that is one cause of the catalogue, its words chosen when it is told.

    subject: the server, file or point. proof: what was read, from where. facts: what the texts
    name in braces.
    """

    def __init__(self, code: str, subject: str, proof: Sequence[str], **facts: Any) -> None:
        cause = finding(code, subject=subject, proof=proof, **facts)
        super().__init__(cause.summary, (cause,))
        self.code = code
        self.subject = subject
        self.proof = tuple(proof)
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process raise it: an exception's own way knows the first line alone."""
        return partial(type(self), **self.facts), (self.code, self.subject, self.proof)

    def said(self, message: str, language: str) -> CollectionError:
        """Return the failure under a first line, its cause in a language of the catalogue."""
        cause = finding(
            self.code, subject=self.subject, proof=self.proof, language=language, **self.facts
        )
        return CollectionError(message, (cause,))


@contextmanager
def told(message: str, language: str) -> Iterator[None]:
    """Tell every BinlogError from within under this first line, its cause in this language."""
    try:
        yield
    except CollectionError as error:
        if not isinstance(error, BinlogError):
            raise
        raise error.said(message, language) from error
