# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One table's columns, and the sum of its rows by which two instances are compared.

``crc``: CHECKSUM TABLE, the sum of each row's CRC-32. It reads the snapshot of the transaction that
it runs in, takes no lock, does not depend on the order of rows, is the same on 8.0.15 and 9.7 for
the same columns, and reads about two million rows a second. It does not see where one text ends and
the next one begins: a sum over their lengths goes with it. Two different tables share both in 2**32
times. ``sha2``: every row's SHA-256 joined by XOR, and by a sum where rows may be there twice: no
such chance, four times the time. Both go with the count of rows.

What neither sees: whether a scalar inside a JSON document is a text, or a date that reads alike.
A JSON document whose text is larger than max_allowed_packet cannot be read at all: its table is
unread, and never equal. A column with another DEFAULT has another crc if a NULL is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..finding import CollectionError
from .connection import Connection, Row
from .dialect import quote_identifier
from .replication import SYSTEM_SCHEMAS

Method = Literal["crc", "sha2"]

METHODS: tuple[Method, ...] = ("crc", "sha2")

# These are compared by their bytes, with their length, so that no two rows read alike.
_SHORT = frozenset({"char", "varchar", "binary", "varbinary"})
# By a SHA-256 of their own: together they may be more than one function of a server may return.
_LONG = frozenset(
    {"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob"}
)
_NAMED = frozenset({"enum", "set"})
_FLOATS = frozenset({"float", "double"})
_PLAIN = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"}
    | {"date", "datetime", "timestamp", "time"}
)
# Of one size in every row: where one of the others ends is not told by a CRC of all bytes.
_FIXED = _PLAIN | _FLOATS | _NAMED | {"bit", "char", "binary"}
# ER_WARN_ALLOWED_PACKET_OVERFLOWED: a value was too large for what a function returns.
_OVERFLOWED = 1301

# Versions differ in whether they tell it; it never changed a value.
_WIDTH = re.compile(r"^(tinyint|smallint|mediumint|int|bigint|year)\(\d+\)(?!.*zerofill)")
_OLD_NAME = re.compile(r"\butf8_")


@dataclass(frozen=True)
class Table:
    """A table's name and its columns: name, data type, whole definition.

    keyed: whether it has a primary key, so that no row is there twice. engine: in lower case.
    """

    schema: str
    name: str
    columns: tuple[tuple[str, str, str], ...]
    keyed: bool = False
    engine: str = "innodb"

    @property
    def full_name(self) -> str:
        """The name as a person writes it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """The name for statements."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    @property
    def definition(self) -> str:
        """The columns as text, to compare two instances by."""
        columns = [f"{name} {kind}" for name, _type, kind in self.columns]
        return ", ".join([*columns, "primary key"] if self.keyed else columns)


@dataclass(frozen=True)
class Sum:
    """What one table is on one instance. lengths: a sum over those of its texts, with ``crc``.

    unread: why its rows could not be read, empty where they were. engine: in lower case.
    """

    rows: int
    checksum: str
    definition: str
    lengths: str = ""
    unread: str = ""
    engine: str = "innodb"

    @property
    def content(self) -> tuple[int, str, str]:
        """What is equal where the rows are."""
        return self.rows, self.checksum, self.lengths

    def equals(self, other: Sum) -> bool:
        """Whether columns and rows are the same, and all of them were read."""
        same = self.content == other.content and self.definition == other.definition
        return same and not self.unread and not other.unread


def folded(name: str, lower_case_table_names: object) -> str:
    """Return a name of a schema as two of them are compared at that setting of the server."""
    return name.lower() if int(str(lower_case_table_names)) else name


def tables_of(connection: Connection, databases: Sequence[str] | None) -> list[Table]:
    """Return the base tables of these schemas, or of all that are not the server's own, by name.

    Raises MysqlError.
    """
    folds = connection.value("SELECT @@lower_case_table_names")
    wanted = None if databases is None else {folded(name, folds) for name in databases}
    rows = connection.query(
        "SELECT c.table_schema AS s, c.table_name AS t, c.column_name AS c, c.data_type AS d,"
        " c.column_type AS kind, c.is_nullable AS nullable, c.collation_name AS coll,"
        " t.engine AS engine, c.column_key = 'PRI' AS keyed"
        " FROM information_schema.columns c JOIN information_schema.tables t"
        " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
        " WHERE t.table_type = 'BASE TABLE' ORDER BY s, t, c.ordinal_position"
    )
    gathered: dict[tuple[str, str], Table] = {}
    for row in rows:
        schema, name = str(row["s"]), str(row["t"])
        if schema in SYSTEM_SCHEMAS or (wanted is not None and folded(schema, folds) not in wanted):
            continue
        column = (str(row["c"]), str(row["d"]).lower(), _kind(row))
        before = gathered.get((schema, name)) or Table(schema, name, ())
        gathered[schema, name] = Table(
            schema,
            name,
            (*before.columns, column),
            before.keyed or bool(row["keyed"]),
            str(row["engine"] or "").lower(),
        )
    return list(gathered.values())


