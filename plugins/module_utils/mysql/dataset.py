# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A data set of the public employees schema: the same files and row counts, people of our own.

The same scale and seed give the same bytes on every machine: all chance comes from one
``random.Random(seed).random``, whose sequence Python promises to keep.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ..finding import CollectionError
from .dataset_words import DEPARTMENTS, FIRST_NAMES, LAST_NAMES, TITLES

FULL = {
    "departments": 9,
    "employees": 300_024,
    "dept_emp": 331_603,
    "dept_manager": 24,
    "titles": 443_308,
    "salaries": 2_844_047,
}
"""Rows of the public data set, by its own test file."""

FIXED = frozenset({"departments", "dept_manager"})
SMALLEST, LARGEST = 0.001, 1.0

FIRST_DAY = date(1950, 1, 1)
BIRTHS = (date(1952, 2, 1), date(1965, 2, 1))
HIRES = (date(1985, 1, 1), date(2000, 1, 28))
LAST_DAY = date(2002, 8, 1)
YEAR = 365
FOREVER = "'9999-01-01'"
FIRST_NUMBER = 10_001
LEAVERS = 0.2
MANAGERS = (2, 2, 2, 4, 2, 4, 2, 2, 4)
"""Managers of each department, one after the other."""

RAISES = (-900, -250, 0, 300, 700, 1100, 1400, 1700, 2000, 2300, 2700, 3100, 3600, 4200, 900, 1500)


Chance = Callable[[], float]


def counts(scale: float) -> dict[str, int]:
    """Return the rows of each table. Raises CollectionError for a scale out of its range."""
    if not SMALLEST <= scale <= LARGEST:
        raise CollectionError(
            f"scale: {scale:g} was given; it must be from {SMALLEST:g} to {LARGEST:g}"
        )
    return {name: full if name in FIXED else round(full * scale) for name, full in FULL.items()}


def days(moment: date) -> int:
    """Return a day as a number, from the first one that is used."""
    return (moment - FIRST_DAY).days


def dates() -> list[str]:
    """Return each day's SQL literal, by its number."""
    last = days(LAST_DAY) + YEAR + 1
    return [f"'{(FIRST_DAY + timedelta(number)).isoformat()}'" for number in range(last + 1)]


