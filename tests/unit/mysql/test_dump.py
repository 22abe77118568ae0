"""Which files a dump is made of, and its fingerprint."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.finding import CollectionError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import dump


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def names(found: dump.Dump) -> list[str]:
    return [Path(file.path).name for file in found.files]


def test_sourced_files_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    main = write(
        tmp_path / "main.sql", "source sub/a.sql ;\nSELECT 1;\n  \\. b.sql\nSOURCE gone;\n"
    )
    write(tmp_path / "sub" / "a.sql", "Source deeper.sql;")
    write(tmp_path / "sub" / "deeper.sql", "SELECT 2;")
    write(tmp_path / "b.sql", "source main.sql;")
    found = dump.survey(main, "shop")
    assert names(found) == ["main.sql", "a.sql", "deeper.sql", "b.sql"]
    assert found.size == sum(Path(file.path).stat().st_size for file in found.files)


def test_a_source_line_is_found_across_the_blocks_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump, "BLOCK", 16)
    main = write(
        tmp_path / "main.sql", "SELECT 1;\nSELECT 2;\nsource the_other_file.sql;\nSELECT 3;"
    )
    write(tmp_path / "the_other_file.sql", "SELECT 4;")
    assert names(dump.survey(main, "shop")) == ["main.sql", "the_other_file.sql"]


def test_the_fingerprint_tells_contents_order_and_target_apart(tmp_path: Path) -> None:
    def of(folder: str, first: str, second: str, database: str = "shop") -> str:
        main = write(tmp_path / folder / "main.sql", "source a;\nsource b;\n")
        write(tmp_path / folder / "a", first)
        write(tmp_path / folder / "b", second)
        return dump.survey(main, database).fingerprint

    same = of("one", "SELECT 1;", "SELECT 2;")
    assert of("moved", "SELECT 1;", "SELECT 2;") == same
    others = {
        of("two", "SELECT 2;", "SELECT 1;"),
        of("three", "SELECT 1;", "SELECT 3;"),
        of("four", "SELECT 1;SELECT 2;", ""),
        of("five", "SELECT 1;", "SELECT 2;", "other"),
    }
    assert len(others - {same}) == 4


def test_gzip_is_read_as_what_it_holds(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.sql", "SELECT 1;")
    packed = tmp_path / "b.sql.gz"
    packed.write_bytes(gzip.compress(b"SELECT 1;"))
    assert dump.survey(str(packed), "x").fingerprint == dump.survey(plain, "x").fingerprint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"SELECT 1;" * 100)[:30])
    for path in (tmp_path / "none.sql", tmp_path, cut):
        with pytest.raises(CollectionError, match=path.name):
            dump.survey(str(path), "x")
