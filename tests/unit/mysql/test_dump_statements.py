"""How a stream of SQL is cut: as the mysql client would, whatever the stream's blocks are."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql import dump_statements
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.dump_statements import (
    Rows,
    Source,
    Splitter,
    Statement,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.load_error import DumpError


class Dripping(io.BytesIO):
    """A stream that hands out a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self.step = step

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.step)


def cut(text: str, *, step: int = 1 << 20, rows: Rows | None = None) -> list[Any]:
    stream = Dripping(text.encode(), step)
    return list(Splitter(stream, lambda *_name: rows))


def texts(text: str, **options: Any) -> list[str]:
    return [
        item.text.decode() if isinstance(item, Statement) else f"source {item.name}"
        for item in cut(text, **options)
    ]


EVERYTHING = """\
-- a comment; with 'quotes
# another; one
--\tand a third
/* a block; with ' and
 two lines */ SELECT 'a;b', "c;d", `e;f`;
select 'it''s \\'here\\'; -- no comment' as x; -- after; it
SELECT 5--1; SELECT 5 -- 1;
 + 1;
/*!50503 set default_storage_engine = InnoDB */;
INSERT INTO t VALUES (1,'a -- b'),(2,'/* c'),(3,'#');;
flush /*!50503 binary */ logs;
source  other file.dump ;
  \\. sub/third.sql
USE shop
DELIMITER //
CREATE FUNCTION f() RETURNS INT BEGIN RETURN 1; /* // */ -- //
END //
delimiter ;
select 1\\G
SELECT /*+ NO_MERGE(t); */ 2;
SELECT 'last'
"""

EXPECTED = [
    "SELECT 'a;b', \"c;d\", `e;f`",
    "select 'it''s \\'here\\'; -- no comment' as x",
    "SELECT 5--1",
    "SELECT 5 -- 1;\n + 1",
    "/*!50503 set default_storage_engine = InnoDB */",
    "INSERT INTO t VALUES (1,'a -- b'),(2,'/* c'),(3,'#')",
    "flush /*!50503 binary */ logs",
    "source other file.dump",
    "source sub/third.sql",
    "USE shop",
    "CREATE FUNCTION f() RETURNS INT BEGIN RETURN 1; /* // */ -- //\nEND",
    "select 1",
    "SELECT /*+ NO_MERGE(t); */ 2",
    "SELECT 'last'",
]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 64, 1 << 20])
def test_statements_are_the_same_however_the_stream_is_read(step: int) -> None:
    assert texts(EVERYTHING, step=step) == EXPECTED


def test_lines_are_those_where_statements_begin() -> None:
    lines = [item.line for item in cut(EVERYTHING)]
    text = EVERYTHING.splitlines()
    for line, statement in zip(lines, EXPECTED, strict=True):
        first = statement.splitlines()[0].removeprefix("source ")
        assert first in text[line - 1], (line, statement)


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_it() -> None:
    text = "\ufeffUSE shop\r\nsource a.dump;\r\nSELECT 1;\r\n"
    assert texts(text) == ["USE shop", "source a.dump", "SELECT 1"]


def test_without_backslash_escapes_a_backslash_ends_no_string() -> None:
    splitter = Splitter(io.BytesIO(b"SELECT 'a\\'; SELECT 'b';"))
    splitter.heed(False)
    assert [item.text for item in splitter] == [b"SELECT 'a\\'", b"SELECT 'b'"]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("SELECT 1;\nSELECT 'never\n closed;", "load.unterminated", 2),
        ("SELECT 1;\n\n/* never closed", "load.unterminated", 3),
        ("SELECT 1;\nSELECT 2 /* never closed", "load.unterminated", 2),
        ("SELECT 1;\n\\! rm -rf /tmp/x\n", "load.client_command", 2),
        ("system ls\n", "load.client_command", 1),
        ("SELECT 1;\nexit\n", "load.client_command", 2),
        ("SELECT 1;\n\\q\n", "load.client_command", 2),
        ("tee /tmp/x\n", "load.client_command", 1),
        ("DELIMITER \nSELECT 1;", "load.client_command", 1),
    ],
)
def test_what_cannot_be_run_is_named_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(DumpError) as caught:
        cut(text)
    assert (caught.value.code, caught.value.line) == (code, line)


def test_the_memory_is_that_of_one_statement() -> None:
    one = b"SELECT '" + b"x" * 1000 + b"';\n"

    class Endless(io.RawIOBase):
        held = 0

        def read(self, size: int = -1) -> bytes:
            return one * 1000

    splitter = Splitter(Endless())  # type: ignore[arg-type]
    for _statement in zip(range(20_000), splitter, strict=False):
        assert len(splitter._text) < 3 * 1000 * len(one)


ROWS = Rows([True, False])


