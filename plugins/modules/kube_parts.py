#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: kube_parts
short_description: Say what a cluster lacks of MetalLB, ingress controller and provisioner, and what would make it
version_added: 0.1.0
author: "The mysql_on.kubernetes founders (@mysql-on)"
description:
  - Looks which of four parts a cluster lacks - MetalLB, a pool of it, an ingress controller for a class, a volume
    provisioner. A part is missing only where nothing of its kind is there; what is there and broken is not missing.
  - For what is missing it reads the manifest from the URL or the file that is named, compares its checksum, and
    returns its objects, edited - labels of the collection's own, other images, the default class only where there
    is none, and what tells that the part is there last.
  - An object of somebody else's under a name that is needed is an error, told before anything is made.
  - Reads only; it never reports a change. What it returns is made by M(kubernetes.core.k8s).
options:
  ip:
    description: Address that the ingress controller shall hold.
    type: str
    required: true
  ingress_class:
    description: IngressClass of the run's Ingresses.
    type: str
    default: nginx
  ingress_manifest:
    description: The ingress controller's objects, as YAML.
    type: str
    required: true
  choose_storage:
    description: Whether a provisioner is needed.
    type: bool
    default: true
  storage_class:
    description: StorageClass that shall be there; empty for any that provisions.
    type: str
    default: ""
  install_pool:
    description: Addresses of a new pool, C(first-last) or a CIDR; empty for O(ip) alone.
    type: str
    default: ""
  install_interfaces:
    description: Interfaces on which the new pool is announced; empty for all.
    type: list
    elements: str
    default: []
  install_images:
    description: What to run instead of an image of the manifests, by that image as it stands there.
    type: dict
    default: {}
  metallb_manifest:
    description: URL or path of MetalLB's manifest.
    type: str
    required: true
  metallb_checksum:
    description: Its sha256; a file may go without.
    type: str
    default: ""
  provisioner_manifest:
    description: URL or path of the provisioner's manifest.
    type: str
    required: true
  provisioner_checksum:
    description: Its sha256; a file may go without.
    type: str
    default: ""
  prefix:
    description: What these options begin with where a user sets them, as failures name them.
    type: str
    default: ""
extends_documentation_fragment:
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
  - mysql_on.kubernetes.reading
"""

EXAMPLES = r"""
- name: See what the cluster lacks
  mysql_on.kubernetes.kube_parts:
    ip: 192.168.0.251
    ingress_manifest: "{{ lookup('ansible.builtin.template', 'traefik.yaml.j2') }}"
    metallb_manifest: /srv/manifests/metallb-native.yaml
    provisioner_manifest: /srv/manifests/local-path-storage.yaml
  register: lacking

- name: Make the provisioner
  kubernetes.core.k8s:
    definition: "{{ lacking.objects.provisioner }}"
  when: lacking.objects.provisioner is defined
"""

RETURN = r"""
present:
  description: By what each part that is there is known, or why one is not needed or not to be made.
  returned: success
  type: dict
  sample: {metallb: DaemonSet metallb-system/speaker}
missing:
  description: Each part that is missing, in the order in which they are to be made.
  returned: success
  type: list
  elements: dict
  contains:
    part:
      description: V(metallb), V(pool), V(ingress) or V(provisioner).
      type: str
    title:
      description: The part, as people call it.
      type: str
    source:
      description: Where its manifest comes from.
      type: str
    kinds:
      description: Kinds of its objects.
      type: list
      elements: str
    images:
      description: Images that it runs.
      type: list
      elements: str
    names:
      description: Its objects, as C(Kind name).
      type: list
      elements: str
    classes:
      description: Its StorageClasses.
      type: list
      elements: dict
objects:
  description: The objects of each part that is missing, in the order in which they are to be made.
  returned: success
  type: dict
waits:
  description: The namespace of each such part, and which of its objects have to be ready.
  returned: success
  type: dict
lines:
  description: The same as a person reads it, one line a part.
  returned: success
  type: list
  elements: str
findings:
  description: What is in the way.
  returned: failure
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import installation, roads
from ..module_utils.kube import client, metallb, parts
from ..module_utils.kube.manifest import Source
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    cluster = client.connect(params["kubeconfig"], params["context"])
    return installation.look(cluster, asked(params))


def asked(params: dict[str, Any]) -> installation.Asked:
    return installation.Asked(
        wanted=parts.Wanted(
            ip=metallb.address(params["ip"]),
            ingress_class=params["ingress_class"],
            storage=params["choose_storage"],
            storage_class=params["storage_class"],
        ),
        metallb=source(params, "metallb", "MetalLB", installation.METALLB_KINDS),
        provisioner=source(
            params, "provisioner", "a volume provisioner", installation.PROVISIONER_KINDS
        ),
        ingress=params["ingress_manifest"],
        pool=params["install_pool"],
        interfaces=tuple(params["install_interfaces"]),
        images={str(old): str(new) for old, new in params["install_images"].items()},
        prefix=params["prefix"],
        language=params["language"],
    )


def source(params: dict[str, Any], part: str, what: str, wanted: tuple[str, ...]) -> Source:
    return Source(
        variable=f"{params['prefix']}{part}_manifest",
        checksum_variable=f"{params['prefix']}{part}_checksum",
        location=params[f"{part}_manifest"],
        checksum=params[f"{part}_checksum"],
        what=what,
        wanted=wanted,
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "ip": {"type": "str", "required": True},
            "ingress_class": {"type": "str", "default": "nginx"},
            "ingress_manifest": {"type": "str", "required": True},
            "choose_storage": {"type": "bool", "default": True},
            "storage_class": {"type": "str", "default": ""},
            "install_pool": {"type": "str", "default": ""},
            "install_interfaces": {"type": "list", "elements": "str", "default": []},
            "install_images": {"type": "dict", "default": {}},
            "metallb_manifest": {"type": "str", "required": True},
            "metallb_checksum": {"type": "str", "default": ""},
            "provisioner_manifest": {"type": "str", "required": True},
            "provisioner_checksum": {"type": "str", "default": ""},
            "prefix": {"type": "str", "default": ""},
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
