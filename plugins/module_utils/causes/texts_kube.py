# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of Kubernetes: MetalLB, storage, ingress. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text

TEXTS: Mapping[str, Text] = {}
