# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of the binary log and its points, in English and Korean. Braces name facts."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "binlog.off": Text(
        "error",
        Words(
            "{subject} writes no binary log",
            "Start mysqld without skip-log-bin (log_bin is on by default from 8.0)",
        ),
        Words(
            "{subject}이(가) 바이너리 로그를 쓰지 않습니다",
            "skip-log-bin 없이 mysqld를 시작하세요(8.0부터 log_bin은 기본으로 켜져 있습니다)",
        ),
    ),
    "binlog.read_only": Text(
        "error",
        Words(
            "{subject} is read-only, so no point can be noted on it",
            "Note the point on the primary: the name reaches every replica from there",
        ),
        Words(
            "{subject}은(는) 읽기 전용이라 지점을 기록할 수 없습니다",
            "프라이머리에서 지점을 기록하세요. 이름은 거기서 모든 레플리카로 전달됩니다",
        ),
    ),
    "binlog.point_unknown": Text(
        "error",
        Words(
            "No point is noted as {name!r} on {subject}",
            "Use one of the names above, or note the current point with action=note",
        ),
        Words(
            "{subject}에 {name!r}(이)라는 지점이 기록되어 있지 않습니다",
            "위 이름 중 하나를 쓰거나 action=note로 현재 지점을 기록하세요",
        ),
    ),
    "binlog.purged": Text(
        "error",
        Words(
            "The binary logs of {subject} begin after {wanted}",
            "Ask for a later point, or look for it where older binary logs are kept",
        ),
        Words(
            "{subject}의 바이너리 로그는 {wanted} 이후부터 시작합니다",
            "더 나중의 지점을 지정하거나, 이전 바이너리 로그를 보관한 곳에서 찾으세요",
        ),
    ),
    "binlog.gtid_unknown": Text(
        "error",
        Words(
            "{subject} never executed {wanted}",
            "Check the GTID; a transaction of another history is in no binary log here",
        ),
        Words(
            "{subject}은(는) {wanted}을(를) 실행한 적이 없습니다",
            "GTID를 확인하세요. 다른 이력의 트랜잭션은 이곳 바이너리 로그에 없습니다",
        ),
    ),
    "binlog.file_unknown": Text(
        "error",
        Words(
            "{subject} has no binary log {wanted}",
            "Use one of the files above, by its full name",
        ),
        Words(
            "{subject}에 바이너리 로그 {wanted}이(가) 없습니다",
            "위 파일 중 하나의 전체 이름을 쓰세요",
        ),
    ),
    "binlog.position_beyond_end": Text(
        "error",
        Words(
            "Position {wanted} lies outside {subject}",
            "Give a position from 4 to the size of the file in bytes",
        ),
        Words(
            "위치 {wanted}은(는) {subject}의 범위를 벗어납니다",
            "4부터 파일 크기(바이트)까지의 위치를 지정하세요",
        ),
    ),
    "binlog.time_in_future": Text(
        "error",
        Words(
            "The time {wanted} is still to come for {subject}",
            "Give a time not after the server's clock, with its offset from UTC",
        ),
        Words(
            "시각 {wanted}은(는) {subject} 기준으로 아직 오지 않았습니다",
            "서버 시계보다 늦지 않은 시각을 UTC 오프셋과 함께 지정하세요",
        ),
    ),
    "binlog.nothing_matches": Text(
        "error",
        Words(
            "No transaction in the binary logs of {subject} is {wanted}",
            "Check the statement and the table (schema.table, as the server spells it)",
        ),
        Words(
            "{subject}의 바이너리 로그에 {wanted}에 해당하는 트랜잭션이 없습니다",
            "문장 종류와 테이블(서버 표기 그대로 schema.table)을 확인하세요",
        ),
    ),
    "binlog.beyond_archive": Text(
        "error",
        Words(
            "The archive in {subject} ends before {wanted}",
            "Wait until the archiver has caught up, or ask for an earlier time or for the latest point",
        ),
        Words(
            "{subject}의 아카이브는 {wanted} 이전에 끝납니다",
            "아카이버가 따라잡을 때까지 기다리거나, 더 이른 시각이나 최신 지점을 지정하세요",
        ),
    ),
    "binlog.none": Text(
        "error",
        Words(
            "There is no binary log in {subject}",
            "See that the archiver runs, and that the path is the archive's own",
        ),
        Words(
            "{subject}에 바이너리 로그가 없습니다",
            "아카이버가 실행 중인지, 경로가 아카이브의 것인지 확인하세요",
        ),
    ),
    "binlog.file_ambiguous": Text(
        "error",
        Words(
            "Several servers wrote a binary log {wanted} into {subject}",
            "Give the file as server_uuid/name, as listed above",
        ),
        Words(
            "{subject}에 여러 서버가 쓴 바이너리 로그 {wanted}이(가) 있습니다",
            "위 목록처럼 server_uuid/이름 형식으로 파일을 지정하세요",
        ),
    ),
    "binlog.compressed": Text(
        "error",
        Words(
            "A transaction on {subject} is compressed, and nothing here can decompress it",
            "Install the Python package zstandard where the module runs",
        ),
        Words(
            "{subject}의 트랜잭션이 압축되어 있는데 이곳에서 풀 수 없습니다",
            "모듈이 실행되는 곳에 Python 패키지 zstandard를 설치하세요",
        ),
    ),
    "binlog.damaged": Text(
        "error",
        Words(
            "The binary log of {subject} is damaged",
            "Run mysqlbinlog --verify-binlog-checksum on that file; what it lacks is in a replica's binary logs"
            " or in the archive: look there",
        ),
        Words(
            "{subject}의 바이너리 로그가 손상되었습니다",
            "그 파일에 mysqlbinlog --verify-binlog-checksum을 실행하세요. 빠진 내용은 레플리카의 바이너리 로그나"
            " 아카이브에 있으니 그곳에서 찾으세요",
        ),
    ),
    "binlog.stream_ended": Text(
        "error",
        Words(
            "{subject} stopped sending its binary log",
            "See the server's error log; then run this again",
        ),
        Words(
            "{subject}이(가) 바이너리 로그 전송을 멈췄습니다",
            "서버의 오류 로그를 확인한 뒤 다시 실행하세요",
        ),
    ),
    "binlog.nothing_by_then": Text(
        "error",
        Words(
            "Nothing in the binary logs of {subject} was committed by {wanted}",
            "Ask for a later time, or look for it where older binary logs are kept",
        ),
        Words(
            "{subject}의 바이너리 로그에 {wanted}까지 커밋된 트랜잭션이 없습니다",
            "더 나중의 시각을 지정하거나, 이전 바이너리 로그를 보관한 곳에서 찾으세요",
        ),
    ),
    "binlog.time_unordered": Text(
        "error",
        Words(
            "No point in the binary logs of {subject} has all that was committed by {wanted} and nothing later",
            "Choose the point by place instead of by time: file: {file} with position: {position} leaves out"
            " all that is listed above, file: {last_file} with position: {last_position} keeps it",
        ),
        Words(
            "{subject}의 바이너리 로그에는 {wanted}까지 커밋된 것만 모두 담긴 지점이 없습니다",
            "시각 대신 위치로 지점을 고르세요. file: {file}, position: {position}은(는) 위에 나온 트랜잭션을"
            " 모두 제외하고, file: {last_file}, position: {last_position}은(는) 모두 포함합니다",
        ),
    ),
    "binlog.clocks_differ": Text(
        "error",
        Words(
            "The two commit times in the binary logs of {subject} lead to different points for {wanted}",
            "Choose with clock: original goes by the server that committed a transaction first,"
            " immediate by the server that wrote these binary logs",
        ),
        Words(
            "{subject}의 바이너리 로그에 있는 두 커밋 시각이 {wanted}에 대해 서로 다른 지점을 가리킵니다",
            "clock으로 기준을 고르세요. original은 트랜잭션을 처음 커밋한 서버의 시각, immediate는 이 바이너리"
            " 로그를 쓴 서버의 시각을 따릅니다",
        ),
    ),
    "binlog.no_commit_times": Text(
        "error",
        Words(
            "Transactions in the binary logs of {subject} carry no commit time that can decide",
            "Name the point by file and position instead of by time; the time of an event's header is only what"
            " its session had set",
        ),
        Words(
            "{subject}의 바이너리 로그에 판단 기준이 될 커밋 시각이 없는 트랜잭션이 있습니다",
            "시각 대신 파일과 위치로 지점을 지정하세요. 이벤트 헤더의 시각은 세션이 설정한 값일 뿐입니다",
        ),
    ),
}
