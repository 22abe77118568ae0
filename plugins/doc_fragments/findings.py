# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """In which language findings speak."""

    DOCUMENTATION = r"""
options:
  language:
    description: Language of summaries and next steps in findings; codes and proofs are the same in both.
    type: str
    choices:
      - en
      - ko
    default: en
"""
