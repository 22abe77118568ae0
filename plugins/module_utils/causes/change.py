# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What it means that something else changed the cluster in the middle of a change. Pure."""

from __future__ import annotations

from ..finding import Finding
from ..kube.topology import PrimaryChangedError
from .catalogue import finding


def overtaken(error: PrimaryChangedError, cluster: str, language: str) -> Finding:
    """Return the finding of a primary that is another one than a change was planned from."""
    return finding(
        "change.primary_changed",
        subject=cluster,
        proof=[error.message],
        language=language,
        actual=error.actual or "-",
        expected=error.expected or "-",
    )
