#!/usr/bin/python
# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: load_test
short_description: Prove by a bounded load that reads are balanced and that writes reach the primary alone
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - Reads who each instance is, then sends HTTP requests to the app from a host of the LAN, one new
    TCP connection each. The app opens a new connection to MySQL for each and answers with the
    server_uuid that it met.
  - Passes if every replica answered a share of the reads that chance explains (four standard deviations
    of the binomial), only the primary took writes, nothing failed, and all requests were sent.
  - The app rolls its writes back, so that no row is left and nothing is changed.
extends_documentation_fragment:
  - mysql_on.kubernetes.target
  - mysql_on.kubernetes.kubernetes
  - mysql_on.kubernetes.findings
attributes:
  check_mode:
    description: Runs the same in check mode, since it leaves nothing behind.
    support: full
  diff_mode:
    description: Has nothing to show, since it changes nothing.
    support: none
options:
  login_user:
    description: MySQL user to connect to the instances as; it needs no privilege.
    type: str
    default: root
  login_password:
    description: Password of O(login_user).
    type: str
  connect_timeout:
    description: Seconds to wait for a connection to an instance.
    type: int
    default: 10
  primary:
    description: The instance that all writes must reach.
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the instance.
        type: str
        required: true
      login_user:
        description: User, if it is not O(login_user).
        type: str
      login_password:
        description: Password, if it is not O(login_password).
        type: str
      connect_timeout:
        description: Seconds to wait for a connection, if they are not O(connect_timeout).
        type: int
      login_host:
        description: Host name or address of the instance.
        type: str
      login_port:
        description: TCP port, with O(primary.login_host).
        type: int
        default: 3306
      login_unix_socket:
        description: Path of the server's socket.
        type: path
      pod:
        description: The Pod of the instance, reached through the API server.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Pod.
            type: str
            required: true
          name:
            description: Name of the Pod.
            type: str
          deployment:
            description: Name of a Deployment; its newest running Pod is taken.
            type: str
          service:
            description: Name of a Service; the first running Pod that its selector names is taken.
            type: str
          port:
            description: Port of MySQL in the Pod.
            type: int
            default: 3306
      kubeconfig:
        description: Path of a kubeconfig file, if it is not O(kubeconfig).
        type: path
      context:
        description: Context of the kubeconfig, if it is not O(context).
        type: str
  replicas:
    description: The instances that share the reads. Empty, the primary answers them all.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the instance.
        type: str
        required: true
      login_user:
        description: User, if it is not O(login_user).
        type: str
      login_password:
        description: Password, if it is not O(login_password).
        type: str
      connect_timeout:
        description: Seconds to wait for a connection, if they are not O(connect_timeout).
        type: int
      login_host:
        description: Host name or address of the instance.
        type: str
      login_port:
        description: TCP port, with O(replicas[].login_host).
        type: int
        default: 3306
      login_unix_socket:
        description: Path of the server's socket.
        type: path
      pod:
        description: The Pod of the instance, reached through the API server.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Pod.
            type: str
            required: true
          name:
            description: Name of the Pod.
            type: str
          deployment:
            description: Name of a Deployment; its newest running Pod is taken.
            type: str
          service:
            description: Name of a Service; the first running Pod that its selector names is taken.
            type: str
          port:
            description: Port of MySQL in the Pod.
            type: int
            default: 3306
      kubeconfig:
        description: Path of a kubeconfig file, if it is not O(kubeconfig).
        type: path
      context:
        description: Context of the kubeconfig, if it is not O(context).
        type: str
  read_path:
    description: Path that is read with GET and answers JSON with C(server_uuid).
    type: str
    default: /bucket/whoami
  write_path:
    description: Path that is written to with POST and answers JSON with C(server_uuid).
    type: str
    default: /bucket/write
  reads:
    description: Number of reads, from 1 to 100000. Below 2000 a lopsided balance may pass.
    type: int
    default: 2000
  writes:
    description: Number of writes, from 0 to 10000, spread evenly among the reads.
    type: int
    default: 200
  concurrency:
    description: Requests that are under way at once, from 1 to 64.
    type: int
    default: 8
  max_seconds:
    description: Seconds after which no request is sent any more, from 1 to 600.
    type: int
    default: 60
requirements:
  - PyMySQL >= 1.1 on the machine where the module runs
seealso:
  - module: mysql_on.kubernetes.path_check
  - module: mysql_on.kubernetes.mysql_topology
"""

EXAMPLES = r"""
- name: Read who is primary
  mysql_on.kubernetes.mysql_topology:
    namespace: mysql
    require_primary: true
  register: live

- name: Prove that reads are balanced, from a host of the LAN
  mysql_on.kubernetes.load_test:
    url: http://192.168.0.251
    client_command: [ssh, student@192.168.0.20]
    login_user: app
    login_password: "{{ app_password }}"
    primary: "{{ live.primary }}"
    replicas: "{{ live.replicas }}"
  register: load

- name: Show the share of each instance
  ansible.builtin.debug:
    msg: "{{ load.instances | items2dict(key_name='name', value_name='read_share') }}"
"""

RETURN = r"""
instances:
  description: What each instance took, the primary first.
  returned: once the load was sent
  type: list
  elements: dict
  contains:
    name:
      description: Name of the instance.
      type: str
    role:
      description: V(primary) or V(replica).
      type: str
    server_id:
      description: Its server-id.
      type: int
    server_uuid:
      description: Its server_uuid.
      type: str
    reads:
      description: Reads that it answered.
      type: int
    writes:
      description: Writes that it took.
      type: int
    read_share:
      description: Its share of all reads, 0 to 1.
      type: float
    expected_share:
      description: The share that is expected of it, 0 to 1.
      type: float
    deviations:
      description: How many standard deviations its reads are away from what is expected.
      type: float
address:
  description: The address that was asked.
  returned: once the load was sent
  type: str
  sample: 192.168.0.251
requests:
  description: Requests that were sent.
  returned: once the load was sent
  type: int
reads:
  description: Reads that were answered.
  returned: once the load was sent
  type: int
writes:
  description: Writes that were answered.
  returned: once the load was sent
  type: int
errors:
  description: Requests that failed, by kind.
  returned: once the load was sent
  type: dict
  sample: {"http_503 database.unreachable": 3}
seconds:
  description: Time of the whole load in seconds.
  returned: once the load was sent
  type: float
requests_per_second:
  description: Requests a second.
  returned: once the load was sent
  type: float
latency_ms:
  description: Percentiles p50, p95, p99 and max in milliseconds, of C(read) and of C(write).
  returned: once the load was sent
  type: dict
  sample: {"read": {"p50": 21.4, "p95": 40.2, "p99": 61.9, "max": 90.3}}
findings:
  description: Why the load proves no balance; empty where it does.
  returned: always
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import roads
from ..module_utils.loadtest import load, options
from ..module_utils.runtime import run


def work(module: AnsibleModule) -> dict[str, Any]:
    return load.work(module.params)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **options.target_argument_spec(),
            **roads.kubernetes_argument_spec(),
            **roads.findings_argument_spec(),
            **load.argument_spec(),
        },
        supports_check_mode=True,
    )
    run(module, work)


if __name__ == "__main__":
    main()
