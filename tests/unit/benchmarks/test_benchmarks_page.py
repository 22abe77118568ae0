# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A benchmark replaces its own section of docs/benchmarks.md and leaves the others alone."""

from __future__ import annotations

from tests.benchmarks.page import with_section

PAGE = "# Benchmarks\n\nhead\n\n## One\n\nold\n\n## Two\n\nkept\n"


def test_a_section_takes_the_place_of_its_namesake() -> None:
    assert with_section(PAGE, "One", "new\n") == PAGE.replace("old", "new")
    assert with_section(PAGE, "Two", "new") == PAGE.replace("kept", "new")


def test_a_new_section_comes_last() -> None:
    assert with_section(PAGE, "Three", "new") == f"{PAGE}\n## Three\n\nnew\n"
    assert with_section(with_section(PAGE, "Three", "a"), "Three", "b").endswith("## Three\n\nb\n")
