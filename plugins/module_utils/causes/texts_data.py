# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of loading data, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words


def _error(summary: str, fix: str, summary_ko: str, fix_ko: str) -> Text:
    return Text("error", Words(summary, fix), Words(summary_ko, fix_ko))


TEXTS: Mapping[str, Text] = {
    "load.target_not_empty": _error(
        "The database {subject} already holds data that is not of this dump",
        "Name another database, or set mode: replace to have {subject} dropped and loaded again",
        "데이터베이스 {subject}에 이 덤프의 것이 아닌 데이터가 이미 있습니다",
        "다른 데이터베이스를 지정하거나, {subject}을(를) 지우고 새로 적재하려면 mode: replace로 설정하세요",
    ),
    "load.written_since": _error(
        "A load of {subject} was interrupted, and others wrote into it since, or may have",
        "Save what they wrote, then set mode: replace to have {subject} dropped and loaded again",
        "{subject}의 적재가 중단된 뒤 다른 세션이 그곳에 썼거나 썼을 수 있습니다",
        "그 내용을 따로 저장한 뒤, {subject}을(를) 지우고 새로 적재하려면 mode: replace로 설정하세요",
    ),
    "load.in_progress": _error(
        "Another load of {subject} is going on",
        "Wait until it has ended, then run this again",
        "{subject}의 다른 적재가 진행 중입니다",
        "그것이 끝난 뒤 다시 실행하세요",
    ),
    "load.read_only": _error(
        "{subject} cannot be loaded here: the server is read-only, as a replica is",
        "Load into the primary; the rows reach the replicas from there",
        "{subject}을(를) 여기에 적재할 수 없습니다: 서버가 레플리카처럼 읽기 전용입니다",
        "프라이머리에 적재하세요. 행은 그곳에서 레플리카로 전달됩니다",
    ),
    "load.gtid_off": _error(
        "Nobody can tell when the replicas have {subject}: GTIDs are off",
        "Turn on gtid_mode and enforce_gtid_consistency on all instances, or give no replicas",
        "레플리카가 {subject}을(를) 다 받았는지 알 수 없습니다: GTID가 꺼져 있습니다",
        "모든 인스턴스에서 gtid_mode와 enforce_gtid_consistency를 켜거나 replicas를 비우세요",
    ),
    "load.other_database": _error(
        "{subject}: the dump works on the database {found}, not on {database}",
        "Set database: {found}, or take the other database out of the dump",
        "{subject}: 덤프가 {database}이(가) 아니라 데이터베이스 {found}을(를) 다룹니다",
        "database: {found}로 설정하거나 덤프에서 다른 데이터베이스를 빼세요",
    ),
    "load.file_missing": _error(
        "{subject}: the file {file} that is sourced there does not exist",
        "Put {file} beside the dump; its name is relative to the file that names it",
        "{subject}: source로 지정한 파일 {file}이(가) 없습니다",
        "{file}을(를) 덤프 옆에 두세요. 이름은 그것을 부르는 파일의 폴더를 기준으로 합니다",
    ),
    "load.source_loop": _error(
        "{subject} sources itself",
        "Take one of these source lines out of the dump",
        "{subject}이(가) 자기 자신을 source로 부릅니다",
        "덤프에서 이 source 줄 가운데 하나를 빼세요",
    ),
    "load.unterminated": _error(
        "{subject}: {what}",
        "Is the dump cut off? Compare its size with the original, or write it again",
        "{subject}: 문자열이나 주석이 닫히지 않았습니다({what})",
        "덤프가 잘리지 않았는지 원본과 크기를 비교하거나 다시 만드세요",
    ),
    "load.client_command": _error(
        "{subject}: {what}",
        "Take this line out of the dump",
        "{subject}: 적재할 때 실행하지 않는 mysql 클라이언트 명령입니다({what})",
        "이 줄을 덤프에서 빼세요",
    ),
    "load.statement_failed": _error(
        "{subject}: the server refused the statement: {reason} ({errno})",
        "Correct this line of the dump and run it again: it starts clean",
        "{subject}: 서버가 문장을 거부했습니다: {reason} ({errno})",
        "덤프의 이 줄을 고치고 다시 실행하세요. 처음부터 깨끗하게 시작합니다",
    ),
    "load.rows_skipped": _error(
        "{subject}: LOAD DATA would have changed or skipped rows of {table}",
        "Set method: auto, which sends such rows by INSERT, or correct the rows",
        "{subject}: LOAD DATA가 {table}의 행을 바꾸거나 건너뛰었을 것입니다",
        "그런 행을 INSERT로 보내는 method: auto로 설정하거나 행을 고치세요",
    ),
    "load.packet_too_large": _error(
        "{subject}: a statement is larger than the server takes",
        "Raise max_allowed_packet of the server, or write the dump with smaller statements",
        "{subject}: 문장이 서버가 받는 크기보다 큽니다",
        "서버의 max_allowed_packet을 늘리거나 더 작은 문장으로 덤프를 만드세요",
    ),
    "load.no_privilege": _error(
        "{subject}: the user may not do this: {reason} ({errno})",
        "Load as a user with all privileges on the database (RELOAD for FLUSH BINARY LOGS)",
        "{subject}: 사용자에게 권한이 없습니다: {reason} ({errno})",
        "데이터베이스의 모든 권한을 가진 사용자로 적재하세요(FLUSH BINARY LOGS에는 RELOAD)",
    ),
    "load.server_full": _error(
        "{subject}: the server has no room: {reason} ({errno})",
        "Give the instance's volume more room and run it again: it starts clean",
        "{subject}: 서버에 공간이 없습니다: {reason} ({errno})",
        "인스턴스의 볼륨을 늘리고 다시 실행하세요. 처음부터 깨끗하게 시작합니다",
    ),
    "load.connection_lost": _error(
        "{subject}: the connection to the server was lost: {reason} ({errno})",
        "See whether mysqld was restarted (its log, the Pod's last state); run it again then",
        "{subject}: 서버와의 연결이 끊어졌습니다: {reason} ({errno})",
        "mysqld가 다시 시작되었는지(로그, Pod의 마지막 상태) 확인한 뒤 다시 실행하세요",
    ),
    "load.replica_stopped": _error(
        "The replica {subject} stands still and does not get the rows",
        "Repair its replication with mysql_replication, then run this again: nothing is loaded twice",
        "레플리카 {subject}이(가) 멈춰 있어 행을 받지 못합니다",
        "mysql_replication으로 복제를 고친 뒤 다시 실행하세요. 두 번 적재되지 않습니다",
    ),
    "load.replica_behind": _error(
        "The replica {subject} did not get all rows within {seconds} s",
        "See with mysql_replication_info what it does; raise replica_timeout if it is just slow",
        "레플리카 {subject}이(가) {seconds}초 안에 모든 행을 받지 못했습니다",
        "mysql_replication_info로 상태를 보고, 느릴 뿐이라면 replica_timeout을 늘리세요",
    ),
    "load.beyond_database": _error(
        "{subject}: the dump changes {found}, not only the database {database}",
        "Take this statement out of the dump, and do what it is for with a module of its own",
        "{subject}: 덤프가 데이터베이스 {database} 밖의 것({found})을 바꿉니다",
        "이 문장을 덤프에서 빼고, 필요한 일은 따로 알맞은 모듈로 하세요",
    ),
    "load.system_database": _error(
        "{subject} belongs to the server, and no dump is loaded into it",
        "Name a database of your own",
        "{subject}은(는) 서버의 데이터베이스라서 덤프를 적재하지 않습니다",
        "직접 만든 데이터베이스를 지정하세요",
    ),
    "load.hides_rows": _error(
        "{subject}: the dump turns off the binary log, so replicas would not get the rows",
        "Take sql_log_bin and gtid_purged out of this statement, or out of the routine that it calls",
        "{subject}: 덤프가 바이너리 로그를 끄므로 레플리카가 행을 받지 못합니다",
        "이 문장이나 이 문장이 부르는 루틴에서 sql_log_bin과 gtid_purged를 빼세요",
    ),
    "load.binary_log_text": _error(
        "{subject}: this is the text of a binary log, not a dump",
        "Load a file that mysqldump wrote; binary logs are applied with mysql_recovery",
        "{subject}: 덤프가 아니라 바이너리 로그를 글로 바꾼 것입니다",
        "mysqldump로 만든 파일을 적재하세요. 바이너리 로그는 mysql_recovery로 적용합니다",
    ),
    "load.not_sql": _error(
        "{subject} is no dump in SQL: {what}",
        "Unpack or convert it first (unzip, iconv -f UTF-16 -t UTF-8), or give a file that mysqldump wrote",
        "{subject}은(는) SQL 덤프가 아닙니다: {what}",
        "먼저 풀거나 변환하거나(unzip, iconv -f UTF-16 -t UTF-8) mysqldump로 만든 파일을 지정하세요",
    ),
    "load.file_unreadable": _error(
        "The file {subject} cannot be read: {reason}",
        "Check the path on the machine where the module runs, or copy the file again",
        "파일 {subject}을(를) 읽을 수 없습니다: {reason}",
        "모듈이 실행되는 컴퓨터에서 경로를 확인하거나 파일을 다시 복사하세요",
    ),
    "load.file_twice": _error(
        "{subject} would be loaded twice",
        "Take one of the two names out of file, or the source line out of the dump",
        "{subject}이(가) 두 번 적재됩니다",
        "file에서 두 이름 가운데 하나를 빼거나 덤프에서 source 줄을 빼세요",
    ),
    "load.no_files": _error(
        "{subject} names no file of SQL",
        "Give files, or a folder with files that end in .sql, .sql.gz, .sql.zst, .sql.xz or .sql.bz2",
        "{subject}에 SQL 파일이 없습니다",
        "파일을 지정하거나 .sql, .sql.gz, .sql.zst, .sql.xz, .sql.bz2로 끝나는 파일이 있는 폴더를 지정하세요",
    ),
    "load.rows_apart": _error(
        "{subject} holds rows in text files, as mysqldump --tab writes them, which a load does not read",
        "Write the dump again without --tab",
        "{subject}에는 mysqldump --tab이 쓰는 텍스트 파일에 행이 있는데, 적재는 이것을 읽지 않습니다",
        "--tab 없이 덤프를 다시 만드세요",
    ),
    "load.empty_dump": _error(
        "{subject} makes no table, row or program: there is nothing to load",
        "Check that this is the file that was meant and that it was written to its end",
        "{subject}에는 테이블도 행도 프로그램도 없어 적재할 것이 없습니다",
        "지정하려던 파일이 맞는지, 끝까지 쓰였는지 확인하세요",
    ),
    "load.truncated": _error(
        "{subject} is cut off: the last line of mysqldump is missing",
        "Copy the file or write the dump again; if this part alone is wanted, delete its line '-- MySQL dump ...'",
        "{subject}이(가) 잘렸습니다: mysqldump의 마지막 줄이 없습니다",
        "파일을 다시 복사하거나 덤프를 다시 만드세요. 이 부분만 필요하다면 '-- MySQL dump ...' 줄을 지우세요",
    ),
    "load.drops_loaded": _error(
        "{subject}: this drops the database with what the files before it brought",
        "Write this file again without --add-drop-database, or load it alone",
        "{subject}: 앞의 파일들이 넣은 것까지 데이터베이스를 지웁니다",
        "이 파일을 --add-drop-database 없이 다시 만들거나 따로 적재하세요",
    ),
    "load.uncommitted": _error(
        "{subject} ends inside a transaction, so its last rows are not kept",
        "Add the line COMMIT; at the end of the file and run it again: it starts clean",
        "{subject}이(가) 트랜잭션 안에서 끝나므로 마지막 행들이 남지 않습니다",
        "파일 끝에 COMMIT; 줄을 넣고 다시 실행하세요. 처음부터 깨끗하게 시작합니다",
    ),
    "load.nothing_arrived": _error(
        "The dump left nothing in the database {subject}",
        "Check in the dump what drops its tables again, and run it again: it starts clean",
        "덤프가 데이터베이스 {subject}에 아무것도 남기지 않았습니다",
        "덤프에서 무엇이 테이블을 다시 지우는지 확인하고 다시 실행하세요. 처음부터 깨끗하게 시작합니다",
    ),
    "load.replica_differs": _error(
        "The replica {subject} does not have the rows that the primary has, at the same transactions",
        "Find the tables that differ with mysql_checksum, then seed this replica again with mysql_replication",
        "레플리카 {subject}에 같은 트랜잭션까지 프라이머리와 같은 행이 없습니다",
        "mysql_checksum으로 다른 테이블을 찾은 뒤 mysql_replication으로 이 레플리카를 다시 시드하세요",
    ),
    "dataset.folder_in_use": _error(
        "{subject} holds files that are not of a generated data set",
        "Name a folder that is empty or does not exist",
        "{subject}에 생성된 데이터 집합의 것이 아닌 파일이 있습니다",
        "비어 있거나 없는 폴더를 지정하세요",
    ),
    "dataset.unwritable": _error(
        "The data set cannot be written to {subject}: {reason}",
        "Name a folder that this user may write to, with room for it (170 MB at scale 1)",
        "데이터 집합을 {subject}에 쓸 수 없습니다: {reason}",
        "쓸 권한과 공간(scale 1에서 170 MB)이 있는 폴더를 지정하세요",
    ),
}
