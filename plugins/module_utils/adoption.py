# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster that somebody else built is, and what taking it over does to each of its instances.

``observe`` reads Kubernetes and every server; what follows from it is pure.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from . import roads
from .causes import proof as proof_causes
from .causes import replication as replication_causes
from .causes.catalogue import finding
from .finding import CollectionError, Finding, worst_first
from .kube import foreign
from .kube.client import Cluster
from .kube.foreign import Engine, Found, Place
from .kube.topology import INSTANCE_LABEL, SERVER_LABEL
from .mysql import proof
from .mysql.checksum import sums_of
from .mysql.connection import LOGIN_REFUSED, Connection
from .mysql.replication import Channel, State
from .mysql.replication import observe as observe_state
from .mysql.seed import MARKER
from .mysql.table_sums import Sum

# primary: nothing of its data is touched. follow: it has the primary's rows and goes on from there.
# seed: it gets the primary's data. unknown: it does not run, and is looked at once it does.
Treatment = Literal["primary", "follow", "seed", "unknown"]

# What is fixed when a data directory is initialized, with the server's default.
FIXED: Mapping[str, str] = {"lower_case_table_names": "0", "innodb_page_size": "16384"}
ROOT_HOSTS = ("%", "127.0.0.1")
SHOWN_TABLES = 8


@dataclass(frozen=True)
class Wanted:
    """What the user asks for. names: of the instances, the primary first. password: given, or None.

    overwrite: instances or Deployments whose own data may be lost. fixed: options that the new
    my.cnf gives, in lower case. seconds: for a replica to apply what the primary wrote.
    """

    namespace: str
    cluster: str
    names: tuple[str, ...]
    image: str
    primary: str = ""
    password: str | None = None
    overwrite: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    write_service: str = "mysql-write"
    read_service: str = "mysql-read"
    seconds: float = 60
    language: str = "en"


@dataclass(frozen=True)
class Rows:
    """How a replica's data differs from the primary's. only_there, lacking: tables by full name.

    differing: tables that both have, with rows there and on the primary. accounts: only there.
    """

    only_there: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    differing: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether every table is the same on both."""
        return not (self.only_there or self.lacking or self.differing)

    @property
    def lost(self) -> bool:
        """Whether seeding takes rows away that may be nowhere else."""
        there = any(rows for rows, _primary in self.differing.values())
        return bool(self.only_there) or there


@dataclass(frozen=True)
class Instance:
    """One instance as it is. name: what it becomes. state: None where it does not run yet.

    rows: None for the primary, and where it follows the primary by GTID already. options: what is
    fixed since its data directory was made. root: whether root can log in without resolved names.
    """

    name: str
    engine: Engine
    state: State | None = None
    rows: Rows | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    root: bool = True

    @property
    def channel(self) -> Channel | None:
        """The channel that it replicates by: the unnamed one, else its first."""
        if self.state is None or not self.state.channels:
            return None
        return self.state.channel("") or self.state.channels[0]


@dataclass(frozen=True)
class Adoptee:
    """The cluster as it was read. instances: the primary first. place: where root's password lies."""

    found: Found
    instances: tuple[Instance, ...]
    place: Place | None


def observe(cluster: Cluster, wanted: Wanted, login: Mapping[str, Any]) -> Adoptee:
    """Read the cluster; nothing is written. login: how servers are reached, without a password.

    Raises CollectionError where it cannot be taken over, before any server is asked.
    """
    found = foreign.observe(cluster, wanted.namespace, wanted.cluster)
    engines = assign(found, wanted)
    place, password = _password(cluster, engines, wanted)
    road = {**login, "login_password": password}
    instances = tuple(_read(name, engine, wanted, road) for name, engine in engines)
    return Adoptee(found, _with_rows(instances, wanted, road), place)


