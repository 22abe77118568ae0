# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads what a switch to a recovered volume begins with, and carries its steps out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from . import roads
from .causes.binlog import BinlogError
from .finding import CollectionError
from .kube import exec as kube_exec
from .kube import generations, topology
from .kube.client import Cluster, Object
from .kube.generations import Claim
from .mysql import replication_plan
from .mysql.connection import Connection
from .mysql.replication import State
from .mysql.replication import observe as observe_state
from .mysql.switchover_run import Run, gone
from .polling import look_until
from .recovery import remote
from .recovery.handover import LOG_NAME, PASSWORD_FILE
from .recovery_switch import OURS, RECOVERY, Instance, Seen, executed, finished, lost

POLL = 0.5
READ_ONLY = {"read_only", "super_read_only"}
TOOLS = "tools"
# As roles/recovery mounts them in the Pod of a recovery.
ARCHIVE = "/archive"
FOLDER = "/scratch/recovery"
# Seconds without a line from the Pod.
POD_TIMEOUT = 600.0


@dataclass(frozen=True)
class Site:
    """One cluster, and the ways to it. params: the module's options; say: told what is done now."""

    cluster: Cluster
    params: Mapping[str, Any]
    say: Callable[[str], None]

    @property
    def namespace(self) -> str:
        """Namespace of the cluster."""
        return str(self.params["namespace"])

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return str(self.params["cluster"])

    @property
    def pod(self) -> str:
        """Name of the Pod of its recovery."""
        return f"{self.name}-recovery"

    def connect(self, name: str) -> Connection:
        """Open a session of an instance. Raises CollectionError."""
        road = {"namespace": self.namespace, "deployment": name}
        return roads.connect_instance(self.params, {"name": name, "pod": road})

    def claims(self) -> list[dict[str, Any]]:
        """Return the claims that are the cluster's, of whatever purpose."""
        labels = f"{topology.INSTANCE_LABEL}={self.name}"
        return self.cluster.list("PersistentVolumeClaim", self.namespace, labels=labels)

    def read_claims(self) -> dict[str, Claim]:
        """Return what the claims say of themselves, by name."""
        return {each.name: each for each in map(generations.read, self.claims())}

    def observe(self) -> Seen:
        """Read the cluster and the recovery; writes nothing. Raises CollectionError."""
        claims = self.read_claims()
        pending = [each for each in claims.values() if not finished(each)]
        if len(pending) > 1:
            names = ", ".join(each.name for each in pending)
            raise CollectionError(
                f"{self.namespace} has more than one claim of a recovery: {names}; one is needed:"
                " ansible-playbook playbooks/recover.yml --tags abandon removes those that are nobody's"
            )
        seen = topology.observe(
            self.cluster, self.namespace, self.name, str(self.params["write_service"])
        )
        scratch = pending[0] if pending else None
        return Seen(
            cluster=self.name,
            primary=seen.primary,
            instances=tuple(self._instance(each.name) for each in seen.instances),
            claims=claims,
            scratch=scratch.name if scratch else "",
            recovered=scratch.recovered if scratch else "",
            pod=self.cluster.get("Pod", self.pod, self.namespace) is not None,
        )

    def perform(self, action: str, **more: Any) -> dict[str, Any]:
        """Let the Pod of the recovery do something. Raises CollectionError with what it found."""
        options = {
            "action": action,
            "archive": ARCHIVE,
            "key_file": self.params["key_file"],
            "scratch": {
                "folder": FOLDER,
                "user": "mysql",
                "port": 0,
                "workers": 1,
                "arguments": self.params["arguments"],
            },
            "language": self.params["language"],
            **more,
        }
        command = remote.command(options, check_mode=False)
        done = kube_exec.run(
            self.cluster,
            self.namespace,
            self.pod,
            TOOLS,
            command,
            told=self.say,
            timeout=POD_TIMEOUT,
        )
        return remote.answer(done.code, done.output, done.errors)

    def deployment(self, name: str) -> Object:
        """Return an instance's Deployment. Raises CollectionError where there is none any more."""
        found = self.cluster.get("Deployment", name, self.namespace)
        if found is None:
            raise CollectionError(f"Deployment {self.namespace}/{name} went away")
        return found

    def _instance(self, name: str) -> Instance:
        found = Instance(name, generations.mounted(self.deployment(name)), self.used(name))
        if found.used != {found.mounts}:
            # Whoever answers now is not, or not surely, the server of the claim that it mounts.
            return found
        try:
            with self.connect(name) as connection:
                state = observe_state(connection)
        except CollectionError as error:
            if not gone(error):
                raise
            return found
        closed = state.super_read_only and set(state.persisted) >= READ_ONLY
        return replace(found, executed=state.gtid_executed.replace("\n", ""), closed=closed)

    def used(self, name: str) -> frozenset[str]:
        """Return the claims that an instance's Pods have, ending or not."""
        labels = f"{topology.INSTANCE_LABEL}={self.name},{topology.SERVER_LABEL}={name}"
        pods = self.cluster.list("Pod", self.namespace, labels=labels)
        live = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
        return frozenset(generations.mounted(pod) for pod in live)


