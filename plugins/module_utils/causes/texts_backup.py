# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of a backup that cannot be relied on, in English and Korean. Braces name facts."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "backup.archiver_absent": Text(
        "error",
        Words(
            "No Pod writes {subject}: no binary logs arrive, and nobody reads it",
            "Bring it back: ansible-playbook playbooks/backup.yml",
        ),
        Words(
            "{subject}에 기록하는 Pod가 없어 바이너리 로그가 들어오지 않고 내용을 읽을 수도 없습니다",
            "다시 실행하세요: ansible-playbook playbooks/backup.yml",
        ),
    ),
    "backup.archiver_stopped": Text(
        "error",
        Words(
            "No binary logs arrive in {subject}",
            "Mend what it names in its log and run playbooks/backup.yml again:"
            " kubectl logs {archiver} --tail=20",
        ),
        Words(
            "{subject}(으)로 바이너리 로그가 들어오지 않습니다",
            "아카이버 로그에 나온 문제를 고친 뒤 playbooks/backup.yml을 다시 실행하세요:"
            " kubectl logs {archiver} --tail=20",
        ),
    ),
    "backup.behind": Text(
        "warning",
        Words(
            "{subject} lacks {count} transactions that the primary has",
            "Wait for the archiver; if it does not catch up, look at its volume and its network",
        ),
        Words(
            "{subject}에 프라이머리의 트랜잭션 {count}개가 아직 없습니다",
            "아카이버를 기다리세요. 따라잡지 못하면 볼륨과 네트워크를 확인하세요",
        ),
    ),
    "backup.gap": Text(
        "error",
        Words(
            "{count} transactions are missing in {subject}: no base before them leads past them",
            "Take a base now (playbooks/backup.yml --tags base): recovery works from there on",
        ),
        Words(
            "{subject}에 트랜잭션 {count}개가 빠져 있어 그 이전 베이스로는 이후를 복구할 수 없습니다",
            "지금 베이스를 만드세요(playbooks/backup.yml --tags base). 그때부터 복구할 수 있습니다",
        ),
    ),
    "backup.drill_failed": Text(
        "warning",
        Words(
            "The last restore drill of {subject} failed",
            "See its cause, and repeat it once that is mended: ansible-playbook playbooks/drill.yml",
        ),
        Words(
            "{subject}의 마지막 복구 훈련이 실패했습니다",
            "원인을 해결한 뒤 다시 실행하세요: ansible-playbook playbooks/drill.yml",
        ),
    ),
    "backup.drill_old": Text(
        "warning",
        Words(
            "No restore drill of {subject} has succeeded for {days} days",
            "Do one now: ansible-playbook playbooks/drill.yml",
        ),
        Words(
            "{subject}의 복구 훈련이 {days}일 동안 한 번도 성공하지 않았습니다",
            "지금 실행하세요: ansible-playbook playbooks/drill.yml",
        ),
    ),
    "backup.other_history": Text(
        "warning",
        Words(
            "{subject} keeps binary logs of a history that the server has left",
            "Take a base now (playbooks/backup.yml --tags base): what is written since builds on no older"
            " one. Remove the old logs once nobody wants to recover from before the server was reset:"
            " kubectl exec {archiver} -- rm -r {paths}",
        ),
        Words(
            "{subject}에 서버가 버린 이력의 바이너리 로그가 남아 있습니다",
            "지금 베이스를 만드세요(playbooks/backup.yml --tags base). 초기화 이후의 기록은 이전 베이스에 이어지지"
            " 않습니다. 초기화 전으로 복구할 일이 없어지면 옛 로그를 삭제하세요:"
            " kubectl exec {archiver} -- rm -r {paths}",
        ),
    ),
    "backup.none": Text(
        "error",
        Words(
            "{subject} has no base that a server was started from",
            "Take one now: playbooks/backup.yml --tags base",
        ),
        Words(
            "{subject}에 서버를 기동해 검증한 베이스가 없습니다",
            "지금 만드세요: playbooks/backup.yml --tags base",
        ),
    ),
    "backup.base_old": Text(
        "warning",
        Words(
            "The newest verified base of {subject} is older than {hours} hours",
            "See the CronJob's last Job; take a base now with playbooks/backup.yml --tags base",
        ),
        Words(
            "{subject}의 최신 검증 베이스가 {hours}시간보다 오래되었습니다",
            "CronJob의 마지막 Job을 확인하고 playbooks/backup.yml --tags base로 지금 만드세요",
        ),
    ),
    "backup.base_unverified": Text(
        "warning",
        Words(
            "No server was ever started from {subject}",
            "Verify it: kubectl -n {namespace} create job {job} --from=cronjob/{cluster}-backup"
            " --dry-run=client -o yaml | sed 's|/base.sh && bash /scripts/prune.sh|/verify.sh {id}|'"
            " | kubectl create -f -",
        ),
        Words(
            "{subject}(으)로 서버를 기동해 본 적이 없습니다",
            "검증하세요: kubectl -n {namespace} create job {job} --from=cronjob/{cluster}-backup"
            " --dry-run=client -o yaml | sed 's|/base.sh && bash /scripts/prune.sh|/verify.sh {id}|'"
            " | kubectl create -f -",
        ),
    ),
    "backup.base_corrupt": Text(
        "error",
        Words(
            "{subject} is damaged",
            "Take another base now (playbooks/backup.yml --tags base), look at the volume, and remove"
            " this one: kubectl exec {archiver} -- rm -r {path}",
        ),
        Words(
            "{subject}이(가) 손상되었습니다",
            "지금 다른 베이스를 만들고(playbooks/backup.yml --tags base) 볼륨을 점검한 뒤 이 베이스를 삭제하세요:"
            " kubectl exec {archiver} -- rm -r {path}",
        ),
    ),
    "backup.binlog_corrupt": Text(
        "error",
        Words(
            "{subject} is not as it was archived",
            "Take a base now (playbooks/backup.yml --tags base): bases before it lead no further. Look at"
            " the volume, and remove what is left of it: kubectl exec {archiver} -- rm -f {paths}",
        ),
        Words(
            "{subject}이(가) 보관한 상태와 다릅니다",
            "지금 베이스를 만드세요(playbooks/backup.yml --tags base). 이전 베이스로는 더 갈 수 없습니다."
            " 볼륨을 점검하고 남은 파일을 삭제하세요: kubectl exec {archiver} -- rm -f {paths}",
        ),
    ),
    "backup.chain_expires": Text(
        "error",
        Words(
            "The primary may purge in {hours} hours what {subject} has not got yet",
            "Bring the archiver back before that, or raise binlog_expire_logs_seconds meanwhile",
        ),
        Words(
            "{subject}에 아직 없는 로그를 프라이머리가 {hours}시간 안에 지울 수 있습니다",
            "그 전에 아카이버를 되살리거나 그동안 binlog_expire_logs_seconds를 늘리세요",
        ),
    ),
    "backup.same_node": Text(
        "warning",
        Words(
            "{subject} lies on {node}, the node of the primary: both can be lost at once",
            "Move the primary by a switchover, or keep the archive on storage outside of the node",
        ),
        Words(
            "{subject}이(가) 프라이머리와 같은 노드 {node}에 있어 함께 잃을 수 있습니다",
            "스위치오버로 프라이머리를 옮기거나 아카이브를 노드 밖 스토리지에 두세요",
        ),
    ),
}
