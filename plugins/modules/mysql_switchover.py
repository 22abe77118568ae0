#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mysql_switchover
short_description: Make another MySQL instance primary, planned or after the primary was lost
version_added: 0.1.0
description:
  - Makes one instance primary and lets all the others follow it, the old primary included.
  - Planned, no transaction is lost. The old primary is closed, the new one waits by GTID until it has everything,
    then it takes writes.
  - Where that wait ends without success, the old primary takes writes again and nothing has moved.
  - After a loss the instance that received most is found by GTID. It applies what its relay log holds and takes over.
  - With O(services) the Service for writes and the labels of running Pods are moved too, and no template is touched.
  - Where commits wait for a replica (M(mysql_on.kubernetes.mysql_semisync)), each instance gets the side that it is to
    play before anything else is done, its plugin too. After a loss a server without the library does without it, and
    a finding names it.
  - What holds already is left alone. An interrupted run is finished by the same one again.
author:
  - The mysql_on.kubernetes founders (@mysql-on)
extends_documentation_fragment:
  - mysql_on.kubernetes.instances
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Predicts the steps and who is what afterwards; nothing is written and nothing waited for.
    support: full
  diff_mode:
    description: Shows who takes writes, who follows whom and who is read from, before and after.
    support: full
options:
  mode:
    description:
      - V(planned) hands over from a primary that answers.
      - V(lost) takes over from one that is gone. It is refused while the primary answers, or while a replica still
        hears it.
    type: str
    choices:
      - planned
      - lost
    default: planned
  primary:
    description:
      - Name of the instance that is primary.
      - With O(services) it is read from the Service. Otherwise, if not given, it is the one that takes writes.
    type: str
  target:
    description:
      - Name of the instance that is to be primary.
      - If not given, the one that received most is taken; delayed replicas and those that do not follow are left out.
      - If an earlier run was interrupted, the one that it had chosen is taken.
    type: str
  services:
    description: The Services that lead clients to the instances; without it nobody is led anywhere.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the MySQL cluster.
        type: str
        required: true
      cluster:
        description: Name of the MySQL cluster, the value of the label C(app.kubernetes.io/instance).
        type: str
        default: mysql
      write:
        description: Name of the Service that leads to the primary.
        type: str
        default: mysql-write
  source_host:
    description:
      - Host name by which replicas find the primary.
      - The default is the Service for writes with O(services), else the new primary's own C(login_host).
    type: str
  source_port:
    description: Port by which replicas find the primary; by default 3306 with O(source_host), else its C(login_port).
    type: int
  source_user:
    description: User that the old primary follows with; by default the one of the other replicas.
    type: str
  source_password:
    description: Password of O(source_user). Needed where an instance has no channel yet, as the old primary has none.
    type: str
  source_connect_retry:
    description: Seconds between two tries of the old primary to connect; by default as the other replicas have it.
    type: int
  source_heartbeat_period:
    description: Heartbeat period of the old primary's channel, in seconds; by default as the other replicas have it.
    type: float
  force:
    description: Whether O(mode=lost) takes over although the primary is alive. What it acknowledges can be lost.
    type: bool
    default: false
  fence:
    description:
      - Whether O(mode=lost) with O(services) first ends a primary that does not answer, by scaling its Deployment to 0.
      - It may run on where nobody reaches it, with clients that hold a connection. C(site.yml) brings it back.
      - Without O(services) nothing can end it; a finding says what to do.
    type: bool
    default: true
  accept_loss:
    description: Whether O(mode=lost) may give up transactions that another surviving instance has.
    type: bool
    default: false
  end_sessions:
    description:
      - Whether sessions of clients on the old primary are ended once the new one takes writes.
      - Sessions of O(login_user) and of replicas are not.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds statements may take to end, the new primary to catch up, and each other instance to follow.
      - Writes stand still while the new primary catches up.
    type: int
    default: 60
  progress_file:
    description:
      - File that lines of progress are appended to while the module works.
      - The action plugin of the same name sets it and shows the lines.
    type: path
seealso:
  - module: mysql_on.kubernetes.mysql_replication
  - module: mysql_on.kubernetes.mysql_topology
  - module: mysql_on.kubernetes.mysql_checksum