def assign(found: Found, wanted: Wanted) -> list[tuple[str, Engine]]:
    """Return each instance's name with its engine, the primary first. Pure.

    What a claim's label says holds: that is what an earlier run decided. The others take the names
    that are left, in the order of their Deployments' names, the primary the first.
    Raises CollectionError with every reason why they cannot be taken over.
    """
    if not found.engines:
        proof = [f"Deployments in {wanted.namespace}: none with a container of MySQL"]
        raise _refused(wanted, [_finding("adopt.nothing", wanted.namespace, wanted, proof)])
    problems = [
        _finding("adopt.deployment_form", engine.deployment, wanted, engine.hindrances)
        for engine in found.engines
        if engine.hindrances
    ]
    count, expected = len(found.engines), len(wanted.names)
    if count != expected:
        names = ", ".join(engine.deployment or engine.claim for engine in found.engines)
        facts = {"count": count, "expected": expected, "replicas": count - 1}
        lines = [f"found: {names}", f"wanted: {', '.join(wanted.names)}"]
        problems.append(_finding("adopt.instance_count", wanted.namespace, wanted, lines, **facts))
    if problems:
        raise _refused(wanted, problems)
    named = {engine.instance: engine for engine in found.engines if engine.instance}
    free = [engine for engine in found.engines if engine.instance not in wanted.names]
    if wanted.names[0] not in named:
        first = _primary(found, free, wanted)
        free = [first, *(engine for engine in free if engine is not first)]
    left = iter(free)
    assigned = [(name, named[name] if name in named else next(left)) for name in wanted.names]
    return _primary_first(found, assigned, wanted)


def _primary_first(
    found: Found, assigned: list[tuple[str, Engine]], wanted: Wanted
) -> list[tuple[str, Engine]]:
    """Put the instance first that mysql-write names, where that Service is one of ours already."""
    selected = (found.services.get(wanted.write_service) or {}).get(SERVER_LABEL)
    return sorted(assigned, key=lambda each: each[0] != selected) if selected else assigned


def _primary(found: Found, engines: Sequence[Engine], wanted: Wanted) -> Engine:
    """Return the engine that writes go to: named, or led to by the Service, or the only one."""
    names = ", ".join(engine.deployment for engine in engines)
    if wanted.primary:
        candidates = [each for each in engines if each.deployment == wanted.primary]
        proof = [f"adopt_primary: {wanted.primary}", f"Deployments: {names}"]
    else:
        candidates = [each for each in engines if found.selects(wanted.write_service, each)]
        selector = found.services.get(wanted.write_service)
        said = f"selects {selector}" if selector else "does not exist"
        proof = [f"Service {wanted.write_service} {said}", f"Deployments: {names}"]
    if len(engines) == 1 and not wanted.primary:
        candidates = list(engines)
    if len(candidates) != 1:
        unknown = _finding(
            "adopt.primary_unknown", wanted.write_service, wanted, proof, names=names
        )
        raise _refused(wanted, [unknown])
    return candidates[0]


def _password(
    cluster: Cluster, engines: Sequence[tuple[str, Engine]], wanted: Wanted
) -> tuple[Place | None, str]:
    """Return where root's password lies, and the password; no place for one that was given.

    The Secret of an earlier run comes first, then the primary's own Deployment.
    """
    ours = Place("Secret", f"{wanted.cluster}-auth", "root-password")
    places = [ours, *(engine.password for _name, engine in engines if engine.password)]
    if wanted.password is not None:
        places = [ours]
    for place in places:
        found = foreign.read(cluster, wanted.namespace, place)
        if found is not None:
            return place, found
    if wanted.password is not None:
        return None, wanted.password
    proof = [f"Deployment {engine.deployment}: no {foreign.PASSWORD}" for _name, engine in engines]
    subject = engines[0][1].deployment or engines[0][1].claim
    raise _refused(wanted, [_finding("adopt.password_unknown", subject, wanted, proof)])


def road(engine: Engine, wanted: Wanted) -> dict[str, str]:
    """Return the option ``pod`` that leads to an engine."""
    return {"namespace": wanted.namespace, "deployment": engine.deployment}


