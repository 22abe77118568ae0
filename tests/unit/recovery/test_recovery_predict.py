# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many rows each table must have, and of which that is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.archive import Base
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.definitions import (
    Xid,
    read_deeds,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.events import Gtid
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.names import TableName
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.query import Query
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.binlog.transactions import (
    Effect,
    Transaction,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.causes.binlog import BinlogError
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.checksum import Sum
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.mysql.gtid import GtidSet
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.predict import (
    Facts,
    Journal,
    Prediction,
    predict,
)
from ansible_collections.mysql_on.kubernetes.plugins.module_utils.recovery.verify import (
    Expected,
    Reading,
    compare,
)

NOW = datetime(2026, 11, 30, tzinfo=UTC)
X1 = bytes.fromhex("000100000002000000000000007831")
XA_COMMIT, XA_ROLLBACK = "XA COMMIT X'7831',X'',1", "XA ROLLBACK X'7831',X'',1"


def name(text: str) -> TableName:
    return TableName(*text.split("."))


def base(*tables: tuple[str, int], checksums: tuple[tuple[str, str], ...] = ()) -> Base:
    return Base(
        *("b", "clone", "9.7.4", "uuid", GtidSet(), NOW, NOW, 1, "data"),
        tables=tables,
        checksums=checksums,
    )


def did(*statements: str | Query, **options: Any) -> Transaction:
    """A transaction of statements as text, and of rows by table: more or fewer than before."""
    rows: dict[str, int] = options.pop("rows", {})
    transaction = Transaction(Gtid("uuid", "", 1, 0, 0, 100), "f", 4, 104, **options)
    for each in statements:
        query = Query("shop", each) if isinstance(each, str) else each
        transaction.deeds += read_deeds(query)
    for table, more in rows.items():
        transaction.announced.add(name(table))
        kind = "DELETE" if more < 0 else "INSERT"
        transaction.effects[name(table)] = Effect(rows={kind: abs(more)})
    return transaction


def foretold(*transactions: Transaction, of: Base | None = None, **facts: Any) -> Prediction:
    journal = Journal()
    for transaction in transactions:
        journal.take(transaction)
    tables = frozenset(name(table) for table in facts.pop("tables", ("shop.t", "shop.u")))
    return predict(of or base(("shop.t", 3), ("shop.u", 1)), journal, Facts(tables, **facts))


def rows(prediction: Prediction) -> dict[str, int]:
    return {table.text: count for table, count in prediction.rows.items()}


def unknown(prediction: Prediction) -> set[str]:
    return {table.text for table in prediction.unknown}


def written(text: str, *schemas: str, listed: bool = True) -> Query:
    return Query("shop", text, schemas or None, listed)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["TRUNCATE t"], {"shop.t": 0, "shop.u": 1}),
        (["DROP TABLE `t`"], {"shop.u": 1}),
        (["DROP DATABASE shop"], {}),
        (["RENAME TABLE t TO x, u TO t, x TO u"], {"shop.t": 1, "shop.u": 3}),
        (["ALTER TABLE t ADD c INT, RENAME TO crm.t"], {"crm.t": 3, "shop.u": 1}),
        (["ALTER TABLE t RENAME COLUMN a TO b"], {"shop.t": 3, "shop.u": 1}),
        (["ALTER TABLE t RENAME INDEX a TO b, RENAME AS v"], {"shop.v": 3, "shop.u": 1}),
        (["CREATE TABLE n LIKE t"], {"shop.t": 3, "shop.u": 1, "shop.n": 0}),
        (["CREATE TABLE IF NOT EXISTS t (a INT)"], {"shop.t": 3, "shop.u": 1}),
        (["CREATE TEMPORARY TABLE t (a INT)", "DROP TEMPORARY TABLE `t`"], {"shop.t": 3, "shop.u": 1}),
        (["CREATE USER a", "GRANT ALL ON *.* TO a", "DROP USER a"], {"shop.t": 3, "shop.u": 1}),
        (["ANALYZE TABLE t", "OPTIMIZE TABLE t", "FLUSH TABLES"], {"shop.t": 3, "shop.u": 1}),
        (["CREATE DEFINER=`a`@`b` PROCEDURE p() SELECT 1"], {"shop.t": 3, "shop.u": 1}),
        (["ALTER TABLE t REORGANIZE PARTITION p INTO (PARTITION q VALUES IN (1))"],
         {"shop.t": 3, "shop.u": 1}),
    ],
)  # fmt: skip
def test_what_statements_do_to_whole_tables_is_followed(
    statements: list[str], expected: dict[str, int]
) -> None:
    found = foretold(*(did(statement) for statement in statements))
    assert rows(found) == expected
    assert not unknown(found)


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", {"shop.t", "shop.u"}),
        ("ALTER TABLE t DROP PARTITION p", {"shop.t"}),
        ("ALTER TABLE t TRUNCATE PARTITION ALL", {"shop.t"}),
        ("ALTER TABLE t DISCARD TABLESPACE", {"shop.t"}),
        ("ALTER TABLE t ENGINE = InnoDB", {"shop.t"}),
        ("ALTER TABLE t DROP FOREIGN KEY f", {"shop.t"}),
        ("REPAIR TABLE u", {"shop.u"}),
        ("SOMETHING NEW t", {"shop.t", "shop.u"}),
        (Query("shop", "TRUNCATE t", error=1046), {"shop.t"}),
        (Query("shop", "TRUNCATE t", exact=False), {"shop.t"}),
        (written("INSERT INTO t SELECT 1", "shop"), {"shop.t"}),
        (written("DELETE a FROM crm.x AS a, T", "shop"), {"shop.t"}),
        (written("LOAD DATA INFILE 'u' INTO TABLE t", "shop"), {"shop.t"}),
        (written("CREATE TEMPORARY TABLE x SELECT f(u) FROM u", "shop"), {"shop.u"}),
    ],
)
def test_what_is_not_known_makes_a_table_unknown(statement: str | Query, tables: set[str]) -> None:
    assert unknown(foretold(did(statement))) == tables


