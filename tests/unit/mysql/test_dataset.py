"""The generated employees: exact counts, the same bytes, and rows that fit together."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import (
    dataset,
    dataset_files,
    dataset_words,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_error import LoadError

SCALE = 0.004


def make(path: Path, *, scale: float = SCALE, seed: int = 1) -> Path:
    wanted = dataset_files.Wanted(str(path), scale, seed, "employees")
    dataset_files.write(wanted, dataset_files.Written(1))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data") / "employees")


def rows(folder: Path, table: str) -> list[list[str]]:
    found: list[list[str]] = []
    for file in sorted(folder.glob(f"load_{table}*.dump")):
        tuples = re.findall(r"\((.*)\)[,;]$", file.read_text(), re.MULTILINE)
        found += [row.replace("'", "").split(",") for row in tuples]
    return found


def test_the_public_counts_are_met_at_full_scale() -> None:
    assert dataset.counts(1.0) == {
        "departments": 9,
        "employees": 300_024,
        "dept_emp": 331_603,
        "dept_manager": 24,
        "titles": 443_308,
        "salaries": 2_844_047,
    }


@pytest.mark.parametrize("scale", [0.001, SCALE, 0.0137])
def test_each_file_has_exactly_its_rows(tmp_path: Path, scale: float) -> None:
    made = make(tmp_path / "data", scale=scale)
    for table, wanted in dataset.counts(scale).items():
        assert len(rows(made, table)) == wanted, table


def test_the_layout_is_that_of_the_public_set(folder: Path) -> None:
    expected = {
        "employees.sql",
        "load_departments.dump",
        "load_dept_emp.dump",
        "load_dept_manager.dump",
        "load_employees.dump",
        "load_salaries1.dump",
        "load_salaries2.dump",
        "load_salaries3.dump",
        "load_titles.dump",
        "show_elapsed.sql",
        "dataset.json",
    }
    assert {file.name for file in folder.iterdir()} == expected
    sourced = re.findall(r"^source (\S+) ;$", (folder / "employees.sql").read_text(), re.MULTILINE)
    assert set(sourced) == expected - {"employees.sql", "dataset.json"}


def test_keys_are_unique_and_point_to_rows_that_are_there(folder: Path) -> None:
    people = {row[0] for row in rows(folder, "employees")}
    departments = {row[0] for row in rows(folder, "departments")}
    keys = {
        "employees": lambda row: row[0],
        "dept_emp": lambda row: (row[0], row[1]),
        "dept_manager": lambda row: (row[0], row[1]),
        "titles": lambda row: (row[0], row[1], row[2]),
        "salaries": lambda row: (row[0], row[2]),
    }
    for table, key in keys.items():
        found = rows(folder, table)
        assert len({key(row) for row in found}) == len(found), table
        assert {row[0] for row in found} <= people
        if table in ("dept_emp", "dept_manager"):
            assert {row[1] for row in found} == departments


def test_dates_are_in_order_and_follow_each_other(folder: Path) -> None:
    hired = {row[0]: row[5] for row in rows(folder, "employees")}
    assert all(row[1] < "1965-02-02" < row[5] for row in rows(folder, "employees"))
    for table in ("dept_emp", "titles", "salaries"):
        ended: dict[str, str] = {}
        for row in rows(folder, table):
            start, end = row[-2], row[-1]
            assert start < end
            assert start == ended.get(row[0], hired[row[0]]), (table, row)
            ended[row[0]] = end
        assert all(end == "9999-01-01" or end <= "2002-08-01" for end in ended.values())


def test_everybody_leaves_all_tables_on_one_day(folder: Path) -> None:
    last = [
        {row[0]: row[-1] for row in rows(folder, table)}
        for table in ("dept_emp", "titles", "salaries")
    ]
    assert last[0] == last[1] == last[2]


def test_each_department_has_one_manager_now_who_works_there(folder: Path) -> None:
    managers = rows(folder, "dept_manager")
    now = Counter(row[1] for row in managers if row[3] == "9999-01-01")
    assert set(now.values()) == {1}
    assert len(now) == 9
    members = {(row[0], row[1]) for row in rows(folder, "dept_emp")}
    assert all((row[0], row[1]) in members for row in managers)


def test_words_fit_their_columns() -> None:
    plain = [name.replace("''", "'") for name in dataset_words.LAST_NAMES]
    assert max(map(len, dataset_words.FIRST_NAMES)) <= 14
    assert max(map(len, plain)) <= 16
    assert any("'" in name for name in plain)
    assert len({name for name, _share in dataset_words.DEPARTMENTS}) == 9


def test_the_same_seed_gives_the_same_bytes_on_every_machine(folder: Path, tmp_path: Path) -> None:
    def digest(made: Path) -> str:
        files = sorted(file for file in made.iterdir() if file.name != "dataset.json")
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    assert digest(make(tmp_path / "again")) == digest(folder)
    assert digest(make(tmp_path / "other", seed=2)) != digest(folder)
    # Raise dataset_files.FORMAT whenever this changes: folders of the old bytes are made anew then.
    assert digest(folder)[:16] == "ee1f34b4aaf2a70e"


@pytest.mark.parametrize("scale", [0, -1, 0.0009, 1.01, float("nan")])
def test_a_scale_out_of_range_is_named(scale: float) -> None:
    with pytest.raises(CollectionError, match=r"from 0.001 to 1"):
        dataset.counts(scale)


def test_a_folder_is_known_again_only_whole_and_of_the_same_wish(tmp_path: Path) -> None:
    path = make(tmp_path / "data")
    wanted = dataset_files.Wanted(str(path), SCALE, 1, "employees")
    assert dataset_files.present(wanted)
    assert not dataset_files.present(dataset_files.Wanted(str(path), SCALE, 2, "employees"))
    assert not dataset_files.present(dataset_files.Wanted(str(path), SCALE, 1, "shop"))
    with (path / "load_titles.dump").open("a") as stream:
        stream.write("-- changed\n")
    assert not dataset_files.present(wanted)
    make(path)
    (path / "load_titles.dump").unlink()
    assert not dataset_files.present(wanted)
    make(path)
    (path / "dataset.json").write_text(json.dumps([]))
    assert not dataset_files.present(wanted)


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("x")
    wanted = dataset_files.Wanted(str(tmp_path), SCALE, 1, "employees")
    with pytest.raises(LoadError) as caught:
        dataset_files.refuse(wanted)
    assert "holiday.jpg" in caught.value.proof[0]


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    wanted = dataset_files.Wanted(str(blocker / "data"), SCALE, 1, "employees")
    with pytest.raises(LoadError) as caught:
        dataset_files.write(wanted, dataset_files.Written(1))
    assert caught.value.code == "dataset.unwritable"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
