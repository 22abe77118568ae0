# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """The source of a replica, as an instance that a module reads for comparison."""

    DOCUMENTATION = r"""
options:
  source_instance:
    description:
      - The source as an instance that this module can connect to.
      - It is only read. With it missing and errant transactions, purged logs and equal server-ids are found, also
        before anything is changed.
      - M(mysql_on.kubernetes.mysql_replication) also lets a replica connect anew that receives from another server,
        which an address that led elsewhere for a moment leaves behind, and fails where it receives from it again.
    type: dict
    suboptions:
      name:
        description: How results and findings name it.
        type: str
        required: true
      login_user:
        description: As the module's own O(login_user), which is used if this is not given.
        type: str
      login_password:
        description: As the module's own O(login_password), which is used if this is not given.
        type: str
      connect_timeout:
        description: As the module's own O(connect_timeout), which is used if this is not given.
        type: int
      login_host:
        description: Host name or address.
        type: str
      login_port:
        description: TCP port.
        type: int
        default: 3306
      login_unix_socket:
        description: Path of the server's socket.
        type: path
      pod:
        description: An instance inside a Kubernetes cluster.
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
        description: As the module's own O(kubeconfig), which is used if this is not given.
        type: path
      context:
        description: As the module's own O(context), which is used if this is not given.
        type: str
"""