def _connect(name: str, engine: Engine, wanted: Wanted, login: Mapping[str, Any]) -> Connection:
    return roads.connect_instance(login, {"name": name, "pod": road(engine, wanted)})


def _read(name: str, engine: Engine, wanted: Wanted, login: Mapping[str, Any]) -> Instance:
    if not engine.deployment:
        return Instance(name, engine)
    try:
        session = _connect(engine.deployment, engine, wanted, login)
    except CollectionError as error:
        if error.details.get("errno") not in LOGIN_REFUSED:
            raise
        facts = {"namespace": wanted.namespace}
        found = _finding("adopt.root_refused", engine.deployment, wanted, [error.message], **facts)
        raise _refused(wanted, [found]) from error
    with session as connection:
        hosts = connection.query("SELECT host FROM mysql.user WHERE user = 'root'")
        return Instance(
            name,
            engine,
            observe_state(connection),
            options={each: str(connection.variable(each)) for each in FIXED},
            root=any(str(row["host"]) in ROOT_HOSTS for row in hosts),
        )


def follows_by_gtid(instance: Instance) -> bool:
    """Whether an instance is one of ours that positions itself: what ails it then is step 6's to mend."""
    channel = instance.channel
    if channel is None or not instance.engine.taken or instance.state is None:
        return False
    return bool(channel.settings.get("auto_position")) and instance.state.gtid_mode == "ON"


def _with_rows(
    instances: tuple[Instance, ...], wanted: Wanted, login: Mapping[str, Any]
) -> tuple[Instance, ...]:
    """Compare the rows of those that do not follow by GTID yet with the primary's."""
    primary, *replicas = instances
    asked = [each for each in replicas if each.state is not None and not follows_by_gtid(each)]
    if primary.state is None or not asked:
        return instances
    compared: dict[str, Rows] = {}
    with _connect(primary.engine.deployment, primary.engine, wanted, login) as source:
        for each in asked:
            with _connect(each.engine.deployment, each.engine, wanted, login) as replica:
                compared[each.name] = _rows(source, replica, each.channel, wanted.seconds)
    return tuple(replace(each, rows=compared.get(each.name)) for each in instances)


def _rows(source: Connection, replica: Connection, channel: Channel | None, seconds: float) -> Rows:
    """Return how a replica differs; of one that follows again until neither moved in between."""
    follows = channel is not None and channel.following
    deadline = time.monotonic() + seconds
    while True:
        goal = proof.current_goal(source)
        if channel is not None and follows:
            proof.wait_for_goal(replica, channel.name, goal, deadline, replication_causes.hopeless)
        mine, theirs = sums_of(source), sums_of(replica)
        found = compare(mine, theirs, _accounts(source), _accounts(replica))
        still = proof.current_goal(source) == goal
        if found.equal or not follows or still or time.monotonic() >= deadline:
            return found


def compare(
    mine: Mapping[str, Sum],
    theirs: Mapping[str, Sum],
    accounts: frozenset[str] = frozenset(),
    their_accounts: frozenset[str] = frozenset(),
) -> Rows:
    """Return how a replica's tables differ from the primary's. Pure.

    A table that is empty on the replica, or half a copy of an interrupted run, holds nothing that
    could be lost.
    """
    half = any(name.startswith(f"{MARKER}.") for name in theirs)
    differing = {
        name: (0 if half else theirs[name].rows, mine[name].rows)
        for name in sorted(mine.keys() & theirs.keys())
        if mine[name].content != theirs[name].content or mine[name].unread or theirs[name].unread
    }
    only = () if half else tuple(sorted(theirs.keys() - mine.keys()))
    return Rows(
        only_there=only,
        lacking=tuple(sorted(mine.keys() - theirs.keys())),
        differing=differing,
        accounts=tuple(sorted(their_accounts - accounts)),
    )


def _accounts(connection: Connection) -> frozenset[str]:
    rows = connection.query("SELECT user, host FROM mysql.user WHERE user NOT LIKE 'mysql.%'")
    return frozenset(f"{row['user']}@{row['host']}" for row in rows)


