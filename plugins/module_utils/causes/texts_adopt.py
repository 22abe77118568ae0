# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a cluster that somebody else built cannot be taken over as it is. Braces name facts."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "adopt.nothing": Text(
        "error",
        Words(
            "There is no MySQL to adopt in namespace {subject}",
            "name the namespace whose Deployments run it: -e cluster_namespace=NAME",
        ),
        Words(
            "네임스페이스 {subject}에 인수할 MySQL이 없습니다",
            "MySQL Deployment가 있는 네임스페이스를 지정하세요: -e cluster_namespace=이름",
        ),
    ),
    "adopt.instance_count": Text(
        "error",
        Words(
            "{count} MySQL Deployments were found, and the variables make {expected} instances",
            "say how many replicas there are beside the primary: -e cluster_replicas={replicas}",
        ),
        Words(
            "MySQL Deployment는 {count}개인데 변수로 만들 인스턴스는 {expected}개입니다",
            "프라이머리를 뺀 레플리카 수를 지정하세요: -e cluster_replicas={replicas}",
        ),
    ),
    "adopt.primary_unknown": Text(
        "error",
        Words(
            "Nothing says which of {names} is the primary",
            "name its Deployment: -e adopt_primary=NAME",
        ),
        Words(
            "{names} 중 어느 것이 프라이머리인지 알 수 없습니다",
            "프라이머리의 Deployment를 지정하세요: -e adopt_primary=이름",
        ),
    ),
    "adopt.deployment_form": Text(
        "error",
        Words(
            "The Deployment {subject} cannot be taken over as it is",
            "bring it into the form that the proof names, then run this again",
        ),
        Words(
            "Deployment {subject}은(는) 지금 형태로는 인수할 수 없습니다",
            "근거에 적힌 형태로 바꾼 뒤 다시 실행하세요",
        ),
    ),
    "adopt.password_unknown": Text(
        "error",
        Words(
            "No Deployment says where root's password lies",
            "give it: -e adopt_root_password=... (or better in a vault file)",
        ),
        Words(
            "root 비밀번호가 어디에 있는지 알 수 있는 Deployment가 없습니다",
            "비밀번호를 지정하세요: -e adopt_root_password=... (vault 파일 권장)",
        ),
    ),
    "adopt.root_refused": Text(
        "error",
        Words(
            "{subject} refuses root's login over TCP: the password is another one, or root is known at localhost alone",
            "make 'root'@'%' with root's password and all privileges where it is not listed, else give the password"
            " (-e adopt_root_password=...): kubectl -n {namespace} exec -it deployment/{subject} -- mysql -uroot -p"
            " -e \"SELECT host FROM mysql.user WHERE user = 'root'\"",
        ),
        Words(
            "{subject}이(가) root의 TCP 로그인을 거부합니다. 비밀번호가 다르거나 root 계정이 localhost에만 있습니다",
            "목록에 없으면 root 비밀번호와 모든 권한을 가진 'root'@'%'을(를) 만들고, 있으면 비밀번호를 지정하세요"
            "(-e adopt_root_password=...): kubectl -n {namespace} exec -it deployment/{subject} -- mysql -uroot -p"
            " -e \"SELECT host FROM mysql.user WHERE user = 'root'\"",
        ),
    ),
    "adopt.root_host": Text(
        "error",
        Words(
            "root may not log in to {subject} over TCP once names are not resolved",
            "make that account: CREATE USER 'root'@'%' with root's password and all privileges",
        ),
        Words(
            "이름 해석을 끄면 {subject}에 root가 TCP로 로그인할 수 없습니다",
            "root 비밀번호와 모든 권한을 가진 계정 'root'@'%'을(를) 만드세요",
        ),
    ),
    "adopt.image_differs": Text(
        "error",
        Words(
            "{subject} runs {image}, and cluster_image is another one",
            "adopt it as it is, and upgrade afterwards: -e cluster_image={image}",
        ),
        Words(
            "{subject}은(는) {image}(으)로 실행 중인데 cluster_image는 다른 이미지입니다",
            "먼저 지금 이미지로 인수한 뒤 업그레이드하세요: -e cluster_image={image}",
        ),
    ),
    "adopt.option_fixed": Text(
        "error",
        Words(
            "{subject} was initialized with {option} = {value}, which cannot change",
            "keep it: add {option} to cluster_mysql_config with the value {value}",
        ),
        Words(
            "{subject}은(는) {option} = {value}(으)로 초기화되어 바꿀 수 없습니다",
            "cluster_mysql_config에 {option}을(를) {value}(으)로 추가하세요",
        ),
    ),
    "adopt.data_first": Text(
        "warning",
        Words(
            "{subject} lacks data of the primary that no replication will bring: it was poured first",
            "let the adoption seed {subject} from the primary",
        ),
        Words(
            "{subject}에 프라이머리의 데이터가 없습니다. 복제보다 먼저 부어 복제로는 전달되지 않습니다",
            "인수 과정에서 {subject}을(를) 프라이머리로부터 다시 만들게 하세요",
        ),
    ),
    "adopt.only_there": Text(
        "error",
        Words(
            "{subject} holds what the primary does not have, and it would be lost",
            'save it first, or name the instance to give it up: -e \'{{"adopt_overwrite": ["{subject}"]}}\'',
        ),
        Words(
            "{subject}에는 프라이머리에 없는 내용이 있으며, 진행하면 사라집니다",
            "먼저 백업하거나, 버려도 되면 인스턴스를 지정하세요:"
            ' -e \'{{"adopt_overwrite": ["{subject}"]}}\'',
        ),
    ),
}
