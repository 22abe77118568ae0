# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work that goes on in a process of its own: its answer, its failure, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.polling import look_until
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.beside import beside

COUNTING = "counting"
HOLDER = """
import sys, time
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.beside import beside

def work():
    sys.stdout.close()
    time.sleep(600)

held = open(sys.argv[1], "w")
with beside("counting", work) as going:
    print(going._process.pid, flush=True)
    time.sleep(600)
"""


def refused() -> None:
    raise BinlogError("recovery.binlog_damaged", "binlog.000001", ["its checksum is wrong"])


def test_the_answer_comes_from_another_process_that_yields() -> None:
    with beside(COUNTING, lambda: (os.getpid(), os.nice(0))) as going:
        pid, nice = going.result()
    assert pid != os.getpid()
    assert nice > os.nice(0)


def test_a_failure_keeps_its_cause() -> None:
    with beside(COUNTING, refused) as going, pytest.raises(BinlogError) as failed:
        going.result()
    assert failed.value.code == "recovery.binlog_damaged"
    assert failed.value.findings[0].proof == ("its checksum is wrong",)
    assert failed.value.said("It failed", "ko").findings


def test_one_that_was_killed_says_so() -> None:
    with (
        beside(COUNTING, lambda: os.kill(os.getpid(), signal.SIGKILL)) as going,
        pytest.raises(CollectionError, match="counting ended with -9"),
    ):
        going.result()


def test_it_ends_with_the_block() -> None:
    with beside(COUNTING, partial(time.sleep, 600)) as going:
        pid = going._process.pid
    assert pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_ends_with_who_began_it(tmp_path) -> None:
    """Else it would hold the lock of the scratch folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        holder.kill()

    def gone() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
        except FileNotFoundError:
            return True
        # An orphan may wait for its new parent to take note.
        return state.startswith("Z")

    assert look_until(gone, bool, 30)
