# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Job that asks an image's own mysqld what it is and what it thinks of a my.cnf.

It runs the image that is to be used, so it holds for every version and build of it; it needs no
instance that runs, and finds an image that cannot be pulled before anything is touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..finding import CollectionError, Finding
from . import pods as pod_status
from . import waiting
from .client import CONFLICT, Cluster, KubeError
from .topology import MANAGER, MANAGER_LABEL, NAME_LABEL

CONTAINER = "check"
# The Job goes by itself where nobody is left to delete it, and it never runs for ever.
TTL_SECONDS = 300
DEADLINE_SECONDS = 300

# Below the folder that the image's my.cnf includes, as an instance has it. --validate-config came with
# 8.0.16; a server before it would start instead, so its options are compared with those that its --help
# lists (which reads the file too, and refuses wrong values). The kubelet keeps 4096 bytes of the message.
SCRIPT = r"""
printf '%s' "$MY_CNF" > /etc/mysql/conf.d/mysql-on-kubernetes.cnf
check() {
  mysqld "$@" --user=mysql --server-id=1 --log-error=stderr --log-bin-index="$(mktemp -u)"
}
unknown() {
  help=$(mysqld --no-defaults --verbose --help 2>/dev/null)
  known=$(printf '%s\n' "$help" | awk 'listed && NF { print $1 } /^Variables \(--/ { listed = 1 }'
    printf '%s\n' "$help" | grep -o -e '--[a-z0-9-]*' | sed 's/^--//')
  printf '%s\n' "$MY_CNF" | sed -e 's/=.*//' -e 's/[[:space:]]//g' -e '/^[][#;!]/d' -e '/^$/d' |
    tr 'A-Z_' 'a-z-' | grep -v '^loose-' |
    while read -r option; do
      printf '%s\n' "$known" | grep -q -x -e "$option" -e "${option#skip-}" ||
        printf "mysqld: unknown variable '%s'\n" "$option"
    done
}
version=$(mysqld --no-defaults --version)
case "$version" in
  *" Ver 8.0."[0-9]" "* | *" Ver 8.0.1"[0-5][!0-9]*)
    said=$(check --verbose --help 2>&1 >/dev/null)
    code=$?
    missing=$(unknown)
    if [ -n "$missing" ]; then said="$said
$missing"; code=1; fi ;;
  *)
    said=$(check --validate-config 2>&1 >/dev/null)
    code=$? ;;
esac
{
  printf '%s\nexit code %s\n' "$version" "$code"
  printf '%s\n' "$said" | grep -v -e '\[Warning\]' -e '\[Note\]' -e '\[System\]' | head -c 3500
} > /dev/termination-log
exit 0
"""


@dataclass(frozen=True)
class Answer:
    """What the image's mysqld said. version_line: as ``mysqld --version``. said: its errors."""

    version_line: str
    exit_code: int
    said: str


def name_of(cluster_name: str, image: str, my_cnf: str) -> str:
    """Return the Job's name: the same question has the same name, so a killed run is taken up."""
    digest = hashlib.sha256(f"{image}\n{my_cnf}".encode()).hexdigest()[:10]
    return f"{cluster_name}-engine-check-{digest}"


def manifest(
    namespace: str, cluster_name: str, image: str, my_cnf: str, pull_policy: str
) -> dict[str, Any]:
    """Return the Job. It carries no label that a Service or the topology looks for."""
    container = {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": ["sh", "-c", SCRIPT],
        "env": [{"name": "MY_CNF", "value": my_cnf}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"memory": "512Mi"},
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/mysql/conf.d"}],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "config", "emptyDir": {}}],
    }
    labels = {
        NAME_LABEL: "mysql-engine-check",
        "app.kubernetes.io/part-of": cluster_name,
        MANAGER_LABEL: MANAGER,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name_of(cluster_name, image, my_cnf),
            "namespace": namespace,
            "labels": labels,
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def ask(
    cluster: Cluster,
    job: Mapping[str, Any],
    *,
    explain: Callable[[Sequence[waiting.Observation]], list[Finding]],
    hopeless: frozenset[str],
    timeout: float,
    patience: float,
) -> Answer:
    """Run the Job, return its answer, and delete it whatever comes.

    Raises CollectionError with findings where it does not come to an end, and KubeError.
    """
    namespace, name = str(job["metadata"]["namespace"]), str(job["metadata"]["name"])
    wanted = waiting.wanted("Job", namespace, name, "complete")
    try:
        cluster.create("Job", job, namespace)
    except KubeError as error:
        if error.status != CONFLICT:
            raise
    try:
        outcome = waiting.wait(
            lambda: waiting.observe_all(cluster, [wanted]),
            explain,
            timeout=timeout,
            patience=patience,
            hopeless=hopeless,
        )
        return parse(outcome.observations[0])
    finally:
        cluster.delete("Job", name, namespace)


def parse(seen: waiting.Observation) -> Answer:
    """Return the answer that the finished Job's Pod left; pure. Raises CollectionError."""
    for pod in seen.pods:
        for entry in pod_status.containers(pod):
            head, _end, rest = entry.message.partition("\n")
            code, _end, said = rest.partition("\n")
            number = code.removeprefix("exit code ")
            if number.isdigit():
                return Answer(head, int(number), said.strip())
    raise CollectionError(f"{seen.wanted} ended and left no answer; run this again")