def looked_at(site: Site, seen: Seen) -> Seen:
    """Return the cluster with what the recovery has, once it was seen to be what was verified.

    Raises BinlogError where a switch must not be begun or gone on with.
    """
    check(seen, accept_loss=bool(site.params["accept_loss"]))
    claim = seen.claims[seen.scratch]
    if claim.handed_over:
        return seen
    if not seen.pod:
        raise _no_pod(site, seen)
    if claim.takes_over and claim.recovered:
        # It may be in the middle of being handed over, which looks for itself.
        return seen
    return replace(seen, recovered=str(site.perform("recheck")["gtid_executed"]))


def previewed(site: Site, seen: Seen) -> tuple[Seen, dict[str, Any]]:
    """Return the cluster with what the recovery has, and what a switch to it would lose. Reads only.

    Raises BinlogError where a switch must not be begun or gone on with.
    """
    check(seen, accept_loss=bool(site.params["accept_loss"]))
    claim = seen.claims[seen.scratch]
    if seen.pod and not claim.handed_over:
        told = site.perform("left_out", executed=str(executed(seen)))
        return replace(seen, recovered=str(told["gtid_executed"])), dict(told["lost"])
    if not claim.recovered:
        raise _no_pod(site, seen)
    # Under way, and the archive's Pod is gone: the claims know which, and nobody what they did.
    gone = lost(seen)
    unknown: dict[str, Any] = {"first_commit_time": None, "last_commit_time": None, "tables": []}
    return seen, {
        **unknown,
        "transactions": gone.count,
        "gtids": str(gone),
        "not_archived": str(gone),
    }


def _no_pod(site: Site, seen: Seen) -> BinlogError:
    proof = [f"claim {seen.scratch}: Pod {site.pod} is not there"]
    return BinlogError("recovery.no_switch", site.namespace, proof)


def check(seen: Seen, *, accept_loss: bool) -> None:
    """Raise BinlogError where a switch must not be begun or gone on with; pure."""
    if not seen.scratch:
        proof = [f"no claim of {seen.cluster} has the label {topology.NAME_LABEL}={RECOVERY}"]
        raise BinlogError("recovery.no_switch", seen.cluster, proof)
    if not seen.primary:
        proof = [f"the Service for writes selects no instance of {seen.cluster}"]
        raise BinlogError("mysql.no_primary", seen.cluster, proof)
    claim = seen.claims[seen.scratch]
    if claim.takes_over and claim.takes_over != seen.primary:
        proof = [f"claim {claim.name} takes over from {claim.takes_over}"]
        raise BinlogError("recovery.other_primary", seen.primary, proof, primary=claim.takes_over)
    primary = seen.instance(seen.primary)
    begun = bool(claim.takes_over)
    noted = begun and any(each.replaced_by == seen.scratch for each in seen.claims.values())
    silent = primary is not None and primary.closed is None and not seen.moved(primary)
    if silent and not noted and not accept_loss:
        proof = [f"{seen.primary}: no answer; what it committed after the point is not known"]
        raise BinlogError("recovery.primary_silent", seen.primary, proof)


