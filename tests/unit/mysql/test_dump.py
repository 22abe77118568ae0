"""Which files a dump is made of, its fingerprint, and what is refused of it before anything is touched."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
import zstandard
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import (
    dump,
    dump_judge,
    dump_statements,
    dump_survey,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_error import LoadError

VERSION = (9, 7, 0)


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def survey(*paths: str, database: str = "shop") -> dump.Dump:
    judge = dump_judge.Judge(database, VERSION)
    return dump_survey.Survey(judge).read(dump.listed(paths))


def refused(*paths: str | Path) -> LoadError:
    with pytest.raises(LoadError) as caught:
        survey(*map(str, paths))
    return caught.value


def names(found: dump.Dump) -> list[str]:
    return [Path(file.path).name for file in found.files]


def test_sourced_files_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    main = write(
        tmp_path / "main.sql", "source sub/a.sql ;\nSELECT 1;\n  \\. b.sql\nSELECT 'a\nsource x';"
    )
    write(tmp_path / "sub" / "a.sql", "Source deeper.sql;")
    write(tmp_path / "sub" / "deeper.sql", "CREATE TABLE t (id INT);")
    write(tmp_path / "b.sql", "SELECT 2;")
    found = survey(main)
    assert names(found) == ["main.sql", "a.sql", "deeper.sql", "b.sql"]
    assert found.size == sum(Path(file.path).stat().st_size for file in found.files)


def test_a_source_line_is_found_across_the_blocks_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump_statements, "BLOCK", 16)
    main = write(
        tmp_path / "main.sql",
        "SELECT 1;\nCREATE VIEW v AS SELECT 2;\nsource the_other_file.sql;\nSELECT 3;",
    )
    write(tmp_path / "the_other_file.sql", "SELECT 4;")
    assert names(survey(main)) == ["main.sql", "the_other_file.sql"]


def test_the_fingerprint_tells_contents_order_and_target_apart(tmp_path: Path) -> None:
    def of(folder: str, first: str, second: str, database: str = "shop") -> str:
        main = write(
            tmp_path / folder / "main.sql", "CREATE TABLE t (id INT);\nsource a;\nsource b;\n"
        )
        write(tmp_path / folder / "a", first)
        write(tmp_path / folder / "b", second)
        return survey(main, database=database).fingerprint

    same = of("one", "SELECT 1;", "SELECT 2;")
    assert of("moved", "SELECT 1;", "SELECT 2;") == same
    others = {
        of("two", "SELECT 2;", "SELECT 1;"),
        of("three", "SELECT 1;", "SELECT 3;"),
        of("four", "SELECT 1;SELECT 2;", ""),
        of("five", "SELECT 1;", "SELECT 2;", "other"),
    }
    assert len(others - {same}) == 4


PACKERS = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.ZstdCompressor().compress,
}
TABLE = "CREATE TABLE t (id INT);\n"


@pytest.mark.parametrize("packer", PACKERS)
def test_a_packed_file_is_read_as_what_it_holds(tmp_path: Path, packer: str) -> None:
    text = TABLE * 50_000
    plain = write(tmp_path / "a.sql", text)
    packed = tmp_path / f"b.sql.{packer}"
    # Two streams one after the other are one file, as gzip and zstd themselves read them.
    pack = PACKERS[packer]
    packed.write_bytes(
        pack(text[: len(text) // 2].encode()) + pack(text[len(text) // 2 :].encode())
    )
    assert survey(str(packed)).fingerprint == survey(plain).fingerprint
    assert survey(str(packed)).size == len(text)
    packed.write_bytes(pack(text.encode())[:-9])
    cut = refused(packed)
    assert cut.code == "load.file_unreadable"
    assert packed.name in cut.subject
    packed.write_bytes(pack(text.encode())[:20] + b"rubbish" * 20)
    assert refused(packed).code == "load.file_unreadable"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xff\xfe" + TABLE.encode("utf-16-le"), "UTF-16"),
        (TABLE.encode("utf-16-be"), "UTF-16"),
        (TABLE.encode("utf-16-le"), "UTF-16"),
        (b"PK\x03\x04" + b"x" * 100, "zip"),
        (b"\xfebin" + b"x" * 100, "binary log"),
        (gzip.compress(b"x" * 257 + b"ustar" + b"x" * 250, mtime=0), "tar"),
        (b"<!DOCTYPE html><p>404", "HTML"),
        (b"PGDMP\x01", "PostgreSQL"),
        (b"mysqldump: [Warning] Using a password on the command line\n", "mysqldump: [Warning]"),
    ],
)
def test_what_is_no_sql_is_named_for_what_it_is(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "dump.sql"
    path.write_bytes(data)
    cause = refused(path)
    assert cause.code == "load.not_sql"
    assert what in cause.facts["what"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n\t\n",
        "-- a comment\n/* and another */\n",
        "SET NAMES utf8mb4;\nUSE shop;\nSELECT 1;\n",
        "\ufeff",
        "CREATE DATABASE shop; USE shop; DROP TABLE IF EXISTS t;",
        "/*!99999 CREATE TABLE t (id INT) */;",
    ],
)
def test_a_dump_that_brings_nothing_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(write(tmp_path / "dump.sql", text)).code == "load.empty_dump"


HEADER = "-- MySQL dump 10.13  Distrib 9.7.0\n--\n-- Host: localhost    Database: shop\n"
FOOTER = "-- Dump completed on 2026-11-30 23:00:00\n"


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_dump_that_mysqldump_did_not_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(dump_statements, "BLOCK", step)
    whole = write(tmp_path / "whole.sql", HEADER + TABLE + FOOTER)
    assert survey(whole).made_of == ("shop",)
    cut = refused(write(tmp_path / "cut.sql", HEADER + TABLE))
    assert cut.code == "load.truncated"
    assert cut.subject == "cut.sql"
    write(tmp_path / "parts" / "1.sql", HEADER + TABLE)
    write(tmp_path / "parts" / "2.sql", TABLE + FOOTER)
    assert names(survey(str(tmp_path / "parts"))) == ["1.sql", "2.sql"]


def test_files_are_read_in_the_order_given_and_those_of_a_folder_by_name(tmp_path: Path) -> None:
    for name in ("b.sql", "a.sql", "notes.md"):
        write(tmp_path / "folder" / name, TABLE)
    packed = tmp_path / "folder" / "c.sql.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    last = write(tmp_path / "0.sql", TABLE)
    found = survey(str(tmp_path / "folder"), last)
    assert names(found) == ["a.sql", "b.sql", "c.sql.gz", "0.sql"]
    assert survey(last, str(tmp_path / "folder")).fingerprint != survey(last).fingerprint


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first = write(tmp_path / "1" / "dump.sql", TABLE)
    second = write(tmp_path / "2" / "dump.sql", TABLE + "DROP TABLE other.t;")
    assert refused(first, second).subject == f"{second}:2"


def test_lists_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "one.sql", TABLE)
    (tmp_path / "link.sql").symlink_to(one)
    (tmp_path / "none").mkdir()
    write(tmp_path / "tab" / "t.sql", TABLE)
    write(tmp_path / "tab" / "t.txt", "1\n")
    write(tmp_path / "shell" / "@.json", "{}")
    main = write(tmp_path / "main.sql", TABLE + "source one.sql\n")
    assert refused(one, one).code == "load.file_twice"
    assert refused(one, tmp_path / "link.sql").code == "load.file_twice"
    assert refused(main, one).code == "load.file_twice"
    assert refused(one, main).code == "load.file_twice"
    assert refused(tmp_path / "none").code == "load.no_files"
    assert refused().code == "load.no_files"
    assert refused(tmp_path / "tab").code == "load.rows_apart"
    assert refused(tmp_path / "shell").code == "load.not_sql"
    assert refused(one, tmp_path / "gone.sql").code == "load.file_unreadable"
    empty = refused(one, write(tmp_path / "empty.sql", ""))
    assert (empty.code, empty.subject) == ("load.empty_dump", "empty.sql")
    drops = refused(one, write(tmp_path / "drops.sql", f"DROP DATABASE shop;\n{TABLE}"))
    assert (drops.code, drops.subject) == ("load.drops_loaded", "drops.sql:1")


def test_sourced_files_that_cannot_be_are_refused(tmp_path: Path) -> None:
    missing = write(tmp_path / "main.sql", TABLE + "source gone.sql;\n")
    assert (refused(missing).code, refused(missing).subject) == ("load.file_missing", "main.sql:2")
    assert refused(write(tmp_path / "loop.sql", "source loop.sql;")).code == "load.source_loop"


@pytest.mark.parametrize(
    "text",
    [
        b"SET sql_mode = 'NO_BACKSLASH_ESCAPES'; INSERT INTO t VALUES ('a\\'); DROP TABLE o.t;",
        b"SET @old = @@sql_mode, SQL_MODE = 'ANSI,NO_BACKSLASH_ESCAPES'; SELECT '\\';"
        b"/*!40101 SET SQL_MODE=@OLD */; SELECT '\\''; DROP TABLE o.t;",
        b"SET NAMES sjis; INSERT INTO t VALUES ('\x83\x5c'); DROP TABLE o.t;",
        b"/*!40101 SET @OLD_C=@@CHARACTER_SET_CLIENT */; SET character_set_client = gbk; SELECT '\x81\\';"
        b"/*!40101 SET CHARACTER_SET_CLIENT=@OLD_C */; SELECT '\x81\\''; DROP TABLE o.t;",
        b"SET NAMES big5; SELECT `\xa5\x5c`, '\xa5\x5c'; DROP TABLE o.t;",
    ],
)
def test_strings_are_read_as_the_session_will(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "dump.sql"
    path.write_bytes(TABLE.encode() + text)
    assert refused(path).code == "load.other_database"
