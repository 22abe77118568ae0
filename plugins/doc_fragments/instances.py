# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches several MySQL instances."""

    DOCUMENTATION = r"""
options:
  instances:
    description:
      - The MySQL instances, each with the road that leads to it.
      - What an instance leaves out of O(instances[].login_user), O(instances[].login_password) and
        O(instances[].connect_timeout) is taken from the module's own options of these names.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the results and findings call the instance.
        type: str
        required: true
      login_user:
        description: MySQL user to connect as, if not O(login_user).
        type: str
      login_password:
        description: Password of the user, if not O(login_password).
        type: str
      connect_timeout:
        description: Seconds to wait for a connection, if not O(connect_timeout).
        type: int
      login_host:
        description:
          - Host name or address of the instance.
          - Exactly one of O(instances[].login_host), O(instances[].login_unix_socket) and
            O(instances[].pod) is needed.
        type: str
      login_port:
        description: TCP port, with O(instances[].login_host).
        type: int
        default: 3306
      login_unix_socket:
        description: Path of the server's socket on the machine where the module runs.
        type: path
      pod:
        description:
          - An instance inside a Kubernetes cluster, reached through the API server's port-forward.
          - Exactly one of O(instances[].pod.name), O(instances[].pod.deployment) and
            O(instances[].pod.service) is needed.
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
        description: Kubeconfig of the cluster that holds the Pod, if not O(kubeconfig).
        type: path
      context:
        description: Context of the kubeconfig, if not O(context).
        type: str
  login_user:
    description: MySQL user to connect as, for instances that name none.
    type: str
    default: root
  login_password:
    description: Password of O(login_user).
    type: str
  connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
requirements:
  - PyMySQL >= 1.1 on the machine where the module runs
  - kubernetes >= 31 on the machine where the module runs, for O(instances[].pod)
"""

    # The same for modules that can find the instances by themselves: mysql_on.kubernetes.instances.optional.
    # With its type, since ansible-test's yamllint takes every plain assignment here for a literal.
    OPTIONAL: str = DOCUMENTATION.replace(
        "    required: true\n    suboptions:", "    suboptions:", 1
    )
