# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every cause by its code, and the one function that makes findings of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from ..finding import CollectionError, Finding
from . import (
    texts_adopt,
    texts_app,
    texts_backup,
    texts_binlog,
    texts_data,
    texts_doctor,
    texts_engine,
    texts_install,
    texts_kube,
    texts_lease,
    texts_mysql,
    texts_python,
    texts_recovery,
    texts_replication,
    texts_switchover,
    texts_tls,
    texts_topology,
)
from .text import Text, Words

Language = Literal["en", "ko"]

LANGUAGES: tuple[Language, ...] = ("en", "ko")


def _merged(*tables: Mapping[str, Text]) -> Mapping[str, Text]:
    """Return the tables as one; a code that two of them hold is a mistake."""
    merged: dict[str, Text] = {}
    for table in tables:
        twice = merged.keys() & table.keys()
        if twice:
            raise ValueError(f"causes defined twice: {', '.join(sorted(twice))}")
        merged.update(table)
    return MappingProxyType(merged)


TEXTS: Mapping[str, Text] = _merged(
    texts_adopt.TEXTS,
    texts_app.TEXTS,
    texts_backup.TEXTS,
    texts_binlog.TEXTS,
    texts_data.TEXTS,
    texts_doctor.TEXTS,
    texts_engine.TEXTS,
    texts_install.TEXTS,
    texts_kube.TEXTS,
    texts_lease.TEXTS,
    texts_mysql.TEXTS,
    texts_python.TEXTS,
    texts_recovery.TEXTS,
    texts_replication.TEXTS,
    texts_switchover.TEXTS,
    texts_tls.TEXTS,
    texts_topology.TEXTS,
)


def finding(
    code: str,
    *,
    subject: str,
    proof: Sequence[str],
    language: str = "en",
    **facts: Any,
) -> Finding:
    """Return the finding of a cause, in the language asked for.

    facts: what the texts name in braces, beside ``subject``.
    Raises CollectionError for an unknown code or language, or where a fact is missing.
    """
    if code not in TEXTS:
        raise CollectionError(f"There is no cause {code!r} in the catalogue")
    if language not in LANGUAGES:
        allowed = ", ".join(LANGUAGES)
        raise CollectionError(f"language: {language!r} is not one of {allowed}")
    text = TEXTS[code]
    words = text.ko if language == "ko" else text.en
    return Finding(
        code=code,
        severity=text.severity,
        subject=subject,
        summary=_filled(code, words, words.summary, subject, facts),
        proof=tuple(proof),
        fix=_filled(code, words, words.fix, subject, facts),
    )


def _filled(code: str, words: Words, text: str, subject: str, facts: Mapping[str, Any]) -> str:
    try:
        return text.format(subject=subject, **facts)
    except (KeyError, IndexError) as error:
        raise CollectionError(
            f"The cause {code} needs the fact {error}: {words.summary}"
        ) from error
