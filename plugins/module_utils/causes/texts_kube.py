# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of Kubernetes itself: Pods, rights, room. Braces name facts of the finding.

MetalLB, storage and ingress have tables of their own; all of them are merged here.
"""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words
from .texts_ingress import TEXTS as INGRESS
from .texts_metallb import TEXTS as METALLB
from .texts_storage import TEXTS as STORAGE

KUBE: Mapping[str, Text] = {
    "kube.absent": Text(
        "error",
        Words(
            "{subject} does not exist",
            "Run the phase that creates it first, or correct the name and the namespace",
        ),
        Words(
            "{subject}이(가) 없습니다",
            "이것을 만드는 단계를 먼저 실행하거나, 이름과 네임스페이스를 바로잡으세요",
        ),
    ),
    "kube.no_pods": Text(
        "error",
        Words(
            "{subject} has no Pod",
            "Compare its selector with the labels of the Pods: kubectl -n {namespace} get pods"
            " --show-labels",
        ),
        Words(
            "{subject}에 해당하는 Pod가 없습니다",
            "셀렉터와 Pod의 레이블을 비교하세요: kubectl -n {namespace} get pods --show-labels",
        ),
    ),
    "kube.pod_not_running": Text(
        "error",
        Words(
            "{subject} is not running: {state}",
            "Look at its events: kubectl -n {namespace} describe pod {pod}",
        ),
        Words(
            "{subject}이(가) 실행 중이 아닙니다: {state}",
            "이벤트를 확인하세요: kubectl -n {namespace} describe pod {pod}",
        ),
    ),
    "kube.port_refused": Text(
        "error",
        Words(
            "Nothing listens at {subject}",
            "See in the container's log whether mysqld is still starting, or give the port it"
            " listens on",
        ),
        Words(
            "{subject}에서 응답하는 프로세스가 없습니다",
            "컨테이너 로그에서 mysqld가 아직 시작 중인지 확인하거나, 실제 수신 포트를 지정하세요",
        ),
    ),
    "kube.image_pull": Text(
        "error",
        Words(
            "{subject}: the image {image} cannot be pulled ({reason})",
            "Correct the image's name and tag, or put the image where the nodes can pull it from",
        ),
        Words(
            "{subject}: 이미지 {image}을(를) 가져올 수 없습니다 ({reason})",
            "이미지 이름과 태그를 바로잡거나, 노드가 가져올 수 있는 곳에 이미지를 두세요",
        ),
    ),
    "kube.crash_loop": Text(
        "error",
        Words(
            "{subject}: the container {container} ends with exit code {exit_code} each time it"
            " starts ({restarts} restarts)",
            "Read the last lines of its previous run: kubectl -n {namespace} logs {pod}"
            " -c {container} --previous",
        ),
        Words(
            "{subject}: 컨테이너 {container}이(가) 시작할 때마다 종료 코드 {exit_code}(으)로 끝납니다"
            " (재시작 {restarts}회)",
            "이전 실행의 마지막 로그를 확인하세요: kubectl -n {namespace} logs {pod}"
            " -c {container} --previous",
        ),
    ),
    "kube.out_of_memory": Text(
        "error",
        Words(
            "{subject}: the container {container} was killed because it used more than its"
            " memory limit",
            "Raise the container's memory limit, or lower innodb_buffer_pool_size",
        ),
        Words(
            "{subject}: 컨테이너 {container}이(가) 메모리 한도를 넘어 강제 종료되었습니다",
            "컨테이너의 메모리 한도를 늘리거나 innodb_buffer_pool_size를 줄이세요",
        ),
    ),
    "kube.container_config": Text(
        "error",
        Words(
            "{subject}: the container {container} cannot be made ({reason})",
            "Create the Secret or ConfigMap that the message names, or correct its name and key",
        ),
        Words(
            "{subject}: 컨테이너 {container}을(를) 만들 수 없습니다 ({reason})",
            "메시지에 나온 Secret 또는 ConfigMap을 만들거나, 이름과 키를 바로잡으세요",
        ),
    ),
    "kube.mount_failed": Text(
        "error",
        Words(
            "{subject}: a volume cannot be mounted",
            "Create what the message names, or correct the volume in the Pod's template",
        ),
        Words(
            "{subject}: 볼륨을 마운트할 수 없습니다",
            "메시지에 나온 대상을 만들거나, Pod 템플릿의 볼륨 설정을 바로잡으세요",
        ),
    ),
    "kube.unschedulable": Text(
        "error",
        Words(
            "{subject} fits on no node",
            "Free what the message names, or lower the Pod's requests or its node selector",
        ),
        Words(
            "{subject}을(를) 배치할 노드가 없습니다",
            "메시지에 나온 자원을 확보하거나, Pod의 요청량 또는 노드 셀렉터를 낮추세요",
        ),
    ),
    "kube.quota_exceeded": Text(
        "error",
        Words(
            "{subject}: a ResourceQuota of the namespace {namespace} refuses its Pods",
            "Raise the quota or lower the requests: kubectl -n {namespace} describe resourcequota",
        ),
        Words(
            "{subject}: 네임스페이스 {namespace}의 ResourceQuota 때문에 Pod가 거부되었습니다",
            "쿼터를 늘리거나 요청량을 줄이세요: kubectl -n {namespace} describe resourcequota",
        ),
    ),
    "kube.pod_refused": Text(
        "error",
        Words(
            "{subject}: the API server refuses its Pods",
            "Change what the message names: kubectl -n {namespace} get events",
        ),
        Words(
            "{subject}: API 서버가 Pod 생성을 거부했습니다",
            "메시지에 나온 항목을 고치세요: kubectl -n {namespace} get events",
        ),
    ),
    "kube.probe_failing": Text(
        "warning",
        Words(
            "{subject}: the container {container} runs, and its probe fails",
            "Run the probe's command by hand in the container, and read its log",
        ),
        Words(
            "{subject}: 컨테이너 {container}은(는) 실행 중이지만 프로브가 실패합니다",
            "컨테이너 안에서 프로브 명령을 직접 실행하고 로그를 확인하세요",
        ),
    ),
    "kube.job_failed": Text(
        "error",
        Words(
            "{subject} failed: {reason}",
            "Read its log: kubectl -n {namespace} logs job/{name}",
        ),
        Words(
            "{subject}이(가) 실패했습니다: {reason}",
            "로그를 확인하세요: kubectl -n {namespace} logs job/{name}",
        ),
    ),
    "kube.data_dictionary": Text(
        "error",
        Words(
            "{subject}: mysqld cannot open the data dictionary in its volume",
            "Give the instance a volume that an older or half-made mysqld has not written:"
            " a new PVC, or one restored from a backup",
        ),
        Words(
            "{subject}: mysqld가 볼륨의 데이터 딕셔너리를 열 수 없습니다",
            "다른 버전이나 중단된 초기화가 남긴 파일이 없는 볼륨(새 PVC 또는 백업에서 복원한 PVC)을"
            " 사용하세요",
        ),
    ),
    "kube.datadir_half_made": Text(
        "error",
        Words(
            "{subject}: the data directory was left half made by an interrupted initialization",
            "Delete the PVC {claims} of this instance, which holds no data yet, and start it again",
        ),
        Words(
            "{subject}: 초기화가 중단되어 데이터 디렉터리가 불완전합니다",
            "아직 데이터가 없는 이 인스턴스의 PVC {claims}을(를) 삭제하고 다시 시작하세요",
        ),
    ),
    "kube.unknown_option": Text(
        "error",
        Words(
            "{subject}: mysqld does not know an option that it is given",
            "Remove the option that the log names from my.cnf or from the container's arguments",
        ),
        Words(
            "{subject}: mysqld가 알지 못하는 옵션이 지정되었습니다",
            "로그에 나온 옵션을 my.cnf 또는 컨테이너 인자에서 제거하세요",
        ),
    ),
    "kube.forbidden": Text(
        "error",
        Words(
            "This user may not {verb} {resource} in {subject}",
            "Ask the cluster's administrator for that right: kubectl auth can-i {verb} {resource}"
            " -n {namespace}",
        ),
        Words(
            "이 사용자는 {subject}에서 {resource}에 대한 {verb} 권한이 없습니다",
            "클러스터 관리자에게 권한을 요청하세요: kubectl auth can-i {verb} {resource}"
            " -n {namespace}",
        ),
    ),
    "kube.no_room": Text(
        "error",
        Words(
            "The nodes have no room for {subject}: {resource} {wanted} wanted, {free} free",
            "Lower the requests or the number of replicas, or add a node",
        ),
        Words(
            "노드에 {subject}을(를) 위한 여유가 없습니다: {resource} 필요 {wanted}, 여유 {free}",
            "요청량이나 복제본 수를 줄이거나 노드를 추가하세요",
        ),
    ),
    "kube.quota_too_small": Text(
        "error",
        Words(
            "The ResourceQuota {subject} leaves too little {resource}: {wanted} wanted, {free} free",
            "Raise the quota, or lower the requests or the number of replicas",
        ),
        Words(
            "ResourceQuota {subject}의 {resource} 여유가 부족합니다: 필요 {wanted}, 여유 {free}",
            "쿼터를 늘리거나, 요청량 또는 복제본 수를 줄이세요",
        ),
    ),
    "kube.name_taken": Text(
        "error",
        Words(
            "{subject} exists already and was not made by this collection",
            "Choose another name or namespace, or delete that object if nothing needs it",
        ),
        Words(
            "{subject}이(가) 이미 있으며 이 컬렉션이 만든 것이 아닙니다",
            "다른 이름이나 네임스페이스를 사용하거나, 필요 없는 객체라면 삭제하세요",
        ),
    ),
    "kube.server_old": Text(
        "error",
        Words(
            "{subject} is {version}; at least {minimum} is needed",
            "Upgrade the cluster, or use another one",
        ),
        Words(
            "{subject}의 버전은 {version}입니다. {minimum} 이상이 필요합니다",
            "클러스터를 업그레이드하거나 다른 클러스터를 사용하세요",
        ),
    ),
    "kube.node_not_ready": Text(
        "warning",
        Words(
            "The node {subject} is not ready",
            "See why: kubectl describe node {subject}",
        ),
        Words(
            "노드 {subject}이(가) 준비되지 않았습니다",
            "원인을 확인하세요: kubectl describe node {subject}",
        ),
    ),
    "kube.node_gone": Text(
        "error",
        Words(
            "{subject} lies on node {node}, which does not answer",
            "Bring that node back and run this again, its volumes keep their data: kubectl describe"
            " node {node}",
        ),
        Words(
            "{subject}이(가) 응답하지 않는 노드 {node}에 있습니다",
            "그 노드를 복구한 뒤 다시 실행하세요. 볼륨의 데이터는 그대로 있습니다: kubectl describe"
            " node {node}",
        ),
    ),
}

TEXTS: Mapping[str, Text] = {**KUBE, **METALLB, **STORAGE, **INGRESS}
