# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of an engine before it runs: its options and its version. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words


def _error(summary: str, fix: str, summary_ko: str, fix_ko: str) -> Text:
    return Text("error", Words(summary, fix), Words(summary_ko, fix_ko))


TEXTS: Mapping[str, Text] = {
    "engine.option_unknown": _error(
        "MySQL {version} has no option {option} (line {line} of my.cnf)",
        "Take {option} out of db_config (cluster_mysql_config){instead}",
        "MySQL {version}에는 {option} 옵션이 없습니다(my.cnf {line}번째 줄)",
        "db_config(cluster_mysql_config)에서 {option}을(를) 빼세요{instead}",
    ),
    "engine.option_refused": _error(
        "MySQL {version} refuses the value of {option} (line {line} of my.cnf)",
        "Give {option} in db_config (cluster_mysql_config) a value that mysqld takes, as the proof says",
        "MySQL {version}이(가) {option}의 값을 거부합니다(my.cnf {line}번째 줄)",
        "db_config(cluster_mysql_config)의 {option}에 mysqld가 받아들이는 값을 지정하세요",
    ),
    "engine.options_refused": _error(
        "MySQL {version} would not start with this my.cnf",
        "Correct what mysqld names in db_config (cluster_mysql_config), then run this again",
        "MySQL {version}은(는) 이 my.cnf로 시작하지 않습니다",
        "mysqld가 지적한 것을 db_config(cluster_mysql_config)에서 고친 뒤 다시 실행하세요",
    ),
    "engine.downgrade": _error(
        "{subject} holds data of MySQL {running}, and {image} is {wanted}: no server opens newer data",
        "Keep an image of {running} or later; to go back, load a dump into a cluster of its own"
        " (docs/how-to/upgrade.md)",
        "{subject}에는 MySQL {running}의 데이터가 있는데 {image}은(는) {wanted}입니다. 서버는 더 새로운"
        " 버전의 데이터를 열지 못합니다",
        "{running} 이상의 이미지를 쓰세요. 되돌리려면 별도의 클러스터에 덤프를 적재하세요"
        " (docs/how-to/upgrade.md)",
    ),
    "engine.skips_lts": _error(
        "{subject} holds data of MySQL {running}, which {wanted} ({image}) does not open:"
        " {through} lies between",
        "Upgrade to {through} first, or re-seed: load a dump into a new cluster of {wanted}"
        " (docs/how-to/upgrade.md)",
        "{subject}에는 MySQL {running}의 데이터가 있어 {wanted}({image})이(가) 바로 열 수 없습니다."
        " 그 사이에 {through}이(가) 있습니다",
        "먼저 {through}(으)로 올리거나, 새 {wanted} 클러스터에 덤프를 적재하세요"
        " (docs/how-to/upgrade.md)",
    ),
    "engine.version_unread": Text(
        "warning",
        Words(
            "{subject} does not answer, so whether {wanted} opens its data is not proved",
            "Nothing needs to be done: the server itself refuses data that it cannot open",
        ),
        Words(
            "{subject}이(가) 응답하지 않아 {wanted}이(가) 그 데이터를 열 수 있는지 확인하지 못했습니다",
            "할 일은 없습니다. 열 수 없는 데이터는 서버가 스스로 거부합니다",
        ),
    ),
}