@dataclass
class Work:
    """The hands of a switch: each does one step, and doing it again does no harm.

    scratch: the recovered claim. primary: who was when it was planned.
    committed: whether an instance may be on another claim; until then the
    primary can take writes again.
    """

    site: Site
    scratch: str
    primary: str = ""
    committed: bool = False
    running: Run = field(init=False)

    def __post_init__(self) -> None:
        """Open no session yet."""
        self.running = Run(self.site.connect, float(self.site.params["timeout"]), self.site.say)

    def begin(self, name: str, recovered: str) -> None:
        """Note on the recovered claim whose data it is to be, and what it has."""
        self._see_primary()
        labels = {generations.TAKES_OVER_LABEL: name}
        notes = {generations.RECOVERED: recovered}
        self._claim(self.scratch, {"labels": labels, "annotations": notes})

    def take_back(self) -> list[str]:
        """Let the primary take writes again, and the recovery be abandoned, where nothing moved yet.

        Returns who takes writes again.
        """
        if self.committed:
            return []
        again = self.running.reopen()
        if again:
            self._claim(self.scratch, {"labels": {generations.TAKES_OVER_LABEL: None}})
        return again

    def hand_over(self, name: str) -> None:
        """End the scratch instance, and make the root of its volume a data directory."""
        log_name = LOG_NAME
        session = self._answering(name)
        if session is not None:
            base = session.value("SELECT @@global.log_bin_basename")
            log_name = PurePosixPath(str(base)).name if base else LOG_NAME
        options = {"log_name": log_name, "password_file": PASSWORD_FILE}
        self.site.perform("hand_over", hand_over=options)
        notes = {generations.HANDED_OVER: "yes"}
        self._claim(self.scratch, {"annotations": notes})

    def _answering(self, name: str) -> Connection | None:
        try:
            return self.running.session(name)
        except CollectionError as error:
            if not gone(error):
                raise
            return None

    def remove_pod(self) -> None:
        """Remove the Pod of the recovery with its code, and wait until it is gone."""
        site = self.site
        site.cluster.delete("Pod", site.pod, site.namespace)
        site.cluster.delete("ConfigMap", site.pod, site.namespace)
        self._wait(
            lambda: site.cluster.get("Pod", site.pod, site.namespace) is None,
            f"Pod {site.pod} is being removed",
        )

    def close(self, name: str) -> None:
        """End writes on an instance, for good: it comes back closed too."""
        session = self.running.session(name)
        # Without its channels: whether it follows somebody is not asked here.
        bare: State = replace(observe_state(session), channels=())
        wanted = replication_plan.Wanted("detached", read_only=True)
        self.running.close(name, replication_plan.plan(bare, wanted, session).steps)

    def note(self, name: str, claim: str) -> None:
        """Note on a claim what its instance has executed."""
        site = self.site
        with site.connect(name) as connection:
            executed = observe_state(connection).gtid_executed.replace("\n", "")
        notes = {generations.EXECUTED: executed, generations.REPLACED_BY: self.scratch}
        self._claim(claim, {"annotations": notes})

    def create(self, name: str, claim: str) -> None:
        """Make an empty claim for an instance."""
        self._see_primary()
        self.committed = True
        site = self.site
        by_name = {str(each["metadata"]["name"]): each for each in site.claims()}
        old = by_name.get(generations.mounted(site.deployment(name)))
        body = generations.empty_claim(claim, name, old, by_name[self.scratch])
        site.cluster.create("PersistentVolumeClaim", body, site.namespace)

    def own(self, name: str, claim: str) -> None:
        """Label a claim as an instance's: from here on it is, whoever looks."""
        self._see_primary()
        self.committed = True
        self._claim(claim, {"labels": {topology.SERVER_LABEL: name}})

    def move(self, name: str, claim: str) -> None:
        """Let an instance's Deployment mount a claim."""
        self._see_primary()
        self.committed = True
        patch = generations.move_patch(self.site.deployment(name), claim)
        self.site.cluster.patch("Deployment", name, patch, self.site.namespace)

    def leave(self, name: str) -> None:
        """Wait until no Pod of an instance has another claim than its Deployment."""
        site = self.site

        def left() -> bool:
            return site.used(name) == {generations.mounted(site.deployment(name))}

        self._wait(left, f"{name}: its old Pod is ending")

    def retire(self, name: str, claim: str) -> None:
        """Label a claim as one that an instance had."""
        labels = {topology.SERVER_LABEL: None, generations.RETIRED_LABEL: name}
        notes = {generations.REPLACED_BY: self.scratch}
        self._claim(claim, {"labels": labels, "annotations": notes})

    def finish(self) -> None:
        """Label the claim of a recovery as the cluster's own: nothing of the recovery is open."""
        labels = {topology.NAME_LABEL: OURS, generations.TAKES_OVER_LABEL: None}
        self._claim(self.scratch, {"labels": labels})

    def _see_primary(self) -> None:
        """See that nobody else made another instance primary since this was planned."""
        site = self.site
        service = str(site.params["write_service"])
        topology.same_primary(site.cluster, site.namespace, service, self.primary)

    def _claim(self, name: str, metadata: Mapping[str, Any]) -> None:
        site = self.site
        body = {"metadata": dict(metadata)}
        site.cluster.patch("PersistentVolumeClaim", name, body, site.namespace)

    def _wait(self, done: Callable[[], bool], words: str) -> None:
        timeout = float(self.site.params["timeout"])
        if not look_until(done, bool, timeout, POLL, again=lambda: self.site.say(words)):
            raise CollectionError(f"{words}, after {self.site.params['timeout']} s still")
