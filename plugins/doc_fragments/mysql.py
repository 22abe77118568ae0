# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches a MySQL instance: TCP, a socket, or a Pod."""

    DOCUMENTATION = r"""
options:
  login_user:
    description: MySQL user to connect as.
    type: str
    default: root
  login_password:
    description: Password of O(login_user).
    type: str
  login_host:
    description:
      - Host name or address of the instance.
      - Exactly one of O(login_host), O(login_unix_socket) and O(pod) is needed.
    type: str
  login_port:
    description: TCP port, with O(login_host).
    type: int
    default: 3306
  login_unix_socket:
    description: Path of the server's socket on the machine where the module runs.
    type: path
  connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
  pod:
    description:
      - An instance inside a Kubernetes cluster, reached through the API server's port-forward, in process.
      - Exactly one of O(pod.name), O(pod.deployment) and O(pod.service) is needed.
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
requirements:
  - PyMySQL >= 1.1 on the machine where the module runs
  - kubernetes >= 31 on the machine where the module runs, for O(pod)
"""
