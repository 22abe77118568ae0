# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role recovery makes in a cluster, the code that works in it, and what it says after a switch."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from tests.unit.roles.test_templates import ROLES, evaluate, render


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Lookups are plugins: without this Ansible finds none outside of its own commands."""
    init_plugin_loader()


CLAIMS = {"recovery_claims": {"resources": []}}


def pod(**overrides: Any) -> dict[str, Any]:
    objects = render("recovery", "recovery-pod.yaml.j2", **CLAIMS, **overrides)
    return next(one for one in objects if one["kind"] == "Pod")


def mounts(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["mountPath"] for one in container["volumeMounts"]}


def test_the_key_of_the_archive_is_there_for_who_reads_it_and_for_nobody_else():
    found = pod(recovery_cluster_name="orders")
    containers = {one["name"]: one for one in found["spec"]["containers"]}
    assert mounts(containers["tools"])["auth"] == "/auth"
    assert "auth" not in mounts(containers["mysqld"])
    (volume,) = (one for one in found["spec"]["volumes"] if one["name"] == "auth")
    sources = {one["secret"]["name"]: one["secret"] for one in volume["projected"]["sources"]}
    # The password of the archive's account stays where it is.
    assert sources["orders-backup"]["items"] == [{"key": "key", "path": "key"}]
    # A cluster whose archive is made otherwise has no such Secret.
    assert sources["orders-backup"]["optional"] is True
    tasks = (ROLES / "recovery" / "tasks" / "pod.yml").read_text()
    assert "recovery_key_file: /auth/key" in tasks


def test_a_drill_ends_by_itself_and_does_not_get_the_password_of_today() -> None:
    found = pod(recovery_purpose="drill", recovery_drill_seconds=900)
    assert found["metadata"]["name"] == "mysql-drill"
    assert found["spec"]["activeDeadlineSeconds"] == 900
    (volume,) = (one for one in found["spec"]["volumes"] if one["name"] == "auth")
    assert [one["secret"]["name"] for one in volume["projected"]["sources"]] == ["mysql-backup"]
    assert "activeDeadlineSeconds" not in pod()["spec"]


def claims(**of: str) -> dict[str, Any]:
    """Claims of a cluster, each with what it was made for."""
    return {
        "resources": [
            {
                "metadata": {
                    "name": name.replace("_", "-"),
                    "labels": {"app.kubernetes.io/name": purpose},
                }
            }
            for name, purpose in of.items()
        ]
    }


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ({"mysql_1": "mysql"}, "mysql-recovery"),
        # One that is at work is gone on with.
        ({"mysql_recovery": "mysql-recovery"}, "mysql-recovery"),
        # One that a switch has taken is an instance's data, whatever its name.
        ({"mysql_recovery": "mysql"}, "mysql-recovery-2"),
        ({"mysql_recovery": "mysql", "mysql_recovery_2": "mysql-recovery"}, "mysql-recovery-2"),
        ({"mysql_recovery": "mysql", "mysql_recovery_2": "mysql"}, "mysql-recovery-3"),
    ],
)
def test_a_recovery_never_takes_a_claim_that_is_somebody_s_data(
    found: dict[str, str], name: str
) -> None:
    made = evaluate("recovery", "recovery_scratch_claim", recovery_claims=claims(**found))
    assert made.strip() == name


def secret(name: str, **data: str) -> dict[str, Any]:
    encoded = {
        key.replace("_", "-"): base64.b64encode(value.encode()).decode()
        for key, value in data.items()
    }
    return {"metadata": {"name": name}, "data": encoded}


def test_every_account_of_the_cluster_gets_the_password_of_today() -> None:
    secrets = {
        "resources": [
            secret("mysql-auth", root_password="r", replication_password="p"),
            secret("mysql-app", username="app", password="a"),
            secret("mysql-backup", password="b", key="k"),
        ]
    }
    found = evaluate("recovery", "recovery_accounts", recovery_secrets=secrets)
    values = {one["metadata"]["name"]: one["data"] for one in secrets["resources"]}
    assert {
        one["name"]: base64.b64decode(values[one["secret"]][one["key"]]).decode() for one in found
    } == {"replication": "p", "app": "a", "backup": "b"}
    # A cluster of a version before has no other account to clone as.
    assert evaluate("recovery", "recovery_clone", recovery_secrets=secrets) == {
        "user": "root",
        "password": "r",
    }


def test_the_accounts_of_probes_and_clones_are_made_in_data_of_before() -> None:
    passwords = {"probe_password": "q", "clone_password": "c"}
    auth = secret("mysql-auth", root_password="r", replication_password="p", **passwords)
    given = {"recovery_secrets": {"resources": [auth]}}
    found = evaluate("recovery", "recovery_accounts", **given)
    assert {(one["name"], one["host"]): one["tls"] for one in found} == {
        ("replication", "%"): False,
        ("mysql_on_kubernetes_probe", "127.0.0.1"): False,
        ("mysql_on_kubernetes_probe", "%"): True,
        ("mysql_on_kubernetes_clone", "%"): True,
    }
    assert evaluate("recovery", "recovery_clone", **given)["user"] == "mysql_on_kubernetes_clone"
    # As the db phase makes them.
    mine = {
        (one["name"], one["host"]): one["privileges"]
        for one in evaluate("db", "db_accounts_wanted")
        if one["name"].startswith("mysql_on_kubernetes_")
    }
    theirs = {
        (one["name"], one["host"]): one.get("privileges", {})
        for one in found
        if one["name"].startswith("mysql_on_kubernetes_")
    }
    assert mine == theirs


def said(name: str, **values: Any) -> list[str]:
    """The lines of a text of the role."""
    text = (ROLES / "recovery" / "templates" / name).read_text()
    loader = DataLoader()
    loader.set_basedir(str(ROLES / "recovery"))
    rendered = Templar(loader=loader, variables=values).template(trust_as_template(text))
    return str(rendered).splitlines()


LOST = {
    "transactions": 2,
    "gtids": "uuid:16-17",
    "complete": True,
    "first_commit_time": "2026-11-26T10:00:00.000001Z",
    "last_commit_time": "2026-11-26T10:00:07.000000Z",
    "tables": [
        {"table": "shop.carts", "inserted": 0, "updated": 0, "deleted": 3, "statements": []}
    ],
    "not_archived": "",
}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_would_be_lost_is_said_before_the_question(language: str) -> None:
    def preview(**changed: Any) -> str:
        previewed = {"claim": "mysql-recovery", "lost": {**LOST, **changed}}
        return "\n".join(said(f"preview.{language}.txt.j2", recovery_previewed=previewed))

    whole = preview()
    for word in ("uuid:16-17", "10:00:00.000001Z", "10:00:07.000000Z", "shop.carts", " 3"):
        assert word in whole
    beyond = {"en": "does not answer", "ko": "응답하지 않아"}[language]
    assert beyond not in whole
    assert beyond in preview(complete=False)
    assert "uuid:17" in preview(not_archived="uuid:17").splitlines()[-1]
    nothing = {"transactions": 0, "gtids": "", "tables": [], "first_commit_time": None}
    assert {"en": "nothing", "ko": "없음"}[language] in preview(**nothing)


def drilled(**more: Any) -> dict[str, Any]:
    """The record of a drill, as the role makes it."""
    values = {
        "recovery_drill_word": "w48",
        "recovery_drill_clock": {"begun": 0.0, "ready": 8.04, "planned": 9.0, "verified": 20.0},
        "recovery_drill_backup": {
            "rpo": {"known": True, "transactions": 0, "seconds": 0},
            "window": {"latest": {"time": "2026-11-26T10:00:00.000001Z"}},
        },
        "recovery_planned": {
            "plan": {
                "base": {"id": "20261126T021700Z", "ended": "2026-11-26T02:17:09+00:00"},
                "first_left_out": {"gtid": "uuid:18"},
                "transactions": 12,
                "bytes": 4711,
            }
        },
        "recovery_done": {
            "tables": [{"rows_expected": 3}, {"rows_expected": None}],
            "seconds": {"base": 2.0, "binlogs": 0.0, "apply": 3.1, "verify": 1.2},
        },
        **more,
    }
    values = {key: value for key, value in values.items() if value is not None}
    found = evaluate("recovery", "recovery_drill_record", **values)
    return {"at": "2026-11-26T10:01:00+00:00", **found}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_drill_is_shown_with_its_figures_and_those_before(language: str) -> None:
    done = drilled()
    assert done["result"] == "ok"
    assert done["seconds"] == {
        **{"pod": 8.0, "plan": 1.0, "base": 2.0, "binlogs": 0.0, "apply": 3.1, "verify": 1.2},
        "total": 20.0,
    }
    assert (done["tables"], done["tables_foretold"]) == (2, 1)
    assert (done["before_gtid"], done["seed"]) == ("uuid:18", "w48")
    failed = drilled(
        recovery_drill_failure="Make the Pod of the drill: no node\nproof: none",
        recovery_drill_clock={"begun": 0.0},
        recovery_planned=None,
        recovery_done=None,
        recovery_drill_backup=None,
    )
    assert failed["result"] == "failed"
    assert done["rpo"]["transactions"] == 0
    assert failed["rpo"]["transactions"] is None
    assert failed["seconds"]["total"] is None
    for drills in ([done, failed], [failed, done]):
        lines = said(
            f"drill.{language}.txt.j2",
            recovery_drills={"drills": drills},
            recovery_namespace="shop",
            recovery_cluster_name="mysql",
        )
        rows = [line.split() for line in lines if line.startswith("2026-11-26T10:01:00")]
        assert [row[1] for row in rows] == [one["result"] for one in drills]
        row = rows[drills.index(done)]
        assert row[2:5] == ["20261126T021700Z", "12", "20.0"]
        assert any("shop/mysql-drills" in line for line in lines)
    assert any("no node" in line for line in lines[:2])


@pytest.mark.parametrize(
    ("language", "words"), [("en", "(2 transactions)"), ("ko", "(2 트랜잭션)")]
)
def test_what_is_lost_and_kept_is_said(language: str, words: str) -> None:
    switched = {
        "claims": {"mysql-1": "mysql-recovery", "mysql-11": "mysql-11-recovery"},
        "primary": "mysql-1",
        "kept": [{"claim": "mysql-1"}, {"claim": "mysql-11"}],
        "lost": {"gtids": "uuid:16-17", "transactions": 2, "complete": True},
    }
    values = {"recovery_switched": switched, "recovery_namespace": "mysql"}
    lines = said(f"switched.{language}.txt.j2", **values)
    assert any(line.endswith(f"uuid:16-17 {words}") for line in lines)
    assert any("mysql-1, mysql-11" in line for line in lines)
