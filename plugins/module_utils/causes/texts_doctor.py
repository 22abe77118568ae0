# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes that show in a cluster as a whole, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "mysql.not_deployed": Text(
        "error",
        Words(
            "The namespace {subject} holds no instance of the MySQL cluster {cluster}",
            "Correct the namespace and the name, or make the cluster:"
            " ansible-playbook playbooks/site.yml --tags infra,db",
        ),
        Words(
            "네임스페이스 {subject}에 MySQL 클러스터 {cluster}의 인스턴스가 없습니다",
            "네임스페이스와 이름을 바로잡거나 클러스터를 만드세요:"
            " ansible-playbook playbooks/site.yml --tags infra,db",
        ),
    ),
    "mysql.scaled_to_zero": Text(
        "error",
        Words(
            "{subject} has no Pod: its Deployment wants none",
            "Start it: kubectl -n {namespace} scale deployment {name} --replicas=1",
        ),
        Words(
            "{subject}에 Pod가 없습니다: Deployment의 replicas가 0입니다",
            "시작하세요: kubectl -n {namespace} scale deployment {name} --replicas=1",
        ),
    ),
    "mysql.service_absent": Text(
        "error",
        Words(
            "The Service {subject} does not exist",
            "Make the Services again: ansible-playbook playbooks/site.yml --tags step5",
        ),
        Words(
            "Service {subject}이(가) 없습니다",
            "Service를 다시 만드세요: ansible-playbook playbooks/site.yml --tags step5",
        ),
    ),
    "mysql.service_no_endpoints": Text(
        "error",
        Words(
            "The Service {subject} leads to no ready Pod",
            "Compare its selector with the labels of the Pods:"
            " kubectl -n {namespace} get pods --show-labels",
        ),
        Words(
            "Service {subject} 뒤에 준비된 Pod가 없습니다",
            "셀렉터와 Pod의 레이블을 비교하세요: kubectl -n {namespace} get pods --show-labels",
        ),
    ),
    "mysql.init_interrupted": Text(
        "error",
        Words(
            "The data directory of {subject} was left half made: root never got its password",
            "Delete its PVC, which holds no data yet, and its Pod, then run the phases infra and db:"
            " kubectl -n {namespace} delete pvc {claim} --wait=false",
        ),
        Words(
            "{subject}의 데이터 디렉터리 초기화가 중단되어 root 비밀번호가 설정되지 않았습니다",
            "아직 데이터가 없는 PVC와 Pod를 지운 뒤 infra와 db 단계를 실행하세요:"
            " kubectl -n {namespace} delete pvc {claim} --wait=false",
        ),
    ),
    "mysql.primary_read_only": Text(
        "error",
        Words(
            "The primary {subject} is read-only, so no write succeeds",
            "On {subject}: SET PERSIST super_read_only = OFF; SET PERSIST read_only = OFF",
        ),
        Words(
            "프라이머리 {subject}이(가) 읽기 전용이어서 쓰기가 모두 실패합니다",
            "{subject}에서 실행하세요: SET PERSIST super_read_only = OFF; SET PERSIST read_only = OFF",
        ),
    ),
    "mysql.primary_follows": Text(
        "error",
        Words(
            "The primary {subject} itself follows {source}",
            "Let it stop following (mysql_replication with state: detached), or let mysql-write"
            " lead to the instance that it follows",
        ),
        Words(
            "프라이머리 {subject}이(가) 다른 인스턴스 {source}을(를) 따르고 있습니다",
            "복제를 끝내거나(mysql_replication, state: detached) mysql-write가 그 인스턴스를"
            " 가리키게 하세요",
        ),
    ),
    "mysql.replica_writable": Text(
        "warning",
        Words(
            "The replica {subject} can be written to: what is written there is errant",
            "On {subject}: SET PERSIST super_read_only = ON",
        ),
        Words(
            "레플리카 {subject}에 쓸 수 있습니다. 그곳에 쓴 것은 errant 트랜잭션이 됩니다",
            "{subject}에서 실행하세요: SET PERSIST super_read_only = ON",
        ),
    ),
    "mysql.gtid_off": Text(
        "warning",
        Words(
            "{subject} has gtid_mode {gtid_mode}: nobody can tell which transactions it lacks",
            "On every instance, one statement after the other:"
            " SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE;"
            " SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON",
        ),
        Words(
            "{subject}의 gtid_mode가 {gtid_mode}입니다: 어떤 트랜잭션이 빠졌는지 알 수 없습니다",
            "모든 인스턴스에서 한 문장씩 차례로 실행하세요:"
            " SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE;"
            " SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON",
        ),
    ),
    "replication.key_missing": Text(
        "warning",
        Words(
            "{subject} follows only while its source remembers the login of {user!r}: it uses"
            " caching_sha2_password, and the channel has neither TLS nor the source's public key",
            "Run mysql_replication with get_source_public_key: true (or source_ssl: true)",
        ),
        Words(
            "{subject}은(는) 소스가 {user!r}의 로그인을 캐시하는 동안에만 따릅니다:"
            " caching_sha2_password인데 채널에 TLS도 소스의 공개 키도 없습니다",
            "mysql_replication을 get_source_public_key: true(또는 source_ssl: true)로 실행하세요",
        ),
    ),
    "replication.policy_closes_port": Text(
        "error",
        Words(
            "The NetworkPolicy {policy} keeps {subject} from port {port} of its source {source}",
            "Let the instances in: kubectl -n {namespace} patch networkpolicy {policy}"
            " --type=merge -p '{patch}'",
        ),
        Words(
            "NetworkPolicy {policy}이(가) {subject}에서 소스 {source}의 {port} 포트로 가는 연결을"
            " 막습니다",
            "인스턴스를 허용하세요: kubectl -n {namespace} patch networkpolicy {policy}"
            " --type=merge -p '{patch}'",
        ),
    ),
    "replication.port_blocked": Text(
        "error",
        Words(
            "{subject} does not reach port {port} of {source}, which runs and is ready: something"
            " between them blocks it",
            "Look for what filters packets on the nodes and in the Pod's network (the network"
            " plug-in's own policies, nft list ruleset, a firewall) and let TCP port {port} through",
        ),
        Words(
            "{source}은(는) 준비되어 실행 중이지만 {subject}에서 {port} 포트에 닿지 못합니다:"
            " 중간에서 막고 있습니다",
            "노드와 Pod 네트워크에서 패킷을 거르는 것(네트워크 플러그인의 정책, nft list ruleset,"
            " 방화벽)을 찾아 TCP {port} 포트를 허용하세요",
        ),
    ),
    "storage.nearly_full": Text(
        "warning",
        Words(
            "The volume of {subject} is nearly full: {free} of {size} are free",
            "Purge binary logs that every replica has, or give the instance a larger volume",
        ),
        Words(
            "{subject}의 볼륨이 거의 찼습니다: {size} 중 {free} 남음",
            "모든 레플리카가 받은 바이너리 로그를 지우거나 더 큰 볼륨을 주세요",
        ),
    ),
    "storage.volume_full": Text(
        "error",
        Words(
            "The volume of {subject} is full: {free} of {size} are free, so mysqld waits or stops",
            "Free space on it (PURGE BINARY LOGS, files that are not MySQL's), or give the instance"
            " a larger volume",
        ),
        Words(
            "{subject}의 볼륨이 가득 찼습니다: {size} 중 {free} 남음. mysqld가 기다리거나 멈춥니다",
            "공간을 비우거나(PURGE BINARY LOGS, MySQL의 것이 아닌 파일) 더 큰 볼륨을 주세요",
        ),
    ),
}
