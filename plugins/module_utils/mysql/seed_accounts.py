# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts and roles of a source, made on a replica with the same passwords and privileges."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .account import every_privilege
from .connection import Connection, Version

_OWN = ("mysql.infoschema", "mysql.session", "mysql.sys")
# SHOW CREATE USER writes the hash as hexadecimal digits from here on, where it is asked to.
HEX_SINCE: Version = (8, 0, 17)

_SECRET = re.compile(r" AS '.*' (?=REQUIRE )", re.DOTALL)
_ROLES = re.compile(r" DEFAULT ROLE (?P<roles>.+?)(?= REQUIRE )", re.DOTALL)
_GLOBAL = re.compile(r"GRANT (?P<what>[A-Z_, ]+) ON \*\.\* TO (?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True)
class Definition:
    """An account as statements make it. clauses: what follows its name in CREATE USER."""

    user: str
    host: str
    clauses: str
    params: tuple[str, ...]
    default_roles: str
    grants: tuple[str, ...]


def make_accounts(source: Connection, replica: Connection, login_user: str) -> list[Definition]:
    """Make the source's accounts and roles on the replica; those that only it has stay.

    The account of the session itself keeps its privileges, so that an interrupted run can go on.
    What they may do is given by ``grant_privileges``, when what it names is there.
    Raises MysqlError.
    """
    accounts = [_definition(source, row["user"], row["host"]) for row in _accounts(source)]
    for each in accounts:
        who = (each.user, each.host)
        replica.execute(f"CREATE USER IF NOT EXISTS %s@%s{each.clauses}", (*who, *each.params))
        replica.execute(f"ALTER USER %s@%s{each.clauses}", (*who, *each.params))
        if each.user != login_user:
            replica.execute("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s@%s", who)
    return accounts


def grant_privileges(replica: Connection, accounts: Iterable[Definition]) -> None:
    """Give the accounts their privileges, roles and default roles. Raises MysqlError.

    What an account has already is not given again: PROXY, which root@localhost has from the start,
    may be given by nobody else, not even by root of another host.
    """
    accounts = list(accounts)
    known = every_privilege(replica)
    for each in accounts:
        held = {_quoted_alike(grant) for grant in _grants(replica, each.user, each.host)}
        for grant in known_grants(each.grants, known):
            if _quoted_alike(grant) not in held:
                replica.execute(grant)
    for each in accounts:
        if each.default_roles:
            roles = each.default_roles.replace("%", "%%")
            replica.execute(f"ALTER USER %s@%s DEFAULT ROLE {roles}", (each.user, each.host))


def known_grants(grants: Iterable[str], known: frozenset[str]) -> list[str]:
    """Return the GRANT statements without global privileges that a newer version has no more."""
    kept: list[str] = []
    for grant in grants:
        match = _GLOBAL.fullmatch(grant)
        if match is None:
            kept.append(grant)
            continue
        asked = [each.strip() for each in match["what"].split(",")]
        names = [each for each in asked if each in known | {"ALL PRIVILEGES", "USAGE"}]
        if names:
            kept.append(f"GRANT {', '.join(names)} ON *.* TO {match['rest']}")
    return kept


def split_clauses(made: str, secret: str | None) -> tuple[str, tuple[str, ...], str]:
    """Return what follows the name in a CREATE USER, its parameters, and its default roles.

    secret: the stored hash where the text's own cannot be sent back, else None.
    """
    start = (
        made.index(" IDENTIFIED WITH ") if " IDENTIFIED WITH " in made else made.index(" REQUIRE ")
    )
    clauses = made[start:]
    found = _ROLES.search(clauses)
    roles = found["roles"] if found else ""
    clauses = _ROLES.sub("", clauses)
    held = _SECRET.search(clauses)
    if secret is None or held is None:
        return clauses.replace("%", "%%"), (), roles
    before, after = clauses[: held.start()], clauses[held.end() :]
    words = f"{before.replace('%', '%%')} AS %s {after.replace('%', '%%')}"
    return words, (secret,), roles


def _accounts(source: Connection) -> list[dict[str, str]]:
    rows = source.query(
        "SELECT user, host FROM mysql.user WHERE user NOT IN (%s, %s, %s) ORDER BY user, host", _OWN
    )
    return [{"user": str(row["user"]), "host": str(row["host"])} for row in rows]


def _definition(source: Connection, user: str, host: str) -> Definition:
    secret: str | None = None
    if source.server.version >= HEX_SINCE:
        source.execute("SET SESSION print_identified_with_as_hex = ON")
    else:
        held = source.query(
            "SELECT authentication_string AS hash FROM mysql.user WHERE user = %s AND host = %s",
            (user, host),
        )[0]["hash"]
        secret = _decoded(held) or None
    made = next(iter(source.query("SHOW CREATE USER %s@%s", (user, host))[0].values()))
    clauses, params, roles = split_clauses(_decoded(made), secret)
    return Definition(user, host, clauses, params, roles, _grants(source, user, host))


def _grants(connection: Connection, user: str, host: str) -> tuple[str, ...]:
    rows = connection.query("SHOW GRANTS FOR %s@%s", (user, host))
    return tuple(str(next(iter(row.values()))) for row in rows)


def _quoted_alike(grant: str) -> str:
    """Return a GRANT as newer servers quote the accounts in it, to compare it with another's."""
    return grant.replace("'", "`")


def _decoded(value: object) -> str:
    # Older servers give hashes as bytes; they are seven-bit.
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
