# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes from what servers say: the words of versions that no test server has are held here."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes import catalogue
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.proof import (
    explain_proof,
    twins,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.replication import (
    Case,
    before_joining,
    before_promotion,
    explain,
    hopeless,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import Server
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.proof import Shown
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.replication import (
    ApplierError,
    Channel,
    State,
)

SOURCE = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
REPLICA = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
SETTINGS = {
    "host": "mysql-write",
    "port": 3306,
    "user": "repl",
    "auto_position": True,
    "retry_count": 10,
    "connect_retry": 60,
    "heartbeat_period": 2.0,
}


def state(uuid: str = REPLICA, server_id: int = 11, **options: Any) -> State:
    given = {"gtid_mode": "ON", "log_bin": True, "gtid_executed": "", "gtid_purged": "", **options}
    return State(
        server=Server((9, 7, 0), "9.7.0", server_id, uuid),
        enforce_gtid_consistency="ON",
        read_only=False,
        super_read_only=False,
        **given,
    )


def channel(**options: Any) -> Channel:
    running = {"receiver": "running", "applier": "running", "source_log_file": "binlog.000001"}
    return Channel("", SETTINGS, **{**running, "source_uuid": SOURCE, **options})


def case(each: Channel | None = None, source: State | None = None, **options: Any) -> Case:
    mine = state(**options)
    return Case("mysql-11", mine.with_channel(each) if each else mine, "", source)


@pytest.mark.parametrize(
    ("replica", "source", "older"),
    [
        ((8, 0, 33), (9, 7, 4), True),
        ((8, 0, 15), (8, 0, 33), True),
        ((8, 4, 1), (9, 7, 0), True),
        # Within an LTS series nothing new comes.
        ((9, 7, 0), (9, 7, 4), False),
        ((9, 7, 4), (8, 0, 33), False),
        ((8, 0, 33), (8, 0, 33), False),
    ],
)
def test_a_replica_that_is_older_than_its_source_is_doubted(
    replica: Any, source: Any, older: bool
) -> None:
    def of(version: Any, each: State) -> State:
        text = ".".join(map(str, version))
        return replace(each, server=replace(each.server, version=version, version_string=text))

    asked = case(channel(), of(source, state(SOURCE, 1)))
    asked = replace(asked, state=of(replica, asked.state))
    for found in (explain(asked), before_joining(asked, auto_position=True)):
        told = [each for each in found if each.code == "replication.older_than_source"]
        assert bool(told) == older
        assert all(each.severity == "warning" for each in told)


def codes(findings: list[Any]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("errno", "text", "code"),
    [
        (13117, "source and replica have equal MySQL server ids", "server_id_duplicate"),
        (1593, "master and slave have equal MySQL server ids;", "server_id_duplicate"),
        (1593, "master and slave have equal MySQL server UUIDs", "server_uuid_duplicate"),
        (
            13114,
            "Got fatal error 1236 from source: 'A replica with the same server_uuid/server_id as"
            " this replica has connected to the source'",
            "replica_uuid_duplicate",
        ),
        (
            1236,
            "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the"
            " master has purged binary logs containing GTIDs that the slave requires.",
            "purged",
        ),
        (13114, "Could not find first log file name in binary log index file", "purged"),
        (13114, "Got fatal error 1236 from source: 'Binary log is not open'", "source_binlog_off"),
        (1045, "Access denied for user 'repl'@'10.0.0.1' (using password: YES)", "access_denied"),
        (2061, "Authentication requires secure connection.", "secure_connection"),
        (2003, "Can't connect to MySQL server on 'mysql-write:3306' (111)", "unreachable"),
        (2005, "Unknown MySQL server host 'mysql-wirte' (-2)", "unknown_host"),
        (13121, "Relay log write failure: could not queue event from source", "receiver_error"),
    ],
)
def test_each_answer_of_a_source_has_its_cause(errno: int, text: str, code: str) -> None:
    failed = channel(receiver="connecting", receiver_errno=errno, receiver_error=text)
    (finding,) = explain(case(failed))
    assert finding.code == f"replication.{code}"
    assert text in finding.proof[0]


@pytest.mark.parametrize(
    "text", ["error connecting - retry-time: 60 retries: 10", "attempt 10/10, with a delay of 60"]
)
def test_giving_up_is_told_apart_from_trying(text: str) -> None:
    trying = channel(receiver="connecting", receiver_errno=2003, receiver_error=text)
    assert codes(explain(case(trying))) == ["replication.unreachable"]
    gave_up = replace(trying, receiver="stopped")
    assert codes(explain(case(gave_up))) == [
        "replication.retries_exhausted",
        "replication.unreachable",
    ]


def test_a_cause_seen_in_two_ways_is_one_finding_with_both_proofs() -> None:
    text = "source and replica have equal MySQL server ids"
    failed = channel(receiver="stopped", receiver_errno=13117, receiver_error=text)
    (finding,) = explain(case(failed, state(SOURCE, 11)))
    assert finding.code == "replication.server_id_duplicate"
    assert len(finding.proof) == 2


def test_sets_tell_what_threads_do_not() -> None:
    source = state(SOURCE, 1, gtid_executed=f"{SOURCE}:1-9", gtid_purged=f"{SOURCE}:1-4")
    fine = channel(retrieved=f"{SOURCE}:3-9")
    assert explain(case(fine, source, gtid_executed=f"{SOURCE}:1-9")) == []
    errant = explain(case(fine, source, gtid_executed=f"{SOURCE}:1-9,{REPLICA}:1-2"))
    assert codes(errant) == ["replication.errant"]
    assert errant[0].proof[0].endswith(f"{REPLICA}:1-2")
    behind = explain(case(channel(), source, gtid_executed=f"{SOURCE}:1-2"))
    assert codes(behind) == ["replication.purged"]
    assert f"{SOURCE}:3-4" in behind[0].proof[0]


def test_workers_are_named_and_the_coordinator_does_not_repeat_them() -> None:
    worker = ApplierError(2, 1062, "Duplicate entry", f"{SOURCE}:7", "2026-01-01")
    coordinator = ApplierError(None, 1062, "error(s) in the worker(s)", "", "2026-01-01")
    failed = channel(applier="stopped", applier_errors=(worker, coordinator))
    (finding,) = explain(case(failed))
    assert finding.code == "replication.applier_error"
    assert finding.proof == ("worker 2, error 1062: Duplicate entry", f"transaction {SOURCE}:7")


def test_silence_is_measured_in_heartbeats() -> None:
    assert explain(case(channel(heard_seconds_ago=5.9))) == []
    assert codes(explain(case(channel(heard_seconds_ago=6.1)))) == ["replication.silent"]


def test_what_forbids_joining() -> None:
    assert before_joining(case(), True) == []
    assert codes(before_joining(case(gtid_mode="OFF"), True)) == ["replication.gtid_off"]
    assert before_joining(case(gtid_mode="OFF"), False) == []
    assert codes(before_joining(case(server_id=0), True)) == ["replication.server_id_zero"]
    poured = before_joining(case(schemas=("shop",)), True)
    assert [(each.code, each.severity) for each in poured] == [
        ("replication.data_before", "warning")
    ]
    assert before_joining(case(channel(), schemas=("shop",)), True) == []


def test_what_forbids_promotion() -> None:
    waiting = case(channel(retrieved=f"{SOURCE}:1-5"), gtid_executed=f"{SOURCE}:1-3")
    (finding,) = before_promotion(waiting)
    assert (finding.code, "2 transactions" in finding.summary) == ("replication.unapplied", True)


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        ({}, False),
        ({"receiver": "connecting"}, False),
        ({"receiver": "connecting", "receiver_errno": 2003}, False),
        ({"receiver": "connecting", "receiver_errno": 2005}, False),
        ({"receiver": "connecting", "receiver_errno": 1045}, True),
        ({"receiver": "stopped"}, True),
        ({"applier": "stopped"}, True),
    ],
)
def test_waiting_goes_on_only_while_it_can_help(options: dict[str, Any], lost: bool) -> None:
    assert hopeless(channel(**options)) is lost


