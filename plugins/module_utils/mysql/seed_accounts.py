# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts and roles of a source, made on a replica with the same passwords and privileges."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .account import every_privilege
from .connection import Connection, MysqlError, Version
from .definitions import HEX_SINCE, accounts_of, default_roles, grants_of
from .dialect import quote_identifier

# A grant on what is not there (any more), and PROXY, which root@localhost alone may give.
_NOT_GIVEN = frozenset({1049, 1054, 1146, 1147, 1305, 1698, 1045})
# What SHOW CREATE USER and GRANT cannot bring: privileges that outlived their table, and passwords' past.
_TABLES = ("tables_priv", "columns_priv", "procs_priv", "proxies_priv", "password_history")

_PLUGIN = re.compile(r"IDENTIFIED WITH '(?P<name>[^']+)'")
_NO_HASH = re.compile(r"IDENTIFIED WITH '[^']+'(?= REQUIRE )")
_SECRET = re.compile(r" AS '.*' (?=REQUIRE )", re.DOTALL)
_ALWAYS = frozenset({"ALL PRIVILEGES", "USAGE"})
_ROLES = re.compile(r" DEFAULT ROLE .+?(?= REQUIRE )", re.DOTALL)
_GLOBAL = re.compile(r"GRANT (?P<what>[A-Z_, ]+) ON \*\.\* TO (?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True)
class Definition:
    """An account as statements make it. clauses: what follows its name in CREATE USER.

    default_roles: quoted. changed, retained: when its password was set (seconds since 1970, None where
    it has none), and the hash of an earlier one that still logs in.
    """

    user: str
    host: str
    clauses: str
    params: tuple[str, ...]
    default_roles: tuple[str, ...]
    grants: tuple[str, ...]
    changed: str | None = None
    retained: str | None = None

    @property
    def plugins(self) -> frozenset[str]:
        """The plugins that it authenticates by."""
        return frozenset(_PLUGIN.findall(self.clauses))

    @property
    def tried(self) -> str:
        """A statement of the same words without its secret, to ask a server whether it takes them."""
        words = self.clauses.replace("%s", "'x'").replace("%%", "%")
        return f"CREATE USER IF NOT EXISTS 'x'@'x'{words}"


def make_accounts(
    source: Connection, replica: Connection, login_user: str, without: Collection[str] = ()
) -> list[Definition]:
    """Make the source's accounts and roles on the replica; those that only it has stay.

    The account of the session itself keeps its privileges, so that an interrupted run can go on.
    What they may do is given by ``grant_privileges``, when what it names is there.
    without: those left out, as ``account 'a'@'%'``. Raises MysqlError.
    """
    accounts = [
        definition_of(source, user, host, replica.server.version)
        for user, host in accounts_of(source)
        if f"account '{user}'@'{host}'" not in without
    ]
    for each in accounts:
        who = (each.user, each.host)
        replica.execute(f"CREATE USER IF NOT EXISTS %s@%s{each.clauses}", (*who, *each.params))
        replica.execute(f"ALTER USER %s@%s{each.clauses}", (*who, *each.params))
        if each.user != login_user:
            replica.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s@%s", who)
    return accounts


def grant_privileges(
    source: Connection, replica: Connection, accounts: Collection[Definition]
) -> None:
    """Give the accounts their privileges, roles and default roles. Raises MysqlError.

    What an account has already is not given again: PROXY, which root@localhost has from the start,
    may be given by nobody else, not even by root of another host. What no statement can give (a
    privilege on a table that is gone, say) is written as the source has it.
    """
    known = every_privilege(replica)
    there = {(each.user, each.host) for each in accounts}
    for each in accounts:
        held = {_quoted_alike(grant) for grant in grants_of(replica, each.user, each.host)}
        for grant in known_grants(each.grants, known):
            if _quoted_alike(grant) not in held:
                _give(replica, grant)
    for each in accounts:
        if each.default_roles:
            roles = ", ".join(each.default_roles).replace("%", "%%")
            replica.execute(f"ALTER USER %s@%s DEFAULT ROLE {roles}", (each.user, each.host))
    for user, host in there:
        # Making them was noted as well.
        replica.execute(
            "DELETE FROM mysql.password_history WHERE user = %s AND host = %s", (user, host)
        )
    for table in _TABLES:
        _write_rows(source, replica, table, there)
    for each in accounts:
        _write_past(replica, each)
    replica.execute("FLUSH PRIVILEGES")


def _give(replica: Connection, grant: str) -> None:
    try:
        replica.execute(grant)
    except MysqlError as error:
        if error.errno not in _NOT_GIVEN:
            raise


def _write_rows(
    source: Connection, replica: Connection, table: str, accounts: Collection[tuple[str, str]]
) -> None:
    """Write the rows of a grant table that the replica has not."""
    rows = source.query(f"SELECT * FROM mysql.{table}")
    for row in rows:
        if (str(row["user"]), str(row["host"])) not in accounts:
            continue
        names = ", ".join(quote_identifier(name) for name in row)
        places = ", ".join(["%s"] * len(row))
        replica.execute(
            f"INSERT IGNORE INTO mysql.{table} ({names}) VALUES ({places})", tuple(row.values())
        )


def _write_past(replica: Connection, account: Definition) -> None:
    """Write since when a password holds, and the earlier one that still logs in."""
    where = " WHERE user = %s AND host = %s"
    who = (account.user, account.host)
    if account.changed is not None:
        replica.execute(
            f"UPDATE mysql.user SET password_last_changed = FROM_UNIXTIME(%s){where}",
            (account.changed, *who),
        )
    if account.retained is not None:
        replica.execute(
            "UPDATE mysql.user SET user_attributes = JSON_SET(COALESCE(user_attributes,"
            f" JSON_OBJECT()), '$.additional_password', %s){where}",
            (account.retained, *who),
        )


def unknown_privileges(source: Connection, replica: Connection) -> list[str]:
    """Return the accounts' global privileges that the replica does not know, a line an account."""
    known = every_privilege(replica)
    found = []
    for user, host in accounts_of(source):
        lost = sorted(
            {
                name
                for grant in grants_of(source, user, host)
                if (match := _GLOBAL.fullmatch(grant)) is not None
                for name in _names(match["what"])
                if name not in known | _ALWAYS
            }
        )
        if lost:
            found.append(
                f"privileges of '{user}'@'{host}' unknown to the replica: {', '.join(lost)}"
            )
    return found


def known_grants(grants: Iterable[str], known: frozenset[str]) -> list[str]:
    """Return the GRANT statements without global privileges that a newer version has no more."""
    kept: list[str] = []
    for grant in grants:
        match = _GLOBAL.fullmatch(grant)
        if match is None:
            kept.append(grant)
            continue
        names = [each for each in _names(match["what"]) if each in known | _ALWAYS]
        if names:
            kept.append(f"GRANT {', '.join(names)} ON *.* TO {match['rest']}")
    return kept


def _names(privileges: str) -> list[str]:
    return [each.strip() for each in privileges.split(",")]


def split_clauses(made: str, secret: str | None) -> tuple[str, tuple[str, ...]]:
    """Return what follows the name in a CREATE USER, without default roles, and its parameters.

    secret: the stored hash where the text's own cannot be sent back, else None.
    """
    start = (
        made.index(" IDENTIFIED WITH ") if " IDENTIFIED WITH " in made else made.index(" REQUIRE ")
    )
    clauses = made[start:]
    # Without a hash ALTER USER would expire the password.
    clauses = _NO_HASH.sub(r"\g<0> AS ''", _ROLES.sub("", clauses))
    held = _SECRET.search(clauses)
    if secret is None or held is None:
        return clauses.replace("%", "%%"), ()
    before, after = clauses[: held.start()], clauses[held.end() :]
    return f"{before.replace('%', '%%')} AS %s {after.replace('%', '%%')}", (secret,)


def definition_of(source: Connection, user: str, host: str, taker: Version) -> Definition:
    """Return an account as statements make it on a server of another version. Raises MysqlError."""
    row = source.query(
        "SELECT authentication_string AS hash, UNIX_TIMESTAMP(password_last_changed) AS changed,"
        " JSON_UNQUOTE(JSON_EXTRACT(user_attributes, '$.additional_password')) AS retained"
        " FROM mysql.user WHERE user = %s AND host = %s",
        (user, host),
    )[0]
    secret: str | None = None
    digits = min(source.server.version, taker) >= HEX_SINCE
    if source.server.version >= HEX_SINCE:
        source.execute(f"SET SESSION print_identified_with_as_hex = {'ON' if digits else 'OFF'}")
    if not digits:
        secret = _decoded(row["hash"]) or None
    made = next(iter(source.query("SHOW CREATE USER %s@%s", (user, host))[0].values()))
    clauses, params = split_clauses(_decoded(made), secret)
    return Definition(
        *(user, host, clauses, params),
        tuple(default_roles(source, user, host)),
        grants_of(source, user, host),
        None if row["changed"] is None else str(row["changed"]),
        None if row["retained"] is None else str(row["retained"]),
    )


def _quoted_alike(grant: str) -> str:
    """Return a GRANT as newer servers quote the accounts in it, to compare it with another's."""
    return grant.replace("'", "`")


def _decoded(value: object) -> str:
    # Older servers give hashes as bytes; they are seven-bit.
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