"""

EXAMPLES = r"""
- name: Hand over to a replica, Services included
  mysql_on.kubernetes.mysql_switchover:
    login_password: "{{ root_password }}"
    source_password: "{{ replication_password }}"
    target: mysql-11
    services:
      namespace: mysql
    instances:
      - name: mysql-1
        pod: {namespace: mysql, deployment: mysql-1}
      - name: mysql-11
        pod: {namespace: mysql, deployment: mysql-11}

- name: Take over from a primary that is gone, servers without Kubernetes
  mysql_on.kubernetes.mysql_switchover:
    mode: lost
    primary: db1
    login_password: "{{ root_password }}"
    instances:
      - name: db1
        login_host: 192.0.2.1
      - name: db2
        login_host: 192.0.2.2
      - name: db3
        login_host: 192.0.2.3
"""

RETURN = r"""
plan:
  description: The steps that were done, or would be in check mode, in order; passwords are masked.
  returned: always
  type: list
  elements: dict
  contains:
    statement:
      description: Where it is done, and what is sent or changed.
      type: str
    reason:
      description: Why.
      type: str
  sample:
    - statement: "mysql-1: SET PERSIST read_only = ON; SET PERSIST super_read_only = ON"
      reason: no write from here on that the new primary might miss
primary:
  description: Name of the primary afterwards; as predicted in check mode.
  returned: success
  type: str
  sample: mysql-11
previous_primary:
  description: Name of the primary before, empty where there was none.
  returned: success
  type: str
  sample: mysql-1
lost:
  description: What the new primary lacks, as far as that can be known.
  returned: success
  type: dict
  contains:
    gtids:
      description: Transactions that instances have and the new primary lacks.
      type: str
    transactions:
      description: How many they are.
      type: int
    complete:
      description: Whether that is all, which takes that the old primary could be read or everything was handed over.
      type: bool
  sample: {"gtids": "", "transactions": 0, "complete": true}
left_out:
  description: Names of the instances that do not follow the new primary.
  returned: success
  type: list
  elements: str
  sample: []
write_pause_seconds:
  description: How long writes were refused everywhere, null where they were not stopped or where they had no primary.
  returned: success
  type: float
  sample: 0.4
instances:
  description: The instances afterwards, in the order given; as predicted in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    role:
      description: V(primary), V(replica), V(apart) for one that follows somebody else or nobody, or V(unreachable).
      type: str
    gtid_executed:
      description: GTIDs that it has executed, empty where it did not answer.
      type: str
    read_only:
      description: Whether it refuses writes, null where it did not answer.
      type: bool
    read_from:
      description: Whether clients are led to it for reads, null without O(services).
      type: bool
findings:
  description: Causes found, worst first. On success there are only warnings.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import switchover as causes
from ..module_utils.causes.change import overtaken
from ..module_utils.finding import CollectionError, Finding, errors, worst_first
from ..module_utils.kube import client, routes, topology
from ..module_utils.mysql import switchover, switchover_plan
from ..module_utils.mysql.connection import Connection
from ..module_utils.mysql.gtid import GtidSet
from ..module_utils.mysql.switchover_run import Run, look
from ..module_utils.plan import Plan, apply, diff
from ..module_utils.progress import ProgressFile, ticking
from ..module_utils.runtime import run

GIVEN = ("user", "connect_retry", "heartbeat_period")


def argument_spec() -> dict[str, Any]:
    return {
        **roads.instances_argument_spec(),
        **roads.kubernetes_argument_spec(),
        **roads.findings_argument_spec(),
        "mode": {"type": "str", "choices": list(switchover.MODES), "default": "planned"},
        "primary": {"type": "str"},
        "target": {"type": "str"},
        "services": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "cluster": {"type": "str", "default": "mysql"},
                "write": {"type": "str", "default": "mysql-write"},
            },
        },
        "source_host": {"type": "str"},
        "source_port": {"type": "int"},
        "source_user": {"type": "str"},
        "source_password": {"type": "str", "no_log": True},
        "source_connect_retry": {"type": "int"},
        "source_heartbeat_period": {"type": "float"},
        "force": {"type": "bool", "default": False},
        "accept_loss": {"type": "bool", "default": False},
        "fence": {"type": "bool", "default": True},
        "end_sessions": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 60},
        "progress_file": {"type": "path"},
    }


