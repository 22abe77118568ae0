# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of MetalLB, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

# Commands that a next step ends with, as they are typed.
_POOL = (
    'echo \'{{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool",'
    '"metadata":{{"name":"default","namespace":"{namespace}"}},'
    '"spec":{{"addresses":["{subject}-{subject}"]}}}}\' | kubectl apply -f -'
)
_ADVERTISE_ALL = (
    'echo \'{{"apiVersion":"metallb.io/v1beta1","kind":"L2Advertisement",'
    '"metadata":{{"name":"default","namespace":"{namespace}"}}}}\' | kubectl apply -f -'
)
_ADVERTISE_POOL = (
    'echo \'{{"apiVersion":"metallb.io/v1beta1","kind":"L2Advertisement",'
    '"metadata":{{"name":"{pool}","namespace":"{namespace}"}},'
    '"spec":{{"ipAddressPools":["{pool}"]}}}}\' | kubectl apply -f -'
)

TEXTS: Mapping[str, Text] = {
    "metallb.not_installed": Text(
        "error",
        Words(
            "MetalLB is not installed on {subject}",
            "Let the site install it: -e cluster_install=missing; or install it yourself"
            " (https://metallb.io/installation/) and make a pool that holds the address",
        ),
        Words(
            "{subject}에 MetalLB가 설치되어 있지 않습니다",
            "사이트가 설치하게 하세요: -e cluster_install=missing. 또는 직접 설치하고"
            "(https://metallb.io/installation/) 이 주소를 포함하는 풀을 만드세요",
        ),
    ),
    "metallb.controller_not_ready": Text(
        "error",
        Words(
            "MetalLB's controller is not ready: {state}",
            "See why: kubectl -n {namespace} describe pod {pod}",
        ),
        Words(
            "MetalLB 컨트롤러가 준비되지 않았습니다: {state}",
            "원인을 확인하세요: kubectl -n {namespace} describe pod {pod}",
        ),
    ),
    "metallb.speaker_not_ready": Text(
        "error",
        Words(
            "No MetalLB speaker is ready on a node that may announce {subject}",
            "See why: kubectl -n {namespace} get pods -l component=speaker",
        ),
        Words(
            "{subject}을(를) 알릴 수 있는 노드에 준비된 MetalLB 스피커가 없습니다",
            "원인을 확인하세요: kubectl -n {namespace} get pods -l component=speaker",
        ),
    ),
    "metallb.no_pool": Text(
        "error",
        Words(
            "MetalLB has no IPAddressPool, so it gives out no address",
            "Make a pool that holds it: " + _POOL,
        ),
        Words(
            "MetalLB에 IPAddressPool이 없어 주소를 할당할 수 없습니다",
            "이 주소를 포함하는 풀을 만드세요: " + _POOL,
        ),
    ),
    "metallb.ip_in_no_pool": Text(
        "error",
        Words(
            "{subject} is in no IPAddressPool",
            "Choose an address of a pool ({pools}), or add it to one: kubectl -n {namespace} "
            "patch ipaddresspool {pool} --type=json -p "
            '\'[{{"op":"add","path":"/spec/addresses/-","value":"{subject}-{subject}"}}]\'',
        ),
        Words(
            "{subject}이(가) 어떤 IPAddressPool에도 없습니다",
            "풀에 있는 주소({pools})를 선택하거나 풀에 추가하세요: kubectl -n {namespace} patch ipaddresspool "
            "{pool} --type=json -p "
            '\'[{{"op":"add","path":"/spec/addresses/-","value":"{subject}-{subject}"}}]\'',
        ),
    ),
    "metallb.ip_reserved": Text(
        "error",
        Words(
            "{subject} is in the pool {pool}, which leaves out addresses ending in .0 and .255"
            " (avoidBuggyIPs)",
            "Choose another address of the pool",
        ),
        Words(
            "{subject}은(는) 풀 {pool}에 있지만, 이 풀은 .0과 .255로 끝나는 주소를 쓰지 않습니다"
            " (avoidBuggyIPs)",
            "풀의 다른 주소를 사용하세요",
        ),
    ),
    "metallb.pool_not_automatic": Text(
        "info",
        Words(
            "The pool {subject} gives addresses only to Services that ask for one (autoAssign:"
            " false)",
            "Keep the annotation metallb.io/loadBalancerIPs on the Service that shall hold {ip}",
        ),
        Words(
            "풀 {subject}은(는) 주소를 명시한 Service에만 할당합니다 (autoAssign: false)",
            "{ip}을(를) 가질 Service에 metallb.io/loadBalancerIPs 애너테이션을 유지하세요",
        ),
    ),
    "metallb.pool_excludes_service": Text(
        "error",
        Words(
            "The pool {pool} does not serve {subject}: its serviceAllocation leaves it out",
            "Add the namespace or the labels of {subject} to spec.serviceAllocation of the pool"
            " {pool}",
        ),
        Words(
            "풀 {pool}의 serviceAllocation 설정이 {subject}을(를) 제외합니다",
            "풀 {pool}의 spec.serviceAllocation에 {subject}의 네임스페이스나 레이블을 추가하세요",
        ),
    ),
    "metallb.no_l2advertisement": Text(
        "error",
        Words(
            "No L2Advertisement or BGPAdvertisement exists, so nobody on the LAN learns where "
            "{subject} is",
            "Advertise every pool: " + _ADVERTISE_ALL,
        ),
        Words(
            "L2Advertisement도 BGPAdvertisement도 없어 LAN에서 {subject}의 위치를 알 수 없습니다",
            "모든 풀을 알리세요: " + _ADVERTISE_ALL,
        ),
    ),
    "metallb.pool_not_advertised": Text(
        "error",
        Words(
            "No advertisement covers the pool {pool} that holds {subject}",
            "Add it to an advertisement ({advertisements}), or make one for it: " + _ADVERTISE_POOL,
        ),
        Words(
            "{subject}이(가) 속한 풀 {pool}을(를) 포함하는 Advertisement가 없습니다",
            "기존 Advertisement({advertisements})에 추가하거나 새로 만드세요: " + _ADVERTISE_POOL,
        ),
    ),
    "metallb.advertisement_selects_no_node": Text(
        "error",
        Words(
            "The advertisement of {subject} selects no node of this cluster",
            "Correct spec.nodeSelectors of {advertisements}",
        ),
        Words(
            "{subject}의 Advertisement가 선택하는 노드가 없습니다",
            "{advertisements}의 spec.nodeSelectors를 바로잡으세요",
        ),
    ),
    "metallb.local_without_endpoint": Text(
        "error",
        Words(
            "The Service {subject} has externalTrafficPolicy Local, and no ready Pod of it runs on a"
            " node that may announce {ip}",
            "Let every node take the traffic: kubectl -n {namespace} patch service {name}"
            ' -p \'{{"spec":{{"externalTrafficPolicy":"Cluster"}}}}\'',
        ),
        Words(
            "Service {subject}의 externalTrafficPolicy가 Local인데, {ip}을(를) 알릴 수 있는 노드에"
            " 준비된 Pod가 없습니다",
            "모든 노드가 트래픽을 받게 하세요: kubectl -n {namespace} patch service {name}"
            ' -p \'{{"spec":{{"externalTrafficPolicy":"Cluster"}}}}\'',
        ),
    ),
    "metallb.other_load_balancer": Text(
        "error",
        Words(
            "Another load balancer, {other}, serves the Service {subject} beside MetalLB",
            "Switch it off (k3s: --disable=servicelb), then remove what it left:"
            " kubectl -n {namespace} delete daemonset {name}",
        ),
        Words(
            "MetalLB 외에 다른 로드밸런서 {other}이(가) Service {subject}을(를) 처리합니다",
            "그것을 끄고(k3s: --disable=servicelb) 남은 것을 지우세요:"
            " kubectl -n {namespace} delete daemonset {name}",
        ),
    ),
    "metallb.strict_arp": Text(
        "warning",
        Words(
            "kube-proxy runs in mode ipvs without strictARP: every node answers ARP for {subject}",
            "Set ipvs.strictARP to true and restart kube-proxy: kubectl -n {namespace} edit"
            " configmap {name}",
        ),
        Words(
            "kube-proxy가 strictARP 없이 ipvs 모드로 실행됩니다: 모든 노드가 {subject}의 ARP에"
            " 응답합니다",
            "ipvs.strictARP를 true로 설정하고 kube-proxy를 다시 시작하세요: kubectl -n {namespace}"
            " edit configmap {name}",
        ),
    ),
    "metallb.node_excluded": Text(
        "error",
        Words(
            "Every node that could announce {subject} is labelled {label}",
            "Remove the label from a node that is on the LAN: kubectl label node {node} {label}-",
        ),
        Words(
            "{subject}을(를) 알릴 수 있는 모든 노드에 {label} 레이블이 있습니다",
            "LAN에 연결된 노드에서 레이블을 제거하세요: kubectl label node {node} {label}-",
        ),
    ),
    "metallb.ip_taken": Text(
        "error",
        Words(
            "{subject} is taken by the Service {holder}",
            "Give {subject} up there, or choose another address: kubectl -n {namespace} describe"
            " service {name}",
        ),
        Words(
            "{subject}은(는) Service {holder}이(가) 사용하고 있습니다",
            "그 Service에서 {subject}을(를) 해제하거나 다른 주소를 사용하세요: kubectl -n"
            " {namespace} describe service {name}",
        ),
    ),
    "metallb.ip_not_held": Text(
        "error",
        Words(
            "No Service holds {subject} yet",
            "Ask for it on the ingress controller's Service: annotation"
            " metallb.io/loadBalancerIPs: {subject}",
        ),
        Words(
            "아직 {subject}을(를) 가진 Service가 없습니다",
            "인그레스 컨트롤러의 Service에 metallb.io/loadBalancerIPs: {subject} 애너테이션을"
            " 추가하세요",
        ),
    ),
    "metallb.service_pending": Text(
        "error",
        Words(
            "The Service {subject} gets no address: {message}",
            "Change what MetalLB's message names, on the Service or on the pool",
        ),
        Words(
            "Service {subject}에 주소가 할당되지 않습니다: {message}",
            "MetalLB 메시지에 나온 항목을 Service 또는 풀에서 고치세요",
        ),
    ),
    "metallb.service_pending_silently": Text(
        "error",
        Words(
            "The Service {subject} has no address, and MetalLB says nothing about it",
            "Read the controller's log: kubectl -n {namespace} logs -l component=controller",
        ),
        Words(
            "Service {subject}에 주소가 없고 MetalLB도 아무 메시지를 남기지 않았습니다",
            "컨트롤러 로그를 확인하세요: kubectl -n {namespace} logs -l component=controller",
        ),
    ),
    "metallb.other_class": Text(
        "error",
        Words(
            "The Service {subject} asks for the load balancer class {load_balancer_class}, which"
            " MetalLB does not serve",
            "Remove spec.loadBalancerClass: it cannot be changed, so the Service is made again"
            " without it",
        ),
        Words(
            "Service {subject}은(는) MetalLB가 처리하지 않는 로드 밸런서 클래스"
            " {load_balancer_class}을(를) 요청합니다",
            "spec.loadBalancerClass는 변경할 수 없으므로, 이 필드 없이 Service를 다시 만드세요",
        ),
    ),
    "metallb.not_load_balancer": Text(
        "error",
        Words(
            "The Service {subject} is of type {type}, not LoadBalancer, so it gets no address",
            "Set its type: kubectl -n {namespace} patch service {name} -p"
            ' \'{{"spec":{{"type":"LoadBalancer"}}}}\'',
        ),
        Words(
            "Service {subject}의 유형이 LoadBalancer가 아니라 {type}이므로 주소를 받지 못합니다",
            "유형을 바꾸세요: kubectl -n {namespace} patch service {name} -p"
            ' \'{{"spec":{{"type":"LoadBalancer"}}}}\'',
        ),
    ),
    "metallb.both_ways": Text(
        "error",
        Words(
            "The Service {subject} names its address both by spec.loadBalancerIP and by "
            "annotation, which MetalLB refuses",
            "Keep the annotation alone: kubectl -n {namespace} patch service {name} --type=json "
            '-p \'[{{"op":"remove","path":"/spec/loadBalancerIP"}}]\'',
        ),
        Words(
            "Service {subject}에 spec.loadBalancerIP와 애너테이션이 모두 있어 MetalLB가 거부합니다",
            "어노테이션만 남기세요: kubectl -n {namespace} patch service {name} --type=json -p "
            '\'[{{"op":"remove","path":"/spec/loadBalancerIP"}}]\'',
        ),
    ),
    "metallb.deprecated_way": Text(
        "info",
        Words(
            "The Service {subject} names its address by {way}, which is deprecated",
            "Use the annotation metallb.io/loadBalancerIPs instead",
        ),
        Words(
            "Service {subject}은(는) 사용 중단된 {way}(으)로 주소를 지정합니다",
            "대신 metallb.io/loadBalancerIPs 애너테이션을 사용하세요",
        ),
    ),
    "metallb.asks_other_ip": Text(
        "error",
        Words(
            "The Service {subject} asks for {asked}, not for {ip}",
            "Ask for {ip}: kubectl -n {namespace} annotate service {name} "
            "metallb.io/loadBalancerIPs={ip} --overwrite",
        ),
        Words(
            "Service {subject}은(는) {ip}이(가) 아니라 {asked}을(를) 요청합니다",
            "{ip}을(를) 요청하세요: kubectl -n {namespace} annotate service {name} "
            "metallb.io/loadBalancerIPs={ip} --overwrite",
        ),
    ),
    "metallb.holds_other_ip": Text(
        "error",
        Words(
            "The Service {subject} holds {held}, not {ip}",
            "Ask for {ip}: kubectl -n {namespace} annotate service {name} "
            "metallb.io/loadBalancerIPs={ip} --overwrite",
        ),
        Words(
            "Service {subject}은(는) {ip}이(가) 아니라 {held}을(를) 가지고 있습니다",
            "{ip}을(를) 요청하세요: kubectl -n {namespace} annotate service {name} "
            "metallb.io/loadBalancerIPs={ip} --overwrite",
        ),
    ),
    "metallb.no_answer": Text(
        "error",
        Words(
            "{subject} is held, and does not answer on the LAN",
            "Look who announces it: kubectl -n {namespace} get servicel2statuses, and read the"
            " speakers' logs",
        ),
        Words(
            "{subject}이(가) 할당되었지만 LAN에서 응답하지 않습니다",
            "누가 알리는지 확인하고(kubectl -n {namespace} get servicel2statuses) 스피커 로그를"
            " 확인하세요",
        ),
    ),
    "metallb.arp_foreign": Text(
        "error",
        Words(
            "{subject} answers on the LAN from a machine that is not announcing it for MetalLB:"
            " the address is in use",
            "Take {subject} out of DHCP or off that machine, or choose another address",
        ),
        Words(
            "LAN에서 MetalLB가 아닌 다른 장비가 {subject}(으)로 응답합니다. 이미 사용 중인"
            " 주소입니다",
            "DHCP 범위나 해당 장비에서 {subject}을(를) 빼거나 다른 주소를 사용하세요",
        ),
    ),
}