def test_a_table_that_is_made_anew_is_known_again() -> None:
    lost = did("ALTER TABLE t DROP PARTITION p")
    assert rows(foretold(lost, did("TRUNCATE t"), did(rows={"shop.t": 2})))["shop.t"] == 2
    again = foretold(lost, did("DROP TABLE t"), did("CREATE TABLE t (a INT)"))
    assert rows(again)["shop.t"] == 0


def test_where_programs_are_a_statement_reaches_whole_schemas() -> None:
    change = written("INSERT INTO t VALUES (1)", "shop", "crm")
    of = base(("shop.t", 3), ("shop.u", 1), ("crm.log", 0), ("old.t", 1))
    assert unknown(foretold(did(change), of=of, programs=True)) == {"shop.t", "shop.u", "crm.log"}
    # A trigger goes with its table.
    passing = did(written("INSERT INTO t2 VALUES (1)", "shop"))
    assert unknown(foretold(passing, did("DROP TABLE t2"))) == {"shop.t", "shop.u"}
    assert unknown(foretold(did(change), did("DROP TRIGGER x"), of=of)) >= {"crm.log"}
    # More schemas than the log names, or a foreign key.
    assert unknown(foretold(did(written("DELETE FROM t")), of=of, programs=True)) >= {"old.t"}


def test_what_a_server_writes_by_itself_reaches_what_it_names_alone() -> None:
    own = written("DELETE FROM `shop`.`t`", listed=False)
    assert unknown(foretold(did(own), programs=True)) == {"shop.t"}


def test_a_temporary_tables_name_is_not_trusted() -> None:
    made = did("CREATE TEMPORARY TABLE t (a INT)")
    assert unknown(foretold(made, did("TRUNCATE t"))) == {"shop.t"}


def test_rows_that_are_taken_back_are_unknown() -> None:
    assert unknown(foretold(did(rows={"shop.t": 2}, undone=True))) == {"shop.t"}


def test_a_compressed_transaction_that_nobody_opened_may_have_done_anything() -> None:
    assert unknown(foretold(did(complete=False))) == {"shop.t", "shop.u"}


def test_rows_of_an_xa_transaction_count_once_it_is_committed() -> None:
    prepare = did(rows={"shop.t": 2}, prepared=X1)
    waiting = foretold(prepare)
    assert rows(waiting)["shop.t"] == 3
    assert [each.xid for each in waiting.prepared] == [Xid("7831", "", 1)]
    assert rows(foretold(prepare, did(XA_COMMIT)))["shop.t"] == 5
    rolled_back = foretold(prepare, did(XA_ROLLBACK))
    assert (rows(rolled_back)["shop.t"], rolled_back.prepared) == (3, ())
    one_phase = did(rows={"shop.t": 2}, prepared=b"\1" + X1[1:])
    assert rows(foretold(one_phase))["shop.t"] == 5


def test_an_xa_transaction_that_the_base_had_prepared_may_change_anything() -> None:
    assert unknown(foretold(did(XA_COMMIT))) == {"shop.t", "shop.u"}
    assert not unknown(foretold(did(XA_ROLLBACK)))