def spread(candidates: Sequence[int], wanted: int) -> list[int]:
    """Return so many of the candidates, evenly spread, in their order."""
    size = len(candidates)
    return [candidates[number * size // wanted] for number in range(wanted)]


@dataclass(frozen=True)
class People:
    """Who works there, from when to when. Index: the number of an employee, from 0.

    hired: day. years: how many yearly salaries. left: day, 0 who is still there.
    department: index. moved: day of a move to the next department, 0 for none.
    careers: how many titles.
    """

    rows: dict[str, int]
    hired: array[int]
    years: array[int]
    left: array[int]
    department: array[int]
    moved: array[int]
    careers: array[int]
    managers: dict[int, int]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.hired)


def people(scale: float, seed: int) -> People:
    """Return everybody's dates, such that each table gets exactly its rows."""
    rows = counts(scale)
    rng = random.Random(f"{seed}:people").random
    total = rows["employees"]
    managers = _managers(total)
    hired = _hired(rng, total, managers)
    most = array("i", ((days(LAST_DAY) - day - 1) // YEAR + 1 for day in hired))
    years = _years(rng, most, rows["salaries"], managers)
    left = array("i", bytes(4 * total))
    for number, (day, served) in enumerate(zip(hired, years, strict=True)):
        if served < most[number]:
            left[number] = day + YEAR * (served - 1) + 1 + int(rng() * (YEAR - 1))
    department = _departments(rng, total, managers)
    moved = _moved(rng, hired, years, rows["dept_emp"] - total, managers)
    careers = _careers(years, rows["titles"] - total, managers)
    return People(rows, hired, years, left, department, moved, careers, managers)


def _managers(total: int) -> dict[int, int]:
    """Return who leads which department, in the order of the departments."""
    numbers = iter(spread(range(total), sum(MANAGERS)))
    return {next(numbers): index for index, many in enumerate(MANAGERS) for _each in range(many)}


def _hired(rng: Chance, total: int, managers: dict[int, int]) -> array[int]:
    first, last = days(HIRES[0]), days(HIRES[1])
    hired = array("i", (first + int(rng() * (last - first + 1)) for _each in range(total)))
    for number in managers:
        hired[number] = first
    return hired


def _years(rng: Chance, most: array[int], wanted: int, managers: dict[int, int]) -> array[int]:
    """Return how many salaries each one gets, ``wanted`` of them in all, 1 to most each."""
    years = array("i", most)
    for number, limit in enumerate(most):
        if number not in managers and rng() < LEAVERS:
            years[number] = 1 + int(rng() * limit)
    missing = wanted - sum(years)
    while missing:
        before = missing
        for number, limit in enumerate(most):
            if missing > 0 and years[number] < limit:
                years[number] += 1
                missing -= 1
            elif missing < 0 and years[number] > 1 and number not in managers:
                years[number] -= 1
                missing += 1
        if missing == before:
            raise CollectionError(f"{wanted} salaries do not fit {len(most)} employees")
    return years


def _departments(rng: Chance, total: int, managers: dict[int, int]) -> array[int]:
    shares = [index for index, (_name, share) in enumerate(DEPARTMENTS) for _each in range(share)]
    department = array("i", (shares[int(rng() * len(shares))] for _each in range(total)))
    for number, index in managers.items():
        department[number] = index
    return department


def _moved(
    rng: Chance,
    hired: array[int],
    years: array[int],
    wanted: int,
    managers: dict[int, int],
) -> array[int]:
    """Return the day on which some went to another department, within their service."""
    moved = array("i", bytes(4 * len(hired)))
    able = [n for n, served in enumerate(years) if served >= 2 and n not in managers]
    for number in spread(able, wanted):
        moved[number] = hired[number] + 1 + int(rng() * YEAR * (years[number] - 1))
    return moved


def _careers(years: array[int], wanted: int, managers: dict[int, int]) -> array[int]:
    """Return how many titles each one had: ``wanted`` more than one each, three at most."""
    careers = array("i", [1]) * len(years)
    able = [n for n, served in enumerate(years) if served >= 2 and n not in managers]
    thirds = wanted // 10
    promoted = spread(able, wanted - thirds)
    twice = [number for number in promoted if years[number] >= 3]
    for number in (*promoted, *spread(twice, thirds)):
        careers[number] += 1
    return careers


def employee_rows(who: People, seed: int, day: Sequence[str]) -> Iterator[str]:
    """Return the rows of employees as SQL tuples."""
    rng = random.Random(f"{seed}:names").random
    born, span = days(BIRTHS[0]), days(BIRTHS[1]) - days(BIRTHS[0])
    firsts, lasts = len(FIRST_NAMES), len(LAST_NAMES)
    for number, hired in enumerate(who.hired):
        birth = day[born + int(rng() * span)]
        names = f"'{FIRST_NAMES[int(rng() * firsts)]}','{LAST_NAMES[int(rng() * lasts)]}'"
        gender = "M" if rng() < 0.6 else "F"
        yield f"({FIRST_NUMBER + number},{birth},{names},'{gender}',{day[hired]})"


def department_rows() -> Iterator[str]:
    """Return the rows of departments."""
    for index, (name, _share) in enumerate(DEPARTMENTS):
        yield f"('d{index + 1:03}','{name}')"


def dept_emp_rows(who: People, day: Sequence[str]) -> Iterator[str]:
    """Return the rows of dept_emp: one for each department that an employee was in."""
    for number, hired in enumerate(who.hired):
        left, moved, index = who.left[number], who.moved[number], who.department[number]
        start, end = day[hired], day[left] if left else FOREVER
        head = f"({FIRST_NUMBER + number},'d"
        if moved:
            yield f"{head}{index + 1:03}',{start},{day[moved]})"
            start, index = day[moved], (index + 1 + number % 7) % len(DEPARTMENTS)
        yield f"{head}{index + 1:03}',{start},{end})"


def dept_manager_rows(who: People, day: Sequence[str]) -> Iterator[str]:
    """Return the rows of dept_manager: those of a department follow each other."""
    first, last = days(HIRES[0]), days(LAST_DAY)
    chains: dict[int, list[int]] = {}
    for number, index in who.managers.items():
        chains.setdefault(index, []).append(number)
    for index, chain in chains.items():
        terms = [first + (last - first) * place // len(chain) for place in range(len(chain))]
        for place, number in enumerate(chain):
            end = day[terms[place + 1]] if place + 1 < len(chain) else FOREVER
            yield f"({FIRST_NUMBER + number},'d{index + 1:03}',{day[terms[place]]},{end})"


def title_rows(who: People, day: Sequence[str]) -> Iterator[str]:
    """Return the rows of titles: a career within the time of service."""
    last = days(LAST_DAY)
    for number, hired in enumerate(who.hired):
        left, steps = who.left[number], who.careers[number]
        career = TITLES[-1] if number in who.managers else TITLES[number % (len(TITLES) - 1)]
        served = (left or last) - hired
        bounds = [day[hired + served * step // steps] for step in range(steps)]
        bounds.append(day[left] if left else FOREVER)
        for step in range(steps):
            span = f"{bounds[step]},{bounds[step + 1]}"
            yield f"({FIRST_NUMBER + number},'{career[step]}',{span})"


def salary_rows(who: People, seed: int, day: Sequence[str]) -> Iterator[str]:
    """Return the rows of salaries: one a year of service."""
    rng = random.Random(f"{seed}:salaries").random
    raises = len(RAISES)
    for number, start in enumerate(who.hired):
        head = f"({FIRST_NUMBER + number},"
        salary = 38_000 + int(rng() * rng() * 50_000)
        left, final = who.left[number], start + YEAR * (who.years[number] - 1)
        for begin in range(start, final, YEAR):
            yield f"{head}{salary},{day[begin]},{day[begin + YEAR]})"
            salary += RAISES[int(rng() * raises)]
        yield f"{head}{salary},{day[final]},{day[left] if left else FOREVER})"
