# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of certificates that cert-manager makes. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "tls.cert_manager_missing": Text(
        "error",
        Words(
            "{subject} is named as the issuer of the certificates, and the cluster has no cert-manager",
            "Install cert-manager, or leave cluster_tls_issuer empty for a CA of the MySQL cluster's own",
        ),
        Words(
            "인증서 발급자로 {subject}이(가) 지정되었지만 클러스터에 cert-manager가 없습니다",
            "cert-manager를 설치하거나, MySQL 클러스터 자체 CA를 쓰도록 cluster_tls_issuer를 비워 두세요",
        ),
    ),
    "tls.issuer_missing": Text(
        "error",
        Words(
            "{subject} is named as the issuer of the certificates and does not exist",
            "Make it, or correct cluster_tls_issuer; there are: kubectl get {kind}{option}",
        ),
        Words(
            "인증서 발급자로 지정된 {subject}이(가) 없습니다",
            "발급자를 만들거나 cluster_tls_issuer를 바로잡으세요. 목록 확인: kubectl get {kind}{option}",
        ),
    ),
    "tls.issuer_not_ready": Text(
        "error",
        Words(
            "{subject} is not ready to issue certificates",
            "Mend what its condition names: kubectl describe {kind} {name}{option}",
        ),
        Words(
            "{subject}이(가) 인증서를 발급할 준비가 되지 않았습니다",
            "조건에 나온 문제를 고치세요: kubectl describe {kind} {name}{option}",
        ),
    ),
    "tls.certificate_refused": Text(
        "error",
        Words(
            "The issuer refused {subject}",
            "Mend what its request's condition names, delete the Certificate and run this again:"
            " kubectl delete {kind} {name}{option}",
        ),
        Words(
            "발급자가 {subject}의 발급을 거부했습니다",
            "요청의 조건에 나온 문제를 고치고 Certificate를 삭제한 뒤 다시 실행하세요:"
            " kubectl delete {kind} {name}{option}",
        ),
    ),
    "tls.certificate_late": Text(
        "error",
        Words(
            "{subject} has not been issued yet",
            "See what cert-manager does with it, and that its controller runs:"
            " kubectl describe {kind} {name}{option}",
        ),
        Words(
            "{subject}이(가) 아직 발급되지 않았습니다",
            "cert-manager의 처리 상태와 컨트롤러가 실행 중인지 확인하세요:"
            " kubectl describe {kind} {name}{option}",
        ),
    ),
}
