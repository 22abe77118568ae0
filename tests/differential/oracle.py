# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A second opinion on what a server has, that shares no code with what it judges.

    state = read(Address("127.0.0.1", 3306, "root", "secret"))
    differences = compare(donor_state, copy_state, EVENTS_OF_A_REPLICA)

``read`` takes everything in the server's own words: each row of information_schema, SHOW CREATE of each
object, the accounts' own tables, and every value of every row as the bytes that the server stores. The
session converts nothing (character_set_results is NULL), so a text is told in the bytes of its own
character set. Nothing here imports from plugins/, and it shall stay so.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

SYSTEM = (b"information_schema", b"mysql", b"performance_schema", b"sys")
# A longer value is kept as its length and SHA-256, which is taken here.
LONGEST = 200
# How often a state is read again because the server went on meanwhile.
TRIES = 5
SHOWN = 6

Sections = dict[str, dict[bytes, list[bytes]]]


class OracleError(AssertionError):
    """The oracle cannot judge: nothing was read, or the states are not of one set of transactions."""


@dataclass(frozen=True)
class Address:
    """Where a server answers."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    socket: str | None = None


@dataclass(frozen=True)
class State:
    """All that a server had at one set of transactions.

    sections: what kind of thing, then its name, then lines that describe it.
    """

    gtids: str
    version: str
    sections: Sections

    @property
    def objects(self) -> int:
        """How many tables, views, programs and databases were read."""
        return sum(len(self.sections.get(name, ())) for name in ("schemata", "rows", "create"))


@dataclass(frozen=True)
class Allowed:
    """A difference that is right. names: which things of the section, as a pattern of the whole name."""

    section: str
    reason: str
    names: str = ".*"
    # The lines may differ as well where they differ in this alone.
    but_for: bytes = b""


@dataclass(frozen=True)
class Difference:
    """One thing that two servers do not have alike."""

    section: str
    name: bytes
    donor: tuple[bytes, ...]
    copy: tuple[bytes, ...]

    def lines(self) -> list[str]:
        """It as a person reads it."""
        head = f"{self.section} {text(self.name)}"
        if len(self.donor) == len(self.copy) == 1:
            ours, theirs = parts(self.donor[0]), parts(self.copy[0])
            if len(ours) == len(theirs):
                return [
                    f"{head}: donor {text(one)}, copy {text(other)}"
                    for one, other in zip(ours, theirs, strict=True)
                    if one != other
                ]
        return [
            *(f"{head}: only the donor has {text(line)}" for line in self.donor[:SHOWN]),
            *(f"{head}: only the copy has {text(line)}" for line in self.copy[:SHOWN]),
            *self._more(head),
        ]

    def _more(self, head: str) -> Iterator[str]:
        left = max(len(self.donor) - SHOWN, 0) + max(len(self.copy) - SHOWN, 0)
        if left:
            yield f"{head}: and {left} lines more"


def parts(line: bytes) -> list[bytes]:
    """The values of a line, each with its column."""
    return re.split(rb" (?=[a-z_ ]+=(?:'|NULL|\d+ bytes))|(?<=.)\|(?='|NULL|\d+ bytes)", line)


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\n", "\\n")


def quoted(name: bytes) -> bytes:
    return b"`" + name.replace(b"`", b"``") + b"`"


def literal(raw: bytes) -> bytes:
    """A string that is right in every sql_mode and character set."""
    return b"CONVERT(X'" + raw.hex().encode() + b"' USING utf8mb4)"


# What information_schema has of each object: the table, the columns that name the object, and those that
# are no part of what it is (times of its making, estimates, sizes of files).
ESTIMATES = [
    "version",
    "table_rows",
    "avg_row_length",
    "data_length",
    "max_data_length",
    "index_length",
    "data_free",
    "create_time",
    "update_time",
    "check_time",
    "checksum",
    "auto_increment",
]
CATALOG: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("schemata", "schema_name", ()),
    ("tables", "table_schema table_name", tuple(ESTIMATES)),
    ("columns", "table_schema table_name", ()),
    ("partitions", "table_schema table_name", tuple(ESTIMATES)),
    ("statistics", "table_schema table_name", ("cardinality",)),
    ("table_constraints", "constraint_schema table_name", ()),
    ("key_column_usage", "table_schema table_name", ()),
    ("referential_constraints", "constraint_schema table_name", ()),
    ("check_constraints", "constraint_schema constraint_name", ()),
    ("views", "table_schema table_name", ()),
    ("triggers", "trigger_schema trigger_name", ("created",)),
    ("routines", "routine_schema routine_name", ("created", "last_altered")),
    ("parameters", "specific_schema specific_name", ()),
    (
        "events",
        "event_schema event_name",
        ("created", "last_altered", "last_executed", "originator", "status"),
    ),
)
# The accounts' own tables, each with the columns that name the account, and those that are left out: times, and
# what name the server found for the address of who granted.
ACCOUNTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("user", "user host", ("password_last_changed",)),
    ("db", "user host db", ()),
    ("tables_priv", "user host db table_name", ("timestamp", "grantor")),
    ("columns_priv", "user host db table_name column_name", ("timestamp",)),
    ("procs_priv", "user host db routine_name", ("timestamp", "grantor")),
    ("proxies_priv", "user host", ("timestamp", "grantor")),
    ("role_edges", "to_user to_host", ()),
    ("default_roles", "user host", ()),
    ("global_grants", "user host", ()),
    ("password_history", "user host", ("password_timestamp",)),
    ("servers", "server_name", ()),
    ("func", "name", ()),
)
EXACT = ("float", "double")


class Reader:
    """Reads one server through one session that converts nothing."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.sections: Sections = {}

    def query(self, statement: bytes) -> list[tuple[Any, ...]]:
        with self._raw.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def named(self, statement: bytes) -> Iterator[dict[str, Any]]:
        with self._raw.cursor() as cursor:
            cursor.execute(statement)
            names = [column[0].lower() for column in cursor.description]
            for row in cursor.fetchall():
                yield dict(zip(names, row, strict=True))

    def add(self, section: str, name: bytes, line: bytes) -> None:
        self.sections.setdefault(section, {}).setdefault(name, []).append(line)

    def read(self) -> Sections:
        here = {
            name.lower().decode()
            for (name,) in self.query(
                b"SELECT table_name FROM information_schema.tables"
                b" WHERE table_schema = 'information_schema'"
            )
        }
        for table, key, left_out in CATALOG:
            if table not in here:
                # CHECK_CONSTRAINTS came with 8.0.16.
                continue
            where = b"" if table == "schemata" else self._own(key.split()[0])
            source = b"information_schema." + table.encode() + where
            self._records(table, source, key.split(), left_out)
        for table, key, left_out in ACCOUNTS:
            self._records(f"mysql.{table}", b"mysql." + table.encode(), key.split(), left_out)
        self.sections["schemata"] = {
            name: lines for name, lines in self.sections["schemata"].items() if name not in SYSTEM
        }
        self._definitions()
        self._tables()
        self._grants()
        self._numbers()
        for lines in self.sections.values():
            for found in lines.values():
                found.sort()
        return self.sections

    def _own(self, column: str) -> bytes:
        names = b", ".join(b"'" + name + b"'" for name in SYSTEM)
        return b" WHERE " + column.encode() + b" NOT IN (" + names + b")"

    def _records(
        self, section: str, source: bytes, key: Sequence[str], left_out: Sequence[str]
    ) -> None:
        self.sections.setdefault(section, {})
        for row in self.named(b"SELECT * FROM " + source):
            name = b".".join(row[column] or b"" for column in key)
            kept = (
                column.encode() + b"=" + shown(value)
                for column, value in row.items()
                if column not in left_out
            )
            self.add(section, name, b" ".join(kept))

    def _definitions(self) -> None:
        """SHOW CREATE of each thing, as the server writes it."""
        own = self._own
        asked = (
            (b"DATABASE", b"schema_name, '' FROM information_schema.schemata" + own("schema_name")),
            (
                b"TABLE",
                b"table_schema, table_name FROM information_schema.tables" + own("table_schema"),
            ),
            (
                b"TRIGGER",
                b"trigger_schema, trigger_name FROM information_schema.triggers"
                + own("trigger_schema"),
            ),
            (
                b"EVENT",
                b"event_schema, event_name FROM information_schema.events" + own("event_schema"),
            ),
            *(
                (
                    kind,
                    b"routine_schema, routine_name FROM information_schema.routines"
                    + own("routine_schema")
                    + b" AND routine_type = '"
                    + kind
                    + b"'",
                )
                for kind in (b"PROCEDURE", b"FUNCTION")
            ),
        )
        for kind, found in asked:
            for schema, name in self.query(b"SELECT " + found):
                place = quoted(schema) + (b"." + quoted(name) if name else b"")
                for row in self.named(b"SHOW CREATE " + kind + b" " + place):
                    row.pop("created", None)
                    shows = (k.encode() + b"=" + shown(v, None) for k, v in row.items())
                    self.add("create", kind + b" " + place, neutral(b" ".join(shows)))

    def _tables(self) -> None:
        found = self.query(
            b"SELECT table_schema, table_name, engine FROM information_schema.tables"
            + self._own("table_schema")
            + b" AND table_type = 'BASE TABLE'"
        )
        self.sections.setdefault("rows", {})
        for schema, name, _engine in found:
            place = quoted(schema) + b"." + quoted(name)
            self.sections["rows"][schema + b"." + name] = list(self._rows(schema, name))
            for _name, value in self.query(b"CHECKSUM TABLE " + place):
                self.add("checksum", schema + b"." + name, shown(value))

    def _rows(self, schema: bytes, name: bytes) -> Iterator[bytes]:
        columns = self.query(
            b"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = "
            + literal(schema)
            + b" COLLATE utf8mb4_bin AND table_name = "
            + literal(name)
            + b" COLLATE utf8mb4_bin ORDER BY ordinal_position"
        )
        # A FLOAT is shown with six digits; what is added makes it the DOUBLE that it is.
        selected = b", ".join(
            quoted(column) + (b" + 0e0" if kind.decode() in EXACT else b"")
            for column, kind in columns
        )
        with closing(SSCursor(self._raw)) as cursor:
            asked: Any = b"SELECT " + selected + b" FROM " + quoted(schema) + b"." + quoted(name)
            cursor.execute(asked)
            while (row := cursor.fetchone()) is not None:
                yield b"|".join(map(shown, row))

    def _grants(self) -> None:
        for user, host in self.query(b"SELECT user, host FROM mysql.user"):
            name = literal(user), literal(host)
            [(account,)] = self.query(b"SELECT CONCAT(QUOTE(%s), '@', QUOTE(%s))" % name)
            for kind, asked in (
                ("create user", b"SHOW CREATE USER "),
                ("grants", b"SHOW GRANTS FOR "),
            ):
                for (line,) in self.query(asked + account):
                    self.add(kind, account, line)

    def _numbers(self) -> None:
        """What stands beside the data, each kind of its own since some may differ."""
        counters = self.query(
            b"SELECT table_schema, table_name, auto_increment FROM information_schema.tables"
            + self._own("table_schema")
            + b" AND auto_increment IS NOT NULL"
        )
        for schema, name, number in counters:
            self.add("auto_increment", schema + b"." + name, shown(number))
        status = b"SELECT event_schema, event_name, status FROM information_schema.events"
        for schema, name, how in self.query(status):
            self.add("event status", schema + b"." + name, shown(how))
        for user, host, when in self.query(
            b"SELECT user, host, password_last_changed FROM mysql.user"
        ):
            self.add("password changed", user + b"@" + host, shown(when))
        self.sections["xa prepared"] = {}
        # A name may have line breaks; CONVERT XID shows each as hex.
        for row in self.query(b"XA RECOVER CONVERT XID"):
            self.add("xa prepared", row[3], b"prepared")


