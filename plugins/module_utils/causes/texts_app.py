# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of the application phase: its paths and its load. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

LOAD: Mapping[str, Text] = {
    "load.errors": Text(
        "error",
        Words(
            "{failed} of {requests} requests to {subject} failed",
            "Read what the app says to the first of these: kubectl logs deployment/app-api",
        ),
        Words(
            "{subject}에 보낸 요청 {requests}개 중 {failed}개가 실패했습니다",
            "첫 번째 오류에 대해 앱이 남긴 로그를 확인하세요: kubectl logs deployment/app-api",
        ),
    ),
    "load.cut_short": Text(
        "error",
        Words(
            "Only {requests} of {wanted} requests to {subject} were sent in the time allowed",
            "Raise max_seconds, or see why the app is slow: fewer requests prove no balance",
        ),
        Words(
            "허용된 시간 안에 {subject}(으)로 요청 {wanted}개 중 {requests}개만 보냈습니다",
            "max_seconds를 늘리거나 앱이 느린 이유를 찾으세요. 요청이 적으면 균형을 증명할 수 없습니다",
        ),
    ),
    "load.replica_unread": Text(
        "error",
        Words(
            "The replica {subject} answered no read",
            "See whether mysql-read leads to it:"
            " kubectl get endpointslices -l kubernetes.io/service-name=mysql-read",
        ),
        Words(
            "레플리카 {subject}이(가) 읽기에 한 번도 응답하지 않았습니다",
            "mysql-read가 이 레플리카로 연결되는지 확인하세요:"
            " kubectl get endpointslices -l kubernetes.io/service-name=mysql-read",
        ),
    ),
    "load.unbalanced": Text(
        "error",
        Words(
            "{subject} answered more or fewer reads than chance explains",
            "See that mysql-read has no session affinity and that the app reuses no connection:"
            " kubectl get service mysql-read -o yaml",
        ),
        Words(
            "{subject}의 읽기 응답 수가 우연으로 설명되지 않을 만큼 치우쳤습니다",
            "mysql-read에 세션 어피니티가 없고 앱이 연결을 재사용하지 않는지 확인하세요:"
            " kubectl get service mysql-read -o yaml",
        ),
    ),
    "load.read_elsewhere": Text(
        "error",
        Words(
            "Reads reached {subject}, which is not a replica of this cluster",
            "Compare the selector of mysql-read with the labels of the Pods:"
            " kubectl get pods --show-labels",
        ),
        Words(
            "읽기가 이 클러스터의 레플리카가 아닌 {subject}에 도달했습니다",
            "mysql-read의 셀렉터와 파드의 레이블을 비교하세요: kubectl get pods --show-labels",
        ),
    ),
    "load.write_elsewhere": Text(
        "error",
        Words(
            "Writes reached {subject}, which is not the primary",
            "Stop writing, then compare the selector of mysql-write with the labels of the Pods:"
            " kubectl get pods --show-labels",
        ),
        Words(
            "쓰기가 프라이머리가 아닌 {subject}에 도달했습니다",
            "쓰기를 멈추고 mysql-write의 셀렉터와 파드의 레이블을 비교하세요:"
            " kubectl get pods --show-labels",
        ),
    ),
    "load.client_unusable": Text(
        "error",
        Words(
            "The client host ran no Python 3 program through: {subject}",
            "Run it by hand, and set client_command to a prefix that works",
        ),
        Words(
            "클라이언트 호스트에서 다음 명령으로 Python 3 프로그램을 실행하지 못했습니다: {subject}",
            "직접 실행해 보고, 동작하는 접두 명령을 client_command에 지정하세요",
        ),
    ),
}

PATHS: Mapping[str, Text] = {
    "path.not_found": Text(
        "error",
        Words(
            "{subject} answers 404: no Ingress leads there, or the app got the prefix too",
            "See that the Ingress has the path and the annotation"
            " nginx.ingress.kubernetes.io/rewrite-target: kubectl get ingress -o yaml",
        ),
        Words(
            "{subject}이(가) 404로 응답합니다: 해당 인그레스가 없거나 접두 경로가 제거되지 않았습니다",
            "인그레스에 경로와 nginx.ingress.kubernetes.io/rewrite-target 어노테이션이 있는지"
            " 확인하세요: kubectl get ingress -o yaml",
        ),
    ),
    "path.unavailable": Text(
        "error",
        Words(
            "{subject} answers {status}: the app or its database is not available",
            "See which Pods are not ready: kubectl get pods,endpointslices",
        ),
        Words(
            "{subject}이(가) {status}(으)로 응답합니다: 앱이나 데이터베이스를 사용할 수 없습니다",
            "준비되지 않은 파드를 확인하세요: kubectl get pods,endpointslices",
        ),
    ),
    "path.no_answer": Text(
        "error",
        Words(
            "{subject} does not answer ({kind})",
            "Check the address first: ansible-playbook playbooks/site.yml --tags step1",
        ),
        Words(
            "{subject}이(가) 응답하지 않습니다 ({kind})",
            "먼저 주소를 점검하세요: ansible-playbook playbooks/site.yml --tags step1",
        ),
    ),
    "path.unexpected": Text(
        "error",
        Words(
            "{subject} answers {status}, but not as this app does",
            "See whether another Ingress holds the path on this address, and set app_host:"
            " kubectl get ingress -A",
        ),
        Words(
            "{subject}이(가) {status}(으)로 응답하지만 이 앱의 응답이 아닙니다",
            "같은 주소의 경로를 다른 인그레스가 가지고 있는지 확인하고 app_host를 지정하세요:"
            " kubectl get ingress -A",
        ),
    ),
}

TEXTS: Mapping[str, Text] = {**LOAD, **PATHS}