def _kind(row: Row) -> str:
    """Return a column's definition as every version means it."""
    words = [_WIDTH.sub(r"\1", str(row["kind"]))]
    if row["nullable"] != "YES":
        words.append("NOT NULL")
    if row["coll"]:
        words.append(_OLD_NAME.sub("utf8mb3_", str(row["coll"])))
    return " ".join(words)


def sha2_statement(table: Table) -> str:
    """Return the statement that counts a table's rows and joins their SHA-256.

    Two rows that are the same are nothing to XOR: where no primary key keeps them apart, a sum of
    them is joined too.
    """
    digest = row_digest((name, data_type) for name, data_type, _kind in table.columns)
    joined = f"HEX(BIT_XOR(UNHEX({digest})))"
    if not table.keyed:
        joined = f"CONCAT({joined}, ' ', IFNULL(SUM(CRC32({digest})), 0))"
    return f"SELECT COUNT(*) AS n, {joined} AS x FROM {table.quoted}"


def row_digest(columns: Iterable[tuple[str, str]]) -> str:
    """Return the expression of a row's SHA-256. columns: name and data type of each.

    A row is written as its NULLs, the lengths of its texts, then its values: no two rows with
    different values are written alike. It is NULL where the server cannot read a value.
    """
    words: list[str] = []
    lengths: list[str] = []
    nulls: list[str] = []
    readable: list[str] = []
    for name, data_type in columns:
        column = quote_identifier(name)
        nulls.append(f"ISNULL({column})")
        if data_type in _PLAIN:
            words.append(column)
        elif data_type in _FLOATS:
            # Adding 0 would lose the sign of -0.
            words.append(f"({column} * 1e0)")
        elif data_type == "bit":
            words.append(f"CAST({column} AS UNSIGNED)")
        elif data_type in _NAMED:
            # Two members may read alike: '' is also what a value is that was not allowed.
            lengths += [f"LENGTH({column})", f"CAST({column} AS UNSIGNED)"]
            words.append(f"CAST({column} AS BINARY)")
        elif data_type in _SHORT:
            words.append(f"CAST({column} AS BINARY)")
            lengths.append(f"LENGTH({column})")
        elif data_type in _LONG:
            words.append(f"SHA2({column}, 256)")
        else:
            # JSON, geometries, vectors: their bytes in figures.
            words.append(f"SHA2(HEX({column}), 256)")
            if data_type == "json":
                # One that is too large reads as an empty text, which is no JSON.
                readable.append(f"IFNULL(LENGTH({column}) > 0, TRUE)")
    row = f"CONCAT_WS('#', CONCAT({', '.join(nulls)}), {', '.join([*lengths, *words])})"
    digest = f"SHA2({row}, 256)"
    return f"IF({' AND '.join(readable)}, {digest}, NULL)" if readable else digest


def sum_of(connection: Connection, table: Table, method: Method) -> Sum:
    """Return rows and checksum of a table as the session sees it. Raises CollectionError."""
    # By its warnings a server tells what it left out; a session may have them off.
    connection.execute("SET SESSION max_error_count = 64")
    if method == "sha2":
        row = connection.query(sha2_statement(table))[0]
        whole = not _overflowed(connection)
        found = Sum(int(row["n"]), str(row["x"]).lower(), table.definition, engine=table.engine)
    else:
        row = connection.query(_lengths_statement(table))[0]
        whole = not _overflowed(connection)
        # EXTENDED: MyISAM would else tell a sum that it keeps by itself, if its table asks for it.
        told = connection.query(f"CHECKSUM TABLE {table.quoted} EXTENDED")[0]["checksum"]
        if told is None:
            raise CollectionError(f"{connection.address} cannot read table {table.full_name}")
        whole = whole and not _overflowed(connection)
        lengths = "" if row["s"] is None else str(row["s"])
        found = Sum(
            int(row["n"]), f"{int(told):08x}", table.definition, lengths, engine=table.engine
        )
    if whole:
        return found
    limit = connection.value("SELECT @@SESSION.max_allowed_packet")
    reason = f"max_allowed_packet is {limit} bytes, and a value reads longer"
    return replace(found, checksum="", lengths="", unread=reason)


def _lengths_statement(table: Table) -> str:
    """Return the statement that counts a table's rows, and sums up where their texts end."""
    loose = [(kind, name) for name, kind, _definition in table.columns if kind not in _FIXED]
    # All together have the length that the CRC tells: one needs none, JSON since it costs the most.
    loose.sort(key=lambda column: (column[0] == "json", column[0] in _LONG))
    lengths = [f"IFNULL(LENGTH({quote_identifier(name)}), '-')" for _kind, name in loose[:-1]]
    summed = f"SUM(CRC32(CONCAT_WS('#', {', '.join(lengths)})))" if lengths else "NULL"
    return f"SELECT COUNT(*) AS n, {summed} AS s FROM {table.quoted}"


def _overflowed(connection: Connection) -> bool:
    """Whether the last statement met a value that is too large for what a function returns."""
    return any(int(row["code"]) == _OVERFLOWED for row in connection.query("SHOW WARNINGS"))