@pytest.mark.parametrize("step", [1, 5, 33, 1 << 20])
@pytest.mark.parametrize(
    "values",
    [
        "(1,'a')",
        "(1,'a'),(2,NULL)",
        "(-1.5,'it''s'),\n(2,'),(\\'\\\\'),\n\n(3e5,'new\nline')",
        "(1,'x;y'),\t(2,'--')",
    ],
)
def test_rows_of_literals_are_recognized(values: str, step: int) -> None:
    (item,) = cut(f"INSERT INTO `a``b`.`t;x` (`id`, name) VALUES {values} ;", step=step, rows=ROWS)
    insert = item.insert
    assert (insert.schema, insert.table, insert.columns) == ("a`b", "t;x", b"(`id`, name)")
    assert item.text.decode().endswith(values)
    assert item.text[insert.cuts[0] : insert.cuts[-1]].decode() == values
    assert all(item.text[cut:].lstrip().startswith(b"(") for cut in insert.cuts[:-1])


@pytest.mark.parametrize(
    "values",
    [
        "(1,NOW())",
        "(1,0x41)",
        "(1,_binary 'a')",
        "(1,'a'),(2,DEFAULT)",
        "( 1,'a')",
        "(1, 'a')",
        "(1,'a') ,(2,'b')",
        "(1,null)",
        "(1,'\\N')",
        "(1,'50\\%')",
        "(1,007)",
        "(1,'a','b')",
        "(1,'a') ON DUPLICATE KEY UPDATE id=2",
        '(1,"a")',
    ],
)
@pytest.mark.parametrize("step", [3, 1 << 20])
def test_rows_that_load_data_would_read_differently_stay_a_statement(
    values: str, step: int
) -> None:
    text = f"INSERT INTO t VALUES {values}"
    (item,) = cut(text + ";", step=step, rows=ROWS)
    assert item.insert is None
    assert item.text.decode() == text


@pytest.mark.parametrize("verb", ["REPLACE INTO", "INSERT IGNORE INTO", "INSERT INTO t2 SELECT"])
def test_other_inserts_stay_statements(verb: str) -> None:
    (item,) = cut(f"{verb} t VALUES (1,'a');", rows=ROWS)
    assert item.insert is None


def test_a_large_insert_is_cut_at_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump_statements, "BLOCK", 4096)
    values = ",\n".join(f"({number},'name {number}')" for number in range(20_000))
    for step in (4096, 4099, 5000):
        (item,) = cut(f"INSERT INTO t VALUES {values};\n", step=step, rows=ROWS)
        assert item.insert is not None, step
        assert len(item.insert.cuts) > 50
        assert all(item.text[at:].lstrip().startswith(b"(") for at in item.insert.cuts[:-1])


def test_source_lines_inside_of_strings_are_text() -> None:
    items = cut("SELECT 'x\nsource y.dump\n';\nsource z.dump;")
    assert [type(item) for item in items] == [Statement, Source]
    assert items[1].name == "z.dump"


def test_go_ends_a_statement_even_an_empty_one() -> None:
    assert texts("SELECT 1\\g\\g\n\\G SELECT 2\\G") == ["SELECT 1", "SELECT 2"]


def test_the_short_commands_are_the_long_ones() -> None:
    text = "\\u shop\n\\d //\nSELECT 1; SELECT 2//\n\\. other.sql\n"
    assert texts(text) == ["USE shop", "SELECT 1; SELECT 2", "source other.sql"]
    assert [getattr(item, "compound", None) for item in cut(text)] == [False, True, None]


@pytest.mark.parametrize("step", [1, 2, 3, 1 << 20])
def test_a_word_of_the_client_inside_of_a_comment_is_a_comment(step: int) -> None:
    text = "/* \nDELIMITER $$\n*/ SELECT 1; SELECT /* ;\nDELIMITER $$\n */ 2;\n-- DELIMITER ;;\nSELECT 3;"
    assert texts(text, step=step) == ["SELECT 1", "SELECT /* ;\nDELIMITER $$\n */ 2", "SELECT 3"]


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
@pytest.mark.parametrize("delimiter", ["//", "--", "$$", ";;", "go", "|"])
def test_any_delimiter_ends_a_statement_and_nothing_else_does(delimiter: str, step: int) -> None:
    text = f"DELIMITER {delimiter}\nSELECT 4/2, 'x{delimiter}y' {delimiter}\nSELECT 2{delimiter}\n"
    assert texts(text, step=step) == [f"SELECT 4/2, 'x{delimiter}y'", "SELECT 2"]


@pytest.mark.parametrize("step", [1, 2, 5, 1 << 20])
def test_a_second_byte_that_looks_like_a_backslash_escapes_nothing(step: int) -> None:
    data = b"SELECT '\x83\x5c', `\x83\x60`; SELECT '\xb1', 2;"
    splitter = Splitter(Dripping(data, step))
    splitter.heed(True, "sjis")
    assert [item.text for item in splitter] == [
        b"SELECT '\x83\x5c', `\x83\x60`",
        b"SELECT '\xb1', 2",
    ]


@pytest.mark.parametrize("step", [29, 31, 64, 100, 997])
def test_long_statements_end_where_they_do_wherever_the_stream_is_cut(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(dump_statements, "BLOCK", step)
    values = ",\n".join(f"({number},'it''s; {number}',\"a\\\";b\",-1)" for number in range(200))
    one = f"INSERT INTO t VALUES {values}"
    assert texts(f"{one};\n{one};\n{one};", step=step) == [one] * 3
