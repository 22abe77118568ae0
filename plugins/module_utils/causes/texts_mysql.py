# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of MySQL and its replication, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "mysql.unreachable": Text(
        "error",
        Words(
            "{subject} does not answer at {address}",
            "See that mysqld runs there and that nothing blocks the port; then run this again",
        ),
        Words(
            "{subject}이(가) {address}에서 응답하지 않습니다",
            "그곳에서 mysqld가 실행 중인지, 포트가 막혀 있지 않은지 확인한 뒤 다시 실행하세요",
        ),
    ),
}
