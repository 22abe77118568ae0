# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a history that ends wrong smaller: blocks alone first, then without each step, then plain names.

Hypothesis would shrink what it drew in hundreds of small steps; with rounds that take seconds, what is
known of a history (blocks do not need each other, a step that fails is passed over) gets there in a dozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.differential.history import Block, History, q
from tests.differential.vocabulary import ODD

Wrong = Callable[[History], bool]


def smaller(history: History, wrong: Wrong, rounds: int) -> History:
    """Return the smallest history found within so many rounds for which wrong holds."""
    budget = iter(range(rounds))

    def tried(candidate: History) -> bool:
        return next(budget, None) is not None and wrong(candidate)

    alone = next((one for one in _alone(history) if tried(one)), None)
    history = alone or _halved(history, tried)
    for number in range(len(history.blocks) - 1, -1, -1):
        history = _shorter(history, number, tried)
    plain = _plain(history)
    return plain if plain != history and tried(plain) else history


def _keep(history: History, blocks: tuple[Block, ...]) -> History:
    deed = history.deed
    if deed and not any(block.table == (deed.schema, deed.table) for block in blocks):
        deed = None
    return replace(history, blocks=blocks, deed=deed)


def _alone(history: History) -> Iterator[History]:
    if len(history.blocks) > 1:
        # What tools have trouble with first.
        for block in sorted(history.blocks, key=lambda one: not one.traits):
            yield _keep(history, (block,))


def _halved(history: History, tried: Wrong) -> History:
    size = len(history.blocks) // 2
    while size:
        for start in range(0, len(history.blocks), size):
            kept = history.blocks[:start] + history.blocks[start + size :]
            if kept and tried(_keep(history, kept)):
                history = _keep(history, kept)
                break
        else:
            size //= 2
    return history


def _shorter(history: History, number: int, tried: Wrong) -> History:
    for place in range(len(history.blocks[number].steps) - 1, -1, -1):
        block = history.blocks[number]
        first, second = (cut - (place < cut) for cut in block.cuts)
        steps = block.steps[:place] + block.steps[place + 1 :]
        fewer = replace(block, steps=steps, cuts=(first, second))
        blocks = (*history.blocks[:number], fewer, *history.blocks[number + 1 :])
        if tried(replace(history, blocks=blocks)):
            history = replace(history, blocks=blocks)
    return history


def _plain(history: History) -> History:
    """The same with plain names."""
    blocks, deed = history.blocks, history.deed
    for number, block in enumerate(blocks):
        name = block.table[1] if block.table else ""
        if not any(name == f"{odd}{number}" for odd in ODD[1:]):
            continue
        steps = tuple(
            replace(step, sql=step.sql.replace(q(name), f"`t{number}`")) for step in block.steps
        )
        schema = block.schemas[0]
        plain = replace(block, steps=steps, table=(schema, f"t{number}"), names=(f"t{number}",))
        blocks = (*blocks[:number], plain, *blocks[number + 1 :])
        if deed and deed.table == name:
            deed = replace(deed, table=f"t{number}")
    return replace(history, blocks=blocks, deed=deed)
