# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module mysql_recovery does, by its option action."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..binlog import points
from ..binlog.archive import Archive, Base
from ..binlog.events import GTIDS
from ..binlog.store import Store
from ..causes.binlog import BinlogError, told
from ..finding import CollectionError
from ..mysql.connection import Connection
from ..mysql.gtid import GtidSet
from ..mysql.replication import executed
from . import handover, plan, relay, skip, verify
from .beside import Beside, beside
from .executor import Executor
from .predict import Journal, predict
from .room import no_room
from .run import Say, Work
from .scratch import APPLIED, VERIFIED, Scratch
from .server_options import Settings
from .target import Exactly, Target, read_target

Connect = Callable[[], Connection]

ACTIONS = (
    *("window", "plan", "apply", "verify", "recheck", "left_out"),
    *("hand_over", "release", "abandon"),
)
FAILED = {
    "window": "What can be recovered is not known",
    "plan": "There is no way to this point",
    "apply": "The recovery was not completed",
    "verify": "The recovery is not what was planned",
    "recheck": "The recovery is not what was verified",
    "left_out": "What would be lost is not known",
    "hand_over": "The recovered data was not handed over",
    "release": "The scratch instance was not released",
    "abandon": "The recovery was not abandoned",
}
# Server-ids of people and clusters are small numbers; one of these is nobody's.
FIRST_SERVER_ID = 3_000_000_000
LARGEST_SERVER_ID = 2**32 - 1


@dataclass(frozen=True)
class Task:
    """The options, read once. connect: opens a session of a server that knows names of points."""

    params: Mapping[str, Any]
    connect: Connect | None
    say: Say
    check_mode: bool

    @property
    def store(self) -> Store:
        """The archive."""
        key = self.params.get("key_file")
        return Store(Path(str(self.params["archive"])), Path(key) if key else None)

    @property
    def scratch(self) -> Scratch:
        """Where it is recovered to."""
        options = self._scratch_options()
        folder = Path(str(options["folder"]))
        inside = str(options.get("seen_as") or folder)
        run_in = tuple(options.get("run_in") or ())
        return Scratch(folder, Executor(folder, inside, run_in, str(options["user"])))

    def settings(self, server_id: int) -> Settings:
        """Return how its server is started."""
        options = self._scratch_options()
        return Settings(
            server_id=server_id,
            port=int(options["port"]),
            workers=int(options["workers"]),
            arguments=tuple(options.get("arguments") or ()),
        )

    def _scratch_options(self) -> Mapping[str, Any]:
        options = self.params.get("scratch")
        if not options:
            raise CollectionError(f"scratch: action={self.params['action']} needs scratch.folder")
        return dict(options)

    def target(self) -> Target:
        """Return where to; a name is looked up on the server that is given."""
        options = self.params.get("target") or {}
        found = named_set(options, self.connect)
        if found is not None:
            return Exactly(GtidSet.parse(found), str(options["name"]))
        target = read_target(options)
        if isinstance(target, Exactly):
            # The place is the same one, whether the set has what is left out before it or not.
            return replace(target, gtids=target.gtids | self.skip)
        return target

    @property
    def skip(self) -> GtidSet:
        """Transactions that are left out alone."""
        return skip.read_skip(self.params.get("skip"))

    def planned(self) -> plan.Recovery:
        """Make the plan. Raises BinlogError where there is none."""
        base = self.params.get("base")
        return plan.make(self.store, self.target(), base, self.say, self.skip)


def named_set(options: Mapping[str, Any], connect: Connect | None) -> str | None:
    """Return the transactions before the point that the option target names.

    None where it names none, or nobody can be asked, or more than a name is given.
    """
    name = options.get("name")
    others = any(value for key, value in options.items() if key not in ("name", "position"))
    if not name or connect is None or others:
        return None
    with connect() as connection:
        state = points.observe(connection)
        return points.named(state, str(name), connection.address).gtid_executed


