# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of a recovery to a point in time, in English and Korean. Braces name facts."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "recovery.changed_since": Text(
        "error",
        Words(
            "The recovered data is not what was verified: somebody wrote to the scratch instance",
            "Abandon it and recover again: nothing of the cluster was touched",
        ),
        Words(
            "복구된 데이터가 검증할 때와 다릅니다. 누군가 스크래치 인스턴스에 썼습니다",
            "abandon 후 다시 복구하세요. 클러스터는 건드리지 않았습니다",
        ),
    ),
    "recovery.no_switch": Text(
        "error",
        Words(
            "There is no verified recovery to switch to",
            "Recover first: ansible-playbook playbooks/recover.yml -e recovery_in_cluster=true",
        ),
        Words(
            "전환할 수 있는 검증된 복구가 없습니다",
            "먼저 복구하세요: ansible-playbook playbooks/recover.yml -e recovery_in_cluster=true",
        ),
    ),
    "recovery.other_primary": Text(
        "error",
        Words(
            "Another instance became primary since the switch began: it was {primary}, and is {subject}",
            "Make {primary} primary again: ansible-playbook playbooks/switchover.yml -e switchover_to={primary}",
        ),
        Words(
            "전환이 시작된 뒤 프라이머리가 {primary}에서 {subject}(으)로 바뀌었습니다",
            "{primary}을(를) 다시 프라이머리로 만드세요: ansible-playbook playbooks/switchover.yml"
            " -e switchover_to={primary}",
        ),
    ),
    "recovery.primary_silent": Text(
        "error",
        Words(
            "Primary {subject} does not answer, so it is not known which transactions would be lost",
            "Bring it back, or accept that with recovery_accept_loss=true",
        ),
        Words(
            "프라이머리 {subject}이(가) 응답하지 않아 잃게 될 트랜잭션을 알 수 없습니다",
            "프라이머리를 되살리거나 recovery_accept_loss=true로 감수하겠다고 지정하세요",
        ),
    ),
    "recovery.apply_failed": Text(
        "error",
        Words(
            "A transaction could not be applied on the scratch instance",
            "See that the scratch server has the source's settings (scratch.arguments:"
            " lower_case_table_names, innodb_native_foreign_keys, sql_mode), abandon, and apply again",
        ),
        Words(
            "스크래치 인스턴스에서 트랜잭션을 적용하지 못했습니다",
            "스크래치 서버가 원본과 같은 설정(scratch.arguments: lower_case_table_names,"
            " innodb_native_foreign_keys, sql_mode)을 쓰는지 확인하고, abandon 후 다시 apply 하세요",
        ),
    ),
    "recovery.name_unreadable": Text(
        "error",
        Words(
            "MySQL {version} cannot apply changes to tables whose name is longer than 64 bytes",
            "Abandon, and recover on a newer MySQL (8.0.33 reads such names); on the source, rename the"
            " table to at most 64 bytes (ASCII letters have one, Korean letters three), then make a new base",
        ),
        Words(
            "MySQL {version}은(는) 이름이 64바이트보다 긴 테이블의 변경을 적용하지 못합니다",
            "abandon 후 더 새로운 MySQL에서 복구하세요(8.0.33은 그런 이름을 읽습니다). 원본에서는 테이블 이름을"
            " 64바이트 이하로 바꾸고(영문은 1바이트, 한글은 3바이트) 베이스를 새로 만드세요",
        ),
    ),
    "recovery.rows_unlogged": Text(
        "error",
        Words(
            "Transaction {gtid} does not find the rows that it was written for: something before it"
            " was written without the binary log",
            "Abandon, and recover to before it (target: before_gtid: {gtid}) or from a base made after"
            " what was not logged",
        ),
        Words(
            "트랜잭션 {gtid}이(가) 바꿔야 할 행을 찾지 못합니다. 그 전에 바이너리 로그 없이 쓴 내용이 있습니다",
            "abandon 후 그 트랜잭션 직전으로(target: before_gtid: {gtid}), 또는 기록되지 않은 쓰기 이후에"
            " 만든 베이스에서 복구하세요",
        ),
    ),
    "recovery.base_damaged": Text(
        "error",
        Words(
            "Base {subject} is not what was written when it was made",
            "Name an older base with the option base, and make a new base of the running primary",
        ),
        Words(
            "베이스 {subject}이(가) 만들 때 기록된 내용과 다릅니다",
            "base 옵션으로 더 오래된 베이스를 지정하고, 실행 중인 프라이머리의 새 베이스를 만드세요",
        ),
    ),
    "recovery.base_unproved": Text(
        "error",
        Words(
            "Base {subject} was never started successfully, so nothing is built on it",
            "Verify it, or leave the option base out: a verified one is chosen then",
        ),
        Words(
            "베이스 {subject}은(는) 기동에 성공한 적이 없어 복구에 쓰지 않습니다",
            "먼저 검증하거나 base 옵션을 빼세요. 그러면 검증된 베이스가 선택됩니다",
        ),
    ),
    "recovery.before_base": Text(
        "error",
        Words(
            "No base is as old as the point before {wanted}",
            "Choose a later point; the window of the archive says from when on it can be reached",
        ),
        Words(
            "{wanted} 이전 지점까지 거슬러 갈 수 있는 베이스가 없습니다",
            "더 나중의 지점을 고르세요. 언제부터 복구할 수 있는지는 아카이브의 window가 알려 줍니다",
        ),
    ),
    "recovery.binlog_damaged": Text(
        "error",
        Words(
            "The archived binary log {subject} is not what was written",
            "Fetch it again from an instance that still has it, or choose a point before it",
        ),
        Words(
            "아카이브의 바이너리 로그 {subject}이(가) 기록된 내용과 다릅니다",
            "아직 그 로그를 가진 인스턴스에서 다시 받아 오거나, 그 이전 지점을 고르세요",
        ),
    ),
    "recovery.busy": Text(
        "error",
        Words(
            "Another recovery is at work in {subject}",
            "Wait until it has ended, or give this one a folder of its own",
        ),
        Words(
            "{subject}에서 다른 복구가 진행 중입니다",
            "끝날 때까지 기다리거나, 이 복구에 별도의 폴더를 지정하세요",
        ),
    ),
    "recovery.drill_running": Text(
        "error",
        Words(
            "A drill of {subject} is under way already",
            "Wait for its end; if nobody plays it any more: ansible-playbook playbooks/drill.yml --tags abandon",
        ),
        Words(
            "{subject}의 복구 훈련이 이미 진행 중입니다",
            "끝나기를 기다리세요. 실행하는 사람이 없다면: ansible-playbook playbooks/drill.yml --tags abandon",
        ),
    ),
    "recovery.gap": Text(
        "error",
        Words(
            "{count} transactions on the way to the point are in no binary log of the archive: {missing}",
            "Copy the binary log that holds them into the archive from an instance that still has it,"
            " or choose a point before them",
        ),
        Words(
            "그 지점까지 가는 길에 있는 트랜잭션 {count}개가 아카이브의 어느 바이너리 로그에도 없습니다: {missing}",
            "아직 그것을 가진 인스턴스에서 해당 바이너리 로그를 아카이브로 복사하거나, 그 이전 지점을 고르세요",
        ),
    ),
    "recovery.no_base": Text(
        "error",
        Words(
            "{subject} has no verified base of the present history",
            "Make a base backup; what was committed before it cannot be recovered from this archive",
        ),
        Words(
            "{subject}에 현재 이력의 검증된 베이스가 없습니다",
            "베이스 백업을 만드세요. 그 이전에 커밋된 내용은 이 아카이브로 복구할 수 없습니다",
        ),
    ),
    "recovery.no_gtids": Text(
        "error",
        Words(
            "The binary logs of {subject} hold transactions without GTIDs",
            "Turn gtid_mode ON on the source and make a new base: points after it can be recovered",
        ),
        Words(
            "{subject}의 바이너리 로그에 GTID 없는 트랜잭션이 있습니다",
            "원본에서 gtid_mode를 ON으로 바꾸고 새 베이스를 만드세요. 그 이후 지점은 복구할 수 있습니다",
        ),
    ),
    "recovery.no_room": Text(
        "error",
        Words(
            "There is too little room in {subject}: about {needed} MB are needed",
            "Make room there, or name a folder on a larger volume, and run it again: it goes on",
        ),
        Words(
            "{subject}의 공간이 부족합니다. 약 {needed} MB가 필요합니다",
            "공간을 확보하거나 더 큰 볼륨의 폴더를 지정하고 다시 실행하세요. 이어서 진행합니다",
        ),
    ),
    "recovery.not_a_point": Text(
        "error",
        Words(
            "The set of transactions is no place between two transactions of this history",
            "Use a set that was noted as a point, or name the transaction to stop before",
        ),
        Words(
            "그 트랜잭션 집합은 이 이력에서 두 트랜잭션 사이의 한 지점이 아닙니다",
            "지점으로 기록된 집합을 쓰거나, 그 직전에 멈출 트랜잭션을 지정하세요",
        ),
    ),
    "recovery.not_there": Text(
        "error",
        Words(
            "The scratch instance has not exactly the planned transactions",
            "Abandon it and apply again; the running database was not touched",
        ),
        Words(
            "스크래치 인스턴스의 트랜잭션이 계획과 정확히 일치하지 않습니다",
            "abandon 후 다시 apply 하세요. 실행 중인 데이터베이스는 건드리지 않았습니다",
        ),
    ),
    "recovery.other_history": Text(
        "error",
        Words(
            "{wanted} belongs to a history that this database has left (an earlier recovery or failover)",
            "Choose a point of the present history",
        ),
        Words(
            "{wanted}은(는) 이 데이터베이스가 떠난 이력(이전 복구 또는 페일오버)에 속합니다",
            "현재 이력의 지점을 고르세요",
        ),
    ),
    "recovery.nothing_compared": Text(
        "error",
        Words(
            "All transactions of the plan are applied, and no table could be compared with anything",
            "Run it again with what you know of tables (expected), or with count_rows: false, which"
            " leaves the set of transactions as the only proof",
        ),
        Words(
            "계획한 트랜잭션은 모두 적용되었지만, 비교할 수 있는 테이블이 하나도 없었습니다",
            "알고 있는 테이블 정보를 expected로 주고 다시 실행하거나, count_rows: false로 실행하세요."
            " 이 경우 트랜잭션 집합만이 증거로 남습니다",
        ),
    ),
    "recovery.rows_differ": Text(
        "error",
        Words(
            "Tables of the recovered instance are not what the base and the binary logs say",
            "Do not switch to it; keep it for a look, and recover from another base",
        ),
        Words(
            "복구된 인스턴스의 테이블이 베이스와 바이너리 로그가 말하는 내용과 다릅니다",
            "이 인스턴스로 전환하지 마세요. 확인을 위해 보존하고, 다른 베이스에서 복구하세요",
        ),
    ),
    "recovery.rows_beside_taken": Text(
        "error",
        Words(
            "{subject} holds other rows than the recovered table",
            "Drop it if nobody needs it, or choose another suffix",
        ),
        Words(
            "{subject}에 복구된 테이블과 다른 행이 들어 있습니다",
            "필요 없다면 삭제하고, 아니면 suffix를 바꾸세요",
        ),
    ),
    "recovery.rows_definition": Text(
        "error",
        Words(
            "{subject} is defined otherwise than the recovered table",
            "Bring it over beside (into=beside), and move the rows by a statement of your own",
        ),
        Words(
            "{subject}의 정의가 복구된 테이블과 다릅니다",
            "옆 스키마로 가져온 뒤(into=beside) 직접 작성한 문장으로 행을 옮기세요",
        ),
    ),
    "recovery.rows_moved": Text(
        "error",
        Words(
            "Rows of {subject} were changed by somebody while they were brought over",
            "Look at action=diff again, and repeat it: what was brought over already is left alone",
        ),
        Words(
            "행을 가져오는 동안 다른 세션이 {subject}의 행을 바꿨습니다",
            "action=diff로 다시 확인하고 다시 실행하세요. 이미 가져온 행은 건드리지 않습니다",
        ),
    ),
    "recovery.rows_no_key": Text(
        "error",
        Words(
            "{subject} has no primary key: its rows cannot be told apart",
            "Bring it over beside (into=beside), and move the rows by a statement of your own",
        ),
        Words(
            "{subject}에 기본 키가 없어 행을 구별할 수 없습니다",
            "옆 스키마로 가져온 뒤(into=beside) 직접 작성한 문장으로 행을 옮기세요",
        ),
    ),
    "recovery.rows_parent_missing": Text(
        "error",
        Words(
            "Rows would name parents that are not there: {subject}",
            "Bring the parent's rows over too: add its table to tables",
        ),
        Words(
            "가져올 행이 가리키는 부모 행이 없습니다: {subject}",
            "부모 테이블도 tables에 넣어 함께 가져오세요",
        ),
    ),
    "recovery.rows_read_only": Text(
        "error",
        Words(
            "{subject} takes no writes",
            "Name the primary: what is written there reaches the replicas",
        ),
        Words(
            "{subject}은(는) 쓰기를 받지 않습니다",
            "프라이머리를 지정하세요. 그곳에 쓴 내용이 레플리카에 전달됩니다",
        ),
    ),
    "recovery.rows_referenced": Text(
        "error",
        Words(
            "Rows that would be deleted are named by others: {subject}",
            "Leave delete out of changes, or bring that table over too, with update and delete",
        ),
        Words(
            "지우려는 행을 다른 행이 참조합니다: {subject}",
            "changes에서 delete를 빼거나, 그 테이블도 update와 delete로 함께 가져오세요",
        ),
    ),
    "recovery.rows_same_server": Text(
        "error",
        Words(
            "{subject} is the recovered instance itself",
            "Name the running primary",
        ),
        Words(
            "{subject}은(는) 복구된 인스턴스 자신입니다",
            "실행 중인 프라이머리를 지정하세요",
        ),
    ),
    "recovery.rows_scratch_down": Text(
        "error",
        Words(
            "The recovered instance in {subject} does not answer",
            "Run mysql_recovery with action=verify: it starts it",
        ),
        Words(
            "{subject}의 복구된 인스턴스가 응답하지 않습니다",
            "mysql_recovery를 action=verify로 실행하면 시작됩니다",
        ),
    ),
    "recovery.rows_too_large": Text(
        "error",
        Words(
            "{subject} has values that the running server does not take",
            "Raise max_allowed_packet there, and on the recovered instance for JSON (SET GLOBAL, it holds"
            " for new sessions); then run this again",
        ),
        Words(
            "{subject}에 실행 중인 서버가 받지 않는 큰 값이 있습니다",
            "실행 중인 서버의 max_allowed_packet을 늘리고(JSON이면 복구된 인스턴스에서도, SET GLOBAL은 새"
            " 세션부터 적용) 다시 실행하세요",
        ),
    ),
    "recovery.rows_triggers": Text(
        "error",
        Words(
            "Triggers of {subject} would act on rows that are brought over",
            "Bring it over beside (into=beside), or drop the trigger for that time",
        ),
        Words(
            "가져오는 행 때문에 {subject}의 트리거가 실행됩니다",
            "옆 스키마로 가져오거나(into=beside), 그동안 트리거를 제거하세요",
        ),
    ),
    "recovery.rows_unique": Text(
        "error",
        Words(
            "Another row of {subject} has a unique value of a row that would come back",
            "See which one has it; change that value, or bring the table over beside (into=beside)",
        ),
        Words(
            "되돌릴 행의 고유 값을 {subject}의 다른 행이 이미 쓰고 있습니다",
            "어느 행인지 확인해 그 값을 바꾸거나, 옆 스키마로 가져오세요(into=beside)",
        ),
    ),
    "recovery.scratch_not_empty": Text(
        "error",
        Words(
            "The folder {subject} holds something else than a recovery",
            "Name a folder that does not exist yet, or an empty one",
        ),
        Words(
            "폴더 {subject}에 복구가 아닌 다른 것이 들어 있습니다",
            "아직 없는 폴더나 빈 폴더를 지정하세요",
        ),
    ),
    "recovery.scratch_not_started": Text(
        "error",
        Words(
            "The scratch mysqld in {subject} did not start",
            "Do what its log says, then run it again: it goes on where it was",
        ),
        Words(
            "{subject}의 스크래치 mysqld가 시작되지 않았습니다",
            "로그가 말하는 원인을 고치고 다시 실행하세요. 멈춘 곳에서 이어집니다",
        ),
    ),
    "recovery.scratch_taken": Text(
        "error",
        Words(
            "The folder {subject} holds a recovery to another point",
            "Abandon that one first (action=abandon), or name another folder",
        ),
        Words(
            "폴더 {subject}에 다른 지점으로의 복구가 들어 있습니다",
            "먼저 그것을 버리거나(action=abandon) 다른 폴더를 지정하세요",
        ),
    ),
    "recovery.server_id_used": Text(
        "error",
        Words(
            "server-id {server_id} wrote some of the binary logs: its events would be passed over in silence",
            "Leave scratch.server_id out, or give a number that no instance ever had",
        ),
        Words(
            "server-id {server_id}이(가) 바이너리 로그 일부를 썼습니다. 그 이벤트는 조용히 건너뛰게 됩니다",
            "scratch.server_id를 빼거나, 어떤 인스턴스도 쓴 적이 없는 번호를 지정하세요",
        ),
    ),
    "recovery.skip_depends": Text(
        "error",
        Words(
            "{gtid} builds on {subject}, which can so not be left out alone",
            "Leave {gtid} out too (skip), or abandon, recover to just before {subject}, and bring over"
            " single tables with mysql_recovery_rows",
        ),
        Words(
            "{gtid}이(가) {subject}에 의존하므로 그것만 빼고 적용할 수 없습니다",
            "{gtid}도 함께 빼거나(skip), abandon 후 {subject} 직전까지 복구하고 mysql_recovery_rows로 필요한"
            " 테이블만 가져오세요",
        ),
    ),
    "recovery.skip_not_there": Text(
        "error",
        Words(
            "{wanted} is not among the transactions that lead to the target",
            "Look for its GTID with binlog_point (action=find), and give that to skip",
        ),
        Words(
            "{wanted}은(는) 목표까지 가는 트랜잭션에 들어 있지 않습니다",
            "binlog_point(action=find)로 GTID를 찾아 skip에 지정하세요",
        ),
    ),
    "recovery.skip_unknown": Text(
        "error",
        Words(
            "{subject} is logged as a statement: which rows it touched is not known",
            "Recover to just before it, and bring over single tables with mysql_recovery_rows;"
            " binlog_format=ROW makes it possible from then on",
        ),
        Words(
            "{subject}은(는) 문장(statement)으로 기록되어 어떤 행을 바꿨는지 알 수 없습니다",
            "그 직전까지 복구한 뒤 mysql_recovery_rows로 필요한 테이블만 가져오세요. binlog_format=ROW로 바꾸면"
            " 그 이후부터는 가능합니다",
        ),
    ),
    "recovery.unfinished": Text(
        "error",
        Words(
            "The recovery in {subject} is not finished",
            "Run it to its end first (action=apply)",
        ),
        Words(
            "{subject}의 복구가 끝나지 않았습니다",
            "먼저 끝까지 실행하세요(action=apply)",
        ),
    ),
    "recovery.version_differs": Text(
        "error",
        Words(
            "MySQL {version} cannot start from base {subject}",
            "Run the version that the base was made with (scratch.run_in, or its image)",
        ),
        Words(
            "MySQL {version}은(는) 베이스 {subject}에서 시작할 수 없습니다",
            "베이스를 만든 버전을 쓰세요(scratch.run_in 또는 그 이미지)",
        ),
    ),
}
