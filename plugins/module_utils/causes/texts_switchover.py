# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of switchover and failover, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "switchover.primary_unknown": Text(
        "error",
        Words(
            "Nobody is primary, so it is not known whom to take over from",
            "Name the instance that was primary last (primary: ...); with a Service, run the db phase",
        ),
        Words(
            "프라이머리가 없어 누구에게서 넘겨받아야 하는지 알 수 없습니다",
            "마지막 프라이머리의 이름을 지정하세요(primary: ...). Service를 쓴다면 db 단계를 실행하세요",
        ),
    ),
    "switchover.primary_unreachable": Text(
        "error",
        Words(
            "The primary {subject} does not answer: nothing can be handed over",
            "If it is gone for good, run playbooks/failover.yml; otherwise bring it back first",
        ),
        Words(
            "프라이머리 {subject}이(가) 응답하지 않아 계획된 전환을 할 수 없습니다",
            "되살릴 수 없다면 playbooks/failover.yml을 실행하고, 아니라면 먼저 되살리세요",
        ),
    ),
    "switchover.primary_alive": Text(
        "error",
        Words(
            "The primary {subject} is alive: a failover could lose what it still acknowledges",
            "Run playbooks/switchover.yml, which loses nothing; failover_force=true takes over all the"
            " same, once it is confirmed",
        ),
        Words(
            "프라이머리 {subject}이(가) 살아 있습니다. 장애 조치를 하면 지금 승인되는 쓰기를 잃을 수"
            " 있습니다",
            "아무것도 잃지 않는 playbooks/switchover.yml을 실행하세요. 그래도 넘겨받으려면"
            " failover_force=true를 지정하세요",
        ),
    ),
    "switchover.primary_lost_midway": Text(
        "error",
        Words(
            "The primary {subject} went away in the middle of the switchover, and {target} lacks"
            " {count} of its transactions",
            "Run playbooks/failover.yml; or bring {subject} back (it comes back read-only, nothing is"
            " lost) and run the switchover again",
        ),
        Words(
            "전환 도중 프라이머리 {subject}이(가) 사라졌고 {target}에는 그 트랜잭션 {count}개가 없습니다",
            "playbooks/failover.yml을 실행하거나, {subject}을(를) 되살린 뒤(읽기 전용으로 돌아오며 잃는"
            " 것이 없습니다) 전환을 다시 실행하세요",
        ),
    ),
    "switchover.no_candidate": Text(
        "error",
        Words(
            "No instance can become primary",
            "Mend the nearest one by what its own line says, or name another that may take over",
        ),
        Words(
            "프라이머리가 될 수 있는 인스턴스가 없습니다",
            "각 인스턴스의 증거를 보고 가장 가까운 것을 고치거나 넘겨받을 인스턴스를 지정하세요",
        ),
    ),
    "switchover.target_unreachable": Text(
        "error",
        Words(
            "{subject} does not answer: it cannot become primary",
            "Bring it back, or choose another instance",
        ),
        Words(
            "{subject}이(가) 응답하지 않아 프라이머리가 될 수 없습니다",
            "되살리거나 다른 인스턴스를 선택하세요",
        ),
    ),
    "switchover.target_delayed": Text(
        "error",
        Words(
            "{subject} stays {delay} s behind on purpose: it is kept to look back, not to take over",
            "Choose another instance, or set its source_delay to 0 with mysql_replication first",
        ),
        Words(
            "{subject}은(는) 일부러 {delay}초 늦게 따라가는 레플리카이므로 넘겨받지 않습니다",
            "다른 인스턴스를 선택하거나 먼저 mysql_replication으로 source_delay를 0으로 바꾸세요",
        ),
    ),
    "switchover.target_lags": Text(
        "error",
        Words(
            "{subject} lags {lag} s behind the primary, more than the {seconds} s that writes may"
            " stand still",
            "Wait until it has caught up, choose another instance, or give a larger timeout",
        ),
        Words(
            "{subject}이(가) 프라이머리보다 {lag}초 뒤처져 있어 쓰기를 멈출 수 있는 {seconds}초를"
            " 넘습니다",
            "따라잡을 때까지 기다리거나 다른 인스턴스를 선택하거나 timeout을 늘리세요",
        ),
    ),
    "switchover.target_elsewhere": Text(
        "error",
        Words(
            "{subject} does not follow the primary {primary}: it could not get all that was written",
            "Let it follow first (playbooks/site.yml --tags step6), or choose another instance",
        ),
        Words(
            "{subject}이(가) 프라이머리 {primary}을(를) 따르지 않아 모든 쓰기를 받을 수 없습니다",
            "먼저 따르게 하거나(playbooks/site.yml --tags step6) 다른 인스턴스를 선택하세요",
        ),
    ),
    "switchover.target_behind": Text(
        "error",
        Words(
            "{subject} had not applied everything after {seconds} s: {count} transactions are missing",
            "Writes go to the old primary again, nothing moved; see what its applier does"
            " (mysql_replication_info), then try again or with a larger timeout",
        ),
        Words(
            "{seconds}초가 지나도 {subject}이(가) 트랜잭션 {count}개를 적용하지 못했습니다",
            "쓰기는 다시 이전 프라이머리로 가며 바뀐 것이 없습니다. 어플라이어를 확인한 뒤"
            "(mysql_replication_info) 다시 시도하거나 timeout을 늘리세요",
        ),
    ),
    "switchover.survivor_ahead": Text(
        "error",
        Words(
            "{other} has received {count} transactions that {subject} lacks",
            "Let {other} become primary, or give them up by failover_accept_loss=true",
        ),
        Words(
            "{other}이(가) {subject}에 없는 트랜잭션 {count}개를 받았습니다",
            "{other}을(를) 프라이머리로 하거나 failover_accept_loss=true로 포기하세요",
        ),
    ),
    "switchover.unfinished": Text(
        "error",
        Words(
            "An earlier run had begun to make {subject} primary and was interrupted",
            "Finish it with {subject} as the target, then switch on from there",
        ),
        Words(
            "이전 실행이 {subject}을(를) 프라이머리로 만들다가 중단되었습니다",
            "먼저 {subject}을(를) 대상으로 끝낸 뒤 다른 인스턴스로 전환하세요",
        ),
    ),
    "switchover.writers_hold": Text(
        "error",
        Words(
            "{subject} cannot be closed: statements that write have run for more than {seconds} s",
            "Nothing moved; let them end (SHOW PROCESSLIST) or end them with KILL, then try again",
        ),
        Words(
            "쓰기 문장이 {seconds}초 넘게 실행되고 있어 {subject}을(를) 읽기 전용으로 바꿀 수 없습니다",
            "바뀐 것이 없습니다. 끝나기를 기다리거나(SHOW PROCESSLIST) KILL로 끝낸 뒤 다시 시도하세요",
        ),
    ),
    "switchover.left_out": Text(
        "warning",
        Words(
            "{subject} does not follow the new primary {target}",
            "Bring it back, then run playbooks/site.yml: it joins, or is refused with the reason",
        ),
        Words(
            "{subject}이(가) 새 프라이머리 {target}을(를) 따르지 않습니다",
            "되살린 뒤 playbooks/site.yml을 실행하세요. 합류하거나 거부된 이유가 나옵니다",
        ),
    ),
    "switchover.lost": Text(
        "warning",
        Words(
            "{count} transactions that {subject} had are not on the new primary {target}",
            "See what they wrote (mysqlbinlog on {subject}) and write again what is still wanted,"
            " then seed {subject} from {target} (clone or dump)",
        ),
        Words(
            "{subject}에 있던 트랜잭션 {count}개가 새 프라이머리 {target}에 없습니다",
            "{subject}에서 mysqlbinlog로 내용을 확인해 필요한 것을 다시 쓴 뒤 {target}에서 클론이나"
            " 덤프로 {subject}을(를) 다시 만드세요",
        ),
    ),
    "replication.semisync_missing": Text(
        "error",
        Words(
            "The server of {subject} comes without the library of semi-synchronous replication",
            "Use an image that has it (the official ones do), or leave db_semisync off",
        ),
        Words(
            "{subject}의 서버에 반동기 복제 라이브러리가 없습니다",
            "라이브러리가 있는 이미지(공식 이미지)를 쓰거나 db_semisync를 끄세요",
        ),
    ),
    "switchover.loss_unknown": Text(
        "warning",
        Words(
            "What {subject} acknowledged and sent to nobody cannot be known while it is away",
            "Let it back in with playbooks/site.yml (where it was scaled to 0, cluster_unfence names it): it is"
            " refused with those transactions by GTID, if there are any",
        ),
        Words(
            "{subject}이(가) 승인하고 아무에게도 보내지 못한 쓰기는 돌아오기 전까지 알 수 없습니다",
            "playbooks/site.yml로 다시 합류시키세요(0으로 축소되었다면 cluster_unfence에 이름을 지정). 그런"
            " 트랜잭션이 있으면 GTID를 보여 주며 합류를 거부합니다",
        ),
    ),
    "switchover.not_fenced": Text(
        "warning",
        Words(
            "{subject} does not answer, and nothing here made sure that it is off: who reaches it can"
            " still write there",
            "Stop its mysqld, or switch its host off, before anybody reaches it again",
        ),
        Words(
            "{subject}이(가) 응답하지 않지만 꺼졌다는 보장이 없어, 접속할 수 있는 쪽에서는 아직 쓸 수"
            " 있습니다",
            "누가 다시 접속하기 전에 그 mysqld를 멈추거나 호스트의 전원을 끄세요",
        ),
    ),
    "switchover.pod_remains": Text(
        "warning",
        Words(
            "{subject} was scaled to 0, and nobody says that its Pod {pod} has ended: on the node {node}"
            " it may still take writes",
            "Switch the node {node} off, then tell the cluster so: kubectl -n {namespace} delete pod"
            " {pod} --grace-period=0 --force",
        ),
        Words(
            "{subject}을(를) 0으로 줄였지만 Pod {pod}이(가) 끝났는지 알 수 없습니다. 노드 {node}에서 아직"
            " 쓰기를 받을 수 있습니다",
            "노드 {node}의 전원을 끈 뒤 클러스터에 알리세요: kubectl -n {namespace} delete pod {pod}"
            " --grace-period=0 --force",
        ),
    ),
}