def perform(task: Task) -> dict[str, Any]:
    """Do what the options ask and return the module's result.

    Raises CollectionError, its cause told in the option language.
    """
    action = str(task.params["action"])
    with told(FAILED[action], str(task.params["language"])):
        if action == "window":
            return _window(task.store.archive)
        if action == "plan":
            return {"changed": False, "plan": task.planned().as_dict()}
        with task.scratch.held():
            return _on_scratch(task, action)


def _on_scratch(task: Task, action: str) -> dict[str, Any]:
    if action == "apply":
        return _apply(task)
    if action == "verify":
        work = _work(task)
        record = work.current()
        if record is None or not record.reached(APPLIED):
            raise handover.unfinished(work.scratch, record)
        with _counting(task, work) as counting:
            return {"changed": False, **_verify(task, work, counting)}
    if action == "recheck":
        return handover.recheck(task.scratch, task.settings(FIRST_SERVER_ID), task.say)
    if action == "left_out":
        elsewhere = GtidSet.parse(str(task.params.get("executed") or ""))
        return handover.left_out(task.store, task.scratch, elsewhere)
    if action == "hand_over":
        return _hand_over(task)
    if action == "release":
        return _release(task)
    return _abandon(task)


def _window(archive: Archive) -> dict[str, Any]:
    return {
        "changed": False,
        "window": plan.window_of(archive),
        "bases": [_base(base) for base in archive.bases],
        "binlogs": len(archive.binlogs),
    }


def _base(base: Base) -> dict[str, Any]:
    return {
        "id": base.id,
        "method": base.method,
        "server_version": base.server_version,
        "gtid_executed": str(base.gtid_executed),
        "ended": base.ended.isoformat(),
        "bytes": base.size,
        "usable": base.usable,
        "verified_at": base.verified_at,
    }


def _work(task: Task) -> Work:
    recovery = task.planned()
    return Work(
        task.store, recovery, task.scratch, task.settings(_server_id(task, recovery)), task.say
    )


def _server_id(task: Task, recovery: plan.Recovery) -> int:
    """Return the scratch instance's id. Raises CollectionError, BinlogError where it cannot be.

    Events that carry the applier's own id are passed over without a word: nothing would be applied.
    """
    given = int((task.params.get("scratch") or {}).get("server_id") or 0)
    if not given:
        return FIRST_SERVER_ID + secrets.randbelow(LARGEST_SERVER_ID - FIRST_SERVER_ID)
    if not 0 < given <= LARGEST_SERVER_ID:
        raise CollectionError(
            f"scratch.server_id: {given} is given; allowed is 1 to {LARGEST_SERVER_ID}"
        )
    for piece in recovery.pieces:
        for event in recovery.resolved.source.events_of(piece.log, GTIDS):
            if event.server_id == given:
                proof = [f"{piece.log.name}:{event.start} was written by server-id {given}"]
                raise BinlogError(
                    "recovery.server_id_used", str(task.scratch.folder), proof, server_id=given
                )
    return given


def _apply(task: Task) -> dict[str, Any]:
    work = _work(task)
    before = work.current()
    steps = work.steps(before)
    result: dict[str, Any] = {
        "changed": bool(steps),
        "plan": work.recovery.as_dict(),
        "steps": steps,
    }
    if before is None or not before.reached(APPLIED):
        _check_room(work)
    if task.check_mode:
        return {**result, "stage": before.stage if before else None}
    checked = {}
    if before is not None and before.reached(VERIFIED):
        record = work.apply()
    else:
        # What the binary logs did to each table is counted while the server applies them.
        with _counting(task, work) as counting:
            record = work.apply()
            with work.room():
                checked = _verify(task, work, counting)
    record = work.scratch.record() or record
    return {**result, **checked, "stage": record.stage, "seconds": record.seconds}


