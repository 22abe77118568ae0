# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of a MySQL server and its tables, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "mysql.unreachable": Text(
        "error",
        Words(
            "{subject} does not answer at {address}",
            "See that mysqld runs there and that nothing blocks the port; then run this again",
        ),
        Words(
            "{subject}: {address}에서 응답이 없습니다",
            "그곳에서 mysqld가 실행 중이고 포트가 막혀 있지 않은지 확인한 뒤 다시 실행하세요",
        ),
    ),
    "mysql.access_denied": Text(
        "error",
        Words(
            "{subject} refuses the login of {user!r}",
            "Give the password that this data directory was initialized with: a volume keeps its"
            " old password when the Secret changes",
        ),
        Words(
            "{subject}: {user!r} 로그인이 거부되었습니다",
            "이 데이터 디렉터리를 초기화할 때의 비밀번호를 지정하세요. Secret을 바꿔도 볼륨에는 옛"
            " 비밀번호가 남아 있습니다",
        ),
    ),
    "mysql.checksum_differs": Text(
        "error",
        Words(
            "{table} differs between {subject} and {other}",
            "Seed {other} again from {subject} (clone or dump): replication does not repair rows"
            " that it never carried",
        ),
        Words(
            "{table} 테이블의 내용이 {subject}와(과) {other}에서 다릅니다",
            "{other}을(를) {subject}에서 다시 만드세요(클론 또는 덤프). 복제는 전달한 적 없는 행을"
            " 고쳐 주지 않습니다",
        ),
    ),
    "mysql.table_missing": Text(
        "error",
        Words(
            "{table} is on {subject} and not on {other}",
            "Seed {other} again from {subject} (clone or dump)",
        ),
        Words(
            "{table} 테이블이 {subject}에는 있고 {other}에는 없습니다",
            "{other}을(를) {subject}에서 다시 만드세요(클론 또는 덤프)",
        ),
    ),
    "mysql.table_extra": Text(
        "error",
        Words(
            "{table} is on {subject} and not on {other}, which is compared with",
            "See whether anybody needs it; then drop it there (SET sql_log_bin = 0 first), or make it on {other}",
        ),
        Words(
            "{table} 테이블이 {subject}에는 있고 비교 기준인 {other}에는 없습니다",
            "필요한 테이블인지 확인한 뒤, 그 인스턴스에서 삭제하거나(먼저 SET sql_log_bin = 0) {other}에 만드세요",
        ),
    ),
    "mysql.table_unread": Text(
        "error",
        Words(
            "The rows of {table} on {subject} were not compared",
            "Raise max_allowed_packet on {subject} (SET GLOBAL, it holds for new sessions); then run this again",
        ),
        Words(
            "{subject}의 {table} 테이블은 행을 비교하지 못했습니다",
            "{subject}의 max_allowed_packet을 늘리고(SET GLOBAL, 새 세션부터 적용) 다시 실행하세요",
        ),
    ),
    "mysql.nothing_compared": Text(
        "error",
        Words(
            "No table was compared: there is none in {subject}",
            "Name schemas that hold tables, or allow that there are none (allow_empty: true)",
        ),
        Words(
            "비교한 테이블이 없습니다. {subject}에 테이블이 하나도 없습니다",
            "테이블이 있는 스키마를 지정하거나, 비어 있어도 되면 allow_empty: true를 지정하세요",
        ),
    ),
    "mysql.value_too_large": Text(
        "error",
        Words(
            "{subject} takes no value larger than {limit} bytes, and there are such",
            "Raise max_allowed_packet on both servers (SET GLOBAL, it holds for new sessions); then run this again",
        ),
        Words(
            "{subject}은(는) {limit}바이트보다 큰 값을 받지 않는데, 그런 값이 있습니다",
            "두 서버의 max_allowed_packet을 늘리고(SET GLOBAL, 새 세션부터 적용) 다시 실행하세요",
        ),
    ),
    "mysql.definitions_differ": Text(
        "error",
        Words(
            "{count} definitions on {subject} are not those of {first}",
            "Make each as it is on {first} (SHOW CREATE there; SET sql_log_bin = 0 first), or seed {subject}"
            " again from {first}",
        ),
        Words(
            "{subject}의 정의 {count}개가 {first}와(과) 다릅니다",
            "{first}에서 SHOW CREATE로 확인한 대로 고치거나(먼저 SET sql_log_bin = 0), {subject}을(를) {first}에서"
            " 다시 만드세요",
        ),
    ),
}