class Site:
    """The instances that the options name, and the ways to them.

    line: what it does now. selected: whom the Service for writes selected when it was looked at last.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.line = "looking at the instances"
        self.by_name = {instance["name"]: instance for instance in params["instances"]}
        services = params["services"]
        self.routes: routes.Routes | None = None
        self.selected = ""
        if services:
            cluster = client.connect(params["kubeconfig"], params["context"])
            where = (services["namespace"], services["cluster"], services["write"])
            self.routes = routes.Routes(cluster, *where, params["timeout"], self.say)

    def say(self, line: str) -> None:
        """Note what is done now."""
        self.line = line

    def connect(self, name: str) -> Connection:
        """Open a session of an instance."""
        return roads.connect_instance(self.params, self.by_name[name])

    def look(self, name: str) -> switchover.Member:
        """Return an instance as it is now."""
        host, port = self.address(name)
        return look(name, host, port, self.connect)

    def address(self, name: str) -> tuple[str, int]:
        """Return where replicas find an instance once it is primary."""
        params, instance = self.params, self.by_name[name]
        service = params["services"]["write"] if params["services"] else None
        named = params["source_host"] or service
        if named:
            return named, params["source_port"] or roads.DEFAULT_PORT
        if not instance["login_host"]:
            raise CollectionError(
                f"source_host: needed, because {name} is given without a login_host by which replicas"
                " could find it"
            )
        return instance["login_host"], params["source_port"] or instance["login_port"]

    def observe(self, before: switchover.Cluster | None = None) -> switchover.Cluster:
        """Return the instances; the primary last, or what it commits meanwhile would look errant.

        before: where given, those that did not answer then are not waited for again.
        """
        away = {each.name: each for each in before.members if not each.state} if before else {}
        seen = self.routes.observe() if self.routes else None
        primary = seen.primary if seen else self.params["primary"] or ""
        self.selected = primary
        others = [name for name in self.by_name if name != primary]
        found = {name: away.get(name) or self.look(name) for name in others}
        if not seen and not primary:
            primary = switchover.only_writer(tuple(found.values()))
        if primary in self.by_name:
            found[primary] = self.look(primary)
        members = tuple(found[name] for name in self.by_name)
        if seen is None:
            return switchover.Cluster(primary, members)
        return switchover.Cluster(primary, members, routes.reads(seen), routes.wanted(seen))


def refuse_unknown(params: dict[str, Any]) -> None:
    names = [instance["name"] for instance in params["instances"]]
    if len(set(names)) != len(names):
        raise CollectionError(f"instances: names must differ; given: {', '.join(names)}")
    for option in ("target", "primary"):
        if params[option] and params[option] not in names:
            raise CollectionError(
                f"{option}: {params[option]!r} is none of the instances: {', '.join(names)}"
            )


def decide(
    site: Site, running: Run, cluster: switchover.Cluster
) -> tuple[causes.Asked, list[Finding]]:
    """Return what is done and the doubts about it; raise where it must not be done."""
    params = site.params
    primary = cluster.member(cluster.primary)
    heard: list[str] = []
    away = primary is not None and primary.state is None
    if params["mode"] == "lost" and away and not params["force"]:
        heard = running.still_heard(cluster.members)
    asked = causes.Asked(
        params["mode"],
        params["target"] or switchover.choose(cluster, params["mode"]),
        params["timeout"],
        params["force"],
        params["accept_loss"],
        tuple(heard),
        params["language"],
        fenced=params["fence"] and site.routes is not None,
    )
    details = {"changed": False, "plan": []}
    if not asked.target:
        found = causes.nobody(cluster, asked)
        raise CollectionError("Nobody can become primary: nothing was changed", found, details)
    found = causes.explain(cluster, asked)
    if errors(found):
        message = f"{asked.target} does not become primary: nothing was changed"
        raise CollectionError(message, found, details)
    return asked, found


def carry_out(
    site: Site, running: Run, plan: Plan[switchover.Cluster], asked: causes.Asked
) -> list[Finding]:
    """Do the steps; return what became of members that do not follow, raise what else failed."""
    details = {"changed": True, "plan": plan.as_list()}
    try:
        apply(plan, site.say)
    except topology.PrimaryChangedError as error:
        # Nobody is let write again: the other one is primary.
        running.close_again(asked.target)
        message = f"{asked.target} did not become primary: {error.message}"
        name = site.params["services"]["cluster"]
        raise CollectionError(message, [overtaken(error, name, asked.language)], details) from error
    except CollectionError as error:
        again = running.reopen()
        message = f"{asked.target} did not become primary"
        if running.opened:
            message = f"{asked.target} is primary, and not everything follows yet: run this again"
        elif again:
            message += f"; {', '.join(again)} takes writes again"
        found = [*causes.stopped_by(error, plan.before, asked), *error.findings]
        raise CollectionError(f"{message}: {error.message}", found, details) from error
    new = site.look(asked.target).state if running.failures else None
    found = causes.behind(running.failures, new, asked)
    found += causes.remains(running.remains, plan.before.primary, asked)
    found += causes.unacknowledged(running.without, asked)
    if errors(found):
        names = ", ".join(failure.name for failure in running.failures)
        message = f"{asked.target} is primary, and it is not followed by: {names}"
        raise CollectionError(message, found, details)
    return found


def described(cluster: switchover.Cluster, target: str) -> list[dict[str, Any]]:
    primary = cluster.member(target)

    def role(member: switchover.Member) -> str:
        if member.state is None:
            return "unreachable"
        if member.name == target:
            return "primary"
        return "replica" if primary and cluster.feeder(member) == primary else "apart"

    return [
        {
            "name": member.name,
            "role": role(member),
            "gtid_executed": str(member.executed),
            "read_only": member.state.read_only if member.state else None,
            "read_from": None if cluster.reads is None else member.name in cluster.reads,
        }
        for member in cluster.members
    ]


def loss(
    before: switchover.Cluster, after: switchover.Cluster, asked: causes.Asked
) -> dict[str, Any]:
    """Return what the new primary lacks: what it had not received, and what shows itself now."""
    target = after.member(asked.target)
    lacking = GtidSet()
    if target is not None:
        had, have = (received_beside(each, target.name) for each in (before, after))
        # A server sends what is in its binary log before it calls that executed: what the new primary
        # commits just now others may have, and it cannot lack.
        lacking = (had | (have - have.of_uuid(target.uuid))) - target.executed
    old = before.member(before.primary)
    read = old is not None and old.state is not None
    complete = asked.mode == "planned" or read
    return {"gtids": str(lacking), "transactions": lacking.count, "complete": complete}


def received_beside(cluster: switchover.Cluster, name: str) -> GtidSet:
    """Return what all but one of the members have executed or received."""
    others = (member.received for member in cluster.members if member.name != name)
    return reduce(or_, others, GtidSet())


def switch(module: AnsibleModule, site: Site, running: Run) -> dict[str, Any]:
    params = site.params
    before = site.observe()
    running.primary = site.selected
    asked, doubts = decide(site, running, before)
    given = {key: params[f"source_{key}"] for key in GIVEN}
    wanted = switchover.Wanted(
        mode=asked.mode,
        target=asked.target,
        settings={key: value for key, value in given.items() if value is not None},
        password=params["source_password"],
        left_out=causes.left_out(before, asked) if asked.mode == "lost" else frozenset(),
        clients=params["end_sessions"],
        fence=params["fence"],
    )
    plan = switchover_plan.plan(before, wanted, running)
    after = plan.after()
    if not module.check_mode and plan.changed:
        doubts += carry_out(site, running, plan, asked)
        site.say("looking at the instances again")
        after = site.observe(before)
        if site.routes is None:
            after = replace(after, primary=asked.target)
    lost = loss(before, after, asked)
    instances = described(after, asked.target)
    for doubt in doubts:
        module.warn(doubt.summary)
    return {
        "changed": plan.changed,
        "plan": plan.as_list(),
        "primary": asked.target,
        "previous_primary": before.primary,
        "lost": lost,
        "left_out": [
            each["name"] for each in instances if each["role"] in ("apart", "unreachable")
        ],
        "write_pause_seconds": running.pause,
        "instances": instances,
        "findings": [doubt.as_dict() for doubt in worst_first(doubts)],
        "diff": diff(switchover.shown(before), switchover.shown(after)),
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    refuse_unknown(params)
    site = Site(params)
    running = Run(site.connect, params["timeout"], site.say, site.routes)
    try:
        with ticking(lambda: site.line, ProgressFile(params["progress_file"]).line, last=False):
            return switch(module, site, running)
    finally:
        running.end()


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    run(module, work)


if __name__ == "__main__":
    main()