def _check_room(work: Work) -> None:
    """Raise BinlogError where the volume is too small for what is still to come."""
    held = sum(path.stat().st_size for path in work.scratch.folder.rglob("*") if path.is_file())
    if work.scratch.free_bytes() + held < work.recovery.bytes_needed:
        raise no_room(work.scratch, work.recovery.bytes_needed)


def _counting(task: Task, work: Work) -> AbstractContextManager[Beside[Journal]]:
    """Begin to count what the pieces do to each table; nothing, where rows shall not be counted."""
    recovery = work.recovery
    pieces = recovery.pieces if task.params["count_rows"] else ()
    return beside(
        "counting the rows of the binary logs",
        partial(verify.changes, recovery.resolved.source, pieces, recovery.base),
    )


def _verify(task: Task, work: Work, counting: Beside[Journal]) -> dict[str, Any]:
    """Compare the instance with the plan, and note that it is what was planned."""
    began = time.monotonic()
    server = work.scratch.server()
    if not server.running:
        work.start()
    recovery = work.recovery
    known = [
        verify.Expected(str(each["table"]), int(each["rows"]), each.get("checksum"))
        for each in task.params.get("expected") or ()
    ]
    counted = bool(task.params["count_rows"])
    record = work.scratch.record()
    with server.connect() as connection:
        relay.check(connection, work.goal)
        task.say("reading checksums of all tables, and what the binary logs did to each")
        reading = verify.read(connection)
        sums = verify.noted(reading, connection)
        if record is not None and record.reached(VERIFIED):
            handover.check_unchanged(sums, record, work.scratch)
        journal = counting.result()
        facts = verify.facts(connection)
        prediction = predict(recovery.base, journal, facts) if counted else None
        found = verify.compare(reading, recovery.base, prediction, known)
        gtids = str(executed(connection))
    if counted and not found.compared:
        proof = [f"{each['table']}: {each['reason']}" for each in found.not_compared[:10]]
        raise BinlogError("recovery.nothing_compared", str(work.scratch.folder), proof)
    if record is not None:
        seconds = {**record.seconds, "verify": round(time.monotonic() - began, 1)}
        noted = replace(record, stage=VERIFIED, seconds=seconds, sums=sums)
        work.scratch.write(noted)
    return {
        # With count_rows off and nothing known, the transactions alone were compared.
        "verified": found.compared,
        "gtid_executed": gtids,
        "tables": found.tables,
        "not_compared": found.not_compared,
        "prepared": found.prepared,
        "socket": str(server.socket),
    }


def _hand_over(task: Task) -> dict[str, Any]:
    options = task.params.get("hand_over") or {}
    wanted = handover.Wanted(
        log_name=str(options.get("log_name") or handover.LOG_NAME),
        password_file=Path(str(options.get("password_file") or handover.PASSWORD_FILE)),
    )
    settings = task.settings(FIRST_SERVER_ID)
    return handover.hand_over(task.store, task.scratch, settings, wanted, task.check_mode, task.say)


def _release(task: Task) -> dict[str, Any]:
    """Take our account away and end the server: the data directory is anybody's then."""
    scratch = task.scratch
    record = scratch.record()
    if record is None or not record.reached(VERIFIED):
        raise handover.unfinished(scratch, record)
    server = scratch.server()
    running = server.running
    result = {"changed": running, "data": str(scratch.data)}
    if task.check_mode or not running:
        return result
    with server.connect() as connection:
        connection.execute("SET GLOBAL super_read_only = OFF")
        connection.execute("SET GLOBAL read_only = OFF")
        connection.execute("DROP USER CURRENT_USER()")
        server.stop_by(connection)
    return result


def _abandon(task: Task) -> dict[str, Any]:
    """Remove the scratch folder, and what runs in it; nothing else is touched."""
    scratch = task.scratch
    # Raises where the folder holds something else.
    there = scratch.record() is not None
    if not task.check_mode:
        if there:
            scratch.server().stop()
        scratch.remove()
    return {"changed": there}
