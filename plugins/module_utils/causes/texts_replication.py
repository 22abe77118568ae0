# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of replication, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "replication.not_configured": Text(
        "error",
        Words(
            "{subject} follows no source on channel {channel!r}",
            "Run mysql_replication with state following and source_host (a site: --tags step6)",
        ),
        Words(
            "{subject}: 채널 {channel!r}에 설정된 소스가 없습니다",
            "mysql_replication을 state: following과 source_host로 실행하세요 (사이트는 --tags step6)",
        ),
    ),
    "replication.wrong_source": Text(
        "error",
        Words(
            "{subject} follows {held}, which is another server than {expected}",
            "Run mysql_replication with source_host, source_port and source_instance of {expected}",
        ),
        Words(
            "{subject}은(는) {expected}이(가) 아닌 {held}을(를) 따르고 있습니다",
            "{expected}의 source_host, source_port, source_instance로 mysql_replication을 실행하세요",
        ),
    ),
    "replication.server_id_zero": Text(
        "error",
        Words(
            "{subject} has server-id 0: it can neither be a source nor follow one",
            "Start it with a --server-id of its own (primary 1, replicas 11, 12, ...)",
        ),
        Words(
            "{subject}의 server-id가 0입니다. 소스도 레플리카도 될 수 없습니다",
            "고유한 --server-id로 시작하세요(프라이머리 1, 레플리카 11, 12, ...)",
        ),
    ),
    "replication.server_id_duplicate": Text(
        "error",
        Words(
            "{subject} has the same server-id as its source ({server_id})",
            "Start {subject} with a --server-id of its own (primary 1, replicas 11, 12, ...)",
        ),
        Words(
            "{subject}의 server-id가 소스와 같습니다({server_id})",
            "{subject}을(를) 고유한 --server-id로 시작하세요(프라이머리 1, 레플리카 11, 12, ...)",
        ),
    ),
    "replication.replicas_share_server_id": Text(
        "error",
        Words(
            "{subject} has the same server-id as {other} ({server_id})",
            "Start {subject} with a --server-id of its own: nothing shows it until a switchover, and"
            " then events are dropped without a word",
        ),
        Words(
            "{subject}와(과) {other}의 server-id가 같습니다({server_id})",
            "{subject}을(를) 고유한 --server-id로 시작하세요. 전환 전에는 드러나지 않다가 전환 뒤에"
            " 이벤트가 소리 없이 버려집니다",
        ),
    ),
    "replication.server_uuid_duplicate": Text(
        "error",
        Words(
            "{subject} has the same server_uuid as its source: its data directory is a copy",
            "Stop {subject}, remove auto.cnf from its data directory and start it again",
        ),
        Words(
            "{subject}의 server_uuid가 소스와 같습니다. 데이터 디렉터리가 복사본입니다",
            "{subject}을(를) 멈추고 데이터 디렉터리의 auto.cnf를 지운 뒤 다시 시작하세요",
        ),
    ),
    "replication.replica_uuid_duplicate": Text(
        "error",
        Words(
            "Another replica of the same source has the server_uuid of {subject}: they evict each"
            " other",
            "Stop {subject}, remove auto.cnf from its data directory and start it again",
        ),
        Words(
            "같은 소스의 다른 레플리카가 {subject}과(와) 같은 server_uuid를 씁니다. 서로를"
            " 밀어냅니다",
            "{subject}을(를) 멈추고 데이터 디렉터리의 auto.cnf를 지운 뒤 다시 시작하세요",
        ),
    ),
    "replication.access_denied": Text(
        "error",
        Words(
            "The source refuses the login of {user!r} from {subject}",
            "Give the right source_password with update_password: always, or create the user on"
            " the source",
        ),
        Words(
            "소스가 {subject}의 {user!r} 로그인을 거부합니다",
            "올바른 source_password를 update_password: always와 함께 지정하거나 소스에 사용자를"
            " 만드세요",
        ),
    ),
    "replication.privilege_missing": Text(
        "error",
        Words(
            "The user {user!r} may log in to the source and may not replicate",
            "On the source: GRANT REPLICATION SLAVE ON *.* TO that user",
        ),
        Words(
            "{user!r} 사용자는 소스에 로그인할 수 있지만 복제 권한이 없습니다",
            "소스에서 그 사용자에게 GRANT REPLICATION SLAVE ON *.* 를 실행하세요",
        ),
    ),
    "replication.secure_connection": Text(
        "error",
        Words(
            "{user!r} uses caching_sha2_password and the channel has neither TLS nor the source's"
            " public key",
            "Set get_source_public_key: true (or source_ssl: true)",
        ),
        Words(
            "{user!r}은(는) caching_sha2_password를 쓰는데 채널에 TLS도 소스의 공개 키도 없습니다",
            "get_source_public_key: true(또는 source_ssl: true)로 설정하세요",
        ),
    ),
    "replication.unreachable": Text(
        "error",
        Words(
            "{subject} cannot reach its source at {address}",
            "See that the source runs, that its Service has endpoints and that port {port} is not"
            " blocked",
        ),
        Words(
            "{subject}이(가) 소스 {address}에 연결할 수 없습니다",
            "소스가 실행 중인지, Service에 엔드포인트가 있는지, 포트 {port}이(가) 막혀 있지 않은지"
            " 확인하세요",
        ),
    ),
    "replication.unknown_host": Text(
        "error",
        Words(
            "{subject} cannot resolve the name of its source, {host!r}",
            "Correct source_host: compare it with the names that exist (kubectl get services)",
        ),
        Words(
            "{subject}이(가) 소스 이름 {host!r}을(를) 찾을 수 없습니다",
            "source_host를 고치세요. 실제 이름과 비교해 보세요(kubectl get services)",
        ),
    ),
    "replication.purged": Text(
        "error",
        Words(
            "The source has purged binary logs that {subject} still needs",
            "Seed {subject} from a clone or a dump of the source, then let it follow",
        ),
        Words(
            "{subject}에 필요한 바이너리 로그를 소스가 이미 지웠습니다",
            "소스의 클론이나 덤프로 {subject}을(를) 다시 만든 뒤 복제를 시작하세요",
        ),
    ),
    "replication.errant": Text(
        "error",
        Words(
            "{subject} has {count} transactions that its source does not have",
            "See what they wrote (mysqlbinlog), then seed {subject} again from the source, or"
            " commit empty transactions with those GTIDs on the source",
        ),
        Words(
            "{subject}에 소스에 없는 트랜잭션이 {count}개 있습니다",
            "무엇을 썼는지 mysqlbinlog로 확인한 뒤 {subject}을(를) 소스에서 다시 만들거나, 소스에"
            " 같은 GTID의 빈 트랜잭션을 커밋하세요",
        ),
    ),
    "replication.retries_exhausted": Text(
        "error",
        Words(
            "{subject} gave up connecting to its source after {retry_count} tries",
            "Mend the cause below, then run mysql_replication with state following again; a larger"
            " source_retry_count tries longer",
        ),
        Words(
            "{subject}이(가) {retry_count}번 시도한 뒤 소스 연결을 포기했습니다",
            "아래 원인을 고친 뒤 mysql_replication을 state: following으로 다시 실행하세요."
            " source_retry_count를 늘리면 더 오래 시도합니다",
        ),
    ),
    "replication.receiver_stopped": Text(
        "error",
        Words(
            "The receiver of {subject} is stopped",
            "Run mysql_replication with state following (a site: --tags step6)",
        ),
        Words(
            "{subject}의 리시버(IO) 스레드가 멈춰 있습니다",
            "mysql_replication을 state: following으로 실행하세요 (사이트는 --tags step6)",
        ),
    ),
    "replication.receiver_error": Text(
        "error",
        Words(
            "The receiver of {subject} reports error {errno}",
            "Look error {errno} up in the MySQL error reference and mend it; the server's log has"
            " the lines around it",
        ),
        Words(
            "{subject}의 리시버(IO) 스레드가 오류 {errno}을(를) 보고합니다",
            "MySQL 오류 참조에서 {errno}을(를) 찾아 고치세요. 서버 로그에 앞뒤 내용이 있습니다",
        ),
    ),
    "replication.connecting": Text(
        "warning",
        Words(
            "The receiver of {subject} is still connecting and reports no error yet",
            "Wait, with a larger wait_timeout; a silent firewall shows so until the connection"
            " times out",
        ),
        Words(
            "{subject}의 리시버가 아직 연결 중이며 보고된 오류는 없습니다",
            "wait_timeout을 늘려 기다리세요. 패킷을 버리는 방화벽은 연결 시간이 초과될 때까지 이렇게"
            " 보입니다",
        ),
    ),
    "replication.applier_stopped": Text(
        "error",
        Words(
            "The applier of {subject} is stopped",
            "Run mysql_replication with state following (a site: --tags step6)",
        ),
        Words(
            "{subject}의 어플라이어(SQL) 스레드가 멈춰 있습니다",
            "mysql_replication을 state: following으로 실행하세요 (사이트는 --tags step6)",
        ),
    ),
    "replication.applier_error": Text(
        "error",
        Words(
            "The applier of {subject} stopped at error {errno}",
            "Compare the row or table it names with the source (mysql_checksum): the replica was"
            " written to, or seeded from other data; seed it again",
        ),
        Words(
            "{subject}의 어플라이어(SQL) 스레드가 오류 {errno}에서 멈췄습니다",
            "오류에 나온 행이나 테이블을 소스와 비교하세요(mysql_checksum). 레플리카에 직접 썼거나"
            " 다른 데이터로 만들어진 것이므로 다시 만드세요",
        ),
    ),
    "replication.gtid_off": Text(
        "error",
        Words(
            "{subject} has gtid_mode {gtid_mode}: it cannot follow by GTID",
            "Start it with gtid_mode=ON and enforce_gtid_consistency=ON (online: OFF ->"
            " OFF_PERMISSIVE -> ON_PERMISSIVE -> ON), or set source_auto_position: false",
        ),
        Words(
            "{subject}의 gtid_mode가 {gtid_mode}이므로 GTID로 복제할 수 없습니다",
            "gtid_mode=ON, enforce_gtid_consistency=ON으로 시작하거나(온라인: OFF -> OFF_PERMISSIVE"
            " -> ON_PERMISSIVE -> ON) source_auto_position: false로 설정하세요",
        ),
    ),
    "replication.source_gtid_off": Text(
        "error",
        Words(
            "The source of {subject} has no GTIDs: it cannot be followed by GTID",
            "Start the source with gtid_mode=ON and enforce_gtid_consistency=ON (online: OFF ->"
            " OFF_PERMISSIVE -> ON_PERMISSIVE -> ON), or set source_auto_position: false",
        ),
        Words(
            "{subject}의 소스에서 GTID가 꺼져 있어 GTID로 복제할 수 없습니다",
            "소스를 gtid_mode=ON, enforce_gtid_consistency=ON으로 시작하거나(온라인: OFF ->"
            " OFF_PERMISSIVE -> ON_PERMISSIVE -> ON) source_auto_position: false로 설정하세요",
        ),
    ),
    "replication.source_binlog_off": Text(
        "error",
        Words(
            "The source of {subject} writes no binary log",
            "Start the source with --log-bin (and without --skip-log-bin)",
        ),
        Words(
            "{subject}의 소스가 바이너리 로그를 쓰지 않습니다",
            "소스를 --log-bin으로(--skip-log-bin 없이) 시작하세요",
        ),
    ),
    "replication.data_before": Text(
        "warning",
        Words(
            "{subject} held data before it followed: {schemas}",
            "Compare it with the source (mysql_checksum); running threads do not prove equal rows",
        ),
        Words(
            "{subject}에 복제 전부터 데이터가 있었습니다: {schemas}",
            "소스와 비교하세요(mysql_checksum). 스레드가 실행 중이어도 행이 같다는 증거는 아닙니다",
        ),
    ),
    "replication.older_than_source": Text(
        "warning",
        Words(
            "{subject} is of MySQL {version}, older than its source of {source_version}: MySQL supports"
            " replication to the same version or a newer one, and what only the source knows stops it",
            "Bring {subject} to {source_version} next (docs/how-to/upgrade.md)",
        ),
        Words(
            "{subject}은(는) MySQL {version}이고 소스는 더 새로운 {source_version}입니다. MySQL은 같거나 더"
            " 새로운 버전으로의 복제만 지원하므로, 소스만 아는 기능을 만나면 복제가 멈춥니다",
            "다음으로 {subject}을(를) {source_version}(으)로 올리세요(docs/how-to/upgrade.md)",
        ),
    ),
    "replication.silent": Text(
        "warning",
        Words(
            "{subject} has not heard of its source for {seconds} s",
            "See that the source still runs; a shorter source_heartbeat_period shows it sooner",
        ),
        Words(
            "{subject}이(가) {seconds}초 동안 소스의 소식을 듣지 못했습니다",
            "소스가 아직 실행 중인지 확인하세요. source_heartbeat_period를 줄이면 더 빨리 드러납니다",
        ),
    ),
    "replication.unheard": Text(
        "error",
        Words(
            "{subject} runs its threads and has not heard of its source for {seconds} s",
            "See that the source runs and reaches the replica; a shorter source_heartbeat_period"
            " than the timeout makes the proof quick",
        ),
        Words(
            "{subject}의 스레드는 실행 중이지만 {seconds}초 동안 소스의 소식이 없습니다",
            "소스가 실행 중이고 연결되는지 확인하세요. source_heartbeat_period를 timeout보다 짧게"
            " 하면 빨리 증명됩니다",
        ),
    ),
    "replication.behind": Text(
        "error",
        Words(
            "{subject} lacks {count} transactions of the primary after {seconds} s",
            "Wait with a larger timeout, or look at what its applier does (mysql_replication_info)",
        ),
        Words(
            "{seconds}초가 지나도 {subject}에 프라이머리의 트랜잭션 {count}개가 없습니다",
            "timeout을 늘려 기다리거나 어플라이어 상태를 확인하세요(mysql_replication_info)",
        ),
    ),
    "replication.canary_lost": Text(
        "error",
        Words(
            "{subject} has the canary's GTID and not its row",
            "Look for replication filters on {subject} (performance_schema.replication_applier_filters)",
        ),
        Words(
            "{subject}에 카나리 트랜잭션의 GTID는 있지만 행이 없습니다",
            "{subject}의 복제 필터를 확인하세요(performance_schema.replication_applier_filters)",
        ),
    ),
    "replication.unapplied": Text(
        "error",
        Words(
            "{subject} has received {count} transactions that it has not applied",
            "Let the applier finish (state following without its source, or START REPLICA"
            " SQL_THREAD), then promote",
        ),
        Words(
            "{subject}이(가) 받은 트랜잭션 중 {count}개를 아직 적용하지 않았습니다",
            "어플라이어가 끝낼 때까지 기다린 뒤(START REPLICA SQL_THREAD) 승격하세요",
        ),
    ),
    "replication.seed_refused": Text(
        "error",
        Words(
            "{subject} holds what nobody else may have, and was not named to be overwritten",
            "Save what is still needed of it, then set seed_overwrite: [{name}]",
        ),
        Words(
            "{subject}에는 다른 곳에 없을 수 있는 데이터가 있고, 덮어써도 된다고 지정되지 않았습니다",
            "필요한 것을 먼저 저장한 뒤 seed_overwrite: [{name}]을(를) 지정하세요",
        ),
    ),
    "replication.seed_impossible": Text(
        "error",
        Words(
            "{subject} cannot be seeded by {method}",
            "Remove what hinders it, or choose another seed (auto takes what both servers can)",
        ),
        Words(
            "{subject}을(를) {method} 방식으로 다시 만들 수 없습니다",
            "방해 요소를 없애거나 다른 seed를 고르세요(auto는 두 서버가 모두 할 수 있는 것을 고릅니다)",
        ),
    ),
    "replication.seed_broken": Text(
        "error",
        Words(
            "The source of {subject} holds what a copy cannot make again",
            "Repair or drop each on the source, or leave them out: seed_without: [{names}]",
        ),
        Words(
            "{subject}의 소스에 덤프로는 다시 만들 수 없는 것이 있습니다",
            "소스에서 각각 고치거나 삭제하세요. 빼고 진행하려면 seed_without: [{names}]을(를) 지정하세요",
        ),
    ),
    "replication.seed_prepared": Text(
        "error",
        Words(
            "The source of {subject} has XA transactions that stay prepared: a copy would lack them, and"
            " the replica would stop at their XA COMMIT (1397)",
            "End each on the source, by XA COMMIT or XA ROLLBACK and the xid as it is shown, then run this again",
        ),
        Words(
            "{subject}의 소스에 준비(prepared) 상태로 남은 XA 트랜잭션이 있습니다. 덤프에는 이것이 빠지고,"
            " 레플리카는 나중에 XA COMMIT에서 멈춥니다(1397)",
            "소스에서 표시된 xid로 XA COMMIT 또는 XA ROLLBACK을 실행해 각각 끝낸 뒤 다시 실행하세요",
        ),
    ),
    "replication.seed_left": Text(
        "warning",
        Words(
            "Seeding {subject} does not bring everything that its source has",
            "Bring over by hand what {subject} needs of it",
        ),
        Words(
            "{subject}을(를) 시드해도 소스에 있는 모든 것이 옮겨지지는 않습니다",
            "그중 {subject}에 필요한 것을 직접 옮기세요",
        ),
    ),
    "replication.seed_in_progress": Text(
        "error",
        Words(
            "Another run is seeding {subject} at this moment",
            "let it end, or end its session (KILL on {subject}), then run this again",
        ),
        Words(
            "다른 실행이 지금 {subject}을(를) 시드하고 있습니다",
            "끝나기를 기다리거나 그 세션을 끝낸 뒤({subject}에서 KILL) 다시 실행하세요",
        ),
    ),
    "replication.seed_restart": Text(
        "error",
        Words(
            "{subject} holds its source's data now and stopped, because nothing supervises mysqld",
            "Start mysqld of {subject}, then run the same task again: it goes on from there",
        ),
        Words(
            "{subject}에 소스의 데이터가 들어갔지만, mysqld를 감독하는 것이 없어 멈췄습니다",
            "{subject}의 mysqld를 시작한 뒤 같은 작업을 다시 실행하세요. 이어서 진행됩니다",
        ),
    ),
    "replication.seed_not_back": Text(
        "error",
        Words(
            "{subject} has cloned its source and does not answer after {seconds} s",
            "See in its log why mysqld does not start, then run the same task again",
        ),
        Words(
            "{subject}이(가) 소스를 복제(클론)한 뒤 {seconds}초가 지나도 응답하지 않습니다",
            "로그에서 mysqld가 시작하지 않는 이유를 확인한 뒤 같은 작업을 다시 실행하세요",
        ),
    ),
    "replication.until_passed": Text(
        "error",
        Words(
            "{subject} has executed {count} of the transactions before which it was to stop",
            "Choose a later place, or seed a replica from a backup taken before them",
        ),
        Words(
            "{subject}은(는) 그 앞에서 멈춰야 할 트랜잭션 중 {count}개를 이미 실행했습니다",
            "더 뒤의 지점을 고르거나, 그 전에 만든 백업으로 레플리카를 다시 만드세요",
        ),
    ),
    "replication.until_not_reached": Text(
        "error",
        Words(
            "{subject} has not come to the place where it is to stop after {seconds} s",
            "Wait with a larger timeout, or see that the source has come there",
        ),
        Words(
            "{seconds}초가 지나도 {subject}이(가) 멈출 지점에 이르지 못했습니다",
            "timeout을 늘려 기다리거나 소스가 그 지점에 이르렀는지 확인하세요",
        ),
    ),
}