# A counter, and the state of an event, are sections of their own.
COUNTER = re.compile(rb"(\) ENGINE=\w+(?:\s[^\n]*?)?) AUTO_INCREMENT=\d+")
EVENT_STATE = re.compile(
    rb"( ON COMPLETION (?:NOT )?PRESERVE )(?:ENABLE|DISABLE ON SLAVE|DISABLE ON REPLICA|DISABLE)\b"
)


def neutral(definition: bytes) -> bytes:
    return EVENT_STATE.sub(rb"\1", COUNTER.sub(rb"\1", definition))


def shown(value: Any, longest: int | None = LONGEST) -> bytes:
    """A value as it is; a long one as its length and SHA-256."""
    if value is None:
        return b"NULL"
    raw = value if isinstance(value, bytes) else str(value).encode()
    if longest is not None and len(raw) > longest:
        return b"%d bytes of SHA-256 %s" % (len(raw), hashlib.sha256(raw).hexdigest().encode())
    # The empty string and the word NULL are told from NULL.
    return b"'" + raw + b"'"


def _connect(address: Address) -> Any:
    raw = pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        unix_socket=address.socket,
        charset="utf8mb4",
        use_unicode=False,
        conv={},
        autocommit=True,
        max_allowed_packet=1 << 30,
    )
    with raw.cursor() as cursor:
        for setting in (
            "SET SESSION sql_mode = ''",
            "SET SESSION time_zone = '+00:00'",
            "SET SESSION information_schema_stats_expiry = 0",
            "SET SESSION sql_quote_show_create = 1",
            "SET SESSION transaction_isolation = 'READ-COMMITTED'",
            "SET SESSION lock_wait_timeout = 10",
            "SET character_set_results = NULL",
        ):
            cursor.execute(setting)
    return raw


