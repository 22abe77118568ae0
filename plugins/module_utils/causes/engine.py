# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with an image and a my.cnf before an instance runs on them: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..finding import Finding
from ..mysql import upgrade
from ..mysql.config_file import Refusal, refusals
from ..mysql.connection import Version
from .catalogue import finding


@dataclass(frozen=True)
class Engine:
    """The image that is to be used, and what its mysqld said. said: empty where all is well."""

    image: str
    version: Version
    said: str = ""
    exit_code: int = 0

    @property
    def version_text(self) -> str:
        """The version as people write it."""
        return text_of(self.version)


@dataclass(frozen=True)
class Running:
    """One instance that has data. version: None where it could not be read, reason: why."""

    name: str
    version: Version | None
    reason: str = ""


def text_of(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(str(part) for part in version)


def explain_options(engine: Engine, my_cnf: str, language: str = "en") -> list[Finding]:
    """Return each option that the version lacks or refuses, with its line of the file."""
    if engine.exit_code == 0:
        return []
    found = [
        _option(engine, one, language) for one in refusals(engine.said, my_cnf, engine.version)
    ]
    named = [one for one in found if one is not None]
    if named:
        return named
    proof = [f"mysqld of {engine.image}: {line}" for line in engine.said.splitlines()[-5:]]
    return [
        finding(
            "engine.options_refused",
            subject="my.cnf",
            proof=[*proof, f"exit code {engine.exit_code}"],
            language=language,
            version=engine.version_text,
        )
    ]


def explain_versions(
    engine: Engine, running: Sequence[Running], language: str = "en"
) -> list[Finding]:
    """Return the instances whose data the version does not open."""
    found: list[Finding] = []
    wanted = engine.version_text
    for instance in running:
        if instance.version is None:
            code, facts, proof = "engine.version_unread", {}, [instance.reason]
        else:
            change = upgrade.change(instance.version, engine.version)
            if change.allowed:
                continue
            held = text_of(instance.version)
            code = f"engine.{change.verdict}"
            facts = {"running": held, "image": engine.image, "through": change.through}
            proof = [f"VERSION() of {instance.name}: {held}", f"{engine.image}: {wanted}"]
        found.append(
            finding(
                code, subject=instance.name, proof=proof, language=language, wanted=wanted, **facts
            )
        )
    return found


def _option(engine: Engine, refusal: Refusal, language: str) -> Finding | None:
    """Return the finding of a refusal that names an option of the file."""
    if refusal.line is None:
        return None
    instead = {
        "en": f", or write {refusal.hint}, its name in this version",
        "ko": f". 이 버전에서의 이름은 {refusal.hint}입니다",
    }
    code = "engine.option_unknown" if refusal.unknown else "engine.option_refused"
    return finding(
        code,
        subject=refusal.line.option,
        proof=[
            f"my.cnf line {refusal.line.number}: {refusal.line.text}",
            f"mysqld of {engine.image}: {refusal.said}",
        ],
        language=language,
        version=engine.version_text,
        option=refusal.line.option,
        line=refusal.line.number,
        instead=instead[language] if refusal.hint else "",
    )
