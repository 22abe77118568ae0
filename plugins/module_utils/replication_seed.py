# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How mysql_replication decides on seeding: reads the facts, refuses with findings, chooses a way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import roads
from .causes import replication as causes
from .finding import CollectionError, Finding
from .mysql import seed, seed_survey
from .mysql.connection import Connection
from .mysql.definitions import COMPARED, NOT_COMPARED
from .mysql.replication import State
from .mysql.seed_clone import Donor, NotBackError
from .mysql.seed_left import left_behind
from .mysql.seed_plan import Seeding

UNTOUCHED = {"changed": False, "plan": []}


@dataclass(frozen=True)
class Ends:
    """Both ends of a seeding: the case, the replica's name, its session, its login's user."""

    case: causes.Case
    name: str
    connection: Connection
    login_user: str


def source_named(params: Mapping[str, Any]) -> bool:
    """Whether the source is to be emptied too: reload, and the user named it."""
    instance = params["source_instance"]
    return params["seed"] == "reload" and instance["name"] in params["seed_overwrite"]


def need_of(params: Mapping[str, Any], ends: Ends) -> seed.Need:
    """Return why a replica is to be seeded. Raises CollectionError where it must not be."""
    case = ends.case
    if params["seed"] == "none" or case.source is None:
        return seed.Need()
    found = seed.need(case.state, case.source, case.channel, params["seed"])
    fresh = case.state.channel(case.channel) is None
    if not found.needed and fresh and source_named(params) and case.source.schemas:
        reason = "the source holds data from before replication and was named to be emptied"
        found = seed.Need((reason,), schemas=case.state.schemas)
    if found.overwrites and not seed.named(case.subject, ends.name, params["seed_overwrite"]):
        raise CollectionError(
            f"{case.subject} is not seeded: nothing was changed",
            [causes.seed_refused(case, found, ends.name)],
            UNTOUCHED,
        )
    return found


def seeding_of(params: Mapping[str, Any], ends: Ends, need: seed.Need) -> Seeding | None:
    """Return how a replica is seeded, None for not at all. Raises CollectionError."""
    case = ends.case
    if not need.needed or case.source is None:
        return None
    donor = _donor(params, case.state, case.channel)
    asked = params["seed"]
    if asked == "reload" and not case.source.gtid_purged:
        return _by_method("reload", params, ends, need, donor)
    facts = seed.observe_facts(ends.connection)
    with roads.connect_instance(params, params["source_instance"]) as source:
        source_facts = seed.observe_facts(source, donor.user if donor else None)
        clone = _clone_hindrances(ends, source, donor, source_facts)
        if asked in ("auto", "clone") and not clone:
            how = _by_method("clone", params, ends, need, donor)
            left = left_behind(source, ends.connection, "clone")
            return replace(how, facts=facts, source_facts=source_facts, left=tuple(left))
        _refuse_method(case, asked, clone)
        _refuse_newer(case, clone if asked == "auto" else [])
        surveyed = seed_survey.survey(source, ends.connection)
    without = frozenset(params["seed_without"])
    refused = _dump_findings(case, surveyed, without)
    if refused:
        also = [causes.seed_impossible(case, "clone", clone)] if asked == "auto" else []
        raise CollectionError(f"{case.subject} is not seeded", [*refused, *also], UNTOUCHED)
    gone = sorted(without & surveyed.broken.keys())
    left = [f"left out as asked for: {', '.join(gone)}"] if gone else []
    how = _by_method("reload" if asked == "reload" else "dump", params, ends, need, donor)
    return replace(how, without=frozenset(gone), left=(*left, *surveyed.left))


def _clone_hindrances(
    ends: Ends, source: Connection, donor: Donor | None, facts: seed.Facts
) -> list[str]:
    """Return why the replica cannot clone the source, or would lose something by it."""
    versions = (ends.connection.server.version, source.server.version)
    if donor is None:
        return ["no account to clone with: seed_user and seed_password"]
    found = seed.clone_hindrances(versions, facts.may_clone, donor.user)
    return [*found, *seed_survey.lost_by_clone(source, ends.connection)]


