"""docs/causes.md says what the catalogue says, docs/faults.md what the tests break."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.catalogue import TEXTS

from tests.unit.tools import tool

CHECKOUT = Path(__file__).resolve().parents[3]


def test_the_page_is_in_step_with_the_catalogue() -> None:
    text = (CHECKOUT / "docs" / "causes.md").read_text(encoding="utf-8")
    assert text == tool("causes").page(), "docs/causes.md is out of date: make causes"
    assert all(f"### `{code}`" in text for code in TEXTS)


def test_the_page_of_faults_is_in_step_with_the_tests() -> None:
    text = (CHECKOUT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert text == tool("faults").page(), "docs/faults.md is out of date: make causes"
    assert all(f"`{code}`" in text for code in TEXTS)


def test_every_text_is_in_both_languages() -> None:
    for code, text in TEXTS.items():
        for words in (text.ko.summary, text.ko.fix):
            assert any("가" <= letter <= "힣" for letter in words), f"{code}: {words}"
