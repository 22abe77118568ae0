# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the apps ask the employees database. Every function takes an open session."""

from __future__ import annotations

import secrets

from .database import Row, Session

TABLES = ("employees", "departments", "dept_manager", "dept_emp", "titles", "salaries")

INSTANCE = (
    "SELECT @@server_uuid AS server_uuid, @@server_id AS server_id, @@hostname AS hostname,"
    " @@version AS version, @@read_only AS read_only"
)

# Of the column's type, INT.
LARGEST = 2_147_483_647
# Characters of a department's number, CHAR(4).
DEPT_NO_LENGTH = 4

# Far above the numbers of the data set, so that the row can be nobody's.
FIRST_SPARE_EMP_NO = 1_000_000_000


def instance(session: Session) -> Row:
    """Return which instance answered: server_uuid, server_id, hostname, version, read_only."""
    row = session.query(INSTANCE)[0]
    return {**row, "read_only": bool(row["read_only"])}


def ping(session: Session) -> None:
    """Ask for nothing; raises where the instance does not answer."""
    session.query("SELECT 1")


def write_proof(session: Session) -> Row:
    """Insert an employee that the session rolls back, and return who took it.

    Leaves no row and nothing in the binary log; an instance that may not be written to refuses.
    Returns the instance's row and emp_no.
    """
    emp_no = FIRST_SPARE_EMP_NO + secrets.randbelow(1_000_000_000)
    session.execute(
        "INSERT INTO employees (emp_no, birth_date, first_name, last_name, gender, hire_date)"
        " VALUES (%s, '1970-01-01', 'Load', 'Test', 'F', CURRENT_DATE)",
        (emp_no,),
    )
    return {**instance(session), "emp_no": emp_no}


def departments(session: Session) -> list[Row]:
    """Return every department with how many work in it today: dept_no, dept_name, employees."""
    return session.query(
        "SELECT d.dept_no, d.dept_name, COUNT(e.emp_no) AS employees FROM departments d"
        " LEFT JOIN dept_emp e ON e.dept_no = d.dept_no AND e.to_date > CURRENT_DATE"
        " GROUP BY d.dept_no, d.dept_name ORDER BY d.dept_no"
    )


def department(session: Session, dept_no: str) -> Row | None:
    """Return one department (dept_no, dept_name), or None."""
    rows = session.query(
        "SELECT dept_no, dept_name FROM departments WHERE dept_no = %s", (dept_no,)
    )
    return rows[0] if rows else None


def department_employees(session: Session, dept_no: str, limit: int) -> list[Row]:
    """Return up to ``limit`` people who work in a department today, by number."""
    return session.query(
        "SELECT e.emp_no, e.first_name, e.last_name, e.hire_date FROM dept_emp de"
        " JOIN employees e ON e.emp_no = de.emp_no"
        " WHERE de.dept_no = %s AND de.to_date > CURRENT_DATE ORDER BY e.emp_no LIMIT %s",
        (dept_no, limit),
    )


def employees(session: Session, after: int, limit: int) -> list[Row]:
    """Return up to ``limit`` employees whose number is above ``after``, by number."""
    return session.query(
        "SELECT emp_no, first_name, last_name, birth_date, gender, hire_date FROM employees"
        " WHERE emp_no > %s ORDER BY emp_no LIMIT %s",
        (after, limit),
    )


def employee(session: Session, emp_no: int) -> Row | None:
    """Return an employee with titles, departments and salaries, or None."""
    rows = session.query(
        "SELECT emp_no, first_name, last_name, birth_date, gender, hire_date"
        " FROM employees WHERE emp_no = %s",
        (emp_no,),
    )
    if not rows:
        return None
    history = {
        "titles": "SELECT title, from_date, to_date FROM titles"
        " WHERE emp_no = %s ORDER BY from_date",
        "departments": "SELECT d.dept_no, d.dept_name, de.from_date, de.to_date FROM dept_emp de"
        " JOIN departments d ON d.dept_no = de.dept_no WHERE de.emp_no = %s ORDER BY de.from_date",
        "salaries": "SELECT salary, from_date, to_date FROM salaries"
        " WHERE emp_no = %s ORDER BY from_date",
    }
    return {**rows[0], **{key: session.query(sql, (emp_no,)) for key, sql in history.items()}}


def counts(session: Session) -> dict[str, int]:
    """Return how many rows each table of the data set has."""
    # The names are constants of this file; nothing from outside reaches the statement.
    sql = " UNION ALL ".join(
        f"SELECT '{table}' AS table_name, COUNT(*) AS row_count FROM {table}" for table in TABLES
    )
    return {row["table_name"]: row["row_count"] for row in session.query(sql)}