def test_cascades_are_followed_over_as_many_tables_as_there_are() -> None:
    of = base(("shop.t", 3), ("shop.u", 1), ("shop.v", 1), ("shop.w", 1))
    parents = {
        name("shop.u"): frozenset({name("shop.t")}),
        name("shop.v"): frozenset({name("shop.u")}),
    }
    found = foretold(did(rows={"shop.t": -1}), of=of, parents=parents)
    assert (rows(found), unknown(found)) == ({"shop.t": 2, "shop.w": 1}, {"shop.u", "shop.v"})
    assert not unknown(foretold(did(rows={"shop.w": -1}), of=of, parents=parents))
    text = foretold(did(written("DELETE FROM t", "shop")), of=of, parents=parents)
    assert unknown(text) == {"shop.t", "shop.u", "shop.v"}


def test_names_are_folded_as_the_server_does() -> None:
    found = foretold(did("TRUNCATE Shop.T"), folds=True)
    assert rows(found) == {"shop.t": 0, "shop.u": 1}
    assert rows(foretold(did("CREATE TABLE T (a INT)"))) == {"shop.t": 3, "shop.u": 1, "shop.T": 0}


def test_a_bases_name_with_dots_is_what_is_there() -> None:
    of = base(("a.b.c", 2), ("a.b.d", 1))
    table = TableName("a.b", "c")
    journal = Journal()
    found = predict(of, journal, Facts(frozenset({table, TableName("a", "b.d")})))
    assert found.rows == {table: 2, TableName("a", "b.d"): 1}
    dropped = did("DROP DATABASE `a.b`")
    journal.take(dropped)
    assert predict(base(("a.b.c", 2)), journal, Facts()).rows == {}
    both = Facts(frozenset({table, TableName("a", "b.c")}))
    assert predict(base(("a.b.c", 2), ("a.b.c", 5)), Journal(), both).rows == {}
    quoted = base(("`a.b`.`c`", 2), ("`a`.`b.c`", 5))
    assert predict(quoted, Journal(), both).rows == {table: 2, TableName("a", "b.c"): 5}


def test_what_nothing_changed_has_the_checksum_of_the_base() -> None:
    of = base(
        *(("shop.t", 3), ("shop.u", 1), ("shop.v", 1)),
        checksums=(("shop.t", "aa"), ("shop.u", "bb"), ("shop.v", "cc")),
    )
    updated = did()
    updated.announced.add(name("shop.t"))
    found = foretold(updated, did("ALTER TABLE v ADD a INT"), of=of)
    assert found.checksums == {name("shop.u"): "bb"}
    assert not foretold(of=of, bound=frozenset(map(name, ("shop.t", "shop.u", "shop.v")))).checksums


def test_each_difference_is_told_with_how_the_right_value_is_known() -> None:
    of = base(("shop.t", 3), ("shop.u", 1), ("shop.v", 1), checksums=(("shop.u", "bb"),))
    read = Reading({name("shop.t"): Sum(2, "aa", ""), name("shop.u"): Sum(1, "cc", "")}, {}, ())
    prepare = did(rows={"shop.t": 2}, prepared=X1)
    with pytest.raises(BinlogError) as error:
        compare(read, of, foretold(prepare, of=of), [Expected("shop.u", 1, "DD")])
    assert list(error.value.proof) == [
        "shop.t: expected 3 rows (rows predicted), found: 2 rows, checksum aa",
        "shop.u: expected checksum bb (checksum of the base), found: 1 rows, checksum cc",
        "shop.u: expected checksum dd (checksum given), found: 1 rows, checksum cc",
        "shop.v: expected 1 rows (rows predicted), not there",
        "XA X'7831',X'',1: expected prepared, not among XA RECOVER",
    ]
    with pytest.raises(BinlogError) as error:
        compare(read, of, foretold(did("DROP TABLE t, v"), of=of), [])
    assert error.value.proof[0] == "shop.t: it was dropped, and is there"


def test_nothing_is_compared_only_where_tables_are() -> None:
    read = Reading({name("shop.t"): Sum(3, "aa", "")}, {}, ())
    of = base(("shop.t", 3))
    assert compare(read, of, foretold(of=of, tables=("shop.t",)), []).compared
    lost = foretold(did("SOMETHING NEW"), of=of, tables=("shop.t",))
    found = compare(read, of, lost, [])
    assert not found.compared
    assert found.not_compared[0]["table"] == "shop.t"
    assert compare(read, of, lost, [Expected("shop.t", 3)]).compared
    assert not compare(read, of, None, []).compared
    assert compare(Reading({}, {}, ()), base(), foretold(of=base(), tables=()), []).compared
