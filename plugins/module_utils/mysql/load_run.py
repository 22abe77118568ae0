# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sends a dump to the primary: rows by LOAD DATA where that is the same, all else as it stands."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import NoReturn

from .connection import Connection, MysqlError
from .dialect import quote_identifier
from .dump import Dump, open_dump, resolve
from .dump_judge import Judge, place_of
from .dump_statements import NAME, Rows, Source, Splitter, Statement, unquoted
from .dump_words import decoded, name_of
from .load_error import DumpError, LoadError, refused, shown, wrong_dump
from .load_local import Loaded, driver_errors, load, several, statement, translated
from .load_progress import Count, LoadProgress
from .load_rows import CHUNK, Batch, Fit, fit, inserts, pieces

IN_TRANSACTION = 1
AUTOCOMMIT = 2
NO_BACKSLASH_ESCAPES = 512

ACCESS_DENIED = 1227
LOCAL_OFF = frozenset({1148, 3948, 2068})
CHECKPOINT_EVERY = 0.5

INTO = re.compile(
    rb"\s*(?:INSERT|REPLACE)\s+(?:\w+\s+)*?INTO\s+(?:" + NAME + rb"\s*\.\s*)?(" + NAME + rb")",
    re.IGNORECASE,
)


class DumpRunner:
    """Runs one file, and all that it sources, in one session.

    session: loads, with LOCAL allowed. other: a second one, for what must not disturb the first.
    dump: what was read of it before. judge: knows what a load does not run.
    fast: whether LOAD DATA may be used. only_fast: whether INSERTs must not replace it where the
    server complains of rows. warn: told what was left out of the dump.
    """

    def __init__(
        self,
        session: Connection,
        other: Connection,
        dump: Dump,
        judge: Judge,
        progress: LoadProgress,
        *,
        fast: bool,
        only_fast: bool,
        warn: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._session = session
        self._other = other
        self._dump = dump
        self._judge = judge
        self._progress = progress
        self._fast = fast
        self._only_fast = only_fast
        self._warn = warn
        self._say = say
        self._limit = int(session.value("SELECT @@max_allowed_packet")) - 1024
        self._fits: dict[tuple[str, str, bytes], Fit | None] = {}
        self._batch: Batch | None = None
        self._path = ""
        self._charset = "utf8mb4"
        self._splitter: Splitter | None = None
        self._checked = 0.0

    def run(self, path: str) -> None:
        """Load a file and all that it sources. Raises LoadError."""
        self._file(path, ())
        self._committed()
        self._checkpoint(now=True)

    def _file(self, path: str, including: tuple[str, ...]) -> None:
        """Load one file. including: those that sourced it, outermost first."""
        if path in including:
            raise LoadError("load.source_loop", path, [" -> ".join([*including, path])])
        count = self._progress.files.setdefault(self._dump.label(path), Count())
        started, nested = time.monotonic(), 0.0
        with open_dump(path) as stream:
            self._path = path
            splitter = self._splitter = Splitter(stream, self._rows_of)
            self._heed(splitter)
            try:
                for item in splitter:
                    if isinstance(item, Statement):
                        self._statement(item)
                        count.size += len(item.text)
                    else:
                        nested += self._source(item, (*including, path))
                        self._splitter = splitter
                    self._heed(splitter)
            except DumpError as error:
                wrong_dump(error, self._place(error.line))
            self._flush()
        count.seconds += time.monotonic() - started - nested

    def _heed(self, splitter: Splitter) -> None:
        status = self._session.raw.server_status
        splitter.heed(not status & NO_BACKSLASH_ESCAPES, self._charset)

    def _place(self, line: int) -> str:
        return place_of(self._dump.label(self._path), line)

    def _source(self, item: Source, including: tuple[str, ...]) -> float:
        """Load a sourced file; return the seconds that it took."""
        self._flush()
        here = self._path
        path = resolve(here, item.name)
        if not os.path.isfile(path):
            place = self._place(item.line)
            proof = [f"source {item.name}", f"{path} is not a file"]
            raise LoadError("load.file_missing", place, proof, file=item.name)
        started = time.monotonic()
        self._file(path, including)
        self._path = here
        return time.monotonic() - started

    def _statement(self, item: Statement) -> None:
        """Put rows into the batch, or send anything else."""
        insert = item.insert
        key = (insert.schema, insert.table, insert.columns) if insert else ("", "", b"")
        found = self._fits.get(key)
        if insert is None or found is None:
            self._flush()
            self._run(item)
            self._progress.done += len(item.text)
            self._fits.clear()
            return
        for piece in pieces(item.text, insert):
            if self._batch is None or self._batch.key != key or self._batch.size >= CHUNK:
                self._flush()
                self._batch = Batch(key, found, insert.header)
            self._batch.add(item, piece)
        self._checkpoint()

    def _rows_of(self, schema: str, table: str, columns: bytes) -> Rows | None:
        """Return how rows of a table look that LOAD DATA takes; asked by the splitter."""
        place = self._place(self._splitter.line if self._splitter else 1)
        raw = schema.encode("utf-8", "surrogateescape")
        self._judge.schema(b"`" + raw.replace(b"`", b"``") + b"`" if raw else b"", place, raw)
        if not self._fast:
            return None
        key = (schema, table, columns)
        if key not in self._fits:
            self._flush()
            self._fits[key] = fit(self._session, self._other, *key)
        found = self._fits[key]
        return found.rows if found else None

    def _run(self, item: Statement) -> None:
        """Send a statement, or what of it may be sent. Raises LoadError."""
        place = self._place(item.line)
        judged = self._judge.statement(item.text, place, compound=item.compound)
        if judged.send != item.text:
            what = "what hides rows from replicas was left out"
            self._warn(f"{place}: {what}: {shown(item.text)}")
        if judged.prepares:
            self._prepares(judged.prepares, place)
        if judged.send:
            self._send(item, judged.send, many=judged.many)
        if judged.asks:
            self._look(item, place)

    def _prepares(self, variable: bytes, place: str) -> None:
        """Judge the text that a user variable has and that is to be prepared."""
        name = quote_identifier(unquoted(variable))
        text = self._session.value(f"SELECT @{name}")
        if isinstance(text, (str, bytes)):
            self._judge.prepared(text.encode() if isinstance(text, str) else text, place)

    def _look(self, item: Statement, place: str) -> None:
        """Read what a statement made of the session, whatever its text looked like."""
        row = self._session.query(
            "SELECT @@SESSION.sql_log_bin AS log, @@SESSION.character_set_client AS charset"
        )[0]
        self._charset = str(row["charset"])
        self._judge = replace(self._judge, charset=self._charset)
        if not row["log"]:
            proof = [f"{place}: {shown(item.text)}", "@@SESSION.sql_log_bin is 0 after it"]
            raise LoadError("load.hides_rows", place, proof)

    def _committed(self) -> None:
        """See that the session's end takes nothing back. Raises LoadError."""
        if not self._session.raw.server_status & IN_TRANSACTION:
            return
        proof = self._waiting()
        if proof:
            raise LoadError("load.uncommitted", self._dump.label(self._path), [proof])

    def _waiting(self) -> str:
        """Return what the session's transaction has not committed; empty if it only read."""
        try:
            rows = self._other.value(
                "SELECT SUM(trx_rows_modified) FROM information_schema.innodb_trx"
                " WHERE trx_mysql_thread_id = %s",
                (self._session.raw.thread_id(),),
            )
        except MysqlError as error:
            if error.errno != ACCESS_DENIED:
                raise
            return "its transaction is open; whether it changed rows cannot be read without PROCESS"
        return f"{rows} rows of it are not committed" if rows else ""

    def _flush(self) -> None:
        """Send the rows that wait."""
        batch, self._batch = self._batch, None
        if batch is None:
            return
        started = time.monotonic()
        table = self._text(batch.key[1])
        records = self._load(batch)
        method = "load_data" if records is not None else "insert"
        if records is None:
            records = self._insert(batch)
        self._progress.done += batch.size
        spent = time.monotonic() - started
        self._progress.taken(table, records, batch.size, spent, method)
        self._checkpoint()

    def _load(self, batch: Batch) -> int | None:
        """Return the rows that LOAD DATA took; None, and nothing changed, if it complained."""
        schema, table, columns = batch.key
        sql = statement(schema, table, columns, batch.fit.charset)
        first = batch.pieces[0][0]
        begin, commit, back = self._transaction()
        try:
            self._session.execute(begin)
            loaded = load(self._session, sql, batch.rows())
            if loaded.clean:
                self._session.execute(commit)
                return loaded.records
            proof = self._complaints(loaded)
            self._session.execute(back)
        except MysqlError as error:
            if error.lost or self._only_fast:
                self._refuse(error, first, sql)
            self._session.execute(back)
            self._fast = self._fast and error.errno not in LOCAL_OFF
            proof = [f"{error.reason} ({error.errno})"]
        if self._only_fast:
            place = self._place(first.line)
            raise LoadError("load.rows_skipped", place, proof, table=self._text(table))
        self._say(f"{self._text(table)}: LOAD DATA said {proof[0]}; these rows go by INSERT")
        return None

    def _text(self, name: str) -> str:
        """Return a name as text; until here it is the bytes of the session's character set."""
        return decoded(name.encode("utf-8", "surrogateescape"), self._charset)

    def _transaction(self) -> tuple[str, str, str]:
        """Return how to begin, keep and take back a load, in a transaction of the dump too."""
        status = self._session.raw.server_status
        if status & AUTOCOMMIT and not status & IN_TRANSACTION:
            return "START TRANSACTION", "COMMIT", "ROLLBACK"
        name = "mysql_on_kubernetes"
        return f"SAVEPOINT {name}", f"RELEASE SAVEPOINT {name}", f"ROLLBACK TO SAVEPOINT {name}"

    def _complaints(self, loaded: Loaded) -> list[str]:
        """Return the server's own words on rows that LOAD DATA changed or skipped."""
        rows = self._session.query("SHOW WARNINGS LIMIT 5")
        said = [f"{row['message']} ({row['code']})" for row in rows]
        counted = f"skipped {loaded.skipped}, warnings {loaded.warnings} of {loaded.records} rows"
        return [*said, counted] if said else [counted]

    def _insert(self, batch: Batch) -> int:
        """Send the rows of a batch as the INSERTs that they were; return how many arrived."""
        rows = 0
        for item, values in batch.statements():
            for sql in inserts(batch.header, values, batch.fit.rows, self._limit):
                rows += self._execute(item, sql)
        return rows

    def _send(self, item: Statement, sql: bytes, *, many: bool) -> None:
        """Send a statement as it stands, and count its rows if it brings some."""
        into = INTO.match(sql)
        started = time.monotonic()
        with several(self._session) if many else nullcontext():
            rows = self._execute(item, sql)
        if into:
            spent = time.monotonic() - started
            self._progress.taken(name_of(into[1], self._charset), rows, len(sql), spent, "insert")
            self._checkpoint()

    def _execute(self, item: Statement, sql: bytes) -> int:
        """Send one statement; show what it prints; return the rows that it changed."""
        if len(sql) > self._limit:
            raise self._too_large(item, sql)
        raw = self._session.raw
        try:
            with raw.cursor() as cursor:
                changed = cursor.execute(sql)
                if cursor.description:
                    self._printed(cursor.fetchone())
                    changed = 0
                while cursor.nextset():
                    if cursor.description:
                        self._printed(cursor.fetchone())
                    else:
                        changed += cursor.rowcount
        except driver_errors() as error:
            what = translated(error, "The server refused a statement")
            self._refuse(what, item, sql)
        return int(changed)

    def _printed(self, row: tuple[object, ...] | None) -> None:
        if row:
            self._say("the dump says: " + " ".join(str(value) for value in row)[:200])

    def _too_large(self, item: Statement, sql: bytes) -> LoadError:
        proof = [
            f"the statement has {len(sql):,} bytes, max_allowed_packet is {self._limit + 1024:,}",
            f"statement: {shown(sql)}",
        ]
        return LoadError("load.packet_too_large", self._place(item.line), proof)

    def _refuse(self, error: MysqlError, item: Statement, sql: bytes) -> NoReturn:
        done = f"before it {self._progress.rows:,} rows were loaded"
        raise refused(error, self._place(item.line), sql, [done]) from error

    def _checkpoint(self, *, now: bool = False) -> None:
        """Note from time to time which transactions carry the rows so far."""
        if now or time.monotonic() - self._checked >= CHECKPOINT_EVERY:
            self._checked = time.monotonic()
            gtids = self._other.value("SELECT @@GLOBAL.gtid_executed")
            self._progress.checkpoint(str(gtids).replace("\n", ""))
