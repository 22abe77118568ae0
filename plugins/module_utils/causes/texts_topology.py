# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of the cluster as a whole: who is primary. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "mysql.no_primary": Text(
        severity="error",
        en=Words(
            summary="Service {subject} leads to no instance: nobody is primary",
            fix="run the db phase first: ansible-playbook playbooks/site.yml --tags infra,db",
        ),
        ko=Words(
            summary="서비스 {subject}가 어떤 인스턴스도 가리키지 않습니다: 프라이머리가 없습니다",
            fix="먼저 db 단계를 실행하세요: ansible-playbook playbooks/site.yml --tags infra,db",
        ),
    ),
    "local.no_answer": Text(
        severity="error",
        en=Words(
            summary="{subject} runs no MySQL that answers",
            fix="read the last lines of its log above, mend what they name, and play local.yml again",
        ),
        ko=Words(
            summary="{subject}에서 응답하는 MySQL이 없습니다",
            fix="위 로그의 마지막 줄이 가리키는 원인을 고치고 local.yml을 다시 실행하세요",
        ),
    ),
    "local.volume_owner": Text(
        severity="error",
        en=Words(
            summary="{subject}: mysqld may not open its files (errno 13); they belong to another user",
            fix="leave local_data empty for a volume of the engine: NTFS under WSL and shares keep no owners",
        ),
        ko=Words(
            summary="{subject}: mysqld가 파일을 열 권한이 없습니다(errno 13). 파일의 소유자가 다릅니다",
            fix="local_data를 비워 엔진의 볼륨을 사용하세요. WSL의 NTFS와 공유 폴더는 소유자를 저장하지 못합니다",
        ),
    ),
    "mysql.version_old": Text(
        severity="error",
        en=Words(
            summary="The image {subject} is older than MySQL {oldest}, the oldest that is known here",
            fix="name an image of MySQL {oldest} or later: -e cluster_image=docker.io/library/mysql:9.7",
        ),
        ko=Words(
            summary="이미지 {subject}은(는) 지원하는 가장 오래된 버전인 MySQL {oldest}보다 낮습니다",
            fix="MySQL {oldest} 이상의 이미지를 지정하세요: -e cluster_image=docker.io/library/mysql:9.7",
        ),
    ),
    "step.missing": Text(
        severity="error",
        en=Words(
            summary="{subject} is missing for step {step}; it is made by step {maker}",
            fix="run that first: ansible-playbook playbooks/site.yml --tags step{maker}",
        ),
        ko=Words(
            summary="{step}단계에 필요한 {subject}이(가) 없습니다. 이것은 {maker}단계에서 만듭니다",
            fix="먼저 다음을 실행하세요: ansible-playbook playbooks/site.yml --tags step{maker}",
        ),
    ),
}
