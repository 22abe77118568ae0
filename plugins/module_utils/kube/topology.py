# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is primary, as the cluster itself says: the Service for writes selects one instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..finding import CollectionError
from . import pods as pod_status
from .client import Cluster, Object

NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
MANAGER_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "mysql_on.kubernetes"
SERVER_LABEL = "mysql-on.kubernetes/server"
READS_LABEL = "mysql-on.kubernetes/reads"
CONFIG_ANNOTATION = "mysql-on.kubernetes/config"
TLS_ANNOTATION = "mysql-on.kubernetes/tls"
SERVER_ID_ARGUMENT = "--server-id="
# On the Deployment of a primary that a failover ended: nobody starts it unasked.
FENCED_ANNOTATION = "mysql-on.kubernetes/fenced"


class PrimaryChangedError(CollectionError):
    """Another instance is primary than what a change was planned from. actual: empty for none."""

    def __init__(self, service: str, expected: str, actual: str) -> None:
        super().__init__(
            f"Service {service} selects {actual or 'no instance'} by now, and not {expected or 'none'}"
        )
        self.service = service
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True)
class Instance:
    """One instance as its Deployment and its Pod show it.

    server_id: as given in the Deployment's arguments, 0 where it is not. config: fingerprint of the
    my.cnf that its template was made with, empty where it has none; tls: the same of its certificates.
    started: whether its server takes connections, ready or not. reads: label of the running Pod.
    wanted: whether the Deployment is to have a Pod. fenced: whether it has none because a failover ended it.
    """

    name: str
    server_id: int
    image: str
    config: str
    pod: str
    node: str
    started: bool
    ready: bool
    reads: bool
    wanted: bool = True
    tls: str = ""
    fenced: bool = False

    def as_dict(self, namespace: str) -> dict[str, Any]:
        """Return the instance as modules of the collection take it: a name and the way to it."""
        return {
            "name": self.name,
            "pod": {"namespace": namespace, "deployment": self.name},
        }


@dataclass(frozen=True)
class Topology:
    """A MySQL cluster in one namespace.

    primary: name of the instance that writes go to, or empty. orphans: Pods that reads may go to
    though their Deployment is gone. claims: the claim of each instance that has one, by its name.
    """

    namespace: str
    namespace_exists: bool
    primary: str
    instances: tuple[Instance, ...]
    orphans: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return the names of the instances, by server-id."""
        return [instance.name for instance in self.instances]

    def replicas(self) -> list[Instance]:
        """Return the instances that are to follow the primary; none where it is not known.

        One that a failover ended is none of them until it is let back in.
        """
        if not self.primary:
            return []
        return [
            instance
            for instance in self.instances
            if instance.name != self.primary and not instance.fenced
        ]


def observe(cluster: Cluster, namespace: str, name: str, write_service: str) -> Topology:
    """Read the topology of one MySQL cluster; reads only. Raises KubeError.

    name: value of app.kubernetes.io/instance. write_service: the Service that leads to the primary.
    """
    if cluster.get("Namespace", namespace) is None:
        return Topology(namespace, False, "", ())
    labels = f"{NAME_LABEL}=mysql,{INSTANCE_LABEL}={name},{SERVER_LABEL}"
    deployments = cluster.list("Deployment", namespace, labels=labels)
    pods = cluster.list("Pod", namespace, labels=labels)
    service = cluster.get("Service", write_service, namespace)
    seen = build(namespace, deployments, pods, service)
    return replace(seen, claims=claims(cluster, namespace, name))


def claims(cluster: Cluster, namespace: str, name: str = "") -> dict[str, str]:
    """Return the claim of each instance by the label that says whose it is. Raises KubeError.

    An instance's claim has its name, unless somebody else made it (playbooks/adopt.yml) or a switch to
    recovered data did. While such a switch is at work two may be an instance's: the newer one counts.
    name: of one MySQL cluster, empty for all of the namespace.
    """
    labels = f"{INSTANCE_LABEL}={name},{SERVER_LABEL}" if name else SERVER_LABEL
    found = cluster.list("PersistentVolumeClaim", namespace, labels=labels)
    return {
        str(claim["metadata"]["labels"][SERVER_LABEL]): str(claim["metadata"]["name"])
        for claim in sorted(
            found, key=lambda claim: str(claim["metadata"].get("creationTimestamp"))
        )
    }


def build(
    namespace: str,
    deployments: Sequence[Mapping[str, Any]],
    pods: Sequence[Mapping[str, Any]],
    service: Mapping[str, Any] | None,
) -> Topology:
    """Return the topology that the objects show; pure."""
    running = {
        pod["metadata"]["labels"][SERVER_LABEL]: pod
        for pod in sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        if not pod["metadata"].get("deletionTimestamp")
    }
    found = [
        _instance(deployment, running.get(deployment["metadata"]["name"]))
        for deployment in deployments
    ]
    found.sort(key=lambda instance: (instance.server_id, instance.name))
    primary = selected(service)
    known = {instance.name for instance in found}
    orphans = [
        str(pod["metadata"]["name"])
        for server, pod in sorted(running.items())
        if server not in known and pod["metadata"]["labels"].get(READS_LABEL) == "yes"
    ]
    return Topology(
        namespace=namespace,
        namespace_exists=True,
        primary=primary if primary in known else "",
        instances=tuple(found),
        orphans=tuple(orphans),
    )


def selected(service: Mapping[str, Any] | None) -> str:
    """Return the instance that a Service selects, whether there is such a one or not; pure."""
    selector = (service or {}).get("spec", {}).get("selector") or {}
    return str(selector.get(SERVER_LABEL, ""))


def is_fenced(deployment: Mapping[str, Any]) -> bool:
    """Whether a failover ended an instance, and nobody started it again; pure."""
    notes = deployment["metadata"].get("annotations") or {}
    return FENCED_ANNOTATION in notes and deployment["spec"].get("replicas", 1) == 0


def same_primary(cluster: Cluster, namespace: str, service: str, expected: str) -> Object:
    """Return the Service for writes, seen to lead to who is expected. Raises PrimaryChangedError, KubeError."""
    found = cluster.get("Service", service, namespace)
    if selected(found) != expected:
        raise PrimaryChangedError(f"{namespace}/{service}", expected, selected(found))
    return found or {}


def _instance(deployment: Mapping[str, Any], pod: Mapping[str, Any] | None) -> Instance:
    template = deployment["spec"]["template"]
    container = template["spec"]["containers"][0]
    annotations = template.get("metadata", {}).get("annotations") or {}
    metadata = (pod or {}).get("metadata", {})
    conditions = (pod or {}).get("status", {}).get("conditions") or []
    return Instance(
        name=deployment["metadata"]["name"],
        server_id=_server_id(container.get("args") or []),
        image=str(container.get("image", "")),
        config=str(annotations.get(CONFIG_ANNOTATION, "")),
        pod=str(metadata.get("name", "")),
        node=str((pod or {}).get("spec", {}).get("nodeName", "")),
        started=pod is not None and pod_status.is_started(dict(pod)),
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
        reads=metadata.get("labels", {}).get(READS_LABEL) == "yes",
        wanted=deployment["spec"].get("replicas", 1) > 0,
        tls=str(annotations.get(TLS_ANNOTATION, "")),
        fenced=is_fenced(deployment),
    )


def _server_id(arguments: Sequence[str]) -> int:
    for argument in arguments:
        if argument.startswith(SERVER_ID_ARGUMENT):
            value = argument.removeprefix(SERVER_ID_ARGUMENT)
            return int(value) if value.isdigit() else 0
    return 0
