# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A history as data: what is done to a server, in which session, and where the tools come in.

A history is made of blocks, each the life of one thing. Each block is cut into what happens before the base
is taken, between the base and the target, and after the target. The three parts of all blocks stand one
after the other, so that any block can have its DDL, its XA transaction or its open session across either
place. Hypothesis draws blocks and cuts, and takes both apart to find what is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

MAIN = "main"
# A piece of a file of SQL, as it stands.
FILE = "file"
END = "-- the session ends"
RESTART = "-- the server is restarted"
BASE = "-- here: the base"
TARGET = "-- here: the target"


def q(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Step:
    """One statement in one session; the session is made with this character set when it is new."""

    sql: str
    session: str = MAIN
    charset: str = "utf8mb4"


@dataclass(frozen=True)
class Deed:
    """What can be done to a table by mistake, and how a tool is asked for it.

    before: done as well, and before it, so that the deed has rows to hit.
    """

    schema: str
    table: str
    statement: str

    @property
    def sql(self) -> str:
        words = {"DROP": "DROP TABLE", "TRUNCATE": "TRUNCATE TABLE", "DELETE": "DELETE FROM"}
        return f"{words[self.statement]} {q(self.schema)}.{q(self.table)}"


@dataclass(frozen=True)
class Block:
    """The life of one thing.

    kind: its name in the vocabulary. traits: what a tool may refuse it for, see refusals.py. names: what
    it is called, by which a result names it. table: one that a mistake can hit. cuts: how many steps come
    before the base, and before the target.
    """

    kind: str
    steps: tuple[Step, ...]
    schemas: tuple[str, ...]
    names: tuple[str, ...] = ()
    traits: frozenset[str] = frozenset()
    table: tuple[str, str] | None = None
    cuts: tuple[int, int] = (0, 0)

    def parts(self) -> tuple[tuple[Step, ...], ...]:
        first, second = self.cuts
        return self.steps[:first], self.steps[first:second], self.steps[second:]

    def all_traits(self) -> frozenset[str]:
        """The block's traits, and xa_at_base if a transaction is prepared where the base is taken."""
        prepared = False
        for step in self.parts()[0]:
            if step.sql.startswith("XA PREPARE"):
                prepared = True
            elif step.sql.startswith(("XA COMMIT", "XA ROLLBACK")) and "ONE PHASE" not in step.sql:
                prepared = False
        return self.traits | ({"xa_at_base"} if prepared else frozenset())

    def until_target(self) -> Block:
        """The same without what came after the target."""
        return replace(self, steps=self.steps[: self.cuts[1]])


@dataclass(frozen=True)
class History:
    """All that happens in one round. deed: the first thing after the target, a mistake."""

    blocks: tuple[Block, ...]
    deed: Deed | None = None
    lower_case: int = 0

    def parts(self) -> tuple[tuple[Step, ...], ...]:
        """Before the base, until the target, and after it."""
        cut = [block.parts() for block in self.blocks]
        first, second, third = (
            tuple(step for parts in cut for step in parts[number]) for number in range(3)
        )
        schemas = tuple(dict.fromkeys(name for block in self.blocks for name in block.schemas))
        made = tuple(Step(f"CREATE DATABASE {q(name)}") for name in schemas)
        mistake = (Step(self.deed.sql),) if self.deed else ()
        return made + first, second, mistake + third

    @property
    def traits(self) -> frozenset[str]:
        """What tools may have trouble with."""
        found = {trait for block in self.blocks for trait in block.all_traits()}
        names = (name for block in self.blocks for name in (*block.names, *(block.table or ())))
        if any(len(name.encode()) > 64 for name in names):
            found.add("long_name")
        steps = (step.sql for block in self.blocks for step in block.steps)
        if any("binlog_format = 'ROW'" not in sql and "binlog_format" in sql for sql in steps):
            found.add("as_text")
        return frozenset(found)

    @property
    def schemas(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.schemas))

    @property
    def kinds(self) -> str:
        return ", ".join(sorted({block.kind for block in self.blocks}))

    def file(self) -> str:
        """The text of a file that the blocks are pieces of."""
        return "\n".join(step.sql for block in self.blocks for step in block.steps)

    def lines(self) -> Iterator[str]:
        """The history as SQL that a person can run."""
        if any(step.session == FILE for block in self.blocks for step in block.steps):
            yield self.file()
            return
        before, between, after = self.parts()
        session = (MAIN, "utf8mb4")
        for place, steps in (("", before), (BASE, between), (TARGET, after)):
            if place:
                yield place
            for step in steps:
                if (step.session, step.charset) != session:
                    session = (step.session, step.charset)
                    yield f"-- session {step.session}, character set {step.charset}"
                yield step.sql if step.sql.startswith("--") else step.sql + ";"
