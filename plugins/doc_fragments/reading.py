# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """What check mode and diff mode mean for a module that only reads."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Runs the same in check mode, since it only reads.
    support: full
  diff_mode:
    description: Has nothing to show, since it changes nothing.
    support: none
"""
