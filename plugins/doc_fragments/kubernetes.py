# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """Which Kubernetes cluster a module speaks to."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file.
      - Without it E(K8S_AUTH_KUBECONFIG), then E(KUBECONFIG), then C(~/.kube/config) is read.
    type: path
  context:
    description: Context of the kubeconfig; its current one if not given.
    type: str
requirements:
  - kubernetes >= 31 on the machine where the module runs
"""