def test_a_proof_names_what_is_missing() -> None:
    primary = Server((9, 7, 0), "9.7.0", 1, SOURCE)
    done = Shown(missing="", missing_count=0, row_seen=True, heard=True)
    assert explain_proof(case(channel()), primary, done, 5) == []
    late = replace(done, missing=f"{SOURCE}:8-9", missing_count=2, row_seen=False, heard=False)
    (finding,) = explain_proof(case(channel()), primary, late, 5)
    assert (finding.code, "2 transactions" in finding.summary) == ("replication.behind", True)
    silent = replace(done, row_seen=None, heard=False)
    assert codes(explain_proof(case(channel()), primary, silent, 5)) == ["replication.unheard"]
    elsewhere = case(channel(source_uuid=REPLICA))
    assert codes(explain_proof(elsewhere, primary, done, 5)) == ["replication.wrong_source"]


def test_twins_are_found_in_pairs() -> None:
    others = [("one", state(SOURCE, 11)), ("two", state(REPLICA, 12))]
    assert twins(others) == []
    assert codes(twins([*others, ("three", state(REPLICA, 11))])) == [
        "replication.replicas_share_server_id",
        "replication.replica_uuid_duplicate",
    ]


@pytest.mark.parametrize("code", sorted(catalogue.TEXTS))
def test_every_cause_says_the_same_in_both_languages(code: str) -> None:
    text = catalogue.TEXTS[code]
    for english, korean in ((text.en.summary, text.ko.summary), (text.en.fix, text.ko.fix)):
        assert any("가" <= letter <= "힣" for letter in korean), korean
        assert "\n" not in english + korean
        assert not english.endswith(".")
    facts = [
        {
            name
            for _text, name, *_rest in string.Formatter().parse(words.summary + words.fix)
            if name
        }
        for words in (text.en, text.ko)
    ]
    assert facts[0] == facts[1] | (facts[0] & {"subject"})


def test_the_catalogue_refuses_what_it_cannot_say() -> None:
    with pytest.raises(CollectionError, match="no cause 'replication.unheard_of'"):
        catalogue.finding("replication.unheard_of", subject="x", proof=[])
    with pytest.raises(CollectionError, match="en, ko"):
        catalogue.finding("replication.silent", subject="x", proof=[], language="de", seconds=1)
    with pytest.raises(CollectionError, match="needs the fact 'seconds'"):
        catalogue.finding("replication.silent", subject="x", proof=[])
