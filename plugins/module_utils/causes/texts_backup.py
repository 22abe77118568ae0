# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of a backup that cannot be relied on, in English and Korean. Braces name facts."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "backup.archiver_stopped": Text(
        "error",
        Words(
            "No binary logs arrive in {subject}",
            "See why: kubectl logs of the archiver's Deployment; then run the role backup again",
        ),
        Words(
            "{subject}(으)로 바이너리 로그가 들어오지 않습니다",
            "아카이버 Deployment의 로그(kubectl logs)를 확인한 뒤 backup 롤을 다시 실행하세요",
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
            "Remove them by hand once nobody wants to recover from before the server was reset",
        ),
        Words(
            "{subject}에 서버가 버린 이력의 바이너리 로그가 남아 있습니다",
            "서버를 초기화하기 전으로 복구할 일이 없다면 직접 삭제하세요",
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
            "Verify it: verify.sh with its id, where the archive is mounted",
        ),
        Words(
            "{subject}(으)로 서버를 기동해 본 적이 없습니다",
            "아카이브가 마운트된 곳에서 verify.sh에 그 id를 주어 검증하세요",
        ),
    ),
    "backup.base_corrupt": Text(
        "error",
        Words(
            "{subject} is damaged",
            "Take another base now (playbooks/backup.yml --tags base), and look at the volume",
        ),
        Words(
            "{subject}이(가) 손상되었습니다",
            "지금 다른 베이스를 만들고(playbooks/backup.yml --tags base) 볼륨을 점검하세요",
        ),
    ),
    "backup.binlog_corrupt": Text(
        "error",
        Words(
            "{subject} is not as it was archived",
            "Take a base now (playbooks/backup.yml --tags base): bases before it lead no further",
        ),
        Words(
            "{subject}이(가) 보관한 상태와 다릅니다",
            "지금 베이스를 만드세요(playbooks/backup.yml --tags base). 이전 베이스로는 더 갈 수 없습니다",
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
