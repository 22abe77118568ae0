# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads a whole cluster, over both roads, and asks its causes: what mysql_doctor does. Reads only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from . import roads
from .causes import doctor as causes
from .causes import ingress as ingress_causes
from .causes import lan as lan_causes
from .causes import metallb as metallb_causes
from .causes import tables as table_causes
from .causes.doctor import Diagnosis, Seen, Wanted
from .causes.instances import DENIED, Reading
from .finding import CollectionError, Finding, errors
from .kube import client, drills, ingress, lan, metallb, storage, workload
from .kube.client import FORBIDDEN, Cluster, KubeError
from .kube.ingress import IngressState, Rule
from .mysql import checksum
from .mysql.connection import MysqlError
from .mysql.replication import observe as observe_instance
from .polling import look_until

Part = TypeVar("Part")

# For the replicas to reach the snapshot at which tables are compared.
TABLES_SECONDS = 120.0
_PLUGINS = "SELECT user, plugin FROM mysql.user"


@dataclass(frozen=True)
class Request:
    """What the doctor looks at.

    namespace: empty where the instances lie in no Kubernetes that is to be looked at. instances:
    given by the user, primary first; empty: read from the cluster. params: the module's login and
    Kubernetes options. run, lan_prefix: how a command is run on a host of the LAN. tables: whether
    every row is compared. patience: seconds for what may heal by itself.
    """

    wanted: Wanted
    namespace: str
    instances: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any]
    run: lan.Run
    lan_prefix: Sequence[str] = ()
    tables: bool = False
    patience: float = 10.0


@dataclass(frozen=True)
class Examined:
    """blind: parts that this user may not look at. answering: the instances that could be read."""

    diagnosis: Diagnosis
    blind: tuple[str, ...]
    primary: str
    answering: tuple[str, ...]


def examine(request: Request) -> Examined:
    """Return what is wrong with a cluster.

    It looks again while all that is found may heal by itself, until the patience ends: what a
    second look does not see was no cause. Raises CollectionError where the cluster cannot be read.
    """

    def look() -> tuple[Seen, list[str], Diagnosis]:
        seen, blind = _look(request)
        return seen, blind, causes.explain(seen, request.wanted)

    seen, blind, diagnosis = look_until(look, lambda one: one[2].settled, request.patience)
    if request.tables:
        seen = _with_tables(seen, request)
        diagnosis = causes.explain(seen, request.wanted)
    answering = tuple(one.name for one in seen.readings if one.state is not None)
    return Examined(diagnosis, tuple(blind), seen.primary, answering)


def _look(request: Request) -> tuple[Seen, list[str]]:
    seen, blind = Seen(), _Blind()
    cluster = None
    if request.namespace:
        cluster = client.connect(request.params.get("kubeconfig"), request.params.get("context"))
        seen = _kubernetes(cluster, request, blind)
    instances = list(request.instances) or _instances(seen, request)
    primary = str(instances[0]["name"]) if instances and not seen.workload else ""
    if seen.workload is not None:
        primary = seen.workload.topology.primary
    seen = replace(seen, readings=_read_all(request, instances, primary), primary=primary)
    if cluster is not None and request.lan_prefix and request.wanted.address:
        seen = replace(seen, paths=tuple(_paths(cluster, seen, request)))
    return seen, blind.parts


class _Blind:
    """What this user may not read."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def read(self, what: str, look: Callable[[], Part]) -> Part | None:
        """Return what was read, None where the API server forbids it."""
        try:
            return look()
        except KubeError as error:
            if error.status != FORBIDDEN:
                raise
            self.parts.append(f"{what}: {error.reason}")
            return None


def _kubernetes(cluster: Cluster, request: Request, blind: _Blind) -> Seen:
    wanted, space = request.wanted, request.namespace
    objects = blind.read(
        "the MySQL cluster",
        lambda: workload.observe(cluster, space, wanted.cluster, wanted.write_service),
    )
    claims = _claims(objects)
    labels = f"app.kubernetes.io/name=mysql,app.kubernetes.io/instance={wanted.cluster}"
    return Seen(
        nodes=tuple(blind.read("nodes", lambda: cluster.list("Node")) or ()),
        network=blind.read("the network", lambda: metallb.observe(cluster))
        if wanted.address
        else None,
        storage=blind.read(
            "storage", lambda: storage.observe(cluster, space, claims, pod_selector=labels)
        ),
        ingress=blind.read("Ingresses", lambda: ingress.observe(cluster, space)),
        workload=objects,
        drills=blind.read(
            "restore drills",
            lambda: drills.observe(cluster, space, drills.name_of(wanted.cluster)),
        ),
        now=time.time(),
    )


def _claims(objects: workload.WorkloadState | None) -> list[str]:
    """Return the claims that the instances' own Deployments name."""
    if objects is None:
        return []
    templates = [
        seen.obj["spec"]["template"]
        for seen in objects.deployments.values()
        if seen.obj is not None
    ]
    return [name for name in (workload.claim_of(one) for one in templates) if name]


