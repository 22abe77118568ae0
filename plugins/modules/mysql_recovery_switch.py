#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_recovery_switch
short_description: Let a MySQL cluster in Kubernetes go on with recovered data
version_added: 0.1.0
description:
  - Moves the instances of a cluster to the data of a recovery in the cluster, once
    M(mysql_on.kubernetes.mysql_recovery) has verified it. The recovered volume becomes the data of the
    instance that C(mysql-write) leads to.
  - The primary is closed to writes first. What the instances have and the recovered data has not is named by GTID.
  - Every other instance gets an empty volume, to be seeded from the primary. All old claims stay, under their names.
  - It is refused where the recovery was not verified, or is not what it was then.
  - Planned from what is. A run that was ended anywhere goes on when it is run again.
  - Where it fails before an instance was moved, the primary takes writes again.
notes:
  - Variables that were persisted on the old primary (C(SET PERSIST)) are not in the recovered data.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.cluster
attributes:
  check_mode:
    description: Compares the recovery with its verification, returns the plan, and writes nothing.
    support: full
  diff_mode:
    description: Shows which claim each instance would have.
    support: full
options:
  state:
    description:
      - V(preview) returns the plan, and what would be lost with its tables. It reads, and writes nothing.
      - V(moved) moves the instances.
      - V(done) notes that the switch is done, once the replicas were seeded and proved.
    type: str
    choices:
      - preview
      - moved
      - done
    default: moved
  login_user:
    description: MySQL user of every instance.
    type: str
    default: root
  login_password:
    description: Password of O(login_user), today's.
    type: str
  connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
  key_file:
    description: File of the key of an encrypted archive, in the Pod of the recovery.
    type: str
  arguments:
    description: Further arguments of the scratch instance's mysqld, as the recovery had them.
    type: list
    elements: str
    default: []
  accept_loss:
    description: Whether it is done too where the primary does not answer and nobody knows what is lost with it.
    type: bool
    default: false
  timeout:
    description: Seconds for each instance to start on its new volume, and for statements of the primary to end.
    type: int
    default: 300
  progress_file:
    description: File that gets a line every few seconds. Set by the action plugin of this module.
    type: path
seealso:
  - module: mysql_on.kubernetes.mysql_recovery
"""

EXAMPLES = r"""
- name: Which transactions would be lost
  mysql_on.kubernetes.mysql_recovery_switch:
    namespace: mysql
    login_password: "{{ root_password }}"
    state: preview
  register: previewed

- name: Let the cluster go on with what was recovered
  mysql_on.kubernetes.mysql_recovery_switch:
    namespace: mysql
    login_password: "{{ root_password }}"
  register: switched

- name: Note that it is done, once the replicas follow
  mysql_on.kubernetes.mysql_recovery_switch:
    namespace: mysql
    login_password: "{{ root_password }}"
    state: done
"""

RETURN = r"""
plan:
  description: What was done, or would be, each as C(statement) and C(reason).
  returned: always
  type: list
  elements: dict
primary:
  description: The instance that has the recovered data.
  returned: success
  type: str
claim:
  description: The claim with the recovered data.
  returned: success
  type: str
  sample: mysql-recovery
gtid_executed:
  description: What was recovered.
  returned: success
  type: str
claims:
  description: The claim of each instance afterwards, by its name.
  returned: success
  type: dict
  sample: {"mysql-1": "mysql-recovery", "mysql-11": "mysql-11-recovery"}
