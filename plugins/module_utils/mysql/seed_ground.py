# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tables and events stand on and a schema does not hold: tablespaces, time zones, spatial systems."""

from __future__ import annotations

from collections.abc import Sequence

from .connection import Connection, Row
from .dialect import quote_identifier

_ZONES = (
    *("time_zone", "time_zone_leap_second", "time_zone_name"),
    *("time_zone_transition", "time_zone_transition_type"),
)
# Rows of one INSERT.
_MANY = 1000


def lay(source: Connection, replica: Connection) -> None:
    """Make on the replica what its tables and events will name. Raises MysqlError."""
    _make_tablespaces(source, replica)
    _make_spatial_systems(source, replica)
    _copy_zones(source, replica)


def _make_tablespaces(source: Connection, replica: Connection) -> None:
    """Make general tablespaces; one that is there is taken as it is."""
    asked = (
        "SELECT t.name AS n, d.path AS f, t.encryption AS e, t.zip_page_size AS z"
        " FROM information_schema.innodb_tablespaces t"
        " JOIN information_schema.innodb_datafiles d ON d.space = t.space"
        " WHERE t.space_type = 'General' AND t.name <> 'mysql'"
    )
    there = {str(row["n"]) for row in replica.query(asked)}
    for row in source.query(asked):
        if str(row["n"]) in there:
            continue
        words = f"CREATE TABLESPACE {quote_identifier(str(row['n']))} ADD DATAFILE %s"
        words += f" FILE_BLOCK_SIZE = {int(row['z'])}" if row["z"] else ""
        words += " ENCRYPTION = 'Y'" if row["e"] == "Y" else ""
        replica.execute(words, (str(row["f"]).removeprefix("./"),))


def _make_spatial_systems(source: Connection, replica: Connection) -> None:
    asked = (
        "SELECT srs_id AS i, srs_name AS n, organization AS o, organization_coordsys_id AS c,"
        " definition AS d, description AS t FROM information_schema.st_spatial_reference_systems"
    )
    there = {int(row["i"]) for row in replica.query(asked)}
    for row in source.query(asked):
        if int(row["i"]) not in there:
            words, params = _spatial_system(row)
            replica.execute(words, params)


def _spatial_system(row: Row) -> tuple[str, tuple[str, ...]]:
    words = f"CREATE SPATIAL REFERENCE SYSTEM {int(row['i'])} NAME %s DEFINITION %s"
    params = [str(row["n"]), str(row["d"])]
    if row["o"] is not None:
        words += f" ORGANIZATION %s IDENTIFIED BY {int(row['c'])}"
        params.append(str(row["o"]))
    if row["t"] is not None:
        words += " DESCRIPTION %s"
        params.append(str(row["t"]))
    return words, tuple(params)


def _copy_zones(source: Connection, replica: Connection) -> None:
    """Give the replica the source's named time zones, where it has any and they are others."""
    sums = [_sums(each) for each in (source, replica)]
    if sums[0] == sums[1] or not source.value("SELECT COUNT(*) FROM mysql.time_zone_name"):
        return
    for table in _ZONES:
        replica.execute(f"DELETE FROM mysql.{table}")
        rows = source.query(f"SELECT * FROM mysql.{table}")
        for at in range(0, len(rows), _MANY):
            _insert(replica, table, rows[at : at + _MANY])


def _sums(connection: Connection) -> list[str]:
    words = ", ".join(f"mysql.{table}" for table in _ZONES)
    return [str(row["checksum"]) for row in connection.query(f"CHECKSUM TABLE {words}")]


def _insert(replica: Connection, table: str, rows: Sequence[Row]) -> None:
    names = ", ".join(quote_identifier(name) for name in rows[0])
    places = ", ".join(["(" + ", ".join(["%s"] * len(rows[0])) + ")"] * len(rows))
    values = tuple(value for row in rows for value in row.values())
    replica.execute(f"INSERT INTO mysql.{table} ({names}) VALUES {places}", values)