def treatment(instance: Instance, primary: Instance) -> Treatment:
    """Return what becomes of an instance's data. Pure."""
    if instance.name == primary.name:
        return "primary"
    if instance.state is None:
        return "unknown"
    if follows_by_gtid(instance):
        return "follow"
    channel = instance.channel
    follows = channel is not None and channel.following
    return "follow" if follows and instance.rows is not None and instance.rows.equal else "seed"


def detached(instance: Instance, primary: Instance) -> bool:
    """Whether an instance forgets its source first: what it follows by does not lead to these rows."""
    return instance.channel is not None and treatment(instance, primary) in ("primary", "seed")


def copied_uuid(instance: Instance, instances: Sequence[Instance]) -> bool:
    """Whether an instance needs another server_uuid: one that comes before it has the same. Pure."""
    if instance.state is None:
        return False
    uuids = []
    for each in instances:
        if each.name == instance.name:
            break
        if each.state is not None:
            uuids.append(each.state.server.server_uuid)
    return instance.state.server.server_uuid in uuids


def overwritten(read: Adoptee, wanted: Wanted) -> list[str]:
    """Return the instances that may be seeded: named, or whose rows the primary has all. Pure."""
    primary = read.instances[0]
    return [
        each.name
        for each in read.instances[1:]
        if {each.name, each.engine.deployment} & set(wanted.overwrite)
        or (treatment(each, primary) == "seed" and each.rows is not None and not each.rows.lost)
    ]


def faults(read: Adoptee, wanted: Wanted) -> list[Finding]:
    """Return what is wrong with the cluster as it is, worst first: what adopting it mends. Pure."""
    primary = read.instances[0]
    running = [
        (each.engine.deployment, each.state) for each in read.instances if each.state is not None
    ]
    found = proof_causes.twins(running, wanted.language)
    for each in read.instances:
        found += _gtids_off(each, wanted)
        if each.name == primary.name or each.state is None:
            continue
        name = each.channel.name if each.channel else ""
        case = replication_causes.Case(
            each.engine.deployment, each.state, name, primary.state, wanted.language
        )
        found += replication_causes.explain(case)
        found += _poured_first(each, wanted)
    seen: dict[tuple[str, str], Finding] = {}
    for one in found:
        seen.setdefault((one.code, one.subject), one)
    return worst_first(seen.values())


def _gtids_off(instance: Instance, wanted: Wanted) -> Iterator[Finding]:
    if instance.state is None or instance.state.gtid_mode == "ON":
        return
    mode = instance.state.gtid_mode
    proof_line = [f"@@gtid_mode = {mode}"]
    subject = instance.engine.deployment
    yield _finding("replication.gtid_off", subject, wanted, proof_line, gtid_mode=mode)


def _poured_first(instance: Instance, wanted: Wanted) -> Iterator[Finding]:
    rows = instance.rows
    if rows is None or not (rows.lacking or rows.differing):
        return
    lines = []
    if rows.lacking:
        lines.append(
            f"{len(rows.lacking)} tables of the primary are not there: {_few(rows.lacking)}"
        )
    if rows.differing:
        lines.append(f"{len(rows.differing)} tables differ: {_few(tuple(rows.differing))}")
    yield _finding("adopt.data_first", instance.engine.deployment, wanted, lines)


def refusals(read: Adoptee, wanted: Wanted) -> list[Finding]:
    """Return why the cluster cannot be taken over as it is; empty: it can. Pure."""
    found: list[Finding] = []
    for each in read.instances:
        if each.state is None or each.engine.taken:
            continue
        found += _unlike_new(each, wanted)
    allowed = overwritten(read, wanted)
    for each in read.instances[1:]:
        if each.rows is None or not each.rows.lost or each.name in allowed:
            continue
        found.append(_finding("adopt.only_there", each.name, wanted, list(_losses(each.rows))))
    return found


