# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables by schema and name: as one text, ``a.b.c`` may be a table of ``a`` or of ``a.b``."""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTED = re.compile(r"`((?:[^`]|``)+)`\.`((?:[^`]|``)+)`")


class TableName(NamedTuple):
    """A table. With an empty table it is the whole schema; with both empty, no table at all."""

    schema: str
    table: str

    @property
    def text(self) -> str:
        """The name as a person writes it; in backquotes where a dot would leave open what is meant."""
        if not self.table:
            return self.schema
        if "." in self.schema + self.table or "`" in self.schema + self.table:
            return f"{_quoted(self.schema)}.{_quoted(self.table)}"
        return f"{self.schema}.{self.table}"

    @property
    def whole(self) -> TableName:
        """The schema that it is in."""
        return TableName(self.schema, "")

    def covers(self, other: TableName) -> bool:
        """Whether it is, or holds, a table."""
        return self.schema == other.schema and bool(self.schema) and self.table in ("", other.table)

    def folded(self) -> TableName:
        """The name as a server keeps it whose lower_case_table_names is 1."""
        return TableName(self.schema.lower(), self.table.lower())


NOTHING = TableName("", "")
"""What a statement on another object than a table or a schema is about."""


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def readings(text: str) -> tuple[TableName, ...]:
    """Return every table that a text can mean: one in backquotes, else one for each of its dots."""
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return (TableName(quoted[1].replace("``", "`"), quoted[2].replace("``", "`")),)
    dots = (at for at, mark in enumerate(text) if mark == ".")
    found = (TableName(text[:at], text[at + 1 :]) for at in dots)
    return tuple(name for name in found if all(name))
