# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why data could not be loaded: the load's own causes, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..finding import CollectionError
from ..mysql.load_error import LoadError
from .catalogue import finding


def explained(error: LoadError, language: str = "en") -> CollectionError:
    """Return the failure as a person reads it: its summary, proof and next step. Pure."""
    cause = finding(
        error.code, subject=error.subject, proof=error.proof, language=language, **error.facts
    )
    return CollectionError(cause.summary, [cause, *error.findings], error.details)


@contextmanager
def told_in(language: str) -> Iterator[None]:
    """Tell every LoadError from within in this language."""
    try:
        yield
    except LoadError as error:
        raise explained(error, language) from error
