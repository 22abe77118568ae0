# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong with a load, as a code and facts; causes/data.py gives it words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from ..finding import CollectionError, Finding
from .connection import LOST, MysqlError

SHOWN = 160
SECRET = re.compile(rb"identified|password", re.IGNORECASE)

CODES = {
    1021: "load.server_full",
    1114: "load.server_full",
    1044: "load.no_privilege",
    1142: "load.no_privilege",
    1227: "load.no_privilege",
    1153: "load.packet_too_large",
    1290: "load.read_only",
    1836: "load.read_only",
    **dict.fromkeys(LOST, "load.connection_lost"),
}


class DumpError(CollectionError):
    """The dump itself is wrong. code: the cause. line: where, from 1."""

    def __init__(self, code: str, line: int, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.line = line
        self.what = what


class LoadError(CollectionError):
    """One cause of a failed load.

    code: in the catalogue. subject: the database, file or instance. proof: what was read.
    facts: what the cause's texts name. findings: causes behind it that are known already.
    """

    def __init__(
        self,
        code: str,
        subject: str,
        proof: Sequence[str] = (),
        findings: Sequence[Finding] = (),
        **facts: Any,
    ) -> None:
        super().__init__(f"{subject}: {code}", findings)
        self.code = code
        self.subject = subject
        self.proof = tuple(proof)
        self.facts = facts


def shown(statement: bytes) -> str:
    """Return the beginning of a statement on one line; nothing of one that holds a password."""
    if SECRET.search(statement[:4096]):
        return "(a statement with a password, not shown)"
    text = " ".join(statement[: SHOWN * 2].decode("utf-8", "replace").split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def wrong_dump(error: DumpError, place: str) -> NoReturn:
    """Raise the cause that a dump itself is. place: ``file:line`` of it."""
    raise LoadError(error.code, place, [error.what], what=error.what) from error


def refused(error: MysqlError, place: str, statement: bytes, proof: Sequence[str]) -> LoadError:
    """Return the cause behind a server's refusal. place: ``file:line`` of the statement."""
    code = CODES.get(error.errno, "load.statement_failed")
    lines = [f"the server said: {error.reason} ({error.errno})", f"statement: {shown(statement)}"]
    facts = {"errno": error.errno, "reason": error.reason}
    return LoadError(code, place, [*lines, *proof], error.findings, **facts)