def _refuse_method(case: causes.Case, asked: str, clone: Sequence[str]) -> None:
    """Raise CollectionError where the way that is asked for cannot be, and no other is allowed."""
    found: list[Finding] = []
    if asked == "clone":
        found.append(causes.seed_impossible(case, "clone", clone))
    # Nothing of the source is needed where its binary logs hold everything.
    if asked == "reload" and case.source and case.source.schemas:
        words = "its binary logs do not begin with its data: name it too in seed_overwrite"
        found.append(causes.seed_impossible(case, "reload", [f"source: {words}"]))
    if found:
        raise CollectionError(f"{case.subject} is not seeded", found, UNTOUCHED)


def _by_method(
    method: seed.Method,
    params: Mapping[str, Any],
    ends: Ends,
    need: seed.Need,
    donor: Donor | None,
) -> Seeding:
    return Seeding(
        method=method,
        channel=ends.case.channel,
        need=need,
        source_name=params["source_instance"]["name"],
        donor=donor,
        login_user=ends.login_user,
        seconds=params["seed_timeout"],
    )


def _refuse_newer(case: causes.Case, clone: Sequence[str]) -> None:
    """Raise CollectionError where the source is of a newer series: what it holds need not be looked at."""
    if case.source is None:
        return
    versions = (case.state.server.version, case.source.server.version)
    hindrances = seed.dump_hindrances(versions)
    if hindrances:
        found = causes.seed_impossible(case, "dump", [*clone, *hindrances])
        raise CollectionError(f"{case.subject} is not seeded", [found], UNTOUCHED)


def _dump_findings(
    case: causes.Case, surveyed: seed_survey.Survey, without: frozenset[str]
) -> list[Finding]:
    """Return why a copy is refused before it begins."""
    found: list[Finding] = []
    if surveyed.refused:
        found.append(causes.seed_impossible(case, "dump", surveyed.refused))
    broken = {name: why for name, why in surveyed.broken.items() if name not in without}
    if broken:
        proof = [f"{name}: {why}" for name, why in broken.items()]
        names = ", ".join(f'"{name}"' for name in broken)
        found.append(case.finding("replication.seed_broken", *proof, names=names))
    if surveyed.prepared:
        found.append(case.finding("replication.seed_prepared", *surveyed.prepared))
    return found


def _donor(params: Mapping[str, Any], state: State, channel: str) -> Donor | None:
    """Return where the replica clones from and as whom: as it replicates, unless told otherwise."""
    held = state.channel(channel)
    settings = held.settings if held else {}
    host = params["source_host"] or settings.get("host")
    port = params["source_port"] or (3306 if params["source_host"] else settings.get("port"))
    user = params["seed_user"] or params["source_user"] or settings.get("user")
    password = params["seed_password"] or params["source_password"]
    if not (host and user and password):
        return None
    return Donor(str(host), int(port or 3306), str(user), str(password))


def doubts(case: causes.Case, how: Seeding | None) -> list[Finding]:
    """Return what stays behind as a warning."""
    if how is None or not how.left:
        return []
    return [case.finding("replication.seed_left", *how.left)]


def proved(how: Seeding | None) -> dict[str, list[str]]:
    """Return what is compared with the source when the replica was seeded, what is not, what stays behind."""
    compared: list[str] = []
    not_compared: list[str] = []
    if how is not None and how.method == "clone":
        not_compared = [
            "rows and definitions: a clone carries pages, which the server checks alone"
        ]
    elif how is not None and how.method == "dump":
        compared = ["count and checksum of the rows of every table", *COMPARED]
        not_compared = [*NOT_COMPARED]
    left = list(how.left) if how else []
    return {"compared": compared, "not_compared": not_compared, "not_carried": left}


def explained(case: causes.Case, error: NotBackError, seconds: float) -> CollectionError:
    """Return a replica that did not come back after its clone as a finding."""
    proof = "CLONE INSTANCE ended with error 3707" if not error.supervised else error.message
    if error.supervised:
        found = case.finding("replication.seed_not_back", proof, seconds=f"{seconds:g}")
    else:
        found = case.finding("replication.seed_restart", proof)
    return CollectionError(error.message, [found])
