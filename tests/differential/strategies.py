# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Histories as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.differential.files import FILE_KINDS
from tests.differential.history import Block, Deed, History
from tests.differential.vocabulary import KINDS, Draw, Place

MOST = 10


@st.composite
def histories(
    draw: Draw, version: str, kinds: Sequence[str] = (), *, deed: bool = False
) -> History:
    """A history of some blocks of these kinds, all of them without; deed: whether a mistake is made."""
    chosen = draw(st.lists(st.sampled_from(list(kinds) or list(KINDS)), min_size=1, max_size=MOST))
    blocks = tuple(
        _cut(draw, KINDS[kind](Place(draw, n, version))) for n, kind in enumerate(chosen)
    )
    mistakes = [n for n, block in enumerate(blocks) if block.table]
    if not deed or not mistakes:
        return History(blocks)
    hit = draw(st.sampled_from(mistakes))
    schema, table = blocks[hit].table or ("", "")
    statement = draw(st.sampled_from(["DELETE", "DROP", "TRUNCATE"]))
    # What came later in the life of the table would be on top of the mistake.
    kept = tuple(block.until_target() if n == hit else block for n, block in enumerate(blocks))
    return History(kept, Deed(schema, table, statement))


def _cut(draw: Draw, block: Block) -> Block:
    """Draw what of a block comes before the base, and what before the target."""
    whole = len(block.steps)
    target = whole - draw(st.integers(0, whole))
    base = draw(st.integers(0, target))
    return replace(block, cuts=(base, target))


@st.composite
def files(draw: Draw, version: str) -> History:
    """A file of SQL: pieces that each make a table of their own."""
    chosen = draw(st.lists(st.sampled_from(list(FILE_KINDS)), min_size=1, max_size=MOST))
    return History(
        tuple(FILE_KINDS[kind](Place(draw, n, version)) for n, kind in enumerate(chosen))
    )
