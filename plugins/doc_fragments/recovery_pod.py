# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """In which Pod a module of the recovery works."""

    DOCUMENTATION = r"""
options:
  in_pod:
    description: A Pod as C(roles/recovery) makes it, in which everything is done. Folders are folders of the Pod then.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Pod.
        type: str
        required: true
      name:
        description: Name of the Pod.
        type: str
        required: true
      container:
        description: Its container with Python and the collection's code.
        type: str
        default: tools
requirements:
  - kubernetes >= 31 on the machine where the module runs, for O(in_pod)
"""
