from __future__ import annotations

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import engine
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import config_file

MY_CNF = """\
# one file for all
[mysqld]
log_bin = mysql-bin
loose-Replica-Parallel-Workers = 4
expire_logs_days = 7
max_connections = many
skip_name_resolve
"""
UNKNOWN = (
    "2026-01-01T00:00:00.000000Z 0 [ERROR] [MY-000067] [Server] unknown variable"
    " 'expire_logs_days=7'.\n"
    "2026-01-01T00:00:00.000000Z 0 [ERROR] [MY-010119] [Server] Aborting\n"
)


def test_an_option_is_known_however_it_is_written():
    found = [(line.number, line.option) for line in config_file.lines(MY_CNF)]
    assert found == [
        (3, "log_bin"),
        (4, "replica_parallel_workers"),
        (5, "expire_logs_days"),
        (6, "max_connections"),
        (7, "skip_name_resolve"),
    ]


def test_an_unknown_option_is_found_in_its_line_with_what_stands_for_it():
    (refusal,) = config_file.refusals(UNKNOWN, MY_CNF, (9, 7, 4))
    assert refusal.unknown
    assert refusal.line
    assert refusal.line.number == 5
    assert refusal.hint == "binlog_expire_logs_seconds"


@pytest.mark.parametrize(
    ("option", "version", "name"),
    [
        ("replica_parallel_workers", (8, 0, 15), "slave_parallel_workers"),
        ("slave_parallel_workers", (9, 7, 4), "replica_parallel_workers"),
        ("log-slave-updates", (9, 7, 4), "log_replica_updates"),
        ("no_such_thing", (9, 7, 4), ""),
    ],
)
def test_a_renamed_option_is_told_by_its_name_in_that_version(option, version, name):
    assert config_file.renamed(option, version) == name


def test_a_refused_value_is_a_cause_of_its_own():
    said = (
        "2026-01-01T00:00:00.000000Z 0 [ERROR] [MY-000077] [Server] mysqld: Error while setting"
        " value 'many' to 'max_connections'.\n"
        "2026-01-01T00:00:00.000000Z 0 [ERROR] [MY-010119] [Server] Aborting\n"
    )
    (found,) = engine.explain_options(
        engine.Engine("mysql:9.7", (9, 7, 4), said, exit_code=1), MY_CNF
    )
    assert found.code == "engine.option_refused"
    assert "line 6" in found.summary
    assert "my.cnf line 6: max_connections = many" in found.proof


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_finding_names_option_line_and_version(language):
    asked = engine.Engine("mysql:9.7", (9, 7, 4), UNKNOWN, exit_code=1)
    (found,) = engine.explain_options(asked, MY_CNF, language)
    assert found.code == "engine.option_unknown"
    assert found.subject == "expire_logs_days"
    for word in ("9.7.4", "expire_logs_days", "5"):
        assert word in found.summary
    assert "binlog_expire_logs_seconds" in found.fix


def test_what_names_no_line_of_the_file_is_told_as_the_server_said_it():
    said = "2026-01-01T00:00:00.000000Z 0 [ERROR] [MY-013999] [Server] Something else\n"
    asked = engine.Engine("mysql:9.7", (9, 7, 4), said, exit_code=1)
    (found,) = engine.explain_options(asked, MY_CNF)
    assert found.code == "engine.options_refused"
    assert any("Something else" in line for line in found.proof)


def test_a_server_that_agrees_leaves_nothing_to_explain():
    assert engine.explain_options(engine.Engine("mysql:9.7", (9, 7, 4)), MY_CNF) == []


def test_data_of_a_newer_or_far_older_server_is_refused_by_instance():
    wanted = engine.Engine("mysql:9.7", (9, 7, 4))
    held = [
        engine.Running("mysql-1", (8, 0, 15)),
        engine.Running("mysql-11", (9, 7, 4)),
        engine.Running("mysql-12", (9, 8, 0)),
        engine.Running("mysql-13", None, "nothing listens"),
    ]
    found = engine.explain_versions(wanted, held)
    assert [(one.subject, one.code, one.severity) for one in found] == [
        ("mysql-1", "engine.skips_lts", "error"),
        ("mysql-12", "engine.downgrade", "error"),
        ("mysql-13", "engine.version_unread", "warning"),
    ]
    assert "8.4" in found[0].fix
