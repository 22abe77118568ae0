# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of a container of this machine's own engine: broken, named, mended by what the finding says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import fixes
from tests.integration.local import ENGINE, MARKS, Local, need_image, run
from tests.integration.runner import fail

pytestmark = [*MARKS]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    need_image()
    made = Local(tmp_path)
    yield made
    made.remove()


def named(local: Local, code: str) -> dict[str, Any]:
    """The finding with which waiting for the container ends."""
    where = {"engine": ENGINE, "container": local.name, "login_port": local.port}
    return fixes.the(fail("container_wait", {**where, "login_password": "any"}), code)


def test_a_server_ends_and_its_log_alone_says_why(local: Local) -> None:
    refused = local.play(local_config={"binlog_format": "SENTENCE"})
    assert refused.failed
    assert "[local.no_answer]" in refused.output
    finding = named(local, "local.no_answer")
    assert any("SENTENCE" in line for line in finding["proof"]), finding["proof"]
    assert finding["fix"].startswith("read the last lines of its log above, mend what they name")
    mended = local.play(local_config={"binlog_format": "ROW"})
    assert not mended.failed, mended.output


def test_files_that_the_server_may_not_open(local: Local, tmp_path: Path) -> None:
    """The playbook heals that by owning them anew, where their file system keeps owners; here nobody does."""
    data = tmp_path / "data"
    for state in ("started", "stopped"):
        played = local.play(local_data=str(data), local_state=state)
        assert not played.failed, played.output
    index = data / "mysql-bin.index"
    index.chmod(0)
    os.chown(index, 12345, 12345)
    run("start", local.name)
    finding = named(local, "local.volume_owner")
    assert any("errno" in line for line in finding["proof"][1:]), finding["proof"]
    assert finding["fix"].startswith("leave local_data empty for a volume of the engine")
    mended = local.play(local_data="")
    assert not mended.failed, mended.output
