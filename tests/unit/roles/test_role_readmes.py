"""Each role's README says what its argument specs say, and the artifact carries what users need."""

from __future__ import annotations

import pytest

from tests.unit.tools import tool

READMES = tool("role_readmes")


@pytest.mark.parametrize("role", READMES.roles(), ids=lambda role: role.name)
def test_the_readme_is_in_step_with_the_argument_specs(role) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert text == READMES.readme(role), f"{role.name}: README.md is out of date: make role-readmes"


@pytest.mark.parametrize("role", READMES.roles(), ids=lambda role: role.name)
def test_the_readme_shows_an_example(role) -> None:
    above = (role / "README.md").read_text(encoding="utf-8").partition(READMES.MARKER)[0]
    assert above.startswith(f"# {role.name}\n")
    assert "```" in above
