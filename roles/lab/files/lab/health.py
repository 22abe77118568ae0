# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the lab works, by what really runs: the API server remembers pods that are long gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import index, network, nodes, supervisor
from .cluster import kubectl
from .definition import Definition, Node
from .errors import LabError
from .progress import Report
from .state import Lab
from .system import command, wait_until

OWN_NAMESPACES = ("kube-system", "metallb-system", "traefik", "local-path-storage")
LEASE_SECONDS = 25.0
"""kubelet renews its lease every 10 s: an older one is from before a stop."""
OWN_SECONDS = 180.0
USERS_SECONDS = 60.0
PROBE = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=2)
connection.request("GET", "/")
print(connection.getresponse().status)
"""


@dataclass(frozen=True)
class Health:
    """What is not as it should be; each a text for a person."""

    nodes: tuple[str, ...]
    own_pods: tuple[str, ...]
    users_pods: tuple[str, ...]
    pods: int = 0

    @property
    def well(self) -> bool:
        """Return whether the lab itself works; what users deployed may be broken for their own reasons."""
        return not self.nodes and not self.own_pods


def judge(
    objects: dict[str, Any],
    leases: dict[str, Any],
    running: dict[str, set[str]],
    definition: Definition,
    now: datetime,
) -> Health:
    """Return what is wrong.

    objects: nodes and pods, leases: of kube-node-lease, as kubectl returns lists. running: per node, the
    containers that run.
    """
    items = objects.get("items", [])
    seen = {item["metadata"]["name"]: item for item in items if item["kind"] == "Node"}
    renewed = {
        item["metadata"]["name"]: item.get("spec", {}).get("renewTime")
        for item in leases.get("items", [])
    }
    wrong = [
        text
        for node in definition.nodes
        if (text := _judge_node(node, seen.get(node.name), renewed.get(node.name), now))
    ]
    pods = [item for item in items if item["kind"] == "Pod"]
    own: list[str] = []
    users: list[str] = []
    for pod in pods:
        text = judge_pod(pod, running)
        if text:
            name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            (own if _is_own(pod) else users).append(f"{name}: {text}")
    return Health(tuple(wrong), tuple(own), tuple(users), len(pods))


def _is_own(pod: dict[str, Any]) -> bool:
    """Return whether a pod is part of the lab; the provisioner's short-lived helpers belong to volumes."""
    metadata = pod["metadata"]
    return metadata["namespace"] in OWN_NAMESPACES and bool(metadata.get("ownerReferences"))


def _judge_node(
    node: Node, found: dict[str, Any] | None, renewed: str | None, now: datetime
) -> str | None:
    """Return what is wrong with a node, or None."""
    if found is None:
        return f"{node.name}: not in the cluster"
    conditions = {c["type"]: c["status"] for c in found.get("status", {}).get("conditions", [])}
    if conditions.get("Ready") != "True":
        return f"{node.name}: not Ready"
    if renewed is None or (now - parse_time(renewed)).total_seconds() > LEASE_SECONDS:
        return f"{node.name}: its kubelet has not reported for {LEASE_SECONDS:.0f} s"
    return None


def parse_time(text: str) -> datetime:
    """Return the time that the API server wrote, in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def judge_pod(pod: dict[str, Any], running: dict[str, set[str]]) -> str | None:
    """Return what is wrong with a pod, or None; running: per node, the containers that run."""
    status = pod.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed") or "deletionTimestamp" in pod["metadata"]:
        return None
    states = status.get("containerStatuses", [])
    for state in states:
        waiting = state.get("state", {}).get("waiting")
        if waiting:
            return str(waiting.get("reason", "waiting"))
        identity = str(state.get("containerID", "")).rpartition("/")[2]
        if "running" in state.get("state", {}) and identity not in running.get(
            _node_of(pod), set()
        ):
            return "its containers are gone, kubelet has not yet noticed"
    ready = {c["type"]: c["status"] for c in status.get("conditions", [])}.get("Ready")
    return None if ready == "True" else str(status.get("phase", "unknown")) + ", not ready"


def _node_of(pod: dict[str, Any]) -> str:
    return str(pod.get("spec", {}).get("nodeName", ""))


def observe(lab: Lab, cache: Path) -> Health:
    """Look at the cluster and at what runs on the nodes."""
    base = [*kubectl(lab, cache), "--request-timeout=5s", "get", "-o", "json"]
    objects = command([*base, "nodes,pods", "--all-namespaces"], check=False, timeout=20)
    leases = command([*base, "leases", "-n", "kube-node-lease"], check=False, timeout=20)
    if objects.returncode or leases.returncode:
        return Health(("the API server does not answer",), (), ())
    running = {
        node.name: nodes.running_containers(lab, node, cache) for node in lab.definition.nodes
    }
    now = datetime.now(UTC)
    return judge(
        json.loads(objects.stdout), json.loads(leases.stdout), running, lab.definition, now
    )


def settle(lab: Lab, cache: Path, report: Report) -> None:
    """Give the lab's own pods a while to come back. What is missing then is for others to put right."""
    seen: list[Health] = []

    def look() -> bool:
        seen.append(observe(lab, cache))
        return seen[-1].well

    wait_until(look, seconds=USERS_SECONDS, every=1.0, say=lambda: report(waiting_text(seen[-1])))


