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
}