def _instances(seen: Seen, request: Request) -> list[dict[str, Any]]:
    if seen.workload is None:
        return []
    return [one.as_dict(request.namespace) for one in seen.workload.topology.instances]


def _read_all(
    request: Request, instances: Sequence[Mapping[str, Any]], primary: str
) -> tuple[Reading, ...]:
    """Read each instance, the primary last: what it commits in between must not look errant."""
    ordered = sorted(instances, key=lambda one: one["name"] == primary)
    return tuple(_read(request, one) for one in ordered)


def _read(request: Request, instance: Mapping[str, Any]) -> Reading:
    name = str(instance["name"])
    try:
        with roads.connect_instance(request.params, instance) as connection:
            plugins = {str(row["user"]): str(row["plugin"]) for row in connection.query(_PLUGINS)}
            state = observe_instance(connection)
            return Reading(name, state, connection.address, plugins=plugins)
    except MysqlError as error:
        bare = error.errno == DENIED and _is_bare(request, instance)
        return Reading(name, errno=error.errno, error=error.message, bare=bare)
    except CollectionError as error:
        return Reading(name, error=error.message.splitlines()[0], findings=error.findings)


def _is_bare(request: Request, instance: Mapping[str, Any]) -> bool:
    """Whether root needs no password, as in a data directory that was left half made."""
    try:
        roads.connect_instance(request.params, {**instance, "login_password": ""}).close()
    except CollectionError:
        return False
    return True


def _paths(cluster: Cluster, seen: Seen, request: Request) -> list[Finding]:
    """Ask the address and each path of the Ingresses over the LAN; return why one does not answer."""
    address = request.wanted.address
    if address is None or seen.ingress is None or seen.network is None:
        return []
    verdict = metallb_causes.explain(seen.network, address)
    if errors(verdict.findings):
        return []
    answer = lan.ask(request.run, request.lan_prefix, address.ip)
    silent = lan_causes.judged(seen.network, address, verdict, answer)
    if silent is not None:
        return [silent]
    found: list[Finding] = []
    for one in seen.ingress.ingresses:
        for rule in ingress.rules(one):
            path = ingress.prefix(rule.path)
            if not path or rule.rewrite:
                continue
            answer = lan.ask(request.run, request.lan_prefix, address.ip, path, rule.host)
            if answer.status != ingress_causes.NOT_FOUND:
                continue
            direct = _direct(cluster, seen.ingress, rule)
            cause = ingress_causes.not_found(rule, answer.status, direct, request.wanted.language)
            found += [cause] if cause is not None else []
    return found


def _direct(cluster: Cluster, state: IngressState, rule: Rule) -> int:
    """Return what a rule's Service answers for ``/`` through the API server's proxy."""
    path = f"/api/v1/namespaces/{rule.namespace}/services/{rule.service}:{rule.port}/proxy/"
    try:
        cluster.raw(path, f"ask the Service {rule.service}")
    except KubeError as error:
        return error.status or ingress_causes.NOT_FOUND
    return 200


def _with_tables(seen: Seen, request: Request) -> Seen:
    """Compare every table of the instances that answer and can be compared."""
    states = [(one.name, one.state) for one in seen.readings if one.state is not None]
    if len(states) < 2 or any(state.gtid_mode != "ON" for _name, state in states):
        return seen
    instances = list(request.instances) or _instances(seen, request)
    answering = {name for name, _state in states}
    ordered = sorted(instances, key=lambda one: one["name"] != seen.primary)
    with ExitStack() as stack:
        members = [
            checksum.Member(
                str(one["name"]),
                stack.enter_context(roads.connect_instance(request.params, one)),
            )
            for one in ordered
            if one["name"] in answering
        ]
        try:
            readings = checksum.read(
                members, checksum.Task(None, "crc", False, TABLES_SECONDS, definitions=True)
            )
        except CollectionError as error:
            # A replica that does not follow cannot be compared; why is told by its own cause.
            note = f"tables were not compared: {error.message.splitlines()[0]}"
            return replace(seen, tables=error.findings, checked=(*seen.checked, note))
    told = table_causes.explain(readings, request.wanted.language)
    if not any(reading.sums for reading in readings):
        note = "tables were not compared: there are none"
        return replace(seen, tables=tuple(told), checked=(*seen.checked, note))
    defined = len(readings[0].definitions or ())
    tables = (
        f"{len(readings[0].sums)} tables compared on {len(readings)} instances by rows and CRC-32,"
        f" {defined} definitions by their texts; accounts were not compared"
    )
    return replace(seen, tables=tuple(told), checked=(*seen.checked, tables))
