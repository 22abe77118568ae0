# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of ingress controllers and rules, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "ingress.class_unknown": Text(
        "error",
        Words(
            "The IngressClass {subject} does not exist",
            "Name one that exists: {classes}; or let the site install a controller for this one:"
            " -e cluster_install=missing",
        ),
        Words(
            "IngressClass {subject}이(가) 없습니다",
            "존재하는 클래스를 지정하거나({classes}) 사이트가 이 클래스의 컨트롤러를 설치하게 하세요:"
            " -e cluster_install=missing",
        ),
    ),
    "ingress.controller_missing": Text(
        "error",
        Words(
            "No ingress controller serves the class {subject}",
            "Let the site install one: -e cluster_install=missing; or install one yourself that serves"
            " {subject}, for example ingress-nginx or Traefik",
        ),
        Words(
            "클래스 {subject}을(를) 처리하는 인그레스 컨트롤러가 없습니다",
            "사이트가 설치하게 하거나(-e cluster_install=missing) {subject}을(를) 처리하는 컨트롤러를 직접"
            " 설치하세요. 예: ingress-nginx, Traefik",
        ),
    ),
    "ingress.service_missing": Text(
        "error",
        Words(
            "The Service {subject}, named as the ingress controller's, does not exist",
            "Name the Service that exists: {services}",
        ),
        Words(
            "인그레스 컨트롤러의 Service로 지정한 {subject}이(가) 없습니다",
            "존재하는 Service를 지정하세요: {services}",
        ),
    ),
    "ingress.controller_no_endpoints": Text(
        "error",
        Words(
            "The ingress controller's Service {subject} has no ready Pod behind it",
            "See why: kubectl -n {namespace} get pods, and compare their labels with the"
            " Service's selector",
        ),
        Words(
            "인그레스 컨트롤러의 Service {subject} 뒤에 준비된 Pod가 없습니다",
            "원인을 확인하세요: kubectl -n {namespace} get pods. 레이블과 Service의 셀렉터도"
            " 비교하세요",
        ),
    ),
    "ingress.host_is_ip": Text(
        "error",
        Words(
            "The Ingress {subject} names the IP {host} as its host, which the API refuses",
            "Leave the host out, or use a DNS name that leads to {host}",
        ),
        Words(
            "Ingress {subject}의 host에 IP {host}이(가) 지정되어 있어 API가 거부합니다",
            "host를 비우거나 {host}을(를) 가리키는 DNS 이름을 사용하세요",
        ),
    ),
    "ingress.no_class": Text(
        "error",
        Words(
            "The Ingress {subject} names no class, and the cluster has no default",
            "Set spec.ingressClassName to one of: {classes}",
        ),
        Words(
            "Ingress {subject}에 클래스가 없고 기본 IngressClass도 없습니다",
            "spec.ingressClassName을 다음 중 하나로 지정하세요: {classes}",
        ),
    ),
    "ingress.rewrite_missing": Text(
        "error",
        Words(
            "The Ingress {subject} sends {path} on with its prefix, so {service} answers 404",
            "Set the annotation nginx.ingress.kubernetes.io/rewrite-target, as in path {example}"
            " with rewrite-target /$2",
        ),
        Words(
            "Ingress {subject}이(가) {path} 접두사를 그대로 전달하여 {service}이(가) 404로"
            " 응답합니다",
            "nginx.ingress.kubernetes.io/rewrite-target을 설정하세요. 예: path {example},"
            " rewrite-target /$2",
        ),
    ),
    "ingress.rewrite_flattens": Text(
        "warning",
        Words(
            "The Ingress {subject} rewrites everything below {path} to {target}, so pages below"
            " it are lost",
            "Keep the rest of the path: path {example} with rewrite-target /$2",
        ),
        Words(
            "Ingress {subject}이(가) {path} 아래의 모든 경로를 {target}(으)로 바꾸어 하위"
            " 페이지를 열 수 없습니다",
            "나머지 경로를 유지하세요: path {example}, rewrite-target /$2",
        ),
    ),
    "ingress.backend_missing": Text(
        "error",
        Words(
            "The Ingress {subject} sends {path} to the Service {service}, which does not exist",
            "Create the Service {service} in {namespace}, or correct the name in the Ingress",
        ),
        Words(
            "Ingress {subject}이(가) {path}을(를) 존재하지 않는 Service {service}(으)로 보냅니다",
            "{namespace}에 Service {service}을(를) 만들거나 Ingress의 이름을 바로잡으세요",
        ),
    ),
    "ingress.backend_port": Text(
        "error",
        Words(
            "The Ingress {subject} sends {path} to port {port} of the Service {service}, which"
            " has no such port",
            "Use a port that the Service has: {ports}",
        ),
        Words(
            "Ingress {subject}이(가) {path}을(를) Service {service}의 {port} 포트로 보내지만"
            " 그런 포트가 없습니다",
            "Service에 있는 포트를 사용하세요: {ports}",
        ),
    ),
    "ingress.no_endpoints": Text(
        "error",
        Words(
            "The Service {service} behind {path} of the Ingress {subject} has no ready Pod",
            "See why: kubectl -n {namespace} get pods, and compare their labels with the"
            " Service's selector",
        ),
        Words(
            "Ingress {subject}의 {path} 뒤에 있는 Service {service}에 준비된 Pod가 없습니다",
            "원인을 확인하세요: kubectl -n {namespace} get pods. 레이블과 Service의 셀렉터도"
            " 비교하세요",
        ),
    ),
    "ingress.path_clash": Text(
        "error",
        Words(
            "The path {path} of the Ingress {subject} is claimed by the Ingress {other} as well",
            "Give one of them a host of its own (app_host), or another path",
        ),
        Words(
            "Ingress {subject}의 경로 {path}을(를) Ingress {other}도 사용합니다",
            "한쪽에 별도의 host(app_host)나 다른 경로를 지정하세요",
        ),
    ),
}
