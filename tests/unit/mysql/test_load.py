"""What a load plans, refuses, sends and shows, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.data import explained
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.texts_data import TEXTS
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import (
    load_local,
    load_rows,
    load_target,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dump import Dump, DumpFile
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dump_statements import Rows
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_error import (
    LoadError,
    refused,
    shown,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_progress import (
    LoadProgress,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_target import (
    Note,
    State,
    Wanted,
)

DUMP = Dump((DumpFile("employees.sql", 1_000_000),), "f" * 64, ("employees.sql",))
WANTED = Wanted(DUMP)
EMPTY = State("employees", exists=True, charset="utf8mb4", collation="utf8mb4_0900_ai_ci")
LOADED = Note("f" * 64, "loaded", False, "", {"tables": [{"table": "salaries"}]})
ROUTINES = Note("f" * 64, "loaded", False, "", {"tables": [], "objects": ["procedure hello"]})
PROGRAMS = replace(EMPTY, programs=("procedure hello",))
FULL = replace(EMPTY, objects=("salaries", "titles"))


class NoActions:
    """Steps that are never executed."""

    def __getattr__(self, name: str) -> Any:
        def never() -> None:
            raise AssertionError(f"{name} was executed")

        return never


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (State("employees"), "absent"),
        (State("employees", note=LOADED), "absent"),
        (EMPTY, "empty"),
        (replace(EMPTY, note=LOADED), "empty"),
        (FULL, "other"),
        (replace(FULL, note=LOADED), "loaded"),
        (replace(FULL, note=replace(LOADED, fingerprint="0" * 64)), "other"),
        (replace(FULL, note=replace(LOADED, state="loading")), "half"),
        (replace(FULL, objects=("titles",), note=LOADED), "other"),
        (PROGRAMS, "other"),
        (replace(PROGRAMS, note=ROUTINES), "loaded"),
        (replace(PROGRAMS, programs=("event tick",), note=ROUTINES), "other"),
        (replace(PROGRAMS, note=replace(ROUTINES, state="loading")), "half"),
        (replace(FULL, objects=("SALARIES",), note=LOADED), "other"),
        (replace(FULL, objects=("SALARIES",), note=LOADED, folded=True), "loaded"),
    ],
)
def test_what_the_target_is_to_a_dump(state: State, found: str) -> None:
    assert load_target.situation(state, DUMP.fingerprint) == found


def test_a_loaded_target_needs_nothing() -> None:
    state = replace(FULL, note=LOADED, read_only=True)
    assert load_target.explain(state, WANTED) == []
    assert not load_target.plan(state, WANTED, NoActions()).changed


def test_the_plan_leads_to_a_loaded_target_and_only_names_what_it_needs() -> None:
    plan = load_target.plan(State("employees"), replace(WANTED, replicas=("r",)), NoActions())
    words = [step["statement"].split()[0] for step in plan.as_list()]
    assert words == ["CREATE", "REPLACE", "SET", "load", "REPLACE", "SELECT"]
    assert plan.after().note is not None
    assert plan.after().note.state == "loaded"
    ready = replace(EMPTY, local_infile=True)
    words = [step["statement"] for step in load_target.plan(ready, WANTED, NoActions()).as_list()]
    assert not [word for word in words if word.startswith(("CREATE", "SET", "SELECT", "DROP"))]


def test_a_half_loaded_target_is_dropped_and_made_again_as_it_was() -> None:
    state = replace(FULL, charset="latin1", note=replace(LOADED, state="loading"))
    statements = [
        step["statement"] for step in load_target.plan(state, WANTED, NoActions()).as_list()
    ]
    assert statements[0] == "DROP DATABASE `employees`"
    assert "CHARACTER SET latin1" in statements[1]


def test_other_data_is_refused_unless_it_is_to_be_replaced() -> None:
    (cause,) = load_target.explain(FULL, WANTED)
    assert cause.code == "load.target_not_empty"
    assert "salaries" in cause.proof[0]
    named = replace(WANTED, replace_data=True)
    assert load_target.explain(FULL, named) == []
    assert load_target.plan(FULL, named, NoActions()).as_list()[0]["statement"].startswith("DROP")


def test_servers_that_cannot_take_it_are_refused() -> None:
    replica = replace(EMPTY, read_only=True, gtid_mode="OFF")
    codes = [cause.code for cause in load_target.explain(replica, replace(WANTED, replicas=("r",)))]
    assert codes == ["load.read_only", "load.gtid_off"]


@pytest.mark.parametrize("database", ["mysql", "SYS", "performance_schema", "mysql_on_kubernetes"])
def test_a_database_of_the_server_is_refused(database: str) -> None:
    wanted = replace(WANTED, replace_data=True)
    (cause,) = load_target.explain(State(database, exists=True), wanted)
    assert cause.code == "load.system_database"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_cause_has_its_words(language: str) -> None:
    facts = {
        "found": "a",
        "database": "b",
        "file": "c",
        "what": "d",
        "reason": "e",
        "errno": 1,
        "table": "t",
        "seconds": 3,
    }
    for code in TEXTS:
        failure = explained(LoadError(code, "employees", ["read"], **facts), language)
        assert "employees" in failure.message
        assert failure.findings[0].fix


def test_a_refusal_shows_the_statement_but_no_password() -> None:
    error = MysqlError("x", 1396, "Operation failed")
    secret = b"CREATE USER a IDENTIFIED BY 'hush'"
    cause = refused(error, "dump.sql:3", secret, [])
    assert "hush" not in str(cause.proof)
    assert cause.facts == {"errno": 1396, "reason": "Operation failed"}
    assert shown(b"SELECT\n  1") == "SELECT 1"
    assert len(shown(b"x" * 10_000)) < 200


@pytest.mark.parametrize(
    ("errno", "code"),
    [
        (1064, "load.statement_failed"),
        (1227, "load.no_privilege"),
        (2013, "load.connection_lost"),
        (1114, "load.server_full"),
        (1153, "load.packet_too_large"),
    ],
)
def test_a_refusal_is_told_by_its_number(errno: int, code: str) -> None:
    assert refused(MysqlError("x", errno, "why"), "dump.sql:3", b"SELECT 1", []).code == code


def test_the_servers_count_of_a_load_is_read() -> None:
    message = b"Records: 3  Deleted: 0  Skipped: 1  Warnings: 2"
    loaded = load_local.counted(message, 2)
    assert (loaded.records, loaded.skipped, loaded.warnings) == (3, 1, 2)
    assert not loaded.clean
    assert load_local.counted(b"Records: 3  Deleted: 0  Skipped: 0  Warnings: 0", 0).clean
    with pytest.raises(CollectionError):
        load_local.counted(b"", 0)


def test_rows_too_many_for_a_packet_are_cut_between_rows() -> None:
    rows = Rows([True, False])
    values = b"(1,'a),(b'),\n(2,'c'),\n(3,'d')"
    parts = list(load_rows.inserts(b"INSERT INTO t VALUES ", values, rows, 40))
    assert parts == [
        b"INSERT INTO t VALUES (1,'a),(b')",
        b"INSERT INTO t VALUES (2,'c'),(3,'d')",
    ]
    assert list(load_rows.inserts(b"I ", values, rows, 1000)) == [b"I " + values]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"engine": "InnoDB", "type": "int", "extra": "auto_increment"}, False),
        ({"engine": "InnoDB", "type": "timestamp", "extra": "DEFAULT_GENERATED"}, False),
        ({"engine": "InnoDB", "type": "int", "extra": "STORED GENERATED"}, True),
        ({"engine": "MyISAM", "type": "int", "extra": ""}, True),
        ({"engine": None, "type": "int", "extra": ""}, True),
        ({"engine": "InnoDB", "type": "geometry", "extra": ""}, True),
    ],
)
def test_which_tables_load_data_may_fill(column: dict[str, object], expected: bool) -> None:
    assert load_rows.unfit(column) is expected


def test_progress_says_what_how_far_how_fast_and_how_long_yet() -> None:
    now = [100.0]
    progress = LoadProgress(1_000_000, clock=lambda: now[0])
    progress.taken("salaries", 50_000, 250_000, 1.0, "load_data")
    progress.done = 250_000
    now[0] = 110.0
    line = progress.line("mysql-11 40,000")
    assert line == (
        "salaries | 50,000 rows | 25% of 1.0 MB | 5,000 rows/s | 0:30 left | arrived: mysql-11 40,000"
    )
    progress.finish()
    now[0] = 500.0
    assert progress.report()["seconds"] == 10.0
    assert progress.report()["tables"][0]["method"] == "load_data"
