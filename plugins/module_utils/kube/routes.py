# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leads clients to instances: the selector of the Service for writes, and labels of running Pods.

A template is never touched: a changed one would restart the instance.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..finding import CollectionError
from ..polling import look_until
from . import pods, topology
from .client import CONFLICT, Cluster, KubeError, Object
from .topology import FENCED_ANNOTATION, READS_LABEL, SERVER_LABEL, Topology

POLL = 0.2
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
OF_SERVICE = "kubernetes.io/service-name"


def reads(seen: Topology) -> frozenset[str]:
    """Return the instances whose running Pods are labelled to be read from."""
    return frozenset(instance.name for instance in seen.instances if instance.reads)


def wanted(seen: Topology) -> frozenset[str]:
    """Return the instances whose Deployment starts a Pod wherever there is none."""
    return frozenset(instance.name for instance in seen.instances if instance.wanted)


def selector_patch(service: Mapping[str, Any], instance: str) -> Object:
    """Return what is merged into a Service so that it selects one instance; pure.

    The note of what was applied last is changed alike: the next ``apply`` of the same manifest
    would otherwise see a difference where there is none.
    """
    body: Object = {"spec": {"selector": {SERVER_LABEL: instance}}}
    noted = (service.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED)
    if noted:
        applied = json.loads(noted)
        applied.setdefault("spec", {}).setdefault("selector", {})[SERVER_LABEL] = instance
        text = json.dumps(applied, separators=(",", ":"), sort_keys=True)
        body["metadata"] = {"annotations": {LAST_APPLIED: text}}
    return body


def label_patch(on: bool) -> Object:
    """Return what is merged into a Pod so that it is read from, or no longer; pure."""
    return {"metadata": {"labels": {READS_LABEL: "yes" if on else "no"}}}


def ready_pods(slices: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Return the names of the Pods that a Service leads to now, by its EndpointSlices; pure."""
    return frozenset(
        str((endpoint.get("targetRef") or {}).get("name", ""))
        for each in slices
        for endpoint in each.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
    )


@dataclass(frozen=True)
class Routes:
    """The Services of one MySQL cluster. timeout: seconds until clients get where they are led."""

    cluster: Cluster
    namespace: str
    name: str
    write_service: str
    timeout: float
    say: Callable[[str], None]

    def observe(self) -> Topology:
        """Return who is primary and who is read from, as the cluster says it. Raises KubeError."""
        return topology.observe(self.cluster, self.namespace, self.name, self.write_service)

    def see_primary(self, expected: str) -> Object:
        """Return the Service for writes, seen to select who is expected. Raises PrimaryChangedError, KubeError."""
        return topology.same_primary(self.cluster, self.namespace, self.write_service, expected)

    def lead_writes(self, name: str, before: str) -> None:
        """Let the Service for writes select an instance, and wait until it leads there alone.

        before: whom it must select until then; the write carries the version in which it was seen so.
        Raises PrimaryChangedError, KubeError, and CollectionError where it does not come to that in time.
        """
        while not self._selected(name, self.see_primary(before)):
            # Somebody wrote the Service in that moment: it is looked at again.
            continue

        waiting = f"{self.write_service}: waiting until it leads to {name}"
        leads = look_until(
            lambda: self._leads_to(name),
            bool,
            self.timeout,
            POLL,
            again=lambda: self.say(waiting),
        )
        if not leads:
            raise CollectionError(
                f"Service {self.write_service} does not lead to {name} after"
                f" {self.timeout:g} s: its Pod is not ready"
            )

    def _selected(self, name: str, service: Object) -> bool:
        """Let a Service as it was read select an instance; return False where it was written since."""
        if not service:
            raise CollectionError(f"There is no Service {self.namespace}/{self.write_service}")
        patch = selector_patch(service, name)
        patch.setdefault("metadata", {})["resourceVersion"] = service["metadata"]["resourceVersion"]
        try:
            self.cluster.patch("Service", self.write_service, patch, self.namespace)
        except KubeError as error:
            if error.status != CONFLICT:
                raise
            return False
        return True

    def lead_reads(self, name: str, on: bool) -> None:
        """Label the running Pod of an instance; one that has none is labelled when it is back."""
        pod = self._pod(name)
        if pod:
            self.cluster.patch("Pod", pod, label_patch(on), self.namespace)

    def fence(self, name: str) -> Object:
        """Let an instance have no Pod, for good, and wait until there is none.

        Returns what may still run, as the facts namespace, pod, node and ready; empty for nothing. A
        node that is not ready cannot tell that a Pod has ended: it is not waited for.
        Raises KubeError.
        """
        noted = {FENCED_ANNOTATION: datetime.now(UTC).isoformat(timespec="seconds")}
        fenced = {"metadata": {"annotations": noted}, "spec": {"replicas": 0}}
        self.cluster.patch("Deployment", name, fenced, self.namespace)
        deadline = time.monotonic() + self.timeout
        while True:
            left = self.cluster.list("Pod", self.namespace, labels=f"{SERVER_LABEL}={name}")
            if not left:
                return {}
            pod, node = left[0]["metadata"]["name"], left[0]["spec"].get("nodeName", "")
            ready = self._node_ready(node)
            if (node and ready != "True") or time.monotonic() >= deadline:
                return {"namespace": self.namespace, "pod": pod, "node": node, "ready": ready}
            self.say(f"{name}: waiting until its Pod {pod} on {node} has ended")
            # The kubelet ends the Pod in its own time; its node may meanwhile turn out to be gone.
            time.sleep(POLL)

    def _node_ready(self, name: str) -> str:
        found = self.cluster.list("Node", fields=f"metadata.name={name}")
        return (pods.condition(found[0], "Ready") or "Unknown") if found else "gone"

    def _pod(self, name: str) -> str:
        found = [each.pod for each in self.observe().instances if each.name == name]
        return found[0] if found else ""

    def _leads_to(self, name: str) -> bool:
        labels = f"{OF_SERVICE}={self.write_service}"
        slices = self.cluster.list("EndpointSlice", self.namespace, labels=labels)
        return ready_pods(slices) == {self._pod(name)}
