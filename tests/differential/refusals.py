# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the outcome of a round is right: the same state, or a refusal that the history justifies."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.differential.history import History
from tests.differential.modules import codes
from tests.differential.oracle import Difference, text
from tests.differential.tools import Outcome


@dataclass(frozen=True)
class Rule:
    """A refusal that is right, each as a pattern: the tool, what the history must have, the cause."""

    tools: str
    trait: str
    code: str
    reason: str


# What is right although a base was taken and is called verified: it comes of what was done after it.
LATER = (
    # What no binary log tells, or not in rows: no table could be compared, and that is no success.
    Rule(
        "(recover|base)-.*|rows",
        "partitions|as_text|engine|xa",
        r"recovery\.nothing_compared",
        "of no table is it known how many rows it must have",
    ),
    Rule("(recover|base)-.*|rows", "long_name", r"recovery\.name_unreadable", "MySQL bug 104838"),
)
ALLOWED = (
    Rule(
        "seed-clone", "engine", r"replication\.seed_(impossible|left)", "clone carries InnoDB alone"
    ),
    Rule("base-clone", "engine", ".+", "clone carries InnoDB alone"),
    Rule("(seed|base)-dump", "broken_view", ".+", "mysqldump ends at a view that does not work"),
    Rule(
        "seed-(dump|clone)",
        "xa",
        r"replication\.(prepared|seed_prepared|seed_left)",
        "what is prepared is in no dump, and is named",
    ),
    Rule("base-dump", "xa", ".+", "what is prepared is in no dump, and is named"),
    Rule("seed-dump", "large", ".+", "a value that no session takes is named"),
    Rule(
        "rows", "large", r"recovery\.rows_too_large|mysql\.value_too_large", "no session takes it"
    ),
    Rule("rows", "engine", r"recovery\.rows_.+", "these engines have no transactions"),
    Rule("rows", "no_key", r"recovery\.rows_no_key", "without a key no row is told from another"),
    Rule(
        "rows",
        "foreign_keys",
        r"recovery\.rows_(parent_missing|referenced)",
        "a row whose parent is gone has no place",
    ),
    Rule("rows", "triggers", r"recovery\.rows_triggers", "a trigger would run once more"),
    Rule("seed-dump", "objects", r"replication\.seed_.+", "what hangs on the server is in no dump"),
    Rule(
        "load", "objects", r"load\.statement_failed", "a tablespace is the server's, not a schema's"
    ),
    Rule("load-text", "elsewhere", r"load\.other_database", "another database is named"),
    Rule("load-text", "log_off", r"load\..+", "rows that replicas would lack are refused"),
    *LATER,
)
# Where a result says what it does not vouch for.
ADMITS = ("not_compared", "not_carried", "unknown", "warnings", "findings", "left_out", "seed")


@dataclass(frozen=True)
class Divergence:
    """A round that ended wrong. signature: what makes two of them the same."""

    signature: str
    lines: tuple[str, ...]


def judge(tool: str, history: History, outcome: Outcome) -> Divergence | None:
    """Return what is wrong with a round, None where nothing is."""
    answer = outcome.answer
    for how in ("timed_out", "traceback"):
        if answer.get(how):
            last = str(answer["msg"]).strip().splitlines()[-1]
            return Divergence(f"{how} {last.split(':')[0]}", (str(answer["msg"]),))
    if outcome.refused:
        return _refusal(tool, history, outcome)
    left = [found for found in outcome.differences if not admitted(answer, found)]
    if left:
        sections = " ".join(sorted({found.section for found in left})[:4])
        lines = tuple(line for found in left for line in found.lines())
        return Divergence(f"differs {sections}", lines)
    return None


def _refusal(tool: str, history: History, outcome: Outcome) -> Divergence | None:
    said = codes(outcome.answer)
    # Right or not, nobody knows: of no table could it be told, and the history says why.
    unknown = said == ["recovery.nothing_compared"] and any(
        _fits(rule, tool, history, said) for rule in LATER
    )
    if unknown:
        return None
    if outcome.right:
        words = (said or [_words(outcome.answer)])[0]
        return Divergence(f"refused though right {words}", (str(outcome.answer.get("msg"))[:1500],))
    after_base = tool.startswith("base") and outcome.asked.endswith("then latest")
    if after_base and not any(_fits(rule, tool, history, said) for rule in LATER):
        # Too late: the base is in the archive, and is called verified.
        words = (said or [_words(outcome.answer)])[0]
        return Divergence(
            f"a verified base leads nowhere {words}", (str(outcome.answer["msg"])[:1500],)
        )
    if after_base:
        return None
    named = said or script_causes(str(outcome.answer.get("msg", "")))
    touched = outcome.differences and not tool.startswith("recover") and tool != "base"
    if not touched and any(_fits(rule, tool, history, named) for rule in ALLOWED):
        return None
    first = (said or [_words(outcome.answer)])[0]
    word = "refused after it wrote" if touched else "refused"
    lines = [str(outcome.answer.get("msg"))[:1500]]
    if touched:
        lines += [line for found in outcome.differences for line in found.lines()][:20]
    return Divergence(f"{word} {first}", tuple(lines))


def _fits(rule: Rule, tool: str, history: History, named: list[str]) -> bool:
    return (
        re.match(rule.tools, tool) is not None
        and any(re.fullmatch(rule.trait, trait) for trait in history.traits)
        and any(re.fullmatch(rule.code, code) for code in named)
    )


def script_causes(message: str) -> list[str]:
    """A script says a cause in its last line, `error: words`."""
    return [
        line.split("error: ", 1)[1][:60] for line in message.splitlines() if "Z error: " in line
    ]


def _words(answer: dict[str, Any]) -> str:
    """A message without what differs from round to round."""
    message = str(answer.get("msg", ""))
    lines = (
        [line for line in message.splitlines() if "rror" in line] or message.splitlines() or [""]
    )
    errno = answer.get("errno") or ""
    return f"{errno} " + re.sub(r"[0-9a-f-]{8,}|\d+|['`\"].*?['`\"]", "_", lines[-1])[:80]


def admitted(answer: dict[str, Any], difference: Difference) -> bool:
    """Whether the result itself names the thing as one that it does not vouch for."""
    said = json.dumps({key: answer[key] for key in ADMITS if answer.get(key)}, ensure_ascii=False)
    name = text(difference.name).rpartition(".")[2].strip("`'")
    return bool(name) and name in said