def await_well(lab: Lab, cache: Path, report: Report, *, started: bool) -> Health:
    """Wait for nodes, the lab's own pods and the ingress address; after a start for users' pods too.

    Raises LabError if the lab itself does not work. Users' pods that stay broken are only told.
    """
    seen: list[Health] = []

    def look() -> Health:
        seen.append(observe(lab, cache))
        return seen[-1]

    def say() -> None:
        report(waiting_text(seen[-1]))

    if not wait_until(lambda: look().well, seconds=OWN_SECONDS, every=1.0, say=say):
        raise LabError(
            f"The lab does not work within {OWN_SECONDS:.0f} s",
            [*seen[-1].nodes, *seen[-1].own_pods],
            f"read the logs in {lab.logs}, or: kubectl --kubeconfig {lab.kubeconfig} get pods -A",
        )
    if started and seen[-1].users_pods:
        wait_until(lambda: not look().users_pods, seconds=USERS_SECONDS, every=1.0, say=say)
    for text in seen[-1].users_pods:
        report(f"not ready, and not the lab's: {text}")
    if not lab.definition.bare:
        _await_ingress(lab, report)
    return seen[-1]


def waiting_text(health: Health) -> str:
    """Return what is waited for, in one line."""
    texts = [*health.nodes, *health.own_pods, *health.users_pods]
    shown = "; ".join(texts[:3]) + ("; ..." if len(texts) > 3 else "")
    return f"waiting for {len(texts)} of nodes and {health.pods} pods: {shown}"


def ingress_answers(lab: Lab) -> bool:
    """Return whether the ingress controller answers on its address, asked from the LAN's client host."""
    client = network.machine(lab, network.CLIENT)
    argv = [*client.enter(), "python3", "-c", PROBE, lab.definition.ingress]
    return command(argv, check=False, timeout=10).returncode == 0


def _await_ingress(lab: Lab, report: Report) -> None:
    address = lab.definition.ingress
    if not wait_until(
        lambda: ingress_answers(lab),
        seconds=60,
        every=0.5,
        say=lambda: report(f"waiting for {address} to answer on the LAN"),
    ):
        raise LabError(
            f"{address} does not answer on the lab's LAN",
            [f"asked from {lab.definition.client} by HTTP"],
            "look at MetalLB's speakers: kubectl -n metallb-system logs -l component=speaker",
        )


def describe(lab: Lab, cache: Path) -> dict[str, Any]:
    """Return the lab's condition as data: processes, nodes, pods, ingress."""
    pid = supervisor.running_pid(lab)
    found: dict[str, Any] = {
        "lab": lab.name,
        "folder": str(lab.folder),
        "kubeconfig": str(lab.kubeconfig),
        "supervisor": pid,
        "nodes": {
            node.name: {
                "address": node.address,
                "processes": len(nodes.processes(lab, node)),
            }
            for node in lab.definition.nodes
        },
    }
    if pid is None:
        return {**found, "running": False, "problems": ["the lab is stopped"]}
    health = observe(lab, cache)
    problems = [*health.nodes, *health.own_pods, *health.users_pods]
    if not lab.definition.bare and not ingress_answers(lab):
        problems.append(f"{lab.definition.ingress} does not answer on the LAN")
    if not index.answers(lab):
        problems.append(f"the package index {index.address(lab.definition)} does not answer")
    return {**found, "running": True, "pods": health.pods, "problems": problems}
