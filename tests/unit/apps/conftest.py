# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import pytest

from apps.common.database import DatabaseError, Row

HIRED = datetime.date(1986, 6, 26)
BORN = datetime.date(1953, 9, 2)
FOREVER = datetime.date(9999, 1, 1)


@dataclass
class FakeInstance:
    """A server that knows one employee and one department."""

    server_id: int
    read_only: int
    kept: list[int] = field(default_factory=list)

    def row(self) -> Row:
        return {
            "server_uuid": f"uuid-{self.server_id}",
            "server_id": self.server_id,
            "hostname": f"mysql-{self.server_id}",
            "version": "9.7.4",
            "read_only": self.read_only,
        }


class FakeSession:
    def __init__(self, instance: FakeInstance, first_name: str) -> None:
        self.instance = instance
        self.first_name = first_name

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        known = not params or params[0] in (10001, "d005", 0)
        for fragment, rows in self.answers():
            if fragment in sql:
                return rows if known else []
        raise AssertionError(f"the app asked something new: {sql}")

    def answers(self) -> list[tuple[str, list[Row]]]:
        person = {
            "emp_no": 10001,
            "first_name": self.first_name,
            "last_name": "Facello",
            "birth_date": BORN,
            "gender": "M",
            "hire_date": HIRED,
        }
        period = {"from_date": HIRED, "to_date": FOREVER}
        department = {"dept_no": "d005", "dept_name": "Research & Development"}
        return [
            ("@@server_uuid", [self.instance.row()]),
            ("SELECT 1", [{"1": 1}]),
            ("UNION ALL", [{"table_name": "employees", "row_count": 300024}]),
            ("COUNT(e.emp_no)", [{**department, "employees": 61386}]),
            ("FROM titles", [{"title": "Senior Engineer", **period}]),
            ("FROM salaries", [{"salary": 60117, **period}]),
            ("FROM dept_emp de JOIN departments", [{**department, **period}]),
            ("FROM departments", [department]),
            ("FROM dept_emp de JOIN employees", [person]),
            ("FROM employees", [person]),
        ]

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        if self.instance.read_only:
            raise DatabaseError("database.read_only", "mysql-write", "(1290) --read-only")
        assert sql.startswith("INSERT INTO employees ")
        self.instance.kept.append(params[0])
        return 1


class FakeDatabase:
    """One primary and two replicas that take turns, or nothing at all."""

    name = "employees"

    def __init__(self) -> None:
        self.primary = FakeInstance(1, read_only=0)
        self.replicas = cycle([FakeInstance(11, read_only=1), FakeInstance(12, read_only=1)])
        self.away: DatabaseError | None = None
        self.first_name = "Georgi"
        self.connections = 0

    @contextmanager
    def read(self) -> Iterator[FakeSession]:
        yield self._session(next(self.replicas))

    @contextmanager
    def write(self) -> Iterator[FakeSession]:
        session = self._session(self.primary)
        yield session
        session.instance.kept.clear()

    def _session(self, instance: FakeInstance) -> FakeSession:
        if self.away is not None:
            raise self.away
        self.connections += 1
        return FakeSession(instance, self.first_name)


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def away(database: FakeDatabase) -> FakeDatabase:
    database.away = DatabaseError("database.unreachable", "mysql-read", "(2003) Connection refused")
    return database
