# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The search: Hypothesis draws histories until one ends wrong, then takes it apart, then goes on.

A fault that was found is known by its signature and the kinds of blocks of its smallest history. Rounds
that end in the same way with these kinds among theirs do not end the search again.
"""

from __future__ import annotations

import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
import pymysql
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.connection import MysqlError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.internal.conjecture.engine import ConjectureRunner

from tests.differential.history import History
from tests.differential.modules import codes
from tests.differential.oracle import OracleError
from tests.differential.play import Fleet
from tests.differential.refusals import Divergence, judge
from tests.differential.smaller import smaller
from tests.differential.strategies import files, histories
from tests.differential.tools import UNFAIR, Outcome, tools
from tests.differential.vocabulary import KINDS

# After each history Hypothesis plays variations that repeat parts of it. A round takes seconds: other
# histories find more. (Of the pinned release; without this attribute the search is only slower.)
if hasattr(ConjectureRunner, "generate_mutations_from"):
    ConjectureRunner.generate_mutations_from = lambda self, data: None  # type: ignore[method-assign]

# Rounds that taking a history apart may take.
SMALLER = 16
# After so many different faults of one kind of block alone, a tool's rounds go on without it.
AGAIN = 2


class FoundError(AssertionError):
    """A round ended wrong."""


@dataclass(frozen=True)
class Fault:
    """A divergence with the smallest history that shows it. round: the one that showed it first."""

    tool: str
    round: int
    history: History
    outcome: Outcome
    divergence: Divergence

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(block.kind for block in self.history.blocks)

    def text(self) -> str:
        return "\n".join(
            (
                f"=== {self.tool}: {self.divergence.signature} (round {self.round}; {self.history.kinds})",
                *self.history.lines(),
                f"--- the tool was asked: {self.outcome.asked}",
                *(f"--- the server refused: {error}" for error in self.outcome.errors),
                "--- what is wrong",
                *self.divergence.lines[:40],
            )
        )


@dataclass
class Search:
    """A run of the generator on the servers of one version."""

    fleet: Fleet
    chosen: Sequence[str]
    say: Callable[[str], None] = print
    kinds: Sequence[str] = ()
    smaller: int = SMALLER
    rounds: int = 0
    statements: int = 0
    faults: list[Fault] = field(default_factory=list)
    # By tool: kinds that broke it alone, and would again in most rounds to come.
    left_out: dict[str, set[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    _cache: dict[str, tuple[Outcome, Divergence | None]] = field(default_factory=dict)

    def run(self, rounds: int, seed: int) -> list[Fault]:
        """Play so many rounds; return the faults. Rounds that only make a history smaller do not count."""
        while self.rounds < rounds:
            begun = self.rounds
            self._until_fault(rounds - begun, seed)
            seed += 1
            if self.rounds == begun:
                break
        return self.faults

    def _until_fault(self, rounds: int, seed: int) -> None:
        hunt = _Hunt(self)
        drawn = st.sampled_from(list(self.chosen)).flatmap(
            lambda name: st.tuples(st.just(name), self._histories(name))
        )

        @hypothesis.seed(seed)
        @settings(
            max_examples=rounds,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @hypothesis.given(drawn)
        def each(case: tuple[str, History]) -> None:
            hunt.play(*case)

        try:
            each()
        except (FoundError, HypothesisException, ExceptionGroup):
            if hunt.found is None:
                raise
        if hunt.found is not None:
            smallest = self._smallest(hunt.found)
            self._note(smallest)
            self.say(smallest.text())

    def _smallest(self, fault: Fault) -> Fault:
        """Return a fault with the smallest history that ends in the same way."""

        def wrong(history: History) -> bool:
            _how, found = self.outcome(fault.tool, history)
            return found is not None and found.signature == fault.divergence.signature

        history = smaller(fault.history, wrong, self.smaller)
        outcome, divergence = self.outcome(fault.tool, history)
        assert divergence is not None
        return replace(fault, history=history, outcome=outcome, divergence=divergence)

    def _note(self, fault: Fault) -> None:
        self.faults.append(fault)
        alone = [one.kinds for one in self.faults if one.tool == fault.tool and len(one.kinds) == 1]
        for kinds in alone:
            if alone.count(kinds) >= AGAIN:
                self.left_out.setdefault(fault.tool, set()).update(kinds)

    def _histories(self, tool: str) -> st.SearchStrategy[History]:
        version = self.fleet.version
        if tool == "load-text":
            return files(version)
        left_out = set(self.left_out.get(tool, set()))
        for name, unfair in UNFAIR.items():
            left_out |= unfair if tool.startswith(name) else set()
        kinds = [kind for kind in self.kinds or KINDS if kind not in left_out]
        return histories(version, kinds, deed=needs_deed(tool))

    def was_played(self, tool: str, history: History) -> bool:
        return f"{tool} {history!r}" in self._cache

    def outcome(self, tool: str, history: History) -> tuple[Outcome, Divergence | None]:
        """Play a round and judge it, once."""
        key = f"{tool} {history!r}"
        if key not in self._cache:
            try:
                outcome = tools(self.fleet.version)[tool](self.fleet, history, _picker(key))
                found = None if outcome.skipped else judge(tool, history, outcome)
            except (
                pymysql.err.MySQLError,
                MysqlError,
                OracleError,
                RuntimeError,
                OSError,
            ) as error:
                # The tests' own fault, or a server that is gone: no round after it shall feel it.
                self.fleet.remove()
                outcome = Outcome(tool)
                said = traceback.format_exc()[-3000:]
                found = Divergence(f"the round itself failed: {type(error).__name__}", (said,))
            self._cache[key] = outcome, found
        return self._cache[key]

    def is_known(self, tool: str, history: History, divergence: Divergence) -> bool:
        kinds = {block.kind for block in history.blocks}
        return any(
            fault.tool == tool
            and fault.divergence.signature == divergence.signature
            # What a changed replica is told by is no matter of the history.
            and (fault.kinds <= kinds or tool == "checksum")
            for fault in self.faults
        )


class _Hunt:
    """One run of Hypothesis: up to the first fault that is not known."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.found: Fault | None = None

    def play(self, tool: str, history: History) -> None:
        if self.found is not None:
            # Hypothesis asks once more whether it fails.
            raise FoundError(self.found.divergence.signature)
        search = self.search
        begun = time.monotonic()
        new = not search.was_played(tool, history)
        outcome, divergence = search.outcome(tool, history)
        if new:
            search.rounds += 1
            self._count(tool, outcome, divergence, time.monotonic() - begun)
        if divergence is None or search.is_known(tool, history, divergence):
            return
        self.found = Fault(tool, search.rounds, history, outcome, divergence)
        raise FoundError(divergence.signature)

    def _count(
        self, tool: str, outcome: Outcome, divergence: Divergence | None, seconds: float
    ) -> None:
        search = self.search
        if divergence is not None:
            how = divergence.signature
        elif outcome.skipped:
            how = f"not compared: {outcome.skipped[:60]}"
        else:
            code = (codes(outcome.answer) or [""])[0]
            how = f"refused as it should be {code}" if outcome.refused else "equal"
        search.counts[f"{tool}: {how}"] += 1
        search.say(f"round {search.rounds} {tool} {seconds:.1f} s: {how}")


def needs_deed(tool: str) -> bool:
    return tool == "rows" or tool.endswith("before")


def _picker(key: str) -> Callable[..., Any]:
    """Chooses by the history, so that the same one is played in the same way."""
    return lambda *choices: choices[zlib.crc32(key.encode()) % len(choices)]
