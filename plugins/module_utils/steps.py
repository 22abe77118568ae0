# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ten steps of the course, as data: their phase, what they stand on, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from .finding import CollectionError

# What a step stands on, and the step that makes it.
NAMESPACE = "namespace"
CLAIMS = "claims"
ENGINES = "engines"
SERVICES = "services"
FOLLOWING = "following"
DATA = "data"
BACKENDS = "backends"
PATHS = "paths"

MAKERS: Mapping[str, int] = MappingProxyType(
    {
        NAMESPACE: 3,
        CLAIMS: 3,
        ENGINES: 4,
        SERVICES: 5,
        FOLLOWING: 6,
        DATA: 7,
        BACKENDS: 8,
        PATHS: 9,
    }
)


@dataclass(frozen=True)
class Step:
    """One step. title: in English and Korean. needs: what it stands on, the oldest first."""

    number: int
    phase: str
    title: Mapping[str, str]
    needs: tuple[str, ...] = ()


def _step(number: int, phase: str, english: str, korean: str, *needs: str) -> Step:
    return Step(number, phase, {"en": english, "ko": korean}, needs)


STEPS: tuple[Step, ...] = (
    _step(1, "infra", "the ingress IP", "네트워크 점검"),
    _step(2, "infra", "the StorageClass", "스토리지 준비"),
    _step(3, "infra", "a volume for each instance", "그릇 만들기(PVC)"),
    _step(4, "db", "an engine for each instance", "DB 엔진 배포", NAMESPACE, CLAIMS),
    _step(
        *(5, "db", "the Services mysql-write and mysql-read", "서비스 노출"),
        *(NAMESPACE, CLAIMS, ENGINES),
    ),
    _step(
        *(6, "db", "replication between empty databases", "복제 연결"),
        *(NAMESPACE, CLAIMS, ENGINES, SERVICES),
    ),
    # That every replica follows is proved by the step itself, with the cause where one does not.
    _step(
        *(7, "data", "the data, through the primary", "데이터 복원"),
        *(NAMESPACE, CLAIMS, ENGINES, SERVICES),
    ),
    _step(
        *(8, "app", "the API and the web pages", "백엔드 배포"),
        *(NAMESPACE, CLAIMS, ENGINES, SERVICES, FOLLOWING, DATA),
    ),
    _step(
        *(9, "app", "the paths", "인그레스 적용"),
        *(NAMESPACE, CLAIMS, ENGINES, SERVICES, FOLLOWING, DATA, BACKENDS),
    ),
    _step(
        *(10, "app", "the load test", "최종 부하 테스트"),
        *(NAMESPACE, CLAIMS, ENGINES, SERVICES, FOLLOWING, DATA, BACKENDS, PATHS),
    ),
)

PHASES: tuple[str, ...] = ("infra", "db", "data", "app")

NEXT: Mapping[str, str] = MappingProxyType(
    {
        "en": "step {number}, {title}: {command}",
        "ko": "{number}단계, {title}: {command}",
    }
)
ENDED: Mapping[str, str] = MappingProxyType(
    {
        "en": "see that every proof still holds, whenever you like: {command}",
        "ko": "언제든지 모든 증명을 다시 확인하세요: {command}",
    }
)
FOR_REAL: Mapping[str, str] = MappingProxyType(
    {
        "en": "nothing was changed; run the same without --check",
        "ko": "아무것도 변경하지 않았습니다. --check 없이 다시 실행하세요",
    }
)
COMMAND = "ansible-playbook playbooks/site.yml --tags {tag}"


def step(number: int) -> Step:
    """Return a step by its number. Raises CollectionError for one that the course does not have."""
    if not 1 <= number <= len(STEPS):
        raise CollectionError(f"step: {number} is not allowed; 1 to {len(STEPS)}")
    return STEPS[number - 1]


def selected(tags: Iterable[str], skipped: Iterable[str] = ()) -> list[int]:
    """Return the numbers of the steps that a run with these tags plays, in order."""
    asked, left_out = set(tags) or {"all"}, set(skipped)
    return [
        one.number
        for one in STEPS
        if asked & {"all", "tagged", one.phase, f"step{one.number}"}
        and not left_out & {one.phase, f"step{one.number}"}
    ]


def to_check(numbers: Sequence[int], phase: str) -> int:
    """Return the step of a phase whose ground has to be looked at; 0 where the run itself made it.

    The first step of the phase that is played stands on the step before it: where that one is
    played too, it has ended with its proof.
    """
    played = [number for number in numbers if STEPS[number - 1].phase == phase]
    if not played or played[0] - 1 in numbers or not STEPS[played[0] - 1].needs:
        return 0
    return played[0]


def what_next(tags: Iterable[str], skipped: Iterable[str], language: str, check: bool) -> str:
    """Return the one line with which a run ends: what to do next."""
    if language not in NEXT:
        raise CollectionError(f"language: {language!r} is not one of {', '.join(NEXT)}")
    if check:
        return FOR_REAL[language]
    asked = set(tags)
    numbers = selected(asked, skipped)
    if not numbers and "verify" in asked:
        return ""
    following = numbers[-1] + 1 if numbers else 1
    if following > len(STEPS) or (not numbers and "looks" in asked):
        return ENDED[language].format(command=COMMAND.format(tag="verify"))
    one = STEPS[following - 1]
    command = COMMAND.format(tag=f"step{following}")
    return NEXT[language].format(number=following, title=one.title[language], command=command)
