# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of the public employees schema, and the file that loads the generated rows."""

from __future__ import annotations

SCHEMA = """\
CREATE TABLE employees (
    emp_no     INT             NOT NULL,
    birth_date DATE            NOT NULL,
    first_name VARCHAR(14)     NOT NULL,
    last_name  VARCHAR(16)     NOT NULL,
    gender     ENUM ('M', 'F') NOT NULL,
    hire_date  DATE            NOT NULL,
    PRIMARY KEY (emp_no)
);

CREATE TABLE departments (
    dept_no   CHAR(4)     NOT NULL,
    dept_name VARCHAR(40) NOT NULL,
    PRIMARY KEY (dept_no),
    UNIQUE KEY (dept_name)
);

CREATE TABLE dept_manager (
    emp_no    INT     NOT NULL,
    dept_no   CHAR(4) NOT NULL,
    from_date DATE    NOT NULL,
    to_date   DATE    NOT NULL,
    FOREIGN KEY (emp_no) REFERENCES employees (emp_no) ON DELETE CASCADE,
    FOREIGN KEY (dept_no) REFERENCES departments (dept_no) ON DELETE CASCADE,
    PRIMARY KEY (emp_no, dept_no)
);

CREATE TABLE dept_emp (
    emp_no    INT     NOT NULL,
    dept_no   CHAR(4) NOT NULL,
    from_date DATE    NOT NULL,
    to_date   DATE    NOT NULL,
    FOREIGN KEY (emp_no) REFERENCES employees (emp_no) ON DELETE CASCADE,
    FOREIGN KEY (dept_no) REFERENCES departments (dept_no) ON DELETE CASCADE,
    PRIMARY KEY (emp_no, dept_no)
);

CREATE TABLE titles (
    emp_no    INT         NOT NULL,
    title     VARCHAR(50) NOT NULL,
    from_date DATE        NOT NULL,
    to_date   DATE,
    FOREIGN KEY (emp_no) REFERENCES employees (emp_no) ON DELETE CASCADE,
    PRIMARY KEY (emp_no, title, from_date)
);

CREATE TABLE salaries (
    emp_no    INT  NOT NULL,
    salary    INT  NOT NULL,
    from_date DATE NOT NULL,
    to_date   DATE NOT NULL,
    FOREIGN KEY (emp_no) REFERENCES employees (emp_no) ON DELETE CASCADE,
    PRIMARY KEY (emp_no, from_date)
);

# An employee's newest department: first its dates, then which one it is.
CREATE OR REPLACE VIEW dept_emp_latest_date AS
    SELECT emp_no, MAX(from_date) AS from_date, MAX(to_date) AS to_date
    FROM dept_emp
    GROUP BY emp_no;

CREATE OR REPLACE VIEW current_dept_emp AS
    SELECT newest.emp_no, member.dept_no, newest.from_date, newest.to_date
    FROM dept_emp AS member
    JOIN dept_emp_latest_date AS newest
      ON newest.emp_no = member.emp_no
     AND newest.from_date = member.from_date
     AND newest.to_date = member.to_date;
"""

MAIN = """\
-- Employees of a company that does not exist, generated: scale {scale}, seed {seed}.
-- The schema and the layout of the files are those of the public employees data set.

DROP DATABASE IF EXISTS {database};
CREATE DATABASE IF NOT EXISTS {database};
USE {database};

SELECT 'CREATING TABLES' AS 'INFO';
/*!50503 SET default_storage_engine = InnoDB */;

{schema}
flush /*!50503 binary */ logs;

SELECT 'LOADING departments' AS 'INFO';
source load_departments.dump ;
SELECT 'LOADING employees' AS 'INFO';
source load_employees.dump ;
SELECT 'LOADING dept_emp' AS 'INFO';
source load_dept_emp.dump ;
SELECT 'LOADING dept_manager' AS 'INFO';
source load_dept_manager.dump ;
SELECT 'LOADING titles' AS 'INFO';
source load_titles.dump ;
SELECT 'LOADING salaries' AS 'INFO';
source load_salaries1.dump ;
source load_salaries2.dump ;
source load_salaries3.dump ;

source show_elapsed.sql ;
"""