kept:
  description:
    - Claims with the data of before, each with its C(claim), its C(instance) and C(gtid_executed).
    - Nothing mounts them.
  returned: success
  type: list
  elements: dict
  sample: [{"claim": "mysql-1", "instance": "mysql-1", "gtid_executed": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23"}]
lost:
  description:
    - What the instances had executed and the recovered data has not.
  returned: success
  type: dict
  contains:
    gtids:
      description: A GTID set.
      type: str
    transactions:
      description: How many there are in it.
      type: int
    complete:
      description: Whether the old primary could be asked.
      type: bool
    first_commit_time:
      description: When the first of them was committed, in UTC; null where the archive tells of none.
      type: str
      returned: with O(state=preview)
    last_commit_time:
      description: When the last of them was.
      type: str
      returned: with O(state=preview)
    tables:
      description: What they did to which table, by C(table), C(inserted), C(updated), C(deleted) and C(statements).
      type: list
      elements: dict
      returned: with O(state=preview)
    not_archived:
      description: Those that the archive tells nothing of, a GTID set.
      type: str
      returned: with O(state=preview)
findings:
  description: The causes, where the module fails.
  returned: on failure
  type: list
  elements: dict
"""

from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import recovery_switch, roads
from ..module_utils.causes.binlog import told
from ..module_utils.causes.change import overtaken
from ..module_utils.finding import CollectionError
from ..module_utils.kube import client, topology
from ..module_utils.plan import apply, diff
from ..module_utils.progress import ProgressFile, ticking
from ..module_utils.recovery_switch_run import Site, Work, looked_at, previewed
from ..module_utils.runtime import run

FAILED = "The cluster was not switched to the recovered data"


class Line:
    """What is done now."""

    def __init__(self) -> None:
        self.text = "looking at the cluster"

    def say(self, text: str) -> None:
        """Note it."""
        self.text = text


def shown(seen: recovery_switch.Seen) -> dict[str, Any]:
    return {each.name: each.mounts for each in seen.instances}


def result(before: recovery_switch.Seen, after: recovery_switch.Seen) -> dict[str, Any]:
    lost = recovery_switch.lost(after) | recovery_switch.lost(before)
    kept = [
        one for one in after.claims.values() if one.retired and one.replaced_by == after.scratch
    ]
    asked = [one.executed for one in kept if one.retired == after.primary]
    return {
        "primary": after.primary,
        "claim": after.scratch,
        "gtid_executed": after.recovered,
        "claims": shown(after),
        "kept": [
            {"claim": one.name, "instance": one.retired, "gtid_executed": one.executed}
            for one in kept
        ],
        "lost": {"gtids": str(lost), "transactions": lost.count, "complete": all(asked)},
        "diff": diff(shown(before), shown(after)),
    }


def preview(site: Site) -> dict[str, Any]:
    seen, lost = previewed(site, site.observe())
    plan = recovery_switch.plan(seen, Work(site, seen.scratch, seen.primary))
    found = result(seen, plan.after())
    return {
        "changed": False,
        "plan": plan.as_list(),
        **found,
        "lost": {**lost, "complete": found["lost"]["complete"]},
    }


def done(site: Site, check: bool) -> dict[str, Any]:
    seen = site.observe()
    work = Work(site, seen.scratch, seen.primary)
    left = recovery_switch.plan(seen, work).as_list()
    if left:
        raise CollectionError(
            f"The switch is not done: to come is {left[0]['statement']!r}",
            details={"changed": False, "plan": left},
        )
    if seen.scratch and not check:
        work.finish()
    return {"changed": bool(seen.scratch), "plan": [], **result(seen, seen)}


def moved(site: Site, check: bool) -> dict[str, Any]:
    before = looked_at(site, site.observe())
    begun = any(before.moved(each) for each in before.instances)
    hands = Work(site, before.scratch, before.primary, committed=begun)
    plan = recovery_switch.plan(before, hands)
    told_of = {"changed": plan.changed, "plan": plan.as_list()}
    if check or not plan.changed:
        return {**told_of, **result(before, plan.after())}
    try:
        apply(plan, site.say)
    except topology.PrimaryChangedError as error:
        # Nobody is let write again: another one is primary.
        cause = overtaken(error, site.name, str(site.params["language"]))
        raise CollectionError(f"{FAILED}: {error.message}", [cause], told_of) from error
    except CollectionError as error:
        again = hands.take_back()
        message = f"{FAILED}: {error.message}"
        message += f"; {', '.join(again)} takes writes again" if again else "; run it again"
        raise CollectionError(message, error.findings, told_of) from error
    finally:
        hands.running.end()
    # What was noted on the claims; instances that start now are not asked.
    after = replace(plan.after(), claims=site.read_claims())
    return {**told_of, **result(before, after)}


def work(module: AnsibleModule) -> dict[str, Any]:
    line = Line()
    cluster = client.connect(module.params["kubeconfig"], module.params["context"])
    site = Site(cluster, module.params, line.say)
    progress = ProgressFile(module.params["progress_file"])
    with (
        told(FAILED, module.params["language"]),
        ticking(lambda: line.text, progress.line, last=False),
    ):
        if module.params["state"] == "preview":
            return preview(site)
        if module.params["state"] == "done":
            return done(site, module.check_mode)
        return moved(site, module.check_mode)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **roads.login_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            **roads.cluster_argument_spec(),
            "state": {"choices": ["preview", "moved", "done"], "default": "moved"},
            "key_file": {"type": "str", "no_log": False},
            "arguments": {"type": "list", "elements": "str", "default": []},
            "accept_loss": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 300},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
