# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ConfigMap of the restore drills: what is kept, who may drill, and what the records show."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.backup import (
    explain_drills,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube import drills
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.kube.client import KubeError
from ansible_collections.mysql_on.kubernetes.plugins.modules import mysql_recovery_drill as module

DAY = 86_400
NOW = 1_800_000_000


class FakeCluster:
    """An API server with one ConfigMap: merges patches, and refuses those of an old version."""

    def __init__(self) -> None:
        self.found: dict[str, Any] | None = None

    def get(self, _kind: str, _name: str, _namespace: str) -> dict[str, Any] | None:
        return self.found

    def create(self, _kind: str, body: dict[str, Any], _namespace: str) -> None:
        if self.found is not None:
            raise KubeError("fake", "create", drills.CONFLICT, "it exists")
        self.found = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}

    def patch(self, _kind: str, _name: str, body: dict[str, Any], _namespace: str) -> None:
        assert self.found is not None
        meta = self.found["metadata"]
        given = body.get("metadata", {})
        if given.get("resourceVersion", meta["resourceVersion"]) != meta["resourceVersion"]:
            raise KubeError("fake", "patch", drills.CONFLICT, "somebody wrote since")
        notes = {**meta.get("annotations", {}), **given.get("annotations", {})}
        meta["annotations"] = {key: value for key, value in notes.items() if value is not None}
        meta["resourceVersion"] = str(int(meta["resourceVersion"]) + 1)
        self.found["data"] = {**self.found["data"], **body.get("data", {})}


@pytest.fixture
def book() -> drills.Book:
    return drills.Book(FakeCluster(), "shop", "orders")  # type: ignore[arg-type]


PARAMS = {"namespace": "shop", "cluster": "orders", "seconds": 600, "by": "", "language": "en"}


def begun(book: drills.Book, **more: Any) -> dict[str, Any]:
    return module.begun(book, {**PARAMS, **more}, False)


def test_the_second_drill_is_refused_until_the_first_has_ended(book: drills.Book) -> None:
    assert begun(book)["left_behind"] is False
    with pytest.raises(CollectionError) as error:
        begun(book)
    assert [one.code for one in error.value.findings] == ["recovery.drill_running"]
    assert "ConfigMap shop/orders-drills: begun at " in error.value.findings[0].proof[0]
    assert module.ended(book, {}, False)["changed"]
    assert not module.ended(book, {}, False)["changed"]
    assert begun(book)["left_behind"] is False


def test_of_two_at_the_same_moment_one_is_let_in(book: drills.Book) -> None:
    for _first_and_later in range(2):
        seen = book.read()
        claim = drills.Claim(NOW, NOW + 600)
        assert [book.claim(seen, claim), book.claim(seen, claim)] == [True, False]
        book.end()


def test_a_drill_that_nobody_plays_any_more_counts_for_nothing(book: drills.Book) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = socket.gethostname()
    begun(book, by=f"{here}:{ended.pid}")
    assert begun(book, by=f"{here}:{os.getpid()}")["left_behind"] is True
    for by in (f"{here}:{os.getpid()}", f"other-than-{here}:{ended.pid}", ""):
        assert not module.over(drills.Claim(NOW, NOW + 1, by), NOW)
        assert module.over(drills.Claim(NOW, NOW + 1, by), NOW + 1)


def test_the_last_twenty_are_kept_and_a_claim_outlives_a_record(book: drills.Book) -> None:
    begun(book)
    for number in range(drills.KEPT + 3):
        shown = module.noted(book, {"record": {"result": "ok", "seed": str(number)}}, False)
    assert [one["seed"] for one in shown["drills"]] == [str(n) for n in range(22, 2, -1)]
    seen = book.read()
    assert [one["seed"] for one in seen.records] == [str(n) for n in range(3, 23)]
    assert seen.claim is not None


def test_check_mode_refuses_alike_and_writes_nothing(book: drills.Book) -> None:
    assert module.begun(book, PARAMS, True)["changed"]
    assert book.read().version == ""
    begun(book)
    before = book.read()
    with pytest.raises(CollectionError):
        module.begun(book, PARAMS, True)
    module.noted(book, {"record": {"result": "ok"}}, True)
    module.ended(book, {}, True)
    assert book.read() == before


def test_what_somebody_wrote_into_it_is_named() -> None:
    meta = {"name": "orders-drills", "resourceVersion": "1"}
    with pytest.raises(CollectionError, match="orders-drills"):
        drills.read("orders-drills", {"metadata": meta, "data": {drills.KEY: "hello"}})


def record(days_ago: float, result: str = "ok") -> dict[str, Any]:
    return {"at": drills.iso(NOW - days_ago * DAY), "result": result, "message": "no room"}


@pytest.mark.parametrize(
    ("records", "codes"),
    [
        ((), []),
        ((record(40), record(2)), []),
        ((record(40), record(30)), ["backup.drill_old"]),
        ((record(2), record(1, "failed")), ["backup.drill_failed"]),
        ((record(35, "failed"), record(1, "failed")), ["backup.drill_failed", "backup.drill_old"]),
        # Never, but tried for a day only.
        ((record(1, "failed"),), ["backup.drill_failed"]),
    ],
)
def test_old_and_failed_drills_are_findings_where_there_ever_was_one(
    records: tuple[dict[str, Any], ...], codes: list[str]
) -> None:
    seen = drills.Drills("orders-drills", records)
    found = explain_drills(seen, NOW, 30)
    assert [one.code for one in found] == codes
    assert all(one.severity == "warning" for one in found)