def _gtids(reader: Reader) -> str:
    [(found,)] = reader.query(b"SELECT @@GLOBAL.gtid_executed")
    return str(found.decode()).replace("\n", "")


def dump_lines(dump: bytes) -> list[bytes]:
    """mysqldump's text as lines that two servers have alike, whatever they are called."""
    left_out = (b"-- ", b"/*!80000 SET @@GLOBAL.GTID_PURGED", b"SET @@GLOBAL.GTID_PURGED")
    lines = (neutral(line) for line in dump.split(b"\n"))
    return sorted(line for line in lines if line and not line.startswith(left_out))


def read(address: Address, dump: Callable[[], bytes] | None = None) -> State:
    """Return all that a server has, read while no transaction came in between.

    dump: returns mysqldump's text of it, one row a line; left out without it.
    """
    for _again in range(TRIES):
        with closing(_connect(address)) as raw:
            reader = Reader(raw)
            before = _gtids(reader)
            sections = reader.read()
            if dump is not None:
                sections["mysqldump"] = {b"": dump_lines(dump())}
            if _gtids(reader) == before:
                [(version,)] = reader.query(b"SELECT VERSION()")
                return State(before, version.decode(), sections)
    raise OracleError(f"The server goes on: {TRIES} readings were each overtaken by a transaction")


