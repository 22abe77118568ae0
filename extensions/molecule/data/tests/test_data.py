"""The data is everywhere, and it was loaded once."""

from __future__ import annotations

import pytest

from extensions.molecule.shared import lab

TABLES = ("departments", "dept_emp", "dept_manager", "employees", "salaries", "titles")


@pytest.fixture(scope="module")
def hosts():
    return lab.instances()


@pytest.mark.parametrize("table", TABLES)
def test_the_same_rows_are_everywhere(hosts, table):
    sql = f"CHECKSUM TABLE employees.{table}"
    found = {name: lab.query(host, sql) for name, host in hosts.items()}
    assert set(found) == {"mysql-1", "mysql-11"}
    assert len(set(found.values())) == 1
    assert not found["mysql-1"].endswith("\t0")


def test_converging_again_loaded_nothing(hosts):
    counted = "SELECT COUNT(*) FROM mysql_on_kubernetes.loads"
    assert lab.query(hosts["mysql-1"], counted) == "1"
    rows = int(lab.query(hosts["mysql-1"], "SELECT COUNT(*) FROM employees.employees"))
    assert rows == int(lab.query(hosts["mysql-11"], "SELECT COUNT(*) FROM employees.employees"))
    assert rows > 100
