# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the generated data set: the layout of the public one, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..progress import duration
from . import dataset
from .dataset_schema import MAIN, SCHEMA
from .dialect import quote_identifier
from .load_error import LoadError

FORMAT = 1
"""Raised with every change of the bytes that are written."""

MANIFEST = "dataset.json"
ROWS_A_STATEMENT = 25_000
SALARY_FILES = 3

ELAPSED = """\
-- How long the load took: from the first table's making to the last change of the largest one.
SELECT TIMEDIFF(
    (SELECT update_time FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name = 'salaries'),
    (SELECT create_time FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name = 'employees')
) AS data_load_time_diff;
"""


@dataclass(frozen=True)
class Wanted:
    """Which data set, and where. path: its folder."""

    path: str
    scale: float
    seed: int
    database: str

    def manifest(self, sizes: dict[str, int]) -> dict[str, Any]:
        """Return what is noted beside the files. sizes: bytes of each."""
        return {
            "format": FORMAT,
            "scale": self.scale,
            "seed": self.seed,
            "database": self.database,
            "rows": dataset.counts(self.scale),
            "files": sizes,
        }


@dataclass
class Written:
    """How far the writing is, for whoever shows it."""

    total: int
    table: str = ""
    rows: int = 0
    started: float = 0.0

    def line(self) -> str:
        """Return where it is: what, how far, how fast, how long yet."""
        seconds = max(time.monotonic() - self.started, 0.001)
        share = self.rows / self.total
        left = duration(seconds * (1 - share) / share) if share else "unknown"
        speed = f"{self.rows / seconds:,.0f} rows/s"
        return f"{self.table} | {self.rows:,} rows | {share:.0%} | {speed} | {left} left"


def present(wanted: Wanted) -> dict[str, Any] | None:
    """Return the manifest if the folder holds this very data set, whole."""
    try:
        with open(os.path.join(wanted.path, MANIFEST), encoding="utf-8") as stream:
            noted: dict[str, Any] = json.load(stream)
        sizes = {name: os.path.getsize(os.path.join(wanted.path, name)) for name in noted["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return noted if noted == wanted.manifest(sizes) else None


def refuse(wanted: Wanted) -> None:
    """Raise LoadError if the folder holds what is not ours to replace."""
    if not os.path.lexists(wanted.path):
        return
    if not os.path.isdir(wanted.path):
        raise LoadError("dataset.folder_in_use", wanted.path, ["it is not a folder"])
    held = sorted(os.listdir(wanted.path))
    if held and MANIFEST not in held:
        shown = ", ".join(held[:5])
        proof = [f"{MANIFEST} is not in it; {len(held)} others are: {shown}"]
        raise LoadError("dataset.folder_in_use", wanted.path, proof)


def write(wanted: Wanted, written: Written) -> dict[str, Any]:
    """Write all files beside the folder, then put them in its place. Raises LoadError."""
    parent = os.path.dirname(os.path.abspath(wanted.path))
    try:
        os.makedirs(parent, exist_ok=True)
        made = tempfile.mkdtemp(prefix=".dataset-", dir=parent)
        try:
            manifest = _fill(made, wanted, written)
            os.chmod(made, 0o755)
            if os.path.lexists(wanted.path):
                shutil.rmtree(wanted.path)
            os.rename(made, wanted.path)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        reason = str(error.strerror or error)
        raise LoadError("dataset.unwritable", wanted.path, [str(error)], reason=reason) from error
    return manifest


def _fill(folder: str, wanted: Wanted, written: Written) -> dict[str, Any]:
    written.started = time.monotonic()
    for name, table, rows in _tables(wanted):
        written.table = table
        _write_rows(os.path.join(folder, name), table, rows, written)
    quoted = quote_identifier(wanted.database)
    main = MAIN.format(database=quoted, schema=SCHEMA, scale=wanted.scale, seed=wanted.seed)
    for name, text in (("employees.sql", main), ("show_elapsed.sql", ELAPSED)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            stream.write(text)
    sizes = {name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)}
    manifest = wanted.manifest(sizes)
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1, sort_keys=True)
    return manifest


def _tables(wanted: Wanted) -> Iterator[tuple[str, str, Iterator[str]]]:
    """Return each file of rows: its name, its table, and the rows."""
    day: Sequence[str] = dataset.dates()
    who = dataset.people(wanted.scale, wanted.seed)
    single = {
        "departments": dataset.department_rows(),
        "employees": dataset.employee_rows(who, wanted.seed, day),
        "dept_emp": dataset.dept_emp_rows(who, day),
        "dept_manager": dataset.dept_manager_rows(who, day),
        "titles": dataset.title_rows(who, day),
    }
    for table, rows in single.items():
        yield f"load_{table}.dump", table, rows
    salaries = dataset.salary_rows(who, wanted.seed, day)
    total = who.rows["salaries"]
    for part in range(SALARY_FILES):
        share = total * (part + 1) // SALARY_FILES - total * part // SALARY_FILES
        yield f"load_salaries{part + 1}.dump", "salaries", islice(salaries, share)


def _write_rows(path: str, table: str, rows: Iterator[str], written: Written) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        while chunk := list(islice(rows, ROWS_A_STATEMENT)):
            stream.write(f"INSERT INTO `{table}` VALUES ")
            stream.write(",\n".join(chunk))
            stream.write(";\n")
            written.rows += len(chunk)
