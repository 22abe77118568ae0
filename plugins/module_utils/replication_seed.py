# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How mysql_replication decides on seeding: reads the facts, refuses with findings, chooses a way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import roads
from .causes import replication as causes
from .finding import CollectionError
from .mysql import seed
from .mysql.connection import Connection
from .mysql.replication import State
from .mysql.seed_clone import Donor, NotBackError
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
    facts, source_facts = seed.Facts(), seed.Facts()
    asked = params["seed"]
    versions = (case.state.server.version, case.source.server.version)
    clone = [] if donor else ["no account to clone with: seed_user and seed_password"]
    if asked in ("auto", "clone") and donor is not None:
        with roads.connect_instance(params, params["source_instance"]) as source:
            source_facts = seed.observe_facts(source, donor.user)
        facts = seed.observe_facts(ends.connection)
        clone = seed.clone_hindrances(versions, source_facts.may_clone, donor.user)
    method = _method(case, asked, clone, seed.dump_hindrances(versions))
    return Seeding(
        method=method,
        channel=case.channel,
        need=need,
        source_name=params["source_instance"]["name"],
        donor=donor,
        facts=facts,
        source_facts=source_facts,
        login_user=ends.login_user,
        seconds=params["seed_timeout"],
    )


def _method(case: causes.Case, asked: str, clone: list[str], dump: list[str]) -> seed.Method:
    """Return clone where both ends can, a dump otherwise, or what was asked for."""
    if asked in ("auto", "clone") and not clone:
        return "clone"
    if asked == "reload":
        # Nothing of the source is needed where its binary logs hold everything.
        purged = bool(case.source and case.source.gtid_purged)
        if purged and case.source and case.source.schemas:
            words = "its binary logs do not begin with its data: name it too in seed_overwrite"
            found = causes.seed_impossible(case, "reload", [f"source: {words}"])
            raise CollectionError(f"{case.subject} is not seeded", [found], UNTOUCHED)
        return "reload"
    hindrances = clone if asked == "clone" else [*clone * (asked == "auto"), *dump]
    if asked == "clone" or dump:
        found = causes.seed_impossible(case, "clone" if asked == "clone" else "dump", hindrances)
        raise CollectionError(f"{case.subject} is not seeded", [found], UNTOUCHED)
    return "dump"


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


def explained(case: causes.Case, error: NotBackError, seconds: float) -> CollectionError:
    """Return a replica that did not come back after its clone as a finding."""
    proof = "CLONE INSTANCE ended with error 3707" if not error.supervised else error.message
    if error.supervised:
        found = case.finding("replication.seed_not_back", proof, seconds=f"{seconds:g}")
    else:
        found = case.finding("replication.seed_restart", proof)
    return CollectionError(error.message, [found])
