# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fixed handful of rounds of each tool; `python -m tests.differential` goes on from there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.play import Fleet
from tests.differential.search import Search
from tests.integration.servers import VERSIONS

pytestmark = pytest.mark.servers

# Seconds that a round of these takes: 1 to 4. Bases by the role's script take 10 and are left to --tool.
HANDFUL = {
    "load": 2,
    "load-text": 1,
    "seed-dump": 1,
    "recover-dump-latest": 1,
    "switchover": 1,
}
NEWER = {"recover-clone-time": 2, "rows": 1}
SEED = 1


@pytest.fixture(scope="module", params=VERSIONS)
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    made = Fleet(str(request.param))
    yield made
    made.remove()


def test_a_handful_of_rounds(fleet: Fleet) -> None:
    more = {} if fleet.version == "8.0.15" else NEWER
    said: list[str] = []
    for tool, rounds in (HANDFUL | more).items():
        search = Search(fleet, [tool], said.append, smaller=0)
        assert not search.run(rounds, SEED), "\n".join(said)
        assert search.rounds == rounds
