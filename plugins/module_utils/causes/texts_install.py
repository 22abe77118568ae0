# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of installing what a cluster lacks, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "install.object_taken": Text(
        "error",
        Words(
            "{subject} is there, and was not installed by the site: {part} is not installed over it",
            "See whose it is, and let it go or put that installation right: kubectl get {resource} {name}"
            "{where} -o yaml",
        ),
        Words(
            "{subject}이(가) 이미 있고 사이트가 설치한 것이 아니므로 {part}을(를) 덮어 설치하지 않습니다",
            "누구의 것인지 확인하고 지우거나 그 설치를 바로잡으세요: kubectl get {resource} {name}{where} -o yaml",
        ),
    ),
}