def _unlike_new(instance: Instance, wanted: Wanted) -> Iterator[Finding]:
    """Yield what the new Deployment would have otherwise than the data needs it."""
    name, image = instance.engine.deployment, instance.engine.image
    if _full(image) != _full(wanted.image):
        lines = [f"Deployment {name}: image {image}", f"cluster_image: {wanted.image}"]
        yield _finding("adopt.image_differs", name, wanted, lines, image=image)
    if not instance.root:
        lines = [f"mysql.user of {name}: no root at {' or '.join(ROOT_HOSTS)}"]
        yield _finding("adopt.root_host", name, wanted, lines)
    for option, value in instance.options.items():
        given = wanted.fixed.get(option, FIXED[option])
        if given.lower() != value.lower():
            lines = [f"@@{option} = {value} on {name}", f"the new my.cnf: {given}"]
            facts = {"option": option, "value": value}
            yield _finding("adopt.option_fixed", name, wanted, lines, **facts)


def _full(image: str) -> str:
    """Return an image's name with its registry, as Docker completes it."""
    first, slash, _rest = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    return image if "." in first or ":" in first else f"docker.io/{image}"


def _losses(rows: Rows) -> Iterator[str]:
    if rows.only_there:
        count = len(rows.only_there)
        yield f"{count} tables that the primary does not have: {_few(rows.only_there)}"
    for name, (there, here) in list(rows.differing.items())[:SHOWN_TABLES]:
        if there:
            yield f"{name}: {there} rows there, {here} on the primary, not the same"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_TABLES} more" if len(names) > SHOWN_TABLES else ""
    return ", ".join(names[:SHOWN_TABLES]) + more


def losses(instance: Instance, primary: Instance) -> list[str]:
    """Return what of an instance is not there any more afterwards, one line each. Pure."""
    rows = instance.rows
    found = (
        list(_losses(rows)) if rows is not None and treatment(instance, primary) == "seed" else []
    )
    if rows is not None and rows.accounts and treatment(instance, primary) == "seed":
        found.append(f"accounts that the primary does not have: {_few(rows.accounts)}")
    channel = instance.channel
    if channel is not None and detached(instance, primary):
        settings = channel.settings
        found.append(f"its replication from {settings.get('host')}:{settings.get('port')}")
    if not instance.engine.taken and instance.engine.others:
        found.append(f"further containers of its Pod: {', '.join(instance.engine.others)}")
    return found


def stranded(read: Adoptee, wanted: Wanted) -> list[str]:
    """Return other Services that lead to Pods that will be gone. Pure."""
    ours = (wanted.write_service, wanted.read_service)
    leaving = [each.engine for each in read.instances if not each.engine.taken]
    return sorted(
        name
        for name in read.found.services
        if name not in ours and any(read.found.selects(name, engine) for engine in leaving)
    )


def reselected(read: Adoptee, wanted: Wanted) -> list[str]:
    """Return those of our two Services that are there and select by somebody else's labels. Pure."""
    return [
        name
        for name in (wanted.write_service, wanted.read_service)
        if name in read.found.services and INSTANCE_LABEL not in read.found.services[name]
    ]


def is_adopted(read: Adoptee, wanted: Wanted) -> bool:
    """Whether nothing is left to do: all is ours, and every replica positions itself. Pure."""
    primary, *replicas = read.instances
    services = {wanted.write_service, wanted.read_service} <= read.found.services.keys()
    return (
        services
        and not reselected(read, wanted)
        and all(each.engine.taken and each.engine.labelled for each in read.instances)
        and not detached(primary, primary)
        and all(follows_by_gtid(each) for each in replicas)
    )


def _finding(
    code: str, subject: str, wanted: Wanted, lines: Sequence[str], **facts: Any
) -> Finding:
    return finding(code, subject=subject, proof=lines, language=wanted.language, **facts)


def _refused(wanted: Wanted, found: Sequence[Finding]) -> CollectionError:
    return CollectionError(
        f"The MySQL in namespace {wanted.namespace} is not adopted: nothing was changed", found
    )
