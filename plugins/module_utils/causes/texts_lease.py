# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of changes that meet each other, or the wrong cluster. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "change.under_way": Text(
        "error",
        Words(
            "{playbook} on {host} is changing {subject} since {since}",
            "Run this again once that has ended; to end it, on {host}: kill {process}",
        ),
        Words(
            "{host}의 {playbook}이(가) {since}부터 {subject}을(를) 변경하고 있습니다",
            "그 실행이 끝난 뒤 다시 실행하세요. 중단하려면 {host}에서: kill {process}",
        ),
    ),
    "change.not_confirmed": Text(
        "error",
        Words(
            "{subject} was not confirmed: nothing was touched",
            "See that the server and the namespace are the ones that are meant, then run this again with"
            " -e {variable}={word}",
        ),
        Words(
            "{subject}에 대한 확인을 받지 못했습니다. 아무것도 변경하지 않았습니다",
            "서버와 네임스페이스가 맞는지 확인한 뒤 -e {variable}={word}을(를) 붙여 다시 실행하세요",
        ),
    ),
    "change.primary_changed": Text(
        "error",
        Words(
            "{actual} is primary by now and not {expected}: something else changed {subject} meanwhile",
            "Find out who did (another run, kubectl), and run this again: it begins with what is there now",
        ),
        Words(
            "프라이머리가 {expected}이(가) 아니라 {actual}입니다. 그 사이에 다른 작업이 {subject}을(를) 변경했습니다",
            "누가 변경했는지(다른 실행, kubectl) 확인하고 다시 실행하세요. 지금 상태에서 시작합니다",
        ),
    ),
}
