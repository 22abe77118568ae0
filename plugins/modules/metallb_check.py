#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: metallb_check
short_description: Prove that MetalLB gives an address to the ingress controller
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Looks whether an address can be had from MetalLB, or is held by the ingress controller's Service
    and answers, and fails with one cause, its proof and its fix where not.
  - It reads the pools, the advertisements, MetalLB's own Pods, the nodes' labels, every Service and its
    events, the IngressClasses and the controller's endpoints.
  - Reads only; it never reports a change.
options:
  ip:
    description: The address, IPv4 or IPv6.
    type: str
    required: true
  ingress_class:
    description: IngressClass whose controller shall hold the address.
    type: str
    default: nginx
  ingress_service:
    description:
      - The ingress controller's Service as C(namespace/name).
      - Without it, it is found by the Pods of a program that serves O(ingress_class).
    type: str
    default: ""
  require:
    description:
      - V(allocatable) - the address is in a pool that is advertised, and nobody else has it.
      - V(held) - the ingress controller's Service has it and leads to ready Pods, and it answers where
        O(lan_client_command) is given.
    type: str
    choices:
      - allocatable
      - held
    default: allocatable
  lan_client_command:
    description:
      - Command that runs another one on a host of the LAN, as a list, for example C([ssh, client]).
      - With it the address is asked by HTTP and by ARP from there; without it nothing is sent to it.
      - C(curl) is needed there; C(ip) is used where it is there.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds to wait for what heals by itself - Pods that start, an address just asked for, the first answer.
      - Causes that no time heals end the check at once.
    type: int
    default: 30
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: Prove before anything is changed that the address can be had
  mysql_on.kubernetes.metallb_check:
    ip: 192.168.0.251

- name: Prove that the ingress controller holds it and that the LAN gets an answer
  mysql_on.kubernetes.metallb_check:
    ip: 192.168.0.251
    require: held
    lan_client_command: [ssh, classroom-pc]
"""

RETURN = r"""
verdict:
  description: V(ok), or V(warning) where a finding is one; the module fails on errors.
  returned: always
  type: str
  sample: ok
pool:
  description: IPAddressPool that holds the address, empty where none does.
  returned: always
  type: str
  sample: lab
holder:
  description: Services that hold the address as C(namespace/name), comma-separated; empty where none does.
  returned: always
  type: str
  sample: traefik/traefik
ingress_service:
  description: The ingress controller's Service as C(namespace/name), empty where it was not found.
  returned: always
  type: str
  sample: traefik/traefik
answers:
  description: HTTP status that the address answered with on the LAN; 0 where it was not asked or did not answer.
  returned: always
  type: int
  sample: 404
checked:
  description: What was proved, in order.
  returned: always
  type: list
  elements: str
  sample:
    - 192.168.0.251 is in the pool lab (192.168.0.240-192.168.0.251)
findings:
  description: What is wrong or worth knowing; errors first.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: Stable code of the cause.
      type: str
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    subject:
      description: The address, Service, pool or class that it is about.
      type: str
    summary:
      description: What is wrong, in one line.
      type: str
    proof:
      description: What was read, and from where.
      type: list
      elements: str
    fix:
      description: One next step.
      type: str
"""

from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.causes import lan
from ..module_utils.causes.metallb import Wanted
from ..module_utils.kube import client, metallb
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    wanted = Wanted(
        ip=metallb.address(params["ip"]),
        ingress_class=params["ingress_class"],
        service=params["ingress_service"],
        require=params["require"],
        language=params["language"],
    )
    cluster = client.connect(params["kubeconfig"], params["context"])
    return lan.check(
        partial(metallb.observe, cluster),
        wanted,
        module.run_command,
        params["lan_client_command"],
        params["timeout"],
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "ip": {"type": "str", "required": True},
            "ingress_class": {"type": "str", "default": "nginx"},
            "ingress_service": {"type": "str", "default": ""},
            "require": {
                "type": "str",
                "choices": ["allocatable", "held"],
                "default": "allocatable",
            },
            "lan_client_command": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 30},
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
