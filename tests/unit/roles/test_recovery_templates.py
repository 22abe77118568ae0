# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role recovery makes in a cluster, and what it says after a switch."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from tests.unit.roles.test_templates import ROLES, evaluate


@pytest.fixture(scope="module", autouse=True)
def _plugins() -> None:
    init_plugin_loader()


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
    assert {one["name"]: one["password"] for one in found} == {
        "replication": "p",
        "app": "a",
        "backup": "b",
    }


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
    text = (ROLES / "recovery" / "templates" / f"switched.{language}.txt.j2").read_text()
    values = {"recovery_switched": switched, "recovery_namespace": "mysql"}
    said = str(Templar(loader=DataLoader(), variables=values).template(trust_as_template(text)))
    assert any(line.endswith(f"uuid:16-17 {words}") for line in said.splitlines())
    assert "mysql-1, mysql-11" in said
