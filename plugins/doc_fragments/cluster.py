# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """Which MySQL cluster of a namespace a module is about, and the Service that leads to its primary."""

    DOCUMENTATION = r"""
options:
  namespace:
    description: Namespace of the MySQL cluster.
    type: str
    required: true
  cluster:
    description: Name of the MySQL cluster, the value of the label C(app.kubernetes.io/instance).
    type: str
    default: mysql
  write_service:
    description: Service that leads to the primary.
    type: str
    default: mysql-write
"""

    # The same with the Service that leads to the replicas: mysql_on.kubernetes.cluster.reads.
    # With its type, since ansible-test's yamllint takes every plain assignment here for a literal.
    READS: str = (
        DOCUMENTATION
        + r"""
  read_service:
    description: Service that leads to the replicas.
    type: str
    default: mysql-read
"""
    )
