# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults as fixtures: each test breaks a real thing, asserts the cause that is named, does what its
next step says, literally where that is a command, and asserts that nothing is wrong any more.

- test_server_faults.py, test_data_faults.py, test_archive_faults.py, test_binlog_faults.py,
  test_scratch_faults.py: bare servers, no Kubernetes.
- test_cluster_faults.py: a small MySQL cluster in a namespace of its own on the lab.
- test_backup_faults.py: a small MySQL cluster with an archive, on the lab too.
- test_pod_faults.py, test_storage_faults.py: Pods, rights and volumes in a namespace of their own.
- test_adopt_faults.py: a MySQL that somebody built, in a namespace of its own.
- test_engine_faults.py: an image that is asked on the lab, and bare servers whose data it is to open.
- test_local_faults.py: a container of this machine's own Docker or Podman, no Kubernetes.
- test_phase_faults.py: what happens while site.yml is at work.
- test_network_faults.py: what breaks a whole cluster; a second lab of its own (LAB=faults).
"""

from __future__ import annotations

from tests.integration.conftest import server_factory, shared_server_factory, space, version

__all__ = ["server_factory", "shared_server_factory", "space", "version"]
