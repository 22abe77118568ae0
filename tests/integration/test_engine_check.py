# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""mysql_engine_check on a real cluster: images asked by their own mysqld, before any instance runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration import cluster
from tests.integration.runner import codes, fail, succeed

pytestmark = [
    *cluster.MARKS,
]

OLD = "docker.io/library/mysql:8.0.15"


def given(space: cluster.Space, *options: str, **more: Any) -> dict[str, Any]:
    return {
        "kubeconfig": cluster.kubeconfig(),
        "namespace": space.name,
        "image": cluster.IMAGE,
        "my_cnf": "\n".join(("[mysqld]", "log_bin = mysql-bin", *options)) + "\n",
        **more,
    }


def nothing_is_left(space: cluster.Space) -> bool:
    return not space.cluster.list("Job", space.name)


@pytest.mark.parametrize(("image", "version"), [(cluster.IMAGE, "9.7."), (OLD, "8.0.15")])
def test_options_that_the_version_takes_pass(
    space: cluster.Space, image: str, version: str
) -> None:
    options = ("max_connections = 300", "loose-no_such_thing = 1")
    result = succeed("mysql_engine_check", given(space, *options, image=image))
    assert result["checked"]
    assert result["version"].startswith(version)
    assert not result["changed"]
    assert nothing_is_left(space)


@pytest.mark.parametrize(
    ("image", "option", "instead"),
    [
        (cluster.IMAGE, "expire_logs_days = 7", "binlog_expire_logs_seconds"),
        (OLD, "replica_parallel_workers = 4", "slave_parallel_workers"),
    ],
)
def test_an_option_that_the_version_lacks_is_named_with_its_line(
    space: cluster.Space, image: str, option: str, instead: str
) -> None:
    arguments = given(space, "max_connections = 300", option, image=image)
    result = fail("mysql_engine_check", arguments)
    assert codes(result) == ["engine.option_unknown"]
    assert f"my.cnf line 4: {option}" in result["findings"][0]["proof"]
    assert "(line 4 of my.cnf)" in result["msg"]
    assert instead in result["findings"][0]["fix"]
    assert nothing_is_left(space)


def test_a_value_that_mysqld_refuses_is_told_in_its_words(space: cluster.Space) -> None:
    result = fail("mysql_engine_check", given(space, "tmpdir = /no/such/folder"))
    assert codes(result) == ["engine.options_refused"]
    assert "/no/such/folder" in "\n".join(result["findings"][0]["proof"])


# The kubelet takes a minute to give up; test_storage_check waits for the same cause in the gate.
@pytest.mark.long
def test_an_image_that_nobody_has_is_named_before_its_time_is_over(space: cluster.Space) -> None:
    arguments = given(space, image="registry.invalid/mysql:1", timeout=300, patience=2)
    result = fail("mysql_engine_check", arguments)
    assert codes(result) == ["kube.image_pull"]
    assert nothing_is_left(space)


def test_check_mode_asks_nobody(space: cluster.Space) -> None:
    result = succeed("mysql_engine_check", given(space, "expire_logs_days = 7"), check=True)
    assert not result["checked"]
    assert nothing_is_left(space)