def compare(
    donor: State, copy: State, allowed: Iterable[Allowed] = (), *, same_gtids: bool = True
) -> list[Difference]:
    """Return what two states do not have alike, but for what is allowed.

    same_gtids: whether they have to be of one set of transactions. Raises OracleError where nothing can
    be compared.
    """
    if not donor.objects:
        raise OracleError("Nothing was compared: the donor has no database, table or program")
    if same_gtids and donor.gtids != copy.gtids:
        raise OracleError(f"Two sets of transactions: donor {donor.gtids}, copy {copy.gtids}")
    allowed = tuple(allowed)
    found = []
    for section in sorted(donor.sections.keys() | copy.sections.keys()):
        ours, theirs = donor.sections.get(section, {}), copy.sections.get(section, {})
        for name in sorted(ours.keys() | theirs.keys()):
            difference = _difference(section, name, ours.get(name), theirs.get(name))
            if difference and not any(is_allowed(difference, one) for one in allowed):
                found.append(difference)
    return found


def _difference(
    section: str, name: bytes, ours: list[bytes] | None, theirs: list[bytes] | None
) -> Difference | None:
    if ours == theirs:
        return None
    mine, other = Counter(ours or ()), Counter(theirs or ())
    donor, copy = sorted((mine - other).elements()), sorted((other - mine).elements())
    # An empty table that the other does not have at all.
    if ours is None and not copy:
        copy = [b"it, empty"]
    if theirs is None and not donor:
        donor = [b"it, empty"]
    return Difference(section, name, tuple(donor), tuple(copy)) if donor or copy else None


def is_allowed(difference: Difference, allowed: Allowed) -> bool:
    if difference.section != allowed.section:
        return False
    if not re.fullmatch(allowed.names.encode(), difference.name, re.S):
        return False
    if not allowed.but_for:
        return True
    pattern = re.compile(allowed.but_for, re.S)
    ours, theirs = (
        Counter(pattern.sub(b"", line) for line in lines)
        for lines in (difference.donor, difference.copy)
    )
    return ours == theirs
